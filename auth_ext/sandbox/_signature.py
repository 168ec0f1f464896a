"""Handlers of the signature area, and what happens to documents from outside: signing, time."""

import base64
import binascii
import sqlite3
import uuid
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import attrs

from auth_ext.sandbox import _files
from auth_ext.sandbox._calls import Answer, Call, Refused, broken_rule, handles, missing
from auth_ext.sandbox._clock import iso, parse_iso
from auth_ext.sandbox._events import ACCOUNT_ID
from auth_ext.sandbox._mail import mail
from auth_ext.sandbox._pages import page
from auth_ext.sandbox._pdf import Signature
from auth_ext.sandbox._services import Services
from auth_ext.sandbox._store import dumps, loads

SIGNERS_MAX = 20
ATTACHMENTS_MAX = 20
DAY = 86400
DEADLINE_MAX_SECONDS = 45 * DAY
DELETE_HOURS = 168
DELETE_HOURS_MAX = 744
WARNING_SECONDS = DAY
OPEN = ("unsigned", "waiting_for_attachments", "partialsigned")

# Which URLs a redirect mode needs.
REDIRECT_NEEDS: Mapping[str, tuple[str, ...]] = {
    "donot_redirect": (),
    "redirect": ("error", "cancel", "success"),
    "iframe_with_webmessaging": ("domain",),
    "iframe_with_redirect": ("error", "cancel", "success"),
    "iframe_with_redirect_and_webmessaging": ("error", "cancel", "success", "domain"),
}


class NotNow(Exception):
    """A signer cannot do that in the document's present state."""


@attrs.frozen(kw_only=True)
class Desk:
    """What acts on documents, for handlers and for the control URL alike."""

    db: sqlite3.Connection
    services: Services
    base_url: str

    @property
    def now(self) -> float:
        """The sandbox's time."""
        return self.services.clock.now()

    def document(self, identifier: str) -> sqlite3.Row:
        """The row of a document.

        Raises:
            Refused: There is none.
        """
        return _row(self.db, "document", identifier)

    def signers(self, document: str) -> list[sqlite3.Row]:
        """The document's signers, in the order of their creation."""
        return _children(self.db, "signer", document)

    def sign(self, document: str, signer: str | None = None) -> list[str]:
        """Sign as if the signer did; None: all who have not yet, in their order.

        Raises:
            Refused: No such document or signer.
            NotNow: The document is finished, the signer has signed, or others come first.
        """
        row = self.document(document)
        waiting = [found for found in self.signers(row["id"]) if found["signature"] is None]
        waiting.sort(key=_order)
        if signer is not None:
            chosen = _child(self.db, "signer", row["id"], signer)
            if chosen["signature"] is not None:
                raise NotNow("The signer has signed already.")
            if _order(chosen) > min(map(_order, waiting)):
                raise NotNow("Other signers come first.")
            waiting = [chosen]
        signed = []
        for found in waiting:
            if self.document(document)["status"] in OPEN:
                self._sign(document, found)
                signed.append(found["id"])
        if not signed:
            raise NotNow("There is nothing left to sign.")
        return signed

    def open_link(self, document: str, signer: str, *, user_agent: str = "") -> None:
        """Let the signer open the link and read the document."""
        row = self.document(document)
        found = _child(self.db, "signer", row["id"], signer)
        for kind in ("document_link_opened", "document_read"):
            self.event(
                row,
                kind,
                userAgent=user_agent,
                ipAddress="127.0.0.1",
                signer={"id": found["id"], "externalSignerId": _external(found)},
            )

    def finish(self, row: sqlite3.Row, status: str, **payload: Any) -> None:
        """Let an open document end: signed, canceled or expired."""
        hours = _section(loads(row["body"]), "advanced", "timeToLive").get("deleteAfterHours")
        self.db.execute(
            "UPDATE document SET status = ?, updated = ?, signed = ?, delete_at = ? WHERE id = ?",
            (
                status,
                self.now,
                self.now if status == "signed" else None,
                self.now + (hours or DELETE_HOURS) * 3600,
                row["id"],
            ),
        )
        self.event(row, f"document_{status}", **payload)
        mail(self.db, self.now, row, status)

    def event(self, row: sqlite3.Row, kind: str, **payload: Any) -> None:
        """Let something happen to a document."""
        known = {"documentId": row["id"], "externalDocumentId": row["external_id"]}
        tags = _section(loads(row["body"]), "advanced").get("tags") or ()
        self.services.events.happen(self.db, kind, known | payload, tuple(tags))

    def pass_time(self) -> None:
        """Do what is due: documents expire, are announced for deletion, and go."""
        due = self.db.execute(
            "SELECT * FROM document WHERE deadline <= ? AND delete_at IS NULL", (self.now,)
        ).fetchall()
        for row in due:
            self.finish(row, "expired")
        warned = self.db.execute(
            "SELECT * FROM document WHERE delete_at <= ? AND NOT warned",
            (self.now + WARNING_SECONDS,),
        ).fetchall()
        for row in warned:
            self.db.execute("UPDATE document SET warned = 1 WHERE id = ?", (row["id"],))
            self.event(row, "document_before_deleted")
        gone = self.db.execute("SELECT * FROM document WHERE delete_at <= ?", (self.now,))
        for row in gone.fetchall():
            self.event(row, "document_deleted", message="The document's time is over.")
            _delete_document(self.db, row["id"])

    def refresh(self, document: str) -> None:
        """Work out the status of an open document after a change to its signers or files."""
        row = self.document(document)
        signed = sum(found["signature"] is not None for found in self.signers(document))
        expected = _section(loads(row["body"]), "advanced").get("attachments") or 0
        status = "partialsigned" if signed else "unsigned"
        if not signed and len(_children(self.db, "attachment", document)) < expected:
            status = "waiting_for_attachments"
        self.db.execute(
            "UPDATE document SET status = ?, updated = ? WHERE id = ?", (status, self.now, document)
        )

    def _sign(self, document: str, signer: sqlite3.Row) -> None:
        record = _signature(loads(signer["body"]), signer["id"], self.now)
        self.db.execute(
            "UPDATE signer SET signature = ? WHERE id = ?", (dumps(record), signer["id"])
        )
        self.refresh(document)
        row, signers = self.document(document), self.signers(document)
        if not _complete(loads(row["body"]), signers):
            mine = next(found for found in signers if found["id"] == signer["id"])
            self.event(row, "document_partially_signed", signer=_event_signer(mine))
            return
        self.finish(
            row,
            "signed",
            signedTime=record["signedTime"],
            signers=[_event_signer(found) for found in signers if found["signature"]],
        )
        if {"pades", "xades"} & set(_packages(self.document(document))):
            self._packaged(self.document(document))

    def _packaged(self, row: sqlite3.Row) -> None:
        path = f"{self.base_url}/signature/documents/{row['id']}/files"
        self.event(
            row,
            "document_packaged",
            downloadUrl=f"{path}?{urlencode({'fileFormat': _packages(row)[-1]})}",
            urlExpiresAt=iso(row["delete_at"]),
            checksum=_files.checksum(self.services.store, row["id"]),
        )


@handles("create_document")
def create_document(call: Call) -> Answer:
    """Create a document; the same externalId again gives the same document."""
    desk = _desk(call)
    body = dict(call.body)
    known = call.db.execute(
        "SELECT id FROM document WHERE external_id = ?", (body["externalId"],)
    ).fetchone()
    if known is not None:
        return _answer(desk, known["id"])
    signers = body.pop("signers")
    if len(signers) > SIGNERS_MAX:
        raise broken_rule(f"A document has at most {SIGNERS_MAX} signers.", "signers")
    for position, signer in enumerate(signers):
        _check_signer(signer, f"signers.{position}.")
    deadline = _check_document(desk, body, len(signers))
    content = _decode(body["dataToSign"], "base64Content", "dataToSign.")
    document = str(uuid.uuid4())
    call.services.store.keep_file(document, _files.original(body["dataToSign"], content))
    body["dataToSign"] = _without(body["dataToSign"], "base64Content")
    call.db.execute(
        "INSERT INTO document (id, external_id, body, status, created, updated, deadline) "
        "VALUES (?, ?, ?, 'unsigned', ?, ?, ?)",
        (document, body["externalId"], dumps(body), desk.now, desk.now, deadline),
    )
    for signer in signers:
        _add_signer(call.db, document, signer)
    desk.refresh(document)
    desk.event(desk.document(document), "document_created")
    mail(call.db, desk.now, desk.document(document), "request")
    return _answer(desk, document)


@handles("get_document")
def get_document(call: Call) -> Answer:
    """A document with its signers."""
    return _answer(_desk(call), call.path["documentId"])


@handles("update_document")
def update_document(call: Call) -> Answer:
    """Change what is given of an open document."""
    desk, row = _open(call)
    body = loads(row["body"]) | call.body
    deadline = _check_document(desk, call.body, len(desk.signers(row["id"])))
    call.db.execute(
        "UPDATE document SET body = ?, deadline = ? WHERE id = ?",
        (dumps(body), row["deadline"] if deadline is None else deadline, row["id"]),
    )
    desk.refresh(row["id"])
    return _answer(desk, row["id"])


@handles("cancel_document")
def cancel_document(call: Call) -> Answer:
    """Cancel an open document."""
    desk, row = _open(call)
    desk.finish(row, "canceled", message=call.query.get("reason", ""))
    return Answer()


@handles("get_document_status")
def get_document_status(call: Call) -> Answer:
    """How far a document is."""
    desk = _desk(call)
    return Answer(json=_status(desk, desk.document(call.path["documentId"])))


@handles("get_document_summary")
def get_document_summary(call: Call) -> Answer:
    """A document in short."""
    desk = _desk(call)
    return Answer(json=_summary(desk, desk.document(call.path["documentId"])))


@handles("list_document_summaries")
def list_document_summaries(call: Call) -> Answer:
    """The documents that fit all filters, newest first, in pages."""
    desk = _desk(call)
    rows = call.db.execute("SELECT * FROM document ORDER BY seq DESC").fetchall()
    found, about = page(call, [row for row in rows if _fits(desk, row, call.query)])
    return Answer(json=about | {"data": [_summary(desk, row) for row in found]})


@handles("list_signers")
def list_signers(call: Call) -> Answer:
    """The signers of a document."""
    desk = _desk(call)
    row = desk.document(call.path["documentId"])
    return Answer(json=[_signer(desk, found) for found in desk.signers(row["id"])])


@handles("create_signer")
def create_signer(call: Call) -> Answer:
    """Add a signer to an open document."""
    desk, row = _open(call)
    if len(desk.signers(row["id"])) >= SIGNERS_MAX:
        raise broken_rule(f"A document has at most {SIGNERS_MAX} signers.")
    _check_signer(call.body)
    signer = _add_signer(call.db, row["id"], call.body)
    desk.refresh(row["id"])
    return Answer(json=_signer(desk, _child(call.db, "signer", row["id"], signer)))


@handles("get_signer")
def get_signer(call: Call) -> Answer:
    """One signer."""
    return Answer(json=_signer(_desk(call), _named(call, "signer")))


@handles("update_signer")
def update_signer(call: Call) -> Answer:
    """Change what is given of a signer who has not signed."""
    desk, row = _open(call)
    found = _unsigned(call)
    body = loads(found["body"]) | call.body
    _check_signer(body)
    call.db.execute("UPDATE signer SET body = ? WHERE id = ?", (dumps(body), found["id"]))
    desk.refresh(row["id"])
    return Answer(json=_signer(desk, _child(call.db, "signer", row["id"], found["id"])))


@handles("delete_signer")
def delete_signer(call: Call) -> Answer:
    """Take a signer off who has not signed."""
    desk, row = _open(call)
    found = _unsigned(call)
    call.db.execute("DELETE FROM signer WHERE id = ?", (found["id"],))
    desk.refresh(row["id"])
    return Answer()


@handles("list_attachments")
def list_attachments(call: Call) -> Answer:
    """The attachments of a document, in short."""
    row = _desk(call).document(call.path["documentId"])
    shown = ("title", "description", "type", "fileName")
    found = [
        {key: value for key, value in loads(one["body"]).items() if key in shown}
        | {"id": one["id"]}
        for one in _children(call.db, "attachment", row["id"])
    ]
    return Answer(json=found)


@handles("create_attachment")
def create_attachment(call: Call) -> Answer:
    """Add an attachment to an open document."""
    desk, row = _open(call)
    if len(_children(call.db, "attachment", row["id"])) >= ATTACHMENTS_MAX:
        raise broken_rule(f"A document has at most {ATTACHMENTS_MAX} attachments.")
    attachment = str(uuid.uuid4())
    _keep_attachment(call, attachment, call.body)
    call.db.execute(
        "INSERT INTO attachment (id, document, body) VALUES (?, ?, ?)",
        (attachment, row["id"], dumps(_without(call.body, "data"))),
    )
    desk.refresh(row["id"])
    return Answer(json=call.body | {"id": attachment})


@handles("get_attachment")
def get_attachment(call: Call) -> Answer:
    """One attachment, with its data."""
    found = _named(call, "attachment")
    content = _content(call.services, found["id"])
    return Answer(json=loads(found["body"]) | {"id": found["id"], "data": content})


@handles("update_attachment")
def update_attachment(call: Call) -> Answer:
    """Change what is given of an attachment."""
    desk, row = _open(call)
    found = _named(call, "attachment")
    body = loads(found["body"]) | call.body
    if "data" in call.body:
        _keep_attachment(call, found["id"], body)
    kept = dumps(_without(body, "data"))
    call.db.execute("UPDATE attachment SET body = ? WHERE id = ?", (kept, found["id"]))
    desk.refresh(row["id"])
    return get_attachment(call)


@handles("delete_attachment")
def delete_attachment(call: Call) -> Answer:
    """Take an attachment off."""
    desk, row = _open(call)
    found = _named(call, "attachment")
    call.db.execute("DELETE FROM attachment WHERE id = ?", (found["id"],))
    call.db.execute("DELETE FROM file WHERE id = ?", (found["id"],))
    desk.refresh(row["id"])
    return Answer()


@handles("get_document_file")
def get_document_file(call: Call) -> Answer:
    """The original, or what was made of it when all had signed."""
    desk = _desk(call)
    row, wanted = desk.document(call.path["documentId"]), call.query["fileFormat"]
    if wanted != "unsigned" and wanted not in _packages(row):
        raise _not_packaged(wanted)
    signers = [found for found in desk.signers(row["id"]) if found["signature"]]
    return _file(call, row["id"], wanted, signers)


@handles("get_signer_file")
def get_signer_file(call: Call) -> Answer:
    """The document as one signer signed it."""
    return _file(call, call.path["documentId"], call.query["fileFormat"], [_has_signed(call)])


@handles("get_attachment_file")
def get_attachment_file(call: Call) -> Answer:
    """An attachment; its signed forms once the document is signed."""
    row, found = _desk(call).document(call.path["documentId"]), _named(call, "attachment")
    wanted = call.query["fileFormat"]
    if wanted != "unsigned" and wanted not in _packages(row):
        raise _not_packaged(wanted)
    signers = [one for one in _children(call.db, "signer", row["id"]) if one["signature"]]
    return _file(call, found["id"], wanted, signers)


@handles("get_signer_attachment_file")
def get_signer_attachment_file(call: Call) -> Answer:
    """An attachment as one signer signed it."""
    found = _named(call, "attachment")
    return _file(call, found["id"], call.query["fileFormat"], [_has_signed(call)])


@handles("list_document_notifications")
def list_document_notifications(call: Call) -> Answer:
    """What was sent about a document."""
    row = _desk(call).document(call.path["documentId"])
    found = call.db.execute("SELECT body FROM mail WHERE document = ? ORDER BY seq", (row["id"],))
    return Answer(json=[loads(one["body"]) for one in found.fetchall()])


@handles("send_reminders")
def send_reminders(call: Call) -> Answer:
    """Remind those who have not signed, or those who are named."""
    desk, row = _open(call)
    waiting = {found["id"]: found for found in desk.signers(row["id"]) if not found["signature"]}
    named = call.body.get("signers") or {}
    known = {found["id"] for found in desk.signers(row["id"])}
    for identifier in named:
        if identifier not in known:
            raise broken_rule(f"The document has no signer {identifier}.", "signers")
    chosen = [found for found in waiting.values() if not named or found["id"] in named]
    mail(
        call.db, desk.now, row, "reminder",
        setting=call.body["notificationSetting"], signers=chosen, overrides=named,
    )  # fmt: skip
    return Answer(json=call.body)


def _desk(call: Call) -> Desk:
    return Desk(db=call.db, services=call.services, base_url=call.base_url)


def _open(call: Call) -> tuple[Desk, sqlite3.Row]:
    """The call's document, if it can still be changed."""
    desk = _desk(call)
    row = desk.document(call.path["documentId"])
    if row["status"] not in OPEN:
        raise broken_rule(f"The document is {row['status']} and stays as it is.")
    return desk, row


def _row(db: sqlite3.Connection, table: str, identifier: str) -> sqlite3.Row:
    row: sqlite3.Row | None = db.execute(
        f"SELECT * FROM {table} WHERE id = ?",  # noqa: S608 - names from this file
        (identifier.lower(),),
    ).fetchone()
    if row is None:
        raise missing(table, identifier)
    return row


def _children(db: sqlite3.Connection, table: str, document: str) -> list[sqlite3.Row]:
    query = f"SELECT * FROM {table} WHERE document = ? ORDER BY seq"  # noqa: S608 - as above
    return db.execute(query, (document,)).fetchall()


def _child(db: sqlite3.Connection, table: str, document: str, identifier: str) -> sqlite3.Row:
    row = _row(db, table, identifier)
    if row["document"] != document:
        raise missing(table, identifier)
    return row


def _named(call: Call, table: str) -> sqlite3.Row:
    """The signer or attachment that the path names."""
    document = _row(call.db, "document", call.path["documentId"])
    return _child(call.db, table, document["id"], call.path[f"{table}Id"])


def _unsigned(call: Call) -> sqlite3.Row:
    found = _named(call, "signer")
    if found["signature"] is not None:
        raise broken_rule("The signer has signed already.")
    return found


def _has_signed(call: Call) -> sqlite3.Row:
    found = _named(call, "signer")
    if found["signature"] is None:
        raise Refused(404, "not_found", "The signer has not signed yet.")
    return found


def _check_signer(signer: Mapping[str, Any], where: str = "") -> None:
    redirect = signer["redirectSettings"]
    for needed in REDIRECT_NEEDS[redirect["redirectMode"]]:
        if not redirect.get(needed):
            message = f"Redirect mode {redirect['redirectMode']} needs {needed}."
            raise broken_rule(message, f"{where}redirectSettings.{needed}")


def _check_document(desk: Desk, body: Mapping[str, Any], signers: int) -> float | None:
    """The rules that no schema tells. Gives the deadline."""
    advanced = _section(body, "advanced")
    if (advanced.get("requiredSignatures") or 0) > signers:
        message = "More signatures are required than there are signers."
        raise broken_rule(message, "advanced.requiredSignatures")
    if (advanced.get("attachments") or 0) > ATTACHMENTS_MAX:
        message = f"A document has at most {ATTACHMENTS_MAX} attachments."
        raise broken_rule(message, "advanced.attachments")
    life = _section(advanced, "timeToLive")
    hours = life.get("deleteAfterHours")
    if hours is not None and not 1 <= hours <= DELETE_HOURS_MAX:
        message = f"A document is deleted after 1 to {DELETE_HOURS_MAX} hours."
        raise broken_rule(message, "advanced.timeToLive.deleteAfterHours")
    if life.get("deadline") is None:
        return None
    deadline = parse_iso(life["deadline"])
    if not 0 < deadline - desk.now <= DEADLINE_MAX_SECONDS:
        message = "The deadline lies ahead, by 45 days at most."
        raise broken_rule(message, "advanced.timeToLive.deadline")
    return deadline


def _decode(body: Mapping[str, Any], member: str, where: str = "") -> bytes:
    try:
        content = base64.b64decode(body[member], validate=True)
    except (binascii.Error, ValueError) as exc:
        raise broken_rule("The content is not Base64.", f"{where}{member}") from exc
    if not content:
        raise broken_rule("The content is empty.", f"{where}{member}")
    return content


def _without(body: Mapping[str, Any], member: str) -> dict[str, Any]:
    """Contents are kept as files, not in the rows that every listing reads."""
    return {key: value for key, value in body.items() if key != member}


def _content(services: Services, name: str) -> str:
    return base64.b64encode(b"".join(services.store.read_file(name))).decode()


def _keep_attachment(call: Call, identifier: str, body: Mapping[str, Any]) -> None:
    content = _decode(body, "data")
    call.services.store.keep_file(identifier, _files.original(body, content))


def _add_signer(db: sqlite3.Connection, document: str, body: Mapping[str, Any]) -> str:
    signer = str(uuid.uuid4())
    db.execute(
        "INSERT INTO signer (id, document, body) VALUES (?, ?, ?)", (signer, document, dumps(body))
    )
    return signer


def _delete_document(db: sqlite3.Connection, document: str) -> None:
    for attachment in _children(db, "attachment", document):
        db.execute("DELETE FROM file WHERE id = ?", (attachment["id"],))
    for table in ("signer", "attachment", "mail"):
        db.execute(f"DELETE FROM {table} WHERE document = ?", (document,))  # noqa: S608 - as above
    for table in ("file", "document"):
        db.execute(f"DELETE FROM {table} WHERE id = ?", (document,))  # noqa: S608 - as above


def _section(body: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    for part in path:
        body = body.get(part) or {}
    return body


def _order(signer: sqlite3.Row) -> int:
    return int(loads(signer["body"]).get("order") or 0)


def _external(signer: sqlite3.Row) -> str:
    return str(loads(signer["body"])["externalSignerId"])


def _complete(body: Mapping[str, Any], signers: list[sqlite3.Row]) -> bool:
    """Whether enough have signed: as many as required, else all who have to."""
    signed = [found for found in signers if found["signature"] is not None]
    required = _section(body, "advanced").get("requiredSignatures")
    if required:
        return len(signed) >= int(required)
    must = [found for found in signers if loads(found["body"]).get("required") is not False]
    return all(found["signature"] is not None for found in must or signers)


def _packages(row: sqlite3.Row) -> list[str]:
    """The formats in which a signed document can be had."""
    if row["status"] != "signed":
        return []
    asked = _section(loads(row["body"]), "dataToSign", "packaging").get("signaturePackageFormats")
    wanted = [one.removeprefix("no_bankid_") for one in asked or ()]
    return ["native", "standard_packaging", *(one for one in ("xades", "pades") if one in wanted)]


def _not_packaged(wanted: str) -> Refused:
    return Refused(404, "not_found", f"There is no {wanted} file: unsigned, or not asked for.")


def _status(desk: Desk, row: sqlite3.Row) -> dict[str, Any]:
    packages = _packages(row)
    attachments = {found["id"]: packages for found in _children(desk.db, "attachment", row["id"])}
    return {
        "documentStatus": row["status"],
        "completedPackages": packages,
        "attachmentPackages": attachments,
    }


def _answer(desk: Desk, identifier: str) -> Answer:
    row = desk.document(identifier)
    path = f"{desk.base_url}/signature/documents/{row['id']}"
    body = loads(row["body"])
    body["dataToSign"]["base64Content"] = _content(desk.services, row["id"])
    return Answer(
        json=body
        | {
            "documentId": row["id"],
            "signers": [_signer(desk, found) for found in desk.signers(row["id"])],
            "status": _status(desk, row),
            "links": [{"rel": "self", "href": path}, {"rel": "files", "href": f"{path}/files"}],
        }
    )


def _signer(desk: Desk, row: sqlite3.Row) -> dict[str, Any]:
    wire = loads(row["body"]) | {
        "id": row["id"],
        "url": f"{desk.base_url}/sign/{row['document']}/{row['id']}",
        "links": [],
    }
    if row["signature"] is not None:
        wire["documentSignature"] = loads(row["signature"])
    return dict(wire)


def _signature(body: Mapping[str, Any], signer: str, now: float) -> dict[str, Any]:
    """What a signature tells about the signer."""
    info, kind = _section(body, "signerInfo"), body["signatureType"]
    first, last = info.get("firstName") or "Kari", info.get("lastName") or "Nordmann"
    record = {
        "signatureMethod": (kind.get("signatureMethods") or ["unknown"])[0],
        "fullName": f"{first} {last}",
        "firstName": first,
        "lastName": last,
        "signedTime": iso(now),
        "dateOfBirth": "1980-01-15",
        "signatureMethodUniqueId": f"9578-{signer[:8]}",
        "clientIp": "127.0.0.1",
        "mechanism": kind["mechanism"],
        "personalInfoOrigin": "eid",
    }
    if body.get("getSocialSecurityNumber"):
        record["socialSecurityNumber"] = {"value": "15018012345", "countryCode": "NO"}
    return record


def _event_signer(signer: sqlite3.Row) -> dict[str, Any]:
    record = loads(signer["signature"])
    shown = (
        "fullName",
        "signedTime",
        "dateOfBirth",
        "signatureMethod",
        "signatureMethodUniqueId",
    )
    return {key: record[key] for key in shown} | {
        "id": signer["id"],
        "externalSignerId": _external(signer),
    }


def _summary(desk: Desk, row: sqlite3.Row) -> dict[str, Any]:
    body, signers = loads(row["body"]), desk.signers(row["id"])
    signatures = [
        loads(found["signature"]) | {"signerId": found["id"], "externalSignerId": _external(found)}
        for found in signers
        if found["signature"] is not None
    ]
    wire = {
        "documentId": row["id"],
        "accountId": ACCOUNT_ID,
        "title": body["title"],
        "lastUpdated": iso(row["updated"]),
        "status": _status(desk, row),
        "externalId": row["external_id"],
        "documentSignatures": signatures,
        "requiredSignatures": _section(body, "advanced").get("requiredSignatures") or len(signers),
        "currentSignatures": len(signatures),
        "tags": _section(body, "advanced").get("tags") or [],
        "attachments": [found["id"] for found in _children(desk.db, "attachment", row["id"])],
        "signers": [found["id"] for found in signers],
        "created": iso(row["created"]),
    }
    if "description" in body:
        wire["description"] = body["description"]
    for name, column in (("deadline", "deadline"), ("signedDate", "signed")):
        wire[name] = None if row[column] is None else iso(row[column])
    return wire


def _fits(desk: Desk, row: sqlite3.Row, query: Mapping[str, str]) -> bool:
    summary = _summary(desk, row)
    signers = {found["id"]: found for found in desk.signers(row["id"])}
    names = [_full_name(found).casefold() for found in signers.values()]
    tests: dict[str, Callable[[str], bool]] = {
        "externalId": lambda wanted: wanted == row["external_id"],
        "signerId": lambda wanted: wanted.lower() in signers,
        "externalSignerId": lambda wanted: wanted in map(_external, signers.values()),
        "fromDate": lambda wanted: row["created"] >= parse_iso(wanted),
        "toDate": lambda wanted: row["created"] <= parse_iso(wanted),
        "lastUpdated": lambda wanted: row["updated"] >= parse_iso(wanted),
        "signedDate": lambda wanted: (row["signed"] or 0) >= parse_iso(wanted),
        "nameOfSigner": lambda wanted: any(wanted.casefold() in name for name in names),
        "title": lambda wanted: wanted.casefold() in summary["title"].casefold(),
        "status": lambda wanted: wanted == row["status"],
        "tags": lambda wanted: bool(set(wanted.split(",")) & set(summary["tags"])),
    }
    return all(test(query[name]) for name, test in tests.items() if name in query)


def _full_name(signer: sqlite3.Row) -> str:
    if signer["signature"] is not None:
        return str(loads(signer["signature"])["fullName"])
    info = _section(loads(signer["body"]), "signerInfo")
    return f"{info.get('firstName', '')} {info.get('lastName', '')}"


def _file(call: Call, name: str, wanted: str, signers: list[sqlite3.Row]) -> Answer:
    signatures = [
        Signature(record["fullName"], record["signatureMethod"], record["signedTime"])
        for record in (loads(found["signature"]) for found in signers)
    ]
    settings = call.services.settings
    file = _files.package(call.services.store, name.lower(), wanted, signatures)
    return Answer(file=_files.padded(file, settings.pad_files_to))
