"""
Operations: what is sent, what comes back, what is raised.
"""

import copy
import datetime
import pickle
from typing import Any

import httpx
import pytest

from tests.generated.package import BASE, Package, html_answer, json_answer

BOTH = pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "asyncio"])


def test_parameters_are_written_as_the_document_says(own: Package) -> None:
    """
    Query, header and path; what is not given, or None, is left out.
    """
    own.call(
        "list_things",
        json_answer([]),
        kind=own.models.Kind.SMALL,
        since=datetime.datetime(2026, 11, 24, tzinfo=datetime.UTC),
        open_=True,
        ids=["a", "b"],
        x_trace="t",
    )
    request = own.requests[0]
    assert [
        ("kind", "small"),
        ("since", "2026-11-24T00:00:00+00:00"),
        ("open", "true"),
        ("ids", "a"),
        ("ids", "b"),
    ] == request.url.params.multi_items()
    assert ("t", "Bearer the-token") == (
        request.headers["X-Trace"],
        request.headers["Authorization"],
    )

    own.call("list_things", json_answer([]), kind=None)
    assert f"{BASE}/things" == str(own.requests[0].url)
    assert "X-Trace" not in own.requests[0].headers


def test_cookies_are_sent_without_a_warning(own: Package) -> None:
    """
    Httpx deprecates cookies per request; a header says the same.
    """
    own.call("get_mixed", json_answer({"id": "1"}), tint="blue")

    assert "tint=blue" == own.requests[0].headers["Cookie"]


@BOTH
def test_a_body_is_sent_as_json(own: Package, asynchronous: bool) -> None:
    """
    With its media type; 200 and 201 are the same success.
    """
    for status in (200, 201):
        thing = own.call(
            "create_thing",
            json_answer({"id": "1"}, status),
            body=own.models.Thing("1", size="S"),
            asynchronous=asynchronous,
        )
        request = own.requests[0]
        assert own.models.Thing("1", size=own.types.UNSET) == thing
        assert (b'{"id":"1","size":"S"}', "application/json") == (
            request.content,
            request.headers["Content-Type"],
        )


@BOTH
@pytest.mark.parametrize(
    ("status", "body", "model"),
    [(200, {"id": "1"}, "Thing"), (202, {"name": "x"}, "Owner"), (204, None, "NoneType")],
)
def test_each_success_has_its_own_type(
    own: Package, status: int, body: Any, model: str, asynchronous: bool
) -> None:
    """
    The status chooses it.
    """
    answer = httpx.Response(204) if body is None else json_answer(body, status)

    assert model == type(own.call("get_mixed", answer, asynchronous=asynchronous)).__name__


def test_a_success_that_the_document_does_not_name_is_one(own: Package) -> None:
    """
    A service that begins to answer 201 instead of 200 has not failed.
    """
    assert "1" == own.call("get_thing", json_answer({"id": "1"}, 203), "1").id


@BOTH
@pytest.mark.parametrize("status", [302, 400, 404, 418, 500, 520, 599])
def test_sync_raises_what_the_client_chooses(own: Package, status: int, asynchronous: bool) -> None:
    """
    For every answer that is not a success; the operation is named as in the document.
    """
    seen: list[tuple[int, str]] = []

    class Chosen(httpx.HTTPStatusError):
        pass

    class Client(own.module("client").AuthenticatedClient):  # type: ignore[misc]
        def status_error(
            self, response: httpx.Response, *, operation: str
        ) -> httpx.HTTPStatusError:
            seen.append((response.status_code, operation))
            return Chosen("no", request=response.request, response=response)

    transport = httpx.MockTransport(lambda _: httpx.Response(status, json={"message": "m"}))
    client = Client(BASE, "t", httpx_args={"transport": transport})
    operation = own.operation("create_thing")
    from tests.generated.package import run

    with pytest.raises(Chosen):
        run(
            operation.asyncio if asynchronous else operation.sync,
            client=client,
            body=own.models.Thing("1"),
        )

    assert [(status, "create/Thing")] == seen


@BOTH
@pytest.mark.parametrize(
    ("status", "message"), [(200, None), (400, "m"), (404, "m"), (418, None), (520, None)]
)
def test_detailed_raises_for_no_status(
    own: Package, status: int, message: str | None, asynchronous: bool
) -> None:
    """
    Status, headers and content are told, and the error model where the document has one.
    """
    detailed = own.call(
        "get_thing",
        json_answer({"id": "1", "message": "m"}, status, **{"Request-Id": "r"}),
        "1",
        detailed=True,
        asynchronous=asynchronous,
    )

    assert (status, "r") == (detailed.status_code, detailed.headers["request-id"])
    assert message == (detailed.parsed.message if message else None)
    assert b'"message"' in detailed.content
    assert f"status_code={status}" in repr(detailed)
    assert detailed == copy.copy(detailed)


def test_detailed_takes_an_error_that_is_no_json(own: Package) -> None:
    """
    A proxy's page is content without a model.
    """
    detailed = own.call("get_thing", html_answer(404), "1", detailed=True)

    assert (404, None) == (int(detailed.status_code), detailed.parsed)
    assert b"Oops" in detailed.content


def test_detailed_raises_for_unknown_statuses_when_asked(own: Package) -> None:
    """
    raise_on_unexpected_status means what it always meant.
    """
    options = {"raise_on_unexpected_status": True}

    with pytest.raises(own.errors.UnexpectedStatus):
        own.call(
            "get_thing", httpx.Response(418), "1", detailed=True, client=_with(own, options, 418)
        )
    assert (
        404
        == own.call(
            "get_thing",
            json_answer({}, 404),
            "1",
            detailed=True,
            client=_with(own, options, 404),
        ).status_code
    )


def _with(package: Package, options: dict[str, Any], status: int) -> dict[str, Any]:
    transport = httpx.MockTransport(lambda _: httpx.Response(status, json={}))
    return {**options, "httpx_args": {"transport": transport}}


@BOTH
@pytest.mark.parametrize("detailed", [False, True])
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no content"),
        (b"<html>", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'"text"', "should be an object"),
        (b"null", "should be an object"),
        (b"{}", "id is missing"),
    ],
    ids=["empty", "html", "bytes", "deep", "text", "null", "lacking"],
)
def test_a_malformed_success_is_told_with_all_that_helps(
    own: Package, content: bytes, reason: str, detailed: bool, asynchronous: bool
) -> None:
    """
    Operation, model, status, request id and the answer itself; also after a pickle.
    """
    answer = httpx.Response(200, content=content, headers={"RequestId": "r-2"})

    with pytest.raises(own.errors.MalformedResponse, match=reason) as caught:
        own.call("get_thing", answer, "1", detailed=detailed, asynchronous=asynchronous)

    assert isinstance(caught.value, httpx.HTTPError)
    assert isinstance(caught.value, ValueError)
    error: Any
    for error in (caught.value, pickle.loads(pickle.dumps(caught.value))):
        assert ("getThing", "Thing", 200, "r-2") == (
            error.operation,
            error.model,
            error.status_code,
            error.request_id,
        )
        assert content == error.response.content
        assert "getThing: the answer with status 200" in str(error)
        assert "request id r-2" in str(error)


def test_an_unexpected_status_survives_a_pickle(own: Package) -> None:
    """
    Workers hand errors to their parents that way.
    """
    with pytest.raises(own.errors.UnexpectedStatus) as caught:
        own.call("get_thing", html_answer(502), "1")

    error = pickle.loads(pickle.dumps(caught.value))

    assert (502, b"<h1>Oops</h1>", "r-1", "getThing") == (
        error.status_code,
        error.content,
        error.request_id,
        error.operation,
    )
    assert str(caught.value) == str(error)
    assert "Oops" not in str(error)


def test_docstrings_tell_what_an_editor_shows(own: Package) -> None:
    """
    Scopes, parameters, result and errors.
    """
    operation = own.operation("get_thing")
    for function in (operation.sync, operation.asyncio, operation.sync_detailed):
        text = function.__doc__
        assert "Needs the scope: thing_read." in text
        assert "thing_id (str): Which one is meant." in text
        assert "UnsafePathParameter" in text
    assert "Thing." in operation.sync.__doc__
    assert "HTTPStatusError" in operation.sync.__doc__
    assert "HTTPStatusError" not in operation.sync_detailed.__doc__
    assert "Needs no token." in own.operation("get_mixed").sync.__doc__
    assert "on_progress" in own.operation("get_file").download.__doc__


# --- the client ---


def test_a_client_does_not_show_its_token(own: Package) -> None:
    """
    Nor the headers that may hold another one.
    """
    client = own.module("client").AuthenticatedClient(BASE, "hush", headers={"X-Key": "hush"})

    assert f"AuthenticatedClient(base_url='{BASE}')" == repr(client)


def test_a_client_is_changed_by_copying(own: Package) -> None:
    """
    with_headers and its like leave the client, and connections that it has, as they were.
    """
    client = own.client(json_answer({"id": "1"}), headers={"A": "1"})
    before = dict(client.get_httpx_client().headers)

    other = client.with_headers({"B": "2"}).with_cookies({"c": "3"}).with_timeout(5.0)

    assert before == dict(client.get_httpx_client().headers)
    made = other.get_httpx_client()
    assert ("1", "2", "3") == (made.headers["A"], made.headers["B"], made.cookies["c"])
    assert httpx.Timeout(5.0) == made.timeout
    assert made is not client.get_httpx_client()


def test_prefix_and_header_of_the_token_can_be_chosen(own: Package) -> None:
    """
    As with the generator's own client.
    """
    client_class = own.module("client").AuthenticatedClient

    client = client_class(BASE, "t", prefix="", auth_header_name="X-Key")

    assert "t" == client.get_httpx_client().headers["X-Key"]


def test_a_client_of_ones_own_is_used(own: Package) -> None:
    """
    set_httpx_client, in both worlds.
    """
    client = own.module("client").Client(BASE)
    mine, mine_async = httpx.Client(), httpx.AsyncClient()

    assert client is client.set_httpx_client(mine).set_async_httpx_client(mine_async)
    assert (mine, mine_async) == (client.get_httpx_client(), client.get_async_httpx_client())


def test_a_context_closes_its_connections(own: Package) -> None:
    """
    Sync and async.
    """
    from tests.generated.package import run

    client = own.module("client").Client(BASE)

    async def use() -> bool:
        async with client as entered:
            assert entered is client
        return bool(client.get_async_httpx_client().is_closed)

    with client:
        pass

    assert (True, True) == (client.get_httpx_client().is_closed, run(use))


def test_threads_share_one_pool(own: Package) -> None:
    """
    The first use of a client by many threads makes one httpx client.
    """
    import threading

    client = own.module("client").Client(BASE)
    barrier = threading.Barrier(8)
    made: list[Any] = []

    def get() -> None:
        barrier.wait(10)
        made.append(client.get_httpx_client())

    threads = [threading.Thread(target=get) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert (8, 1) == (len(made), len({id(one) for one in made}))


def test_a_client_can_be_pickled(own: Package) -> None:
    """
    Without its connections.
    """
    client = own.module("client").AuthenticatedClient(BASE, "t")
    client.get_httpx_client()

    assert (
        "Bearer t" == pickle.loads(pickle.dumps(client)).get_httpx_client().headers["Authorization"]
    )


def test_the_package_loads_its_clients_when_asked(own: Package) -> None:
    """
    They are there for everybody, and a typo is an AttributeError.
    """
    package = own.module("client").__package__
    from importlib import import_module

    module: Any = import_module(package)
    assert module.Client is own.module("client").Client
    assert {"Client", "AuthenticatedClient"} <= set(dir(module))
    with pytest.raises(AttributeError, match="Cleint"):
        module.Cleint  # noqa: B018 - the access is the test
