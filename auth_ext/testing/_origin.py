"""
Whose a request is: which service it went to, under which address, and what the cassette says.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

import attrs

from auth_ext._settings import BASE_URL, TOKEN_URL, is_loopback

OUR_HOSTS = ("signicat.io", "signicat.com", "idfy.io")
OUR_AGENT = "signicat-express-client/"


def _nowhere() -> Iterable[str]:
    return ()


@attrs.define(eq=False)
class Whose:
    """
    Tells requests to the service from others, and remembers under which addresses it was met.

    A cassette is written when its test is over and its environment variables are gone: what a
    request was sent to must be known from then.

    Args:
        more: Gives base URLs where the service is, besides those that are known: a sandbox.

        environment: Where SIGNICAT_BASE_URL and SIGNICAT_TOKEN_URL are looked up.
    """

    more: Callable[[], Iterable[str]] = _nowhere
    environment: Mapping[str, str] = attrs.field(factory=lambda: os.environ, repr=False)
    _met: dict[str, str] = attrs.field(factory=dict, init=False)

    @property
    def addresses(self) -> dict[str, str]:
        """
        Addresses that a cassette does not name, with the vendor's that stand in their place.
        """
        token_url = self.environment.get("SIGNICAT_TOKEN_URL", "")
        base_urls = [*self.more(), self.environment.get("SIGNICAT_BASE_URL", "")]
        named = {token_url: TOKEN_URL, **dict.fromkeys(base_urls, BASE_URL)}
        fitting = {url.rstrip("/"): put for url, put in named.items() if not _is_vendors(url)}
        return {**self._met, **{url: put for url, put in fitting.items() if url}}

    @property
    def met_a_sandbox(self) -> bool:
        """
        Whether a request went to this machine.
        """
        return any(map(is_local, self._met))

    def is_ours(self, request: Any) -> bool:
        """
        Whether it went to the service, or was sent by this package's client.
        """
        if _is_vendors(request.uri) or self.rewritten(request.uri) != request.uri:
            return True
        return (request.headers.get("user-agent") or "").startswith(OUR_AGENT)

    def rewritten(self, uri: str) -> str:
        """
        *uri* with the vendor's address in place of a sandbox's or a proxy's.
        """
        for address, put in self.addresses.items():
            if uri == address or uri.startswith((f"{address}/", f"{address}?")):
                self._met[address] = put
                return put + uri.removeprefix(address)
        return uri


def is_local(uri: str) -> bool:
    """
    Whether *uri* is on this machine.
    """
    return is_loopback(urlsplit(uri).hostname or "")


def _is_vendors(uri: str) -> bool:
    host = urlsplit(uri).hostname or ""
    return any(host == one or host.endswith(f".{one}") for one in OUR_HOSTS)
