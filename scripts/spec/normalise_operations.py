"""
Operations: each with all its parts in place, a name of its own, and one media type per body.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from typing import Any

from scripts.spec import names
from scripts.spec.normalise_schemas import Place, Schemas
from scripts.spec.refs import follow, operations, schema_name
from scripts.spec.rules import Notes
from scripts.spec.tree import Json, escape

JSON_TYPE = "application/json"
BINARY_TYPE = "application/octet-stream"
FORM_TYPES = ("multipart/form-data", "application/x-www-form-urlencoded")
NEVER_PARAMETERS = frozenset({"accept", "content-type", "authorization"})
TEMPLATE = re.compile(r"\{([^{}]*)\}")
PLAIN_TEMPLATE = re.compile(r"[a-zA-Z_-][a-zA-Z0-9_-]*")
BINARY: Json = {"type": "string", "format": "binary"}


class Operations:
    """All operations of one document on their way."""

    def __init__(self, document: Json, notes: Notes, schemas: Schemas) -> None:
        self.document = document
        self.notes = notes
        self.schemas = schemas
        self.places: list[Place] = []
        self.modules: set[tuple[str, str]] = set()
        self.ids: set[str] = set()
        self.security = document.get("security")

    def run(self) -> Json:
        """The paths of the normalised document."""
        listed = list(self._listed())
        self.schemas.wire.update(
            parameter["name"]
            for *_, operation in listed
            for parameter in operation["parameters"]
            if isinstance(parameter.get("name"), str)
        )
        # Operations whose id is theirs alone keep it; the others come after, in order.
        listed.sort(key=lambda entry: ("operationId" not in entry[2], entry[0], entry[1]))
        paths: dict[str, Json] = {}
        for path, method, operation in listed:
            where = f"#/paths/{escape(path)}/{method}"
            new_path, new = self.operation(path, method, operation, where, paths)
            paths.setdefault(new_path, {})[method] = new
            self.notes.origins[new_path, method] = (path, method)
        return paths

    def _listed(self) -> Iterator[tuple[str, str, Json]]:
        """Path, method and operation, with the parts that references hid."""
        for path, method, given, item in operations(self.document):
            if "$ref" in item:
                self.notes.hit("path-items-inlined", f"#/paths/{escape(path)}")
            parameters = self._parameters(item, given, f"{path} {method}")
            yield path, method, {**given, "parameters": parameters}

    def part(self, node: Json) -> Json:
        """What a reference to a parameter, body, response or path item stands for."""
        found = follow(self.document, node)
        if found is not node:
            self.notes.hit("parts-inlined", str(node["$ref"]))
        return found if isinstance(found, dict) else {}

    def _parameters(self, item: Json, operation: Json, where: str) -> list[Json]:
        """The operation's parameters, then those of its path that it does not override."""
        own = [self.part(one) for one in operation.get("parameters") or []]
        shared = [self.part(one) for one in item.get("parameters") or []]
        result: dict[tuple[Any, Any], Json] = {}
        for number, one in enumerate([*own, *shared]):
            key = (one.get("name"), one.get("in"))
            if key in result and number < len(own):
                self.notes.hit("parameter-twice", f"{where} {one.get('name')}")
            if isinstance(key[0], str) and key[1] in {"path", "query", "header", "cookie"}:
                result.setdefault(key, one)
        return list(result.values())

    # --- one operation ---

    def operation(
        self, path: str, method: str, old: Json, where: str, paths: Json
    ) -> tuple[str, Json]:
        """The path and the operation as the generator needs them."""
        new: Json = {
            key: old[key] for key in ("summary", "description") if isinstance(old.get(key), str)
        }
        if old.get("deprecated") is True:
            new["deprecated"] = True
        tags = [tag for tag in old.get("tags") or [] if isinstance(tag, str)]
        new["tags"] = [unicodedata.normalize("NFKC", tag) for tag in tags[:1]] or ["default"]
        new["operationId"] = self._id(path, method, old, new["tags"][0], where)
        name = names.pascal(new["operationId"]) or "Operation"
        new_path, parameters = self._path(path, method, old["parameters"], where, paths)
        new["parameters"] = self._named(
            [self.parameter(one, name, f"{where}/parameters/{one['name']}") for one in parameters],
            where,
        )
        for placeholder in [one for one in new["parameters"] if one["in"] == "path"]:
            original = placeholder.pop("x-template", placeholder["name"])
            new_path = new_path.replace(f"{{{original}}}", f"{{{placeholder['name']}}}")
        if old.get("requestBody"):
            body = self.body(self.part(old["requestBody"]), name, f"{where}/requestBody")
            if body:
                new["requestBody"] = body
        new["responses"] = self.responses(old.get("responses"), name, f"{where}/responses")
        new["security"] = self._security(old, where)
        return new_path, new

    def _id(self, path: str, method: str, old: Json, tag: str, where: str) -> str:
        given = old.get("operationId")
        if not isinstance(given, str) or names.python_name(given) == names.PREFIX:
            given = "_".join([method, *re.findall(r"\w+", path)])
            self.notes.hit("operation-id-made", where)
        if not names.is_settled(given):
            given = names.python_name(given)
            self.notes.hit("operation-renamed", where)
        package = names.tag_package(tag)

        def free(candidate: str) -> bool:
            key = (package, names.python_name(candidate))
            return key not in self.modules and candidate not in self.ids

        number, candidate = 1, given
        while not free(candidate):
            number += 1
            candidate = f"{given}_{number}"
        if number > 1:
            self.notes.hit("operation-renamed", where)
        self.ids.add(candidate)
        self.modules.add((package, names.python_name(candidate)))
        return candidate

    def _security(self, old: Json, where: str) -> Json:
        given = old.get("security")
        if given is None and self.security:
            self.notes.hit("global-security", where)
            given = self.security
        return [one for one in given or [] if isinstance(one, dict)]

    # --- path and parameters ---

    def _path(
        self, path: str, method: str, given: list[Json], where: str, paths: Json
    ) -> tuple[str, list[Json]]:
        """The path, and parameters that are exactly those that it names, in its order."""
        new_path = "/" + re.sub(r"/{2,}", "/", path).lstrip("/")
        if new_path != path:
            if method in paths.get(new_path, {}) or new_path in self.document["paths"]:
                new_path = path
            else:
                self.notes.hit("slashes", where)
        declared = {one["name"]: one for one in given if one["in"] == "path"}
        ordered: list[Json] = []
        for name in TEMPLATE.findall(new_path):
            if any(one["name"] == name for one in ordered):
                again = names.unique(f"{name}_2", {*declared})
                new_path = _replace_second(new_path, name, again)
                self.notes.hit("parameter-undeclared", f"{where} {name}")
                ordered.append({**ordered[-1], "name": again})
                continue
            if name not in declared:
                self.notes.hit("parameter-undeclared", f"{where} {name}")
            ordered.append(
                declared.get(name, {"name": name, "in": "path", "schema": {"type": "string"}})
            )
        for name in declared.keys() - set(TEMPLATE.findall(path)):
            self.notes.hit("parameter-not-in-path", f"{where} {name}")
        rest = [one for one in given if one["in"] != "path"]
        ignored = [
            one for one in rest if one["in"] == "header" and one["name"].lower() in NEVER_PARAMETERS
        ]
        for one in ignored:
            self.notes.hit("header-ignored", f"{where} {one['name']}")
        rest = [one for one in rest if one not in ignored]
        return new_path, [*ordered, *rest]

    def parameter(self, old: Json, operation: str, where: str) -> Json:
        """One parameter with a schema that its place can carry."""
        new: Json = {"name": old["name"], "in": old["in"], "required": old.get("required") is True}
        if isinstance(old.get("description"), str):
            new["description"] = old["description"]
        if new["in"] == "path" and not new["required"]:
            self.notes.hit("path-parameter-required", where)
            new["required"] = True
        new["schema"] = self.schemas.clean(self._parameter_schema(old, new, where), where)
        kind = self._kind(new["schema"])
        if new["in"] == "path" and kind in {"array", "object"}:
            self.notes.hit("path-parameter-text", where)
            new["schema"] = {"type": "string"}
        if new["in"] == "header" and kind not in {"string", "integer", "number", "boolean", "uuid"}:
            self.notes.hit("header-text", where)
            new["schema"] = {"type": "string"}
        if new["in"] == "cookie" and kind != "string":
            self.notes.hit("cookie-text", where)
            new["schema"] = {"type": "string"}
        if new["in"] == "query":
            self._query_style(old, new, kind)
        self._place(new, "schema", operation + (names.pascal(old["name"]) or "Parameter"), where)
        return new

    def _parameter_schema(self, old: Json, new: Json, where: str) -> Json:
        content = old.get("content")
        if old.get("schema") is not None or not isinstance(content, dict) or not content:
            return old.get("schema") or {"type": "string"}
        media_type = min(content, key=lambda one: (not _is_json(one), one))
        if new["in"] == "query" and _is_json(media_type):
            new["x-query"] = "json"
            return (content[media_type] or {}).get("schema") or {}
        self.notes.hit("parameter-json", where)
        return {"type": "string"}

    def _query_style(self, old: Json, new: Json, kind: str | None) -> None:
        """How a list or an object is written; the generator knows only repeated keys."""
        if "x-query" in old:  # written by an earlier run of these rules
            new |= {key: old[key] for key in ("x-query", "x-wire-name")}
        if "x-query" in new:
            return
        style = _style(old, kind)
        if style:
            new["x-query"] = style
        elif kind == "object" and not old.get("explode", old.get("style", "form") == "form"):
            new["x-query"] = "pairs"

    def _kind(self, schema: Json) -> str | None:
        """The type of a cleaned schema, behind its references."""
        seen: set[str] = set()
        while (name := schema_name(schema.get("$ref", ""))) and name not in seen:
            seen.add(name)
            schema = self.schemas.flat(name, ())
        if "allOf" in schema:
            schema = self.schemas.flatten(schema, (), "")
            return self._kind(schema)
        if schema.get("format") in {"date", "date-time"} and "enum" not in schema:
            return "date"
        kind: str | None = schema.get("type")
        return kind

    def _named(self, parameters: list[Json], where: str) -> list[Json]:
        """Keys whose Python names are all different, whatever their place."""
        taken: set[str] = set()
        shared = Counter(names.python_name(one["name"]) for one in parameters)
        own_first = sorted(
            parameters,
            key=lambda one: (one["in"] != "path", names.python_name(one["name"]) != one["name"]),
        )
        for one in own_first:
            name, place = one["name"], one["in"]
            own = names.python_name(name)
            fits = place != "path" or PLAIN_TEMPLATE.fullmatch(name)
            wanted = name
            signs = shared[own] > 1 and own != name and names.spelled(name) != name
            usable = own not in names.ARGUMENTS_TAKEN and own.isidentifier() and fits
            if own in taken or not usable or signs or not names.is_settled(name):
                wanted = names.python_name(names.spelled(name) or "value")
                if wanted in taken or wanted in names.ARGUMENTS_TAKEN:
                    wanted = f"{wanted.rstrip('_')}_{place}"
                if place == "path" and not PLAIN_TEMPLATE.fullmatch(wanted):
                    wanted = "parameter"
                wanted = names.unique(wanted, taken | names.ARGUMENTS_TAKEN, names.python_name)
            taken.add(names.python_name(wanted))
            if place == "path" and wanted != name:
                # The name of a path parameter never goes over the wire.
                self.notes.hit(
                    "path-parameter-renamed" if not fits else "python-names", f"{where} {name}"
                )
                one["name"], one["x-template"] = wanted, name
            elif wanted != name:
                one["name"] = self.schemas.spelling(name, wanted, f"{where} {name}")
            if "x-query" in one:
                one.setdefault("x-wire-name", name)
        in_path = [one for one in parameters if one["in"] == "path"]
        rest = [one for one in parameters if one["in"] != "path"]
        return [*in_path, *sorted(rest, key=lambda one: (one["in"], one["name"]))]

    def _place(
        self, holder: Json, key: str, name: str, where: str, *, binary: bool = False
    ) -> None:
        self.places.append(Place(holder, key, name, where, binary=binary))

    # --- bodies and responses ---

    def body(self, old: Json, name: str, where: str) -> Json | None:
        """The body with one media type; two when a file upload is offered beside JSON."""
        content = old.get("content")
        if not isinstance(content, dict) or not content:
            return None
        chosen = self._body_types(content, where)
        new: Json = {"content": {}}
        if old.get("required") is True:
            new["required"] = True
        if isinstance(old.get("description"), str):
            new["description"] = old["description"]
        for written, given in chosen.items():
            media = content[given] if isinstance(content[given], dict) else {}
            place = f"{where}/content/{escape(given)}"
            schema = self.schemas.clean(media.get("schema") or {}, f"{place}/schema")
            new["content"][written] = holder = {"schema": schema}
            if written == FORM_TYPES[1] and (styles := self._form_styles(media, schema)):
                holder["x-form"] = styles
            self._body_schema(
                holder, written, name + ("Body" if len(chosen) == 1 else _part(written)), place
            )
        return new

    def _body_types(self, content: Json, where: str) -> dict[str, str]:
        """Media type to write -> media type in the document."""
        offered = sorted(content, key=_preference)
        first = offered[0]
        chosen = {_written(first, body=True): first}
        for form in FORM_TYPES[:1]:
            extra = next((one for one in offered[1:] if _bare(one) == form), None)
            if (
                extra
                and _written(first, body=True) == JSON_TYPE
                and self._differ(content, first, extra)
            ):
                chosen[form] = extra
        if len(chosen) < len(content) or any(key != value for key, value in chosen.items()):
            self.notes.hit("one-media-type", where)
        return chosen

    def _form_styles(self, media: Json, schema: Json) -> dict[str, str]:
        """How members of a form are written, where its encoding says so: name -> style."""
        if "x-form" in media:  # written by an earlier run of these rules
            return dict(media["x-form"])
        target = schema_name(schema.get("$ref", ""))
        members = (self.schemas.flat(target, ()) if target else schema).get("properties") or {}
        encoding = media.get("encoding")
        styles = {
            name: _style(one, self._kind(members.get(name) or {}))
            for name, one in (encoding if isinstance(encoding, dict) else {}).items()
            if isinstance(one, dict)
        }
        return {name: style for name, style in styles.items() if style}

    def _differ(self, content: Json, one: str, two: str) -> bool:
        """Whether two media types carry different classes: both then have a use of their own."""
        left, right = ((content[key] or {}).get("schema") or {} for key in (one, two))
        objects = all(
            self._kind(self.schemas.clean(schema, "")) == "object" for schema in (left, right)
        )
        return objects and left != right

    def _body_schema(self, holder: Json, written: str, name: str, where: str) -> None:
        schema = holder["schema"]
        if written in FORM_TYPES and self._kind(schema) != "object":
            holder["schema"] = {"type": "object"}
        target = schema_name(schema.get("$ref", ""))
        if written == FORM_TYPES[0]:
            if target:
                self.schemas.multipart.add(target)
            self._place(holder, "schema", name, where, binary=True)
        elif written in FORM_TYPES or _is_json(written):
            self._place(holder, "schema", name, where)
        else:
            if written != BINARY_TYPE:
                self.notes.raw_media.add(written)
                self.notes.hit("raw-bytes", where)
            holder["schema"] = dict(BINARY)

    def responses(self, old: Json, name: str, where: str) -> Json:
        """Successes with their one media type; errors only where they say what they carry."""
        given = {
            code: self.part(one)
            for code, one in (old or {}).items()
            if not str(code).startswith("x-")
        }
        if not given:
            self.notes.hit("required-filled", where)
        new: Json = {}
        for code, response in given.items():
            written = self._status(str(code), where)
            content = response.get("content")
            holder: Json = {"description": ""}
            if isinstance(content, dict) and content:
                holder["content"] = self._response_content(
                    content, f"{name}Response{written}", f"{where}/{code}"
                )
            new[written] = holder
        succeeds = any(code.startswith("2") for code in new)
        for code in [code for code in new if not code.startswith("2")]:
            if "content" not in new[code] and (succeeds or code[0] in "45"):
                self.notes.hit("no-content", f"{where}/{code}")
                del new[code]
        return new

    def _status(self, code: str, where: str) -> str:
        upper = code.upper()
        if re.fullmatch(r"[1-5](\d\d|XX)", upper):
            if upper != code:
                self.notes.hit("status-code", f"{where}/{code}")
            return upper
        if code != "default":
            self.notes.hit("status-code", f"{where}/{code}")
        return "default"

    def _response_content(self, content: Json, name: str, where: str) -> Json:
        given = min(content, key=_preference)
        media = content[given] if isinstance(content[given], dict) else {}
        raw = media.get("schema")
        schema = self.schemas.clean(raw or {}, f"{where}/content/{escape(given)}/schema")
        written = _written(given)
        if self._is_binary(schema) or (written == BINARY_TYPE):
            written, schema = BINARY_TYPE, dict(BINARY)
        elif written.startswith("text/") and self._kind(schema) != "string":
            schema = {"type": "string"}
        if written.startswith("text/"):
            schema.pop("format", None)
        if len(content) > 1 or written != given:
            self.notes.hit("one-media-type" if len(content) > 1 else "raw-bytes", where)
        holder = {"schema": schema}
        if raw is None and written == JSON_TYPE:
            return {written: {}}
        self._place(holder, "schema", name, where, binary=written == BINARY_TYPE)
        return {written: holder}

    def _is_binary(self, schema: Json) -> bool:
        return (schema.get("type"), schema.get("format")) == ("string", "binary")


def _style(given: Json, kind: str | None) -> str:
    """How a list, or a choice that holds one, is written; objects too when the style is deep."""
    style = given.get("style", "form")
    delimiters = {"form": ",", "spaceDelimited": " ", "pipeDelimited": "|"}
    if style == "deepObject" and kind in {"array", "object", None}:
        return "deep"
    if kind in {"array", None} and not given.get("explode", style == "form"):
        return f"join{given.get('x-delimiter', delimiters[style])}" if style in delimiters else ""
    return ""


def _bare(media_type: str) -> str:
    return media_type.split(";", maxsplit=1)[0].strip().lower()


def _is_json(media_type: str) -> bool:
    bare = _bare(media_type)
    return bare in {JSON_TYPE, "text/json", "*/*", "application/*"} or bare.endswith("+json")


def _preference(media_type: str) -> tuple[int, str]:
    """JSON before forms before bytes before text before XML; the same order for the same set."""
    bare = _bare(media_type)
    order = [
        bare == JSON_TYPE,
        bare.endswith("+json") and "patch" not in bare,
        bare == "text/json",
        bare.endswith("+json"),
        bare in FORM_TYPES[:1],
        bare in FORM_TYPES[1:],
        bare in {"*/*", "application/*"},
        bare == BINARY_TYPE,
        bare.startswith("text/") and not bare.endswith("xml"),
        not bare.endswith("xml"),
    ]
    return ([*order, True].index(True), media_type)


def _written(media_type: str, *, body: bool = False) -> str:
    """The media type that the normalised document has for it."""
    bare = _bare(media_type)
    if bare in FORM_TYPES:
        return bare
    if bare.endswith("+json"):
        return bare
    if _is_json(bare):
        return JSON_TYPE
    if body:
        return BINARY_TYPE if "*" in bare or "/" not in bare else bare
    return (
        bare
        if bare.startswith("text/") and not bare.endswith("xml") and "*" not in bare
        else BINARY_TYPE
    )


def _part(media_type: str) -> str:
    return "JsonBody" if _is_json(media_type) else "FilesBody"


def _replace_second(path: str, name: str, again: str) -> str:
    head, token, tail = path.partition(f"{{{name}}}")
    return head + token + tail.replace(token, f"{{{again}}}", 1)
