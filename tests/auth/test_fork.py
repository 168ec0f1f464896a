"""
What a child process can do after `os.fork`, whatever the parent was doing at that moment.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from auth_ext import TokenError, _refresh
from tests.auth.helpers import World, refusal

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")

ROOT = Path(__file__).parents[2]

# Each program forks at a bad moment; the child must get a token by a request of its own.
BEGINNING = """
import os, sys, threading
import httpx
from auth_ext import Clock, MemoryTokenStore, OAuth2ClientCredentials

gate, asked = threading.Event(), threading.Event()
PARENT = os.getpid()

def endpoint(request):
    asked.set()
    if os.getpid() == PARENT:
        gate.wait(20)
    return httpx.Response(200, json={"access_token": f"from-{os.getpid()}", "expires_in": 3600})

auth = OAuth2ClientCredentials(
    "id", "secret", scopes="event", httpx_args={"transport": httpx.MockTransport(endpoint)}
)

def expect(value):
    child = os.fork()
    if child == 0:
        got = auth.get_token().value
        os._exit(0 if got == value.format(child=os.getpid(), parent=PARENT) else 3)
    _, status = os.waitpid(child, 0)
    assert status == 0, status
"""

IN_FLIGHT = """
threading.Thread(target=auth.get_token, daemon=True).start()
assert asked.wait(20)
assert auth._desk._flights
expect("from-{child}")
gate.set()
assert auth.get_token().value == f"from-{PARENT}"
"""

UNDER_LOCK = """
with auth._desk._lock:
    import auth_ext._refresh as refresh
    with refresh._desks_lock:
        child = os.fork()
        if child == 0:
            assert auth.get_token().value == f"from-{os.getpid()}"
            refresh.desk_for(MemoryTokenStore())
            os._exit(0)
    _, status = os.waitpid(child, 0)
assert status == 0, status
gate.set()
"""

WITH_TOKEN = """
gate.set()
auth.get_token()
expect("from-{parent}")
"""


@pytest.mark.parametrize("moment", [IN_FLIGHT, UNDER_LOCK, WITH_TOKEN])
def test_a_forked_child_gets_its_token(moment: str) -> None:
    """
    While a flight is under way, while the locks are held, and with a token that it uses too.
    """
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", BEGINNING + moment],
        cwd=ROOT,
        timeout=60,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (0, "") == (done.returncode, done.stderr)


def test_what_a_fork_resets() -> None:
    """
    Locks, flights and remembered failures are gone, tokens stay.
    """
    world = World()
    auth = world.auth()
    auth.get_token()
    desk, lock, desks_lock = auth._desk, auth._desk._lock, _refresh._desks_lock
    world.issuer.lined_up.append(refusal("invalid_client"))
    with pytest.raises(TokenError):
        auth.get_token("other")
    assert desk._failures

    _refresh._after_fork_in_child()

    assert lock is not desk._lock
    assert desks_lock is not _refresh._desks_lock
    assert ({}, {}) == (desk._flights, desk._failures)
    assert "token-1" == auth.get_token().value


AT_EXIT = """
import atexit
import auth_ext

def late():
    gate.set()
    try:
        print(auth.get_token().value == f"from-{PARENT}")
    except auth_ext.AuthError as error:
        print(error.retryable)

atexit.register(late)
threading.Thread(target=auth.get_token, daemon=True).start()
assert asked.wait(20)
"""


def test_the_end_of_the_process_waits_for_no_token() -> None:
    """
    A flight keeps no process alive, and a request made while it ends gets a token or an error.
    """
    done = subprocess.run(
        [sys.executable, "-c", BEGINNING + AT_EXIT],
        cwd=ROOT,
        timeout=60,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (0, "True\n", "") == (done.returncode, done.stdout, done.stderr)
