"""
What a failure costs, whom it reaches, and how long it is remembered.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import httpx
import pytest

from auth_ext import (
    AccessToken,
    AuthError,
    InvalidClient,
    InvalidTokenResponse,
    MemoryTokenStore,
    TokenEndpointUnavailable,
    TokenError,
)
from auth_ext._store_guard import LOCK_PATIENCE
from tests.auth.helpers import PATIENCE, Drive, World, refusal

REFUSALS = ["invalid_client", "invalid_scope", "unauthorized_client"]


@pytest.mark.parametrize("error", REFUSALS)
def test_a_refusal_is_remembered_for_a_while(world: World, drive: Drive, error: str) -> None:
    """
    A thousand callers cost one request; after 30 s it is tried again.
    """
    world.issuer.always = lambda: refusal(error)
    auth = world.auth()
    for _ in range(20):
        with pytest.raises(TokenError, match=error):
            drive.token(auth)
    assert 1 == world.issuer.count

    world.hands.turn(30.1)
    world.issuer.always = None
    assert "token-2" == drive.token(auth).value


def test_a_remembered_refusal_is_each_callers_own(world: World, drive: Drive) -> None:
    """
    Two callers never raise one and the same instance.
    """
    world.issuer.always = lambda: refusal("invalid_client")
    auth = world.auth()
    caught = []
    for _ in range(3):
        with pytest.raises(InvalidClient) as info:
            drive.token(auth)
        caught.append(info.value)

    assert 3 == len({id(error) for error in caught})
    assert 1 == len({str(error) for error in caught})


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<html>"),
        httpx.Response(503),
        httpx.ConnectError("no route"),
        httpx.Response(400, json={"error": "temporarily_unavailable"}),
    ],
    ids=repr,
)
def test_passing_trouble_is_not_remembered(world: World, drive: Drive, answer: Any) -> None:
    """
    Whatever may be gone by the next call is tried again by the next call.
    """
    world.issuer.always = lambda: answer
    auth = world.auth()
    with pytest.raises(TokenError):
        drive.token(auth)
    world.issuer.always = None

    assert drive.token(auth).value.startswith("token-")


@pytest.mark.parametrize(("asked", "seconds"), [("9", 9.0), ("3600", 30.0)])
def test_a_wish_to_be_left_alone_is_respected(
    world: World, drive: Drive, asked: str, seconds: float
) -> None:
    """
    Callers after the first do not disregard Retry-After, for 30 s at most.
    """
    world.issuer.always = lambda: httpx.Response(429, headers={"Retry-After": asked})
    auth = world.auth(deadline=8)
    for _ in range(3):
        with pytest.raises(TokenEndpointUnavailable):
            drive.token(auth)
    assert 1 == world.issuer.count

    world.issuer.always = None
    world.hands.turn(seconds + 0.1)
    assert "token-2" == drive.token(auth).value


def test_a_new_configuration_is_tried_at_once(world: World, drive: Drive) -> None:
    """
    Another secret, or another way to write it, does not inherit the refusal of the first.
    """
    store = MemoryTokenStore()
    world.issuer.lined_up.extend([refusal("invalid_client")] * 2)
    wrong = world.auth("wrong", store=store)
    rewritten = world.auth("wrong", store=store, urlencode_credentials=False)
    right = world.auth(store=store)

    for auth in (wrong, rewritten, wrong, rewritten):
        with pytest.raises(InvalidClient):
            drive.token(auth)
    assert 2 == world.issuer.count
    assert "token-3" == drive.token(right).value


def test_instances_with_one_store_share_tokens(world: World, drive: Drive) -> None:
    """
    Whatever the order of their scopes.
    """
    store = MemoryTokenStore()
    one = world.auth(store=store, scopes="a b")
    other = world.auth(store=store, scopes=["b", "a"])

    assert "token-1" == drive.token(one).value == drive.token(other).value
    assert 1 == world.issuer.count


def test_instances_without_a_store_share_nothing(world: World, drive: Drive) -> None:
    """
    No global cache.
    """
    assert ["token-1", "token-2"] == [drive.token(world.auth()).value for _ in range(2)]


@pytest.mark.parametrize(
    "change",
    [
        {"scopes": "other"},
        {"token_url": "https://other.example/token"},
    ],
)
def test_tokens_of_different_keys_never_mix(
    world: World, drive: Drive, change: dict[str, Any]
) -> None:
    """
    Other scopes, another environment: another token.
    """
    store = MemoryTokenStore()

    assert "token-1" == drive.token(world.auth(store=store)).value
    assert "token-2" == drive.token(world.auth(store=store, **change)).value


def in_threads(count: int, act: Callable[[], Any]) -> list[Any]:
    """
    What *act* gives or raises in each of that many threads at once.
    """
    outcomes: list[Any] = []
    start = threading.Barrier(count)

    def run() -> None:
        start.wait(PATIENCE)
        try:
            outcomes.append(act())
        except AuthError as error:
            outcomes.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    return outcomes


def test_every_waiter_of_a_failed_flight_gets_its_own_error(world: World) -> None:
    """
    One request, as many instances as callers.
    """
    auth = world.auth()
    world.issuer.gate.clear()
    world.issuer.always = lambda: refusal("invalid_client")
    waiting = threading.Semaphore(0)
    wait = auth._desk._ask

    def counted(*about: Any) -> Any:
        found = wait(*about)
        waiting.release()
        return found

    auth._desk._ask = counted  # type: ignore[method-assign,assignment]

    def open_when_all_wait() -> None:
        for _ in range(8):
            assert waiting.acquire(timeout=PATIENCE)
        world.issuer.gate.set()

    opener = threading.Thread(target=open_when_all_wait)
    opener.start()
    errors = in_threads(8, auth.get_token)
    opener.join(PATIENCE)

    assert 1 == world.issuer.count
    assert 8 == len({id(error) for error in errors})
    assert {InvalidClient} == {type(error) for error in errors}
    assert 8 == len({id(error.__traceback__) for error in errors})


def test_a_flight_that_is_stuck_is_given_up_and_replaced(world: World, drive: Drive) -> None:
    """
    Where no timeout reaches, the deadline still does; the next caller starts afresh.
    """
    auth = world.auth(deadline=0.05)
    world.issuer.gate.clear()

    with pytest.raises(
        TokenEndpointUnavailable, match=r"gave no token within 0\.05 s\. Check the network"
    ) as caught:
        drive.token(auth)
    assert caught.value.retryable
    assert "Authorization" not in caught.value.request.headers
    stuck = next(iter(auth._desk._flights.values()))
    assert stuck.is_overdue

    with pytest.raises(TokenEndpointUnavailable):
        drive.token(auth)
    replaced = next(iter(auth._desk._flights.values()))
    assert stuck is not replaced
    for _ in range(2):
        world.issuer.wait_until_asked()

    # The stuck one comes home after all: its token is welcome, its successor is not disturbed.
    world.issuer.gate.set()
    assert {"token-1", "token-2"} == {
        stuck._done.result(PATIENCE).token.value,
        replaced._done.result(PATIENCE).token.value,
    }
    assert {} == auth._desk._flights
    assert drive.token(auth).value in {"token-1", "token-2"}


class BrokenStore:
    """
    A store that fails on the acts it is told to fail on.
    """

    def __init__(self, *fails_on: str) -> None:
        self.fails_on = fails_on
        self.acts: list[str] = []
        self.inner = MemoryTokenStore()

    def _act(self, name: str) -> None:
        self.acts.append(name)
        if name in self.fails_on:
            raise OSError(f"no {name}")

    def get(self, key: str) -> AccessToken | None:
        """
        As the Protocol has it.
        """
        self._act("get")
        return self.inner.get(key)

    def set(self, key: str, token: AccessToken) -> None:
        """
        As the Protocol has it.
        """
        self._act("set")
        self.inner.set(key, token)

    def delete(self, key: str, token: AccessToken) -> None:
        """
        As the Protocol has it.
        """
        self._act("delete")
        self.inner.delete(key, token)

    def lock(self, key: str, timeout: float) -> AbstractContextManager[None]:
        """
        As the Protocol has it.
        """
        self._act("lock")
        return self._unlocking() if "unlock" in self.fails_on else nullcontext()

    @contextmanager
    def _unlocking(self) -> Iterator[None]:
        yield
        self._act("unlock")


@pytest.mark.parametrize(
    ("act", "acts"),
    [
        ("get", ["get"]),
        ("lock", ["get", "lock"]),
        ("set", ["get", "lock", "get", "set"]),
        ("unlock", ["get", "lock", "get", "set", "unlock"]),
    ],
)
def test_a_broken_store_fails_no_request(
    world: World, drive: Drive, caplog: pytest.LogCaptureFixture, act: str, acts: list[str]
) -> None:
    """
    A warning and an event, the token is fetched without it, and it is left alone after that.
    """
    store = BrokenStore(act)
    auth = world.auth(store=store)

    assert "token-1" == drive.token(auth).value
    assert acts == store.acts
    assert [
        f"the token store failed on {act} (OSError: no {act}); going on without it"
    ] == caplog.messages
    failed = next(event for event in world.events if event.kind == "store_failed")
    assert f"no {act}" == str(failed.error)
    assert "token-1" == drive.token(auth).value
    assert 1 == world.issuer.count


def test_a_store_that_cannot_forget(world: World, drive: Drive) -> None:
    """
    The refused token is not taken up again from there.
    """
    store = BrokenStore("delete")
    auth = world.auth(store=store)
    refused = drive.token(auth)
    renewed = auth._desk.get(auth._source_for("event"), rejected=refused)

    assert "token-2" == renewed.token.value
    assert ["get", "lock", "get", "delete"] == store.acts[4:]


def test_a_failing_unlock_does_not_hide_the_refusal(
    world: World, drive: Drive, caplog: pytest.LogCaptureFixture
) -> None:
    """
    The caller hears of the refusal, the log of both.
    """
    world.issuer.lined_up.append(refusal("invalid_client"))

    with pytest.raises(InvalidClient):
        drive.token(world.auth(store=BrokenStore("unlock")))


def test_the_lock_is_waited_for_within_the_deadline(world: World) -> None:
    """
    12 s at most, half of a shorter deadline: time for the token request must be left.
    """
    waits: list[float] = []

    class Watched(MemoryTokenStore):
        def lock(self, key: str, timeout: float) -> AbstractContextManager[None]:
            waits.append(timeout)
            return nullcontext()

    world.auth(store=Watched()).get_token()
    world.auth(store=Watched(), deadline=10).get_token()

    assert [LOCK_PATIENCE, 5.0] == waits


def test_an_unusable_answer_is_not_remembered(world: World, drive: Drive) -> None:
    """
    A login page of a hotel network says nothing about the next answer.
    """
    world.issuer.lined_up.append(httpx.Response(200, text="<html>"))
    auth = world.auth()
    with pytest.raises(InvalidTokenResponse):
        drive.token(auth)

    assert "token-2" == drive.token(auth).value


def test_a_late_failure_spares_the_token_that_came_meanwhile(world: World, drive: Drive) -> None:
    """
    A flight that was replaced and fails afterwards takes nothing away.
    """
    auth = world.auth(deadline=0.05)
    world.issuer.gate.clear()
    world.issuer.lined_up.append(refusal("invalid_client"))
    with pytest.raises(TokenEndpointUnavailable):
        drive.token(auth)
    stuck = next(iter(auth._desk._flights.values()))
    auth._desk._held[auth._source_for("event").key] = auth._source_for("event").held(
        AccessToken(
            value="theirs",
            scopes=frozenset(),
            requested_scopes=frozenset(),
            issued_at=world.hands.wall,
            expires_at=world.hands.wall + 3600.0,
        )
    )
    world.issuer.gate.set()
    assert isinstance(stuck._done.exception(PATIENCE), InvalidClient)

    assert "theirs" == drive.token(auth).value
