import gzip
import logging
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from auth_ext import InvalidClient, InvalidTokenResponse, TokenEndpointUnavailable
from auth_ext._fetch import ATTEMPTS, Deadline, Fetcher
from auth_ext._settings import Credentials
from auth_ext._token_request import MAX_ANSWER_BYTES, TokenRequest
from tests.auth.helpers import SECRET, TOKEN_URL, Hands, Issuer, refusal, token_answer

REQUEST = TokenRequest(
    token_url=httpx.URL(TOKEN_URL),
    credentials=Credentials("an-id", SECRET),
    scopes=("document_read", "event"),
)


class Desk:
    """
    A fetcher with its clock and its token endpoint.
    """

    def __init__(self, **client_args: Any) -> None:
        self.hands = Hands()
        self.issuer = Issuer()
        self.fetcher = Fetcher(
            client_args=client_args or self.issuer.httpx_args,
            timeout=httpx.Timeout(10.0, connect=7.0, pool=None),
            clock=self.hands.clock,
        )

    def fetch(self, seconds: float = 30.0) -> Any:
        """
        One token.
        """
        return self.fetcher.fetch(REQUEST, Deadline.after(seconds, self.hands.clock))


@pytest.fixture
def desk() -> Desk:
    """
    One with the usual settings.
    """
    return Desk()


def test_a_token_lives_from_before_the_request(desk: Desk) -> None:
    """
    The time that the answer takes is not added to the token's life.
    """
    started = desk.hands.wall

    def slow() -> httpx.Response:
        desk.hands.turn(7.0)
        return token_answer("t", expires_in=60, scope="event")

    desk.issuer.always = slow
    token = desk.fetch()

    assert (started, started + 60.0) == (token.issued_at, token.expires_at)
    assert ("t", frozenset({"event"})) == (token.value, token.scopes)
    assert frozenset({"document_read", "event"}) == token.requested_scopes


@pytest.mark.parametrize("expires_in", [0, -1, "-3600", float("-inf")])
def test_no_life_is_no_negative_life(desk: Desk, expires_in: object) -> None:
    """
    Zero and less end at once, in numbers that a store can keep.
    """
    desk.issuer.lined_up.append(
        httpx.Response(
            200, content=f'{{"access_token": "t", "expires_in": "{expires_in}"}}'.encode()
        )
    )

    assert 0.0 == desk.fetch().lifetime


TROUBLE = [
    httpx.ConnectError("no route"),
    httpx.ConnectTimeout("slow"),
    httpx.ReadTimeout("slow"),
    httpx.RemoteProtocolError("cut"),
    httpx.ReadError("reset"),
    httpx.ProxyError("no"),
    httpx.Response(408),
    httpx.Response(429),
    httpx.Response(500),
    httpx.Response(503),
]


@pytest.mark.parametrize("trouble", TROUBLE, ids=repr)
def test_passing_trouble_is_tried_again(desk: Desk, trouble: Any) -> None:
    """
    Connect errors, timeouts, 408, 429 and 5xx: again after a jittered pause that doubles.
    """
    desk.issuer.lined_up.extend([trouble] * 3)

    assert "token-4" == desk.fetch().value
    first, second, third = desk.hands.slept
    assert 0.25 <= first <= 0.5 <= second <= 1.0 <= third <= 2.0


@pytest.mark.parametrize("trouble", TROUBLE, ids=repr)
def test_lasting_trouble_is_unavailable(desk: Desk, trouble: Any) -> None:
    """
    After four attempts the caller hears of it, in an error that can be retried later.
    """
    desk.issuer.always = lambda: trouble

    with pytest.raises(TokenEndpointUnavailable) as caught:
        desk.fetch()

    assert ATTEMPTS == desk.issuer.count
    error = caught.value
    assert error.retryable
    assert "Authorization" not in error.request.headers
    # httpx's own error would carry the request with its Basic header.
    assert (None, None) == (error.__cause__, error.__context__)


def test_pauses_are_jittered() -> None:
    """
    Two processes that failed together do not come back together.
    """
    pauses = set()
    for _ in range(5):
        desk = Desk()
        desk.issuer.lined_up.append(httpx.Response(503))
        desk.fetch()
        pauses.update(desk.hands.slept)

    assert 1 < len(pauses)


@pytest.mark.parametrize(
    "answer",
    [
        refusal("invalid_client"),
        refusal("invalid_scope"),
        refusal("unauthorized_client"),
        httpx.Response(200),
        httpx.Response(302, headers={"Location": "https://e.example"}),
    ],
)
def test_refusals_are_not_tried_again(desk: Desk, answer: httpx.Response) -> None:
    """
    The same request would be refused again.
    """
    desk.issuer.always = lambda: answer

    with pytest.raises(Exception, match="token endpoint"):
        desk.fetch()

    assert 1 == desk.issuer.count
    assert [] == desk.hands.slept


def test_retry_after_lengthens_the_pause(desk: Desk) -> None:
    """
    The server knows best, as long as the deadline allows.
    """
    desk.issuer.lined_up.append(httpx.Response(429, headers={"Retry-After": "17"}))

    assert "token-2" == desk.fetch().value
    assert [17.0] == desk.hands.slept


def test_retry_after_never_shortens_the_pause(desk: Desk) -> None:
    """
    Zero does not turn attempts into a storm.
    """
    desk.issuer.lined_up.append(httpx.Response(503, headers={"Retry-After": "0"}))
    desk.fetch()

    assert 0.25 <= desk.hands.slept[0]


def test_retry_after_beyond_the_deadline_is_told_at_once(desk: Desk) -> None:
    """
    Nobody waits for an hour: the error comes now and says how long the server asked for.
    """
    desk.issuer.always = lambda: httpx.Response(429, headers={"Retry-After": "3600"})

    with pytest.raises(TokenEndpointUnavailable) as caught:
        desk.fetch()

    assert (3600.0, 429) == (caught.value.retry_after, caught.value.status_code)
    assert 1 == desk.issuer.count
    assert [] == desk.hands.slept


def test_attempts_stay_within_the_deadline(desk: Desk) -> None:
    """
    A pause that would end too late is not begun.
    """

    def slow() -> httpx.Response:
        desk.hands.turn(5.0)
        return httpx.Response(503)

    desk.issuer.always = slow

    with pytest.raises(TokenEndpointUnavailable):
        desk.fetch(seconds=9.0)

    assert 2 == desk.issuer.count


def test_timeouts_shrink_with_the_deadline(desk: Desk) -> None:
    """
    No single read may take longer than what is left; None is no way around it.
    """
    desk.fetch()
    desk.fetch(seconds=4.0)

    first, second = (request.extensions["timeout"] for request in desk.issuer.requests)
    assert {"connect": 7.0, "read": 10.0, "write": 10.0, "pool": 30.0} == first
    assert {"connect": 4.0, "read": 4.0, "write": 4.0, "pool": 4.0} == second


class Dripping(httpx.SyncByteStream):
    """
    A body that comes a little at a time and takes its time.
    """

    def __init__(self, hands: Hands, piece: bytes, pieces: int) -> None:
        self.hands, self.piece, self.pieces, self.sent = hands, piece, pieces, 0

    def __iter__(self) -> Iterator[bytes]:
        while self.sent < self.pieces:
            self.sent += 1
            self.hands.turn(1.0)
            yield self.piece


def test_a_dripping_body_ends_at_the_deadline(desk: Desk) -> None:
    """
    Each read is in time, the whole is not: the deadline holds for the body too.
    """
    body = Dripping(desk.hands, b" ", 10_000)
    desk.issuer.always = lambda: httpx.Response(200, stream=body)

    with pytest.raises(TokenEndpointUnavailable, match="timed out"):
        desk.fetch()

    assert 30 == body.sent


def test_no_more_than_1_mib_is_read(desk: Desk) -> None:
    """
    An endless answer fills no memory.
    """
    body = Dripping(Hands(), b" " * 65536, 10_000)
    desk.issuer.always = lambda: httpx.Response(200, stream=body)

    with pytest.raises(InvalidTokenResponse, match="over 1 MiB"):
        desk.fetch()

    assert MAX_ANSWER_BYTES // 65536 + 1 == body.sent


def test_a_compressed_answer_is_read(desk: Desk) -> None:
    """
    Some servers compress unasked.
    """
    content = gzip.compress(token_answer("t").content)
    desk.issuer.lined_up.append(
        httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(content))
    )

    assert "t" == desk.fetch().value


def test_a_broken_compression_is_no_token(desk: Desk) -> None:
    """
    It is the answer's fault, not the user's, and httpx's error is not handed on.
    """
    desk.issuer.lined_up.append(
        httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"no"))
    )

    with pytest.raises(
        InvalidTokenResponse, match=r"answered, but .*: its compression is broken"
    ) as caught:
        desk.fetch()

    assert (None, None) == (caught.value.__cause__, caught.value.__context__)
    assert None is caught.value.status_code


def test_redirects_are_not_followed(desk: Desk) -> None:
    """
    A 307 would post the secret to wherever it points.
    """
    desk.issuer.always = lambda: httpx.Response(307, headers={"Location": "https://e.example/"})

    with pytest.raises(Exception, match="Redirects are not followed with the secret in hand"):
        desk.fetch()

    assert [TOKEN_URL] == [str(request.url) for request in desk.issuer.requests]


def test_cookies_of_one_attempt_do_not_reach_the_next(desk: Desk) -> None:
    """
    Token requests have no memory.
    """
    desk.issuer.lined_up.append(httpx.Response(503, headers={"Set-Cookie": "a=b"}))
    desk.fetch()

    assert [False, False] == ["Cookie" in request.headers for request in desk.issuer.requests]


def test_netrc_and_the_environment_do_not_change_the_header(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    """
    The Basic header is ours, whatever a .netrc says about the host.
    """
    netrc = tmp_path / "netrc"
    netrc.write_text("machine api.signicat.io login other password other")
    monkeypatch.setenv("NETRC", str(netrc))
    desk.fetch()

    assert (
        REQUEST.build().headers["Authorization"] == desk.issuer.requests[0].headers["Authorization"]
    )


class Closable(httpx.MockTransport):
    """
    A transport that knows whether it was closed.
    """

    closed = False

    def close(self) -> None:
        """
        Remember it.
        """
        self.closed = True


@pytest.mark.parametrize("place", ["transport", "mounts"])
def test_the_users_transport_stays_open(place: str) -> None:
    """
    It is borrowed: the user's own client may go on with it.
    """
    issuer = Issuer()
    transport = Closable(issuer.handle)
    given = (
        {"transport": transport}
        if place == "transport"
        else {"mounts": {"all://": transport, "http://elsewhere.example": None}}
    )
    desk = Desk(**given)

    assert ["token-1", "token-2"] == [desk.fetch().value, desk.fetch().value]
    assert not transport.closed


def test_none_for_transport_and_mounts_means_httpxs_own() -> None:
    """
    As in httpx.Client.
    """
    with Desk(transport=None, mounts=None).fetcher._client() as client:
        assert isinstance(client._transport, httpx.HTTPTransport)


def test_an_error_names_what_to_check(desk: Desk) -> None:
    """
    Where, what, and what to do; the secret is blanked should a proxy have quoted it.
    """
    desk.issuer.always = lambda: httpx.ConnectError(f"refused {SECRET}")

    with pytest.raises(TokenEndpointUnavailable) as caught:
        desk.fetch()

    assert (
        f"token endpoint {TOKEN_URL} cannot be reached (ConnectError: refused [secret])."
        " Check the network, proxy and TLS settings, or try again later"
    ) == str(caught.value)


def test_a_narrower_grant_is_logged(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """
    The scopes that are missing, by name.
    """
    desk.issuer.lined_up.append(token_answer("t", scope="event"))
    desk.fetch()

    assert [
        (
            "auth_ext",
            logging.WARNING,
            "the token endpoint granted fewer scopes than asked for; missing: document_read",
        )
    ] == caplog.record_tuples


def test_an_assumed_lifetime_is_logged(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """
    600 s, and a warning.
    """
    desk.issuer.lined_up.append(token_answer("t", expires_in=None))

    assert 600.0 == desk.fetch().lifetime
    assert [
        (
            "auth_ext",
            logging.WARNING,
            "the token endpoint gave no readable expires_in; 600 s are assumed",
        )
    ] == caplog.record_tuples


def test_attempts_are_logged(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """
    What happened and when the next attempt is.
    """
    caplog.set_level(logging.INFO, "auth_ext")
    desk.issuer.lined_up.append(httpx.Response(503, headers={"Retry-After": "2"}))
    desk.fetch()

    assert [
        f"token endpoint {TOKEN_URL} answered 503. Try again later; next attempt in 2.0 s"
    ] == caplog.messages


def test_a_fetcher_serves_threads_at_once(desk: Desk) -> None:
    """
    It has no state: each fetch has a client of its own.
    """
    desk.issuer.gate.clear()
    values: list[str] = []
    threads = [threading.Thread(target=lambda: values.append(desk.fetch().value)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in threads:
        desk.issuer.wait_until_asked()
    desk.issuer.gate.set()
    for thread in threads:
        thread.join(20)

    assert ["token-1", "token-2"] == sorted(values)


def test_invalid_client_is_what_it_is(desk: Desk) -> None:
    """
    Errors of the pure half pass through, with what Retry-After said.
    """
    desk.issuer.lined_up.append(
        httpx.Response(401, json={"error": "invalid_client"}, headers={"Retry-After": "9"})
    )

    with pytest.raises(InvalidClient) as caught:
        desk.fetch()

    assert 9.0 == caught.value.retry_after
