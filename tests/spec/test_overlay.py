"""Repairs as data: applied once, counted, and named when they are idle."""

from pathlib import Path
from typing import Any

import pytest

from scripts.spec import overlay
from scripts.spec.errors import DocumentError
from scripts.spec.read import read_file
from scripts.spec.upgrade import upgrade
from tests.spec.test_regenerate import VENDOR

DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "T"},
    "paths": {"/a": {"get": {"tags": ["x"], "summary": "s"}}},
    "list": [{"n": 1}, {"n": 2}, {"n": 3}],
}


def applied(*actions: dict[str, Any], applies_to: dict[str, Any] | None = None) -> overlay.Applied:
    """DOCUMENT with these actions."""
    given = [{"description": "why", **action} for action in actions]
    one = overlay.Overlay("o.yaml", applies_to or {}, given)
    return overlay.apply(DOCUMENT, DOCUMENT, [one])


@pytest.mark.parametrize(
    ("action", "place", "expected"),
    [
        ({"target": "$.info", "update": {"version": "1"}}, "info", {"title": "T", "version": "1"}),
        ({"target": "$", "update": {"info": {"title": "U"}}}, "info", {"title": "U"}),
        (
            {"target": "$.paths.*.get.summary", "remove": True},
            "paths",
            {"/a": {"get": {"tags": ["x"]}}},
        ),
        (
            {"target": "$.paths['/a'].get.tags", "update": ["y"]},
            "paths",
            {"/a": {"get": {"tags": ["x", "y"], "summary": "s"}}},
        ),
        (
            {"target": "$.paths['/a'].get.tags", "update": "y"},
            "paths",
            {"/a": {"get": {"tags": ["x", "y"], "summary": "s"}}},
        ),
        ({"target": "$.list[?@.n > 1]", "remove": True}, "list", [{"n": 1}]),
        ({"target": "$.list[?@.n == 2].n", "update": 9}, "list", [{"n": 1}, {"n": 9}, {"n": 3}]),
    ],
)
def test_actions(action: dict[str, Any], place: str, expected: Any) -> None:
    """Objects merge, lists gain, values are replaced, and matches go."""
    result = applied(action)

    assert (expected, 1, ()) == (result.document[place], result.used, result.idle)


def test_the_document_given_is_left_alone() -> None:
    """The change report still needs it."""
    applied({"target": "$.info", "remove": True})

    assert "info" in DOCUMENT


@pytest.mark.parametrize(
    "action",
    [
        {"target": "$.info", "update": {"version": "1"}},
        {"target": "$.paths['/a'].get.tags", "update": ["y"]},
        {"target": "$.list[0]", "update": {"n": 5}},
    ],
)
def test_twice_is_once_and_the_second_time_is_idle(action: dict[str, Any]) -> None:
    """A repair that the vendor has made is named, so that it can be removed."""
    one = overlay.Overlay("o.yaml", {}, [{"description": "why", **action}])

    first = overlay.apply(DOCUMENT, DOCUMENT, [one])
    second = overlay.apply(first.document, DOCUMENT, [one])

    assert (first.document, 0, 1) == (second.document, second.used, len(second.idle))
    assert f"o.yaml: {action['target']} (why)" == second.idle[0]


@pytest.mark.parametrize(
    ("applies_to", "used"),
    [({"/info/title": "T"}, 1), ({"/info/title": "U"}, 0), ({"/swagger": "2.0"}, 0)],
)
def test_an_overlay_is_for_the_documents_it_names(applies_to: dict[str, Any], used: int) -> None:
    """For others it neither acts nor is idle."""
    result = applied({"target": "$.info", "update": {"a": 1}}, applies_to=applies_to)

    assert (used, ()) == (result.used, result.idle)


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ({"target": "$.[", "remove": True}, "o.yaml: .* is no JSONPath"),
        ({"target": "$", "remove": True}, "the whole document cannot be removed"),
    ],
)
def test_actions_that_cannot_be(action: dict[str, Any], said: str) -> None:
    """The file is named."""
    with pytest.raises(DocumentError, match=said):
        applied(action)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "is no overlay"),
        ("overlay: 1.0.0\nactions: []", "needs `actions` and `x-applies-to`"),
        ("x-applies-to: {}\nactions: [{target: $, update: {}}]", "action 1 has no `description`"),
        ("x-applies-to: {}\nactions: [{target: $, description: d}]", "action 1 needs `target`"),
        ("x-applies-to: {}\nactions: [1]", "action 1 has no `description`"),
    ],
)
def test_files_that_are_no_overlays(tmp_path: Path, text: str, said: str) -> None:
    """A repair without a reason is refused."""
    (tmp_path / "bad.yaml").write_text(text)

    with pytest.raises(DocumentError, match=f"bad.yaml.*{said}"):
        overlay.load(tmp_path)


def test_our_overlays_are_overlays() -> None:
    """Every file of the project is well formed, and its reasons are sentences."""
    loaded = overlay.load(overlay.FOLDER)

    assert [] != loaded
    assert [] == [
        action
        for one in loaded
        for action in one.actions
        if not action["description"].endswith(".")
    ]


@pytest.mark.skipif(not VENDOR.exists(), reason="the vendor's document is not beside the project")
def test_every_repair_of_the_published_document_is_of_use() -> None:
    """Each action changes something, and nothing is left for a second time."""
    data = read_file(VENDOR).data
    (one,) = (one for one in overlay.load(overlay.FOLDER) if one.concerns(data))

    first = overlay.apply(upgrade(data), data, [one])
    second = overlay.apply(first.document, data, [one])

    assert (len(one.actions), ()) == (first.used, first.idle)
    assert (first.document, 0) == (second.document, second.used)
