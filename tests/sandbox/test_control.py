"""The control URL, and the same from Python."""

from typing import Any

import httpx
import pytest

from auth_ext.sandbox import BadControl, Sandbox
from tests.sandbox.conftest import Api


def test_the_overview_tells_how_the_sandbox_is_set(sandbox: Sandbox, http: httpx.Client) -> None:
    """Where it is, who its clients are, and no secret."""
    told = http.get("/_sandbox").json()

    assert (sandbox.url, sandbox.token_url) == (told["url"], told["tokenUrl"])
    assert ["full", "read-only", "useless", "awkward"] == [one["name"] for one in told["clients"]]
    assert "no-secret" not in repr(told)


def test_requests_are_counted(api: Api, http: httpx.Client) -> None:
    """By endpoint, status and operation; requests to the control URL are not."""
    api.ask("list_webhooks")
    api.http.get("/nowhere")
    http.post(api.sandbox.token_url)
    told = http.get("/_sandbox/requests").json()
    counts = api.sandbox.requests

    assert (1, 2) == (counts.token, counts.api)
    assert ({200: 1, 404: 1}, {400: 1}) == (counts.by_status, counts.token_by_status)
    assert {"list_webhooks": 1} == counts.by_operation
    assert (1, 2, {"200": 1, "404": 1}) == (told["token"], told["api"], told["by_status"])
    assert ["api", "api", "token"] == [request["kind"] for request in told["log"]]


def test_counts_can_be_forgotten(api: Api, http: httpx.Client) -> None:
    """To count one part of a test."""
    api.ask("list_webhooks")
    http.delete("/_sandbox/requests")

    assert (0, ()) == (api.sandbox.requests.api, api.sandbox.requests.log)


def test_the_clock_moves_by_seconds_or_to_a_moment(sandbox: Sandbox, http: httpx.Client) -> None:
    """And its offset is told."""
    http.post("/_sandbox/clock", json={"to": "2030-05-06T00:00:00+02:00"})
    told = http.post("/_sandbox/clock", json={"advance": 3600}).json()

    assert told["now"].startswith("2030-05-05T23:00:0")
    assert 0 < told["offset"] == http.get("/_sandbox/clock").json()["offset"]


@pytest.mark.parametrize("body", [{"advance": "1"}, {"advance": True}, {"to": "tomorrow"}])
def test_the_clock_refuses_nonsense(http: httpx.Client, body: Any) -> None:
    """And stays."""
    assert 400 == http.post("/_sandbox/clock", json=body).status_code
    assert 0 == http.get("/_sandbox/clock").json()["offset"]


def test_a_moment_without_an_offset_is_utc(http: httpx.Client) -> None:
    """Whatever the machine's zone."""
    told = http.post("/_sandbox/clock", json={"to": "2030-05-06T01:02:03"}).json()

    assert told["now"].startswith("2030-05-06T01:02:03")


def test_settings_can_be_read_and_changed(sandbox: Sandbox, http: httpx.Client) -> None:
    """One by one; the others stay."""
    before = http.get("/_sandbox/settings").json()
    after = http.patch("/_sandbox/settings", json={"token_lifetime": 5}).json()

    assert before | {"token_lifetime": 5} == after


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"colour": 1}, "no setting 'colour'"),
        ({"token_lifetime": "5"}, "token_lifetime is a number"),
        ({"token_lifetime": None}, "token_lifetime is a number"),
        ({"withheld_scopes": "event"}, "list of scopes"),
        ({"withheld_scopes": [1]}, "list of scopes"),
        ({"withheld_scopes": 3}, "list of scopes"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(
    sandbox: Sandbox, http: httpx.Client, body: Any, text: str
) -> None:
    """One wrong one, and none is changed."""
    before = sandbox.control("GET", "/settings")
    answer = http.patch("/_sandbox/settings", json={"date_skew": 1} | body)

    assert 400 == answer.status_code
    assert text in answer.json()["message"]
    assert before == sandbox.control("GET", "/settings")


def test_faults_spare_the_control_url(sandbox: Sandbox, http: httpx.Client) -> None:
    """Else nobody could take them back."""
    sandbox.misbehave("cut", target="all", after=0)
    listed = http.get("/_sandbox/faults").json()
    http.delete("/_sandbox/faults")

    assert ["cut"] == [fault["kind"] for fault in listed]
    assert 0 == listed[0]["after"]
    assert 401 == http.get("/notification/events").status_code


def test_signing_over_http(api: Api, http: httpx.Client) -> None:
    """Who signed is told; 409 when nothing is left; 404 when there is nothing."""
    made = api.create()
    path = f"/_sandbox/documents/{made['documentId']}/sign"

    assert {"signed": [made["signers"][0]["id"]]} == http.post(path).json()
    assert 409 == http.post(path).status_code
    assert 404 == http.post("/_sandbox/documents/nothing/sign").status_code


def test_revoking_over_http(api: Api, http: httpx.Client) -> None:
    """All, when nothing more is said."""
    assert {"revoked": 1} == http.post("/_sandbox/tokens/revoke").json()
    assert 401 == api.call("list_webhooks").status_code


def test_reset_makes_all_as_new(api: Api, http: httpx.Client) -> None:
    """State, tokens, faults, settings, clock and counts."""
    api.create()
    api.sandbox.advance(60)
    api.sandbox.configure(token_lifetime=1)
    api.sandbox.misbehave("status")
    api.sandbox.reset()
    told = http.get("/_sandbox").json()

    assert ([], 3600, 0) == (
        told["faults"],
        told["settings"]["token_lifetime"],
        told["clock"]["offset"],
    )
    assert 401 == api.call("peek_events").status_code
    api.renew()
    assert [] == api.ask("peek_events")


def test_seeding_again_and_again_gives_the_same(api: Api, http: httpx.Client) -> None:
    """One document, one webhook, one session, one event."""
    for _ in range(2):
        http.post("/_sandbox/seed", json={"operation": "get_signer_file"})

    assert 1 == api.ask("list_document_summaries")["size"]
    assert 1 == len(api.ask("list_webhooks")) == len(api.ask("list_sessions")["data"])


def test_waiting_for_webhooks_over_http(http: httpx.Client) -> None:
    """There are none: at once."""
    assert 200 == http.post("/_sandbox/webhooks/wait").status_code


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/nowhere", None, 404),
        ("PUT", "/clock", {}, 404),
        ("POST", "/clock", [1], 400),
        ("POST", "/clock", {"hour": 1}, 400),
        ("DELETE", "/faults/x", None, 400),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(
    http: httpx.Client, method: str, path: str, body: Any, status: int
) -> None:
    """In one line that says what is wrong."""
    answer = http.request(method, f"/_sandbox{path}", json=body)

    assert status == answer.status_code
    assert "\n" not in answer.json()["message"]


def test_an_unknown_path_is_told_what_there_is(http: httpx.Client) -> None:
    """All of the control URL."""
    assert "POST /_sandbox/reset" in http.get("/_sandbox/nowhere").json()["known"]


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"Host": "evil.example:80"}, {"Origin": "http://x"}]
)
def test_web_pages_cannot_reach_the_control_url(
    http: httpx.Client, headers: dict[str, str]
) -> None:
    """Neither by a name that leads to loopback nor from another origin."""
    answer = http.get("/_sandbox", headers=headers)

    assert (403, "not_loopback") == (answer.status_code, answer.json()["code"])


@pytest.mark.parametrize("host", ["localhost", "localhost:80", "[::1]:80", "127.0.0.1"])
def test_loopback_has_many_names(http: httpx.Client, host: str) -> None:
    """With and without a port."""
    assert 200 == http.get("/_sandbox", headers={"Host": host}).status_code


def test_violations_are_kept_until_they_are_forgotten(http: httpx.Client) -> None:
    """Loud, but not for ever."""
    with Sandbox() as other:
        other._told.violation("GET", "/x", "wrong")
        told = other.control("GET", "/violations")
        seen = other.violations
        other.control("DELETE", "/violations")

        assert (["GET /x: wrong"], ("GET /x: wrong",)) == (told, seen)
        assert () == other.violations


def test_python_gets_an_error_where_http_gets_a_status(sandbox: Sandbox) -> None:
    """With the same text."""
    with pytest.raises(BadControl, match="no GET /nowhere"):
        sandbox.control("GET", "/nowhere")
