"""
Schemas: first cleaned, then flattened, then named.

clean     any spelling -> one: a single type, null as a flag, anyOf for every kind of union
flatten   allOf merged, unions without siblings, discriminators as fixed values, no endless types
finish    every class a component with a name of its own, every name and default usable
"""

import json
import unicodedata
from collections import defaultdict
from copy import deepcopy
from typing import Any
from uuid import UUID

from dateutil.parser import isoparse

from scripts.spec import names
from scripts.spec.refs import SCHEMAS, lookup, schema_name, tokens
from scripts.spec.rules import Notes
from scripts.spec.tree import Json, canonical, escape

TYPES = frozenset({"string", "number", "integer", "boolean", "array", "object"})

NEAR_TYPES: dict[str, dict[str, str]] = {
    "file": {"type": "string", "format": "binary"},
    "binary": {"type": "string", "format": "binary"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "date-time": {"type": "string", "format": "date-time"},
    "uuid": {"type": "string", "format": "uuid"},
    "guid": {"type": "string", "format": "uuid"},
    "str": {"type": "string"},
    "text": {"type": "string"},
    "int": {"type": "integer"},
    "int32": {"type": "integer"},
    "int64": {"type": "integer"},
    "long": {"type": "integer"},
    "float": {"type": "number"},
    "double": {"type": "number"},
    "decimal": {"type": "number"},
    "bool": {"type": "boolean"},
    "list": {"type": "array"},
    "map": {"type": "object"},
    "dict": {"type": "object"},
}
"""Types that authors write and JSON Schema does not have."""

SHAPE = ("format", "enum", "const", "items", "properties", "required", "anyOf", "allOf")
"""Members that decide which values fit, beside type and additionalProperties."""

MAX_UNION = 64
"""More members than any union seen; a product of unions beyond it is not written out."""


class Schemas:
    """All schemas of one document on their way."""

    def __init__(self, document: Json, notes: Notes) -> None:
        self.document = document
        self.notes = notes
        raw = (document.get("components") or {}).get("schemas") or {}
        self.original = list(raw)
        self.components: dict[str, Json] = {}
        self.pointers: dict[str, str] = {}
        self.null_components: set[str] = set()
        self.multipart: set[str] = set()
        self.out: dict[str, Json] = {}
        self.taken_classes: set[str] = set()
        self.taken_modules: set[str] = set()
        self.component_names: dict[str, str] = {}
        self.wire: set[str] = set()
        for name, node in raw.items():
            self.components[name] = self.clean(node, SCHEMAS + escape(name))

    # --- clean: one spelling ---

    def clean(self, node: Json, where: str) -> Json:
        """*node* in the one spelling that the later steps know."""
        if not isinstance(node, dict):
            if node is not None:
                self.notes.hit("boolean-schemas", where)
            return {}
        if isinstance(node.get("$ref"), str):
            return self._clean_reference(node, where)
        new: Json = {}
        self._annotations(node, new)
        self._type(node, new, where)
        self._members(node, new, where)
        self._unions(node, new, where)
        if "enum" in node:
            self._enum(node, new, where)
        if "const" in node:
            self._const(node["const"], new, where)
        types = new.pop("types", None)
        if types:
            rest = {key: value for key, value in new.items() if key not in {"nullable", "default"}}
            new = {key: new[key] for key in ("nullable", "default", "description") if key in new}
            new["anyOf"] = [_for_type({**rest, "type": one}) for one in types]
        return self._single(new)

    def _clean_reference(self, node: Json, where: str) -> Json:
        new: Json = {"$ref": self.reference(node["$ref"])}
        beside = {key: value for key, value in node.items() if key in {*SHAPE, "oneOf", "type"}}
        if beside:
            self.notes.hit("ref-siblings", where)
            rest = {key: value for key, value in node.items() if key != "$ref"}
            return self.clean({**rest, "allOf": [*(rest.get("allOf") or []), new]}, where)
        if node.get("nullable") is True or node.get("x-nullable") is True:
            self.notes.hit("ref-siblings", where)
            new["nullable"] = True
        if node.get("default") is not None:
            self.notes.hit("ref-siblings", where)
            new["default"] = node["default"]
        return new

    def reference(self, reference: str) -> str:
        """The reference to a component; a pointer elsewhere makes its target one."""
        name = schema_name(reference) or self.pointers.get(reference)
        if name is None:
            target = lookup(self.document, reference)
            whole = self.document["components"]["schemas"] if self.original else {}
            name = next((known for known, node in whole.items() if node is target), None)
        if name is None:
            steps = [step for step in tokens(reference) if not step.isdigit()] or [reference]
            wanted = "".join(names.pascal(step) for step in steps[-2:])
            name = names.unique(wanted, {*self.original, *self.components}, separator="")
            self.pointers[reference] = name
            self.components[name] = {}
            self.notes.hit("pointer-hoisted", reference)
            self.components[name] = self.clean(target, reference)
        return SCHEMAS + escape(name)

    @staticmethod
    def _annotations(node: Json, new: Json) -> None:
        for key in ("title", "description", "format"):
            if isinstance(node.get(key), str):
                new[key] = node[key]
        for key in ("example", "default"):
            if node.get(key) is not None:
                new[key] = node[key]
        if node.get("nullable") is True or node.get("x-nullable") is True:
            new["nullable"] = True

    def _type(self, node: Json, new: Json, where: str) -> None:
        given = node.get("type")
        wanted = given if isinstance(given, list) else [given]
        known = [one for given in wanted for one in self._known(given, new, where)]
        if known == ["integer", "number"] or known == ["number", "integer"]:
            known = ["number"]
        if len(known) == 1:
            new["type"] = known[0]
        elif known:
            new["types"] = known
        elif given == "null" or given == ["null"]:
            new["type"] = "null"
            new.pop("nullable", None)
        elif isinstance(node.get("properties"), dict) or "additionalProperties" in node:
            new["type"] = "object"
        elif "items" in node or "prefixItems" in node:
            new["type"] = "array"

    def _known(self, given: Json, new: Json, where: str) -> list[str]:
        """One type as JSON Schema has it, if it can be told; null is a flag."""
        if given is None or given == "null":
            new.update({"nullable": True} if given else {})
            return []
        if given in TYPES:
            return [given]
        self.notes.hit("unknown-type", where)
        low = str(given).lower()
        near = NEAR_TYPES.get(low, {"type": low} if low in TYPES else {})
        if "format" in near:
            new.setdefault("format", near["format"])
        return [near["type"]] if near else []

    def _members(self, node: Json, new: Json, where: str) -> None:
        kinds = {new.get("type"), *new.get("types", ())}
        if "array" in kinds:
            new["items"] = self._items(node, where)
        properties = node.get("properties")
        if isinstance(properties, dict) and properties:
            new["properties"] = {
                name: self.clean(value, f"{where}/properties/{escape(name)}")
                for name, value in properties.items()
            }
        required = node.get("required")
        if isinstance(required, list):
            required = sorted({name for name in required if isinstance(name, str)})
            if required:
                new["required"] = required
        additional = node.get("additionalProperties")
        patterns = node.get("patternProperties")
        if additional is None and isinstance(patterns, dict) and len(patterns) == 1:
            additional = next(iter(patterns.values()))
        if isinstance(additional, dict) and additional:
            additional = self.clean(additional, f"{where}/additionalProperties")
            new["additionalProperties"] = additional or True
        elif additional is False:
            new["additionalProperties"] = False

    def _items(self, node: Json, where: str) -> Json:
        items = node.get("items")
        several = items if isinstance(items, list) else node.get("prefixItems")
        if isinstance(several, list) and several:
            self.notes.hit("tuple-items", where)
            members = [*several, *([items] if isinstance(items, dict) else [])]
            cleaned = [self.clean(one, f"{where}/items/{n}") for n, one in enumerate(members)]
            if {} in cleaned:
                return {}
            return self._single({"anyOf": _distinct(cleaned)})
        if not isinstance(items, dict):
            self.notes.hit("items-filled", where)
            return {}
        return self.clean(items, f"{where}/items")

    def _unions(self, node: Json, new: Json, where: str) -> None:
        for key in ("allOf", "anyOf", "oneOf"):
            given = node.get(key)
            if not isinstance(given, list) or not given:
                continue
            members = [self.clean(one, f"{where}/{key}/{n}") for n, one in enumerate(given)]
            if key == "allOf":
                new["allOf"] = members
                continue
            rest = [one for one in members if one != {"type": "null"}]
            if len(rest) < len(members):
                new["nullable"] = True
            if rest:
                new["anyOf"] = _distinct([*new.get("anyOf", []), *rest])
        given = node.get("discriminator")
        if (
            "anyOf" in new
            and isinstance(given, dict)
            and isinstance(given.get("propertyName"), str)
        ):
            mapping = given.get("mapping")
            new["discriminator"] = {
                "propertyName": given["propertyName"],
                "mapping": mapping if isinstance(mapping, dict) else {},
            }

    def _single(self, new: Json) -> Json:
        """A union of one member is that member."""
        members = new.get("anyOf", ())
        if len(members) == 1 and not any(
            key in new for key in ("type", "allOf", "properties", "required")
        ):
            rest = {key: new[key] for key in ("nullable", "default", "description") if key in new}
            return {**members[0], **rest}
        return new

    def _enum(self, node: Json, new: Json, where: str) -> None:
        given = node["enum"] if isinstance(node["enum"], list) else []
        if new.get("type") == "array":
            self.notes.hit("enum-on-array", where)
            if not new["items"].keys() & {"enum", "$ref", "anyOf"}:
                new["items"] = self.clean({**new["items"], "enum": given}, f"{where}/items")
            return
        values = [value for value in given if value is not None]
        if len(values) < len(given):
            new["nullable"] = True
            if not values:
                new["type"] = "null"
                del new["nullable"]
        kind = new.pop("types", [new.get("type")])[0]
        if kind is not None:
            new["type"] = kind
        usable = _enum_values(values, kind)
        if usable is None:
            self.notes.hit("enum-values", where)
        elif usable:
            new["enum"] = usable
            new["type"] = "integer" if isinstance(usable[0], int) else "string"
            new.pop("format", None)
            self._varnames(node, new, values)

    @staticmethod
    def _varnames(node: Json, new: Json, values: list[Any]) -> None:
        """Names that the author gave, when there is one for each value."""
        given = node.get("x-enum-varnames", node.get("x-enumNames"))
        if isinstance(given, list) and len(given) == len(values) == len(new["enum"]):
            new["x-enum-varnames"] = [str(name) for name in given]

    def _const(self, value: Json, new: Json, where: str) -> None:
        if value is None:
            new["type"] = "null"
        elif isinstance(value, int | float) or (isinstance(value, str) and not _loses(value)):
            new["const"] = value
            new.setdefault("type", _kind(value))
        else:
            self.notes.hit("constants", where)

    # --- flatten: no allOf, no union with siblings ---

    def flat(self, name: str, stack: tuple[str, ...]) -> Json:
        """A component, flattened; nothing when it is being flattened already."""
        if name in stack or len(stack) > 40:
            return {}
        node = self.flatten(self.components[name], (*stack, name), SCHEMAS + name)
        reference = schema_name(node.get("$ref", ""))
        return self.flat(reference, (*stack, name)) if reference else node

    def flatten(self, node: Json, stack: tuple[str, ...], where: str) -> Json:
        """*node* without allOf, and with unions that stand alone."""
        if "$ref" in node:
            return node
        node = dict(node)
        if "properties" in node:
            node["properties"] = {
                name: self.flatten(one, stack, f"{where}/properties/{escape(name)}")
                for name, one in node["properties"].items()
            }
        for key in ("items", "additionalProperties"):
            if isinstance(node.get(key), dict):
                node[key] = self.flatten(node[key], stack, f"{where}/{key}")
        if "anyOf" in node:
            node["anyOf"] = [self.flatten(one, stack, f"{where}/anyOf") for one in node["anyOf"]]
        if "allOf" in node:
            node = self._merge_all(node, stack, where)
        if "anyOf" in node and _has_shape({k: v for k, v in node.items() if k != "anyOf"}):
            node = self._spread(node, stack, where)
        elif "anyOf" in node:
            for key in ("type", "additionalProperties"):
                node.pop(key, None)
        return self._single(node)

    def _merge_all(self, node: Json, stack: tuple[str, ...], where: str) -> Json:
        members = node.pop("allOf")
        shaped = [one for one in members if _has_shape(one) or one.get("type")]
        own = _has_shape(node)
        if len(shaped) == 1 and not own and "$ref" in shaped[0]:
            keep = {key: node[key] for key in ("nullable", "default") if key in node}
            return {**shaped[0], **keep}
        self.notes.hit("allof-merged", where)
        result: Json = {}
        for one in [*members, node]:
            result = self.merge(result, self.flatten(one, stack, where), stack, where)
        return result | {key: node[key] for key in ("nullable", "default", "title") if key in node}

    def _deref(self, node: Json, stack: tuple[str, ...]) -> tuple[Json, tuple[str, ...]]:
        name = schema_name(node.get("$ref", ""))
        if name is None:
            return node, stack
        target = {**self.flat(name, stack)}
        target.pop("nullable", None)
        return target, (*stack, name)

    def merge(self, one: Json, two: Json, stack: tuple[str, ...], where: str) -> Json:
        """One schema for the values that fit both."""
        if not one or one == two:
            return deepcopy(two)
        if not two:
            return deepcopy(one)
        if one.get("$ref") and not _has_shape(two) and two.get("type") in {None, "object"}:
            return {**deepcopy(one), **{k: v for k, v in two.items() if k == "default"}}
        one, stack_one = self._deref(one, stack)
        two, stack_two = self._deref(two, stack)
        stack = tuple(dict.fromkeys((*stack_one, *stack_two)))
        if "anyOf" in one or "anyOf" in two:
            return self._merge_unions(one, two, stack, where)
        if not one or not two:
            return deepcopy(one or two)
        return self._merge_plain(one, two, stack, where)

    def _merge_plain(self, one: Json, two: Json, stack: tuple[str, ...], where: str) -> Json:
        """The same, for two schemas without references and unions."""
        result = {**deepcopy(one), **deepcopy(two)}
        self._merge_types(one, two, result, where)
        properties = dict(one.get("properties", {}))
        for name, value in two.get("properties", {}).items():
            place = f"{where}/properties/{escape(name)}"
            properties[name] = self.merge(properties.get(name, {}), value, stack, place)
        if properties:
            result["properties"] = properties
        required = sorted({*one.get("required", ()), *two.get("required", ())})
        if required:
            result["required"] = required
        if "items" in one and "items" in two:
            result["items"] = self.merge(one["items"], two["items"], stack, f"{where}/items")
        self._merge_additional(one, two, result)
        if not (one.get("nullable") and two.get("nullable")):
            result.pop("nullable", None)
        return result

    def _merge_types(self, one: Json, two: Json, result: Json, where: str) -> None:
        kinds = {one.get("type"), two.get("type")} - {None}
        if kinds == {"integer", "number"}:
            result["type"] = "integer"
        elif len(kinds) > 1:
            self.notes.hit("allof-conflict", where)
            for key in ("enum", "const", "items", "format", "x-enum-varnames"):
                if key not in two:
                    result.pop(key, None)
        elif "enum" in one and "enum" in two:
            both = [value for value in one["enum"] if value in two["enum"]]
            result["enum"] = both or two["enum"]
            if not both:
                self.notes.hit("allof-conflict", where)
        if "enum" in result:
            result.pop("format", None)
        if len(result.get("x-enum-varnames", ())) != len(result.get("enum", ())):
            result.pop("x-enum-varnames", None)

    @staticmethod
    def _merge_additional(one: Json, two: Json, result: Json) -> None:
        """Two closed objects are closed; one alone would refuse the other's members."""
        given = [node.get("additionalProperties") for node in (one, two)]
        typed = [value for value in given if isinstance(value, dict)]
        result.pop("additionalProperties", None)
        if typed:
            result["additionalProperties"] = typed[-1]
        elif given == [False, False]:
            result["additionalProperties"] = False

    def _merge_unions(self, one: Json, two: Json, stack: tuple[str, ...], where: str) -> Json:
        self.notes.hit("union-members", where)
        left, right = one.get("anyOf", [one]), two.get("anyOf", [two])
        rest_one = {k: v for k, v in one.items() if k != "anyOf"} if "anyOf" in one else {}
        rest_two = {k: v for k, v in two.items() if k != "anyOf"} if "anyOf" in two else {}
        if len(left) * len(right) > MAX_UNION:
            self.notes.hit("allof-conflict", where)
            return deepcopy(one if "anyOf" in one else two)
        members = []
        for a in left:
            for b in right:
                hint = schema_name(a.get("$ref", "")) or schema_name(b.get("$ref", ""))
                member = self.merge(self.merge(a, b, stack, where), {}, stack, where)
                if hint and "$ref" not in member:
                    member["title"] = hint
                members.append(member)
        annotations = {
            key: value
            for rest in (rest_one, rest_two)
            for key, value in rest.items()
            if key in {"description", "discriminator", "default"}
        }
        return {**annotations, "anyOf": _distinct(members)}

    def _spread(self, node: Json, stack: tuple[str, ...], where: str) -> Json:
        """Members beside a union belong to each of its alternatives."""
        self.notes.hit("union-members", where)
        union = node.pop("anyOf")
        if not any(_has_shape(one, apart={"required"}) for one in union):
            return node  # they only say which members must be given together
        about = {k: node.pop(k) for k in ("nullable", "default", "discriminator") if k in node}
        members = []
        for one in union:
            member = self.merge(node, one, stack, where)
            if "$ref" in one:
                member["title"] = schema_name(one["$ref"])
            members.append(member)
        spread = {"anyOf": _distinct(members), **about}
        if "description" in node:
            spread["description"] = node["description"]
        return spread

    # --- discriminators, nulls, endless types ---

    def fix_discriminators(self) -> None:
        """The member that names the type gets its value fixed: then only the right one parses."""
        values: dict[tuple[str, str], set[str]] = defaultdict(set)
        for node in list(self.components.values()):
            for union in _walk(node):
                if "discriminator" in union:
                    self._discriminated(union, values)
        for (name, member), found in sorted(values.items()):
            target = self.components[name]
            if target.get("type") != "object" or len(found) != 1:
                continue
            value = next(iter(found))
            known = target.get("properties", {}).get(member, {})
            if known.get("const", value) != value or known.get("type", "string") != "string":
                continue
            fixed = {"type": "string", "const": value, "default": value}
            if "description" in known:
                fixed["description"] = known["description"]
            properties = {**target.get("properties", {}), member: fixed}
            required = sorted({*target.get("required", ()), member})
            self.components[name] = {**target, "properties": properties, "required": required}
            self.notes.hit("discriminator", f"{SCHEMAS}{escape(name)}/properties/{escape(member)}")

    def _discriminated(self, union: Json, values: dict[tuple[str, str], set[str]]) -> None:
        given = union["discriminator"]
        mapped: dict[str, set[str]] = defaultdict(set)
        for value, target in given["mapping"].items():
            mapped[schema_name(str(target)) or str(target)].add(value)
        for one in union["anyOf"]:
            name = schema_name(one.get("$ref", ""))
            if name in self.components and name is not None:
                values[name, given["propertyName"]] |= mapped.get(name) or {name}

    def drop_nulls(self) -> None:
        """A definition that may be null: the members that refer to it may be."""
        for name, node in self.components.items():
            if node.get("nullable"):
                self.notes.hit("nullable-components", SCHEMAS + escape(name))
                self.null_components.add(name)
                self.components[name] = {k: v for k, v in node.items() if k != "nullable"}

    def cut_recursion(self) -> None:
        """A type that contains itself without a class between becomes Any where it closes."""
        done: set[str] = set()

        def visit(name: str, open_names: tuple[str, ...]) -> None:
            node = self.components[name]
            if name in done or is_class(node):
                return
            for inner in _walk(node, into_classes=False):
                target = schema_name(inner.get("$ref", ""))
                if target is None:
                    continue
                if target in (*open_names, name):
                    self.notes.hit("recursion-cut", SCHEMAS + escape(name))
                    inner.clear()
                else:
                    visit(target, (*open_names, name))
            done.add(name)

        for name in sorted(self.components):
            visit(name, ())

    # --- finish: names ---

    def finish(self, places: "list[Place]") -> dict[str, Json]:
        """
        The components of the normalised document; the schemas at *places* become references.
        """
        self.components = {
            name: deepcopy(self.flatten(node, (name,), SCHEMAS + escape(name)))
            for name, node in self.components.items()
        }
        for place in places:
            whole = deepcopy(self.flatten(place.holder[place.key], (), place.where))
            whole.pop("nullable", None)  # a parameter, body or answer that is null is none
            place.holder[place.key] = whole
        # A union in an operation may carry the discriminator, so those are looked at too.
        self.components["\0places"] = {"anyOf": [place.holder[place.key] for place in places]}
        self.fix_discriminators()
        del self.components["\0places"]
        self.drop_nulls()
        self.cut_recursion()
        self._collect_wire_names()
        self._name_components()
        for name in sorted(self.components):
            new = self.component_names[name]
            binary = name in self.multipart
            self.out[new] = self.finalise(self.components[name], new, binary=binary)
        for place in places:
            place.holder[place.key] = self.position(
                place.holder[place.key], place.name, binary=place.binary
            )
        return self.out

    def _collect_wire_names(self) -> None:
        for node in self.components.values():
            for inner in _walk(node):
                self.wire.update(inner.get("properties", ()))

    def _name_components(self) -> None:
        order = sorted(self.components, key=lambda name: (names.class_name(name) != name, name))
        for name in order:
            new = self._claim(name)
            self.component_names[name] = new
            self.notes.classes[name] = new

    def _claim(self, name: str) -> str:
        """A class name that no other class has, nor its module."""
        wanted = names.class_name(name)
        if wanted in names.CLASSES_TAKEN:
            self.notes.hit("class-reserved", name)
            wanted = names.class_name(f"{wanted}Model")
        number, candidate = 1, wanted
        while (
            candidate.casefold() in self.taken_classes
            or names.module_name(candidate) in self.taken_modules
        ):
            number += 1
            settled = names.class_name(f"{wanted}{number}")
            candidate = f"Model{number}" if settled == "Model" else settled
        if number > 1:
            self.notes.hit("class-renamed", name)
        self.taken_classes.add(candidate.casefold())
        self.taken_modules.add(names.module_name(candidate))
        return candidate

    def position(self, node: Json, wanted: str, *, binary: bool = False) -> Json:
        """*node* where a value stands: classes by reference, null and default around it."""
        about = {key: node[key] for key in ("default", "description", "example") if key in node}
        core = {k: v for k, v in node.items() if k not in {"nullable", "default", "title"}}
        defined = core
        if is_class(core):
            name = self._claim(wanted)
            self.notes.hit("hoisted", name)
            self.out[name] = {}
            self.out[name] = self.finalise(core, name, binary=binary)
            core = {"$ref": SCHEMAS + name}
        else:
            defined = self._deref(core, ())[0]
            core = self.finalise(core, wanted, binary=binary)
        default = self._default(defined, about.get("default"), wanted)
        nullable = node.get("nullable") and core != {} and core != {"type": "null"}
        if nullable:
            inner = {k: v for k, v in core.items() if k not in {"description", "example"}}
            members = inner["anyOf"] if set(inner) == {"anyOf"} else [inner]
            core = {"anyOf": [*members, {"type": "null"}]}
            core |= {key: about[key] for key in ("description", "example") if key in about}
        if default is not None:
            core = {"allOf": [core]} if "$ref" in core else core
            core["default"] = default
        return core

    def finalise(self, node: Json, name: str, *, binary: bool) -> Json:
        """*node* in the generator's words; classes inside it get names that start with *name*."""
        if "$ref" in node:
            target = schema_name(node["$ref"])
            return {"$ref": SCHEMAS + self.component_names.get(target or "", target or "")}
        if node.get("type") == "null":
            self.notes.hit("null-only", name)
            return {}
        dropped = {"title", "discriminator", "nullable", "default"}
        new = {key: value for key, value in node.items() if key not in dropped}
        if new.get("format") == "binary" and not binary:
            self.notes.hit("binary-in-json", name)
            del new["format"]
        if "enum" in new:
            self._name_values(new, name)
        if "items" in new:
            new["items"] = self.position(new["items"], f"{name}Item", binary=binary)
        if "anyOf" in new:
            new["anyOf"] = [
                self.position(
                    one,
                    name + (names.pascal(one.get("title", "")) or f"Type{number}"),
                    binary=binary,
                )
                for number, one in enumerate(new["anyOf"])
            ]
        if "properties" in new:
            new["properties"], new["required"] = self._properties(new, name, binary=binary)
        if isinstance(new.get("additionalProperties"), dict):
            inner = self.position(new["additionalProperties"], f"{name}AdditionalProperty")
            new["additionalProperties"] = inner or True
        if not new.get("required"):
            new.pop("required", None)
        return new

    def _properties(self, node: Json, name: str, *, binary: bool) -> tuple[Json, list[str]]:
        spellings = names.keep_apart(node["properties"], names.MEMBERS_TAKEN, "value")
        properties, required = {}, []
        for member, value in node["properties"].items():
            key = self.spelling(member, spellings.get(member, member), f"{name}.{member}")
            target = schema_name(value.get("$ref", ""))
            null = {"nullable": True} if target in self.null_components else {}
            wanted = name + (names.pascal(member) or "Value")
            properties[key] = self.position({**value, **null}, wanted, binary=binary)
            if member in node.get("required", ()):
                required.append(key)
        return properties, sorted(required)

    def spelling(self, member: str, wanted: str, where: str) -> str:
        """The key for *member* in the normalised document; its own name unless that clashes."""
        if wanted == member:
            return member
        known = self.notes.wire_names
        number, key = 1, wanted
        while key in self.wire or known.get(key, member) != member:
            number += 1
            key = f"{wanted}_{number}"
        self.notes.hit("python-names", where)
        known[key] = member
        return key

    def _name_values(self, node: Json, where: str) -> None:
        given = node.get("x-enum-varnames")
        if given:
            usable = [name for name in given if names.enum_names([name])[0] == name.upper()]
            if len({name.upper() for name in usable}) == len(node["enum"]):
                return
        chosen = names.enum_names(node["enum"])
        plain = [str(value).upper() for value in node["enum"]]
        if isinstance(node["enum"][0], str) and chosen != plain:
            self.notes.hit("enum-names", where)
        node["x-enum-varnames"] = chosen

    def _default(self, node: Json, default: Json, where: str) -> Json:
        """*default*, when a value of *node*; None otherwise."""
        if default is None:
            return None
        usable = _default_for(node, default)
        if usable is None:
            self.notes.hit("defaults", where)
        return usable


class Place:
    """Where an operation has a schema: what holds it, and a name for its class."""

    def __init__(
        self, holder: Json, key: str, name: str, where: str, *, binary: bool = False
    ) -> None:
        self.holder, self.key, self.name, self.where, self.binary = holder, key, name, where, binary


def is_class(node: Json) -> bool:
    """Whether the generator makes a class or an enum of *node*."""
    if "$ref" in node or "anyOf" in node:
        return False
    return "enum" in node or node.get("type") == "object"


def _has_shape(node: Json, apart: set[str] | None = None) -> bool:
    keys = {"$ref", *SHAPE} - (apart or set())
    if node.get("type") not in {None, "object"} or isinstance(
        node.get("additionalProperties"), dict
    ):
        return True
    return any(key in node for key in keys)


def _walk(node: Json, *, into_classes: bool = True) -> Any:
    """*node* and every schema inside it."""
    if not isinstance(node, dict):
        return
    yield node
    if not into_classes and is_class(node):
        return
    for value in list(node.get("properties", {}).values()):
        yield from _walk(value, into_classes=into_classes)
    for key in ("items", "additionalProperties"):
        yield from _walk(node.get(key), into_classes=into_classes)
    for one in node.get("anyOf", ()):
        yield from _walk(one, into_classes=into_classes)


def _distinct(members: list[Json]) -> list[Json]:
    seen: dict[str, Json] = {}
    for one in members:
        seen.setdefault(canonical(one), one)
    return list(seen.values())


def _for_type(node: Json) -> Json:
    """*node* with only the members that say something about its type."""
    about = {
        "string": {"format", "enum", "const"},
        "array": {"items"},
        "object": {"properties", "required", "additionalProperties"},
        "integer": {"format", "enum"},
        "number": {"format"},
    }.get(node["type"], set())
    return {key: value for key, value in node.items() if key in {"type", *about}}


def _loses(text: str) -> bool:
    """Whether the generator leaves characters out when it writes *text* as a literal."""
    kinds = {unicodedata.category(character) for character in text if character not in "\b\t\f"}
    return any(kind[0] == "C" or kind in {"Zl", "Zp"} for kind in kinds)


def _as_literal(text: str) -> bool:
    """Whether *text* stands in a literal just as it is."""
    return json.dumps(text, ensure_ascii=False)[1:-1] == text


def _kind(value: Json) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    return "integer" if isinstance(value, int) else "number"


def _enum_values(values: list[Any], kind: str | None) -> list[Any] | None:
    """The values as all text or all whole numbers; None when the generator cannot have them."""
    if kind == "boolean" or not values:
        return []
    if any(isinstance(value, dict | list) for value in values) or kind == "object":
        return None
    if kind == "string":
        values = [value if isinstance(value, str) else _yaml_text(value) for value in values]
    if kind in {"integer", "number"}:
        values = [_number(value) for value in values]
    values = list(dict.fromkeys(values))
    if all(isinstance(value, str) for value in values):
        return None if any(map(_loses, values)) else values
    if all(isinstance(value, int) and not isinstance(value, bool) for value in values):
        return values
    return None


def _yaml_text(value: Json) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(value: Json) -> Json:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return value
    return int(number) if number.is_integer() else number


def _default_for(node: Json, default: Json) -> Json:
    """*default* as a value of *node*, mended where it is only misspelt; None when it is none."""
    if "anyOf" in node:
        tries = (_default_for(one, default) for one in node["anyOf"] if "$ref" not in one)
        return next((one for one in tries if one is not None), None)
    kind = node.get("type")
    if "enum" in node:
        value = (
            _yaml_text(default) if kind == "string" and not isinstance(default, str) else default
        )
        fits = value in node["enum"] and type(value) is type(node["enum"][0])
        # The generator looks the default up among values that it has escaped already.
        return value if fits and (not isinstance(value, str) or _as_literal(value)) else None
    if "const" in node:
        return default if default == node["const"] else None
    if kind == "boolean":
        return {"true": True, "false": False}.get(str(default).lower())
    if kind in {"integer", "number"}:
        number = _number(default)
        whole = isinstance(number, int) and not isinstance(default, bool)
        return number if whole or (kind == "number" and isinstance(number, float)) else None
    if kind == "string" and not isinstance(default, dict | list):
        return _text_default(node.get("format"), _yaml_text(default))
    return None


def _text_default(form: str | None, default: str) -> str | None:
    parse: Any = {"date": isoparse, "date-time": isoparse, "uuid": UUID}.get(form or "")
    if form == "binary" or _loses(default):
        return None
    try:
        if parse:
            parse(default)
    except ValueError:
        return None
    return default
