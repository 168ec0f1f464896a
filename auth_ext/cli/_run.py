"""
One run: arguments in, exit code out; every foreseeable error becomes a line on stderr.
"""

import logging
import os
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

from auth_ext.cli._app import app
from auth_ext.cli._output import remark
from auth_ext.cli._problem import ExitCode, explained
from auth_ext.cli._settings import refuse_secrets

DEBUG = "--debug"


def run(arguments: Sequence[str]) -> int:
    """
    Run the command line and give its exit code.
    """
    for stream in (sys.stdout, sys.stderr):
        _never_fail_on_characters(stream)
    debug = DEBUG in arguments
    wanted = [argument for argument in arguments if argument != DEBUG]
    try:
        with _library_told(logging.DEBUG if debug else logging.WARNING):
            return _run(wanted)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        _silence(sys.stdout)
        return ExitCode.BROKEN_PIPE
    except Exception as error:
        known = explained(error)
        if known is None:
            raise
        if debug:
            traceback.print_exception(error)
        code, lines = known
        for number, line in enumerate(lines):
            remark(line, kind="" if number else "error")
        return code


def _run(arguments: Sequence[str]) -> int:
    refuse_secrets(arguments)
    try:
        code = app(args=list(arguments), prog_name="signicat", standalone_mode=False)
    except SystemExit as error:
        # Typer's own way out when the reader of a help text has gone, and of completion.
        if error.code == 1 and "_SIGNICAT_COMPLETE" not in os.environ:
            raise BrokenPipeError from None
        return int(error.code or 0)
    sys.stdout.flush()
    return int(code or ExitCode.OK)


def _never_fail_on_characters(stream: TextIO) -> None:
    """
    What a terminal cannot show is shown as its code.
    """
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")


def _silence(stream: TextIO) -> None:
    """
    Nobody reads it any more: what Python still wants to write at its end goes nowhere.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, stream.fileno())
    finally:
        os.close(nowhere)


class _Remarks(logging.Handler):
    """
    What the library logs, as one line on stderr.
    """

    def emit(self, record: logging.LogRecord) -> None:
        level = "warning" if record.levelno >= logging.WARNING else record.levelname.lower()
        remark(record.getMessage(), kind=level)


@contextmanager
def _library_told(level: int) -> Iterator[None]:
    """
    Show the library's warnings, log lines and deprecations alike.
    """
    logger = logging.getLogger("auth_ext")
    handler = _Remarks()
    before = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(level)
    logger.propagate = False
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("always", category=DeprecationWarning, module="auth_ext")
            warnings.showwarning = lambda message, *_args, **_named: remark(
                str(message), kind="warning"
            )
            yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before[0])
        logger.propagate = before[1]
