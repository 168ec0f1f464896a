"""A running sandbox, and clients that talk to it over real HTTP."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from auth_ext.sandbox import Sandbox, examples
from auth_ext.sandbox._document import load_document


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A fresh sandbox, which must not have broken its own contract in the end."""
    with Sandbox() as running:
        yield running
        assert running.violations == ()


class Api:
    """A client with a token for everything."""

    def __init__(self, sandbox: Sandbox, http: httpx.Client) -> None:
        self.sandbox = sandbox
        self.http = http
        self.renew()

    def renew(self) -> None:
        """Fetch a token for everything, as after a move of the clock."""
        self.http.headers["Authorization"] = f"Bearer {token(self.sandbox, self.http)}"

    def call(self, operation: str, json: Any = None, **given: Any) -> httpx.Response:
        """Send an operation with just the given parameters and body."""
        found = load_document().operations[operation]
        path = found.path.format_map(given)
        query = {name: value for name, value in given.items() if f"{{{name}}}" not in found.path}
        return self.http.request(found.method, path, params=query, json=json)

    def ask(self, operation: str, json: Any = None, **given: Any) -> Any:
        """The same, for the JSON of an answer that must be a success."""
        response = self.call(operation, json, **given)
        assert response.is_success, response.text
        return response.json() if response.content else None

    def create(self, **changes: Any) -> Any:
        """A new document, made from the example."""
        return self.ask("create_document", document(**changes))


def token(sandbox: Sandbox, http: httpx.Client, scope: str | None = None) -> str:
    """A fresh token; for everything unless *scope* says otherwise."""
    data = {"grant_type": "client_credentials"} | ({"scope": scope} if scope else {})
    answer = http.post(
        sandbox.token_url, data=data, auth=(sandbox.client_id, sandbox.client_secret)
    )
    assert answer.status_code == 200, answer.text
    value: str = answer.json()["access_token"]
    return value


def document(**changes: Any) -> Any:
    """What creates a document: the bare example and what the test changes."""
    body = examples.body("create_document", everything=False)
    body["signers"] = [signer()]
    return body | changes


def signer(**changes: Any) -> Any:
    """A signer who is told nothing and redirected nowhere."""
    return {
        "externalSignerId": "signer-1",
        "redirectSettings": {"redirectMode": "donot_redirect"},
        "signatureType": {"mechanism": "pkisignature"},
    } | changes


@pytest.fixture
def http(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """A plain client without a token."""
    with httpx.Client(base_url=sandbox.url, trust_env=False, verify=False, timeout=10) as client:
        yield client


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[Api]:
    """A client with a token for everything."""
    with httpx.Client(base_url=sandbox.url, trust_env=False, verify=False, timeout=10) as client:
        made = Api(sandbox, client)
        sandbox.forget_requests()
        yield made
