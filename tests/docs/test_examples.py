"""
The programs of examples/ do what the pages say, against the sandbox.
"""

import asyncio
import importlib.util
import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from auth_ext import AccessToken, SignicatClient, TokenStore
from auth_ext.sandbox import Sandbox
from auth_ext.sandbox.examples import parameters
from generated_client.api.signature import list_document_summaries

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
DOCUMENT = str(parameters("get_document")["documentId"])
NOWHERE = "00000000-0000-4000-8000-000000000000"


def load(name: str) -> ModuleType:
    """
    The program, imported anew under its own name.
    """
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def close(module: ModuleType) -> None:
    """
    Close the client that the program made for its process.
    """
    module.signicat.get_httpx_client().close()
    del sys.modules[module.__name__]


# FastAPI


def visit(*steps: str | Callable[[], object]) -> list[tuple[int, Any]]:
    """
    What the application answers to each path; a step that is no path is done in between.
    """
    app = load("fastapi_app").app

    async def main() -> list[tuple[int, Any]]:
        answers = []
        async with app.router.lifespan_context(app) as state:

            async def served(scope: Any, receive: Any, send: Any) -> None:
                # What a server does: every request has what the lifespan gave.
                await app({**scope, "state": dict(state)}, receive, send)

            transport = httpx.ASGITransport(served)
            async with httpx.AsyncClient(transport=transport, base_url="http://site") as browser:
                for step in steps:
                    if isinstance(step, str):
                        answer = await browser.get(step)
                        answers.append((answer.status_code, answer.json()))
                    else:
                        step()
        return answers

    return asyncio.run(main())


def test_fastapi_lists_documents(sandbox: Sandbox) -> None:
    """
    Requests share one client, and so one token.
    """
    assert [(200, ["A contract"])] * 3 == visit("/documents", "/documents", "/documents")
    assert 1 == sandbox.requests.token


@pytest.mark.parametrize(("document", "status"), [(DOCUMENT, 200), (NOWHERE, 404), ("x", 422)])
def test_fastapi_tells_a_status(sandbox: Sandbox, document: str, status: int) -> None:
    """
    Of a document that is there; of one that is not it is 404, not a failure.
    """
    assert [status] == [code for code, _ in visit(f"/documents/{document}/status")]


def test_fastapi_keeps_trouble_of_the_service_apart(sandbox: Sandbox) -> None:
    """
    What the service has is a 502; no token to be had is a 503.
    """
    answers = visit(
        lambda: sandbox.misbehave("status", status=500, times=1),
        "/documents",
        sandbox.revoke,
        lambda: sandbox.misbehave("status", status=400, target="token"),
        "/documents",
    )

    assert [502, 503] == [code for code, _ in answers]


# Django


@pytest.fixture
def django_site(sandbox: Sandbox) -> Iterator[Any]:
    """
    Requests to the application.
    """
    module = load("django_app")
    import django
    from django.test import Client
    from django.urls import clear_url_caches, set_urlconf

    django.setup()
    clear_url_caches()
    set_urlconf(None)
    yield Client()
    close(module)


def test_django_lists_documents_from_many_threads(django_site: Any, sandbox: Sandbox) -> None:
    """
    Threads share one client; eight requests at once cost one token.
    """
    barrier = threading.Barrier(8, timeout=20)

    def ask(_: int) -> Any:
        barrier.wait()
        return json.loads(django_site.get("/documents").content)

    with ThreadPoolExecutor(8) as pool:
        assert [["A contract"]] * 8 == list(pool.map(ask, range(8)))
    assert 1 == sandbox.requests.token


@pytest.mark.parametrize(("document", "status"), [(DOCUMENT, 200), (NOWHERE, 404)])
def test_django_tells_a_status(django_site: Any, document: str, status: int) -> None:
    """
    Of a document that is there, and of one that is not.
    """
    assert status == django_site.get(f"/documents/{document}/status").status_code


# Celery


@pytest.fixture
def own_logging() -> Iterator[None]:
    """
    Celery's worker sets the root logger up for a process of its own; this one is not.
    """
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    root.setLevel(level)
    root.handlers[:] = handlers


@pytest.fixture
def celery_app(sandbox: Sandbox, own_logging: None) -> Iterator[ModuleType]:
    """
    The program.
    """
    module = load("celery_app")
    yield module
    close(module)


def test_celery_archives_a_file(celery_app: ModuleType, tmp_path: Path) -> None:
    """
    A worker takes the task from the queue and writes the file.
    """
    from celery.contrib.testing.worker import start_worker

    target = tmp_path / "contract.pdf"
    with start_worker(celery_app.app, perform_ping_check=False, shutdown_timeout=30):
        size = celery_app.archive.delay(DOCUMENT, str(target)).get(timeout=30)

    assert target.stat().st_size == size > 0


def test_celery_tries_again_when_the_service_is_busy(
    celery_app: ModuleType, sandbox: Sandbox, tmp_path: Path
) -> None:
    """
    A 429 puts the task off; then it succeeds.
    """
    sandbox.misbehave("status", status=429, retry_after=0, times=2)

    result = celery_app.archive.apply([DOCUMENT, str(tmp_path / "contract.pdf")])

    assert result.successful()
    assert 3 == sandbox.requests.by_operation["get_document_file"]


# A store of one's own


@pytest.fixture
def store(tmp_path: Path) -> TokenStore:
    """
    The example's store.
    """
    made: TokenStore = load("sqlite_store").SqliteTokenStore(str(tmp_path / "tokens.db"))
    return made


def token(value: str) -> AccessToken:
    """
    A token of that value.
    """
    scopes = frozenset({"event"})
    return AccessToken(
        value=value, scopes=scopes, requested_scopes=scopes, issued_at=1.0, expires_at=2.0
    )


def test_the_store_is_a_token_store(store: TokenStore) -> None:
    """
    It has what the Protocol asks for, and gives back what it was given.
    """
    assert isinstance(store, TokenStore)
    assert None is store.get("a")
    store.set("a", token("one"))
    store.set("a", token("two"))
    assert token("two") == store.get("a")


def test_the_store_deletes_only_that_token(store: TokenStore) -> None:
    """
    Compare and delete: a newer token stays.
    """
    store.set("a", token("new"))
    store.delete("a", token("old"))
    assert token("new") == store.get("a")
    store.delete("a", token("new"))
    assert None is store.get("a")


def test_the_store_holds_back_others(store: TokenStore) -> None:
    """
    Nobody else gets a lock that is held; tokens can be written meanwhile; other keys are free.
    """
    with store.lock("a", 0.1):
        store.set("a", token("one"))
        with pytest.raises(TimeoutError), store.lock("a", 0.05):
            pass
        with store.lock("b", 0.1):
            pass
    with store.lock("a", 0.1):
        pass


def test_the_store_shares_tokens(store: TokenStore, sandbox: Sandbox) -> None:
    """
    Two clients, one token request.
    """
    for _ in range(2):
        with SignicatClient(store=store) as client:
            list_document_summaries.sync(client=client)

    assert 1 == sandbox.requests.token
