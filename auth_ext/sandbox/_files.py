"""Files of documents: the original as it came, and what signing makes of it, in pieces."""

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from xml.sax.saxutils import quoteattr

from auth_ext.sandbox._calls import File, broken_rule
from auth_ext.sandbox._pdf import TAIL, Signature, signed_revision, small_pdf
from auth_ext.sandbox._store import CHUNK, Store

PDF = "application/pdf"
XML = "application/xml"
PDF_FORMATS = ("pades", "packaged")
THREE_BYTES = 3


def original(body: Mapping[str, Any], content: bytes) -> bytes:
    """What is kept of an upload: PDF and XML as they came, text made into a PDF when asked."""
    if content.startswith(b"%PDF-") or content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return content
    if body.get("convertToPDF") or body.get("convertToPdf"):
        return small_pdf(content.decode("utf-8", "replace"))
    raise broken_rule("The sandbox takes PDF and XML; for text ask for the conversion to PDF.")


def package(store: Store, name: str, wanted: str, signatures: list[Signature]) -> File:
    """The file kept under *name*, as it is or in a signed form."""
    length = store.file_length(name)
    is_pdf = next(store.read_file(name)).startswith(b"%PDF-")
    if wanted == "unsigned":
        return File(
            content_type=PDF if is_pdf else XML, length=length, chunks=store.read_file(name)
        )
    if wanted in PDF_FORMATS and is_pdf:
        tail = b"".join(store.read_file(name, max(length - TAIL, 0)))
        update = signed_revision(tail, length, signatures)
        chunks = _then(store.read_file(name), [update])
        return File(content_type=PDF, length=length + len(update), chunks=chunks)
    return _envelope(store, name, wanted, signatures, length)


def padded(file: File, least: int) -> File:
    """The file, filled up with line feeds to *least* bytes."""
    missing = least - file.length
    if missing <= 0:
        return file
    filling = (b"\n" * min(CHUNK, missing - done) for done in range(0, missing, CHUNK))
    return File(content_type=file.content_type, length=least, chunks=_then(file.chunks, filling))


def checksum(store: Store, name: str) -> str:
    """SHA-256 of the file, hex."""
    digest = hashlib.sha256()
    for chunk in store.read_file(name):
        digest.update(chunk)
    return digest.hexdigest()


def _envelope(
    store: Store, name: str, wanted: str, signatures: list[Signature], length: int
) -> File:
    """An XML envelope with the original in Base64 and who signed it."""
    listed = "".join(
        f"<Signature name={quoteattr(one.name)} method={quoteattr(one.method)} "
        f"time={quoteattr(one.moment)}/>"
        for one in signatures
    )
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<Sandbox format={quoteattr(wanted)}>'
    before, after = f"{head}{listed}<Content>".encode(), b"</Content></Sandbox>\n"
    encoded = -(-length // THREE_BYTES) * 4
    return File(
        content_type=XML,
        length=len(before) + encoded + len(after),
        chunks=_then([before], _encoded(store.read_file(name)), [after]),
    )


def _encoded(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Base64 of the pieces put together: only full groups of three are encoded early."""
    rest = b""
    for chunk in chunks:
        data = rest + chunk
        whole = len(data) // THREE_BYTES * THREE_BYTES
        rest = data[whole:]
        yield base64.b64encode(data[:whole])
    yield base64.b64encode(rest)


def _then(*parts: Iterable[bytes]) -> Iterator[bytes]:
    for part in parts:
        yield from part
