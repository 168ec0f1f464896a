"""What is rare: the network for real, signals in this process, and odd corners of schemas."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from scripts import regenerate
from scripts.spec import prepare, refs, stamp, swap
from tests.spec.test_all_or_nothing import newer, project, snapshot, template
from tests.spec.test_normalise import NAMED, A, members, operation, run

__all__ = ["project", "template"]  # fixtures


class Publisher(BaseHTTPRequestHandler):
    """Publishes the newer document with an ETag, and remembers what was asked for."""

    asked: list[str | None]

    def do_GET(self) -> None:
        """Answer 304 to the ETag, else the document."""
        known = self.headers["If-None-Match"]
        self.asked.append(known)
        body = b"" if known else newer().encode()
        self.send_response(304 if known else 200)
        self.send_header("ETag", '"one"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def publisher() -> Iterator[tuple[str, list[str | None]]]:
    """A URL on this machine, and the ETags that were sent to it."""
    Publisher.asked = []
    with HTTPServer(("127.0.0.1", 0), Publisher) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/openapi.json", Publisher.asked
        server.shutdown()
        thread.join()


def test_a_url_is_recorded_and_asked_with_its_etag(
    project: Path, publisher: tuple[str, list[str | None]]
) -> None:
    """The second time nothing is sent; when openapi.json is another one, everything is."""
    url, asked = publisher
    package = project / "generated_client"

    codes = [regenerate.main(["--from", url], root=project) for _ in range(2)]
    kept = stamp.read_origin(package)
    assert regenerate.main([], root=project) == 0
    assert kept == stamp.read_origin(package)
    assert (url, '"one"', [0, 0]) == (kept["source"], kept["etag"], codes)
    assert regenerate.main(["--check"], root=project) == 0

    (project / "openapi.json").write_text(json.dumps({"openapi": "3.1.0", "paths": {}}))
    assert regenerate.main(["--from", url], root=project) == 0
    (project / "openapi.json").unlink()
    assert regenerate.main(["--from", url, "--diff"], root=project) == 0

    assert [None, '"one"', None, None] == asked


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (KeyboardInterrupt(), 130, "interrupted; nothing was changed."),
        (OSError(28, "No space left on device", "/x"), 6, "No space left on device (/x)"),
        (OSError("odd"), 6, "regenerate: odd; nothing was changed."),
    ],
)
def test_interrupts_and_the_system_are_said_in_one_line(
    project: Path,
    error: BaseException,
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whatever stops a step, the exit code tells it apart."""

    def fail(*_: object, **__: object) -> None:
        raise error

    before = snapshot(project)
    monkeypatch.setattr(prepare, "prepare", fail)

    assert code == regenerate.main([], root=project)

    assert said in capsys.readouterr().err
    assert before == snapshot(project)


def test_an_origin_that_is_not_there_or_not_whole(tmp_path: Path) -> None:
    """Nothing is believed that is not sealed."""
    (tmp_path / stamp.ORIGIN).write_text("no toml [")

    assert ({}, {}) == (stamp.read_origin(tmp_path), stamp.read_origin(tmp_path / "none"))


def test_a_keeper_whose_parent_is_gone_is_not_disturbed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens any more: it still finishes and tidies up."""

    def deaf(*_: object, **__: object) -> None:
        raise BrokenPipeError

    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.setattr("builtins.print", deaf)
    monkeypatch.setattr("sys.stdin.readline", lambda: "", raising=False)

    swap.keep(work)

    assert not work.exists()


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("#/list/1", "b"),
        ("#/list/7", None),
        ("#/list/x", None),
        ("#name", {"$anchor": "name"}),
        ("#none", None),
    ],
)
def test_where_references_lead(reference: str, found: Any) -> None:
    """Into lists by number, to anchors by name, or nowhere."""
    document = {"list": ["a", "b"], "deep": [{"$anchor": "name"}]}

    if found is None:
        with pytest.raises(refs.Broken, match="nowhere"):
            refs.lookup(document, reference)
    else:
        assert found == refs.lookup(document, reference)


CORNERS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"oneOf": [{"type": "null"}]}, {}),
    ({"oneOf": [], "type": "string"}, {"type": "string"}),
    ({"allOf": [A, {"properties": {}}, {"type": "object", "default": {}}]}, A),
    (
        {"allOf": [{"type": ["string", "null"]}, {"type": ["string", "null"], "format": "uuid"}]},
        {"anyOf": [{"type": "string", "format": "uuid"}, {"type": "null"}]},
    ),
    (
        {"allOf": [{"type": "array", "items": {}}, {"type": "array", "items": {"type": "string"}}]},
        {"type": "array", "items": {"type": "string"}},
    ),
    (
        {"allOf": [{"type": "string"}, {"maxLength": 1}], "default": "a"},
        {"type": "string", "default": "a"},
    ),
]


@pytest.mark.parametrize(("schema", "expected"), CORNERS)
def test_corners_of_schemas(schema: dict[str, Any], expected: dict[str, Any]) -> None:
    """One property in, one property out."""
    found, _ = members(p=schema)

    assert expected == found["p"]


def test_enums_that_have_nothing_in_common() -> None:
    """Both cannot be meant: the later one counts, and it is noted."""
    normal, notes = run({"K": {"allOf": [{"enum": ["a"]}, {"enum": ["b"]}]}})

    assert ["b"] == normal["components"]["schemas"]["K"]["enum"]
    assert "allof-conflict" in notes.hits


def test_a_description_beside_a_union_stays() -> None:
    """It tells what the union is for."""
    union = {
        "description": "d",
        "properties": {"x": {}},
        "anyOf": [A, {"type": "object", "properties": {"y": {}}}],
    }
    normal, _ = run({"M": union, "A": NAMED})

    assert "d" == normal["components"]["schemas"]["M"]["description"]


def test_an_inline_member_of_a_discriminated_union() -> None:
    """Only named ones can be told apart by name (OAS 3.0.3, 4.7.25)."""
    union = {
        "oneOf": [A, {"type": "object", "title": "Other"}],
        "discriminator": {"propertyName": "n"},
    }
    normal, _ = run({"M": union, "A": NAMED})

    schemas = normal["components"]["schemas"]
    assert "A" == schemas["A"]["properties"]["n"]["const"]
    assert {"A", "M", "MOther"} == set(schemas)


def test_parameters_that_are_none() -> None:
    """Without a name, or nowhere: nothing can be sent."""
    _, new, _ = operation({"parameters": [{"in": "query"}, {"name": "x", "in": "nowhere"}]})

    assert [] == new["parameters"]
