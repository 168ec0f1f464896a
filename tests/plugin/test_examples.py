import shutil
from pathlib import Path

import pytest
import vcr.stubs.httpx_stubs  # type: ignore[import-untyped]
import vcr.unittest  # type: ignore[import-untyped]  # noqa: F401

from auth_ext.testing import leaks

pytest_plugins = "pytester"

EXAMPLE = Path(__file__).parents[2] / "examples" / "contracts"


def test_the_example_application_passes_its_tests(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    In a folder of its own, without any account, with warnings as errors and the network blocked.
    """
    for name in ("CLIENT_ID", "CLIENT_SECRET"):
        monkeypatch.delenv(f"SIGNICAT_{name}", raising=False)
    shutil.copytree(EXAMPLE, pytester.path, dirs_exist_ok=True)

    result = pytester.runpytest_inprocess("-W", "error", "--block-network")

    result.assert_outcomes(passed=3)


def test_the_examples_cassettes_hold_nothing_that_must_not_be_seen() -> None:
    """
    What the example shows is clean too.
    """
    assert [] == leaks(EXAMPLE)
