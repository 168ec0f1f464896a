"""The token endpoint and the tokens: Authlib's OAuth 2.0 provider on the sandbox's store.

RFC 6749 section 4.4 (client credentials), RFC 6750 (bearer tokens).
"""

import base64
import binascii
import secrets
from typing import Any
from urllib.parse import unquote_plus

import attrs
from authlib.integrations.flask_oauth2 import AuthorizationServer, ResourceProtector
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidClientError, InvalidScopeError
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from authlib.oauth2.rfc6750 import (
    BearerTokenGenerator,
    BearerTokenValidator,
    InsufficientScopeError,
)
from flask import Flask, Request, Response

from auth_ext.sandbox._clients import Client
from auth_ext.sandbox._services import Services

BASIC = "basic_decoded"


@attrs.frozen(kw_only=True)
class Token:
    """A token as Authlib wants to see it."""

    value: str = attrs.field(repr=False)
    client: str
    scope: str
    over: bool
    revoked: bool

    def get_scope(self) -> str:
        """The granted scopes."""
        return self.scope

    def is_expired(self) -> bool:
        """Whether its time is over."""
        return self.over

    def is_revoked(self) -> bool:
        """Whether it was taken back."""
        return self.revoked


class Provider:
    """Grants tokens to the clients and recognises them again."""

    def __init__(self, app: Flask, services: Services, clients: dict[str, Client]) -> None:
        self._services = services
        self._clients = clients
        self._server = AuthorizationServer(app, self._clients.get, self._save)
        self._server.register_client_auth_method(BASIC, _authenticate_basic)
        self._server.register_grant(_Grant)
        self._server.register_token_generator("default", BearerTokenGenerator(_new_token))
        self._protector: Any = ResourceProtector()
        self._protector.register_token_validator(_Validator(services))

    def token_response(self) -> Response:
        """Answer the token request that Flask is handling."""
        answer: Any = self._server.create_token_response()
        return Response(answer.get_data(), answer.status_code, answer.headers)

    def check(self, scopes: tuple[str, ...]) -> Token:
        """The token of the request that Flask is handling, if it is good and allows *scopes*.

        Raises:
            OAuth2Error: It is not.
        """
        found: Token = self._protector.acquire_token([" ".join(scopes)] if scopes else None)
        return found

    def revoke(self, *, token: str | None = None, client: str | None = None) -> int:
        """Revoke one token, a client's, or all. Gives how many were still good."""
        with self._services.store.transaction() as db:
            return db.execute(
                "UPDATE token SET revoked = 1 WHERE NOT revoked AND expires > ? "
                "AND (? IS NULL OR value = ?) AND (? IS NULL OR client = ?)",
                (self._services.clock.now(), token, token, client, client),
            ).rowcount

    def _save(self, token: dict[str, Any], request: Any) -> None:
        """Keep the token and shape the answer as the service does.

        The service names the scopes only when they are others than those asked for, which
        RFC 6749 section 5.1 demands.
        """
        withheld = self._services.settings.withheld_scopes
        granted = [scope for scope in token.pop("scope").split() if scope not in withheld]
        asked = (request.payload.scope or "").split()
        lifetime = self._services.settings.token_lifetime
        token["expires_in"] = int(lifetime) if lifetime == int(lifetime) else lifetime
        if set(granted) != set(asked):
            token["scope"] = " ".join(granted)
        now = self._services.clock.now()
        with self._services.store.transaction() as db:
            db.execute(
                "INSERT INTO token VALUES (?, ?, ?, ?, ?, 0)",
                (
                    token["access_token"],
                    request.client.id,
                    " ".join(granted),
                    now,
                    now + lifetime,
                ),
            )


def challenge(error: OAuth2Error, scopes: tuple[str, ...], *, token_given: bool) -> str:
    """The WWW-Authenticate header (RFC 6750 section 3): no error code when there was no token."""
    if not token_given:
        return 'Bearer realm="sandbox"'
    parts = ['Bearer realm="sandbox"', f'error="{error.error}"']
    if isinstance(error, InsufficientScopeError):
        parts.append(f'scope="{" ".join(scopes)}"')
    return ", ".join(parts)


class _Grant(ClientCredentialsGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = (BASIC, "client_secret_post")
    request: Any

    def authenticate_token_endpoint_client(self) -> Any:
        """Tell the caller no more than the service does: the client or its secret is wrong."""
        try:
            return super().authenticate_token_endpoint_client()
        except InvalidClientError as error:
            basic = "Authorization" in self.request.headers
            raise InvalidClientError(
                description="Client id or secret is wrong.", status_code=401 if basic else 400
            ) from error

    def validate_requested_scope(self) -> None:
        """A scope that the client lacks is refused, not left out."""
        asked = set((self.request.payload.scope or "").split())
        if not asked <= self.client.scopes or not self.client.scopes:
            raise InvalidScopeError(
                description="The client has no such scope, or there is none of that name."
            )


class _Validator(BearerTokenValidator):
    def __init__(self, services: Services) -> None:
        super().__init__()
        self._services = services

    def authenticate_token(self, token_string: str) -> Token | None:
        """The token of that value."""
        with self._services.store.transaction() as db:
            row = db.execute("SELECT * FROM token WHERE value = ?", (token_string,)).fetchone()
        if row is None:
            return None
        return Token(
            value=row["value"],
            client=row["client"],
            scope=row["scope"],
            over=self._services.clock.now() >= row["expires"],
            revoked=bool(row["revoked"]),
        )


def _authenticate_basic(query_client: Any, request: Any) -> Client | None:
    """HTTP Basic with both parts form-urlencoded (RFC 6749 section 2.3.1).

    Authlib's own method decodes percent signs but leaves a plus sign as it is.
    """
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        identifier, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    client: Client | None = query_client(unquote_plus(identifier))
    return client if client and client.check_client_secret(unquote_plus(secret)) else None


def _new_token(**_about: Any) -> str:
    return secrets.token_urlsafe(32)


def bearer_given(request: Request) -> bool:
    """Whether the request carries a bearer token at all."""
    return request.headers.get("Authorization", "").lower().startswith("bearer ")
