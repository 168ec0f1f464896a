"""The sandbox as a WSGI application.

request -> faults -> operation -> token -> contract -> handler -> contract -> faults -> answer
"""

import contextlib
import socket
import threading
import time
import traceback
import uuid
from collections.abc import Iterable, Iterator
from email.utils import formatdate
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import attrs
from authlib.oauth2 import OAuth2Error
from flask import Flask, Request, Response
from flask import request as current_request
from werkzeug.datastructures import Headers

from auth_ext.sandbox import (
    _identification,  # noqa: F401 - registers its handlers
    _notification,  # noqa: F401 - registers its handlers
    _people,
)
from auth_ext.sandbox._calls import HANDLERS, Answer, Call, Refused
from auth_ext.sandbox._contract import Problem, contract
from auth_ext.sandbox._control import Control
from auth_ext.sandbox._document import Operation
from auth_ext.sandbox._events import ACCOUNT_ID, is_loopback
from auth_ext.sandbox._faults import ANSWERING, Fault, only
from auth_ext.sandbox._log import Request as Logged
from auth_ext.sandbox._oauth import Provider, bearer_given, challenge
from auth_ext.sandbox._others import from_document
from auth_ext.sandbox._signature import Desk
from auth_ext.sandbox._store import dumps

TOKEN_PATH = "/oauth/connect/token"  # noqa: S105 - a path
CONTROL_PREFIX = "/_sandbox"
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
CONNECTION = "auth_ext.sandbox.connection"
HTML = "<!doctype html><title>Maintenance</title><h1>We will be back soon</h1>\n"
GARBAGE = b'{"access_token": "half of\xff\xfe'
CHUNK = 16 * 1024
JSON = "application/json"


@attrs.define
class _Visit:
    """One request on its way."""

    request: Request
    kind: str
    operation: Operation | None = None
    path: dict[str, str] = attrs.field(factory=dict)
    client: str | None = None
    faults: tuple[Fault, ...] = ()

    @property
    def operation_id(self) -> str | None:
        """The operation's id, if there is one."""
        return None if self.operation is None else self.operation.id


class Application:
    """Answers requests: the API, the token endpoint, the control URL and signers' pages."""

    def __init__(self, control: Control, stopping: threading.Event) -> None:
        self._control = control
        self._services = control.services
        self._contract = contract(self._services.document)
        self._stopping = stopping
        self.flask = Flask(__name__, static_folder=None)
        self.flask.url_map.merge_slashes = False
        self.flask.add_url_rule(
            "/", "all", self._all, defaults={"path": ""}, methods=METHODS, strict_slashes=False
        )
        self.flask.add_url_rule("/<path:path>", "all", self._all, methods=METHODS)
        self.provider = Provider(self.flask, self._services, control.clients)
        control.provider = self.provider

    def _all(self, path: str) -> Response:
        request: Request = current_request._get_current_object()  # type: ignore[attr-defined]
        try:
            request.get_data(cache=True, parse_form_data=False)
        except (OSError, ValueError):  # whoever sent it has hung up; cheroot's words for it
            return _error(400, "incomplete_request", "The request ended too early.")
        path = f"/{path}"
        if path == CONTROL_PREFIX or path.startswith(f"{CONTROL_PREFIX}/"):
            return self._controlled(request, path)
        started, at = time.perf_counter(), self._services.clock.now()
        visit = self._visit(request, path)
        try:
            response = self._spoiled(visit) or self._normal(visit, path)
        except Exception:  # noqa: BLE001 - a bug in the sandbox must be seen, not hang a test
            self._control.violation(request.method, path, traceback.format_exc())
            response = _error(500, "sandbox_failed", "The sandbox itself failed: see violations.")
        self._mark(visit, response)
        self._control.log.add(
            Logged(
                kind=visit.kind,
                at=at,
                method=request.method,
                path=path,
                operation=visit.operation_id,
                status=None if _silent(visit, response) else response.status_code,
                client=visit.client,
                faults=tuple(fault.kind for fault in visit.faults),
                milliseconds=round((time.perf_counter() - started) * 1000, 3),
            )
        )
        # Last of all: when the line goes dead the client may look at the log at once.
        return self._spoil(visit, response)

    def _visit(self, request: Request, path: str) -> _Visit:
        if path == TOKEN_PATH:
            visit = _Visit(request, "token")
        elif _people.is_page(path):
            return _Visit(request, "page")
        else:
            visit = _Visit(request, "api")
            found = self._services.document.match(request.method, path)
            if found is not None:
                visit.operation, visit.path = found
        visit.faults = self._control.faults.meet(visit.kind, visit.operation_id)
        return visit

    def _normal(self, visit: _Visit, path: str) -> Response:
        if visit.kind == "token":
            return self._token(visit)
        with self._services.store.transaction() as db:
            self._desk(db, visit).pass_time()
        if visit.kind == "page":
            with self._services.store.transaction() as db:
                return _people.answer(visit.request, path, self._desk(db, visit))
        if visit.operation is None:
            return self._nowhere(visit.request.method, path)
        return (
            self._refused_token(visit, visit.operation)
            or self._invalid(visit.request)
            or self._answered(visit, visit.operation)
        )

    def _token(self, visit: _Visit) -> Response:
        if visit.request.method != "POST":
            response = _oauth_error(405, "invalid_request")
            response.headers["Allow"] = "POST"
            return response
        given = visit.request.authorization
        visit.client = visit.request.form.get("client_id") or (given and given.username) or None
        return self.provider.token_response()

    def _nowhere(self, method: str, path: str) -> Response:
        allowed = self._services.document.allowed(path)
        if allowed:
            response = _error(405, "method_not_allowed", f"{method} is not for {path}.")
            response.headers["Allow"] = ", ".join(sorted(allowed))
            return response
        return _error(404, "not_found", f"There is nothing at {path}.")

    def _refused_token(self, visit: _Visit, operation: Operation) -> Response | None:
        if not operation.authenticated:
            return None
        try:
            visit.client = self.provider.check(operation.scopes).client
        except OAuth2Error as error:
            forbidden = error.status_code == HTTPStatus.FORBIDDEN
            response = _error(
                403 if forbidden else 401,
                "insufficient_scope" if forbidden else "unauthorized",
                f"The token needs {' '.join(operation.scopes)}."
                if forbidden
                else "There is no valid token: fetch one.",
            )
            response.headers["WWW-Authenticate"] = challenge(
                error, operation.scopes, token_given=bearer_given(visit.request)
            )
            return response
        return None

    def _invalid(self, request: Request) -> Response | None:
        problems = self._contract.request_problems(request)
        if not problems:
            return None
        return _error(400, "invalid_request", "The request is not valid.", problems)

    def _answered(self, visit: _Visit, operation: Operation) -> Response:
        handler = HANDLERS.get(operation.id, from_document)
        try:
            with self._services.store.transaction() as db:
                answer = handler(self._call(visit, operation, db))
            response = _response(operation, answer)
        except Refused as refused:
            status = refused.status
            if status not in operation.statuses:
                status = HTTPStatus.BAD_REQUEST.value
            response = _error(status, refused.code, str(refused), refused.problems)
            answer = Answer()
        return self._judged(visit.request, response, answer)

    def _judged(self, request: Request, response: Response, answer: Answer) -> Response:
        """The response, if it keeps to the document; a loud 500 if not.

        Of a file only type and status are held against the document: its bytes are free.
        """
        judged = response
        if answer.file is not None:
            judged = Response(
                b"file", status=response.status_code, content_type=response.content_type
            )
        problems = self._contract.answer_problems(request, judged)
        if not problems:
            return response
        text = "; ".join(f"{one.field}: {one.message}" for one in problems)
        self._control.violation(request.method, request.path, text)
        return _error(500, "sandbox_answer_invalid", "The sandbox broke the contract.", problems)

    def _call(self, visit: _Visit, operation: Operation, db: Any) -> Call:
        request = visit.request
        is_json = operation.body is not None and operation.body.content_type == "application/json"
        return Call(
            operation=operation,
            path=visit.path,
            query=request.args.to_dict(),
            body=request.get_json(silent=True) if is_json else None,
            base_url=request.host_url.rstrip("/"),
            db=db,
            services=self._services,
        )

    def _desk(self, db: Any, visit: _Visit) -> Desk:
        base_url = visit.request.host_url.rstrip("/")
        return Desk(db=db, services=self._services, base_url=base_url)

    def _mark(self, visit: _Visit, response: Response) -> None:
        """Headers of every answer."""
        request_id = str(uuid.uuid4())
        response.headers["Request-Id"] = request_id
        response.headers["RequestId"] = request_id
        response.headers["X-Idfy-Environment"] = "Test"
        response.headers["X-Idfy-AccountId"] = ACCOUNT_ID
        skew = self._services.settings.date_skew
        fault = only(visit.faults, "date_skew")
        if fault is not None:
            skew += fault.options["seconds"]
        response.headers["Date"] = formatdate(self._services.clock.now() + skew, usegmt=True)

    def _spoiled(self, visit: _Visit) -> Response | None:
        """What a fault answers in place of the service, which then does nothing."""
        slow = only(visit.faults, "slow")
        if slow is not None:
            self._stopping.wait(slow.options["before"])
        fault = only(visit.faults, *ANSWERING)
        return None if fault is None else _SPOILED[fault.kind](fault, visit.kind)

    def _spoil(self, visit: _Visit, response: Response) -> Response:
        """What faults do to an answer that was given."""
        changed = only(visit.faults, "content_type")
        if changed is not None:
            response.headers["Content-Type"] = changed.options["content_type"]
        slow = only(visit.faults, "slow")
        if slow is not None and slow.options["during"]:
            response.response = self._slowly(response.iter_encoded(), slow.options["during"])
        cut = only(visit.faults, "cut")
        if cut is not None:
            connection = visit.request.environ[CONNECTION]
            if _silent(visit, response):
                _hang_up(connection)
            else:
                length = response.calculate_content_length() or 0
                response.headers["Content-Length"] = str(length)
                response.response = _cut(
                    response.iter_encoded(), cut.options["after"], length, connection
                )
        if only(visit.faults, "not_http") is not None:
            connection = visit.request.environ[CONNECTION]
            with contextlib.suppress(OSError):  # whoever asked has hung up already
                connection.socket.sendall(b"\x15\x03\x01 this is not HTTP\r\n\r\n")
            _hang_up(connection)
        return response

    def _slowly(self, pieces: Iterable[bytes], seconds: float) -> Iterator[bytes]:
        """The body in two halves with a pause between them."""
        for number, piece in enumerate(pieces):
            if number == 0:
                yield piece[: len(piece) // 2]
                self._stopping.wait(seconds)
                yield piece[len(piece) // 2 :]
            else:
                yield piece

    def _controlled(self, request: Request, path: str) -> Response:
        """The control URL: only for callers on this machine that mean it.

        A page in a browser could reach loopback too: what names another host or comes from
        another origin is refused.
        """
        host = urlsplit(f"//{request.host}").hostname
        if not is_loopback(request.remote_addr) or not is_loopback(host):
            return _error(403, "not_loopback", "The control URL is for this machine alone.")
        if "Origin" in request.headers:
            return _error(403, "not_loopback", "The control URL is not for web pages.")
        body = request.get_json(silent=True, force=True)
        status, answer = self._control.handle(
            request.method, path.removeprefix(CONTROL_PREFIX), {} if body is None else body
        )
        return _json(status, answer)


def _response(operation: Operation, answer: Answer) -> Response:
    if answer.file is not None:
        response = Response(answer.file.chunks, status=operation.success)
        response.headers["Content-Type"] = answer.file.content_type
        response.headers["Content-Length"] = str(answer.file.length)
        return response
    if not operation.content:
        response = Response(b"", status=operation.success)
        del response.headers["Content-Type"]
        return response
    return _json(operation.success, answer.json)


def _json(status: int, value: Any) -> Response:
    return Response(dumps(value), status=status, content_type="application/json")


def _error(status: int, code: str, message: str, problems: Iterable[Problem] = ()) -> Response:
    """The vendor's error body."""
    body: dict[str, Any] = {"message": message, "code": code}
    listed = [attrs.asdict(problem) for problem in problems]
    if listed:
        body["errors"] = listed
    return _json(status, body)


def _oauth_error(status: int, error: str) -> Response:
    return _json(status, {"error": error})


def _status(fault: Fault, kind: str) -> Response:
    status = fault.options["status"]
    if kind == "token":
        response = _oauth_error(status, "temporarily_unavailable")
    else:
        response = _error(status, f"status_{status}", "The sandbox was told to answer so.")
    if fault.options["retry_after"] is not None:
        response.headers["Retry-After"] = str(fault.options["retry_after"])
    return response


def _given(fault: Fault, _kind: str) -> Response:
    body, kind = fault.options["body"], fault.options["content_type"]
    text = body if isinstance(body, str) else dumps(body)
    return Response(text, status=fault.options["status"], content_type=kind)


def _unauthorized(_fault: Fault, kind: str) -> Response:
    if kind == "token":
        response = _oauth_error(401, "invalid_client")
        response.headers["WWW-Authenticate"] = 'Basic realm="sandbox"'
        return response
    response = _error(401, "unauthorized", "The sandbox was told to accept no token.")
    response.headers["WWW-Authenticate"] = 'Bearer realm="sandbox", error="invalid_token"'
    return response


def _garbage(_fault: Fault, _kind: str) -> Response:
    return Response(GARBAGE, content_type="application/json")


def _html(fault: Fault, _kind: str) -> Response:
    return Response(HTML, status=fault.options["status"], content_type="text/html; charset=utf-8")


def _empty(fault: Fault, _kind: str) -> Response:
    return Response(b"", status=fault.options["status"], content_type="application/json")


def _oversized(fault: Fault, _kind: str) -> Response:
    size = int(fault.options["size"])
    pieces = (b" " * min(CHUNK, size - done) for done in range(0, size, CHUNK))
    return Response(pieces, headers=Headers({"Content-Length": str(size)}), mimetype=JSON)


def _redirect(fault: Fault, _kind: str) -> Response:
    location = fault.options["location"]
    return Response(b"", status=fault.options["status"], headers={"Location": location})


_SPOILED = {
    "status": _status,
    "answer": _given,
    "unauthorized": _unauthorized,
    "garbage": _garbage,
    "html": _html,
    "empty": _empty,
    "oversized": _oversized,
    "redirect": _redirect,
}


def _silent(visit: _Visit, response: Response) -> bool:
    """Whether no status is sent at all: headers go out with the first bytes of the body."""
    cut = only(visit.faults, "cut")
    is_empty = not response.calculate_content_length() and response.is_sequence
    return only(visit.faults, "not_http") is not None or (
        cut is not None and (is_empty or cut.options["after"] == 0)
    )


def _hang_up(connection: Any) -> None:
    """Close the line on both sides at once; the server finds it dead."""
    with contextlib.suppress(OSError):
        connection.socket.shutdown(socket.SHUT_RDWR)


def _cut(
    pieces: Iterable[bytes], after: int | None, length: int, connection: Any
) -> Iterator[bytes]:
    """Some of the body, half by default, and then the line goes dead."""
    left = length // 2 if after is None else after
    for piece in pieces:
        yield piece[:left]
        left -= len(piece)
        if left <= 0:
            break
    _hang_up(connection)
