"""What a handler of an API operation gets and gives."""

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from auth_ext.sandbox._contract import Problem
from auth_ext.sandbox._document import Operation

if TYPE_CHECKING:
    from auth_ext.sandbox._services import Services


@attrs.frozen(kw_only=True)
class Call:
    """One valid request with a good token."""

    operation: Operation
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Any
    base_url: str
    db: sqlite3.Connection
    services: "Services"

    @property
    def now(self) -> float:
        """The sandbox's time."""
        return self.services.clock.now()

    def number(self, name: str, default: int) -> int:
        """A query parameter that is a whole number."""
        return int(self.query.get(name, default))


@attrs.frozen(kw_only=True)
class File:
    """Bytes to download.

    Attributes:
        length: How many bytes *chunks* gives.
    """

    content_type: str
    length: int
    chunks: Iterable[bytes]


@attrs.frozen(kw_only=True)
class Answer:
    """What the API says: JSON, a file, or nothing."""

    json: Any = None
    file: File | None = None


class Refused(Exception):
    """The service understood and says no.

    Attributes:
        status: 404, or 422, which becomes 400 where the document knows no 422.
    """

    def __init__(self, status: int, code: str, message: str, *problems: Problem) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.problems = problems


def missing(what: str, identifier: object) -> Refused:
    """A 404."""
    return Refused(404, "not_found", f"There is no {what} {identifier}.")


def broken_rule(message: str, field: str = "") -> Refused:
    """A 422: valid by the document, refused by a rule."""
    problems = (Problem(field, message),) if field else ()
    return Refused(422, "business_rule", message, *problems)


Handler = Callable[[Call], Answer]
HANDLERS: dict[str, Handler] = {}


def handles(operation: str) -> Callable[[Handler], Handler]:
    """Register the function that answers an operation."""

    def register(handler: Handler) -> Handler:
        HANDLERS[operation] = handler
        return handler

    return register
