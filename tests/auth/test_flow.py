"""
The flow driven by hand: what it sends, what it does with each answer.
"""

import copy
import logging
import pickle
import threading
from typing import Any

import httpx
import pytest

from auth_ext import (
    AccessToken,
    AuthError,
    ConfigurationError,
    MemoryTokenStore,
    TokenError,
    TokenEvent,
)
from auth_ext._flow import MOST_SOURCES, token_key, token_on
from auth_ext._settings import Credentials
from auth_ext._token_request import TokenRequest
from tests.auth.helpers import (
    API,
    SECRET,
    TOKEN_URL,
    Drive,
    SyncDrive,
    World,
    refusal,
    reply,
    token_answer,
)


def get(path: str = "/x", **about: Any) -> httpx.Request:
    """
    A request to the API.
    """
    return httpx.Request("GET", f"{API}{path}", **about)


def test_a_request_gets_a_token(world: World, drive: Drive) -> None:
    """
    One token request, a Bearer header, and the answer as it is.
    """
    assert ["Bearer token-1"] == drive.converse(world.auth(), get(), reply(200))
    assert 1 == world.issuer.count
    assert ["token_fetched", "waited"] == world.kinds


@pytest.mark.parametrize("status_code", [200, 302, 400, 403, 404, 429, 500, 503])
def test_anything_but_401_is_handed_back(world: World, drive: Drive, status_code: int) -> None:
    """
    403 in particular is not retried: another token would have the same scopes.
    """
    headers = drive.converse(world.auth(), get(), reply(status_code), reply(200))

    assert (["Bearer token-1"], 1) == (headers, world.issuer.count)


def test_a_valid_token_costs_nothing(
    world: World, drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    While it is fresh: no token request, no lock, no event.
    """
    auth = world.auth()
    auth.get_token()
    world.events.clear()
    monkeypatch.setattr(auth._desk, "_lock", None)  # taking it would fail

    assert ["Bearer token-1"] == drive.converse(auth, get(), reply(200))
    assert "token-1" == drive.token(auth).value
    assert (1, []) == (world.issuer.count, world.kinds)


def test_a_401_renews_once_and_sends_once_more(world: World, drive: Drive) -> None:
    """
    The refused token goes, a new one comes, and a second 401 is the caller's.
    """
    auth = world.auth()
    headers = drive.converse(auth, get(), reply(401), reply(401), reply(200))

    assert ["Bearer token-1", "Bearer token-2"] == headers
    assert 2 == world.issuer.count
    assert "token-2" == auth.get_token().value
    renewals = [event for event in world.events if event.kind == "refreshed_on_401"]
    assert [("event",)] == [event.scopes for event in renewals]


def test_a_401_discards_only_the_token_that_was_used(world: World, drive: Drive) -> None:
    """
    Whoever comes late with an old token uses the newer one.
    """
    auth = world.auth()
    auth.get_token()

    def late(request: httpx.Request) -> httpx.Response:
        # Meanwhile somebody else has been refused, and has renewed.
        assert ["Bearer token-1", "Bearer token-2"] == SyncDrive().converse(
            auth, get(), reply(401), reply(200)
        )
        return httpx.Response(401, request=request)

    headers = drive.converse(auth, get(), late, reply(200))

    assert ["Bearer token-1", "Bearer token-2"] == headers
    assert 2 == world.issuer.count
    assert 2 == world.kinds.count("waited")  # for the first token and for the one renewal


def test_the_token_in_the_store_is_discarded_too(world: World, drive: Drive) -> None:
    """
    Compare and delete: nobody who shares the store takes up the refused token.
    """
    store = MemoryTokenStore()
    auth = world.auth(store=store)
    drive.converse(auth, get(), reply(401))

    key = auth._sources["event"].key
    kept = store.get(key)
    assert kept is not None
    assert "token-2" == kept.value


def test_a_401_is_read_before_anything_else(world: World, drive: Drive) -> None:
    """
    Unread it keeps its connection, which others may need while the token is renewed.
    """
    auth = world.auth()
    auth.get_token()
    answers: list[httpx.Response] = []
    closed: list[bool] = []

    def unread(request: httpx.Request) -> httpx.Response:
        answers.append(httpx.Response(401, request=request, stream=httpx.ByteStream(b"no")))
        return answers[-1]

    def look() -> httpx.Response:
        closed.append(answers[0].is_closed)
        return token_answer("newer")

    world.issuer.always = look

    assert ["Bearer token-1", "Bearer newer"] == drive.converse(auth, get(), unread, reply(200))
    assert [True] == closed


def test_a_renewal_that_fails_is_the_callers_error(world: World, drive: Drive) -> None:
    """
    The refused token is gone from memory and store.
    """
    store = MemoryTokenStore()
    auth = world.auth(store=store)
    auth.get_token()
    world.issuer.lined_up.append(refusal("invalid_client"))

    with pytest.raises(TokenError):
        drive.converse(auth, get(), reply(401), reply(200))
    assert None is store.get(auth._sources["event"].key)
    with pytest.raises(TokenError):
        drive.token(auth)


def test_an_api_that_always_says_401(world: World, drive: Drive) -> None:
    """
    A revoked token is renewed once, then at most every 5 s.
    """
    auth = world.auth()
    for _ in range(4):
        drive.converse(auth, get(), reply(401), reply(401))
    assert 2 == world.issuer.count

    world.hands.turn(4.9)
    assert ["Bearer token-2"] == drive.converse(auth, get(), reply(401), reply(401))
    assert 2 == world.issuer.count

    world.hands.turn(0.2)
    assert ["Bearer token-2", "Bearer token-3"] == drive.converse(
        auth, get(), reply(401), reply(401)
    )
    assert ["Bearer token-3"] == drive.converse(auth, get(), reply(401), reply(401))
    assert 3 == world.issuer.count


def test_the_floor_holds_for_tokens_that_are_not_kept(world: World, drive: Drive) -> None:
    """
    With a lifetime of zero each request fetches, but a 401 does not double that.
    """
    world.issuer.lifetime = 0
    auth = world.auth()

    assert ["Bearer token-1", "Bearer token-2"] == drive.converse(auth, get(), reply(401))
    assert ["Bearer token-3"] == drive.converse(auth, get(), reply(401))
    assert ["Bearer token-4"] == drive.converse(auth, get(), reply(401))


def test_the_floor_outlives_a_refresh(world: World, drive: Drive) -> None:
    """
    A token that took the place of a renewed one knows of the renewal.
    """
    world.issuer.lifetime = 2
    auth = world.auth()
    drive.converse(auth, get(), reply(401), reply(200))
    world.hands.turn(3.0)

    assert ["Bearer token-3"] == drive.converse(auth, get(), reply(401), reply(401))


def test_the_floor_survives_a_wall_clock_set_back(world: World, drive: Drive) -> None:
    """
    Renewals do not stop until the old time comes again.
    """
    auth = world.auth()
    drive.converse(auth, get(), reply(401), reply(200))
    world.hands.wall -= 86_400.0

    assert ["Bearer token-2", "Bearer token-3"] == drive.converse(
        auth, get(), reply(401), reply(200)
    )
    assert ["Bearer token-3"] == drive.converse(auth, get(), reply(401), reply(200))


def test_the_floor_is_shared_through_a_store(world: World, drive: Drive) -> None:
    """
    Another process that takes up the renewed token keeps to the same floor.
    """
    store = MemoryTokenStore()
    auth = world.auth(store=store)
    drive.converse(auth, get(), reply(401), reply(200))
    other = MemoryTokenStore()
    other._tokens.update(store._tokens)  # as a file would be read by another process

    assert ["Bearer token-2"] == drive.converse(world.auth(store=other), get(), reply(401))
    assert 2 == world.issuer.count


def test_an_explicit_authorization_wins(world: World, drive: Drive) -> None:
    """
    Sent as it is, and its 401 is not ours.
    """
    request = get(headers={"authorization": "Basic eDp5"})

    assert ["Basic eDp5"] == drive.converse(world.auth(), request, reply(401), reply(200))
    assert 0 == world.issuer.count


def test_other_origins_get_no_token(
    world: World, drive: Drive, caplog: pytest.LogCaptureFixture
) -> None:
    """
    Sent without, with one warning per origin.
    """
    auth = world.auth()
    for path in ("a", "b"):
        request = httpx.Request("GET", f"https://evil.example:444/{path}?secret=1")
        assert [None] == drive.converse(auth, request, reply(401))
    drive.converse(auth, httpx.Request("GET", "http://api.signicat.io/x"), reply(200))

    assert 0 == world.issuer.count
    assert [
        (
            "auth_ext",
            logging.WARNING,
            "https://evil.example:444 is not among the origins of this client:"
            " requests to it are sent without a token",
        ),
        (
            "auth_ext",
            logging.WARNING,
            "http://api.signicat.io is not among the origins of this client:"
            " requests to it are sent without a token",
        ),
    ] == caplog.record_tuples


def test_a_users_own_header_for_another_origin_is_no_reason_to_warn(
    world: World, drive: Drive, caplog: pytest.LogCaptureFixture
) -> None:
    """
    The user knows what goes there.
    """
    request = httpx.Request("GET", "https://other.example/", headers={"Authorization": "Own 1"})

    assert ["Own 1"] == drive.converse(world.auth(), request, reply(200))
    assert [] == caplog.records


def test_the_warnings_are_bounded(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """
    A crawler fills neither memory nor log.
    """
    auth = world.auth()
    for number in range(MOST_SOURCES + 10):
        request = httpx.Request("GET", f"https://h{number}.example/")
        assert "Authorization" not in next(auth.sync_auth_flow(request)).headers

    assert MOST_SOURCES == len(caplog.records)


def test_several_origins(world: World, drive: Drive) -> None:
    """
    All that are named get the token.
    """
    auth = world.auth(origins=["https://a.example", "https://b.example:8443"])

    for url in ("https://a.example/1", "https://b.example:8443/2"):
        assert ["Bearer token-1"] == drive.converse(auth, httpx.Request("GET", url), reply(200))


def test_a_request_sent_twice_gets_todays_token(world: World, drive: Drive) -> None:
    """
    Our own header of the first time is not taken for the user's.
    """
    auth = world.auth()
    request = get()
    drive.converse(auth, request, reply(200))
    world.hands.turn(4000.0)

    assert ["Bearer token-2"] == drive.converse(auth, request, reply(200))


def test_a_request_taken_to_another_origin_loses_its_token(world: World, drive: Drive) -> None:
    """
    Whoever changes the address of a sent request does not carry the token there.
    """
    auth = world.auth()
    request = get()
    drive.converse(auth, request, reply(200))
    request.url = httpx.URL("https://evil.example/")

    assert [None] == drive.converse(auth, request, reply(200))


def test_a_header_set_after_the_first_sending_wins(world: World, drive: Drive) -> None:
    """
    It is the user's then.
    """
    auth = world.auth()
    request = get()
    drive.converse(auth, request, reply(200))
    request.headers["Authorization"] = "Own 1"

    assert ["Own 1"] == drive.converse(auth, request, reply(200))


def test_a_401_for_another_header_is_not_ours(world: World, drive: Drive) -> None:
    """
    A hook may have put its own credentials on; renewing our token would not help.
    """

    def hooked(request: httpx.Request) -> httpx.Response:
        return httpx.Response(401, request=get(headers={"Authorization": "Own 1"}))

    assert ["Bearer token-1"] == drive.converse(world.auth(), get(), hooked, reply(200))
    assert 1 == world.issuer.count


def test_a_401_of_a_redirect_target_elsewhere_is_not_ours(
    world: World, drive: Drive, caplog: pytest.LogCaptureFixture
) -> None:
    """
    No renewal for another host's opinion; that the token stayed behind is said once.
    """

    def redirected(request: httpx.Request) -> httpx.Response:
        hop = httpx.Response(302, request=request)
        target = httpx.Request("GET", "https://evil.example/", headers={"Authorization": "x"})
        return httpx.Response(401, request=target, history=[hop])

    auth = world.auth()
    for _ in range(2):
        assert ["Bearer token-1"] == drive.converse(auth, get(), redirected, reply(200))
    assert 1 == world.issuer.count
    assert 1 == len([r for r in caplog.records if r.levelno == logging.WARNING])


@pytest.mark.parametrize(
    ("method", "sent", "again"),
    [
        ("GET", "GET", True),
        ("POST", "POST", True),
        ("POST", "GET", False),
        ("DELETE", "GET", False),
    ],
)
def test_what_was_done_before_a_redirect_is_not_done_again(
    world: World, drive: Drive, method: str, sent: str, again: bool
) -> None:
    """
    A POST answered 303 has been done; only the GET of its result was refused.
    """
    auth = world.auth()

    def redirected(request: httpx.Request) -> httpx.Response:
        hop = httpx.Response(303, request=request)
        header = {"Authorization": request.headers["Authorization"]}
        target = httpx.Request(sent, f"{API}/result", headers=header)
        return httpx.Response(401, request=target, history=[hop])

    headers = drive.converse(auth, httpx.Request(method, f"{API}/x"), redirected, reply(200))

    assert again is (len(headers) == 2)
    assert "token-2" == auth.get_token().value


def test_answers_made_by_hand_without_a_request_will_do(world: World, drive: Drive) -> None:
    """
    In somebody's tests, a response may not know its request.
    """

    def bare(request: httpx.Request) -> httpx.Response:
        return httpx.Response(401, history=[httpx.Response(302)])

    assert ["Bearer token-1", "Bearer token-2"] == drive.converse(
        world.auth(), get(), bare, reply(200)
    )


def one_shot() -> Any:
    """
    A body that can be sent once.
    """
    yield b"once"


def test_a_body_that_cannot_be_sent_again(world: World) -> None:
    """
    The token is renewed for the next request, and the 401 handed back.
    """
    auth = world.auth()
    request = httpx.Request("POST", f"{API}/x", content=one_shot())
    flow = auth.sync_auth_flow(request)
    next(flow)

    with pytest.raises(StopIteration):
        flow.send(httpx.Response(401, request=request))
    assert "token-2" == auth.get_token().value
    assert 2 == world.issuer.count


def test_a_body_that_cannot_be_sent_again_and_no_new_token(world: World, drive: Drive) -> None:
    """
    The 401 is the better answer then: nothing would have been resent anyway.
    """
    auth = world.auth()
    auth.get_token()
    world.issuer.always = lambda: refusal("invalid_client")
    request = httpx.Request("POST", f"{API}/x", content=iter([b"once"]))

    assert ["Bearer token-1"] == drive.converse(auth, request, reply(401), reply(200))


def test_scopes_by_request(world: World, drive: Drive) -> None:
    """
    Each set of scopes has a token of its own, whatever its order or type; None is no token.
    """
    scopes: dict[str, Any] = {
        "/a": "x y",
        "/b": ["y", "x"],
        "/c": frozenset({"x", "y"}),
        "/d": ("z",),
        "/e": None,
    }
    auth = world.auth(scopes=lambda request: scopes[request.url.path])

    given = [drive.converse(auth, get(path), reply(200))[0] for path in (*scopes, *scopes)]
    assert ["Bearer token-1"] * 3 + ["Bearer token-2", None] == given[:5]
    assert given[:5] == given[5:]
    assert 2 == world.issuer.count


def test_impossible_scopes_of_a_function_are_told(world: World, drive: Drive) -> None:
    """
    When the request is made, as a ConfigurationError.
    """
    for scopes in ("", ["a b"], (["nested"],)):
        with pytest.raises(ConfigurationError):
            drive.converse(world.auth(scopes=lambda request, s=scopes: s), get(), reply(200))


def test_ever_new_scopes_fill_no_memory(world: World) -> None:
    """
    The table of sources is bounded; beyond it they are made each time.
    """
    auth = world.auth(scopes=lambda request: request.url.path[1:])
    for number in range(MOST_SOURCES + 5):
        auth._source_for(f"s{number}")

    assert MOST_SOURCES == len(auth._sources)
    assert "token-1" == auth.get_token("s1004").value
    assert "token-1" == auth.get_token(["s1004"]).value


def test_get_token(world: World, drive: Drive) -> None:
    """
    For use outside of httpx; scopes are the instance's own unless others are asked for.
    """
    auth = world.auth()

    token = drive.token(auth)
    assert isinstance(token, AccessToken)
    assert ("token-1", frozenset({"event"})) == (token.value, token.scopes)
    assert "token-2" == drive.token(auth, "other").value
    assert "token-1" == drive.token(auth, ["event"]).value


def test_get_token_must_know_which_scopes(world: World, drive: Drive) -> None:
    """
    With scopes by request, there are none without a request.
    """
    with pytest.raises(ConfigurationError, match="say which ones you want a token for"):
        drive.token(world.auth(scopes=lambda request: "a"))


def test_a_narrower_grant_shows_on_the_token(world: World, drive: Drive) -> None:
    """
    Asked for two, got one.
    """
    world.issuer.lined_up.append(token_answer("t", scope="event"))
    token = drive.token(world.auth(scopes="event document_read"))

    assert (frozenset({"event"}), frozenset({"document_read"})) == (
        token.scopes,
        token.missing_scopes,
    )


def test_the_token_a_request_was_sent_with_is_known(world: World, drive: Drive) -> None:
    """
    For the diagnosis of a 403.
    """
    request = get()
    drive.converse(world.auth(), request, reply(200))
    token = token_on(request)

    assert token is not None
    assert "token-1" == token.value
    assert None is token_on(get())


@pytest.mark.parametrize("scopes", ["event", lambda request: "event"])
def test_repr_shows_who_and_where(world: World, scopes: Any) -> None:
    """
    And not the secret.
    """
    shown = repr(world.auth(scopes=scopes))

    kind = "event" if scopes == "event" else "per request"
    assert (
        f"OAuth2ClientCredentials(client_id='an-id', scopes={kind!r}, token_url={TOKEN_URL!r})"
    ) == shown


@pytest.mark.parametrize("act", [pickle.dumps, copy.deepcopy])
def test_an_instance_is_not_pickled(world: World, act: Any) -> None:
    """
    It would write the secret somewhere.
    """
    with pytest.raises(TypeError, match="holds a secret and is not pickled"):
        act(world.auth())


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"scopes": ("b", "a")}, True),
        ({"credentials": Credentials("id", "another secret")}, True),
        ({"scopes": ("a",)}, False),
        ({"scopes": ("a", "b", "c")}, False),
        ({"scopes": ("ab",)}, False),
        ({"credentials": Credentials("id2", SECRET)}, False),
        ({"token_url": httpx.URL("https://other.example/token")}, False),
    ],
)
def test_a_key_is_token_url_client_id_and_scope_set(change: dict[str, Any], same: bool) -> None:
    """
    Whatever their order; the secret has no part in it.
    """
    base: dict[str, Any] = {
        "token_url": httpx.URL(TOKEN_URL),
        "credentials": Credentials("id", SECRET),
        "scopes": ("a", "b"),
    }
    key = token_key(TokenRequest(**base))

    assert same is (key == token_key(TokenRequest(**{**base, **change})))
    assert key.isalnum()
    assert 40 == len(key)


def test_a_foreign_exception_in_the_transport_reaches_the_caller(
    world: World, drive: Drive
) -> None:
    """
    As an AuthError with the original as its cause; not remembered.
    """
    world.issuer.lined_up.append(LookupError(f"bug {SECRET}"))
    auth = world.auth()

    with pytest.raises(TokenError) as caught:
        drive.token(auth)
    assert "the token request could not be made (LookupError: bug [secret])" in str(caught.value)
    assert isinstance(caught.value.__cause__, LookupError)
    assert "token-2" == drive.token(auth).value


def test_events_of_a_cold_start(world: World, drive: Drive) -> None:
    """
    Fetched, with the time it took; waited, by whoever did.
    """

    def slow() -> httpx.Response:
        world.hands.turn(2.0)
        return token_answer("t")

    world.issuer.always = slow
    drive.token(world.auth())

    assert TokenEvent(kind="token_fetched", scopes=("event",), duration=2.0) == world.events[0]
    assert ["token_fetched", "waited"] == world.kinds


def test_events_of_a_refusal(world: World, drive: Drive) -> None:
    """
    Refused, with the error.
    """
    world.issuer.lined_up.append(refusal("invalid_scope"))

    with pytest.raises(AuthError):
        drive.token(world.auth())
    refused = next(event for event in world.events if event.kind == "token_refused")
    assert "invalid_scope" == getattr(refused.error, "error", None)


def test_the_fetching_thread_sees_the_callers_context(world: World) -> None:
    """
    So tracing knows whose request caused the token request; the thread is a daemon with a name.
    """
    import contextvars

    whose: contextvars.ContextVar[str] = contextvars.ContextVar("whose", default="nobody")
    seen: list[tuple[str, str, bool]] = []

    def look() -> httpx.Response:
        thread = threading.current_thread()
        seen.append((whose.get(), thread.name, thread.daemon))
        return token_answer()

    world.issuer.always = look
    whose.set("mine")
    world.auth().get_token()

    assert [("mine", "auth_ext-token", True)] == seen


def test_an_interrupt_while_the_thread_starts(
    world: World, drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Ctrl-C is the caller's; nobody is left to wait for a flight that is not under way.
    """
    auth = world.auth()

    def interrupted(self: threading.Thread) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("auth_ext._refresh.threading.Thread.start", interrupted)
        with pytest.raises(KeyboardInterrupt):
            auth.get_token()
    assert {} == auth._desk._flights
    assert "token-1" == drive.token(auth).value


def test_a_hook_that_asks_for_the_token_it_is_told_of(world: World) -> None:
    """
    It would wait for itself: it is told so at once, and the token comes all the same.
    """
    told: list[BaseException] = []

    def hook(event: TokenEvent) -> None:
        try:
            if event.kind == "token_fetched":
                auth.get_token()
        except ConfigurationError as error:
            told.append(error)

    auth = world.auth(on_event=hook)

    assert "token-1" == auth.get_token().value
    assert ["asks for the token that it is called to help fetching"] == [
        str(error).partition("on_event hook ")[2].partition(":")[0] for error in told
    ]


def test_ever_new_keys_fill_no_memory(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The keys known longest are forgotten; their tokens are still in the store.
    """
    monkeypatch.setattr("auth_ext._refresh.MOST_KEYS", 3)
    monkeypatch.setattr("auth_ext.stores._memory.MOST_TOKENS", 4)
    store = MemoryTokenStore()
    auth = world.auth(store=store)
    for number in range(6):
        auth.get_token(f"s{number}")

    assert 3 == len(auth._desk._held)
    assert "MemoryTokenStore(4 tokens)" == repr(store)
    assert "token-3" == auth.get_token("s2").value
    assert 6 == world.issuer.count
    assert "token-7" == auth.get_token("s0").value


def test_no_thread_can_be_started(
    world: World, drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    An AuthError that can be retried, and the next caller tries again.
    """
    auth = world.auth()

    def fails(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr("auth_ext._refresh.threading.Thread.start", fails)
        with pytest.raises(TokenError, match="no thread to fetch a token in: can't") as caught:
            drive.token(auth)
    assert caught.value.retryable
    assert "token-1" == drive.token(auth).value
