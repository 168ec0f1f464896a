"""
A token in use, and how it ages.

    fresh --80 % of its life--> ageing --leeway--> stale --> over
"""

import random

import attrs

from auth_ext._clock import Clock
from auth_ext._token import AccessToken
from auth_ext._token_request import LONGEST_LIFETIME

AGEING_FROM = 0.8
JITTER = 0.05
DEFAULT_LEEWAY = 30.0
LEEWAY_SHARE = 0.1
CLOCK_TOLERANCE = 5.0


@attrs.frozen(kw_only=True, eq=False)
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


def is_plausible(token: AccessToken, clock: Clock) -> bool:
    """
    Whether a stored token can be what it says: not from the future, not for ever.
    """
    from_the_past = token.issued_at <= clock.wall() + CLOCK_TOLERANCE
    return from_the_past and 0 < token.lifetime <= LONGEST_LIFETIME
