"""
Recording again: from the sandbox, from something that passes for an account, and not at all.
"""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from auth_ext.sandbox import Sandbox
from auth_ext.testing import leaks
from scripts import record
from tests.recorded.conftest import RECORDED_AT

ONE = "test_a_token_is_fetched_once_and_reused and sync"


@pytest.fixture(autouse=True)
def no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Whatever this shell has set.
    """
    for name in ("CLIENT_ID", "CLIENT_SECRET", "BASE_URL", "TOKEN_URL"):
        monkeypatch.delenv(f"SIGNICAT_{name}", raising=False)


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """
    A service at SIGNICAT_*, as an account would be.
    """
    with Sandbox() as running:
        running.control("POST", "/clock", to=RECORDED_AT)
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        yield running


def cassettes_in(folder: Path) -> dict[str, str]:
    """
    Names and texts.
    """
    return {path.name: path.read_text() for path in sorted((folder / "cassettes").glob("*"))}


def say(answer: str) -> Callable[[str], str]:
    """
    A person who answers so.
    """
    return lambda _question: answer


def test_recording_again_changes_no_byte(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    What the sandbox gives today is what the committed cassette holds; others are kept.
    """
    ours = Path(__file__).parent / "cassettes"
    shutil.copytree(ours, tmp_path / "cassettes")
    (tmp_path / "cassettes" / "forbidden.yaml").write_text("about: {}\n")
    before = cassettes_in(tmp_path)

    assert 0 == record.main(["--output", str(tmp_path), "-k", ONE])

    assert before == cassettes_in(tmp_path)
    told = capsys.readouterr().out
    assert "token_reused.yaml                sandbox        unchanged" in told
    assert "forbidden.yaml                   ?              kept" in told


def test_an_account_is_recorded_when_agreed(
    tmp_path: Path,
    account: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """
    It is asked first, then called; what it holds is scrubbed, and no test that it cannot serve run.
    """
    monkeypatch.setattr("builtins.input", say("y"))
    words = "sync and (reused or revoked) and not asyncio"

    assert 0 == record.main(["--output", str(tmp_path), "-k", words])

    assert ["token_reused.yaml"] == list(cassettes_in(tmp_path))
    assert 2 == account.requests.api
    assert [] == leaks(tmp_path, secrets=[account.client_id, account.client_secret])
    told = capsys.readouterr().out
    assert f"at {account.url} with the API client {account.client_id}" in told
    assert account.client_secret not in told


@pytest.mark.parametrize("answer", ["", "n", "yo"])
def test_without_agreement_nothing_is_sent(
    tmp_path: Path, account: Sandbox, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    """
    Anything but yes is no.
    """
    monkeypatch.setattr("builtins.input", say(answer))

    assert 2 == record.main(["--output", str(tmp_path)])
    assert 0 == account.requests.token
    assert [] == list(tmp_path.iterdir())


def _nobody(_question: str) -> str:
    raise EOFError


def _interrupted(_question: str) -> str:
    raise KeyboardInterrupt


@pytest.mark.parametrize(("ask", "code", "text"), [
    (_nobody, 2, "pass --yes"), (_interrupted, 130, "Stopped"),
])  # fmt: skip
def test_no_answer_is_no_agreement(
    tmp_path: Path,
    account: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    ask: Callable[[str], str],
    code: int,
    text: str,
) -> None:
    """
    Without a terminal, or with Ctrl-C, nothing is recorded.
    """
    monkeypatch.setattr("builtins.input", ask)

    assert code == record.main(["--output", str(tmp_path)])
    assert text in capsys.readouterr().err


def test_half_of_the_credentials_is_a_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    An id without a secret is told, not taken for "the sandbox is meant".
    """
    monkeypatch.setenv("SIGNICAT_CLIENT_ID", "mine")

    assert 2 == record.main(["--output", str(tmp_path)])
    assert "set both of SIGNICAT_CLIENT_ID and SIGNICAT_CLIENT_SECRET" in capsys.readouterr().err


class Steps:
    """
    In place of pytest: writes a cassette when it records, and ends with the codes given.
    """

    def __init__(self, cassette: str, *codes: int) -> None:
        self.cassette = cassette
        self.codes = list(codes)

    def run(self, command: list[str], **_options: Any) -> subprocess.CompletedProcess[bytes]:
        """
        As subprocess.run.
        """
        folder = Path(command[command.index("--cassettes") + 1]) / "cassettes"
        folder.mkdir(exist_ok=True)
        (folder / "one.yaml").write_text(self.cassette)
        return subprocess.CompletedProcess(command, self.codes.pop(0))


CLEAN = (Path(__file__).parent / "cassettes" / "token_reused.yaml").read_text()
DIRTY = CLEAN.replace("Basic scrubbed", "Basic c2FuZGJveC1mdWxs")


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        (Steps(CLEAN, 1), "Recording failed"),
        (Steps(DIRTY, 0), "1 places hold what no cassette may hold"),
        (Steps(CLEAN, 0, 1), "does not replay"),
    ],
    ids=["failed", "leaks", "does not replay"],
)
def test_a_recording_that_is_not_good_replaces_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    steps: Steps,
    text: str,
) -> None:
    """
    A failed test, a leak or a replay that fails: exit code 1, and every file as it was.
    """
    monkeypatch.setattr(subprocess, "run", steps.run)
    (tmp_path / "cassettes").mkdir()
    (tmp_path / "cassettes" / "one.yaml").write_text("as it was")

    assert 1 == record.main(["--output", str(tmp_path), "--sandbox"])
    assert text in capsys.readouterr().err
    assert {"one.yaml": "as it was"} == cassettes_in(tmp_path)


def test_what_no_test_uses_any_more_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    After recording all of them: changed ones are replaced, new ones added, left ones removed.
    """
    monkeypatch.setattr(subprocess, "run", Steps(CLEAN, 0, 0).run)
    (tmp_path / "cassettes").mkdir()
    (tmp_path / "cassettes" / "left.yaml").write_text(CLEAN)

    assert 0 == record.main(["--output", str(tmp_path), "--sandbox"])
    assert {"one.yaml": CLEAN} == cassettes_in(tmp_path)
    assert "removed: no test uses it" in capsys.readouterr().out

    (tmp_path / "cassettes" / "one.yaml").write_text(DIRTY)
    monkeypatch.setattr(subprocess, "run", Steps(CLEAN, 0, 0).run)

    assert 0 == record.main(["--output", str(tmp_path), "--yes"])
    assert {"one.yaml": CLEAN} == cassettes_in(tmp_path)
    assert "changed" in capsys.readouterr().out
