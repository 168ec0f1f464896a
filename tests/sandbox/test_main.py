"""The command line: `python -m auth_ext.sandbox`."""

import builtins
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from typing import Any

import httpx
import pytest

from auth_ext.sandbox import Sandbox
from auth_ext.sandbox import __main__ as command


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_stopped(number: signal.Signals) -> None:
    """What it prints works as printed; a signal ends it with exit code 0 and no complaint."""
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "auth_ext.sandbox"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    printed = ""
    while "Stop with" not in printed:
        printed += process.stdout.readline()
    told = dict(re.findall(r"^export (\w+)=(\S+)$", printed, re.MULTILINE))
    answer = httpx.post(
        told["SIGNICAT_TOKEN_URL"],
        data={"grant_type": "client_credentials"},
        auth=(told["SIGNICAT_CLIENT_ID"], told["SIGNICAT_CLIENT_SECRET"]),
        trust_env=False,
    )
    process.send_signal(number)
    rest, complaints = process.communicate(timeout=20)

    assert 200 == answer.status_code
    assert ("Stopped.\n", "", 0) == (rest.lstrip("\n"), complaints, process.returncode)


def test_a_signal_ends_it_in_this_process(capsys: pytest.CaptureFixture[str]) -> None:
    """And the handlers of before are back."""
    before = signal.getsignal(signal.SIGTERM)
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM))
    timer.start()

    assert 0 == command.main(["--token-lifetime", "5"])
    timer.join()
    assert "curl -u sandbox-full:no-secret-full" in capsys.readouterr().out
    assert before is signal.getsignal(signal.SIGTERM)


def test_what_is_printed_survives_a_shell() -> None:
    """Ids and secrets are quoted."""
    with Sandbox() as sandbox:
        sandbox._clients = (sandbox.clients["awkward"],)
        printed = command.greeting(sandbox)

    assert "export SIGNICAT_CLIENT_ID='sandbox:/+ %&=awkward'" in printed
    assert "curl -u 'sandbox:/+ %&=awkward:no:/+ %&=secret'" in printed


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--host", "0.0.0.0"], "loopback only"),
        (["--host", "example.com"], "loopback only"),
        (["--database", "{tmp}/none/x.db"], "cannot be opened"),
        (["--document", "{tmp}/none.json"], "No such file"),
        (["--document", "{tmp}/text.json"], "is not JSON"),
        (["--document", "{tmp}/list.json"], "not an OpenAPI 3 document"),
        (["--document", "{tmp}/swagger.json"], "not an OpenAPI 3 document"),
        (["--document", "{tmp}/torn.json"], "not a sound OpenAPI document"),
        (["--port", "{taken}"], "in use"),
    ],
)
def test_a_mistake_gets_one_line_and_exit_code_2(
    tmp_path: Any, capsys: pytest.CaptureFixture[str], arguments: list[str], text: str
) -> None:
    """And no traceback."""
    (tmp_path / "text.json").write_text("<html>")
    (tmp_path / "list.json").write_text("[]")
    (tmp_path / "swagger.json").write_text('{"swagger": "2.0"}')
    (tmp_path / "torn.json").write_text('{"openapi": "3.1.0", "paths": {"/x": {"get": {}}}}')
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        given = [one.format(tmp=tmp_path, taken=port) for one in arguments]
        code = command.main(given)
    told = capsys.readouterr().err

    assert (2, 1) == (code, told.count("\n"))
    assert text in told


@pytest.mark.parametrize(
    "arguments",
    [["--port", "70000"], ["--port", "x"], ["--token-lifetime", "-1"], ["--token-lifetime", "x"]],
)
def test_an_argument_that_makes_no_sense_is_refused(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    """By the usage, with exit code 2."""
    with pytest.raises(SystemExit) as ended:
        command.main(arguments)

    assert 2 == ended.value.code
    assert f"argument {arguments[0]}: {arguments[1]} is no" in capsys.readouterr().err


def test_without_the_extra_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line with the command."""
    real = builtins.__import__

    def missing(name: str, *rest: Any, **more: Any) -> Any:
        if name == "auth_ext.sandbox._sandbox":
            raise ImportError(name="flask")
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", missing)

    assert 2 == command.main([])
    assert "flask is missing: pip install 'signicat-express-client[sandbox]'." in (
        capsys.readouterr().err
    )
