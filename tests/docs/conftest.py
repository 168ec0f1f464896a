"""
What the documentation's tests share: the sandbox, as the pages' programs see it.
"""

from collections.abc import Iterator

import pytest

from auth_ext.sandbox import Sandbox


@pytest.fixture(scope="session")
def server() -> Iterator[Sandbox]:
    """
    One sandbox for all of them.
    """
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(server: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """
    The sandbox with a few documents, and the environment that leads there.
    """
    server.reset()
    server.seed()
    for name in ("SIGNICAT_SCOPES", "SIGNICAT_TOKEN_STORE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    yield server
    assert () == server.violations
