"""
Opt-in retries of 429 and 503 by httpx-retries, underneath the auth flow.
"""

from typing import Any
from urllib.request import getproxies

import anyio
import httpx

from auth_ext._replay import can_replay
from auth_ext.errors import ConfigurationError

try:
    from httpx_retries import Retry, RetryTransport
except ImportError as error:  # pragma: no cover - tried by hand in an environment without it
    raise ConfigurationError(
        'retries need httpx-retries: pip install "signicat-express-client[retries]"'
    ) from error

LONGEST_WAIT = 60.0
RETRIED = (429, 503)


class _AnyLoop(Retry):
    """
    Pauses on asyncio and trio alike.
    """

    async def asleep(self, response: httpx.Response | Exception) -> None:
        headers = response.headers if isinstance(response, httpx.Response) else {}
        await anyio.sleep(self._calculate_sleep(headers))


class _Careful(RetryTransport):
    """
    Retries only requests whose body can be sent again whole.
    """

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._spare(request)
        return super().handle_request(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._spare(request)
        return await super().handle_async_request(request)

    def _spare(self, request: httpx.Request) -> None:
        if not can_replay(request):
            request.extensions["retry"] = Retry(total=0)


def with_retries(options: dict[str, Any], times: int) -> dict[str, Any]:
    """
    Arguments of an httpx client whose transports retry.

    Only methods that HTTP calls idempotent are retried (RFC 9110 section 9.2.2): creating a
    document twice is worse than an error.

    Raises:
        ConfigurationError: A proxy is set in the environment, where a client with its own
            transport does not look.
    """
    retry = _AnyLoop(
        total=times,
        status_forcelist=RETRIED,
        retry_on_exceptions=(),
        backoff_factor=0.5,
        max_backoff_wait=LONGEST_WAIT,
    )
    options = dict(options)
    mounts = options.pop("mounts", None) or {}
    transport = options.pop("transport", None)
    if transport is None:
        transport = _own_transport(options)
    return {
        **options,
        "transport": _Careful(transport, retry),
        "mounts": {k: v and _Careful(v, retry) for k, v in mounts.items()},
    }


_TRANSPORT_ARGS = ("verify", "cert", "trust_env", "http1", "http2", "limits")


def _own_transport(options: dict[str, Any]) -> "_BothWays":
    proxy = options.pop("proxy", None)
    found = {"http", "https", "all"} & set(getproxies())
    if proxy is None and options.get("trust_env", True) and found:
        raise ConfigurationError(
            "retries do not see the proxy of the environment:"
            ' pass it as httpx_args={"proxy": "http://..."}, or set trust_env to False'
        )
    arguments = {name: options[name] for name in _TRANSPORT_ARGS if name in options}
    return _BothWays({**arguments, "proxy": proxy})


class _BothWays(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """
    httpx's own transport for sync or async use, whichever comes first.
    """

    def __init__(self, arguments: dict[str, Any]) -> None:
        self._arguments = arguments
        self._sync: httpx.HTTPTransport | None = None
        self._async: httpx.AsyncHTTPTransport | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self._sync is None:
            self._sync = httpx.HTTPTransport(**self._arguments)
        return self._sync.handle_request(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._async is None:
            self._async = httpx.AsyncHTTPTransport(**self._arguments)
        return await self._async.handle_async_request(request)

    def close(self) -> None:
        if self._sync is not None:
            self._sync.close()

    async def aclose(self) -> None:
        if self._async is not None:
            await self._async.aclose()
