"""Serve the sandbox until it is stopped: `python -m auth_ext.sandbox`."""

import argparse
import shlex
import signal
import sys
import threading
from collections.abc import Sequence
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auth_ext.sandbox._sandbox import Sandbox

EXIT_USAGE = 2
# On Windows a wait without an end is deaf to Ctrl-C.
POLL_SECONDS = 0.2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line. Gives the exit code.

    Args:
        arguments: What follows the command; None: those of this process.
    """
    options = _parser().parse_args(arguments)
    try:
        from auth_ext.sandbox._sandbox import Sandbox
    except ImportError as exc:
        return _fail(f"{exc.name} is missing: pip install 'signicat-express-client[sandbox]'.")
    stopped = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopped.set()

    try:
        sandbox = Sandbox(
            host=options.host,
            port=options.port,
            database=options.database,
            document=options.document,
            token_lifetime=options.token_lifetime,
        ).start()
    except (OSError, ValueError) as exc:
        return _fail(str(exc))
    previous = {number: signal.signal(number, stop) for number in _SIGNALS}
    try:
        sys.stdout.write(greeting(sandbox))
        sys.stdout.flush()
        while not stopped.wait(POLL_SECONDS):
            continue
    finally:
        sandbox.stop()
        for number, handler in previous.items():
            signal.signal(number, handler)
    sys.stdout.write("Stopped.\n")
    return 0


_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def greeting(sandbox: "Sandbox") -> str:
    """What somebody needs to know to begin, ready to paste."""
    clients = "".join(
        f"  {name:<10} {client.id:<24} {client.secret}\n"
        for name, client in sandbox.clients.items()
    )
    exports = "".join(
        f"export {name}={shlex.quote(value)}\n" for name, value in sandbox.environment.items()
    )
    user = shlex.quote(f"{sandbox.client_id}:{sandbox.client_secret}")
    return f"""\
API        {sandbox.url}
Token URL  {sandbox.token_url}
Control    {sandbox.control_url}

Clients (name, id, secret):
{clients}
{exports}
curl -u {user} -d grant_type=client_credentials -d scope=document_read {sandbox.token_url}

Stop with Ctrl-C.
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m auth_ext.sandbox",
        description="A stand-in for the Signicat Express API, on this machine only.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address (%(default)s)")
    parser.add_argument("--port", type=_port, default=0, help="0: any that is free (default)")
    parser.add_argument(
        "--database", default=":memory:", help="a file that keeps the state beyond this run"
    )
    parser.add_argument("--document", default=None, help="another OpenAPI document")
    parser.add_argument(
        "--token-lifetime", type=_seconds, default=3600, help="in seconds (%(default)s)"
    )
    return parser


def _port(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = -1
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is no port: 0 to 65535")
    return number


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds")
    return seconds


def _fail(message: str) -> int:
    sys.stderr.write(f"sandbox: {message}\n")
    return EXIT_USAGE


if __name__ == "__main__":  # pragma: no cover - the tests start it as a process of its own
    sys.exit(main())
