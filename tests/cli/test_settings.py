"""
Where settings come from: the environment, a `.env` file, a prompt; never the command line.
"""

import io
import os
import sys
from importlib import util
from pathlib import Path

import platformdirs
import pytest

from auth_ext.cli import _settings
from auth_ext.sandbox import Sandbox
from tests.cli.conftest import Here, Screen


@pytest.fixture
def env_file(folder: Path, signicat: Here, sandbox: Sandbox) -> Path:
    """
    A private `.env` file with the credentials, which the environment lacks.
    """
    for name in _settings.CREDENTIALS:
        del os.environ[name]
    file = folder / ".env"
    file.write_text(
        f"SIGNICAT_CLIENT_ID={sandbox.client_id}\n"
        f"export SIGNICAT_CLIENT_SECRET='{sandbox.client_secret}'\n"
        "OTHER_SECRET=not-ours\n"
        "SIGNICAT_EMPTY\n"
    )
    file.chmod(0o600)
    return file


def test_credentials_come_from_a_file(signicat: Here, env_file: Path) -> None:
    """
    `.env` in the current folder is read; only SIGNICAT_ variables are taken.
    """
    ran = signicat("token", "--scopes", "event")

    assert (ran.code, ran.err) == (0, "")
    assert "OTHER_SECRET" not in os.environ
    assert "SIGNICAT_EMPTY" not in os.environ


def test_a_dollar_in_a_secret_is_a_dollar(signicat: Here, env_file: Path, sandbox: Sandbox) -> None:
    """
    Values are taken literally: nothing is put in the place of ${...}.
    """
    env_file.write_text("SIGNICAT_CLIENT_SECRET=a${HOME}b\n")
    signicat("operations")

    assert os.environ["SIGNICAT_CLIENT_SECRET"] == "a${HOME}b"


def test_the_environment_wins_over_the_file(signicat: Here, env_file: Path) -> None:
    """
    What is set already stays.
    """
    os.environ["SIGNICAT_CLIENT_ID"] = "from-the-environment"
    signicat("operations")

    assert os.environ["SIGNICAT_CLIENT_ID"] == "from-the-environment"


def test_a_file_that_others_may_read_is_told(signicat: Here, env_file: Path) -> None:
    """
    A secret that others may read works, with a warning that says what to run.
    """
    env_file.chmod(0o640)
    ran = signicat("token", "--scopes", "event")

    assert ran.code == 0
    assert ran.err == (
        "warning: others on this machine may read .env (mode 0640), and it holds a secret."
        " Run: chmod 600 .env\n"
    )


def test_a_file_without_a_secret_may_be_read_by_others(signicat: Here, env_file: Path) -> None:
    """
    There is nothing to hide in an address.
    """
    env_file.write_text("SIGNICAT_SCOPES=event\n")
    env_file.chmod(0o644)

    assert signicat("operations", "list_webhooks").err == ""


@pytest.mark.parametrize(
    ("content", "why"), [(b"\xff\xfe", "it is not UTF-8 text"), (None, "Is a directory")]
)
def test_a_file_that_cannot_be_read_is_told(
    signicat: Here, folder: Path, content: bytes | None, why: str
) -> None:
    """
    One line instead of a traceback.
    """
    if content is None:
        (folder / ".env").mkdir()
    else:
        (folder / ".env").write_bytes(content)
    ran = signicat("operations")

    assert (ran.code, ran.out) == (2, "")
    assert ran.err == f"error: .env in this folder cannot be read: {why}\n"


@pytest.mark.parametrize(
    "argument", ["--client-secret=s3cret", "--client-secret", "--password", "-client_SECRET=s3cret"]
)
def test_a_secret_on_the_command_line_is_refused_and_not_repeated(
    signicat: Here, argument: str
) -> None:
    """
    The error says why, and what to do instead.
    """
    ran = signicat("token", argument.replace("_", "-"), "--scopes", "event")

    assert ran.code == 2
    assert "the shell's history and everybody on this machine would see" in ran.err
    assert "SIGNICAT_CLIENT_SECRET" in ran.err
    assert "s3cret" not in ran.err


def test_what_follows_two_dashes_is_no_option(signicat: Here) -> None:
    """
    `--` ends the options, as everywhere.
    """
    ran = signicat("operations", "--", "--password")

    assert (ran.code, ran.err) == (0, "no operation has '--password' in it\n")


def test_both_credentials_are_named_when_both_are_missing(signicat: Here) -> None:
    """
    One line names all that is missing.
    """
    for name in _settings.CREDENTIALS:
        del os.environ[name]
    ran = signicat("token", "--scopes", "event")

    assert (ran.code, ran.err) == (
        2,
        "error: SIGNICAT_CLIENT_ID and SIGNICAT_CLIENT_SECRET missing: set them in the"
        " environment or in a .env file in this folder\n",
    )


class Keyboard(io.StringIO):
    """
    Somebody who types.
    """

    def isatty(self) -> bool:
        """
        At a terminal.
        """
        return True


@pytest.fixture
def prompted(signicat: Here, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Here:
    """
    A command whose credentials are asked for.
    """
    for name in _settings.CREDENTIALS:
        del os.environ[name]
    monkeypatch.setattr(sys, "stdin", Keyboard(f"{sandbox.client_id}\n"))
    monkeypatch.setattr("getpass.getpass", lambda *_args, **_named: sandbox.client_secret)
    return signicat


def test_what_is_entered_is_used(prompted: Here) -> None:
    """
    Id and secret from the prompt fetch a token.
    """
    assert prompted.on_screen("token", "--scopes", "event").code == 0


def test_the_end_of_input_is_no_secret(prompted: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Ctrl-D at the secret: one line.
    """

    def ended(*_args: object, **_named: object) -> str:
        raise EOFError

    monkeypatch.setattr("getpass.getpass", ended)
    ran = prompted.on_screen("token", "--scopes", "event")

    assert ran.code == 2
    assert ran.err.endswith("nothing was entered for SIGNICAT_CLIENT_SECRET\n")


def test_an_operation_without_a_token_needs_no_credentials(signicat: Here) -> None:
    """
    Public keys can be read by anybody.
    """
    for name in _settings.CREDENTIALS:
        del os.environ[name]
    ran = signicat("call", "get_jwks")

    assert (ran.code, ran.err) == (0, "")


def test_tokens_are_shared_by_a_file_unless_told_otherwise(
    signicat: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Two calls of one user cost one token request, without any setting.
    """
    del os.environ["SIGNICAT_TOKEN_STORE"]
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda *_a, **_n: tmp_path / "cache")

    assert signicat("token", "--scopes", "event") == signicat("token", "--scopes", "event")
    assert [path.suffix for path in sorted((tmp_path / "cache/tokens").iterdir())] == [
        ".json",
        ".lock",
    ]


def test_tokens_stay_in_memory_where_there_is_no_home_folder(
    signicat: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A user without a home folder is served all the same.
    """
    del os.environ["SIGNICAT_TOKEN_STORE"]
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda *_a, **_n: Path("nowhere"))

    assert _settings.chosen_store()[0] == "memory"


def test_tokens_stay_in_memory_without_the_library_of_files(
    signicat: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The extra `file` is not asked for by those who did not ask for files.
    """
    del os.environ["SIGNICAT_TOKEN_STORE"]
    monkeypatch.setattr(_settings, "find_spec", lambda name: name != "filelock" or None)
    assert util.find_spec("filelock") is not None

    assert _settings.chosen_store()[0] == "memory"


def test_a_password_in_the_store_s_address_is_not_its_name(signicat: Here) -> None:
    """
    Of a Redis URL only the kind is shown.
    """
    os.environ["SIGNICAT_TOKEN_STORE"] = "redis://:s3cret@localhost:1/0"

    assert _settings.chosen_store()[0] == "redis"


def test_the_old_address_works_with_a_warning(signicat: Here) -> None:
    """
    The deprecation of the old token endpoint is shown to people, too.
    """
    os.environ["SIGNICAT_TOKEN_URL"] = "https://api.idfy.io/oauth/connect/token"
    os.environ["SIGNICAT_CLIENT_ID"] = "x"
    ran = signicat("call", "get_jwks")

    assert ran.code == 0
    assert ran.err.startswith("warning: the token endpoint on api.idfy.io is deprecated")


def test_a_screen_is_a_terminal() -> None:
    """
    The double that these tests use says what a terminal says.
    """
    assert Screen().isatty()
