from pathlib import Path

import pytest

from auth_ext import SignicatClient
from auth_ext.sandbox import Sandbox
from generated_client.api.notification import handle_events, list_events
from generated_client.api.signature import (
    cancel_document,
    create_document,
    get_document_file,
    get_document_status,
)
from generated_client.models import GetDocumentFileFileFormat, SignatureDocumentStatus
from generated_client.types import given
from tests.recorded.conftest import Caller
from tests.recorded.making import PDF, contract

SIGNED_FORMAT = GetDocumentFileFileFormat.PADES


@pytest.mark.vcr
@pytest.mark.default_cassette("document_cancelled")
def test_a_document_is_uploaded_and_cancelled(caller: Caller) -> None:
    """
    An uploaded PDF is a document that waits for its signer until it is cancelled.
    """

    async def story(caller: Caller) -> list[SignatureDocumentStatus]:
        created = await caller.call(create_document, body=contract("recorded-cancelled"))
        waiting = await caller.call(get_document_status, created.document_id)
        await caller.call(cancel_document, created.document_id, reason="recorded")
        cancelled = await caller.call(get_document_status, created.document_id)
        return [waiting.document_status, cancelled.document_status]

    expected = [SignatureDocumentStatus.UNSIGNED, SignatureDocumentStatus.CANCELED]
    assert expected == caller.run(story)


@pytest.mark.vcr
@pytest.mark.default_cassette("document_signed")
def test_a_document_is_uploaded_signed_and_downloaded(
    caller: Caller, sandbox: Sandbox | None
) -> None:
    """
    The whole way: upload, signature, event, download.
    """

    async def story(caller: Caller) -> tuple[SignatureDocumentStatus, list[str], bytes]:
        created = await caller.call(create_document, body=contract("recorded-signed"))
        document = given(created.document_id)
        if sandbox is not None:
            sandbox.sign(str(document))
        status = await caller.call(get_document_status, document)
        events = await caller.call(list_events)
        await caller.call(handle_events, body=[given(event.id) for event in events])
        assert [] == await caller.call(list_events)
        file = await caller.call(get_document_file, document, file_format=SIGNED_FORMAT)
        return status.document_status, [event.type_ for event in events], file.payload.read()

    status, events, file = caller.run(story)

    assert SignatureDocumentStatus.SIGNED == status
    assert "document_signed" in events
    assert file.startswith(PDF)
    assert len(PDF) < len(file)


@pytest.mark.vcr
@pytest.mark.default_cassette("document_downloaded")
@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_file_is_streamed_to_disk(
    asynchronous: bool, signicat_client: SignicatClient, sandbox: Sandbox | None, tmp_path: Path
) -> None:
    """
    A download leaves the uploaded file on disk, byte for byte.
    """
    created = create_document.sync(client=signicat_client, body=contract("recorded-downloaded"))
    caller = Caller("asyncio" if asynchronous else "sync", signicat_client)

    async def story(caller: Caller) -> None:
        target, kind = tmp_path / "file.pdf", GetDocumentFileFileFormat.UNSIGNED
        document = given(created.document_id)
        if asynchronous:
            await get_document_file.adownload(
                document, client=caller.client, file_format=kind, to=target
            )
        else:
            get_document_file.download(document, client=caller.client, file_format=kind, to=target)

    caller.run(story)

    assert PDF == (tmp_path / "file.pdf").read_bytes()
