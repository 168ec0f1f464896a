"""A stand-in for the Signicat Express API on this machine: a real HTTP server with real tokens.

request -> faults -> token -> contract -> handler -> contract -> answer

    from auth_ext.sandbox import Sandbox

    with Sandbox() as sandbox:
        print(sandbox.url, sandbox.token_url, sandbox.client_id)

Needs the extra `sandbox`. It guards nothing: it listens on loopback only, and its clients'
secrets are known to all.
"""

from auth_ext.sandbox._clients import Client
from auth_ext.sandbox._faults import BadControl, Fault
from auth_ext.sandbox._log import Request, Requests
from auth_ext.sandbox._sandbox import Sandbox
from auth_ext.sandbox._signature import NotNow

__all__ = ["BadControl", "Client", "Fault", "NotNow", "Request", "Requests", "Sandbox"]
