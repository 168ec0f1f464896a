"""The sandbox as an object."""

import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from auth_ext.sandbox._app import TOKEN_PATH, Application
from auth_ext.sandbox._calls import Refused
from auth_ext.sandbox._clients import Client, standard_clients
from auth_ext.sandbox._clock import Clock
from auth_ext.sandbox._control import Control
from auth_ext.sandbox._document import load_document
from auth_ext.sandbox._events import Events
from auth_ext.sandbox._faults import BadControl, Fault
from auth_ext.sandbox._log import Requests
from auth_ext.sandbox._server import Server
from auth_ext.sandbox._services import Services, Settings
from auth_ext.sandbox._store import Store
from auth_ext.sandbox._values import Values


class Sandbox:
    """A running stand-in service; `start` and `stop`, or a `with` block.

    All methods may be called from any thread, before, during and after requests.

    Args:
        host: A loopback address.
        port: 0: any that is free.
        database: Where the state is kept; a file holds it beyond the run.
        clients: Who may ask for tokens, the first being `client_id`; None: the standard ones.
        document: The OpenAPI document; None: the packaged one.
        token_lifetime: In seconds.

    Raises:
        ValueError: *host* is not loopback.
        OSError: The port is taken, or *database* is not usable.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        database: str | Path = ":memory:",
        clients: Iterable[Client] | None = None,
        document: str | Path | None = None,
        token_lifetime: float = 3600,
    ) -> None:
        self._host = host
        self._port = port
        self._database = database
        self._document = load_document(document)
        if clients is None:
            clients = standard_clients(self._document.scopes)
        self._clients = tuple(clients)
        self._settings = Settings(token_lifetime=token_lifetime)
        self._stopping = threading.Event()
        self._control: Control | None = None
        self._server: Server | None = None

    def start(self) -> Self:
        """Begin to serve."""
        store, clock = Store(self._database), Clock()
        services = Services(
            store=store,
            clock=clock,
            document=self._document,
            values=Values(self._document),
            settings=self._settings,
            events=Events(store, clock),
        )
        control = Control(services=services, clients={one.id: one for one in self._clients})
        self._stopping.clear()
        application = Application(control, self._stopping)
        try:
            self._server = Server(
                application.flask,
                self._host,
                self._port,
                lambda text: control.violation("SERVER", self._host, text),
            )
        except BaseException:
            store.close()
            raise
        host = f"[{self._host}]" if ":" in self._host else self._host
        control.base_url = f"http://{host}:{self._server.port}"
        self._control = control
        return self

    def stop(self) -> None:
        """Stop serving, end all threads, close the database. Again: nothing."""
        if self._server is None or self._control is None:
            return
        self._stopping.set()
        self._server.stop()
        self._server = None
        self._control.services.events.stop()
        self._control.services.store.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def _told(self) -> Control:
        if self._control is None:
            raise RuntimeError("The sandbox is not started: use `with Sandbox() as sandbox:`.")
        return self._control

    @property
    def url(self) -> str:
        """The API's base URL."""
        return self._told.base_url

    @property
    def token_url(self) -> str:
        """The token endpoint."""
        return f"{self.url}{TOKEN_PATH}"

    @property
    def control_url(self) -> str:
        """Where the sandbox itself is told things."""
        return f"{self.url}/_sandbox"

    @property
    def client_id(self) -> str:
        """The first client's id."""
        return self._clients[0].id

    @property
    def client_secret(self) -> str:
        """The first client's secret."""
        return self._clients[0].secret

    @property
    def clients(self) -> Mapping[str, Client]:
        """The clients by name: full, read-only, useless, awkward."""
        return {client.name: client for client in self._clients}

    @property
    def environment(self) -> dict[str, str]:
        """The settings as the environment variables that `SignicatClient` reads."""
        return {
            "SIGNICAT_CLIENT_ID": self.client_id,
            "SIGNICAT_CLIENT_SECRET": self.client_secret,
            "SIGNICAT_BASE_URL": self.url,
            "SIGNICAT_TOKEN_URL": self.token_url,
        }

    @property
    def requests(self) -> Requests:
        """Counts and the log of requests; the control URL's own are not among them."""
        return self._told.log.requests()

    @property
    def violations(self) -> tuple[str, ...]:
        """Where the sandbox broke its own contract. Empty, or the sandbox has a bug."""
        return self._told.violations

    def control(self, method: str, path: str, **body: Any) -> Any:
        """What a request to the control URL answers, without HTTP.

        Raises:
            BadControl: It was refused; the text says why.
        """
        status, answer = self._told.handle(method, path, body)
        if status != 200:
            raise BadControl(answer["message"])
        return answer

    def misbehave(
        self,
        kind: str,
        *,
        target: str = "api",
        operation: str | None = None,
        times: int | None = None,
        skip: int = 0,
        probability: float = 1.0,
        **options: Any,
    ) -> Fault:
        """Set a fault.

        Of several faults that answer in place of the service, one strikes per request, in the
        order in which they were set: a few of them with `times` are a script.

        Args:
            kind: What happens.
                `status` (status, retry_after): that status, and Retry-After.
                `answer` (status, body, content_type): just that; a body that is no text is
                sent as JSON.
                `unauthorized`: always 401.
                `slow` (before, during): so many seconds before the answer and amid it.
                `cut` (after): the line goes dead after so many bytes of the body; None: half
                of it; 0, or an empty body: before any answer. The request is carried out.
                `garbage`: JSON by its content type, bytes that are none.
                `not_http`: what is sent is no HTTP.
                `html` (status), `empty` (status): a page, or nothing, where JSON is expected.
                `content_type` (content_type): the right body under a wrong label.
                `oversized` (size): so many bytes of nothing, as JSON.
                `redirect` (status, location): elsewhere.
                `date_skew` (seconds): the Date header is off.
            target: "token", "api" or "all".
            operation: Only requests of that operation.
            times: Only so many requests; None: until `behave`.
            skip: So many are spared first.
            probability: How likely a request meets it.
            options: As listed with the kinds.

        Raises:
            BadControl: There is no such kind, target, operation or option.
        """
        return self._told.add_fault(
            kind,
            target=target,
            operation=operation,
            times=times,
            skip=skip,
            probability=probability,
            **options,
        )

    def behave(self) -> None:
        """Take all faults back."""
        self._told.behave()

    def revoke(self, *, access_token: str | None = None, client_id: str | None = None) -> int:
        """Revoke one token, a client's, or all. Gives how many were still good."""
        told = self._told.revoke(access_token=access_token, client_id=client_id)
        return int(told["revoked"])

    def advance(self, seconds: float) -> None:
        """Move the sandbox's clock on."""
        self._told.move_clock(advance=seconds)

    def configure(self, **settings: Any) -> None:
        """Change settings.

        They are token_lifetime, withheld_scopes, date_skew, session_seconds and pad_files_to.

        Raises:
            BadControl: There is no such setting, or not that value.
        """
        self._told.change_settings(**settings)

    def sign(self, document_id: str, signer_id: str | None = None) -> list[str]:
        """Sign as if the signer did; None: everybody who has not yet. Gives who signed.

        Raises:
            NotNow: There is nothing to sign, or others come first.
            BadControl: There is no such document or signer.
        """
        try:
            told = self._told.sign(str(document_id), signer=signer_id and str(signer_id))
        except Refused as exc:
            raise BadControl(str(exc)) from exc
        signed: list[str] = told["signed"]
        return signed

    def seed(self, operation: str = "") -> None:
        """Put in place what `examples.request(operation)` names."""
        self._told.seed(operation=operation)

    def wait_for_webhooks(self) -> None:
        """Wait until all events that happened have been delivered to webhooks."""
        self._told.wait_for_webhooks()

    def forget_requests(self) -> None:
        """Count requests from zero again."""
        self._told.forget_requests()

    def reset(self) -> None:
        """As new: no state, tokens, faults or counts; standard settings; the wall clock."""
        self._told.reset()
