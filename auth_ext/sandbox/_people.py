"""The pages that people see: a signer's link and an identification's.

GET shows a page with a button, POST is the button. After signing, the browser is sent on as the
signer's redirect settings say, with the outcome as a JWT in the query.
"""

import html
from typing import Any
from urllib.parse import urlencode

from flask import Request, Response

from auth_ext.sandbox import _jwt
from auth_ext.sandbox._calls import Refused
from auth_ext.sandbox._events import ACCOUNT_ID
from auth_ext.sandbox._identification import end_session
from auth_ext.sandbox._signature import Desk, NotNow
from auth_ext.sandbox._store import loads

JWT_PARAMETER = "idfy-jwt"
WITH_REDIRECT = ("redirect", "iframe_with_redirect", "iframe_with_redirect_and_webmessaging")
SECURITY = {"Content-Security-Policy": "default-src 'none'; form-action 'self'"}


def is_page(path: str) -> bool:
    """Whether a path is a person's and not an API client's."""
    return path.startswith(("/sign/", "/identify/"))


def answer(request: Request, path: str, desk: Desk) -> Response:
    """Show a page or press its button."""
    parts = path.strip("/").split("/")
    if request.method not in ("GET", "POST"):
        return _page(405, "That is not done here.")
    try:
        match parts:
            case ["sign", document, signer]:
                return _sign(request, desk, document, signer)
            case ["identify", session]:
                return _identify(request, desk, session)
    except Refused as refused:
        return _page(404, str(refused))
    except NotNow as exc:
        return _page(409, str(exc))
    return _page(404, "There is no such page.")


def _sign(request: Request, desk: Desk, document: str, signer: str) -> Response:
    row = desk.document(document)
    if request.method == "GET":
        desk.open_link(document, signer, user_agent=request.headers.get("User-Agent", ""))
        return _page(200, loads(row["body"])["title"], button="Sign")
    desk.sign(document, signer)
    found = next(one for one in desk.signers(document) if one["id"] == signer)
    body, signature = loads(found["body"]), loads(found["signature"])
    redirect = body["redirectSettings"]
    if redirect["redirectMode"] not in WITH_REDIRECT:
        return _page(200, "Signed. This window can be closed.")
    payload = {
        "accountId": ACCOUNT_ID,
        "documentId": document,
        "externalId": row["external_id"],
        "signerId": signer,
        "externalSignerId": body["externalSignerId"],
        "signSuccess": _success(signature),
        "aborted": False,
    }
    token = _jwt.make(payload, desk.now)
    joint = "&" if "?" in redirect["success"] else "?"
    location = f"{redirect['success']}{joint}{urlencode({JWT_PARAMETER: token})}"
    return Response(b"", status=303, headers={"Location": location})


def _success(signature: dict[str, Any]) -> dict[str, Any]:
    shown = (
        "signatureMethodUniqueId",
        "firstName",
        "lastName",
        "fullName",
        "dateOfBirth",
        "signatureMethod",
        "signedTime",
        "mechanism",
    )
    return {key: signature[key] for key in shown}


def _identify(request: Request, desk: Desk, session: str) -> Response:
    if request.method == "GET":
        return _page(200, "Identification", button="Identify me")
    end_session(desk.db, session, "success")
    return _page(200, "Identified. This window can be closed.")


def _page(status: int, text: str, button: str = "") -> Response:
    form = f'<form method="post"><button>{button}</button></form>' if button else ""
    shown = f"<!doctype html><title>Sandbox</title><h1>{html.escape(text)}</h1>{form}\n"
    return Response(shown, status=status, mimetype="text/html", headers=SECURITY)
