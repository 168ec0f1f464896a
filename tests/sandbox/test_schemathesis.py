"""Schemathesis asks the sandbox everything that the document allows, and much that it does not."""

import collections
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, settings

from auth_ext.sandbox import Sandbox
from auth_ext.sandbox._document import load_document
from tests.sandbox.conftest import token

schemathesis: Any = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
checks: Any = pytest.importorskip("schemathesis.specs.openapi.checks")

# Left out, for there are rules that no schema tells (a limit of 0, an unknown event type), and
# Schemathesis takes an empty text for a date-time. test_operations sends what must be accepted.
positive_data_acceptance = checks.positive_data_acceptance

# So many cases per operation: the large bodies alone would give hundreds each.
CASES = 40
sent: collections.Counter[str] = collections.Counter()

schema = schemathesis.openapi.from_dict(load_document().data)


@pytest.fixture(scope="module")
def running() -> Iterator[dict[str, Any]]:
    """A sandbox for all cases, and what is needed to call it."""
    with Sandbox(token_lifetime=3600) as sandbox, httpx.Client(trust_env=False) as http:
        headers = {"Authorization": f"Bearer {token(sandbox, http)}"}
        yield {"base_url": sandbox.url, "headers": headers}
        assert sandbox.violations == ()


@schema.parametrize()  # type: ignore[untyped-decorator] # schemathesis may not be installed
@settings(
    max_examples=3,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_the_sandbox_keeps_to_the_document(case: Any, running: dict[str, Any]) -> None:
    """Status, content type, schema and headers of every answer are those of the document."""
    sent[case.operation.label] += 1
    if sent[case.operation.label] <= CASES:
        case.call_and_validate(**running, excluded_checks=[positive_data_acceptance])
