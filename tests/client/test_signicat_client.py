"""
SignicatClient: settings, scopes per operation, errors, and what it shares with token requests.
"""

import asyncio
import copy
import pickle
import ssl
import uuid
import warnings
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from auth_ext import (
    AccessToken,
    ApiError,
    ConfigurationError,
    InsufficientScope,
    InvalidScope,
    MemoryTokenStore,
    RateLimited,
    SignicatClient,
    Unauthorized,
    __version__,
    apaginate,
    paginate,
    required_scopes,
)
from auth_ext.sandbox import Sandbox, examples
from generated_client import AuthenticatedClient
from generated_client.api.admin import list_accounts
from generated_client.api.identification import get_jwks, list_sessions
from generated_client.api.notification import list_events
from generated_client.api.signature import (
    cancel_document,
    create_document,
    get_document,
    get_document_file,
    list_document_summaries,
)
from generated_client.errors import MalformedResponse
from generated_client.models import GetDocumentFileFileFormat, SignatureDocumentCreateOptions
from generated_client.operations import OPERATIONS

NOBODY = uuid.UUID(int=0)


def created(client: SignicatClient, number: int = 1) -> uuid.UUID:
    """
    The id of a new document.
    """
    body = examples.body("create_document", everything=False)
    body["externalId"] = f"contract-{number}"
    options = SignatureDocumentCreateOptions.from_dict(body)
    document_id = create_document.sync(client=client, body=options).document_id
    assert isinstance(document_id, uuid.UUID)
    return document_id


class TestSettings:
    """
    Where settings come from, and what is wrong with them.
    """

    def test_is_an_authenticated_client(self, client: SignicatClient) -> None:
        """
        Every generated operation takes it.
        """
        assert isinstance(client, AuthenticatedClient)

    @pytest.mark.parametrize(
        ("missing", "named"),
        [
            (["SIGNICAT_CLIENT_ID"], "SIGNICAT_CLIENT_ID"),
            (["SIGNICAT_CLIENT_SECRET"], "SIGNICAT_CLIENT_SECRET"),
            (
                ["SIGNICAT_CLIENT_ID", "SIGNICAT_CLIENT_SECRET"],
                "SIGNICAT_CLIENT_ID and SIGNICAT_CLIENT_SECRET",
            ),
        ],
    )
    def test_missing_credentials_are_named(
        self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, missing: list[str], named: str
    ) -> None:
        """
        No credentials: the error names the variables to set.
        """
        for name in missing:
            monkeypatch.delenv(name)

        with pytest.raises(ConfigurationError, match=named):
            SignicatClient()

    @pytest.mark.parametrize(
        ("arguments", "text"),
        [
            ({"base_url": "http://api.example.com"}, "base_url must be https"),
            ({"base_url": "api.example.com"}, "base_url must be an absolute URL"),
            ({"token_url": "http://api.example.com/token"}, "token_url must be https"),
            ({"scopes": ""}, "scopes are empty"),
            ({"scopes": ["a b"]}, "is no scope"),
            ({"retries": -1}, "retries must be a whole number"),
            ({"retries": True}, "retries must be a whole number"),
            ({"httpx_args": {"auth": ("a", "b")}}, "httpx_args cannot have auth"),
            ({"httpx_args": {"verify": False}}, "verify is verify_ssl"),
            ({"httpx_args": {"proxies": {}}}, "httpx_args cannot have proxies: httpx.Client takes"),
            ({"store": "file"}, "store must be an object"),
            ({"timeout": -1}, "timeout must be a number of seconds"),
            ({"deadline": -1.0}, "deadline must be a number of seconds"),
        ],
    )
    def test_a_wrong_setting_is_named(
        self, sandbox: Sandbox, arguments: dict[str, Any], text: str
    ) -> None:
        """
        One clear line says which setting, before anything is sent.
        """
        with pytest.raises(ConfigurationError, match=text):
            SignicatClient(**arguments)

        assert 0 == sandbox.requests.token

    @pytest.mark.parametrize("variable", ["SIGNICAT_BASE_URL", "SIGNICAT_TOKEN_URL"])
    @pytest.mark.parametrize(
        ("value", "text"),
        [("http://api.example.com", "must be https"), ("api", "must be an absolute URL")],
    )
    def test_a_wrong_address_of_the_environment_is_named(
        self,
        sandbox: Sandbox,
        monkeypatch: pytest.MonkeyPatch,
        variable: str,
        value: str,
        text: str,
    ) -> None:
        """
        The text names the variable, for that is what the user has to mend.
        """
        monkeypatch.setenv(variable, value)

        with pytest.raises(ConfigurationError, match=f"^{variable} {text}"):
            SignicatClient()

    def test_the_deprecated_endpoint_warns_at_the_users_line(self, sandbox: Sandbox) -> None:
        """
        The warning names the new endpoint and points to the file that configures the old one.
        """
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            SignicatClient(token_url="https://api.idfy.io/oauth/connect/token")

        assert [DeprecationWarning] == [warning.category for warning in caught]
        assert __file__ == caught[0].filename
        assert "https://api.signicat.io/oauth/connect/token" in str(caught[0].message)

    def test_the_store_comes_from_the_environment(
        self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
    ) -> None:
        """
        SIGNICAT_TOKEN_STORE=file:PATH makes two clients share one token request.
        """
        monkeypatch.setenv("SIGNICAT_TOKEN_STORE", f"file:{tmp_path / 'tokens'}")
        for _ in range(2):
            with SignicatClient() as client:
                list_events.sync(client=client)

        assert 1 == sandbox.requests.token

    def test_user_agent_names_package_and_version(self, sandbox: Sandbox) -> None:
        """
        Support can see from the logs what called.
        """
        seen: list[httpx.Request] = []
        with SignicatClient(httpx_args={"event_hooks": {"request": [seen.append]}}) as client:
            list_events.sync(client=client)

        assert seen[0].headers["User-Agent"].startswith(f"signicat-express-client/{__version__} ")

    def test_users_headers_win(self, sandbox: Sandbox) -> None:
        """
        Headers given to the client go along, also over our own User-Agent.
        """
        seen: list[httpx.Request] = []
        hooks = {"request": [seen.append]}
        headers = {"User-Agent": "mine", "X-Trace": "7"}
        with SignicatClient(headers=headers, httpx_args={"event_hooks": hooks}) as client:
            list_events.sync(client=client)

        assert [("mine", "7")] == [
            (request.headers["User-Agent"], request.headers["X-Trace"]) for request in seen
        ]

    def test_repr_copy_and_pickle_show_no_secret(
        self, client: SignicatClient, sandbox: Sandbox
    ) -> None:
        """
        A copy shares the tokens; a pickle is refused, for it would hold the secret.
        """
        list_events.sync(client=client)
        with copy.copy(client.with_headers({"X-Trace": "1"})) as twin:
            list_events.sync(client=twin)

        assert 1 == sandbox.requests.token
        assert "secret" not in repr(client)
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(client)


class TestTokenRequestsShareSettings:
    """
    Proxy, TLS and transport of the user's client hold for token requests; hooks do not.
    """

    @staticmethod
    def _answering(seen: list[httpx.URL]) -> httpx.MockTransport:
        def answer(request: httpx.Request) -> httpx.Response:
            seen.append(request.url)
            if request.url.path.endswith("/token"):
                token = {"access_token": "t", "expires_in": 60, "token_type": "Bearer"}
                return httpx.Response(200, json=token)
            return httpx.Response(200, json=[])

        return httpx.MockTransport(answer)

    @pytest.mark.parametrize("retries", [0, 1])
    @pytest.mark.parametrize("place", ["transport", "mounts"])
    def test_transport_and_mounts(
        self, place: str, retries: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """
        A transport given for the API carries the token request too, and stays open after it.
        """
        seen: list[httpx.URL] = []
        transport = self._answering(seen)
        closed: list[bool] = []
        monkeypatch.setattr(transport, "close", lambda: closed.append(True))
        given = transport if place == "transport" else {"all://": transport, "ftp://": None}
        client = SignicatClient("id", "secret", httpx_args={place: given}, retries=retries)
        with client:
            list_events.sync(client=client)

            assert [] == closed
        assert ["/oauth/connect/token", "/notification/events"] == [url.path for url in seen]

    def test_an_async_transport_is_not_handed_to_the_fetching_thread(
        self, sandbox: Sandbox
    ) -> None:
        """
        The token comes over a plain connection when the user's transport is async only.
        """

        class AsyncOnly(httpx.AsyncBaseTransport):
            async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
                return httpx.Response(200, json=[])

        async def run() -> list[Any]:
            arguments = {"transport": AsyncOnly(), "mounts": {"http://x": AsyncOnly()}}
            async with SignicatClient(httpx_args=arguments) as client:
                return await list_events.asyncio(client=client)

        assert [] == asyncio.run(run())
        assert (1, 0) == (sandbox.requests.token, sandbox.requests.api)

    def test_event_hooks_never_see_the_token_request(self, sandbox: Sandbox) -> None:
        """
        A hook that logs requests cannot log the Basic header.
        """
        seen: list[str] = []
        hooks = {"request": [lambda request: seen.append(request.headers["Authorization"][:6])]}
        with SignicatClient(httpx_args={"event_hooks": hooks}) as client:
            list_events.sync(client=client)

        assert ["Bearer"] == seen

    def test_verify_holds_for_both(self, sandbox: Sandbox) -> None:
        """
        An SSL context given as verify_ssl is taken by both clients.
        """
        with SignicatClient(verify_ssl=ssl.create_default_context()) as client:
            assert [] == list_events.sync(client=client)


class TestScopes:
    """
    Which token an operation gets.
    """

    def test_each_operation_gets_just_what_it_needs(self, client: SignicatClient) -> None:
        """
        The token has the scopes of the document and no others.
        """
        response = list_events.sync_detailed(client=client)

        assert 200 == response.status_code
        assert frozenset({"event"}) == client.get_token("event").scopes

    def test_operations_with_the_same_scopes_share_a_token(
        self, client: SignicatClient, sandbox: Sandbox
    ) -> None:
        """
        One token request for reading documents, however they are read.
        """
        list_document_summaries.sync(client=client)
        get_document.sync_detailed(NOBODY, client=client)

        assert 1 == sandbox.requests.token

    def test_given_scopes_serve_all_operations(self, sandbox: Sandbox) -> None:
        """
        With scopes given there is one token for everything.
        """
        with SignicatClient(scopes="event document_read") as client:
            list_events.sync(client=client)
            list_document_summaries.sync(client=client)

        assert 1 == sandbox.requests.token

    def test_public_operations_go_without_a_token(
        self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """
        The key set needs no credentials to work, even with scopes given.
        """
        with SignicatClient(scopes="event") as client:
            get_jwks.sync(client=client)

        assert 0 == sandbox.requests.token

    def test_unnamed_scopes_come_from_the_environment(
        self, client: SignicatClient, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """
        Where the document names no scope, SIGNICAT_SCOPES does.
        """
        assert () == OPERATIONS["list_accounts"].scopes
        monkeypatch.setenv("SIGNICAT_SCOPES", "account_read dealer")
        list_accounts.sync(client=client)

        assert frozenset({"account_read", "dealer"}) == client.get_token().scopes
        assert 1 == sandbox.requests.token

    def test_unnamed_scopes_and_no_environment(self, client: SignicatClient) -> None:
        """
        The error names the operation and both ways to say which scopes.
        """
        with pytest.raises(ConfigurationError, match=r"list_accounts: set SIGNICAT_SCOPES or pass"):
            list_accounts.sync(client=client)

    def test_a_path_that_is_no_operation(self, client: SignicatClient) -> None:
        """
        A request made by hand to an unknown path needs scopes from somewhere, too.
        """
        with pytest.raises(ConfigurationError, match="GET /somewhere/else: set SIGNICAT_SCOPES"):
            client.get_httpx_client().get("/somewhere/else")

    def test_base_url_with_a_path(self) -> None:
        """
        Behind a gateway's prefix an operation is still recognised.
        """
        seen: list[str] = []

        def answer(request: httpx.Request) -> httpx.Response:
            seen.append(request.content.decode() or str(request.url))
            token = {"access_token": "t", "expires_in": 60, "token_type": "Bearer"}
            return httpx.Response(200, json=token if request.content else [])

        transport = {"transport": httpx.MockTransport(answer)}
        url = "https://gateway.example.com/signicat/"
        with SignicatClient("id", "secret", base_url=url, httpx_args=transport) as client:
            list_events.sync(client=client)

        assert [
            "grant_type=client_credentials&scope=event",
            "https://gateway.example.com/signicat/notification/events",
        ] == seen

    def test_tokens_by_hand(self, client: SignicatClient) -> None:
        """
        get_token and aget_token give the same cached token; without scopes they say so.
        """
        token = client.get_token("event")

        assert isinstance(token, AccessToken)
        assert token == asyncio.run(client.aget_token("event"))
        with pytest.raises(ConfigurationError, match="no scopes are given"):
            client.get_token()

    def test_required_scopes(self) -> None:
        """
        Modules and ids together.
        """
        assert frozenset({"document_write", "event"}) == required_scopes(
            create_document, "list_events"
        )


class TestErrors:
    """
    What operations raise, and what they hand back.
    """

    def test_not_found(self, client: SignicatClient) -> None:
        """
        A 4xx is an ApiError with the API's own words and the request id.
        """
        with pytest.raises(ApiError) as caught:
            get_document.sync(NOBODY, client=client)

        error = caught.value
        assert (404, "not_found", "get_document") == (
            error.status_code,
            error.code,
            error.operation,
        )
        assert error.request_id
        assert error.request_id in str(error)
        assert isinstance(error, httpx.HTTPStatusError)

    def test_detailed_never_raises_for_a_status(self, client: SignicatClient) -> None:
        """
        sync_detailed gives status, headers and content of a refusal.
        """
        response = get_document.sync_detailed(NOBODY, client=client)

        assert (404, "not_found") == (response.status_code, getattr(response.parsed, "code", None))

    def test_requests_by_hand_behave_as_in_httpx(self, client: SignicatClient) -> None:
        """
        get_httpx_client() hands a 404 back.
        """
        response = client.get_httpx_client().get(f"/signature/documents/{NOBODY}")

        assert 404 == response.status_code

    def test_insufficient_scope(self, sandbox: Sandbox) -> None:
        """
        403 tells the operation, what it needs and what the token has.
        """
        with SignicatClient(scopes="event") as client, pytest.raises(InsufficientScope) as caught:
            get_document.sync(NOBODY, client=client)

        error = caught.value
        assert {"document_read"} == error.needed == error.missing
        assert {"event"} == error.granted
        assert "get_document" in str(error)
        assert "Account > API Clients" in str(error)
        assert {403: 1} == sandbox.requests.by_status

    def test_invalid_scope(self, sandbox: Sandbox) -> None:
        """
        A scope that the API client lacks: asked and where to add it.
        """
        poor = sandbox.clients["read-only"]
        with SignicatClient(poor.id, poor.secret) as client, pytest.raises(InvalidScope) as caught:
            cancel_document.sync(NOBODY, client=client, reason="mistake")

        assert frozenset({"document_write"}) == caught.value.scopes
        assert "dashboard" in str(caught.value)

    def test_unauthorized(self, client: SignicatClient, sandbox: Sandbox) -> None:
        """
        An API that refuses a fresh token too: one renewal, then the error.
        """
        sandbox.misbehave("unauthorized")
        with pytest.raises(Unauthorized):
            list_events.sync(client=client)

        assert (2, {401: 2}) == (sandbox.requests.token, sandbox.requests.by_status)

    def test_unauthorized_without_a_token_of_ours(
        self, client: SignicatClient, sandbox: Sandbox
    ) -> None:
        """
        With the user's own Authorization header the error does not speak of our token.
        """
        mine = client.with_headers({"Authorization": "Bearer mine"})
        with mine, pytest.raises(Unauthorized, match="sent without a token of ours"):
            list_events.sync(client=mine)

        assert 0 == sandbox.requests.token

    def test_rate_limited(self, client: SignicatClient, sandbox: Sandbox) -> None:
        """
        429 tells how long to wait.
        """
        sandbox.misbehave("status", status=429, retry_after=7)
        with pytest.raises(RateLimited, match="Try again in 7 s") as caught:
            list_events.sync(client=client)

        assert 7.0 == caught.value.retry_after
        assert 1 == sandbox.requests.api

    def test_a_page_instead_of_json(self, client: SignicatClient, sandbox: Sandbox) -> None:
        """
        HTML with 200 is a typed error, HTML with 502 an ApiError without details.
        """
        sandbox.misbehave("html", status=200, times=1)
        with pytest.raises(MalformedResponse):
            list_events.sync(client=client)
        sandbox.misbehave("html", status=502, times=1)
        with pytest.raises(ApiError) as caught:
            list_events.sync(client=client)

        assert (502, None, None, ()) == (
            caught.value.status_code,
            caught.value.code,
            caught.value.message,
            caught.value.errors,
        )


class TestRevokedToken:
    """
    A token that ends before its time.
    """

    @pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "asyncio"])
    def test_it_is_replaced_unnoticed(self, sandbox: Sandbox, asynchronous: bool) -> None:
        """
        The operation succeeds with one token request more.
        """
        client = SignicatClient()
        client.get_token("event")
        sandbox.revoke()
        if asynchronous:
            events = asyncio.run(_in_context(client, list_events.asyncio))
        else:
            with client:
                events = list_events.sync(client=client)

        assert ([], 2) == (events, sandbox.requests.token)

    def test_downloads_survive_it(
        self, client: SignicatClient, sandbox: Sandbox, tmp_path: Any
    ) -> None:
        """
        A streamed download starts over with the new token.
        """
        document_id = created(client)
        client.get_token("document_file")
        sandbox.revoke()
        file = get_document_file.download(
            document_id,
            client=client,
            file_format=GetDocumentFileFileFormat.UNSIGNED,
            to=tmp_path / "it.pdf",
        )

        assert file.path is not None
        assert file.path.read_bytes().startswith(b"%PDF")


async def _in_context(client: SignicatClient, operation: Callable[..., Any]) -> Any:
    async with client:
        return await operation(client=client)


class TestPaging:
    """
    All items, by both conventions of the API.
    """

    def test_offset_and_links(self, client: SignicatClient, sandbox: Sandbox) -> None:
        """
        Five documents in pages of two: three calls, each document once.
        """
        made = {created(client, number) for number in range(5)}
        listed = [d.document_id for d in paginate(list_document_summaries, client=client, limit=2)]

        assert (5, made) == (len(listed), set(listed))
        assert 3 == sandbox.requests.by_operation["list_document_summaries"]

    def test_cursor_and_async(self, sandbox: Sandbox) -> None:
        """
        Identification sessions go by a cursor.
        """
        sandbox.seed("list_sessions")

        async def run() -> list[Any]:
            async with SignicatClient() as client:
                return [s async for s in apaginate(list_sessions, client=client, limit=1)]

        sessions = asyncio.run(run())

        assert len(sessions) == len({session.id for session in sessions}) > 0


class TestRetries:
    """
    Opt-in, by httpx-retries.
    """

    @pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "asyncio"])
    @pytest.mark.parametrize("status", [429, 503])
    def test_reading_is_tried_again(
        self, sandbox: Sandbox, status: int, asynchronous: bool
    ) -> None:
        """
        Two refusals, then the answer.
        """
        sandbox.misbehave("status", status=status, retry_after=0, times=2)
        client = SignicatClient(retries=2, store=MemoryTokenStore())
        if asynchronous:
            events = asyncio.run(_in_context(client, list_events.asyncio))
        else:
            with client:
                events = list_events.sync(client=client)

        assert [] == events
        assert {status: 2, 200: 1} == sandbox.requests.by_status

    def test_creating_is_not(self, sandbox: Sandbox) -> None:
        """
        POST is sent once, whatever happens.
        """
        sandbox.misbehave("status", status=503, retry_after=0)
        with SignicatClient(retries=3) as client, pytest.raises(ApiError):
            created(client)

        assert {503: 1} == sandbox.requests.by_status

    @pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "asyncio"])
    def test_a_body_that_cannot_be_sent_again_is_not(
        self, sandbox: Sandbox, asynchronous: bool
    ) -> None:
        """
        A PUT from a generator is sent once.
        """
        sandbox.misbehave("status", status=503, retry_after=0)
        client = SignicatClient(retries=3, scopes="event")

        async def parts() -> Any:
            yield b"{}"

        async def put() -> httpx.Response:
            async with client:
                return await client.get_async_httpx_client().put("/x", content=parts())

        if asynchronous:
            response = asyncio.run(put())
        else:
            with client:
                response = client.get_httpx_client().put("/x", content=iter([b"{}"]))

        assert 503 == response.status_code
        assert {503: 1} == sandbox.requests.by_status

    def test_a_proxy_of_the_environment_is_not_silently_ignored(
        self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """
        Retries need a transport of their own, which does not look there: say so.
        """
        monkeypatch.setenv("https_proxy", "http://proxy.example.com:3128")
        with pytest.raises(ConfigurationError, match="proxy of the environment"):
            SignicatClient(retries=1).get_httpx_client()

    def test_closing_closes(self, sandbox: Sandbox) -> None:
        """
        A client that was never used closes as well, sync and async.
        """
        with SignicatClient(retries=1):
            pass

        async def run() -> None:
            async with SignicatClient(retries=1):
                pass

        asyncio.run(run())

        assert 0 == sandbox.requests.api
