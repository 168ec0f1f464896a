"""
The commands as scripts meet them: processes with pipes, no colours, exit codes.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from auth_ext._version import __version__
from auth_ext.sandbox import Sandbox
from auth_ext.sandbox.examples import body, parameters
from scripts.terminal import SIGNICAT, Terminal
from tests.cli.conftest import Shell

DOCUMENT = str(parameters("get_document_file")["documentId"])


def test_version_imports_no_library_of_others(shell: Shell) -> None:
    """
    `--version` is quick because it loads nothing but this package.
    """
    program = (
        "import sys; from auth_ext.cli import main; code = main(['--version']);"
        "print(sorted({'httpx', 'typer', 'rich', 'attrs', 'dotenv'} & set(sys.modules)), code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=shell.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"signicat-express-client {__version__}\n[] 0\n"


@pytest.mark.parametrize(
    ("library", "arguments"),
    [("typer", ["doctor"]), ("dotenv", ["operations"]), ("rich", ["scopes"])],
)
def test_without_the_extra_one_line_says_what_to_install(
    shell: Shell, library: str, arguments: list[str]
) -> None:
    """
    A missing library is no traceback, and code 2.
    """
    program = (
        f"import sys; sys.modules[{library!r}] = None;"
        f"from auth_ext.cli import main; sys.exit(main({arguments}))"
    )
    Path(shell.folder, ".env").write_text("SIGNICAT_SCOPES=event\n")
    command = [sys.executable, "-c", program]
    with Terminal(command, shell.environment, shell.folder) as terminal:
        assert terminal.wait() == 2
        assert " ".join(terminal.screen.split()).removeprefix("error: ") == (
            f'{library} is missing. Run: pip install "signicat-express-client[cli]"'
        )


def test_token_prints_the_token_alone_and_uses_it_again(shell: Shell, sandbox: Sandbox) -> None:
    """
    Two calls in a row cost one token request.
    """
    first = shell.pipe("token", "--scopes", "event")
    second = shell.pipe("token", "--scopes", "event")

    assert (first.code, first.err, len(first.lines)) == (0, "", 1)
    assert first == second
    assert sandbox.requests.token == 1


def test_tables_are_lines_with_tabs(shell: Shell) -> None:
    """
    Nothing is drawn into a pipe.
    """
    ran = shell.pipe("operations", "list_webhooks")

    wanted = ["list_webhooks", "GET", "/notification/webhooks", "event", "List webhooks"]
    assert [line.split("\t") for line in ran.lines] == [wanted]
    assert "\x1b" not in ran.out + ran.err


@pytest.mark.parametrize(
    "arguments", ["operations", "scopes --json", "--help", "call list_document_summaries"]
)
def test_a_reader_that_goes_is_no_error(shell: Shell, arguments: str) -> None:
    """
    `| true` ends the run quietly, with 141 as a shell does it.
    """
    command = " ".join(SIGNICAT)
    # The reader is gone before the first word is written.
    script = f'{{ sleep 0; exec {command} {arguments}; }} | exec true; echo "${{PIPESTATUS[0]}}"'
    done = subprocess.run(
        ["bash", "-c", script],
        env=shell.environment,
        cwd=shell.folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("141\n", "")


def test_an_answer_goes_through_a_pipe_byte_for_byte(shell: Shell, sandbox: Sandbox) -> None:
    """
    Numbers that floats cannot hold, repeated names and white space all survive.
    """
    odd = '{"size": 12345678901234567890.10, "size":1,\n "data": [ ], "new": "\\u00e9"}'
    sandbox.misbehave(
        "answer", operation="list_document_summaries", body=odd, content_type="application/json"
    )
    ran = shell.pipe("call", "list_document_summaries")

    assert (ran.code, ran.out) == (0, odd + "\n")


def test_a_body_is_read_from_stdin(shell: Shell) -> None:
    """
    `--body -` takes JSON from a pipe, and members are added to it.
    """
    given = body("create_document")
    ran = shell.pipe(
        "call", "create_document", "--body", "-", "externalId=from-a-pipe", given=json.dumps(given)
    )
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["externalId"] == "from-a-pipe"


def test_a_download_goes_into_a_pipe(shell: Shell) -> None:
    """
    Without --output a file is written to stdout, if that is no terminal.
    """
    done = subprocess.run(
        [*SIGNICAT, "call", "get_document_file", f"documentId={DOCUMENT}", "fileFormat=unsigned"],
        env=shell.environment,
        cwd=shell.folder,
        capture_output=True,
        check=True,
    )
    assert done.stdout.startswith(b"%PDF")
    assert done.stdout.rstrip().endswith(b"%%EOF")
    assert done.stderr == b""


def test_doctor_is_one_line_per_check(shell: Shell) -> None:
    """
    Status, name, what was seen, what to do: divided by tabs.
    """
    ran = shell.pipe("doctor")

    assert ran.code == 0
    assert {line.split("\t")[0] for line in ran.lines[:-2]} == {"ok", "skipped"}


def test_nobody_is_asked_in_a_pipe(shell: Shell) -> None:
    """
    Without credentials and without a terminal: one line, code 2.
    """
    del shell.environment["SIGNICAT_CLIENT_SECRET"]
    ran = shell.pipe("token", "--scopes", "event")

    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        "error: SIGNICAT_CLIENT_SECRET missing: set it in the environment or in a .env file in"
        " this folder\n"
    )


def test_an_ascii_terminal_is_no_reason_to_fail(shell: Shell) -> None:
    """
    What the encoding cannot say is written as its code.
    """
    shell.environment |= {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    with shell.terminal("doctor") as terminal:
        assert terminal.wait() == 0
        assert "ok credentials" in " ".join(terminal.screen.split())


def test_python_m_auth_ext_is_the_command(shell: Shell) -> None:
    """
    It works without the console script; the environment's own settings win over `.env`.
    """
    Path(shell.folder, ".env").write_text("SIGNICAT_CLIENT_ID=wrong\n")
    assert shell.pipe("token", "--scopes", "event").code == 0
