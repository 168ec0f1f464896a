"""
The token on the request, and once more after a 401.

    request -> token -> send -> 401? -> discard that token -> newer token -> send once more
"""

import hashlib
import json
from collections.abc import AsyncGenerator, Generator, Iterable, Mapping
from typing import Any

import attrs
import httpx

from auth_ext._clock import SYSTEM_CLOCK, Clock
from auth_ext._events import EventHook, logger
from auth_ext._fetch import Fetcher
from auth_ext._held import Held
from auth_ext._refresh import desk_for
from auth_ext._replay import can_replay
from auth_ext._settings import (
    BASE_URL,
    TOKEN_URL,
    Credentials,
    Origin,
    ScopesArgument,
    ScopesOfRequest,
    checked_origins,
    checked_token_url,
    normalised_scopes,
    origin_of,
)
from auth_ext._source import Source
from auth_ext._token import AccessToken
from auth_ext._token_request import TokenRequest
from auth_ext.errors import AuthError, ConfigurationError
from auth_ext.stores import MemoryTokenStore, TokenStore

DEFAULT_TIMEOUT = httpx.Timeout(10.0)
DEFAULT_DEADLINE = 30.0

# Arguments of httpx.Client that make sense for token requests. The others would show the secret
# to somebody (event_hooks, follow_redirects) or change what is sent (auth, headers, params, ...).
TOKEN_CLIENT_ARGS = frozenset(
    {"cert", "http1", "http2", "limits", "mounts", "proxy", "transport", "trust_env", "verify"}
)

# Where a request carries what we put on it; never sent, not part of a pickle.
_MARK = "auth_ext.held"


class OAuth2ClientCredentials(httpx.Auth):
    """
    OAuth 2.0 client_credentials for any httpx client (RFC 6749 section 4.4, RFC 6750).

    Fetches a token when one is needed, reuses it as long as it is valid, replaces it in the
    background before it ends, and sends a request once more when the API answers 401. One
    instance may be shared by any number of threads, event loops (asyncio and trio) and httpx
    clients, sync and async, and goes on working after `os.fork`.

    Responses of the API are handed back as they are, 401 and 403 included.

    Args:
        client_id: The API client's id.

        client_secret: Its secret. Never shown anywhere.

        scopes: What to ask for: a space-delimited string, an iterable of strings, or a function
            of the `httpx.Request` that returns either, or None to send that request without a
            token. Each distinct set of scopes has a token of its own.

        token_url: The token endpoint; https, unless on a loopback address.

        origins: Where the token may go. Requests to anywhere else are sent without.

        store: Where tokens are kept; None: in this instance's memory.

        leeway: Seconds before its end from which a token is no longer used; half its lifetime at
            most. None: 30 s, or 10 % of the lifetime if that is less.

        timeout: Of each connect, read and write of a token request, in seconds or as an
            `httpx.Timeout`.

        deadline: Seconds that getting a token may take in all, attempts and pauses included.

        httpx_args: Settings for the HTTP client that fetches tokens: `verify`, `cert`, `proxy`,
            `mounts`, `trust_env`, `limits`, `transport`, `http1`, `http2`, as in `httpx.Client`.

        urlencode_credentials: Whether id and secret are form-urlencoded in the Basic header, as
            RFC 6749 section 2.3.1 demands. False for servers that break on it.

        on_event: Called with a `TokenEvent` for whatever happens, mostly from the thread that
            fetches: it must be quick and thread-safe.

        clock: What time it is; for tests.

    Raises:
        ConfigurationError: A setting is missing or wrong. Nothing is sent by the constructor.

    While requests are made, `AuthError` and its subclasses tell why there is no token.
    """

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        *,
        scopes: ScopesArgument | ScopesOfRequest,
        token_url: str | httpx.URL = TOKEN_URL,
        origins: str | Iterable[str] = (BASE_URL,),
        store: TokenStore | None = None,
        leeway: float | None = None,
        timeout: float | httpx.Timeout | None = DEFAULT_TIMEOUT,
        deadline: float = DEFAULT_DEADLINE,
        httpx_args: Mapping[str, Any] | None = None,
        urlencode_credentials: bool = True,
        on_event: EventHook | None = None,
        clock: Clock = SYSTEM_CLOCK,
        _stacklevel: int = 2,
    ) -> None:
        self._template = Source(
            key="",
            request=TokenRequest(
                token_url=checked_token_url(token_url, stacklevel=_stacklevel),
                credentials=Credentials.checked(client_id, client_secret, {}),
                scopes=(),
                urlencode_credentials=urlencode_credentials,
            ),
            fetcher=Fetcher(
                client_args=_checked_client_args(httpx_args),
                timeout=_checked_timeout(timeout),
                clock=clock,
            ),
            leeway=_checked_leeway(leeway),
            patience=_checked_deadline(deadline),
            on_event=_checked_hook(on_event),
        )
        self._origins = checked_origins(origins)
        self._strangers: set[Origin] = set()
        self._desk = desk_for(MemoryTokenStore() if store is None else _checked_store(store))
        # Sources by what `scopes` gives; only ever added to, and always the same value.
        self._sources: dict[ScopesArgument, Source] = {}
        self._scopes: ScopesOfRequest | None = scopes if callable(scopes) else None
        self._source = None if callable(scopes) else self._source_for(scopes)

    def __repr__(self) -> str:
        request = self._template.request
        scopes = "per request" if self._source is None else " ".join(self._source.request.scopes)
        return (
            f"{type(self).__name__}(client_id={request.credentials.client_id!r},"
            f" scopes={scopes!r}, token_url={str(request.token_url)!r})"
        )

    def __reduce__(self) -> str:
        raise TypeError(
            f"{type(self).__name__} holds a secret and is not pickled:"
            " make one in each process, and share tokens by a store"
        )

    def get_token(self, scopes: ScopesArgument | None = None) -> AccessToken:
        """
        A token that is valid now, from memory, the store or the token endpoint.

        Args:
            scopes: What it must be good for; None: the scopes of this instance.

        Raises:
            AuthError: There is none to be had.
        """
        return self._desk_answer(self._asked_for(scopes)).token

    async def aget_token(self, scopes: ScopesArgument | None = None) -> AccessToken:
        """
        The same for a task, on asyncio or trio.
        """
        source = self._asked_for(scopes)
        return (self._desk.fresh(source) or await self._desk.aget(source)).token

    def sync_auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        """
        What `httpx.Client` drives.
        """
        source = self._source_of(request)
        if source is None:
            yield request
            return
        held = self._desk.fresh(source) or self._desk.get(source)
        _put(held, request)
        response = yield request
        if response.history:
            self._remark_hops(response)
        if response.status_code != 401 or not self._is_ours(response, held):
            return
        # Read now: until then it occupies a connection that others may need.
        response.read()
        replayable = _can_resend(request, response)
        try:
            newer = self._desk.get(source, rejected=held.token)
        except AuthError:
            if replayable:
                raise
            return
        if replayable and newer.token.value != held.token.value:
            _put(newer, request)
            yield request

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """
        What `httpx.AsyncClient` drives; the same steps as `sync_auth_flow`.
        """
        source = self._source_of(request)
        if source is None:
            yield request
            return
        held = self._desk.fresh(source) or await self._desk.aget(source)
        _put(held, request)
        response = yield request
        if response.history:
            self._remark_hops(response)
        if response.status_code != 401 or not self._is_ours(response, held):
            return
        await response.aread()
        replayable = _can_resend(request, response)
        try:
            newer = await self._desk.aget(source, rejected=held.token)
        except AuthError:
            if replayable:
                raise
            return
        if replayable and newer.token.value != held.token.value:
            _put(newer, request)
            yield request

    def _desk_answer(self, source: Source) -> Held:
        return self._desk.fresh(source) or self._desk.get(source)

    def _asked_for(self, scopes: ScopesArgument | None) -> Source:
        if scopes is not None:
            return self._source_for(scopes)
        if self._source is None:
            raise ConfigurationError(
                "scopes depend on the request here: say which ones you want a token for"
            )
        return self._source

    def _source_of(self, request: httpx.Request) -> Source | None:
        """
        Where this request's token comes from; None when it must go without ours.
        """
        _take_off(request)
        if "Authorization" in request.headers:
            return None  # the user's own wins
        if origin_of(request.url) not in self._origins:
            self._remark_stranger(request.url)
            return None
        if self._scopes is None:
            return self._source
        scopes = self._scopes(request)
        return None if scopes is None else self._source_for(scopes)

    def _source_for(self, scopes: ScopesArgument) -> Source:
        kept = scopes if isinstance(scopes, str | tuple | frozenset) else None
        try:
            source = None if kept is None else self._sources.get(kept)
        except TypeError:  # a tuple with a list in it: told below what is wrong with it
            source = None
        if source is None:
            names = normalised_scopes(scopes)
            request = attrs.evolve(self._template.request, scopes=names)
            source = attrs.evolve(self._template, key=token_key(request), request=request)
            # Bounded: a function of the request could give ever new scopes.
            if len(self._sources) < MOST_SOURCES:
                self._sources[names if kept is None else kept] = source
        return source

    def _is_ours(self, response: httpx.Response, held: Held) -> bool:
        """
        Whether this 401 is about the token we sent, and not a redirect target's opinion.
        """
        sent = _answered(response)
        return sent is None or (
            sent.headers.get("Authorization") == held.header
            and origin_of(sent.url) in self._origins
        )

    def _remark_hops(self, response: httpx.Response) -> None:
        """
        Say so where redirects led elsewhere; httpx has taken the token off by then.
        """
        for hop in (*response.history, response):
            sent = _answered(hop)
            if sent is not None and origin_of(sent.url) not in self._origins:
                self._remark_stranger(sent.url)

    def _remark_stranger(self, url: httpx.URL) -> None:
        origin = origin_of(url)
        if origin not in self._strangers and len(self._strangers) < MOST_SOURCES:
            self._strangers.add(origin)
            logger.warning(
                "%s://%s is not among the origins of this client:"
                " requests to it are sent without a token",
                url.scheme,
                url.netloc.decode("ascii"),
            )


MOST_SOURCES = 1000


def token_key(request: TokenRequest) -> str:
    """
    One short string for token URL, client id and scope set; the secret has no part in it.
    """
    parts = [str(request.token_url), request.credentials.client_id, sorted(request.scopes)]
    digest = hashlib.sha256(json.dumps(parts).encode())
    return digest.hexdigest()[:40]


def _answered(response: httpx.Response) -> httpx.Request | None:
    """
    The request that *response* answers; None when a test has made it by hand without one.
    """
    try:
        return response.request
    except RuntimeError:
        return None


def _can_resend(request: httpx.Request, response: httpx.Response) -> bool:
    """
    Whether to send *request* once more: its body replays and nobody has acted on it yet.

    A POST that was redirected with 303 has been done; only the GET of its result was refused.
    """
    sent = _answered(response)
    return (sent is None or sent.method == request.method) and can_replay(request)


def _put(held: Held, request: httpx.Request) -> None:
    request.headers["Authorization"] = held.header
    request.extensions[_MARK] = held


def token_on(request: httpx.Request) -> AccessToken | None:
    """
    The token that a request was sent with; None when it went without one of ours.
    """
    held = request.extensions.get(_MARK)
    return held.token if isinstance(held, Held) else None


def _take_off(request: httpx.Request) -> None:
    """
    Remove a token of ours from a request that is sent again; leave the user's own alone.
    """
    held = request.extensions.pop(_MARK, None)
    if isinstance(held, Held) and request.headers.get("Authorization") == held.header:
        del request.headers["Authorization"]


def _checked_client_args(arguments: Mapping[str, Any] | None) -> Mapping[str, Any]:
    unknown = sorted(set(arguments or ()) - TOKEN_CLIENT_ARGS)
    if unknown:
        raise ConfigurationError(
            f"httpx_args for token requests cannot have {', '.join(unknown)};"
            f" they take {', '.join(sorted(TOKEN_CLIENT_ARGS))}"
        )
    return dict(arguments or {})


def _checked_deadline(value: float) -> float:
    if not _is_seconds(value) or value == 0:
        raise ConfigurationError("deadline must be a number of seconds, more than zero")
    return float(value)


def _checked_leeway(value: float | None) -> float | None:
    if value is None:
        return None
    if not _is_seconds(value):
        raise ConfigurationError("leeway must be a number of seconds, zero or more")
    return float(value)


def _checked_timeout(value: float | httpx.Timeout | None) -> httpx.Timeout:
    if value is None or isinstance(value, httpx.Timeout):
        return httpx.Timeout(value)
    if not _is_seconds(value) or value == 0:
        raise ConfigurationError(
            "timeout must be a number of seconds, more than zero, or an httpx.Timeout or None"
        )
    return httpx.Timeout(value)


def _is_seconds(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e9


def _checked_store(store: TokenStore) -> TokenStore:
    if isinstance(store, type) or not isinstance(store, TokenStore):
        raise ConfigurationError(
            "store must be an object with get, set, delete and lock, such as MemoryTokenStore(),"
            " FileTokenStore() or RedisTokenStore(url)"
        )
    return store


def _checked_hook(hook: EventHook | None) -> EventHook | None:
    if hook is not None and not callable(hook):
        raise ConfigurationError("on_event must be a function of one TokenEvent")
    return hook
