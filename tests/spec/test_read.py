"""Bytes to a document, and one clear line for everything that is none."""

import json
from pathlib import Path

import httpx
import pytest

from scripts.spec import read
from scripts.spec.errors import DocumentError

GOOD = b'{"openapi": "3.0.3", "paths": {}}'


@pytest.mark.parametrize(
    "raw",
    [
        GOOD,
        b"\xef\xbb\xbf" + GOOD,
        b"openapi: 3.0.3\npaths: {}\n",
        b"\n\n{openapi: 3.0.3, paths: {}}",
    ],
    ids=["json", "byte order mark", "yaml", "yaml in braces"],
)
def test_every_way_to_write_a_document(raw: bytes) -> None:
    """JSON, YAML, with a byte order mark: one document."""
    published = read.parse(raw, name="x")

    assert {"openapi": "3.0.3", "paths": {}} == published.data


def test_json_is_kept_as_published_without_the_mark() -> None:
    """The stored bytes are the publisher's; readers of JSON trip over a byte order mark."""
    assert GOOD == read.parse(b"\xef\xbb\xbf" + GOOD, name="x").stored


def test_yaml_is_read_by_the_core_schema() -> None:
    """on, no, dates and times are text; status codes are keys; numbers stay numbers."""
    text = (
        "openapi: 3.0.3\npaths:\n"
        "  a: &one {on: no, y: yes, d: 2018-01-01, t: 12:30, 200: x, 1.0: y}\n"
        "  b: {e: , n: ~, f: 1.5e3, i: -3, o: 0o17, h: 0xFF, s: '1', z: 010, b: true, m: .5}\n"
        "  c: {<<: *one, on: off}\n"
    )

    paths = read.parse(text.encode(), name="x").data["paths"]

    assert {
        "on": "no",
        "y": "yes",
        "d": "2018-01-01",
        "t": "12:30",
        "200": "x",
        "1.0": "y",
    } == paths["a"]
    assert {
        "e": None,
        "n": None,
        "f": 1500.0,
        "i": -3,
        "o": 15,
        "h": 255,
        "s": "1",
        "z": 10,
        "b": True,
        "m": 0.5,
    } == paths["b"]


BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 10)}]\n" for n in range(8)
)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "is empty"),
        (b"  \n", "is empty"),
        (b"<html><body>404</body></html>", "is a web page or XML"),
        (b"\xff\xfe{\x00", "is not UTF-8 text"),
        (b'{"openapi": "3.0.3", "paths": {', "is not valid JSON: .* line 1.* cut off"),
        (b'{"a": 1, "a": 2, "openapi": "3.0.3"}', "the same key twice .*'a'"),
        (b'{"openapi": "3.0.3", "paths": {}, "x": NaN}', "NaN is no JSON value"),
        (b'{"openapi": "3.0.3", "paths": {}, "x": 1e999}', "a number too large"),
        (b'{"openapi": "3.0.3", "paths": {}, "x": "\\ud800"}', "half a surrogate pair"),
        (b'{"openapi": "3.0.3", "paths": {}, "\\udc00": 1}', "half a surrogate pair"),
        (b'{"openapi":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested more than"),
        (b'{"openapi": "3.0.3", "x":' + b"[" * 150 + b"]" * 150 + b"}", "nested more than"),
        (b"openapi: 3.0.3\nx: " + b"[" * 200 + b"]" * 200, "nested more than"),
        (b"openapi: 3.0.3\npaths: [unclosed", "is not valid YAML: .* line"),
        (b"openapi: 3.0.3\nopenapi: 3.0.3", "the same key twice .* line 2"),
        (b"openapi: 3.0.3\nx: .inf", "no JSON value"),
        (b"openapi: 3.0.3\n? [a, b]\n: c", "a key that is not a scalar"),
        (
            b"openapi: 3.0.3\nx: !!python/object/apply:os.system [id]",
            "could not determine a constructor",
        ),
        (b"openapi: 3.0.3\nx: &a [*a]", "an alias that contains itself|alias that contains itself"),
        (f"openapi: 3.0.3\n{BOMB}".encode(), "grows beyond"),
        (b"[1]", "is not an OpenAPI document: no `openapi`"),
        (b"just text", "is not an OpenAPI document: no `openapi`"),
        (b'{"info": {}}', "no `openapi` and no `swagger`"),
        (b'{"openapi": "4.0.0", "paths": {}}', "is OpenAPI '4.0.0'; 2.0, 3.0 and 3.1"),
        (b'{"swagger": "1.2", "paths": {}}', "is OpenAPI '1.2'"),
        (b'{"openapi": "3.0.3", "paths": []}', "`paths` is no object"),
        (b'{"openapi": "3.0.3"}', "no `paths`"),
    ],
)
def test_what_is_no_document_is_said_in_one_line(raw: bytes, said: str) -> None:
    """Web pages, cut downloads, bombs and twins: what it is, and where."""
    with pytest.raises(DocumentError, match=said) as stopped:
        read.parse(raw, name="x.json")

    assert str(stopped.value).startswith("x.json ")
    assert "\n" not in str(stopped.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """It says which file, and how to give another."""
    with pytest.raises(DocumentError, match=r"none.json cannot be read: No such file.*--from"):
        read.read_file(tmp_path / "none.json")


def test_a_file_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood is refused before it is parsed."""
    monkeypatch.setattr(read, "MAX_BYTES", 10)
    (tmp_path / "big.json").write_bytes(GOOD)

    with pytest.raises(DocumentError, match=r"big.json is larger than 0 MiB"):
        read.read_file(tmp_path / "big.json")


URL = "https://api.test/openapi.json"


def serve(*answers: httpx.Response) -> tuple[httpx.MockTransport, list[httpx.Request]]:
    """A transport with the given answers in turn, and the requests it got."""
    requests: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return answers[len(requests) - 1]

    return httpx.MockTransport(handle), requests


def test_a_url_is_fetched_with_its_etag() -> None:
    """Source and ETag are kept for the next time."""
    transport, requests = serve(httpx.Response(200, content=GOOD, headers={"ETag": '"1"'}))

    published = read.read_url(URL, transport=transport)

    assert (URL, '"1"', GOOD) == (published.source, published.etag, published.stored)
    assert "If-None-Match" not in requests[0].headers


def test_what_has_not_changed_is_not_sent_again() -> None:
    """304 gives the document that is here."""
    transport, requests = serve(httpx.Response(304))
    here = read.parse(GOOD, name="x")

    published = read.read_url(URL, etag='"1"', present=lambda: here, transport=transport)

    assert '"1"' == requests[0].headers["If-None-Match"]
    assert (here.data, URL, '"1"') == (published.data, published.source, published.etag)


@pytest.mark.parametrize(
    ("url", "answers", "said"),
    [
        ("http://api.test/d", [], "is not https"),
        ("ftp://api.test/d", [], "is not https"),
        ("https://", [], "cannot be fetched"),
        (URL, [httpx.Response(404)], "answered 404 Not Found"),
        (URL, [httpx.Response(304)], "answered 304"),
        (
            URL,
            [httpx.Response(302, headers={"Location": "http://api.test/"}), httpx.Response(200)],
            "is not https",
        ),
        (URL, [httpx.Response(200, content=b"<html>")], "is a web page"),
        (URL, [httpx.Response(200, content=b"x" * 200)], "is larger than"),
        (
            URL,
            [httpx.Response(302, headers={"Location": URL})] * 30,
            "cannot be fetched: .*redirect",
        ),
    ],
)
def test_a_url_that_gives_no_document(
    url: str, answers: list[httpx.Response], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plain http, refusals, web pages and floods: one line with the URL."""
    monkeypatch.setattr(read, "MAX_BYTES", 100)
    transport, _ = serve(*answers)

    with pytest.raises(DocumentError, match=said) as stopped:
        read.read_url(url, transport=transport)

    assert "\n" not in str(stopped.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_loopback_needs_no_https(host: str) -> None:
    """For a stand-in on this machine."""
    transport, _ = serve(httpx.Response(200, content=GOOD))

    assert read.read_url(f"http://{host}:1/d", transport=transport).data == json.loads(GOOD)
