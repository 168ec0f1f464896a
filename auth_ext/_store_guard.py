"""
Somebody's token store, held so that its troubles stay its own.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TypeVar

from auth_ext._events import logger
from auth_ext._fetch import Deadline
from auth_ext._source import Source
from auth_ext._token import AccessToken
from auth_ext.stores import TokenStore

_T = TypeVar("_T")

LOCK_PATIENCE = 12.0


class StoreGuard:
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
        self._source.tell("store_failed", error=error)
