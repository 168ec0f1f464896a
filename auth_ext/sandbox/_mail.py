"""E-mails and text messages that the sandbox would have sent: it only notes them."""

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from auth_ext.sandbox._clock import iso
from auth_ext.sandbox._store import dumps, loads

# What a signer's own set-up calls each occasion.
SETUP: Mapping[str, str] = {
    "request": "request",
    "reminder": "reminder",
    "signed": "finalReceipt",
    "canceled": "canceled",
    "expired": "expired",
}
SENDS: Mapping[str, tuple[str, ...]] = {
    "sendSms": ("sms",),
    "sendEmail": ("email",),
    "sendBoth": ("sms", "email"),
}


def mail(
    db: sqlite3.Connection,
    now: float,
    document: sqlite3.Row,
    occasion: str,
    *,
    setting: str | None = None,
    signers: Iterable[sqlite3.Row] | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> None:
    """Note what is sent to a document's signers.

    Args:
        db: The database.
        now: The moment, in seconds since the epoch.
        document: The document's row.
        occasion: A key of SETUP.
        setting: What to send; None: what each signer's set-up says.
        signers: To whom; None: all signers of the document.
        overrides: Signer id -> other addresses than the signer's own.
    """
    title = loads(document["body"])["title"]
    if signers is None:
        signers = db.execute("SELECT * FROM signer WHERE document = ?", (document["id"],))
    for signer in list(signers):
        body = loads(signer["body"])
        chosen = setting or _set_up(body, occasion)
        other = (overrides or {}).get(signer["id"]) or {}
        for kind in SENDS.get(chosen, ()):
            receiver = _receiver(body.get("signerInfo") or {}, other, kind)
            if receiver:
                item = {
                    "sentTimeStamp": iso(now),
                    "title": title,
                    "text": f"{occasion.capitalize()}: {title}",
                    "messageType": kind,
                    "status": "sent",
                    "fromAddress": "sandbox@example.com",
                    "receiver": receiver,
                }
                db.execute(
                    "INSERT INTO mail (document, body) VALUES (?, ?)",
                    (document["id"], dumps(item)),
                )


def _set_up(signer: Mapping[str, Any], occasion: str) -> str:
    setup = (signer.get("notifications") or {}).get("setup") or {}
    return setup.get(SETUP[occasion]) or "off"


def _receiver(info: Mapping[str, Any], other: Mapping[str, Any], kind: str) -> str:
    if kind == "email":
        return other.get("emailOverride") or info.get("email") or ""
    mobile = other.get("mobileOverride") or info.get("mobile") or {}
    return f"{mobile.get('countryCode', '')}{mobile.get('number', '')}"
