"""Operations without a handler: answered from the document, with what the request said."""

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
        if parameter.place == "path" and _alike(parameter.schema, members.get(parameter.name)):
            given = call.path[parameter.name]
            is_number = parameter.schema.get("type") == "integer"
            value[parameter.name] = int(given) if is_number else given
    if call.operation.body is not None and isinstance(call.body, dict):
        sent = resolve(call.operation.body.schema).get("properties", {})
        shared = {name for name, member in members.items() if member == sent.get(name)}
        value.update({name: given for name, given in call.body.items() if name in shared})


def _alike(asked: Schema, answered: Schema | None) -> bool:
    """Whether a path parameter can stand in the answer as it is."""
    if answered is None or asked.get("format") != answered.get("format"):
        return False
    kinds = answered.get("type")
    return asked.get("type") in (kinds if isinstance(kinds, list) else [kinds])


def _turn_pages(call: Call, value: dict[str, Any]) -> None:
    """Make lists that come in pages a few items long, with links that lead somewhere."""
    if "links" not in value or not isinstance(value.get("data"), list):
        return
    items, about = page(call, value["data"] * ITEMS)
    value["data"] = items
    value.update({name: member for name, member in about.items() if name in value})
    value.pop("nextCursor", None)
