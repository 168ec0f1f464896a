"""
Through real httpx clients against a real server: what goes over the wire.
"""

import asyncio
import io
import logging
import ssl
import threading
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import anyio
import httpx
import pytest
import trio

from auth_ext import (
    InvalidTokenResponse,
    OAuth2ClientCredentials,
    TokenEndpointUnavailable,
    TokenError,
)
from auth_ext.errors import InvalidClient
from tests.auth.helpers import PATIENCE, SECRET, Drive, Hands
from tests.auth.server import Service, answer, cut, hang_up_midway, redirect, service, token

# Certificates are of no use here, and loading them is most of what a new httpx client costs.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
NASTY_ID, NASTY_SECRET = "id:/+ %&=\u00e5", "se:/+ %&=cret\u20ac\U0001f511"


@pytest.fixture
def api() -> Iterator[Service]:
    """
    A running server.
    """
    with service() as server:
        yield server


@pytest.fixture
def elsewhere() -> Iterator[Service]:
    """
    Another origin.
    """
    with service() as server:
        yield server


def an_auth(api: Service, **settings: Any) -> OAuth2ClientCredentials:
    """
    A flow for that server.
    """
    settings = {
        "scopes": "event",
        "token_url": api.token_url,
        "origins": api.url,
        "clock": Hands().clock,
        "httpx_args": {"verify": NO_TLS},
        **settings,
    }
    return OAuth2ClientCredentials("an-id", SECRET, **settings)


class Wire:
    """
    Real sockets, for whichever kind of client.
    """

    def __init__(self, drive: Drive) -> None:
        self._drive = drive

    def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """
        The answer to one request.
        """
        return self._drive.send(None, request, verify=NO_TLS, **options)


@pytest.fixture
def wire(drive: Drive) -> Wire:
    """
    One kind of client.
    """
    return Wire(drive)


@pytest.fixture(params=["asyncio", "trio"])
def run(request: pytest.FixtureRequest) -> Callable[[Any], Any]:
    """
    Run a coroutine function on that loop.
    """
    return {"asyncio": lambda main: asyncio.run(main()), "trio": trio.run}[str(request.param)]


def test_a_token_is_fetched_and_used(api: Service, wire: Wire) -> None:
    """
    One token request of exactly this shape, then the API's answer.
    """
    auth = an_auth(api)
    for _ in range(3):
        response = wire.send(httpx.Request("GET", f"{api.url}/x"), auth=auth)
        assert (200, []) == (response.status_code, response.history)

    (asked,) = api.token_requests
    assert ("POST", b"grant_type=client_credentials&scope=event") == (asked.method, asked.body)
    assert ["an-id", SECRET] == asked.basic
    assert "application/x-www-form-urlencoded" == asked.headers["content-type"]
    assert ["token-1"] * 3 == [seen.token for seen in api.api_requests]


def test_ids_and_secrets_of_any_kind_arrive(api: Service) -> None:
    """
    As a server reads them that follows RFC 6749 section 2.3.1.
    """
    auth = OAuth2ClientCredentials(
        NASTY_ID, NASTY_SECRET, scopes="event", token_url=api.token_url, origins=api.url
    )
    auth.get_token()

    assert [NASTY_ID, NASTY_SECRET] == [unquote_plus(x) for x in api.token_requests[0].basic]


async def async_pieces() -> AsyncIterator[bytes]:
    """
    A body in pieces.
    """
    yield b"whole "
    yield b"body"


def pieces() -> Iterator[bytes]:
    """
    A body in pieces.
    """
    yield b"whole "
    yield b"body"


class Anew:
    """
    A body that begins anew.
    """

    def __iter__(self) -> Iterator[bytes]:
        return pieces()


class AnewAsync:
    """
    A body that begins anew.
    """

    def __aiter__(self) -> AsyncIterator[bytes]:
        return async_pieces()


REPLAYED: dict[str, Callable[[], dict[str, Any]]] = {
    "bytes": lambda: {"content": b"whole body"},
    "json": lambda: {"json": {"whole": "body"}},
    "form": lambda: {"data": {"whole": "body"}},
    "multipart": lambda: {"files": {"f": b"whole body"}},
    "nothing": dict,
}
REPLAYED_SYNC: dict[str, Callable[[], dict[str, Any]]] = {
    "multipart file": lambda: {"files": {"f": io.BytesIO(b"whole body")}},
    "list": lambda: {"content": [b"whole ", b"body"]},
    "iterable": lambda: {"content": Anew()},
}


def revoke_at_first_use(api: Service) -> None:
    """
    Refuse the first token.
    """
    api.revoked.add("token-1")


@pytest.mark.parametrize("kind", sorted(REPLAYED))
def test_after_a_401_the_whole_body_is_sent_again(api: Service, wire: Wire, kind: str) -> None:
    """
    The user's own request, byte for byte, with the new token.
    """
    revoke_at_first_use(api)
    request = httpx.Request("POST", f"{api.url}/x", headers={"X-Own": "1"}, **REPLAYED[kind]())
    response = wire.send(request, auth=an_auth(api))

    first, second = api.api_requests
    assert (200, "token-1", "token-2") == (response.status_code, first.token, second.token)
    assert first.body == second.body == response.content
    assert kind == "nothing" or b"whole" in second.body
    assert "1" == second.headers["x-own"]
    assert 2 == len(api.token_requests)
    assert [401] == [earlier.status_code for earlier in response.history]


@pytest.mark.parametrize("kind", sorted(REPLAYED_SYNC))
def test_after_a_401_bodies_that_begin_anew_are_sent_again(api: Service, kind: str) -> None:
    """
    Files of a multipart body are rewound, iterables iterated again.
    """
    revoke_at_first_use(api)
    with httpx.Client(verify=NO_TLS, auth=an_auth(api)) as client:
        response = client.post(f"{api.url}/x", **REPLAYED_SYNC[kind]())

    first, second = api.api_requests
    assert 200 == response.status_code
    assert first.body == second.body
    assert b"whole body" in second.body


def test_after_a_401_an_async_iterable_is_sent_again(
    api: Service, run: Callable[[Any], Any]
) -> None:
    """
    The async half of it.
    """
    revoke_at_first_use(api)

    async def main() -> None:
        async with httpx.AsyncClient(verify=NO_TLS, auth=an_auth(api)) as client:
            response = await client.post(f"{api.url}/x", content=AnewAsync())
            assert 200 == response.status_code

    run(main)
    assert [b"whole body"] * 2 == [seen.body for seen in api.api_requests]


def pipe() -> Any:
    """
    A file that cannot be rewound.
    """

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, *about: int) -> int:
            raise io.UnsupportedOperation

    return Pipe(b"whole body")


ONE_SHOT: dict[str, Callable[[Path], dict[str, Any]]] = {
    "generator": lambda path: {"content": pieces()},
    "iterator": lambda path: {"content": iter([b"whole ", b"body"])},
    "open file": lambda path: {"content": path.open("rb")},
    "multipart pipe": lambda path: {"files": {"f": pipe()}},
}


@pytest.mark.parametrize("kind", sorted(ONE_SHOT))
def test_a_body_that_is_gone_is_never_sent_empty(api: Service, kind: str, tmp_path: Path) -> None:
    """
    The 401 is handed back, the token is new for the next request.
    """
    revoke_at_first_use(api)
    file = tmp_path / "f"
    file.write_bytes(b"whole body")
    body = ONE_SHOT[kind](file)
    auth = an_auth(api)
    with httpx.Client(verify=NO_TLS, auth=auth) as client:
        response = client.post(f"{api.url}/x", **body)
        assert 401 == response.status_code
        assert {"code": "unauthorized"} == response.json()
        assert 200 == client.get(f"{api.url}/y").status_code
    getattr(body.get("content"), "close", lambda: None)()

    (sent,) = [seen for seen in api.api_requests if seen.path == "/x"]
    assert b"whole body" in sent.body
    assert 2 == len(api.token_requests)


def test_an_async_body_that_is_gone_is_never_sent_empty(
    api: Service, run: Callable[[Any], Any], tmp_path: Path
) -> None:
    """
    Async generators and async files.
    """
    api.revoked.update(f"token-{number}" for number in range(9))
    path = tmp_path / "f"
    path.write_bytes(b"whole body")

    async def main() -> None:
        async with httpx.AsyncClient(verify=NO_TLS, auth=an_auth(api)) as client:
            response = await client.post(f"{api.url}/x", content=async_pieces())
            assert 401 == response.status_code
            async with await anyio.open_file(path, "rb") as file:
                response = await client.post(f"{api.url}/x", content=file)
                assert 401 == response.status_code

    run(main)
    assert [b"whole body"] * 2 == [seen.body for seen in api.api_requests]


def test_absolute_urls_to_other_hosts_carry_no_token(
    api: Service, elsewhere: Service, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    """
    Whatever the client's base_url is; one warning for the whole host.
    """
    caplog.set_level(logging.WARNING, "auth_ext")
    auth = an_auth(api)
    for path in ("a", "b"):
        response = wire.send(httpx.Request("GET", f"{elsewhere.url}/{path}"), auth=auth)
        assert 401 == response.status_code

    assert [None, None] == [seen.token for seen in elsewhere.seen]
    assert [] == api.seen
    assert 1 == len(caplog.records)


@pytest.mark.parametrize("status_code", [301, 302, 303, 307, 308])
def test_redirects_to_other_hosts_carry_no_token(
    api: Service,
    elsewhere: Service,
    wire: Wire,
    caplog: pytest.LogCaptureFixture,
    status_code: int,
) -> None:
    """
    The token stays, the 401 from there is theirs, and it is said once.
    """
    caplog.set_level(logging.WARNING, "auth_ext")
    api.acts["/away"] = redirect(f"{elsewhere.url}/target", status_code)
    auth = an_auth(api)
    for _ in range(2):
        response = wire.send(
            httpx.Request("POST", f"{api.url}/away", content=b"x"), auth=auth, follow_redirects=True
        )
        assert 401 == response.status_code

    assert [None, None] == [seen.token for seen in elsewhere.seen]
    assert (1, 2) == (len(api.token_requests), len(api.api_requests))
    assert [f"{elsewhere.url} is not among the origins of this client: requests to it are sent"
            " without a token"] == caplog.messages  # fmt: skip


def test_redirects_within_the_api_carry_the_token(api: Service, wire: Wire) -> None:
    """
    And a 401 at the end of one is ours: the request starts again with the new token.
    """
    api.acts["/old"] = redirect("/new")
    revoke_at_first_use(api)
    response = wire.send(
        httpx.Request("GET", f"{api.url}/old"), auth=an_auth(api), follow_redirects=True
    )

    assert 200 == response.status_code
    assert [
        ("/old", "token-1"),
        ("/new", "token-1"),
        ("/old", "token-2"),
        ("/new", "token-2"),
    ] == [(seen.path, seen.token) for seen in api.api_requests]


def test_a_post_that_was_done_is_not_done_again(api: Service, wire: Wire) -> None:
    """
    After a 303, a refused GET of the result does not repeat the POST.
    """
    api.acts["/create"] = redirect("/result", 303)
    revoke_at_first_use(api)
    response = wire.send(
        httpx.Request("POST", f"{api.url}/create", content=b"x"),
        auth=an_auth(api),
        follow_redirects=True,
    )

    assert 401 == response.status_code
    assert ["/create", "/result"] == [seen.path for seen in api.api_requests]
    assert 2 == len(api.token_requests)


@pytest.mark.parametrize("status_code", [301, 302, 307, 308])
def test_the_secret_follows_no_redirect(
    api: Service, elsewhere: Service, wire: Wire, status_code: int
) -> None:
    """
    Even when the user's client follows redirects.
    """
    api.token_acts.append(redirect(elsewhere.token_url, status_code))

    with pytest.raises(TokenError, match="Redirects are not followed with the secret in hand"):
        wire.send(httpx.Request("GET", f"{api.url}/x"), auth=an_auth(api), follow_redirects=True)
    assert [] == elsewhere.seen


def test_an_explicit_authorization_goes_as_it_is(api: Service, wire: Wire) -> None:
    """
    On the request or as the client's default.
    """
    auth = an_auth(api)
    wire.send(httpx.Request("GET", f"{api.url}/x", headers={"Authorization": "Own 1"}), auth=auth)
    with httpx.Client(verify=NO_TLS, auth=auth, headers={"Authorization": "Own 2"}) as client:
        client.get(f"{api.url}/x")

    assert ["Own 1", "Own 2"] == [seen.headers["authorization"] for seen in api.api_requests]
    assert [] == api.token_requests


def test_the_same_request_object_may_be_sent_again(api: Service, wire: Wire) -> None:
    """
    With the token of the day.
    """
    auth = an_auth(api)
    request = httpx.Request("POST", f"{api.url}/x", content=b"x")
    wire.send(request, auth=auth)
    revoke_at_first_use(api)
    response = wire.send(request, auth=auth)

    assert 200 == response.status_code
    assert ["token-1", "token-1", "token-2"] == [seen.token for seen in api.api_requests]


def test_a_pool_of_one_connection_is_enough(api: Service, wire: Wire) -> None:
    """
    The 401 is read first, which frees its connection; token requests have a pool of their own.
    """
    revoke_at_first_use(api)
    response = wire.send(
        httpx.Request("GET", f"{api.url}/x"),
        auth=an_auth(api),
        limits=httpx.Limits(max_connections=1),
        timeout=httpx.Timeout(PATIENCE, pool=0.5),
    )

    assert 200 == response.status_code


def test_streamed_answers_stay_unread(api: Service) -> None:
    """
    Only a 401 of ours is read; what the caller streams is the caller's.
    """
    revoke_at_first_use(api)
    with (
        httpx.Client(verify=NO_TLS, auth=an_auth(api)) as client,
        client.stream("POST", f"{api.url}/x", content=b"x" * 100_000) as response,
    ):
        assert 200 == response.status_code
        assert not response.is_stream_consumed
        assert 100_000 == sum(map(len, response.iter_bytes()))


def test_streamed_answers_stay_unread_async(api: Service, run: Callable[[Any], Any]) -> None:
    """
    The async half of it.
    """
    revoke_at_first_use(api)

    async def main() -> None:
        async with (
            httpx.AsyncClient(verify=NO_TLS, auth=an_auth(api)) as client,
            client.stream("POST", f"{api.url}/x", content=b"x" * 100_000) as response,
        ):
            assert not response.is_stream_consumed
            assert 100_000 == len(await response.aread())

    run(main)


def test_the_users_hooks_never_see_the_token_request(api: Service) -> None:
    """
    Neither do the history and the cookie jar.
    """
    revoke_at_first_use(api)
    api.token_acts.append(token("token-1"))
    seen: list[str] = []
    hooks = {
        "request": [lambda request: seen.append(str(request.url))],
        "response": [lambda response: seen.append(str(response.url))],
    }
    with httpx.Client(verify=NO_TLS, auth=an_auth(api), event_hooks=hooks) as client:
        response = client.get(f"{api.url}/x")
        assert {} == dict(client.cookies)

    assert [f"{api.url}/x"] * 4 == seen
    assert [f"{api.url}/x"] == [str(earlier.url) for earlier in response.history]


def test_a_raise_for_status_hook_comes_before_the_flow(api: Service) -> None:
    """
    A fact of httpx, shown here so that a change is noticed: the 401 never reaches the flow.
    """
    revoke_at_first_use(api)

    def hook(response: httpx.Response) -> None:
        response.raise_for_status()

    with (
        httpx.Client(verify=NO_TLS, auth=an_auth(api), event_hooks={"response": [hook]}) as client,
        pytest.raises(httpx.HTTPStatusError),
    ):
        client.get(f"{api.url}/x")
    assert 1 == len(api.token_requests)


def test_max_redirects_counts_no_token_requests(api: Service, wire: Wire) -> None:
    """
    Zero redirects allowed is enough for a renewal.
    """
    api.acts["/x"] = answer(200)
    assert (
        200
        == wire.send(
            httpx.Request("GET", f"{api.url}/x"), auth=an_auth(api), max_redirects=0
        ).status_code
    )


@pytest.mark.parametrize("trouble", [cut, hang_up_midway, answer(503), answer(429)])
def test_a_troubled_token_endpoint_is_tried_again(api: Service, wire: Wire, trouble: Any) -> None:
    """
    Cut connections, half answers and 5xx are no reason to give up.
    """
    api.token_acts.extend([trouble] * 2)
    response = wire.send(httpx.Request("GET", f"{api.url}/x"), auth=an_auth(api))

    assert 200 == response.status_code
    assert 3 == len(api.token_requests)


def test_a_token_endpoint_that_is_not_there(wire: Wire) -> None:
    """
    Four attempts, then an error that says where and what to check.
    """
    with service() as gone:
        pass
    auth = an_auth(gone)

    with pytest.raises(TokenEndpointUnavailable, match=r"cannot be reached .*Check the network"):
        wire.send(httpx.Request("GET", f"{gone.url}/x"), auth=auth)


@pytest.mark.parametrize(
    "garbage", [b"<html></html>", b"\x00\xff" * 100, b"", b'{"access_token": "a b"}']
)
def test_garbage_is_no_token(api: Service, wire: Wire, garbage: bytes) -> None:
    """
    InvalidTokenResponse; nothing goes to the API.
    """
    api.token_acts.append(answer(200, garbage))

    with pytest.raises(InvalidTokenResponse):
        wire.send(httpx.Request("GET", f"{api.url}/x"), auth=an_auth(api))
    assert [] == api.api_requests


def test_a_token_endpoint_that_drips_is_given_up(api: Service, wire: Wire) -> None:
    """
    A byte now and then keeps no caller for longer than the deadline.
    """
    hands = Hands()

    def drip(handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        while hands.steady < 5_100.0:
            hands.turn(10.0)
            handler.wfile.write(b" ")
            handler.wfile.flush()
        assert api.gate.wait(PATIENCE)

    api.token_acts.append(drip)
    with pytest.raises(TokenEndpointUnavailable):
        wire.send(httpx.Request("GET", f"{api.url}/x"), auth=an_auth(api, clock=hands.clock))


def test_headers_that_never_end_are_given_up(api: Service, wire: Wire) -> None:
    """
    Where no read timeout helps, callers still leave at the deadline.
    """
    over = threading.Event()

    def drip(handler: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Never: ")
        while not over.wait(0.02):
            handler.wfile.write(b"x")
        cut(handler)

    api.token_acts.append(drip)
    try:
        with pytest.raises(TokenEndpointUnavailable, match=r"gave no token within 0\.3 s"):
            wire.send(httpx.Request("GET", f"{api.url}/x"), auth=an_auth(api, deadline=0.3))
    finally:
        over.set()


def test_a_wrong_secret_is_told(api: Service, wire: Wire) -> None:
    """
    And costs one request, however often it is tried.
    """
    api.token_acts.extend([answer(401, b'{"error": "invalid_client"}')] * 9)
    auth = an_auth(api)
    for _ in range(3):
        with pytest.raises(InvalidClient, match="Check the client id 'an-id' and its secret"):
            wire.send(httpx.Request("GET", f"{api.url}/x"), auth=auth)

    assert 1 == len(api.token_requests)


def test_nothing_is_left_open(api: Service) -> None:
    """
    Every token request closes its client: no ResourceWarning, though warnings are errors here.
    """
    import gc

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        auth = an_auth(api)
        auth.get_token()
        del auth
        gc.collect()

    assert [] == [str(warning.message) for warning in caught]
