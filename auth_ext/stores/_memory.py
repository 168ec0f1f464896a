"""
Tokens in the memory of one process.
"""

from contextlib import AbstractContextManager, nullcontext, suppress

from auth_ext._token import AccessToken

# Far more scope sets than any application has; the token known longest is forgotten.
MOST_TOKENS = 1000


class MemoryTokenStore:
    """
    Keeps tokens in this process; shared by everything that is given the same instance.

    Instances of `OAuth2ClientCredentials` that share one store share its tokens and its token
    requests in progress. Safe to use from any thread and after `os.fork`: the child starts
    with a copy of the tokens.
    """

    def __init__(self) -> None:
        self._tokens: dict[str, AccessToken] = {}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self._tokens)} tokens)"

    def get(self, key: str) -> AccessToken | None:
        """
        The token kept for *key*, or None.
        """
        return self._tokens.get(key)

    def set(self, key: str, token: AccessToken) -> None:
        """
        Keep *token* for *key*.
        """
        self._tokens[key] = token
        if len(self._tokens) > MOST_TOKENS:
            # Another thread may be doing the same: then it is done.
            with suppress(KeyError, RuntimeError, StopIteration):
                del self._tokens[next(iter(self._tokens))]

    def delete(self, key: str, token: AccessToken) -> None:
        """
        Forget *token* if it is still the one kept for *key*.
        """
        kept = self._tokens.pop(key, None)
        if kept is not None and kept.value != token.value:
            # Another token came in between: put it back, unless a still newer one is there.
            self._tokens.setdefault(key, kept)

    def lock(self, key: str, timeout: float) -> AbstractContextManager[None]:
        """
        Nothing to hold: within one process a key has one token request at a time anyway.
        """
        return nullcontext()
