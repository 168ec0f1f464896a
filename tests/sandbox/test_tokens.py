"""Tokens at the API: 401, 403, expiry, revocation (RFC 6750 section 3)."""

import httpx
import pytest

from auth_ext.sandbox import Sandbox
from tests.sandbox.conftest import Api, token

SUMMARIES = "/signature/documents/summary"


def bearer(value: str) -> dict[str, str]:
    """The header that carries a token."""
    return {"Authorization": f"Bearer {value}"}


def test_without_a_token_the_challenge_names_no_error(sandbox: Sandbox, http: httpx.Client) -> None:
    """401 with the vendor's body and headers."""
    answer = http.get(SUMMARIES)

    assert (401, "unauthorized") == (answer.status_code, answer.json()["code"])
    assert 'Bearer realm="sandbox"' == answer.headers["WWW-Authenticate"]
    assert answer.headers["Request-Id"] == answer.headers["RequestId"]
    assert "Test" == answer.headers["X-Idfy-Environment"]


def test_an_unknown_token_is_invalid(sandbox: Sandbox, http: httpx.Client) -> None:
    """401 with the error code that makes clients fetch another."""
    answer = http.get(SUMMARIES, headers=bearer("made-up"))

    assert 401 == answer.status_code
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize(("after", "status"), [(59, 200), (61, 401)])
def test_a_token_ends_with_its_lifetime(
    sandbox: Sandbox, http: httpx.Client, after: float, status: int
) -> None:
    """By the sandbox's clock, which the test moves."""
    sandbox.configure(token_lifetime=60)
    value = token(sandbox, http)
    sandbox.advance(after)

    assert status == http.get(SUMMARIES, headers=bearer(value)).status_code


def test_revoking_one_token_leaves_the_others(sandbox: Sandbox, http: httpx.Client) -> None:
    """Only the named one is refused."""
    first, second = token(sandbox, http), token(sandbox, http)

    assert 1 == sandbox.revoke(access_token=first)
    assert 401 == http.get(SUMMARIES, headers=bearer(first)).status_code
    assert 200 == http.get(SUMMARIES, headers=bearer(second)).status_code


def test_revoking_all_of_a_client_leaves_other_clients(
    sandbox: Sandbox, http: httpx.Client
) -> None:
    """Tokens belong to clients."""
    value = token(sandbox, http)

    assert 0 == sandbox.revoke(client_id="sandbox-awkward")
    assert 200 == http.get(SUMMARIES, headers=bearer(value)).status_code
    assert 1 == sandbox.revoke(client_id=sandbox.client_id)
    assert 401 == http.get(SUMMARIES, headers=bearer(value)).status_code


def test_revoking_all_counts_only_the_good_ones(sandbox: Sandbox, http: httpx.Client) -> None:
    """What was revoked before or is over does not count."""
    sandbox.configure(token_lifetime=10)
    token(sandbox, http)
    sandbox.advance(20)
    token(sandbox, http)

    assert [1, 0] == [sandbox.revoke(), sandbox.revoke()]


def test_a_token_that_lacks_the_scope_is_forbidden(sandbox: Sandbox, http: httpx.Client) -> None:
    """403 names the scope that the operation needs."""
    value = token(sandbox, http, "event")
    answer = http.get(SUMMARIES, headers=bearer(value))

    assert (403, "insufficient_scope") == (answer.status_code, answer.json()["code"])
    assert 'scope="document_read"' in answer.headers["WWW-Authenticate"]


def test_any_token_does_for_an_operation_without_scopes(
    sandbox: Sandbox, http: httpx.Client
) -> None:
    """Where the document names none, being somebody is enough."""
    value = token(sandbox, http, "event")
    path = "/signature/themes/list/themes"

    assert 200 == http.get(path, headers=bearer(value)).status_code
    assert 401 == http.get(path).status_code


def test_a_public_operation_needs_no_token(sandbox: Sandbox, http: httpx.Client) -> None:
    """The key set is for everybody."""
    assert 200 == http.get("/identification/v2/jwks").status_code


def test_the_log_names_the_client_and_holds_no_secret(sandbox: Sandbox, api: Api) -> None:
    """Who asked is seen, what proves it is not."""
    api.http.get(SUMMARIES)
    log = sandbox.requests.log

    assert [sandbox.client_id] == [request.client for request in log]
    assert api.http.headers["Authorization"].split()[1] not in repr(log)
