"""
Build the folder of templates that the generator is given.

Some templates are our own, written for this client (scripts/spec/templates). The others are the
pinned generator's, changed by the patches in scripts/spec/patches.py, or left as they are.
"""

import json
import re
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from openapi_python_client.strings import PythonIdentifier

from scripts.spec._patch import Patch
from scripts.spec.errors import EnvironmentProblem
from scripts.spec.patches import PATCHES

GENERATOR = "openapi_python_client"
OWN_TEMPLATES = Path(__file__).parent / "templates"
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def build(destination: Path, document: Mapping[str, Any] | None = None) -> None:
    """
    Write all templates that differ from the generator's own into *destination*.

    Args:
        destination: The folder to hand over as --custom-template-path; made if it is missing.
        document: The document that will be generated. From it come what the generator does not
            tell its templates: the scopes of an operation, its id as the document spells it, and
            what its parameters are for.

    Raises:
        EnvironmentProblem: A patch's place was not found, or found twice; nothing is written.
    """
    patched = apply(PATCHES)
    destination.mkdir(parents=True, exist_ok=True)
    for source in sorted(OWN_TEMPLATES.glob("*.jinja")):
        (destination / source.name).write_text(source.read_text("utf-8"), "utf-8")
    for name, text in patched.items():
        (destination / name).write_text(text, "utf-8")
    (destination / "_facts.jinja").write_text(facts(document or {}), "utf-8")


def apply(patches: Iterable[Patch]) -> dict[str, str]:
    """
    The patched templates by name.

    Raises:
        EnvironmentProblem: Names the patch and the template whose place is missing or ambiguous.
    """
    texts: dict[str, str] = {}
    for patch in patches:
        text = texts.get(patch.template) or _generator_template(patch)
        found = text.count(patch.find)
        if found != 1:
            raise EnvironmentProblem(
                f"template {patch.template}: the patch {patch.find!r} -> {patch.put!r} needs one "
                f"place and found {found} ({patch.why}): compare the template of the installed "
                f"{GENERATOR} and adapt scripts/spec/patches.py"
            )
        texts[patch.template] = text.replace(patch.find, patch.put)
    return texts


def _generator_template(patch: Patch) -> str:
    source = resources.files(GENERATOR) / "templates" / patch.template
    if not source.is_file():
        raise EnvironmentProblem(
            f"template {patch.template}: the installed {GENERATOR} has no such template "
            f"({patch.why}): adapt scripts/spec/patches.py"
        )
    return source.read_text("utf-8")


def facts(document: Mapping[str, Any]) -> str:
    """A template that tells the others the id and the scopes of each operation."""
    found = {}
    for item in document.get("paths", {}).values():
        for method in _METHODS:
            operation = item.get(method, {})
            if "operationId" not in operation:
                continue
            alternatives = operation.get("security", document.get("security")) or [{}]
            scopes = sorted({scope for needed in alternatives[0].values() for scope in needed})
            key = f"{method} {PythonIdentifier(operation['operationId'], 'field_')}"
            entry = [
                f'"id": {_literal(operation["operationId"])}',
                f'"scopes": {_list(scopes)}',
                f'"queries": {_queries(operation)}',
                f'"forms": {_forms(operation)}',
                f'"parameters": {_parameters(operation)}',
            ]
            found[key] = f"{{{', '.join(entry)}}}"
    entries = ",\n".join(f"{_literal(key)}: {value}" for key, value in sorted(found.items()))
    return f"{{% set facts = {{\n{entries}\n}} %}}\n"


def _queries(operation: Mapping[str, Any]) -> str:
    """How query parameters are written that are not simply repeated: name -> style."""
    styles = {
        parameter["x-wire-name"]: parameter["x-query"]
        for parameter in operation.get("parameters", ())
        if "x-query" in parameter
    }
    return _mapping(styles)


def _forms(operation: Mapping[str, Any]) -> str:
    """How members of a urlencoded form are written that are not simply repeated."""
    styles: dict[str, str] = {}
    for media in operation.get("requestBody", {}).get("content", {}).values():
        styles |= media.get("x-form", {})
    return _mapping(styles)


def _mapping(texts: Mapping[str, str]) -> str:
    entries = (f"{_literal(name)}: {_literal(text)}" for name, text in sorted(texts.items()))
    return f"{{{', '.join(entries)}}}"


def _parameters(operation: Mapping[str, Any]) -> str:
    """What parameters are for: place and name -> description; the generator reads only schemas'."""
    texts = {
        f"{parameter['in']} {parameter['name']}": " ".join(parameter["description"].split())
        for parameter in operation.get("parameters", ())
        if isinstance(parameter.get("description"), str)
    }
    entries = (f"{_literal(key)}: {_literal(text)}" for key, text in sorted(texts.items()))
    return f"{{{', '.join(entries)}}}"


def _list(texts: Iterable[str]) -> str:
    return f"[{', '.join(map(_literal, texts))}]"


def _literal(text: str) -> str:
    """A string literal for the template engine that holds none of its own signs."""
    literal = json.dumps(text, ensure_ascii=False)
    return re.sub(r"[{}%#]", lambda sign: f"\\u{ord(sign[0]):04x}", literal)
