"""
Peak memory of a 50 MB download: generated_client against the generator's plain output.

A server in this process sends 50 MB over loopback; each subject downloads in a fresh process, once
watched by tracemalloc and once by the system (peak resident size over what it was before).
Prints JSON, in MB.
"""

import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from scripts.bench.generated_plain import PACKAGE, generate_plain

ROOT = Path(__file__).parents[2]
SIZE = 50 * 1000 * 1000
GOAL_MB = 2.0

CHILD = """
import asyncio, json, resource, sys, tracemalloc, uuid
paths, package, act, traced, url, target = json.loads(sys.argv[1])
sys.path[:0] = paths
import importlib
module = importlib.import_module(package + ".api.signature.get_document_file")
clients = importlib.import_module(package + ".client")
models = importlib.import_module(package + ".models")
format = next(iter(models.GetDocumentFileFileFormat))
arguments = {"file_format": format}

def client():
    return clients.AuthenticatedClient(url, "token")

def run(to):
    if act == "download":
        with client() as c:
            module.download(uuid.uuid4(), client=c, to=to, **arguments)
    elif act == "adownload":
        async def one():
            async with client() as c:
                await module.adownload(uuid.uuid4(), client=c, to=to, **arguments)
        asyncio.run(one())
    else:
        with client() as c:
            answer = module.sync_detailed(uuid.uuid4(), client=c, **arguments)
            with open(to, "wb") as file:
                file.write(answer.parsed.payload.read())

def peak_kilobytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

run(target + ".warm-up")  # imports and TLS settings are not the download's memory
"""
MEASURE = """
if traced:
    tracemalloc.start()
    run(target)
    print(tracemalloc.get_traced_memory()[1] / 1e6)
else:
    before = peak_kilobytes()
    run(target)
    print((peak_kilobytes() - before) * 1024 / 1e6)
"""


@contextmanager
def server() -> Iterator[str]:
    """The address of a server that sends a small file first to each client, then 50 MB."""
    seen: set[str] = set()
    piece = bytes(64 * 1024)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            who = self.headers["Host"] + self.path.split("?")[0].split("/")[1]
            size = SIZE if who in seen else 1000
            seen.add(who)
            self.send_response(200)
            self.send_header("Content-Type", "application/pdf")
            self.send_header("Content-Length", str(size))
            self.end_headers()
            while size > 0:
                self.wfile.write(piece[:size])
                size -= len(piece)

        def log_message(self, *_: object) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.server_address[1]}"
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join(5)


def main() -> dict[str, Any]:
    """Measure, and return the figures."""
    document = json.loads((ROOT / "openapi.json").read_text("utf-8"))
    subjects = {
        "generated_client.download": ("generated_client", "download"),
        "generated_client.adownload": ("generated_client", "adownload"),
        "plain.sync_detailed": (PACKAGE, "sync_detailed"),
    }
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder, server() as url:
        generate_plain(document, Path(folder))
        for number, (name, (package, act)) in enumerate(subjects.items()):
            found[name] = {}
            for measure, traced in (("tracemalloc", True), ("resident", False)):
                # A path of its own for each run tells the server where the warm-up ends.
                address = f"{url}/{number}{measure}"
                paths = [str(ROOT), folder]
                arguments = [paths, package, act, traced, address, f"{folder}/file"]
                result = subprocess.run(
                    [sys.executable, "-c", CHILD + MEASURE, json.dumps(arguments)],
                    capture_output=True,
                    text=True,
                    check=True,
                    timeout=120,
                )
                found[name][measure] = round(float(result.stdout), 2)
    return {
        "file in MB": SIZE / 1e6,
        "peak in MB": found,
        "goal in MB": GOAL_MB,
        "met": all(
            found[name]["tracemalloc"] <= GOAL_MB and found[name]["resident"] <= GOAL_MB
            for name in ("generated_client.download", "generated_client.adownload")
        ),
    }


if __name__ == "__main__":
    json.dump(main(), sys.stdout, indent=2)
    print()
