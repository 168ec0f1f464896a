"""
Where the tokens of one key come from, and by which rules they are kept.
"""

import attrs

from auth_ext._clock import Clock
from auth_ext._events import EventHook, EventKind, TokenEvent, emit
from auth_ext._fetch import Fetcher
from auth_ext._held import Held
from auth_ext._settings import Credentials
from auth_ext._token import AccessToken
from auth_ext._token_request import TokenRequest


@attrs.frozen(kw_only=True, eq=False)
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

    def tell(
        self, kind: EventKind, *, duration: float = 0.0, error: BaseException | None = None
    ) -> None:
        """
        Tell the user's hook that something happened.
        """
        scopes = self.request.scopes
        emit(self.on_event, TokenEvent(kind=kind, scopes=scopes, duration=duration, error=error))


FlightKey = tuple[str, Credentials, bool]
