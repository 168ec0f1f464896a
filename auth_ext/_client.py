"""
The generated client and the auth flow, joined: the only seam between the two.
"""

import os
import ssl
from collections.abc import Mapping
from inspect import signature
from typing import Any

import httpx

from auth_ext._clock import SYSTEM_CLOCK, Clock
from auth_ext._diagnosis import api_error
from auth_ext._environment import store_named
from auth_ext._events import EventHook
from auth_ext._flow import (
    DEFAULT_DEADLINE,
    DEFAULT_TIMEOUT,
    TOKEN_CLIENT_ARGS,
    OAuth2ClientCredentials,
    token_on,
)
from auth_ext._operations import lookup, routes
from auth_ext._settings import (
    BASE_URL,
    TOKEN_URL,
    Credentials,
    Scopes,
    ScopesArgument,
    checked_base_url,
    normalised_scopes,
    url_of_environment,
)
from auth_ext._token import AccessToken
from auth_ext._token_request import USER_AGENT
from auth_ext.errors import ApiError, ConfigurationError
from auth_ext.stores import TokenStore
from generated_client import AuthenticatedClient

API_TIMEOUT = httpx.Timeout(30.0, connect=10.0)


class SignicatClient(AuthenticatedClient):
    """
    The Signicat Express API, ready for every generated operation, sync and async.

    A context manager, sync and async. May be shared by threads; its async half belongs to one
    event loop, as any `httpx.AsyncClient` does. Copies and `with_headers(...)` share its tokens.

    Generated operations return the success type or raise: `ApiError` for every 4xx and 5xx,
    `AuthError` when no token can be had. Requests made by hand on `get_httpx_client()` behave as
    in httpx.

    Args:
        client_id: The API client's id; None: SIGNICAT_CLIENT_ID.

        client_secret: Its secret; None: SIGNICAT_CLIENT_SECRET.

        scopes: What every token is good for, as a space-delimited string or an iterable. None:
            each operation gets a token with just the scopes that the document says it needs;
            where the document names none, those of SIGNICAT_SCOPES.

        base_url: Where the API is; None: SIGNICAT_BASE_URL, or the vendor's.

        token_url: The token endpoint; None: SIGNICAT_TOKEN_URL, or the vendor's.

        store: Where tokens are kept; None: SIGNICAT_TOKEN_STORE, or this process' memory.

        timeout: Of API requests, in seconds or as an `httpx.Timeout`. Given, it holds for token
            requests too.

        headers: Sent with every API request.

        cookies: Sent with every API request.

        verify_ssl: As `verify` in httpx: False, or an `ssl.SSLContext`. Holds for token requests
            too.

        follow_redirects: Whether redirects of the API are followed; tokens stay on its origin.

        httpx_args: More arguments for `httpx.Client` and `httpx.AsyncClient`. Proxy, TLS and
            transport settings hold for token requests too; event hooks never see those.

        retries: How often an idempotent request that is answered 429 or 503 is sent again,
            honouring Retry-After; needs the extra `retries`. 0: never.

        leeway: As in `OAuth2ClientCredentials`.

        deadline: As in `OAuth2ClientCredentials`.

        urlencode_credentials: As in `OAuth2ClientCredentials`.

        on_event: As in `OAuth2ClientCredentials`.

        clock: As in `OAuth2ClientCredentials`.

    Raises:
        ConfigurationError: A setting is missing or wrong; the text names it.
    """

    def __init__(
        self,
        client_id: str | None = None,
        client_secret: str | None = None,
        *,
        scopes: ScopesArgument | None = None,
        base_url: str | httpx.URL | None = None,
        token_url: str | httpx.URL | None = None,
        store: TokenStore | None = None,
        timeout: float | httpx.Timeout | None = API_TIMEOUT,
        headers: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
        verify_ssl: str | bool | ssl.SSLContext = True,
        follow_redirects: bool = False,
        httpx_args: Mapping[str, Any] | None = None,
        retries: int = 0,
        leeway: float | None = None,
        deadline: float = DEFAULT_DEADLINE,
        urlencode_credentials: bool = True,
        on_event: EventHook | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        credentials = Credentials.checked(client_id, client_secret)
        url = checked_base_url(base_url or url_of_environment("SIGNICAT_BASE_URL") or BASE_URL)
        self._scopes: Scopes | None = None if scopes is None else normalised_scopes(scopes)
        self._prefix = url.path.rstrip("/")
        self._retries = _checked_retries(retries)
        arguments = _checked_httpx_args(httpx_args)
        self._flow = OAuth2ClientCredentials(
            credentials.client_id,
            credentials.client_secret,
            scopes=self._scopes_of,
            token_url=token_url or url_of_environment("SIGNICAT_TOKEN_URL") or TOKEN_URL,
            origins=(str(url),),
            store=_store_of_environment() if store is None else store,
            leeway=leeway,
            timeout=DEFAULT_TIMEOUT if timeout is API_TIMEOUT else timeout,
            deadline=deadline,
            httpx_args=_for_token_requests(arguments, verify_ssl),
            urlencode_credentials=urlencode_credentials,
            on_event=on_event,
            clock=clock,
            _stacklevel=3,
        )
        super().__init__(
            base_url=str(url),
            token="",
            headers={"User-Agent": USER_AGENT, **(headers or {})},
            cookies=dict(cookies or {}),
            timeout=timeout,
            verify_ssl=verify_ssl,
            follow_redirects=follow_redirects,
            httpx_args=arguments,
        )

    def get_token(self, scopes: ScopesArgument | None = None) -> AccessToken:
        """
        A token that is valid now, for use outside of this client.

        Args:
            scopes: What it must be good for; None: the client's own, else SIGNICAT_SCOPES.

        Raises:
            AuthError: There is none to be had.
        """
        return self._flow.get_token(self._scopes_wanted(scopes))

    async def aget_token(self, scopes: ScopesArgument | None = None) -> AccessToken:
        """
        The same for a task, on asyncio or trio.
        """
        return await self._flow.aget_token(self._scopes_wanted(scopes))

    def status_error(self, response: httpx.Response, *, operation: str) -> ApiError:
        """
        The error that a generated operation raises for *response*.
        """
        token = token_on(response.request)
        return api_error(
            response,
            operation=operation,
            needed=lookup(operation).scopes,
            granted=None if token is None else token.scopes,
        )

    def _default_headers(self) -> dict[str, str]:
        return self._headers  # the flow puts the token on, request by request

    def _httpx_options(self) -> dict[str, Any]:
        options = {**super()._httpx_options(), "auth": self._flow}
        if self._retries:
            from auth_ext._retries import with_retries

            return with_retries(options, self._retries)
        return options

    def _scopes_of(self, request: httpx.Request) -> Scopes | None:
        """
        What the token for *request* must be good for; None: it goes without.
        """
        path = request.url.raw_path.decode("ascii").partition("?")[0].removeprefix(self._prefix)
        operation = routes().find(request.method, path)
        if operation is not None and not operation.authenticated:
            return None
        if self._scopes is not None:
            return self._scopes
        if operation is not None and operation.scopes:
            return operation.scopes
        what = f"{request.method} {path}" if operation is None else operation.id
        return self._scopes_of_environment(f"the document names no scope for {what}")

    def _scopes_wanted(self, scopes: ScopesArgument | None) -> ScopesArgument:
        if scopes is not None:
            return scopes
        return self._scopes or self._scopes_of_environment("no scopes are given")

    def _scopes_of_environment(self, why: str) -> Scopes:
        scopes = os.environ.get("SIGNICAT_SCOPES", "")
        if not scopes.strip():
            raise ConfigurationError(
                f"{why}: set SIGNICAT_SCOPES or pass scopes to SignicatClient, such as"
                ' scopes="document_read document_write"'
            )
        return normalised_scopes(scopes)


def _store_of_environment() -> TokenStore | None:
    name = os.environ.get("SIGNICAT_TOKEN_STORE", "")
    return store_named(name) if name.strip() else None


def _checked_retries(retries: int) -> int:
    if isinstance(retries, bool) or not isinstance(retries, int) or retries < 0:
        raise ConfigurationError("retries must be a whole number, zero or more")
    return retries


def _checked_httpx_args(arguments: Mapping[str, Any] | None) -> dict[str, Any]:
    own = {"auth", "base_url", "headers", "cookies", "timeout", "verify", "follow_redirects"}
    taken = sorted(own & set(arguments or ()))
    if taken:
        raise ConfigurationError(
            f"httpx_args cannot have {', '.join(taken)}: SignicatClient sets it itself or has an"
            " argument for it (verify is verify_ssl)"
        )
    known = signature(httpx.Client).parameters
    unknown = sorted(set(arguments or ()) - set(known))
    if unknown:
        raise ConfigurationError(
            f"httpx_args cannot have {', '.join(unknown)}: httpx.Client takes no such argument"
        )
    return dict(arguments or {})


def _for_token_requests(
    arguments: Mapping[str, Any], verify_ssl: str | bool | ssl.SSLContext
) -> dict[str, Any]:
    """
    The settings of the user's client that a token request needs to get through, too.

    Async transports are left out: tokens are fetched by a thread.
    """
    kept = {name: value for name, value in arguments.items() if name in TOKEN_CLIENT_ARGS}
    if not isinstance(kept.get("transport"), httpx.BaseTransport):
        kept.pop("transport", None)
    mounts = {k: v for k, v in kept.pop("mounts", {}).items() if _is_sync(v)}
    return {**kept, "verify": verify_ssl, **({"mounts": mounts} if mounts else {})}


def _is_sync(transport: object) -> bool:
    return transport is None or isinstance(transport, httpx.BaseTransport)
