"""
OAuth 2.0 client_credentials for httpx, and the Signicat Express client that uses it.

    credentials -> token request -> token -> store -> flow -> request -> response or diagnosis

Unofficial: not made or endorsed by Signicat.
"""

from typing import TYPE_CHECKING, Any

from auth_ext._version import __version__

if TYPE_CHECKING:
    from auth_ext._client import SignicatClient
    from auth_ext._clock import Clock
    from auth_ext._events import TokenEvent
    from auth_ext._flow import OAuth2ClientCredentials
    from auth_ext._operations import required_scopes
    from auth_ext._paging import apaginate, paginate
    from auth_ext._token import AccessToken
    from auth_ext.errors import (
        ApiError,
        AuthError,
        ConfigurationError,
        FieldError,
        InsufficientScope,
        InvalidClient,
        InvalidScope,
        InvalidTokenResponse,
        RateLimited,
        TokenEndpointUnavailable,
        TokenError,
        Unauthorized,
    )
    from auth_ext.stores import FileTokenStore, MemoryTokenStore, RedisTokenStore, TokenStore

__all__ = [
    "AccessToken",
    "ApiError",
    "AuthError",
    "Clock",
    "ConfigurationError",
    "FieldError",
    "FileTokenStore",
    "InsufficientScope",
    "InvalidClient",
    "InvalidScope",
    "InvalidTokenResponse",
    "MemoryTokenStore",
    "OAuth2ClientCredentials",
    "RateLimited",
    "RedisTokenStore",
    "SignicatClient",
    "TokenEndpointUnavailable",
    "TokenError",
    "TokenEvent",
    "TokenStore",
    "Unauthorized",
    "__version__",
    "apaginate",
    "paginate",
    "required_scopes",
]

# Imported on first use (PEP 562): the auth flow alone needs neither the generated client nor the
# libraries of the stores, and `signicat --version` not even httpx.
_LATER = {
    "AccessToken": "_token",
    "ApiError": "errors",
    "AuthError": "errors",
    "Clock": "_clock",
    "ConfigurationError": "errors",
    "FieldError": "errors",
    "FileTokenStore": "stores",
    "InsufficientScope": "errors",
    "InvalidClient": "errors",
    "InvalidScope": "errors",
    "InvalidTokenResponse": "errors",
    "MemoryTokenStore": "stores",
    "OAuth2ClientCredentials": "_flow",
    "RateLimited": "errors",
    "RedisTokenStore": "stores",
    "SignicatClient": "_client",
    "TokenEndpointUnavailable": "errors",
    "TokenError": "errors",
    "TokenEvent": "_events",
    "TokenStore": "stores",
    "Unauthorized": "errors",
    "apaginate": "_paging",
    "paginate": "_paging",
    "required_scopes": "_operations",
}
_MODULES = {"errors", "stores"}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _MODULES:
        return import_module(f"auth_ext.{name}")
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"auth_ext.{_LATER[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
