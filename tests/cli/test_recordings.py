"""
The recordings in the documentation are what the commands show.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from auth_ext.sandbox import Sandbox
from scripts import terminal
from scripts.terminal import Terminal

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "terminal"


def settled(text: str) -> str:
    """
    *text* without the versions of this machine.
    """
    return re.sub(r"✓ versions .*(\n {15}.*)*", "✓ versions", text)


def test_the_recordings_are_what_the_commands_show(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Made again they are the same; if not, run `python -m scripts.terminal`.
    """
    code = terminal.main(["--output", str(tmp_path / "new")])
    made = {path.name: settled(path.read_text()) for path in (tmp_path / "new").iterdir()}

    assert code == 0
    assert made == {path.name: settled(path.read_text()) for path in FOLDER.iterdir()}
    assert len(capsys.readouterr().out.splitlines()) == len(made)


def test_a_recording_that_shows_a_secret_is_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    """
    Nothing is written then.
    """
    with pytest.raises(AssertionError, match="shows a secret"):
        terminal._settled(f"x {sandbox.client_secret}", sandbox, str(tmp_path))


def test_a_program_that_does_not_end_is_ended(tmp_path: Path) -> None:
    """
    Waiting has an end, and so has the program.
    """
    command = [sys.executable, "-c", "print('there', flush=True); input()"]
    with Terminal(command, {}, tmp_path) as running:
        with pytest.raises(TimeoutError, match="there"):
            running.wait_for("never", 0.5)
        with pytest.raises(TimeoutError, match="there"):
            running.wait(0.1)
    assert running._process.returncode == -9


def test_the_script_says_what_it_does() -> None:
    """
    --help is there, from any folder.
    """
    script = Path(terminal.__file__)
    done = subprocess.run(
        [sys.executable, "-m", "scripts.terminal", "--help"],
        cwd=script.parent.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Record what `signicat` shows in a terminal" in done.stdout
