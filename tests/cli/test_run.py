"""
One run: how it ends, whatever happens.
"""

import builtins
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer

from auth_ext import __version__, cli
from auth_ext.cli import _run
from auth_ext.cli._problem import ExitCode, explained
from generated_client.errors import UnsafePathParameter
from tests.cli.conftest import Here


def ending(patch: pytest.MonkeyPatch, error: BaseException) -> None:
    """
    Let every command end like that.
    """

    def app(**_named: object) -> None:
        raise error

    patch.setattr(_run, "app", app)


def test_ctrl_c_ends_quietly(signicat: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Code 130, nothing said.
    """
    ending(monkeypatch, KeyboardInterrupt())
    ran = signicat("doctor")

    assert (ran.code, ran.out, ran.err) == (130, "", "")


def test_ctrl_c_while_libraries_are_loaded_ends_quietly(
    signicat: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Even before anything runs.
    """
    real = builtins.__import__

    def interrupted(name: str, *rest: Any) -> Any:
        if name == "auth_ext.cli._run":
            raise KeyboardInterrupt
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", interrupted)
    assert signicat("doctor").code == 130


@pytest.mark.parametrize("library", ["typer", "another"])
def test_a_missing_library_is_told_only_if_it_is_of_the_extra(
    signicat: Here, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    """
    Any other import that fails is a mistake of the installation, and shows where.
    """
    real = builtins.__import__

    def missing(name: str, *rest: Any) -> Any:
        if name == "auth_ext.cli._run":
            raise ModuleNotFoundError(f"No module named {library!r}", name=library)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    if library == "typer":
        ran = signicat("doctor")
        assert ran.code == 2
        assert ran.err == 'typer is missing. Run: pip install "signicat-express-client[cli]"\n'
    else:
        with pytest.raises(ModuleNotFoundError):
            signicat("doctor")


@pytest.mark.parametrize("error", [BrokenPipeError(), SystemExit(1)])
def test_a_reader_that_has_gone_ends_quietly(
    signicat: Here, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: BaseException
) -> None:
    """
    Code 141, and nothing is written at the end of Python either.
    """
    ending(monkeypatch, error)
    with (tmp_path / "out").open("w") as out, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", out)
        code = cli.main(["doctor"])
        out.write("left over")
    assert (code, (tmp_path / "out").read_text()) == (141, "")


def test_a_mistake_of_this_program_shows_its_traceback(
    signicat: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    What nobody foresaw is not hidden.
    """
    ending(monkeypatch, ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        signicat("doctor")


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (httpx.ConnectError("no way"), ExitCode.REFUSED, "no way"),
        (httpx.ReadTimeout(""), ExitCode.REFUSED, "ReadTimeout"),
        (UnsafePathParameter("op", "id", "must not be empty"), ExitCode.USAGE, "op: the path"),
        (PermissionError(13, "Permission denied", "x.pdf"), ExitCode.USAGE, "x.pdf: Permission"),
        (OSError("disk trouble"), ExitCode.USAGE, "disk trouble"),
        (typer.TyperException("What?"), ExitCode.USAGE, "What? See: signicat --help"),
        (ModuleNotFoundError(name="redis"), ExitCode.USAGE, "redis is missing. Run: pip install"),
    ],
)
def test_every_foreseeable_error_has_a_code_and_a_line(
    error: BaseException, code: ExitCode, said: str
) -> None:
    """
    The service's trouble is 1, ours is 2.
    """
    known = explained(error)

    assert known is not None
    assert (known[0], known[1][0][: len(said)]) == (code, said)


def test_a_library_of_nobody_is_not_explained() -> None:
    """
    It is no extra of ours.
    """
    assert explained(ModuleNotFoundError(name="something")) is None


def test_the_logger_is_left_as_it_was(signicat: Here) -> None:
    """
    A run leaves no handler behind.
    """
    logger = logging.getLogger("auth_ext")
    before = (list(logger.handlers), logger.level)
    logger.propagate = True
    signicat("operations", "list_webhooks", "--debug")

    assert (list(logger.handlers), logger.level) == before
    assert logger.propagate


def test_a_stream_that_cannot_be_changed_is_left_alone() -> None:
    """
    Not every stdout is a file.
    """

    class Plain:
        pass

    stream: Any = Plain()
    _run._never_fail_on_characters(stream)


def test_python_m_auth_ext_runs_the_command() -> None:
    """
    The module ends with the command's code.
    """
    command = [sys.executable, "-m", "auth_ext"]
    told = subprocess.run([*command, "--version"], capture_output=True, text=True, check=False)
    wrong = subprocess.run([*command, "nonsense"], capture_output=True, text=True, check=False)

    assert (0, f"signicat-express-client {__version__}\n") == (told.returncode, told.stdout)
    assert 2 == wrong.returncode
