"""
Who we are and where: id, secret, scopes and URLs, checked once, read from the environment.
"""

import os
import warnings
from collections.abc import Callable, Iterable, Mapping
from ipaddress import ip_address

import attrs
import httpx

from auth_ext.errors import ConfigurationError

BASE_URL = "https://api.signicat.io"
TOKEN_URL = "https://api.signicat.io/oauth/connect/token"  # noqa: S105 - an address, not a secret
DEPRECATED_HOST = "api.idfy.io"

Scopes = tuple[str, ...]
ScopesArgument = str | Iterable[str]
ScopesOfRequest = Callable[[httpx.Request], ScopesArgument | None]


@attrs.frozen
class Credentials:
    """
    An API client's id and secret. The secret is hidden from repr.
    """

    client_id: str
    client_secret: str = attrs.field(repr=False)

    @classmethod
    def checked(
        cls,
        client_id: str | None,
        client_secret: str | None,
        environment: Mapping[str, str] | None = None,
    ) -> "Credentials":
        """
        The credentials given, else those of *environment*; an empty one is never read.

        Raises:
            ConfigurationError: One of them is missing, named with its variable.
        """
        environment = os.environ if environment is None else environment
        pairs = {
            "client_id": client_id or environment.get("SIGNICAT_CLIENT_ID"),
            "client_secret": client_secret or environment.get("SIGNICAT_CLIENT_SECRET"),
        }
        missing = [name for name, value in pairs.items() if not value]
        if missing:
            variables = " and ".join(f"SIGNICAT_{name.upper()}" for name in missing)
            plural = "s" if len(missing) > 1 else ""
            by_variable = f"set the environment variable{plural} {variables}, or "
            raise ConfigurationError(
                f"{' and '.join(missing)} missing: {by_variable if environment else ''}"
                f"pass {' and '.join(missing)}"
            )
        for name, value in pairs.items():
            if not isinstance(value, str):
                raise ConfigurationError(f"{name} must be a string, not {type(value).__name__}")
            if not value.isprintable() and any(map(_is_surrogate, value)):
                raise ConfigurationError(f"{name} cannot be sent: it is not valid Unicode")
            if not value.strip() or any(map(_is_control, value)):
                raise ConfigurationError(
                    f"{name} is blank or has a line break or another control character in it:"
                    " give it as the dashboard shows it"
                )
        return cls(str(pairs["client_id"]), str(pairs["client_secret"]))


def normalised_scopes(scopes: ScopesArgument) -> Scopes:
    """
    The scopes in the order given, each once.

    Args:
        scopes: A space-delimited string or an iterable of strings (RFC 6749 section 3.3).

    Raises:
        ConfigurationError: There are none, or one of them has characters no scope can have.
    """
    if isinstance(scopes, str):
        names = scopes.split()
    elif isinstance(scopes, set | frozenset):
        names = sorted(scopes, key=str)  # any order will do, but the same one every time
    elif isinstance(scopes, Iterable):
        names = list(scopes)
    else:
        raise ConfigurationError(
            "scopes must be a space-delimited string, an iterable of strings or a function of"
            f" the request, not {type(scopes).__name__}"
        )
    if not names:
        raise ConfigurationError(
            "scopes are empty: name at least one, such as 'document_read',"
            " by the argument scopes or by SIGNICAT_SCOPES"
        )
    for name in names:
        if not isinstance(name, str) or not name or not all(map(_is_scope_character, name)):
            raise ConfigurationError(f"{name!r} is no scope: see RFC 6749 section 3.3")
    return tuple(dict.fromkeys(names))


def _is_surrogate(character: str) -> bool:
    return "\ud800" <= character <= "\udfff"


def _is_control(character: str) -> bool:
    return character < " " or character == "\x7f"  # in no id and no secret: RFC 6749 appendix A


def _is_scope_character(character: str) -> bool:
    return "!" <= character <= "~" and character not in '"\\'


def checked_token_url(token_url: str | httpx.URL, *, stacklevel: int) -> httpx.URL:
    """
    The token endpoint's address, fit to receive a secret.

    Args:
        token_url: As the user gave it.

        stacklevel: Where a warning about the deprecated endpoint points to.

    Raises:
        ConfigurationError: It is malformed, or neither https nor loopback.
    """
    url = _checked_url(token_url, "token_url")
    if url.fragment or url.userinfo:
        raise ConfigurationError("token_url must have no user name, password or fragment")
    if url.host == DEPRECATED_HOST:
        warnings.warn(
            f"the token endpoint on {DEPRECATED_HOST} is deprecated; use {TOKEN_URL}",
            DeprecationWarning,
            stacklevel=stacklevel + 1,
        )
    return url


def url_of_environment(variable: str) -> str | None:
    """
    The address in the environment *variable*; None: it is unset or empty.

    Raises:
        ConfigurationError: It is malformed, or neither https nor loopback. The text names it.
    """
    value = os.environ.get(variable)
    return str(_checked_url(value, variable)) if value else None


def checked_base_url(base_url: str | httpx.URL) -> httpx.URL:
    """
    The API's address, fit to receive a token.

    Raises:
        ConfigurationError: It is malformed, or neither https nor loopback.
    """
    return _checked_url(base_url, "base_url")


Origin = tuple[str, str, int | None]


def origin_of(url: httpx.URL) -> Origin:
    """
    Scheme, host and port of *url*; the port is None where it is the scheme's own (RFC 6454).
    """
    return url.scheme, url.host, url.port


def checked_origins(origins: str | Iterable[str]) -> frozenset[Origin]:
    """
    The origins that a token may be sent to.

    Raises:
        ConfigurationError: One is malformed, or neither https nor loopback, or there are none.
    """
    given = (origins,) if isinstance(origins, str) else tuple(origins)
    if not given:
        raise ConfigurationError(f"origins are empty: name the API's, such as {BASE_URL}")
    return frozenset(origin_of(_checked_url(origin, "origins")) for origin in given)


def _checked_url(value: str | httpx.URL, setting: str) -> httpx.URL:
    try:
        url = httpx.URL(value)
    except (httpx.InvalidURL, TypeError) as error:
        raise ConfigurationError(f"{setting} is not a URL: {error}") from None
    if url.scheme not in {"http", "https"} or not url.host:
        raise ConfigurationError(f"{setting} must be an absolute URL such as {BASE_URL}")
    if url.scheme == "http" and not is_loopback(url.host):
        raise ConfigurationError(
            f"{setting} must be https: http://{url.host} would show the secret or the token to"
            " everybody on the way (only loopback addresses may be http)"
        )
    return url


def is_loopback(host: str) -> bool:
    """
    Whether *host* can only be this machine.
    """
    if host == "localhost" or host.endswith(".localhost"):  # RFC 6761 section 6.3
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
