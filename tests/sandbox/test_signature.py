"""Documents from their creation to their end."""

import base64
import uuid
from typing import Any

import httpx
import pytest

from auth_ext.sandbox import BadControl, NotNow, Sandbox, examples
from auth_ext.sandbox._pdf import small_pdf
from tests.sandbox.conftest import Api, document, signer

DAY = 86400


def many(count: int, **changes: Any) -> list[Any]:
    """Signers numbered from 1."""
    return [signer(externalSignerId=f"signer-{n}", **changes) for n in range(1, count + 1)]


def events(api: Api) -> list[str]:
    """The types of all events that wait, in order."""
    return [event["type"] for event in api.ask("peek_events")]


def state(api: Api, made: Any) -> str:
    """The document's status."""
    found: str = api.ask("get_document_status", documentId=made["documentId"])["documentStatus"]
    return found


def test_a_new_document_can_be_read_back(api: Api) -> None:
    """What was sent, and what the service adds."""
    made = api.create(description="Two pages")
    read = api.ask("get_document", documentId=made["documentId"])

    assert made == read
    assert ("Two pages", "unsigned") == (read["description"], read["status"]["documentStatus"])
    assert document()["dataToSign"] == {**read["dataToSign"]}
    assert read["signers"][0]["url"].startswith(api.sandbox.url)


def test_the_same_external_id_gives_the_same_document(api: Api) -> None:
    """Creation is idempotent: a request that was sent twice does no harm."""
    first, second = api.create(externalId="order-1"), api.create(externalId="order-1", title="B")

    assert first == second
    assert first["documentId"] != api.create(externalId="order-2")["documentId"]
    assert ["document_created"] * 2 == events(api)


def test_ids_are_found_whatever_their_case(api: Api) -> None:
    """They are UUIDs."""
    made = api.create()

    assert made == api.ask("get_document", documentId=made["documentId"].upper())


def test_signing_the_only_signer_signs_the_document(api: Api) -> None:
    """Status, signature, summary and events tell it."""
    made = api.create()
    signed = api.sandbox.sign(made["documentId"])
    read = api.ask("get_document", documentId=made["documentId"])
    summary = api.ask("get_document_summary", documentId=made["documentId"])

    assert [read["signers"][0]["id"]] == signed
    assert "Kari Nordmann" == read["signers"][0]["documentSignature"]["fullName"]
    assert ("signed", 1) == (summary["status"]["documentStatus"], summary["currentSignatures"])
    assert summary["signedDate"] is not None
    assert ["document_created", "document_signed"] == events(api)


def test_signers_sign_one_by_one(api: Api) -> None:
    """Partly signed until the last one has."""
    made = api.create(signers=many(2))
    first, second = (one["id"] for one in made["signers"])

    assert [first] == api.sandbox.sign(made["documentId"], first)
    assert "partialsigned" == state(api, made)
    assert [second] == api.sandbox.sign(made["documentId"])
    assert "signed" == state(api, made)
    assert ["document_created", "document_partially_signed", "document_signed"] == events(api)


def test_enough_signatures_sign_the_document(api: Api) -> None:
    """`requiredSignatures` of them, and nobody can sign after that."""
    made = api.create(signers=many(3), advanced={"requiredSignatures": 2})

    assert 2 == len(api.sandbox.sign(made["documentId"]))
    assert "signed" == state(api, made)


def test_signers_who_need_not_sign_are_not_waited_for(api: Api) -> None:
    """`required: false` makes a signature a courtesy."""
    made = api.create(signers=[signer(), signer(externalSignerId="witness", required=False)])
    api.sandbox.sign(made["documentId"], made["signers"][0]["id"])

    assert "signed" == state(api, made)


def test_signers_sign_in_their_order(api: Api) -> None:
    """Whoever comes later has to wait."""
    late, soon = signer(order=2), signer(externalSignerId="signer-2", order=1)
    made = api.create(signers=[late, soon])
    late_id, soon_id = (one["id"] for one in made["signers"])

    with pytest.raises(NotNow, match="come first"):
        api.sandbox.sign(made["documentId"], late_id)
    assert [soon_id, late_id] == api.sandbox.sign(made["documentId"])


def test_nobody_signs_twice(api: Api) -> None:
    """Neither one signer nor the whole document."""
    made = api.create(signers=many(2))
    first = made["signers"][0]["id"]
    api.sandbox.sign(made["documentId"], first)

    with pytest.raises(NotNow, match="signed already"):
        api.sandbox.sign(made["documentId"], first)
    api.sandbox.sign(made["documentId"])
    with pytest.raises(NotNow, match="nothing left"):
        api.sandbox.sign(made["documentId"])


def test_a_signature_tells_what_the_signer_gave(api: Api) -> None:
    """Name, method and, when asked for, the national id."""
    info = {"firstName": "Ola", "lastName": "Hansen"}
    kind = {"mechanism": "identification", "signatureMethods": ["mitid"]}
    made = api.create(
        signers=[signer(signerInfo=info, signatureType=kind, getSocialSecurityNumber=True)]
    )
    api.sandbox.sign(made["documentId"])
    ids = {"documentId": made["documentId"], "signerId": made["signers"][0]["id"]}
    signature = api.ask("get_signer", **ids)["documentSignature"]

    assert ("Ola Hansen", "mitid") == (signature["fullName"], signature["signatureMethod"])
    assert "NO" == signature["socialSecurityNumber"]["countryCode"]


def test_a_document_can_be_canceled_once(api: Api) -> None:
    """The reason stands in the event."""
    made = api.create()
    api.ask("cancel_document", documentId=made["documentId"], reason="A mistake")
    again = api.call("cancel_document", documentId=made["documentId"])

    assert "canceled" == state(api, made)
    assert "A mistake" == api.ask("peek_events")[-1]["payload"]["message"]
    assert (400, "business_rule") == (again.status_code, again.json()["code"])


def test_a_document_expires_at_its_deadline(api: Api) -> None:
    """Nobody has to ask for it."""
    deadline = "2199-01-02T00:00:00Z"
    api.sandbox.control("POST", "/clock", to="2199-01-01T00:00:00Z")
    api.renew()
    made = api.create(advanced={"timeToLive": {"deadline": deadline}})
    api.sandbox.advance(DAY - 60)
    api.renew()

    assert "unsigned" == state(api, made)
    api.sandbox.advance(120)
    assert "expired" == state(api, made)
    assert ["document_created", "document_expired"] == events(api)


def test_a_finished_document_is_announced_for_deletion_and_goes(api: Api) -> None:
    """A day before, and then for good, attachments and files with it."""
    api.sandbox.configure(token_lifetime=10 * DAY)
    api.renew()
    made = api.create(advanced={"timeToLive": {"deleteAfterHours": 48}})
    attachment = api.ask("create_attachment", attach(), documentId=made["documentId"])
    api.ask("cancel_document", documentId=made["documentId"])
    api.sandbox.advance(DAY + 1)
    warned = events(api)
    api.sandbox.advance(DAY)

    assert "document_before_deleted" == warned[-1]
    assert "document_deleted" == events(api)[-1]
    assert 1 == events(api).count("document_before_deleted")
    assert 404 == api.call("get_document", documentId=made["documentId"]).status_code
    found = api.call("get_attachment", documentId=made["documentId"], attachmentId=attachment["id"])
    assert 404 == found.status_code


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"signers": many(21)}, "signers"),
        ({"advanced": {"requiredSignatures": 2}}, "advanced.requiredSignatures"),
        ({"advanced": {"attachments": 21}}, "advanced.attachments"),
        (
            {"advanced": {"timeToLive": {"deleteAfterHours": 745}}},
            "advanced.timeToLive.deleteAfterHours",
        ),
        (
            {"advanced": {"timeToLive": {"deadline": "2001-01-01T00:00:00Z"}}},
            "advanced.timeToLive.deadline",
        ),
        (
            {"advanced": {"timeToLive": {"deadline": "2999-01-01T00:00:00Z"}}},
            "advanced.timeToLive.deadline",
        ),
        (
            {"dataToSign": {"base64Content": "%%%", "fileName": "a.pdf"}},
            "dataToSign.base64Content",
        ),
        ({"dataToSign": {"base64Content": "", "fileName": "a.pdf"}}, "dataToSign.base64Content"),
        (
            {"signers": [signer(redirectSettings={"redirectMode": "redirect", "error": "x"})]},
            "signers.0.redirectSettings.cancel",
        ),
    ],
)
def test_a_document_that_breaks_a_rule_is_refused(
    api: Api, changes: dict[str, Any], field: str
) -> None:
    """422 names the member, and nothing is kept."""
    answer = api.call("create_document", document(**changes))

    assert (422, field) == (answer.status_code, answer.json()["errors"][0]["field"])
    assert 0 == api.ask("list_document_summaries")["size"]
    assert [] == events(api)


def test_text_is_taken_only_for_conversion(api: Api) -> None:
    """The document knows no other media types than PDF and XML."""
    text = {"base64Content": base64.b64encode("Avtale på norsk".encode()).decode(),
            "fileName": "a.txt"}  # fmt: skip
    refused = api.call("create_document", document(dataToSign=text))
    made = api.create(dataToSign=text | {"convertToPDF": True})
    file = api.call("get_document_file", documentId=made["documentId"], fileFormat="unsigned")

    assert 422 == refused.status_code
    assert file.content.startswith(b"%PDF-")


def test_an_open_document_can_be_changed(api: Api) -> None:
    """What is given changes, the rest stays."""
    made = api.create()
    changed = api.ask("update_document", {"title": "New"}, documentId=made["documentId"])

    assert ("New", made["externalId"]) == (changed["title"], changed["externalId"])
    api.sandbox.sign(made["documentId"])
    answer = api.call("update_document", {"title": "Late"}, documentId=made["documentId"])
    assert 422 == answer.status_code


def test_a_deadline_can_be_moved(api: Api) -> None:
    """And a change of something else leaves it."""
    made = api.create()
    later = "2026-12-20T00:00:00Z"
    api.sandbox.control("POST", "/clock", to="2026-12-01T00:00:00Z")
    api.renew()
    ids = {"documentId": made["documentId"]}
    api.ask("update_document", {"advanced": {"timeToLive": {"deadline": later}}}, **ids)
    api.ask("update_document", {"title": "Still"}, **ids)

    assert "2026-12-20T00:00:00.000Z" == api.ask("get_document_summary", **ids)["deadline"]


def test_signers_can_be_added_changed_and_taken_off(api: Api) -> None:
    """As long as they have not signed."""
    made = api.create()
    ids = {"documentId": made["documentId"]}
    added = api.ask("create_signer", signer(externalSignerId="signer-2"), **ids)
    ids["signerId"] = added["id"]
    api.ask("update_signer", {"signerInfo": {"firstName": "Eva"}}, **ids)

    assert "Eva" == api.ask("get_signer", **ids)["signerInfo"]["firstName"]
    assert 2 == len(api.ask("list_signers", documentId=made["documentId"]))
    api.ask("delete_signer", **ids)
    assert 404 == api.call("get_signer", **ids).status_code


def test_a_signer_who_has_signed_stays(api: Api) -> None:
    """Neither changed nor taken off."""
    made = api.create(signers=many(2))
    ids = {"documentId": made["documentId"], "signerId": made["signers"][0]["id"]}
    api.sandbox.sign(ids["documentId"], ids["signerId"])

    assert 422 == api.call("update_signer", {"order": 1}, **ids).status_code
    assert 400 == api.call("delete_signer", **ids).status_code


def test_there_are_at_most_twenty_signers(api: Api) -> None:
    """The twenty-first is refused."""
    made = api.create(signers=many(20))
    answer = api.call("create_signer", signer(), documentId=made["documentId"])

    assert 422 == answer.status_code


def test_a_signer_of_another_document_is_not_found(api: Api) -> None:
    """Ids count only where they belong."""
    first, second = api.create(externalId="one-1"), api.create(externalId="two-2")
    ids = {"documentId": first["documentId"], "signerId": second["signers"][0]["id"]}

    assert 404 == api.call("get_signer", **ids).status_code
    with pytest.raises(BadControl, match="no signer"):
        api.sandbox.sign(ids["documentId"], ids["signerId"])


def attach(**changes: Any) -> Any:
    """What creates an attachment."""
    data = base64.b64encode(small_pdf("Terms")).decode()
    return {"fileName": "terms.pdf", "title": "Terms", "data": data} | changes


def test_attachments_can_be_added_changed_and_taken_off(api: Api) -> None:
    """With their data, which lists leave out."""
    made = api.create()
    ids = {"documentId": made["documentId"]}
    added = api.ask("create_attachment", attach(), **ids)
    listed = api.ask("list_attachments", **ids)
    ids["attachmentId"] = added["id"]
    changed = api.ask("update_attachment", {"title": "Other"}, **ids)

    assert [{"id": added["id"], "fileName": "terms.pdf", "title": "Terms"}] == listed
    assert ("Other", attach()["data"]) == (changed["title"], changed["data"])
    assert changed == api.ask("get_attachment", **ids)
    new = base64.b64encode(small_pdf("New")).decode()
    assert new == api.ask("update_attachment", {"data": new}, **ids)["data"]
    api.ask("delete_attachment", **ids)
    assert 404 == api.call("get_attachment", **ids).status_code


def test_there_are_at_most_twenty_attachments(api: Api) -> None:
    """The twenty-first is refused."""
    made = api.create()
    statuses = [
        api.call("create_attachment", attach(), documentId=made["documentId"]).status_code
        for _ in range(21)
    ]

    assert [201] * 20 + [422] == statuses


def test_a_document_waits_for_its_attachments(api: Api) -> None:
    """As many as it was announced with."""
    made = api.create(advanced={"attachments": 1})
    before = state(api, made)
    api.ask("create_attachment", attach(), documentId=made["documentId"])

    assert ["waiting_for_attachments", "unsigned"] == [before, state(api, made)]


@pytest.mark.parametrize("unknown", ["get_document", "get_document_status", "list_signers"])
def test_an_unknown_document_is_not_found(api: Api, unknown: str) -> None:
    """404 with the vendor's body."""
    answer = api.call(unknown, documentId=uuid.uuid4())

    assert (404, "not_found") == (answer.status_code, answer.json()["code"])


def test_reminders_go_to_those_who_have_not_signed(api: Api) -> None:
    """To the addresses they have, or to others given with the reminder."""
    info = {"email": "a@example.com", "mobile": {"countryCode": "+47", "number": "1"}}
    made = api.create(signers=[signer(signerInfo=info), signer(externalSignerId="signer-2")])
    ids = {"documentId": made["documentId"]}
    first, second = (one["id"] for one in made["signers"])
    api.ask("send_reminders", {"notificationSetting": "sendBoth"}, **ids)
    other = {second: {"emailOverride": "b@example.com"}}
    api.ask("send_reminders", {"notificationSetting": "sendEmail", "signers": other}, **ids)
    api.sandbox.sign(made["documentId"], first)
    api.ask("send_reminders", {"notificationSetting": "sendSms"}, **ids)
    sent = api.ask("list_document_notifications", **ids)

    assert [("sms", "+471"), ("email", "a@example.com"), ("email", "b@example.com")] == [
        (item["messageType"], item["receiver"]) for item in sent
    ]
    unknown = {"notificationSetting": "off", "signers": {"nobody": {}}}
    assert 422 == api.call("send_reminders", unknown, **ids).status_code


def test_signers_are_told_what_their_set_up_says(api: Api) -> None:
    """At the creation and at the end."""
    setup = {"request": "sendEmail", "finalReceipt": "sendEmail"}
    made = api.create(
        signers=[signer(signerInfo={"email": "a@example.com"}, notifications={"setup": setup})]
    )
    api.sandbox.sign(made["documentId"])
    sent = api.ask("list_document_notifications", documentId=made["documentId"])

    assert ["Request: A contract", "Signed: A contract"] == [item["text"] for item in sent]


@pytest.fixture
def library(api: Api) -> Api:
    """Three documents: one signed, one tagged, one canceled."""
    signed = api.create(
        externalId="doc-a",
        title="Alpha",
        signers=[signer(externalSignerId="ext-a", signerInfo={"firstName": "Eva"})],
    )
    api.create(externalId="doc-b", title="Beta", advanced={"tags": ["x", "y"]})
    canceled = api.create(externalId="doc-c", title="Gamma")
    api.sandbox.sign(signed["documentId"])
    api.ask("cancel_document", documentId=canceled["documentId"])
    return api


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["doc-c", "doc-b", "doc-a"]),
        ({"externalId": "doc-b"}, ["doc-b"]),
        ({"externalSignerId": "ext-a"}, ["doc-a"]),
        ({"signerId": uuid.uuid4()}, []),
        ({"nameOfSigner": "eva"}, ["doc-a"]),
        ({"title": "ALPH"}, ["doc-a"]),
        ({"status": "canceled"}, ["doc-c"]),
        ({"tags": "y,z"}, ["doc-b"]),
        ({"fromDate": "2001-01-01T00:00:00Z"}, ["doc-c", "doc-b", "doc-a"]),
        ({"toDate": "2001-01-01T00:00:00Z"}, []),
        ({"lastUpdated": "2999-01-01T00:00:00Z"}, []),
        ({"signedDate": "2001-01-01T00:00:00Z"}, ["doc-a"]),
        ({"status": "signed", "title": "beta"}, []),
    ],
)
def test_summaries_can_be_filtered(library: Api, query: dict[str, Any], found: list[str]) -> None:
    """All filters count together, newest first."""
    page = library.ask("list_document_summaries", **query)

    assert found == [item["externalId"] for item in page["data"]]
    assert len(found) == page["size"]


def test_summaries_come_in_pages(library: Api) -> None:
    """`links.next` keeps the filters and ends with the last page."""
    page = library.ask("list_document_summaries", limit=2, fromDate="2001-01-01T00:00:00Z")
    following = library.http.get(page["links"]["next"]).json()

    assert [2, 1] == [len(page["data"]), len(following["data"])]
    assert "fromDate=2001" in page["links"]["next"]
    assert "next" not in following["links"]


def test_a_limit_above_the_greatest_is_cut(library: Api) -> None:
    """The page tells which limit holds."""
    assert 100 == library.ask("list_document_summaries", limit=1000)["limit"]


def test_everything_in_the_fullest_example_is_kept(api: Api) -> None:
    """No member of the request is lost."""
    body = examples.body("create_document")
    made = api.ask("create_document", body)
    signers = body.pop("signers")

    assert body == {name: made[name] for name in body}
    assert signers[0] == {name: made["signers"][0][name] for name in signers[0]}


def test_a_body_that_breaks_the_document_names_every_field(api: Api) -> None:
    """400 before any rule is asked."""
    body = document(externalId="abc", signers=[{"signatureType": {"mechanism": "magic"}}])
    del body["title"]
    answer = api.call("create_document", body)

    fields = {problem["field"] for problem in answer.json()["errors"]}
    assert 400 == answer.status_code
    assert {"title", "externalId", "signers.0.externalSignerId"} <= fields
    assert "signers.0.signatureType.mechanism" in fields


@pytest.mark.parametrize(
    ("operation", "given", "field"),
    [
        ("get_document_file", {}, "fileFormat"),
        ("get_document_file", {"fileFormat": "word"}, "fileFormat"),
        ("get_document_file", {"fileFormat": ""}, "fileFormat"),
        ("list_document_summaries", {"limit": "many"}, "limit"),
        ("list_document_summaries", {"fromDate": "yesterday"}, "fromDate"),
        ("get_document", {"documentId": "x"}, "documentId"),
    ],
)
def test_a_parameter_that_breaks_the_document_is_named(
    api: Api, operation: str, given: dict[str, str], field: str
) -> None:
    """Missing, not in the list, not of the type, not of the format."""
    answer = api.call(operation, **{"documentId": str(uuid.uuid4())} | given)

    assert (400, field) == (answer.status_code, answer.json()["errors"][0]["field"])


def test_an_empty_filter_is_a_text_like_others(api: Api) -> None:
    """It finds what has an empty one, not an error."""
    assert 0 == api.ask("list_document_summaries", externalId="")["size"]


def test_a_body_that_is_no_json_is_refused(api: Api) -> None:
    """Broken, of another encoding, of another type, or not there."""
    kinds = [
        (b"{", "application/json"),
        (b'{"a": "\xff"}', "application/json"),
        (b"<a/>", "text/xml"),
        (b"", "application/json"),
    ]
    answers = [
        api.http.post("/signature/documents", content=content, headers={"Content-Type": kind})
        for content, kind in kinds
    ]

    assert [400] * 4 == [answer.status_code for answer in answers]


def test_state_in_a_file_outlives_the_sandbox(tmp_path: Any) -> None:
    """Documents and tokens are there again."""
    file = tmp_path / "sandbox.db"
    with Sandbox(database=file) as first, httpx.Client(base_url=first.url) as http:
        made = Api(first, http).create()
        headers = dict(http.headers)
    with Sandbox(database=file) as second:
        path = f"{second.url}/signature/documents/{made['documentId']}"
        again = httpx.get(path, headers={"Authorization": headers["authorization"]})

    assert made["documentId"] == again.json()["documentId"]
