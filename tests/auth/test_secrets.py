"""
One secret and one token planted everywhere, then searched for wherever they could show.
"""

import asyncio
import base64
import copy
import logging
import pickle
import ssl
import traceback
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus

import httpx
import pytest

from auth_ext import AuthError, MemoryTokenStore, OAuth2ClientCredentials
from auth_ext._flow import token_on
from tests.auth.helpers import CLIENT_ID, Hands
from tests.auth.server import Service, answer, cut, service, token

SECRET = "FAKE:secret/+ %&=\u00e5"
TOKEN = "FAKE.token.value-8d2f"
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def forms_of(secret: str) -> set[str]:
    """
    Every form in which it travels or is echoed.
    """
    encoded = quote_plus(secret)
    pairs = (f"{CLIENT_ID}:{encoded}", f"{CLIENT_ID}:{secret}")
    return {
        secret,
        encoded,
        quote(secret, safe=""),
        *(base64.b64encode(pair.encode()).decode() for pair in pairs),
    }


SECRETS = forms_of(SECRET)


def assert_clean(text: str, *, of: set[str] | None = None) -> None:
    """
    Nothing planted is in *text*.
    """
    for needle in SECRETS | {TOKEN} if of is None else of:
        assert needle not in text


@pytest.fixture
def api() -> Iterator[Service]:
    """
    A running server.
    """
    with service() as server:
        yield server


def an_auth(api: Service, **settings: Any) -> OAuth2ClientCredentials:
    """
    A flow with the planted secret.
    """
    return OAuth2ClientCredentials(
        CLIENT_ID,
        SECRET,
        scopes="event document_read",
        token_url=api.token_url,
        origins=api.url,
        clock=Hands().clock,
        httpx_args={"verify": NO_TLS},
        **settings,
    )


ECHO = b'{"error": "%s", "error_description": "got %s", "error_uri": "%s"}'


def echoing(form: str) -> bytes:
    """
    A refusal that quotes the secret.
    """
    raw = form.encode()
    return ECHO % (raw, raw, raw)


TROUBLES: dict[str, Callable[[Service], None]] = {
    "refused": lambda api: api.token_acts.append(answer(401, echoing(SECRET))),
    "refused, encoded": lambda api: api.token_acts.append(answer(400, echoing(quote_plus(SECRET)))),
    "unavailable": lambda api: api.token_acts.extend([answer(503, echoing(SECRET))] * 4),
    "cut": lambda api: api.token_acts.extend([cut] * 4),
    "unusable": lambda api: api.token_acts.append(
        answer(200, b'{"access_token": "' + TOKEN.encode() + b'", "token_type": "mac"}')
    ),
    "broken compression": lambda api: api.token_acts.append(
        answer(200, b"no gzip", Content_Encoding="gzip")
    ),
}


def ask(auth: OAuth2ClientCredentials, api: Service, how: str) -> httpx.Response:
    """
    The answer to one request.
    """
    if how == "sync":
        with httpx.Client(auth=auth, verify=NO_TLS) as client:
            return client.get(f"{api.url}/x")

    async def main() -> httpx.Response:
        async with httpx.AsyncClient(auth=auth, verify=NO_TLS) as client:
            return await client.get(f"{api.url}/x")

    return asyncio.run(main())


def everything_reachable(error: BaseException | None) -> Iterator[BaseException]:
    """
    An error with all causes and contexts.
    """
    while error is not None:
        yield error
        yield from everything_reachable(error.__cause__)
        error = error.__context__


@pytest.mark.parametrize("how", ["sync", "asyncio"])
@pytest.mark.parametrize("trouble", sorted(TROUBLES))
def test_no_error_holds_a_secret(
    api: Service, caplog: pytest.LogCaptureFixture, trouble: str, how: str
) -> None:
    """
    Texts, attributes, tracebacks, causes, requests, copies and pickles, and the log at DEBUG.
    """
    caplog.set_level(logging.DEBUG)
    TROUBLES[trouble](api)
    events: list[Any] = []

    with pytest.raises(AuthError) as caught:
        ask(an_auth(api, on_event=events.append), api, how)

    for error in everything_reachable(caught.value):
        assert_clean(f"{error} {error!r} {error.args} {vars(error)}")
        request = getattr(error, "_request", None)
        if request is not None:
            assert_clean(str(request.headers.raw) + str(request.content))
            assert "Authorization" not in request.headers
    assert_clean("".join(traceback.format_exception(caught.value)))
    assert_clean(str(pickle.dumps(caught.value)))
    assert_clean(repr(vars(copy.deepcopy(caught.value))))
    assert_clean(repr(events))
    assert_clean_log(caplog)


def assert_clean_log(caplog: pytest.LogCaptureFixture) -> None:
    """
    Messages and raw arguments of every logger, httpx and httpcore included.
    """
    assert caplog.records
    for record in caplog.records:
        assert_clean(f"{record.getMessage()} {record.msg} {record.args!r} {record.exc_text}")


@pytest.mark.parametrize("how", ["sync", "asyncio"])
def test_a_renewal_shows_nothing(api: Service, caplog: pytest.LogCaptureFixture, how: str) -> None:
    """
    Neither log nor history; a pickled response keeps the API request's own header and no more.
    """
    caplog.set_level(logging.DEBUG)
    api.revoked.add(TOKEN)
    api.token_acts.append(token(TOKEN, scope="event"))
    response = ask(an_auth(api), api, how)

    assert 200 == response.status_code
    assert_clean_log(caplog)
    assert [f"{api.url}/x"] == [str(earlier.url) for earlier in response.history]
    assert_clean(str(pickle.dumps(response)))
    assert b"token-2" in pickle.dumps(response.request)
    assert_clean(repr(response.request.extensions))


def test_no_repr_shows_anything(api: Service) -> None:
    """
    Of whatever a debugger prints.
    """
    api.token_acts.append(token(TOKEN))
    store = MemoryTokenStore()
    auth = an_auth(api, store=store)
    request = httpx.Request("GET", f"{api.url}/x")
    next(auth.sync_auth_flow(request))
    source = auth._source
    assert source is not None

    for thing in (
        auth,
        store,
        auth.get_token(),
        token_on(request),
        source,
        source.request,
        source.request.credentials,
        source.fetcher,
        source.flight_key,
        auth._desk._held,
        auth._desk,
        request,
        request.headers,
        request.extensions,
    ):
        assert_clean(repr(thing))
        assert_clean(str(thing))


def test_locals_in_a_traceback_show_nothing(api: Service) -> None:
    """
    Error trackers print the local variables of every frame.
    """
    api.token_acts.append(answer(401, echoing(SECRET)))

    with pytest.raises(AuthError) as caught:
        an_auth(api).get_token()
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    text = "".join(
        line
        for frame in shown.stack
        if "auth_ext" in frame.filename
        for line in (frame.locals or {}).values()
    )
    assert_clean(text)


def test_the_store_keeps_no_secret(api: Service) -> None:
    """
    The token is what it is for; the client secret is in neither key nor value.
    """
    store = MemoryTokenStore()
    an_auth(api, store=store).get_token()

    ((key, kept),) = store._tokens.items()
    assert_clean(key + str(kept.to_dict()), of=SECRETS)
