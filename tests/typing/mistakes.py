"""
Mistakes that a type checker must find. Each is on a line that ends in the rule it breaks.
"""

from typing import Any
from uuid import UUID

import generated_client.clinet  # mypy: import-not-found # pyright: reportMissingImports
from auth_ext import SignicatClient
from generated_client import Cleint  # mypy: attr-defined # pyright: reportAttributeAccessIssue
from generated_client.api.signature import get_document, get_document_file
from generated_client.models import SignatureDocumnet  # mypy: attr-defined # pyright: reportAttributeAccessIssue


def mistakes(client: SignicatClient, document_id: UUID, anything: Any) -> None:
    """
    One mistake per line.
    """
    document = get_document.sync(document_id, client=client)
    document.titel.upper()  # mypy: attr-defined # pyright: reportAttributeAccessIssue
    document.title.upper()  # mypy: union-attr # pyright: reportAttributeAccessIssue
    get_document.sync(5, client=client)  # mypy: arg-type # pyright: reportArgumentType
    get_document.sync(client=client)  # mypy: call-arg # pyright: reportCallIssue
    get_document_file.download(document_id, client=client)  # mypy: call-arg # pyright: reportCallIssue
    anything(generated_client, Cleint, SignatureDocumnet)
