import copy
import inspect
import pickle
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest

import auth_ext.errors as module
from auth_ext import (
    ApiError,
    AuthError,
    ConfigurationError,
    FieldError,
    InsufficientScope,
    InvalidClient,
    InvalidScope,
    RateLimited,
    TokenEndpointUnavailable,
    TokenError,
    Unauthorized,
)

REQUEST = httpx.Request("GET", "https://api.signicat.io/x", headers={"Authorization": "Bearer t"})


def drawn_tree() -> list[tuple[int, str]]:
    """
    Depth and name of each line of the tree in the docstring.
    """
    assert module.__doc__ is not None
    tree = []
    for line in module.__doc__.splitlines():
        match = re.match(r"^    ([\u2502\u251c\u2514\u2500 ]*)([A-Za-z.]+)(  |$)", line)
        if match:
            tree.append((len(match[1]) // 4, match[2]))
    return tree


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    """
    Every class is drawn below its first base, and none is missing.
    """
    path: list[str] = []
    drawn: dict[str, str | None] = {}
    for depth, name in drawn_tree():
        path = [*path[:depth], name]
        drawn[name] = path[-2] if depth else None
    classes = {
        cls.__name__: cls
        for _, cls in inspect.getmembers(module, inspect.isclass)
        if cls.__module__ == module.__name__ and issubclass(cls, Exception)
    }

    assert {"httpx.HTTPError", "httpx.HTTPStatusError", *classes} == set(drawn)
    for name, parent in drawn.items():
        if name in classes:
            assert parent is not None
            bases = {base.__name__ for base in classes[name].__mro__[1:]}
            assert parent.removeprefix("httpx.") in bases
    assert issubclass(ConfigurationError, ValueError)
    assert issubclass(Unauthorized, ApiError)
    assert issubclass(InsufficientScope, ApiError)


def test_existing_handlers_hold() -> None:
    """
    Whoever catches httpx's errors catches these.
    """
    assert issubclass(AuthError, httpx.HTTPError)
    assert issubclass(ApiError, httpx.HTTPStatusError)


def a_token_error() -> TokenError:
    """
    One with every attribute set.
    """
    error = InvalidScope(
        "no",
        error="invalid_scope",
        error_description="why",
        error_uri="https://e.example",
        status_code=400,
        retryable=True,
        retry_after=3.0,
    )
    error.scopes = frozenset({"a"})
    error.request = httpx.Request("POST", "https://api.signicat.io/token")
    return error


def an_api_error() -> ApiError:
    """
    One with every attribute set.
    """
    error = InsufficientScope(
        "403",
        response=httpx.Response(403, request=REQUEST, json={"code": "c"}),
        operation="op",
        code="c",
        message="m",
        errors=(FieldError("f", "bad"),),
        request_id="r1",
    )
    error.needed, error.granted = frozenset({"a", "b"}), frozenset({"b"})
    return error


def a_rate_limit() -> ApiError:
    """
    One that says how long.
    """
    error = RateLimited("429", response=httpx.Response(429, request=REQUEST))
    error.retry_after = 7.0
    return error


COPIES: list[Callable[[Any], Any]] = [
    copy.copy,
    copy.deepcopy,
    lambda error: pickle.loads(pickle.dumps(error)),
]


@pytest.mark.parametrize("copied", COPIES, ids=["copy", "deepcopy", "pickle"])
def test_copies_of_a_token_error_keep_everything(copied: Callable[[Any], Any]) -> None:
    """
    Attributes, text and request; httpx's own errors cannot be copied.
    """
    error = a_token_error()
    twin = copied(error)

    assert twin is not error
    assert type(error) is type(twin)
    assert str(error) == str(twin)
    for name in ("error", "error_description", "error_uri", "status_code", "retryable",
                 "retry_after", "scopes"):  # fmt: skip
        assert getattr(error, name) == getattr(twin, name)
    assert ("POST", error.request.url) == (twin.request.method, twin.request.url)


@pytest.mark.parametrize("copied", COPIES, ids=["copy", "deepcopy", "pickle"])
def test_copies_of_an_api_error_keep_everything(copied: Callable[[Any], Any]) -> None:
    """
    The response goes along.
    """
    error = an_api_error()
    twin = copied(error)

    assert type(error) is type(twin)
    assert str(error) == str(twin)
    for name in ("operation", "code", "message", "errors", "request_id", "needed", "granted",
                 "missing", "status_code"):  # fmt: skip
        assert getattr(error, name) == getattr(twin, name)
    assert error.response.json() == twin.response.json()
    assert 7.0 == copied(a_rate_limit()).retry_after


@pytest.mark.parametrize("copied", COPIES, ids=["copy", "deepcopy", "pickle"])
@pytest.mark.parametrize(
    "kind", [AuthError, ConfigurationError, TokenError, InvalidClient, TokenEndpointUnavailable]
)
def test_an_error_without_a_request_copies_too(
    kind: type[AuthError], copied: Callable[[Any], Any]
) -> None:
    """
    As in httpx, asking for the request that is not there is a RuntimeError.
    """
    twin = copied(kind("text"))

    assert (kind, "text") == (type(twin), str(twin))
    with pytest.raises(RuntimeError):
        assert twin.request


def test_missing_scopes_are_needed_and_not_granted() -> None:
    """
    What to add.
    """
    error = an_api_error()

    assert isinstance(error, InsufficientScope)
    assert frozenset({"a"}) == error.missing


def test_defaults_say_nothing() -> None:
    """
    What nobody said is None, empty or False.
    """
    error = TokenError("text")
    api = ApiError("text", response=httpx.Response(500, request=REQUEST))

    assert (None, None, None, None, False, None) == (
        error.error,
        error.error_description,
        error.error_uri,
        error.status_code,
        error.retryable,
        error.retry_after,
    )
    assert (None, None, None, (), None, 500) == (
        api.operation,
        api.code,
        api.message,
        api.errors,
        api.request_id,
        api.status_code,
    )
