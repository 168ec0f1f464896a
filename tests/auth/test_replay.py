import io
import tempfile
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from auth_ext._replay import can_replay

URL = "https://api.signicat.io/x"


class StartsOver:
    """
    An iterable that begins anew with each loop, sync and async.
    """

    def __iter__(self) -> Iterator[bytes]:
        yield b"whole"


class StartsOverAsync:
    """
    The same for tasks.
    """

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"whole"


class Shared:
    """
    An iterable that hands out one and the same iterator.
    """

    def __init__(self) -> None:
        self._one = iter([b"once"])

    def __iter__(self) -> Iterator[bytes]:
        return self._one


class AsyncFile:
    """
    An async file: it goes on where it stopped.
    """

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"line"


class AsyncFileByRead(AsyncFile):
    """
    As anyio has them.
    """

    async def read(self, size: int = -1) -> bytes:
        """
        Nothing.
        """
        return b""


class AsyncFileByAread(AsyncFile):
    """
    As httpx knows them.
    """

    async def aread(self, size: int = -1) -> bytes:
        """
        Nothing.
        """
        return b""


class Pipe(io.RawIOBase):
    """
    A file that cannot be rewound.
    """

    def readable(self) -> bool:
        """
        Yes.
        """
        return True

    def seekable(self) -> bool:
        """
        As asked.
        """
        return False


class OnlySeeks:
    """
    A file-like of the least kind that httpx takes.
    """

    def read(self, size: int = -1) -> bytes:
        """
        Nothing.
        """
        return b""

    def seek(self, position: int) -> int:
        """
        Anywhere.
        """
        return position


class Upload:
    """
    A body that knows whether it can be rewound, as the generated client's uploads do.
    """

    def __init__(self, rewindable: bool) -> None:
        self._rewindable = rewindable

    def __iter__(self) -> Iterator[bytes]:
        yield b"whole"

    def seekable(self) -> bool:
        """
        As asked.
        """
        return self._rewindable


def generator() -> Iterator[bytes]:
    """
    A body that can be sent once.
    """
    yield b"once"


async def async_generator() -> AsyncIterator[bytes]:
    """
    A body that can be sent once.
    """
    yield b"once"


@pytest.mark.parametrize(
    ("body", "replays"),
    [
        ({}, True),
        ({"content": b"bytes"}, True),
        ({"content": "text"}, True),
        ({"json": {"a": 1}}, True),
        ({"data": {"a": "1"}}, True),
        ({"files": {"f": b"bytes"}}, True),
        ({"files": {"f": io.BytesIO(b"x")}, "data": {"a": "1"}}, True),
        ({"files": {"f": OnlySeeks()}}, True),
        ({"files": {"f": Pipe()}}, False),
        ({"files": {"g": b"x", "f": Pipe()}}, False),
        ({"content": [b"a", b"b"]}, True),
        ({"content": (b"a",)}, True),
        ({"content": StartsOver()}, True),
        ({"content": StartsOverAsync()}, True),
        ({"content": Upload(rewindable=True)}, True),
        ({"content": Upload(rewindable=False)}, False),
        ({"content": generator()}, False),
        ({"content": async_generator()}, False),
        ({"content": iter([b"a"])}, False),
        ({"content": map(bytes, [b"a"])}, False),
        ({"content": Shared()}, False),
        ({"content": io.BytesIO(b"x")}, False),
        ({"content": AsyncFileByRead()}, False),
        ({"content": AsyncFileByAread()}, False),
    ],
)
def test_only_bodies_that_begin_anew_replay(body: dict[str, Any], replays: bool) -> None:
    """
    In doubt, no: half a body is worse than a 401.
    """
    assert replays is can_replay(httpx.Request("POST", URL, **body))


def test_an_open_file_does_not_replay() -> None:
    """
    Httpx reads it from where it stands, which is its end by then.
    """
    with tempfile.TemporaryFile() as file:
        assert not can_replay(httpx.Request("POST", URL, content=file))


def test_a_stream_of_somebodys_own_does_not_replay() -> None:
    """
    Nobody can tell what it does.
    """

    class Own(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            yield b"x"

    assert not can_replay(httpx.Request("POST", URL, stream=Own()))


def test_a_request_that_was_read_replays() -> None:
    """
    Httpx keeps the bytes then.
    """
    request = httpx.Request("POST", URL, content=generator())
    request.read()

    assert can_replay(request)
