from types import ModuleType

import pytest
from vcr.cassette import Cassette  # type: ignore[import-untyped]

from auth_ext import apaginate, paginate
from auth_ext.sandbox import Sandbox
from generated_client.api.identification import create_session, list_sessions
from generated_client.api.signature import create_document, list_document_summaries
from generated_client.models import (
    IdentificationIdSessionCreateOptions,
    IdentificationIdSessionFlow,
    IdentificationRedirectSettings,
)
from tests.recorded.conftest import Caller
from tests.recorded.making import contract

IDS = ["recorded-page-1", "recorded-page-2", "recorded-page-3"]


async def _create(caller: Caller, listing: ModuleType, external_id: str) -> None:
    if listing is list_document_summaries:
        await caller.call(create_document, body=contract(external_id))
        return
    back = IdentificationRedirectSettings(
        success_url="https://example.com/success",
        abort_url="https://example.com/abort",
        error_url="https://example.com/error",
    )
    session = IdentificationIdSessionCreateOptions(
        IdentificationIdSessionFlow.REDIRECT,
        external_reference=external_id,
        redirect_settings=back,
    )
    await caller.call(create_session, body=session)


@pytest.mark.vcr
@pytest.mark.parametrize(
    ("listing", "name", "following"),
    [
        pytest.param(
            list_document_summaries,
            "external_id",
            "limit=2&offset=2",
            marks=pytest.mark.default_cassette("pages_by_offset"),
            id="offset",
        ),
        pytest.param(
            list_sessions,
            "external_reference",
            "cursor=Mg%3D%3D&limit=2",
            marks=pytest.mark.default_cassette("pages_by_cursor"),
            id="cursor",
        ),
    ],
)
def test_every_item_is_listed_page_by_page(
    caller: Caller,
    listing: ModuleType,
    name: str,
    following: str,
    sandbox: Sandbox | None,
    vcr: Cassette,
) -> None:
    """
    Three items in pages of two take two requests, the second for where the first ended.
    """

    async def story(caller: Caller) -> list[str]:
        for external_id in IDS:
            await _create(caller, listing, external_id)
        if caller.backend == "sync":
            found = paginate(listing, client=caller.client, limit=2)
            return [getattr(item, name) for item in found]
        items = apaginate(listing, client=caller.client, limit=2)
        return [getattr(item, name) async for item in items]

    found = caller.run(story)

    assert set(IDS) == set(found)
    assert len(IDS) == len(found)
    queries = [request.uri.partition("?")[2] for request in vcr.requests if request.method == "GET"]
    assert 2 == len(queries)
    assert set(following.split("&")) == set(queries[1].split("&"))
