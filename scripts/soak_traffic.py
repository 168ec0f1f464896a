"""
The traffic of a soak: what one process of users does, and what it notices.

    threads · asyncio tasks · trio tasks · loops that come and go  ->  one client, one token store

Each second a report leaves: calls, how long they took, what went wrong, and the process' own
memory, threads and open files. A worker process writes its reports to stdout as JSON lines and
stops when its stdin ends, so that it never outlives whoever started it.
"""

import io
import json
import logging
import math
import os
import ssl
import sys
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any, TextIO

import anyio
import attrs
import httpx

from auth_ext import SignicatClient, apaginate, paginate
from auth_ext._environment import store_named
from auth_ext.sandbox import examples
from generated_client import models
from generated_client.api.share import upload_bucket_file
from generated_client.api.signature import (
    create_document,
    get_document,
    get_document_file,
    get_document_status,
    list_document_summaries,
)
from generated_client.types import File

API_TIMEOUT = 5.0  # long enough for a machine that is busy with other things
TOKEN_DEADLINE = 10.0
MOST_CALLS = 500_000  # per process; nobody gets there in the time, unless pauses are gone
# Seconds between two calls of one user. Fifty of them shall not be the sandbox's limit: what fails
# because it is overloaded says nothing about the client.
PAUSES = (0.2, 1.0)
REPORT_EVERY = 1.0
# Seconds within which threads must be gone at the end; a token request may use its deadline up.
SETTLE = TOKEN_DEADLINE + API_TIMEOUT + 1.0


@attrs.frozen(kw_only=True)
class Setting:
    """
    What a worker process is told.

    Attributes:
        name: Its name in reports.

        base_url: Where the sandbox is.

        token_url: Its token endpoint.

        client_id: Who asks.

        client_secret: The sandbox's own secret, known to all.

        store: As in SIGNICAT_TOKEN_STORE.

        seed: Of everything random.

        seconds: How long.

        threads: Users that are threads.

        tasks: Users that are tasks, on asyncio and on trio each.
    """

    name: str
    base_url: str
    token_url: str
    client_id: str
    client_secret: str = attrs.field(repr=False)
    store: str
    seed: int
    seconds: float
    threads: int = 3
    tasks: int = 3


@attrs.frozen(kw_only=True)
class Trouble:
    """
    One call that raised.

    Attributes:
        kind: The error's class, with its status where it has one.

        call: What was called.

        began: Wall clock at its start.

        ended: Wall clock at its end.

        text: What the error says.
    """

    kind: str
    call: str
    began: float
    ended: float
    text: str


@attrs.frozen(kw_only=True)
class Sample:
    """
    What the process holds.

    Attributes:
        at: Wall clock.

        memory: Resident set in bytes; 0 where the system does not tell.

        threads: Living threads, without those that trio keeps at hand for a while.

        files: Open file descriptors, sockets included; 0 where the system does not tell.
    """

    at: float
    memory: int
    threads: int
    files: int

    @classmethod
    def take(cls) -> "Sample":
        """
        As it is now.
        """
        return cls(
            at=time.time(),
            memory=_resident(),
            threads=sum(not one.name.startswith("Trio") for one in threading.enumerate()),
            files=_open_files(),
        )


PROC = Path("/proc/self")


def _resident() -> int:
    try:
        return int((PROC / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _open_files() -> int:
    try:
        return sum(1 for _ in (PROC / "fd").iterdir()) - 1  # without the one that lists
    except OSError:
        return 0


class Tally:
    """
    What happened since the last report. May be used from any thread.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.total = 0
        self._clear()

    def _clear(self) -> None:
        self._calls: Counter[str] = Counter()
        self._times: Counter[int] = Counter()
        self._slowest = (0.0, "")
        self._troubles: list[Trouble] = []
        self._created: list[str] = []

    def add(
        self, call: str, seconds: float, trouble: Trouble | None, created: str | None = None
    ) -> None:
        """
        Count one call.
        """
        with self._lock:
            self.total += 1
            self._calls[call] += 1
            self._times[bucket_of(seconds)] += 1
            self._slowest = max(self._slowest, (seconds, call))
            if trouble is not None:
                self._troubles.append(trouble)
            if created is not None:
                self._created.append(created)

    def report(self) -> dict[str, Any]:
        """
        All of it as JSON types, and begin anew.
        """
        with self._lock:
            told = {
                "calls": dict(self._calls),
                "times": [list(pair) for pair in self._times.items()],
                "slowest": list(self._slowest),
                "troubles": [attrs.asdict(trouble) for trouble in self._troubles],
                "created": self._created,
            }
            self._clear()
        return told


# Times are kept by the tenth of a power of ten that they fall in: exact to a quarter of their
# value, and no more than a few dozen numbers however long it takes.
STEPS = 20


def bucket_of(seconds: float) -> int:
    """
    The bucket that a time falls in.
    """
    return round(math.log10(max(seconds, 1e-6)) * STEPS)


def seconds_of(bucket: int) -> float:
    """
    The time in the middle of a bucket.
    """
    return float(10.0 ** (bucket / STEPS))


class Pipe(io.RawIOBase):
    """
    An upload that can be read once and never again.
    """

    def __init__(self, content: bytes) -> None:
        self._left = io.BytesIO(content)

    def readable(self) -> bool:
        """
        It is.
        """
        return True

    def readinto(self, buffer: Any) -> int:
        """
        Some more of it.
        """
        piece = self._left.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)


@attrs.frozen
class Call:
    """
    One call of an operation.

    Attributes:
        name: As reports name it.

        operation: Its module.

        parameters: What it is given.

        created: The reference of the document that it creates.
    """

    name: str
    operation: ModuleType
    parameters: Mapping[str, Any]
    created: str | None = None

    def make(self, client: SignicatClient) -> None:
        """
        From a thread.
        """
        if self.name == "download":
            self.operation.download(client=client, to=io.BytesIO(), **self.parameters)
        elif self.name == "list":
            for _ in islice(paginate(self.operation, client=client, limit=3), 5):
                continue
        else:
            self.operation.sync(client=client, **self.parameters)

    async def amake(self, client: SignicatClient) -> None:
        """
        From a task.
        """
        if self.name == "download":
            await self.operation.adownload(client=client, to=io.BytesIO(), **self.parameters)
        elif self.name == "list":
            seen = 0
            async for _ in apaginate(self.operation, client=client, limit=3):
                seen += 1
                if seen == 5:
                    break
        else:
            await self.operation.asyncio(client=client, **self.parameters)


class Choice:
    """
    Which call comes next; a mix of reading, creating, uploading and downloading.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._number = 0
        self._create = examples.body("create_document", everything=False)
        self._document = examples.parameters("get_document")["documentId"]
        self._format = models.GetDocumentFileFileFormat("unsigned")
        bucket = examples.parameters("upload_bucket_file")
        self._bucket = {"id": bucket["id"], "file_id": bucket["fileId"]}

    def next(self, random: Random) -> Call:
        """
        One of them.
        """
        name = random.choices(
            ("read", "status", "list", "download", "create", "file", "pipe"),
            weights=(6, 6, 2, 3, 3, 2, 2),
        )[0]
        if name == "create":
            return self._creation()
        if name == "list":
            return Call(name, list_document_summaries, {})
        if name in ("file", "pipe"):
            return Call(name, upload_bucket_file, {**self._bucket, "body": _upload(name, random)})
        document = {"document_id": self._document}
        if name == "download":
            return Call(name, get_document_file, {**document, "file_format": self._format})
        return Call(name, get_document if name == "read" else get_document_status, document)

    def _creation(self) -> Call:
        with self._lock:
            self._number += 1
            reference = f"soak-{self._name}-{self._number}"
        body = models.SignatureDocumentCreateOptions.from_dict(
            {**self._create, "externalId": reference}
        )
        return Call("create", create_document, {"body": body}, created=reference)


def _upload(name: str, random: Random) -> models.UploadBucketFileBody:
    content = random.randbytes(random.randint(1, 60_000))
    payload: Any = io.BytesIO(content) if name == "file" else io.BufferedReader(Pipe(content))
    return models.UploadBucketFileBody(
        file=File(payload=payload, file_name="contract.pdf", mime_type="application/pdf")
    )


class Traffic:
    """
    All users of one process, until it is stopped.
    """

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self.tally = Tally()
        self._choice = Choice(setting.name)
        self._over = threading.Event()
        self._ends = time.monotonic() + setting.seconds
        self._context = ssl.create_default_context()  # read once, for all connections

    def stop(self) -> None:
        """
        Let nobody begin another call.
        """
        self._over.set()

    @property
    def is_over(self) -> bool:
        """
        Whether nobody begins another call.
        """
        return (
            self._over.is_set() or time.monotonic() >= self._ends or self.tally.total >= MOST_CALLS
        )

    def run(self, tell: Callable[[dict[str, Any]], None]) -> None:
        """
        Send traffic until it is over; report each second, once more at the end, through *tell*.
        """
        first = Sample.take()
        tell({"sample": attrs.asdict(first), "phase": "start", **self.tally.report()})
        store = store_named(self._setting.store)
        with self._client(store=store) as client:
            users = [
                threading.Thread(target=user, args=(client, Random(seed)), name="soak", daemon=True)  # noqa: S311 - chance, not secrecy
                for seed, user in enumerate(self._users(), self._setting.seed)
            ]
            for user in users:
                user.start()
            while not self.is_over:
                self._over.wait(REPORT_EVERY)
                tell({"sample": attrs.asdict(Sample.take()), "phase": "run", **self.tally.report()})
            patience = time.monotonic() + TOKEN_DEADLINE + 3 * API_TIMEOUT
            for user in users:
                user.join(max(patience - time.monotonic(), 0.0))
            hung = sum(user.is_alive() for user in users)
        close = getattr(store, "close", None)
        if close is not None:
            close()
        sample = attrs.asdict(_settled(first))
        tell({"sample": sample, "phase": "end", "hung": hung, **self.tally.report()})

    def _users(self) -> Iterator[Callable[[SignicatClient, Random], None]]:
        for _ in range(self._setting.threads):
            yield self._thread
        yield lambda client, random: self._loop("asyncio", client, random)
        yield lambda client, random: self._loop("trio", client, random)
        yield self._passer_by

    def _client(self, **settings: Any) -> SignicatClient:
        return SignicatClient(
            self._setting.client_id,
            self._setting.client_secret,
            base_url=self._setting.base_url,
            token_url=self._setting.token_url,
            timeout=API_TIMEOUT,
            deadline=TOKEN_DEADLINE,
            verify_ssl=self._context,
            **settings,
        )

    def _thread(self, client: SignicatClient, random: Random) -> None:
        while not self.is_over:
            call = self._choice.next(random)
            with self._watched(call):
                call.make(client)
            self._over.wait(random.uniform(*PAUSES))

    def _loop(self, backend: str, client: SignicatClient, random: Random) -> None:
        """
        Tasks on one event loop, which share its connections and the tokens of everybody.
        """

        async def main() -> None:
            async with client.with_headers({}) as own, anyio.create_task_group() as group:
                for _ in range(self._setting.tasks):
                    group.start_soon(self._task, own, Random(random.random()))  # noqa: S311 - chance, not secrecy

        anyio.run(main, backend=backend)

    async def _task(self, client: SignicatClient, random: Random) -> None:
        while not self.is_over:
            call = self._choice.next(random)
            # Some callers lose patience, at any moment of a call.
            patience = random.uniform(0.0, 0.05) if random.random() < 0.1 else math.inf
            with anyio.move_on_after(patience), self._watched(call):
                await call.amake(client)
            await anyio.sleep(random.uniform(*PAUSES))

    def _passer_by(self, client: SignicatClient, random: Random) -> None:
        """
        Loops that end while a token is on its way to them, and clients that are used once.
        """
        while not self.is_over:
            call = self._choice.next(random)

            async def main(call: Call = call) -> None:
                with anyio.move_on_after(random.uniform(0.0, 0.1)), self._watched(call):
                    async with client.with_headers({}) as own:
                        await call.amake(own)

            anyio.run(main, backend=random.choice(("asyncio", "trio")))
            self._over.wait(random.uniform(*PAUSES))

    @contextmanager
    def _watched(self, call: Call) -> Iterator[None]:
        began, started = time.time(), time.monotonic()
        trouble: Trouble | None = None
        created = call.created
        try:
            yield
        except Exception as error:  # noqa: BLE001 - all of them are judged by the verdict
            created = None
            trouble = Trouble(
                kind=kind_of(error),
                call=call.name,
                began=began,
                ended=time.time(),
                text=str(error)[:300],
            )
        except BaseException:
            # Cancelled: nobody knows whether it was done, and nobody is told.
            self.tally.add(f"{call.name}, given up", time.monotonic() - started, None)
            raise
        self.tally.add(call.name, time.monotonic() - started, trouble, created)


def kind_of(error: BaseException) -> str:
    """
    An error's class, with its status where it has one.
    """
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    status = getattr(error, "status_code", None)
    known = isinstance(error, httpx.HTTPError) and status is not None
    return f"{type(error).__name__} {status}" if known else type(error).__name__


def _settled(first: Sample) -> Sample:
    """
    A sample at the end, when threads that nobody waits for have had the time to end.
    """
    patience = time.monotonic() + SETTLE
    while True:
        last = Sample.take()
        quiet = last.threads <= first.threads and last.files <= first.files
        if quiet or time.monotonic() >= patience:
            return last
        time.sleep(0.02)


def main(stdin: TextIO, stdout: TextIO) -> int:
    """
    A worker process: its setting is the first line of *stdin*, whose end stops it.
    """
    # What it logs is part of the weather. Anybody else's words on stderr are a complaint.
    logging.getLogger("auth_ext").addHandler(logging.NullHandler())
    # httpx and httpcore leave generators of their own open when a call is cancelled; trio minds.
    warnings.filterwarnings("ignore", "Async generator 'http(x|core)", ResourceWarning)
    traffic = Traffic(Setting(**json.loads(stdin.readline())))

    def watch() -> None:
        stdin.read()
        traffic.stop()

    def tell(report: dict[str, Any]) -> None:
        stdout.write(json.dumps(report) + "\n")
        stdout.flush()

    threading.Thread(target=watch, name="soak-stdin", daemon=True).start()
    traffic.run(tell)
    return 0


if __name__ == "__main__":  # pragma: no cover - a process of its own
    sys.exit(main(sys.stdin, sys.stdout))
