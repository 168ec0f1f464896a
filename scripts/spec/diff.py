"""
What changes for callers of the client when one document replaces another.

Own code: the Python packages for this are a few months old or know HTTP only; oasdiff, the kept
one, is a Go program. None knows what this client turns a document into: that an operation is a
module, that enums are open, that a new scope must first be granted.
"""

import json
from collections.abc import Iterator

import attrs

from scripts.spec import names
from scripts.spec.prepare import Prepared
from scripts.spec.refs import operations, schema_name
from scripts.spec.table import needed
from scripts.spec.tree import Json, digest

ROUNDS = 6
"""How far apart two schemas may differ and still be told apart by their structure."""


@attrs.frozen(order=True)
class Change:
    """
    One line of the report.

    Attributes:
        breaking: Whether code that calls the client today may stop working.
        kind: operation, parameter, body, response, scope, schema, property or enum value.
        where: The operation, schema or scope it is about.
        what: What came, went or changed.
    """

    breaking: bool
    kind: str
    where: str
    what: str


@attrs.frozen(kw_only=True)
class Surface:
    """
    A document as callers of its client see it.

    Attributes:
        operations: Operation id -> the operation, with method, path and module.
        schemas: Class name -> schema.
        scopes: Every scope that the document knows.
        sent: Classes that callers build.
        received: Classes that callers get.
    """

    operations: dict[str, Json]
    schemas: dict[str, Json]
    scopes: frozenset[str]
    sent: frozenset[str]
    received: frozenset[str]


EMPTY = Surface(
    operations={}, schemas={}, scopes=frozenset(), sent=frozenset(), received=frozenset()
)


def surface(prepared: Prepared) -> Surface:
    """The surface of a prepared document."""
    schemas = {name: _bare(node) for name, node in prepared.normal["components"]["schemas"].items()}
    found: dict[str, Json] = {}
    sent: set[str] = set()
    received: set[str] = set()
    for path, method, operation, _ in operations(prepared.normal):
        package = names.tag_package(operation["tags"][0])
        module = names.python_name(operation["operationId"])
        found[operation["operationId"]] = {
            **operation,
            "method": method,
            "path": path,
            "module": f"{package}.{module}",
        }
        sent |= _classes([*operation["parameters"], operation.get("requestBody")])
        received |= _classes(operation["responses"])
    return Surface(
        operations=found,
        schemas=schemas,
        scopes=frozenset(prepared.scopes),
        sent=frozenset(_reachable(sent, schemas)),
        received=frozenset(_reachable(received, schemas)),
    )


def _bare(node: Json) -> Json:
    """A schema without what callers cannot notice."""
    if isinstance(node, list):
        return [_bare(one) for one in node]
    if not isinstance(node, dict):
        return node
    hidden = {"description", "example", "x-enum-varnames"}
    new = {key: _bare(value) for key, value in node.items() if key not in {*hidden, "properties"}}
    if "properties" in node:
        new["properties"] = {name: _bare(value) for name, value in node["properties"].items()}
    return new


def _classes(node: Json) -> set[str]:
    if isinstance(node, list):
        return {name for one in node for name in _classes(one)}
    if not isinstance(node, dict):
        return set()
    own = schema_name(node["$ref"]) if isinstance(node.get("$ref"), str) else None
    inner = {name for value in node.values() for name in _classes(value)}
    return inner | ({own} if own else set())


def _reachable(start: set[str], schemas: dict[str, Json]) -> set[str]:
    found: set[str] = set()
    waiting = sorted(start)
    while waiting:
        name = waiting.pop()
        if name in schemas and name not in found:
            found.add(name)
            waiting.extend(_classes(schemas[name]))
    return found


# --- comparing ---


def compare(old: Surface, new: Surface) -> list[Change]:
    """
    Every change from *old* to *new*, breaking ones first, in a fixed order.
    """
    renamed = _renamed(old.schemas, new.schemas)
    old = _with_new_names(old, renamed)
    changes = [
        Change(breaking=True, kind="schema", where=was, what=f"renamed to {now}, otherwise equal")
        for was, now in sorted(renamed.items())
    ]
    changes += _operations(old.operations, new.operations)
    changes += _schemas(old, new)
    changes += [
        Change(breaking=False, kind="scope", where=scope, what="added to the document")
        for scope in new.scopes - old.scopes
    ]
    changes += [
        Change(breaking=False, kind="scope", where=scope, what="removed from the document")
        for scope in old.scopes - new.scopes
    ]
    return sorted(changes, key=lambda one: (not one.breaking, one.kind, one.where, one.what))


def _renamed(old: dict[str, Json], new: dict[str, Json]) -> dict[str, str]:
    """Schemas that went and came with the same structure: old name -> new name."""
    gone, came = sorted(old.keys() - new.keys()), sorted(new.keys() - old.keys())
    prints_old, prints_new = _fingerprints(old), _fingerprints(new)
    pairs: dict[str, str] = {}
    for name in gone:
        equal = [one for one in came if prints_new[one] == prints_old[name]]
        if equal:
            pairs[name] = equal[0]
            came.remove(equal[0])
    return pairs


def _fingerprints(schemas: dict[str, Json]) -> dict[str, str]:
    """One digest per schema that depends on its structure, not on the names of classes."""
    prints = dict.fromkeys(schemas, "")
    for _ in range(ROUNDS):
        prints = {name: digest(_with_prints(node, prints)) for name, node in schemas.items()}
    return prints


def _with_prints(node: Json, prints: dict[str, str]) -> Json:
    if isinstance(node, list):
        return [_with_prints(one, prints) for one in node]
    if not isinstance(node, dict):
        return node
    if isinstance(node.get("$ref"), str):
        return {"$ref": prints.get(schema_name(node["$ref"]) or "", "")}
    return {key: _with_prints(value, prints) for key, value in node.items()}


def _with_new_names(old: Surface, renamed: dict[str, str]) -> Surface:
    def name(one: str) -> str:
        return renamed.get(one, one)

    def rewrite(node: Json) -> Json:
        if isinstance(node, list):
            return [rewrite(one) for one in node]
        if not isinstance(node, dict):
            return node
        target = schema_name(node["$ref"]) if isinstance(node.get("$ref"), str) else None
        if target in renamed:
            return {"$ref": node["$ref"].replace(f"/{target}", f"/{renamed[target]}")}
        return {key: rewrite(value) for key, value in node.items()}

    return attrs.evolve(
        old,
        operations=rewrite(old.operations),
        schemas={name(key): rewrite(value) for key, value in old.schemas.items()},
        sent=frozenset(map(name, old.sent)),
        received=frozenset(map(name, old.received)),
    )


def _operations(old: dict[str, Json], new: dict[str, Json]) -> Iterator[Change]:
    gone, came = sorted(old.keys() - new.keys()), sorted(new.keys() - old.keys())
    for was in list(gone):
        place = (old[was]["method"], old[was]["path"])
        now = next((one for one in came if (new[one]["method"], new[one]["path"]) == place), None)
        if now is not None:
            gone.remove(was)
            came.remove(now)
            yield Change(breaking=True, kind="operation", where=was, what=f"renamed to {now}")
            yield from _operation(now, old[was], new[now])
    for was in gone:
        what = f"removed ({_call(old[was])})"
        yield Change(breaking=True, kind="operation", where=was, what=what)
    for now in came:
        what = f"added ({_call(new[now])})"
        yield Change(breaking=False, kind="operation", where=now, what=what)
    for both in sorted(old.keys() & new.keys()):
        if old[both]["module"] != new[both]["module"]:
            what = f"moved from api.{old[both]['module']} to api.{new[both]['module']}"
            yield Change(breaking=True, kind="operation", where=both, what=what)
        yield from _operation(both, old[both], new[both])


def _call(operation: Json) -> str:
    return f"{operation['method'].upper()} {operation['path']}"


def _operation(where: str, old: Json, new: Json) -> Iterator[Change]:
    if _call(old) != _call(new):
        what = f"{_call(old)} is now {_call(new)}"
        yield Change(breaking=False, kind="operation", where=where, what=what)
    if new.get("deprecated") and not old.get("deprecated"):
        yield Change(breaking=False, kind="operation", where=where, what="deprecated")
    yield from _parameters(where, old["parameters"], new["parameters"])
    yield from _body(where, old.get("requestBody"), new.get("requestBody"))
    yield from _responses(where, old["responses"], new["responses"])
    yield from _needs(where, old, new)


def _parameters(where: str, old: list[Json], new: list[Json]) -> Iterator[Change]:
    before = {(one["in"], one["name"]): one for one in old}
    after = {(one["in"], one["name"]): one for one in new}

    def change(key: tuple[str, str], what: str, *, breaking: bool) -> Change:
        text = f"{key[0]} parameter {key[1]} {what}"
        return Change(breaking=breaking, kind="parameter", where=where, what=text)

    for key in sorted(before.keys() - after.keys()):
        yield change(key, "removed", breaking=True)
    for key in sorted(after.keys() - before.keys()):
        required = after[key]["required"]
        yield change(key, "added, required" if required else "added", breaking=required)
    for key in sorted(before.keys() & after.keys()):
        one, two = before[key], after[key]
        if one["required"] != two["required"]:
            what = "is now required" if two["required"] else "is now optional"
            yield change(key, what, breaking=two["required"])
        yield from (
            change(key, what, breaking=breaking)
            for what, breaking in _types(one["schema"], two["schema"], sent=True, received=False)
        )
    paths = [[one["name"] for one in side if one["in"] == "path"] for side in (old, new)]
    if sorted(paths[0]) == sorted(paths[1]) and paths[0] != paths[1]:
        what = f"path parameters are now in the order {', '.join(paths[1])}"
        yield Change(breaking=True, kind="parameter", where=where, what=what)


def _body(where: str, old: Json, new: Json) -> Iterator[Change]:
    def change(what: str, *, breaking: bool) -> Change:
        return Change(breaking=breaking, kind="body", where=where, what=what)

    if old is None and new is None:
        return
    if old is None:
        required = bool(new.get("required"))
        yield change("body added, required" if required else "body added", breaking=required)
        return
    if new is None:
        yield change("body removed", breaking=True)
        return
    if bool(old.get("required")) != bool(new.get("required")):
        required = bool(new.get("required"))
        yield change(f"body is now {'required' if required else 'optional'}", breaking=required)
    before, after = old["content"], new["content"]
    for media in sorted(before.keys() - after.keys()):
        yield change(f"body as {media} removed", breaking=True)
    for media in sorted(after.keys() - before.keys()):
        yield change(f"body as {media} added", breaking=not before.keys() & after.keys())
    for media in sorted(before.keys() & after.keys()):
        one, two = before[media]["schema"], after[media]["schema"]
        for what, breaking in _types(one, two, sent=True, received=False):
            yield change(f"body {what}", breaking=breaking)


def _responses(where: str, old: Json, new: Json) -> Iterator[Change]:
    def carries(side: Json, code: str) -> str:
        content = side[code].get("content") or {}
        return (
            " | ".join(describe(one.get("schema") or {}) for one in content.values()) or "nothing"
        )

    def change(what: str, *, breaking: bool) -> Change:
        return Change(breaking=breaking, kind="response", where=where, what=what)

    for code in sorted(old.keys() - new.keys()):
        yield change(f"response {code} removed", breaking=code.startswith("2"))
    for code in sorted(new.keys() - old.keys()):
        what = f"response {code} added, {carries(new, code)}"
        yield change(what, breaking=code.startswith("2") and bool(old))
    for code in sorted(old.keys() & new.keys()):
        before, after = carries(old, code), carries(new, code)
        if before != after:
            what = f"response {code} was {before}, is now {after}"
            yield change(what, breaking=True)


def _needs(where: str, old: Json, new: Json) -> Iterator[Change]:
    (scopes_old, token_old), (scopes_new, token_new) = needed(old), needed(new)

    def change(what: str, *, breaking: bool) -> Change:
        return Change(breaking=breaking, kind="scope", where=where, what=what)

    if token_old != token_new:
        what = "now needs a token" if token_new else "needs no token any more"
        yield change(what, breaking=token_new)
    for scope in sorted({*scopes_new} - {*scopes_old}):
        yield change(f"now needs the scope {scope}", breaking=True)
    for scope in sorted({*scopes_old} - {*scopes_new}):
        yield change(f"no longer needs the scope {scope}", breaking=False)


# --- schemas ---


def _schemas(old: Surface, new: Surface) -> Iterator[Change]:
    before, after = old.schemas, new.schemas
    for name in sorted(before.keys() - after.keys()):
        yield Change(breaking=True, kind="schema", where=name, what="removed")
    for name in sorted(after.keys() - before.keys()):
        yield Change(breaking=False, kind="schema", where=name, what="added")
    for name in sorted(before.keys() & after.keys()):
        if before[name] != after[name]:
            sent = name in old.sent or name in new.sent
            received = name in old.received or name in new.received or not sent
            yield from _schema(name, before[name], after[name], sent=sent, received=received)


def _schema(name: str, old: Json, new: Json, *, sent: bool, received: bool) -> Iterator[Change]:
    if "enum" in old and "enum" in new and old.get("type") == new.get("type"):
        for value in (one for one in old["enum"] if one not in new["enum"]):
            yield Change(breaking=True, kind="enum value", where=name, what=f"{value} removed")
        for value in (one for one in new["enum"] if one not in old["enum"]):
            yield Change(breaking=False, kind="enum value", where=name, what=f"{value} added")
        return
    if old.get("type") != "object" or new.get("type") != "object":
        for what, breaking in _types(old, new, sent=sent, received=received):
            yield Change(breaking=breaking, kind="schema", where=name, what=what)
        return
    yield from _properties(name, old, new, sent=sent, received=received)
    open_old, open_new = (one.get("additionalProperties", True) for one in (old, new))
    if open_old != open_new:
        types = [
            describe(one) if isinstance(one, dict) else str(one).lower()
            for one in (open_old, open_new)
        ]
        what = f"other members were {types[0]}, are now {types[1]}"
        yield Change(breaking=open_new is not True, kind="schema", where=name, what=what)


def _properties(name: str, old: Json, new: Json, *, sent: bool, received: bool) -> Iterator[Change]:
    before, after = old.get("properties", {}), new.get("properties", {})
    must_old, must_new = old.get("required", ()), new.get("required", ())
    for member in sorted(before.keys() - after.keys()):
        yield Change(breaking=True, kind="property", where=name, what=f"{member} removed")
    for member in sorted(after.keys() - before.keys()):
        required = member in must_new
        what = f"{member} added, required" if required else f"{member} added"
        yield Change(breaking=required and sent, kind="property", where=name, what=what)
    for member in sorted(before.keys() & after.keys()):
        if (member in must_old) != (member in must_new):
            required = member in must_new
            what = f"{member} is now {'required' if required else 'optional'}"
            breaking = sent if required else received
            yield Change(breaking=breaking, kind="property", where=name, what=what)
        for what, breaking in _types(before[member], after[member], sent=sent, received=received):
            yield Change(breaking=breaking, kind="property", where=name, what=f"{member} {what}")


def _types(old: Json, new: Json, *, sent: bool, received: bool) -> Iterator[tuple[str, bool]]:
    """How a value's type changes: text, and whether it breaks callers that send or receive it."""
    before, after = _alternatives(old), _alternatives(new)
    if before != after:
        wider, narrower = before < after or _widened(before, after), after < before
        if after - before == {"null"} and not before - after:
            yield "may now be null", received
        elif before - after == {"null"} and not after - before:
            yield "may no longer be null", sent
        else:
            breaking = (received and not narrower) or (sent and not wider)
            yield f"was {describe(old)}, is now {describe(new)}", breaking
    if _default(old) != _default(new):
        yield f"has the default {_default(new)}, was {_default(old)}", False


def _widened(before: frozenset[str], after: frozenset[str]) -> bool:
    return before == {"integer"} and after == {"number"}


def _default(node: Json) -> str:
    return json.dumps(node.get("default"), ensure_ascii=False) if "default" in node else "none"


def _alternatives(node: Json) -> frozenset[str]:
    if "anyOf" in node:
        return frozenset(name for one in node["anyOf"] for name in _alternatives(one))
    return frozenset({describe(node)})


def describe(node: Json) -> str:
    """A schema's type in a few words."""
    if "$ref" in node:
        return schema_name(node["$ref"]) or "any"
    if "allOf" in node:
        return describe(node["allOf"][0])
    if "anyOf" in node:
        return " | ".join(sorted(describe(one) for one in node["anyOf"]))
    if "const" in node:
        return f"always {json.dumps(node['const'], ensure_ascii=False)}"
    if node.get("type") == "array":
        return f"list of {describe(node.get('items') or {})}"
    if node.get("type") == "string" and node.get("format") in {
        "date",
        "date-time",
        "uuid",
        "binary",
    }:
        return str(node["format"])
    return str(node.get("type", "any"))


# --- writing it down ---


def render(changes: list[Change], form: str) -> str:
    """The report as text, markdown or JSON; always ends with a line break."""
    return {"text": _text, "markdown": _markdown, "json": _json}[form](changes)


def _summary(changes: list[Change]) -> str:
    if not changes:
        return "Nothing changes for callers of the client."
    breaking = sum(change.breaking for change in changes)
    return f"{breaking} breaking, {len(changes) - breaking} compatible changes for callers."


def _one_line(text: str) -> str:
    """Names come from the document; none of them may start a line or colour the terminal."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _text(changes: list[Change]) -> str:
    lines = [
        f"{'BREAKING  ' if one.breaking else 'compatible'} {one.kind:<10} "
        f"{_one_line(one.where)}: {_one_line(one.what)}"
        for one in changes
    ]
    return "\n".join([_summary(changes), *lines]) + "\n"


def _markdown(changes: list[Change]) -> str:
    lines = ["## What changes for callers", "", _summary(changes)]
    for title, breaking in (("Breaking", True), ("Compatible", False)):
        chosen = [one for one in changes if one.breaking is breaking]
        if chosen:
            lines += ["", f"### {title}", "", "| | where | what |", "| --- | --- | --- |"]
            lines += [f"| {one.kind} | {_cell(one.where)} | {_cell(one.what)} |" for one in chosen]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    """Text as code inside a table: nothing in it is markup, a link or a mention."""
    plain = _one_line(text).replace("|", "\\|").replace("`", "'")
    return f"`{plain}`"


def _json(changes: list[Change]) -> str:
    breaking = sum(change.breaking for change in changes)
    report = {
        "breaking": breaking,
        "compatible": len(changes) - breaking,
        "changes": [attrs.asdict(change) for change in changes],
    }
    return json.dumps(report, indent=2, ensure_ascii=False) + "\n"
