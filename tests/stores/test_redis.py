"""
Tokens in Redis: keys, clocks, fences, outages, and what is never said.
"""

import logging
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NoReturn, Protocol, TypedDict, Unpack

import attrs
import pytest
import redis
from redis.crc import key_slot

from auth_ext import Clock, ConfigurationError, OAuth2ClientCredentials, RedisTokenStore
from auth_ext.stores import _redis
from tests.stores.helpers import (
    PATIENCE,
    ROOT,
    SECRET,
    Hands,
    RedisServer,
    Service,
    free_port,
    must_have,
    token,
)
from tests.stores.test_contract import token_in

TOKEN, LOCK, FENCE = (
    f"signicat-express-client:{{a}}:{kind}" for kind in ("token", "lock", "fence")
)


class Options(TypedDict, total=False):
    """
    What a store may be told besides its server.
    """

    namespace: str
    clock: Clock


class Make(Protocol):
    """
    Makes a store on the shared server, or on the one given.
    """

    def __call__(
        self, what: str | redis.Redis | None = None, **options: Unpack[Options]
    ) -> RedisTokenStore:
        """
        The store, closed at the end of the test.
        """
        ...


@pytest.fixture
def raw(redis_server: RedisServer) -> Iterator[redis.Redis]:
    """
    A client beside the store.
    """
    with redis.Redis(port=redis_server.port, decode_responses=True) as client:
        yield client


@pytest.fixture
def make(redis_server: RedisServer) -> Iterator[Make]:
    """
    Makes stores that are closed at the end.
    """
    with ExitStack() as stack:

        def made(
            what: str | redis.Redis | None = None, **options: Unpack[Options]
        ) -> RedisTokenStore:
            store = RedisTokenStore(redis_server.url if what is None else what, **options)
            stack.callback(store.close)
            return store

        yield made


@pytest.fixture
def store(make: Make) -> RedisTokenStore:
    """
    A store on the shared server.
    """
    return make()


# Keys


def test_one_key_for_a_token_and_all_have_a_ttl(store: RedisTokenStore, raw: redis.Redis) -> None:
    """
    Token, lock and fence live in keys of this library's, on one node of a cluster, and end.
    """
    with store.lock("a", 1.0):
        store.set("a", token(now=time.time()))

        assert {TOKEN, LOCK, FENCE} == set(raw.keys("*"))
        assert all(raw.pttl(key) > 0 for key in raw.keys("*"))
        assert 0 < raw.pttl(LOCK) <= 10_000
        assert 1 == len({key_slot(str(key).encode()) for key in raw.keys("*")})

    assert {TOKEN, FENCE} == set(raw.keys("*"))


def test_a_namespace_of_ones_own(make: Make, raw: redis.Redis) -> None:
    """
    Two namespaces in one database do not see each other's tokens.
    """
    make(namespace="mine").set("a", token(now=time.time()))

    assert ["mine:{a}:token"] == raw.keys("*")
    assert None is make().get("a")


@pytest.mark.parametrize(("lifetime", "ttl"), [(90.0, 90_000), (0.0, -2), (-1.0, -2)])
def test_a_token_lives_in_redis_as_long_as_it_lives(
    make: Make, raw: redis.Redis, hands: Hands, lifetime: float, ttl: int
) -> None:
    """
    The TTL is what is left of the token's life; an ended token is not written.
    """
    issued = hands.now - 10
    ended = attrs.evolve(token(now=issued), expires_at=hands.now + lifetime)
    make(clock=hands.clock).set("a", ended)

    assert ttl - 2000 <= raw.pttl(TOKEN) <= ttl


@pytest.mark.parametrize("text", [True, False])
@pytest.mark.parametrize("protocol", [2, 3])
def test_a_client_of_ones_own(
    make: Make, redis_server: RedisServer, text: bool, protocol: int
) -> None:
    """
    A redis.Redis serves however it decodes answers, and stays open when the store is closed.
    """
    with redis.Redis(port=redis_server.port, decode_responses=text, protocol=protocol) as client:
        store = make(client)
        with store.lock("a", 1.0):
            store.set("a", token(now=time.time()))
        store.close()

        assert "token-1" == token_in(store, "a").value
        store.delete("a", token(now=time.time()))
        assert None is store.get("a")


@pytest.mark.parametrize("own", [True, False])
def test_close_closes_what_the_store_opened(
    redis_server: RedisServer, raw: redis.Redis, own: bool
) -> None:
    """
    Connections made for a URL are closed, those of a client that was handed over are not.
    """
    with redis.Redis(port=redis_server.port) as client:
        before = len(raw.client_list())
        store = RedisTokenStore(redis_server.url if own else client)
        store.get("a")
        assert before + 1 == len(raw.client_list())
        store.close()
        ends = time.monotonic() + PATIENCE
        while own and before != len(raw.client_list()):
            assert time.monotonic() < ends, "the connection is still open"
        assert (before if own else before + 1) == len(raw.client_list())


def test_a_cluster(tmp_path: Path) -> None:
    """
    A redis.RedisCluster serves: every script touches keys of one slot.
    """
    server = RedisServer(tmp_path, "--cluster-enabled", "yes", "--cluster-port", str(free_port()))
    server.start()
    try:
        with redis.Redis(port=server.port) as node:
            node.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
            ends = time.monotonic() + PATIENCE
            while "ok" != node.execute_command("CLUSTER INFO")["cluster_state"]:
                assert time.monotonic() < ends
        with redis.RedisCluster(host="127.0.0.1", port=server.port) as client:
            store = RedisTokenStore(client)
            with store.lock("a", 1.0):
                store.set("a", token(now=time.time()))
            assert "token-1" == token_in(store, "a").value
            assert f"RedisTokenStore('Redis cluster at 127.0.0.1:{server.port}')" == repr(store)
    finally:
        server.stop()


# What is trusted


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda raw: raw.set(TOKEN, "garbage", px=9000), "corrupt"),
        (lambda raw: raw.set(TOKEN, b"\xff\xfe", px=9000), "corrupt"),
        (lambda raw: raw.persist(TOKEN), "no TTL"),
        (lambda raw: raw.set(TOKEN, raw.get(TOKEN).replace('"a"', '"b"'), px=9), "another client"),
    ],
)
def test_an_untrusted_value(
    store: RedisTokenStore,
    raw: redis.Redis,
    caplog: pytest.LogCaptureFixture,
    spoil: Callable[[redis.Redis], object],
    why: str,
) -> None:
    """
    It is not used, one warning says why, and the next token replaces it.
    """
    store.set("a", token("planted", now=time.time()))
    spoil(raw)

    with caplog.at_level(logging.WARNING, "auth_ext.stores"):
        if why == "another client":
            raw.pexpire(TOKEN, 60_000)
        assert [None] * 3 == [store.get("a") for _ in range(3)]
    store.delete("a", token("other", now=time.time()))

    assert 1 == len(caplog.records)
    assert why in caplog.text
    assert "planted" not in caplog.text
    store.set("a", token("good", now=time.time()))
    assert "good" == token_in(store, "a").value


def test_a_ttl_longer_than_the_life(store: RedisTokenStore, raw: redis.Redis) -> None:
    """
    A TTL that somebody stretched does not stretch the token.
    """
    store.set("a", token(now=time.time(), lifetime=60))
    raw.pexpire(TOKEN, 3_600_000)

    assert token_in(store, "a").expires_at <= time.time() + 60


@pytest.mark.parametrize("apart", [-86_400.0, -3.0, 7200.0])
def test_clocks_of_machines_may_differ(make: Make, apart: float) -> None:
    """
    A token that one machine wrote ends for another when it ends, whatever their clocks say.
    """
    here, there = Hands(), Hands(Hands().now + apart)
    given = token(now=here.now - 600, lifetime=3600)
    make(clock=here.clock).set("a", given)

    got = token_in(make(clock=there.clock), "a")

    assert pytest.approx(3000, abs=1) == got.expires_at - there.now
    assert got.expires_at <= there.now + 3000
    assert pytest.approx(given.lifetime) == got.lifetime
    assert got.renewed_at is not None
    assert pytest.approx(-660, abs=1) == got.renewed_at - there.now
    assert got.issued_at <= there.now


def test_the_time_an_answer_takes_is_taken_off(
    make: Make, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A slow answer makes a token end early, never late.
    """
    store = make(clock=hands.clock)
    store.set("a", token(now=hands.now, lifetime=60))
    asked, within = hands.now, _redis._within

    def slow(seconds: float, work: Callable[[], object]) -> object:
        answer = within(seconds, work)
        hands.turn(1.0)
        return answer

    monkeypatch.setattr(_redis, "_within", slow)

    assert token_in(store, "a").expires_at <= asked + 60


# Lock and fence


def _fence(raw: redis.Redis) -> int:
    found = raw.get(FENCE)
    assert found is not None
    return int(found)


def test_who_waits_in_vain_is_told(make: Make, hands: Hands) -> None:
    """
    After the time given a TimeoutError names the key; waiting grows from 20 ms to 250 ms.
    """
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        hands.turn(seconds)

    clock = attrs.evolve(hands.clock, sleep=sleep)
    with make().lock("a", 1.0), pytest.raises(TimeoutError, match=r"held Redis key .* for 3 s"):
        make(clock=clock).lock("a", 3.0).__enter__()

    assert 0.01 <= pauses[0] <= 0.02
    assert 0.25 >= max(pauses) > 0.1
    assert pytest.approx(3.0) == sum(pauses)


def test_a_lock_is_released_only_by_its_holder(make: Make, raw: redis.Redis) -> None:
    """
    A holder that lost its lock leaves the next holder's alone.
    """
    with make().lock("a", 1.0):
        raw.set(LOCK, "somebody else", px=9000)

    assert "somebody else" == raw.get(LOCK)


def test_a_lost_lock_is_not_extended(
    make: Make, raw: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The beat stops at a lock that is another's, and goes on over an outage of moments.
    """
    monkeypatch.setattr(_redis, "CLAIM_SECONDS", 0.03)
    asked, run = threading.Event(), _redis.RedisTokenStore._run
    answers = iter((ConnectionError("for a moment"), 0))

    def answered(
        self: RedisTokenStore, script: str, keys: list[str], *values: str | bytes | int
    ) -> object:
        if script is not _redis._EXTEND:
            return run(self, script, keys, *values)
        answer = next(answers)
        if isinstance(answer, int):
            asked.set()
            return answer
        raise answer

    monkeypatch.setattr(_redis.RedisTokenStore, "_run", answered)
    with make().lock("a", 1.0):
        assert asked.wait(PATIENCE)
        for thread in threading.enumerate():
            if thread.name == "auth_ext-redis-lock":
                thread.join(PATIENCE)
                assert not thread.is_alive()


def test_a_lock_is_extended_while_its_holder_lives(
    make: Make, raw: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A token request may take longer than the lock's TTL: others still wait.
    """
    monkeypatch.setattr(_redis, "LOCK_SECONDS", 0.3)
    monkeypatch.setattr(_redis, "CLAIM_SECONDS", 0.3)
    extended, run = threading.Semaphore(0), _redis.RedisTokenStore._run

    def counted(
        self: RedisTokenStore, script: str, keys: list[str], *values: str | bytes | int
    ) -> object:
        result = run(self, script, keys, *values)
        if script is _redis._EXTEND and result == 1:
            extended.release()
        return result

    monkeypatch.setattr(_redis.RedisTokenStore, "_run", counted)
    with make().lock("a", 1.0):
        for _ in range(5):  # a third of the TTL each
            assert extended.acquire(timeout=PATIENCE)
        assert raw.exists(LOCK)
        with pytest.raises(TimeoutError):
            make().lock("a", 0.0).__enter__()


def test_a_lock_is_claimed_for_a_short_time_first(
    make: Make, raw: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A claim that nobody confirms, as a server that hung carries out later, is over in 3 s.
    """
    make()._acquire(make()._names("a"), "long gone", 0.0)
    claimed = raw.pttl(LOCK)
    raw.delete(LOCK)

    extended, run = threading.Event(), _redis.RedisTokenStore._run

    def seen(
        self: RedisTokenStore, script: str, keys: list[str], *values: str | bytes | int
    ) -> object:
        result = run(self, script, keys, *values)
        if script is _redis._EXTEND:
            extended.set()
        return result

    monkeypatch.setattr(_redis.RedisTokenStore, "_run", seen)
    with make().lock("a", 1.0):
        assert extended.wait(PATIENCE)
        confirmed = raw.pttl(LOCK)

    assert 0 < claimed <= 3_000
    assert 3_000 < confirmed <= 10_000


def test_an_older_holder_cannot_overwrite_a_newer(make: Make, raw: redis.Redis) -> None:
    """
    A holder that slept through its TTL writes nothing once somebody else has had the lock.
    """
    slow, quick = make(), make()
    with slow.lock("a", 1.0):
        raw.delete(LOCK)  # what its TTL would have done
        with quick.lock("a", 1.0):
            quick.set("a", token("newer", now=time.time()))
            slow.set("a", token("older", now=time.time()))
        assert "newer" == token_in(slow, "a").value


@pytest.mark.parametrize("lost", ["counter", "everything"])
def test_fences_grow_even_where_the_counter_was_lost(
    make: Make, raw: redis.Redis, lost: str
) -> None:
    """
    A restart or an eviction does not let an old holder through.
    """
    slow, quick = make(), make()
    with slow.lock("a", 1.0):
        before = _fence(raw)
        raw.delete(FENCE, LOCK) if lost == "counter" else raw.flushall()
        with quick.lock("a", 1.0):
            quick.set("a", token("newer", now=time.time()))
        slow.set("a", token("older", now=time.time()))

    assert "newer" == token_in(slow, "a").value
    assert _fence(raw) > before


def test_a_lost_counter_keeps_no_token_out(make: Make, raw: redis.Redis) -> None:
    """
    The only holder shares its token even if its counter is gone.
    """
    store = make()
    with store.lock("a", 1.0):
        raw.flushall()
        store.set("a", token(now=time.time()))

    assert "token-1" == token_in(store, "a").value


def test_fences_belong_to_threads(make: Make, raw: redis.Redis) -> None:
    """
    A thread without the lock writes without a fence, another thread's is not its own.
    """
    store = make()
    with store.lock("a", 1.0):
        raw.incr(FENCE)  # somebody else has had the lock
        writer = threading.Thread(target=store.set, args=("a", token(now=time.time())))
        writer.start()
        writer.join(PATIENCE)
        assert "token-1" == token_in(store, "a").value


def test_a_repeated_acquisition_succeeds(make: Make, raw: redis.Redis) -> None:
    """
    If the answer to the first try got lost, the second try finds its own name and holds.
    """
    store, names = make(), make()._names("a")

    first = store._acquire(names, "me", 0.0)
    second = store._acquire(names, "me", 0.0)

    assert first < second
    with pytest.raises(TimeoutError):
        store._acquire(names, "you", 0.0)


# Outages


def test_nobody_there() -> None:
    """
    A server that is down is said at once, in one line, by a ConnectionError.
    """
    store = RedisTokenStore("redis://127.0.0.1:1/0")
    acts: list[Callable[[], object]] = [
        lambda: store.get("a"),
        lambda: store.set("a", token(now=time.time())),
        lambda: store.delete("a", token(now=time.time())),
        lambda: store.lock("a", 1.0).__enter__(),
    ]

    started = time.monotonic()
    for act in acts:
        with pytest.raises(ConnectionError, match=r"Redis at 127.0.0.1:1, db 0: ") as caught:
            act()
        assert "\n" not in str(caught.value)
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("patient", [False, True])
def test_a_frozen_server_costs_two_seconds_at_most(
    own_redis: RedisServer, make: Make, patient: bool
) -> None:
    """
    A server that takes connections and never answers is given up, whatever client is used.
    """
    client = redis.Redis(port=own_redis.port, socket_timeout=60) if patient else own_redis.url
    store = make(client)
    store.set("a", token(now=time.time()))
    with own_redis.frozen():
        started = time.monotonic()
        with pytest.raises(ConnectionError, match=r"no answer|Timeout"):
            store.get("a")
        assert time.monotonic() - started < _redis.COMMAND_SECONDS + 1

    assert "token-1" == token_in(store, "a").value


def test_a_failure_makes_the_next_commands_impatient(own_redis: RedisServer, make: Make) -> None:
    """
    An application with many tokens does not wait out every one of them; one success ends it.
    """
    store = make(own_redis.url)
    store.set("a", token(now=time.time()))
    with own_redis.frozen():
        with pytest.raises(ConnectionError):
            store.get("a")
        started = time.monotonic()
        for _ in range(10):
            with pytest.raises(ConnectionError, match=r"no answer within 0.05 s"):
                store.get("a")
        assert time.monotonic() - started < 2

    ends = time.monotonic() + PATIENCE
    while store._failed_at > 0:
        assert time.monotonic() < ends
        with suppress(ConnectionError):
            assert "token-1" == token_in(store, "a").value


def test_impatience_is_over_after_a_while(hands: Hands) -> None:
    """
    A server that is merely slow gets its full time again 5 s after the failure.
    """
    store = RedisTokenStore("redis://127.0.0.1:1/0", clock=hands.clock)
    for _ in range(3):  # failures in between do not make it longer
        with pytest.raises(ConnectionError):
            store.get("a")
        hands.turn(2.0)

    assert hands.now - 6.0 == store._failed_at


def test_after_a_restart_the_store_serves_at_once(own_redis: RedisServer, make: Make) -> None:
    """
    Connections and scripts that a restart ended are made anew, without one failure.
    """
    store = make(own_redis.url)
    store.set("a", token("before", now=time.time()))
    own_redis.stop()
    with pytest.raises(ConnectionError):
        store.get("a")
    own_redis.start()

    assert None is store.get("a")
    store.set("a", token("after", now=time.time()))
    assert "after" == token_in(store, "a").value


def test_a_connection_that_was_closed_meanwhile(store: RedisTokenStore, raw: redis.Redis) -> None:
    """
    An idle connection cut by the server or something in between is no failure.
    """
    store.set("a", token(now=time.time()))
    raw.execute_command(  # type: ignore[no-untyped-call]  # redis-py does not annotate it
        "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"
    )

    assert "token-1" == token_in(store, "a").value


def test_a_connection_cut_in_the_middle_of_a_command(
    store: RedisTokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    One more try, at once, saves a token request where a server was replaced just now.
    """
    store.set("a", token(now=time.time()))
    read = redis.connection.Connection.read_response
    cuts = iter([True])

    def cut(self: redis.connection.Connection, *arguments: bool, **options: object) -> object:
        if next(cuts, False):
            raise redis.ConnectionError("Connection closed by server.")
        return read(self, *arguments, **options)

    monkeypatch.setattr(redis.connection.Connection, "read_response", cut)

    assert "token-1" == token_in(store, "a").value
    assert None is next(cuts, None)


def test_no_more_threads(store: RedisTokenStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A process that can start no thread gets the same error as from a dead server.
    """

    def broken(_: threading.Thread) -> NoReturn:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", broken)

    with pytest.raises(ConnectionError, match="can't start new thread"):
        store.get("a")


def test_after_a_fork_each_process_has_connections_of_its_own(store: RedisTokenStore) -> None:
    """
    Parent and child use the same store without mixing up answers.
    """
    store.set("a", token("of-the-parent", now=time.time()))
    read, write = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover - coverage does not follow
        try:
            store.set("b", token("of-the-child", now=time.time()))
            os.write(write, token_in(store, "a").value.encode())
        finally:
            os._exit(0)
    os.close(write)
    values = {token_in(store, "a").value for _ in range(50)}
    with os.fdopen(read) as answer:
        assert "of-the-parent" == answer.read()
    os.waitpid(child, 0)

    assert {"of-the-parent"} == values
    assert "of-the-child" == token_in(store, "b").value


# Addresses, passwords, TLS


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1",
        "127.0.0.1:6379",
        "",
        "redis://:pass/word#x@127.0.0.1:6379/0",
        "redis://user:planted@127.0.0.1:planted/0",
        "redis://:planted@127.0.0.1/0?planted=1",
        "redis://:planted@127.0.0.1/0?socket_timeout=planted",
    ],
)
def test_what_is_no_url(url: str) -> None:
    """
    It is refused with one line that shows how to write it and nothing of what was given.
    """
    with pytest.raises(ConfigurationError, match=r"this is no Redis URL. Write redis://") as caught:
        RedisTokenStore(url)

    shown = f"{caught.value} {caught.value.__cause__}"
    assert "planted" not in shown
    assert "pass/" not in shown
    assert "\n" not in shown


@pytest.mark.parametrize(
    ("client", "why"),
    [
        (redis.asyncio.Redis, "instead of an asyncio client"),
        (lambda: 6379, "a redis.Redis or a redis.RedisCluster, not int"),
        (lambda: None, "not NoneType"),
    ],
)
def test_what_is_no_client(client: Callable[[], object], why: str) -> None:
    """
    Anything but a URL or a blocking client is refused with one line.
    """
    with pytest.raises(ConfigurationError, match=why):
        RedisTokenStore(client())  # type: ignore[arg-type]  # must be refused


@contextmanager
def _serving(folder: Path, *options: str) -> Iterator[RedisServer]:
    server = RedisServer(folder, *options)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def test_a_password_url(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """
    A password works, percent-encoded, and shows in no repr, log or error.
    """
    password = "planted/pass:word@#"
    url = "redis://:planted%2Fpass%3Aword%40%23@127.0.0.1:{}/0"
    with _serving(tmp_path, "--requirepass", password) as server:
        store = RedisTokenStore(url.format(server.port))
        with caplog.at_level(logging.DEBUG), store.lock("a", 1.0):
            store.set("a", token(now=time.time()))
            assert "token-1" == token_in(store, "a").value
        store.close()
        wrong = RedisTokenStore(f"redis://:planted-wrong@127.0.0.1:{server.port}/0")
        with pytest.raises(ConnectionError) as caught:
            wrong.get("a")
        wrong.close()
    with pytest.raises(ConnectionError) as gone:
        store.get("a")

    assert f"RedisTokenStore('Redis at 127.0.0.1:{server.port}, db 0')" == repr(store)
    for shown in (
        repr(store),
        repr(store._server),
        caplog.text,
        str(caught.value),
        str(gone.value),
    ):
        assert "planted" not in shown
        assert "token-1" not in shown


def test_a_password_the_server_repeats_is_blanked(
    store: RedisTokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Some servers quote the command they refuse; its password does not pass.
    """
    monkeypatch.setattr(store, "_server", attrs.evolve(store._server, password="planted"))

    class Quoting:
        def eval(self, *_: object) -> NoReturn:
            raise redis.ResponseError("unknown command 'AUTH', with args: 'planted'\r\n")

        def close(self) -> None:
            pass

    monkeypatch.setattr(store, "_client", Quoting())
    with pytest.raises(ConnectionError, match=r"with args: '\[password\]'$") as caught:
        store.get("a")
    assert None is caught.value.__cause__
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("trusted", [True, False])
def test_tls(tmp_path: Path, trusted: bool) -> None:
    """
    A rediss:// URL speaks TLS and checks the certificate.
    """
    must_have("openssl", "openssl")
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
        " -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
        " -keyout key.pem -out cert.pem"
    )
    subprocess.run(
        command.split(),
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    tls_port = RedisServer(tmp_path).port
    options = ["--tls-port", str(tls_port), "--tls-auth-clients", "no"]
    options += ["--tls-cert-file", str(tmp_path / "cert.pem")]
    options += ["--tls-key-file", str(tmp_path / "key.pem")]
    with _serving(tmp_path, *options):
        url = f"rediss://127.0.0.1:{tls_port}/0"
        ca = f"?ssl_ca_certs={tmp_path / 'cert.pem'}" if trusted else ""
        store = RedisTokenStore(url + ca)
        if trusted:
            store.set("a", token(now=time.time()))
            assert "token-1" == token_in(store, "a").value
        else:
            with pytest.raises(ConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
                store.get("a")
        store.close()


def test_repr_says_where() -> None:
    """
    A store names its server: host, port and database, or the path of a socket.
    """
    assert "RedisTokenStore('Redis at /run/r.sock, db 0')" == repr(
        RedisTokenStore("unix:///run/r.sock")
    )
    assert "RedisTokenStore('Redis at localhost:6379, db 3')" == repr(
        RedisTokenStore("rediss://user:planted@localhost/3")
    )


def test_a_unix_socket(tmp_path_factory: pytest.TempPathFactory) -> None:
    """
    A unix:// URL works and its path is what repr names.
    """
    folder = tmp_path_factory.mktemp("r")
    path = folder / "s"
    # In a process of its own: here only loopback addresses may be reached.
    code = (
        "import time; from auth_ext import RedisTokenStore; from tests.stores.helpers import token;"
        f"store = RedisTokenStore('unix://{path}'); store.set('a', token(now=time.time()));"
        "print(store.get('a').value, store)"
    )
    with _serving(folder, "--unixsocket", str(path)):
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=True,
        )

    assert f"token-1 RedisTokenStore('Redis at {path}, db 0')" == done.stdout.strip()


# Secrets


def test_nothing_in_redis_holds_the_secret(
    api: Service, redis_server: RedisServer, raw: redis.Redis
) -> None:
    """
    No key and no value in Redis has the client secret, the Basic header or the bearer header.
    """
    import base64

    import httpx

    store = RedisTokenStore(redis_server.url)
    auth = OAuth2ClientCredentials(
        "planted-client",
        SECRET,
        scopes="document_read",
        token_url=f"{api.url}/oauth/connect/token",
        origins=(api.url,),
        store=store,
    )
    with httpx.Client(auth=auth, trust_env=False) as client:
        assert 200 == client.get(api.url).status_code
    store.close()

    everything = " ".join(f"{key!s}={raw.get(key)!s}" for key in raw.keys("*"))
    basic = base64.b64encode(f"planted-client:{SECRET}".encode()).decode()
    assert api.tokens[0] in everything
    for secret in (SECRET, basic, "Basic", "Bearer", "planted-client"):
        assert secret not in everything


def test_a_store_is_not_pickled_by_accident(store: RedisTokenStore) -> None:
    """
    It holds sockets and perhaps a password: pickling fails.
    """
    with pytest.raises(TypeError):
        pickle.dumps(store)


def test_the_real_clock_is_the_default(make: Make) -> None:
    """
    Without a clock of the test's the store reads the machine's.
    """
    assert Clock() == make()._clock
