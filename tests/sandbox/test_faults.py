"""Misbehaviour on demand, as a client on the wire sees it."""

import threading
import time
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from auth_ext.sandbox import BadControl, Sandbox
from tests.sandbox.conftest import Api

SUMMARIES = "/signature/documents/summary"


@pytest.fixture(params=["token", "api"])
def ask(request: pytest.FixtureRequest, api: Api) -> Any:
    """Sends one request to the target under test; has its name."""

    def send() -> httpx.Response:
        if request.param == "api":
            return api.http.get(SUMMARIES)
        auth = (api.sandbox.client_id, api.sandbox.client_secret)
        return api.http.post(
            api.sandbox.token_url, data={"grant_type": "client_credentials"}, auth=auth
        )

    send.target = request.param  # type: ignore[attr-defined]
    return send


def test_a_status_comes_with_the_body_of_its_endpoint(sandbox: Sandbox, ask: Any) -> None:
    """And with Retry-After when told so."""
    sandbox.misbehave("status", target=ask.target, status=429, retry_after=2)
    answer = ask()

    assert (429, "2") == (answer.status_code, answer.headers["Retry-After"])
    assert ("error" if ask.target == "token" else "message") in answer.json()


def test_a_status_without_retry_after_has_none(sandbox: Sandbox, ask: Any) -> None:
    """503 is what is meant when nothing else is said."""
    sandbox.misbehave("status", target=ask.target)
    answer = ask()

    assert 503 == answer.status_code
    assert "Retry-After" not in answer.headers


def test_any_answer_can_be_given(sandbox: Sandbox, ask: Any) -> None:
    """A body as JSON, or a text as it is."""
    sandbox.misbehave("answer", target=ask.target, times=1, body={"expires_in": "soon"})
    sandbox.misbehave("answer", target=ask.target, skip=0, body="[", status=201)

    first, second = ask(), ask()
    assert {"expires_in": "soon"} == first.json()
    assert (201, "[") == (second.status_code, second.text)


def test_always_401(sandbox: Sandbox, ask: Any) -> None:
    """With the challenge of the endpoint."""
    sandbox.misbehave("unauthorized", target=ask.target)
    answer = ask()

    kind = "Basic" if ask.target == "token" else "Bearer"
    assert 401 == answer.status_code
    assert answer.headers["WWW-Authenticate"].startswith(kind)


def test_garbage_html_and_nothing_in_place_of_json(sandbox: Sandbox, ask: Any) -> None:
    """Three ways to be no JSON."""
    for kind in ("garbage", "html", "empty"):
        sandbox.misbehave(kind, target=ask.target, times=1)
    garbage, html, empty = ask(), ask(), ask()

    with pytest.raises(ValueError, match="utf-8"):
        garbage.json()
    assert ("application/json", "text/html; charset=utf-8") == (
        garbage.headers["Content-Type"],
        html.headers["Content-Type"],
    )
    assert (200, b"") == (empty.status_code, empty.content)


def test_a_wrong_content_type_over_the_right_body(sandbox: Sandbox, ask: Any) -> None:
    """The request is carried out."""
    sandbox.misbehave("content_type", target=ask.target)
    answer = ask()

    assert "text/plain" == answer.headers["Content-Type"]
    assert isinstance(answer.json(), dict)


def test_an_oversized_body(sandbox: Sandbox, ask: Any) -> None:
    """As many bytes as told."""
    sandbox.misbehave("oversized", target=ask.target, size=1_500_000)

    assert 1_500_000 == len(ask().content)


def test_a_redirect(sandbox: Sandbox, ask: Any) -> None:
    """To where it is told, without following it."""
    sandbox.misbehave("redirect", target=ask.target, location="http://127.0.0.1:1/x")
    answer = ask()

    assert (307, "http://127.0.0.1:1/x") == (answer.status_code, answer.headers["Location"])


def test_a_skewed_date(sandbox: Sandbox, ask: Any) -> None:
    """By the fault for some requests, by the setting for all."""
    sandbox.misbehave("date_skew", target=ask.target, seconds=7200, times=1)
    skewed, straight = (parsedate_to_datetime(ask().headers["Date"]) for _ in range(2))
    sandbox.configure(date_skew=-7200)
    back = parsedate_to_datetime(ask().headers["Date"])

    assert 7190 < (skewed - straight).total_seconds() <= 7200
    assert -7200 <= (back - straight).total_seconds() < -7190


@pytest.mark.parametrize("after", [None, 10])
def test_a_connection_cut_amid_the_body(sandbox: Sandbox, ask: Any, after: int | None) -> None:
    """The client sees that the body is not whole, and the next request works."""
    sandbox.misbehave("cut", target=ask.target, times=1, after=after)

    with pytest.raises(httpx.RemoteProtocolError, match="complete message body"):
        ask()
    assert 200 == ask().status_code


@pytest.mark.parametrize("kind", ["cut", "not_http"])
def test_a_connection_without_an_answer(sandbox: Sandbox, ask: Any, kind: str) -> None:
    """Nothing that is HTTP comes; the log says that no status was sent."""
    options: dict[str, Any] = {"after": 0} if kind == "cut" else {}
    sandbox.misbehave(kind, target=ask.target, times=1, **options)

    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        ask()
    assert [None] == [request.status for request in sandbox.requests.log]
    assert 200 == ask().status_code


def test_an_answer_without_a_body_is_cut_as_a_whole(api: Api) -> None:
    """There is no half of nothing."""
    api.sandbox.misbehave("cut", times=1)

    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        api.call("clear_events")
    assert [None] == [request.status for request in api.sandbox.requests.log]


def test_a_file_is_cut_amid_its_pieces(api: Api) -> None:
    """Half of a long download has arrived then."""
    made = api.create()
    api.sandbox.configure(pad_files_to=200_000)
    api.sandbox.misbehave("cut", operation="get_document_file")
    path = f"/signature/documents/{made['documentId']}/files"
    received = b""

    with api.http.stream("GET", path, params={"fileFormat": "unsigned"}) as answer:
        pieces = answer.iter_raw()
        while len(received) < 100_000:
            received += next(pieces)
        with pytest.raises(httpx.RemoteProtocolError):
            next(pieces)
    assert 100_000 == len(received)


def test_a_cut_after_all_of_the_body_takes_nothing_away(sandbox: Sandbox, ask: Any) -> None:
    """The answer is whole; only the connection is gone."""
    sandbox.misbehave("cut", target=ask.target, times=1, after=1_000_000)

    assert [200, 200] == [ask().status_code for _ in range(2)]


def test_a_cut_request_was_carried_out(api: Api) -> None:
    """That is why clients must not repeat what is not idempotent."""
    api.sandbox.misbehave("cut", operation="create_document", after=0, times=1)

    with pytest.raises(httpx.HTTPError):
        api.create()
    assert 1 == api.ask("list_document_summaries")["size"]


def test_a_slow_answer(sandbox: Sandbox, ask: Any) -> None:
    """Before it and amid it."""
    sandbox.misbehave("slow", target=ask.target, before=0.05, during=0.05, times=1)
    started = time.monotonic()
    answer = ask()

    assert 200 == answer.status_code
    assert time.monotonic() - started >= 0.1


def test_a_slow_file_pauses_once(api: Api) -> None:
    """Half of the first piece, a pause, then all the rest."""
    made = api.create()
    api.sandbox.configure(pad_files_to=200_000)
    api.sandbox.misbehave("slow", during=0.05)
    started = time.monotonic()
    answer = api.call("get_document_file", documentId=made["documentId"], fileFormat="unsigned")

    assert 200_000 == len(answer.content)
    assert 0.05 <= time.monotonic() - started < 5


def test_stopping_does_not_wait_for_a_slow_answer() -> None:
    """A pause of an hour ends with the sandbox."""
    seen: list[str] = []
    with Sandbox() as sandbox:
        sandbox.misbehave("slow", target="all", before=3600, times=1)
        thread = threading.Thread(target=_get, args=(sandbox.url, seen))
        thread.start()
        while sandbox.control("GET", "/faults"):
            time.sleep(0.001)  # until the request has met the fault
    thread.join(20)

    assert not thread.is_alive()
    assert 1 == len(seen)


def _get(url: str, seen: list[str]) -> None:
    try:
        seen.append(str(httpx.get(url, timeout=30, trust_env=False, verify=False).status_code))
    except httpx.HTTPError as exc:
        seen.append(type(exc).__name__)


def test_faults_strike_so_many_times_after_so_many(sandbox: Sandbox, ask: Any) -> None:
    """`skip` spares the first, `times` counts the rest."""
    sandbox.misbehave("status", target=ask.target, skip=1, times=2)

    assert [200, 503, 503, 200] == [ask().status_code for _ in range(4)]


def test_faults_of_one_target_or_operation_spare_the_others(api: Api) -> None:
    """The API may be down while tokens are granted, one operation while others work."""
    api.sandbox.misbehave("status", target="api", operation="list_webhooks")

    assert 503 == api.call("list_webhooks").status_code
    assert 200 == api.call("peek_events").status_code
    api.sandbox.behave()
    assert 200 == api.call("list_webhooks").status_code


def test_a_fault_for_all_strikes_everywhere(sandbox: Sandbox, ask: Any) -> None:
    """Also where nothing lies."""
    sandbox.misbehave("status", target="all", status=500)

    assert 500 == ask().status_code
    assert 500 == httpx.get(f"{sandbox.url}/nowhere", trust_env=False).status_code


@pytest.mark.parametrize(("probability", "statuses"), [(0, {200}), (1, {503}), (0.5, {200, 503})])
def test_a_fault_may_be_left_to_chance(
    sandbox: Sandbox, ask: Any, probability: float, statuses: set[int]
) -> None:
    """Always the same chance, so that a failure can be repeated."""
    sandbox.misbehave("status", target=ask.target, probability=probability)

    assert statuses == {ask().status_code for _ in range(20)}


def test_one_fault_can_be_taken_back(sandbox: Sandbox, ask: Any) -> None:
    """By its number; taking it back again does no harm."""
    fault = sandbox.misbehave("status", target=ask.target)
    for _ in range(2):
        sandbox.control("DELETE", f"/faults/{fault.id}")

    assert 200 == ask().status_code
    assert [] == sandbox.control("GET", "/faults")


def test_faults_are_seen_in_the_log(sandbox: Sandbox, ask: Any) -> None:
    """Which request met which."""
    sandbox.misbehave("status", target=ask.target, times=1)
    sandbox.misbehave("date_skew", target=ask.target, times=1)
    ask()

    assert [("status", "date_skew")] == [request.faults for request in sandbox.requests.log]


@pytest.mark.parametrize(
    ("about", "text"),
    [
        ({"kind": "explode"}, "no fault 'explode'"),
        ({"kind": ""}, "Say which kind"),
        ({"kind": "status", "target": "moon"}, "no target 'moon'"),
        ({"kind": "status", "operation": "fly"}, "no operation 'fly'"),
        ({"kind": "status", "operation": "get_jwks", "target": "token"}, "target must be 'api'"),
        ({"kind": "status", "times": 0}, "times must be"),
        ({"kind": "status", "skip": -1}, "skip must be"),
        ({"kind": "status", "times": "2"}, "times must be"),
        ({"kind": "status", "probability": 2}, "probability lies"),
        ({"kind": "status", "status": 99}, "status lies"),
        ({"kind": "status", "status": "500"}, "status lies"),
        ({"kind": "slow", "before": "long"}, "before must be a number"),
        ({"kind": "slow", "speed": 1}, "it takes before, during"),
        ({"kind": "garbage", "size": 1}, "it takes no options"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(
    sandbox: Sandbox, http: httpx.Client, about: dict[str, Any], text: str
) -> None:
    """From Python and over HTTP alike, and nothing is set."""
    answer = http.post("/_sandbox/faults", json=about)

    assert 400 == answer.status_code
    assert text in answer.json()["message"]
    with pytest.raises(BadControl, match=text):
        sandbox.control("POST", "/faults", **about)
    assert [] == sandbox.control("GET", "/faults")
