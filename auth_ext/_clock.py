"""
What time it is, as a value that tests can replace.
"""

import sys
import time
from collections.abc import Callable

import attrs


def _steady() -> float:
    """
    Seconds that never jump and go on while the machine sleeps.

    `time.monotonic` stops during suspend on Linux, where CLOCK_BOOTTIME does not. On macOS
    it is CLOCK_MONOTONIC that counts sleep (not tried here); Windows' monotonic clock does.
    """
    return time.clock_gettime(_COUNTS_SUSPEND)


_COUNTS_SUSPEND: int = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", -1))

if sys.platform == "win32" or _COUNTS_SUSPEND == -1:  # pragma: no cover - not a Linux machine
    _steady = time.monotonic


@attrs.frozen
class Clock:
    """
    The three things the auth layer asks of time; replace them to test expiry without waiting.

    Attributes:
        wall: Seconds since the epoch, as `time.time`. May be set back or forward by anybody.

        steady: Seconds since some fixed moment, suspend included. Never jumps.

        sleep: Waits that many seconds; used between attempts at the token endpoint, in the
            thread that fetches, never on an event loop.
    """

    wall: Callable[[], float] = time.time
    steady: Callable[[], float] = _steady
    sleep: Callable[[float], None] = time.sleep


SYSTEM_CLOCK = Clock()
