"""
`signicat token`, `operations`, `scopes`, and completion.
"""

import json
import os
import time
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from auth_ext.cli import _app, _catalogue, _output
from auth_ext.sandbox import Sandbox
from generated_client.operations import OPERATIONS, SCOPES
from tests.cli.conftest import Here

# Token


def test_a_token_in_json_has_scopes_and_expiry(signicat: Here) -> None:
    """
    What a script wants to know about a token.
    """
    told = json.loads(signicat("token", "--scopes", "event document_read", "--json").out)
    ends = datetime.fromisoformat(told["expires_at"]).timestamp()

    assert (told["token_type"], told["scopes"]) == ("Bearer", ["document_read", "event"])
    assert told["missing_scopes"] == []
    assert abs(ends - time.time() - told["expires_in"]) < 3


def test_a_token_can_be_asked_for_by_operation(signicat: Here) -> None:
    """
    --for finds the scopes, --scopes adds to them.
    """
    ran = signicat(
        "token", "--for", "create_document", "--for", "list_webhooks", "--scopes", "jwt", "--json"
    )
    assert json.loads(ran.out)["scopes"] == ["document_write", "event", "jwt"]


def test_scopes_of_the_environment_are_the_default(signicat: Here) -> None:
    """
    SIGNICAT_SCOPES is good for `token`.
    """
    os.environ["SIGNICAT_SCOPES"] = "event"
    assert json.loads(signicat("token", "--json").out)["scopes"] == ["event"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "error: say what the token must be good for: --scopes document_read, --for OPERATION"),
        (("--for", "get_jwks"), "error: the document names no scopes for get_jwks: use --scopes\n"),
        (("--for", "get_jkws"), "error: 'get_jkws' is no operation of the document; did you mean"),
        (("--scopes", ""), "error: scopes are empty: name at least one"),
    ],
)
def test_a_token_for_nothing_is_refused(
    signicat: Here, arguments: tuple[str, ...], said: str
) -> None:
    """
    One line says how to say it.
    """
    ran = signicat("token", *arguments)

    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(said)


def test_a_scope_that_nobody_knows_is_told_with_its_nearest(signicat: Here) -> None:
    """
    invalid_scope may be a typing mistake; the service cannot know.
    """
    ran = signicat("token", "--scopes", "event document_raed")

    assert (ran.code, ran.out) == (1, "")
    assert ran.err.splitlines()[1].startswith(
        "'document_raed' is no scope of the document; did you mean document_read"
    )


def test_fewer_scopes_than_asked_for_are_told(signicat: Here, sandbox: Sandbox) -> None:
    """
    What the library logs as a warning is shown as one.
    """
    sandbox.configure(withheld_scopes=["event"])
    ran = signicat("token", "--scopes", "event document_read", "--json")

    assert json.loads(ran.out)["missing_scopes"] == ["event"]
    assert ran.err == (
        "warning: the token endpoint granted fewer scopes than asked for; missing: event\n"
    )


def test_debug_shows_the_log_and_the_traceback(signicat: Here) -> None:
    """
    --debug may stand anywhere.
    """
    os.environ["SIGNICAT_CLIENT_SECRET"] = "wrong-s3cret"
    ran = signicat("token", "--scopes", "event", "--debug")

    assert ran.code == 1
    assert "Traceback" in ran.err
    assert "InvalidClient" in ran.err
    assert "wrong-s3cret" not in ran.err


# Operations and scopes


def test_operations_are_found_by_all_words(signicat: Here) -> None:
    """
    Words occur in id, path, scopes or summary; case does not matter.
    """
    ids = [line.split("\t")[0] for line in signicat("operations", "FILE", "share_write").lines]
    every = json.loads(signicat("operations", "--json").out)

    assert ids == ["upload_bucket_file"]
    assert [one["id"] for one in every] == list(OPERATIONS)


def test_nothing_found_is_told_beside_the_answer(signicat: Here) -> None:
    """
    An empty list is an answer; people are told why.
    """
    for run in (signicat, signicat.on_screen):
        ran = run("operations", "nothing", "here")
        assert (ran.code, ran.out) == (0, "")
        assert ran.err == "no operation has 'nothing' and 'here' in it\n"


def test_operations_on_a_screen_take_two_lines(signicat: Here) -> None:
    """
    Paths are long: they have a line of their own.
    """
    assert signicat.on_screen("operations", "list_webhooks").lines == [
        "list_webhooks  \x1b[32mevent\x1b[0m",
        "\x1b[2m  GET /notification/webhooks\x1b[0m",
    ]


def test_the_catalogue_has_every_scope(signicat: Here) -> None:
    """
    With what it grants and who needs it.
    """
    plain = signicat("scopes")
    told = json.loads(signicat("scopes", "--json").out)

    assert [line.split("\t")[0] for line in plain.lines] == list(SCOPES)
    assert {one["scope"]: one["description"] for one in told} == SCOPES
    assert "jwt" in signicat.on_screen("scopes").out


def test_what_operations_need_is_told_one_by_one_and_together(signicat: Here) -> None:
    """
    The line for the environment is ready to be copied.
    """
    names = ("scopes", "create_document", "list_webhooks", "get_jwks", "list_templates")
    told = json.loads(signicat(*names, "--json").out)

    assert signicat(*names).lines == [
        "create_document\tdocument_write",
        "list_webhooks\tevent",
        "get_jwks\tno token",
        "list_templates\t-",
    ]
    assert told["scopes"] == ["document_write", "event"]
    assert signicat.on_screen(*names).lines[-1] == (
        '\x1b[2mSIGNICAT_SCOPES\x1b[0m="document_write event"'
    )


def test_what_scopes_allow(signicat: Here) -> None:
    """
    Operations whose needs are all there; those that name none are not among them.
    """
    allowed = [o.id for o in OPERATIONS.values() if o.scopes and set(o.scopes) <= {"event"}]

    told = json.loads(signicat("scopes", "--allow", "event", "--json").out)
    assert [one["id"] for one in told] == allowed
    one = signicat("scopes", "--allow", "event", "list_webhooks", "get_document")
    assert [line.split("\t")[0] for line in one.lines] == ["list_webhooks"]
    none = signicat("scopes", "--allow", "event", "get_document")
    assert (none.out, none.err) == ("", "these scopes alone allow none of them\n")


def test_all_scopes_of_an_operation_are_needed(
    signicat: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    One of two is not enough.
    """
    both = OPERATIONS["list_webhooks"]._replace(scopes=("event", "jwt"))
    monkeypatch.setattr(_catalogue, "OPERATIONS", {both.id: both})

    assert signicat("scopes", "--allow", "event").lines == []
    assert len(signicat("scopes", "--allow", "event jwt").lines) == 1


def test_an_unknown_scope_has_its_nearest(signicat: Here) -> None:
    """
    A typing mistake is told.
    """
    ran = signicat("scopes", "--allow", "documentread")

    assert ran.code == 2
    assert "'documentread' is no scope of the document; did you mean document_read" in ran.err


# Usage


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["call"], "error: Missing argument 'OPERATION'. See: signicat call --help\n"),
        (["nonsense"], "error: No such command 'nonsense'. See: signicat --help\n"),
        (["token", "--nonsense"], "error: No such option: --nonsense See: signicat token --help\n"),
    ],
)
def test_wrong_usage_is_one_line(signicat: Here, arguments: list[str], said: str) -> None:
    """
    It names the help that helps.
    """
    ran = signicat(*arguments)
    assert (ran.code, ran.out, ran.err) == (2, "", said)


def test_without_a_command_there_is_help(signicat: Here) -> None:
    """
    Help nobody asked for goes to stderr, with code 2.
    """
    ran = signicat()
    asked = signicat("--help")

    assert (ran.code, ran.out) == (2, "")
    assert (asked.code, asked.out.rstrip()) == (0, ran.err.rstrip())


def test_the_version_is_an_option_like_others(signicat: Here) -> None:
    """
    Also where the short cut does not see it.
    """
    assert signicat("--debug", "--version") == signicat("--version")


@pytest.mark.parametrize(
    ("words", "index", "offered"),
    [
        ("signicat call list_webhook", 2, ["list_webhook_deliveries", "list_webhooks"]),
        ("signicat call get_document doc", 3, ["documentId="]),
        ("signicat call create_webhook c", 3, ["config="]),
        ("signicat call nonsense x", 3, []),
        ("signicat token --for list_jw", 3, []),
        ("signicat scopes get_jw", 2, ["get_jwks"]),
    ],
)
def test_completion_offers_operations_and_their_parameters(
    signicat: Here, monkeypatch: pytest.MonkeyPatch, words: str, index: int, offered: list[str]
) -> None:
    """
    What bash asks for at each tab.
    """
    monkeypatch.setenv("_SIGNICAT_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(index))
    ran = signicat()

    assert [line for line in ran.lines if line] == offered


def test_completion_without_an_operation_offers_nothing() -> None:
    """
    Nobody knows the parameters of nothing.
    """
    context: Any = SimpleNamespace(params={"operation": None})
    assert list(_app.complete_argument(context)) == []


# Output


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{}", "{}"),
        ("[ ]", "[]"),
        (
            '{"a":[1,{"b":[]}],"c":-1.50E+2}',
            '{\n  "a": [\n    1,\n    {\n      "b": []\n    }\n  ],\n  "c": -1.50E+2\n}',
        ),
        ('"a\\"b: [,]"', '"a\\"b: [,]"'),
        ('"\x9b31m\u202e"', '"\\u009b31m\\u202e"'),
        ("null", "null"),
    ],
)
def test_json_is_laid_out_and_nothing_is_lost(
    monkeypatch: pytest.MonkeyPatch, text: str, shown: str
) -> None:
    """
    Words stay as they were; what a terminal might obey is written as its code.
    """
    monkeypatch.setenv("NO_COLOR", "1")
    assert _output._laid_out(text) == shown
    assert json.loads(shown) == json.loads(text)


def test_an_answer_that_is_no_json_is_shown_without_control_characters(
    signicat: Here, sandbox: Sandbox
) -> None:
    """
    An escape sequence of the service does not reach the terminal.
    """
    sandbox.misbehave(
        "answer", operation="list_webhooks", body="a\x1b[31mb\nc", content_type="text/plain"
    )
    ran = signicat.on_screen("call", "list_webhooks")

    assert ran.lines == ["a [31mb", "c"]


def test_a_dumb_terminal_has_no_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    TERM=dumb and NO_COLOR are both heard.
    """
    from tests.cli.conftest import Screen

    screen = Screen()
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert _output.has_colour(screen)
    monkeypatch.setenv("TERM", "dumb")
    assert not _output.has_colour(screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    assert not _output.has_colour(screen)


def test_json_of_ours_is_plain_where_the_encoding_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    An ASCII stream gets escapes that are still the same JSON.
    """
    import io
    import sys

    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stream)
        _output.show_json({"a": "é"})
    assert isinstance(stream.buffer, io.BytesIO)
    assert stream.buffer.getvalue() == b'{\n  "a": "\\u00e9"\n}\n'
