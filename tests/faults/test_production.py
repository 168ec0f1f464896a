"""
What long-running programs do to the auth layer: signals, exits, loops that end, too many keys.
"""

import asyncio
import gc
import logging
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
import trio

from auth_ext import (
    ConfigurationError,
    MemoryTokenStore,
    OAuth2ClientCredentials,
    TokenEndpointUnavailable,
    TokenError,
    TokenEvent,
)
from auth_ext import _refresh as refresh
from auth_ext.stores import _memory as memory

BOUND = 15.0


class Endpoint:
    """
    A token endpoint that answers when it is let.
    """

    def __init__(self) -> None:
        self.count = 0
        self.asked = threading.Semaphore(0)
        self.gate = threading.Event()
        self.gate.set()
        self.answer: Callable[[int], httpx.Response] = lambda number: httpx.Response(
            200, json={"access_token": f"token-{number}", "expires_in": 3600}
        )

    def handle(self, _: httpx.Request) -> httpx.Response:
        """
        Answer once the gate is open.
        """
        self.count += 1
        number = self.count
        self.asked.release()
        assert self.gate.wait(BOUND)
        return self.answer(number)

    def auth(self, **settings: object) -> OAuth2ClientCredentials:
        """
        A flow that asks this endpoint.
        """
        arguments: dict[str, object] = {
            "scopes": "event",
            "httpx_args": {"transport": httpx.MockTransport(self.handle)},
            **settings,
        }
        return OAuth2ClientCredentials("an-id", "a-secret", **arguments)  # type: ignore[arg-type] # settings as a test gives them


@pytest.fixture
def endpoint() -> Endpoint:
    """
    A token endpoint whose gate is open.
    """
    return Endpoint()


def until_quiet() -> None:
    """
    Wait for the threads of the auth layer.
    """
    for thread in threading.enumerate():
        if thread.name.startswith("auth_ext"):
            thread.join(BOUND)


def test_ctrl_c_while_waiting_leaves_the_flight_to_the_next_caller(endpoint: Endpoint) -> None:
    """
    The one who waited is interrupted at once; the token that was on its way serves the next.
    """
    auth = endpoint.auth()
    endpoint.gate.clear()
    main = threading.main_thread().ident
    assert main is not None

    def interrupt() -> None:
        assert endpoint.asked.acquire(timeout=BOUND)
        signal.pthread_kill(main, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        auth.get_token()
    thread.join()
    endpoint.gate.set()

    assert "token-1" == auth.get_token().value
    assert 1 == endpoint.count


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, RecursionError])
@pytest.mark.parametrize("is_flying", [False, True])
def test_an_interrupted_start_leaves_nobody_waiting(
    endpoint: Endpoint,
    monkeypatch: pytest.MonkeyPatch,
    error: type[BaseException],
    is_flying: bool,
) -> None:
    """
    Whatever strikes while the thread starts reaches the caller, and the next one gets a token.
    """
    auth = endpoint.auth()
    start = threading.Thread.start

    def struck(self: threading.Thread) -> None:
        if is_flying:
            start(self)
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", struck)
        with pytest.raises(error):
            auth.get_token()

    assert auth.get_token().value.startswith("token-")
    until_quiet()


def test_a_thread_that_cannot_start_is_an_error_at_once(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Out of threads, callers are told, and may try again.
    """
    auth = endpoint.auth()

    def struck(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", struck)
        with pytest.raises(TokenEndpointUnavailable, match="can't start new thread"):
            auth.get_token()

    assert "token-1" == auth.get_token().value


class Loud(logging.Filter):
    """
    Raises whenever something is logged.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """
        Raise.
        """
        raise SystemError("a filter with a bug")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_logging_filter_with_a_bug_keeps_nobody_waiting(endpoint: Endpoint) -> None:
    """
    The flight fails with its own error, not by making everybody wait for its deadline.
    """
    endpoint.answer = lambda _: httpx.Response(400, json={"error": "invalid_scope"})
    logger, loud = logging.getLogger("auth_ext"), Loud()
    logger.addFilter(loud)
    level = logger.level
    logger.setLevel(logging.DEBUG)
    try:
        with pytest.raises(TokenError, match="invalid_scope"):
            endpoint.auth(deadline=BOUND).get_token()
        until_quiet()
    finally:
        logger.setLevel(level)
        logger.removeFilter(loud)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("kind", ["token_fetched", "token_refused", "refreshed_on_401"])
def test_a_hook_that_exits_keeps_nobody_waiting(endpoint: Endpoint, kind: str) -> None:
    """
    SystemExit in a hook is no way to hold everybody up until the deadline.
    """

    def hook(event: TokenEvent) -> None:
        if event.kind == kind:
            raise SystemExit

    if kind == "token_refused":
        endpoint.answer = lambda _: httpx.Response(400, json={"error": "invalid_scope"})
    auth = endpoint.auth(on_event=hook, deadline=BOUND)
    api = httpx.MockTransport(
        lambda request: httpx.Response(
            401 if request.headers["Authorization"] == "Bearer token-1" else 200
        )
    )
    answers: list[object] = []

    def call() -> None:
        with httpx.Client(transport=api, auth=auth, base_url="https://api.signicat.io") as client:
            try:
                answers.append(client.get("/").status_code)
            except TokenError as error:
                answers.append(type(error).__name__)

    thread = threading.Thread(target=call)
    thread.start()
    thread.join(BOUND / 2)

    expected = {"token_fetched": "TokenError", "token_refused": "InvalidScope"}
    assert [expected.get(kind, 200)] == answers
    until_quiet()


def test_a_store_that_asks_for_the_token_itself_is_told(endpoint: Endpoint) -> None:
    """
    It would wait for itself until the deadline; the token is fetched without it instead.
    """
    told: list[BaseException | None] = []

    class Circular(MemoryTokenStore):
        def get(self, key: str) -> None:
            auth.get_token()

    auth = endpoint.auth(
        store=Circular(),
        on_event=lambda event: told.append(event.error) if event.kind == "store_failed" else None,
    )

    assert "token-1" == auth.get_token().value
    assert [ConfigurationError] == [type(error) for error in told]


def test_a_wish_to_be_left_alone_holds_for_every_caller(endpoint: Endpoint) -> None:
    """
    After 429 with a long Retry-After, callers in turn cost no further request for 30 s.
    """
    now = [1000.0]
    from auth_ext import Clock

    clock = Clock(wall=lambda: now[0], steady=lambda: now[0])
    endpoint.answer = lambda _: httpx.Response(429, headers={"Retry-After": "3600"})
    auth = endpoint.auth(clock=clock)

    for _ in range(5):
        with pytest.raises(TokenEndpointUnavailable) as caught:
            auth.get_token()
        assert 3600.0 == caught.value.retry_after
        now[0] += 5.9
    assert 1 == endpoint.count

    now[0] += 0.6
    with pytest.raises(TokenEndpointUnavailable):
        auth.get_token()
    assert 2 == endpoint.count


def test_memory_stays_bounded_with_ever_new_scopes(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Tokens of scope sets that come once and never again are forgotten, refusals too.
    """
    monkeypatch.setattr(refresh, "MOST_KEYS", 3)
    monkeypatch.setattr(memory, "MOST_TOKENS", 5)
    store = MemoryTokenStore()
    auth = endpoint.auth(store=store)
    for number in range(9):
        auth.get_token(f"scope-{number}")
        until_quiet()
    assert "token-9" == auth.get_token("scope-8").value
    assert "token-5" == auth.get_token("scope-4").value  # forgotten here, still in the store
    assert 9 == endpoint.count

    endpoint.answer = lambda _: httpx.Response(400, json={"error": "invalid_scope"})
    for number in range(9):
        with pytest.raises(TokenError):
            auth.get_token(f"refused-{number}")
        until_quiet()

    desk = auth._desk
    assert (3, 3) == (len(desk._held), len(desk._failures))
    assert "MemoryTokenStore(5 tokens)" == repr(store)


def run_asyncio(work: Callable[[], object]) -> None:
    """
    Give *work* 50 ms on a loop that is closed then.
    """

    async def main() -> None:
        async with asyncio.timeout(0.05):
            await work()  # type: ignore[misc] # a coroutine function

    with pytest.raises(TimeoutError):
        asyncio.run(main())


def run_trio(work: Callable[[], object]) -> None:
    """
    The same on trio.
    """

    async def main() -> None:
        with trio.fail_after(0.05):
            await work()  # type: ignore[misc] # a coroutine function

    with pytest.raises(trio.TooSlowError):
        trio.run(main)


@pytest.mark.parametrize("run", [run_asyncio, run_trio])
def test_a_loop_that_ends_before_the_token_comes_harms_nobody(
    endpoint: Endpoint,
    run: Callable[[Callable[[], object]], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """
    The flight lands, says nothing to the loop that is gone, and serves the next caller.
    """
    auth = endpoint.auth()
    endpoint.gate.clear()
    for _ in range(3):
        run(auth.aget_token)
    endpoint.gate.set()
    until_quiet()
    gc.collect()

    assert "token-1" == auth.get_token().value
    assert 1 == endpoint.count
    # Where futures say that whoever waited for them could not be told.
    assert [] == [r.getMessage() for r in caplog.records if r.name.startswith("concurrent")]


PROGRAM = """
    import sys, threading
    from auth_ext import OAuth2ClientCredentials

    auth = OAuth2ClientCredentials(
        "an-id", "a-secret", scopes="event", token_url=f"{sys.argv[1]}/token"
    )

    def wait():
        try:
            auth.get_token()
        except BaseException as error:
            print(type(error).__name__)

    threading.Thread(target=wait, daemon=True).start()
    print(sys.stdin.readline().strip())
"""


def test_the_interpreter_exits_while_a_token_is_on_its_way() -> None:
    """
    It neither waits for the token nor writes a word about it.
    """
    root = Path(__file__).resolve().parents[2]
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(BOUND)
        base = f"http://127.0.0.1:{server.getsockname()[1]}"
        with subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(PROGRAM), base],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=root,
        ) as process:
            connection, _ = server.accept()
            with connection:
                assert connection.recv(4).startswith(b"POST")
                started = time.monotonic()
                said, complaint = process.communicate("bye\n", timeout=BOUND)

    assert ("bye\n", "", 0) == (said, complaint, process.returncode)
    assert time.monotonic() - started < 5.0


def test_a_deep_recursion_reaches_the_caller_and_nobody_else(endpoint: Endpoint) -> None:
    """
    A caller near the limit gets RecursionError or a token; the next one gets a token.
    """
    auth = endpoint.auth()

    def dive(depth: int) -> None:
        if depth:
            dive(depth - 1)
        else:
            auth.get_token()

    for spare in range(0, 120, 5):
        depth = sys.getrecursionlimit() - _depth() - spare
        with suppress(RecursionError, TokenError):
            dive(depth)
        fresh = endpoint.auth()
        assert fresh.get_token().value.startswith("token-")
    until_quiet()
    assert auth.get_token().value.startswith("token-")


def _depth() -> int:
    frame, depth = sys._getframe(), 0
    while frame is not None:
        frame, depth = frame.f_back, depth + 1  # type: ignore[assignment] # None at the end
    return depth
