"""
`operations.py`: what the document says about each operation, for the auth layer and the tools.
"""

from pathlib import Path

import attrs

from scripts.spec.errors import LossError
from scripts.spec.generate import Generated
from scripts.spec.refs import operations
from scripts.spec.rules import Notes
from scripts.spec.tree import Json

HEAD = '''"""
Every operation of the document: where it is, and which scopes it needs.

Plain literals, so that importing this costs next to nothing.
"""

from typing import NamedTuple


class Operation(NamedTuple):
    """
    One operation.

    Attributes:
        id: Its name in the document.
        tag: The package below `api` that holds its module.
        module: The name of that module.
        method: Of the request, in capitals.
        path: Of the request, with {name} for each path parameter.
        scopes: What a token needs, sorted; of the first alternative the document gives.
        authenticated: Whether a token is needed at all.
        summary: What it does, in the words of the document.
    """

    id: str
    tag: str
    module: str
    method: str
    path: str
    scopes: tuple[str, ...]
    authenticated: bool
    summary: str


'''


@attrs.frozen(kw_only=True)
class Row:
    """One line of the table."""

    id: str
    tag: str
    module: str
    method: str
    path: str
    scopes: tuple[str, ...]
    authenticated: bool
    summary: str


def rows(document: Json, generated: Generated) -> list[Row]:
    """
    The table of a normalised document, by operation id.

    Raises:
        LossError: The generator has no module for an operation; each is named.
    """
    modules = {(one.path, one.method): one for one in generated.modules}
    table, missing = [], []
    for path, method, operation, _ in operations(document):
        module = modules.get((path, method))
        if module is None:
            missing.append(f"{method.upper()} {path} ({operation['operationId']}): no module")
            continue
        scopes, authenticated = needed(operation)
        table.append(
            Row(
                id=operation["operationId"],
                tag=module.package,
                module=module.name,
                method=method.upper(),
                path=path,
                scopes=scopes,
                authenticated=authenticated,
                summary=" ".join(operation.get("summary", "").split()),
            )
        )
    if missing:
        raise LossError("Operations would be missing from the client:", missing)
    return sorted(table, key=lambda row: row.id)


def needed(operation: Json) -> tuple[tuple[str, ...], bool]:
    """The scopes of the first alternative, and whether any alternative needs something."""
    alternatives = operation.get("security") or []
    first = alternatives[0] if alternatives else {}
    scopes = {str(scope) for wanted in first.values() for scope in wanted or ()}
    return tuple(sorted(scopes)), any(alternatives)


def catalogue(document: Json) -> dict[str, str]:
    """Scope -> description, over all OAuth2 schemes and flows of an OpenAPI 3 document."""
    found: dict[str, str] = {}
    schemes = (document.get("components") or {}).get("securitySchemes") or {}
    for name in sorted(schemes):
        flows = schemes[name].get("flows") if isinstance(schemes[name], dict) else None
        for flow in (flows or {}).values():
            scopes = flow.get("scopes") if isinstance(flow, dict) else None
            for scope, description in (scopes or {}).items():
                found.setdefault(str(scope), " ".join(str(description or "").split()))
    return dict(sorted(found.items()))


def write(table: list[Row], scopes: dict[str, str], package: Path) -> None:
    """Write `operations.py`. Every value goes through repr: it is data there too."""
    lines = [HEAD, "OPERATIONS: dict[str, Operation] = {\n"]
    for row in table:
        values = ", ".join(repr(value) for value in attrs.astuple(row))
        lines.append(f"    {row.id!r}: Operation({values}),\n")
    lines.append('}\n"""By id."""\n\nSCOPES: dict[str, str] = {\n')
    lines += [f"    {scope!r}: {description!r},\n" for scope, description in scopes.items()]
    lines.append('}\n"""Each scope that the document knows -> what it grants."""\n')
    (package / "operations.py").write_text("".join(lines), "utf-8")


def account(original: Json, notes: Notes, generated: Generated, normal: Json) -> None:
    """
    Nothing, when every operation and schema of the document is in the client.

    Args:
        original: The document as OpenAPI 3, before the rules.
        notes: What the rules noted.
        generated: What the generator made.
        normal: The document after the rules.

    Raises:
        LossError: Names each one that is not.
    """
    made = set(notes.origins.values())
    missing = [
        f"{method.upper()} {path}: dropped by a rule"
        for path, method, *_ in operations(original)
        if (path, method) not in made
    ]
    components = normal["components"]["schemas"]
    for name in (original.get("components") or {}).get("schemas") or {}:
        new = notes.classes.get(name)
        if new not in components:
            missing.append(f"schema {name}: dropped by a rule")
        elif new not in generated.classes and _makes_class(components[new], components):
            missing.append(f"schema {name}: the generator made no class {new}")
    if missing:
        raise LossError("The client would lack parts of the document:", missing)


def _makes_class(node: Json, components: Json) -> bool:
    seen: list[str] = []
    while "$ref" in node and node["$ref"] not in seen:
        seen.append(node["$ref"])
        node = components[node["$ref"].rsplit("/", 1)[-1]]
    return "anyOf" not in node and ("enum" in node or node.get("type") == "object")
