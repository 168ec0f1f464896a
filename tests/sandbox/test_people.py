"""The pages of signers and of those who identify themselves, and the JWT they bring back."""

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from auth_ext.sandbox import Sandbox
from tests.sandbox.conftest import Api, signer

REDIRECT = {
    "redirectMode": "redirect",
    "success": "https://example.com/done?x=1",
    "cancel": "https://example.com/cancel",
    "error": "https://example.com/error",
}


def test_opening_the_link_is_seen_in_the_events(api: Api, http: httpx.Client) -> None:
    """The page needs no token and shows the title, harmless."""
    made = api.create(title="<b>Rent</b>")
    page = http.get(made["signers"][0]["url"], headers={"User-Agent": "Browser"})
    seen = api.ask("peek_events")

    assert "&lt;b&gt;Rent&lt;/b&gt;" in page.text
    assert ["document_link_opened", "document_read"] == [event["type"] for event in seen[1:]]
    assert "Browser" == seen[1]["payload"]["userAgent"]


def test_signing_on_the_page_sends_the_browser_on_with_a_jwt(api: Api, http: httpx.Client) -> None:
    """The API says that the token is valid and what it tells."""
    made = api.create(signers=[signer(redirectSettings=REDIRECT)])
    answer = http.post(made["signers"][0]["url"])
    query = parse_qs(urlsplit(answer.headers["Location"]).query)
    told = api.ask("validate_jwt", {"jwt": query["idfy-jwt"][0]})

    assert (303, ["1"]) == (answer.status_code, query["x"])
    assert told["valid"] is True
    assert made["documentId"] == told["payload"]["documentId"]
    assert "Kari Nordmann" == told["payload"]["signSuccess"]["fullName"]
    api.sandbox.advance(301)
    assert api.ask("validate_jwt", {"jwt": query["idfy-jwt"][0]})["valid"] is False


def test_signing_without_a_redirect_shows_a_page(api: Api, http: httpx.Client) -> None:
    """And signing again is refused."""
    made = api.create()
    url = made["signers"][0]["url"]

    assert [200, 409] == [http.post(url).status_code for _ in range(2)]
    assert (
        "signed"
        == api.ask("get_document", documentId=made["documentId"])["status"]["documentStatus"]
    )


@pytest.mark.parametrize("text", ["nonsense", "a.b.c", ""])
def test_a_token_of_others_is_not_valid(api: Api, text: str) -> None:
    """The answer says so with 200, as the service does."""
    told = api.ask("validate_jwt", {"jwt": text})

    assert told["valid"] is False
    assert told["error"]


def test_the_key_set_is_public(http: httpx.Client) -> None:
    """Without the private part."""
    keys = http.get("/identification/v2/jwks").json()["keys"]

    assert ["P-256"] == [key["crv"] for key in keys]
    assert "d" not in keys[0]


def test_identifying_on_the_page_ends_the_session(api: Api, http: httpx.Client) -> None:
    """At once, whatever the clock says."""
    made = api.ask("create_session", {"flow": "redirect"})
    page = http.get(made["url"])
    done = http.post(made["url"])

    assert ("Identify me" in page.text, done.status_code) == (True, 200)
    assert "success" == api.ask("get_session", id=made["id"])["status"]


@pytest.mark.parametrize("path", ["/sign/x/y", "/identify/x", "/sign/x", "/identify/x/y"])
def test_an_unknown_page_is_404(http: httpx.Client, path: str) -> None:
    """With a page for people."""
    answer = http.post(path)

    assert (404, True) == (answer.status_code, answer.text.startswith("<!doctype html>"))


def test_pages_are_looked_at_and_pressed_and_no_more(sandbox: Sandbox, http: httpx.Client) -> None:
    """405 for the rest."""
    assert 405 == http.delete("/sign/x/y").status_code
