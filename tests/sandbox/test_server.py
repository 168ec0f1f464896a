"""The server: HTTP, concurrency, start and stop."""

import gc
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from auth_ext import sandbox as package
from auth_ext.sandbox import Client, Sandbox, examples
from auth_ext.sandbox._calls import HANDLERS, Answer
from auth_ext.sandbox._server import _Quiet
from tests.sandbox.conftest import Api


def test_connections_are_kept_and_used_again(sandbox: Sandbox) -> None:
    """Ten requests, whatever they are answered, one connection."""
    address = (sandbox.url.removeprefix("http://").split(":")[0], int(sandbox.url.split(":")[2]))
    request = b"POST /nowhere HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 3\r\n\r\nabc"
    with socket.create_connection(address, timeout=5) as line:
        for _ in range(10):
            line.sendall(request)
            answer = b""
            while b"\r\n\r\n" not in answer or not answer.endswith(b"}"):
                answer += line.recv(65536)
            assert answer.startswith(b"HTTP/1.1 404")


def test_fifty_clients_at_once(sandbox: Sandbox) -> None:
    """Each gets its own token and its own answer."""

    def one(number: int) -> Any:
        with httpx.Client(base_url=sandbox.url, trust_env=False, verify=False) as http:
            return Api(sandbox, http).create(externalId=f"doc-{number}")["externalId"]

    with ThreadPoolExecutor(50) as pool:
        made = list(pool.map(one, range(50)))

    assert [f"doc-{number}" for number in range(50)] == made
    assert 50 == sandbox.requests.by_operation["create_document"]


def test_nothing_is_left_after_the_end() -> None:
    """No thread, no socket, no warning of something unclosed, the port free again."""
    before = set(threading.enumerate())
    with Sandbox() as sandbox, httpx.Client(trust_env=False, verify=False) as http:
        Api(sandbox, http)
        port = int(sandbox.url.split(":")[2])
    gc.collect()

    assert before == set(threading.enumerate())
    with socket.socket() as line:
        line.bind(("127.0.0.1", port))


def test_stopping_twice_and_starting_again(http: httpx.Client) -> None:
    """The second stop does nothing; the next start is a new service."""
    sandbox = Sandbox()
    sandbox.stop()
    for _ in range(2):
        sandbox.start()
        assert 401 == httpx.get(f"{sandbox.url}/admin/account", trust_env=False).status_code
        sandbox.stop()
        sandbox.stop()


def test_only_loopback_is_served() -> None:
    """Others are refused before anything listens."""
    with pytest.raises(ValueError, match="loopback only"):
        Sandbox(host="0.0.0.0").start()


def test_a_port_that_is_taken_is_an_os_error(sandbox: Sandbox) -> None:
    """And the database is closed again."""
    with pytest.raises(OSError, match="in use"):
        Sandbox(port=int(sandbox.url.split(":")[2])).start()


def test_a_file_that_is_no_database_is_an_os_error(tmp_path: Any) -> None:
    """It says which file."""
    file = tmp_path / "text.db"
    file.write_text("This is no database, and long enough to be looked at. " * 9)

    with pytest.raises(OSError, match=r"text\.db: is not a database"):
        Sandbox(database=file).start()
    with pytest.raises(OSError, match="cannot be opened"):
        Sandbox(database=tmp_path / "none" / "x.db").start()


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
def test_the_other_loopback_is_served_too() -> None:
    """IPv6 addresses stand in brackets."""
    with Sandbox(host="::1") as sandbox:
        assert sandbox.url.startswith("http://[::1]:")
        assert 200 == httpx.get(sandbox.control_url, trust_env=False).status_code


def test_before_the_start_there_is_no_url() -> None:
    """The error says how to start."""
    with pytest.raises(RuntimeError, match="with Sandbox"):
        _ = Sandbox().url


def test_clients_of_one_s_own() -> None:
    """The first is the sandbox's; the environment names it."""
    mine = Client("mine", "me", "secret", frozenset({"event"}))
    with Sandbox(clients=[mine]) as sandbox:
        expected = {
            "SIGNICAT_CLIENT_ID": "me",
            "SIGNICAT_CLIENT_SECRET": "secret",
            "SIGNICAT_BASE_URL": sandbox.url,
            "SIGNICAT_TOKEN_URL": f"{sandbox.url}/oauth/connect/token",
        }
        assert expected == sandbox.environment


def test_the_secret_of_a_client_is_not_shown() -> None:
    """Neither in its repr."""
    assert "no-secret" not in repr(Sandbox().clients)


def test_a_wrong_method_is_told_the_right_ones(api: Api) -> None:
    """405 with Allow."""
    answer = api.http.put("/notification/webhooks/1")

    assert (405, "DELETE, GET, PATCH") == (answer.status_code, answer.headers["Allow"])


@pytest.mark.parametrize("path", ["/", "/nowhere", "/jwt//validate", "/signature/documents/"])
def test_an_unknown_path_is_404(api: Api, path: str) -> None:
    """With the vendor's error body."""
    answer = api.http.get(f"{api.sandbox.url}{path}")

    assert (404, "not_found") == (answer.status_code, answer.json()["code"])


def test_a_path_parameter_may_hold_anything_quoted(api: Api) -> None:
    """Spaces, slashes and letters of the north arrive as they were."""
    answer = api.http.get("/information/businessregistry/a%20b%2Fc%C3%B8")

    assert (200, "a b/cø") == (answer.status_code, answer.json()["authorityCode"])


def test_an_answer_that_breaks_the_document_is_loud(monkeypatch: pytest.MonkeyPatch) -> None:
    """500, and a violation that tests look for."""
    monkeypatch.setitem(HANDLERS, "list_webhooks", lambda _call: Answer(json={"not": "a list"}))
    with Sandbox() as broken, httpx.Client(base_url=broken.url, trust_env=False) as http:
        answer = Api(broken, http).call("list_webhooks")

        assert (500, "sandbox_answer_invalid") == (answer.status_code, answer.json()["code"])
        assert 1 == len(broken.violations)
        assert "is not of type 'array'" in broken.violations[0]


def test_a_bug_in_a_handler_is_loud_and_undoes_its_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """500 with the traceback among the violations, and nothing half done."""

    def stumble(call: Any) -> Answer:
        call.db.execute("DELETE FROM token")
        raise ZeroDivisionError

    monkeypatch.setitem(HANDLERS, "list_webhooks", stumble)
    with Sandbox() as broken, httpx.Client(base_url=broken.url, trust_env=False) as http:
        api = Api(broken, http)

        assert 500 == api.call("list_webhooks").status_code
        assert "ZeroDivisionError" in broken.violations[0]
        assert 200 == api.call("peek_events").status_code


def test_troubles_of_the_server_are_loud() -> None:
    """What cheroot only prints is kept; its remarks are not."""
    heard: list[str] = []
    quiet = _Quiet(("127.0.0.1", 0), None)
    quiet.complain = heard.append
    quiet.error_log("A remark", level=20)
    quiet.error_log("A trouble", level=40)
    try:
        raise ZeroDivisionError
    except ZeroDivisionError:
        quiet.error_log("A crash", level=40, traceback=True)

    assert "A trouble" == heard[0]
    assert "ZeroDivisionError" in heard[1]
    assert 2 == len(heard)


def test_the_package_has_just_its_names() -> None:
    """They are imported when they are asked for."""
    assert all(getattr(package, name) for name in package.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Other'"):
        _ = package.Other


def test_the_date_is_the_sandbox_s(sandbox: Sandbox, http: httpx.Client) -> None:
    """It moves with its clock."""
    sandbox.control("POST", "/clock", to="2030-05-06T00:00:00Z")

    assert "Mon, 06 May 2030" in http.get("/nowhere").headers["Date"]


def test_a_body_that_ends_too_early_is_400_and_no_violation(sandbox: Sandbox) -> None:
    """Its sender has hung up: that is not the sandbox's fault."""
    host, port = sandbox.url.removeprefix("http://").split(":")
    head = (
        b"POST /signature/documents HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=5) as line:
        line.sendall(head + b"8\r\nhalf")
        line.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: line.recv(65536), b""))

    assert answer.startswith(b"HTTP/1.1 400")
    assert b"incomplete_request" in answer


def test_a_form_whose_part_has_no_name_is_400(api: Api) -> None:
    """And no violation."""
    path = examples.request("upload_bucket_file").path
    answer = api.http.post(
        path,
        content=b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n",
        headers={"Content-Type": "multipart/form-data; boundary=b"},
    )

    assert (400, "invalid_request") == (answer.status_code, answer.json()["code"])


def test_a_multipart_upload_needs_its_file(api: Api) -> None:
    """The contract holds for forms too."""
    example = examples.request("upload_bucket_file")
    answer = api.http.post(example.path, files={"other": ("a", b"x")})

    assert (400, "file") == (answer.status_code, answer.json()["errors"][0]["field"])
