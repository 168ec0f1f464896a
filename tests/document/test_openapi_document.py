"""
The transcription in `openapi.json`: whole, valid, readable, true to the facts, in our own words.

Whoever replaces it by the downloaded document sees these tests skipped, and why.
"""

import json
import keyword
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

ROOT = Path(__file__).resolve().parents[2]
PATH = ROOT / "openapi.json"
SHARED = ROOT.parent / "shared" / "api"
METHODS = ("get", "put", "post", "delete", "patch", "head", "options", "trace")
LONGEST_RUN = 5
"""So many words in a row may be the same as the vendor's by accident; one more may not."""

SCOPES_NO_OPERATION_NEEDS = frozenset(
    {
        "account-create",
        "analytics",
        "audit_read",
        "audit_root",
        "audit_write",
        "form_file",
        "form_read",
        "form_write",
        "invoice",
        "validation_ssn",
    }
)

Json = dict[str, Any]


@pytest.fixture(scope="module")
def document() -> Json:
    """
    The document, as long as it is the transcription.
    """
    document: Json = json.loads(PATH.read_text(encoding="utf-8"))
    if "transcription" not in document.get("info", {}).get("title", ""):
        pytest.skip("openapi.json is not the transcription any more: it was replaced")
    return document


def shared(name: str) -> Json:
    """
    A file of facts that lies beside the repository where the document was written.
    """
    path = SHARED / name
    if not path.is_file():
        pytest.skip(f"../shared/api/{name} is not here to compare with")
    data: Json = json.loads(path.read_text(encoding="utf-8-sig"))
    return data


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    """
    Path, method and operation of everything the API offers.
    """
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method.upper(), item[method]


def nodes(node: Any) -> Iterator[Json]:
    """
    Every JSON object at or below *node*.
    """
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from nodes(value)
    elif isinstance(node, list):
        for value in node:
            yield from nodes(value)


def strings(node: Any) -> Iterator[str]:
    """
    Every string value at or below *node*.
    """
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for value in node.values():
            yield from strings(value)
    elif isinstance(node, list):
        for value in node:
            yield from strings(value)


def runs(text: str) -> set[str]:
    """
    Every run of words of *text* that is one longer than may be the same by accident.
    """
    words = re.findall(r"[^\W_]+", text.lower())
    size = LONGEST_RUN + 1
    return {" ".join(words[start : start + size]) for start in range(len(words) - size + 1)}


def types(schema: Json) -> Json:
    """
    What a schema of the document says about types, in the terms of the facts.
    """
    if "anyOf" in schema:
        reference, null = schema["anyOf"]
        assert null == {"type": "null"}
        return {**types(reference), "nullable": True}
    if "$ref" in schema:
        return {"$ref": schema["$ref"].removeprefix("#/components/schemas/")}
    same = ("format", "enum", "required", "minLength", "maxLength")
    found: Json = {key: schema[key] for key in same if key in schema}
    if isinstance(schema["type"], list):
        found["type"], null = schema["type"]
        assert null == "null"
        found["nullable"] = True
    else:
        found["type"] = schema["type"]
    if "items" in schema:
        found["items"] = types(schema["items"])
    if "properties" in schema:
        found["properties"] = {name: types(inner) for name, inner in schema["properties"].items()}
    if "additionalProperties" in schema:
        extra = schema["additionalProperties"]
        found["additionalProperties"] = types(extra) if isinstance(extra, dict) else extra
    return found


def test_it_is_valid_openapi_31(document: Json) -> None:
    """
    The validator of OpenAPI 3.1 finds nothing.
    """
    assert document["openapi"] == "3.1.0"
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_it_is_whole(document: Json) -> None:
    """
    Nothing of the surface is missing: operations, schemas, scopes and tags.
    """
    flow = document["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"]

    actual = {
        "operations": len(list(operations(document))),
        "schemas": len(document["components"]["schemas"]),
        "scopes": len(flow["scopes"]),
        "tags": len(document["tags"]),
    }

    assert actual == {"operations": 141, "schemas": 356, "scopes": 32, "tags": 11}


def test_every_reference_leads_somewhere(document: Json) -> None:
    """
    Each reference names a component that exists, and each component but two is referred to.
    """
    referred = {node["$ref"] for node in nodes(document) if "$ref" in node}
    there = {
        f"#/components/{kind}/{name}"
        for kind in ("schemas", "responses", "headers")
        for name in document["components"][kind]
    }
    told_in_texts = {
        "#/components/schemas/OAuthToken",
        "#/components/schemas/SignatureJwtPayload",
    }

    assert set() == referred - there
    assert told_in_texts == there - referred


def test_operation_ids_are_names(document: Json) -> None:
    """
    Each operation id is unique and can be a Python name.
    """
    ids = [operation["operationId"] for _, _, operation in operations(document)]

    assert sorted(set(ids)) == sorted(ids)
    assert [one for one in ids if not one.isidentifier() or keyword.iskeyword(one)] == []


def test_every_operation_explains_itself(document: Json) -> None:
    """
    Each operation has one known tag, a summary, a description and a documented success.
    """
    tags = {tag["name"] for tag in document["tags"]}

    lacking = [
        operation["operationId"]
        for _, _, operation in operations(document)
        if not (
            set(operation["tags"]) < tags
            and len(operation["tags"]) == 1
            and operation["summary"]
            and operation["description"].endswith(".")
            and any(code.startswith("2") for code in operation["responses"])
        )
    ]

    assert lacking == []


def test_every_part_has_a_text(document: Json) -> None:
    """
    Each tag, scope, schema, parameter, body and answer says in a sentence what it is.
    """
    components = document["components"]
    flow = components["securitySchemes"]["oauth2"]["flows"]["clientCredentials"]
    texts = {f"tag {tag['name']}": tag.get("description", "") for tag in document["tags"]}
    texts |= {f"scope {scope}": text for scope, text in flow["scopes"].items()}
    for kind in ("schemas", "responses", "headers"):
        texts |= {name: part.get("description", "") for name, part in components[kind].items()}
    for path, method, operation in operations(document):
        where = f"{method} {path}"
        if "requestBody" in operation:
            texts[f"{where} body"] = operation["requestBody"].get("description", "")
        for parameter in operation.get("parameters", []):
            texts[f"{where} {parameter['name']}"] = parameter.get("description", "")
        for code, answer in operation["responses"].items():
            if "$ref" not in answer:
                texts[f"{where} {code}"] = answer["description"]

    assert [name for name, text in texts.items() if not text.endswith(".")] == []


def test_scopes_are_declared_and_used(document: Json) -> None:
    """
    Each scope that an operation asks for is declared; those that none asks for are known.
    """
    flow = document["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"]
    used = {
        scope
        for _, _, operation in operations(document)
        for alternative in operation["security"]
        for scope in alternative["oauth2"]
    }

    assert set() == used - set(flow["scopes"])
    assert set(flow["scopes"]) - used == SCOPES_NO_OPERATION_NEEDS


def test_only_the_public_keys_need_no_token(document: Json) -> None:
    """
    Every operation needs a token, but the one that hands out public keys.
    """
    public = [
        operation["operationId"]
        for _, _, operation in operations(document)
        if not operation["security"]
    ]

    assert public == ["get_jwks"]


def test_errors_have_the_shape_of_the_service(document: Json) -> None:
    """
    Each operation documents errors, and each error carries an `ErrorResponse`.
    """
    responses = document["components"]["responses"]
    expected = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorResponse"}}}

    for _, _, operation in operations(document):
        errors = {code: one for code, one in operation["responses"].items() if code[0] in "45"}
        assert {"400", "429", "500", "503"} <= set(errors)
        for answer in errors.values():
            assert expected == responses[answer["$ref"].rsplit("/", 1)[1]]["content"]


def test_webhooks_tie_each_event_to_its_payload(document: Json) -> None:
    """
    Each described event names its type and the payload that goes with it.
    """
    known = document["components"]["schemas"]["NotificationEventType"]["enum"]

    for event, item in document["webhooks"].items():
        body = item["post"]["requestBody"]["content"]["application/json"]["schema"]
        properties = body["allOf"][1]["properties"]
        name = "".join(word.capitalize() for word in event.split("_"))
        assert event in known
        assert {"const": event} == properties["type"]
        assert {"$ref": f"#/components/schemas/Event{name}Payload"} == properties["payload"]


def test_it_says_that_it_is_unofficial_and_how_to_replace_it(document: Json) -> None:
    """
    The first thing a reader learns is whose words these are and where the real ones go.
    """
    text = document["info"]["description"]

    assert text.startswith("An independent, unofficial transcription")
    assert "`python scripts/regenerate.py --from PATH-or-URL`" in text


def test_the_file_is_laid_out_for_reading(document: Json) -> None:
    """
    Two spaces, UTF-8 without a byte order mark, one newline at the end, paths tag by tag.
    """
    expected = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    tags = [operation["tags"][0] for _, _, operation in operations(document)]

    assert expected.encode() == PATH.read_bytes()
    assert [tag["name"] for tag in document["tags"]] == list(dict.fromkeys(tags))
    assert len(document["tags"]) == 1 + sum(before != after for before, after in pairwise(tags))


def test_operations_agree_with_the_facts(document: Json) -> None:
    """
    Method, path, scopes, parameters, body, answers of every operation are those of the facts.
    """
    facts = shared("facts.json")["operations"]
    expected = {
        fact["id"]: {
            "at": (fact["method"], fact["path"], fact["tag"]),
            "security": [{"oauth2": fact["scopes"]}] if fact["auth"] else [],
            "parameters": [
                (one["in"], one["name"], one["required"], one["type"], one.get("enum"))
                for one in fact["parameters"]
            ],
            "body": fact["request"] and [fact["request"]["content_type"]],
            "answers": sorted(fact["responses"]),
        }
        for fact in facts
    }

    actual = {
        operation["operationId"]: {
            "at": (method, path, operation["tags"][0]),
            "security": operation["security"],
            "parameters": [
                (
                    one["in"],
                    one["name"],
                    one["required"],
                    one["schema"]["type"],
                    one["schema"].get("enum"),
                )
                for one in operation.get("parameters", [])
            ],
            "body": list(operation["requestBody"]["content"])
            if "requestBody" in operation
            else None,
            "answers": sorted(operation["responses"]),
        }
        for path, method, operation in operations(document)
    }

    assert expected == actual


def test_schemas_agree_with_the_facts(document: Json) -> None:
    """
    Types, formats, enums, lengths, nullability and required members are those of the facts.
    """
    expected = shared("facts.json")["schemas"]

    actual = {name: types(one) for name, one in document["components"]["schemas"].items()}

    assert expected == actual


def test_no_sentence_is_the_vendors(document: Json) -> None:
    """
    No text shares six words in a row with any text of the vendor's document.
    """
    theirs = set().union(*map(runs, strings(shared("vendor-swagger-2018.json"))))
    ours = [
        text
        for node in nodes(document)
        for key in ("title", "summary", "description")
        if isinstance(text := node.get(key), str)
    ]
    flow = document["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"]
    ours += flow["scopes"].values()

    assert [(text, runs(text) & theirs) for text in ours if runs(text) & theirs] == []
    assert len(theirs) > 1000  # an empty comparison would prove nothing
