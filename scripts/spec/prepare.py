"""
The steps from a parsed document to one that the generator takes: upgrade, overlay, normalise.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import attrs

from scripts.spec import overlay
from scripts.spec.normalise import normalise
from scripts.spec.refs import refuse_broken
from scripts.spec.rules import Notes
from scripts.spec.table import catalogue
from scripts.spec.tree import Json
from scripts.spec.upgrade import upgrade

Step = Callable[[str], AbstractContextManager[Callable[[str], None]]]
"""Shows a step by name, and what is told about it."""


@contextmanager
def quiet(_: str) -> Iterator[Callable[[str], None]]:
    """A step that shows nothing."""
    yield lambda _: None


@attrs.frozen(kw_only=True)
class Prepared:
    """
    A document after upgrade, overlay and rules.

    Attributes:
        upgraded: As OpenAPI 3, with its repairs, before the rules: what must be in the client.
        normal: What the generator gets.
        notes: What the rules did.
        scopes: Scope -> description.
        idle: Repairs that changed nothing any more.
    """

    upgraded: Json
    normal: Json
    notes: Notes
    scopes: dict[str, str]
    idle: tuple[str, ...]


def prepare(data: Json, *, step: Step = quiet, overlays: Path | None = None) -> Prepared:
    """
    Run the three steps on a parsed document.

    Raises:
        DocumentError: An overlay is not one, or a reference of the document leads nowhere.
    """
    with step("upgrade") as note:
        upgraded = upgrade(data)
        note("from 2.0" if "swagger" in data else "nothing to do")
    with step("overlay") as note:
        applied = overlay.apply(upgraded, data, overlay.load(overlays or overlay.FOLDER))
        note(f"{applied.used} repairs")
        refuse_broken(applied.document)
    with step("normalise") as note:
        normal, notes = normalise(applied.document)
        note(", ".join(f"{rule} {len(hits)}" for rule, hits in sorted(notes.hits.items())))
    return Prepared(
        upgraded=applied.document,
        normal=normal,
        notes=notes,
        scopes=catalogue(applied.document),
        idle=applied.idle,
    )
