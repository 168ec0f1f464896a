"""Events and webhooks."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_core import OpenAPI

from auth_ext.sandbox import examples
from auth_ext.sandbox._document import load_document
from tests.sandbox.conftest import Api, signer
from tests.sandbox.receiver import Receiver

SECRET = "hook secret"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Somebody to deliver to."""
    with Receiver() as running:
        yield running


def hook(url: str, **changes: Any) -> Any:
    """What creates a webhook for everything."""
    config = {"url": url, "secret": SECRET} | changes.pop("config", {})
    return {"name": "Hook", "active": True, "events": ["*"], "config": config} | changes


def kinds(receiver: Receiver) -> list[str]:
    """The types of the delivered events."""
    return [json.loads(one.body)["type"] for one in receiver.received]


def test_fetched_events_are_locked_for_ten_minutes(api: Api) -> None:
    """Nobody else gets them meanwhile; after that they come again."""
    api.create()
    first = api.ask("list_events")

    assert ["document_created"] == [event["type"] for event in first]
    assert [] == api.ask("list_events")
    api.sandbox.advance(599)
    assert [] == api.ask("list_events")
    api.sandbox.advance(2)
    assert first == api.ask("list_events")


def test_peeking_locks_nothing(api: Api) -> None:
    """Twice the same."""
    api.create()

    assert api.ask("peek_events") == api.ask("peek_events") != []
    assert 1 == len(api.ask("list_events"))
    assert [] == api.ask("peek_events")


def test_a_handled_event_does_not_come_again(api: Api) -> None:
    """One by one, several at once, or all."""
    for number in range(4):
        api.create(externalId=f"doc-{number}")
    ids = [event["id"] for event in api.ask("peek_events")]
    api.ask("handle_event", eventId=ids[0])
    api.ask("handle_events", [ids[1], "00000000-0000-4000-8000-000000000000"])

    assert ids[2:] == [event["id"] for event in api.ask("peek_events")]
    api.ask("clear_events")
    assert [] == api.ask("peek_events")


def test_handling_an_unknown_event_is_404(api: Api) -> None:
    """The vendor's error body says which."""
    answer = api.call("handle_event", eventId="00000000-0000-4000-8000-000000000000")

    assert (404, "not_found") == (answer.status_code, answer.json()["code"])


def test_at_most_a_hundred_events_come_at_once(api: Api) -> None:
    """The rest comes with the next request."""
    for _ in range(103):
        api.ask("mock_event", {"eventType": "document_read"})

    assert [100, 3] == [len(api.ask("list_events")) for _ in range(2)]


def test_events_can_be_filtered(api: Api) -> None:
    """By type and by tag."""
    api.create(advanced={"tags": ["a", "b"]})
    api.ask("mock_event", {"eventType": "document_read"})

    assert ["document_read"] == [
        event["type"] for event in api.ask("peek_events", eventType="document_read")
    ]
    assert ["document_created"] == [event["type"] for event in api.ask("peek_events", tags="b,c")]


@pytest.mark.parametrize("kind", load_document().schema("NotificationEventType")["enum"])
def test_every_type_can_be_mocked(api: Api, kind: str) -> None:
    """With a payload made from its schema, and kept like a real one."""
    made = api.ask("mock_event", {"eventType": kind})

    assert (kind, [made]) == (made["type"], api.ask("peek_events"))


def test_an_unknown_type_cannot_be_mocked(api: Api) -> None:
    """422 names the member."""
    answer = api.call("mock_event", {"eventType": "nonsense"})

    assert (422, "eventType") == (answer.status_code, answer.json()["errors"][0]["field"])


def test_the_payloads_of_a_documents_life_are_those_of_the_document(api: Api) -> None:
    """Each event's payload has just the members that its schema knows, of their types."""
    made = api.create(
        signers=[signer(), signer(externalSignerId="signer-2")],
        dataToSign=examples.body("create_document")["dataToSign"],
    )
    api.sandbox.control("POST", f"/documents/{made['documentId']}/open",
                        signer=made["signers"][0]["id"])  # fmt: skip
    for one in made["signers"]:
        api.sandbox.sign(made["documentId"], one["id"])
    schemas = load_document().data["components"]["schemas"]
    seen = api.ask("peek_events")

    for event in seen:
        name = "Event" + "".join(p.capitalize() for p in event["type"].split("_")) + "Payload"
        assert set(event["payload"]) <= set(schemas[name]["properties"]), name
        _check(name, event["payload"])
    assert [
        "document_created",
        "document_link_opened",
        "document_read",
        "document_partially_signed",
        "document_signed",
        "document_packaged",
    ] == [event["type"] for event in seen]


def _check(name: str, payload: Any) -> None:
    """Let openapi-core judge a payload, as the answer of a made-up operation."""
    from openapi_core.testing import MockRequest, MockResponse

    data = load_document().data
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}
    paths = {"/x": {"get": {"responses": {"200": {"description": "", "content": content}}}}}
    judge = OpenAPI.from_dict({**data, "paths": paths, "servers": [{"url": "/"}]})
    judge.validate_response(
        MockRequest("http://127.0.0.1", "get", "/x"), MockResponse(json.dumps(payload).encode())
    )


def test_a_webhook_gets_what_happens_signed_with_its_secret(api: Api, receiver: Receiver) -> None:
    """HMAC-SHA256 of the raw body, after the ping that greets it."""
    api.ask("create_webhook", hook(receiver.url))
    api.create()
    api.sandbox.wait_for_webhooks()

    assert ["ping", "document_created"] == kinds(receiver)
    for one in receiver.received:
        expected = hmac.new(SECRET.encode(), one.body, hashlib.sha256).hexdigest()
        assert expected == one.headers["X-Idfy-Signature"]
    assert api.ask("peek_events") == [json.loads(receiver.received[1].body)]


def test_a_ping_is_not_kept(api: Api, receiver: Receiver) -> None:
    """It goes to that webhook and nowhere else."""
    made = api.ask("create_webhook", hook(receiver.url, active=False))
    api.ask("ping_webhook", id=made["id"])
    api.sandbox.wait_for_webhooks()

    assert ["ping", "ping"] == kinds(receiver)
    assert [] == api.ask("peek_events")


@pytest.mark.parametrize(
    ("changes", "delivered"),
    [
        ({"events": ["document_created"]}, True),
        ({"events": ["document_signed"]}, False),
        ({"active": False}, False),
        ({"tags": ["a"]}, True),
        ({"tags": ["z"]}, False),
    ],
)
def test_a_webhook_gets_only_what_it_wants(
    api: Api, receiver: Receiver, changes: dict[str, Any], delivered: bool
) -> None:
    """By type, by tag, and only while it is active."""
    api.ask("create_webhook", hook(receiver.url, **changes))
    api.create(advanced={"tags": ["a", "b"]})
    api.sandbox.wait_for_webhooks()

    assert delivered is ("document_created" in kinds(receiver))


def test_the_last_ten_deliveries_are_kept(api: Api, receiver: Receiver) -> None:
    """Newest first, with what was sent and what came back."""
    made = api.ask("create_webhook", hook(receiver.url))
    for number in range(11):
        api.create(externalId=f"doc-{number}")
    api.sandbox.wait_for_webhooks()
    deliveries = api.ask("list_webhook_deliveries", id=made["id"])
    read = api.ask("get_webhook", id=made["id"])

    assert 10 == len(deliveries)
    assert json.loads(receiver.received[-1].body) == deliveries[0]["requestBody"]
    assert (204, 204) == (deliveries[0]["responseStatusCode"], read["lastResponse"]["code"])


@pytest.mark.parametrize(
    ("logging", "status", "kept"),
    [("never", 500, 0), ("failed", 204, 0), ("failed", 500, 1), ("always", 204, 1)],
)
def test_delivery_logging_decides_what_is_kept(
    api: Api, logging: str, status: int, kept: int
) -> None:
    """Never, only failures, or always."""
    with Receiver(status) as receiver:
        made = api.ask("create_webhook", hook(receiver.url, config={"deliveryLogging": logging}))
        api.sandbox.wait_for_webhooks()

    assert kept == len(api.ask("list_webhook_deliveries", id=made["id"]))


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("https://example.com/hook", "loopback"),
        ("ftp://127.0.0.1/hook", "loopback"),
        ("nonsense", "loopback"),
        ("http://", "loopback"),
        ("http://127.0.0.1:99999/", "InvalidURL|ValueError|OverflowError|ConnectError"),
        ("http://127.0.0.1:1/", "ConnectError"),
    ],
)
def test_a_delivery_that_fails_says_why(api: Api, url: str, error: str) -> None:
    """And nothing leaves the machine."""
    made = api.ask("create_webhook", hook(url))
    api.sandbox.wait_for_webhooks()
    delivery = api.ask("list_webhook_deliveries", id=made["id"])[0]

    assert any(part in delivery["errorMessage"] for part in error.split("|"))
    assert "code" not in api.ask("get_webhook", id=made["id"])["lastResponse"]


def test_a_delivery_to_a_webhook_that_is_no_more_is_dropped(api: Api) -> None:
    """It may be deleted while an event waits for it."""
    api.sandbox._told.services.events.ping(999)
    api.sandbox.wait_for_webhooks()

    assert [] == api.ask("list_webhooks")


def test_a_webhook_without_a_secret_is_not_signed(api: Api, receiver: Receiver) -> None:
    """There is nothing to sign with."""
    api.ask("create_webhook", hook(receiver.url, config={"secret": ""}))
    api.sandbox.wait_for_webhooks()

    assert "X-Idfy-Signature" not in receiver.received[0].headers


def test_webhooks_can_be_changed_and_deleted(api: Api, receiver: Receiver) -> None:
    """A deleted one gets nothing more."""
    made = api.ask("create_webhook", hook(receiver.url))
    changed = api.ask("update_webhook", {"name": "Other"}, id=made["id"])
    api.ask("ping_webhook", id=made["id"])
    api.ask("delete_webhook", id=made["id"])
    api.create()
    api.sandbox.wait_for_webhooks()

    assert ("Other", SECRET) == (changed["name"], changed["config"]["secret"])
    assert "document_created" not in kinds(receiver)
    assert [] == api.ask("list_webhooks")
    assert 404 == api.call("get_webhook", id=made["id"]).status_code


@pytest.mark.parametrize("operation", ["create_webhook", "update_webhook"])
def test_a_webhook_for_unknown_events_is_refused(api: Api, operation: str) -> None:
    """422 names which one."""
    api.sandbox.seed()
    given = {"id": 1} if operation == "update_webhook" else {}
    answer = api.call(operation, hook("http://127.0.0.1:1/", events=["*", "tea"]), **given)

    assert (422, "events.1") == (answer.status_code, answer.json()["errors"][0]["field"])


def test_all_types_are_listed(api: Api) -> None:
    """As the document has them."""
    known = load_document().schema("NotificationEventType")["enum"]

    assert known == [one["id"] for one in api.ask("list_event_types")]
