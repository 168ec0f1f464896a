"""
What the token endpoint gave us: an access token, what it is good for and until when.
"""

from collections.abc import Mapping
from typing import Any

import attrs


@attrs.frozen(kw_only=True)
class AccessToken:
    """
    An access token (RFC 6749 section 1.4) and the moment it stops being one.

    Frozen, so it can be handed to any thread, event loop or process.

    Attributes:
        value: The bearer token itself. Hidden from repr.

        scopes: Scopes granted. The scopes asked for when the answer named none
            (RFC 6749 section 5.1).

        requested_scopes: Scopes asked for.

        issued_at: Wall clock just before the token request was sent, in seconds since the
            epoch. Earlier than the server's own reckoning, so that the token ends here first.

        expires_at: End of the token's life, in seconds since the epoch.

        renewed_at: When a 401 last made a token of this key be renewed, in seconds since the
            epoch; None: never. Travels with the token so that every process that shares it
            keeps to the same floor between such renewals.
    """

    value: str = attrs.field(repr=False)
    scopes: frozenset[str]
    requested_scopes: frozenset[str]
    issued_at: float
    expires_at: float
    renewed_at: float | None = None

    @property
    def lifetime(self) -> float:
        """
        Seconds between issue and expiry; zero or less for a token that must not be kept.
        """
        return self.expires_at - self.issued_at

    @property
    def missing_scopes(self) -> frozenset[str]:
        """
        Scopes that were asked for and not granted; empty when all of them were.
        """
        return self.requested_scopes - self.scopes

    def to_dict(self) -> dict[str, Any]:
        """
        The token as plain JSON types, secret value included; for token stores.
        """
        return {
            "access_token": self.value,
            "scopes": sorted(self.scopes),
            "requested_scopes": sorted(self.requested_scopes),
            "issued_at": self.issued_at,
            "expires_at": self.expires_at,
            "renewed_at": self.renewed_at,
        }

    @classmethod
    def from_dict(cls, data: object) -> "AccessToken":
        """
        The token that `to_dict` wrote.

        Raises:
            ValueError: *data* is not such a dict. The text never quotes it.
        """
        if not isinstance(data, Mapping):
            raise ValueError("a stored token must be a JSON object")
        renewed_at = data.get("renewed_at")
        return cls(
            value=_text(data, "access_token"),
            scopes=_texts(data, "scopes"),
            requested_scopes=_texts(data, "requested_scopes"),
            issued_at=_number(data, "issued_at"),
            expires_at=_number(data, "expires_at"),
            renewed_at=None if renewed_at is None else _number(data, "renewed_at"),
        )


def is_bearer_value(value: object) -> bool:
    """
    Whether *value* can stand in a header as a bearer token: visible ASCII, nothing else.

    Wider than RFC 6750's b64token on purpose: some servers' opaque tokens use more characters,
    but none may hold a space, a line break or a control character.
    """
    return isinstance(value, str) and value != "" and all("!" <= c <= "~" for c in value)


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    if not is_bearer_value(value):
        raise ValueError(f"a stored token needs {name}, a string of visible ASCII characters")
    return str(value)


def _texts(data: Mapping[str, Any], name: str) -> frozenset[str]:
    values = data.get(name)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError(f"a stored token needs {name}, a list of strings")
    return frozenset(values)


def _number(data: Mapping[str, Any], name: str) -> float:
    value = data.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e15:
        raise ValueError(f"a stored token needs {name}, seconds since the epoch")
    return float(value)
