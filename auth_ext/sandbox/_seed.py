"""Things that the examples name: the document, signer, webhook, ... of those very ids."""

import base64
import sqlite3
from typing import Any

from auth_ext.sandbox import examples
from auth_ext.sandbox._services import Services
from auth_ext.sandbox._signature import Desk
from auth_ext.sandbox._store import dumps

# Operations whose example needs a document that everybody has signed.
SIGNED = ("get_signer_file", "get_signer_attachment_file")


def seed(services: Services, operation: str = "") -> None:
    """Put in place what the operation's example needs; what lay there under those ids goes.

    Args:
        services: The sandbox.
        operation: The operation to call next; empty: none in particular.
    """
    now = services.clock.now()
    with services.store.transaction() as db:
        document = _seed_document(services, db, now)
        _seed_event(services, db, now)
        _seed_webhook(services, db, now)
        _seed_session(services, db, now)
        if operation in SIGNED:
            Desk(db=db, services=services, base_url="").sign(document)


def _ids(services: Services, operation: str) -> dict[str, Any]:
    return examples.parameters(operation, document=services.document)


def _body(services: Services, operation: str) -> Any:
    return examples.body(operation, document=services.document)


def _seed_document(services: Services, db: sqlite3.Connection, now: float) -> str:
    ids = _ids(services, "get_signer_attachment_file")
    document, signer, attachment = ids["documentId"], ids["signerId"], ids["attachmentId"]
    for table in ("signer", "attachment", "mail"):
        db.execute(f"DELETE FROM {table} WHERE document = ?", (document,))  # noqa: S608 - from here
    body = _body(services, "create_document") | {"externalId": f"seed-{document}"}
    signers, content = body.pop("signers"), body["dataToSign"].pop("base64Content")
    db.execute(
        "INSERT OR REPLACE INTO document (id, external_id, body, status, created, updated) "
        "VALUES (?, ?, ?, 'unsigned', ?, ?)",
        (document, body["externalId"], dumps(body), now, now),
    )
    db.execute(
        "INSERT INTO signer (id, document, body) VALUES (?, ?, ?)",
        (signer, document, dumps(signers[0])),
    )
    file = _body(services, "create_attachment")
    data = file.pop("data")
    db.execute(
        "INSERT INTO attachment (id, document, body) VALUES (?, ?, ?)",
        (attachment, document, dumps(file)),
    )
    services.store.keep_file(document, base64.b64decode(content))
    services.store.keep_file(attachment, base64.b64decode(data))
    return str(document)


def _seed_event(services: Services, db: sqlite3.Connection, now: float) -> None:
    event = _ids(services, "handle_event")["eventId"]
    db.execute(
        "INSERT OR REPLACE INTO event (id, type, moment, payload, tags) "
        "VALUES (?, 'document_read', ?, '{}', '[]')",
        (event, now),
    )


def _seed_webhook(services: Services, db: sqlite3.Connection, now: float) -> None:
    db.execute(
        "INSERT OR REPLACE INTO webhook (id, body, created, updated) VALUES (?, ?, ?, ?)",
        (
            _ids(services, "get_webhook")["id"],
            # Not active: a made-up URL is nobody's.
            dumps(_body(services, "create_webhook") | {"active": False}),
            now,
            now,
        ),
    )


def _seed_session(services: Services, db: sqlite3.Connection, now: float) -> None:
    db.execute(
        "INSERT OR REPLACE INTO session (id, body, created) VALUES (?, ?, ?)",
        (_ids(services, "get_session")["id"], dumps(_body(services, "create_session")), now),
    )
