"""Handlers of the notification area: events and webhooks."""

import sqlite3
from typing import Any

from auth_ext.sandbox._calls import Answer, Call, broken_rule, handles, missing
from auth_ext.sandbox._clock import iso
from auth_ext.sandbox._events import Event
from auth_ext.sandbox._store import dumps, loads

EVENTS_PER_FETCH = 100
LOCK_SECONDS = 600
WEBHOOK_SECRET = "sandbox-webhook-secret"  # noqa: S105 - made up, and shown in the answer


@handles("list_events")
def list_events(call: Call) -> Answer:
    """Unhandled events, oldest first, which others then do not get for ten minutes."""
    events = _waiting(call)
    call.db.executemany(
        "UPDATE event SET locked_until = ? WHERE id = ?",
        [(call.now + LOCK_SECONDS, event.id) for event in events],
    )
    return Answer(json=[event.wire() for event in events])


@handles("peek_events")
def peek_events(call: Call) -> Answer:
    """What `list_events` would give, for everybody to see again."""
    return Answer(json=[event.wire() for event in _waiting(call)])


@handles("clear_events")
def clear_events(call: Call) -> Answer:
    """Take all events for handled."""
    call.db.execute("UPDATE event SET handled = 1")
    return Answer()


@handles("handle_events")
def handle_events(call: Call) -> Answer:
    """Take the named events for handled; those that are no more do no harm."""
    call.db.executemany("UPDATE event SET handled = 1 WHERE id = ?", [(one,) for one in call.body])
    return Answer()


@handles("handle_event")
def handle_event(call: Call) -> Answer:
    """Take one event for handled."""
    event = call.path["eventId"]
    if not call.db.execute("UPDATE event SET handled = 1 WHERE id = ?", (event,)).rowcount:
        raise missing("event", event)
    return Answer()


@handles("mock_event")
def mock_event(call: Call) -> Answer:
    """Let an event happen that has made-up contents."""
    kind = call.body["eventType"]
    if kind not in _event_types(call):
        raise broken_rule(f"There is no event type {kind}.", "eventType")
    event = call.services.events.happen(call.db, kind, _mock_payload(call, kind))
    return Answer(json=event.wire())


@handles("list_event_types")
def list_event_types(call: Call) -> Answer:
    """Every event type of the document."""
    types = _event_types(call)
    return Answer(
        json=[
            {"id": kind, "name": kind.replace("_", " ").capitalize(), "description": kind}
            for kind in types
        ]
    )


@handles("create_webhook")
def create_webhook(call: Call) -> Answer:
    """Keep a webhook and ping it."""
    _check_events(call)
    config = {"secret": WEBHOOK_SECRET, "deliveryLogging": "always", **call.body["config"]}
    body = {"tags": [], **call.body, "config": config}
    cursor = call.db.execute(
        "INSERT INTO webhook (body, created, updated) VALUES (?, ?, ?)",
        (dumps(body), call.now, call.now),
    )
    identifier = cursor.lastrowid or 0
    call.services.events.ping(identifier)
    return Answer(json=_webhook(_find(call.db, identifier)))


@handles("list_webhooks")
def list_webhooks(call: Call) -> Answer:
    """All webhooks."""
    rows = call.db.execute("SELECT * FROM webhook ORDER BY id").fetchall()
    return Answer(json=[_webhook(row) for row in rows])


@handles("get_webhook")
def get_webhook(call: Call) -> Answer:
    """One webhook."""
    return Answer(json=_webhook(_find(call.db, int(call.path["id"]))))


@handles("update_webhook")
def update_webhook(call: Call) -> Answer:
    """Change what is given of a webhook."""
    row = _find(call.db, int(call.path["id"]))
    _check_events(call)
    body = loads(row["body"])
    config = body["config"] | call.body.get("config", {})
    body |= call.body | {"config": config}
    call.db.execute(
        "UPDATE webhook SET body = ?, updated = ? WHERE id = ?", (dumps(body), call.now, row["id"])
    )
    return Answer(json=_webhook(_find(call.db, row["id"])))


@handles("delete_webhook")
def delete_webhook(call: Call) -> Answer:
    """Forget a webhook and its deliveries."""
    row = _find(call.db, int(call.path["id"]))
    call.db.execute("DELETE FROM webhook WHERE id = ?", (row["id"],))
    call.db.execute("DELETE FROM delivery WHERE webhook = ?", (row["id"],))
    return Answer()


@handles("ping_webhook")
def ping_webhook(call: Call) -> Answer:
    """Send a ping."""
    row = _find(call.db, int(call.path["id"]))
    call.services.events.ping(row["id"])
    return Answer()


@handles("list_webhook_deliveries")
def list_webhook_deliveries(call: Call) -> Answer:
    """The last deliveries, newest first."""
    row = _find(call.db, int(call.path["id"]))
    rows = call.db.execute(
        "SELECT body FROM delivery WHERE webhook = ? ORDER BY seq DESC", (row["id"],)
    ).fetchall()
    return Answer(json=[loads(found["body"]) for found in rows])


def _waiting(call: Call) -> list[Event]:
    """Unhandled and unlocked events that fit the filters, at most a hundred."""
    kind = call.query.get("eventType")
    tags = {tag for tag in call.query.get("tags", "").split(",") if tag}
    rows = call.db.execute(
        "SELECT * FROM event WHERE handled = 0 AND locked_until <= ? AND (? IS NULL OR type = ?) "
        "ORDER BY seq",
        (call.now, kind, kind),
    ).fetchall()
    events = [
        Event(
            id=row["id"],
            type=row["type"],
            moment=row["moment"],
            payload=loads(row["payload"]),
            tags=tuple(loads(row["tags"])),
        )
        for row in rows
    ]
    return [event for event in events if not tags or tags & set(event.tags)][:EVENTS_PER_FETCH]


def _event_types(call: Call) -> list[str]:
    return list(call.services.document.schema("NotificationEventType")["enum"])


def _mock_payload(call: Call, kind: str) -> dict[str, Any]:
    """Made from the payload's schema, where the document has one of that name."""
    name = "Event" + "".join(part.capitalize() for part in kind.split("_")) + "Payload"
    schemas = call.services.document.data["components"]["schemas"]
    made: dict[str, Any] = call.services.values.make(schemas[name]) if name in schemas else {}
    return made


def _check_events(call: Call) -> None:
    known = {*_event_types(call), "*"}
    for position, kind in enumerate(call.body.get("events", ())):
        if kind not in known:
            raise broken_rule(f"There is no event type {kind}.", f"events.{position}")


def _find(db: sqlite3.Connection, identifier: int) -> sqlite3.Row:
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM webhook WHERE id = ?", (identifier,)
    ).fetchone()
    if row is None:
        raise missing("webhook", identifier)
    return row


def _webhook(row: sqlite3.Row) -> dict[str, Any]:
    wire = loads(row["body"]) | {
        "id": row["id"],
        "createdAt": iso(row["created"]),
        "updatedAt": iso(row["updated"]),
    }
    if row["last_response"] is not None:
        wire["lastResponse"] = loads(row["last_response"])
    return dict(wire)
