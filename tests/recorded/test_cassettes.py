"""
The cassettes themselves: nothing in them that must not be seen, and their origin said.
"""

import datetime
import re
import shutil
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
import yaml

from auth_ext.sandbox import Sandbox
from auth_ext.testing import leaks
from auth_ext.testing._scan import cassettes

FOLDER = Path(__file__).parent / "cassettes"
CASSETTES = cassettes(FOLDER)

by_name = pytest.mark.parametrize("path", CASSETTES, ids=lambda path: path.stem)


@by_name
def test_a_cassette_holds_no_secrets_and_no_personal_data(path: Path) -> None:
    """
    Neither by looks nor by name, nor the ids and secrets of the sandbox's clients.
    """
    clients = Sandbox().clients.values()
    secrets = [text for client in clients for text in (client.id, client.secret)]

    assert [] == leaks(path, secrets=secrets)


@by_name
def test_a_cassette_says_its_origin_and_date(path: Path) -> None:
    """
    The sandbox or an account, and a day that is not to come.
    """
    about = yaml.safe_load(path.read_text())["about"]
    tomorrow = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=1)

    assert re.fullmatch(r"sandbox|(test )?account", about["origin"])
    assert datetime.date(2026, 1, 1) < datetime.date.fromisoformat(about["recorded"]) <= tomorrow


PLANTED: dict[str, tuple[str, str]] = {
    "token": ("token-1", "Zx81kQpLw0vTn5RcYb72MhUeGd39SaJf"),
    "JWT": ("contract.pdf", "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"),
    "Basic header": (
        "Basic scrubbed",
        f"Basic {b64encode(b'sandbox-full:no-secret-full').decode()}",
    ),
    "Bearer header": ("Bearer token-1", "Bearer abcdefgh12345678"),
    "cookie": ("cache-control:", "set-cookie:"),
    "e-mail": ("person2@example.com", "kari@signers.no"),
    "name": ("Firstname1", "Kari"),
    "phone": ("contract.pdf", "+4799716935"),
    "national id": ("contract.pdf", "15076500565"),
    "host": ("host:\n      - api.signicat.io", "host:\n      - 127.0.0.1:4711"),
    "secret": ("contract.pdf", "known-secret"),
}


@pytest.mark.parametrize("kind", PLANTED)
def test_the_scan_finds_what_is_planted_in_a_real_cassette(kind: str, tmp_path: Path) -> None:
    """
    One of each kind, put into a copy of a cassette that was clean.
    """
    copy = Path(shutil.copy(FOLDER / "document_signed.yaml", tmp_path))
    text = copy.read_text()
    clean, planted = PLANTED[kind]
    assert clean in text
    assert [] == leaks(copy, secrets=["known-secret"])

    copy.write_text(text.replace(clean, planted))

    assert leaks(copy, secrets=["known-secret"])


def test_what_must_be_covered_is_recorded() -> None:
    """
    The token request, reuse, renewal, refusals, the signature flow, events and both ways of paging.
    """
    seen: set[tuple[str, str, int]] = set()
    for path in CASSETTES:
        for one in yaml.safe_load(path.read_text())["interactions"]:
            seen.add(_line(one["request"], one["response"]))

    assert {
        ("POST", "/oauth/connect/token", 200),
        ("POST", "/oauth/connect/token", 400),
        ("GET", "/signature/documents/summary", 200),
        ("GET", "/signature/documents/summary", 401),
        ("POST", "/signature/documents", 200),
        ("POST", "/signature/documents", 403),
        ("GET", "/signature/documents/ID/status", 200),
        ("GET", "/signature/documents/ID/files", 200),
        ("GET", "/notification/events", 200),
        ("GET", "/identification/v2/sessions", 200),
    } <= seen


def _line(request: dict[str, Any], answer: dict[str, Any]) -> tuple[str, str, int]:
    path = request["uri"].removeprefix("https://api.signicat.io").partition("?")[0]
    return request["method"], re.sub(r"[0-9a-f-]{36}", "ID", path), answer["status"]["code"]
