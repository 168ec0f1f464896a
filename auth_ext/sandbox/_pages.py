"""Pages by offset and limit, with links to their neighbours."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from auth_ext.sandbox._calls import Call, Refused
from auth_ext.sandbox._contract import Problem

LIMIT = 50
LIMIT_MAX = 100


def window(call: Call) -> tuple[int, int]:
    """The offset and the limit asked for; the limit never above LIMIT_MAX.

    Raises:
        Refused: One of them makes no sense.
    """
    offset, limit = call.number("offset", 0), call.number("limit", LIMIT)
    for name, given, least in (("offset", offset, 0), ("limit", limit, 1)):
        if given < least:
            problem = Problem(name, f"Below {least}.")
            raise Refused(400, "invalid", f"{name} must be at least {least}.", problem)
    return offset, min(limit, LIMIT_MAX)


def page(call: Call, fitting: Sequence[Any]) -> tuple[list[Any], dict[str, Any]]:
    """The page asked for of *fitting*, and the members that describe it."""
    offset, limit = window(call)
    size = len(fitting)

    def link(start: int) -> str:
        query = {**call.query, "offset": str(start), "limit": str(limit)}
        path = call.operation.path.format_map(call.path)
        return f"{call.base_url}{path}?{urlencode(query)}"

    links = {"first": link(0), "last": link(max(size - 1, 0) // limit * limit)}
    if offset + limit < size:
        links["next"] = link(offset + limit)
    if offset > 0:
        links["previous"] = link(max(offset - limit, 0))
    about = {"offset": offset, "limit": limit, "size": size, "links": links}
    return list(fitting[offset : offset + limit]), about
