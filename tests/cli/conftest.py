"""
The command line three ways: in this process, in a pipe, in a pseudo-terminal.
"""

import io
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs
import pytest

from auth_ext.cli import main
from auth_ext.sandbox import Sandbox
from scripts.terminal import SIGNICAT, Terminal

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def running() -> Iterator[Sandbox]:
    """
    One sandbox for all tests of the command line.
    """
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Iterator[Sandbox]:
    """
    The sandbox as new, with the things in place that examples name.
    """
    running.reset()
    running.seed()
    yield running
    running.behave()


@pytest.fixture
def environment(sandbox: Sandbox, tmp_path: Path) -> dict[str, str]:
    """
    All of a command's environment: the sandbox' settings and a home of its own.
    """
    home = tmp_path / "home"
    home.mkdir()
    return {
        **sandbox.environment,
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "SIGNICAT_TOKEN_STORE": f"file:{tmp_path / 'tokens'}",
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """
    The folder that commands run in.
    """
    folder = tmp_path / "here"
    folder.mkdir()
    return folder


@attrs.frozen
class Ran:
    """
    What a command left behind.
    """

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """
        What it said, line by line.
        """
        return self.out.splitlines()


class Screen(io.TextIOWrapper):
    """
    A stream that says it is a terminal.
    """

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)

    def isatty(self) -> bool:
        """
        It is.
        """
        return True

    @property
    def text(self) -> str:
        """
        What was written.
        """
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue().decode()


class Here:
    """
    The command in this process, for speed and coverage.
    """

    def __init__(self, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]) -> None:
        self.patch = patch
        self._capture = capture

    def __call__(self, *arguments: str) -> Ran:
        """
        Into pipes.
        """
        self._capture.readouterr()
        code = main(arguments)
        captured = self._capture.readouterr()
        return Ran(code, captured.out, captured.err)

    def on_screen(self, *arguments: str, columns: int = 80) -> Ran:
        """
        Onto something that says it is a terminal.
        """
        out, err = Screen(), Screen()
        with self.patch.context() as patch:
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            patch.setenv("COLUMNS", str(columns))
            patch.setenv("TERM", "xterm")
            code = main(arguments)
        return Ran(code, out.text, err.text)


@pytest.fixture
def signicat(
    environment: Mapping[str, str],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Here]:
    """
    The command in this process; what it puts into the environment is gone afterwards.
    """
    before = dict(os.environ)
    for name in before:
        if name.startswith("SIGNICAT_") or name == "NO_COLOR":
            del os.environ[name]
    os.environ.update({k: v for k, v in environment.items() if k != "PYTHONPATH"})
    monkeypatch.chdir(folder)
    yield Here(monkeypatch, capsys)
    os.environ.clear()
    os.environ.update(before)


class Shell:
    """
    The command as a process of its own.
    """

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self.environment = environment
        self.folder = folder

    def pipe(self, *arguments: str, given: str = "") -> Ran:
        """
        With pipes for stdin, stdout and stderr.
        """
        done = subprocess.run(
            [*SIGNICAT, *arguments],
            env=self.environment,
            cwd=self.folder,
            input=given.encode(),
            capture_output=True,
            timeout=60,
            check=False,
        )
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    def terminal(self, *arguments: str, columns: int = 80) -> Terminal:
        """
        In a terminal.
        """
        return Terminal([*SIGNICAT, *arguments], self.environment, self.folder, columns=columns)


@pytest.fixture
def shell(environment: dict[str, str], folder: Path) -> Shell:
    """
    The command as a process of its own.
    """
    return Shell(environment, folder)
