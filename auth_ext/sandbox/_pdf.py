"""PDF bytes: a small page of text, and a second revision that carries signatures.

ISO 32000-1: the file structure is 7.5, incremental updates 7.5.6, signatures 12.8.
"""

import re
from collections.abc import Iterable

import attrs

_XREF_AT_END = re.compile(rb"startxref\s+(\d+)\s+%%EOF\s*\Z")
_SIZE = re.compile(rb"/Size\s+(\d+)")
_ROOT = re.compile(rb"/Root\s+(\d+\s+\d+\s+R)")
TAIL = 4096


@attrs.frozen
class Signature:
    """Who signed, and when (ISO 8601)."""

    name: str
    method: str
    moment: str


def small_pdf(text: str) -> bytes:
    """A PDF of one page with one line of text."""
    content = b"BT /F1 18 Tf 72 760 Td " + _literal(text) + b" Tj ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    made = bytearray(b"%PDF-1.7\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(made)
    made += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    made += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    made += b"trailer\n<< /Size %d /Root 1 0 R >>\n" % (len(objects) + 1)
    made += b"startxref\n%d\n%%%%EOF\n" % start
    return bytes(made)


def signed_revision(tail: bytes, length: int, signatures: Iterable[Signature]) -> bytes:
    """What is put after a PDF to record its signatures, as an incremental update.

    The original bytes stay as they were. The signature objects name the signers; no key signs
    anything, for nobody may take a sandbox's file for a signed one.

    Args:
        tail: The last bytes of the original (up to TAIL).
        length: How long the original is.
        signatures: Who signed.
    """
    found, size, root = _XREF_AT_END.search(tail), _SIZE.search(tail), _ROOT.search(tail)
    if not (found and size and root):
        return b""
    first = int(size[1])
    made = bytearray(b"\n")
    offsets = []
    for number, signature in enumerate(signatures, first):
        offsets.append(length + len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, _signature_object(signature))
    start = length + len(made)
    made += b"xref\n%d %d\n" % (first, len(offsets))
    made += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    made += b"trailer\n<< /Size %d /Root %s /Prev %d >>\n" % (
        first + len(offsets),
        root[1],
        int(found[1]),
    )
    made += b"startxref\n%d\n%%%%EOF\n" % start
    return bytes(made)


def _signature_object(signature: Signature) -> bytes:
    moment = re.sub(r"[-:T]|\.\d+|Z$", "", signature.moment)
    return b" ".join(
        [
            b"<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached",
            b"/Name " + _literal(signature.name),
            b"/M " + _literal(f"D:{moment}Z"),
            b"/Reason " + _literal(f"Sandbox signature without legal effect, {signature.method}"),
            b">>",
        ]
    )


def _literal(text: str) -> bytes:
    """A PDF string in Latin-1; what does not fit becomes a question mark."""
    encoded = text.encode("latin-1", "replace")
    return b"(" + re.sub(rb"([\\()])", rb"\\\1", encoded) + b")"
