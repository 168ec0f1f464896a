"""
Many callers at once: the bad order is forced by barriers and events, token requests are counted.
"""

import asyncio
import gc
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Any

import httpx
import pytest
import trio
import trio.testing

from auth_ext import InvalidClient, MemoryTokenStore, OAuth2ClientCredentials
from auth_ext._refresh import TokenDesk, _desks, desk_for
from tests.auth.helpers import API, PATIENCE, SyncDrive, World, refusal, reply, token_of

THREADS, LOOPS, TASKS = 100, 2, 50
EVERYBODY = THREADS + LOOPS * TASKS


class Meeting:
    """
    Where callers wait until all are there; tasks without blocking their loop.
    """

    def __init__(self, count: int) -> None:
        self._missing = count
        self._lock = threading.Lock()
        self._complete: Future[None] = Future()

    def _arrive(self) -> None:
        with self._lock:
            self._missing -= 1
            complete = self._missing == 0
        if complete:
            self._complete.set_result(None)

    def wait(self) -> None:
        """
        In a thread.
        """
        self._arrive()
        self._complete.result(PATIENCE)

    async def wait_async(self) -> None:
        """
        In a task.
        """
        self._arrive()
        # Not wrap_future: that would cancel the future of all when one is cancelled.
        await asyncio.shield(asyncio.wrap_future(self._complete))


class CrowdedApi:
    """
    An API that answers nobody before everybody has asked with the first token.
    """

    def __init__(self, refused: str | None = None) -> None:
        self.meeting = Meeting(EVERYBODY)
        self.refused = refused
        self.answers: list[int] = []

    def _answer(self, request: httpx.Request) -> httpx.Response:
        status_code = 401 if token_of(request) == self.refused else 200
        self.answers.append(status_code)
        return httpx.Response(status_code)

    def handle(self, request: httpx.Request) -> httpx.Response:
        """
        In a thread.
        """
        if token_of(request) == self.refused:
            self.meeting.wait()
        return self._answer(request)

    async def handle_async(self, request: httpx.Request) -> httpx.Response:
        """
        In a task.
        """
        if token_of(request) == self.refused:
            await self.meeting.wait_async()
        return self._answer(request)


def crowd(auth: OAuth2ClientCredentials, api: CrowdedApi) -> list[Any]:
    """
    100 threads and 2 loops of 50 tasks, each with one request; their status codes.
    """
    outcomes: list[Any] = []
    start = threading.Barrier(THREADS + LOOPS)

    def one_thread() -> None:
        with httpx.Client(auth=auth, transport=httpx.MockTransport(api.handle)) as client:
            start.wait(PATIENCE)
            outcomes.append(client.get(API).status_code)

    def one_loop() -> None:
        async def main() -> None:
            transport = httpx.MockTransport(api.handle_async)
            async with httpx.AsyncClient(auth=auth, transport=transport) as client:
                start.wait(PATIENCE)
                answers = await asyncio.gather(*(client.get(API) for _ in range(TASKS)))
            outcomes.extend(answer.status_code for answer in answers)

        asyncio.run(main())

    targets = [one_thread] * THREADS + [one_loop] * LOOPS
    threads = [threading.Thread(target=target) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    return outcomes


def test_everybody_cold(world: World) -> None:
    """
    One token request for all of them.
    """
    asked = threading.Semaphore(0)

    def scopes(request: httpx.Request) -> str:
        asked.release()
        return "event"

    auth = world.auth(scopes=scopes)
    world.issuer.gate.clear()

    def open_when_all_have_asked() -> None:
        for _ in range(EVERYBODY):
            assert asked.acquire(timeout=PATIENCE)
        world.issuer.gate.set()

    opener = threading.Thread(target=open_when_all_have_asked)
    opener.start()
    outcomes = crowd(auth, CrowdedApi())
    opener.join(PATIENCE)

    assert [200] * EVERYBODY == outcomes
    assert 1 == world.issuer.count


def test_everybody_refused(world: World) -> None:
    """
    All hold the same token when the API refuses it: one renewal for all of them.
    """
    auth = world.auth()
    auth.get_token()
    api = CrowdedApi(refused="token-1")

    assert [200] * EVERYBODY == crowd(auth, api)
    assert 2 == world.issuer.count
    assert (EVERYBODY, EVERYBODY) == (api.answers.count(401), api.answers.count(200))


def test_a_trio_run_beside_a_loop_and_threads(world: World) -> None:
    """
    One flight wakes all kinds of waiters.
    """
    auth = world.auth()
    world.issuer.gate.clear()
    asked = threading.Semaphore(0)
    ask = auth._desk._ask

    def counted(*about: Any) -> Any:
        found = ask(*about)
        asked.release()
        return found

    auth._desk._ask = counted  # type: ignore[method-assign,assignment]
    values: list[str] = []

    async def trio_main() -> None:
        async def one() -> None:
            values.append((await auth.aget_token()).value)

        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(one)

    async def asyncio_main() -> None:
        tokens = await asyncio.gather(*(auth.aget_token() for _ in range(20)))
        values.extend(token.value for token in tokens)

    threads = [
        threading.Thread(target=lambda: trio.run(trio_main)),
        threading.Thread(target=lambda: asyncio.run(asyncio_main())),
        *(threading.Thread(target=lambda: values.append(auth.get_token().value)) for _ in range(5)),
    ]
    for thread in threads:
        thread.start()
    for _ in range(45):
        assert asked.acquire(timeout=PATIENCE)
    world.issuer.gate.set()
    for thread in threads:
        thread.join(PATIENCE)

    assert (["token-1"] * 45, 1) == (values, world.issuer.count)


def run_asyncio(main: Callable[[], Awaitable[None]]) -> None:
    """
    Run a coroutine function on a new loop.
    """

    async def wrapped() -> None:
        await main()

    asyncio.run(wrapped())


def test_a_cancelled_asyncio_waiter_hurts_nobody(world: World) -> None:
    """
    The first caller, whose request started the flight, is cancelled; the others get the token.
    """
    auth = world.auth()
    world.issuer.gate.clear()
    thread_value: list[str] = []

    async def main() -> None:
        first = asyncio.ensure_future(auth.aget_token())
        await asyncio.to_thread(world.issuer.wait_until_asked)
        second = asyncio.ensure_future(auth.aget_token())
        thread = threading.Thread(target=lambda: thread_value.append(auth.get_token().value))
        thread.start()
        await asyncio.wait([first, second], timeout=0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        world.issuer.gate.set()
        assert "token-1" == (await second).value
        thread.join(PATIENCE)

    run_asyncio(main)
    assert (["token-1"], 1) == (thread_value, world.issuer.count)


def test_a_cancelled_trio_waiter_hurts_nobody(world: World) -> None:
    """
    The same under trio.
    """
    auth = world.auth()
    world.issuer.gate.clear()
    values: list[str] = []

    async def main() -> None:
        async def patient() -> None:
            values.append((await auth.aget_token()).value)

        async with trio.open_nursery() as nursery:
            with trio.CancelScope() as scope:
                nursery.start_soon(patient)
                async with trio.open_nursery() as inner:
                    inner.start_soon(auth.aget_token)
                    await trio.to_thread.run_sync(world.issuer.wait_until_asked)
                    await trio.testing.wait_all_tasks_blocked()
                    scope.cancel()
            assert scope.cancelled_caught
            world.issuer.gate.set()

    trio.run(main)
    assert (["token-1"], 1) == (values, world.issuer.count)


def test_a_request_cancelled_by_its_timeout_leaves_a_token_behind(world: World) -> None:
    """
    The flight goes on; whoever comes next has what it brought.
    """
    auth = world.auth()
    world.issuer.gate.clear()

    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await auth.aget_token()
        flight = next(iter(auth._desk._flights.values()))
        world.issuer.gate.set()
        assert "token-1" == flight.wait().token.value

    run_asyncio(main)
    assert "token-1" == auth.get_token().value
    assert 1 == world.issuer.count


def test_the_loop_is_never_blocked(world: World) -> None:
    """
    While a task waits for a token, the loop goes round.
    """
    auth = world.auth()
    world.issuer.gate.clear()

    async def main() -> None:
        waiter = asyncio.ensure_future(auth.aget_token())
        for _ in range(1000):
            await asyncio.sleep(0)
        assert not waiter.done()
        world.issuer.gate.set()  # by the loop itself: it would never get here if it were blocked
        assert "token-1" == (await waiter).value

    run_asyncio(main)


def test_a_loop_that_sleeps_is_woken(world: World) -> None:
    """
    Nothing else happens on the loop: only the flight's call from its thread can wake it.
    """
    auth = world.auth()
    world.issuer.gate.clear()

    def open_when_asked() -> None:
        world.issuer.wait_until_asked()
        world.issuer.gate.set()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        opener = threading.Thread(target=open_when_asked)
        opener.start()
        assert "token-1" == (await auth.aget_token()).value
        opener.join(PATIENCE)
        assert loop.time() - started < PATIENCE

    run_asyncio(main)


@pytest.mark.parametrize("kind", ["asyncio", "trio"])
def test_a_loop_that_ends_before_its_flight(world: World, kind: str) -> None:
    """
    Whoever waited there is gone; the flight lands in peace.
    """
    auth = world.auth()
    world.issuer.gate.clear()

    async def give_up_asyncio() -> None:
        await asyncio.wait([asyncio.ensure_future(auth.aget_token())], timeout=0)
        await asyncio.to_thread(world.issuer.wait_until_asked)

    async def give_up_trio() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(auth.aget_token)
            await trio.to_thread.run_sync(world.issuer.wait_until_asked)
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()

    if kind == "asyncio":
        asyncio.run(give_up_asyncio())
    else:
        trio.run(give_up_trio)
    flight = next(iter(auth._desk._flights.values()))
    world.issuer.gate.set()

    assert "token-1" == flight.wait().token.value == auth.get_token().value


def test_every_task_gets_its_own_exception(world: World) -> None:
    """
    One refusal, one instance for each.
    """
    auth = world.auth()
    world.issuer.lined_up.append(refusal("invalid_client"))

    async def main() -> None:
        world.issuer.gate.clear()
        tasks = [asyncio.ensure_future(auth.aget_token()) for _ in range(10)]
        await asyncio.to_thread(world.issuer.wait_until_asked)
        world.issuer.gate.set()
        errors = await asyncio.gather(*tasks, return_exceptions=True)
        assert 10 == len({id(error) for error in errors})
        assert {InvalidClient} == {type(error) for error in errors}

    run_asyncio(main)
    assert 1 == world.issuer.count


def test_a_failed_flight_is_followed_by_another(world: World) -> None:
    """
    A crash of the transport in the first caller's flight is not the second caller's fate.
    """
    auth = world.auth()
    world.issuer.lined_up.append(LookupError("bug"))
    with pytest.raises(Exception, match="LookupError"):
        auth.get_token()

    assert "token-2" == auth.get_token().value


def test_instances_that_share_a_store_share_a_flight(world: World) -> None:
    """
    One request for two instances at once.
    """
    store = MemoryTokenStore()
    one, other = world.auth(store=store), world.auth(store=store)
    world.issuer.gate.clear()
    values: list[str] = []
    first = threading.Thread(target=lambda: values.append(one.get_token().value))
    first.start()
    world.issuer.wait_until_asked()
    assert one._desk._flights is other._desk._flights
    second = threading.Thread(target=lambda: values.append(other.get_token().value))
    second.start()
    world.issuer.gate.set()
    first.join(PATIENCE)
    second.join(PATIENCE)

    assert (["token-1"] * 2, 1) == (values, world.issuer.count)


def test_nobody_sends_a_token_that_is_known_to_be_refused(world: World) -> None:
    """
    While its renewal is under way, everybody else waits for the new one.
    """
    auth = world.auth()
    auth.get_token()
    world.issuer.wait_until_asked()
    world.issuer.gate.clear()
    refused = threading.Thread(
        target=SyncDrive().converse,
        args=(auth, httpx.Request("GET", API), reply(401), reply(200)),
    )
    refused.start()
    world.issuer.wait_until_asked()
    values: list[str] = []
    other = threading.Thread(target=lambda: values.append(auth.get_token().value))
    other.start()
    world.issuer.gate.set()
    refused.join(PATIENCE)
    other.join(PATIENCE)

    assert (["token-2"], 2) == (values, world.issuer.count)


def test_a_desk_goes_with_its_last_user() -> None:
    """
    A store that nobody uses any more leaves nothing behind, so its identity can be reused.
    """
    store = MemoryTokenStore()
    desk = desk_for(store)
    assert desk is desk_for(store)
    assert isinstance(desk, TokenDesk)

    identity = id(store)
    del desk
    gc.collect()
    assert identity not in _desks
