"""
A refused response of the API, turned into an error that says what to do.
"""

import re
import time
from collections.abc import Iterable
from typing import Any

import httpx

from auth_ext._token_request import retry_after_from
from auth_ext.errors import (
    DASHBOARD_PATH,
    ApiError,
    FieldError,
    InsufficientScope,
    RateLimited,
    Unauthorized,
)

MAX_SAID = 500
MAX_HEADER = 4000
_REQUEST_ID_HEADERS = ("Request-Id", "RequestId")


def api_error(
    response: httpx.Response,
    *,
    operation: str | None = None,
    needed: Iterable[str] = (),
    granted: Iterable[str] | None = None,
) -> ApiError:
    """
    The error that *response* stands for. Works on any body, also none, HTML or broken JSON.

    Args:
        response: The answer, read.

        operation: Id of the operation, where it is known.

        needed: Scopes that the document says the operation needs.

        granted: Scopes of the token that was sent; None when none was.
    """
    said = _said(response)
    about: dict[str, Any] = {
        "response": response,
        "operation": operation,
        "code": said.get("code"),
        "message": said.get("message"),
        "errors": said.get("errors", ()),
        "request_id": request_id_of(response),
    }
    line = _first_line(response, about)
    if response.status_code == 401:
        return Unauthorized(f"{line}. {_why_401(response, granted)}", **about)
    if response.status_code == 403:
        return _insufficient_scope(line, about, frozenset(needed), frozenset(granted or ()))
    if response.status_code == 429:
        return _rate_limited(line, about)
    return ApiError(line, **about)


def request_id_of(response: httpx.Response) -> str | None:
    """
    The id by which the vendor's support finds this answer; or None.
    """
    return next(
        (response.headers[name] for name in _REQUEST_ID_HEADERS if name in response.headers), None
    )


def challenge(response: httpx.Response) -> dict[str, str]:
    """
    The parameters of a Bearer challenge (RFC 6750 section 3); empty when there is none.
    """
    header = response.headers.get("WWW-Authenticate", "")[:MAX_HEADER]
    start = re.search(r"\bbearer\b", header, re.IGNORECASE)
    parameters = header[start.end() :] if start else ""
    pairs = re.findall(r'([A-Za-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))', parameters)
    return {name.lower(): _printable(quoted or token) for name, quoted, token in pairs}


def _insufficient_scope(
    line: str, about: dict[str, Any], needed: frozenset[str], granted: frozenset[str]
) -> InsufficientScope:
    told = challenge(about["response"])
    needed = frozenset(told.get("scope", "").split()) or needed
    error = InsufficientScope("", **about)
    error.needed, error.granted = needed, granted
    parts = [line]
    if needed:
        parts.append(f"It needs the scope {_listed(needed)}")
    parts.append(f"The token has {_listed(granted) if granted else 'no scope that is known here'}")
    parts.append(_what_to_add(error))
    error.args = (". ".join(parts),)
    return error


def _what_to_add(error: InsufficientScope) -> str:
    if error.missing:
        return (
            f"Ask for {_listed(error.missing)} as well (scopes=..., or SIGNICAT_SCOPES), and see"
            f" that the API client has it in the dashboard ({DASHBOARD_PATH})"
        )
    if error.needed:
        return "The scopes suffice, so the account itself may lack this right: contact support"
    return f"Find the scope in the operation's documentation and add it ({DASHBOARD_PATH})"


def _rate_limited(line: str, about: dict[str, Any]) -> RateLimited:
    wait = retry_after_from(about["response"].headers, time.time())
    hint = "Wait, then try again" if wait is None else f"Try again in {wait:g} s"
    error = RateLimited(f"{line}. {hint}", **about)
    error.retry_after = wait
    return error


def _why_401(response: httpx.Response, granted: Iterable[str] | None) -> str:
    if granted is None:
        return "The request was sent without a token of ours"
    said = challenge(response).get("error_description")
    return (
        "The token was fresh, so it is not a matter of expiry"
        + (f" ({said})" if said else "")
        + ": check that token_url and base_url belong to the same service and environment"
    )


def _first_line(response: httpx.Response, about: dict[str, Any]) -> str:
    request = response.request
    target = f"{request.method} {_shown(request.url)}"
    what = f"{about['operation']} ({target})" if about["operation"] else target
    line = f"{what} answered {response.status_code} {response.reason_phrase}".rstrip()
    said = [about["code"], about["message"]]
    said += [f"{e.field}: {e.message}" if e.field else e.message for e in about["errors"][:5]]
    told = "; ".join(text.rstrip(". ") for text in said if text)
    line += f": {told}" if told else ""
    return line + (f" [request id {about['request_id']}]" if about["request_id"] else "")


def _shown(url: httpx.URL) -> httpx.URL:
    return url.copy_with(userinfo=b"", query=None, fragment=None)


def _said(response: httpx.Response) -> dict[str, Any]:
    """
    Code, message and field errors of the two body shapes that the vendor's platforms use.
    """
    try:
        data = response.json()
    except (ValueError, RecursionError, httpx.ResponseNotRead):
        return {}
    if not isinstance(data, dict):
        return {}
    first = ("message", "detail", "title", "error_description")
    listed = data.get("errors") or data.get("invalidParams")
    return {
        "code": _text(data.get("code")) or _text(data.get("error")),
        "message": next((_text(data.get(k)) for k in first if _text(data.get(k))), None),
        "errors": _field_errors(listed),
    }


def _field_errors(listed: object) -> tuple[FieldError, ...]:
    if not isinstance(listed, list):
        return ()
    return tuple(
        FieldError(
            _text(item.get("field")) or _text(item.get("name")),
            _text(item.get("message")) or _text(item.get("reason")) or "",
        )
        for item in listed
        if isinstance(item, dict)
    )


def _text(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return _printable(value) if isinstance(value, str) and value.strip() else None


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)[:MAX_SAID].strip()


def _listed(scopes: Iterable[str]) -> str:
    return ", ".join(sorted(scopes))
