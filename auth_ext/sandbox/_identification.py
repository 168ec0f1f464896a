"""Handlers of identification v2: sessions that complete by themselves as the clock goes on."""

import base64
import binascii
import sqlite3
import uuid
from typing import Any

from auth_ext.sandbox._calls import Answer, Call, Refused, broken_rule, handles, missing
from auth_ext.sandbox._clock import iso
from auth_ext.sandbox._contract import Problem
from auth_ext.sandbox._store import dumps, loads

SESSION_SECONDS = 600
LIMIT = 50
LIMIT_MAX = 100
OPEN = ("created", "user_initiated")


@handles("create_session")
def create_session(call: Call) -> Answer:
    """Begin an identification."""
    identifier = str(uuid.uuid4())
    call.db.execute(
        "INSERT INTO session (id, body, created) VALUES (?, ?, ?)",
        (identifier, dumps(call.body), call.now),
    )
    return Answer(json=_session(call, _find(call.db, identifier)))


@handles("get_session")
def get_session(call: Call) -> Answer:
    """A session as it stands now."""
    return Answer(json=_session(call, _find(call.db, call.path["id"])))


@handles("invalidate_session")
def invalidate_session(call: Call) -> Answer:
    """End a session that is still open."""
    row = _find(call.db, call.path["id"])
    if status(call, row) not in OPEN:
        raise broken_rule("The session has ended.")
    end_session(call.db, row["id"], "invalidated")
    return Answer()


@handles("list_sessions")
def list_sessions(call: Call) -> Answer:
    """Sessions, oldest first, in pages: each tells where the next begins."""
    limit = call.number("limit", LIMIT)
    if limit < 1:
        raise Refused(400, "invalid", "Ask for at least one.", Problem("limit", "Below 1."))
    limit = min(limit, LIMIT_MAX)
    rows = call.db.execute(
        "SELECT * FROM session WHERE seq > ? ORDER BY seq LIMIT ?", (_position(call), limit + 1)
    ).fetchall()
    page: dict[str, Any] = {"limit": limit, "data": [_session(call, row) for row in rows[:limit]]}
    if len(rows) > limit:
        page["nextCursor"] = base64.urlsafe_b64encode(str(rows[limit - 1]["seq"]).encode()).decode()
    return Answer(json=page)


def end_session(db: sqlite3.Connection, identifier: str, ended: str) -> None:
    """Let a session end as *ended*, now."""
    _find(db, identifier)
    db.execute("UPDATE session SET ended = ? WHERE id = ?", (ended, identifier))


def status(call: Call, row: sqlite3.Row) -> str:
    """What has become of a session: said, or worked out from its age."""
    if row["ended"] is not None:
        return str(row["ended"])
    age, needed = call.now - row["created"], call.services.settings.session_seconds
    if needed is None:
        return "created" if age < SESSION_SECONDS else "timed_out"
    if age >= needed:
        return "success"
    return "created" if age < needed / 2 else "user_initiated"


def _position(call: Call) -> int:
    cursor = call.query.get("cursor", "")
    try:
        return int(base64.b64decode(cursor.encode(), altchars=b"-_", validate=True) or 0)
    except (ValueError, binascii.Error) as exc:
        problem = Problem("cursor", "Not a cursor of a page before.")
        raise Refused(400, "invalid", "The cursor is unknown.", problem) from exc


def _find(db: sqlite3.Connection, identifier: str) -> sqlite3.Row:
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM session WHERE id = ?", (identifier,)
    ).fetchone()
    if row is None:
        raise missing("session", identifier)
    return row


def _session(call: Call, row: sqlite3.Row) -> dict[str, Any]:
    body = loads(row["body"])
    state = status(call, row)
    wire: dict[str, Any] = body | {
        "id": row["id"],
        "url": f"{call.base_url}/identify/{row['id']}",
        "status": state,
        "created": iso(row["created"]),
        "expires": iso(row["created"] + SESSION_SECONDS),
    }
    if state == "success":
        wire |= _outcome(call, body)
    elif state in ("failed", "user_aborted", "timed_out"):
        wire["error"] = {"code": state, "message": f"The identification ended as {state}."}
    return wire


def _outcome(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Who it was: only what was asked for, and always the same person."""
    made = call.services.values.make(call.services.document.schema("IdentificationIdentity"))
    members = {
        "name": ("fullName", "firstName", "lastName"),
        "phone_number": ("phoneNumber",),
        "date_of_birth": ("dateOfBirth",),
        "nin": ("nin",),
        "nin_consent": ("nin",),
        "email": ("email",),
        "organization": ("organization",),
    }
    shown = {member for asked in body.get("include", ()) for member in members.get(asked, ())}
    allowed = body.get("allowedProviders") or ["no_bankid"]
    return {
        "provider": allowed[0],
        "identity": {k: v for k, v in made.items() if k in {*shown, "providerId"}},
        "environment": {"userAgent": "Sandbox", "ipAddress": "127.0.0.1"},
    }
