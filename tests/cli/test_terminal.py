"""
The commands as people meet them: a real pseudo-terminal of 80 columns, keys and all.
"""

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from auth_ext.sandbox import Sandbox
from auth_ext.sandbox.examples import parameters
from tests.cli.conftest import Shell

DOCUMENT = str(parameters("get_document_file")["documentId"])
DOWNLOAD = ("call", "get_document_file", f"documentId={DOCUMENT}", "fileFormat=unsigned")


@pytest.fixture
def silent_endpoint() -> Iterator[socket.socket]:
    """
    Something that listens and never answers.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)
        yield listener


def test_doctor_shows_ticks_and_says_that_all_is_well(shell: Shell) -> None:
    """
    On a terminal every check has a green tick.
    """
    with shell.terminal("doctor") as terminal:
        assert terminal.wait() == 0
        assert "✓ credentials  accepted" in terminal.screen
        assert "\x1b[32m✓\x1b[0m" in terminal.raw.decode()
        assert terminal.screen.endswith("All is well.")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("call", "--help"),
        ("token", "--help"),
        ("scopes", "--help"),
        ("operations", "--help"),
        ("doctor", "--help"),
        ("scopes",),
        ("operations", "summary"),
        ("call", "create_document", "--describe"),
    ],
    ids=" ".join,
)
def test_no_line_is_broken_by_80_columns(shell: Shell, arguments: tuple[str, ...]) -> None:
    """
    Help and tables fit: the terminal never has to wrap a line.
    """
    with shell.terminal(*arguments) as terminal:
        assert terminal.wait() == 0
        text = re.sub(r"\x1b\[[0-9;]*m", "", terminal.raw.decode())
        assert max(map(len, text.splitlines())) <= 80


def test_no_color_leaves_the_table_without_colours(shell: Shell) -> None:
    """
    NO_COLOR is honoured on a terminal.
    """
    shell.environment["NO_COLOR"] = "1"
    for arguments in (("doctor",), ("scopes",), ("call", "list_document_summaries")):
        with shell.terminal(*arguments) as terminal:
            assert terminal.wait() == 0
            assert not re.search(rb"\x1b\[[0-9;]*3[0-7]", terminal.raw)


def test_missing_credentials_are_asked_for_and_the_secret_is_not_shown(
    shell: Shell, sandbox: Sandbox
) -> None:
    """
    A prompt takes the id with echo and the secret without.
    """
    del shell.environment["SIGNICAT_CLIENT_ID"], shell.environment["SIGNICAT_CLIENT_SECRET"]
    with shell.terminal("token", "--scopes", "event") as terminal:
        terminal.wait_for("Client id: ")
        terminal.type(f"{sandbox.client_id}\n")
        terminal.wait_for("Client secret (not shown): ")
        terminal.type(f"{sandbox.client_secret}\n")
        assert terminal.wait() == 0
        assert sandbox.client_id in terminal.screen
        assert sandbox.client_secret not in terminal.raw.decode()


def test_ctrl_d_at_the_prompt_is_an_answer_without_a_value(shell: Shell) -> None:
    """
    The end of input at the prompt is one clear line.
    """
    del shell.environment["SIGNICAT_CLIENT_SECRET"]
    with shell.terminal("token", "--scopes", "event") as terminal:
        terminal.wait_for("Client secret (not shown): ")
        terminal.type("\x04")
        assert terminal.wait() == 2
        assert "error: nothing was entered for SIGNICAT_CLIENT_SECRET" in terminal.screen


def test_ctrl_c_at_the_prompt_ends_the_run(shell: Shell) -> None:
    """
    Ctrl-C while a secret is asked for: code 130, no traceback.
    """
    del shell.environment["SIGNICAT_CLIENT_SECRET"]
    with shell.terminal("token", "--scopes", "event") as terminal:
        terminal.wait_for("Client secret (not shown): ")
        terminal.type("\x03")
        assert terminal.wait() == 130
        assert "Traceback" not in terminal.screen


def test_a_download_shows_a_bar_and_leaves_the_file(
    shell: Shell, sandbox: Sandbox, folder: Path
) -> None:
    """
    The bar is there while it runs; the line of the file stays.
    """
    sandbox.configure(pad_files_to=3_000_000)
    sandbox.misbehave("slow", during=1.0, operation="get_document_file")
    with shell.terminal(*DOWNLOAD, "--output", "contract.pdf") as terminal:
        assert terminal.wait() == 0
        assert "MB" in terminal.raw.decode()
        assert "━" in terminal.raw.decode()
        assert "━" not in terminal.screen
        assert "contract.pdf: " in terminal.screen
    assert (folder / "contract.pdf").read_bytes().startswith(b"%PDF")
    assert (folder / "contract.pdf").stat().st_size >= 3_000_000


def test_ctrl_c_in_a_slow_download_leaves_no_file(
    shell: Shell, sandbox: Sandbox, folder: Path
) -> None:
    """
    Ctrl-C amid a file: code 130, no traceback, nothing half-written.
    """
    sandbox.configure(pad_files_to=20_000_000)
    sandbox.misbehave("slow", during=30.0, operation="get_document_file")
    with shell.terminal(*DOWNLOAD, "--output", "contract.pdf") as terminal:
        terminal.wait_for("MB")
        assert [path.suffix for path in folder.iterdir()] == [".part"]
        terminal.type("\x03")
        assert terminal.wait(10) == 130
        assert "Traceback" not in terminal.screen
    assert list(folder.iterdir()) == []


def test_ctrl_c_while_the_token_endpoint_is_silent_ends_at_once(
    shell: Shell, silent_endpoint: socket.socket
) -> None:
    """
    Nobody waits for a token that nobody wants any more.
    """
    port = silent_endpoint.getsockname()[1]
    shell.environment["SIGNICAT_TOKEN_URL"] = f"http://127.0.0.1:{port}/token"
    with shell.terminal("token", "--scopes", "event") as terminal:
        line, _ = silent_endpoint.accept()
        with line:
            terminal.type("\x03")
            assert terminal.wait(10) == 130
        assert "Traceback" not in terminal.screen


def test_ctrl_c_amid_the_scopes_ends_doctor_at_once(shell: Shell, sandbox: Sandbox) -> None:
    """
    Doctor asks for many tokens; Ctrl-C ends them all.
    """
    sandbox.misbehave("slow", target="token", before=30.0, skip=2)  # clock and credentials pass
    with shell.terminal("doctor") as terminal:
        terminal.wait_for("credentials")
        terminal.type("\x03")
        assert terminal.wait(10) == 130
        assert "Traceback" not in terminal.screen


def test_a_file_is_not_thrown_onto_the_screen(shell: Shell) -> None:
    """
    A download needs a place when stdout is a terminal.
    """
    with shell.terminal(*DOWNLOAD) as terminal:
        assert terminal.wait() == 2
        assert "say where it goes, --output FILE" in terminal.screen


def test_an_answer_is_laid_out_in_colours(shell: Shell) -> None:
    """
    JSON on a terminal has a line per member.
    """
    with shell.terminal("call", "list_document_summaries", "limit=1") as terminal:
        assert terminal.wait() == 0
        assert '  "limit": 1,' in terminal.screen
        assert '\x1b[34m"limit"\x1b[0m' in terminal.raw.decode()
