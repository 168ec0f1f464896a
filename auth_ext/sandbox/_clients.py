"""Who may ask for tokens."""

import hmac
from collections.abc import Iterable

import attrs

METHODS = ("basic_decoded", "client_secret_post")


@attrs.frozen
class Client:
    """A client of the sandbox's token endpoint.

    Attributes:
        name: What tests and people call it.
        scopes: What it may ask for.
    """

    name: str
    id: str
    secret: str = attrs.field(repr=False)
    scopes: frozenset[str]

    def check_client_secret(self, secret: str) -> bool:
        """Whether that is its secret."""
        return hmac.compare_digest(self.secret.encode(), secret.encode())

    def check_endpoint_auth_method(self, method: str, _endpoint: str) -> bool:
        """Whether it may identify itself that way."""
        return method in METHODS

    def check_grant_type(self, grant_type: str) -> bool:
        """Whether it may use that grant."""
        return grant_type == "client_credentials"

    def get_allowed_scope(self, scope: str | None) -> str:
        """What it gets: what it asks for; all it has, when it asks for nothing."""
        return scope or " ".join(sorted(self.scopes))


def standard_clients(scopes: Iterable[str]) -> tuple[Client, ...]:
    """The clients of every sandbox. Their secrets are known to all, as they guard nothing.

    Args:
        scopes: All scopes of the document.
    """
    every = frozenset(scopes)
    reading = {scope for scope in every if scope.endswith("_read")} | {"document_file", "event"}
    return (
        Client("full", "sandbox-full", "no-secret-full", every),
        Client("read-only", "sandbox-read-only", "no-secret-read-only", frozenset(reading & every)),
        Client("useless", "sandbox-useless", "no-secret-useless", frozenset({"analytics"} & every)),
        Client("awkward", "sandbox:/+ %&=awkward", "no:/+ %&=secret", every),
    )
