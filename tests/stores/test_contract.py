"""
What every store promises, whichever it is.
"""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs
import pytest

from auth_ext import AccessToken, FileTokenStore, MemoryTokenStore, RedisTokenStore, TokenStore
from auth_ext.stores import _folder
from tests.stores.helpers import PATIENCE, Hands, token

SHARED = ["file", "file without owners", "redis"]


@pytest.fixture(params=["memory", *SHARED])
def store(
    request: pytest.FixtureRequest, tmp_path: Path, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TokenStore]:
    """
    Each kind of store in turn.
    """
    if request.param == "memory":
        yield MemoryTokenStore()
    elif request.param == "redis":
        server = request.getfixturevalue("redis_server")
        made = RedisTokenStore(server.url, clock=hands.wall_clock)
        yield made
        made.close()
    else:
        # What Windows has: no owners, no modes, no descriptors of folders.
        monkeypatch.setattr(_folder, "POSIX", request.param == "file")
        yield FileTokenStore(tmp_path / "tokens", clock=hands.wall_clock)


def token_in(store: TokenStore, key: str) -> AccessToken:
    """
    The token kept for *key*, which there must be.
    """
    found = store.get(key)
    assert found is not None
    return found


def test_it_is_a_token_store(store: TokenStore) -> None:
    """
    Every store is a TokenStore to isinstance.
    """
    assert isinstance(store, TokenStore)


def test_a_key_without_a_token(store: TokenStore) -> None:
    """
    Of a key nobody has set there is no token; deleting one is no error.
    """
    store.delete("a", token(now=1.0))

    assert None is store.get("a")


def test_what_is_set_is_got(store: TokenStore, hands: Hands) -> None:
    """
    A token comes back with all it had.
    """
    given = token(now=hands.now)
    store.set("a", given)

    got = token_in(store, "a")

    assert given.value == got.value
    assert attrs.evolve(given, issued_at=0, expires_at=0, renewed_at=0) == attrs.evolve(
        got, issued_at=0, expires_at=0, renewed_at=0
    )
    # Redis counts a moment as gone that this clock did not.
    assert got.expires_at == pytest.approx(given.expires_at, abs=1)
    assert given.lifetime == pytest.approx(got.lifetime)
    assert got.renewed_at is not None
    assert given.renewed_at is not None
    assert got.expires_at - got.renewed_at == pytest.approx(given.expires_at - given.renewed_at)


def test_a_token_that_was_never_renewed(store: TokenStore, hands: Hands) -> None:
    """
    No renewal stays no renewal.
    """
    store.set("a", attrs.evolve(token(now=hands.now), renewed_at=None))

    assert None is token_in(store, "a").renewed_at


def test_the_newest_token_replaces_the_older(store: TokenStore, hands: Hands) -> None:
    """
    A key has one token, the last one set.
    """
    store.set("a", token("old", now=hands.now))
    store.set("a", token("new", now=hands.now))

    assert "new" == token_in(store, "a").value


def test_keys_do_not_mix(store: TokenStore, hands: Hands) -> None:
    """
    Each key has a token of its own.
    """
    store.set("a", token("of-a", now=hands.now))
    store.set("b", token("of-b", now=hands.now))
    store.delete("a", token("of-a", now=hands.now))

    assert None is store.get("a")
    assert "of-b" == token_in(store, "b").value


def test_delete_removes_only_the_token_it_names(store: TokenStore, hands: Hands) -> None:
    """
    A newer token survives the deletion of an older one.
    """
    store.set("a", token("newer", now=hands.now))

    store.delete("a", token("older", now=hands.now))

    assert "newer" == token_in(store, "a").value


def test_an_ended_token_may_be_given_but_never_longer(store: TokenStore, hands: Hands) -> None:
    """
    A token set after its end is gone or comes back ended.
    """
    store.set("a", token(now=hands.now - 7200))

    got = store.get("a")

    assert got is None or got.expires_at <= hands.now


@pytest.mark.parametrize("store", SHARED, indirect=True)
def test_the_lock_lets_one_thread_in_at_a_time(store: TokenStore, hands: Hands) -> None:
    """
    With a shared store no two threads are inside the lock of one key at once.
    """
    inside, most, guard = [0], [0], threading.Lock()
    start = threading.Barrier(4)

    def visit() -> None:
        start.wait(PATIENCE)
        for _ in range(3):
            with store.lock("a", PATIENCE):
                with guard:
                    inside[0] += 1
                    most[0] = max(most[0], inside[0])
                with guard:
                    inside[0] -= 1

    with ThreadPoolExecutor(4) as pool:
        for visitor in [pool.submit(visit) for _ in range(4)]:
            visitor.result(PATIENCE)

    assert 1 == most[0]


def test_locks_of_different_keys_are_apart(store: TokenStore) -> None:
    """
    Holding one key's lock keeps nobody from another's.
    """
    with store.lock("a", 1.0), store.lock("b", 0.0):
        pass


def test_a_lock_is_given_back_after_an_error(store: TokenStore) -> None:
    """
    An error inside the lock passes through and leaves it free.
    """
    with pytest.raises(KeyError), store.lock("a", 1.0):
        raise KeyError

    with store.lock("a", 0.0):
        pass


def test_memory_has_nothing_to_lock_and_tells_no_token(hands: Hands) -> None:
    """
    One process has one token request per key anyway; repr counts tokens and shows none.
    """
    store = MemoryTokenStore()
    with store.lock("a", 0.0), store.lock("a", 0.0):
        store.set("a", token(now=hands.now))

    assert "MemoryTokenStore(1 tokens)" == repr(store)
