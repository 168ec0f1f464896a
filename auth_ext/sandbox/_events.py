"""Events: kept until they are handled, and sent to webhooks as they happen.

A webhook is called over real HTTP, but only on loopback: the sandbox talks to nobody else.
"""

import hashlib
import hmac
import ipaddress
import queue
import sqlite3
import threading
import time
import uuid
from typing import Any
from urllib.parse import urlsplit

import attrs
import httpx

from auth_ext.sandbox._clock import Clock, iso
from auth_ext.sandbox._store import Store, dumps, loads

SIGNATURE_HEADER = "X-Idfy-Signature"
TIMEOUT_SECONDS = 10.0
DELIVERIES_KEPT = 10
ACCOUNT_ID = "00000000-5a4d-4b0f-8b1e-000000000001"


@attrs.frozen(kw_only=True)
class Event:
    """Something that happened."""

    id: str
    type: str
    moment: float
    payload: dict[str, Any]
    tags: tuple[str, ...] = ()

    def wire(self) -> dict[str, Any]:
        """As the service writes it."""
        return {
            "id": self.id,
            "type": self.type,
            "payload": self.payload,
            "timestamp": iso(self.moment),
            "accountId": ACCOUNT_ID,
            "tags": list(self.tags),
        }


@attrs.frozen
class _Delivery:
    webhook: int
    event: Event


class Events:
    """Keeps events and delivers them, in order, on one thread that starts with the first."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._queue: queue.Queue[_Delivery | None] = queue.Queue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def happen(
        self,
        db: sqlite3.Connection,
        kind: str,
        payload: dict[str, Any],
        tags: tuple[str, ...] = (),
    ) -> Event:
        """Keep an event and send it to the webhooks that want it."""
        event = Event(
            id=str(uuid.uuid4()), type=kind, moment=self._clock.now(), payload=payload, tags=tags
        )
        db.execute(
            "INSERT INTO event (id, type, moment, payload, tags) VALUES (?, ?, ?, ?, ?)",
            (event.id, kind, event.moment, dumps(payload), dumps(tags)),
        )
        for row in db.execute("SELECT id, body FROM webhook").fetchall():
            if _wants(loads(row["body"]), event):
                self.send(row["id"], event)
        return event

    def ping(self, webhook: int) -> None:
        """Send the event that only says that the webhook works. It is not kept."""
        moment = self._clock.now()
        self.send(webhook, Event(id=str(uuid.uuid4()), type="ping", moment=moment, payload={}))

    def send(self, webhook: int, event: Event) -> None:
        """Deliver *event* soon."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._deliver_all, name="sandbox-webhooks", daemon=True
                )
                self._thread.start()
        self._queue.put(_Delivery(webhook, event))

    def wait(self) -> None:
        """Wait until everything that was sent is delivered, or has failed to be."""
        self._queue.join()

    def stop(self) -> None:
        """Deliver what waits, then end the thread."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None

    def _deliver_all(self) -> None:
        # No proxies, no netrc: a webhook on loopback must not leave the machine.
        with httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False) as client:
            while (delivery := self._queue.get()) is not None:
                try:
                    self._deliver(client, delivery)
                finally:
                    self._queue.task_done()
            self._queue.task_done()

    def _deliver(self, client: httpx.Client, delivery: _Delivery) -> None:
        with self._store.transaction() as db:
            row = db.execute(
                "SELECT body FROM webhook WHERE id = ?", (delivery.webhook,)
            ).fetchone()
        if row is None:
            return
        config = loads(row["body"])["config"]
        started = time.monotonic()
        record = _call(client, config, delivery.event)
        record["elapsedMs"] = int((time.monotonic() - started) * 1000)
        record["timestamp"] = iso(self._clock.now())
        record["webhookId"] = delivery.webhook
        self._record(delivery.webhook, record, config.get("deliveryLogging") or "always")

    def _record(self, webhook: int, record: dict[str, Any], logging: str) -> None:
        code = record.get("responseStatusCode")
        failed = code is None or not 200 <= code < 300
        last = {
            "message": record.get("responseMessage") or record.get("errorMessage", ""),
            "timestamp": record["timestamp"],
        }
        if code is not None:
            last["code"] = code
        with self._store.transaction() as db:
            db.execute("UPDATE webhook SET last_response = ? WHERE id = ?", (dumps(last), webhook))
            if logging == "never" or (logging == "failed" and not failed):
                return
            db.execute(
                "INSERT INTO delivery (webhook, body) VALUES (?, ?)", (webhook, dumps(record))
            )
            db.execute(
                "DELETE FROM delivery WHERE webhook = ? AND seq NOT IN "
                "(SELECT seq FROM delivery WHERE webhook = ? ORDER BY seq DESC LIMIT ?)",
                (webhook, webhook, DELIVERIES_KEPT),
            )


def signature(secret: str, body: bytes) -> str:
    """The header's value: HMAC-SHA256 of the raw body, lower-case hex."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def is_loopback(host: str | None) -> bool:
    """Whether *host*, a name or an address, is this machine itself."""
    if host is None:
        return False
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _wants(webhook: dict[str, Any], event: Event) -> bool:
    if not webhook["active"]:
        return False
    wanted_tags = webhook.get("tags") or ()
    if wanted_tags and not set(wanted_tags) & set(event.tags):
        return False
    return "*" in webhook["events"] or event.type in webhook["events"]


def _call(client: httpx.Client, config: dict[str, Any], event: Event) -> dict[str, Any]:
    body = dumps(event.wire()).encode()
    headers = {"Content-Type": "application/json"}
    if config.get("secret"):
        headers[SIGNATURE_HEADER] = signature(config["secret"], body)
    record: dict[str, Any] = {
        "id": str(uuid.uuid4()),
        "eventId": event.id,
        "url": config["url"],
        "requestHeaders": headers,
        "requestBody": event.wire(),
    }
    try:
        url = urlsplit(config["url"])
        if url.scheme not in ("http", "https") or not is_loopback(url.hostname):
            raise httpx.UnsupportedProtocol("The sandbox delivers to loopback URLs only.")
        with client.stream("POST", config["url"], content=body, headers=headers) as response:
            record["responseStatusCode"] = response.status_code
            record["responseMessage"] = response.reason_phrase
            record["responseHeaders"] = dict(response.headers)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as exc:
        record["errorMessage"] = f"{type(exc).__name__}: {exc}"
    return record
