from urllib.parse import urlsplit

import pytest
from vcr.cassette import Cassette  # type: ignore[import-untyped]

from auth_ext import InsufficientScope, InvalidScope, SignicatClient
from auth_ext.sandbox import Sandbox
from auth_ext.testing._origin import Whose
from auth_ext.testing._scrub import Scrubber
from generated_client.api.signature import create_document, list_document_summaries
from tests.recorded.conftest import Caller
from tests.recorded.making import contract


def sent(vcr: Cassette) -> list[tuple[str, str, str, int]]:
    """
    Method, path, credentials as they are written down, and status of everything in the cassette.
    """
    requests, answers = Scrubber(Whose()).scrub(vcr.requests, vcr.responses)
    return [
        (
            request.method,
            urlsplit(request.uri).path,
            request.headers["authorization"],
            answer["status"]["code"],
        )
        for request, answer in zip(requests, answers, strict=True)
    ]


TOKEN = ("POST", "/oauth/connect/token", "Basic scrubbed")
LISTING = ("GET", "/signature/documents/summary")


@pytest.mark.vcr
@pytest.mark.default_cassette("token_reused")
def test_a_token_is_fetched_once_and_reused(caller: Caller, vcr: Cassette) -> None:
    """
    Two calls that need the same scopes cost one token request.
    """

    async def story(caller: Caller) -> list[int]:
        pages = [
            await caller.call(list_document_summaries, external_id="there-is-none", limit=1)
            for _ in range(2)
        ]
        return [page.size for page in pages]

    assert [0, 0] == caller.run(story)
    assert [(*TOKEN, 200), *[(*LISTING, "Bearer token-1", 200)] * 2] == sent(vcr)


@pytest.mark.vcr
@pytest.mark.default_cassette("token_renewed_after_401")
def test_a_revoked_token_is_renewed_and_the_request_sent_again(
    caller: Caller, sandbox: Sandbox | None, vcr: Cassette
) -> None:
    """
    A 401 costs one token request, and the caller sees none of it.
    """

    async def story(caller: Caller) -> list[int]:
        before = await caller.call(list_document_summaries)
        if sandbox is not None:
            assert 1 == sandbox.revoke()
        after = await caller.call(list_document_summaries)
        return [before.size, after.size]

    assert [0, 0] == caller.run(story)
    assert [
        (*TOKEN, 200),
        (*LISTING, "Bearer token-1", 200),
        (*LISTING, "Bearer token-1", 401),
        (*TOKEN, 200),
        (*LISTING, "Bearer token-2", 200),
    ] == sent(vcr)


@pytest.mark.vcr
@pytest.mark.default_cassette("forbidden")
@pytest.mark.parametrize("backend", ["sync", "asyncio", "trio"])
def test_a_403_names_the_scope_that_is_missing(
    backend: str, signicat_client: SignicatClient
) -> None:
    """
    A token for reading does not create; the error says what would.
    """

    async def story(caller: Caller) -> None:
        await caller.call(create_document, body=contract("never-created"))

    with (
        SignicatClient(scopes="document_read") as client,
        pytest.raises(InsufficientScope) as caught,
    ):
        Caller(backend, client).run(story)

    assert 403 == caught.value.status_code
    assert "document_write" in str(caught.value)


@pytest.mark.vcr
@pytest.mark.default_cassette("invalid_scope")
@pytest.mark.parametrize("backend", ["sync", "asyncio", "trio"])
def test_invalid_scope_is_told_once(
    backend: str, signicat_client: SignicatClient, vcr: Cassette
) -> None:
    """
    A scope that the API client lacks is refused; asking again at once sends nothing.
    """

    async def story(caller: Caller) -> list[str]:
        said = []
        for _ in range(2):
            with pytest.raises(InvalidScope) as caught:
                await caller.call(list_document_summaries)
            said.append(str(caught.value))
        return said

    with SignicatClient(scopes="there_is_no_such_scope") as client:
        said = Caller(backend, client).run(story)

    assert all("there_is_no_such_scope" in text for text in said)
    assert [(*TOKEN, 400)] == sent(vcr)
