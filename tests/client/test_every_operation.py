"""
Each operation of the document, once, through SignicatClient, over HTTP.

The sandbox checks requests and answers with openapi-core; `violations` is where it would complain.
"""

import pytest

from auth_ext import SignicatClient
from auth_ext.sandbox import Sandbox
from generated_client.operations import OPERATIONS
from tests.client.calling import call


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "asyncio"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_operation_is_valid_by_the_document(
    operation: str, asynchronous: bool, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The request is valid, the answer is a success and parses, with the scopes of the table alone.
    """
    monkeypatch.setenv("SIGNICAT_SCOPES", "account_read")  # where the document names none
    sandbox.seed(operation)
    with SignicatClient() as client:
        call(client, operation, asynchronous=asynchronous)

    assert () == sandbox.violations
    assert {operation: 1} == sandbox.requests.by_operation
    assert set(sandbox.requests.by_status) <= {200, 201, 204}


def test_the_table_has_all_operations() -> None:
    """
    141 operations are called above.
    """
    assert 141 == len(OPERATIONS)
