"""
The token request as a value, and its answer as a token or a telling error. No I/O.

RFC 6749 sections 2.3.1 (client authentication), 4.4 (client_credentials), 5.1 and 5.2 (answers).
"""

import base64
import json
import math
from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import quote, quote_plus, urlencode

import attrs
import httpx

from auth_ext._settings import Credentials, Scopes
from auth_ext._token import is_bearer_value
from auth_ext._version import __version__
from auth_ext.errors import (
    DASHBOARD_PATH,
    InvalidClient,
    InvalidScope,
    InvalidTokenResponse,
    TokenEndpointUnavailable,
    TokenError,
)

USER_AGENT = f"signicat-express-client/{__version__} python-httpx/{httpx.__version__}"

MAX_ANSWER_BYTES = 1024 * 1024
ASSUMED_LIFETIME = 600.0
LONGEST_LIFETIME = 30 * 24 * 3600.0
MAX_SAID = 300


@attrs.frozen(kw_only=True)
class TokenRequest:
    """
    Everything one token request is made from.

    Attributes:
        token_url: The token endpoint.

        credentials: Client id and secret.

        scopes: What to ask for, in this order.

        urlencode_credentials: Whether id and secret are form-urlencoded before Base64, as
            RFC 6749 section 2.3.1 wants. Some servers break on it.
    """

    token_url: httpx.URL
    credentials: Credentials
    scopes: Scopes
    urlencode_credentials: bool = True

    def build(self) -> httpx.Request:
        """
        The request to send. It holds the secret: it must not be logged, kept or redirected.
        """
        form = {"grant_type": "client_credentials", "scope": " ".join(self.scopes)}
        return httpx.Request(
            "POST",
            self.token_url,
            headers={
                "Accept": "application/json",
                "Authorization": f"Basic {self._basic()}",
                "Content-Type": "application/x-www-form-urlencoded",
                "User-Agent": USER_AGENT,
            },
            content=urlencode(form).encode("ascii"),
        )

    def bare(self) -> httpx.Request:
        """
        The request as errors may show it: no Authorization header, no body.
        """
        return httpx.Request("POST", self.token_url)

    def blanked(self, text: str) -> str:
        """
        *text* without any form of the secret that the server may have echoed.
        """
        secret = self.credentials.client_secret
        forms = {secret, quote_plus(secret), quote(secret, safe=""), self._basic()}
        for form in sorted(forms, key=len, reverse=True):
            text = text.replace(form, "[secret]")
        return text

    def _basic(self) -> str:
        pair = (self.credentials.client_id, self.credentials.client_secret)
        if self.urlencode_credentials:
            pair = (quote_plus(pair[0]), quote_plus(pair[1]))
        return base64.b64encode(":".join(pair).encode()).decode("ascii")


@attrs.frozen(kw_only=True)
class Answer:
    """
    What the token endpoint answered, as far as it was read.

    Attributes:
        status_code: HTTP status.

        headers: Response headers.

        content: The body, one byte more than `MAX_ANSWER_BYTES` at most.
    """

    status_code: int
    headers: httpx.Headers
    content: bytes = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class Grant:
    """
    A token as the wire gave it, before a clock is held to it.

    Attributes:
        value: The bearer token. Hidden from repr.

        lifetime: Seconds it lives, counted from the request; zero or less: do not keep it.

        scopes: Scopes granted.

        lifetime_assumed: Whether `expires_in` was missing or unreadable.
    """

    value: str = attrs.field(repr=False)
    lifetime: float
    scopes: frozenset[str]
    lifetime_assumed: bool = False


def grant_from(answer: Answer, request: TokenRequest) -> Grant:
    """
    The token in *answer*.

    Raises:
        TokenError: There is none; the subclass says whose turn it is.
    """
    if answer.status_code in {408, 429} or answer.status_code >= 500:
        raise _unavailable(answer, request)
    if not 200 <= answer.status_code < 300:
        raise _refusal(answer, request)
    data = _json_object(answer, request)
    if data.get("error"):
        # Some servers say no with a 200, against RFC 6749 section 5.2; others say `null` for yes.
        raise _refusal(answer, request)
    value = data.get("access_token")
    if not is_bearer_value(value):
        raise unusable(request, _what_is_wrong_with(value), answer)
    token_type = data.get("token_type", "Bearer")
    if not isinstance(token_type, str) or token_type.lower() != "bearer":
        raise unusable(request, "its token_type is not Bearer", answer)
    lifetime = lifetime_from(data.get("expires_in"))
    return Grant(
        value=str(value),
        lifetime=ASSUMED_LIFETIME if lifetime is None else lifetime,
        scopes=_granted(data.get("scope"), request),
        lifetime_assumed=lifetime is None,
    )


def lifetime_from(expires_in: object) -> float | None:
    """
    Seconds that *expires_in* means; None when it says nothing that can be read.

    RFC 6749 wants a number; at least one large vendor sends a string. Whatever is longer than
    30 days is cut to that: no answer makes a token valid for ever.
    """
    if isinstance(expires_in, bool) or not isinstance(expires_in, int | float | str):
        return None
    try:
        seconds = float(expires_in)
    except OverflowError:  # an integer beyond any float
        seconds = math.inf if int(expires_in) > 0 else -math.inf
    except ValueError:
        return None
    return None if math.isnan(seconds) else min(seconds, LONGEST_LIFETIME)


def retry_after_from(headers: httpx.Headers, now: float) -> float | None:
    """
    Seconds that Retry-After asks to wait (RFC 9110 section 10.2.3); None when it asks nothing.

    Args:
        headers: Of the answer.

        now: Wall clock, for the form that is a date.
    """
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:10])
    return _seconds_until(value, now) if value else None


def _seconds_until(date: str, now: float) -> float | None:
    from email.utils import parsedate_to_datetime

    try:
        return max(0.0, parsedate_to_datetime(date).timestamp() - now)
    except (ValueError, OverflowError):
        return None


def _granted(scope: object, request: TokenRequest) -> frozenset[str]:
    if isinstance(scope, list):  # seen in the wild, though RFC 6749 wants a string
        scope = " ".join(name for name in scope if isinstance(name, str))
    return frozenset(scope.split() if isinstance(scope, str) and scope else request.scopes)


def _what_is_wrong_with(value: object) -> str:
    if value is None:
        return "it has no access_token"
    if not isinstance(value, str):
        return f"its access_token is not a string but {type(value).__name__}"
    return "its access_token is empty or has characters that no header can carry"


def _json_object(answer: Answer, request: TokenRequest) -> Mapping[str, Any]:
    if len(answer.content) > MAX_ANSWER_BYTES:
        raise unusable(request, "it is over 1 MiB", answer)
    data = _json(answer.content)
    if not isinstance(data, dict):
        kind = answer.headers.get("Content-Type", "no content type").split(";")[0][:80]
        raise unusable(request, f"it is not a JSON object ({kind!r})", answer)
    return data


def _json(content: bytes) -> object:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def unusable(request: TokenRequest, why: str, answer: Answer | None = None) -> InvalidTokenResponse:
    """
    The error for an answer that is no token; *answer* is None where it could not be read.
    """
    status = None if answer is None else answer.status_code
    answered = "answered" if status is None else f"answered {status}"
    return _located(
        InvalidTokenResponse(
            request.blanked(
                f"{_where(request)} {answered}, but that is not a usable token: {why}."
                " Check that token_url is the token endpoint"
            ),
            status_code=status,
        ),
        request,
    )


def _unavailable(answer: Answer, request: TokenRequest) -> TokenEndpointUnavailable:
    said = _Said.of(answer, request)
    return _located(
        TokenEndpointUnavailable(
            f"{_where(request)} answered {answer.status_code}{said.in_words()}. Try again later",
            error=said.error,
            error_description=said.error_description,
            error_uri=said.error_uri,
            status_code=answer.status_code,
            retryable=True,
        ),
        request,
    )


def _refusal(answer: Answer, request: TokenRequest) -> TokenError:
    said = _Said.of(answer, request)
    code = said.error or ("invalid_client" if answer.status_code == 401 else None)
    kind, remedy = _REMEDIES.get(code or "", (TokenError, _remedy_for_status(answer)))
    scopes = " ".join(request.scopes)
    text = (
        f"{_where(request)} refused with {answer.status_code}{said.in_words()}."
        f" {remedy.format(scopes=repr(scopes), client_id=repr(request.credentials.client_id))}"
    )
    error = kind(
        request.blanked(text),
        error=said.error,
        error_description=said.error_description,
        error_uri=said.error_uri,
        status_code=answer.status_code,
        retryable=code in {"temporarily_unavailable", "server_error"},
    )
    if isinstance(error, InvalidScope):
        error.scopes = frozenset(request.scopes)
    return _located(error, request)


_REMEDIES: dict[str, tuple[type[TokenError], str]] = {
    "invalid_client": (
        InvalidClient,
        "Check the client id {client_id} and its secret, and that both belong to the environment"
        " you mean (test or production)",
    ),
    "invalid_scope": (
        InvalidScope,
        "The API client {client_id} lacks one of the scopes asked for: {scopes}. Add it in the"
        f" dashboard ({DASHBOARD_PATH}), in the environment you mean (test or production), or"
        " contact support",
    ),
    "unauthorized_client": (
        TokenError,
        "The API client {client_id} may not use client_credentials: allow that grant in the"
        " dashboard, or use another client",
    ),
}


def _remedy_for_status(answer: Answer) -> str:
    if 300 <= answer.status_code < 400:
        return (
            "Redirects are not followed with the secret in hand: set token_url to the final address"
        )
    if answer.status_code in {404, 405}:
        return "Check token_url"
    return "Check the settings of the API client {client_id} and token_url"


@attrs.frozen
class _Said:
    """
    The three members of RFC 6749 section 5.2, as far as they can be shown.
    """

    error: str | None = None
    error_description: str | None = None
    error_uri: str | None = None

    @classmethod
    def of(cls, answer: Answer, request: TokenRequest) -> "_Said":
        data = _json(answer.content)
        if not isinstance(data, dict):
            return cls()
        names = ("error", "error_description", "error_uri")
        return cls(*(_shown(data.get(name), request) for name in names))

    def in_words(self) -> str:
        if not self.error:
            return ""
        return f" {self.error}" + (f" ({self.error_description})" if self.error_description else "")


def _shown(value: object, request: TokenRequest) -> str | None:
    """
    A server's words, safe for a log line: printable, short, without the secret.
    """
    if not isinstance(value, str) or not value:
        return None
    # Blanked first: a secret with a line break in it would not be found afterwards.
    blanked = request.blanked(value)[:MAX_SAID]
    return "".join(c if c.isprintable() else " " for c in blanked)


def _where(request: TokenRequest) -> str:
    return f"token endpoint {request.token_url.copy_with(query=None)}"


_E = TypeVar("_E", bound=TokenError)


def _located(error: _E, request: TokenRequest) -> _E:
    error.request = request.bare()
    return error
