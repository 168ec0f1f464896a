"""
One process of many that share a store: told what to do on stdin, answers in JSON on stdout.

    calls STORE URL   every line "N" makes N requests; answers the statuses and events
    hold STORE KEY    takes the lock of KEY, says so, and holds it until it is killed or told
"""

import json
import sys
import time
from typing import Any

import httpx

from auth_ext import OAuth2ClientCredentials, TokenEvent, TokenStore
from auth_ext._environment import store_named
from tests.stores.helpers import SECRET, token


def say(what: Any) -> None:
    """
    Answer with *what*.
    """
    print(json.dumps(what), flush=True)  # noqa: T201


def calls(store: TokenStore, url: str) -> None:
    """
    Requests, as many as each line on stdin says.
    """
    events: list[TokenEvent] = []
    auth = OAuth2ClientCredentials(
        "client",
        SECRET,
        scopes="document_read",
        token_url=f"{url}/oauth/connect/token",
        origins=(url,),
        store=store,
        on_event=events.append,
    )
    with httpx.Client(auth=auth, base_url=url, trust_env=False) as client:
        client.get("/warm-up", auth=None)  # connected and imported, yet without a token
        say("ready")
        for line in sys.stdin:
            events.clear()
            statuses = [client.get("/documents").status_code for _ in range(int(line))]
            say({"statuses": statuses, "events": [event.kind for event in events]})


def hold(store: TokenStore, key: str) -> None:
    """
    The lock of *key* until a line comes.
    """
    say("ready")
    with store.lock(key, 10.0):
        store.set(key, token("of-the-holder", now=time.time()))
        say("held")
        sys.stdin.readline()
    say("released")


if __name__ == "__main__":
    act, name, argument = sys.argv[1:]
    {"calls": calls, "hold": hold}[act](store_named(name), argument)
