"""
A sandbox for the tests of SignicatClient.
"""

from collections.abc import Iterator

import pytest

from auth_ext import SignicatClient
from auth_ext.sandbox import Sandbox


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[Sandbox]:
    """
    One server for all tests here; `sandbox` makes it as new.
    """
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """
    The sandbox as new, and the environment pointing at it.
    """
    running_sandbox.reset()
    for name in ("SIGNICAT_SCOPES", "SIGNICAT_TOKEN_STORE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in running_sandbox.environment.items():
        monkeypatch.setenv(name, value)
    return running_sandbox


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[SignicatClient]:
    """
    A client with its settings from the environment.
    """
    with SignicatClient() as client:
        yield client
