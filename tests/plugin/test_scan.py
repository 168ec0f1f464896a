"""
A scan that finds nothing has to have been able to find something.
"""

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from vcr.request import Request  # type: ignore[import-untyped]

from auth_ext.testing import Leak, leaks
from auth_ext.testing._origin import Whose
from auth_ext.testing._patterns import is_national_id
from auth_ext.testing._scrub import Scrubber

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"
OPAQUE = "Zx81kQpLw0vTn5RcYb72MhUeGd39SaJf"


def cassette(folder: Path, **parts: Any) -> Path:
    """
    A clean cassette, but for the parts that are given.
    """
    request = {
        "method": "GET",
        "uri": parts.get("uri", "https://api.signicat.io/signature/documents"),
        "headers": {"authorization": ["Bearer token-1"], **parts.get("request_headers", {})},
        "body": parts.get("request_body", ""),
    }
    body = parts.get("body", {"title": "A contract"})
    answer = {
        "status": {"code": 200, "message": "OK"},
        "headers": {"content-type": ["application/json"], **parts.get("headers", {})},
        "body": {"string": body if isinstance(body, str | bytes) else json.dumps(body)},
    }
    path = folder / "cassette.yaml"
    path.write_text(yaml.safe_dump({"interactions": [{"request": request, "response": answer}]}))
    return path


def base64_of(text: str) -> str:
    """
    As files stand in this API's JSON.
    """
    return base64.b64encode(text.encode()).decode()


def test_a_clean_cassette_has_no_leaks(tmp_path: Path) -> None:
    """
    Placeholders, links, ids, moments, files and cursors are no secrets.
    """
    body = {
        "access_token": "token-3",
        "email": "person1@example.com",
        "contact": "someone@sub.example.org",
        "signer": {"name": "Name 1", "phone": "+0000000001", "firstName": "Firstname12"},
        "documentId": "a1b2c3d4-0000-4000-8000-1234567890ab",
        "created": "2026-01-01T12:00:00.123+02:00",
        "url": "https://sign.signicat.io/start?jwt=token-2",
        "base64Content": base64_of("%PDF-1.7 xref 0000000010 00000 n trailer startxref 402"),
        "nextCursor": base64_of("offset: 50, sorted by moment of creation"),
        "size": 4799716935,
        "file": {"name": "contract.pdf"},
        "dateOfBirth": "1970-01-01",
        "yearOfBirth": 1970,
    }

    assert [] == leaks(cassette(tmp_path, body=body))


@pytest.mark.parametrize(
    ("where", "kind", "parts"),
    [
        ("answer body: access_token", "token", {"body": {"access_token": "short"}}),
        ("answer body: deep.0.id", "JWT", {"body": {"deep": [{"id": JWT}]}}),
        ("answer body: x", "what looks like a token", {"body": {"x": OPAQUE}}),
        ("answer body: client_secret", "secret", {"body": {"client_secret": "s"}}),
        ("answer body: clientId", "client-id", {"body": {"clientId": "mine"}}),
        ("answer body", "JWT", {"body": f"<html>{JWT}</html>"}),
        ("answer body: note", "credentials", {"body": {"note": "sent Basic bWluZTpzZWNyZXQ="}}),
        ("answer body: note", "credentials", {"body": {"note": "Bearer abcdefgh1234"}}),
        ("answer body: mail", "e-mail address", {"body": {"mail": "kari@signers.no"}}),
        ("answer body: text", "e-mail address", {"body": {"text": "to <k@notexample.com>"}}),
        ("answer body: text", "phone number", {"body": {"text": "call +47 997 16 935"}}),
        ("answer body: text", "phone number", {"body": {"text": "call 004799716935."}}),
        ("answer body: mobile.number", "phone", {"body": {"mobile": {"number": "99716935"}}}),
        ("answer body: text", "national id", {"body": {"text": "id 15076500565 ok"}}),
        ("answer body: ssn", "national-id", {"body": {"ssn": 15076500565}}),
        ("answer body: nin.value", "national-id", {"body": {"nin": {"value": "1"}}}),
        ("answer body: firstName", "first-name", {"body": {"firstName": "Kari"}}),
        ("answer body: name", "name", {"body": {"name": "Kari", "email": ""}}),
        ("answer body: dateOfBirth", "birth-date", {"body": {"dateOfBirth": "1984-05-17"}}),
        ("answer body: payload: ssn", "national-id", {"body": {"payload": '{"ssn": "1234"}'}}),
        ("answer body: file (Base64)", "e-mail address",
         {"body": {"file": base64_of("%PDF of kari@signers.no")}}),
        ("answer body: file (Base64): email", "e-mail",
         {"body": {"file": base64_of('{"email": "Kari, at home"}')}}),
        ("answer body", "e-mail address", {"body": b"\xff\xfe kari@signers.no \x00"}),
        ("answer body: email", "e-mail", {"body": gzip.compress(b'{"email": "k"}')}),
        ("answer body", "compressed body that cannot be read", {"body": b"\x1f\x8b\x08\x00x"}),
        ("answer body: self", "address of the machine it was recorded on",
         {"body": {"self": "http://127.0.0.1:4711/x"}}),
        ("request header host", "address of the machine it was recorded on",
         {"request_headers": {"host": ["127.0.0.1:4711"]}}),
        ("answer header set-cookie", "header that must go", {"headers": {"Set-Cookie": ["a=b"]}}),
        ("request header cookie", "header that must go", {"request_headers": {"cookie": "a=b"}}),
        ("request header authorization", "credentials",
         {"request_headers": {"authorization": ["Basic bWluZTpzZWNyZXQ="]}}),
        ("request header authorization", "credentials",
         {"request_headers": {"authorization": ["Bearer abc"]}}),
        ("answer header x-idfy-accountid", "account", {"headers": {"X-Idfy-AccountId": ["a-47"]}}),
        ("request address: surname", "last-name", {"uri": "https://a.test/?surname=Nordmann"}),
        ("request address", "JWT", {"uri": f"https://a.test/?x={JWT}"}),
        ("request body: client_secret", "secret",
         {"request_body": "client_secret=s&x=1",
          "request_headers": {"content-type": ["application/x-www-form-urlencoded"]}}),
        ("request body: email", "e-mail", {"request_body": b'{"email":"kari"}'}),
    ],
)  # fmt: skip
def test_what_is_planted_is_found(
    tmp_path: Path, where: str, kind: str, parts: dict[str, Any]
) -> None:
    """
    Every kind of secret and personal data, in every place where it may stand.
    """
    path = cassette(tmp_path, **parts)

    assert Leak(path, 1, where, kind) in leaks(path)


def test_a_file_of_megabytes_is_scanned_and_scrubbed_in_one_go(tmp_path: Path) -> None:
    """
    The time grows with the length of a text, not with its square.
    """
    large = base64_of("%PDF " + "0000000010 00000 n abc." * 100_000)
    body = {"base64Content": large, "mail": "kari@signers.no"}

    path = cassette(tmp_path, body=body)
    request = Request("GET", "https://api.signicat.io/", b"", {})
    answer = {"headers": {}, "body": {"string": json.dumps(body).encode()}}
    _, (answer,) = Scrubber(Whose(environment={})).scrub([request], [answer])

    assert ["e-mail address"] == [leak.kind for leak in leaks(path)]
    assert {**body, "mail": "person1@example.com"} == json.loads(answer["body"]["string"])


def test_given_secrets_are_found_and_never_quoted(tmp_path: Path) -> None:
    """
    Texts that look like nothing are found when they are named; no report repeats them.
    """
    path = cassette(tmp_path, body={"motto": "open sesame"})

    found = leaks(path, secrets=["open sesame", ""])

    assert [f"{path}: interaction 1: answer body: motto: secret"] == [str(leak) for leak in found]


def test_folders_are_searched_and_other_files_passed_over(tmp_path: Path) -> None:
    """
    A folder's cassettes are found at any depth; what is none is not looked at.
    """
    folder = tmp_path / "cassettes" / "test_app"
    folder.mkdir(parents=True)
    path = cassette(folder, body={"email": "k"})
    (tmp_path / "settings.yaml").write_text("email: kari@signers.no")
    (tmp_path / "broken.yaml").write_text("{")
    (tmp_path / "list.json").write_text("[]")
    (tmp_path / "strange.yml").write_text("interactions: none")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe")
    (tmp_path / "notes.txt").write_text("kari@signers.no")

    assert {path} == {leak.path for leak in leaks(tmp_path)}


@pytest.mark.parametrize("place", [".", "missing.yaml"])
def test_a_scan_of_nothing_is_an_error(tmp_path: Path, place: str) -> None:
    """
    No cassettes where some were expected is told, not passed.
    """
    with pytest.raises(ValueError, match="has no cassettes"):
        leaks(tmp_path / place)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("15076500565", True),     # Norwegian, a published example
        ("15076500566", False),    # its checksum is wrong
        ("99076500565", False),    # no such day
        ("811228-9874", True),     # Swedish, the tax agency's example
        ("198112289874", True),
        ("811228-9875", False),
        ("010170-1234", True),     # Danish: no checksum since 2007
        ("320170-1234", False),
        ("131052-308T", True),     # Finnish, the registry's example
        ("131052-308U", False),
        ("131052A308T", True),
        ("0101701234567", False),
    ],
)  # fmt: skip
def test_national_ids_are_told_by_their_checksums(text: str, expected: bool) -> None:
    """
    Numbers of four countries are known; numbers that only look alike are left.
    """
    assert expected is is_national_id(text)
