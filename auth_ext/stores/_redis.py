"""
Tokens in Redis or Valkey, shared by machines.

Every act is one Lua script, so it happens as a whole, in one round trip, on one node of a
cluster. Needs Redis 5 or later.

    lock:   SET owner for 3 s, next fence number, then 10 s again and again while held
    fence:  counts holders, never goes back
    token:  SET if no later holder has appeared, with the token's remaining life as its TTL

Machines need not agree on the time: only durations cross the wire.
"""

import math
import secrets
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from random import uniform
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from auth_ext._clock import SYSTEM_CLOCK, Clock
from auth_ext._token import AccessToken
from auth_ext.errors import ConfigurationError
from auth_ext.stores._record import Complaints, Untrusted, dump, load

if TYPE_CHECKING:
    import redis

_T = TypeVar("_T")

NAMESPACE = "signicat-express-client"

# Connecting and reading; and, whatever the client's own settings or a name server do, all of it.
SOCKET_SECONDS = 1.0
COMMAND_SECONDS = 2.0

# After a failure a command gets this long, until one succeeds or the pause is over: one token
# takes several commands, and an application has many tokens.
COMMAND_SECONDS_IN_PAUSE = 0.05
PAUSE_SECONDS = 5.0

# Claimed for a short time first: a server that hangs may carry out a claim long after the one
# who made it has given up.
CLAIM_SECONDS = 3.0
LOCK_SECONDS = 10.0
LOCK_BEATS = 3  # extensions in that time: two may be lost before the lock is
LOCK_POLL_FIRST = 0.02
LOCK_POLL_MOST = 0.25

# A holder that was suspended for longer finds its own token ended.
FENCE_SECONDS = 24 * 3600.0

# Fence numbers start at the server's clock in microseconds, so they grow even where a restart or
# an eviction has lost the counter. Run again after a lost answer, it finds its own name and
# succeeds again.
_ACQUIRE = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
if redis.call('EXISTS', KEYS[2]) == 0 then
  local now = redis.call('TIME')
  redis.call('SET', KEYS[2], now[1] .. string.format('%06d', now[2]))
end
local fence = redis.call('INCR', KEYS[2])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return fence
"""

_EXTEND = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""

_RELEASE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""

_READ = """
return {redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1])}
"""

# Without a fence: whoever could not wait for the lock; the newest token is as good as any.
_WRITE = """
local latest = redis.call('GET', KEYS[2])
if ARGV[3] ~= '' and latest and tonumber(latest) > tonumber(ARGV[3]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""

_REMOVE = """
local found = redis.call('GET', KEYS[1])
if not found then return 0 end
local readable, record = pcall(cjson.decode, found)
if not readable or type(record) ~= 'table' or record['access_token'] ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""


class RedisTokenStore:
    """
    Keeps tokens in Redis or Valkey; shared by all machines that use the same database.

    Safe to use from any thread, event loops' worker threads included, and after `os.fork`.
    Every command ends within 2 s, whatever happened to the server or the network, and within
    50 ms if the one before failed less than 5 s ago. A machine
    that dies while it fetches a token holds the others back for 10 s at most.

    Args:
        url_or_client: `redis://[user:password@]host:port/db`, `rediss://...` for TLS,
            `unix://...`; or a client of redis-py (`redis.Redis`, `redis.RedisCluster`), which
            you close yourself.

        namespace: First part of every key.

        clock: What time it is; for tests.

    Raises:
        ConfigurationError: redis-py is not installed, the URL is malformed, or the client is
            not one of those.
    """

    def __init__(
        self,
        url_or_client: "str | redis.Redis | redis.RedisCluster",
        *,
        namespace: str = NAMESPACE,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._owns_client = isinstance(url_or_client, str)
        if isinstance(url_or_client, str):
            self._client: Any = _client_from(url_or_client)
        else:
            self._client = _checked_client(url_or_client)
        self._server = _Server.of(self._client)
        self._namespace = namespace
        self._clock = clock
        self._complaints = Complaints()
        self._held = _Held()
        self._failed_at = -math.inf

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._server.name!r})"

    def get(self, key: str) -> AccessToken | None:
        """
        The token kept for *key*, its times on this machine's clock; None if there is none.

        Raises:
            ConnectionError: The server does not answer, or refuses; the text says why.
        """
        # Read before asking: the time the answer takes is taken off the token's life.
        now = self._clock.wall()
        names = self._names(key)
        data, left = self._run(_READ, [names.token])
        if data is None:
            return None
        try:
            token = load(key, data)
            if left < 0:
                raise Untrusted("it has no TTL")
        except Untrusted as reason:
            self._complaints.warn(f"Redis key {names.token}", str(reason))
            return None
        return _shifted(token, now + min(left / 1000, token.lifetime))

    def set(self, key: str, token: AccessToken) -> None:
        """
        Keep *token* for *key* until it ends, unless this thread has lost its lock to another.

        Raises:
            ConnectionError: The server does not answer, or refuses; the text says why.
        """
        left = _milliseconds(token.expires_at - self._clock.wall())
        if left <= 0:
            return
        names = self._names(key)
        fence = self._held.fences.get(key, "")
        self._run(_WRITE, [names.token, names.fence], dump(key, token), left, fence)

    def delete(self, key: str, token: AccessToken) -> None:
        """
        Forget *token* if it is what is kept for *key*.

        Raises:
            ConnectionError: The server does not answer, or refuses; the text says why.
        """
        self._run(_REMOVE, [self._names(key).token], token.value)

    @contextmanager
    def lock(self, key: str, timeout: float) -> Iterator[None]:
        """
        Hold back every machine that would fetch a token for *key*.

        Extended while this process lives. Not reentrant. What *set* writes meanwhile carries
        the fence number of this holder.

        Raises:
            TimeoutError: Somebody else held it for *timeout* seconds.

            ConnectionError: The server does not answer, or refuses; the text says why.
        """
        names, owner = self._names(key), secrets.token_hex(16)
        self._held.fences[key] = self._acquire(names, owner, timeout)
        try:
            with _beating(
                lambda: self._run(_EXTEND, [names.lock], owner, _milliseconds(LOCK_SECONDS)) == 1
            ):
                yield
        finally:
            del self._held.fences[key]
            self._run(_RELEASE, [names.lock], owner)

    def close(self) -> None:
        """
        Close the connections made for a URL. A client that was handed over stays open.
        """
        if self._owns_client:
            self._client.close()

    def _acquire(self, names: "_Names", owner: str, timeout: float) -> int:
        ends, pause = self._clock.steady() + timeout, LOCK_POLL_FIRST
        keys = [names.lock, names.fence]
        claim, fence_ttl = _milliseconds(CLAIM_SECONDS), _milliseconds(FENCE_SECONDS)
        while True:
            fence = self._run(_ACQUIRE, keys, owner, claim, fence_ttl)
            if fence:
                return int(fence)
            left = ends - self._clock.steady()
            if left <= 0:
                raise TimeoutError(f"another process held Redis key {names.lock} for {timeout:g} s")
            # Jittered and growing: a fleet that waits must not poll in step.
            self._clock.sleep(min(uniform(pause / 2, pause), left))  # noqa: S311
            pause = min(pause * 1.5, LOCK_POLL_MOST)

    def _names(self, key: str) -> "_Names":
        # The braces keep a cluster from spreading the keys of one script over several nodes.
        return _Names(*(f"{self._namespace}:{{{key}}}:{kind}" for kind in _Names.__match_args__))

    def _run(self, script: str, keys: list[str], *values: str | bytes | int) -> Any:
        """
        Run *script*; always over again with its text, as a restarted server knows none by hash.
        """
        paused = self._clock.steady() - self._failed_at < PAUSE_SECONDS
        patience = COMMAND_SECONDS_IN_PAUSE if paused else COMMAND_SECONDS
        try:
            answer = _within(patience, lambda: self._client.eval(script, len(keys), *keys, *values))
        except Exception as error:  # noqa: BLE001 - a client's own classes, and what it lets through
            if not paused:
                self._failed_at = self._clock.steady()
            # Not chained: a server may quote a password that it could not make sense of.
            raise ConnectionError(self._server.complaint(error)) from None
        self._failed_at = -math.inf
        return answer


@attrs.frozen
class _Names:
    """
    The keys in Redis that serve one token key.
    """

    token: str
    lock: str
    fence: str


class _Held(threading.local):
    """
    Fence numbers of the locks this thread holds, by token key.
    """

    def __init__(self) -> None:
        self.fences: dict[str, int] = {}


@attrs.frozen
class _Server:
    """
    What may be said of a server: where it is, never how one gets in.
    """

    name: str
    password: str | None = attrs.field(repr=False)

    @classmethod
    def of(cls, client: Any) -> "_Server":
        pool = getattr(client, "connection_pool", None)
        if pool is None:
            settings: dict[str, Any] = client.get_connection_kwargs()
            nodes = ", ".join(sorted(str(node.name) for node in client.get_nodes()))
            return cls(f"Redis cluster at {nodes}", settings.get("password"))
        settings = pool.connection_kwargs
        where = settings.get("path")
        if where is None:
            where = f"{settings.get('host', 'localhost')}:{settings.get('port', 6379)}"
        return cls(f"Redis at {where}, db {settings.get('db') or 0}", settings.get("password"))

    def complaint(self, error: Exception) -> str:
        """
        What went wrong in one line without the password.
        """
        text = " ".join(f"{self.name}: {type(error).__name__}: {error}".split())
        return text.replace(self.password, "[password]") if self.password else text


def _client_from(url: str) -> "redis.Redis":
    library = _library()
    from redis.backoff import NoBackoff
    from redis.exceptions import ConnectionError as Disconnected
    from redis.retry import Retry

    try:
        client: redis.Redis = library.Redis.from_url(
            url,
            socket_timeout=SOCKET_SECONDS,
            socket_connect_timeout=SOCKET_SECONDS,
            # Once more, at once: a connection kept for an hour has often been closed meanwhile.
            retry=Retry(NoBackoff(), 1, (Disconnected,)),
        )
        # Only a connection looks at the options behind the "?"; making one connects nowhere.
        client.connection_pool.make_connection()
    except (ValueError, TypeError):
        # Their texts may quote what stands where a port or an option should, as a password does
        # that has a "/" or "#" in it.
        raise ConfigurationError(
            "this is no Redis URL. Write redis://user:password@host:port/db (rediss:// for TLS),"
            " with anything but letters and digits in the password percent-encoded"
        ) from None
    return client


def _checked_client(client: object) -> object:
    library = _library()
    if isinstance(client, library.Redis | library.RedisCluster):
        return client
    kind = type(client)
    if kind.__module__.startswith("redis.asyncio"):
        raise ConfigurationError(
            "RedisTokenStore works in a thread of its own, also under asyncio. Give it a URL or a"
            " redis.Redis instead of an asyncio client"
        )
    raise ConfigurationError(
        f"RedisTokenStore takes a URL, a redis.Redis or a redis.RedisCluster, not {kind.__name__}"
    )


def _library() -> Any:
    try:
        import redis
    except ImportError as error:
        raise ConfigurationError(
            "RedisTokenStore needs the redis library."
            ' Run: pip install "signicat-express-client[redis]"'
        ) from error
    return redis


def _within(seconds: float, work: Callable[[], _T]) -> _T:
    """
    What *work* returns or raises, if it does so in time; else TimeoutError.

    A thread of its own is the only bound that holds for any client: a name server that does not
    answer, and a client with patient retries, know no timeout of ours. An abandoned call does no
    harm when it still succeeds: a lock ends by itself, a late write is fenced.
    """
    outcome: Future[_T] = Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:  # noqa: BLE001 - carried over to the caller
            outcome.set_exception(error)

    threading.Thread(target=run, name="auth_ext-redis", daemon=True).start()
    try:
        return outcome.result(seconds)
    except TimeoutError as error:
        raise TimeoutError(f"no answer within {seconds:g} s") from error


@contextmanager
def _beating(extend: Callable[[], bool]) -> Iterator[None]:
    """
    Call *extend* at once and then now and again while the block runs, until the lock is lost.
    """
    done = threading.Event()

    def beat() -> None:
        pause = 0.0
        while not done.wait(pause):
            pause = LOCK_SECONDS / LOCK_BEATS
            try:
                if not extend():
                    return
            except ConnectionError:
                # The server may be back before the lock ends; the block itself finds out.
                pause = CLAIM_SECONDS / LOCK_BEATS

    threading.Thread(target=beat, name="auth_ext-redis-lock", daemon=True).start()
    try:
        yield
    finally:
        done.set()


def _shifted(token: AccessToken, expires_at: float) -> AccessToken:
    """
    *token* with its times moved to the clock that *expires_at* is read on.
    """
    by = expires_at - token.expires_at
    return attrs.evolve(
        token,
        issued_at=token.issued_at + by,
        expires_at=expires_at,
        renewed_at=None if token.renewed_at is None else token.renewed_at + by,
    )


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)
