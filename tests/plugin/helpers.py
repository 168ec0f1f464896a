"""
A small service that misbehaves: it compresses, sets cookies and echoes what it should not.
"""

import base64
import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "planted-access-token-8Zq1xV"
SECRET = "planted:/+ %&=secret"
CLIENT_ID = "planted-client-id"
COOKIE = "planted-cookie-77"
PERSON = {
    "firstName": "Kari",
    "lastName": "Nordmann",
    "email": "kari.nordmann@signers.no",
    "mobile": {"countryCode": "+47", "number": "99716935"},
    "socialSecurityNumber": {"value": "01017012345", "countryCode": "NO"},
    "dateOfBirth": "1970-05-17",
}
PERSONAL = ["Kari", "Nordmann", "signers.no", "99716935", "01017012345", "1970-05-17"]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.rfile.read(length)
        basic = self.headers["Authorization"].partition(" ")[2]
        self._answer(
            {
                "access_token": TOKEN,
                "expires_in": 3600,
                "token_type": "Bearer",
                "echo": f"you are {base64.b64decode(basic).decode()} alias {basic}",
            }
        )

    def do_GET(self) -> None:
        self._answer({"signer": PERSON, "echo": f"{self.headers['Authorization']} and {SECRET}"})

    def _answer(self, value: Any) -> None:
        body = gzip.compress(json.dumps(value).encode(), mtime=0)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Set-Cookie", f"session={COOKIE}")
        self.send_header("X-Idfy-AccountId", "a-4711")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@contextmanager
def indiscreet_service() -> Iterator[str]:
    """
    Its URL.
    """
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
