"""
What is believed of the bytes a store kept.
"""

import json
import logging

import attrs
import pytest

from auth_ext._token_request import LONGEST_LIFETIME
from auth_ext.stores._record import MOST_BYTES, Complaints, Untrusted, dump, load
from tests.stores.helpers import token

NOW = 1_800_000_000.0


def _changed(**changes: object) -> bytes:
    return json.dumps({**json.loads(dump("a", token(now=NOW))), **changes}).encode()


def test_a_token_survives_the_round_trip() -> None:
    """
    What is loaded equals what was dumped.
    """
    given = token(now=NOW)

    assert given == load("a", dump("a", given))
    assert given == load("a", dump("a", given).decode())


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "corrupt"),
        (dump("a", token(now=NOW))[:-5], "corrupt"),
        (b"\xff\xfe", "corrupt"),
        (b"[]", "corrupt"),
        (b"null", "corrupt"),
        (b"[" * 200_000, "corrupt"),
        (b'{"access_token": ' + b"9" * 5000 + b"}", "corrupt"),
        (_changed(access_token="two words"), "corrupt"),
        (_changed(access_token=None), "corrupt"),
        (_changed(scopes="document_read"), "corrupt"),
        (_changed(expires_at=float("nan")), "corrupt"),
        (_changed(expires_at="soon"), "corrupt"),
        (_changed(expires_at=NOW + LONGEST_LIFETIME + 1), "lifetime"),
        (_changed(expires_at=NOW), "lifetime"),
        (_changed(version=2), "version"),
        (dump("b", token(now=NOW)), "another client"),
    ],
)
def test_what_is_not_believed(data: bytes, why: str) -> None:
    """
    Damaged bytes, another key's, and lives no token has are refused, and never quoted.
    """
    with pytest.raises(Untrusted, match=why) as caught:
        load("a", data)

    assert "two words" not in str(caught.value)
    assert "token-1" not in str(caught.value)


def test_the_longest_life_is_believed() -> None:
    """
    The limit itself is still a token's life.
    """
    longest = attrs.evolve(token(now=NOW), expires_at=NOW + LONGEST_LIFETIME)

    assert longest == load("a", dump("a", longest))


def test_a_token_too_large_to_read_back_is_not_written() -> None:
    """
    What no store would read is refused when it is written.
    """
    with pytest.raises(ValueError, match="too large"):
        dump("a", token("x" * MOST_BYTES, now=NOW))


def test_the_record_holds_no_other_secret() -> None:
    """
    A record has these fields and no others.
    """
    fields = {"version", "key", "access_token", "scopes", "requested_scopes", "issued_at"}

    assert fields | {"expires_at", "renewed_at"} == set(json.loads(dump("a", token(now=NOW))))


def test_a_complaint_is_made_once(caplog: pytest.LogCaptureFixture) -> None:
    """
    The same reason about the same thing is logged once, another one again.
    """
    complaints = Complaints()

    with caplog.at_level(logging.WARNING, "auth_ext.stores"):
        for reason in ("corrupt", "corrupt", "foreign"):
            complaints.warn("file a", reason)

    assert 2 == len(caplog.records)
    assert "file a is not trusted: corrupt" in caplog.text
