"""Plausible values for schemas, always the same ones for the same schema and name."""

import base64
import collections
import datetime
import math
import uuid
from collections.abc import Mapping
from typing import Any

from auth_ext.sandbox._document import Document, Schema
from auth_ext.sandbox._pdf import small_pdf

NAMESPACE = uuid.UUID("5b0c3c0e-3a1d-4f57-9f0b-6f1c5a2f7c11")
MOMENT = datetime.datetime(2026, 1, 15, 12, tzinfo=datetime.UTC)

# What a member of that name holds, wherever it stands and whatever its case.
BY_NAME: Mapping[str, str] = {
    "email": "kari.nordmann@example.com",
    "senderemail": "sender@example.com",
    "phone": "+4799999999",
    "phonenumber": "+4799999999",
    "companyphone": "+4722222222",
    "countrycode": "NO",
    "country": "NO",
    "firstname": "Kari",
    "givenname": "Kari",
    "lastname": "Nordmann",
    "surname": "Nordmann",
    "fullname": "Kari Nordmann",
    "name": "Kari Nordmann",
    "filename": "contract.pdf",
    "title": "A contract",
    "description": "Made up by the sandbox",
    "dateofbirth": "1980-01-15",
    "socialsecuritynumber": "15018012345",
    "nin": "15018012345",
    "orgno": "999999999",
    "organizationnumber": "999999999",
    "currency": "NOK",
    "languagecode": "en",
    "chronschedule": "0 12 * * *",
    "ipaddress": "127.0.0.1",
    "clientip": "127.0.0.1",
    "domain": "example.com",
    "base64content": base64.b64encode(small_pdf("A contract")).decode(),
    "data": base64.b64encode(small_pdf("An attachment")).decode(),
    "eventtype": "document_signed",
}


class Values:
    """Values made from the schemas of one document."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def make(self, schema: Schema, name: str = "value", *, everything: bool = True) -> Any:
        """A valid value of *schema*.

        Args:
            schema: A schema of the document, or a reference to one.
            name: What the value is called: decides its text, its uuid.
            everything: Whether optional members are filled in too.
        """
        return self._make(schema, name, everything, ())

    def _make(self, schema: Schema, name: str, everything: bool, above: tuple[str, ...]) -> Any:
        reference = schema.get("$ref")
        if reference:
            schema, above = self._document.resolve(schema), (*above, reference)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return next(value for value in schema["enum"] if value is not None)
        for combined in ("anyOf", "oneOf"):
            if combined in schema:
                return self._make(_not_null(schema[combined]), name, everything, above)
        if "allOf" in schema:
            parts = [self._make(part, name, everything, above) for part in schema["allOf"]]
            return parts[0] if len(parts) == 1 else dict(collections.ChainMap(*parts[::-1]))
        return self._plain(schema, name, everything, above)

    def _plain(self, schema: Schema, name: str, everything: bool, above: tuple[str, ...]) -> Any:
        match _kind(schema):
            case "object":
                return self._object(schema, name, everything, above)
            case "array":
                return self._array(schema, name, everything, above)
            case "boolean":
                return True
            case "integer":
                return math.ceil(_number(schema))
            case "number":
                return float(_number(schema))
            case "null":
                return None
            case _:
                return _string(schema, name)

    def _object(
        self, schema: Schema, name: str, everything: bool, above: tuple[str, ...]
    ) -> dict[str, Any]:
        made = {}
        required = schema.get("required", ())
        for key, member in schema.get("properties", {}).items():
            if key in required or (everything and not self._returns(member, above)):
                made[key] = self._make(member, key, everything, above)
        extra = schema.get("additionalProperties")
        if everything and isinstance(extra, Mapping) and not self._returns(extra, above):
            made["key"] = self._make(extra, f"{name}.key", everything, above)
        return made

    def _array(
        self, schema: Schema, name: str, everything: bool, above: tuple[str, ...]
    ) -> list[Any]:
        items = schema.get("items", {})
        least = schema.get("minItems", 0)
        if not least and (not everything or self._returns(items, above)):
            return []
        values = self._document.resolve(items).get("enum")
        if values:
            return list(values)[: schema.get("maxItems")]
        return [self._make(items, name, everything, above)] * max(least, 1)

    def _returns(self, schema: Schema, above: tuple[str, ...]) -> bool:
        """Whether *schema* leads back to one that is being made: then it is left out."""
        inner = [schema]
        for combined in ("anyOf", "oneOf", "allOf"):
            inner.extend(schema.get(combined, ()))
        inner.extend(part["items"] for part in list(inner) if "items" in part)
        return any(part.get("$ref") in above for part in inner)


def _not_null(schemas: list[Schema]) -> Schema:
    return next((schema for schema in schemas if schema.get("type") != "null"), schemas[0])


def _kind(schema: Schema) -> str:
    kind = schema.get("type", "object" if "properties" in schema else "string")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), "null")
    return str(kind)


def _number(schema: Schema) -> float:
    low = schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
    high = schema.get("maximum", schema.get("exclusiveMaximum", math.inf))
    value: float = max(low, 1) if max(low, 1) <= high else low
    step: float = schema.get("multipleOf", 0)
    return math.ceil(value / step) * step if step else value


def _string(schema: Schema, name: str) -> str:
    match schema.get("format"):
        case "uuid":
            return str(uuid.uuid5(NAMESPACE, name))
        case "date-time":
            return MOMENT.isoformat().replace("+00:00", "Z")
        case "date":
            return MOMENT.date().isoformat()
        case "uri" | "url":
            return f"https://example.com/{name}"
        case "binary" | "byte":
            return "U2FuZGJveA=="
        case _:
            return _fitted(_text(name), schema)


def _text(name: str) -> str:
    lowered = name.lower()
    if lowered in BY_NAME:
        return BY_NAME[lowered]
    if lowered.endswith(("url", "uri", "href")) or lowered in ("success", "cancel", "error"):
        return f"https://example.com/{lowered}"
    if lowered.endswith("email"):
        return BY_NAME["email"]
    if lowered.endswith(("date", "time", "timestamp", "from", "to")):
        return MOMENT.date().isoformat()
    return f"sandbox-{name}"


def _fitted(text: str, schema: Schema) -> str:
    text = text.ljust(schema.get("minLength", 0), "x")
    return text[: schema.get("maxLength")]
