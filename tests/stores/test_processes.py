"""
Many real processes, real files, a real Redis: one token request, and nothing breaks.
"""

import base64
import os
import random
import select
import signal
import threading
import time
from pathlib import Path

import httpx
import pytest

from auth_ext import FileTokenStore, OAuth2ClientCredentials, RedisTokenStore
from tests.stores.helpers import (
    PATIENCE,
    SECRET,
    RedisServer,
    Service,
    Worker,
    service,
    token,
    workers,
)
from tests.stores.test_contract import token_in

CALLS = 25


@pytest.fixture(params=["file", "redis"])
def name(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """
    A store as SIGNICAT_TOKEN_STORE names it.
    """
    if request.param == "file":
        return f"file:{tmp_path / 'tokens'}"
    server: RedisServer = request.getfixturevalue("redis_server")
    return server.url


def _all_call(crew: list[Worker], calls: int = CALLS) -> tuple[list[int], list[str]]:
    """
    What comes of *calls* requests by every process, all told to start at once.
    """
    for worker in crew:
        worker.say(str(calls))
    heard = [worker.hear() for worker in crew]
    return (
        [status for one in heard for status in one["statuses"]],
        [event for one in heard for event in one["events"]],
    )


def test_eight_processes_share_one_token(api: Service, name: str) -> None:
    """
    8 processes x 25 calls: 1 token request cold, 1 more after a revocation.

    With Redis the 8 are two groups of 4 that share nothing but the server, as on two machines.
    """
    with workers(*[("calls", name, api.url)] * 8) as crew:
        statuses, events = _all_call(crew)
        assert [200] * 8 * CALLS == statuses
        assert 1 == len(api.tokens)
        assert 1 == events.count("token_fetched")
        assert 7 == events.count("token_adopted")

        before, api.refused = api.refused, 0
        api.revoke_all()
        statuses, events = _all_call(crew)

    assert [200] * 8 * CALLS == statuses
    assert 2 == len(api.tokens)
    assert 1 == events.count("token_fetched")
    assert 8 == api.refused  # every process learns it once
    assert 8 == before  # the warm-up without a token
    assert "store_failed" not in events


def test_a_slow_token_request_is_waited_for(api: Service, name: str) -> None:
    """
    While one process is in the middle of its token request, the others send none.
    """
    api.open.clear()
    with workers(*[("calls", name, api.url)] * 4) as crew:
        crew[0].say("1")
        assert api.entered.wait(PATIENCE)
        for worker in crew[1:]:
            worker.say("1")
        # They poll the lock by now; whoever would not wait has been here before it opens.
        threading.Timer(0.3, api.open.set).start()
        assert [[200]] * 4 == [worker.hear()["statuses"] for worker in crew]

    assert 1 == len(api.tokens)


def test_a_process_that_starts_later_finds_the_token(api: Service, name: str) -> None:
    """
    Jobs that come and go send no token request at all while the token lives.
    """
    for _ in range(3):
        with workers(("calls", name, api.url)) as crew:
            assert [200] == _all_call(crew, 1)[0]

    assert 1 == len(api.tokens)


def test_nothing_shared_holds_the_secret(api: Service, tmp_path: Path) -> None:
    """
    No file in the folder has the client secret, its Basic header, or the client id.
    """
    name = f"file:{tmp_path / 'tokens'}"
    with workers(("calls", name, api.url)) as crew:
        _all_call(crew, 1)

    files = list((tmp_path / "tokens").iterdir())
    everything = b" ".join([path.name.encode() + path.read_bytes() for path in files])
    assert api.tokens[0].encode() in everything
    for secret in (SECRET, base64.b64encode(f"client:{SECRET}".encode()).decode(), "Basic "):
        assert secret.encode() not in everything


# Killed


def test_a_killed_holder_of_a_file_lock(tmp_path: Path) -> None:
    """
    The lock of a killed process is free at once, and what it wrote before is there.
    """
    folder = tmp_path / "tokens"
    with workers(("hold", f"file:{folder}", "a")) as (holder,):
        assert "held" == holder.hear()
        store = FileTokenStore(folder)
        with pytest.raises(TimeoutError):
            store.lock("a", 0.0).__enter__()
        holder.process.kill()
        holder.process.wait(PATIENCE)

        started = time.monotonic()
        with store.lock("a", 10.0):
            assert "of-the-holder" == token_in(store, "a").value
        assert time.monotonic() - started < 1.0


def test_a_killed_holder_of_a_redis_lock(redis_server: RedisServer) -> None:
    """
    The lock of a killed process is free when its TTL ends, 10 s after it was last extended.
    """
    import redis

    with workers(("hold", redis_server.url, "a")) as (holder,):
        assert "held" == holder.hear()
        store = RedisTokenStore(redis_server.url)
        holder.process.kill()
        holder.process.wait(PATIENCE)
        with redis.Redis(port=redis_server.port) as raw:
            key = "signicat-express-client:{a}:lock"
            assert 0 < raw.pttl(key) <= 10_000
            # The rest of the TTL need not be sat through.
            raw.pexpire(key, 300)
        with store.lock("a", 10.0):
            assert "of-the-holder" == token_in(store, "a").value
        store.close()


ROUNDS = 50


def test_writers_killed_at_random_moments(tmp_path: Path) -> None:
    """
    50 times a writer is killed at a random moment: the file is whole, no lock is left behind.
    """
    folder = tmp_path / "tokens"
    store = FileTokenStore(folder)
    seed = random.randrange(1_000_000)
    print("seed", seed)  # noqa: T201 - shown if it fails
    moments = random.Random(seed)
    slowest, read = 0.0, 0
    store.set("a", token("first", now=time.time()))
    for _ in range(ROUNDS):
        child, started = _fork_writer(store)
        with os.fdopen(started) as pipe:
            # The writer is at work; until a random moment, what is read is whole each time.
            assert select.select([pipe], [], [], PATIENCE)[0]
            ends = time.monotonic() + moments.uniform(0, 0.02)
            while True:
                assert store.get("a") is not None
                read += 1
                if time.monotonic() >= ends:
                    break
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)

        kept = store.get("a")
        assert kept is not None, "the file is not whole"
        begun = time.monotonic()
        with store.lock("a", 10.0):
            store.set("a", token("next", now=time.time()))
        slowest = max(slowest, time.monotonic() - begun)
        assert "next" == token_in(store, "a").value

    assert read >= ROUNDS
    assert slowest < 5.0
    # What killed writers leave is at most one file each, gone an hour later (test_file.py).
    assert len(list(folder.glob(".*.tmp"))) <= ROUNDS


def _fork_writer(store: FileTokenStore) -> tuple[int, int]:
    """
    A process that replaces the token without end; and a pipe that says when it has begun.
    """
    read, write = os.pipe()
    child = os.fork()
    if child:
        os.close(write)
        return child, read
    try:  # pragma: no cover - coverage does not follow
        turn = 0
        while True:
            turn += 1
            with store.lock("a", 10.0):
                # Large, so that a kill has something to cut in half.
                store.set("a", token(f"{turn}-" + "x" * 100_000, now=time.time()))
            if turn == 1:
                os.write(write, b"!")
    finally:
        os._exit(1)


# Redis comes and goes


def _traffic(api: Service, url: str, until: threading.Event, statuses: list[int]) -> list[str]:
    """
    Requests without pause until told to stop; the events of it.
    """
    events: list[str] = []
    store = RedisTokenStore(url)
    auth = OAuth2ClientCredentials(
        "client",
        SECRET,
        scopes="document_read",
        token_url=f"{api.url}/oauth/connect/token",
        origins=(api.url,),
        store=store,
        on_event=lambda event: events.append(event.kind),
    )
    with httpx.Client(auth=auth, base_url=api.url, trust_env=False) as client:
        while not until.is_set():
            statuses.append(client.get("/documents").status_code)
    store.close()
    return events


@pytest.mark.parametrize("outage", ["stopped", "frozen"])
def test_redis_goes_and_comes_back_during_traffic(
    own_redis: RedisServer, caplog: pytest.LogCaptureFixture, outage: str
) -> None:
    """
    No request fails, each token fetched meanwhile is warned about, afterwards sharing goes on.
    """
    import redis

    until = threading.Event()
    statuses: list[int] = []
    events: list[str] = []
    with service(lifetime=1) as api:  # a token a second
        threads = [
            threading.Thread(
                target=lambda: events.extend(_traffic(api, own_redis.url, until, statuses))
            )
            for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        _issued(api, 2)
        if outage == "stopped":
            own_redis.stop()
            _issued(api, len(api.tokens) + 2)
            own_redis.start()
        else:
            with own_redis.frozen():
                _issued(api, len(api.tokens) + 1)
        _issued(api, len(api.tokens) + 1)
        with redis.Redis(port=own_redis.port) as raw:
            ends = time.monotonic() + PATIENCE
            while not raw.keys("*:token"):
                assert time.monotonic() < ends, "nothing is shared any more"
        until.set()
        for thread in threads:
            thread.join(PATIENCE)

    assert {200} == set(statuses)
    assert "store_failed" in events
    assert "going on without it" in caplog.text
    assert SECRET not in caplog.text


def _issued(api: Service, count: int) -> None:
    """
    Wait until the token endpoint has given *count* tokens.
    """
    ends = time.monotonic() + PATIENCE
    waiting = threading.Event()
    while len(api.tokens) < count:
        assert time.monotonic() < ends, "no tokens are fetched"
        waiting.wait(0.02)


def test_a_holder_that_lets_go(tmp_path: Path) -> None:
    """
    A lock given back by another process is free at once.
    """
    with workers(("hold", f"file:{tmp_path / 'tokens'}", "a")) as (holder,):
        assert "held" == holder.hear()
        holder.say("")
        assert "released" == holder.hear()
        with FileTokenStore(tmp_path / "tokens").lock("a", 0.0):
            assert 0 == holder.process.wait(PATIENCE)
