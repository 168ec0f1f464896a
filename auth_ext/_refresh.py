"""
Who fetches, who waits, what a failure costs.

    held token --fresh--> use it                            (no lock, no request)
               --ageing-> use it, one flight in the background
               --stale--> wait for the flight; the old token serves if that fails
               --over / none / refused by the API--> wait for the flight

A flight is one attempt to get one token, made by a thread of its own: threads block on its
future, tasks await a future of their own loop that the flight wakes, so no loop is ever blocked
and a cancelled waiter cancels nothing but itself.
"""

import asyncio
import contextvars
import copy
import logging
import os
import random
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future, InvalidStateError
from contextlib import ExitStack, contextmanager, suppress
from typing import TypeVar

import attrs

from auth_ext._clock import Clock
from auth_ext._events import EventHook, EventKind, TokenEvent, emit, logger
from auth_ext._fetch import Deadline, Fetcher
from auth_ext._settings import Credentials
from auth_ext._token import AccessToken
from auth_ext._token_request import LONGEST_LIFETIME, TokenRequest
from auth_ext.errors import (
    AuthError,
    ConfigurationError,
    InvalidTokenResponse,
    TokenEndpointUnavailable,
    TokenError,
)
from auth_ext.stores import TokenStore

_K = TypeVar("_K")
_T = TypeVar("_T")

AGEING_FROM = 0.8
JITTER = 0.05
DEFAULT_LEEWAY = 30.0
LEEWAY_SHARE = 0.1
REFUSAL_REMEMBERED = 30.0
REFRESH_PAUSE = 5.0
RENEWAL_FLOOR = 5.0
LOCK_PATIENCE = 12.0
MOST_KEYS = 1000
CLOCK_TOLERANCE = 5.0


@attrs.frozen(kw_only=True)
class Held:
    """
    A token in use and how it ages; an immutable snapshot, read without a lock.

    Attributes:
        token: The token.

        header: Value of the Authorization header it makes. Hidden from repr.

        issued_wall: Wall clock at issue.

        issued_steady: Steady clock at issue.

        ageing_after: Seconds of age from which a refresh in the background is due.

        stale_after: Seconds of age from which callers wait for a new token.

        over_after: Seconds of age at which it ends.
    """

    token: AccessToken
    header: str = attrs.field(repr=False)
    issued_wall: float
    issued_steady: float
    ageing_after: float
    stale_after: float
    over_after: float

    @classmethod
    def of(cls, token: AccessToken, *, leeway: float | None, clock: Clock) -> "Held":
        """
        *token* as held from now on, its age so far read off the wall clock.
        """
        lifetime = token.lifetime
        # Never longer than the token lives, or it would be born stale.
        margin = min(DEFAULT_LEEWAY, lifetime * LEEWAY_SHARE) if leeway is None else leeway
        stale_after = lifetime - min(margin, lifetime / 2)
        # Jittered: processes that share a token must not all renew it in the same moment.
        share = AGEING_FROM + random.uniform(-JITTER, JITTER)  # noqa: S311
        return cls(
            token=token,
            header=f"Bearer {token.value}",
            issued_wall=token.issued_at,
            issued_steady=clock.steady() - max(clock.wall() - token.issued_at, 0.0),
            ageing_after=min(lifetime * share, stale_after),
            stale_after=stale_after,
            over_after=lifetime,
        )

    def age(self, clock: Clock) -> float:
        """
        Seconds since issue, by whichever clock says more.

        The wall clock may be set back and must not revive a token; the steady clock knows
        nothing of a token that came from another machine's store but its age on arrival.
        """
        wall = clock.wall() - self.issued_wall
        steady = clock.steady() - self.issued_steady
        return wall if wall > steady else steady  # noqa: FURB136 - max() costs twice as much here


@attrs.frozen(kw_only=True)
class Source:
    """
    Where the tokens of one key come from.

    Attributes:
        key: Token URL, client id and scope set as one short string, without the secret.

        request: The token request.

        fetcher: How it is sent.

        leeway: Seconds before the end from which a token is no longer handed out; None: the
            default.

        patience: Seconds that getting a token may take in all.

        on_event: Told what happens.
    """

    key: str
    request: TokenRequest
    fetcher: Fetcher
    leeway: float | None
    patience: float
    on_event: EventHook | None

    @property
    def clock(self) -> Clock:
        """
        What time it is.
        """
        return self.fetcher.clock

    @property
    def flight_key(self) -> "FlightKey":
        """
        What a flight, and the memory of a refusal, belongs to.

        Another secret, or another way to write it, is another try.
        """
        return self.key, self.request.credentials, self.request.urlencode_credentials

    def held(self, token: AccessToken) -> Held:
        """
        *token*, held by this source's rules.
        """
        return Held.of(token, leeway=self.leeway, clock=self.clock)

    def tell(self, event: TokenEvent) -> None:
        """
        Tell the user's hook.
        """
        emit(self.on_event, event)


FlightKey = tuple[str, Credentials, bool]


@attrs.frozen(kw_only=True)
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

    def wait(self) -> Held:
        """
        The token, once it is there. Blocks this thread.

        Raises:
            AuthError: The flight failed or is overdue.

            ConfigurationError: This is the very thread that flies.
        """
        if self.flown_by is threading.current_thread():
            raise ConfigurationError(
                "a token store, transport or on_event hook asks for the token that it is called to"
                " help fetching: give it an HTTP client without this auth"
            )
        try:
            return self._outcome(timeout=max(self._patience(), 0.0))
        except TimeoutError:
            raise self._overdue() from None

    async def wait_async(self) -> Held:
        """
        The token, once it is there; on asyncio or trio, whichever runs this task.

        Cancelling it leaves the flight and all other waiters alone.

        Raises:
            AuthError: The flight failed or is overdue.
        """
        if not self._done.done():
            wait = _wait_on_trio if _in_trio_task() else _wait_on_asyncio
            await wait(self._done, max(self._patience(), 0.0))
        if not self._done.done():
            raise self._overdue()
        return self._outcome(timeout=0)

    def _patience(self) -> float:
        # Real time, not the clock's: this bounds real waiting.
        return self._until - time.monotonic()

    def _outcome(self, timeout: float) -> Held:
        error = self._done.exception(timeout)
        if isinstance(error, AuthError):
            raise _own_copy(error)
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


class TokenDesk:
    """
    All tokens of one store in this process: the only place with state, and with a lock.

    Safe for any number of threads, asyncio loops and trio runs at once, and after `os.fork`.
    """

    def __init__(self, store: TokenStore) -> None:
        self._store = store
        # Written under the lock, read without it: a look-up in a dict is atomic.
        self._held: dict[str, Held] = {}
        self._rejected: dict[str, str] = {}  # by key: the value the API last answered 401 to
        self._renewed: dict[str, float] = {}  # by key: when a 401 last caused a renewal
        self.forget_threads()

    def forget_threads(self) -> None:
        """
        Drop what belongs to threads. After a fork they exist in the parent only.
        """
        self._lock = threading.Lock()  # guards all the dicts against concurrent writers
        self._flights: dict[FlightKey, Flight] = {}
        self._failures: dict[FlightKey, Failure] = {}

    def fresh(self, source: Source) -> Held | None:
        """
        The held token if nothing at all needs doing: the hot path.
        """
        held = self._held.get(source.key)
        if held is not None and held.age(source.clock) < held.ageing_after:
            return held
        return None

    def get(self, source: Source, *, rejected: AccessToken | None = None) -> Held:
        """
        A token that serves now; blocks this thread while one is fetched.

        Args:
            source: Where it comes from.

            rejected: The token that the API has just answered 401 to. The result is that very
                token again when the floor between renewals forbids another.

        Raises:
            AuthError: There is none to be had.
        """
        found = self._ask(source, rejected)
        if isinstance(found, Held):
            return found
        try:
            with _timed(source):
                return found.wait()
        except AuthError:
            old = self._last_resort(source, rejected)
            if old is None:
                raise
            return old

    async def aget(self, source: Source, *, rejected: AccessToken | None = None) -> Held:
        """
        The same for a task, on asyncio or trio; suspends that task alone.
        """
        found = self._ask(source, rejected)
        if isinstance(found, Held):
            return found
        try:
            with _timed(source):
                return await found.wait_async()
        except AuthError:
            old = self._last_resort(source, rejected)
            if old is None:
                raise
            return old

    def _ask(self, source: Source, rejected: AccessToken | None) -> Held | Flight:
        """
        A token that serves now, or the flight to wait for.
        """
        with self._lock:
            held = self._held.get(source.key)
            if rejected is not None and (held is None or held.token.value == rejected.value):
                if _renewed_just_now(rejected, source.clock):
                    return source.held(rejected)
                self._rejected[source.key] = rejected.value
                # Nobody else may send a token that is known to be refused.
                self._held.pop(source.key, None)
                held = None
            now = source.clock.steady()
            failure = self._failures.get(source.flight_key)
            if held is not None:
                age = held.age(source.clock)
                if age < held.ageing_after:
                    return held
                # Once a refresh has failed, the old token serves to its very end: nobody waits
                # for an endpoint that is known to be in trouble.
                if age < (held.stale_after if failure is None else held.over_after):
                    if failure is None or not failure.blocks_refresh(now):
                        self._join(source, held)
                    return held
            elif failure is not None and failure.blocks_callers(now):
                raise _own_copy(failure.error)
            return self._join(source, held, renewal=rejected is not None)

    def _join(self, source: Source, held: Held | None, *, renewal: bool = False) -> Flight:
        """
        The flight under way for *source*, or a new one. The lock is held.
        """
        flight = self._flights.get(source.flight_key)
        if flight is not None and not flight.is_overdue:
            return flight
        flight = Flight(source)
        order = _Order(
            source=source,
            flight=flight,
            previous=None if held is None else held.token,
            unwanted=self._rejected.get(source.key) if held is None else held.token.value,
            renewal=renewal,
        )
        # The caller's context goes along, so that tracing sees whose request caused the fetch.
        thread = threading.Thread(
            target=contextvars.copy_context().run,
            args=(self._fly, order),
            name="auth_ext-token",
            daemon=True,  # a token nobody waits for must not keep the process alive
        )
        flight.flown_by = thread
        try:
            self._flights[source.flight_key] = flight
            thread.start()
        except BaseException as error:
            # Nobody may be left to wait for a flight that is not under way. If it is, as after
            # Ctrl-C at the last moment, its token is as good as any; the next caller does not wait.
            self._flights.pop(source.flight_key, None)
            if not isinstance(error, RuntimeError) or isinstance(error, RecursionError):
                raise
            # No more threads, or the interpreter is shutting down.
            flight.fail(_no_thread(source, error))
        return flight

    def _fly(self, order: "_Order") -> None:
        source, started = order.source, order.source.clock.steady()
        try:
            held = self._obtain(order)
        except AuthError as error:
            self._crash(order, error)
        except BaseException as error:  # noqa: BLE001 - whoever waits must be told, whatever it is
            self._crash(order, _unexpected(source, error))
        else:
            self._land(order, held)
            try:
                if order.renewal:
                    duration = source.clock.steady() - started
                    source.tell(_event("refreshed_on_401", source, duration=duration))
            finally:  # also when a hook raises SystemExit
                order.flight.succeed(held)

    def _obtain(self, order: "_Order") -> Held:
        source = order.source
        guard = _StoreGuard(self._store, source)
        with guard.locked(order.flight.deadline):
            stored = guard.get()
            if stored is not None and stored.value != order.unwanted:
                held = source.held(stored)
                if (
                    _is_plausible(stored, source.clock)
                    and held.age(source.clock) < held.stale_after
                ):
                    source.tell(_event("token_adopted", source))
                    return held
            if stored is not None and order.renewal:
                guard.delete(stored)
            token = self._fetch(order, stored)
            if token.lifetime > 0:
                guard.set(token)
        return source.held(token)

    def _fetch(self, order: "_Order", stored: AccessToken | None) -> AccessToken:
        source, started = order.source, order.source.clock.steady()
        token = source.fetcher.fetch(source.request, order.flight.deadline)
        source.tell(_event("token_fetched", source, duration=source.clock.steady() - started))
        if order.renewal:
            self._renewed[source.key] = source.clock.wall()
            return attrs.evolve(token, renewed_at=self._renewed[source.key])
        # Every later token says so too, or the floor would be forgotten with the renewed one.
        previous = order.previous or stored
        known = (self._renewed.get(source.key), None if previous is None else previous.renewed_at)
        last = max((moment for moment in known if moment is not None), default=None)
        return attrs.evolve(token, renewed_at=last)

    def _land(self, order: "_Order", held: Held) -> None:
        with self._lock:
            if held.over_after > 0:
                self._held[order.source.key] = held
                self._rejected.pop(order.source.key, None)
            self._failures.pop(order.source.flight_key, None)
            self._leave(order)
            self._make_room()

    def _crash(self, order: "_Order", error: AuthError) -> None:
        source = order.source
        with self._lock:
            self._failures[source.flight_key] = Failure(error=error, at=source.clock.steady())
            self._leave(order)
            self._make_room()
        try:
            # Whoever waits gets the error itself; a refresh in the background has only the log.
            level = logging.INFO if order.previous is None else logging.WARNING
            scopes = " ".join(source.request.scopes)
            logger.log(level, "no new token for scopes %r: %s", scopes, error)
            source.tell(_event("token_refused", source, error=error))
        finally:  # also when somebody's logging filter raises, or a hook SystemExit
            order.flight.fail(error)

    def _make_room(self) -> None:
        """
        Forget the keys known longest, where a function of the request makes ever new scope sets.

        A token that is forgotten here is still in the store.
        """
        _drop_the_oldest(self._held)
        _drop_the_oldest(self._rejected)
        _drop_the_oldest(self._renewed)
        _drop_the_oldest(self._failures)

    def _leave(self, order: "_Order") -> None:
        # An overdue flight may have been replaced in the meantime.
        if self._flights.get(order.source.flight_key) is order.flight:
            del self._flights[order.source.flight_key]

    def _last_resort(self, source: Source, rejected: AccessToken | None) -> Held | None:
        """
        The old token, where it has not ended and nobody has refused it.
        """
        held = self._held.get(source.key)
        if held is None or held.age(source.clock) >= held.over_after:
            return None
        return None if rejected and held.token.value == rejected.value else held


@attrs.frozen(kw_only=True)
class _Order:
    """
    What one flight has to bring.

    Attributes:
        source: Where from.

        flight: Who waits.

        previous: The token it replaces, where there is one.

        unwanted: Value of a token that will not do, even if the store has it.

        renewal: Whether a 401 caused it.
    """

    source: Source
    flight: Flight
    previous: AccessToken | None
    unwanted: str | None = attrs.field(repr=False)
    renewal: bool


class _StoreGuard:
    """
    A store for one key during one flight; whatever it does, the flight goes on.

    After its first failure it is left alone until the next flight, which bounds the delay.
    """

    def __init__(self, store: TokenStore, source: Source) -> None:
        self._store: TokenStore | None = store
        self._source = source

    @contextmanager
    def locked(self, deadline: Deadline) -> Iterator[None]:
        stack = ExitStack()
        timeout = max(min(LOCK_PATIENCE, deadline.remaining() / 2), 0.0)
        self._try("lock", lambda store: stack.enter_context(store.lock(self._source.key, timeout)))
        try:
            yield
        finally:
            # Whatever failed in between: a lock that was taken is given back.
            try:
                stack.close()
            except Exception as error:  # noqa: BLE001 - a store may be anybody's code
                self._give_up("unlock", error)

    def get(self) -> AccessToken | None:
        return self._try("get", lambda store: store.get(self._source.key))

    def set(self, token: AccessToken) -> None:
        self._try("set", lambda store: store.set(self._source.key, token))

    def delete(self, token: AccessToken) -> None:
        self._try("delete", lambda store: store.delete(self._source.key, token))

    def _try(self, act: str, work: Callable[[TokenStore], _T]) -> _T | None:
        if self._store is None:
            return None
        try:
            return work(self._store)
        except Exception as error:  # noqa: BLE001 - a store may be anybody's code
            self._give_up(act, error)
            return None

    def _give_up(self, act: str, error: Exception) -> None:
        logger.warning(
            "the token store failed on %s (%s: %s); going on without it",
            act,
            type(error).__name__,
            error,
        )
        self._store = None
        self._source.tell(_event("store_failed", self._source, error=error))


@contextmanager
def _timed(source: Source) -> Iterator[None]:
    started = source.clock.steady()
    try:
        yield
    finally:
        source.tell(_event("waited", source, duration=source.clock.steady() - started))


def _event(
    kind: EventKind,
    source: Source,
    *,
    duration: float = 0.0,
    error: BaseException | None = None,
) -> TokenEvent:
    return TokenEvent(kind=kind, scopes=source.request.scopes, duration=duration, error=error)


def _drop_the_oldest(memory: dict[_K, _T]) -> None:
    while len(memory) > MOST_KEYS:
        del memory[next(iter(memory))]


def _renewed_just_now(token: AccessToken, clock: Clock) -> bool:
    # A wall clock set back must not stop renewals for hours, hence the lower bound.
    return token.renewed_at is not None and 0 <= clock.wall() - token.renewed_at < RENEWAL_FLOOR


def _is_plausible(token: AccessToken, clock: Clock) -> bool:
    """
    Whether a stored token can be what it says: not from the future, not for ever.
    """
    from_the_past = token.issued_at <= clock.wall() + CLOCK_TOLERANCE
    return from_the_past and 0 < token.lifetime <= LONGEST_LIFETIME


def _own_copy(error: AuthError) -> AuthError:
    """
    The same error for one more caller: two raising one instance would share its traceback.
    """
    twin = copy.copy(error)
    twin.__cause__ = error.__cause__
    return twin


def _unexpected(source: Source, error: BaseException) -> TokenError:
    failure = TokenError(
        source.request.blanked(
            f"the token request could not be made ({type(error).__name__}: {error})."
            " Check the HTTP settings given for it"
        )
    )
    failure.__cause__ = error
    failure.request = source.request.bare()
    return failure


def _no_thread(source: Source, error: RuntimeError) -> TokenEndpointUnavailable:
    failure = TokenEndpointUnavailable(f"no thread to fetch a token in: {error}", retryable=True)
    failure.request = source.request.bare()
    return failure


# Desks by the identity of their store: whoever shares a store shares its desk. A desk keeps its
# store alive, so an identity cannot come back while its desk is still listed here.
_desks: "weakref.WeakValueDictionary[int, TokenDesk]" = weakref.WeakValueDictionary()
_desks_lock = threading.Lock()


def desk_for(store: TokenStore) -> TokenDesk:
    """
    The one desk of *store* in this process.
    """
    with _desks_lock:
        desk = _desks.get(id(store))
        if desk is None:
            desk = _desks[id(store)] = TokenDesk(store)
        return desk


def _after_fork_in_child() -> None:
    global _desks_lock  # noqa: PLW0603 - the parent's may be locked by a thread that is not here
    _desks_lock = threading.Lock()
    for desk in list(_desks.values()):
        desk.forget_threads()


if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows has no fork
    os.register_at_fork(after_in_child=_after_fork_in_child)
