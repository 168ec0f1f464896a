import json
import time

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth_ext import (
    ApiError,
    FieldError,
    InsufficientScope,
    RateLimited,
    Unauthorized,
)
from auth_ext._diagnosis import api_error, challenge
from auth_ext.errors import DASHBOARD_PATH

URL = "https://api.signicat.io/signature/documents/7?secret=1#part"
LINE = "GET https://api.signicat.io/signature/documents/7 answered"


def answered(
    status_code: int, body: object = b"", headers: dict[str, str] | None = None
) -> httpx.Response:
    """
    An answer of the API.
    """
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.Response(
        status_code, content=content, headers=headers, request=httpx.Request("GET", URL)
    )


def test_the_older_shape_of_an_error() -> None:
    """
    code, message and errors by field, as Express gives them.
    """
    body = {
        "code": "invalid_request",
        "message": "Wrong",
        "errors": [{"field": "title", "message": "is missing"}, {"message": "too much"}, "x"],
    }
    error = api_error(answered(400, body, {"Request-Id": "r-1"}), operation="create_document")

    assert ApiError is type(error)
    assert (
        f"create_document ({LINE.removesuffix(' answered')}) answered 400 Bad Request:"
        " invalid_request; Wrong; title: is missing; too much [request id r-1]"
    ) == str(error)
    assert (400, "create_document", "invalid_request", "Wrong", "r-1") == (
        error.status_code,
        error.operation,
        error.code,
        error.message,
        error.request_id,
    )
    assert (FieldError("title", "is missing"), FieldError(None, "too much")) == error.errors


def test_the_newer_shape_of_an_error() -> None:
    """
    Problem details (RFC 9457) as the successor platform gives them.
    """
    body = {
        "title": "Validation failed",
        "error": 4001,
        "invalidParams": [{"name": "a", "reason": "b"}],
    }
    error = api_error(answered(422, body, {"RequestId": "r-2"}))

    assert ("4001", "Validation failed", "r-2") == (error.code, error.message, error.request_id)
    assert (FieldError("a", "b"),) == error.errors


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>Bad gateway</html>", b"{", b"\xff", b"[1]", b'"x"', b"[" * 100_000, {}, []],
)
def test_any_body_will_do(body: object) -> None:
    """
    Without words of the API there is still the status.
    """
    error = api_error(answered(502, body))

    assert f"{LINE} 502 Bad Gateway" == str(error)
    assert (None, None, ()) == (error.code, error.message, error.errors)


def test_an_unread_body_will_do() -> None:
    """
    A streamed answer is not read here.
    """
    response = httpx.Response(
        500, stream=httpx.ByteStream(b"{}"), request=httpx.Request("GET", URL)
    )

    assert f"{LINE} 500 Internal Server Error" == str(api_error(response))


def test_what_the_api_says_is_short_and_printable() -> None:
    """
    No body floods or forges a log.
    """
    error = api_error(answered(400, {"message": "a\r\nb" + "x" * 9000, "code": True}))

    assert error.message is not None
    assert 500 == len(error.message)
    assert "\n" not in str(error)
    assert None is error.code


def test_a_password_in_the_address_is_not_shown() -> None:
    """
    Neither is the query.
    """
    request = httpx.Request("GET", "https://user:pw@api.signicat.io/x?y=z")
    text = str(api_error(httpx.Response(404, request=request)))

    assert "GET https://api.signicat.io/x answered 404 Not Found" == text


def test_only_five_field_errors_are_told() -> None:
    """
    All are there for the program.
    """
    body = {"errors": [{"field": f"f{n}", "message": "m"} for n in range(9)]}
    error = api_error(answered(400, body))

    assert "f4: m" in str(error)
    assert "f5: m" not in str(error)
    assert 9 == len(error.errors)


def test_401_with_a_fresh_token() -> None:
    """
    Expiry is ruled out, the remedy says so.
    """
    header = {"WWW-Authenticate": 'Bearer error="invalid_token", error_description="bad issuer"'}
    error = api_error(answered(401, b"", header), granted={"event"})

    assert Unauthorized is type(error)
    assert (
        f"{LINE} 401 Unauthorized. The token was fresh, so it is not a matter of expiry (bad"
        " issuer): check that token_url and base_url belong to the same service and environment"
    ) == str(error)


def test_401_without_a_token() -> None:
    """
    That is said, rather than something about freshness.
    """
    assert str(api_error(answered(401))).endswith(
        "401 Unauthorized. The request was sent without a token of ours"
    )


def test_403_names_what_is_missing() -> None:
    """
    Operation, scopes needed, scopes granted, and where to add the rest.
    """
    error = api_error(
        answered(403),
        operation="get_document",
        needed=("document_read", "event"),
        granted={"event"},
    )

    assert isinstance(error, InsufficientScope)
    assert (frozenset({"document_read", "event"}), frozenset({"event"})) == (
        error.needed,
        error.granted,
    )
    assert frozenset({"document_read"}) == error.missing
    assert (
        f"get_document ({LINE.removesuffix(' answered')}) answered 403 Forbidden. It needs the"
        " scope document_read, event. The token has event. Ask for document_read as well"
        " (scopes=..., or SIGNICAT_SCOPES), and see that the API client has it in the dashboard"
        f" ({DASHBOARD_PATH})"
    ) == str(error)


def test_403_believes_the_challenge() -> None:
    """
    RFC 6750 section 3: the API itself knows best which scope it wants.
    """
    header = {"WWW-Authenticate": 'Bearer error="insufficient_scope", scope="x y"'}
    error = api_error(answered(403, b"", header), needed=("event",), granted=("x",))

    assert isinstance(error, InsufficientScope)
    assert frozenset({"y"}) == error.missing


def test_403_with_all_scopes() -> None:
    """
    Then it is the account.
    """
    text = str(api_error(answered(403), needed=("a",), granted=("a", "b")))

    assert "The token has a, b. The scopes suffice" in text
    assert text.endswith("contact support")


def test_403_without_any_knowledge() -> None:
    """
    Nothing is made up.
    """
    assert (
        f"{LINE} 403 Forbidden. The token has no scope that is known here. Find the scope in the"
        f" operation's documentation and add it ({DASHBOARD_PATH})"
    ) == str(api_error(answered(403)))


@pytest.mark.parametrize(
    ("headers", "wait", "hint"),
    [
        ({"Retry-After": "12"}, 12.0, "Try again in 12 s"),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0, "Try again in 0 s"),
        ({}, None, "Wait, then try again"),
    ],
)
def test_429(headers: dict[str, str], wait: float | None, hint: str) -> None:
    """
    How long to wait, where the API says so.
    """
    error = api_error(answered(429, b"", headers))

    assert isinstance(error, RateLimited)
    assert wait == error.retry_after
    assert f"{LINE} 429 Too Many Requests. {hint}" == str(error)


@pytest.mark.parametrize(
    ("header", "parameters"),
    [
        ("", {}),
        ('Basic realm="x"', {}),
        ("Bearer", {}),
        ('bearer REALM="a b", Scope=x', {"realm": "a b", "scope": "x"}),
        ('Basic realm="x", Bearer scope="a, b"', {"scope": "a, b"}),
        ('Bearer error_description="a \\" b"', {"error_description": 'a \\" b'}),
        ("Bearer scope=\x01x", {"scope": "x"}),
    ],
)
def test_challenges(header: str, parameters: dict[str, str]) -> None:
    """
    The parameters of a Bearer challenge, quoted or not, beside other challenges.
    """
    assert parameters == challenge(answered(401, b"", {"WWW-Authenticate": header}))


def test_a_huge_challenge_costs_nothing() -> None:
    """
    Only its beginning is looked at.
    """
    started = time.process_time()
    header = {"WWW-Authenticate": "Bearer " + "a" * 200_000}

    assert {} == challenge(answered(401, b"", header))
    assert time.process_time() - started < 2.0


@given(st.binary(max_size=200), st.integers(400, 599), st.binary(max_size=100))
def test_any_answer_gives_an_error(body: bytes, status_code: int, header: bytes) -> None:
    """
    Nothing an API can answer makes the diagnosis fail.
    """
    response = httpx.Response(
        status_code,
        content=body,
        headers=[(b"WWW-Authenticate", header), (b"Retry-After", header)],
        request=httpx.Request("GET", URL),
    )
    error = api_error(response, needed=("a",), granted=("b",))

    assert status_code == error.status_code
