"""The token endpoint: RFC 6749 sections 2.3.1, 4.4, 5.1 and 5.2."""

import base64
from urllib.parse import quote_plus

import httpx
import pytest

from auth_ext.sandbox import Client, Sandbox
from tests.sandbox.conftest import token

GRANT = {"grant_type": "client_credentials"}


def basic(identifier: str, secret: str) -> dict[str, str]:
    """The header of HTTP Basic with both parts form-urlencoded."""
    pair = f"{quote_plus(identifier)}:{quote_plus(secret)}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


@pytest.mark.parametrize("name", ["full", "read-only", "useless", "awkward"])
@pytest.mark.parametrize("style", ["basic", "form"])
def test_every_client_gets_a_token_with_basic_and_with_form_credentials(
    sandbox: Sandbox, http: httpx.Client, name: str, style: str
) -> None:
    """Ids and secrets full of special characters work in both places."""
    client = sandbox.clients[name]
    form = {"client_id": client.id, "client_secret": client.secret}
    answer = http.post(
        sandbox.token_url,
        data=GRANT | (form if style == "form" else {}),
        headers=basic(client.id, client.secret) if style == "basic" else {},
    )

    assert 200 == answer.status_code


def test_an_answer_has_the_members_that_the_service_gives(
    sandbox: Sandbox, http: httpx.Client
) -> None:
    """Value, lifetime, type; no scope when all that was asked is granted; not to be cached."""
    answer = http.post(
        sandbox.token_url,
        data=GRANT | {"scope": "document_read event"},
        auth=(sandbox.client_id, sandbox.client_secret),
    )

    body = answer.json()
    assert {"access_token", "expires_in", "token_type"} == set(body)
    assert (3600, "Bearer") == (body["expires_in"], body["token_type"])
    assert "no-store" == answer.headers["Cache-Control"]


def test_without_a_scope_all_of_the_client_s_are_granted_and_named(
    sandbox: Sandbox, http: httpx.Client
) -> None:
    """RFC 6749 section 5.1: what differs from the request must be told."""
    client = sandbox.clients["useless"]
    answer = http.post(sandbox.token_url, data=GRANT, auth=(client.id, client.secret))

    assert "analytics" == answer.json()["scope"]


def test_a_withheld_scope_is_left_out_and_the_rest_is_named(
    sandbox: Sandbox, http: httpx.Client
) -> None:
    """A server may grant less than was asked."""
    sandbox.configure(withheld_scopes=["document_write"])
    answer = http.post(
        sandbox.token_url,
        data=GRANT | {"scope": "document_read document_write"},
        auth=(sandbox.client_id, sandbox.client_secret),
    )

    assert "document_read" == answer.json()["scope"]


@pytest.mark.parametrize(
    ("data", "status", "error"),
    [
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({}, 400, "unsupported_grant_type"),
        (GRANT | {"scope": "document_read nonsense"}, 400, "invalid_scope"),
        (GRANT | {"scope": "document_write"}, 400, "invalid_scope"),
    ],
)
def test_a_request_that_cannot_be_granted_is_refused(
    sandbox: Sandbox, http: httpx.Client, data: dict[str, str], status: int, error: str
) -> None:
    """Unknown grants, unknown scopes, scopes that the client lacks: RFC 6749 section 5.2."""
    client = sandbox.clients["read-only"]
    answer = http.post(sandbox.token_url, data=data, auth=(client.id, client.secret))

    assert (status, error) == (answer.status_code, answer.json()["error"])


@pytest.mark.parametrize(
    "headers",
    [
        basic("sandbox-full", "wrong"),
        basic("nobody", "no-secret-full"),
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic " + base64.b64encode(b"\xff\xfe:x").decode()},
        {"Authorization": "Digest x"},
    ],
)
def test_wrong_basic_credentials_are_401_with_a_challenge(
    sandbox: Sandbox, http: httpx.Client, headers: dict[str, str]
) -> None:
    """The answer does not tell whether the id or the secret is wrong."""
    answer = http.post(sandbox.token_url, data=GRANT, headers=headers)

    assert (401, "invalid_client") == (answer.status_code, answer.json()["error"])
    assert answer.headers["WWW-Authenticate"].startswith("Basic")
    assert "Client id or secret is wrong." == answer.json()["error_description"]


@pytest.mark.parametrize(
    "form", [{}, {"client_id": "sandbox-full", "client_secret": "wrong"}, {"client_id": "nobody"}]
)
def test_wrong_form_credentials_are_400(
    sandbox: Sandbox, http: httpx.Client, form: dict[str, str]
) -> None:
    """Without HTTP Basic there is nothing to challenge."""
    answer = http.post(sandbox.token_url, data=GRANT | form)

    assert (400, "invalid_client") == (answer.status_code, answer.json()["error"])


def test_credentials_in_the_query_are_not_taken(sandbox: Sandbox, http: httpx.Client) -> None:
    """RFC 6749 section 2.3.1: they must not stand in the URI."""
    query = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
    answer = http.post(sandbox.token_url, params=query, data=GRANT)

    assert (400, "invalid_client") == (answer.status_code, answer.json()["error"])


def test_a_client_without_scopes_is_refused(http: httpx.Client) -> None:
    """There is nothing that could be granted."""
    empty = Client("empty", "empty", "secret", frozenset())
    with Sandbox(clients=[empty]) as other:
        answer = http.post(other.token_url, data=GRANT, auth=("empty", "secret"))

    assert "invalid_scope" == answer.json()["error"]


def test_get_is_refused(sandbox: Sandbox, http: httpx.Client) -> None:
    """RFC 6749 section 3.2: a token request is a POST."""
    answer = http.get(sandbox.token_url)

    assert (405, "POST") == (answer.status_code, answer.headers["Allow"])


@pytest.mark.parametrize(("lifetime", "told"), [(60, "60"), (0.5, "0.5"), (0, "0"), (-5, "-5")])
def test_the_lifetime_can_be_set_even_to_nonsense(
    sandbox: Sandbox, http: httpx.Client, lifetime: float, told: str
) -> None:
    """What `expires_in` says is what was set, whole numbers as such."""
    sandbox.configure(token_lifetime=lifetime)
    answer = http.post(
        sandbox.token_url, data=GRANT, auth=(sandbox.client_id, sandbox.client_secret)
    )

    assert f'"expires_in": {told}' in answer.text


def test_every_token_is_a_new_one(sandbox: Sandbox, http: httpx.Client) -> None:
    """Two requests, two tokens: the sandbox does not cache for its clients."""
    assert token(sandbox, http) != token(sandbox, http)
