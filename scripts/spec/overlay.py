"""
Repairs of one document's own mistakes, as data: OpenAPI Overlay 1.0 files in `overlays/`.

Two additions of ours: `x-applies-to` says which documents a file concerns (every member given
must be equal, by JSON pointer), and every action has a `description`: the reason.

Own code for applying: oas-patch 0.6 appends to arrays each time it runs, says nothing about an
action that matches nothing, and brings seven packages. The JSONPath is python-jsonpath's.
"""

from copy import deepcopy
from pathlib import Path

import attrs
import jsonpath

from scripts.spec.errors import DocumentError
from scripts.spec.read import from_yaml
from scripts.spec.refs import Broken, lookup
from scripts.spec.tree import Json

FOLDER = Path(__file__).parent / "overlays"


@attrs.frozen
class Overlay:
    """A file of repairs, and which documents it is for."""

    name: str
    applies_to: dict[str, Json]
    actions: list[Json]

    def concerns(self, document: Json) -> bool:
        """Whether every member that `x-applies-to` names has the value it gives."""
        return all(
            _member(document, pointer) == value for pointer, value in self.applies_to.items()
        )


def _member(document: Json, pointer: str) -> Json:
    try:
        return lookup(document, f"#{pointer}")
    except Broken:
        return None


@attrs.frozen
class Applied:
    """A document after its repairs, and what is to be said about them."""

    document: Json
    used: int
    idle: tuple[str, ...]


def load(folder: Path) -> list[Overlay]:
    """
    Every overlay of a folder, by name.

    Raises:
        DocumentError: A file is not an overlay, or an action has no reason.
    """
    return [_read(path) for path in sorted(folder.glob("*.yaml"))]


def _read(path: Path) -> Overlay:
    data = from_yaml(path.read_text("utf-8-sig"), path.name)
    actions = data.get("actions") if isinstance(data, dict) else None
    if not isinstance(actions, list) or not isinstance(data.get("x-applies-to"), dict):
        raise DocumentError(f"{path.name} is no overlay: it needs `actions` and `x-applies-to`.")
    for number, action in enumerate(actions, 1):
        if not isinstance(action, dict) or not action.get("description"):
            raise DocumentError(
                f"{path.name}: action {number} has no `description`: give a reason."
            )
        if not isinstance(action.get("target"), str) or not {"update", "remove"} & action.keys():
            raise DocumentError(
                f"{path.name}: action {number} needs `target` and `update` or `remove`."
            )
    return Overlay(path.name, data["x-applies-to"], actions)


def apply(document: Json, original: Json, overlays: list[Overlay]) -> Applied:
    """
    *document* (OpenAPI 3) with the repairs of the overlays that concern *original*.

    Twice is once: an action that changes nothing any more is idle, and named.
    """
    document = deepcopy(document)
    used, idle = 0, []
    for overlay in overlays:
        if not overlay.concerns(original):
            continue
        for action in overlay.actions:
            if _act(document, action, overlay.name):
                used += 1
            else:
                idle.append(f"{overlay.name}: {action['target']} ({action['description']})")
    return Applied(document, used, tuple(idle))


def _act(document: Json, action: Json, name: str) -> bool:
    """Carry out one action in place; whether it changed anything."""
    try:
        matches = list(jsonpath.finditer(action["target"], document))
    except jsonpath.JSONPathError as error:
        message = f"{name}: {action['target']!r} is no JSONPath: {str(error).splitlines()[0]}."
        raise DocumentError(message) from error
    changed = False
    # From the end, so that the places before an item of a list keep their numbers.
    for match in reversed(matches):
        holder: Json = match.parent.obj if match.parent else None
        if holder is None:
            if action.get("remove"):
                raise DocumentError(f"{name}: the whole document cannot be removed.")
            new = _merged(document, action["update"])
            changed = new != document
            document.update(new)
            continue
        key = match.parts[-1]
        if action.get("remove"):
            del holder[key]
            changed = True
            continue
        new = _merged(holder[key], action["update"])
        changed = changed or new != holder[key]
        holder[key] = new
    return changed


def _merged(old: Json, update: Json) -> Json:
    """Objects merge, arrays gain, all else is replaced (Overlay 1.0, 4.4.3)."""
    if isinstance(old, dict) and isinstance(update, dict):
        return old | {key: _merged(old.get(key), value) for key, value in update.items()}
    if isinstance(old, list):
        more = update if isinstance(update, list) else [update]
        return old + [deepcopy(item) for item in more if item not in old]
    return deepcopy(update)
