"""
A user's program with the ten most used operations. Checked by type checkers, never run.

It holds no None check that the service does not make necessary: what a function returns is what
the operation's success is.
"""

from pathlib import Path
from typing import BinaryIO, assert_type
from uuid import UUID

from auth_ext import SignicatClient
from generated_client.api.identification import create_session, get_session
from generated_client.api.notification import handle_event, list_events
from generated_client.api.share import upload_bucket_file
from generated_client.api.signature import (
    cancel_document,
    create_document,
    get_document,
    get_document_file,
    get_document_status,
    list_document_summaries,
)
from generated_client.models import (
    ErrorResponse,
    GetDocumentFileFileFormat,
    IdentificationIdSession,
    IdentificationIdSessionCreateOptions,
    ListDocumentSummariesStatus,
    NotificationEvent,
    SignatureContactDetails,
    SignatureDataToSign,
    SignatureDocument,
    SignatureDocumentCreateOptions,
    SignatureDocumentStatusSummary,
    SignatureDocumentSummaryPage,
    SignatureSignerCreateOptions,
    UploadBucketFileBody,
)
from generated_client.types import UNSET, DownloadedFile, File, Response, Unset


def sign(client: SignicatClient, signer: SignatureSignerCreateOptions) -> UUID | None:
    """
    Create a document and tell its id.
    """
    document = create_document.sync(
        client=client,
        body=SignatureDocumentCreateOptions(
            title="Contract",
            external_id="c-1",
            contact_details=SignatureContactDetails(email="a@example.com"),
            data_to_sign=SignatureDataToSign(base_64_content="...", file_name="contract.pdf"),
            signers=[signer],
        ),
    )
    assert_type(document, SignatureDocument)
    if isinstance(document.title, Unset):
        return None
    assert_type(document.title, str)
    return document.document_id or None


def follow(client: SignicatClient, document_id: UUID) -> str:
    """
    Read a document and its status.
    """
    status = get_document_status.sync(document_id, client=client)
    assert_type(status, SignatureDocumentStatusSummary)
    document = get_document.sync(document_id, client=client)
    if document.signers:
        return ", ".join(signer.external_signer_id or "?" for signer in document.signers)
    return document.title or ""


def browse(client: SignicatClient) -> list[str]:
    """
    List documents.
    """
    page = list_document_summaries.sync(
        client=client, status=ListDocumentSummariesStatus.SIGNED, limit=10, offset=UNSET
    )
    assert_type(page, SignatureDocumentSummaryPage)
    return [summary.title or "" for summary in page.data or []]


def details(client: SignicatClient, document_id: UUID) -> str:
    """
    Status, headers and raw content.
    """
    response = get_document.sync_detailed(document_id, client=client)
    assert_type(response, Response[SignatureDocument | ErrorResponse])
    if isinstance(response.parsed, ErrorResponse):
        return response.parsed.message or ""
    return f"{response.status_code:d} {response.headers['content-type']} {response.content!r}"


def fetch(client: SignicatClient, document_id: UUID, folder: Path, target: BinaryIO) -> int:
    """
    Download to a folder and to a file object.
    """
    kind = GetDocumentFileFileFormat.PADES

    shown: list[str] = []

    def progress(received: int, total: int | None) -> None:
        shown.append(f"{received} of {total or '?'} bytes")

    done = get_document_file.download(
        document_id, client=client, file_format=kind, to=folder, on_progress=progress
    )
    assert_type(done, DownloadedFile)
    get_document_file.download(document_id, client=client, file_format=kind, to=target)
    return done.size + len((done.filename or "") + (done.content_type or ""))


def upload(client: SignicatClient, bucket: str, file: str, content: BinaryIO) -> None:
    """
    Upload without reading the file into memory.
    """
    body = UploadBucketFileBody(file=File(content, "contract.pdf", "application/pdf"))
    upload_bucket_file.sync(bucket, file, client=client, body=body)


async def identify(client: SignicatClient, body: IdentificationIdSessionCreateOptions) -> str:
    """
    An identification session, asynchronously.
    """
    async with client:
        session = await create_session.asyncio(client=client, body=body)
        assert_type(session, IdentificationIdSession)
        again = await get_session.asyncio(session.id or "", client=client)
        return again.url or ""


async def listen(client: SignicatClient) -> None:
    """
    Read events, and mark them as handled.
    """
    events = await list_events.asyncio(client=client)
    assert_type(events, list[NotificationEvent])
    for event in events:
        if event.id:
            await handle_event.asyncio(event.id, client=client)


def stop(client: SignicatClient, document_id: UUID) -> None:
    """
    Cancel a document.
    """
    cancel_document.sync(document_id, client=client, reason="a mistake")
