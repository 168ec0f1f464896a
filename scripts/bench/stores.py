"""
Shared tokens: what a hit costs a process that starts, and how many token requests a fleet makes.

    hit        from an imported library to a token that somebody else fetched, in milliseconds:
               median over fresh processes, the store's own library import included
    requests   8 processes x 25 calls, started together with nothing stored, then again after a
               revocation: token requests at the server; and corrupt reads and failed calls

httpx-auth's file cache (`JsonTokenFileCache`) does the same work beside it. A redis-server that
is not installed leaves its figures out and says so. Prints JSON.
"""

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PROCESSES = 8
CALLS = 25
TOKEN_SECONDS = 0.1  # what a token endpoint takes, so that processes meet


class Service(ThreadingHTTPServer):
    """
    A token endpoint that counts, and an API that refuses what was revoked.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.lock = threading.Lock()
        self.issued = 0
        self.valid_from = 1

    def issue(self) -> str:
        """
        The next token, after a while.
        """
        time.sleep(TOKEN_SECONDS)
        with self.lock:
            self.issued += 1
            return f"token-{self.issued}"

    def takes(self, authorization: str) -> bool:
        """
        Whether that header holds a token that was not revoked.
        """
        number = authorization.removeprefix("Bearer token-")
        return number.isdecimal() and int(number) >= self.valid_from


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else every answer after the first takes 40 ms
    server: Service

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        answer = {"access_token": self.server.issue(), "token_type": "Bearer", "expires_in": 3600}
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
        self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        """
        Say nothing.
        """


@contextmanager
def service() -> Iterator[Service]:
    """
    A running `Service`.
    """
    with Service() as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """
    A redis-server of our own; the URL of it.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    process = subprocess.Popen([*command, "--dir", str(folder)], stdout=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.02)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.kill()
        process.wait(10)


# What runs in the processes. Each prints one line of JSON per line it is told.

AUTH_EXT = """
import httpx
from auth_ext import OAuth2ClientCredentials
from auth_ext._environment import store_named
def make(url, where):
    return OAuth2ClientCredentials("client", "secret", scopes="document_read",
        token_url=url + "/token", origins=(url,), store=store_named(where))
"""

HTTPX_AUTH = """
import httpx
from httpx_auth import JsonTokenFileCache, OAuth2, OAuth2ClientCredentials
def make(url, where):
    OAuth2.token_cache = JsonTokenFileCache(where.removeprefix("file:") + ".json")
    return OAuth2ClientCredentials(url + "/token", client_id="client", client_secret="secret",
        scope="document_read")
"""

CALL = """
import json, logging, sys, time
class Corrupt(logging.Handler):
    count = 0
    def emit(self, record):
        self.count += "annot load" in record.getMessage() or "not trusted" in record.getMessage()
corrupt = Corrupt()
logging.getLogger().addHandler(corrupt)
url, where = sys.argv[1:]
with httpx.Client(base_url=url, trust_env=False) as client:
    client.get("/warm-up")
    print(json.dumps("ready"), flush=True)
    auth = None
    for line in sys.stdin:
        started = time.perf_counter()
        auth = auth or make(url, where)
        good = failed = 0
        for _ in range(int(line)):
            try:
                good += client.get("/documents", auth=auth).status_code == 200
            except Exception:
                failed += 1
        spent = (time.perf_counter() - started) * 1000
        print(json.dumps([good, failed, corrupt.count, spent]), flush=True)
"""


@contextmanager
def processes(code: str, url: str, where: str, count: int) -> Iterator[Callable[[int], list[Any]]]:
    """
    *count* processes that are up; the function makes all of them do that many calls at once.
    """
    with ExitStack() as stack:
        crew = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", code + CALL, url, where],
                    cwd=ROOT,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    env={**os.environ, "PYTHONPATH": str(ROOT)},
                )
            )
            for _ in range(count)
        ]

        def hear(process: "subprocess.Popen[str]") -> Any:
            assert process.stdout is not None
            return json.loads(process.stdout.readline())

        def call(calls: int) -> list[Any]:
            for process in crew:
                assert process.stdin is not None
                process.stdin.write(f"{calls}\n")
                process.stdin.flush()
            return [hear(process) for process in crew]

        for process in crew:
            hear(process)
        yield call


def requests(code: str, where: str) -> dict[str, Any]:
    """
    Token requests of 8 processes, cold and after a revocation.
    """
    with service() as api, processes(code, f"http://127.0.0.1:{api.server_port}", where, 8) as call:
        cold = call(CALLS)
        cold_requests, api.valid_from = api.issued, api.issued + 1
        revoked = call(CALLS)
        return {
            "token requests, cold": cold_requests,
            "token requests after a revocation": api.issued - cold_requests,
            "calls that came back 200, cold": sum(heard[0] for heard in cold),
            "calls that came back 200, after the revocation": sum(heard[0] for heard in revoked),
            "calls in each round": PROCESSES * CALLS,
            "calls that raised": sum(heard[1] for heard in cold + revoked),
            "corrupt reads": sum(heard[2] for heard in revoked),
        }


def hit(code: str, where: str, rounds: int) -> dict[str, float]:
    """
    Milliseconds from an imported library to the answer of a first call, a token being stored.
    """
    with service() as api:
        url = f"http://127.0.0.1:{api.server_port}"
        samples = []
        for _ in range(rounds + 1):
            with processes(code, url, where, 1) as call:
                samples.append(call(1)[0][3])
        assert api.issued == 1
    return {"median_ms": round(statistics.median(samples[1:]), 2), "best_ms": min(samples[1:])}


BARE = """
import httpx
def make(url, where):
    return lambda request: (request.headers.update(Authorization="Bearer token-1"), request)[1]
"""


def bare(rounds: int) -> dict[str, float]:
    """
    The same call with a header that is simply put there.
    """
    samples = []
    with service() as api:
        for _ in range(rounds):
            with processes(BARE, f"http://127.0.0.1:{api.server_port}", "", 1) as call:
                samples.append(call(1)[0][3])
    return {"median_ms": round(statistics.median(samples), 2), "best_ms": min(samples)}


def main(rounds: int = 15) -> dict[str, Any]:
    """
    Measure, and return the figures.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        subjects = {
            "auth_ext, file": (AUTH_EXT, "file:{}/ours-{}"),
            "httpx-auth, file": (HTTPX_AUTH, "file:{}/theirs-{}"),
        }
        figures: dict[str, Any] = {"hit": {"no auth at all": bare(rounds)}, "requests": {}}
        for name, (code, where) in subjects.items():
            figures["hit"][name] = hit(code, where.format(folder, "hit"), rounds)
            figures["requests"][name] = requests(code, where.format(folder, "load"))
        if shutil.which("redis-server") is None:
            figures["left out"] = "auth_ext, Redis: redis-server is not installed"
            return figures
        for kind in ("hit", "requests"):
            with redis_server(folder) as url:
                figures[kind]["auth_ext, Redis"] = (
                    hit(AUTH_EXT, url, rounds) if kind == "hit" else requests(AUTH_EXT, url)
                )
    return figures


if __name__ == "__main__":
    print(json.dumps(main(), indent=2))
