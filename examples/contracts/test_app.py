"""
The application's own tests: none needs an account.
"""

from pathlib import Path

import app
import pytest

from auth_ext import RateLimited, SignicatClient
from auth_ext.sandbox import Sandbox, small_pdf
from generated_client.api.signature import list_document_summaries
from generated_client.types import given


def test_a_contract_is_signed_and_fetched(
    signicat_sandbox: Sandbox, signicat_client: SignicatClient, tmp_path: Path
) -> None:
    """
    The whole application, which makes a client of its own, against the sandbox.
    """

    def sign(_seconds: float) -> None:
        page = list_document_summaries.sync(client=signicat_client)
        signicat_sandbox.sign(str(given(page.data)[0].document_id))

    (tmp_path / "contract.pdf").write_bytes(small_pdf("A contract"))

    app.main(str(tmp_path / "contract.pdf"), "someone@example.com", pause=sign)

    assert (tmp_path / "contract.signed.pdf").read_bytes().startswith(b"%PDF")


def test_trouble_is_not_swallowed(
    signicat_client: SignicatClient, signicat_sandbox: Sandbox
) -> None:
    """
    What the service answers on a bad day reaches the caller.
    """
    signicat_sandbox.misbehave("status", status=429, retry_after=7)

    with pytest.raises(RateLimited) as caught:
        app.send(signicat_client, small_pdf("A contract"), "someone@example.com", "bad-day")

    assert caught.value.retry_after == 7


@pytest.mark.vcr
def test_a_contract_is_sent(signicat_client: SignicatClient) -> None:
    """
    Replayed from cassettes/test_app/; recorded by `pytest --record-mode=rewrite`.
    """
    assert app.send(signicat_client, small_pdf("A contract"), "person1@example.com", "recorded")
