"""
The errors that docs/errors.md explains, each brought about for real against the sandbox.
"""

import re
import textwrap
import uuid
import warnings
from collections.abc import Callable
from typing import Any

import attrs
import httpx

from auth_ext import (
    ApiError,
    ConfigurationError,
    InsufficientScope,
    InvalidClient,
    InvalidScope,
    InvalidTokenResponse,
    RateLimited,
    SignicatClient,
    TokenEndpointUnavailable,
    TokenError,
    Unauthorized,
)
from auth_ext.sandbox import Sandbox, examples
from generated_client.api.information import get_organization
from generated_client.api.notification import list_webhooks
from generated_client.api.signature import create_document, get_document, list_document_summaries
from generated_client.errors import MalformedResponse, UnsafePathParameter
from generated_client.models import SignatureDocumentCreateOptions

NO_HTTPS = "http://auth.example.com/connect/token"
OLD_ENDPOINT = "https://api.idfy.io/oauth/connect/token"
WIDTH = 80  # what a page shows without scrolling
OTHER_SECRET = "some-other-secret"  # noqa: S105 - nobody's
DOCUMENT = uuid.UUID("0c5e1f8a-3f0e-4c55-9f0b-2f6f0c6e7a11")


@attrs.frozen
class Scene:
    """
    A sandbox, and clients for it.
    """

    sandbox: Sandbox

    def client(self, name: str = "full", **settings: Any) -> SignicatClient:
        """
        A client of the sandbox, by the name of its API client.
        """
        found = self.sandbox.clients[name]
        given = {
            "client_id": found.id,
            "client_secret": found.secret,
            "base_url": self.sandbox.url,
            "token_url": self.sandbox.token_url,
            "scopes": "document_read",
        }
        return SignicatClient(**{**given, **settings})

    def read(self, **settings: Any) -> object:
        """
        Ask for a document.
        """
        with self.client(**settings) as client:
            return get_document.sync(DOCUMENT, client=client)


def _missing_credentials(scene: Scene) -> object:
    return scene.client(client_id="", client_secret="")


def _plain_http(scene: Scene) -> object:
    return scene.client(token_url=NO_HTTPS)


def _no_scopes(scene: Scene) -> object:
    return scene.client(scopes="")


def _deprecated_endpoint(scene: Scene) -> object:
    return scene.client(token_url=OLD_ENDPOINT)


def _invalid_client(scene: Scene) -> object:
    return scene.read(client_secret=OTHER_SECRET)


def _invalid_scope(scene: Scene) -> object:
    return scene.read(name="useless")


def _unavailable(scene: Scene) -> object:
    scene.sandbox.misbehave("status", target="token", status=503, retry_after=60)
    return scene.read(deadline=1)


def _no_token(scene: Scene) -> object:
    scene.sandbox.misbehave("html", target="token")
    return scene.read()


def _refused(scene: Scene) -> object:
    body = {"error": "unauthorized_client", "error_description": "Not by client credentials"}
    scene.sandbox.misbehave("answer", target="token", status=400, body=body)
    return scene.read()


def _unauthorized(scene: Scene) -> object:
    scene.sandbox.misbehave("unauthorized")
    return scene.read()


def _insufficient_scope(scene: Scene) -> object:
    with scene.client() as client:
        return list_webhooks.sync(client=client)


def _not_found(scene: Scene) -> object:
    return scene.read()


def _bad_fields(scene: Scene) -> object:
    example = examples.body("create_document")
    body = SignatureDocumentCreateOptions.from_dict({**example, "externalId": "ab"})
    with scene.client(scopes="document_write") as client:
        return create_document.sync(client=client, body=body)


def _rate_limited(scene: Scene) -> object:
    scene.sandbox.misbehave("status", status=429, retry_after=7)
    return scene.read()


def _malformed(scene: Scene) -> object:
    scene.sandbox.misbehave("garbage")
    with scene.client() as client:
        return list_document_summaries.sync(client=client)


def _unsafe_path(scene: Scene) -> object:
    with scene.client(scopes="info_legal_person_read") as client:
        return get_organization.sync("NO", "..", client=client)


def _cut(scene: Scene) -> object:
    scene.sandbox.misbehave("cut", after=0)
    return scene.read()


# By the name that docs/errors.md asks for: the class, and what brings it about.
TROUBLES: dict[str, tuple[type[BaseException], Callable[[Scene], object]]] = {
    "ConfigurationError credentials": (ConfigurationError, _missing_credentials),
    "ConfigurationError https": (ConfigurationError, _plain_http),
    "ConfigurationError scopes": (ConfigurationError, _no_scopes),
    "DeprecationWarning": (DeprecationWarning, _deprecated_endpoint),
    "InvalidClient": (InvalidClient, _invalid_client),
    "InvalidScope": (InvalidScope, _invalid_scope),
    "TokenEndpointUnavailable": (TokenEndpointUnavailable, _unavailable),
    "InvalidTokenResponse": (InvalidTokenResponse, _no_token),
    "TokenError": (TokenError, _refused),
    "Unauthorized": (Unauthorized, _unauthorized),
    "InsufficientScope": (InsufficientScope, _insufficient_scope),
    "RateLimited": (RateLimited, _rate_limited),
    "ApiError": (ApiError, _not_found),
    "ApiError fields": (ApiError, _bad_fields),
    "MalformedResponse": (MalformedResponse, _malformed),
    "UnsafePathParameter": (UnsafePathParameter, _unsafe_path),
    "TransportError": (httpx.TransportError, _cut),
}


def seen() -> dict[str, str]:
    """
    The text of every trouble, as it comes today; addresses and ids are the same every time.

    Raises:
        AssertionError: One of them did not come about, or as another class.
    """
    with Sandbox() as sandbox:
        return {name: _text(name, sandbox) for name in TROUBLES}


def _text(name: str, sandbox: Sandbox) -> str:
    kind, act = TROUBLES[name]
    sandbox.reset()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", DeprecationWarning)
            act(Scene(sandbox))
    except (httpx.HTTPError, ValueError, DeprecationWarning) as error:
        if not isinstance(error, kind):
            raise AssertionError(f"{name} came as {error!r}") from error
        return _settled(f"{type(error).__name__}: {error}", sandbox)
    raise AssertionError(f"{name} did not come about")


def _settled(text: str, sandbox: Sandbox) -> str:
    text = text.replace(sandbox.url, "http://127.0.0.1:50000")
    found = re.sub(r"(?<=request id )[0-9a-f-]{36}", "b7c1a2f0-3c56-4e0e-9a53-6f2f0d6c1b1e", text)
    return "\n".join(textwrap.wrap(found, WIDTH, break_long_words=False, break_on_hyphens=False))
