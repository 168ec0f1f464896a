"""
What names become in Python, asked of the generator itself, and how they are kept apart.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable

from openapi_python_client.strings import ClassName, PythonIdentifier, pascal_case, snake_case

PREFIX = "field_"
"""What the generator puts before a name that cannot start an identifier."""

CLASSES_TAKEN = frozenset(
    """
    Any AsyncIterator AuthenticatedClient Awaitable BinaryIO BytesIO Callable Client Decimal Enum
    File FileTypes Generator HTTPStatus Iterable Iterator IntEnum IO List Literal Mapping
    MalformedResponse MutableMapping Operation Optional Path RequestFiles Response Self Sequence
    StrEnum T TextIO TYPE_CHECKING TypeVar UNSET Union UnexpectedStatus UnsafePathParameter Unset
    UUID DownloadedFile OpenEnum
    """.split()  # noqa: SIM905 - one word per entry reads best
)
"""Names that generated modules import or define; a class of that name would hide them."""

MEMBERS_TAKEN = frozenset(
    {"additional_keys", "additional_properties", "from_dict", "to_dict", "to_multipart"}
)
"""Names that a generated model uses for itself."""

ARGUMENTS_TAKEN = frozenset({"body", "client", "on_progress", "to", "url"})
"""Arguments that generated operations have already."""

SIGNS = {
    "+": "plus", "-": "minus", "$": "dollar", "@": "at", "#": "hash", "*": "star", "%": "percent",
    "&": "and", "!": "not", "<": "less", ">": "greater", "=": "equal", "~": "tilde", "^": "caret",
    "/": "slash", "?": "question", "|": "or", ".": "dot", ":": "colon",
}  # fmt: skip


def python_name(name: str) -> str:
    """The argument, attribute or module for *name*, as Python reads it (NFKC, PEP 3131)."""
    written = str(PythonIdentifier(name, PREFIX))
    read = unicodedata.normalize("NFKC", written)
    return read if read == written else python_name(read)


def is_settled(name: str) -> bool:
    """Whether the generator writes the name that Python reads."""
    return str(PythonIdentifier(name, PREFIX)) == python_name(name)


def tag_package(tag: str) -> str:
    """The package below `api` for *tag*, as Python reads it."""
    return unicodedata.normalize("NFKC", PythonIdentifier(tag, "tag"))


def class_name(name: str) -> str:
    """The class that the generator makes of *name*: a name that it leaves as it is."""
    text = unicodedata.normalize("NFKC", name).replace("/", " ")
    for _ in range(4):
        made = str(ClassName(text, PREFIX))
        if made == text:
            return made
        text = made
    return "Model"


def module_name(name: str) -> str:
    """The module in which the generator puts the class *name*."""
    return str(PythonIdentifier(name, PREFIX))


def pascal(name: str) -> str:
    """*name* as a part of a class name."""
    return pascal_case(unicodedata.normalize("NFKC", name).replace("/", " "))


def spelled(name: str) -> str:
    """*name* with the signs that an identifier cannot have as words: +1 and -1 stay two names."""
    words = re.sub(r"[^\w]", lambda sign: f" {SIGNS.get(sign[0], '')} ", name)
    return "_".join(words.split())


def unique(
    wanted: str, taken: Collection[str], key: Callable[[str], str] = str, separator: str = "_"
) -> str:
    """*wanted*, or the first of wanted_2, wanted_3, ... whose *key* is not taken."""
    candidate, number = wanted, 1
    while key(candidate) in taken:
        number += 1
        candidate = f"{wanted}{separator}{number}"
    return candidate


def keep_apart(names: Iterable[str], reserved: Collection[str], suffix: str) -> dict[str, str]:
    """
    For the names that need another spelling: name -> spelling whose Python name is unique.

    A name that is its own Python name keeps it; the others yield, in order.
    """
    names = sorted(set(names), key=lambda name: (python_name(name) != name, name))
    shared = Counter(map(python_name, names))
    taken: set[str] = set()
    result: dict[str, str] = {}
    for name in names:
        own = python_name(name)
        free = own not in taken and own not in reserved and own.isidentifier() and own != PREFIX
        # Of several that would become one name, those with signs say the sign: +1 and -1.
        said = shared[own] == 1 or own == name or spelled(name) == name
        if free and said and is_settled(name):
            taken.add(own)
            continue
        wanted = python_name(f"{spelled(name) or 'value'}")
        if wanted in reserved:
            wanted = f"{wanted.rstrip('_')}_{suffix}"
        spelling = unique(wanted, taken | set(reserved) | set(names), python_name)
        taken.add(python_name(spelling))
        result[name] = spelling
    return result


def enum_names(values: list[str] | list[int]) -> list[str]:
    """One Python name for each value of an enum, all different."""
    taken: set[str] = set()
    result = []
    for index, value in enumerate[str | int](values):
        name = unique(_enum_name(value, index), taken, _enum_key)
        taken.add(_enum_key(name))
        result.append(_enum_key(name))
    return result


def _enum_key(name: str) -> str:
    """What the generator makes of a name given for a value."""
    return unicodedata.normalize("NFKC", snake_case(name).upper())


def _enum_name(value: str | int, index: int) -> str:
    if isinstance(value, int):
        return f"VALUE_{value}" if value >= 0 else f"VALUE_NEGATIVE_{-value}"
    plain = _enum_key(unicodedata.normalize("NFKC", value))
    if plain.isidentifier() and value[:1].isalpha() and plain != "MRO":
        return plain
    words = _enum_key(f"VALUE_{spelled(value)}")
    if value and words != "VALUE" and words.isascii() and words.isidentifier():
        return words
    return f"VALUE_{index}"
