import asyncio
from collections.abc import Callable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from auth_ext import ConfigurationError, apaginate, paginate
from generated_client.types import UNSET

Fetch = Callable[..., Any]


def listing(fetch: Fetch, *, by: str = "offset") -> Any:
    """
    An operation module whose pages *fetch* gives, by offset or by cursor.
    """
    module = ModuleType("list_things")

    if by == "offset":

        def sync(*, client: Any, offset: int = 0, limit: int = 2, **more: Any) -> Any:
            return fetch(client=client, offset=offset, limit=limit, **more)

    else:

        def sync(*, client: Any, cursor: str = "", **more: Any) -> Any:  # type: ignore[misc]
            return fetch(client=client, cursor=cursor, **more)

    async def as_task(**parameters: Any) -> Any:
        return sync(**parameters)

    module.sync = sync  # type: ignore[attr-defined]
    module.asyncio = as_task  # type: ignore[attr-defined]
    return module


def by_sync(operation: Any, **parameters: Any) -> list[Any]:
    """
    All items, by a thread.
    """
    return list(paginate(operation, client="the-client", **parameters))


def by_async(operation: Any, **parameters: Any) -> list[Any]:
    """
    All items, by a task.
    """

    async def collect() -> list[Any]:
        return [item async for item in apaginate(operation, client="the-client", **parameters)]

    return asyncio.run(collect())


@pytest.fixture(params=[by_sync, by_async])
def walk(request: pytest.FixtureRequest) -> Callable[..., list[Any]]:
    """
    All items, by paginate or by apaginate.
    """
    return request.param  # type: ignore[no-any-return]


class Shelf:
    """
    A list of numbers given out page by page, with links as the API has them.
    """

    def __init__(self, length: int, link_name: str = "next_", host: str = "") -> None:
        self.things = list(range(length))
        self.link_name = link_name
        self.host = host
        self.calls: list[dict[str, Any]] = []

    def page(self, *, client: Any, offset: int, limit: int, **more: Any) -> Any:
        """
        One page.
        """
        assert "the-client" == client
        self.calls.append({"offset": offset, "limit": limit, **more})
        data = self.things[offset : offset + limit]
        following = offset + limit
        link = f"{self.host}/things?offset={following}&limit={limit}"
        return SimpleNamespace(
            data=data,
            offset=offset,
            limit=limit,
            size=len(self.things),
            links=SimpleNamespace(
                **{self.link_name: link if following < len(self.things) else UNSET}
            ),
        )


@pytest.mark.parametrize("link_name", ["next", "next_"])
@pytest.mark.parametrize(("length", "calls"), [(0, 1), (1, 1), (2, 1), (3, 2), (6, 3)])
def test_offset_and_links(
    walk: Callable[..., list[Any]], length: int, calls: int, link_name: str
) -> None:
    """
    Every item once, in order, with no call more than there are pages.
    """
    shelf = Shelf(length, link_name)

    assert shelf.things == walk(listing(shelf.page))
    assert calls == len(shelf.calls)


def test_parameters_go_along_with_every_page(walk: Callable[..., list[Any]]) -> None:
    """
    Filters and the page size hold to the end; a first offset is where it starts.
    """
    shelf = Shelf(9)

    assert [4, 5, 6, 7, 8] == walk(listing(shelf.page), limit=3, offset=4, status="signed")
    assert [
        {"offset": 4, "limit": 3, "status": "signed"},
        {"offset": 7, "limit": 3, "status": "signed"},
    ] == shelf.calls


def test_links_to_other_hosts_are_not_followed(walk: Callable[..., list[Any]]) -> None:
    """
    A link is read for its offset, the call goes where it always goes.
    """
    shelf = Shelf(4, host="https://evil.example")

    assert [0, 1, 2, 3] == walk(listing(shelf.page))


@pytest.mark.parametrize("link", ["/things?offset=0", "/things", "/things?offset=x", "%"])
def test_a_link_that_leads_nowhere_does_not_go_round(
    walk: Callable[..., list[Any]], link: str
) -> None:
    """
    The offset never stands still.
    """

    def page(*, client: Any, offset: int, limit: int) -> Any:
        data = [offset, offset + 1] if offset < 6 else []
        return SimpleNamespace(data=data, offset=offset, links=SimpleNamespace(next_=link))

    assert [0, 1, 2, 3, 4, 5] == walk(listing(page))


@pytest.mark.parametrize("links", [None, UNSET, SimpleNamespace(next_=None)])
def test_without_links_the_size_decides(walk: Callable[..., list[Any]], links: Any) -> None:
    """
    As long as fewer items came than the list has, there is more.
    """
    shelf = Shelf(5)

    def page(**parameters: Any) -> Any:
        found = shelf.page(**parameters)
        found.links = links
        return found

    assert [0, 1, 2, 3, 4] == walk(listing(page))


@pytest.mark.parametrize("size", [None, UNSET, 2])
def test_a_page_that_says_no_more_is_the_last(walk: Callable[..., list[Any]], size: Any) -> None:
    """
    No links and no size: that was all.
    """

    def page(*, client: Any, offset: int, limit: int) -> Any:
        return SimpleNamespace(data=[1, 2], offset=offset, size=size)

    assert [1, 2] == walk(listing(page))


@pytest.mark.parametrize("data", [None, UNSET, "text"])
def test_a_page_without_items_is_the_last(walk: Callable[..., list[Any]], data: Any) -> None:
    """
    Null and missing are an empty page.
    """

    def page(*, client: Any, offset: int, limit: int) -> Any:
        return SimpleNamespace(data=data, offset=offset, size=9)

    assert [] == walk(listing(page))


def test_cursor(walk: Callable[..., list[Any]]) -> None:
    """
    Each page names the cursor of the next; an empty page in between is not the end.
    """
    pages = {
        "": SimpleNamespace(data=[1], next_cursor="b"),
        "b": SimpleNamespace(data=[], next_cursor="c"),
        "c": SimpleNamespace(data=[2], next_cursor=UNSET),
    }

    def page(*, client: Any, cursor: str) -> Any:
        return pages[cursor]

    assert [1, 2] == walk(listing(page, by="cursor"))


def test_a_cursor_that_stands_still_ends_the_walk(walk: Callable[..., list[Any]]) -> None:
    """
    It would go on for ever.
    """

    def page(*, client: Any, cursor: str) -> Any:
        return SimpleNamespace(data=[1], next_cursor="same")

    assert [1, 1] == walk(listing(page, by="cursor"))


def test_pages_are_fetched_when_they_are_reached() -> None:
    """
    Whoever stops after the first item pays for one page.
    """
    shelf = Shelf(100)
    items: Iterator[Any] = paginate(listing(shelf.page), client="the-client")

    assert (0, 1) == (next(items), next(items))
    assert 1 == len(shelf.calls)


def module_without_pages() -> ModuleType:
    """
    An operation that gives one thing.
    """
    module = ModuleType("get_thing")
    module.sync = lambda *, client, thing_id: None  # type: ignore[attr-defined]
    return module


@pytest.mark.parametrize(
    ("operation", "text"),
    [
        (module_without_pages(), "get_thing has no pages: call it once, by its sync or asyncio"),
        (ModuleType("empty"), "empty is no operation module"),
        ("list_things", "'list_things' is no operation module"),
    ],
)
def test_what_has_no_pages_is_refused(
    walk: Callable[..., list[Any]], operation: Any, text: str
) -> None:
    """
    The text says what it is and what to do.
    """
    with pytest.raises(ConfigurationError) as caught:
        walk(operation)

    assert text == str(caught.value)
