"""Each rule on a tiny document, and what holds for every document."""

import ast
import json
import keyword
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from scripts import regenerate
from scripts.spec import generate, names, table
from scripts.spec.normalise import normalise
from scripts.spec.read import read_file
from scripts.spec.rules import RULES, Notes
from tests.spec.conftest import CORPUS

A = {"$ref": "#/components/schemas/A"}
B = {"$ref": "#/components/schemas/B"}
NAMED = {"type": "object", "properties": {"n": {"type": "string"}}}
ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}


def run(
    schemas: dict[str, Any] | None = None, paths: dict[str, Any] | None = None, **more: Any
) -> tuple[dict[str, Any], Notes]:
    """A tiny document after the rules."""
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": paths or {},
        "components": {"schemas": schemas or {}},
        **more,
    }
    return normalise(document)


def members(**properties: Any) -> tuple[dict[str, Any], set[str]]:
    """The properties of one schema after the rules, and which rules did something."""
    normal, notes = run(
        {
            "Model": {"type": "object", "properties": properties},
            "A": NAMED,
            "B": {"type": "object", "properties": {"b": {"type": "integer"}}},
        }
    )
    found: dict[str, Any] = normal["components"]["schemas"]["Model"]["properties"]
    return found, set(notes.hits)


def operation(given: dict[str, Any], path: str = "/a") -> tuple[str, dict[str, Any], set[str]]:
    """Path and operation after the rules, and which rules did something."""
    normal, notes = run(
        {"A": NAMED},
        {path: {"get": {"operationId": "op", "responses": {"200": {"description": ""}}, **given}}},
    )
    ((new, item),) = normal["paths"].items()
    return new, item["get"], set(notes.hits)


SCHEMA_RULES: list[tuple[str, Any, Any]] = [
    ("boolean-schemas", True, {}),
    ("boolean-schemas", False, {}),
    ("unknown-type", {"type": "file"}, {"type": "string"}),
    ("unknown-type", {"type": "DateTime"}, {"type": "string", "format": "date-time"}),
    ("unknown-type", {"type": "Integer"}, {"type": "integer"}),
    ("unknown-type", {"type": "wat"}, {}),
    ("unknown-type", {"type": ["string", "wat"]}, {"type": "string"}),
    ("items-filled", {"type": "array"}, {"type": "array", "items": {}}),
    (
        "tuple-items",
        {"type": "array", "items": [{"type": "string"}, {"type": "string"}]},
        {"type": "array", "items": {"type": "string"}},
    ),
    (
        "tuple-items",
        {"type": "array", "prefixItems": [{}, {"type": "string"}]},
        {"type": "array", "items": {}},
    ),
    (
        "tuple-items",
        {"prefixItems": [{"type": "string"}], "items": {"type": "null"}},
        {"type": "array", "items": {"anyOf": [{"type": "string"}, {}]}},
    ),
    ("binary-in-json", {"type": "string", "format": "binary"}, {"type": "string"}),
    ("null-only", {"type": "null"}, {}),
    ("null-only", {"enum": [None]}, {}),
    ("null-only", {"const": None}, {}),
    ("enum-values", {"enum": [1, "a"]}, {}),
    ("enum-values", {"type": "number", "enum": [1.5]}, {"type": "number"}),
    ("enum-values", {"type": "string", "enum": ["a\u200bb"]}, {"type": "string"}),
    ("enum-values", {"enum": [{"a": 1}]}, {}),
    ("constants", {"const": [1]}, {}),
    ("constants", {"const": "a\nb"}, {}),
    ("defaults", {"type": "integer", "default": "x"}, {"type": "integer"}),
    (
        "defaults",
        {"type": "string", "format": "uuid", "default": "x"},
        {"type": "string", "format": "uuid"},
    ),
    (
        "defaults",
        {"type": "string", "format": "date", "default": "x"},
        {"type": "string", "format": "date"},
    ),
    ("defaults", {"type": "array", "items": {}, "default": [1]}, {"type": "array", "items": {}}),
    ("defaults", {"type": "string", "default": "a\u200b"}, {"type": "string"}),
    ("defaults", {"const": 1, "default": 2}, {"type": "integer", "const": 1}),
    (
        "defaults",
        {"type": ["integer", "boolean"], "default": "x"},
        {"anyOf": [{"type": "integer"}, {"type": "boolean"}]},
    ),
    ("ref-siblings", {**A, "nullable": True}, {"anyOf": [A, {"type": "null"}]}),
    (
        "allof-merged",
        {"allOf": [{"type": "string"}, {"maxLength": 5}, {"format": "uuid"}]},
        {"type": "string", "format": "uuid"},
    ),
    ("allof-merged", {"allOf": [{"type": "number"}, {"type": "integer"}]}, {"type": "integer"}),
    (
        "allof-conflict",
        {"allOf": [{"type": "integer", "format": "int32"}, {"type": "string"}]},
        {"type": "string"},
    ),
    ("enum-on-array", {"type": "array", "enum": ["a"], "items": A}, {"type": "array", "items": A}),
]


@pytest.mark.parametrize(("rule", "schema", "expected"), SCHEMA_RULES)
def test_rules_for_schemas(rule: str, schema: Any, expected: Any) -> None:
    """One property in, one property out."""
    found, hits = members(p=schema)

    assert (expected, True) == (found["p"], rule in hits)


PLAIN: list[tuple[Any, Any]] = [
    ({"type": "string", "title": "T", "minLength": 1}, {"type": "string"}),
    ({"type": "string", "x-nullable": True}, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
    (
        {"type": ["string", "null"], "default": "a"},
        {"anyOf": [{"type": "string"}, {"type": "null"}], "default": "a"},
    ),
    ({"type": ["integer", "number"]}, {"type": "number"}),
    ({"type": "boolean", "enum": [True]}, {"type": "boolean"}),
    ({"type": "boolean", "default": "true"}, {"type": "boolean", "default": True}),
    ({"type": "number", "default": "1.5"}, {"type": "number", "default": 1.5}),
    ({"type": "string", "default": True}, {"type": "string", "default": "true"}),
    ({"type": "string", "default": 1}, {"type": "string", "default": "1"}),
    ({"const": True}, {"type": "boolean", "const": True}),
    ({"const": 1.5}, {"type": "number", "const": 1.5}),
    ({"oneOf": [A]}, A),
    ({"oneOf": [A, {"type": "null"}]}, {"anyOf": [A, {"type": "null"}]}),
    ({"anyOf": [A, A, B]}, {"anyOf": [A, B]}),
    ({"type": "object", "oneOf": [A, B]}, {"anyOf": [A, B]}),
    ({"allOf": [A], "description": "d"}, A),
    ({"allOf": [A, {"description": "d"}], "nullable": True}, {"anyOf": [A, {"type": "null"}]}),
    (None, {}),
    ({"enum": []}, {}),
]


@pytest.mark.parametrize(("schema", "expected"), PLAIN)
def test_every_spelling_becomes_one(schema: Any, expected: Any) -> None:
    """What says the same is written the same."""
    found, _ = members(p=schema)

    assert expected == found["p"]


def test_inline_classes_become_components() -> None:
    """Objects and enums get a name of their own, after where they are."""
    normal, notes = run(
        {
            "Pet": {
                "type": "object",
                "properties": {
                    "owner": {"title": "X", **NAMED},
                    "kind": {"enum": ["a"]},
                    "many": {"type": "array", "items": NAMED},
                    "map": {"type": "object", "additionalProperties": NAMED},
                },
            },
            "PetOwner": NAMED,
        }
    )

    made = set(normal["components"]["schemas"])
    assert {
        "Pet",
        "PetOwner",
        "PetOwner2",
        "PetKind",
        "PetManyItem",
        "PetMap",
        "PetMapAdditionalProperty",
    } == made
    assert {"$ref": "#/components/schemas/PetOwner2"} == normal["components"]["schemas"]["Pet"][
        "properties"
    ]["owner"]
    assert {"hoisted", "class-renamed"} <= set(notes.hits)


@pytest.mark.parametrize(
    ("name", "other", "expected", "rule"),
    [
        ("a.b", "c", {"AB", "C"}, None),
        ("List[Pet]", "ListPet", {"ListPet", "ListPet2"}, "class-renamed"),
        ("HTTPServer", "HttpServer", {"HTTPServer", "HttpServer2"}, "class-renamed"),
        ("Response", "Any", {"ResponseModel", "AnyModel"}, "class-reserved"),
        ("../../x", "1st", {"X", "Field1St"}, None),
    ],
)
def test_class_names(name: str, other: str, expected: set[str], rule: str | None) -> None:
    """Valid, unique as classes and as modules, and none that generated code needs itself."""
    normal, notes = run({name: NAMED, other: NAMED})

    assert expected == set(normal["components"]["schemas"])
    assert rule is None or rule in notes.hits


def test_a_reference_into_the_middle() -> None:
    """What it points at becomes a component, once."""
    pointer = {"$ref": "#/paths/~1a/get/x-inner/properties/q"}
    inner = {"properties": {"q": NAMED}}
    normal, notes = run(
        {"Model": {"type": "object", "properties": {"one": pointer, "two": pointer}}},
        {"/a": {"get": {"x-inner": inner}}},
    )

    one, two = normal["components"]["schemas"]["Model"]["properties"].values()
    assert (one, 1) == (two, len(notes.hits["pointer-hoisted"]))
    assert "n" in normal["components"]["schemas"][one["$ref"].rsplit("/", 1)[-1]]["properties"]


def test_null_on_a_definition_moves_to_the_members_that_use_it() -> None:
    """The class stays a class; the property may be null."""
    normal, notes = run(
        {
            "Kind": {"type": "string", "enum": ["a", None]},
            "M": {"type": "object", "properties": {"k": {"$ref": "#/components/schemas/Kind"}}},
        }
    )

    schemas = normal["components"]["schemas"]
    assert ["a"] == schemas["Kind"]["enum"]
    assert {"type": "null"} in schemas["M"]["properties"]["k"]["anyOf"]
    assert "nullable-components" in notes.hits


def test_allof_through_references_and_levels() -> None:
    """Every member of every part, at any depth, is in the class."""
    normal, _ = run(
        {
            "Base": {"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}},
            "Middle": {
                "allOf": [
                    {"$ref": "#/components/schemas/Base"},
                    {"allOf": [{"properties": {"b": {"type": "integer"}}}]},
                ]
            },
            "Top": {
                "allOf": [
                    {"$ref": "#/components/schemas/Middle"},
                    {"properties": {"a": {"format": "uuid"}, "c": A}},
                ],
                "properties": {"d": {}},
            },
            "A": {"allOf": [{"$ref": "#/components/schemas/A"}, NAMED]},
        }
    )

    schemas = normal["components"]["schemas"]
    assert ({"a", "b", "c", "d"}, ["a"]) == (
        set(schemas["Top"]["properties"]),
        schemas["Top"]["required"],
    )
    assert {"type": "string", "format": "uuid"} == schemas["Top"]["properties"]["a"]
    assert {"n"} == set(schemas["A"]["properties"])


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        (False, False, False),
        (False, True, None),
        ({"type": "string"}, False, {"type": "string"}),
    ],
)
def test_closed_and_open_objects_in_allof(one: Any, two: Any, expected: Any) -> None:
    """Two closed objects are closed; a closed one does not refuse the other's members."""
    normal, _ = run(
        {
            "M": {
                "allOf": [
                    {**NAMED, "additionalProperties": one},
                    {"type": "object", "additionalProperties": two},
                ]
            }
        }
    )

    assert expected == normal["components"]["schemas"]["M"].get("additionalProperties")


def test_unions_that_meet() -> None:
    """AllOf of a union and an object is a union of both; too many are not written out."""
    big = {"anyOf": [{"type": "object", "properties": {f"p{n}": {}}} for n in range(9)]}
    normal, notes = run(
        {
            "M": {"allOf": [{"oneOf": [A, B]}, {"properties": {"x": {"type": "string"}}}]},
            "A": NAMED,
            "B": NAMED,
            "Big": {
                "allOf": [
                    big,
                    big,
                    {"anyOf": [{"type": "object", "properties": {f"q{n}": {}}} for n in range(9)]},
                ]
            },
        }
    )

    schemas = normal["components"]["schemas"]
    assert ["MA", "MB"] == [one["$ref"].rsplit("/", 1)[-1] for one in schemas["M"]["anyOf"]]
    assert {"n", "x"} == set(schemas["MA"]["properties"])
    assert 9 == len(schemas["Big"]["anyOf"])
    assert {"union-members", "allof-conflict"} <= set(notes.hits)


@pytest.mark.parametrize(
    ("kind", "mapping", "fixed"),
    [
        ({"type": "string"}, {"cat": "#/components/schemas/Cat"}, "cat"),
        ({"type": "string"}, {}, "Cat"),
        ({"type": "string", "enum": ["cat", "lion"]}, {"cat": "Cat"}, "cat"),
        ({"type": "string"}, {"cat": "Cat", "lion": "Cat"}, None),
        ({"type": "integer"}, {"cat": "Cat"}, None),
    ],
)
def test_discriminators(kind: dict[str, Any], mapping: dict[str, str], fixed: str | None) -> None:
    """A type that is named by one value gets that value fixed; by several, it stays open."""
    pet = {
        "oneOf": [{"$ref": "#/components/schemas/Cat"}, B],
        "discriminator": {"propertyName": "kind", "mapping": mapping},
    }
    normal, _ = run(
        {
            "Cat": {"type": "object", "properties": {"kind": {**kind, "description": "d"}}},
            "B": {"type": "string"},
            "M": {"type": "object", "properties": {"pet": pet}},
        }
    )

    assert fixed == normal["components"]["schemas"]["Cat"]["properties"]["kind"].get("const")


def test_types_that_contain_themselves() -> None:
    """Through a class they may; without one the circle is cut, and nothing else."""
    normal, notes = run(
        {
            "Loop": {"type": "array", "items": {"$ref": "#/components/schemas/Loop"}},
            "One": {"anyOf": [{"type": "string"}, {"$ref": "#/components/schemas/Two"}]},
            "Two": {"type": "array", "items": {"$ref": "#/components/schemas/One"}},
            "Tree": {
                "type": "object",
                "properties": {
                    "children": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}
                },
            },
        }
    )

    schemas = normal["components"]["schemas"]
    assert {"type": "array", "items": {}} == schemas["Loop"]
    assert {"$ref": "#/components/schemas/Tree"} == schemas["Tree"]["properties"]["children"][
        "items"
    ]
    assert 2 == len(notes.hits["recursion-cut"])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["a", "A"], ["A", "A_2"]),
        (["a-b", "a_b", "a b"], ["A_B", "A_B_2", "A_B_3"]),
        (["", "1", "+1", "-1"], ["VALUE_0", "VALUE_1", "VALUE_PLUS_1", "VALUE_MINUS_1"]),
        (["None", "mro"], ["NONE", "VALUE_MRO"]),
        ([1, -1], ["VALUE_1", "VALUE_NEGATIVE_1"]),
        (["ﬁ", "fi"], ["FI", "FI_2"]),
        (["日本"], ["日本"]),
    ],
)
def test_enum_names(values: list[Any], expected: list[str]) -> None:
    """Different for every value, whatever Python makes of it."""
    assert expected == names.enum_names(values)


@pytest.mark.parametrize(
    "given_names", [["A", "B"], ["same", "same"], ["one"], "text", ["class", "ok"]]
)
def test_names_that_the_author_gave_for_values(given_names: Any) -> None:
    """Kept when there is a usable one for each value."""
    normal, _ = run({"K": {"type": "integer", "enum": [1, 2], "x-enum-varnames": given_names}})

    kept = normal["components"]["schemas"]["K"]["x-enum-varnames"]
    assert (
        ["A", "B"]
        if given_names == ["A", "B"]
        else ["CLASS", "OK"]
        if "class" in given_names
        else ["VALUE_1", "VALUE_2"]
    ) == [one.upper() for one in kept]


# --- operations ---


def parameter(place: str, **more: Any) -> dict[str, Any]:
    """A parameter called p."""
    return {"name": "p", "in": place, **more}


PARAMETERS: list[tuple[str, str, list[Any], list[tuple[str, Any]]]] = [
    (
        "parameter-twice",
        "/a",
        [parameter("query", schema={"type": "string"}), parameter("query", schema={})],
        [("p", {"type": "string"})],
    ),
    ("parameter-undeclared", "/a/{id}", [], [("id", {"type": "string"})]),
    (
        "parameter-undeclared",
        "/a/{id}/{id}",
        [ID],
        [("id", {"type": "string"}), ("id_2", {"type": "string"})],
    ),
    ("parameter-not-in-path", "/a", [ID], []),
    (
        "path-parameter-renamed",
        "/a/{user.id}",
        [{**ID, "name": "user.id"}],
        [("user_dot_id", {"type": "string"})],
    ),
    (
        "path-parameter-required",
        "/a/{id}",
        [{**ID, "required": False}],
        [("id", {"type": "string"})],
    ),
    (
        "path-parameter-text",
        "/a/{id}",
        [{**ID, "schema": {"type": "array", "items": {}}}],
        [("id", {"type": "string"})],
    ),
    (
        "python-names",
        "/a/{client}",
        [{**ID, "name": "client"}],
        [("client_path", {"type": "string"})],
    ),
    ("header-ignored", "/a", [{"name": "authorization", "in": "header", "schema": {}}], []),
    (
        "header-text",
        "/a",
        [parameter("header", schema={"type": "array", "items": {}})],
        [("p", {"type": "string"})],
    ),
    (
        "header-text",
        "/a",
        [parameter("header", schema={"allOf": [A]})],
        [("p", {"type": "string"})],
    ),
    (
        "cookie-text",
        "/a",
        [parameter("cookie", schema={"type": "integer"})],
        [("p", {"type": "string"})],
    ),
    (
        "parameter-json",
        "/a",
        [parameter("header", content={"text/plain": {}})],
        [("p", {"type": "string"})],
    ),
]


@pytest.mark.parametrize(("rule", "path", "given_parameters", "expected"), PARAMETERS)
def test_rules_for_parameters(
    rule: str, path: str, given_parameters: list[Any], expected: list[tuple[str, Any]]
) -> None:
    """Every parameter of the path, and only those, with a schema that its place can carry."""
    _, new, hits = operation({"parameters": given_parameters}, path)

    assert expected == [(one["name"], one["schema"]) for one in new["parameters"]]
    assert rule in hits


@pytest.mark.parametrize(
    ("more", "style"),
    [
        ({"schema": {"type": "array", "items": {}}}, None),
        ({"schema": {"type": "array", "items": {}}, "explode": False}, "join,"),
        ({"schema": {"type": "array", "items": {}}, "style": "spaceDelimited"}, "join "),
        (
            {"schema": {"type": "array", "items": {}}, "style": "pipeDelimited", "explode": False},
            "join|",
        ),
        ({"schema": A}, None),
        ({"schema": A, "explode": False}, "pairs"),
        ({"schema": A, "style": "deepObject", "explode": True}, "deep"),
        ({"content": {"application/json": {"schema": A}}}, "json"),
        ({"content": {"application/json": None}}, "json"),
        ({"schema": {"type": "string"}, "explode": False}, None),
        ({"schema": {"anyOf": [A, {"type": "integer"}]}, "style": "deepObject"}, "deep"),
        ({"schema": {"type": "array", "items": {}}, "style": "deepObject"}, "deep"),
        ({"schema": {"type": "array", "items": {}}, "style": "odd"}, None),
        ({"schema": {"type": "string"}, "style": "deepObject"}, None),
    ],
)
def test_query_styles(more: dict[str, Any], style: str | None) -> None:
    """How lists and objects are written in a query."""
    _, new, _ = operation({"parameters": [parameter("query", **more)]})

    assert style == new["parameters"][0].get("x-query")


@pytest.mark.parametrize(
    ("path", "expected", "rule"),
    [
        ("//a/{id}", "/a/{id}", "slashes"),
        ("a/{id}", "/a/{id}", "slashes"),
        ("/a/{id}", "/a/{id}", None),
    ],
)
def test_paths(path: str, expected: str, rule: str | None) -> None:
    """One slash at the start, and never two."""
    new, _, hits = operation({"parameters": [ID]}, path)

    assert (expected, rule is not None) == (new, "slashes" in hits)


def test_a_path_that_would_fall_on_another_stays() -> None:
    """Two paths that differ by a slash are two operations."""
    get: dict[str, Any] = {"get": {"responses": {}}}
    normal, notes = run(paths={"/a": get, "//a": get})

    assert ({"/a", "//a"}, 2) == (set(normal["paths"]), len(notes.origins))


@pytest.mark.parametrize(
    ("offered", "written"),
    [
        (["application/json"], ["application/json"]),
        (["text/plain", "application/xml", "application/json", "text/json"], ["application/json"]),
        (["application/vnd.x+json", "application/xml"], ["application/vnd.x+json"]),
        (["application/json-patch+json"], ["application/json-patch+json"]),
        (["text/json"], ["application/json"]),
        (["*/*"], ["application/json"]),
        (["application/xml"], ["application/xml"]),
        (["image/*"], ["application/octet-stream"]),
        (["application/pdf", "image/png"], ["application/pdf"]),
        (["multipart/form-data", "application/x-www-form-urlencoded"], ["multipart/form-data"]),
        (["application/json; charset=utf-8"], ["application/json"]),
    ],
)
def test_one_media_type_for_a_body(offered: list[str], written: list[str]) -> None:
    """JSON where it is offered, then forms, then bytes under their own name."""
    _, new, _ = operation(
        {"requestBody": {"description": "d", "content": {one: {"schema": A} for one in offered}}}
    )

    assert written == list(new["requestBody"]["content"])


def test_a_body_without_content_is_none() -> None:
    """Nothing can be sent, so nothing is asked for."""
    _, new, _ = operation({"requestBody": {"content": {}}})

    assert "requestBody" not in new


def test_a_form_that_is_no_object() -> None:
    """A form has fields; free ones where the document names none."""
    _, new, _ = operation(
        {"requestBody": {"content": {"multipart/form-data": {"schema": {"type": "string"}}}}}
    )

    assert "$ref" in new["requestBody"]["content"]["multipart/form-data"]["schema"]


BINARY = {"type": "string", "format": "binary"}
RESPONSES: list[tuple[dict[str, Any], Any]] = [
    (
        {"application/json": {"schema": A}, "text/plain": {"schema": A}},
        {"application/json": {"schema": A}},
    ),
    ({"application/pdf": {}}, {"application/octet-stream": {"schema": BINARY}}),
    ({"application/xml": {"schema": A}}, {"application/octet-stream": {"schema": BINARY}}),
    ({"application/json": {"schema": BINARY}}, {"application/octet-stream": {"schema": BINARY}}),
    ({"text/plain": {"schema": A}}, {"text/plain": {"schema": {"type": "string"}}}),
    (
        {"text/plain": {"schema": {"type": "string", "format": "date"}}},
        {"text/plain": {"schema": {"type": "string"}}},
    ),
    ({"text/html": None}, {"text/html": {"schema": {"type": "string"}}}),
    ({"application/json": {}}, {"application/json": {}}),
]


@pytest.mark.parametrize(("content", "expected"), RESPONSES)
def test_one_media_type_for_an_answer(content: dict[str, Any], expected: Any) -> None:
    """JSON, else text, else bytes."""
    _, new, _ = operation({"responses": {"200": {"content": content}}})

    assert expected == new["responses"]["200"]["content"]


@pytest.mark.parametrize(
    ("codes", "kept"),
    [
        (["200", "400", "default", "302"], ["200"]),
        (["302"], ["302"]),
        (["default"], ["default"]),
        (["404"], []),
        (["2xx", "x-more"], ["2XX"]),
        (["999"], ["default"]),
    ],
)
def test_answers_that_say_nothing(codes: list[str], kept: list[str]) -> None:
    """Errors without a body are not in the signature; the only answer always is."""
    _, new, _ = operation({"responses": {code: {"description": ""} for code in codes}})

    assert kept == sorted(new["responses"])


def test_operation_ids() -> None:
    """Made where there is none, numbered where two modules would be one."""
    get: dict[str, Any] = {
        "get": {"operationId": "get-A"},
        "put": {"operationId": "getA"},
        "post": {},
        "patch": {"operationId": "/"},
    }
    normal, notes = run(paths={"/a/{b}": get})

    ids = {one["operationId"] for one in normal["paths"]["/a/{b}"].values()}
    assert {"get-A", "getA_2", "post_a_b", "patch_a_b"} == ids
    assert {"operation-id-made", "operation-renamed"} <= set(notes.hits)


def test_security_of_the_document_holds_for_its_operations() -> None:
    """Unless they have their own; an empty one means none."""
    paths = {"/a": {"get": {}, "put": {"security": []}, "post": {"security": [{"o": ["b"]}]}}}
    normal, notes = run(paths=paths, security=[{"o": ["a"]}])

    found = {method: one["security"] for method, one in normal["paths"]["/a"].items()}
    assert {"get": [{"o": ["a"]}], "put": [], "post": [{"o": ["b"]}]} == found
    assert ["#/paths/~1a/get"] == notes.hits["global-security"]


def test_a_document_without_info() -> None:
    """Title and version are filled."""
    normal, notes = normalise({"openapi": "3.1.0", "paths": {}})

    assert ({"title": "API", "version": "0"}, 2) == (normal["info"], len(notes.hits["info-filled"]))


def test_every_rule_is_tested_and_used() -> None:
    """A rule in the list is one that the corpus or a test here makes act."""
    text = "".join(
        (Path(__file__).parents[2] / "scripts" / "spec" / f"normalise{part}.py").read_text()
        for part in ("", "_operations", "_schemas")
    )

    assert [] == [rule for rule in RULES if f'"{rule}"' not in text]


# --- what holds for every document ---


@pytest.mark.parametrize("name", sorted(path.name for path in CORPUS.iterdir()))
def test_twice_is_once(name: str) -> None:
    """The rules have nothing to do in what they made."""
    from scripts.spec.prepare import prepare

    normal = prepare(read_file(CORPUS / name).data).normal

    assert normal == normalise(normal)[0]


TEXTS = st.text(max_size=12) | st.sampled_from(
    ["class", "None", "self", "a-b", "a_b", "+1", "", "Any", "../x", "é", "ﬁ", "A", "a"]
)
LEAVES = st.sampled_from(
    [
        {"type": "string"},
        {"type": "integer"},
        {"enum": ["a", "b", None]},
        {},
        {"type": "string", "format": "date-time"},
        A,
        B,
        {"type": ["string", "null"]},
    ]
)
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(lambda items: {"type": "array", "items": items}, inner),
        st.builds(
            lambda p, r: {"type": "object", "properties": p, "required": r},
            st.dictionaries(TEXTS, inner, max_size=4),
            st.lists(TEXTS, max_size=2),
        ),
        st.builds(
            lambda key, some: {key: some},
            st.sampled_from(["allOf", "anyOf", "oneOf"]),
            st.lists(inner, min_size=1, max_size=3),
        ),
        st.builds(lambda more: {"type": "object", "additionalProperties": more}, inner),
    ),
    max_leaves=8,
)
DOCUMENTS = st.builds(
    lambda schemas, ids, body: {
        "openapi": "3.0.3",
        "info": {"title": "t", "version": "1"},
        "paths": {
            f"/p{number}/{{{name}}}".replace("{{", "{"): {
                "post": {
                    "operationId": name,
                    "tags": [name],
                    "parameters": [
                        {"name": one, "in": "query", "schema": {"type": "string"}} for one in ids
                    ],
                    "requestBody": {"content": {"application/json": {"schema": body}}},
                    "responses": {
                        "200": {
                            "description": name,
                            "content": {"application/json": {"schema": body}},
                        }
                    },
                }
            }
            for number, name in enumerate(ids)
        },
        "components": {"schemas": {**schemas, "A": NAMED, "B": {"type": "string", "enum": ["x"]}}},
    },
    st.dictionaries(TEXTS, SCHEMAS, max_size=4),
    st.lists(TEXTS, max_size=3),
    SCHEMAS,
)
QUICK = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


@QUICK
@given(DOCUMENTS)
def test_nothing_is_lost_on_any_document(document: dict[str, Any]) -> None:
    """Every operation and schema arrives; twice is once; names are apart."""
    normal, notes = normalise(document)

    made = set(notes.origins.values())
    assert {(path, "post") for path in document["paths"]} == made
    assert set(document["components"]["schemas"]) <= set(notes.classes)
    assert normal == normalise(normal)[0]


@settings(QUICK, max_examples=8, phases=[Phase.generate])
@given(DOCUMENTS)
def test_the_generator_takes_any_document(
    tmp_path_factory: pytest.TempPathFactory, document: dict[str, Any]
) -> None:
    """No warning, no traceback, and every file is Python."""
    folder = tmp_path_factory.mktemp("any")
    normal, notes = normalise(document)

    made = generate.generate(normal, notes, folder / "package", folder)
    table.write(table.rows(normal, made), {}, folder / "package")
    table.account(document, notes, made, normal)

    for file in (folder / "package").rglob("*.py"):
        ast.parse(file.read_text("utf-8"))
        assert file.name.isascii() or file.stem.isidentifier()


PAYLOADS = [
    '"""\nPWNED()\n"""',
    "'''\nPWNED()\n",
    "\\",
    'a"\nPWNED()\n"',
    "\n\nPWNED()",
    "{PWNED()}",
    "{{ PWNED() }}",
    "{% set x = PWNED() %}",
    "\u2028PWNED()",
    "\x00PWNED()",
    '\\"""+PWNED()+"""',
    "a\\N{DIGIT ONE}",
    "x\\",
    "# type: ignore\nPWNED()",
    "../../../PWNED",
    "/PWNED",
    "C:\\PWNED",
    "PWNED()",
    "\u202ePWNED()",
]


def hostile(text: str) -> dict[str, Any]:
    """A document that has *text* wherever a text may be."""
    schema = {
        "title": text,
        "description": text,
        "type": "object",
        "example": text,
        "properties": {
            text: {"type": "string", "description": text, "default": text, "example": text},
            "e": {"type": "string", "enum": ["a", text], "default": text, "description": text},
            "c": {"const": text},
            "u": {
                "oneOf": [{"type": "string", "title": text}, {"type": "integer"}],
                "default": text,
            },
            "d": {"type": "string", "format": "date-time", "default": text},
        },
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": text, "version": text, "description": text},
        "tags": [{"name": text, "description": text}],
        "paths": {
            "/a/" + text.replace("{", "").replace("}", ""): {
                "get": {
                    "operationId": text,
                    "tags": [text],
                    "summary": text,
                    "description": text,
                    "security": [{text: [text]}],
                    "parameters": [
                        {
                            "name": text,
                            "in": place,
                            "description": text,
                            "schema": {"type": "string", "default": text},
                        }
                        for place in ("query", "header", "cookie")
                    ],
                    "requestBody": {
                        "description": text,
                        "content": {"application/json": {"schema": schema}},
                    },
                    "responses": {
                        "200": {
                            "description": text,
                            "content": {
                                "application/json": {"schema": {"$ref": "#/components/schemas/X"}}
                            },
                        }
                    },
                }
            },
        },
        "components": {
            "schemas": {"X": schema, text: schema},
            "securitySchemes": {
                text: {
                    "type": "oauth2",
                    "description": text,
                    "flows": {"clientCredentials": {"tokenUrl": text, "scopes": {text: text}}},
                }
            },
        },
    }


@pytest.mark.parametrize("text", PAYLOADS)
def test_nothing_in_a_document_becomes_code(text: str, tmp_path: Path) -> None:
    """Names, descriptions, defaults and tags are data: none of them is called."""
    document = tmp_path / "hostile.json"
    document.write_text(json.dumps(hostile(text)))
    package = tmp_path / "out" / "package"

    code = regenerate.main(["--from", str(document), "--output", str(package)])

    assert 0 == code
    assert {"hostile.json", "out"} == {path.name for path in tmp_path.iterdir()}
    assert ["package"] == [path.name for path in package.parent.iterdir()]
    for file in package.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            assert not (called and node.func.id == "PWNED"), file  # type: ignore[attr-defined]


@QUICK
@given(st.lists(TEXTS, unique=True, max_size=8))
@example(["+1", "-1", "id", "$id", "ID"])
def test_python_names_are_apart(given_names: list[str]) -> None:
    """Whatever the names, each has a Python name of its own that can be written."""
    spelled = names.keep_apart(given_names, names.MEMBERS_TAKEN, "value")

    made = [names.python_name(spelled.get(name, name)) for name in given_names]
    assert len(set(made)) == len(given_names)
    assert all(one.isidentifier() and not keyword.iskeyword(one) for one in made)
    assert not set(made) & names.MEMBERS_TAKEN
