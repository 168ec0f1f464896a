"""
The generated operation table, asked two ways: by request, and by what a user calls an operation.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from types import ModuleType

from auth_ext.errors import ConfigurationError
from generated_client.operations import OPERATIONS, Operation


class Routes:
    """
    Which operation a request belongs to, by method and path template.
    """

    def __init__(self, operations: Iterable[Operation]) -> None:
        # By method and number of segments: a handful of candidates are left for a request.
        self._candidates: dict[tuple[str, int], list[tuple[re.Pattern[str], Operation]]] = {}
        for operation in sorted(operations, key=_most_literal_first):
            key = operation.method, operation.path.count("/")
            self._candidates.setdefault(key, []).append((_pattern(operation.path), operation))

    def find(self, method: str, path: str) -> Operation | None:
        """
        The operation for *method* and *path* (percent-encoded, without query); None: none.

        A path without parameters goes before one with: `/documents/summary` is not a document.
        """
        for pattern, operation in self._candidates.get((method, path.count("/")), ()):
            if pattern.fullmatch(path):
                return operation
        return None


def _most_literal_first(operation: Operation) -> tuple[int, str]:
    return operation.path.count("{"), operation.path


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{[^{}]*\}", template)
    return re.compile("[^/]+".join(map(re.escape, parts)))


@cache
def routes() -> Routes:
    """
    The routes of the document that `generated_client` was made from.
    """
    return Routes(OPERATIONS.values())


def required_scopes(*operations: ModuleType | str) -> frozenset[str]:
    """
    The scopes that the document says these operations need, all together.

    Args:
        operations: Operation modules (`generated_client.api.<tag>.<operation>`) or ids.

    Raises:
        ConfigurationError: One of them is no operation of the document; the text names the ids
            that come nearest.
    """
    return frozenset(scope for operation in operations for scope in lookup(operation).scopes)


def lookup(operation: ModuleType | str) -> Operation:
    """
    The table's row for an operation module or id.

    Raises:
        ConfigurationError: There is none.
    """
    if isinstance(operation, ModuleType):
        found = _by_module().get(operation.__name__)
    elif isinstance(operation, str):
        found = OPERATIONS.get(operation)
    else:
        raise ConfigurationError(
            f"{operation!r} is neither an operation module nor the id of an operation"
        )
    if found is None:
        name = operation.__name__ if isinstance(operation, ModuleType) else operation
        raise ConfigurationError(f"{name!r} is no operation of the document{_nearest(name)}")
    return found


@cache
def _by_module() -> Mapping[str, Operation]:
    return {f"generated_client.api.{o.tag}.{o.module}": o for o in OPERATIONS.values()}


def _nearest(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name.rpartition(".")[2], OPERATIONS, n=3)
    return f"; did you mean {' or '.join(near)}?" if near else ""
