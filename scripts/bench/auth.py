"""
What the auth flow costs and saves, beside a static header, httpx-auth and Authlib.

Three questions, each answered by real httpx clients in one process, contenders interleaved:

- overhead: processor time per request with a cached token, as a ratio to the same request with a
  fixed header (no network takes part, so that is all the time there is, and other programs on the
  machine do not show in it);
- token_requests: how many it takes for 100 threads and 2 event loops of 50 tasks, cold and when the
  API refuses the token that all of them hold, and how many callers got a 200 in the end;
- rollover_ms: how much longer than the median the slowest request took while a token came to its
  end and the token endpoint needed 300 ms; "static" has no token and tells the machine's own noise.

Prints JSON. `--quick`: fewer rounds, for a machine that is busy with other things.
"""

import argparse
import asyncio
import gc
import json
import random
import statistics
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import httpx

from auth_ext import OAuth2ClientCredentials

API = "https://api.signicat.io"
TOKEN_URL = "https://api.signicat.io/oauth/connect/token"  # noqa: S105 - an address
SECRET = "not-a-secret"  # noqa: S105
THREADS, LOOPS, TASKS = 100, 2, 50
EVERYBODY = THREADS + LOOPS * TASKS
PATIENCE = 60.0


class Endpoint:
    """
    A token endpoint that counts and takes its time.
    """

    def __init__(self, *, lifetime: float = 3600.0, delay: float = 0.0) -> None:
        self.lifetime = lifetime
        self.delay = delay
        self.count = 0
        self._lock = threading.Lock()

    def _next(self) -> httpx.Response:
        with self._lock:
            self.count += 1
            value = f"token-{self.count}"
        body = {"access_token": value, "expires_in": self.lifetime, "token_type": "Bearer"}
        return httpx.Response(200, json=body)

    def handle(self, _: httpx.Request) -> httpx.Response:
        """
        Answer as a server would that needs `delay` seconds.
        """
        time.sleep(self.delay)
        return self._next()

    async def handle_async(self, _: httpx.Request) -> httpx.Response:
        """
        The same without blocking the loop.
        """
        await asyncio.sleep(self.delay)
        return self._next()


class Api(Protocol):
    """
    What answers API requests.
    """

    def handle(self, request: httpx.Request) -> httpx.Response:
        """
        In a thread.
        """
        ...

    async def handle_async(self, request: httpx.Request) -> httpx.Response:
        """
        In a task.
        """
        ...


class Willing:
    """
    An API that answers at once.
    """

    def handle(self, _: httpx.Request) -> httpx.Response:
        """
        200.
        """
        return httpx.Response(200)

    async def handle_async(self, _: httpx.Request) -> httpx.Response:
        """
        200.
        """
        return httpx.Response(200)


class Crowded:
    """
    An API that refuses one token, and does so only when everybody has come with it.
    """

    def __init__(self, refused: str | None) -> None:
        self._refused = None if refused is None else f"Bearer {refused}"
        self._missing = EVERYBODY
        self._lock = threading.Lock()
        self._complete = threading.Event()
        self._loops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    def _arrive(self) -> None:
        with self._lock:
            self._missing -= 1
            if self._missing == 0:
                self._complete.set()
                for loop, event in self._loops:
                    loop.call_soon_threadsafe(event.set)

    def _is_refused(self, request: httpx.Request) -> bool:
        return bool(request.headers.get("Authorization") == self._refused)

    def handle(self, request: httpx.Request) -> httpx.Response:
        """
        401 for the refused token, 200 for any other.
        """
        if not self._is_refused(request):
            return httpx.Response(200)
        self._arrive()
        self._complete.wait(PATIENCE)
        return httpx.Response(401)

    async def handle_async(self, request: httpx.Request) -> httpx.Response:
        """
        The same in a task.
        """
        if not self._is_refused(request):
            return httpx.Response(200)
        event = asyncio.Event()
        with self._lock:
            self._loops.append((asyncio.get_running_loop(), event))
        self._arrive()
        if not self._complete.is_set():
            await event.wait()
        return httpx.Response(401)


class Contender(Protocol):
    """
    One way to authenticate; it makes clients that share whatever it shares.
    """

    name: str

    def client(self, api: Api) -> httpx.Client:
        """
        A client for a thread.
        """
        ...

    def async_client(self, api: Api) -> httpx.AsyncClient:
        """
        A client for a loop.
        """
        ...


class Static:
    """
    A fixed header: the least that any auth can cost.
    """

    name = "static"

    def __init__(self, _: Endpoint) -> None:
        self._headers = {"Authorization": "Bearer token-1"}

    def client(self, api: Api) -> httpx.Client:
        """
        Without auth.
        """
        return httpx.Client(headers=self._headers, transport=httpx.MockTransport(api.handle))

    def async_client(self, api: Api) -> httpx.AsyncClient:
        """
        Without auth.
        """
        transport = httpx.MockTransport(api.handle_async)
        return httpx.AsyncClient(headers=self._headers, transport=transport)


class _ByAuth:
    """
    Whatever is an `httpx.Auth`: one instance for all clients.
    """

    _auth: httpx.Auth

    def client(self, api: Api) -> httpx.Client:
        """
        With the one instance.
        """
        return httpx.Client(auth=self._auth, transport=httpx.MockTransport(api.handle))

    def async_client(self, api: Api) -> httpx.AsyncClient:
        """
        With the one instance.
        """
        return httpx.AsyncClient(auth=self._auth, transport=httpx.MockTransport(api.handle_async))


class Ours(_ByAuth):
    """
    auth_ext.
    """

    name = "auth_ext"

    def __init__(self, endpoint: Endpoint) -> None:
        self._auth = OAuth2ClientCredentials(
            "id",
            SECRET,
            scopes="event",
            token_url=TOKEN_URL,
            httpx_args={"transport": httpx.MockTransport(endpoint.handle)},
        )


class HttpxAuth(_ByAuth):
    """
    httpx-auth.
    """

    name = "httpx-auth"

    def __init__(self, endpoint: Endpoint) -> None:
        from httpx_auth import OAuth2
        from httpx_auth import OAuth2ClientCredentials as Theirs

        OAuth2.token_cache.clear()  # it is global
        self._auth = Theirs(
            TOKEN_URL,
            "id",
            SECRET,
            scope="event",
            early_expiry=0.1,
            client=httpx.Client(transport=httpx.MockTransport(endpoint.handle)),
        )


class Authlib:
    """
    Authlib: a client that is its own auth, one for all threads and one for each loop.

    Its token is fetched when there is none, as its documentation shows.
    """

    name = "authlib"

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._shared: httpx.Client | None = None
        self._lock = threading.Lock()

    def _router(self, api: Api) -> httpx.MockTransport:
        def route(request: httpx.Request) -> httpx.Response:
            return (self._endpoint if str(request.url) == TOKEN_URL else api).handle(request)

        return httpx.MockTransport(route)

    def _router_async(self, api: Api) -> httpx.MockTransport:
        async def route(request: httpx.Request) -> httpx.Response:
            to = self._endpoint if str(request.url) == TOKEN_URL else api
            return await to.handle_async(request)

        return httpx.MockTransport(route)

    def _options(self, transport: httpx.MockTransport) -> dict[str, Any]:
        return {
            "client_id": "id",
            "client_secret": SECRET,
            "scope": "event",
            "token_endpoint": TOKEN_URL,
            "grant_type": "client_credentials",
            "leeway": 0.1,
            "transport": transport,
        }

    def client(self, api: Api) -> httpx.Client:
        """
        The one client of all threads.
        """
        from authlib.integrations.httpx_client import OAuth2Client

        class Fetching(OAuth2Client):
            def get(self, *about: Any, **more: Any) -> Any:
                if self.token is None:
                    self.fetch_token()
                return super().get(*about, **more)

            def close(self) -> None:
                """
                Shared: left open.
                """

        with self._lock:
            if self._shared is None:
                self._shared = Fetching(**self._options(self._router(api)))
            return self._shared

    def async_client(self, api: Api) -> httpx.AsyncClient:
        """
        The client of one loop.
        """
        from authlib.integrations.httpx_client import AsyncOAuth2Client

        class Fetching(AsyncOAuth2Client):
            async def get(self, *about: Any, **more: Any) -> Any:
                if self.token is None:
                    await self.fetch_token()
                return await super().get(*about, **more)

        client: httpx.AsyncClient = Fetching(**self._options(self._router_async(api)))
        return client


CONTENDERS: list[Callable[[Endpoint], Contender]] = [Static, Ours, HttpxAuth, Authlib]


# Overhead


@contextmanager
def no_collection() -> Iterator[None]:
    """
    Without the garbage collector, whose pauses would be blamed on whoever runs.
    """
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def ratios(rounds: list[dict[str, float]]) -> dict[str, dict[str, Any]]:
    """
    Median and quartiles of each contender's time over that of the static header, round by round.
    """
    told = {}
    for name in rounds[0]:
        each = sorted(times[name] / times["static"] for times in rounds)
        low, middle, high = statistics.quantiles(each, n=4)
        told[name] = {
            "ratio": round(middle, 3),
            "quartiles": [round(low, 3), round(high, 3)],
            "us_per_request": round(1e6 * min(times[name] for times in rounds), 1),
        }
    return told


def overhead_sync(rounds: int, requests: int) -> dict[str, dict[str, Any]]:
    """
    Seconds per request of a thread.
    """
    clients = [(c.name, c.client(Willing())) for c in (make(Endpoint()) for make in CONTENDERS)]
    for _, client in clients:
        client.get(API)
    taken = []
    for _ in range(rounds):
        random.shuffle(clients)
        times = {}
        for name, client in clients:
            with no_collection():
                started = time.thread_time()
                for _ in range(requests):
                    client.get(API)
                times[name] = (time.thread_time() - started) / requests
        taken.append(times)
    return ratios(taken)


async def overhead_async(rounds: int, requests: int) -> dict[str, dict[str, Any]]:
    """
    Seconds per request of a task.
    """
    clients = [
        (c.name, c.async_client(Willing())) for c in (make(Endpoint()) for make in CONTENDERS)
    ]
    for _, client in clients:
        await client.get(API)
    taken = []
    for _ in range(rounds):
        random.shuffle(clients)
        times = {}
        for name, client in clients:
            with no_collection():
                started = time.thread_time()
                for _ in range(requests):
                    await client.get(API)
                times[name] = (time.thread_time() - started) / requests
        taken.append(times)
    return ratios(taken)


# Token requests


def crowd(contender: Contender, api: Api) -> list[int]:
    """
    One request of each of 100 threads and 2 x 50 tasks at once; their status codes.
    """
    outcomes: list[int] = []
    start = threading.Barrier(THREADS + LOOPS)

    def one_thread() -> None:
        client = contender.client(api)
        start.wait(PATIENCE)
        outcomes.append(client.get(API).status_code)
        client.close()

    async def one_loop() -> None:
        async with contender.async_client(api) as client:
            start.wait(PATIENCE)
            answers: list[Awaitable[httpx.Response]] = [client.get(API) for _ in range(TASKS)]
            outcomes.extend(answer.status_code for answer in await asyncio.gather(*answers))

    threads = [threading.Thread(target=one_thread) for _ in range(THREADS)]
    threads += [threading.Thread(target=asyncio.run, args=(one_loop(),)) for _ in range(LOOPS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    return outcomes


def cold(make: Callable[[Endpoint], Contender]) -> dict[str, int]:
    """
    Nobody has a token yet.
    """
    endpoint = Endpoint(delay=0.05)
    outcomes = crowd(make(endpoint), Willing())
    return {"token_requests": endpoint.count, "succeeded": outcomes.count(200)}


def on_401(make: Callable[[Endpoint], Contender]) -> dict[str, int]:
    """
    Everybody holds the same token when the API refuses it.
    """
    endpoint = Endpoint(delay=0.05)
    contender = make(endpoint)
    contender.client(Willing()).get(API)
    outcomes = crowd(contender, Crowded(refused="token-1"))
    return {"token_requests": endpoint.count - 1, "succeeded": outcomes.count(200)}


# Rollover


def rollover(make: Callable[[Endpoint], Contender], lifetime: float) -> dict[str, float]:
    """
    Milliseconds of a thread's requests across the end of a token's life.
    """
    endpoint = Endpoint(lifetime=lifetime)
    client = make(endpoint).client(Willing())
    client.get(API)
    endpoint.delay = 0.3
    taken = []
    end = time.monotonic() + lifetime + 1.0
    while time.monotonic() < end:
        started = time.perf_counter()
        client.get(API)
        taken.append(1e3 * (time.perf_counter() - started))
        time.sleep(0.001)
    client.close()
    median = statistics.median(taken)
    return {
        "median": round(median, 3),
        "slowest_over_median": round(max(taken) - median, 3),
        "requests": len(taken),
        "token_requests": endpoint.count,
    }


def main(arguments: list[str]) -> None:
    """
    Measure and print.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    quick = parser.parse_args(arguments).quick
    rounds, requests = (15, 100) if quick else (60, 300)
    real = CONTENDERS[1:]
    # Authlib's clients are bound to one loop each, so it takes part where one client is enough.
    report = {
        "overhead": {
            "sync": overhead_sync(rounds, requests),
            "async": asyncio.run(overhead_async(rounds, requests)),
        },
        "token_requests": {
            "callers": EVERYBODY,
            "cold": {make(Endpoint()).name: cold(make) for make in real},
            "on_401": {make(Endpoint()).name: on_401(make) for make in real[:2]},
        },
        "rollover_ms": {
            make(Endpoint()).name: rollover(make, 4.0 if quick else 6.0) for make in CONTENDERS
        },
    }
    json.dump(report, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main(sys.argv[1:])
