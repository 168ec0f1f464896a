"""
How a token ages, by two clocks, and what callers notice of it: nothing.
"""

import logging
import threading
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth_ext import AccessToken, MemoryTokenStore, OAuth2ClientCredentials, TokenError
from auth_ext._held import Held
from auth_ext._refresh import TokenDesk
from tests.auth.helpers import (
    API,
    DRIVES,
    PATIENCE,
    Drive,
    Hands,
    World,
    refusal,
    reply,
    token_answer,
)


def a_token(hands: Hands, lifetime: float, value: str = "t") -> AccessToken:
    """
    A token issued now.
    """
    return AccessToken(
        value=value,
        scopes=frozenset({"event"}),
        requested_scopes=frozenset({"event"}),
        issued_at=hands.wall,
        expires_at=hands.wall + lifetime,
    )


def settle(auth: OAuth2ClientCredentials) -> None:
    """
    Wait for the flights under way.
    """
    for flight in list(auth._desk._flights.values()):
        with suppress(TokenError):
            flight.wait()


@pytest.mark.parametrize(
    ("lifetime", "leeway", "stale_after"),
    [
        (3600.0, None, 3570.0),
        (300.0, None, 270.0),
        (100.0, None, 90.0),
        (10.0, None, 9.0),
        (3600.0, 0.0, 3600.0),
        (3600.0, 60.0, 3540.0),
        (60.0, 60.0, 30.0),
        (60.0, 3600.0, 30.0),
        (0.0, None, 0.0),
        (0.0, 60.0, 0.0),
    ],
)
def test_leeway(lifetime: float, leeway: float | None, stale_after: float) -> None:
    """
    min(30 s, 10 % of the lifetime), or as asked, and never more than half of the life.
    """
    hands = Hands()
    held = Held.of(a_token(hands, lifetime), leeway=leeway, clock=hands.clock)

    assert (stale_after, lifetime) == (held.stale_after, held.over_after)
    assert held.ageing_after <= held.stale_after


def test_a_refresh_is_due_at_about_80_percent_jittered() -> None:
    """
    So that a fleet that shares a token does not refresh it in one moment.
    """
    hands = Hands()
    dues = {
        Held.of(a_token(hands, 1000.0), leeway=None, clock=hands.clock).ageing_after
        for _ in range(50)
    }

    assert 750.0 <= min(dues) < max(dues) <= 850.0


@given(st.floats(0.0, 1e9), st.none() | st.floats(0.0, 1e9))
def test_no_token_is_born_stale(lifetime: float, leeway: float | None) -> None:
    """
    Whatever life and leeway: fresh, then ageing, then stale, then over.
    """
    hands = Hands(wall=0.0)
    held = Held.of(a_token(hands, lifetime), leeway=leeway, clock=hands.clock)

    assert 0.0 <= held.ageing_after <= held.stale_after <= held.over_after
    assert held.stale_after >= held.over_after / 2


@pytest.mark.parametrize(
    ("wall", "steady", "age"),
    [(10.0, 10.0, 10.0), (-5000.0, 10.0, 10.0), (5000.0, 10.0, 5000.0), (10.0, 5000.0, 5000.0)],
)
def test_age_is_what_the_older_clock_says(wall: float, steady: float, age: float) -> None:
    """
    A wall clock set back revives nothing; suspend and a clock set forward count.
    """
    hands = Hands()
    held = Held.of(a_token(hands, 60.0), leeway=None, clock=hands.clock)
    hands.wall += wall
    hands.steady += steady

    assert age == held.age(hands.clock)


def test_a_token_from_a_store_arrives_with_its_age() -> None:
    """
    The steady clock starts where the wall clock says the token is by now.
    """
    hands = Hands()
    token = a_token(hands, 3600.0)
    hands.turn(1000.0)
    held = Held.of(token, leeway=None, clock=hands.clock)
    hands.wall -= 999_999.0
    hands.steady += 100.0

    assert 1100.0 == held.age(hands.clock)


def test_held_hides_the_token() -> None:
    """
    Neither header nor value is in its repr.
    """
    hands = Hands()
    token = a_token(hands, 60.0, value="planted-token")

    assert "planted-token" not in repr(Held.of(token, leeway=None, clock=hands.clock))


@pytest.mark.parametrize("clock", ["wall", "steady", "both"])
@pytest.mark.parametrize(
    ("seconds", "requests"), [(0.0, 1), (749.0, 1), (969.0, 2), (971.0, 2), (1001.0, 2), (9e9, 2)]
)
def test_a_token_is_used_as_long_as_it_lives(
    world: World, drive: Drive, seconds: float, requests: int, clock: str
) -> None:
    """
    By either clock: fresh costs nothing, ageing and later cost one token request.
    """
    world.issuer.lifetime = 1000
    auth = world.auth()
    drive.token(auth)
    world.hands.wall += seconds if clock != "steady" else 0.0
    world.hands.steady += seconds if clock != "wall" else 0.0

    used = drive.token(auth).value
    settle(auth)
    assert requests == world.issuer.count
    if seconds < 750.0:
        assert "token-1" == used
    if seconds > 970.0:
        assert "token-2" == used


def test_nobody_waits_at_a_rollover(world: World, drive: Drive) -> None:
    """
    While the token endpoint is busy with the refresh, requests go on with the old token.
    """
    auth = world.auth()
    drive.token(auth)
    world.issuer.wait_until_asked()
    world.hands.turn(3600.0 * 0.86)
    world.issuer.gate.clear()

    for _ in range(3):
        assert ["Bearer token-1"] == drive.converse(auth, httpx.Request("GET", API), reply(200))
    world.issuer.wait_until_asked()
    assert ["Bearer token-1"] == drive.converse(auth, httpx.Request("GET", API), reply(200))
    assert "waited" not in world.kinds[2:]

    world.issuer.gate.set()
    settle(auth)
    assert "token-2" == drive.token(auth).value
    assert 2 == world.issuer.count


def test_a_stale_token_is_waited_for(world: World, drive: Drive) -> None:
    """
    After an idle time there is no telling whether the old one would arrive in time.
    """
    auth = world.auth()
    drive.token(auth)
    world.hands.turn(3571.0)

    assert "token-2" == drive.token(auth).value


@pytest.mark.parametrize("seconds", [3571.0, 3599.0])
def test_a_stale_token_serves_when_there_is_no_other(
    world: World, drive: Drive, seconds: float
) -> None:
    """
    Until its very end.
    """
    auth = world.auth()
    drive.token(auth)
    world.hands.turn(seconds)
    world.issuer.always = lambda: refusal("invalid_client")

    assert "token-1" == drive.token(auth).value
    assert 2 == world.issuer.count


def test_a_stale_token_serves_before_waiting_for_another_would_outlast_it(
    world: World, drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A token endpoint that hangs is waited for a quarter of what the old token has left.
    """
    auth = world.auth()
    drive.token(auth)
    world.hands.turn(3599.6)
    world.issuer.gate.clear()
    limits: list[float] = []
    worth_waiting = TokenDesk._worth_waiting

    def noted(desk: TokenDesk, *about: Any) -> float:
        limits.append(worth_waiting(desk, *about))
        return limits[-1]

    monkeypatch.setattr(TokenDesk, "_worth_waiting", noted)

    assert "token-1" == drive.token(auth).value
    assert [pytest.approx(0.1)] == limits
    world.issuer.gate.set()
    settle(auth)
    assert "token-2" == drive.token(auth).value
    assert 2 == world.issuer.count


def test_a_stale_token_that_ends_while_another_is_waited_for(
    world: World, drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Then there is nothing left but to go on waiting, and no error.
    """
    auth = world.auth()
    drive.token(auth)
    world.hands.turn(3599.6)
    world.issuer.gate.clear()
    monkeypatch.setattr(TokenDesk, "_worth_waiting", lambda *_: 0.0)
    # Asked once the short wait is over: the old token has just ended, the new one may come.
    monkeypatch.setattr(TokenDesk, "_last_resort", lambda *_: world.issuer.gate.set())

    assert "token-2" == drive.token(auth).value
    assert 2 == world.issuer.count


def test_a_failed_refresh_keeps_the_old_token_until_it_ends(
    world: World, drive: Drive, caplog: pytest.LogCaptureFixture
) -> None:
    """
    It is logged, tried again after a pause, waits for nobody, and is an error only at the end.
    """
    auth = world.auth()
    drive.token(auth)
    world.hands.turn(3100.0)
    world.issuer.always = lambda: httpx.Response(503, headers={"Retry-After": "600"})

    assert "token-1" == drive.token(auth).value
    settle(auth)
    assert (2, [logging.WARNING]) == (world.issuer.count, [r.levelno for r in caplog.records])
    assert "no new token for scopes 'event': token endpoint" in caplog.text

    assert "token-1" == drive.token(auth).value  # within the pause: not even tried
    settle(auth)
    assert 2 == world.issuer.count

    world.hands.turn(30.1)  # as long as a wish to be left alone is respected
    assert "token-1" == drive.token(auth).value
    settle(auth)
    assert 3 == world.issuer.count

    world.hands.turn(445.0)  # stale by now
    world.issuer.gate.clear()
    assert "token-1" == drive.token(auth).value
    assert 1 == world.kinds.count("waited")  # nobody waits for an endpoint in trouble
    world.issuer.gate.set()
    settle(auth)

    world.hands.turn(30.1)
    world.issuer.always = lambda: refusal("invalid_client")
    with pytest.raises(TokenError):
        drive.token(auth)


def test_the_endpoint_recovers(world: World, drive: Drive) -> None:
    """
    The next refresh that works ends the trouble.
    """
    auth = world.auth()
    drive.token(auth)
    world.hands.turn(3571.0)
    world.issuer.lined_up.append(refusal("invalid_client"))
    drive.token(auth)
    world.hands.turn(31.0)

    assert "token-3" == drive.token(auth).value
    assert {} == auth._desk._failures


@pytest.mark.parametrize("expires_in", [0, -1, "0", "-inf"])
def test_a_token_without_a_life_serves_once(world: World, drive: Drive, expires_in: Any) -> None:
    """
    It is used by the request that fetched it, and kept by nobody.
    """
    store = MemoryTokenStore()
    world.issuer.lifetime = expires_in
    auth = world.auth(store=store)

    assert ["Bearer token-1"] == drive.converse(auth, httpx.Request("GET", API), reply(200))
    assert ["Bearer token-2"] == drive.converse(auth, httpx.Request("GET", API), reply(200))
    assert ("MemoryTokenStore(0 tokens)", {}) == (repr(store), auth._desk._held)


@pytest.mark.parametrize("expires_in", [10**400, "inf", 1e300])
def test_no_token_is_valid_for_ever(world: World, drive: Drive, expires_in: Any) -> None:
    """
    After 30 days a new one is fetched, whatever was promised.
    """
    content = f'{{"access_token": "t", "expires_in": "{expires_in}"}}'.encode()
    world.issuer.always = lambda: httpx.Response(200, content=content)
    auth = world.auth()
    drive.token(auth)
    world.hands.turn(30 * 86_400.0 + 1)
    drive.token(auth)

    assert 2 == world.issuer.count


def test_a_missing_expires_in_means_600_seconds(world: World, drive: Drive) -> None:
    """
    Long enough to be of use, short enough to be safe.
    """
    world.issuer.always = lambda: token_answer("t", expires_in=None)
    auth = world.auth()

    assert 600.0 == drive.token(auth).lifetime
    world.hands.turn(601.0)
    drive.token(auth)
    assert 2 == world.issuer.count


def test_a_refresh_takes_up_what_another_process_has_fetched(world: World, drive: Drive) -> None:
    """
    The store is looked at first: no token request.
    """
    store = MemoryTokenStore()
    auth = world.auth(store=store)
    drive.token(auth)
    world.hands.turn(3100.0)
    key = auth._sources["event"].key
    store.set(key, a_token(world.hands, 3600.0, "theirs"))

    assert "token-1" == drive.token(auth).value
    settle(auth)
    assert "theirs" == drive.token(auth).value
    assert (1, "token_adopted") == (world.issuer.count, world.kinds[-1])


def test_the_store_is_looked_at_again_under_its_lock(world: World, drive: Drive) -> None:
    """
    Whoever had the lock until now has brought a token: it is used.
    """

    class Queue(MemoryTokenStore):
        def lock(self, key: str, timeout: float) -> AbstractContextManager[None]:
            self.set(key, a_token(world.hands, 3600.0, "theirs"))
            return nullcontext()

    assert "theirs" == drive.token(world.auth(store=Queue())).value
    assert 0 == world.issuer.count


@pytest.mark.parametrize(
    ("issued_ago", "lifetime"),
    [
        (3600.0, 3600.0),  # over
        (3571.0, 3600.0),  # stale
        (-10.0, 3600.0),  # from the future
        (0.0, 31 * 86_400.0),  # for ever
        (0.0, 0.0),
        (0.0, -5.0),
    ],
)
def test_an_implausible_token_in_the_store_is_not_used(
    world: World, drive: Drive, issued_ago: float, lifetime: float
) -> None:
    """
    Over, nearly over, from the future, or valid for longer than any: fetched anew.
    """
    store = MemoryTokenStore()
    auth = world.auth(store=store)
    world.hands.wall -= issued_ago
    token = a_token(world.hands, lifetime, "theirs")
    world.hands.wall += issued_ago
    store.set(auth._sources["event"].key, token)

    assert "token-1" == drive.token(auth).value


def test_a_plausible_token_in_the_store_is_used(world: World, drive: Drive) -> None:
    """
    Clocks of machines that share a store may differ by a few seconds.
    """
    store = MemoryTokenStore()
    auth = world.auth(store=store)
    world.hands.wall += 4.0
    token = a_token(world.hands, 3600.0, "theirs")
    world.hands.wall -= 4.0
    store.set(auth._sources["event"].key, token)

    assert "theirs" == drive.token(auth).value
    assert ["token_adopted", "waited"] == world.kinds


def test_a_refresh_under_way_is_joined_when_the_token_ends(world: World) -> None:
    """
    One flight: who comes after the end waits for the refresh that is there already.
    """
    auth = world.auth(deadline=5000)
    auth.get_token()
    world.issuer.wait_until_asked()
    world.hands.turn(3100.0)
    world.issuer.gate.clear()
    assert "token-1" == auth.get_token().value
    world.issuer.wait_until_asked()
    world.hands.turn(1000.0)

    values: list[str] = []
    waiter = threading.Thread(target=lambda: values.append(auth.get_token().value))
    waiter.start()
    world.issuer.gate.set()
    waiter.join(PATIENCE)

    assert ["token-2"] == values
    assert 2 == world.issuer.count


def test_every_way_to_drive_is_tried() -> None:
    """
    Threads, asyncio and trio.
    """
    assert {"sync", "asyncio", "trio"} == set(DRIVES)
