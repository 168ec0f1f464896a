"""What changes for callers, rule by rule."""

import json
from typing import Any

import pytest

from scripts.spec import diff
from scripts.spec.prepare import prepare


def document() -> dict[str, Any]:
    """A small document to change."""
    answer = {"application/json": {"schema": {"$ref": "#/components/schemas/Out"}}}
    body = {"application/json": {"schema": {"$ref": "#/components/schemas/In"}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {
            "/a/{x}/{y}": {
                "post": {
                    "operationId": "do",
                    "tags": ["t"],
                    "security": [{"o": ["read"]}],
                    "parameters": [
                        {"name": "x", "in": "path", "required": True, "schema": {"type": "string"}},
                        {"name": "y", "in": "path", "required": True, "schema": {"type": "string"}},
                        {"name": "q", "in": "query", "schema": {"type": "integer", "default": 1}},
                        {
                            "name": "r",
                            "in": "query",
                            "required": True,
                            "schema": {"type": "string"},
                        },
                    ],
                    "requestBody": {"content": body},
                    "responses": {
                        "200": {"description": "", "content": answer},
                        "404": {"description": "", "content": answer},
                    },
                }
            }
        },
        "components": {
            "securitySchemes": {
                "o": {
                    "type": "oauth2",
                    "flows": {
                        "clientCredentials": {"tokenUrl": "u", "scopes": {"read": "r", "old": "o"}}
                    },
                }
            },
            "schemas": {
                "In": {
                    "type": "object",
                    "required": ["must"],
                    "properties": {
                        "must": {"type": "string"},
                        "may": {"type": "string"},
                        "kind": {"$ref": "#/components/schemas/Kind"},
                        "whole": {"type": "integer"},
                    },
                },
                "Out": {
                    "type": "object",
                    "required": ["must"],
                    "properties": {
                        "must": {"type": "string"},
                        "may": {"type": "string"},
                        "kind": {"$ref": "#/components/schemas/Kind"},
                        "null": {"type": ["string", "null"]},
                        "inner": {"$ref": "#/components/schemas/Inner"},
                    },
                },
                "Inner": {"type": "object", "properties": {"z": {"type": "string"}}},
                "Kind": {"type": "string", "enum": ["a", "b"]},
                "Either": {"oneOf": [{"type": "string"}, {"type": "integer"}]},
                "Map": {"type": "object", "additionalProperties": {"type": "string"}},
            },
        },
    }


OPERATION = ("paths", "/a/{x}/{y}", "post")
IN, OUT = (("components", "schemas", name) for name in ("In", "Out"))
GONE = object()


def changed(*changes: tuple[tuple[Any, ...], Any]) -> list[diff.Change]:
    """The report after setting, or removing, what is at these places."""
    new = document()
    for path, value in changes:
        node: Any = new
        for step in path[:-1]:
            node = node[step]
        if value is GONE:
            del node[path[-1]]
        elif isinstance(node, list) and path[-1] == len(node):
            node.append(value)
        else:
            node[path[-1]] = value
    return diff.compare(diff.surface(prepare(document())), diff.surface(prepare(new)))


RULES: list[tuple[str, tuple[Any, ...], Any, list[tuple[bool, str, str, str]]]] = [
    (
        "operation gone",
        ("paths", "/a/{x}/{y}"),
        GONE,
        [(True, "operation", "do", "removed (POST /a/{x}/{y})")],
    ),
    (
        "operation new",
        ("paths", "/b"),
        {"get": {"operationId": "b"}},
        [(False, "operation", "b", "added (GET /b)")],
    ),
    (
        "operation renamed",
        (*OPERATION, "operationId"),
        "go",
        [(True, "operation", "do", "renamed to go")],
    ),
    (
        "other package",
        (*OPERATION, "tags"),
        ["u"],
        [(True, "operation", "do", "moved from api.t.do to api.u.do")],
    ),
    ("deprecated", (*OPERATION, "deprecated"), True, [(False, "operation", "do", "deprecated")]),
    (
        "parameter gone",
        (*OPERATION, "parameters", 2),
        GONE,
        [(True, "parameter", "do", "query parameter q removed")],
    ),
    (
        "parameter new",
        (*OPERATION, "parameters", 4),
        {"name": "n", "in": "query", "schema": {}},
        [(False, "parameter", "do", "query parameter n added")],
    ),
    (
        "parameter new, required",
        (*OPERATION, "parameters", 4),
        {"name": "n", "in": "query", "required": True, "schema": {}},
        [(True, "parameter", "do", "query parameter n added, required")],
    ),
    (
        "now required",
        (*OPERATION, "parameters", 2, "required"),
        True,
        [(True, "parameter", "do", "query parameter q is now required")],
    ),
    (
        "now optional",
        (*OPERATION, "parameters", 3, "required"),
        False,
        [(False, "parameter", "do", "query parameter r is now optional")],
    ),
    (
        "other type",
        (*OPERATION, "parameters", 3, "schema", "type"),
        "boolean",
        [(True, "parameter", "do", "query parameter r was string, is now boolean")],
    ),
    (
        "wider type",
        (*OPERATION, "parameters", 2, "schema", "type"),
        "number",
        [(False, "parameter", "do", "query parameter q was integer, is now number")],
    ),
    (
        "other default",
        (*OPERATION, "parameters", 2, "schema", "default"),
        2,
        [(False, "parameter", "do", "query parameter q has the default 2, was 1")],
    ),
    (
        "no default",
        (*OPERATION, "parameters", 2, "schema", "default"),
        GONE,
        [(False, "parameter", "do", "query parameter q has the default none, was 1")],
    ),
    ("body gone", (*OPERATION, "requestBody"), GONE, [(True, "body", "do", "body removed")]),
    (
        "body required",
        (*OPERATION, "requestBody", "required"),
        True,
        [(True, "body", "do", "body is now required")],
    ),
    (
        "body of another type",
        (*OPERATION, "requestBody", "content", "application/json", "schema"),
        {"type": "string"},
        [(True, "body", "do", "body was In, is now string")],
    ),
    (
        "body in another media type",
        (*OPERATION, "requestBody", "content"),
        {"application/octet-stream": {}},
        [
            (True, "body", "do", "body as application/json removed"),
            (True, "body", "do", "body as application/octet-stream added"),
        ],
    ),
    (
        "answer of another type",
        (*OPERATION, "responses", "200", "content"),
        {"application/json": {"schema": {"type": "string"}}},
        [(True, "response", "do", "response 200 was Out, is now string")],
    ),
    (
        "answer gone",
        (*OPERATION, "responses", "404"),
        GONE,
        [(False, "response", "do", "response 404 removed")],
    ),
    (
        "answer new",
        (*OPERATION, "responses", "202"),
        {"description": ""},
        [(True, "response", "do", "response 202 added, nothing")],
    ),
    (
        "error new",
        (*OPERATION, "responses", "409"),
        {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Out"}}}},
        [(False, "response", "do", "response 409 added, Out")],
    ),
    (
        "scope needed",
        (*OPERATION, "security"),
        [{"o": ["read", "old"]}],
        [(True, "scope", "do", "now needs the scope old")],
    ),
    (
        "scope not needed",
        (*OPERATION, "security"),
        [{"o": []}],
        [(False, "scope", "do", "no longer needs the scope read")],
    ),
    (
        "no token needed",
        (*OPERATION, "security"),
        [],
        [
            (False, "scope", "do", "needs no token any more"),
            (False, "scope", "do", "no longer needs the scope read"),
        ],
    ),
    (
        "scope gone",
        ("components", "securitySchemes", "o", "flows", "clientCredentials", "scopes", "old"),
        GONE,
        [(False, "scope", "old", "removed from the document")],
    ),
    (
        "scope new",
        ("components", "securitySchemes", "o", "flows", "clientCredentials", "scopes", "new"),
        "n",
        [(False, "scope", "new", "added to the document")],
    ),
    (
        "schema gone",
        ("components", "schemas", "Either"),
        GONE,
        [(True, "schema", "Either", "removed")],
    ),
    (
        "schema new",
        ("components", "schemas", "New"),
        {"type": "object"},
        [(False, "schema", "New", "added")],
    ),
    (
        "schema of another type",
        ("components", "schemas", "Either"),
        {"type": "string"},
        [(False, "schema", "Either", "was integer | string, is now string")],
    ),
    ("property gone", (*IN, "properties", "may"), GONE, [(True, "property", "In", "may removed")]),
    (
        "property new",
        (*IN, "properties", "new"),
        {"type": "string"},
        [(False, "property", "In", "new added")],
    ),
    (
        "property required, sent",
        (*IN, "required"),
        ["must", "may"],
        [(True, "property", "In", "may is now required")],
    ),
    (
        "property optional, sent",
        (*IN, "required"),
        [],
        [(False, "property", "In", "must is now optional")],
    ),
    (
        "property required, received",
        (*OUT, "required"),
        ["must", "may"],
        [(False, "property", "Out", "may is now required")],
    ),
    (
        "property optional, received",
        (*OUT, "required"),
        [],
        [(True, "property", "Out", "must is now optional")],
    ),
    (
        "may be null, sent",
        (*IN, "properties", "may", "type"),
        ["string", "null"],
        [(False, "property", "In", "may may now be null")],
    ),
    (
        "may be null, received",
        (*OUT, "properties", "may", "type"),
        ["string", "null"],
        [(True, "property", "Out", "may may now be null")],
    ),
    (
        "no longer null, received",
        (*OUT, "properties", "null", "type"),
        "string",
        [(False, "property", "Out", "null may no longer be null")],
    ),
    (
        "wider, sent",
        (*IN, "properties", "whole", "type"),
        "number",
        [(False, "property", "In", "whole was integer, is now number")],
    ),
    (
        "wider, received",
        (*OUT, "properties", "may", "type"),
        ["string", "integer"],
        [(True, "property", "Out", "may was string, is now integer | string")],
    ),
    (
        "enum value gone",
        ("components", "schemas", "Kind", "enum"),
        ["a"],
        [(True, "enum value", "Kind", "b removed")],
    ),
    (
        "enum value new",
        ("components", "schemas", "Kind", "enum"),
        ["a", "b", "c"],
        [(False, "enum value", "Kind", "c added")],
    ),
    (
        "other members",
        ("components", "schemas", "Map", "additionalProperties"),
        {"type": "integer"},
        [(True, "schema", "Map", "other members were string, are now integer")],
    ),
    (
        "members open",
        ("components", "schemas", "Map", "additionalProperties"),
        True,
        [(False, "schema", "Map", "other members were string, are now true")],
    ),
    ("nothing that callers see", ("info", "title"), "another", []),
    ("description only", (*IN, "description"), "another", []),
]


@pytest.mark.parametrize(
    ("path", "value", "expected"), [rule[1:] for rule in RULES], ids=[rule[0] for rule in RULES]
)
def test_each_change_and_whether_it_breaks(
    path: tuple[Any, ...], value: Any, expected: list[tuple[bool, str, str, str]]
) -> None:
    """One change to the document gives these lines."""
    found = changed((path, value))

    assert expected == [(one.breaking, one.kind, one.where, one.what) for one in found]


def test_a_new_required_property_breaks_those_who_send_it() -> None:
    """Only those."""
    for where, breaking in ((IN, True), (OUT, False)):
        (one,) = changed(
            ((*where, "properties", "new"), {"type": "string"}),
            ((*where, "required"), ["must", "new"]),
        )

        assert (breaking, "new added, required") == (one.breaking, one.what)


def test_an_operation_that_moves_is_compatible() -> None:
    """Callers use its id; the path is the client's business. The order of arguments is theirs."""
    moved = document()
    moved["paths"]["/b/{y}/{x}"] = moved["paths"].pop("/a/{x}/{y}")

    found = diff.compare(diff.surface(prepare(document())), diff.surface(prepare(moved)))

    assert [
        (True, "path parameters are now in the order y, x"),
        (False, "POST /a/{x}/{y} is now POST /b/{y}/{x}"),
    ] == [(one.breaking, one.what) for one in found]


def test_bodies_that_come() -> None:
    """A body where there was none; required or not."""
    without = document()
    body = without["paths"]["/a/{x}/{y}"]["post"].pop("requestBody")
    for required in (True, False):
        new = document()
        new["paths"]["/a/{x}/{y}"]["post"]["requestBody"] = {**body, "required": required}

        (one,) = diff.compare(diff.surface(prepare(without)), diff.surface(prepare(new)))

        assert (required, "body added, required" if required else "body added") == (
            one.breaking,
            one.what,
        )


def test_a_token_that_is_now_needed_breaks() -> None:
    """The caller had none."""
    old = document()
    old["paths"]["/a/{x}/{y}"]["post"]["security"] = []

    found = diff.compare(diff.surface(prepare(old)), diff.surface(prepare(document())))

    assert ["now needs a token", "now needs the scope read"] == [
        one.what for one in found if one.breaking
    ]


def test_renamed_schemas_are_recognised() -> None:
    """Equal in structure, also through one another: one line each, and nothing for their users."""
    new = json.loads(
        json.dumps(document())
        .replace("schemas/Inner", "schemas/Core")
        .replace("schemas/Out", "schemas/Answer")
    )
    schemas = new["components"]["schemas"]
    schemas["Core"], schemas["Answer"] = schemas.pop("Inner"), schemas.pop("Out")

    found = diff.compare(diff.surface(prepare(document())), diff.surface(prepare(new)))

    assert [
        (True, "Inner", "renamed to Core, otherwise equal"),
        (True, "Out", "renamed to Answer, otherwise equal"),
    ] == [(one.breaking, one.where, one.what) for one in found]


def test_classes_are_reached_once_from_everywhere() -> None:
    """Also those that refer to themselves."""
    new = document()
    new["components"]["schemas"]["Inner"]["properties"]["self"] = {
        "$ref": "#/components/schemas/Inner"
    }

    made = diff.surface(prepare(new))

    assert ({"In", "Kind"}, {"Out", "Kind", "Inner"}) == (set(made.sent), set(made.received))


def test_nothing_changes_between_a_document_and_itself() -> None:
    """And the report says so."""
    same = diff.surface(prepare(document()))

    assert "Nothing changes for callers of the client.\n" == diff.render(
        diff.compare(same, same), "text"
    )


CHANGES = [
    diff.Change(breaking=True, kind="schema", where="A`|b", what="x\n\x1b[31m| **bold** @team"),
    diff.Change(breaking=False, kind="operation", where="b", what="added"),
]


def test_text_is_one_line_per_change() -> None:
    """Names from the document neither start a line nor colour the terminal."""
    assert [
        "1 breaking, 1 compatible changes for callers.",
        "BREAKING   schema     A`|b: x [31m| **bold** @team",
        "compatible operation  b: added",
    ] == diff.render(CHANGES, "text").splitlines()


def test_markdown_is_two_tables_and_no_markup_from_the_document() -> None:
    """It becomes the body of a pull request: no links, no mentions, no broken table."""
    text = diff.render(CHANGES, "markdown")

    assert "| schema | `A'\\|b` | `x [31m\\| **bold** @team` |" in text
    assert text.index("### Breaking") < text.index("### Compatible")
    assert "### Compatible" not in diff.render(CHANGES[:1], "markdown")


def test_json_is_for_programs() -> None:
    """Counts, and every change with its members."""
    report = json.loads(diff.render(CHANGES, "json"))

    assert (1, 1, "added") == (
        report["breaking"],
        report["compatible"],
        report["changes"][1]["what"],
    )


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({}, "any"),
        ({"type": "array", "items": {"type": "string", "format": "uuid"}}, "list of uuid"),
        ({"const": "a"}, 'always "a"'),
        ({"allOf": [{"$ref": "#/components/schemas/A"}]}, "A"),
        ({"anyOf": [{"type": "null"}, {"type": "integer"}]}, "integer | null"),
    ],
)
def test_types_in_words(schema: dict[str, Any], text: str) -> None:
    """Short, and the same whatever the order of a union."""
    assert text == diff.describe(schema)
