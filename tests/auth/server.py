"""
A small real HTTP server on loopback: token endpoint and API in one, told what to do by the test.
"""

import base64
import json
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import attrs

from tests.auth.helpers import PATIENCE


@attrs.frozen
class Seen:
    """
    One request as it came over the wire.
    """

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def token(self) -> str | None:
        """
        The bearer token it carries.
        """
        header = self.headers.get("authorization")
        return None if header is None else header.removeprefix("Bearer ")

    @property
    def basic(self) -> list[str]:
        """
        What the two halves of the Basic header are, not decoded any further.
        """
        encoded = self.headers["authorization"].removeprefix("Basic ")
        return base64.b64decode(encoded).decode().split(":", 1)


Act = Callable[["Handler"], None]


def answer(status_code: int, body: bytes = b"", **headers: str) -> Act:
    """
    Answer like that.
    """

    def act(handler: "Handler") -> None:
        handler.send_response(status_code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return act


def token(value: str, **members: Any) -> Act:
    """
    Give that token.
    """
    said = {"access_token": value, "expires_in": 3600, "token_type": "Bearer", **members}
    return answer(200, json.dumps(said).encode(), Content_Type="application/json")


def redirect(location: str, status_code: int = 302) -> Act:
    """
    Lead elsewhere.
    """
    return answer(status_code, Location=location)


def cut(handler: "Handler") -> None:
    """
    Close the connection without a word.
    """
    handler.close_connection = True


def hang_up_midway(handler: "Handler") -> None:
    """
    Promise more than is sent.
    """
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"access_token": "t"')
    handler.close_connection = True


class Handler(BaseHTTPRequestHandler):
    """
    Reads a request whole and lets the service act on it.
    """

    protocol_version = "HTTP/1.1"
    server: "Service"

    def do_GET(self) -> None:
        """
        Any method, in fact.
        """
        seen = Seen(
            self.command,
            self.path,
            {name.lower(): value for name, value in self.headers.items()},
            self._body(),
        )
        self.server.act_on(seen)(self)

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 - the names are http.server's

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def log_message(self, *about: object) -> None:
        """
        Say nothing.
        """


class Service(ThreadingHTTPServer):
    """
    Tokens at /token, an API everywhere else that knows which tokens are good.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[Seen] = []
        self.revoked: set[str | None] = {None}
        self.token_acts: deque[Act] = deque()
        self.acts: dict[str, Act] = {}
        self.gate = threading.Event()
        self.gate.set()

    @property
    def url(self) -> str:
        """
        Its origin.
        """
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def token_url(self) -> str:
        """
        Its token endpoint.
        """
        return f"{self.url}/token"

    @property
    def token_requests(self) -> list[Seen]:
        """
        What came to the token endpoint.
        """
        return [seen for seen in self.seen if seen.path == "/token"]

    @property
    def api_requests(self) -> list[Seen]:
        """
        What came to the API.
        """
        return [seen for seen in self.seen if seen.path != "/token"]

    def act_on(self, seen: Seen) -> Act:
        """
        What to do about a request.
        """
        self.seen.append(seen)
        if seen.path == "/token":
            number = len(self.token_requests)
            assert self.gate.wait(PATIENCE)
            return self.token_acts.popleft() if self.token_acts else token(f"token-{number}")
        if seen.path in self.acts:
            return self.acts[seen.path]
        if seen.token in self.revoked:
            return answer(401, b'{"code": "unauthorized"}', WWW_Authenticate="Bearer")
        return answer(200, seen.body)

    def handle_error(self, request: object, client_address: object) -> None:
        """
        Callers that hang up are part of the tests.
        """
        # callers that hang up are part of the tests


@contextmanager
def service() -> Iterator[Service]:
    """
    A running server.
    """
    server = Service()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(PATIENCE)
