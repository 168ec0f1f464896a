import logging
import time

import pytest

from auth_ext import AccessToken, Clock, MemoryTokenStore, TokenEvent, TokenStore
from auth_ext._clock import SYSTEM_CLOCK
from auth_ext._events import emit
from tests.auth.helpers import SECRET


def test_the_system_clock_is_the_systems() -> None:
    """
    Wall time is time.time; the steady clock goes forward and is real.
    """
    before = SYSTEM_CLOCK.steady()

    assert (time.time, time.sleep) == (SYSTEM_CLOCK.wall, SYSTEM_CLOCK.sleep)
    assert before <= SYSTEM_CLOCK.steady() <= before + 60.0
    assert Clock() == SYSTEM_CLOCK


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="only Linux has this clock")
def test_the_steady_clock_counts_suspend(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    CLOCK_MONOTONIC stands still while a Linux machine sleeps, a token's life does not.
    """
    monkeypatch.setattr(time, "clock_gettime", lambda clock: {time.CLOCK_BOOTTIME: 7.0}[clock])

    assert 7.0 == SYSTEM_CLOCK.steady()


def test_no_hook_hears_nothing() -> None:
    """
    Nothing is fine.
    """
    emit(None, TokenEvent(kind="waited", scopes=("a",)))


def test_a_failing_hook_is_logged_and_goes_no_further(caplog: pytest.LogCaptureFixture) -> None:
    """
    A bug in metrics must not stop requests.
    """

    def hook(event: TokenEvent) -> None:
        raise LookupError("bug")

    emit(hook, TokenEvent(kind="waited", scopes=("a",)))

    assert [
        ("auth_ext", logging.ERROR, "the on_event hook failed on waited")
    ] == caplog.record_tuples


def a_token(value: str) -> AccessToken:
    """
    Any token.
    """
    return AccessToken(
        value=value,
        scopes=frozenset(),
        requested_scopes=frozenset(),
        issued_at=1.0,
        expires_at=2.0,
    )


def test_the_memory_store_keeps_what_it_is_given() -> None:
    """
    By key, with compare and delete, and hidden from repr.
    """
    store = MemoryTokenStore()
    one, two = a_token(SECRET), a_token("two")
    assert isinstance(store, TokenStore)

    store.set("k", one)
    with store.lock("k", 1.0):
        store.delete("k", two)
        assert (one, None) == (store.get("k"), store.get("other"))
    assert "MemoryTokenStore(1 tokens)" == repr(store)
    store.delete("k", one)
    store.delete("k", one)
    assert None is store.get("k")
