"""
Who we are and where, for one run: the environment, then a `.env` file here, then a prompt.
"""

import os
import re
import stat
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

from auth_ext._client import SignicatClient
from auth_ext._environment import store_named
from auth_ext._settings import ScopesArgument
from auth_ext.cli._output import is_terminal
from auth_ext.cli._problem import Problem
from auth_ext.errors import ConfigurationError
from auth_ext.stores import TokenStore

PREFIX = "SIGNICAT_"
CREDENTIALS = ("SIGNICAT_CLIENT_ID", "SIGNICAT_CLIENT_SECRET")
ENV_FILE = ".env"

_SECRET_OPTION = re.compile(
    r"--?[a-z-]*(secret|password|passwd|credential)[a-z-]*(=.*)?", re.IGNORECASE
)


def refuse_secrets(arguments: Sequence[str]) -> None:
    """
    Stop when a secret is given as an option. The text does not repeat it.

    Raises:
        Problem: One of *arguments* looks like that.
    """
    for argument in arguments:
        if argument == "--":
            return
        if _SECRET_OPTION.fullmatch(argument):
            raise Problem(
                f"there is no option {argument.partition('=')[0]}: the shell's history and"
                " everybody on this machine would see the secret. Set SIGNICAT_CLIENT_SECRET in"
                " the environment or in a .env file here, or be asked for it on a terminal"
            )


def read_env_file() -> str | None:
    """
    Take the SIGNICAT_ variables of `.env` in the current folder; the environment's own win.

    Returns:
        What to mend about the file, or None.

    Raises:
        Problem: It cannot be read.
    """
    path = Path(ENV_FILE)
    try:
        text = path.read_text("utf-8-sig")
        mode = path.stat().st_mode
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        why = "it is not UTF-8 text" if isinstance(error, ValueError) else error.strerror
        raise Problem(f"{ENV_FILE} in this folder cannot be read: {why}") from None
    values = _parsed(text)
    for name, value in values.items():
        if name.startswith(PREFIX) and value is not None:
            os.environ.setdefault(name, value)
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077 and CREDENTIALS[1] in values:
        return (
            f"others on this machine may read {ENV_FILE} (mode {stat.S_IMODE(mode):04o}), and"
            f" it holds a secret. Run: chmod 600 {ENV_FILE}"
        )
    return None


def _parsed(text: str) -> dict[str, str | None]:
    from io import StringIO

    from dotenv import dotenv_values

    # Not interpolated: a secret may well have a dollar in it.
    return dotenv_values(stream=StringIO(text), interpolate=False)


def missing_credentials() -> list[str]:
    """
    The variables of the credentials that nobody has set.
    """
    return [name for name in CREDENTIALS if not os.environ.get(name)]


def ask_for_credentials() -> None:
    """
    Ask on a terminal for what is missing; the secret without echo. For this run only.

    Raises:
        Problem: Something is missing and nobody can be asked.
    """
    missing = missing_credentials()
    if not missing:
        return
    if not is_terminal(sys.stdin) or not is_terminal(sys.stderr):
        raise Problem(
            f"{' and '.join(missing)} missing: set {'it' if len(missing) == 1 else 'them'} in the"
            f" environment or in a {ENV_FILE} file in this folder"
        )
    for name in missing:
        value = _PROMPTS[name]().strip()
        if not value:
            raise Problem(f"nothing was entered for {name}")
        os.environ[name] = value


def _ask_openly() -> str:
    sys.stderr.write("Client id: ")
    sys.stderr.flush()
    return sys.stdin.readline()


def _ask_secretly() -> str:
    from getpass import getpass

    try:
        return getpass("Client secret (not shown): ", stream=sys.stderr)
    except EOFError:
        return ""


_PROMPTS: dict[str, Callable[[], str]] = dict(
    zip(CREDENTIALS, (_ask_openly, _ask_secretly), strict=True)
)


def chosen_store() -> tuple[str, TokenStore]:
    """
    Where this run keeps tokens, and what that is called.

    SIGNICAT_TOKEN_STORE says it. Otherwise it is the file store, so that the calls of one user
    share a token; or memory, where the libraries of the file store are missing or the user has
    no home folder.
    """
    name = os.environ.get("SIGNICAT_TOKEN_STORE", "").strip()
    if name:
        # A Redis URL may hold a password.
        return name if name.startswith(("file", "memory")) else "redis", store_named(name)
    if all(map(find_spec, ("filelock", "platformdirs"))):
        try:
            return "file", store_named("file")
        except ConfigurationError:
            pass
    return "memory", store_named("memory")


def open_client(
    *, scopes: ScopesArgument | None = None, with_credentials: bool = True
) -> SignicatClient:
    """
    The client of this run.

    Args:
        scopes: What its tokens are good for; None: what each operation needs.

        with_credentials: False for an operation that needs no token: then none are asked for.
    """
    if with_credentials:
        ask_for_credentials()
    elif missing_credentials():
        return SignicatClient("none", "none", store=store_named("memory"))
    return SignicatClient(scopes=scopes, store=chosen_store()[1])
