"""
All items of a listing operation, page after page.

The API has two ways: offset and limit with `links.next`, and a cursor with `nextCursor`. Links
are read for their offset only and never followed, so no page can lead to another host.
"""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from types import ModuleType
from typing import Any, Protocol, TypeVar
from urllib.parse import parse_qs, urlsplit

import attrs

from auth_ext.errors import ConfigurationError
from generated_client.types import Unset

_Item = TypeVar("_Item")


class Page(Protocol[_Item]):
    """
    One page as the generated models give it: its items are in `data`.
    """

    @property
    def data(self) -> list[_Item] | Unset: ...


class Listing(Protocol[_Item]):
    """
    A generated operation module whose answer is a page; type checkers see its items through it.
    """

    @property
    def sync(self) -> Callable[..., Page[_Item]]: ...

    @property
    def asyncio(self) -> Callable[..., Awaitable[Page[_Item]]]: ...


def paginate(operation: Listing[_Item], *, client: Any, **parameters: Any) -> Iterator[_Item]:
    """
    Every item of a listing operation, fetching the next page when it is reached.

    Args:
        operation: A listing operation's module, such as
            `generated_client.api.signature.list_document_summaries`.

        client: The client to call it with.

        parameters: What else to pass: filters, and `limit` for the size of a page.

    Raises:
        ConfigurationError: The operation has no pages.
        ApiError: The API refused one of the pages.
    """
    walk: _Walk | None = _Walk.start(operation, parameters)
    while walk is not None:
        page = operation.sync(client=client, **walk.parameters)
        yield from _items(page)
        walk = walk.after(page)


def apaginate(operation: Listing[_Item], *, client: Any, **parameters: Any) -> AsyncIterator[_Item]:
    """
    The same for `async for`, which may be left at any point: nothing is held between two pages.
    """
    return _AsyncItems(operation, client, parameters)


class _AsyncItems(AsyncIterator[_Item]):
    """
    What `apaginate` gives. No generator: one that is left early must be closed, or trio warns.
    """

    def __init__(self, operation: Listing[_Item], client: Any, parameters: dict[str, Any]) -> None:
        self._operation = operation
        self._client = client
        self._walk: _Walk | None = _Walk.start(operation, parameters)
        self._items: Iterator[_Item] = iter(())

    async def __anext__(self) -> _Item:
        while True:
            for item in self._items:
                return item
            if self._walk is None:
                raise StopAsyncIteration
            page = await self._operation.asyncio(client=self._client, **self._walk.parameters)
            self._items = iter(_items(page))
            self._walk = self._walk.after(page)


@attrs.frozen
class _Walk:
    """
    Where in the list we are: the parameters of the next call.
    """

    parameters: dict[str, Any]

    @classmethod
    def start(cls, operation: object, parameters: dict[str, Any]) -> "_Walk":
        name = getattr(operation, "__name__", repr(operation))
        if not isinstance(operation, ModuleType) or not callable(getattr(operation, "sync", None)):
            raise ConfigurationError(f"{name} is no operation module")
        known = inspect.signature(operation.sync).parameters
        if not {"offset", "cursor"} & set(known):
            raise ConfigurationError(f"{name} has no pages: call it once, by its sync or asyncio")
        return cls(dict(parameters))

    def after(self, page: object) -> "_Walk | None":
        """
        The next step; None after the last page.
        """
        cursor = _said(page, "next_cursor")
        if isinstance(cursor, str) and cursor:
            # A cursor that stands still would go on for ever.
            return None if cursor == self.parameters.get("cursor") else self._with(cursor=cursor)
        offset = self._next_offset(page)
        return None if offset is None else self._with(offset=offset)

    def _with(self, **changed: Any) -> "_Walk":
        return _Walk({**self.parameters, **changed})

    def _next_offset(self, page: object) -> int | None:
        count = len(_items(page))
        if count == 0 or not hasattr(page, "offset"):
            return None
        reached = (self.parameters.get("offset") or 0) + count
        following = _next_link(_said(page, "links"))
        if following:
            return max(_offset_in(following), reached)
        size = _said(page, "size")  # of the whole list; better one call too many than items lost
        return reached if isinstance(size, int) and reached < size else None


def _next_link(links: object) -> str | None:
    # The generator calls it `next_`, not to hide the builtin.
    link = _said(links, "next_") or _said(links, "next")
    return link if isinstance(link, str) and link else None


def _items(page: object) -> list[Any]:
    data = _said(page, "data")
    return data if isinstance(data, list) else []


def _said(thing: object, name: str) -> Any:
    """
    An attribute of a model; None where it is missing, null or unset.
    """
    value = getattr(thing, name, None)
    return None if isinstance(value, Unset) else value


def _offset_in(link: str) -> int:
    values = parse_qs(urlsplit(link).query).get("offset", ["0"])
    return int(values[0]) if values[0].isdecimal() else 0
