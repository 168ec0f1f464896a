"""
OAuth 2.0 client_credentials for httpx, and the Signicat Express client that uses it.

    credentials -> token request -> token -> store -> flow -> request -> response or diagnosis

Unofficial: not made or endorsed by Signicat.
"""

from typing import TYPE_CHECKING, Any

from auth_ext._clock import Clock
from auth_ext._events import TokenEvent
from auth_ext._flow import OAuth2ClientCredentials
from auth_ext._token import AccessToken
from auth_ext._version import __version__
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
from auth_ext.stores import MemoryTokenStore, TokenStore

if TYPE_CHECKING:
    from auth_ext._client import SignicatClient
    from auth_ext._operations import required_scopes
    from auth_ext._paging import apaginate, paginate
    from auth_ext.stores import FileTokenStore, RedisTokenStore

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
# libraries of the stores.
_LATER = {
    "FileTokenStore": "auth_ext.stores",
    "RedisTokenStore": "auth_ext.stores",
    "SignicatClient": "auth_ext._client",
    "apaginate": "auth_ext._paging",
    "paginate": "auth_ext._paging",
    "required_scopes": "auth_ext._operations",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(_LATER[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
