"""The sandbox's clock: the wall clock plus an offset that tests move, so that nothing sleeps."""

import datetime
import time
from collections.abc import Callable


class Clock:
    """Seconds since the epoch as the sandbox sees them.

    Reading is safe from any thread. Moving it back is allowed: what was over is then valid
    again, as on a machine whose clock is set back.
    """

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self.offset = 0.0

    def now(self) -> float:
        """The sandbox's time, in seconds since the epoch."""
        return self._wall() + self.offset

    def advance(self, seconds: float) -> None:
        """Move the clock by *seconds*; negative: back."""
        self.offset += seconds

    def set(self, moment: float) -> None:
        """Make it *moment* (seconds since the epoch) now; time goes on from there."""
        self.offset = moment - self._wall()

    def reset(self) -> None:
        """Back to the wall clock."""
        self.offset = 0.0


def iso(moment: float) -> str:
    """*moment* as the service writes it: ISO 8601 in UTC with milliseconds and a Z."""
    when = datetime.datetime.fromtimestamp(moment, datetime.UTC)
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_iso(text: str) -> float:
    """Seconds since the epoch of an ISO 8601 text; without an offset it is taken as UTC.

    Raises:
        ValueError: *text* is no such moment.
    """
    when = datetime.datetime.fromisoformat(text)
    if when.tzinfo is None:
        when = when.replace(tzinfo=datetime.UTC)
    return when.timestamp()
