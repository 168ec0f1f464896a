"""
Where references lead, and which lead nowhere.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from scripts.spec.errors import DocumentError
from scripts.spec.tree import METHODS, Json, references

SCHEMAS = "#/components/schemas/"


class Broken(Exception):
    """A reference that leads nowhere; the text says why."""


def tokens(reference: str) -> list[str]:
    """The steps of a local reference, unescaped (RFC 6901, sections 4 and 6)."""
    return [
        unquote(token).replace("~1", "/").replace("~0", "~")
        for token in reference.removeprefix("#").split("/")[1:]
    ]


def lookup(document: Json, reference: str) -> Json:
    """
    What a local reference names; one step, so that may be a reference again.

    Raises:
        Broken: It leads out of the document or nowhere.
    """
    if not reference.startswith("#"):
        raise Broken("leads to another file; bundle the document into one first")
    if reference != "#" and not reference.startswith("#/"):
        return _anchor(document, reference[1:])
    node = document
    for token in tokens(reference):
        if isinstance(node, dict) and token in node:
            node = node[token]
        elif isinstance(node, list) and token.isdigit() and int(token) < len(node):
            node = node[int(token)]
        else:
            raise Broken("leads nowhere")
    return node


def _anchor(document: Json, name: str) -> Json:
    """A 3.1 document may name a schema with `$anchor`."""
    stack = [document]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            if node.get("$anchor") == name:
                return node
            stack.extend(node.values())
        elif isinstance(node, list):
            stack.extend(node)
    raise Broken("leads nowhere")


def follow(document: Json, node: Json) -> Json:
    """
    What *node* stands for after every step; *node* itself when it is no reference.

    Raises:
        Broken: Somewhere on the way there is nothing, or the way is a circle.
    """
    seen: list[str] = []
    while isinstance(node, dict) and isinstance(node.get("$ref"), str):
        if node["$ref"] in seen:
            raise Broken(f"goes round in a circle ({' -> '.join([*seen, node['$ref']])})")
        seen.append(node["$ref"])
        node = lookup(document, node["$ref"])
    return node


def refuse_broken(document: Json) -> None:
    """
    Nothing, when every reference leads somewhere.

    Raises:
        DocumentError: Lists each that does not.
    """
    findings = []
    for where, node in references(document):
        try:
            follow(document, node)
        except Broken as error:
            findings.append(f"{where}: {node['$ref']} {error}")
    if findings:
        count = f"{len(findings)} broken reference{'s' if len(findings) > 1 else ''}"
        message = f"The document has {count}; mend it, or add an overlay in scripts/spec/overlays:"
        raise DocumentError(message, findings)


def schema_name(reference: str) -> str | None:
    """The component a reference names, when it names a whole schema."""
    steps: list[Any] = tokens(reference) if reference.startswith(SCHEMAS) else []
    return steps[2] if len(steps) == 3 else None


def operations(document: Json) -> Iterator[tuple[str, str, Json, Json]]:
    """
    Path, method, operation and path item of everything a client can call, references followed.
    """
    for path in sorted(document.get("paths") or {}):
        item = document["paths"][path]
        if path.startswith("x-") or not isinstance(item, dict):
            continue
        if "$ref" in item:
            target = follow(document, item)
            item = {**(target if isinstance(target, dict) else {}), **item}
        for method in METHODS:
            if isinstance(item.get(method), dict):
                yield path, method, item[method], item
