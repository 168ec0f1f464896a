"""
Real servers and real processes for the tests of the stores.
"""

import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import attrs
import pytest

from auth_ext import AccessToken, Clock

SECRET = "planted-secret-5d1c"
ROOT = Path(__file__).parents[2]
PATIENCE = 20.0


def token(value: str = "token-1", *, now: float, lifetime: float = 3600.0) -> AccessToken:
    """
    A token issued at *now*.
    """
    return AccessToken(
        value=value,
        scopes=frozenset({"document_read"}),
        requested_scopes=frozenset({"document_read", "event"}),
        issued_at=now,
        expires_at=now + lifetime,
        renewed_at=now - 60.0,
    )


@attrs.define
class Hands:
    """
    A clock whose hands the test turns; waiting turns them too.
    """

    now: float = 1_800_000_000.0

    @property
    def clock(self) -> Clock:
        """
        All of these hands.
        """
        return Clock(wall=lambda: self.now, steady=lambda: self.now, sleep=self.turn)

    @property
    def wall_clock(self) -> Clock:
        """
        These hands on the wall only; waiting is real.
        """
        return Clock(wall=lambda: self.now)

    def turn(self, seconds: float) -> None:
        """
        Let that much time pass.
        """
        self.now += seconds


def free_port() -> int:
    """
    A port nobody listens on.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def must_have(program: str, package: str) -> str:
    """
    The path of *program*; without it the test is skipped, or in CI failed.
    """
    found = shutil.which(program)
    if found is not None:
        return found
    text = f"{program} is missing (Debian package {package})"
    if os.environ.get("CI") == "true":
        pytest.fail(text)
    pytest.skip(text)


class RedisServer:
    """
    A redis-server of the test's own, which can be stopped, started and frozen.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        self.program = must_have("redis-server", "redis-server")
        self.folder = folder
        self.options = options
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """
        What RedisTokenStore takes.
        """
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """
        Start it, and wait until it answers.
        """
        command = [self.program, "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--save", "", "--appendonly", "no", "--dir", str(self.folder), *self.options]
        with (self.folder / "redis.log").open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        ends = time.monotonic() + PATIENCE
        while not self._answers():
            assert self._process.poll() is None, (self.folder / "redis.log").read_text()
            assert time.monotonic() < ends, "redis-server does not answer"

    def _answers(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as probe:
            probe.sendall(b"PING\r\n")
            return bool(probe.recv(1))
        return False

    def stop(self) -> None:
        """
        Kill it.
        """
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE)
            self._process = None

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """
        Connections are accepted by the kernel and nothing is ever answered.
        """
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)


class Service(ThreadingHTTPServer):
    """
    A token endpoint that counts and an API that takes only the newest unrevoked token.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, lifetime: int = 3600) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.lifetime = lifetime
        self.lock = threading.Lock()
        self.tokens: list[str] = []
        self.refused = 0
        self.revoked: set[str] = set()
        self.entered = threading.Event()  # a token request has arrived
        self.open = threading.Event()  # token requests are answered
        self.open.set()

    @property
    def url(self) -> str:
        """
        Where it is.
        """
        return f"http://127.0.0.1:{self.server_port}"

    def issue(self) -> str:
        """
        A new token, once token requests are answered.
        """
        self.entered.set()
        self.open.wait(PATIENCE)
        with self.lock:
            self.tokens.append(f"access-token-{len(self.tokens) + 1}")
            return self.tokens[-1]

    def revoke_all(self) -> None:
        """
        Refuse every token given so far.
        """
        with self.lock:
            self.revoked.update(self.tokens)

    def takes(self, authorization: str) -> bool:
        """
        Whether a request with that header is served.
        """
        value = authorization.removeprefix("Bearer ")
        with self.lock:
            good = value in self.tokens and value not in self.revoked
            self.refused += not good
            return good


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else every answer after the first takes 40 ms
    server: Service

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        answer = {
            "access_token": self.server.issue(),
            "token_type": "Bearer",
            "expires_in": self.server.lifetime,
            "scope": "document_read",
        }
        self._answer(200, answer)

    def do_GET(self) -> None:
        good = self.server.takes(self.headers.get("Authorization", ""))
        self._answer(200 if good else 401, {})

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        """
        Say nothing.
        """


@contextmanager
def service(lifetime: int = 3600) -> Iterator[Service]:
    """
    A running `Service`.
    """
    with Service(lifetime) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.open.set()
            server.shutdown()


class Worker:
    """
    A process that runs `tests.stores.worker` and talks by lines of JSON.
    """

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.stores.worker", *arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,  # a line read ahead would hide from select
        )

    def say(self, line: str) -> None:
        """
        Send it *line*.
        """
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")

    def hear(self, seconds: float = PATIENCE) -> Any:
        """
        Its next line, waited for within bounds.
        """
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], seconds)
        assert ready, "the process says nothing"
        return json.loads(self.process.stdout.readline())

    def end(self) -> None:
        """
        End the process whatever it does.
        """
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate(timeout=PATIENCE)


@contextmanager
def workers(*arguments_of_each: tuple[str, ...]) -> Iterator[list[Worker]]:
    """
    Processes that are all up and waiting for a word.
    """
    crew = [Worker(*arguments) for arguments in arguments_of_each]
    try:
        for worker in crew:
            assert worker.hear() == "ready"
        yield crew
    finally:
        for worker in crew:
            worker.end()
