"""The HTTP server: cheroot, in threads of this process, on loopback only."""

import logging
import socket
import threading
from collections.abc import Callable
from traceback import format_exc
from typing import Any

from cheroot import wsgi

from auth_ext.sandbox._app import CONNECTION
from auth_ext.sandbox._events import is_loopback

THREADS = 64
IDLE_SECONDS = 120
POLL_SECONDS = 0.05
CONNECTIONS_MAX = 2000
QUEUE = 512


class Server:
    """Serves one WSGI application until it is stopped.

    Raises:
        ValueError: *host* is not loopback.
        OSError: The address cannot be had.
    """

    def __init__(
        self, application: Any, host: str, port: int, complain: Callable[[str], None]
    ) -> None:
        if not is_loopback(host):
            raise ValueError(f"The sandbox serves on loopback only, not on {host}.")
        # cheroot leaves a socket open when it cannot bind, so that is tried before.
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        socket.create_server((host, port), family=family).close()
        self._server = _Quiet(
            (host, port),
            application,
            numthreads=THREADS,
            request_queue_size=QUEUE,
            timeout=IDLE_SECONDS,
        )
        self._server.gateway = _Gateway
        self._server.nodelay = True
        self._server.keep_alive_conn_limit = CONNECTIONS_MAX
        self._server.expiration_interval = POLL_SECONDS
        self._server.complain = complain
        self._server.prepare()
        self._thread = threading.Thread(
            target=self._server.serve, name="sandbox-server", daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.bind_addr[1])

    def stop(self) -> None:
        """Close all connections and end all threads."""
        self._server.stop()
        self._thread.join()


class _Quiet(wsgi.Server):
    """Hands its troubles to the sandbox, which shows them among its violations."""

    complain: Callable[[str], None]

    def error_log(self, msg: str = "", level: int = 20, traceback: bool = False) -> None:
        if traceback:
            msg = f"{msg}\n{format_exc()}"
        if level > logging.INFO:
            self.complain(msg)


class _Gateway(wsgi.Gateway_10):
    """WSGI 1.0, with the connection in the environment so that faults can cut it."""

    def get_environ(self) -> dict[str, Any]:  # type: ignore[override] # its stub says None
        environ: dict[str, Any] = super().get_environ()  # type: ignore[no-untyped-call]
        environ[CONNECTION] = self.req.conn
        return environ
