"""A stand-in for the Signicat Express API on this machine: a real HTTP server with real tokens.

request -> faults -> token -> contract -> handler -> contract -> faults -> answer

    from auth_ext.sandbox import Sandbox

    with Sandbox() as sandbox:
        print(sandbox.url, sandbox.token_url, sandbox.client_id)

Needs the extra `sandbox`. It guards nothing: it listens on loopback only, and its clients'
secrets are known to all. `auth_ext.sandbox.examples` makes valid requests from the document.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from auth_ext.sandbox._clients import Client
    from auth_ext.sandbox._faults import BadControl, Fault
    from auth_ext.sandbox._log import Request, Requests
    from auth_ext.sandbox._pdf import small_pdf
    from auth_ext.sandbox._sandbox import Sandbox
    from auth_ext.sandbox._signature import NotNow

__all__ = ["BadControl", "Client", "Fault", "NotNow", "Request", "Requests", "Sandbox", "small_pdf"]

# Imported when asked for: the examples, and the advice to install the extra, must work without
# what the server is built from.
_HOMES = {
    "BadControl": "_faults",
    "Client": "_clients",
    "Fault": "_faults",
    "NotNow": "_signature",
    "Request": "_log",
    "Requests": "_log",
    "Sandbox": "_sandbox",
    "small_pdf": "_pdf",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
