"""What the handlers share: state, clock, document, settings, events."""

import attrs

from auth_ext.sandbox._clock import Clock
from auth_ext.sandbox._document import Document
from auth_ext.sandbox._events import Events
from auth_ext.sandbox._store import Store
from auth_ext.sandbox._values import Values


@attrs.define(kw_only=True)
class Settings:
    """What the control URL can change.

    Attributes:
        token_lifetime: Seconds; what `expires_in` says, and how long a token holds.
        withheld_scopes: Left out of every granted token, as a server may do.
        date_skew: Seconds that the Date header is off.
        session_seconds: How long an identification takes; None: it is left to time out.
        pad_files_to: Downloads are filled up to so many bytes; 0: as they are.
    """

    token_lifetime: float = 3600
    withheld_scopes: tuple[str, ...] = ()
    date_skew: float = 0
    session_seconds: float | None = 2
    pad_files_to: int = 0


@attrs.frozen(kw_only=True)
class Services:
    """Everything one sandbox consists of, but for the server."""

    store: Store
    clock: Clock
    document: Document
    values: Values
    settings: Settings
    events: Events
