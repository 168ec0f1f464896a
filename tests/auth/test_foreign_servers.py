"""
Against OAuth 2.0 servers that others wrote, an OpenID-certified one among them.

Ids and secrets are full of what RFC 6749 section 2.3.1 has encoded; a server that decodes them
refuses whoever sends them as they are.
"""

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote_plus

import httpx
import pytest

from auth_ext import InvalidClient, InvalidScope, OAuth2ClientCredentials, TokenError
from tests.auth.helpers import Drive

FOREIGN = Path(__file__).parent / "foreign"
CLIENT_ID = "id:/+ %&="
SECRET = "se:/+ %&=cret-" + "x" * 20
SETTINGS = json.dumps(
    {"client_id": CLIENT_ID, "client_secret": SECRET, "scopes": "event document_read"}
)


def missing(what: str) -> None:
    """
    Skip visibly; in CI, where it must be there, fail.
    """
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


@contextmanager
def running(*command: str) -> Iterator[str]:
    """
    A server in a process of its own, and the address that it prints.
    """
    with subprocess.Popen(
        [*command, SETTINGS], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


@pytest.fixture(scope="module")
def oidc_provider() -> Iterator[str]:
    """
    The token endpoint of oidc-provider, an OpenID-certified server for Node.js.
    """
    node = shutil.which("node")
    if node is None:
        missing("node is missing")
    if not (FOREIGN / "node_modules").is_dir():
        missing("oidc-provider is missing: run npm ci in tests/auth/foreign")
    with running(str(node), str(FOREIGN / "server.mjs")) as token_url:
        yield token_url


@pytest.fixture(scope="module")
def django() -> Iterator[str]:
    """
    The origin of a Django OAuth Toolkit.
    """
    if find_spec("oauth2_provider") is None:
        missing("django-oauth-toolkit is missing")
    with running(sys.executable, str(FOREIGN / "django_server.py")) as origin:
        yield origin


def an_auth(
    token_url: str,
    scopes: str = "event document_read",
    secret: str = SECRET,
    *,
    encode: bool = True,
) -> OAuth2ClientCredentials:
    """
    A flow for that server.
    """
    return OAuth2ClientCredentials(
        CLIENT_ID,
        secret,
        scopes=scopes,
        token_url=token_url,
        origins=str(httpx.URL(token_url).copy_with(path="/")),
        urlencode_credentials=encode,
    )


def test_oidc_provider_gives_a_token_that_it_knows(oidc_provider: str, drive: Drive) -> None:
    """
    Asked about it afterwards, the server says it is active and has the scopes.
    """
    token = drive.token(an_auth(oidc_provider))
    pair = f"{quote_plus(CLIENT_ID)}:{quote_plus(SECRET)}".encode()
    told = httpx.post(
        f"{oidc_provider}/introspection",
        data={"token": token.value},
        headers={"Authorization": f"Basic {base64.b64encode(pair).decode()}"},
    ).json()

    assert (True, CLIENT_ID) == (told["active"], told["client_id"])
    assert token.scopes == set(told["scope"].split()) == {"event", "document_read"}
    assert 600.0 == token.lifetime


def test_django_oauth_toolkit_gives_a_token_that_opens_its_api(django: str, drive: Drive) -> None:
    """
    Through a client, to a path that the server guards.
    """
    response = drive.send(
        None, httpx.Request("GET", f"{django}/api"), auth=an_auth(f"{django}/o/token/")
    )

    assert (200, {"ok": True}) == (response.status_code, response.json())


@pytest.fixture(params=["oidc_provider", "django"])
def token_url(request: pytest.FixtureRequest) -> str:
    """
    The token endpoint of each.
    """
    address: str = request.getfixturevalue(str(request.param))
    return address if request.param == "oidc_provider" else f"{address}/o/token/"


def test_a_wrong_secret_is_an_invalid_client(token_url: str) -> None:
    """
    As each server says it.
    """
    with pytest.raises(InvalidClient, match=r"refused with 401 invalid_client"):
        an_auth(token_url, secret="wrong").get_token()


def test_a_scope_that_the_client_lacks_is_an_invalid_scope(token_url: str) -> None:
    """
    As each server says it.
    """
    with pytest.raises(InvalidScope, match=r"refused with 40[01] invalid_scope"):
        an_auth(token_url, scopes="event restricted").get_token()


def test_a_scope_that_the_server_leaves_out_is_noticed(oidc_provider: str) -> None:
    """
    This one grants what it knows and says nothing about the rest.
    """
    token = an_auth(oidc_provider, scopes="event unheard_of").get_token()

    assert frozenset({"event"}) == token.scopes
    assert frozenset({"unheard_of"}) == token.missing_scopes


def test_without_the_encoding_they_refuse(token_url: str) -> None:
    """
    Both follow the RFC: what other libraries send is not accepted.
    """
    with pytest.raises(TokenError) as caught:
        an_auth(token_url, encode=False).get_token()

    assert caught.value.status_code in {400, 401}
