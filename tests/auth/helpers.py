"""
A clock, a token endpoint and an API of the tests' own, and one way to drive sync and async alike.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import attrs
import httpx
import trio

from auth_ext import AccessToken, Clock, OAuth2ClientCredentials

API = "https://api.signicat.io"
TOKEN_URL = "https://api.signicat.io/oauth/connect/token"
CLIENT_ID = "an-id"
SECRET = "planted-secret-7f3a"
PATIENCE = 20.0  # seconds before a test that waits for something gives up


@attrs.define
class Hands:
    """
    A clock whose hands the test turns; waiting turns them too.
    """

    wall: float = 1_800_000_000.0
    steady: float = 5_000.0
    slept: list[float] = attrs.field(factory=list)

    @property
    def clock(self) -> Clock:
        """
        These hands as a clock.
        """
        return Clock(wall=lambda: self.wall, steady=lambda: self.steady, sleep=self.sleep)

    def turn(self, seconds: float) -> None:
        """
        Let that many seconds pass.
        """
        self.wall += seconds
        self.steady += seconds

    def sleep(self, seconds: float) -> None:
        """
        Wait, in no time.
        """
        self.slept.append(seconds)
        self.turn(seconds)


Answer = httpx.Response | Exception


def token_answer(value: str = "token-x", **members: Any) -> httpx.Response:
    """
    A token as a server gives it; a member set to None is left out.
    """
    said = {"access_token": value, "expires_in": 3600, "token_type": "Bearer", **members}
    return httpx.Response(200, json={name: v for name, v in said.items() if v is not None})


def refusal(error: str, status_code: int = 400) -> httpx.Response:
    """
    A refusal with that code.
    """
    return httpx.Response(status_code, json={"error": error})


class Issuer:
    """
    A token endpoint without a network: gives token-1, token-2, ..., or what the test lines up.
    """

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.lined_up: deque[Answer] = deque()
        self.always: Callable[[], Answer] | None = None
        self.lifetime: Any = 3600
        self.entered = threading.Semaphore(0)
        self.gate = threading.Event()
        self.gate.set()
        self._lock = threading.Lock()

    @property
    def count(self) -> int:
        """
        How many token requests came.
        """
        return len(self.requests)

    @property
    def httpx_args(self) -> dict[str, Any]:
        """
        What makes the flow ask here.
        """
        return {"transport": httpx.MockTransport(self.handle)}

    def handle(self, request: httpx.Request) -> httpx.Response:
        """
        Answer a request.
        """
        with self._lock:
            self.requests.append(request)
            number = len(self.requests)
            answer = self.lined_up.popleft() if self.lined_up else None
        self.entered.release()
        assert self.gate.wait(PATIENCE)
        if answer is None and self.always is not None:
            answer = self.always()
        if isinstance(answer, Exception):
            raise answer
        return answer or token_answer(f"token-{number}", expires_in=self.lifetime)

    def wait_until_asked(self) -> None:
        """
        Wait for the next token request to come.
        """
        assert self.entered.acquire(timeout=PATIENCE)


class Api:
    """
    An API without a network: 200 with a good token, 401 with one that is revoked or missing.
    """

    def __init__(self) -> None:
        self.tokens: list[str | None] = []
        self.revoked: set[str] = set()
        self.refuses_all = False

    def handle(self, request: httpx.Request) -> httpx.Response:
        """
        Answer a request.
        """
        token = token_of(request)
        self.tokens.append(token)
        good = token is not None and token not in self.revoked and not self.refuses_all
        return httpx.Response(200 if good else 401, json={"ok": good})

    @property
    def transport(self) -> httpx.MockTransport:
        """
        The way to it.
        """
        return httpx.MockTransport(self.handle)


def token_of(request: httpx.Request) -> str | None:
    """
    The bearer token that a request carries.
    """
    header = request.headers.get("Authorization")
    return None if header is None else header.removeprefix("Bearer ")


class World:
    """
    One clock, one token endpoint, one API.
    """

    def __init__(self) -> None:
        self.hands = Hands()
        self.issuer = Issuer()
        self.api = Api()
        self.events: list[Any] = []

    def auth(self, client_secret: str = SECRET, **settings: Any) -> OAuth2ClientCredentials:
        """
        A flow in this world.
        """
        settings = {
            "scopes": "event",
            "httpx_args": self.issuer.httpx_args,
            "clock": self.hands.clock,
            "on_event": self.events.append,
            **settings,
        }
        return OAuth2ClientCredentials(CLIENT_ID, client_secret, **settings)

    @property
    def kinds(self) -> list[str]:
        """
        What happened, in order.
        """
        return [event.kind for event in self.events]


Reply = Callable[[httpx.Request], httpx.Response]


class Drive(Protocol):
    """
    What a test does with an httpx client, whichever kind it is.
    """

    name: str

    def send(self, transport: Any, request: httpx.Request, **options: Any) -> httpx.Response:
        """
        The answer to one request of one client.
        """
        ...

    def token(self, auth: OAuth2ClientCredentials, scopes: Any = None) -> AccessToken:
        """
        A token, without a request.
        """
        ...

    def converse(
        self, auth: OAuth2ClientCredentials, request: httpx.Request, *replies: Reply
    ) -> list[str | None]:
        """
        The flow driven by hand: the Authorization header of each request it gives.
        """
        ...


def reply(status_code: int, **about: Any) -> Reply:
    """
    An answer to whatever request the flow gives.
    """
    return lambda request: httpx.Response(status_code, request=request, **about)


class SyncDrive:
    """
    From a thread.
    """

    name = "sync"

    def send(self, transport: Any, request: httpx.Request, **options: Any) -> httpx.Response:
        """
        The answer to one request of one client.
        """
        send_options = {k: options.pop(k) for k in ("stream",) if k in options}
        with httpx.Client(transport=transport, **options) as client:
            return client.send(request, **send_options)

    def token(self, auth: OAuth2ClientCredentials, scopes: Any = None) -> AccessToken:
        """
        A token, without a request.
        """
        return auth.get_token(scopes)

    def converse(
        self, auth: OAuth2ClientCredentials, request: httpx.Request, *replies: Reply
    ) -> list[str | None]:
        """
        The flow driven by hand: the Authorization header of each request it gives.
        """
        flow = auth.sync_auth_flow(request)
        given = next(flow)
        headers = [given.headers.get("Authorization")]
        for answer in replies:
            try:
                given = flow.send(answer(given))
            except StopIteration:
                return headers
            headers.append(given.headers.get("Authorization"))
        flow.close()
        return headers


class AsyncDrive:
    """
    From a task.
    """

    def __init__(self, name: str, run: Callable[[Callable[[], Awaitable[Any]]], Any]) -> None:
        self.name = name
        self._run = run

    def send(self, transport: Any, request: httpx.Request, **options: Any) -> httpx.Response:
        """
        The answer to one request of one client.
        """
        send_options = {k: options.pop(k) for k in ("stream",) if k in options}

        async def act() -> httpx.Response:
            async with httpx.AsyncClient(transport=transport, **options) as client:
                return await client.send(request, **send_options)

        return self._checked(act)

    def token(self, auth: OAuth2ClientCredentials, scopes: Any = None) -> AccessToken:
        """
        A token, without a request.
        """

        async def act() -> AccessToken:
            return await auth.aget_token(scopes)

        token = self._run(act)
        assert isinstance(token, AccessToken)
        return token

    def converse(
        self, auth: OAuth2ClientCredentials, request: httpx.Request, *replies: Reply
    ) -> list[str | None]:
        """
        The flow driven by hand: the Authorization header of each request it gives.
        """

        async def act() -> list[str | None]:
            flow = auth.async_auth_flow(request)
            given = await anext(flow)
            headers = [given.headers.get("Authorization")]
            for answer in replies:
                try:
                    given = await flow.asend(answer(given))
                except StopAsyncIteration:
                    return headers
                headers.append(given.headers.get("Authorization"))
            await flow.aclose()
            return headers

        return list(self._run(act))

    def _checked(self, act: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
        response = self._run(act)
        assert isinstance(response, httpx.Response)
        return response


def _on_asyncio(act: Callable[[], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        return await act()

    return asyncio.run(main())


DRIVES: dict[str, Drive] = {
    "sync": SyncDrive(),
    "asyncio": AsyncDrive("asyncio", _on_asyncio),
    "trio": AsyncDrive("trio", trio.run),
}
