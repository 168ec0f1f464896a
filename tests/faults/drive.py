"""
One call through a `SignicatClient`, sync or async, watched from all sides.
"""

import asyncio
import functools
import io
import logging
import ssl
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypeVar

import attrs
import httpx

from auth_ext import AccessToken, Clock, MemoryTokenStore, SignicatClient, required_scopes
from auth_ext.sandbox import Sandbox, examples
from generated_client import models
from generated_client.api.share import upload_bucket_file
from generated_client.api.signature import create_document, get_document_file
from generated_client.models import GetDocumentFileFileFormat
from generated_client.types import File
from tests.faults.rows import IMPATIENCE, Body, Cell, Want

T = TypeVar("T")
Mode = Literal["sync", "async"]
MODES: tuple[Mode, ...] = ("sync", "async")

BOUND = 15.0  # seconds after which a call counts as hanging

# Made once: reading the certificates takes longer than most cells.
CONTEXT = ssl.create_default_context()

OPERATIONS: dict[Body, str] = {
    "json": "create_document",
    "file": "upload_bucket_file",
    "pipe": "upload_bucket_file",
    "download": "get_document_file",
}


class Pipe(io.RawIOBase):
    """
    Bytes that can be read once and never again.
    """

    def __init__(self, content: bytes) -> None:
        self._left = io.BytesIO(content)

    def readable(self) -> bool:
        """
        It is.
        """
        return True

    def seekable(self) -> bool:
        """
        It is not.
        """
        return False

    def readinto(self, buffer: Any) -> int:
        """
        Some more of it.
        """
        piece = self._left.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)


class KeepingStore(MemoryTokenStore):
    """
    Remembers every token it was given, to search for them afterwards.
    """

    def __init__(self) -> None:
        super().__init__()
        self.values: list[str] = []

    def set(self, key: str, token: AccessToken) -> None:
        """
        Keep and remember.
        """
        self.values.append(token.value)
        super().set(key, token)


_body = functools.cache(examples.body)
_parameters = functools.cache(examples.parameters)


class Calls:
    """
    The four calls of the table, with what they send.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._create = models.SignatureDocumentCreateOptions.from_dict(_body("create_document"))
        wanted = _parameters("get_document_file")
        self._document = wanted["documentId"]
        self._format = GetDocumentFileFileFormat(wanted["fileFormat"])
        bucket = _parameters("upload_bucket_file")
        self._bucket = bucket["id"], bucket["fileId"]

    def sync(self, body: Body, client: SignicatClient) -> object:
        """
        Make the call from this thread.
        """
        if body == "json":
            return create_document.sync(client=client, body=self._create)
        if body == "download":
            return get_document_file.download(
                self._document, client=client, file_format=self._format, to=self._target
            )
        upload_bucket_file.sync(*self._bucket, client=client, body=_upload(body))
        return None

    async def asynchronous(self, body: Body, client: SignicatClient) -> object:
        """
        Make the same call from this task.
        """
        if body == "json":
            return await create_document.asyncio(client=client, body=self._create)
        if body == "download":
            return await get_document_file.adownload(
                self._document, client=client, file_format=self._format, to=self._target
            )
        await upload_bucket_file.asyncio(*self._bucket, client=client, body=_upload(body))
        return None

    @property
    def _target(self) -> Path:
        return self._folder / "document.pdf"

    def left_behind(self) -> list[str]:
        """
        Names of the files that the calls have made, which are removed.
        """
        found = sorted(self._folder.iterdir())
        for path in found:
            path.unlink()
        return [path.name for path in found]


def _upload(body: Body) -> models.UploadBucketFileBody:
    content = b"%PDF-1.4 " + b"x" * 100_000
    payload: Any = io.BytesIO(content) if body == "file" else io.BufferedReader(Pipe(content))
    return models.UploadBucketFileBody(
        file=File(payload=payload, file_name="contract.pdf", mime_type="application/pdf")
    )


@attrs.frozen
class Outcome:
    """
    What came of a cell.

    Attributes:
        got: As the table says it.

        result: What the call returned.

        error: What it raised.

        slept: Pauses at the token endpoint.

        secrets: What must not show anywhere.

        files: Names of the files it left.
    """

    got: Want
    result: object
    error: BaseException | None
    slept: tuple[float, ...]
    secrets: tuple[str, ...]
    files: tuple[str, ...]


def try_cell(cell: Cell, mode: Mode, sandbox: Sandbox, calls: Calls) -> Outcome:
    """
    Set the stage, make the call within BOUND, count what the sandbox saw.
    """
    if cell.row.hasty:
        # Requests are counted when they are answered, and a sandbox that stops does so at once.
        with Sandbox() as own:
            watched = _watched(cell, mode, own, calls)
        return watched(own)
    sandbox.reset()
    return _watched(cell, mode, sandbox, calls)(sandbox)


def _watched(
    cell: Cell, mode: Mode, sandbox: Sandbox, calls: Calls
) -> Callable[[Sandbox], Outcome]:
    operation = OPERATIONS[cell.body]
    sandbox.seed(operation)
    slept: list[float] = []
    store = KeepingStore()
    client = client_of(
        sandbox,
        store=store,
        clock=Clock(sleep=slept.append),
        timeout=_patience(cell, "token endpoint"),
    )
    primed = client.get_token(required_scopes(operation)) if cell.token == "cached" else None
    sandbox.forget_requests()
    for step in cell.row.steps:
        step.take(sandbox, None if primed is None else primed.value)
    caller = client.with_timeout(_patience(cell, "API"))

    result, error = within(BOUND, lambda: _make(cell.body, mode, caller, calls))

    def outcome(sandbox: Sandbox) -> Outcome:
        return Outcome(
            got=Want(
                end="done" if error is None else type(error).__name__,
                token=sandbox.requests.token,
                api=sandbox.requests.api,
                attributes={name: getattr(error, name, None) for name in cell.want.attributes},
            ),
            result=result,
            error=error,
            slept=tuple(slept),
            secrets=(sandbox.client_secret, *store.values),
            files=tuple(calls.left_behind()),
        )

    return outcome


def client_of(sandbox: Sandbox, **settings: Any) -> SignicatClient:
    """
    A client of the sandbox, with certificates that are read already.
    """
    return SignicatClient(
        sandbox.client_id,
        sandbox.client_secret,
        base_url=sandbox.url,
        token_url=sandbox.token_url,
        verify_ssl=CONTEXT,
        **settings,
    )


def _patience(cell: Cell, place: str) -> httpx.Timeout:
    hasty = cell.row.hasty and cell.row.place == place
    return httpx.Timeout(10.0, read=IMPATIENCE if hasty else 10.0)


def _make(body: Body, mode: Mode, client: SignicatClient, calls: Calls) -> object:
    if mode == "sync":
        with client:
            return calls.sync(body, client)

    async def run() -> object:
        async with client:
            return await calls.asynchronous(body, client)

    return asyncio.run(run())


def within(seconds: float, work: Callable[[], T]) -> tuple[T, None] | tuple[None, BaseException]:
    """
    What *work* returned or raised; AssertionError when it does neither in time.
    """
    ended: list[tuple[T, None] | tuple[None, BaseException]] = []

    def run() -> None:
        try:
            ended.append((work(), None))
        except BaseException as error:  # noqa: BLE001 - handed over to the test
            ended.append((None, error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    assert ended, f"it hangs: no end within {seconds:g} s"
    return ended[0]


def shown(error: BaseException | None, records: list[logging.LogRecord]) -> str:
    """
    Everything that a log, a terminal or an error tracker would show of *error* and *records*.
    """
    texts = [] if error is None else [repr(error), *traceback.format_exception(error)]
    for record in records:
        if record.name.startswith("authlib"):
            continue  # that is the sandbox talking, which tells everybody everything
        texts += [record.getMessage(), repr(record.args), str(record.exc_text or "")]
        if record.exc_info:
            texts += traceback.format_exception(*record.exc_info)
    return "\n".join(texts)
