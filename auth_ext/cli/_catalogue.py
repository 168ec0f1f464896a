"""
`signicat operations` and `signicat scopes`: the operation table, asked in several ways.
"""

import sys
from collections.abc import Sequence
from typing import Any

from auth_ext._operations import lookup, required_scopes
from auth_ext._settings import normalised_scopes
from auth_ext.cli._output import coloured, is_terminal, remark, say, show_json, show_rows
from auth_ext.cli._problem import Problem, unknown_scope
from generated_client.operations import OPERATIONS, SCOPES, Operation


def show_operations(words: Sequence[str], *, as_json: bool) -> None:
    """
    The operations in which all *words* occur.
    """
    found = [one for one in OPERATIONS.values() if _has(one, words)]
    _show(found, as_json=as_json)
    if not found:
        remark(f"no operation has {' and '.join(map(repr, words))} in it")


def show_scopes(*, as_json: bool) -> None:
    """
    All scopes, what they grant and how many operations need them.
    """
    uses = {name: [o.id for o in OPERATIONS.values() if name in o.scopes] for name in SCOPES}
    if as_json:
        show_json(
            [
                {"scope": name, "description": text, "operations": uses[name]}
                for name, text in SCOPES.items()
            ]
        )
        return
    rows = [(name, str(len(uses[name])), text) for name, text in SCOPES.items()]
    show_rows(("Scope", "Operations", "Grants"), rows)


def show_needed(names: Sequence[str], *, as_json: bool) -> None:
    """
    What these operations need, one by one and all together.

    Raises:
        ConfigurationError: One of them is no operation.
    """
    found = [lookup(name) for name in names]
    together = sorted(required_scopes(*names))
    if as_json:
        show_json({"scopes": together, "operations": {o.id: list(o.scopes) for o in found}})
        return
    show_rows(("Operation", "Needs"), [(o.id, _needs(o)) for o in found])
    if is_terminal(sys.stdout):
        say(f'\n{coloured("SIGNICAT_SCOPES", "dim", sys.stdout)}="{" ".join(together)}"')


def show_allowed(scopes: str, names: Sequence[str], *, as_json: bool) -> None:
    """
    The operations that these scopes allow; of those named, or of all.

    Raises:
        Problem: One of the scopes is not in the document.
        ConfigurationError: There are none, or one of *names* is no operation.
    """
    given = normalised_scopes(scopes)
    for name in given:
        if name not in SCOPES:
            raise Problem(unknown_scope(name))
    among = [lookup(name) for name in names] or list(OPERATIONS.values())
    # Where the document names no scope, nobody knows.
    allowed = [o for o in among if o.scopes and set(o.scopes) <= set(given)]
    _show(allowed, as_json=as_json)
    if not allowed:
        remark("these scopes alone allow none of them")


def _show(found: Sequence[Operation], *, as_json: bool) -> None:
    if as_json:
        show_json([_as_json(one) for one in found])
    elif is_terminal(sys.stdout):
        _show_in_two_lines(found)
    else:
        show_rows((), [(o.id, o.method, o.path, _needs(o), o.summary) for o in found])


def _show_in_two_lines(found: Sequence[Operation]) -> None:
    """
    The request has a line of its own: paths are long, and 80 columns are few.
    """
    width = max((len(one.id) for one in found), default=0)
    for one in found:
        say(f"{one.id:<{width}}  {coloured(_needs(one), 'green', sys.stdout)}")
        say(coloured(f"  {one.method} {one.path}", "dim", sys.stdout))


def _has(operation: Operation, words: Sequence[str]) -> bool:
    text = " ".join((operation.id, operation.path, *operation.scopes, operation.summary)).lower()
    return all(word.lower() in text for word in words)


def _needs(operation: Operation) -> str:
    if operation.scopes:
        return " ".join(operation.scopes)
    return "-" if operation.authenticated else "no token"


def _as_json(operation: Operation) -> dict[str, Any]:
    return {
        "id": operation.id,
        "method": operation.method,
        "path": operation.path,
        "scopes": list(operation.scopes),
        "authenticated": operation.authenticated,
        "summary": operation.summary,
    }
