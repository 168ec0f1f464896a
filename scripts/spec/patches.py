"""Small changes to the generator's own templates, each with its reason."""

from scripts.spec._patch import Patch

ENUM_REASON = "an enum takes values that the document does not know; the service may be newer"

PATCHES = (
    Patch(
        template="str_enum.py.jinja",
        find="from enum import StrEnum",
        put="from ..types import OpenStrEnum",
        why=ENUM_REASON,
    ),
    Patch(
        template="str_enum.py.jinja",
        find="(StrEnum):",
        put="(OpenStrEnum):",
        why=ENUM_REASON,
    ),
    Patch(
        template="int_enum.py.jinja",
        find="from enum import IntEnum",
        put="from ..types import OpenIntEnum",
        why=ENUM_REASON,
    ),
    Patch(
        template="int_enum.py.jinja",
        find="(IntEnum):",
        put="(OpenIntEnum):",
        why=ENUM_REASON,
    ),
)
