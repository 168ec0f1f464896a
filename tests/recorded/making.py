"""
What the recorded stories send.
"""

import base64

from auth_ext.sandbox import small_pdf
from generated_client.models import (
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

PDF = small_pdf("Recorded")


def contract(external_id: str) -> SignatureDocumentCreateOptions:
    """
    A document with a PDF and one signer. Its people are placeholders already.
    """
    signer = SignatureSignerCreateOptions(
        external_signer_id=f"signer-of-{external_id}",
        redirect_settings=SignatureRedirectSettings(SignatureRedirectMode.DONOT_REDIRECT),
        signature_type=SignatureType(SignatureMechanism.HANDWRITTEN),
        signer_info=SignatureSignerInfo(
            first_name="Firstname1", last_name="Lastname1", email="person2@example.com"
        ),
    )
    return SignatureDocumentCreateOptions(
        contact_details=SignatureContactDetails(email="person1@example.com"),
        data_to_sign=SignatureDataToSign(
            base_64_content=base64.b64encode(PDF).decode(),
            file_name="contract.pdf",
            packaging=SignaturePackaging(signature_package_formats=[SignaturePackageFormat.PADES]),
        ),
        external_id=external_id,
        signers=[signer],
        title="A recorded contract",
    )
