"""
What a token store is; implement it to keep tokens wherever you like.
"""

from contextlib import AbstractContextManager
from typing import Protocol, runtime_checkable

from auth_ext._token import AccessToken


@runtime_checkable
class TokenStore(Protocol):
    """
    A place where tokens are kept, shared by whoever uses the same place.

    Every method is called from a thread of the auth layer's own, never from an event loop, so
    plain blocking code is right. Between *get* and *set* of one refresh the lock is held, by
    the same thread. *key* is a short ASCII string (letters, digits, dashes) made from the token
    URL, the client id and the scopes; it holds no secret.

    Any exception is taken as "the store is out of order": it is logged, reported as the event
    `store_failed`, and the token is fetched without the store. A request never fails because
    a store did.
    """

    def get(self, key: str) -> AccessToken | None:
        """
        The token kept for *key*, or None. May be called with and without the lock.

        It may return a token that has expired; its clock readings must be this machine's.
        """
        ...

    def set(self, key: str, token: AccessToken) -> None:
        """
        Keep *token* for *key* in place of any other.

        May forget it by itself from `token.expires_at` on.
        """
        ...

    def delete(self, key: str, token: AccessToken) -> None:
        """
        Forget *token*, but only if it is still the one kept for *key* (compare and delete).
        """
        ...

    def lock(self, key: str, timeout: float) -> AbstractContextManager[object]:
        """
        Hold back everybody else who would fetch a token for *key*.

        Waits for *timeout* seconds at most, then raises `TimeoutError`; the caller goes on
        without. A store that nobody shares returns `contextlib.nullcontext()`.
        """
        ...
