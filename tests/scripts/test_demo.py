"""
The demo: its story, its exit codes, and what it leaves behind when it is stopped.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from auth_ext import SignicatClient
from auth_ext.sandbox import Sandbox
from generated_client.api.notification import list_events
from generated_client.api.signature import cancel_document, list_document_summaries
from generated_client.models import SignatureDocument
from generated_client.types import given
from scripts import demo


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """
    Plays the real service: SIGNICAT_* point at it.
    """
    with Sandbox() as sandbox:
        for name, value in sandbox.environment.items():
            monkeypatch.setenv(name, value)
        yield sandbox


def waiting(monkeypatch: pytest.MonkeyPatch, instead: Any) -> None:
    """
    Let *instead* happen while the demo waits for a person to sign.
    """
    monkeypatch.setattr(demo, "sleep", lambda seconds: instead())


def statuses(sandbox: Sandbox) -> list[str]:
    """
    Status of each document in the sandbox.
    """
    with SignicatClient() as client:
        page = list_document_summaries.sync(client=client)
    return [str(summary.status.document_status) for summary in page.data or [] if summary.status]


def test_the_local_story(capsys: pytest.CaptureFixture[str]) -> None:
    """
    All steps work; five token requests: one for each scope, and one after the revocation.
    """
    assert 0 == demo.main([])

    told = capsys.readouterr().out
    assert "status: signed" in told
    assert "document_created, document_signed, document_packaged" in told
    assert "All of it worked, with 5 token requests." in told


def test_live_asks_first(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    It says what it will create; whoever says no has created nothing.
    """
    monkeypatch.setattr("builtins.input", lambda prompt: "n")

    assert 1 == demo.main(["--live"])
    out, err = capsys.readouterr()
    assert "creates one document" in out
    assert "you said no; nothing was created" in err
    assert 0 == sandbox.requests.api


def test_live_waits_for_the_signer(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    With --yes it does not ask, shows the link, and goes on when the signer has signed.
    """
    looks = iter(["too early", "now"])

    def sign() -> None:
        if next(looks) == "too early":
            return
        with SignicatClient() as client:
            for summary in list_document_summaries.sync(client=client).data or []:
                sandbox.sign(str(summary.document_id))

    waiting(monkeypatch, sign)

    assert 0 == demo.main(["--live", "--yes"])
    told = capsys.readouterr().out
    assert f"to be signed at {sandbox.url}/" in told
    assert 1 == told.count("status: unsigned")
    assert ["signed"] == statuses(sandbox)


def test_ctrl_c_cancels_the_document(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Stopped while it waits: exit code 130, no traceback, and no document left to sign.
    """

    def interrupt() -> None:
        raise KeyboardInterrupt

    waiting(monkeypatch, interrupt)

    assert 130 == demo.main(["--live", "--yes"])
    assert "Stopped." in capsys.readouterr().err
    assert ["canceled"] == statuses(sandbox)


def test_nobody_signs(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Patience ends, the document is cancelled.
    """
    monkeypatch.setattr(demo, "LIVE_PATIENCE", -1.0)

    assert 1 == demo.main(["--live", "--yes"])
    assert "nobody signed within 15 minutes" in capsys.readouterr().err
    assert ["canceled"] == statuses(sandbox)


def test_a_document_that_ends_otherwise(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Cancelled by somebody else while the demo waits: it says so and fails.
    """

    def cancel() -> None:
        with SignicatClient() as client:
            for summary in list_document_summaries.sync(client=client).data or []:
                cancel_document.sync(given(summary.document_id), client=client)

    waiting(monkeypatch, cancel)

    assert 1 == demo.main(["--live", "--yes"])
    assert "the document is canceled" in capsys.readouterr().err


def test_no_credentials(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    --live without credentials: exit code 2 and the names of the variables.
    """
    monkeypatch.delenv("SIGNICAT_CLIENT_ID", raising=False)
    monkeypatch.delenv("SIGNICAT_CLIENT_SECRET", raising=False)

    assert 2 == demo.main(["--live"])
    assert "SIGNICAT_CLIENT_ID and SIGNICAT_CLIENT_SECRET" in capsys.readouterr().err


def test_a_service_that_fails(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    An error of the service ends the demo with its text and exit code 1.
    """
    sandbox.misbehave("status", status=500)

    assert 1 == demo.main(["--live", "--yes"])
    assert "It did not work: create_document" in capsys.readouterr().err


def test_a_broken_sandbox_is_noticed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Answers that break the document's rules fail the demo, though every step worked.
    """
    monkeypatch.setattr(Sandbox, "violations", ("GET /x: not in the document",))

    assert 1 == demo.main([])
    assert "GET /x: not in the document" in capsys.readouterr().err


def test_a_step_without_its_effect(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Events that are missing are noticed.
    """
    monkeypatch.setattr(list_events, "sync", lambda **_: [])

    assert 1 == demo.main([])
    assert "document_signed is not among the events: []" in capsys.readouterr().err


def test_the_contract_is_a_whole_document() -> None:
    """
    Two contracts never share an external id, by which the service recognises them.
    """
    first, second = demo.contract(), demo.contract()

    assert first.external_id != second.external_id
    assert not isinstance(first, SignatureDocument)
