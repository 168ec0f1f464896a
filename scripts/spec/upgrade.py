"""
Swagger 2.0 -> OpenAPI 3.0.3, and every 3.x as it is.

There is no kept Python library that does this offline, so the step is our own. It follows the
Swagger 2.0 specification member by member; what it cannot say in 3.0 becomes an `x-` member that
`normalise` understands.
"""

from copy import deepcopy
from typing import Any
from urllib.parse import unquote

from scripts.spec.tree import METHODS, Json, references

SCHEMA_KEYS = (
    "type", "format", "items", "default", "enum", "maximum", "exclusiveMaximum", "minimum",
    "exclusiveMinimum", "maxLength", "minLength", "pattern", "maxItems", "minItems",
    "uniqueItems", "multipleOf", "x-nullable", "x-enum-varnames",
)  # fmt: skip
"""Members that 2.0 writes beside a parameter's name and 3.0 in its schema."""

STYLES: dict[str, dict[str, Any]] = {
    "csv": {"style": "form", "explode": False},
    "ssv": {"style": "spaceDelimited", "explode": False},
    "tsv": {"style": "form", "explode": False, "x-delimiter": "\t"},
    "pipes": {"style": "pipeDelimited", "explode": False},
    "multi": {"style": "form", "explode": True},
}

FLOWS = {
    "application": "clientCredentials",
    "accessCode": "authorizationCode",
    "implicit": "implicit",
    "password": "password",
}

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


def upgrade(document: Json) -> Json:
    """
    *document* as OpenAPI 3; the argument is left as it was.
    """
    document = deepcopy(document)
    if "swagger" not in document:
        return document
    return _Upgrade(document).run()


class _Upgrade:
    """One document on its way; the defaults of its root are needed everywhere."""

    def __init__(self, document: Json) -> None:
        self.old = document
        self.parameters: Json = document.get("parameters") or {}
        self.consumes: list[str] = document.get("consumes") or []
        self.produces: list[str] = document.get("produces") or []

    def run(self) -> Json:
        old = self.old
        new = {key: value for key, value in old.items() if key.startswith("x-")}
        new |= {"openapi": "3.0.3", "info": old.get("info", {}), "servers": self.servers()}
        for key in ("tags", "security", "externalDocs"):
            if key in old:
                new[key] = old[key]
        new["paths"] = {
            path: self.path_item(item) if not path.startswith("x-") else item
            for path, item in (old.get("paths") or {}).items()
        }
        new["components"] = self.components()
        return _rewrite(new)

    def servers(self) -> list[Json]:
        """Hosts and schemes; without a host the document's own server is meant."""
        base = self.old.get("basePath") or ""
        host = self.old.get("host")
        if not host:
            return [{"url": base or "/"}]
        schemes = self.old.get("schemes") or ["https"]
        return [{"url": f"{scheme}://{host}{base}".rstrip("/")} for scheme in schemes]

    def components(self) -> Json:
        old = self.old
        parts = {
            "schemas": {
                name: schema(value) for name, value in (old.get("definitions") or {}).items()
            },
            "parameters": {
                name: self.parameter(value)
                for name, value in self.parameters.items()
                if value.get("in") not in {"body", "formData"}
            },
            "responses": {
                name: self.response(value, self.produces)
                for name, value in (old.get("responses") or {}).items()
            },
            "securitySchemes": {
                name: security_scheme(value)
                for name, value in (old.get("securityDefinitions") or {}).items()
            },
        }
        return {key: value for key, value in parts.items() if value}

    def path_item(self, item: Json) -> Json:
        """Body parameters of a path item belong to each of its operations."""
        if not isinstance(item, dict) or "$ref" in item:
            return item
        shared = item.get("parameters") or []
        plain = [one for one in shared if not self.is_body(one)]
        bodies = [one for one in shared if self.is_body(one)]
        new: Json = {key: value for key, value in item.items() if key.startswith("x-")}
        if plain:
            new["parameters"] = [self.parameter(one) for one in plain]
        for method in METHODS:
            if isinstance(item.get(method), dict):
                new[method] = self.operation(item[method], bodies)
        return new

    def resolved(self, parameter: Json) -> Json:
        """The parameter itself; one whose reference leads nowhere stays for the check to name."""
        name = _last(parameter.get("$ref", ""), "#/parameters/")
        return self.parameters.get(name, parameter) if name else parameter

    def is_body(self, parameter: Json) -> bool:
        return self.resolved(parameter).get("in") in {"body", "formData"}

    def operation(self, old: Json, inherited: list[Json]) -> Json:
        dropped = {"parameters", "responses", "consumes", "produces", "schemes"}
        new = {key: value for key, value in old.items() if key not in dropped}
        own = old.get("parameters") or []
        plain = [self.parameter(one) for one in own if not self.is_body(one)]
        if plain:
            new["parameters"] = plain
        bodies = [self.resolved(one) for one in own if self.is_body(one)]
        taken = {(one.get("name"), one["in"]) for one in bodies}
        has_body = any(one["in"] == "body" for one in bodies)
        bodies += [
            one
            for one in map(self.resolved, inherited)
            if (one.get("name"), one["in"]) not in taken and not (one["in"] == "body" and has_body)
        ]
        body = self.request_body(bodies, old.get("consumes", self.consumes))
        if body:
            new["requestBody"] = body
        produces = old.get("produces", self.produces)
        new["responses"] = {
            code: value if code.startswith("x-") else self.response(value, produces)
            for code, value in (old.get("responses") or {}).items()
        }
        return new

    def parameter(self, old: Json) -> Json:
        if "$ref" in old:
            return old
        new = {
            key: value
            for key, value in old.items()
            if key not in SCHEMA_KEYS and key != "collectionFormat"
        }
        new["schema"] = schema({key: old[key] for key in SCHEMA_KEYS if key in old})
        if old.get("type") == "array":
            style = STYLES.get(old.get("collectionFormat", "csv"), STYLES["csv"])
            if old.get("in") in {"path", "header"}:
                style = {"style": "simple"}
            new |= style
        return new

    def request_body(self, bodies: list[Json], consumes: list[str]) -> Json | None:
        """One body parameter, or a form out of all formData parameters."""
        if not bodies:
            return None
        whole = next((one for one in bodies if one["in"] == "body"), None)
        if whole is not None:
            media = {"schema": schema(whole.get("schema", {}))}
            types = [one for one in consumes if one not in {FORM, MULTIPART}]
            types = types or consumes or ["application/json"]
            new: Json = {"content": {one: deepcopy(media) for one in types}}
            if "description" in whole:
                new["description"] = whole["description"]
            if whole.get("required"):
                new["required"] = True
            return new
        return self.form(bodies, consumes)

    def form(self, fields: list[Json], consumes: list[str]) -> Json:
        has_file = any(
            one.get("type") == "file" or (one.get("items") or {}).get("type") == "file"
            for one in fields
        )
        media_type = (
            MULTIPART if has_file or (MULTIPART in consumes and FORM not in consumes) else FORM
        )
        properties: Json = {}
        encoding: Json = {}
        for one in fields:
            field = schema({key: one[key] for key in SCHEMA_KEYS if key in one})
            if "description" in one:
                field["description"] = one["description"]
            properties[one.get("name", "")] = field
            if one.get("type") == "array":
                style = STYLES.get(one.get("collectionFormat", "csv"), STYLES["csv"])
                encoding[one.get("name", "")] = dict(style)
        body: Json = {"type": "object", "properties": properties}
        required = [one["name"] for one in fields if one.get("required")]
        if required:
            body["required"] = required
        new: Json = {"content": {media_type: {"schema": body}}}
        if encoding and media_type == FORM:
            new["content"][FORM]["encoding"] = encoding
        if required:
            new["required"] = True
        return new

    def response(self, old: Json, produces: list[str]) -> Json:
        if not isinstance(old, dict) or "$ref" in old:
            return old
        new: Json = {"description": old.get("description", "")}
        if old.get("headers"):
            new["headers"] = {
                name: self.parameter({**header, "in": "header"})
                for name, header in old["headers"].items()
            }
            for header in new["headers"].values():
                header.pop("in", None)
        if old.get("schema"):
            body = schema(old["schema"])
            types = produces or ["application/json"]
            if body.get("format") == "binary" and not produces:
                types = ["application/octet-stream"]
            new["content"] = {one: {"schema": deepcopy(body)} for one in types}
            for media_type, example in (old.get("examples") or {}).items():
                if media_type in new["content"]:
                    new["content"][media_type]["example"] = example
        return new


def schema(old: Json) -> Json:
    """A 2.0 schema in the words of 3.0: file, x-nullable and discriminator differ."""
    if not isinstance(old, dict):
        return old
    new: Json = {}
    for key, value in old.items():
        if key in {"properties", "patternProperties"} and isinstance(value, dict):
            new[key] = {name: schema(one) for name, one in value.items()}
        elif key in {"items", "additionalProperties", "not"}:
            new[key] = [schema(one) for one in value] if isinstance(value, list) else schema(value)
        elif key in {"allOf", "anyOf", "oneOf"} and isinstance(value, list):
            new[key] = [schema(one) for one in value]
        else:
            new[key] = value
    if new.get("type") == "file":
        new |= {"type": "string", "format": "binary"}
    if "x-nullable" in new:
        new["nullable"] = bool(new.pop("x-nullable"))
    if isinstance(new.get("discriminator"), str):
        new["discriminator"] = {"propertyName": new["discriminator"]}
    new.pop("collectionFormat", None)
    return new


def security_scheme(old: Json) -> Json:
    """Basic authentication and the four OAuth flows are written differently in 3.0."""
    kind = old.get("type")
    if kind == "basic":
        new: Json = {"type": "http", "scheme": "basic"}
    elif kind == "oauth2":
        flow = {key: old[key] for key in ("authorizationUrl", "tokenUrl") if key in old}
        flow["scopes"] = old.get("scopes") or {}
        name = old.get("flow", "application")
        new = {"type": "oauth2", "flows": {FLOWS.get(name, name): flow}}
    else:
        return dict(old)
    if "description" in old:
        new["description"] = old["description"]
    return new


def _last(reference: str, prefix: str) -> str:
    name = unquote(reference.removeprefix(prefix)) if reference.startswith(prefix) else ""
    return name.replace("~1", "/").replace("~0", "~")


def _rewrite(document: Json) -> Json:
    """References point to where 3.0 keeps things."""
    places = {
        "#/definitions/": "#/components/schemas/",
        "#/parameters/": "#/components/parameters/",
        "#/responses/": "#/components/responses/",
    }
    for _, node in references(document):
        for old, new in places.items():
            if node["$ref"].startswith(old):
                node["$ref"] = new + node["$ref"].removeprefix(old)
    return document
