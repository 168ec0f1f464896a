"""All operations of the document: a valid request gets a valid answer."""

import httpx
import pytest

from auth_ext.sandbox import Sandbox, examples
from auth_ext.sandbox._document import load_document
from tests.sandbox.conftest import Api

ID = "0f8fad5b-d9cb-469f-a165-70867728950e"
OPERATIONS = examples.operations()


def send(api: Api, example: examples.ExampleRequest) -> httpx.Response:
    """Send an example as it is."""
    return api.http.request(
        example.method,
        example.path,
        params=example.query,
        headers=example.headers,
        json=example.json,
        files=example.files or None,
    )


@pytest.fixture(scope="module")
def shared() -> "object":
    """One sandbox for all operations."""
    with Sandbox() as running, httpx.Client(base_url=running.url, trust_env=False) as http:
        yield Api(running, http)


@pytest.mark.parametrize("everything", [True, False], ids=["everything", "bare"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_takes_its_example_and_answers_by_the_document(
    shared: Api, operation: str, everything: bool
) -> None:
    """Request and answer are valid by openapi-core: no 400, and no violation recorded."""
    shared.sandbox.control("DELETE", "/violations")
    shared.sandbox.seed(operation)
    answer = send(shared, examples.request(operation, everything=everything))

    assert load_document().operations[operation].success == answer.status_code
    assert () == shared.sandbox.violations
    assert operation == shared.sandbox.requests.log[-1].operation


def test_no_operation_is_missing() -> None:
    """141 operations, each once."""
    assert 141 == len(OPERATIONS) == len(set(OPERATIONS))


def test_an_answer_from_the_document_repeats_what_was_said(api: Api) -> None:
    """Ids of the path and members of the body come back."""
    details = {"contactDetails": {"name": "Papers"}}
    changed = api.ask("update_bucket", details, id=ID)

    assert (ID, details["contactDetails"]) == (changed["id"], changed["contactDetails"])


def test_an_id_that_the_answer_cannot_hold_is_left_out(api: Api) -> None:
    """Where the document says UUID in the answer and anything in the path."""
    assert "bucket-7" != api.ask("get_bucket", id="bucket-7")["id"]


def test_an_id_amid_the_path_is_not_that_of_the_answer(api: Api) -> None:
    """A recipient is not called like its bucket."""
    body = examples.body("create_bucket_recipient", everything=False)

    assert ID != api.ask("create_bucket_recipient", body, id=ID)["id"]


def test_a_text_does_not_take_the_place_of_an_object(api: Api) -> None:
    """The country is a code in the path and has several in the answer."""
    assert isinstance(api.ask("get_organization", country="SE", id="1")["country"], dict)


def test_a_number_in_the_path_comes_back_as_a_number(api: Api) -> None:
    """As the answer's schema wants it."""
    assert 12 == api.ask("get_language_set", id=12)["id"]


def test_pages_from_the_document_lead_to_each_other(api: Api) -> None:
    """Following `links.next` gives all items and ends."""
    page = api.ask("list_deposit_summaries", limit=2)
    following = api.http.get(page["links"]["next"]).json()

    assert [2, 1] == [len(page["data"]), len(following["data"])]
    assert 3 == page["size"] == following["size"]
    assert "next" not in following["links"]
    assert page["links"]["first"] == following["links"]["previous"]


@pytest.mark.parametrize(("name", "value"), [("offset", -1), ("limit", 0)])
def test_a_window_that_makes_no_sense_is_refused(api: Api, name: str, value: int) -> None:
    """400 names the parameter."""
    answer = api.call("list_deposit_summaries", **{name: value})

    assert 400 == answer.status_code
    assert name == answer.json()["errors"][0]["field"]


def test_a_download_from_the_document_is_a_pdf(api: Api) -> None:
    """Even what the sandbox does not keep can be opened."""
    answer = api.call("get_merchant_pades", signedDocumentId=ID)

    assert "application/pdf" == answer.headers["Content-Type"]
    assert answer.content.startswith(b"%PDF-")
    assert answer.content.endswith(b"%%EOF\n")
