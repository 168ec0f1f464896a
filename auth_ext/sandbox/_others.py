"""Operations without a handler: answered from the document, with what the request said."""

import uuid
from typing import Any

from auth_ext.sandbox._calls import Answer, Call, File
from auth_ext.sandbox._document import Schema
from auth_ext.sandbox._pages import page
from auth_ext.sandbox._pdf import small_pdf

ITEMS = 3


def from_document(call: Call) -> Answer:
    """A plausible answer: made from the schema, repeating names and ids of the request."""
    content = call.operation.content
    if not content:
        return Answer()
    content_type, schema = next(iter(content.items()))
    if content_type != "application/json":
        made = small_pdf(call.operation.id.replace("_", " "))
        return Answer(file=File(content_type=content_type, length=len(made), chunks=[made]))
    value = call.services.values.make(schema, call.operation.id)
    if isinstance(value, dict):
        _repeat(call, schema, value)
        _turn_pages(call, value)
    return Answer(json=value)


def _repeat(call: Call, schema: Schema, value: dict[str, Any]) -> None:
    """Put in what the request said, where request and answer mean the same by a name."""
    resolve = call.services.document.resolve
    members = resolve(schema).get("properties", {})
    for parameter in call.operation.parameters:
        name = parameter.name
        # An `id` amid the path is that of what lies above the answer.
        is_own = name != "id" or call.operation.path.endswith("{id}")
        if parameter.place == "path" and name in members and is_own:
            _repeat_path(call.path[name], resolve(members[name]), name, value)
    if call.operation.body is not None and isinstance(call.body, dict):
        sent = resolve(call.operation.body.schema).get("properties", {})
        shared = {name for name, member in members.items() if member == sent.get(name)}
        value.update({name: given for name, given in call.body.items() if name in shared})


def _repeat_path(given: str, member: Schema, name: str, value: dict[str, Any]) -> None:
    """Put a path parameter where the answer's schema lets it stand."""
    if isinstance(value[name], int):
        value[name] = int(given)
        return
    is_text = isinstance(value[name], str) and "enum" not in member
    if is_text and (member.get("format") != "uuid" or _is_uuid(given)):
        value[name] = given


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def _turn_pages(call: Call, value: dict[str, Any]) -> None:
    """Make lists that come in pages a few items long, with links that lead somewhere."""
    if "links" not in value or not isinstance(value.get("data"), list):
        return
    items, about = page(call, value["data"] * ITEMS)
    value["data"] = items
    value.update({name: member for name, member in about.items() if name in value})
    value.pop("nextCursor", None)
