"""
Every fault that the sandbox knows, and what a call must come to when it meets it.

A row is one fault. Each is tried with a cold and a cached token, with four kinds of body, sync
and async; the outcome of a cell is what the caller gets, and how many requests the token endpoint
and the API saw. `python -m tests.faults.table` prints all of it.
"""

from collections.abc import Mapping
from typing import Any, Literal

import attrs

from auth_ext.sandbox import Sandbox

Token = Literal["cold", "cached"]
Body = Literal["json", "file", "pipe", "download"]
Place = Literal["token endpoint", "API"]

TOKENS: tuple[Token, ...] = ("cold", "cached")

# json: a document created from a small body. file: an upload streamed from a file that can be
# rewound. pipe: one that cannot, so it cannot be sent twice. download: an answer streamed to disk.
BODIES: tuple[Body, ...] = ("json", "file", "pipe", "download")
BODY_IN_WORDS: Mapping[Body, str] = {
    "json": "small JSON",
    "file": "upload from a file",
    "pipe": "upload from a pipe",
    "download": "download",
}

PAUSE = 10.0  # seconds by which a slow answer is late; nobody waits for it
IMPATIENCE = 0.05  # the caller's read timeout where answers are slow


@attrs.frozen
class Want:
    """
    What a cell comes to.

    Attributes:
        end: "done", or the name of the error that is raised.

        token: Requests that the token endpoint saw.

        api: Requests that the API saw.

        attributes: Of the error.
    """

    end: str
    token: int
    api: int
    attributes: Mapping[str, object] = attrs.field(factory=dict)

    def __str__(self) -> str:
        told = ", ".join(f"{name}={value}" for name, value in self.attributes.items())
        return f"{self.end}{f' ({told})' if told else ''}, {self.token}/{self.api}"


Wants = Want | Mapping[str, Want]


@attrs.frozen
class Step:
    """
    One thing the sandbox is told: the name of a method of `Sandbox`, and its arguments.
    """

    act: str
    arguments: tuple[Any, ...] = ()
    options: Mapping[str, Any] = attrs.field(factory=dict)

    def take(self, sandbox: Sandbox, token: str | None) -> None:
        """
        Tell the sandbox; *token* is the value of the cached token.
        """
        known = {THE_TOKEN: token, BUT_THE_FIRST_TOKEN: int(token is None)}
        options = {
            name: known.get(value, value) if isinstance(value, str) else value
            for name, value in self.options.items()
        }
        getattr(sandbox, self.act)(*self.arguments, **options)


# Stand for what is known only when a cell is tried.
THE_TOKEN = "<value of the cached token>"
BUT_THE_FIRST_TOKEN = "<1 where the first token is still to be fetched, else 0>"


@attrs.frozen(kw_only=True)
class Row:
    """
    One fault.

    Attributes:
        place: Where it strikes.

        fault: What it is, in words.

        steps: How the sandbox is told.

        cold: What calls without a token come to; a Want, or one for each body with "other".

        cached: What calls with a token come to.

        hasty: Whether callers wait for that place no longer than IMPATIENCE.
    """

    place: Place
    fault: str
    steps: tuple[Step, ...]
    cold: Wants
    cached: Wants
    hasty: bool = False


@attrs.frozen(kw_only=True)
class Cell:
    """
    One fault met by one kind of call with one kind of token.
    """

    row: Row
    token: Token
    body: Body

    @property
    def want(self) -> Want:
        """
        What it must come to.
        """
        wants = self.row.cold if self.token == "cold" else self.row.cached
        if isinstance(wants, Want):
            return wants
        return wants.get(self.body) or wants["other"]

    def __str__(self) -> str:
        return f"{self.row.place}-{self.row.fault}-{self.token}-{self.body}"


def done(token: int = 1, api: int = 1) -> Want:
    """
    The call succeeds.
    """
    return Want("done", token, api)


def fails(end: str, token: int = 1, api: int = 1, **attributes: object) -> Want:
    """
    The call raises that error.
    """
    return Want(end, token, api, attributes)


def api(kind: str, **options: Any) -> Step:
    """
    The API misbehaves.
    """
    return Step("misbehave", (kind,), {"target": "api", **options})


def token(kind: str, **options: Any) -> Step:
    """
    The token endpoint misbehaves.
    """
    return Step("misbehave", (kind,), {"target": "token", **options})


def configure(**settings: Any) -> Step:
    """
    The sandbox is set otherwise.
    """
    return Step("configure", (), settings)


def _without_the_first_token(wants: Wants) -> Wants:
    if isinstance(wants, Want):
        return attrs.evolve(wants, token=wants.token - 1)
    return {body: attrs.evolve(want, token=want.token - 1) for body, want in wants.items()}


def at_api(fault: str, *steps: Step, ends: Wants, cached: Wants | None = None, **more: Any) -> Row:
    """
    A fault of the API. A cached token spares one token request, unless *cached* says otherwise.
    """
    cached = _without_the_first_token(ends) if cached is None else cached
    return Row(place="API", fault=fault, steps=steps, cold=ends, cached=cached, **more)


def at_token(fault: str, *steps: Step, ends: Wants, **more: Any) -> Row:
    """
    A fault of the token endpoint, of which a call with a cached token sees nothing.
    """
    cached = done(token=0)
    return Row(place="token endpoint", fault=fault, steps=steps, cold=ends, cached=cached, **more)


# A body that cannot be sent twice gets the 401 back, after the token has been renewed.
RENEWED = {"pipe": fails("Unauthorized", token=2, status_code=401), "other": done(2, 2)}
RENEWED_CACHED = {"pipe": fails("Unauthorized", token=1, status_code=401), "other": done(1, 2)}

UNREADABLE = {
    "json": fails("MalformedResponse", status_code=200),
    "other": done(),  # nothing is read of an upload's answer, and any bytes can be a file
}

UNAVAILABLE = fails("TokenEndpointUnavailable", token=4, api=0, status_code=None, retryable=True)
UNUSABLE = fails("InvalidTokenResponse", token=1, api=0, status_code=200, retryable=False)

NOTHING = (
    at_api("no fault", ends=done()),
    # The two halves of the table agree on what is right before anything goes wrong.
    at_token("no fault", ends=done()),
)

API_ROWS = (
    at_api("all tokens revoked", Step("revoke"), ends=done(), cached=RENEWED_CACHED),
    at_api(
        "this token revoked",
        Step("revoke", (), {"access_token": THE_TOKEN}),
        ends=done(),
        cached=RENEWED_CACHED,
    ),
    at_api(
        "another client's tokens revoked",
        Step("revoke", (), {"client_id": "sandbox-read-only"}),
        ends=done(),
    ),
    at_api("tokens end early", Step("advance", (3601,)), ends=done(), cached=RENEWED_CACHED),
    at_api("401 once", api("unauthorized", times=1), ends=RENEWED),
    at_api(
        "401 always",
        api("unauthorized"),
        ends={
            "pipe": fails("Unauthorized", token=2, api=1, status_code=401),
            "other": fails("Unauthorized", token=2, api=2, status_code=401),
        },
    ),
    at_api(
        "401, then 503",
        api("unauthorized", times=1),
        api("status", status=503),
        ends={
            "pipe": fails("Unauthorized", token=2, api=1, status_code=401),
            "other": fails("ApiError", token=2, api=2, status_code=503),
        },
    ),
    at_api(
        "401, then the line is cut",
        api("unauthorized", times=1),
        api("cut", after=0, skip=1),
        ends={
            "pipe": fails("Unauthorized", token=2, api=1, status_code=401),
            "other": fails("RemoteProtocolError", token=2, api=2),
        },
    ),
    at_api(
        "401 while the token endpoint is down",
        api("unauthorized"),
        token("status", status=503, skip=BUT_THE_FIRST_TOKEN),
        ends={
            "pipe": fails("Unauthorized", token=5, api=1, status_code=401),
            "other": fails("TokenEndpointUnavailable", token=5, api=1, status_code=503),
        },
    ),
    at_api(
        "403: a scope is withheld",
        configure(withheld_scopes=["document_write", "document_file", "share_write"]),
        ends=fails("InsufficientScope", status_code=403),
        cached=done(token=0),
    ),
    at_api(
        "429 with Retry-After",
        api("status", status=429, retry_after=7),
        ends=fails("RateLimited", status_code=429, retry_after=7.0),
    ),
    at_api("429", api("status", status=429), ends=fails("RateLimited", retry_after=None)),
    at_api("500", api("status", status=500), ends=fails("ApiError", status_code=500)),
    at_api(
        "503 with Retry-After",
        api("status", status=503, retry_after=7),
        ends=fails("ApiError", status_code=503),
    ),
    at_api(
        "slow to answer",
        api("slow", before=PAUSE),
        ends=fails("ReadTimeout"),
        hasty=True,
    ),
    at_api(
        "slow amid the answer",
        api("slow", during=PAUSE),
        ends=fails("ReadTimeout"),
        hasty=True,
    ),
    at_api(
        "cut before the answer",
        api("cut", after=0),
        ends=fails("RemoteProtocolError"),
    ),
    at_api(
        "cut amid the answer",
        api("cut"),
        # Headers travel with the first of the body: of an empty answer nothing arrives at all.
        ends=fails("RemoteProtocolError"),
    ),
    at_api("not HTTP", api("not_http"), ends=fails("RemoteProtocolError")),
    at_api("garbage", api("garbage"), ends=UNREADABLE),
    at_api("HTML with 200", api("html", status=200), ends=UNREADABLE),
    at_api("HTML with 502", api("html", status=502), ends=fails("ApiError", status_code=502)),
    at_api("nothing with 200", api("empty"), ends=UNREADABLE),
    at_api("2 MiB of nothing", api("oversized"), ends=UNREADABLE),
    at_api("wrong content type", api("content_type", content_type="text/plain"), ends=done()),
    at_api("redirect", api("redirect", status=307), ends=fails("ApiError", status_code=307)),
    at_api("Date is an hour ahead", api("date_skew", seconds=3600), ends=done()),
    at_api("Date is an hour behind", api("date_skew", seconds=-3600), ends=done()),
)

TOKEN_ROWS = (
    at_token(
        "tokens end at once",
        configure(token_lifetime=0),
        ends={
            "pipe": fails("Unauthorized", token=2, api=1, status_code=401),
            "other": fails("Unauthorized", token=2, api=2, status_code=401),
        },
    ),
    at_token("tokens live a minute", configure(token_lifetime=60), ends=done()),
    at_token(
        "401 always",
        token("unauthorized"),
        ends=fails("InvalidClient", api=0, status_code=401, error="invalid_client"),
    ),
    at_token(
        "400 invalid_scope",
        token("answer", status=400, body={"error": "invalid_scope"}),
        ends=fails("InvalidScope", api=0, status_code=400, error="invalid_scope"),
    ),
    at_token(
        "429 once, Retry-After 3",
        token("status", status=429, retry_after=3, times=1),
        ends=done(token=2),
    ),
    at_token(
        "429, Retry-After an hour",
        token("status", status=429, retry_after=3600),
        ends=fails("TokenEndpointUnavailable", api=0, status_code=429, retry_after=3600.0),
    ),
    at_token("503 twice", token("status", status=503, times=2), ends=done(token=3)),
    at_token(
        "503",
        token("status", status=503),
        ends=attrs.evolve(UNAVAILABLE, attributes={"status_code": 503, "retryable": True}),
    ),
    at_token(
        "slow to answer",
        token("slow", before=PAUSE),
        ends=UNAVAILABLE,
        hasty=True,
    ),
    at_token(
        "slow amid the answer",
        token("slow", during=PAUSE),
        ends=UNAVAILABLE,
        hasty=True,
    ),
    at_token("cut before the answer", token("cut", after=0), ends=UNAVAILABLE),
    at_token("cut once", token("cut", after=0, times=1), ends=done(token=2)),
    at_token("cut amid the answer", token("cut"), ends=UNAVAILABLE),
    at_token("not HTTP", token("not_http"), ends=UNAVAILABLE),
    at_token("garbage", token("garbage"), ends=UNUSABLE),
    at_token("HTML with 200", token("html", status=200), ends=UNUSABLE),
    at_token(
        "HTML with 502",
        token("html", status=502),
        ends=attrs.evolve(UNAVAILABLE, attributes={"status_code": 502, "retryable": True}),
    ),
    at_token(
        "HTML with 404",
        token("html", status=404),
        ends=fails("TokenError", api=0, status_code=404, retryable=False),
    ),
    at_token("nothing with 200", token("empty"), ends=UNUSABLE),
    at_token("2 MiB of nothing", token("oversized"), ends=UNUSABLE),
    at_token(
        "access_token is a number",
        token("answer", body={"access_token": 5, "expires_in": 60}),
        ends=UNUSABLE,
    ),
    at_token("wrong content type", token("content_type", content_type="text/html"), ends=done()),
    at_token(
        "redirect",
        token("redirect", status=307),
        ends=fails("TokenError", api=0, status_code=307, retryable=False),
    ),
    at_token("Date is an hour ahead", token("date_skew", seconds=3600), ends=done()),
    at_token("Date is an hour behind", token("date_skew", seconds=-3600), ends=done()),
)

ROWS = (*NOTHING, *TOKEN_ROWS, *API_ROWS)


CELLS = tuple(
    Cell(row=row, token=state, body=body) for row in ROWS for state in TOKENS for body in BODIES
)
