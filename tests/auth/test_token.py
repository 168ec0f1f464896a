import json
import pickle

import attrs
import pytest

from auth_ext import AccessToken
from auth_ext._token import is_bearer_value
from tests.auth.helpers import SECRET

TOKEN = AccessToken(
    value=SECRET,
    scopes=frozenset({"a"}),
    requested_scopes=frozenset({"a", "b"}),
    issued_at=100.0,
    expires_at=160.0,
    renewed_at=90.0,
)


def test_a_token_knows_its_life_and_what_it_lacks() -> None:
    """
    Lifetime is the time between issue and expiry; missing is what was asked and not granted.
    """
    assert 60.0 == TOKEN.lifetime
    assert frozenset({"b"}) == TOKEN.missing_scopes


def test_a_token_is_frozen_and_hides_its_value() -> None:
    """
    Nobody can change it, and repr does not show it.
    """
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        TOKEN.value = "other"  # type: ignore[misc]

    assert SECRET not in repr(TOKEN)
    assert SECRET not in str(TOKEN)


@pytest.mark.parametrize("renewed_at", [None, 90.0])
def test_a_token_survives_json(renewed_at: float | None) -> None:
    """
    What a store writes as JSON is read back as the same token.
    """
    token = attrs.evolve(TOKEN, renewed_at=renewed_at)

    assert token == AccessToken.from_dict(json.loads(json.dumps(token.to_dict())))
    assert token == pickle.loads(pickle.dumps(token))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"access_token": None}, "needs access_token"),
        ({"access_token": ""}, "needs access_token"),
        ({"access_token": "two\nlines"}, "needs access_token"),
        ({"scopes": "a b"}, "needs scopes, a list of strings"),
        ({"scopes": [1]}, "needs scopes, a list of strings"),
        ({"requested_scopes": None}, "needs requested_scopes, a list of strings"),
        ({"issued_at": "100"}, "needs issued_at, seconds"),
        ({"issued_at": True}, "needs issued_at, seconds"),
        ({"expires_at": -1}, "needs expires_at, seconds"),
        ({"expires_at": float("inf")}, "needs expires_at, seconds"),
        ({"expires_at": float("nan")}, "needs expires_at, seconds"),
        ({"renewed_at": "x"}, "needs renewed_at, seconds"),
    ],
)
def test_what_is_no_stored_token_is_refused(change: dict[str, object], text: str) -> None:
    """
    Whatever a store may hand back by mistake is a ValueError that does not quote it.
    """
    with pytest.raises(ValueError, match=text) as caught:
        AccessToken.from_dict({**TOKEN.to_dict(), **change})

    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("data", [None, [], "text", 7])
def test_a_stored_token_is_a_json_object(data: object) -> None:
    """
    Anything but a mapping is refused.
    """
    with pytest.raises(ValueError, match="must be a JSON object"):
        AccessToken.from_dict(data)


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        ("abc.DEF-123~+/=", True),
        ("a:b|c", True),
        ("", False),
        ("a b", False),
        ("a\r\nX-Other: 1", False),
        ("t\u00f8ken", False),
        ("\x7f", False),
        (7, False),
        (None, False),
    ],
)
def test_a_bearer_value_fits_in_a_header(value: object, fits: bool) -> None:
    """
    Visible ASCII only: a value with a line break would write headers of its own.
    """
    assert fits is is_bearer_value(value)
