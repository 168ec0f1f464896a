"""
`signicat token`.
"""

import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from auth_ext._operations import required_scopes
from auth_ext._settings import normalised_scopes
from auth_ext._token import AccessToken
from auth_ext.cli._output import clean, say, show_json
from auth_ext.cli._problem import Problem
from auth_ext.cli._settings import open_client


def show_token(scopes: str | None, operations: Sequence[str], *, as_json: bool) -> None:
    """
    Print a token that is valid now.

    Raises:
        Problem: Nobody says what it must be good for.

        AuthError: There is none to be had.
    """
    wanted = _wanted(scopes, operations)
    with open_client() as client:
        token = client.get_token(wanted)
    if as_json:
        show_json(_described(token))
    else:
        say(clean(token.value))


def _wanted(scopes: str | None, operations: Sequence[str]) -> tuple[str, ...]:
    needed = required_scopes(*operations)
    if scopes is None and operations and not needed:
        raise Problem(f"the document names no scopes for {', '.join(operations)}: use --scopes")
    if scopes is None and not operations:
        scopes = os.environ.get("SIGNICAT_SCOPES")
        if not scopes:
            raise Problem(
                "say what the token must be good for: --scopes document_read, --for OPERATION,"
                " or SIGNICAT_SCOPES (signicat scopes lists them)"
            )
    return normalised_scopes([*(scopes or "").split(), *sorted(needed)])


def _described(token: AccessToken) -> dict[str, Any]:
    ends = datetime.fromtimestamp(token.expires_at, UTC)
    return {
        "access_token": token.value,
        "token_type": "Bearer",
        "scopes": sorted(token.scopes),
        "missing_scopes": sorted(token.missing_scopes),
        "expires_at": ends.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "expires_in": max(0, int(token.expires_at - time.time())),
    }
