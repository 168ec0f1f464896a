"""
What happens inside the auth layer, for metrics and tests.
"""

import logging
from collections.abc import Callable
from typing import Literal

import attrs

logger = logging.getLogger("auth_ext")

EventKind = Literal[
    "token_fetched", "token_adopted", "token_refused", "waited", "refreshed_on_401", "store_failed"
]


@attrs.frozen(kw_only=True)
class TokenEvent:
    """
    One thing that happened, without any secret in it.

    Attributes:
        kind: `token_fetched`: the token endpoint gave a token. `token_adopted`: the store had
            one that somebody else fetched. `token_refused`: no token could be had.
            `waited`: a caller had to wait for a token. `refreshed_on_401`: the API refused a
            token and another one took its place. `store_failed`: the store was out of order and
            the token was fetched without it.

        scopes: Scopes asked for.

        duration: Seconds it took; 0.0 where nothing was waited for.

        error: What went wrong, for `token_refused` and `store_failed`.
    """

    kind: EventKind
    scopes: tuple[str, ...]
    duration: float = 0.0
    error: BaseException | None = None


EventHook = Callable[[TokenEvent], object]


def emit(hook: EventHook | None, event: TokenEvent) -> None:
    """
    Tell *hook*, whose own trouble is logged and goes no further.
    """
    if hook is None:
        return
    try:
        hook(event)
    except Exception:
        logger.exception("the on_event hook failed on %s", event.kind)
