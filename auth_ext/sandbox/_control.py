"""The control URL: what tests and people tell the sandbox itself, over HTTP or from Python."""

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from auth_ext.sandbox import _identification, _seed
from auth_ext.sandbox._calls import Refused
from auth_ext.sandbox._clients import Client
from auth_ext.sandbox._clock import iso, parse_iso
from auth_ext.sandbox._faults import KINDS, BadControl, Fault, Faults
from auth_ext.sandbox._log import Log
from auth_ext.sandbox._services import Services, Settings
from auth_ext.sandbox._signature import Desk, NotNow

if TYPE_CHECKING:
    from auth_ext.sandbox._oauth import Provider

Result = tuple[int, Any]


@attrs.define(kw_only=True)
class Control:
    """Everything that can be told to a sandbox. May be called from any thread.

    Attributes:
        base_url: Where the sandbox listens; known once it does.
        provider: The token endpoint's side; known once the application is built.
    """

    services: Services
    clients: dict[str, Client]
    faults: Faults = attrs.field(factory=Faults)
    log: Log = attrs.field(factory=Log)
    base_url: str = ""
    provider: "Provider" = attrs.field(default=None, repr=False)
    _violations: list[str] = attrs.field(factory=list)
    _lock: threading.Lock = attrs.field(factory=threading.Lock)

    def handle(self, method: str, path: str, body: Any) -> Result:
        """Answer a request to the control URL: its status and its JSON."""
        parts = tuple(part for part in path.split("/") if part)
        found = _route(method, parts)
        if found is None:
            known = [f"{verb} /_sandbox{template}" for verb, template in ROUTES]
            return 404, {"message": f"There is no {method} {path} here.", "known": known}
        if not isinstance(body, dict):
            return 400, {"message": "The control URL takes a JSON object."}
        act, values = found
        try:
            answer = act(self, *values, **body)
        except (BadControl, ValueError, TypeError) as exc:
            return 400, {"message": str(exc).replace(f"{act.__name__}()", "The control URL")}
        except NotNow as exc:
            return 409, {"message": str(exc)}
        except Refused as exc:
            return exc.status, {"message": str(exc)}
        return 200, answer

    def violation(self, method: str, path: str, text: str) -> None:
        """Remember that the sandbox broke its own contract."""
        with self._lock:
            self._violations.append(f"{method} {path}: {text}")

    @property
    def violations(self) -> tuple[str, ...]:
        """What is remembered of that."""
        with self._lock:
            return tuple(self._violations)

    def overview(self) -> dict[str, Any]:
        """What the sandbox is and how it is set."""
        return {
            "url": self.base_url,
            "tokenUrl": f"{self.base_url}/oauth/connect/token",
            "clients": [
                {"name": one.name, "id": one.id, "scopes": sorted(one.scopes)}
                for one in self.clients.values()
            ],
            "clock": self.clock(),
            "settings": self.settings(),
            "faults": self.list_faults(),
            "violations": self.violations,
        }

    def requests(self) -> dict[str, Any]:
        """Counts and the last requests."""
        return self.log.requests().wire()

    def forget_requests(self) -> dict[str, Any]:
        """Count from zero again."""
        self.log.clear()
        return {}

    def list_violations(self) -> list[str]:
        """Where the sandbox broke its own contract."""
        return list(self.violations)

    def forget_violations(self) -> dict[str, Any]:
        """Forget them."""
        with self._lock:
            self._violations.clear()
        return {}

    def clock(self) -> dict[str, Any]:
        """The sandbox's time and how far it is from the wall clock."""
        clock = self.services.clock
        return {"now": iso(clock.now()), "offset": clock.offset}

    def move_clock(self, *, advance: float = 0, to: str | None = None) -> dict[str, Any]:
        """Move the clock on by seconds, or *to* an ISO 8601 moment."""
        if isinstance(advance, bool) or not isinstance(advance, int | float):
            raise BadControl(f"advance is a number of seconds, not {advance!r}.")
        if to is not None:
            self.services.clock.set(parse_iso(to))
        self.services.clock.advance(advance)
        with self.services.store.transaction():
            self._desk().pass_time()
        return self.clock()

    def settings(self) -> dict[str, Any]:
        """The settings as they are."""
        return attrs.asdict(self.services.settings)

    def change_settings(self, **changes: Any) -> dict[str, Any]:
        """Change some settings."""
        known = attrs.fields_dict(Settings)
        for name, value in changes.items():
            if name not in known:
                raise BadControl(f"There is no setting {name!r}; there are {', '.join(known)}.")
            _check_setting(name, value)
        for name, value in changes.items():
            fitted = tuple(value) if name == "withheld_scopes" else value
            setattr(self.services.settings, name, fitted)
        return self.settings()

    def list_faults(self) -> list[dict[str, Any]]:
        """The faults that are set."""
        return [fault.wire() for fault in self.faults.current()]

    def misbehave(self, kind: str = "", **about: Any) -> dict[str, Any]:
        """Set a fault."""
        if not kind:
            raise BadControl(f"Say which kind: {', '.join(sorted(KINDS))}.")
        return self.add_fault(kind, **about).wire()

    def add_fault(self, kind: str, **about: Any) -> Fault:
        """Set a fault; an operation must be one of the document's."""
        operation = about.get("operation")
        if operation is not None and operation not in self.services.document.operations:
            raise BadControl(f"The document has no operation {operation!r}.")
        return self.faults.add(kind, **about)

    def behave(self) -> dict[str, Any]:
        """Take all faults back."""
        self.faults.clear()
        return {}

    def drop_fault(self, number: str) -> dict[str, Any]:
        """Take one fault back."""
        self.faults.remove(int(number))
        return {}

    def revoke(
        self, *, access_token: str | None = None, client_id: str | None = None
    ) -> dict[str, Any]:
        """Revoke one token, all tokens of a client, or all there are."""
        return {"revoked": self.provider.revoke(token=access_token, client=client_id)}

    def sign(self, document: str, *, signer: str | None = None) -> dict[str, Any]:
        """Sign as if the signer did; without one: everybody who has not yet."""
        with self.services.store.transaction():
            self._desk().pass_time()
            return {"signed": self._desk().sign(document, signer)}

    def open_link(self, document: str, *, signer: str = "") -> dict[str, Any]:
        """Open the signer's link and read the document."""
        with self.services.store.transaction():
            self._desk().open_link(document, signer)
        return {}

    def end_session(self, session: str, *, status: str = "success") -> dict[str, Any]:
        """Let an identification end at once."""
        known = self.services.document.schema("IdentificationIdSessionStatus")["enum"]
        if status not in known:
            raise BadControl(f"There is no status {status!r}; there are {', '.join(known)}.")
        with self.services.store.transaction() as db:
            _identification.end_session(db, session, status)
        return {}

    def wait_for_webhooks(self) -> dict[str, Any]:
        """Wait until all that happened has been delivered."""
        self.services.events.wait()
        return {}

    def seed(self, *, operation: str = "") -> dict[str, Any]:
        """Put in place what the examples name, as the operation needs it."""
        with self.services.store.transaction():
            _seed.seed(self.services, operation)
        return {}

    def reset(self) -> dict[str, Any]:
        """As new: no state, no tokens, no faults, standard settings, wall clock, zero counts."""
        self.services.events.wait()
        self.services.store.clear()
        self.services.clock.reset()
        self.change_settings(**attrs.asdict(Settings()))
        self.faults.clear()
        self.log.clear()
        self.forget_violations()
        return {}

    def _desk(self) -> Desk:
        with self.services.store.transaction() as db:
            return Desk(db=db, services=self.services, base_url=self.base_url)


ROUTES: Mapping[tuple[str, str], Callable[..., Any]] = {
    ("GET", ""): Control.overview,
    ("GET", "/requests"): Control.requests,
    ("DELETE", "/requests"): Control.forget_requests,
    ("GET", "/violations"): Control.list_violations,
    ("DELETE", "/violations"): Control.forget_violations,
    ("GET", "/clock"): Control.clock,
    ("POST", "/clock"): Control.move_clock,
    ("GET", "/settings"): Control.settings,
    ("PATCH", "/settings"): Control.change_settings,
    ("GET", "/faults"): Control.list_faults,
    ("POST", "/faults"): Control.misbehave,
    ("DELETE", "/faults"): Control.behave,
    ("DELETE", "/faults/*"): Control.drop_fault,
    ("POST", "/tokens/revoke"): Control.revoke,
    ("POST", "/documents/*/sign"): Control.sign,
    ("POST", "/documents/*/open"): Control.open_link,
    ("POST", "/sessions/*"): Control.end_session,
    ("POST", "/webhooks/wait"): Control.wait_for_webhooks,
    ("POST", "/seed"): Control.seed,
    ("POST", "/reset"): Control.reset,
}


def _route(
    method: str, parts: tuple[str, ...]
) -> tuple[Callable[..., Any], tuple[str, ...]] | None:
    for (verb, template), act in ROUTES.items():
        wanted = tuple(part for part in template.split("/") if part)
        if verb == method and len(wanted) == len(parts):
            pairs = list(zip(wanted, parts, strict=True))
            if all(want in ("*", part) for want, part in pairs):
                return act, tuple(part for want, part in pairs if want == "*")
    return None


def _check_setting(name: str, value: Any) -> None:
    if name == "withheld_scopes":
        is_list = isinstance(value, list | tuple)
        if not is_list or not all(isinstance(scope, str) for scope in value):
            raise BadControl("withheld_scopes is a list of scopes.")
        return
    if name == "session_seconds" and value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadControl(f"{name} is a number, not {value!r}.")
