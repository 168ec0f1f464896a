"""
Files on their way in and out: streamed, whole or not there, and under a safe name.
"""

import hashlib
import io
import os
import socket
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.generated.package import Package, run

BOTH = pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "asyncio"])
CONTENT = bytes(range(256)) * 1000


def download(package: Package, answer: Any, to: Any, asynchronous: bool, **named: Any) -> Any:
    """
    What the download of the small document's file returns.
    """
    operation = package.operation("get_file")
    function = operation.adownload if asynchronous else operation.download
    client = named.pop("client", None) or package.client(answer)
    return run(function, "1", client=client, to=to, **named)


def file_answer(**headers: str) -> httpx.Response:
    """
    The content with these headers.
    """
    return httpx.Response(200, content=CONTENT, headers=headers)


@BOTH
def test_a_download_tells_where_and_what_the_file_is(
    own: Package, tmp_path: Path, asynchronous: bool
) -> None:
    """
    Path, size, and the media type and name that the service gave.
    """
    headers = {
        "Content-Type": "Application/PDF; charset=x",
        "Content-Disposition": 'attachment; filename="a b.pdf"',
    }
    seen: list[tuple[int, int | None]] = []

    done = download(
        own,
        file_answer(**headers),
        tmp_path / "x.pdf",
        asynchronous,
        on_progress=lambda received, total: seen.append((received, total)),
    )

    assert (tmp_path / "x.pdf", len(CONTENT), "application/pdf", "a b.pdf") == tuple(done)
    assert CONTENT == (tmp_path / "x.pdf").read_bytes()
    assert (len(CONTENT), len(CONTENT)) == seen[-1]
    assert [tmp_path / "x.pdf"] == list(tmp_path.iterdir())


@BOTH
def test_a_file_object_is_written_and_left_open(own: Package, asynchronous: bool) -> None:
    """
    No path is told then, and the caller closes what the caller opened.
    """
    target = io.BytesIO()

    done = download(own, file_answer(), target, asynchronous)

    assert (None, len(CONTENT)) == (done.path, done.size)
    assert CONTENT == target.getvalue()


class Hesitant(io.RawIOBase):
    """
    A raw file that takes less than it is given.
    """

    def __init__(self) -> None:
        self.taken = bytearray()

    def writable(self) -> bool:
        """As its base says."""
        return True

    def write(self, data: Any) -> int:
        """As its base says."""
        piece = bytes(data[:1000])
        self.taken += piece
        return len(piece)


def test_a_raw_file_object_gets_every_byte(own: Package) -> None:
    """
    Short writes are continued.
    """
    target = Hesitant()

    download(own, file_answer(), target, asynchronous=False)

    assert CONTENT == bytes(target.taken)


@BOTH
def test_an_error_leaves_the_old_file(own: Package, tmp_path: Path, asynchronous: bool) -> None:
    """
    A refusal is raised like that of any operation, with its body, and nothing is written.
    """
    target = tmp_path / "x.pdf"
    target.write_bytes(b"old")

    with pytest.raises(httpx.HTTPStatusError) as caught:
        download(own, httpx.Response(404, text="gone"), target, asynchronous)

    assert "gone" == caught.value.response.text
    assert [(target, b"old")] == [(path, path.read_bytes()) for path in tmp_path.iterdir()]


@pytest.fixture
def cutting_server() -> Iterator[str]:
    """
    A server that promises more than it sends.
    """
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + CONTENT)

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    thread.join(10)
    listening.close()


@BOTH
def test_a_cut_connection_leaves_nothing(
    own: Package, tmp_path: Path, cutting_server: str, asynchronous: bool
) -> None:
    """
    The error is httpx's, the old file stays, and no part of the new one is left beside it.
    """
    target = tmp_path / "x.pdf"
    target.write_bytes(b"old")
    client = own.module("client").AuthenticatedClient(cutting_server, "t")

    with pytest.raises(httpx.RemoteProtocolError):
        download(own, None, target, asynchronous, client=client)

    client.get_httpx_client().close()
    assert [(target, b"old")] == [(path, path.read_bytes()) for path in tmp_path.iterdir()]


@BOTH
def test_too_few_bytes_are_noticed_whoever_carries_them(
    own: Package, tmp_path: Path, asynchronous: bool
) -> None:
    """
    The length is checked here too: not every transport does.
    """
    answer = file_answer()
    answer.headers["Content-Length"] = str(len(CONTENT) + 1)

    with pytest.raises(httpx.RemoteProtocolError, match="cut off"):
        download(own, answer, tmp_path / "x", asynchronous)

    assert [] == list(tmp_path.iterdir())


@BOTH
def test_a_callback_that_raises_stops_the_download(
    own: Package, tmp_path: Path, asynchronous: bool
) -> None:
    """
    So a caller can cancel; nothing is left behind.
    """

    def stop(received: int, total: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(own, file_answer(), tmp_path / "x", asynchronous, on_progress=stop)

    assert [] == list(tmp_path.iterdir())


def test_the_length_of_a_compressed_file_is_not_known(own: Package, tmp_path: Path) -> None:
    """
    Content-Length then counts compressed bytes; it is still checked.
    """
    import gzip

    packed = gzip.compress(CONTENT)
    answer = httpx.Response(
        200,
        content=iter([packed]),
        headers={"Content-Encoding": "gzip", "Content-Length": str(len(packed))},
    )
    totals: set[int | None] = set()

    done = download(
        own, answer, tmp_path / "x", asynchronous=False, on_progress=lambda _, t: totals.add(t)
    )

    assert ({None}, len(CONTENT)) == (totals, done.size)


def test_a_missing_folder_is_told_before_anything_is_sent(own: Package, tmp_path: Path) -> None:
    """
    A download must not fail after it was made.
    """
    with pytest.raises(FileNotFoundError, match="make it first"):
        download(own, file_answer(), tmp_path / "no" / "x.pdf", asynchronous=False)

    assert [] == own.requests


def test_the_file_gets_the_permissions_of_any_new_file(own: Package, tmp_path: Path) -> None:
    """
    The umask decides, as with open().
    """
    usual = tmp_path / "usual"
    usual.touch()

    download(own, file_answer(), tmp_path / "x", asynchronous=False)

    assert usual.stat().st_mode == (tmp_path / "x").stat().st_mode


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('attachment; filename="a.pdf"', "a.pdf"),
        ("attachment; filename*=UTF-8''kj%C3%B8p%20%E2%82%AC.pdf", "kjøp €.pdf"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ('attachment; filename="C:\\\\temp\\\\x.pdf"', "x.pdf"),
        ('attachment; filename="..."', None),
        ('attachment; filename="/"', None),
        ("attachment; filename*=UTF-8''a%00%0Ab.pdf", "ab.pdf"),
        ('attachment; filename="con.pdf"', "_con.pdf"),
        ('attachment; filename=".hidden"', "hidden"),
        ('attachment; filename="a<b>:c?.pdf"', "a_b__c_.pdf"),
        ("attachment", None),
        ("attachment; filename*=nonsense''%ff", "ÿ"),
        (f'attachment; filename="{"x" * 500}.pdf"', "x" * 196 + ".pdf"),
    ],
)
def test_the_services_name_is_made_safe(
    own: Package, tmp_path: Path, disposition: str, name: str | None
) -> None:
    """
    The name is only ever a name, wherever it would like to point.
    """
    answer = file_answer(**{"Content-Disposition": disposition, "Content-Type": "application/pdf"})

    done = download(own, answer, tmp_path, asynchronous=False)

    assert name == done.filename
    assert tmp_path / (name or "download.pdf") == done.path
    assert [done.path] == list(tmp_path.iterdir())


@BOTH
def test_sync_gives_the_file_in_memory(own: Package, asynchronous: bool) -> None:
    """
    For small files; with the name and media type that the service gave.
    """
    headers = {"Content-Type": "text/xml", "Content-Disposition": "inline; filename=a.xml"}

    file = own.call("get_file", file_answer(**headers), "1", asynchronous=asynchronous)

    assert (CONTENT, "a.xml", "text/xml") == (file.payload.read(), file.file_name, file.mime_type)


# --- uploads ---


class Endless(io.RawIOBase):
    """
    A file of zeros that keeps count of what was read, and is never in memory.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.at = 0
        self.largest = 0

    def readable(self) -> bool:
        """As its base says."""
        return True

    def seekable(self) -> bool:
        """As its base says."""
        return True

    def tell(self) -> int:
        """As its base says."""
        return self.at

    def seek(self, offset: int, whence: int = 0) -> int:
        """As its base says."""
        self.at = offset + (0, self.at, self.size)[whence]
        return self.at

    def read(self, size: int = -1) -> bytes:
        """As its base says."""
        count = min(self.size - self.at, self.size if size < 0 else size)
        self.largest = max(self.largest, count)
        self.at += count
        return bytes(count)


def upload(package: Package, operation: str, payload: Any, client: Any, asynchronous: bool) -> Any:
    """
    Send a file with one of the two upload operations.
    """
    file = package.types.File(payload, file_name="å.pdf", mime_type="application/pdf")
    body = file
    if operation == "upload_file":
        body = package.models.UploadFileBody(
            file=file,
            note="n",
            pages=[1, 2],
            owner=package.models.Owner("x"),
            final=True,
        )
    module = package.operation(operation)
    function = module.asyncio if asynchronous else module.sync
    return run(function, "1", client=client, body=body)


UPLOADS = pytest.mark.parametrize("operation", ["upload_file", "replace_file"])


class Counting(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """
    Reads a request the way a network would, piece by piece, and keeps its length and digest.

    Args:
        times: How often each request is sent, as an auth flow does after a 401.
    """

    def __init__(self, times: int = 1) -> None:
        self.times = times
        self.bodies: list[tuple[int, str]] = []
        self.headers = httpx.Headers()

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.headers = request.headers
        return httpx.Response(204)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """As its base says."""
        for _ in range(self.times):
            size, digest = 0, hashlib.sha256()
            assert isinstance(request.stream, httpx.SyncByteStream)
            for piece in request.stream:
                size += len(piece)
                digest.update(piece)
            self.bodies.append((size, digest.hexdigest()))
        return self._answer(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """As its base says."""
        for _ in range(self.times):
            size, digest = 0, hashlib.sha256()
            assert isinstance(request.stream, httpx.AsyncByteStream)
            async for piece in request.stream:
                size += len(piece)
                digest.update(piece)
            self.bodies.append((size, digest.hexdigest()))
        return self._answer(request)


def counting_client(package: Package, transport: Counting) -> Any:
    """
    A client whose requests go to *transport*.
    """
    return package.client(httpx.Response(204), httpx_args={"transport": transport})


@BOTH
@UPLOADS
def test_an_upload_is_never_in_memory_as_a_whole(
    own: Package, operation: str, asynchronous: bool
) -> None:
    """
    50 MB leave in pieces, with their length announced.
    """
    transport = Counting()
    client = counting_client(own, transport)
    upload(own, operation, Endless(10), client, asynchronous)  # imports are not what is measured
    payload = Endless(50_000_000)
    tracemalloc.start()
    try:
        upload(own, operation, payload, client, asynchronous)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert 2_000_000 > peak
    assert 1_000_000 > payload.largest
    assert 50_000_000 <= transport.bodies[-1][0] == int(transport.headers["Content-Length"])


@BOTH
@UPLOADS
def test_an_upload_can_be_sent_again(own: Package, operation: str, asynchronous: bool) -> None:
    """
    The retry after a 401 sends the same bytes.
    """
    transport = Counting(times=2)

    upload(own, operation, Endless(100_000), counting_client(own, transport), asynchronous)

    first, second = transport.bodies
    assert first == second
    assert 100_000 <= first[0]


def test_a_file_that_cannot_go_back_is_not_sent_twice(own: Package) -> None:
    """
    An empty second body would look like success.
    """
    reading, writing = os.pipe()
    os.write(writing, b"content")
    os.close(writing)
    transport = Counting(times=2)

    with os.fdopen(reading, "rb") as pipe, pytest.raises(httpx.StreamConsumed):
        upload(own, "replace_file", pipe, counting_client(own, transport), asynchronous=False)

    assert [7] == [size for size, _ in transport.bodies]


def test_an_upload_starts_where_the_file_stands(own: Package) -> None:
    """
    As with open files elsewhere.
    """
    transport = Counting()
    payload = io.BytesIO(b"0123456789")
    payload.seek(4)

    upload(own, "replace_file", payload, counting_client(own, transport), asynchronous=False)

    assert [(6, hashlib.sha256(b"456789").hexdigest())] == transport.bodies
    assert "application/pdf" == transport.headers["Content-Type"]


def test_multipart_names_types_and_members(own: Package) -> None:
    """
    Each member is a part; lists are several parts, models are JSON.
    """
    client = own.client(httpx.Response(204))

    upload(own, "upload_file", io.BytesIO(b"%PDF"), client, asynchronous=False)

    request = own.requests[0]
    body = request.content.decode()
    boundary = request.headers["Content-Type"].partition("boundary=")[2]
    assert 7 == body.count(f"--{boundary}")
    assert 'name="file"; filename="å.pdf"\r\nContent-Type: application/pdf\r\n\r\n%PDF' in body
    assert 'name="note"\r\nContent-Type: text/plain\r\n\r\nn\r\n' in body
    assert 2 == body.count('name="pages"')
    assert 'name="owner"\r\nContent-Type: application/json\r\n\r\n{"name": "x"}' in body
    assert 'name="final"\r\nContent-Type: text/plain\r\n\r\ntrue\r\n' in body
