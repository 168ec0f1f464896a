"""Valid requests for every operation, made from the document.

    from auth_ext.sandbox import examples

    example = examples.request("create_document")
    client.request(example.method, example.path, params=example.query, json=example.json)

`Sandbox.seed(operation)` puts the things in place that these requests name.
"""

import base64
import functools
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import attrs

from auth_ext.sandbox._document import Document, Operation, load_document
from auth_ext.sandbox._pdf import small_pdf
from auth_ext.sandbox._values import Values

UPLOAD_NAME = "contract.pdf"

# Parameters whose good value cannot be known from the schema; by operation and name.
FIRST_PAGE = base64.urlsafe_b64encode(b"0").decode()
KNOWN: Mapping[tuple[str, str], Any] = {("list_sessions", "cursor"): FIRST_PAGE}


@attrs.frozen(kw_only=True)
class ExampleRequest:
    """One valid request.

    Attributes:
        operation: The operation's id.
        path: With its parameters filled in and quoted; begins with a slash.
        parameters: Path, query and header parameters by the document's names.
        query: The query parameters as texts.
        json: The JSON body; None: none.
        files: The parts of a multipart body as httpx takes them; empty: none.
    """

    operation: str
    method: str
    path: str
    parameters: Mapping[str, Any]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    json: Any
    files: Mapping[str, tuple[str, bytes, str]]


def operations() -> tuple[str, ...]:
    """The ids of all operations, sorted."""
    return tuple(sorted(load_document().operations))


def request(
    operation: str, *, everything: bool = True, document: Document | None = None, **given: Any
) -> ExampleRequest:
    """A valid request for *operation*.

    Args:
        operation: The operation's id.
        everything: Whether optional parameters and members are filled in too.
        document: The document; None: the packaged one.
        given: Values for parameters, by the document's names, instead of made ones.

    Raises:
        KeyError: The document has no such operation.
    """
    document = document or load_document()
    found = document.operations[operation]
    named = parameters(operation, everything=everything, document=document) | given
    path = found.path
    places: dict[str, dict[str, str]] = {"path": {}, "query": {}, "header": {}}
    for parameter in found.parameters:
        if parameter.name in named:
            places[parameter.place][parameter.name] = _wire(named[parameter.name])
    for name, value in places["path"].items():
        path = path.replace(f"{{{name}}}", quote(value, safe=""))
    made = body(operation, everything=everything, document=document)
    files = {}
    if found.body is not None and found.body.content_type == "multipart/form-data":
        files, made = {"file": (UPLOAD_NAME, small_pdf("An upload"), "application/pdf")}, None
    return ExampleRequest(
        operation=operation,
        method=found.method,
        path=path,
        parameters=named,
        query=places["query"],
        headers=places["header"],
        json=made,
        files=files,
    )


def parameters(
    operation: str, *, everything: bool = True, document: Document | None = None
) -> dict[str, Any]:
    """Valid values for the operation's parameters, by the document's names."""
    document = document or load_document()
    found = document.operations[operation]
    values = Values(document)
    return {
        parameter.name: _known(found, parameter.name, values.make(parameter.schema, parameter.name))
        for parameter in found.parameters
        if parameter.required or everything
    }


def body(operation: str, *, everything: bool = True, document: Document | None = None) -> Any:
    """A valid body for the operation; None when it takes none.

    What is sent may be stricter than the schema says (deadlines lie ahead, attachments follow
    only when announced); the values keep to that too.
    """
    document = document or load_document()
    found = document.operations[operation]
    if found.body is None:
        return None
    made = Values(document).make(found.body.schema, "body", everything=everything)
    if operation == "send_reminders" and "signers" in made:
        signer = parameters("get_signer", document=document)["signerId"]
        made["signers"] = dict.fromkeys([signer], *made["signers"].values())
    return _sendable(made)


def _known(operation: Operation, name: str, made: Any) -> Any:
    return KNOWN.get((operation.id, name), made)


# Members whose made value the service would refuse by a rule that no schema tells.
_FITTING: Mapping[str, Any] = {
    "attachments": 0,
    "events": ["document_signed"],
    "deadline": None,
    "deleteAfterHours": 24,
    "requiredSignatures": 1,
    "signUrlExpires": None,
}


def _sendable(value: Any) -> Any:
    if isinstance(value, dict):
        sendable = {}
        for key, inner in value.items():
            fitting = _FITTING.get(key, inner)
            if fitting is not None or key not in _FITTING:
                sendable[key] = _sendable(fitting)
        return sendable
    if isinstance(value, list):
        return [_sendable(inner) for inner in value]
    return value


@functools.singledispatch
def _wire(value: object) -> str:
    return str(value)


@_wire.register
def _(value: bool) -> str:
    return "true" if value else "false"


@_wire.register
def _(value: list) -> str:  # type: ignore[type-arg] # singledispatch takes no parameters
    return ",".join(str(item) for item in value)
