import base64
import json
import math
from typing import Any
from urllib.parse import unquote_plus

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth_ext import (
    InvalidClient,
    InvalidScope,
    InvalidTokenResponse,
    TokenEndpointUnavailable,
    TokenError,
    __version__,
)
from auth_ext._settings import Credentials
from auth_ext._token_request import (
    LONGEST_LIFETIME,
    MAX_ANSWER_BYTES,
    Answer,
    Grant,
    TokenRequest,
    grant_from,
    lifetime_from,
    retry_after_from,
)
from tests.auth.helpers import SECRET, TOKEN_URL

NASTY_ID = "id:/+ %&=\u00e5\u20ac"
NASTY_SECRET = "se:/+ %&=cret\u00f8\U0001f511"


def a_request(
    client_id: str = "an-id", client_secret: str = SECRET, **changes: Any
) -> TokenRequest:
    """
    A token request with the usual settings.
    """
    settings = {
        "token_url": httpx.URL(TOKEN_URL),
        "credentials": Credentials(client_id, client_secret),
        "scopes": ("document_read", "event"),
        **changes,
    }
    return TokenRequest(**settings)


def an_answer(body: object, status_code: int = 200, **headers: str) -> Answer:
    """
    An answer with that body.
    """
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status_code=status_code, headers=httpx.Headers(headers), content=content)


def test_the_request_is_these_bytes() -> None:
    """
    POST, form body, Basic header, no more headers than needed.
    """
    request = a_request("an-id", "a-secret").build()

    assert ("POST", TOKEN_URL) == (request.method, str(request.url))
    assert b"grant_type=client_credentials&scope=document_read+event" == request.content
    assert [
        (b"Host", b"api.signicat.io"),
        (b"Accept", b"application/json"),
        (b"Authorization", b"Basic YW4taWQ6YS1zZWNyZXQ="),
        (b"Content-Type", b"application/x-www-form-urlencoded"),
        (
            b"User-Agent",
            f"signicat-express-client/{__version__} python-httpx/{httpx.__version__}".encode(),
        ),
        (b"Content-Length", b"55"),
    ] == request.headers.raw


def test_id_and_secret_are_form_urlencoded_before_base64() -> None:
    """
    RFC 6749 section 2.3.1: UTF-8, form-urlencoded, joined by a colon, Base64.
    """
    request = a_request(NASTY_ID, NASTY_SECRET).build()

    pair = base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode("ascii")
    assert (
        "id%3A%2F%2B+%25%26%3D%C3%A5%E2%82%AC:se%3A%2F%2B+%25%26%3Dcret%C3%B8%F0%9F%94%91" == pair
    )


def test_encoding_can_be_turned_off() -> None:
    """
    For servers that take the Basic header as HTTP has it (RFC 7617).
    """
    request = a_request("i%d", NASTY_SECRET, urlencode_credentials=False).build()

    pair = base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode()
    assert f"i%d:{NASTY_SECRET}" == pair


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(codec="utf-8")))
def test_any_id_and_secret_arrive(client_id: str, client_secret: str) -> None:
    """
    A server that decodes by the RFC gets back exactly what was given.
    """
    header = a_request(client_id, client_secret).build().headers["Authorization"]

    pair = base64.b64decode(header.removeprefix("Basic ")).decode("ascii").split(":")
    assert [client_id, client_secret] == [unquote_plus(part) for part in pair]


def test_scopes_are_form_urlencoded() -> None:
    """
    Scopes that are URLs survive the form.
    """
    request = a_request(scopes=("https://example.org/a&b=c", "x")).build()

    assert (
        b"grant_type=client_credentials&scope=https%3A%2F%2Fexample.org%2Fa%26b%3Dc+x"
        == request.content
    )


def test_the_request_shown_on_errors_is_bare() -> None:
    """
    It has an address, and neither credentials nor a body.
    """
    bare = a_request().bare()

    assert ("POST", TOKEN_URL, b"") == (bare.method, str(bare.url), bare.read())
    assert "Authorization" not in bare.headers


def test_a_plain_token_answer() -> None:
    """
    The answer of the vendor's documentation.
    """
    grant = grant_from(
        an_answer({"access_token": "t", "expires_in": 3600, "token_type": "Bearer"}), a_request()
    )

    assert Grant(value="t", lifetime=3600.0, scopes=frozenset({"document_read", "event"})) == grant
    assert "value" not in repr(grant)


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, {"document_read", "event"}),
        ({"scope": ""}, {"document_read", "event"}),
        ({"scope": None}, {"document_read", "event"}),
        ({"scope": 7}, {"document_read", "event"}),
        ({"scope": "event"}, {"event"}),
        ({"scope": "event  other"}, {"event", "other"}),
        ({"scope": ["event", "a b", 7]}, {"event", "a", "b"}),
    ],
)
def test_granted_scopes(members: dict[str, object], expected: set[str]) -> None:
    """
    No scope in the answer means: as asked (RFC 6749 section 5.1).
    """
    answer = an_answer({"access_token": "t", "token_type": "bearer", **members}, 201)

    assert frozenset(expected) == grant_from(answer, a_request()).scopes


@pytest.mark.parametrize("token_type", ["Bearer", "bearer", "BEARER"])
def test_token_type_is_case_insensitive(token_type: str) -> None:
    """
    RFC 6749 section 7.1.
    """
    answer = an_answer({"access_token": "t", "token_type": token_type})

    assert "t" == grant_from(answer, a_request()).value


def test_an_answer_without_token_type_is_a_bearer_token() -> None:
    """
    Only a wrong type is refused.
    """
    assert "t" == grant_from(an_answer({"access_token": "t"}), a_request()).value


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"<html>Sign in</html>", "it is not a JSON object ('text/html')"),
        (b"", "it is not a JSON object"),
        (b"\xff\xfe{", "it is not a JSON object"),
        (b'{"access_token": "t"', "it is not a JSON object"),
        (b"[" * 100_000, "it is not a JSON object"),
        (b'{"expires_in": ' + b"1" * 5000 + b"}", "it is not a JSON object"),
        (["access_token"], "it is not a JSON object"),
        (None, "it is not a JSON object"),
        ({}, "it has no access_token"),
        ({"error": None, "error_description": ""}, "it has no access_token"),
        ({"access_token": None}, "it has no access_token"),
        ({"access_token": 7}, "its access_token is not a string but int"),
        ({"access_token": {"a": 1}}, "its access_token is not a string but dict"),
        ({"access_token": ""}, "its access_token is empty or has characters"),
        ({"access_token": "a b"}, "its access_token is empty or has characters"),
        ({"access_token": "a\r\nX: y"}, "its access_token is empty or has characters"),
        ({"access_token": "t", "token_type": "mac"}, "its token_type is not Bearer"),
        ({"access_token": "t", "token_type": ["Bearer"]}, "its token_type is not Bearer"),
        (b" " * (MAX_ANSWER_BYTES + 1), "it is over 1 MiB"),
    ],
)
def test_a_200_that_is_no_token(body: object, why: str) -> None:
    """
    InvalidTokenResponse says what was wrong and never quotes the body.
    """
    headers = {"Content-Type": "text/html; charset=utf-8"}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = Answer(status_code=200, headers=httpx.Headers(headers), content=content)

    with pytest.raises(InvalidTokenResponse) as caught:
        grant_from(answer, a_request())

    error = caught.value
    text = str(error)
    assert f"token endpoint {TOKEN_URL} answered 200, but that is not a usable token: {why}" in text
    assert (200, False, None) == (error.status_code, error.retryable, error.error)
    assert "Sign in" not in text
    assert "X: y" not in text


def test_an_answer_of_exactly_1_mib_is_read() -> None:
    """
    The cap is on what is over it.
    """
    body = json.dumps({"access_token": "t"}).encode().ljust(MAX_ANSWER_BYTES)

    assert "t" == grant_from(an_answer(body), a_request()).value


@pytest.mark.parametrize("null", [None, "", False])
def test_an_empty_error_beside_a_token_is_none(null: object) -> None:
    """
    Some servers always send the member.
    """
    answer = an_answer({"access_token": "t", "error": null})

    assert "t" == grant_from(answer, a_request()).value


@pytest.mark.parametrize(
    ("status_code", "body", "kind", "says"),
    [
        (400, {"error": "invalid_client"}, InvalidClient, "Check the client id 'an-id'"),
        (401, {"error": "invalid_client"}, InvalidClient, "Check the client id 'an-id'"),
        (200, {"error": "invalid_client"}, InvalidClient, "Check the client id 'an-id'"),
        (401, b"", InvalidClient, "Check the client id 'an-id'"),
        (401, b"<html>", InvalidClient, "test or production"),
        (400, {"error": "invalid_scope"}, InvalidScope, "'document_read event'"),
        (
            400,
            {"error": "invalid_scope"},
            InvalidScope,
            "Account > API Clients > your client > OAuth/OpenID Config > API access",
        ),
        (400, {"error": "unauthorized_client"}, TokenError, "may not use client_credentials"),
        (400, {"error": "invalid_request"}, TokenError, "Check the settings of the API client"),
        (400, b"no json", TokenError, "Check the settings of the API client"),
        (400, {"error": 7}, TokenError, "Check the settings of the API client"),
        (403, b"", TokenError, "Check the settings of the API client"),
        (404, b"", TokenError, "Check token_url"),
        (405, b"", TokenError, "Check token_url"),
        (301, b"", TokenError, "Redirects are not followed with the secret in hand"),
        (307, b"", TokenError, "set token_url to the final address"),
        (100, b"", TokenError, "Check the settings"),
    ],
)
def test_refusals(status_code: int, body: object, kind: type[TokenError], says: str) -> None:
    """
    Whatever is not 2xx, or says error, is a TokenError with a remedy, not to be retried.
    """
    with pytest.raises(TokenError) as caught:
        grant_from(an_answer(body, status_code), a_request())

    error = caught.value
    assert kind is type(error)
    assert says in str(error)
    assert f"token endpoint {TOKEN_URL} refused with {status_code}" in str(error)
    assert (status_code, False) == (error.status_code, error.retryable)
    assert ("POST", TOKEN_URL) == (error.request.method, str(error.request.url))


def test_invalid_scope_carries_the_scopes() -> None:
    """
    What was asked for is there for the program too.
    """
    with pytest.raises(InvalidScope) as caught:
        grant_from(an_answer({"error": "invalid_scope"}, 400), a_request())

    assert frozenset({"document_read", "event"}) == caught.value.scopes


@pytest.mark.parametrize("error", ["temporarily_unavailable", "server_error"])
def test_some_refusals_say_that_they_will_pass(error: str) -> None:
    """
    Codes that RFC 6749 section 4.1.2.1 has for passing trouble make the error retryable.
    """
    with pytest.raises(TokenError) as caught:
        grant_from(an_answer({"error": error}, 400), a_request())

    assert caught.value.retryable


@pytest.mark.parametrize("status_code", [408, 429, 500, 502, 503, 504, 599])
def test_unavailable(status_code: int) -> None:
    """
    408, 429 and 5xx are the endpoint's trouble: try again later.
    """
    body = {"error": "invalid_client", "error_description": "why", "error_uri": "https://e.example"}

    with pytest.raises(TokenEndpointUnavailable) as caught:
        grant_from(an_answer(body, status_code), a_request())

    error = caught.value
    assert f"answered {status_code} invalid_client (why). Try again later" in str(error)
    assert (status_code, True) == (error.status_code, error.retryable)
    assert ("invalid_client", "why", "https://e.example") == (
        error.error,
        error.error_description,
        error.error_uri,
    )


def test_the_servers_words_are_short_and_printable() -> None:
    """
    A description cannot fill the log nor write lines of its own into it.
    """
    description = "line\r\nline\x1b[31m" + "x" * 1000

    with pytest.raises(InvalidClient) as caught:
        grant_from(
            an_answer({"error": "invalid_client", "error_description": description}, 400),
            a_request(),
        )

    said = caught.value.error_description
    assert said is not None
    assert 300 == len(said)
    assert said.startswith("line  line [31mx")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("status_code", [200, 400, 401, 500])
@pytest.mark.parametrize("form", ["plain", "encoded", "percent", "basic"])
@pytest.mark.parametrize("secret", [SECRET, NASTY_SECRET, "two\nlines 50%"])
def test_a_secret_that_the_server_echoes_is_blanked(
    secret: str, form: str, status_code: int
) -> None:
    """
    In whatever form it comes back, it is neither in the text nor in an attribute.
    """
    request = a_request(NASTY_ID, secret)
    basic = request.build().headers["Authorization"].removeprefix("Basic ")
    encoded = base64.b64decode(basic).decode("ascii").split(":")[1]
    echoed = {
        "plain": secret,
        "encoded": encoded,
        "percent": encoded.replace("+", "%20"),
        "basic": basic,
    }[form]
    body = {"error": f"e {echoed}", "error_description": f"x {echoed} y", "error_uri": echoed}

    with pytest.raises(TokenError) as caught:
        grant_from(an_answer(body, status_code), request)

    error = caught.value
    shown = f"{error} {error.error} {error.error_description} {error.error_uri}"
    assert "x [secret] y" in shown
    for needle in (echoed, " ".join(echoed.splitlines())):
        assert needle not in shown


def test_a_secret_in_a_content_type_is_blanked() -> None:
    """
    Headers of an unusable answer are the server's words too.
    """
    answer = Answer(
        status_code=200, headers=httpx.Headers({"Content-Type": f"x/{SECRET}"}), content=b""
    )

    with pytest.raises(InvalidTokenResponse) as caught:
        grant_from(answer, a_request())

    assert "'x/[secret]'" in str(caught.value)


def test_the_query_of_the_token_url_is_not_shown() -> None:
    """
    Some servers take keys there.
    """
    with pytest.raises(TokenError) as caught:
        grant_from(an_answer(b"", 404), a_request(token_url=httpx.URL(f"{TOKEN_URL}?key=k123")))

    assert "k123" not in str(caught.value)


@pytest.mark.parametrize(
    ("expires_in", "lifetime"),
    [
        (3600, 3600.0),
        (0.5, 0.5),
        ("3600", 3600.0),
        (" 3600 ", 3600.0),
        ("1e3", 1000.0),
        (0, 0.0),
        (-5, -5.0),
        ("-5", -5.0),
        (LONGEST_LIFETIME + 1, LONGEST_LIFETIME),
        (10**400, LONGEST_LIFETIME),
        (-(10**400), -math.inf),
        ("9" * 5000, LONGEST_LIFETIME),
        (math.inf, LONGEST_LIFETIME),
        ("Infinity", LONGEST_LIFETIME),
        (None, None),
        (math.nan, None),
        ("nan", None),
        ("", None),
        ("soon", None),
        ("2027-01-01T00:00:00Z", None),
        (True, None),
        ([], None),
        ({}, None),
    ],
)
def test_every_shape_of_expires_in(expires_in: object, lifetime: float | None) -> None:
    """
    Numbers and numbers in strings count, capped at 30 days; the rest says nothing.
    """
    assert lifetime == lifetime_from(expires_in)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(JSON | st.integers(10**309) | st.from_regex(r"\A-?[0-9]{1,20}(\.[0-9]+)?(e[0-9]{1,4})?\Z"))
def test_no_expires_in_lasts_for_ever(expires_in: object) -> None:
    """
    Whatever JSON can hold gives a lifetime of 30 days at most, and never a crash.
    """
    grant = grant_from(an_answer({"access_token": "t", "expires_in": expires_in}), a_request())

    assert grant.lifetime <= LONGEST_LIFETIME
    assert grant.lifetime_assumed is (lifetime_from(expires_in) is None)
    assert grant.lifetime == 600.0 or not grant.lifetime_assumed


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()), st.integers(100, 599))
def test_any_answer_is_a_token_or_a_token_error(content: bytes, status_code: int) -> None:
    """
    No answer makes anything else happen.
    """
    try:
        shown = grant_from(an_answer(content, status_code), a_request()).value
    except TokenError as error:
        shown = str(error.status_code)

    assert shown


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("99999999999999999999", 9999999999.0),
        ("Wed, 21 Oct 2015 07:28:30 GMT", 30.0),
        ("Wed, 21 Oct 2015 07:27:00 GMT", 0.0),
        ("Wed, 21 Oct 2015 07:28:30 -0000", 30.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("\u0665", None),
        ("Wed, 99 Oct 2015 99:99:99 GMT", None),
    ],
)
def test_retry_after(value: str, seconds: float | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Seconds or a date (RFC 9110 section 10.2.3); anything else asks nothing.
    """
    now = 1445412480.0  # Wed, 21 Oct 2015 07:28:00 GMT

    assert seconds == retry_after_from(httpx.Headers({b"Retry-After": value.encode()}), now)


def test_no_retry_after_asks_nothing() -> None:
    """
    A missing header is no zero.
    """
    assert None is retry_after_from(httpx.Headers(), 0.0)


@given(st.text())
def test_any_retry_after_is_seconds_or_nothing(value: str) -> None:
    """
    No server can make the client crash with it.
    """
    seconds = retry_after_from(httpx.Headers({b"Retry-After": value.encode("utf-8", "replace")}), 0)

    assert seconds is None or seconds >= 0.0
