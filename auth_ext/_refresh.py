"""
Who fetches, who waits, what a failure costs.

    held token --fresh--> use it                            (no lock, no request)
               --ageing-> use it, one flight in the background
               --stale--> wait for the flight; the old token serves if that fails
               --over / none / refused by the API--> wait for the flight

A flight (see `_flight`) is one attempt to get one token, made by a thread of its own: first a look
into the store, then under the store's lock another look, and only then a token request.
"""

import contextvars
import logging
import math
import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import attrs

from auth_ext._clock import Clock
from auth_ext._events import logger
from auth_ext._flight import Failure, Flight, own_copy
from auth_ext._held import Held, is_plausible
from auth_ext._source import FlightKey, Source
from auth_ext._store_guard import StoreGuard
from auth_ext._token import AccessToken
from auth_ext.errors import AuthError, TokenEndpointUnavailable, TokenError
from auth_ext.stores import TokenStore

_K = TypeVar("_K")
_T = TypeVar("_T")

RENEWAL_FLOOR = 5.0
MOST_KEYS = 1000


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
        with _timed(source):
            try:
                return found.wait(self._worth_waiting(source, rejected))
            except AuthError:
                old = self._last_resort(source, rejected)
                if old is not None:
                    return old
            # Why there is none; or, if only the old token ended meanwhile, the new one.
            return found.wait()

    async def aget(self, source: Source, *, rejected: AccessToken | None = None) -> Held:
        """
        The same for a task, on asyncio or trio; suspends that task alone.
        """
        found = self._ask(source, rejected)
        if isinstance(found, Held):
            return found
        with _timed(source):
            try:
                return await found.wait_async(self._worth_waiting(source, rejected))
            except AuthError:
                old = self._last_resort(source, rejected)
                if old is not None:
                    return old
            # Why there is none; or, if only the old token ended meanwhile, the new one.
            return await found.wait_async()

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
                raise own_copy(failure.error)
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
                    source.tell("refreshed_on_401", duration=duration)
            finally:  # also when a hook raises SystemExit
                order.flight.succeed(held)

    def _obtain(self, order: "_Order") -> Held:
        source = order.source
        guard = StoreGuard(self._store, source)
        # Before the lock: where somebody's token is there already, nobody has to queue.
        held = self._adopted(order, guard.get())
        if held is not None:
            return held
        with guard.locked(order.flight.deadline):
            stored = guard.get()  # again: whoever had the lock until now may have brought one
            held = self._adopted(order, stored)
            if held is not None:
                return held
            if stored is not None and order.renewal:
                guard.delete(stored)
            token = self._fetch(order, stored)
            if token.lifetime > 0:
                guard.set(token)
        return source.held(token)

    def _adopted(self, order: "_Order", stored: AccessToken | None) -> Held | None:
        """
        The stored token, if it is one to go on with.
        """
        source = order.source
        if stored is None or stored.value == order.unwanted:
            return None
        held = source.held(stored)
        if not is_plausible(stored, source.clock) or held.age(source.clock) >= held.stale_after:
            return None
        source.tell("token_adopted")
        return held

    def _fetch(self, order: "_Order", stored: AccessToken | None) -> AccessToken:
        source, started = order.source, order.source.clock.steady()
        token = source.fetcher.fetch(source.request, order.flight.deadline)
        source.tell("token_fetched", duration=source.clock.steady() - started)
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
            source.tell("token_refused", error=error)
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

    def _worth_waiting(self, source: Source, rejected: AccessToken | None) -> float:
        """
        Seconds to wait for a new token: without limit, unless an old one would end meanwhile.
        """
        old = self._last_resort(source, rejected)
        return math.inf if old is None else (old.over_after - old.age(source.clock)) / 4

    def _last_resort(self, source: Source, rejected: AccessToken | None) -> Held | None:
        """
        The old token, where it has not ended and nobody has refused it.
        """
        held = self._held.get(source.key)
        if held is None or held.age(source.clock) >= held.over_after:
            return None
        return None if rejected and held.token.value == rejected.value else held


@attrs.frozen(kw_only=True, eq=False)
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


@contextmanager
def _timed(source: Source) -> Iterator[None]:
    started = source.clock.steady()
    try:
        yield
    finally:
        source.tell("waited", duration=source.clock.steady() - started)


def _drop_the_oldest(memory: dict[_K, _T]) -> None:
    while len(memory) > MOST_KEYS:
        del memory[next(iter(memory))]


def _renewed_just_now(token: AccessToken, clock: Clock) -> bool:
    # A wall clock set back must not stop renewals for hours, hence the lower bound.
    return token.renewed_at is not None and 0 <= clock.wall() - token.renewed_at < RENEWAL_FLOOR


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
