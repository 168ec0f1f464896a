"""
Walking a document: what is a schema, what is a name, what is only data.

A `$ref` inside an example is data, and a property may well be called `$ref`, `default` or
`properties`. Every walk over a document goes through here, so that this is decided once.
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Any, TypeAlias

Json: TypeAlias = Any
"""Parsed JSON. Its shape is only known once it was looked at, so it is not pretended."""

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

DATA_KEYS = frozenset({"example", "examples", "default", "enum", "const", "x-example"})
"""Members whose value is data of the API, never a part of the document."""

NAMED_MAPS = frozenset(
    {
        "properties",
        "patternProperties",
        "dependentSchemas",
        "$defs",
        "definitions",
        "schemas",
        "responses",
        "parameters",
        "requestBodies",
        "headers",
        "paths",
        "webhooks",
        "callbacks",
        "content",
        "encoding",
        "variables",
        "links",
        "pathItems",
        "securitySchemes",
        "securityDefinitions",
    }
)
"""Members whose own keys are names the author chose."""


def escape(token: str) -> str:
    """A key as one step of a JSON pointer (RFC 6901, section 3)."""
    return token.replace("~", "~0").replace("/", "~1")


def references(node: Json, where: str = "#", *, named: bool = False) -> Iterator[tuple[str, Json]]:
    """
    Every object with a `$ref` below *node*, with the pointer to it.
    """
    if isinstance(node, list):
        for index, item in enumerate(node):
            yield from references(item, f"{where}/{index}")
    if not isinstance(node, dict):
        return
    if not named and isinstance(node.get("$ref"), str):
        yield where, node
    for key, value in node.items():
        if not named and (key in DATA_KEYS or key.startswith("x-")):
            continue
        yield from references(
            value, f"{where}/{escape(key)}", named=not named and key in NAMED_MAPS
        )


def canonical(node: Json) -> str:
    """The one spelling of *node* as JSON: sorted keys, no white space."""
    return json.dumps(node, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(node: Json) -> str:
    """SHA-256 over the canonical spelling: the same whatever the order of the keys."""
    return hashlib.sha256(canonical(node).encode()).hexdigest()


def sorted_deep(node: Json) -> Json:
    """*node* with the keys of every object in order; lists keep theirs."""
    if isinstance(node, dict):
        return {key: sorted_deep(node[key]) for key in sorted(node)}
    if isinstance(node, list):
        return [sorted_deep(item) for item in node]
    return node
