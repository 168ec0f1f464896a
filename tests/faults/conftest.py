import gc
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from auth_ext.sandbox import Sandbox
from tests.faults.drive import Calls


@pytest.fixture(scope="package")
def sandbox() -> Iterator[Sandbox]:
    """
    One sandbox for all faults; each test resets it.
    """
    with Sandbox() as running:
        yield running
        assert () == running.violations


@pytest.fixture
def calls(tmp_path: Path) -> Calls:
    """
    Calls whose downloads go to a folder of the test's own.
    """
    return Calls(tmp_path)


@pytest.fixture(scope="package")
def _little_to_collect() -> Iterator[None]:
    """
    What is there already is not looked at again and again: collecting takes 2 ms, not 100.
    """
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def _nothing_left_open(_little_to_collect: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """
    A socket or file that was forgotten fails that very test.
    """
    leaks: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda hook: leaks.append(str(hook.exc_value)))
    yield
    gc.collect()
    assert [] == leaks
