from importlib import import_module

import pytest

from auth_ext import ConfigurationError, required_scopes
from auth_ext._operations import Routes, lookup, routes
from generated_client.operations import OPERATIONS, Operation


def an_operation(operation_id: str, method: str, path: str) -> Operation:
    """
    A row of a table.
    """
    return Operation(operation_id, "t", operation_id, method, path, ("s",), True, "")


TABLE = Routes(
    [
        an_operation("get", "GET", "/documents/{id}"),
        an_operation("summary", "GET", "/documents/summary"),
        an_operation("mine", "GET", "/documents/~mine"),
        an_operation("delete", "DELETE", "/documents/{id}"),
        an_operation("file", "GET", "/documents/{id}/files/{name}"),
        an_operation("pdf", "GET", "/documents/{id}/files/{name}.pdf"),
        an_operation("odd", "GET", "/a.b/{id}"),
        an_operation("root", "GET", "/"),
    ]
)


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/documents/7", "get"),
        ("GET", "/documents/summary", "summary"),
        ("GET", "/documents/~mine", "mine"),
        ("GET", "/documents/summary2", "get"),
        ("DELETE", "/documents/summary", "delete"),
        ("GET", "/documents/a%2Fb", "get"),
        ("GET", "/documents/7/files/x", "file"),
        ("GET", "/a.b/1", "odd"),
        ("GET", "/aXb/1", None),
        ("GET", "/", "root"),
        ("GET", "", None),
        ("GET", "/documents/", None),
        ("GET", "/documents/7/", None),
        ("GET", "/documents/7/files/a/b", None),
        ("POST", "/documents/7", None),
        ("get", "/documents/7", None),
        ("GET", "/v2/documents/7", None),
    ],
)
def test_a_request_finds_its_operation(method: str, path: str, expected: str | None) -> None:
    """
    By method and path; what has fewer parameters goes first; no match is None.
    """
    found = TABLE.find(method, path)

    assert expected == (None if found is None else found.id)


def test_every_operation_of_the_document_is_found() -> None:
    """
    None hides behind another.
    """
    for operation in OPERATIONS.values():
        path = operation.path.replace("{", "x").replace("}", "x")
        assert operation == routes().find(operation.method, path)


def test_every_module_is_found() -> None:
    """
    By module and by id the same row is meant.
    """
    for operation in list(OPERATIONS.values())[::20]:
        module = import_module(f"generated_client.api.{operation.tag}.{operation.module}")
        assert operation == lookup(module) == lookup(operation.id)


def test_required_scopes_are_those_of_all_operations() -> None:
    """
    One set for a whole program.
    """
    some = [operation for operation in OPERATIONS.values() if operation.scopes][:5]

    assert frozenset().union(*(operation.scopes for operation in some)) == required_scopes(
        *(operation.id for operation in some)
    )
    assert frozenset() == required_scopes()


def test_an_unknown_operation_is_named_with_its_neighbours() -> None:
    """
    A typing mistake is met with what was probably meant.
    """
    known = next(iter(OPERATIONS))

    with pytest.raises(ConfigurationError, match=rf"did you mean .*\b{known}\b"):
        required_scopes(known[:-1])


def test_a_foreign_module_is_no_operation() -> None:
    """
    Modules are looked up by their full name.
    """
    with pytest.raises(ConfigurationError, match=r"^'json' is no operation of the document$"):
        required_scopes(import_module("json"))


@pytest.mark.parametrize("operation", [5, None, required_scopes])
def test_what_is_neither_module_nor_id_is_refused(operation: object) -> None:
    """
    A function of an operation module, handed over by mistake, gets one clear line.
    """
    with pytest.raises(ConfigurationError, match="is neither an operation module nor the id"):
        required_scopes(operation)  # type: ignore[arg-type]
