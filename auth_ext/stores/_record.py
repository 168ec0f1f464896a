"""
A token as the bytes a shared store keeps, and when such bytes are believed.
"""

import json
import logging

from auth_ext._token import AccessToken
from auth_ext._token_request import LONGEST_LIFETIME

logger = logging.getLogger("auth_ext.stores")

VERSION = 1

# A token answer may have 1 MiB; escaped as JSON, with its scopes, it is still below this.
MOST_BYTES = 4 * 1024 * 1024


class Untrusted(Exception):
    """
    What was found is not used as a token; the text says why and never quotes it.
    """


def dump(key: str, token: AccessToken) -> bytes:
    """
    *token* as JSON, marked with its *key*: a copy under another name is not believed.

    Raises:
        ValueError: It is larger than any store reads back.
    """
    data = json.dumps({"version": VERSION, "key": key, **token.to_dict()}).encode("ascii")
    if len(data) > MOST_BYTES:
        raise ValueError(f"a token of {len(data)} bytes is too large to be shared")
    return data


def load(key: str, data: bytes | str) -> AccessToken:
    """
    The token that `dump` made of it.

    Raises:
        Untrusted: It is not one, or belongs to another key, or would live longer than any.
    """
    try:
        record = json.loads(data)
        token = AccessToken.from_dict(record)
    except (ValueError, RecursionError) as error:
        # A JSON error quotes nothing but its position, one of from_dict nothing at all.
        raise Untrusted(f"it is corrupt ({error})") from None
    if record.get("version") != VERSION:
        raise Untrusted("another version of this library wrote it")
    if record.get("key") != key:
        raise Untrusted("it belongs to another client, environment or set of scopes")
    # One flipped digit must not make a token that never ends.
    if not 0 < token.lifetime <= LONGEST_LIFETIME:
        raise Untrusted("it is corrupt (a lifetime no token has)")
    return token


class Complaints:
    """
    Warnings about things found, each given once: a store is read again and again.
    """

    def __init__(self) -> None:
        self._given: set[tuple[str, str]] = set()

    def warn(self, subject: str, reason: str) -> None:
        """
        Log that *subject* is not trusted because of *reason*, unless it was logged before.
        """
        if (subject, reason) not in self._given:
            self._given.add((subject, reason))
            logger.warning("%s is not trusted: %s; a new token takes its place", subject, reason)
