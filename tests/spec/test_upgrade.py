"""Swagger 2.0 to OpenAPI 3.0, one test per feature."""

from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator

from scripts.spec.read import read_file
from scripts.spec.upgrade import upgrade
from tests.spec.conftest import CORPUS


def document(**members: Any) -> dict[str, Any]:
    """A 2.0 document."""
    return {"swagger": "2.0", "info": {"title": "t", "version": "1"}, "paths": {}, **members}


def operation(operation: dict[str, Any], **members: Any) -> dict[str, Any]:
    """The one operation of an upgraded document."""
    answers = {"responses": {"200": {"description": ""}}}
    paths = {"/a": {"post": {**answers, **operation}}}
    found: dict[str, Any] = upgrade(document(paths=paths, **members))["paths"]["/a"]["post"]
    return found


def test_the_result_is_valid() -> None:
    """The corpus document, upgraded, is what the specification of 3.0 asks for."""
    upgraded = upgrade(read_file(CORPUS / "features20.yaml").data)

    assert [] == [error.message for error in OpenAPIV30SpecValidator(upgraded).iter_errors()]


def test_a_document_of_3_stays_as_it_is() -> None:
    """It is copied, not changed."""
    given = {"openapi": "3.0.3", "paths": {}}

    assert given == upgrade(given)
    assert given is not upgrade(given)


def test_the_argument_is_left_alone() -> None:
    """The published document is still needed afterwards."""
    given = document(definitions={"A": {"properties": {"b": {"$ref": "#/definitions/A"}}}})

    upgrade(given)

    assert "#/definitions/A" == given["definitions"]["A"]["properties"]["b"]["$ref"]


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"host": "a.test", "basePath": "/v1"}, ["https://a.test/v1"]),
        ({"host": "a.test", "schemes": ["http", "https"]}, ["http://a.test", "https://a.test"]),
        ({"host": "a.test", "basePath": "/"}, ["https://a.test"]),
        ({"basePath": "/v1"}, ["/v1"]),
        ({}, ["/"]),
    ],
)
def test_hosts_and_schemes_become_servers(members: dict[str, Any], expected: list[str]) -> None:
    """Without a host the document's own server is meant."""
    assert expected == [one["url"] for one in upgrade(document(**members))["servers"]]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            {"type": "basic", "description": "d"},
            {"type": "http", "scheme": "basic", "description": "d"},
        ),
        (
            {"type": "apiKey", "name": "k", "in": "query"},
            {"type": "apiKey", "name": "k", "in": "query"},
        ),
        (
            {"type": "oauth2", "flow": "application", "tokenUrl": "t", "scopes": {"a": "A"}},
            {
                "type": "oauth2",
                "flows": {"clientCredentials": {"tokenUrl": "t", "scopes": {"a": "A"}}},
            },
        ),
        (
            {"type": "oauth2", "flow": "accessCode", "authorizationUrl": "a", "tokenUrl": "t"},
            {
                "type": "oauth2",
                "flows": {
                    "authorizationCode": {"authorizationUrl": "a", "tokenUrl": "t", "scopes": {}}
                },
            },
        ),
    ],
)
def test_security_definitions(old: dict[str, Any], new: dict[str, Any]) -> None:
    """Basic is http, and the flows have other names."""
    upgraded = upgrade(document(securityDefinitions={"s": old}))

    assert new == upgraded["components"]["securitySchemes"]["s"]


def test_root_members_that_stay() -> None:
    """Tags, security, external documentation and extensions."""
    kept = {
        "tags": [{"name": "a"}],
        "security": [{"s": []}],
        "externalDocs": {"url": "u"},
        "x-a": 1,
    }

    assert kept == {key: upgrade(document(**kept))[key] for key in kept}


def test_references_are_rewritten_but_not_data() -> None:
    """A $ref in an example is data of the API."""
    schema = {"$ref": "#/definitions/A"}
    upgraded = upgrade(document(definitions={"B": {"items": schema, "example": schema}}))

    new = upgraded["components"]["schemas"]["B"]
    assert {"items": {"$ref": "#/components/schemas/A"}, "example": schema} == new


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"type": "file"}, {"type": "string", "format": "binary"}),
        ({"type": "string", "x-nullable": True}, {"type": "string", "nullable": True}),
        ({"discriminator": "kind"}, {"discriminator": {"propertyName": "kind"}}),
        (
            {"properties": {"x-nullable": {"x-nullable": True}}},
            {"properties": {"x-nullable": {"nullable": True}}},
        ),
        ({"allOf": [{"type": "file"}]}, {"allOf": [{"type": "string", "format": "binary"}]}),
        (
            {"additionalProperties": {"type": "file"}},
            {"additionalProperties": {"type": "string", "format": "binary"}},
        ),
        ({"additionalProperties": False}, {"additionalProperties": False}),
        (
            {"type": "array", "items": [{"type": "file"}]},
            {"type": "array", "items": [{"type": "string", "format": "binary"}]},
        ),
        ({"type": "array", "items": {}, "collectionFormat": "csv"}, {"type": "array", "items": {}}),
    ],
)
def test_schemas(old: dict[str, Any], new: dict[str, Any]) -> None:
    """What 2.0 says in other words."""
    assert new == upgrade(document(definitions={"A": old}))["components"]["schemas"]["A"]


@pytest.mark.parametrize(
    ("form", "style"),
    [
        (None, {"style": "form", "explode": False}),
        ("csv", {"style": "form", "explode": False}),
        ("ssv", {"style": "spaceDelimited", "explode": False}),
        ("tsv", {"style": "form", "explode": False, "x-delimiter": "\t"}),
        ("pipes", {"style": "pipeDelimited", "explode": False}),
        ("multi", {"style": "form", "explode": True}),
    ],
)
def test_collection_formats(form: str | None, style: dict[str, Any]) -> None:
    """How a list is written, csv unless said otherwise."""
    given = {"name": "a", "in": "query", "type": "array", "items": {"type": "string"}}
    if form:
        given["collectionFormat"] = form

    (new,) = operation({"parameters": [given]})["parameters"]

    assert {
        "name": "a",
        "in": "query",
        "schema": {"type": "array", "items": {"type": "string"}},
        **style,
    } == new


def test_a_list_in_a_path_is_simple() -> None:
    """3.0 has no other style there."""
    given = {"name": "a", "in": "path", "required": True, "type": "array", "items": {}}

    (new,) = operation({"parameters": [given]})["parameters"]

    assert "simple" == new["style"]


def test_a_body_takes_the_media_types_of_consumes() -> None:
    """The operation's, else the document's, else JSON; forms are not for bodies."""
    body = {
        "name": "b",
        "in": "body",
        "schema": {"type": "string"},
        "description": "d",
        "required": True,
    }
    form = "application/x-www-form-urlencoded"

    own = operation({"parameters": [body], "consumes": ["text/plain", form]}, consumes=["a/b"])
    root = operation({"parameters": [body]}, consumes=["a/b"])
    none = operation({"parameters": [body]})
    only = operation({"parameters": [body]}, consumes=[form])

    assert {
        "content": {"text/plain": {"schema": {"type": "string"}}},
        "description": "d",
        "required": True,
    } == own["requestBody"]
    assert [["a/b"], ["application/json"], [form]] == [
        list(one["requestBody"]["content"]) for one in (root, none, only)
    ]


def test_form_data_is_one_object() -> None:
    """A file makes it multipart; required fields make the body required."""
    text = {"name": "t", "in": "formData", "type": "string", "description": "d"}
    file = {"name": "f", "in": "formData", "type": "file", "required": True}

    plain = operation({"parameters": [text]})["requestBody"]
    upload = operation({"parameters": [text, file]})["requestBody"]
    said = operation({"parameters": [text], "consumes": ["multipart/form-data"]})["requestBody"]

    text_schema = {"type": "string", "description": "d"}
    assert {
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {"type": "object", "properties": {"t": text_schema}}
            }
        }
    } == plain
    schema = {
        "type": "object",
        "properties": {"t": text_schema, "f": {"type": "string", "format": "binary"}},
        "required": ["f"],
    }
    assert {"content": {"multipart/form-data": {"schema": schema}}, "required": True} == upload
    assert ["multipart/form-data"] == list(said["content"])


@pytest.mark.parametrize(
    ("more", "style"),
    [
        ({}, {"style": "form", "explode": False}),
        ({"collectionFormat": "multi"}, {"style": "form", "explode": True}),
        ({"collectionFormat": "pipes"}, {"style": "pipeDelimited", "explode": False}),
    ],
)
def test_lists_in_a_form(more: dict[str, str], style: dict[str, Any]) -> None:
    """A list in a urlencoded form is written as its collectionFormat says; commas are standard."""
    field = {"name": "l", "in": "formData", "type": "array", "items": {"type": "string"}, **more}

    media = operation({"parameters": [field]})["requestBody"]["content"]

    assert {"l": style} == media["application/x-www-form-urlencoded"]["encoding"]


def test_parameters_by_reference() -> None:
    """A referenced body is a body; another stays a reference, also one that leads nowhere."""
    parameters = {
        "b/c": {"name": "b", "in": "body", "schema": {"type": "string"}},
        "q": {"name": "q", "in": "query", "type": "string"},
    }
    given = [{"$ref": f"#/parameters/{name}"} for name in ("b~1c", "q", "gone")]

    new = operation({"parameters": given}, parameters=parameters)

    assert "application/json" in new["requestBody"]["content"]
    assert ["#/components/parameters/q", "#/components/parameters/gone"] == [
        one["$ref"] for one in new["parameters"]
    ]


def test_bodies_of_a_path_belong_to_its_operations() -> None:
    """Unless the operation has its own."""
    shared = {"name": "s", "in": "body", "schema": {"type": "string"}}
    own = {"name": "o", "in": "body", "schema": {"type": "integer"}}
    item = {
        "parameters": [shared, {"name": "q", "in": "query", "type": "string"}],
        "x-a": 1,
        "get": {},
        "put": {"parameters": [own]},
    }

    new = upgrade(document(paths={"/a": item, "/b": {"$ref": "#/x"}, "x-b": 1}))["paths"]

    kinds = [
        new["/a"][method]["requestBody"]["content"]["application/json"]["schema"]["type"]
        for method in ("get", "put")
    ]
    assert ["string", "integer"] == kinds
    assert (["q"], 1) == ([one["name"] for one in new["/a"]["parameters"]], new["/a"]["x-a"])
    assert ({"$ref": "#/x"}, 1) == (new["/b"], new["x-b"])


def test_responses_take_the_media_types_of_produces() -> None:
    """With headers, examples and extensions; a file without produces is bytes."""
    responses = {
        "200": {
            "description": "d",
            "schema": {"type": "object"},
            "headers": {"X-A": {"type": "integer", "description": "h"}},
            "examples": {"text/json": {"a": 1}, "other/type": 1},
        },
        "201": {"schema": {"type": "file"}},
        "404": {"$ref": "#/responses/Missing"},
        "x-a": 1,
    }

    new = operation(
        {"responses": responses, "produces": ["text/json"]},
        responses={"Missing": {"description": "m"}},
    )["responses"]
    bare = operation({"responses": responses})["responses"]

    assert {
        "description": "d",
        "headers": {"X-A": {"schema": {"type": "integer"}, "description": "h"}},
        "content": {"text/json": {"schema": {"type": "object"}, "example": {"a": 1}}},
    } == new["200"]
    assert ["application/octet-stream"] == list(bare["201"]["content"])
    assert ({"$ref": "#/components/responses/Missing"}, 1) == (new["404"], new["x-a"])
