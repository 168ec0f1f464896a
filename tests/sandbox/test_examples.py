"""Values made from schemas, requests made from operations, and the small PDF."""

import uuid
from typing import Any

import pytest

from auth_ext.sandbox import examples
from auth_ext.sandbox._clock import Clock, iso, parse_iso
from auth_ext.sandbox._document import Document, load_document
from auth_ext.sandbox._pdf import Signature, signed_revision, small_pdf
from auth_ext.sandbox._values import Values


def made(schema: Any, name: str = "value", *, everything: bool = True, **schemas: Any) -> Any:
    """A value of a schema in a document that knows *schemas*."""
    document = Document({"openapi": "3.1.0", "paths": {}, "components": {"schemas": schemas}})
    return Values(document).make(schema, name, everything=everything)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"const": 7}, 7),
        ({"enum": [None, "a", "b"]}, "a"),
        ({"type": "null"}, None),
        ({"type": ["null"]}, None),
        ({"type": ["null", "boolean"]}, True),
        ({"type": "integer"}, 1),
        ({"type": "integer", "minimum": 5}, 5),
        ({"type": "integer", "maximum": -3, "minimum": -9}, -9),
        ({"type": "integer", "exclusiveMinimum": 3}, 4),
        ({"type": "integer", "multipleOf": 4}, 4),
        ({"type": "number"}, 1.0),
        ({"type": "string"}, "sandbox-value"),
        ({"type": "string", "minLength": 20}, "sandbox-valuexxxxxxx"),
        ({"type": "string", "maxLength": 7}, "sandbox"),
        ({"type": "string", "format": "date"}, "2026-01-15"),
        ({"type": "string", "format": "date-time"}, "2026-01-15T12:00:00Z"),
        ({"type": "string", "format": "uri"}, "https://example.com/value"),
        ({"type": "string", "format": "byte"}, "U2FuZGJveA=="),
        ({"anyOf": [{"type": "null"}, {"type": "integer"}]}, 1),
        ({"oneOf": [{"type": "null"}]}, None),
        ({"allOf": [{"type": "integer"}]}, 1),
        (
            {"allOf": [{"properties": {"a": {"const": 1}}}, {"properties": {"b": {"const": 2}}}]},
            {"a": 1, "b": 2},
        ),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, {"key": 1}),
        ({"type": "object", "additionalProperties": True}, {}),
        ({"type": "array", "items": {"type": "integer"}}, [1]),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, [1, 1]),
        ({"type": "array", "items": {"enum": ["a", "b", "c"]}, "maxItems": 2}, ["a", "b"]),
    ],
)
def test_a_value_keeps_to_its_schema(schema: Any, value: Any) -> None:
    """Every keyword that the document uses, and some that it may."""
    assert value == made(schema)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("email", "kari.nordmann@example.com"),
        ("billingEmail", "kari.nordmann@example.com"),
        ("logoUrl", "https://example.com/logourl"),
        ("createdDate", "2026-01-15"),
        ("colour", "sandbox-colour"),
    ],
)
def test_a_text_fits_its_name(name: str, text: str) -> None:
    """What is called an e-mail looks like one."""
    assert text == made({"type": "string"}, name)


def test_a_uuid_depends_on_the_name_alone() -> None:
    """So that requests and seeds name the same things."""
    schema = {"type": "string", "format": "uuid"}

    assert made(schema, "a") == made(schema, "a") != made(schema, "b")
    assert made(schema, "a") == str(uuid.UUID(made(schema, "a")))


def test_optional_members_can_be_left_out() -> None:
    """Only what is required remains."""
    schema = {"properties": {"a": {"const": 1}, "b": {"const": 2}}, "required": ["b"]}

    assert {"b": 2} == made(schema, everything=False)
    assert [] == made({"type": "array", "items": {"type": "integer"}}, everything=False)


def test_a_schema_that_leads_back_to_itself_ends() -> None:
    """The member that would begin again is left out, also in lists, unions and maps."""
    tree = {
        "properties": {
            "name": {"const": "n"},
            "left": {"$ref": "#/components/schemas/Tree"},
            "right": {"anyOf": [{"$ref": "#/components/schemas/Tree"}, {"type": "null"}]},
            "more": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}},
        },
        "additionalProperties": {"$ref": "#/components/schemas/Tree"},
    }

    assert {"name": "n"} == made({"$ref": "#/components/schemas/Tree"}, Tree=tree)


def test_an_example_takes_other_values() -> None:
    """They stand in the path, quoted, and in the query."""
    example = examples.request(
        "get_attachment_file", documentId="a/b", attachmentId="c d", fileFormat="pades"
    )

    assert "/signature/documents/a%2Fb/files/attachments/c%20d" == example.path
    assert {"fileFormat": "pades"} == example.query


def test_the_query_is_made_of_texts() -> None:
    """Truth as the service writes it, lists with commas."""
    example = examples.request("list_accounts", enabled=True, tags=["a", "b"])

    assert ("true", "a,b") == (example.query["enabled"], example.query["tags"])


def test_a_bare_example_has_only_what_is_required() -> None:
    """For what is optional there is the full one."""
    bare = examples.request("list_document_summaries", everything=False)

    assert {} == bare.query == bare.parameters


def test_an_upload_is_a_file() -> None:
    """As httpx takes it."""
    example = examples.request("upload_bucket_file")

    assert example.json is None
    assert "application/pdf" == example.files["file"][2]


def test_an_unknown_operation_is_a_key_error() -> None:
    """It names the operation."""
    with pytest.raises(KeyError, match="fly"):
        examples.request("fly")


def test_a_path_item_s_parameters_hold_for_its_operations() -> None:
    """As OpenAPI has it; also when they are referred to, as bodies may be."""
    document = Document(
        {
            "openapi": "3.0.3",
            "security": [{"o": ["all"]}],
            "components": {
                "securitySchemes": {"o": {"flows": {"x": {"scopes": {"rare": ""}}}}},
                "parameters": {
                    "id": {"name": "id", "in": "path", "required": True, "schema": {}},
                },
                "requestBodies": {"b": {"content": {"application/json": {}}}},
            },
            "paths": {
                "/x/{id}": {
                    "parameters": [{"$ref": "#/components/parameters/id"}],
                    "post": {
                        "operationId": "make",
                        "requestBody": {"$ref": "#/components/requestBodies/b"},
                        "responses": {"201": {"description": ""}, "default": {"description": ""}},
                    },
                }
            },
        }
    )
    operation = document.operations["make"]

    assert (("all",), True, 201) == (
        operation.scopes,
        operation.authenticated,
        operation.success,
    )
    assert ["id"] == [parameter.name for parameter in operation.parameters]
    assert operation.body is not None
    assert ("application/json", False) == (operation.body.content_type, operation.body.required)
    assert {"all", "rare"} == document.scopes
    assert document.match("POST", "/x/") is None


def test_literal_paths_come_before_templates() -> None:
    """`/signature/documents/summary` is no document called summary."""
    found = load_document().match("GET", "/signature/documents/summary")

    assert found is not None
    assert "list_document_summaries" == found[0].id


def test_a_second_revision_leaves_the_first_as_it_was() -> None:
    """It names the signers, and its table leads to them and back to the first."""
    first = small_pdf("Rent (2026) \\ æøå")
    update = signed_revision(
        first, len(first), [Signature("Kari (N)", "mitid", "2026-01-15T12:00:00.000Z")]
    )
    whole = first + update
    start = int(whole.rsplit(b"startxref\n", 1)[1].split()[0])
    entry = int(whole[start:].split(b"\n")[2].split()[0])

    assert whole[start:].startswith(b"xref\n6 1\n")
    assert whole[entry:].startswith(b"6 0 obj\n<< /Type /Sig")
    assert b"/Name (Kari \\(N\\))" in update
    assert b"/M (D:20260115120000Z)" in update
    assert b"/Prev %d" % first.rindex(b"xref\n0 6") in update


@pytest.mark.parametrize("tail", [b"", b"%PDF-1.7 nonsense", b"startxref\n1\n%%EOF"])
def test_what_is_no_sound_pdf_gets_no_revision(tail: bytes) -> None:
    """It is handed out as it is."""
    assert b"" == signed_revision(tail, len(tail), [])


def test_the_clock_can_be_moved_and_set_back() -> None:
    """The wall clock goes on below it."""
    wall = [1000.0]
    clock = Clock(lambda: wall[0])
    clock.advance(5)
    wall[0] += 1
    moved = clock.now()
    clock.set(50)
    wall[0] += 1
    was_set = clock.now()
    clock.reset()

    assert (1006.0, 51.0, 1002.0) == (moved, was_set, clock.now())


def test_moments_survive_being_written() -> None:
    """To the millisecond, in UTC."""
    assert "2026-01-15T12:00:00.250Z" == iso(parse_iso("2026-01-15T13:00:00.25+01:00"))
