"""
From any OpenAPI 3 document to one that the generator takes whole.

The result has operations with everything inlined but schemas, and schemas that are each a named
class or a plain type. `rules.RULES` says why for each rule. Applying it twice equals once.
"""

from scripts.spec.normalise_operations import Operations
from scripts.spec.normalise_schemas import Schemas
from scripts.spec.rules import Notes
from scripts.spec.tree import Json, sorted_deep


def normalise(document: Json) -> tuple[Json, Notes]:
    """
    A new document for the generator, and what was done to get there.
    """
    document = sorted_deep(document)
    notes = Notes()
    schemas = Schemas(document, notes)
    operations = Operations(document, notes, schemas)
    paths = operations.run()
    components = schemas.finish(operations.places)
    info = document.get("info") if isinstance(document.get("info"), dict) else {}
    for member, default in (("title", "API"), ("version", "0")):
        if not isinstance(info.get(member), str):
            notes.hit("info-filled", f"#/info/{member}")
            info = {**info, member: str(info.get(member) or default)}
    result = {
        "openapi": "3.1.0",
        "info": {"title": info["title"], "version": info["version"]},
        "paths": paths,
        "components": {"schemas": components},
    }
    return sorted_deep(result), notes
