"""
One token from the token endpoint: sent, retried while that makes sense, read with care.

Blocking by nature: it runs in the thread of a flight (see `_refresh`), never on an event loop.
"""

import functools
import random
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import attrs
import httpx

from auth_ext._clock import Clock
from auth_ext._events import logger
from auth_ext._token import AccessToken
from auth_ext._token_request import (
    MAX_ANSWER_BYTES,
    Answer,
    Grant,
    TokenRequest,
    grant_from,
    retry_after_from,
    unusable,
)
from auth_ext.errors import TokenEndpointUnavailable, TokenError

ATTEMPTS = 4
FIRST_PAUSE = 0.5


@attrs.frozen(kw_only=True)
class Deadline:
    """
    The moment by which a token must be there.
    """

    at: float
    clock: Clock

    @classmethod
    def after(cls, seconds: float, clock: Clock) -> "Deadline":
        """
        The moment *seconds* from now.
        """
        return cls(at=clock.steady() + seconds, clock=clock)

    def remaining(self) -> float:
        """
        Seconds left; zero or less when it has passed.
        """
        return self.at - self.clock.steady()


@attrs.frozen(kw_only=True)
class Fetcher:
    """
    How tokens are fetched: with which HTTP settings, by which clock.

    Attributes:
        client_args: Keyword arguments of the small `httpx.Client` that sends token requests.

        timeout: Of each of its connects, reads and writes.

        clock: What time it is.

        tls: Gives the TLS settings in `client_args` as an SSL context; made once, since making it
            takes longer than a token request and holds up all threads meanwhile.
    """

    client_args: Mapping[str, Any] = attrs.field(repr=False)
    timeout: httpx.Timeout
    clock: Clock
    tls: Callable[[], ssl.SSLContext] = attrs.field(
        init=False,
        repr=False,
        eq=False,
        default=attrs.Factory(lambda self: _made_once(self.client_args), takes_self=True),
    )

    def fetch(self, request: TokenRequest, deadline: Deadline) -> AccessToken:
        """
        A new token.

        Connect errors, timeouts, 408, 429 and 5xx are tried again, with jittered pauses that
        Retry-After may lengthen, as long as *deadline* allows.

        Raises:
            TokenError: There is none to be had.
        """
        with self._client() as client:
            attempt = 1
            while True:
                try:
                    return self._once(client, request, deadline)
                except TokenEndpointUnavailable as error:
                    pause = _pause_before_next(attempt, error)
                    if attempt == ATTEMPTS or pause >= deadline.remaining():
                        raise
                    logger.info("%s; next attempt in %.1f s", error, pause)
                self.clock.sleep(pause)
                attempt += 1

    @contextmanager
    def _client(self) -> Iterator[httpx.Client]:
        """
        A client that shares nothing with the user's: no hooks, cookies, redirects or history.
        """
        arguments = dict(self.client_args)
        arguments.pop("cert", None)  # it is part of the context
        arguments["verify"] = self.tls()
        if arguments.get("transport") is not None:
            arguments["transport"] = _Borrowed(arguments["transport"])
        if arguments.get("mounts") is not None:
            arguments["mounts"] = {
                pattern: transport and _Borrowed(transport)
                for pattern, transport in arguments["mounts"].items()
            }
        with httpx.Client(**arguments, follow_redirects=False) as client:
            yield client

    def _once(self, client: httpx.Client, request: TokenRequest, deadline: Deadline) -> AccessToken:
        # Before sending: the server starts counting later than we do, never earlier.
        issued_at = self.clock.wall()
        failure: TokenError | None = None
        try:
            answer = self._exchange(client, request, deadline)
        except httpx.RequestError as error:
            failure = _no_answer(request, error)
        if failure is not None:
            # Raised out here: httpx's error carries the request with its Basic header, and must
            # not even be the context of ours.
            raise failure
        try:
            grant = grant_from(answer, request)
        except TokenError as error:
            error.retry_after = retry_after_from(answer.headers, self.clock.wall())
            raise
        _remark(grant, request)
        return AccessToken(
            value=grant.value,
            scopes=grant.scopes,
            requested_scopes=frozenset(request.scopes),
            issued_at=issued_at,
            expires_at=issued_at + max(grant.lifetime, 0.0),
        )

    def _exchange(self, client: httpx.Client, request: TokenRequest, deadline: Deadline) -> Answer:
        sent = request.build()
        sent.extensions["timeout"] = self._timeout_within(deadline).as_dict()
        response = client.send(sent, stream=True, auth=httpx.Auth())
        try:
            content = bytearray()
            # As it comes: in chunks of a size, a slow body would not be looked at before its end.
            for chunk in response.iter_bytes():
                content += chunk
                if len(content) > MAX_ANSWER_BYTES:
                    break
                if deadline.remaining() <= 0:
                    # Each read was in time, the body as a whole is not.
                    raise httpx.ReadTimeout("the answer is too slow")
        finally:
            response.close()
        return Answer(
            status_code=response.status_code,
            headers=response.headers,
            content=bytes(content),
        )

    def _timeout_within(self, deadline: Deadline) -> httpx.Timeout:
        left = max(deadline.remaining(), 0.001)
        parts = self.timeout.as_dict().items()
        return httpx.Timeout(**{k: left if v is None else min(v, left) for k, v in parts})


def _made_once(arguments: Mapping[str, Any]) -> Callable[[], ssl.SSLContext]:
    settings = {k: v for k, v in arguments.items() if k in {"verify", "cert", "trust_env"}}
    return functools.cache(functools.partial(httpx.create_ssl_context, **settings))


class _Borrowed(httpx.BaseTransport):
    """
    The user's transport, left open when our client closes.
    """

    def __init__(self, transport: httpx.BaseTransport) -> None:
        self._transport = transport

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._transport.handle_request(request)


def _pause_before_next(attempt: int, error: TokenError) -> float:
    """
    Seconds to wait: doubled each time, jittered so that a fleet does not come back as one.
    """
    backoff: float = FIRST_PAUSE * 2 ** (attempt - 1) * random.uniform(0.5, 1.0)  # noqa: S311
    return max(backoff, error.retry_after or 0.0)


def _no_answer(request: TokenRequest, error: httpx.RequestError) -> TokenError:
    if isinstance(error, httpx.TransportError):
        return _unreachable(request, error)
    return unusable(request, "its compression is broken")


def _unreachable(request: TokenRequest, error: httpx.TransportError) -> TokenEndpointUnavailable:
    what = "timed out" if isinstance(error, httpx.TimeoutException) else "cannot be reached"
    failure = TokenEndpointUnavailable(
        request.blanked(
            f"token endpoint {request.token_url.copy_with(query=None)} {what}"
            f" ({type(error).__name__}: {error}). Check the network, proxy and TLS settings, or"
            " try again later"
        ),
        retryable=True,
    )
    failure.request = request.bare()
    return failure


def _remark(grant: Grant, request: TokenRequest) -> None:
    missing = frozenset(request.scopes) - grant.scopes
    if missing:
        logger.warning(
            "the token endpoint granted fewer scopes than asked for; missing: %s",
            " ".join(sorted(missing)),
        )
    if grant.lifetime_assumed:
        logger.warning(
            "the token endpoint gave no readable expires_in; %.0f s are assumed", grant.lifetime
        )
