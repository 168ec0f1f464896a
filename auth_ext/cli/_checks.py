"""
What `signicat doctor` looks at, one function each; none of them raises for what it finds.
"""

import os
import platform
import secrets
import socket
import ssl
import sys
import time
import warnings
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal
from urllib.request import getproxies, proxy_bypass

import attrs
import httpx

from auth_ext._flow import OAuth2ClientCredentials
from auth_ext._settings import (
    BASE_URL,
    TOKEN_URL,
    Credentials,
    checked_base_url,
    checked_token_url,
    normalised_scopes,
)
from auth_ext._token import AccessToken
from auth_ext._version import __version__
from auth_ext.cli._problem import did_you_mean, unknown_scope
from auth_ext.cli._settings import PREFIX, chosen_store
from auth_ext.errors import (
    DASHBOARD_PATH,
    AuthError,
    ConfigurationError,
    InvalidScope,
)
from auth_ext.stores import MemoryTokenStore, TokenStore
from generated_client.operations import SCOPES

Status = Literal["ok", "mend", "skipped"]

KNOWN = tuple(
    PREFIX + name
    for name in ("CLIENT_ID", "CLIENT_SECRET", "SCOPES", "BASE_URL", "TOKEN_URL", "TOKEN_STORE")
)

NETWORK_SECONDS = 10.0
TOKEN_SECONDS = 20.0
MOST_AT_ONCE = 4  # token requests; more would look like an attack
MOST_SKEW = 30.0
DAYS_LEFT = 14


@attrs.frozen
class Finding:
    """
    What one check found.

    Attributes:
        name: What was looked at.

        status: `ok`; `mend`: something is to be done; `skipped`: it could not be looked at.

        detail: What was seen.

        remedy: What to do about it.
    """

    name: str
    status: Status
    detail: str
    remedy: str = ""


@attrs.frozen
class Target:
    """
    Whom the checks ask, and as whom.

    Attributes:
        required: Scopes that must be granted.

        tried: Scopes to ask for, one by one.

        trust: Whose certificates are believed; read once, as that takes its time.
    """

    credentials: Credentials
    base_url: httpx.URL
    token_url: httpx.URL
    required: tuple[str, ...]
    tried: tuple[str, ...]
    trust: ssl.SSLContext = attrs.field(factory=httpx.create_ssl_context, repr=False)

    def auth(self, scopes: Iterable[str]) -> OAuth2ClientCredentials:
        """
        A flow that remembers nothing of others: neither tokens nor refusals.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # a finding of its own
            return OAuth2ClientCredentials(
                self.credentials.client_id,
                self.credentials.client_secret,
                scopes=tuple(scopes),
                token_url=self.token_url,
                origins=(str(self.base_url),),
                store=MemoryTokenStore(),
                deadline=TOKEN_SECONDS,
                httpx_args={"verify": self.trust},
            )


@attrs.frozen
class Grants:
    """
    How the scopes fared: granted, refused by `invalid_scope` or left out, failed otherwise.
    """

    granted: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


def versions() -> Finding:
    """
    What runs here.
    """
    parts = [
        f"signicat-express-client {__version__}",
        f"httpx {httpx.__version__}",
        f"Python {platform.python_version()}",
        ssl.OPENSSL_VERSION,
        sys.platform,
    ]
    return Finding("versions", "ok", ", ".join(parts))


def settings(scopes: str | None) -> tuple[list[Finding], Target | None]:
    """
    What is set, checked as far as possible without the network; and the target, if there is one.

    Args:
        scopes: Those of the command line; None: SIGNICAT_SCOPES are required, all are tried.
    """
    findings = [_unknown_setting(name) for name in sorted(os.environ) if _is_unknown(name)]
    try:
        credentials = Credentials.checked(None, None)
        base_url = checked_base_url(os.environ.get("SIGNICAT_BASE_URL") or BASE_URL)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            given = os.environ.get("SIGNICAT_TOKEN_URL") or TOKEN_URL
            token_url = checked_token_url(given, stacklevel=1)
        wanted = os.environ.get("SIGNICAT_SCOPES", "") if scopes is None else scopes
        required = () if scopes is None and not wanted.strip() else normalised_scopes(wanted)
    except ConfigurationError as error:
        return [*findings, Finding("settings", "mend", "not usable", str(error))], None
    findings += [_deprecated(str(one.message)) for one in told]
    findings += [_unknown_scope(name) for name in required if name not in SCOPES]
    tried = tuple(dict.fromkeys((*required, *(SCOPES if scopes is None else ()))))
    detail = f"client {credentials.client_id}, secret set, {base_url}"
    findings.insert(0, Finding("settings", "ok", detail))
    return findings, Target(credentials, base_url, token_url, required, tried)


def _is_unknown(name: str) -> bool:
    return name.startswith(PREFIX) and name not in KNOWN


def _unknown_setting(name: str) -> Finding:
    remedy = f"{name} is set but means nothing here{did_you_mean(name, KNOWN)}"
    return Finding("settings", "mend", "an unknown variable", remedy)


def _deprecated(text: str) -> Finding:
    return Finding("settings", "mend", "an old address", f"{text} (SIGNICAT_TOKEN_URL)")


def _unknown_scope(name: str) -> Finding:
    return Finding("settings", "mend", "an unknown scope", unknown_scope(name))


# The network


def endpoints(target: Target) -> list[httpx.URL]:
    """
    The addresses to reach; one of each host and port.
    """
    by_origin = {
        (url.scheme, url.host, url.port): url for url in (target.base_url, target.token_url)
    }
    return list(by_origin.values())


def network(url: httpx.URL) -> Iterator[Finding]:
    """
    Name resolution, connection and TLS.
    """
    port = url.port or (443 if url.scheme == "https" else 80)
    where = f"{url.host}:{port}"
    proxy = getproxies().get(url.scheme) or getproxies().get("all")
    if proxy and not proxy_bypass(url.host):
        shown = httpx.URL(proxy).copy_with(userinfo=b"")
        yield Finding("network", "skipped", f"{where} is reached through the proxy {shown}")
        return
    try:
        found = socket.getaddrinfo(url.host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        yield Finding("dns", "mend", f"{url.host}: {error.strerror or error}", _DNS_REMEDY)
        return
    addresses = sorted({str(entry[4][0]) for entry in found})
    yield Finding("dns", "ok", f"{url.host} is {', '.join(addresses[:4])}")
    yield _connection(url, port, where)


_DNS_REMEDY = "Check SIGNICAT_BASE_URL and SIGNICAT_TOKEN_URL, the name server and the VPN"


def _connection(url: httpx.URL, port: int, where: str) -> Finding:
    try:
        with socket.create_connection((url.host, port), NETWORK_SECONDS) as line:
            if url.scheme == "http":
                return Finding("tls", "skipped", f"{where} is plain http on this machine")
            context = httpx.create_ssl_context()
            with context.wrap_socket(line, server_hostname=url.host) as encrypted:
                return _certificate(encrypted, where)
    except ssl.SSLCertVerificationError as error:
        detail = f"{where}: its certificate is not trusted ({error.verify_message})"
        return Finding("tls", "mend", detail, _TRUST_REMEDY)
    except ssl.SSLError as error:
        return Finding("tls", "mend", f"{where}: {error.reason or error}", _TRUST_REMEDY)
    except OSError as error:
        remedy = "Check the firewall, the VPN and the proxy settings (HTTPS_PROXY)"
        return Finding("tls", "mend", f"{where}: {error.strerror or error}", remedy)


_TRUST_REMEDY = (
    "Something between here and the service answers in its place, or its authority is unknown"
    " here: set SSL_CERT_FILE to the certificate of your company's proxy"
)


def _certificate(encrypted: ssl.SSLSocket, where: str) -> Finding:
    ends = ssl.cert_time_to_seconds(str((encrypted.getpeercert() or {})["notAfter"]))
    days = int((ends - time.time()) // 86400)
    detail = f"{where} speaks {encrypted.version()}, its certificate is good for {days} days"
    if days >= DAYS_LEFT:
        return Finding("tls", "ok", detail)
    return Finding("tls", "mend", detail, "It ends soon: tell those who run the service")


def clock(target: Target) -> Finding:
    """
    This machine's clock against the Date header of the token endpoint.
    """
    try:
        before = time.time()
        response = httpx.get(target.token_url, timeout=NETWORK_SECONDS, verify=target.trust)
        now = (before + time.time()) / 2
        # The header is cut to the second, so it is half a second old on average.
        theirs = parsedate_to_datetime(response.headers["Date"]).timestamp() + 0.5
    except (httpx.HTTPError, KeyError, ValueError) as error:
        return Finding(
            "clock", "skipped", f"no Date header to compare with ({type(error).__name__})"
        )
    ahead = now - theirs
    detail = f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the service"
    if abs(ahead) <= MOST_SKEW:
        return Finding("clock", "ok", detail)
    utc = datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds")
    return Finding("clock", "mend", detail, f"It is {utc} here: set the clock (NTP)")


# The token endpoint


def credentials(target: Target) -> Finding:
    """
    Whether the token endpoint accepts the client id and secret.
    """
    scopes = target.required or target.tried[:1]
    try:
        token = target.auth(scopes).get_token()
    except InvalidScope:
        # It knows us; which of the scopes it was is the next check's business.
        return Finding("credentials", "ok", "accepted")
    except AuthError as error:
        return Finding("credentials", "mend", "no token", str(error))
    minutes = token.lifetime / 60
    return Finding("credentials", "ok", f"accepted, tokens live {minutes:.0f} min")


def grants(target: Target) -> tuple[Grants, Sequence[str]]:
    """
    How each scope fares, and what was said about those that failed.
    """
    import anyio

    outcomes: dict[str, str] = {}

    async def ask(scope: str, limiter: anyio.CapacityLimiter) -> None:
        async with limiter:
            outcomes[scope] = await _outcome(target, scope)

    async def ask_all() -> None:
        limiter = anyio.CapacityLimiter(MOST_AT_ONCE)
        async with anyio.create_task_group() as group:
            for scope in target.tried:
                group.start_soon(ask, scope, limiter)

    # Tasks, not a pool of threads: Ctrl-C ends them at once.
    anyio.run(ask_all)
    failed = {scope: said for scope, said in outcomes.items() if said not in ("granted", "refused")}
    by_kind = Grants(
        granted=tuple(s for s in target.tried if outcomes[s] == "granted"),
        refused=tuple(s for s in target.tried if outcomes[s] == "refused"),
        failed=tuple(s for s in target.tried if s in failed),
    )
    return by_kind, sorted(set(failed.values()))


async def _outcome(target: Target, scope: str) -> str:
    try:
        token = await target.auth([scope]).aget_token()
    except InvalidScope:
        return "refused"
    except AuthError as error:
        return str(error)
    return "granted" if scope in token.scopes else "refused"


def scopes(target: Target) -> tuple[Grants, list[Finding]]:
    """
    The scopes asked for one by one.
    """
    found, said = grants(target)
    lacking = [scope for scope in target.required if scope in found.refused]
    detail = f"{len(found.granted)} of {len(target.tried)} granted"
    if found.granted:
        detail += f": {' '.join(found.granted)}"
    findings = [Finding("scopes", "mend", "some got no answer", text) for text in said]
    if found.refused and not lacking and found.granted:
        detail += f". Not granted (invalid_scope): {' '.join(found.refused)}"
    if lacking or (found.refused and not found.granted):
        names = " ".join(lacking or found.refused)
        remedy = (
            f"Not granted (invalid_scope): {names}. Add what you need in the dashboard"
            f" ({DASHBOARD_PATH}), in the environment you mean (test or production)"
        )
        findings.insert(0, Finding("scopes", "mend", detail, remedy))
    else:
        findings.insert(0, Finding("scopes", "ok", detail))
    return found, findings


# The token store


def store() -> Finding:
    """
    Whether tokens can be kept, read, and locked against others.
    """
    try:
        name, chosen = chosen_store()
        return _tried(name, chosen)
    except ConfigurationError as error:
        return Finding("store", "mend", "not usable", str(error))
    except ModuleNotFoundError as error:
        remedy = f'{error.name} is missing. Run: pip install "signicat-express-client[redis]"'
        return Finding("store", "mend", "not usable", remedy)
    except Exception as error:  # noqa: BLE001 - a store may be anybody's, and fail in any way
        return Finding("store", "mend", "not usable", f"{type(error).__name__}: {error}")


def _tried(name: str, chosen: TokenStore) -> Finding:
    kind = name.partition(":")[0]
    where = f"{kind} {getattr(chosen, 'path', '')}".rstrip()
    if kind == "memory":
        return Finding("store", "ok", "memory: each run fetches its own token")
    now = time.time()
    probe = AccessToken(
        value=f"doctor-{secrets.token_hex(8)}",
        scopes=frozenset(),
        requested_scopes=frozenset(),
        issued_at=now,
        expires_at=now + 60,
    )
    with chosen.lock(PROBE_KEY, NETWORK_SECONDS):
        chosen.set(PROBE_KEY, probe)
        kept = chosen.get(PROBE_KEY)
        chosen.delete(PROBE_KEY, probe)
        excludes = _excludes_others(chosen)
    if kept != probe:
        return Finding("store", "mend", where, "What was written was not there to be read")
    if not excludes:
        return Finding("store", "mend", where, "Its lock lets two in at a time")
    return Finding("store", "ok", f"{where}: private, written, read, and its lock holds")


PROBE_KEY = "signicat-doctor"


def _excludes_others(chosen: TokenStore) -> bool:
    try:
        with chosen.lock(PROBE_KEY, 0.05):
            return False
    except TimeoutError:
        return True
