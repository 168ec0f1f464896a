"""
A small application: it sends a contract for signing and waits until it is signed.

    export SIGNICAT_CLIENT_ID=... SIGNICAT_CLIENT_SECRET=...
    python app.py contract.pdf someone@example.com
"""

import base64
import sys
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

from auth_ext import SignicatClient
from generated_client.api.notification import handle_event, list_events
from generated_client.api.signature import create_document, get_document_file
from generated_client.models import (
    GetDocumentFileFileFormat,
    SignatureContactDetails,
    SignatureDataToSign,
    SignatureDocumentCreateOptions,
    SignatureMechanism,
    SignaturePackageFormat,
    SignaturePackaging,
    SignatureRedirectMode,
    SignatureRedirectSettings,
    SignatureSignerCreateOptions,
    SignatureSignerInfo,
    SignatureType,
)
from generated_client.types import given


def send(client: SignicatClient, pdf: bytes, email: str, reference: str) -> UUID:
    """
    Send *pdf* to one signer; gives the document's id.
    """
    signer = SignatureSignerCreateOptions(
        external_signer_id="signer",
        redirect_settings=SignatureRedirectSettings(SignatureRedirectMode.DONOT_REDIRECT),
        signature_type=SignatureType(SignatureMechanism.HANDWRITTEN),
        signer_info=SignatureSignerInfo(email=email),
    )
    file = SignatureDataToSign(
        base_64_content=base64.b64encode(pdf).decode(),
        file_name="contract.pdf",
        packaging=SignaturePackaging(signature_package_formats=[SignaturePackageFormat.PADES]),
    )
    contract = SignatureDocumentCreateOptions(
        contact_details=SignatureContactDetails(email="office@example.com"),
        data_to_sign=file,
        external_id=reference,
        signers=[signer],
        title="Your contract",
    )
    return given(create_document.sync(client=client, body=contract).document_id)


def wait_until_signed(
    client: SignicatClient, document: UUID, pause: Callable[[float], object]
) -> None:
    """
    Look at the events every five seconds until one says that *document* is signed.
    """
    while True:
        for event in list_events.sync(client=client, event_type="document_signed"):
            payload = given(event.payload).to_dict()
            if payload.get("documentId") == str(document):
                handle_event.sync(given(event.id), client=client)
                return
        pause(5.0)


def main(path: str, email: str, pause: Callable[[float], object] = time.sleep) -> None:
    """
    Send the file, wait, and put the signed one beside it.
    """
    with SignicatClient() as client:
        document = send(client, Path(path).read_bytes(), email, reference=f"contract-{uuid4()}")
        wait_until_signed(client, document, pause)
        signed = Path(path).with_suffix(".signed.pdf")
        pades = GetDocumentFileFileFormat.PADES
        get_document_file.download(document, client=client, file_format=pades, to=signed)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
