"""
Opt-in retries: what is sent again, and what never is.
"""

from collections.abc import Callable

import anyio
import pytest

from auth_ext import ApiError, RateLimited, SignicatClient
from auth_ext.sandbox import Sandbox, examples
from generated_client import models
from generated_client.api.signature import cancel_document, create_document, get_document
from tests.faults.drive import client_of

CREATE = models.SignatureDocumentCreateOptions.from_dict(examples.body("create_document"))
DOCUMENT = examples.parameters("get_document")["documentId"]

Drive = Callable[[str, SignicatClient], object]


def _sync(name: str, client: SignicatClient) -> object:
    with client:
        if name == "create_document":
            return create_document.sync(client=client, body=CREATE)
        if name == "get_document":
            return get_document.sync(DOCUMENT, client=client)
        cancel_document.sync(DOCUMENT, client=client)
        return None


async def _async(name: str, client: SignicatClient) -> object:
    async with client:
        if name == "create_document":
            return await create_document.asyncio(client=client, body=CREATE)
        if name == "get_document":
            return await get_document.asyncio(DOCUMENT, client=client)
        await cancel_document.asyncio(DOCUMENT, client=client)
        return None


DRIVES: dict[str, Drive] = {
    "sync": _sync,
    "asyncio": lambda name, client: anyio.run(_async, name, client, backend="asyncio"),
    "trio": lambda name, client: anyio.run(_async, name, client, backend="trio"),
}


@pytest.fixture(params=sorted(DRIVES))
def drive(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Drive:
    """
    One way to call: from a thread, an asyncio task or a trio task.
    """
    # Pauses are drawn from nought to half a second and more; nought will do here.
    monkeypatch.setattr("httpx_retries.retry.random.uniform", lambda low, _: low)
    return DRIVES[str(request.param)]


@pytest.mark.parametrize(
    ("operation", "status", "retries", "seen"),
    [
        ("get_document", 429, 0, 1),
        ("get_document", 503, 0, 1),
        ("get_document", 429, 2, 3),
        ("get_document", 503, 2, 3),
        ("get_document", 500, 2, 1),  # nobody said that it would pass
        ("create_document", 429, 2, 1),
        ("create_document", 503, 2, 1),
        ("cancel_document", 503, 2, 1),
    ],
)
def test_only_idempotent_requests_are_sent_again(
    sandbox: Sandbox, drive: Drive, operation: str, status: int, retries: int, seen: int
) -> None:
    """
    429 and 503 are tried again if asked for; a POST that creates something never is.
    """
    sandbox.reset()
    sandbox.seed(operation)
    sandbox.misbehave("status", status=status, retry_after=0)

    with pytest.raises(RateLimited if status == 429 else ApiError) as caught:
        drive(operation, client_of(sandbox, retries=retries))

    assert status == caught.value.status_code
    assert (1, seen) == (sandbox.requests.token, sandbox.requests.api)


def test_a_retry_that_works_is_the_answer(sandbox: Sandbox, drive: Drive) -> None:
    """
    Two refusals and an answer: the caller sees the answer alone.
    """
    sandbox.reset()
    sandbox.seed("get_document")
    sandbox.misbehave("status", status=503, times=2)

    found = drive("get_document", client_of(sandbox, retries=2))

    assert isinstance(found, models.SignatureDocument)
    assert {503: 2, 200: 1} == dict(sandbox.requests.by_status)


def test_a_401_is_renewed_beneath_retries(sandbox: Sandbox, drive: Drive) -> None:
    """
    A refused token and a busy service in one call: each is dealt with once.
    """
    sandbox.reset()
    sandbox.seed("get_document")
    sandbox.misbehave("unauthorized", times=1)
    sandbox.misbehave("status", status=503, times=1)

    drive("get_document", client_of(sandbox, retries=2))

    assert {401: 1, 503: 1, 200: 1} == dict(sandbox.requests.by_status)
    assert 2 == sandbox.requests.token
