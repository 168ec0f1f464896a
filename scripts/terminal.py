"""
Record what `signicat` shows in a terminal, as text for the documentation.

    python -m scripts.terminal            writes docs/terminal/*.txt

Each command really runs, in a pseudo-terminal of 80 columns, against the sandbox. Tokens are
blanked; addresses, folders, ids and times that change with every run are replaced.
"""

import argparse
import fcntl
import os
import pty
import re
import select
import shlex
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pyte

from auth_ext.sandbox import Sandbox, examples

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "terminal"
COLUMNS = 80
SIGNICAT = (sys.executable, "-m", "auth_ext")

# The shell opens the terminal by its name: as the first of a new session it gets it as its
# controlling terminal, so that Ctrl-C and prompts work as for a person.
_IN_TERMINAL = 'exec 0<>"$PSEUDO_TERMINAL" 1>&0 2>&0; exec "$@"'


class Terminal:
    """
    A program in a pseudo-terminal of its own; ends with the `with` block.

    Args:
        command: The program and its arguments.

        environment: All of its environment.

        folder: Where it runs.

        columns: Width.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        *,
        columns: int = COLUMNS,
    ) -> None:
        self.raw = b""
        self._columns = columns
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        shown = {"TERM": "xterm", "PSEUDO_TERMINAL": os.ttyname(slave)}
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", _IN_TERMINAL, "sh", *command],
            env={**environment, **shown},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._slave = slave  # kept open: what is written before we read is not lost

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        os.close(self._slave)
        os.close(self._master)

    def type(self, keys: str) -> None:
        """
        Press keys: chr(3) is Ctrl-C, chr(4) Ctrl-D.
        """
        os.write(self._master, keys.encode())

    def wait_for(self, text: str, seconds: float = 20) -> None:
        """
        Wait until *text* is on the screen.

        Raises:
            TimeoutError: It does not come.
        """
        deadline = time.monotonic() + seconds
        while text not in self.raw.decode("utf-8", "replace"):
            if not self._read(0.1) and time.monotonic() > deadline:
                raise TimeoutError(f"{text!r} does not come; there is:\n{self.screen}")

    def wait(self, seconds: float = 60) -> int:
        """
        Wait for the end of the program; gives its exit code as a shell would.

        A shell says 130 of one that Ctrl-C has killed, too, and that is how Python ends when
        Ctrl-C met it inside of `exec`, as in the import of a dataclass.

        Raises:
            TimeoutError: It does not end.
        """
        deadline = time.monotonic() + seconds
        ended = False
        while self._read(0 if ended else 0.05) or not ended:
            ended = self._process.poll() is not None
            if not ended and time.monotonic() > deadline:
                raise TimeoutError(f"it does not end; there is:\n{self.screen}")
        code = self._process.returncode
        return code if code >= 0 else 128 - code

    @property
    def screen(self) -> str:
        """
        What a person sees: the lines up to the last one that is not empty.
        """
        screen = pyte.Screen(self._columns, 2000)
        stream = pyte.ByteStream(screen)
        stream.feed(self.raw)
        return "\n".join(line.rstrip() for line in screen.display).rstrip()

    def _read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], seconds)
        if not ready:
            return False
        data = os.read(self._master, 65536)
        self.raw += data
        return True


# Recording

DOCUMENT = str(examples.parameters("get_document_file")["documentId"])

# What is recorded: the name of a file, the sandbox' client, and the command lines.
SCENES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("doctor", "full", ("doctor",)),
    ("doctor-mend", "read-only", ('doctor --scopes "document_read document_write"',)),
    (
        "token",
        "full",
        (
            "token --scopes document_read",
            "token --for create_document --json",
            "token --scopes document_raed",
        ),
    ),
    (
        "operations",
        "full",
        (
            "operations document file",
            "scopes create_document list_webhooks",
            "scopes --allow document_file",
        ),
    ),
    (
        "call",
        "full",
        (
            "call list_document_summaries limit=1",
            "call get_document_file --describe",
            "call list_document_summaries status=singed limt=5",
            "call list_document_summaries status=singed limit=x",
            "call create_document title=Contract",
            f"call get_document_file documentId={DOCUMENT} fileFormat=unsigned"
            " --output contract.pdf",
            "call list_webhooks --scopes document_read",
        ),
    ),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Record all scenes; gives the exit code.
    """
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--output", type=Path, default=TARGET, help="the folder to write into")
    folder: Path = parser.parse_args(arguments).output
    folder.mkdir(parents=True, exist_ok=True)
    with Sandbox() as sandbox, tempfile.TemporaryDirectory() as home:
        for name, client, commands in SCENES:
            sandbox.reset()
            sandbox.seed()
            text = "\n".join(
                _recorded(sandbox, client, command, Path(home)) for command in commands
            )
            (folder / f"{name}.txt").write_text(_settled(text, sandbox, home), "utf-8")
            print(folder / f"{name}.txt")
    return 0


def _recorded(sandbox: Sandbox, client: str, command: str, home: Path) -> str:
    """
    The command and what it shows.
    """
    found = sandbox.clients[client]
    environment = {
        **sandbox.environment,
        "SIGNICAT_CLIENT_ID": found.id,
        "SIGNICAT_CLIENT_SECRET": found.secret,
        "SIGNICAT_TOKEN_STORE": f"file:{home}",
        "LANG": "C.UTF-8",
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
    }
    with Terminal([*SIGNICAT, *shlex.split(command)], environment, home) as terminal:
        code = terminal.wait()
        told = "" if code == 0 else f"\n[exit code {code}]"
        return f"$ signicat {command}\n{terminal.screen}{told}\n"


# In this order: pattern, what stands in its place.
_CHANGING = (
    (r"127\.0\.0\.1:\d{5}\b", "127.0.0.1:50000"),
    (r"(?<=\"access_token\": \")[^\"]+", "[token]"),
    (r"(?m)^[A-Za-z0-9_.-]{43,}$", "[token]"),
    (r"\b2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "2026-11-24T12:00:00Z"),
    (r'(?<="expires_in": )\d+', "3599"),
    (r"\b\d s (behind|ahead of) the service", "0 s behind the service"),
    (r"(\[request\s+id\s+)[0-9a-f-]{36}", r"\1b7c1a2f0-3c56-4e0e-9a53-6f2f0d6c1b1e"),
)


def _settled(text: str, sandbox: Sandbox, home: str) -> str:
    """
    *text* without what is secret, of this machine, or other in every run.
    """
    for pattern, stands_for in _CHANGING:
        text = re.sub(pattern, stands_for, text)
    for client in sandbox.clients.values():
        if client.secret in text:
            raise AssertionError("a recording shows a secret")
    return text.replace(home, "~/.cache/tokens")


if __name__ == "__main__":
    sys.exit(main())
