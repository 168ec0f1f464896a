"""
Whether a request's body can be sent a second time, whole.

httpx does not say. Sent twice, a generator raises `StreamConsumed` and an open file a protocol
error, while one-shot iterators and async files send an EMPTY body with 200 OK (httpx 0.28.1).
"""

from typing import Any

import httpx


def can_replay(request: httpx.Request) -> bool:
    """
    Whether sending *request* again sends the same body; in doubt, no.

    Bytes, forms, multipart of seekable files and iterables that start over do.
    """
    stream = request.stream
    if isinstance(stream, httpx.ByteStream):
        return True
    fields = getattr(stream, "fields", None)
    if fields is not None:  # multipart; httpx rewinds its files if they can be rewound
        return all(_is_rewindable(getattr(field, "file", b"")) for field in fields)
    return _starts_over(getattr(stream, "_stream", None))


def _is_rewindable(file: Any) -> bool:
    if isinstance(file, str | bytes):
        return True
    seekable = getattr(file, "seekable", None)
    return bool(seekable()) if callable(seekable) else hasattr(file, "seek")


def _starts_over(body: Any) -> bool:
    """
    Whether every loop over *body* begins at its beginning.

    An iterator is its own iterator and does not. Files, sync and async, go on where they stopped.
    """
    if body is None or hasattr(body, "read") or hasattr(body, "aread"):
        return False
    if hasattr(body, "seekable"):  # an upload of the generated client
        return bool(body.seekable())
    # Twice, for objects that hand out one and the same iterator of something else.
    start = aiter if hasattr(body, "__aiter__") else iter
    return start(body) is not start(body)
