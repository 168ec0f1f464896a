"""
Everything that can go wrong, by what the caller can do about it.

    httpx.HTTPError
    ├── AuthError                          authentication failed
    │   ├── ConfigurationError             mend a setting (also a ValueError)
    │   ├── TokenError                     the token endpoint refused or could not answer
    │   │   ├── InvalidClient              check client id, secret and environment
    │   │   ├── InvalidScope               add the scope to the API client in the dashboard
    │   │   ├── TokenEndpointUnavailable   try again later
    │   │   └── InvalidTokenResponse       report it: the answer was no token
    │   ├── Unauthorized                   (also an ApiError) 401 with a fresh token
    │   └── InsufficientScope              (also an ApiError) 403
    └── httpx.HTTPStatusError
        └── ApiError                       the API answered 4xx or 5xx to a SignicatClient
            └── RateLimited                429: wait, then try again

No text here ever holds a secret, a token or a response body.
"""

from typing import Any, ClassVar

import attrs
import httpx

DASHBOARD_PATH = "Account > API Clients > your client > OAuth/OpenID Config > API access"


@attrs.frozen
class FieldError:
    """
    One complaint of the API about one field of a request.

    Attributes:
        field: Name or path of the field as the API spells it; None when it names none.

        message: What the API says is wrong with it.
    """

    field: str | None
    message: str


class AuthError(httpx.HTTPError):
    """
    Authentication failed.
    """

    # What copies and pickles carry over besides the message and the request.
    _carried: ClassVar[tuple[str, ...]] = ()

    def __reduce__(self) -> tuple[Any, ...]:
        request = None if self._request is None else self.request
        state = {"_request": request, **{name: getattr(self, name) for name in self._carried}}
        return _rebuild, (type(self), str(self), state)


def _rebuild(kind: type[httpx.HTTPError], text: str, state: dict[str, Any]) -> httpx.HTTPError:
    """
    An error as it was: httpx's own cannot be copied or pickled, as `__init__` wants more.
    """
    error = kind.__new__(kind, text)
    error.__dict__.update(state)
    return error


class ConfigurationError(AuthError, ValueError):
    """
    A setting is missing or wrong; nothing was sent.
    """


class TokenError(AuthError):
    """
    The token endpoint refused, or gave no usable answer.

    Attributes:
        error: The `error` code of RFC 6749 section 5.2, or None where nothing was said.

        error_description: The server's own words, shortened, secrets blanked; or None.

        error_uri: A page about the error that the server names; or None.

        status_code: HTTP status of the answer; None when there was none.

        retryable: Whether the same request may succeed later.

        retry_after: Seconds the server asked to wait; None where it said nothing.
    """

    _carried: ClassVar[tuple[str, ...]] = (
        "error",
        "error_description",
        "error_uri",
        "status_code",
        "retryable",
        "retry_after",
    )

    def __init__(
        self,
        message: str,
        *,
        error: str | None = None,
        error_description: str | None = None,
        error_uri: str | None = None,
        status_code: int | None = None,
        retryable: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.error = error
        self.error_description = error_description
        self.error_uri = error_uri
        self.status_code = status_code
        self.retryable = retryable
        self.retry_after = retry_after


class InvalidClient(TokenError):
    """
    The token endpoint does not accept the client id and secret.
    """


class InvalidScope(TokenError):
    """
    The API client lacks a scope that was asked for.

    Attributes:
        scopes: The scopes asked for.
    """

    _carried: ClassVar[tuple[str, ...]] = (*TokenError._carried, "scopes")
    scopes: frozenset[str] = frozenset()


class TokenEndpointUnavailable(TokenError):
    """
    The token endpoint could not be reached, timed out, or answered 408, 429 or 5xx.
    """


class InvalidTokenResponse(TokenError):
    """
    The token endpoint's answer is not a usable token.
    """


class ApiError(httpx.HTTPStatusError):
    """
    The API answered 4xx or 5xx.

    Attributes:
        response: The answer itself.

        status_code: Its HTTP status.

        code: The API's own error code, or None.

        message: What the API says, or None.

        errors: Complaints by field; empty when the API listed none.

        request_id: The answer's request id, to be quoted to support; or None.
    """

    _carried: ClassVar[tuple[str, ...]] = ("code", "message", "errors", "request_id", "operation")

    def __init__(
        self,
        text: str,
        *,
        response: httpx.Response,
        operation: str | None = None,
        code: str | None = None,
        message: str | None = None,
        errors: tuple[FieldError, ...] = (),
        request_id: str | None = None,
    ) -> None:
        httpx.HTTPStatusError.__init__(self, text, request=response.request, response=response)
        self.operation = operation
        self.code = code
        self.message = message
        self.errors = errors
        self.request_id = request_id

    @property
    def status_code(self) -> int:
        """
        HTTP status of the answer.
        """
        return self.response.status_code

    def __reduce__(self) -> tuple[Any, ...]:
        state = {name: getattr(self, name) for name in self._carried}
        state |= {"_request": self.request, "response": self.response}
        return _rebuild, (type(self), str(self), state)


class RateLimited(ApiError):
    """
    The API answered 429: too many requests.

    Attributes:
        retry_after: Seconds the API asks to wait, or None where it said nothing.
    """

    _carried: ClassVar[tuple[str, ...]] = (*ApiError._carried, "retry_after")
    retry_after: float | None = None


class Unauthorized(ApiError, AuthError):
    """
    The API still answers 401 with a fresh token.
    """


class InsufficientScope(ApiError, AuthError):
    """
    The API answered 403: the token lacks a scope that the operation needs.

    Attributes:
        needed: Scopes the operation needs, by the document or the API's WWW-Authenticate header.

        granted: Scopes the token has.

        missing: Scopes needed and not granted; may be empty when nobody said what is needed.
    """

    _carried: ClassVar[tuple[str, ...]] = (*ApiError._carried, "needed", "granted")
    needed: frozenset[str] = frozenset()
    granted: frozenset[str] = frozenset()

    @property
    def missing(self) -> frozenset[str]:
        """
        Scopes needed and not granted.
        """
        return self.needed - self.granted
