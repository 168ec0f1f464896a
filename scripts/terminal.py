"""
Record what `signicat` shows in a terminal, as text for the documentation.

    python scripts/terminal.py            writes docs/terminal/*.txt

Each command really runs, in a pseudo-terminal of 80 columns, against the sandbox. Tokens are
blanked; addresses, folders, ids and times that change with every run are replaced.
"""

import argparse
import errno
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
        self._process = subprocess.Popen(  # noqa: S603 - our own commands
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
        Press keys; `\\x03` is Ctrl-C, `\\x04` Ctrl-D.
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
        while self._process.poll() is None:
            if not self._read(0.05) and time.monotonic() > deadline:
                raise TimeoutError(f"it does not end; there is:\n{self.screen}")
        while self._read(0):
            pass
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
        try:
            data = os.read(self._master, 65536)
        except OSError as error:  # Linux says so when nobody has the terminal open any more
            if error.errno != errno.EIO:
                raise
            data = b""
        self.raw += data
        return bool(data)
