"""
What a user can mend, as one or more clear lines and an exit code.
"""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from enum import IntEnum

import httpx
import typer

from auth_ext.errors import ConfigurationError, InsufficientScope, InvalidScope
from generated_client.errors import UnsafePathParameter
from generated_client.operations import SCOPES


class ExitCode(IntEnum):
    """
    What the shell is told.
    """

    OK = 0
    REFUSED = 1
    USAGE = 2
    INTERRUPTED = 130
    BROKEN_PIPE = 141


class Problem(Exception):
    """
    Something that cannot go on as it was asked; nothing was sent, nothing was written.

    Attributes:
        lines: What is wrong and what to do; the first stands alone, others are details.
    """

    def __init__(self, *lines: str) -> None:
        super().__init__(*lines)
        self.lines = lines


def explained(error: BaseException) -> tuple[ExitCode, Sequence[str]] | None:
    """
    Exit code and text for *error*; None for what is a mistake of this program.
    """
    match error:
        case Problem():
            return ExitCode.USAGE, error.lines
        case typer.TyperException():
            return ExitCode.USAGE, [f"{error.format_message()} See: {_command_of(error)} --help"]
        case ConfigurationError() | UnsafePathParameter():
            return ExitCode.USAGE, [str(error)]
        case InsufficientScope() if error.missing:
            scopes = " ".join(sorted(error.needed | error.granted))
            return ExitCode.REFUSED, [str(error), f'Here: signicat call ... --scopes "{scopes}"']
        case InvalidScope():
            unknown = sorted(error.scopes - set(SCOPES))
            return ExitCode.REFUSED, [str(error), *map(unknown_scope, unknown)]
        case httpx.HTTPError() | httpx.StreamError():
            return ExitCode.REFUSED, [str(error) or type(error).__name__]
        case ModuleNotFoundError():
            return _missing_library(error)
        case OSError():
            return ExitCode.USAGE, [_file_trouble(error)]
    return None


def _command_of(error: typer.TyperException) -> str:
    context: object = getattr(error, "ctx", None)
    return str(getattr(context, "command_path", "signicat"))


_EXTRAS = {
    "dotenv": "cli",
    "filelock": "file",
    "platformdirs": "file",
    "redis": "redis",
    "rich": "cli",
}


def _missing_library(error: ModuleNotFoundError) -> tuple[ExitCode, Sequence[str]] | None:
    library = (error.name or "").partition(".")[0]
    if library not in _EXTRAS:
        return None
    return ExitCode.USAGE, [
        f'{library} is missing. Run: pip install "signicat-express-client[{_EXTRAS[library]}]"'
    ]


def _file_trouble(error: OSError) -> str:
    what = error.strerror or str(error)
    return f"{error.filename}: {what}" if error.filename is not None else what


def unknown_scope(name: str) -> str:
    """
    That *name* is no scope of the document, as a sentence.
    """
    return f"{name!r} is no scope of the document{did_you_mean(name, SCOPES)}"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """
    The names of *known* that come nearest, as the end of a sentence; empty when none does.
    """
    by_folded = {folded(one): one for one in known}
    near = get_close_matches(folded(name), by_folded, n=3)
    return f"; did you mean {' or '.join(by_folded[one] for one in near)}?" if near else ""


def folded(name: str) -> str:
    """
    *name* without case and word marks: `documentId`, `document_id` and `document-id` are one.
    """
    return "".join(character for character in name.lower() if character.isalnum())
