"""Files: the original, and what signing makes of it."""

import base64
import hashlib
from typing import Any

import pytest

from auth_ext.sandbox._pdf import small_pdf
from tests.sandbox.conftest import Api, signer
from tests.sandbox.test_signature import attach

PDF = small_pdf("A contract")
XML = '<?xml version="1.0"?><contract>æ</contract>'.encode()


def signing(api: Api, content: bytes = PDF, formats: tuple[str, ...] = ("pades",)) -> Any:
    """A document of that content with two signers and an attachment, signed by both."""
    made = api.create(
        signers=[signer(), signer(externalSignerId="signer-2")],
        dataToSign={
            "base64Content": base64.b64encode(content).decode(),
            "fileName": "a.pdf",
            "packaging": {"signaturePackageFormats": list(formats)},
        },
    )
    made["attachmentId"] = api.ask("create_attachment", attach(), documentId=made["documentId"])[
        "id"
    ]
    api.sandbox.sign(made["documentId"])
    return made


def fetch(api: Api, made: Any, wanted: str) -> Any:
    """The document's file in that format."""
    return api.call("get_document_file", documentId=made["documentId"], fileFormat=wanted)


@pytest.mark.parametrize(("content", "kind"), [(PDF, "application/pdf"), (XML, "application/xml")])
def test_the_original_comes_back_byte_for_byte(api: Api, content: bytes, kind: str) -> None:
    """Before and after signing, under its own content type."""
    answer = fetch(api, signing(api, content), "unsigned")

    assert (content, kind) == (answer.content, answer.headers["Content-Type"])


def test_the_signed_pdf_holds_the_original_and_names_the_signers(api: Api) -> None:
    """As a second revision."""
    made = signing(api)
    answer = fetch(api, made, "pades")

    assert "application/pdf" == answer.headers["Content-Type"]
    assert answer.content.startswith(PDF)
    assert 2 == answer.content.count(b"/Type /Sig")
    assert int(answer.headers["Content-Length"]) == len(answer.content)


@pytest.mark.parametrize("size", [1, 2, 3, 65536, 65537, 200_000])
def test_other_formats_wrap_the_original_in_xml(api: Api, size: int) -> None:
    """Base64 in pieces is the same as Base64 of the whole."""
    content = b"<" + b"x" * (size - 1)
    answer = fetch(api, signing(api, content), "standard_packaging")
    inner = answer.text.partition("<Content>")[2].partition("</Content>")[0]

    assert "application/xml" == answer.headers["Content-Type"]
    assert content == base64.b64decode(inner)
    assert 2 == answer.text.count("<Signature ")


@pytest.mark.parametrize("wanted", ["native", "pades", "xades"])
def test_before_all_have_signed_there_is_only_the_original(api: Api, wanted: str) -> None:
    """404 until then."""
    assert 404 == fetch(api, api.create(), wanted).status_code


def test_formats_that_were_not_asked_for_are_not_made(api: Api) -> None:
    """And the status lists those that are."""
    made = signing(api, formats=("xades",))
    status = api.ask("get_document_status", documentId=made["documentId"])

    assert ["native", "standard_packaging", "xades"] == status["completedPackages"]
    assert {made["attachmentId"]: status["completedPackages"]} == status["attachmentPackages"]
    assert [404, 200] == [fetch(api, made, one).status_code for one in ("pades", "xades")]


def test_each_signer_has_a_file_of_their_own(api: Api) -> None:
    """With one signature, of the document and of the attachment; 404 before they signed."""
    made = signing(api)
    ids = {"documentId": made["documentId"], "signerId": made["signers"][0]["id"]}
    own = api.call("get_signer_file", **ids, fileFormat="packaged")
    attached = api.call(
        "get_signer_attachment_file",
        **ids,
        attachmentId=made["attachmentId"],
        fileFormat="native",
    )
    other = api.create(externalId="other-one")
    early = {"documentId": other["documentId"], "signerId": other["signers"][0]["id"]}

    assert 1 == own.content.count(b"/Type /Sig")
    assert 1 == attached.text.count("<Signature ")
    assert 404 == api.call("get_signer_file", **early, fileFormat="native").status_code


def test_attachments_have_files_too(api: Api) -> None:
    """Unsigned at once, signed with the document."""
    made = signing(api)
    ids = {"documentId": made["documentId"], "attachmentId": made["attachmentId"]}
    signed = api.call("get_attachment_file", **ids, fileFormat="pades")
    plain = api.call("get_attachment_file", **ids, fileFormat="unsigned")
    early = api.create(externalId="other-one")
    later = api.ask("create_attachment", attach(), documentId=early["documentId"])
    refused = api.call(
        "get_attachment_file",
        documentId=early["documentId"],
        attachmentId=later["id"],
        fileFormat="pades",
    )

    assert signed.content.startswith(plain.content)
    assert 2 == signed.content.count(b"/Type /Sig")
    assert 404 == refused.status_code


def test_a_pdf_without_a_table_is_handed_out_as_it_is(api: Api) -> None:
    """The sandbox does not mend files."""
    torn = b"%PDF-1.7 without anything"

    assert torn == fetch(api, signing(api, torn), "pades").content


def test_files_can_be_made_large(api: Api) -> None:
    """To measure downloads without uploading first."""
    made = signing(api)
    api.sandbox.configure(pad_files_to=3_000_000)
    answer = fetch(api, made, "pades")

    assert (3_000_000, "3000000") == (len(answer.content), answer.headers["Content-Length"])
    assert answer.content.startswith(PDF)
    api.sandbox.configure(pad_files_to=10)
    assert PDF == fetch(api, made, "unsigned").content


def test_the_packaged_event_tells_where_and_what(api: Api) -> None:
    """Its checksum is that of the original."""
    signing(api)
    event = api.ask("peek_events", eventType="document_packaged")[0]["payload"]

    assert hashlib.sha256(PDF).hexdigest() == event["checksum"]
    assert 200 == api.http.get(event["downloadUrl"]).status_code
