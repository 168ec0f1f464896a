import httpx
import pytest

from auth_ext import Clock, ConfigurationError, MemoryTokenStore, OAuth2ClientCredentials
from auth_ext._settings import (
    Credentials,
    checked_base_url,
    checked_origins,
    checked_token_url,
    is_loopback,
    normalised_scopes,
    origin_of,
)
from tests.auth.helpers import SECRET, TOKEN_URL

TIMEOUT_TEXT = "timeout must be a number of seconds, more than zero, or an httpx.Timeout or None"
STORE_TEXT = (
    "store must be an object with get, set, delete and lock, such as MemoryTokenStore(),"
    " FileTokenStore() or RedisTokenStore(url)"
)


@pytest.mark.parametrize(
    ("scopes", "expected"),
    [
        ("document_read", ("document_read",)),
        ("  b  a\tb\n", ("b", "a")),
        (["b", "a", "b"], ("b", "a")),
        (("a",), ("a",)),
        ({"b", "a"}, ("a", "b")),
        (frozenset({"b", "a"}), ("a", "b")),
        ((name for name in "ba"), ("b", "a")),
        ("https://example.org/scope!", ("https://example.org/scope!",)),
    ],
)
def test_scopes_are_kept_in_order_and_once(scopes: object, expected: tuple[str, ...]) -> None:
    """
    A string and any iterable give the same tuple; a set gives a sorted one.
    """
    assert expected == normalised_scopes(scopes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("scopes", "text"),
    [
        ("", "scopes are empty"),
        (" \t ", "scopes are empty"),
        ([], "scopes are empty"),
        (None, "scopes must be a space-delimited string"),
        (7, "not int"),
        (["a b"], "'a b' is no scope"),
        (["a", ""], "'' is no scope"),
        (["a", 1], "1 is no scope"),
        ({"a", 1}, "1 is no scope"),
        (['quo"te'], "is no scope"),
        (["back\\slash"], "is no scope"),
        (["sk\u00e5pe"], "is no scope"),
        ((["nested"],), "is no scope"),
        (b"bytes", "is no scope"),
    ],
)
def test_impossible_scopes_are_refused(scopes: object, text: str) -> None:
    """
    Whatever RFC 6749 section 3.3 does not allow is a ConfigurationError that shows it.
    """
    with pytest.raises(ConfigurationError, match=text):
        OAuth2ClientCredentials("id", SECRET, scopes=scopes)  # type: ignore[arg-type]


def test_credentials_given_win_over_the_environment() -> None:
    """
    Arguments come first, variables fill the gaps.
    """
    environment = {"SIGNICAT_CLIENT_ID": "env-id", "SIGNICAT_CLIENT_SECRET": "env-secret"}

    assert Credentials("mine", "env-secret") == Credentials.checked("mine", None, environment)
    assert Credentials("env-id", "s") == Credentials.checked("", "s", environment)


def test_credentials_come_from_the_process_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Without a mapping, os.environ is read.
    """
    monkeypatch.setenv("SIGNICAT_CLIENT_ID", "env-id")
    monkeypatch.setenv("SIGNICAT_CLIENT_SECRET", "env-secret")

    assert Credentials("env-id", "env-secret") == Credentials.checked(None, None)


@pytest.mark.parametrize(
    ("given", "environment", "text"),
    [
        (
            (None, None),
            {"PATH": "x"},
            "client_id and client_secret missing: set the environment variables SIGNICAT_CLIENT_ID"
            " and SIGNICAT_CLIENT_SECRET, or pass client_id and client_secret",
        ),
        (
            ("id", None),
            {"PATH": "x"},
            "client_secret missing: set the environment variable SIGNICAT_CLIENT_SECRET,"
            " or pass client_secret",
        ),
        ((None, "s"), {}, "client_id missing: pass client_id"),
        ((7, "s"), {}, "client_id must be a string, not int"),
        (("id", b"s"), {}, "client_secret must be a string, not bytes"),
        (("id", "s\ud800t"), {}, "client_secret cannot be sent: it is not valid Unicode"),
        (
            ("id", "secret\n"),
            {},
            "client_secret is blank or has a line break or another control character in it:"
            " give it as the dashboard shows it",
        ),
        (
            (" ", "s"),
            {},
            "client_id is blank or has a line break or another control character in it:"
            " give it as the dashboard shows it",
        ),
    ],
)
def test_missing_credentials_are_named(
    given: tuple[str, str], environment: dict[str, str], text: str
) -> None:
    """
    The text names the setting and every way to give it, and never shows a value.
    """
    with pytest.raises(ConfigurationError) as caught:
        Credentials.checked(*given, environment)

    assert text == str(caught.value)


def test_the_flow_itself_reads_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    OAuth2ClientCredentials takes its credentials from its arguments alone.
    """
    monkeypatch.setenv("SIGNICAT_CLIENT_SECRET", "env-secret")

    with pytest.raises(ConfigurationError, match=r"^client_secret missing: pass client_secret$"):
        OAuth2ClientCredentials("id", "", scopes="event")


def test_credentials_hide_the_secret() -> None:
    """
    Repr shows the id only.
    """
    assert "Credentials(client_id='id')" == repr(Credentials("id", SECRET))


@pytest.mark.parametrize(
    "url",
    [
        TOKEN_URL,
        "https://example.org/token?tenant=7",
        "http://localhost:8080/token",
        "http://127.0.0.1/token",
        "http://127.9.9.9/token",
        "http://[::1]:1/token",
        "http://sandbox.localhost/token",
        httpx.URL(TOKEN_URL),
    ],
)
def test_a_token_url_is_https_or_loopback(url: str | httpx.URL) -> None:
    """
    Https anywhere, http on this machine only.
    """
    assert httpx.URL(url) == checked_token_url(url, stacklevel=1)


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("http://example.org/token", "token_url must be https: http://example.org would show"),
        ("http://127.0.0.1.example.org/", "must be https"),
        ("http://10.0.0.1/", "must be https"),
        ("http://0.0.0.0/", "must be https"),
        ("ftp://example.org/", "must be an absolute URL"),
        ("/token", "must be an absolute URL"),
        ("example.org/token", "must be an absolute URL"),
        ("https:///token", "must be an absolute URL"),
        ("https://example.org:port/", "is not a URL"),
        ("", "must be an absolute URL"),
        (7, "is not a URL"),
        ("https://user:pw@example.org/", "no user name, password or fragment"),
        ("https://example.org/#part", "no user name, password or fragment"),
    ],
)
def test_other_token_urls_are_refused(url: str, text: str) -> None:
    """
    A secret is sent to no address that is malformed or readable on the way.
    """
    with pytest.raises(ConfigurationError, match=text) as caught:
        checked_token_url(url, stacklevel=1)

    assert isinstance(caught.value, ValueError)
    assert "pw" not in str(caught.value)


def test_base_url_and_origins_are_held_to_the_same_rule() -> None:
    """
    Whatever receives a token is checked as what receives a secret is.
    """
    assert httpx.URL("https://example.org/v1") == checked_base_url("https://example.org/v1")
    with pytest.raises(ConfigurationError, match="base_url must be https"):
        checked_base_url("http://example.org")
    with pytest.raises(ConfigurationError, match="origins must be https"):
        checked_origins(["https://a.example", "http://b.example"])
    with pytest.raises(ConfigurationError, match="origins are empty"):
        checked_origins([])


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://a.example", "https://a.example:443/path?x#y", True),
        ("https://a.example", "https://A.Example", True),
        ("https://a.example", "https://u:p@a.example", True),
        ("https://a.example", "https://a.example:8443", False),
        ("https://localhost", "http://localhost", False),
        ("https://a.example", "https://b.a.example", False),
        ("https://a.example", "https://a.example.", False),
        ("https://a.example", "https://a.example@b.example", False),
    ],
)
def test_origins_are_compared_as_browsers_do(one: str, other: str, same: bool) -> None:
    """
    Scheme, host and port decide, nothing else (RFC 6454).
    """
    assert same is (origin_of(httpx.URL(one)) in checked_origins(other))


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("localhost", True), ("::1", True), ("localhost.example", False), ("notlocalhost", False)],
)
def test_loopback_is_this_machine(host: str, loopback: bool) -> None:
    """
    Names and addresses that can only mean this machine.
    """
    assert loopback is is_loopback(host)


def test_the_deprecated_endpoint_warns_where_the_user_wrote_it() -> None:
    """
    It works, and the DeprecationWarning names the new endpoint and points to the caller's line.
    """
    with pytest.warns(DeprecationWarning, match=f"use {TOKEN_URL}") as caught:
        OAuth2ClientCredentials(
            "id", SECRET, scopes="event", token_url="https://api.idfy.io/oauth/connect/token"
        )

    assert [__file__] == [warning.filename for warning in caught]


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ({"leeway": -1}, "leeway must be a number of seconds, zero or more"),
        ({"leeway": "30"}, "leeway must be a number of seconds, zero or more"),
        ({"leeway": True}, "leeway must be a number of seconds, zero or more"),
        ({"leeway": float("nan")}, "leeway must be a number of seconds, zero or more"),
        ({"deadline": 0}, "deadline must be a number of seconds, more than zero"),
        ({"deadline": None}, "deadline must be a number of seconds, more than zero"),
        ({"deadline": float("inf")}, "deadline must be a number of seconds, more than zero"),
        ({"timeout": -1}, TIMEOUT_TEXT),
        ({"timeout": 0}, TIMEOUT_TEXT),
        ({"timeout": "10"}, TIMEOUT_TEXT),
        ({"store": "file"}, STORE_TEXT),
        ({"store": MemoryTokenStore}, STORE_TEXT),
        ({"on_event": 5}, "on_event must be a function of one TokenEvent"),
        (
            {"httpx_args": {"headers": {}, "auth": None}},
            "httpx_args for token requests cannot have auth, headers; they take cert, http1,"
            " http2, limits, mounts, proxy, transport, trust_env, verify",
        ),
    ],
)
def test_other_settings_are_checked_at_once(setting: dict[str, object], text: str) -> None:
    """
    A wrong setting is refused by the constructor, not by the first request.
    """
    with pytest.raises(ConfigurationError) as caught:
        OAuth2ClientCredentials("id", SECRET, scopes="event", **setting)  # type: ignore[arg-type]

    assert text == str(caught.value)


def test_leeway_and_timeout_in_seconds_hold() -> None:
    """
    A token is not used in its last *leeway* seconds; every token request has *timeout*.
    """
    now = [1000.0]
    timeouts: list[object] = []

    def token_endpoint(request: httpx.Request) -> httpx.Response:
        timeouts.append(request.extensions["timeout"])
        content = {"access_token": f"t{len(timeouts)}", "token_type": "Bearer", "expires_in": 100}
        return httpx.Response(200, json=content)

    auth = OAuth2ClientCredentials(
        "id",
        SECRET,
        scopes="event",
        leeway=40,
        timeout=2,
        httpx_args={"transport": httpx.MockTransport(token_endpoint)},
        clock=Clock(wall=lambda: now[0], steady=lambda: now[0]),
    )

    values = [auth.get_token().value]
    now[0] += 61
    values.append(auth.get_token().value)

    assert ["t1", "t2"] == values
    assert [httpx.Timeout(2).as_dict()] * 2 == timeouts
