"""
`signicat doctor`: each thing that can be wrong is found and told with its remedy.
"""

import json
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from auth_ext import AccessToken, MemoryTokenStore
from auth_ext.cli import _checks, _doctor
from auth_ext.sandbox import Sandbox
from generated_client.operations import SCOPES
from tests.cli.conftest import Here, Ran


def found(ran: Ran) -> dict[str, tuple[str, str, str]]:
    """
    Status, detail and remedy by name; of several with one name the one to be mended.
    """
    rows: dict[str, tuple[str, str, str]] = {}
    for line in ran.lines[:-2]:
        status, name, detail, remedy = [*line.split("\t"), ""][:4]
        if name not in rows or status == "mend":
            rows[name] = status, detail, remedy
    return rows


def test_all_is_well_with_good_settings(signicat: Here) -> None:
    """
    Code 0, and nothing to mend.
    """
    ran = signicat("doctor")

    assert ran.code == 0
    assert ran.lines[-1] == "All is well."
    assert {status for status, _, _ in found(ran).values()} == {"ok", "skipped"}
    assert found(ran)["scopes"][1].startswith(f"{len(SCOPES)} of {len(SCOPES)} granted: ")


def test_json_tells_the_same(signicat: Here, sandbox: Sandbox) -> None:
    """
    For monitoring: one object, the scopes by how they fared, no secret.
    """
    client = sandbox.clients["read-only"]
    os.environ |= {"SIGNICAT_CLIENT_ID": client.id, "SIGNICAT_CLIENT_SECRET": client.secret}
    ran = signicat("doctor", "--json")
    told = json.loads(ran.out)

    assert (ran.code, told["ok"]) == (0, True)
    assert set(told["scopes"]["granted"]) == client.scopes
    assert set(told["scopes"]["refused"]) == set(SCOPES) - client.scopes
    assert told["scopes"]["failed"] == []
    assert client.secret not in ran.out


def test_on_a_screen_there_are_ticks_and_crosses(signicat: Here) -> None:
    """
    Green for what is well, red for what is not, with the remedy below.
    """
    os.environ["SIGNICAT_CLIENT_SECRET"] = "wrong-s3cret"
    ran = signicat.on_screen("doctor", columns=70)

    assert ran.code == 1
    assert "\x1b[32m✓\x1b[0m settings" in ran.out
    assert "\x1b[31m✗\x1b[0m credentials  no token\n               token endpoint" in ran.out
    assert "wrong-s3cret" not in ran.out
    assert ran.lines[-1] == "There is something to mend."


def test_marks_are_words_where_they_cannot_be_shown(
    signicat: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    An ASCII terminal gets ok and mend.
    """
    monkeypatch.setattr(_doctor, "can_show", lambda _text, _stream: False)
    ran = signicat.on_screen("doctor", "--scopes", "event")

    assert ran.lines[0].startswith("\x1b[32mok\x1b[0m versions")


def test_wrong_credentials_are_found_and_the_scopes_left_alone(
    signicat: Here, sandbox: Sandbox
) -> None:
    """
    One token request is enough to know; 32 more would tell nothing.
    """
    os.environ["SIGNICAT_CLIENT_SECRET"] = "wrong-s3cret"
    rows = found(signicat("doctor"))

    assert rows["credentials"][0] == "mend"
    assert "Check the client id 'sandbox-full' and its secret" in rows["credentials"][2]
    assert rows["scopes"] == ("skipped", "the credentials come first", "")
    assert sum(one.method == "POST" for one in sandbox.requests.log) == 1


def test_scopes_that_are_needed_must_be_granted(signicat: Here, sandbox: Sandbox) -> None:
    """
    SIGNICAT_SCOPES names them; --scopes tries those alone.
    """
    client = sandbox.clients["read-only"]
    os.environ |= {"SIGNICAT_CLIENT_ID": client.id, "SIGNICAT_CLIENT_SECRET": client.secret}
    os.environ["SIGNICAT_SCOPES"] = "document_read document_write"
    every = signicat("doctor")
    some = signicat("doctor", "--scopes", "event jwt")
    fine = signicat("doctor", "--scopes", "event")

    assert every.code == 1
    assert found(every)["credentials"] == ("ok", "accepted", "")
    assert found(every)["scopes"][2].startswith(
        "Not granted (invalid_scope): document_write. Add what you need in the dashboard"
    )
    assert (some.code, found(some)["scopes"][1]) == (1, "1 of 2 granted: event")
    assert (fine.code, found(fine)["scopes"][1]) == (0, "1 of 1 granted: event")


def test_a_scope_that_is_left_out_is_not_granted(signicat: Here, sandbox: Sandbox) -> None:
    """
    A token without the scope asked for is as good as none.
    """
    other = {"access_token": "x", "token_type": "Bearer", "expires_in": 9, "scope": "other"}
    sandbox.misbehave("answer", target="token", body=other, skip=1)  # the clock passes
    ran = signicat("doctor", "--scopes", "event")

    assert ran.code == 1
    assert "Not granted (invalid_scope): event" in found(ran)["scopes"][2]


def test_a_scope_that_gets_no_answer_is_told(signicat: Here, sandbox: Sandbox) -> None:
    """
    Neither granted nor refused: the token endpoint failed amid it.
    """
    sandbox.misbehave("html", target="token", skip=2)  # clock and credentials pass
    ran = signicat("doctor", "--scopes", "event jwt", "--json")
    told = json.loads(ran.out)

    assert ran.code == 1
    assert told["scopes"]["failed"] == ["event", "jwt"]
    (check,) = (one for one in told["checks"] if one["detail"] == "some got no answer")
    assert "that is not a usable token" in check["remedy"]


def test_a_token_endpoint_that_answers_nonsense_is_told(signicat: Here, sandbox: Sandbox) -> None:
    """
    The credentials cannot be judged then.
    """
    sandbox.misbehave("html", target="token")
    rows = found(signicat("doctor"))

    assert rows["credentials"][0] == "mend"
    assert "that is not a usable token" in rows["credentials"][2]


@pytest.mark.parametrize(
    ("skew", "status", "detail"),
    [
        (-3600.0, "mend", "3600 s ahead of the service"),
        (3600.0, "mend", "3600 s behind the service"),
        (20.0, "ok", "20 s behind the service"),
    ],
)
def test_the_clock_is_held_against_the_date_of_an_answer(
    signicat: Here, sandbox: Sandbox, skew: float, status: str, detail: str
) -> None:
    """
    A clock that is off by more than half a minute is told.
    """
    sandbox.misbehave("date_skew", target="token", seconds=skew)
    told = found(signicat("doctor", "--scopes", "event"))["clock"]

    assert told[0] == status
    assert abs(int(told[1].split()[0]) - int(detail.split(maxsplit=1)[0])) <= 2
    assert told[1].split()[1:] == detail.split()[1:]
    assert ("set the clock (NTP)" in told[2]) is (status == "mend")


def test_a_clock_without_anything_to_compare_is_skipped(signicat: Here, sandbox: Sandbox) -> None:
    """
    No answer, no Date.
    """
    sandbox.misbehave("cut", target="token", after=0, times=1)

    assert found(signicat("doctor", "--scopes", "event"))["clock"][0] == "skipped"


# Settings


def test_missing_settings_are_found_first(signicat: Here) -> None:
    """
    Without them there is nobody to ask; the store is looked at all the same.
    """
    del os.environ["SIGNICAT_CLIENT_ID"]
    ran = signicat("doctor")
    rows = found(ran)

    assert ran.code == 1
    assert rows["settings"][2].startswith("SIGNICAT_CLIENT_ID missing: set it in the environment")
    assert rows["network"] == ("skipped", "the settings come first", "")
    assert rows["store"][0] == "ok"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SIGNICAT_BASE_URL", "api.signicat.io", "base_url must be an absolute URL"),
        ("SIGNICAT_TOKEN_URL", "http://example.org/token", "token_url must be https"),
        ("SIGNICAT_SCOPES", 'a"b', "is no scope: see RFC 6749"),
    ],
)
def test_a_malformed_setting_is_told(signicat: Here, name: str, value: str, said: str) -> None:
    """
    Before anything goes out.
    """
    os.environ[name] = value

    assert said in found(signicat("doctor"))["settings"][2]


def test_typing_mistakes_in_names_are_told(signicat: Here) -> None:
    """
    A variable that means nothing, a scope that nobody knows.
    """
    os.environ |= {"SIGNICAT_SECRET": "s3cret", "SIGNICAT_SCOPES": "documents_read"}
    ran = signicat("doctor")

    assert ran.code == 1
    assert "SIGNICAT_SECRET is set but means nothing here; did you mean SIGNICAT_CLIENT" in ran.out
    assert "'documents_read' is no scope of the document; did you mean document_read" in ran.out
    assert "s3cret" not in ran.out


def test_the_old_address_is_told(signicat: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    It works, but not for ever.
    """
    os.environ["SIGNICAT_TOKEN_URL"] = "https://api.idfy.io/oauth/connect/token"
    findings, target = _checks.settings(None)

    assert target is not None
    assert [one.detail for one in findings if one.status == "mend"] == ["an old address"]


def test_an_open_env_file_is_told_once(signicat: Here, folder: Path) -> None:
    """
    As a finding, not as a warning as well.
    """
    (folder / ".env").write_text("SIGNICAT_CLIENT_SECRET=x\n")
    (folder / ".env").chmod(0o644)
    ran = signicat("doctor")

    assert (ran.code, ran.err) == (1, "")
    assert found(ran)[".env"][2].endswith("Run: chmod 600 .env")


def test_a_secret_in_a_text_is_blanked(
    signicat: Here, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Even if a check were to say it.
    """
    leak = _checks.Finding("clock", "mend", sandbox.client_secret, f"x{sandbox.client_secret}")
    monkeypatch.setattr(_checks, "clock", lambda _target: leak)
    ran = signicat("doctor", "--scopes", "event")

    assert found(ran)["clock"] == ("mend", "[secret]", "x[secret]")
    assert sandbox.client_secret not in ran.out


# Network


def refusing_port() -> int:
    """
    A port where nobody listens.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def test_nobody_at_the_address_is_told(signicat: Here) -> None:
    """
    And nothing is asked of it.
    """
    port = refusing_port()
    os.environ["SIGNICAT_TOKEN_URL"] = f"http://127.0.0.1:{port}/token"
    rows = found(signicat("doctor"))

    assert rows["tls"] == (
        "mend",
        f"127.0.0.1:{port}: Connection refused",
        "Check the firewall, the VPN and the proxy settings (HTTPS_PROXY)",
    )
    assert rows["credentials"] == ("skipped", "the network comes first", "")


def test_a_name_that_nobody_knows_is_told(signicat: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The name server says no.
    """

    def unknown(*_args: object, **_named: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    (finding,) = _checks.network(httpx.URL("https://api.signicat.invalid"))

    assert (finding.status, finding.detail) == (
        "mend",
        "api.signicat.invalid: Name or service not known",
    )


def test_a_proxy_is_named_without_its_password(
    signicat: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    What lies behind a proxy is the proxy's to resolve.
    """
    monkeypatch.setenv("HTTPS_PROXY", "http://user:s3cret@proxy.example:3128")
    (finding,) = _checks.network(httpx.URL("https://api.signicat.io"))

    assert finding.status == "skipped"
    assert finding.detail == (
        "api.signicat.io:443 is reached through the proxy http://proxy.example:3128"
    )


@contextmanager
def tls_server(folder: Path, days: float) -> Iterator[tuple[int, Path]]:
    """
    A TLS server on loopback whose certificate is good for so many days; port and certificate.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)

    def serve(listener: socket.socket) -> None:
        line, _ = listener.accept()
        try:
            context.wrap_socket(line, server_side=True).close()
        except OSError:
            line.close()  # the client went: the certificate was not to its liking

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        yield listener.getsockname()[1], file
        thread.join(10)


@pytest.mark.parametrize(("days", "status"), [(100.5, "ok"), (5.5, "mend")])
def test_a_certificate_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: float, status: str
) -> None:
    """
    Its protocol, and how long it is good.
    """
    with tls_server(tmp_path, days) as (port, file):
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        findings = list(_checks.network(httpx.URL(f"https://localhost:{port}")))

    assert findings[-1].status == status
    assert findings[-1].detail == (
        f"localhost:{port} speaks TLSv1.3, its certificate is good for {int(days)} days"
    )


def test_a_certificate_that_nobody_vouches_for_is_told(tmp_path: Path) -> None:
    """
    As a company's proxy shows them.
    """
    with tls_server(tmp_path, 100) as (port, _):
        findings = list(_checks.network(httpx.URL(f"https://localhost:{port}")))

    assert findings[-1].status == "mend"
    assert "its certificate is not trusted (self-signed certificate)" in findings[-1].detail
    assert "SSL_CERT_FILE" in findings[-1].remedy


def test_something_that_speaks_no_tls_is_told(sandbox: Sandbox) -> None:
    """
    Plain http where https is expected.
    """
    url = httpx.URL(sandbox.url).copy_with(scheme="https")
    findings = list(_checks.network(url))

    assert (findings[-1].name, findings[-1].status) == ("tls", "mend")


# Store


def test_a_store_in_memory_is_told_as_such(signicat: Here) -> None:
    """
    It works, and shares nothing.
    """
    os.environ["SIGNICAT_TOKEN_STORE"] = "memory"

    assert found(signicat("doctor", "--scopes", "event"))["store"] == (
        "ok",
        "memory: each run fetches its own token",
        "",
    )


def test_a_folder_that_others_may_write_to_is_told(signicat: Here, tmp_path: Path) -> None:
    """
    With the command that mends it.
    """
    folder = tmp_path / "tokens"
    folder.mkdir()
    folder.chmod(0o777)
    told = found(signicat("doctor", "--scopes", "event"))["store"]

    assert told[0] == "mend"
    assert f"Run: chmod 700 {folder}" in told[2]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("nonsense", "SIGNICAT_TOKEN_STORE must be memory, file, file:PATH"),
        ("redis://:s3cret@127.0.0.1:1/0", "Connection refused"),
    ],
)
def test_a_store_that_cannot_be_used_is_told(signicat: Here, value: str, said: str) -> None:
    """
    And no password of it.
    """
    os.environ["SIGNICAT_TOKEN_STORE"] = value
    ran = signicat("doctor", "--scopes", "event")

    assert ran.code == 1
    assert said in found(ran)["store"][2]
    assert "s3cret" not in ran.out


def test_a_store_whose_library_is_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    With what to install.
    """

    def missing() -> None:
        raise ModuleNotFoundError("No module named 'redis'", name="redis")

    monkeypatch.setattr(_checks, "chosen_store", missing)

    assert _checks.store().remedy == (
        'redis is missing. Run: pip install "signicat-express-client[redis]"'
    )


class Odd(MemoryTokenStore):
    """
    A store that forgets, and whose lock is none.
    """

    def __init__(self, *, forgets: bool) -> None:
        super().__init__()
        self._forgets = forgets

    def get(self, key: str) -> AccessToken | None:
        """
        Nothing, or what was kept.
        """
        return None if self._forgets else super().get(key)

    def lock(self, key: str, timeout: float) -> Any:
        """
        Keeps nobody out.
        """
        return nullcontext()


@pytest.mark.parametrize(
    ("forgets", "said"),
    [
        (True, "What was written was not there to be read"),
        (False, "Its lock lets two in at a time"),
    ],
)
def test_a_store_is_tried_and_not_believed(forgets: bool, said: str) -> None:
    """
    Written, read back, and locked twice.
    """
    finding = _checks._tried("redis", Odd(forgets=forgets))

    assert (finding.status, finding.remedy) == ("mend", said)
