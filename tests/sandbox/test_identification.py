"""Identification sessions."""

from typing import Any

import pytest

from auth_ext.sandbox import BadControl
from tests.sandbox.conftest import Api


def begin(api: Api, **changes: Any) -> Any:
    """A new session."""
    return api.ask("create_session", {"flow": "headless"} | changes)


def test_a_session_completes_by_itself(api: Api) -> None:
    """Created, then in the user's hands, then done: as the clock goes on."""
    made = begin(api, include=["name"], allowedProviders=["mitid"], externalReference="ref-1")
    statuses = [made["status"]]
    for _ in range(2):
        api.sandbox.advance(1)
        read = api.ask("get_session", id=made["id"])
        statuses.append(read["status"])

    assert ["created", "user_initiated", "success"] == statuses
    assert ("mitid", "ref-1") == (read["provider"], read["externalReference"])
    assert {"providerId", "fullName", "firstName", "lastName"} == set(read["identity"])


def test_only_what_was_asked_for_is_told(api: Api) -> None:
    """The national id only with `nin`."""
    plain, full = begin(api), begin(api, include=["nin", "email"])
    api.sandbox.advance(60)

    assert {"providerId"} == set(api.ask("get_session", id=plain["id"])["identity"])
    assert {"providerId", "nin", "email"} == set(api.ask("get_session", id=full["id"])["identity"])


@pytest.mark.parametrize(("after", "status"), [(599, "created"), (601, "timed_out")])
def test_a_session_that_nobody_finishes_times_out(api: Api, after: float, status: str) -> None:
    """After ten minutes."""
    api.sandbox.configure(session_seconds=None)
    made = begin(api)
    api.sandbox.advance(after)
    read = api.ask("get_session", id=made["id"])

    assert status == read["status"]
    assert ("error" in read) is (status == "timed_out")


def test_a_session_can_be_invalidated_once(api: Api) -> None:
    """It has ended then."""
    made = begin(api)
    api.ask("invalidate_session", id=made["id"])

    assert "invalidated" == api.ask("get_session", id=made["id"])["status"]
    assert 400 == api.call("invalidate_session", id=made["id"]).status_code


@pytest.mark.parametrize("status", ["failed", "user_aborted", "success"])
def test_a_session_can_be_told_how_to_end(api: Api, status: str) -> None:
    """By the control URL."""
    made = begin(api)
    api.sandbox.control("POST", f"/sessions/{made['id']}", status=status)

    assert status == api.ask("get_session", id=made["id"])["status"]


def test_a_session_cannot_be_told_nonsense(api: Api) -> None:
    """Only what the document knows, and only sessions that exist."""
    made = begin(api)

    with pytest.raises(BadControl, match="no status 'lost'"):
        api.sandbox.control("POST", f"/sessions/{made['id']}", status="lost")
    with pytest.raises(BadControl, match="no session nobody"):
        api.sandbox.control("POST", "/sessions/nobody")
    assert 404 == api.call("get_session", id="nobody").status_code


def test_sessions_come_in_pages_by_cursor(api: Api) -> None:
    """Oldest first; the last page has no cursor."""
    made = [begin(api)["id"] for _ in range(5)]
    found: list[str] = []
    cursor = None
    for _ in range(3):
        page = api.ask("list_sessions", limit=2, **({"cursor": cursor} if cursor else {}))
        found.extend(item["id"] for item in page["data"])
        cursor = page.get("nextCursor")

    assert (made, None) == (found, cursor)


@pytest.mark.parametrize(
    "query", [{"limit": 0}, {"cursor": "!"}, {"cursor": "bm9uZQ=="}, {"cursor": "ø"}]
)
def test_a_page_that_cannot_be_is_refused(api: Api, query: dict[str, Any]) -> None:
    """400 names the parameter."""
    answer = api.call("list_sessions", **query)

    assert (400, next(iter(query))) == (answer.status_code, answer.json()["errors"][0]["field"])
