"""What the sandbox was asked, and how it answered: counts and the last requests."""

import collections
import threading
from collections.abc import Mapping
from typing import Any

import attrs

KEPT = 5000


@attrs.frozen(kw_only=True)
class Request:
    """One request, without its secrets.

    Attributes:
        kind: "token", "api" or "page" (a signer's page).
        at: The sandbox's time, in seconds since the epoch.
        operation: The operation's id; None: none fits.
        status: What was answered; None: the connection was cut before.
        client: The client's id, where it is known.
        faults: The kinds of misbehaviour it met.
        milliseconds: How long the sandbox took to decide.
    """

    kind: str
    at: float
    method: str
    path: str
    operation: str | None
    status: int | None
    client: str | None
    faults: tuple[str, ...]
    milliseconds: float


@attrs.frozen(kw_only=True)
class Requests:
    """Counts since the start, or since they were last forgotten.

    Attributes:
        token: Requests to the token endpoint.
        api: Requests to the API.
        by_status: How often the API answered each status.
        token_by_status: The same of the token endpoint.
        by_operation: How often each operation was asked for.
        log: The last requests, oldest first.
    """

    token: int
    api: int
    by_status: Mapping[int, int]
    token_by_status: Mapping[int, int]
    by_operation: Mapping[str, int]
    log: tuple[Request, ...]

    def wire(self) -> dict[str, Any]:
        """As the control URL shows it."""
        return attrs.asdict(self)


class Log:
    """Counts requests. May be written and read from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._kinds: collections.Counter[str] = collections.Counter()
            self._statuses: dict[str, collections.Counter[int]] = {
                kind: collections.Counter() for kind in ("token", "api", "page")
            }
            self._operations: collections.Counter[str] = collections.Counter()
            self._log: collections.deque[Request] = collections.deque(maxlen=KEPT)

    def add(self, request: Request) -> None:
        """Count a request."""
        with self._lock:
            self._kinds[request.kind] += 1
            if request.status is not None:
                self._statuses[request.kind][request.status] += 1
            if request.operation is not None:
                self._operations[request.operation] += 1
            self._log.append(request)

    def requests(self) -> Requests:
        """The counts and the log as they are now."""
        with self._lock:
            return Requests(
                token=self._kinds["token"],
                api=self._kinds["api"],
                by_status=dict(self._statuses["api"]),
                token_by_status=dict(self._statuses["token"]),
                by_operation=dict(self._operations),
                log=tuple(self._log),
            )
