"""
What is written in place of secrets and personal data: over real HTTP, then case by case.
"""

import base64
import datetime
import gzip
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import vcr  # type: ignore[import-untyped]
from vcr.request import Request  # type: ignore[import-untyped]

from auth_ext import OAuth2ClientCredentials, SignicatClient
from auth_ext.testing import leaks, scrub
from auth_ext.testing._cassettes import ScrubbingPersister
from auth_ext.testing._origin import Whose
from auth_ext.testing._placeholders import DIGITS, KINDS, Placeholders, constant, is_placeholder
from auth_ext.testing._scrub import Scrubber
from tests.plugin.helpers import CLIENT_ID, COOKIE, PERSONAL, SECRET, TOKEN, indiscreet_service

API = "https://api.signicat.io"
FORM = {"content-type": "application/x-www-form-urlencoded"}


def asked(body: Any = None, *, uri: str = f"{API}/signature/documents", **headers: str) -> Request:
    """
    A request as vcrpy keeps it.
    """
    return Request("POST", uri, body, headers)


def answered(body: Any = b"", **headers: str) -> dict[str, Any]:
    """
    An answer as vcrpy keeps it.
    """
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return {
        "status": {"code": 200, "message": "OK"},
        "headers": {name.replace("_", "-"): [value] for name, value in headers.items()},
        "body": {"string": raw},
    }


def scrubbed(
    request: Request, answer: dict[str, Any] | None = None, **options: Any
) -> tuple[Any, Any]:
    """
    One request and its answer, scrubbed.
    """
    whose = Whose(environment=options.pop("environment", {}))
    requests, answers = Scrubber(whose, **options).scrub([request], [answer or answered()])
    return requests[0], answers[0]


def scrubbed_json(value: Any, **options: Any) -> Any:
    """
    What *value* becomes in an answer; the same as in a request.
    """
    request, answer = scrubbed(asked(json.dumps(value).encode()), answered(value), **options)
    there = json.loads(answer["body"]["string"])
    assert there == json.loads(request.body)
    return there


def everything_in(path: Path) -> str:
    """
    The cassette as text, with what is in its !!binary bodies.
    """
    text = path.read_text()
    return text + "".join(
        gzip.decompress(base64.b64decode(block)).decode()
        for block in text.split("!!binary |")[1:]
        for block in ["".join(block.split("headers:")[0].split())]
    )


@pytest.mark.parametrize("client", ["ours", "plain"])
def test_nothing_an_indiscreet_service_says_is_written_down(tmp_path: Path, client: str) -> None:
    """
    Gzip, cookies and echoes of the secret over real HTTP leave nothing in the cassette.
    """
    path = tmp_path / "cassette.yaml"
    with indiscreet_service() as url:
        with scrub(vcr.VCR()).use_cassette(str(path)):
            if client == "ours":
                with SignicatClient(
                    CLIENT_ID, SECRET, scopes="event", base_url=url, token_url=f"{url}/token"
                ) as ours:
                    answer = ours.get_httpx_client().get("/people?nameOfSigner=Kari%20Nordmann")
            else:
                auth = OAuth2ClientCredentials(
                    CLIENT_ID, SECRET, scopes="event", token_url=f"{url}/token", origins=url
                )
                with httpx.Client(auth=auth) as plain:
                    answer = plain.get(f"{url}/people?nameOfSigner=Kari%20Nordmann")
        assert "Kari" in answer.text  # the application itself gets everything
        text = everything_in(path)

    planted = [TOKEN, SECRET, CLIENT_ID, COOKIE, "a-4711", *PERSONAL]
    planted += [base64.b64encode(f"{CLIENT_ID}:".encode()).decode()[:20], "planted%3A"]
    assert [] == [one for one in planted if one in text]
    assert "token-1" in text
    assert "Firstname1" in text
    assert [] == [leak for leak in leaks(path) if "machine" not in leak.kind]


def test_without_scrubbing_all_of_it_would_be_there(tmp_path: Path) -> None:
    """
    The same recording without scrubbing holds what was planted: the test above can fail.
    """
    path = tmp_path / "cassette.yaml"
    with (
        indiscreet_service() as url,
        vcr.VCR().use_cassette(str(path)),
        SignicatClient(
            CLIENT_ID, SECRET, scopes="event", base_url=url, token_url=f"{url}/token"
        ) as client,
    ):
        client.get_httpx_client().get("/people")

    text = everything_in(path)

    assert [] == [one for one in [TOKEN, SECRET, CLIENT_ID, COOKIE, *PERSONAL] if one not in text]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"firstName": "Kari", "lastName": "Nordmann"},
         {"firstName": "Firstname1", "lastName": "Lastname1"}),
        ({"first_name": "Kari", "given-name": "Ola"},
         {"first_name": "Firstname1", "given-name": "Firstname2"}),
        ([{"email": "a@b.no"}, {"email": "c@b.no"}, {"email": "a@b.no"}],
         [{"email": "person1@example.com"}, {"email": "person2@example.com"},
          {"email": "person1@example.com"}]),
        ({"mobile": {"countryCode": "+47", "number": "99716935"}},
         {"mobile": {"countryCode": "+47", "number": "00000001"}}),
        ({"phone": "+47 997 16 935"}, {"phone": "+00 000 00 001"}),
        ({"socialSecurityNumber": {"value": "01017012345", "countryCode": "NO"}},
         {"socialSecurityNumber": {"value": "00000000001", "countryCode": "NO"}}),
        ({"ssn": 1017012345}, {"ssn": 1}),
        ({"yearOfBirth": 1984, "dateOfBirth": "1984-05-17"},
         {"yearOfBirth": 1970, "dateOfBirth": "1970-01-01"}),
        ({"addressLines": ["Way 1", "Oslo"]}, {"addressLines": ["Address 1", "Address 2"]}),
        ({"clientIp": "84.1.2.3"}, {"clientIp": "192.0.2.1"}),
        ({"signCertificateBase64String": "TUlJ"}, {"signCertificateBase64String": "c2NydWJiZWQ="}),
        ({"accountId": "a1b2c3d4-0000-4000-8000-1234567890ab"},
         {"accountId": "00000000-0000-0000-0000-000000000001"}),
        ({"name": "Kari", "phone": ""}, {"name": "Name 1", "phone": ""}),
        ({"name": "contract.pdf", "size": 3}, {"name": "contract.pdf", "size": 3}),
        ({"title": "Ask kari@b.no or +4799716935, 010170-1234"},
         {"title": "Ask person1@example.com or +0000000001, 000000-0001"}),
        ({"payload": '{"firstName":"Kari"}', "note": "[1]", "odd": "{x"},
         {"payload": '{"firstName":"Firstname1"}', "note": "[1]", "odd": "{x"}),
        ({"url": "https://b.no/?jwt=eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl"},
         {"url": "https://b.no/?jwt=token-1"}),
        ({"secret": "s3cret", "apiKey": "k"}, {"secret": "secret-1", "apiKey": "secret-2"}),
        ({"ok": True, "email": None, "count": 4799716935}, {"ok": True, "email": None,
                                                            "count": 4799716935}),
    ],
)  # fmt: skip
def test_members_are_replaced_by_their_names_and_looks(given: Any, expected: Any) -> None:
    """
    One and the same value gets one and the same placeholder, of the same type and shape.
    """
    assert expected == scrubbed_json(given)


def test_scrubbing_twice_changes_nothing() -> None:
    """
    Placeholders stay, and new values get numbers that are not taken.
    """
    given = [{"email": "person1@example.com"}, {"email": "new@b.no"}, {"ssn": "00000000001"}]

    once = scrubbed_json(given)

    assert [{"email": "person1@example.com"}, {"email": "person2@example.com"}] == once[:2]
    assert once == scrubbed_json(once)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_placeholder_is_known_as_one(kind: str) -> None:
    """
    What is put, numbered or constant, is recognised, and what was there is not.
    """
    value = "4711-4711-4711" if kind in DIGITS else "1984-05-17"

    assert not is_placeholder(kind, value)
    assert is_placeholder(kind, Placeholders().put(kind, value))
    assert is_placeholder(kind, constant(kind, value))
    assert constant(kind, value) == constant(kind, constant(kind, value))
    assert "" == constant(kind, "") == Placeholders().put(kind, "")


def test_credentials_are_hidden_wherever_they_turn_up() -> None:
    """
    The secret of a Basic header is found again in texts, forms, Base64 and addresses.
    """
    secret = base64.b64encode(b"client%2Fid:top%20secret").decode()
    echo = f"client/id client%2Fid top secret top%20secret top+secret {'top secret'!r}"
    request, answer = scrubbed(
        asked("a=top+secret&client_secret=other-one", authorization=f"Basic {secret}", **FORM),
        answered({"error": echo, "more": base64.b64encode(b"top secret").decode()}),
    )

    assert "Basic scrubbed" == request.headers["authorization"]
    assert b"a=secret-1&client_secret=secret-3" == request.body
    text = answer["body"]["string"].decode()
    assert "client-id-1 client-id-1 secret-1 secret-1 secret-1 'secret-1'" in text
    assert base64.b64encode(b"secret-1").decode() in text


def test_what_is_set_in_the_environment_is_hidden(tmp_path: Path) -> None:
    """
    SIGNICAT_CLIENT_ID and SIGNICAT_CLIENT_SECRET are hidden even where no header shows them.
    """
    environment = {"SIGNICAT_CLIENT_ID": "my-client-id", "SIGNICAT_CLIENT_SECRET": "my-secret!"}
    recorder = scrub(vcr.VCR(), whose=Whose(environment=environment))

    saved = save(recorder, tmp_path, [(asked(), answered(b"hello my-client-id, my-secret!"))])

    assert "hello client-id-1, secret-1" in saved


@pytest.mark.parametrize("header", ["Basic !!!", "Basic //8=", "Basic"])
def test_a_header_that_is_no_basic_header_is_hidden_all_the_same(header: str) -> None:
    """
    What cannot be read is replaced whole.
    """
    request, _ = scrubbed(asked(authorization=header))

    assert "Basic scrubbed" == request.headers["authorization"]


def test_a_token_is_numbered_where_it_is_granted_and_where_it_is_used() -> None:
    """
    The cassette tells which request carried which token.
    """
    grants = [answered({"access_token": f"granted-{n}-token"}) for n in "ab"]
    uses = [asked(authorization=f"Bearer granted-{n}-token") for n in "ba"]
    requests, answers = Scrubber(Whose()).scrub(
        [asked(), asked(), *uses], [*grants, answered(), answered()]
    )

    tokens = [json.loads(answer["body"]["string"])["access_token"] for answer in answers[:2]]
    used = [request.headers["authorization"] for request in requests[2:]]
    assert ["Bearer " + tokens[1], "Bearer " + tokens[0]] == used
    assert {"token-1", "token-2"} == set(tokens)


def test_requests_to_others_stay_as_they_are_in_a_shared_cassette() -> None:
    """
    Of two services in one cassette only ours is touched, unless the other was sent our token.
    """
    other = "https://elsewhere.invalid/x"
    packed = gzip.compress(b"kari@b.no")
    requests, answers = Scrubber(Whose(environment={})).scrub(
        [
            asked(authorization="Bearer granted-token"),
            asked(b"kari@b.no", uri=other, authorization="Bearer mine"),
            asked(b"kari@b.no", uri=other, authorization="Bearer granted-token"),
        ],
        [answered(), answered(packed, Content_Encoding="gzip"), answered(b"kari@b.no")],
    )

    assert ["Bearer mine", b"kari@b.no"] == [requests[1].headers["authorization"], requests[1].body]
    assert packed == answers[1]["body"]["string"]
    assert ["Bearer token-1", b"person1@example.com"] == [
        requests[2].headers["authorization"],
        requests[2].body,
    ]


def test_a_file_keeps_every_byte_but_those_of_a_secret() -> None:
    """
    A binary body is not taken for text; a known secret in it is replaced.
    """
    blob = b"%PDF \xff\xfe kari@b.no " + b"granted-token" + b"\x00"
    _, answer = scrubbed(asked(authorization="Bearer granted-token"), answered(blob))

    assert b"%PDF \xff\xfe kari@b.no token-1\x00" == answer["body"]["string"]


def test_a_body_with_nothing_in_it_keeps_its_bytes() -> None:
    """
    JSON is not written anew, with other spaces, unless something in it was replaced.
    """
    _, answer = scrubbed(asked(), answered(b'{ "title" : 1 }', content_length="15"))

    assert b'{ "title" : 1 }' == answer["body"]["string"]
    assert ["15"] == answer["headers"]["content-length"]


def test_lengths_follow_the_body() -> None:
    """
    Content-Length is that of the scrubbed body, of request and answer.
    """
    body = b'{"firstName":"Kari"}'
    request, answer = scrubbed(
        asked(body, **{"content-length": "20"}), answered(body, Content_Length="20")
    )

    assert str(len(request.body)) == request.headers["content-length"]
    assert [str(len(answer["body"]["string"]))] == answer["headers"]["Content-Length"]


def test_steady_cassettes_have_no_ids_and_moments_of_their_own() -> None:
    """
    Ids are numbered, in addresses too; moments lose their seconds; passing headers go.
    """
    one, two = "3f0c8a52-1111-4222-8333-444455556666", "AAAAAAAA-1111-4222-8333-444455556666"
    request, answer = scrubbed(
        asked(uri=f"{API}/signature/documents/{one}", **{"user-agent": "x", "accept": "y"}),
        answered(
            {"id": one, "other": two, "again": two.lower(), "at": "2026-01-01T12:00:31.123Z"},
            Date="now",
        ),
        steady=True,
    )

    first, second = (f"00000000-0000-4000-8000-{n:012d}" for n in (1, 2))
    assert f"{API}/signature/documents/{first}" == request.uri
    assert {"accept": "y"} == dict(request.headers.items())
    expected = {"id": first, "other": second, "again": second, "at": "2026-01-01T12:00:00Z"}
    assert expected == json.loads(answer["body"]["string"])
    assert {} == answer["headers"]


def test_steady_files_have_no_seconds_and_known_ids_stay() -> None:
    """
    Moments in PDFs are cut too; ids that are numbers already stay.
    """
    known = "00000000-0000-4000-8000-000000000009"
    _, answer = scrubbed(
        asked(), answered(b"\xff /M (D:20260101120031Z) " + known.encode()), steady=True
    )

    assert b"\xff /M (D:20260101120000Z) " + known.encode() == answer["body"]["string"]


# Whose a request is


@pytest.mark.parametrize(
    ("uri", "agent", "expected"),
    [
        ("https://api.signicat.io/x", "", True),
        ("https://api.idfy.io/x", "", True),
        ("https://notsignicat.io/x", "", False),
        ("https://proxy.invalid/sig/x", "", True),
        ("https://proxy.invalid/significant", "", False),
        ("https://login.invalid/token", "", True),
        ("https://elsewhere.invalid/x", "signicat-express-client/9", True),
        ("http://127.0.0.1:8080/x", "python-httpx", False),
    ],
)
def test_requests_to_the_service_are_told_from_others(uri: str, agent: str, expected: bool) -> None:
    """
    By the vendor's hosts, by the addresses that are set, and by this package's client.
    """
    environment = {
        "SIGNICAT_BASE_URL": "https://proxy.invalid/sig/",
        "SIGNICAT_TOKEN_URL": "https://login.invalid/token",
    }
    request = asked(uri=uri, **{"user-agent": agent})

    assert expected is Whose(environment=environment).is_ours(request)


def test_addresses_become_the_vendors() -> None:
    """
    In the request's address, its Host header and the links of the answer.
    """
    environment = {"SIGNICAT_BASE_URL": "http://127.0.0.1:4711"}
    request, answer = scrubbed(
        asked(uri="http://127.0.0.1:4711/x?surname=Nordmann&limit=2", host="127.0.0.1:4711"),
        answered({"next": "http://127.0.0.1:4711/x?offset=2"}, location="http://127.0.0.1:4711/y"),
        environment=environment,
    )

    assert f"{API}/x?surname=Lastname&limit=2" == request.uri
    assert "api.signicat.io" == request.headers["host"]
    assert {"next": f"{API}/x?offset=2"} == json.loads(answer["body"]["string"])
    assert [f"{API}/y"] == answer["headers"]["location"]


# Writing


def save(recorder: vcr.VCR, folder: Path, pairs: list[tuple[Request, dict[str, Any]]]) -> str:
    """
    The text of a cassette with these requests and answers in it.
    """
    path = folder / "cassette.yaml"
    with recorder.use_cassette(str(path), record_mode="new_episodes") as cassette:
        for request, answer in pairs:
            cassette.append(request, answer)
    return path.read_text()


def test_a_cassette_says_where_and_when_it_was_recorded(tmp_path: Path) -> None:
    """
    Origin and date come first; the origin is what the answers say of their environment.
    """
    recorder = vcr.VCR()
    day = datetime.date(2026, 11, 24)
    recorder.register_persister(
        ScrubbingPersister(recorder.persister, Whose(environment={}), today=lambda: day)
    )

    text = save(recorder, tmp_path, [(asked(), answered(b"{}", X_Idfy_Environment="Test"))])

    assert text.startswith("about:\n  origin: test account\n  recorded: '2026-11-24'\ninter")


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (API, None, "account"),
        ("http://127.0.0.1:1", None, "sandbox"),
        ("http://127.0.0.1:1", "http://127.0.0.1:2", "sandbox"),
        (API, "http://127.0.0.1:1", "account and sandbox"),
        ("http://127.0.0.1:1", API, "sandbox"),
    ],
)
def test_what_is_added_later_is_said_too(
    tmp_path: Path, first: str, second: str | None, expected: str
) -> None:
    """
    A cassette keeps the origin of what was in it before.
    """
    for number, url in enumerate(filter(None, [first, second])):
        whose = Whose(environment={"SIGNICAT_BASE_URL": url})
        recorder = scrub(vcr.VCR(), whose=whose)
        text = save(recorder, tmp_path, [(asked(uri=f"{url}/{number}"), answered(b"{}"))])

    assert f"origin: {expected}\n" in text


@pytest.mark.parametrize("before", ["about: here\ninteractions: []\n", "about: {}\n"])
def test_what_a_file_says_of_itself_need_not_make_sense(tmp_path: Path, before: str) -> None:
    """
    An `about` of another kind is taken for none.
    """
    path = tmp_path / "cassette.yaml"
    path.write_text(before)
    recorder = scrub(vcr.VCR(record_mode="all"), whose=Whose(environment={}))
    persister = recorder.persister

    content = {"requests": [asked()], "responses": [answered()]}
    persister.save_cassette(str(path), content, recorder.serializers["yaml"])

    assert "origin: account" in path.read_text()


def test_json_cassettes_work_too(tmp_path: Path) -> None:
    """
    Another serializer of vcrpy changes nothing.
    """
    path = tmp_path / "cassette.json"
    recorder = scrub(vcr.VCR(serializer="json"), whose=Whose(environment={}))
    with recorder.use_cassette(str(path)) as cassette:
        cassette.append(asked(), answered({"firstName": "Kari"}))
    with recorder.use_cassette(str(path)) as again:
        body = again.play_response(asked())["body"]["string"]

    assert "account" == json.loads(path.read_text())["about"]["origin"]
    assert {"firstName": "Firstname1"} == json.loads(body)


def test_a_query_matches_though_it_is_scrubbed(tmp_path: Path) -> None:
    """
    A request with a name in its address finds the answer that was recorded for it.
    """
    path = tmp_path / "cassette.yaml"
    uri = f"{API}/signature/documents/summary?nameOfSigner=Kari&limit=1"
    recorder = scrub(vcr.VCR(), whose=Whose(environment={}))
    for _ in range(2):
        with recorder.use_cassette(str(path)) as cassette:
            if not len(cassette):
                cassette.append(asked(uri=uri), answered(b"found"))
            else:
                assert b"found" == cassette.play_response(asked(uri=uri))["body"]["string"]

    assert "Kari" not in path.read_text()


def test_hooks_that_are_set_stay(tmp_path: Path) -> None:
    """
    A recorder's own before_record_request is not replaced.
    """
    recorder = scrub(vcr.VCR(before_record_request=print))

    assert print is recorder.before_record_request
