"""
One attempt to get one token, and everybody who waits for it.

Threads block on its future; tasks await a future of their own loop that the flight wakes, so no
loop is ever blocked and a cancelled waiter cancels nothing but itself.
"""

import copy
import math
import sys
import threading
import time
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress

import attrs

from auth_ext._fetch import Deadline
from auth_ext._held import Held
from auth_ext._source import Source
from auth_ext.errors import (
    AuthError,
    ConfigurationError,
    InvalidTokenResponse,
    TokenEndpointUnavailable,
    TokenError,
)

REFUSAL_REMEMBERED = 30.0
REFRESH_PAUSE = 5.0


@attrs.frozen(kw_only=True, eq=False)
class Failure:
    """
    A flight that got no token, remembered so that the next callers do not repeat it at once.
    """

    error: AuthError
    at: float

    def blocks_callers(self, now: float) -> bool:
        """
        Whether callers without a token get this error again instead of a new request.

        Only a refusal in the server's own words is remembered: an answer that was no token may
        have been a proxy's, and says nothing about the next one. So is a wish to be left alone
        for a while, or each caller in turn would disregard it.
        """
        error = self.error
        wished = error.retry_after if isinstance(error, TokenError) else None
        if wished is not None and now - self.at < min(wished, REFUSAL_REMEMBERED):
            return True
        refused = (
            isinstance(error, TokenError)
            and not isinstance(error, InvalidTokenResponse)
            and not error.retryable
            and error.status_code is not None
        )
        return refused and now - self.at < REFUSAL_REMEMBERED

    def blocks_refresh(self, now: float) -> bool:
        """
        Whether a token that still works is used without trying to replace it.
        """
        return now - self.at < REFRESH_PAUSE or self.blocks_callers(now)


class Flight:
    """
    One attempt to get one token; any number of threads and tasks may wait for it.
    """

    def __init__(self, source: Source) -> None:
        self.deadline = Deadline.after(source.patience, source.clock)
        self._until = time.monotonic() + source.patience
        self._done: Future[Held] = Future()
        self.flown_by: threading.Thread | None = None
        self._source = source

    def succeed(self, held: Held) -> None:
        """
        Hand *held* to everybody who waits.
        """
        with suppress(InvalidStateError):  # it was given up when it seemed not to start
            self._done.set_result(held)

    def fail(self, error: AuthError) -> None:
        """
        Hand everybody who waits an error of their own.
        """
        self._done.set_exception(error)

    @property
    def is_overdue(self) -> bool:
        """
        Whether it has outlived its deadline, stuck where no timeout reaches, as in DNS.
        """
        return self._patience() <= 0 and not self._done.done()

    def wait(self, limit: float = math.inf) -> Held:
        """
        The token, once it is there. Blocks this thread, for *limit* seconds at most.

        Raises:
            AuthError: The flight failed, is overdue, or takes longer than that.

            ConfigurationError: This is the very thread that flies.
        """
        if self.flown_by is threading.current_thread():
            raise ConfigurationError(
                "a token store, transport or on_event hook asks for the token that it is called to"
                " help fetching: give it an HTTP client without this auth"
            )
        try:
            return self._outcome(timeout=max(min(self._patience(), limit), 0.0))
        except TimeoutError:
            raise self._overdue() from None

    async def wait_async(self, limit: float = math.inf) -> Held:
        """
        The token, once it is there; on asyncio or trio, whichever runs this task.

        Cancelling it leaves the flight and all other waiters alone.

        Raises:
            AuthError: The flight failed, is overdue, or takes longer than *limit* seconds.
        """
        if not self._done.done():
            wait = _wait_on_trio if _in_trio_task() else _wait_on_asyncio
            await wait(self._done, max(min(self._patience(), limit), 0.0))
        if not self._done.done():
            raise self._overdue()
        return self._outcome(timeout=0)

    def _patience(self) -> float:
        # Real time, not the clock's: this bounds real waiting.
        return self._until - time.monotonic()

    def _outcome(self, timeout: float) -> Held:
        error = self._done.exception(timeout)
        if isinstance(error, AuthError):
            raise own_copy(error)
        return self._done.result()

    def _overdue(self) -> TokenEndpointUnavailable:
        request = self._source.request
        error = TokenEndpointUnavailable(
            f"token endpoint {request.token_url.copy_with(query=None)} gave no token within"
            f" {self._source.patience:g} s. Check the network, or try again later",
            retryable=True,
        )
        error.request = request.bare()
        return error


def _in_trio_task() -> bool:
    trio = sys.modules.get("trio")  # nobody is in a trio task who has not imported trio
    return trio is not None and bool(trio.lowlevel.in_trio_task())


async def _wait_on_asyncio(done: "Future[Held]", seconds: float) -> None:
    import asyncio  # whoever runs this has it already; for all others it would be slow

    loop = asyncio.get_running_loop()
    woken = loop.create_future()

    def wake() -> None:
        if not woken.done():
            woken.set_result(None)

    def wake_from_thread(_: object) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits there any more
            loop.call_soon_threadsafe(wake)

    done.add_done_callback(wake_from_thread)
    timer = loop.call_later(seconds, wake)
    try:
        await woken
    finally:
        timer.cancel()


async def _wait_on_trio(done: "Future[Held]", seconds: float) -> None:
    import trio

    token = trio.lowlevel.current_trio_token()
    woken = trio.Event()

    def wake_from_thread(_: object) -> None:
        with suppress(trio.RunFinishedError):  # the run is over: nobody waits there any more
            token.run_sync_soon(woken.set)

    done.add_done_callback(wake_from_thread)
    with trio.move_on_after(seconds):
        await woken.wait()


def own_copy(error: AuthError) -> AuthError:
    """
    The same error for one more caller: two raising one instance would share its traceback.
    """
    twin = copy.copy(error)
    twin.__cause__ = error.__cause__
    return twin
