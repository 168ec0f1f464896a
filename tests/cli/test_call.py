"""
`signicat call`: arguments and bodies, their mistakes, and answers.
"""

import base64
import datetime
import enum
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import attrs
import pytest

from auth_ext.cli import _call
from auth_ext.cli._arguments import prepared
from auth_ext.cli._check import complaints
from auth_ext.cli._problem import Problem
from auth_ext.cli._shape import Member, described, further_members, is_kind, shape_of
from auth_ext.sandbox import Sandbox
from auth_ext.sandbox.examples import body, parameters
from generated_client import models, types
from generated_client.models import ListTranslationsFormat
from generated_client.operations import OPERATIONS
from tests.cli.conftest import Here

DOCUMENT = str(parameters("get_document_file")["documentId"])
DOWNLOAD = ("call", "get_document_file", f"documentId={DOCUMENT}", "fileFormat=unsigned")


class Number(enum.IntEnum):
    """
    An enum of numbers.
    """

    SEVEN = 7


def sent(operation: str, *given: str, body: str | None = None, checked: bool = True) -> Any:
    """
    What those arguments make of an operation.
    """
    return prepared(shape_of(OPERATIONS[operation]), given, body, checked=checked)


def refused(operation: str, *given: str, body: str | None = None) -> str:
    """
    What is said about arguments that cannot be.
    """
    with pytest.raises(Problem) as caught:
        sent(operation, *given, body=body)
    return "\n".join(caught.value.lines)


@pytest.fixture
def document(folder: Path) -> Path:
    """
    A file with a valid body for `create_document`.
    """
    file = folder / "document.json"
    file.write_text(json.dumps(body("create_document")))
    return file


def broken(document: Path, **changes: Any) -> str:
    """
    What is said about the document with other members.
    """
    content = json.loads(document.read_text()) | changes
    document.write_text(json.dumps({k: v for k, v in content.items() if v != "gone"}))
    return refused("create_document", body=str(document))


# Parameters


def test_values_become_what_the_signature_says() -> None:
    """
    Whole numbers, enums, UUIDs and moments, by names in any spelling.
    """
    call = sent(
        "list_document_summaries",
        "limit=5",
        "status=signed",
        f"signer_id={DOCUMENT}",
        "fromDate=2026-11-24T12:00:00Z",
        "NAME-OF-SIGNER=Ola",
    )
    assert {name: str(value) for name, value in call.parameters.items()} == {
        "limit": "5",
        "status": "signed",
        "signer_id": DOCUMENT,
        "from_date": "2026-11-24 12:00:00+00:00",
        "name_of_signer": "Ola",
    }


def test_a_list_is_its_name_several_times() -> None:
    """
    Repeated names make a list, and so does JSON.
    """
    operation, name = _with_a_list()
    assert sent(operation, f"{name}=a", f"{name}=b", *_needed(operation)).parameters[name] == [
        "a",
        "b",
    ]


def _with_a_list() -> tuple[str, str]:
    found = [
        (operation.id, member.python)
        for operation in OPERATIONS.values()
        for member in shape_of(operation).parameters.values()
        if "list" in str(member.type)
    ]
    return found[0]


def _needed(operation: str) -> list[str]:
    shape = shape_of(OPERATIONS[operation])
    values = parameters(operation)
    return [f"{one.name}={values[one.name]}" for one in shape.parameters.values() if one.required]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["limit"], "'limit' is not of the form name=value"),
        (["=5"], "'=5' is not of the form name=value"),
        (["statu=x"], "list_document_summaries has no parameter 'statu'; did you mean status"),
        (["qqq=x"], "has no parameter 'qqq'; it takes externalId, "),
        (["limit=1", "limit=2"], "list_document_summaries: limit is given 2 times"),
        (["limit=x"], "limit is 'x'; it must be a whole number"),
        (["limit=1.5"], "limit is '1.5'; it must be a whole number"),
        (["limit=true"], "limit is 'true'; it must be a whole number"),
        (["limit=NaN"], "limit is 'NaN'; it must be a whole number"),
        (["signerId=x"], "signerId is 'x'; it must be a UUID such as"),
        (["toDate=yesterday"], "toDate is 'yesterday'; it must be a date and time such as"),
        (["toDate=the day after tomorrow"], "'; it must be a date and time such as"),
        (["toDate=2026-11-24"], "toDate is '2026-11-24'; it must be a date and time such as"),
        (["status=sgned"], "status is 'sgned'; it must be one of canceled, expired, partial"),
    ],
)
def test_a_wrong_parameter_is_told_in_a_sentence(given: list[str], said: str) -> None:
    """
    Unknown names have their nearest, wrong values what is accepted.
    """
    assert said in refused("list_document_summaries", *given)


def test_every_mistake_is_told_at_once() -> None:
    """
    Nobody mends one thing after the other.
    """
    assert refused("get_document_file", "fileFormat=x").splitlines() == [
        "get_document_file cannot be called like that:",
        "  documentId is missing: give documentId=..., a UUID such as"
        " 0c5e1f8a-3f0e-4c55-9f0b-2f6f0c6e7a11",
        "  fileFormat is 'x'; it must be one of native, pades, standard_packaging, unsigned, xades",
    ]


def test_an_operation_without_parameters_says_so() -> None:
    """
    There is nothing to mistake it for.
    """
    said = "list_text_languages takes no parameters, so no 'x' either"
    assert refused("list_text_languages", "x=1") == said


def test_a_truth_is_true_or_false() -> None:
    """
    Booleans are read from two words, in any case.
    """
    found = [
        (operation.id, one)
        for operation in OPERATIONS.values()
        for one in shape_of(operation).parameters.values()
        if "bool" in str(one.type)
    ]
    operation, parameter = found[0]
    needed = [text for text in _needed(operation) if not text.startswith(f"{parameter.name}=")]
    assert sent(operation, f"{parameter.name}=True", *needed).parameters[parameter.python] is True
    assert "it must be true or false" in refused(operation, f"{parameter.name}=yes", *needed)


# Bodies


def test_a_body_goes_out_as_it_was_written(document: Path) -> None:
    """
    The check changes nothing in it.
    """
    assert sent("create_document", body=str(document)).body == json.loads(document.read_text())


def test_members_are_added_to_the_body(document: Path, folder: Path) -> None:
    """
    Dots lead into objects, @ reads text, base64@ reads bytes, JSON makes lists.
    """
    (folder / "a.bin").write_bytes(b"\xff\x00")
    (folder / "a.txt").write_text("a title")
    call = sent(
        "create_document",
        f"dataToSign.base64Content=base64@{folder / 'a.bin'}",
        f"title=@{folder / 'a.txt'}",
        "data_to_sign.convertToPDF=false",
        "signers=[]",
        "advanced.tags=one",
        body=str(document),
    )
    assert call.body["dataToSign"]["base64Content"] == base64.b64encode(b"\xff\x00").decode()
    assert call.body["title"] == "a title"
    assert call.body["dataToSign"]["convertToPDF"] is False
    assert call.body["signers"] == []
    assert call.body["advanced"]["tags"] == ["one"]


def test_a_body_can_be_members_alone() -> None:
    """
    Small bodies need no file; values come out as JSON has them.
    """
    given = ("active=true", "config.url=https://example.org", "events=a", "events=b", "name=x")
    assert sent("create_webhook", *given).body == {
        "active": True,
        "config": {"url": "https://example.org"},
        "events": ["a", "b"],
        "name": "x",
    }


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"title": "gone"}, "create_document: body.title is missing; it must be text"),
        ({"title": None}, "body.title is null; it must be text, or be left out"),
        ({"title": 5}, "body.title is 5; it must be text"),
        ({"title": True}, "body.title is true; it must be text"),
        ({"titel": "x"}, "body.titel is unknown; did you mean title"),
        ({"signers": {}}, "body.signers is an object; it must be a list of objects"),
        ({"signers": [[]]}, "body.signers[0] is a list; it must be an object (SignatureSigner"),
        ({"title": "x" * 10, "signers": "y" * 90}, f"body.signers is '{'y' * 39}...; it must be"),
        ({"advanced": {"attachments": 1.5}}, "body.advanced.attachments is 1.5; it must be a wh"),
        ({"advanced": {"tags": [1]}}, "body.advanced.tags[0] is 1; it must be text"),
        ({"advanced": {"timeToLive": {"deadline": "x"}}}, "deadline is 'x'; it must be a date"),
    ],
)
def test_a_wrong_body_is_told_by_the_path_of_its_member(
    document: Path, changes: dict[str, Any], said: str
) -> None:
    """
    Missing, unknown and wrong members, however deep.
    """
    assert said in broken(document, **changes)


def test_accepted_values_of_an_enum_are_listed(document: Path) -> None:
    """
    A value that the document does not know is told with those it does.
    """
    signers = [{**json.loads(document.read_text())["signers"][0], "redirectSettings": {}}]
    signers[0]["redirectSettings"]["redirectMode"] = "nowhere"
    said = broken(document, signers=signers)

    assert "body.signers[0].redirectSettings.redirectMode is 'nowhere'; it must be one of " in said


def test_many_mistakes_are_counted(document: Path) -> None:
    """
    Ten lines are enough to begin with.
    """
    said = broken(document, **{f"unknown{number}": 1 for number in range(14)}).splitlines()

    assert (len(said), said[-1]) == (12, "  and 4 more")


def test_a_body_may_go_unchecked(document: Path) -> None:
    """
    The service may be newer than the document.
    """
    document.write_text('{"brandNew": 1}')
    assert sent("create_document", body=str(document), checked=False).body == {"brandNew": 1}


def test_typed_names_of_any_kind_are_checked() -> None:
    """
    Where the document takes names of any kind, it says what their values are.
    """
    model = next(
        one
        for one in map(models.__getattr__, models.__all__)
        if is_kind(one, types.Model) and further_members(one) is str
    )
    assert list(complaints({"any": "text"}, model, "body")) == []
    assert list(complaints({"any": 5}, model, "body")) == ["body.any is 5; it must be text"]


def test_objects_with_values_of_a_type_are_checked() -> None:
    """
    A dict by name is looked into like a list by number.
    """
    assert list(complaints({"a": 1, "b": "x"}, dict[str, int], "body")) == [
        "body.b is 'x'; it must be a whole number"
    ]


@pytest.mark.parametrize(
    ("of", "words"),
    [
        (dict[str, int], "an object, each value a whole number"),
        (list[str] | types.Unset, "a list, each item text"),
        (int | None, "a whole number"),
        (types.Unset, "nothing"),
        (ListTranslationsFormat, "one of Minimal, Normal"),
        (Any, "anything"),
        (bytes, "bytes"),
    ],
)
def test_types_have_words(of: Any, words: str) -> None:
    """
    What a value must be is said without Python's syntax.
    """
    assert described(of) == words


@pytest.mark.parametrize(
    ("value", "of"),
    [
        (1.0, int),
        (1, float),
        (None, int | None),
        (None, Any),
        ("2026-11-24", datetime.date),
        (7, Number),
        ({"x": [1]}, Any),
        (types.File(io.BytesIO()), types.File),
    ],
)
def test_values_that_fit_are_left_alone(value: Any, of: Any) -> None:
    """
    JSON knows one kind of number; null fits where it is named.
    """
    assert list(complaints(value, of, "x")) == []


@pytest.mark.parametrize(
    ("value", "of", "said"),
    [
        ("2026-13-01", datetime.date, "a date such as 2026-11-24"),
        (8, Number, "7"),
        (types.File(io.BytesIO()), str, "text"),
        ("x", types.File, "a file (@PATH)"),
    ],
)
def test_values_that_do_not_fit_are_told(value: Any, of: Any, said: str) -> None:
    """
    Each kind of value has a kind that it is not.
    """
    (line,) = complaints(value, of, "x")
    assert line.endswith(f"it must be {said}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not JSON: line 1, column 2: Expecting property name"),
        ('{"a": NaN}', "is not JSON: NaN is not JSON"),
        ("[" * 100_000, "is not JSON: "),
        ("\xff", "is not UTF-8 text"),
        ("[]", "create_document: body is a list; it must be an object (SignatureDocument"),
    ],
)
def test_a_body_that_is_no_json_is_told_with_its_place(folder: Path, text: str, said: str) -> None:
    """
    Line and column, where the parser knows them.
    """
    file = folder / "body.json"
    file.write_bytes(text.encode("latin-1"))
    assert said in refused("create_document", body=str(file))


@pytest.mark.parametrize(
    ("operation", "given", "source", "said"),
    [
        ("create_document", [], None, "the body is missing: give --body FILE, or members as"),
        ("create_document", [], None, "(needed: contactDetails, dataToSign, externalId, signers"),
        ("create_document", [], "nowhere.json", "--body: 'nowhere.json' cannot be read: No such"),
        ("list_document_summaries", [], "-", "list_document_summaries takes no body"),
        ("create_document", ["titel=x"], None, "the body has no 'titel'; did you mean title"),
        ("create_document", ["title.a=x"], None, "title.a: nothing can lie below text"),
        ("create_document", ["title=@nowhere"], None, "title: 'nowhere' cannot be read: No such"),
        ("create_document", ["signers=x"], None, "signers is 'x'; it must be an object"),
        ("create_document", ["advanced=5"], None, "advanced is '5'; it must be an object"),
    ],
)
def test_what_cannot_be_put_together_is_told(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    operation: str,
    given: list[str],
    source: str | None,
    said: str,
) -> None:
    """
    Files that are not there, members that have no place.
    """
    monkeypatch.chdir(folder)
    assert said in refused(operation, *given, body=source)


def test_members_need_an_object_to_be_put_into(document: Path) -> None:
    """
    Neither a list nor a text can have members.
    """
    document.write_text("[]")
    said = "the body is no object: it cannot have members as name=value"
    assert refused("create_document", "title=x", body=str(document)) == said
    document.write_text('{"dataToSign": "x"}')
    said = "dataToSign.title: dataToSign is no object in the body given"
    assert refused("create_document", "dataToSign.title=x", body=str(document)) == said


def test_a_text_that_is_no_text_is_told_with_a_way_out(folder: Path) -> None:
    """
    Whoever writes title=@contract.pdf probably wants Base64.
    """
    file = folder / "contract.pdf"
    file.write_bytes(b"%PDF\xff")
    said = refused("create_document", f"dataToSign.base64Content=@{file}")
    assert said.endswith(f"for the Base64 of a file write dataToSign.base64Content=base64@{file}")


def test_a_part_that_is_a_file_is_read_while_it_is_sent(signicat: Here, folder: Path) -> None:
    """
    A multipart body takes file=@PATH, with its name and type.
    """
    (folder / "contract.pdf").write_bytes(b"%PDF-1.7")
    needed = ("call", "upload_bucket_file", "id=a", "fileId=b")
    shown = signicat(*needed, "file=@contract.pdf", "--dry-run")

    assert shown.lines[-1] == "part file: contract.pdf"
    assert signicat(*needed, "file=x").err == "error: file is a file: write file=@PATH\n"
    assert "cannot be read: No such file" in signicat(*needed, "file=@nowhere").err
    assert signicat(*needed, "file=@contract.pdf").code in {0, 1}


# Sending


def test_an_answer_is_printed_as_it_came(signicat: Here) -> None:
    """
    JSON for a success, nothing on stderr.
    """
    ran = signicat("call", "list_document_summaries", "limit=1")

    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out)["limit"] == 1
    assert (
        '"\x1b[0m: \x1b[36m1\x1b[0m,'
        in signicat.on_screen("call", "list_document_summaries", "limit=1").out
    )


def test_a_document_is_created_and_followed(signicat: Here, document: Path) -> None:
    """
    Created, read, cancelled: the ids of one answer serve the next call.
    """
    created = json.loads(signicat("call", "create_document", "--body", str(document)).out)
    identity = f"documentId={created['documentId']}"
    status = json.loads(signicat("call", "get_document_status", identity).out)
    cancelled = signicat.on_screen("call", "cancel_document", identity, "reason=over")

    assert status["documentStatus"] == "unsigned"
    assert (cancelled.code, cancelled.out) == (0, "")
    assert "without content" in cancelled.err


def test_a_refusal_is_told_with_its_remedy(signicat: Here, sandbox: Sandbox) -> None:
    """
    404 and 403 are one or two lines and code 1.
    """
    other = "documentId=0c5e1f8a-3f0e-4c55-9f0b-2f6f0c6e7a11"
    missing = signicat("call", "get_document", other)
    poor = signicat("call", "list_webhooks", "--scopes", "document_read")

    assert (missing.code, missing.out) == (1, "")
    assert "answered 404" in missing.err
    assert poor.code == 1
    assert "It needs the scope event. The token has document_read." in poor.err
    assert poor.err.endswith('signicat call ... --scopes "document_read event"\n')


def test_wrong_credentials_are_told_and_not_shown(signicat: Here) -> None:
    """
    The secret is in no message.
    """
    os.environ["SIGNICAT_CLIENT_SECRET"] = "wrong-s3cret"
    ran = signicat("call", "list_webhooks")

    assert ran.code == 1
    assert "invalid_client" in ran.err
    assert "Check the client id 'sandbox-full' and its secret" in ran.err
    assert "wrong-s3cret" not in ran.err


def test_a_scope_that_the_client_lacks_is_told(signicat: Here, sandbox: Sandbox) -> None:
    """
    invalid_scope says where in the dashboard to add it.
    """
    client = sandbox.clients["read-only"]
    os.environ |= {"SIGNICAT_CLIENT_ID": client.id, "SIGNICAT_CLIENT_SECRET": client.secret}
    ran = signicat("call", "send_reminders", f"documentId={DOCUMENT}", "--unchecked", "--body", "x")
    assert ran.code == 2
    ran = signicat("call", "cancel_document", f"documentId={DOCUMENT}")

    assert ran.code == 1
    assert "invalid_scope" in ran.err
    assert "Account > API Clients > your client > OAuth/OpenID Config > API access" in ran.err


def test_an_answer_that_the_document_does_not_know_is_printed_all_the_same(
    signicat: Here, sandbox: Sandbox
) -> None:
    """
    A warning on stderr, the answer on stdout.
    """
    sandbox.misbehave("answer", operation="list_webhooks", body={"not": "a list"})
    ran = signicat("call", "list_webhooks")

    assert ran.code == 0
    assert json.loads(ran.out) == {"not": "a list"}
    assert ran.err.startswith("warning: the answer is not what the document says: list_webhooks")


def test_an_answer_can_go_to_a_file(signicat: Here, folder: Path) -> None:
    """
    JSON goes to --output as files do; - is stdout.
    """
    to_file = signicat("call", "list_webhooks", "-o", "answer.json")
    to_stdout = signicat("call", "list_webhooks", "-o", "-")

    assert (to_file.code, to_file.out) == (0, "")
    assert json.loads((folder / "answer.json").read_text()) == json.loads(to_stdout.out)
    assert [path.name for path in folder.iterdir()] == ["answer.json"]


def test_an_answer_that_cannot_be_put_in_place_leaves_nothing(
    signicat: Here, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A full disk or a lost right: one line, and no half of a file.
    """

    def refuse(self: Path, _target: Path) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "replace", refuse)
    ran = signicat("call", "list_webhooks", "-o", "answer.json")

    assert (ran.code, len(ran.err.splitlines())) == (2, 1)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("output", "said"),
    [
        (".", "error: . is a folder: name a file, --output FILE\n"),
        ("nowhere/x", "error: the folder nowhere does not exist: make it first\n"),
    ],
)
def test_a_place_that_is_none_is_told_before_anything_is_sent(
    signicat: Here, sandbox: Sandbox, output: str, said: str
) -> None:
    """
    No token is fetched, nothing is asked.
    """
    ran = signicat(*DOWNLOAD, "--output", output)

    assert (ran.code, ran.err) == (2, said)
    assert (sandbox.requests.token, sandbox.requests.api) == (0, 0)


def test_a_file_arrives_whole_or_not_at_all(signicat: Here, sandbox: Sandbox, folder: Path) -> None:
    """
    A line that goes dead amid a file leaves the old file as it was.
    """
    assert signicat(*DOWNLOAD, "-o", "a.pdf").code == 0
    before = (folder / "a.pdf").read_bytes()
    sandbox.misbehave("cut", operation="get_document_file")
    ran = signicat(*DOWNLOAD, "-o", "a.pdf")

    assert (ran.code, len(ran.err.splitlines())) == (1, 1)
    assert (folder / "a.pdf").read_bytes() == before
    assert [path.name for path in folder.iterdir()] == ["a.pdf"]


def test_a_bar_is_shown_on_a_terminal(signicat: Here, sandbox: Sandbox) -> None:
    """
    On a screen the download is shown, and a place for it is demanded.
    """
    sandbox.configure(pad_files_to=300_000)

    assert "━" in signicat.on_screen(*DOWNLOAD, "-o", "a.pdf").err
    assert "say where it goes, --output FILE" in signicat.on_screen(*DOWNLOAD).err


def test_a_file_goes_into_a_pipe(signicat: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Without --output the bytes go to stdout.
    """
    out = io.BytesIO()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", io.TextIOWrapper(out, encoding="utf-8"))
        code = signicat(*DOWNLOAD).code
        sys.stdout.flush()
        assert (code, out.getvalue()[:4]) == (0, b"%PDF")


# Without sending


def test_a_dry_run_shows_the_request_and_sends_nothing(
    signicat: Here, sandbox: Sandbox, document: Path
) -> None:
    """
    Method, address, headers and body; no token.
    """
    listing = signicat("call", "list_document_summaries", "status=signed", "--dry-run")
    creating = signicat("call", "create_document", "--body", str(document), "--dry-run")

    assert listing.lines == [f"GET {sandbox.url}/signature/documents/summary?status=signed"]
    assert creating.lines[:2] == [
        f"POST {sandbox.url}/signature/documents",
        "Content-Type: application/json",
    ]
    assert json.loads("\n".join(creating.lines[2:])) == json.loads(document.read_text())
    assert (sandbox.requests.token, sandbox.requests.api) == (0, 0)


def test_a_truth_is_written_as_the_wire_has_it(signicat: Here) -> None:
    """
    A boolean in a query is true, not True.
    """
    assert _call._texts({"a": True, "b": 1}) == {"a": "true", "b": 1}


def test_describe_lists_parameters_and_members(signicat: Here) -> None:
    """
    Names, whether they are needed, and what they are.
    """
    ran = signicat("call", "get_document_file", "--describe")
    create = signicat("call", "create_document", "--describe")
    nothing = signicat("call", "list_text_languages", "--describe")

    assert ran.lines[1] == (
        "fileFormat\tparameter\trequired\tone of native, pades, standard_packaging, unsigned, xades"
    )
    assert "contactDetails.email\tbody\trequired\ttext" in create.lines
    assert nothing.lines == []
    assert signicat.on_screen("call", "get_document", "--describe").lines[:3] == [
        "\x1b[36mGET\x1b[0m /signature/documents/{documentId}",
        "Get a document",
        "Scopes: document_read",
    ]


def test_a_body_that_is_no_object_is_described_as_a_whole(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    """
    A document may have bodies that are lists or files; a file is sent as it is.
    """
    shape = shape_of(OPERATIONS["create_document"])
    listed = attrs.evolve(shape, body=Member("body", "body", list[str], True))
    _call.show_shape(listed)
    assert capsys.readouterr().out == "Body: a list, each item text\n"
    with pytest.raises(Problem, match="takes no parameters, so no 'a' either"):
        prepared(listed, ["a=b"], None)

    (folder / "a.bin").write_bytes(b"content")
    whole = attrs.evolve(shape, body=Member("body", "body", types.File, True))
    with prepared(whole, [], str(folder / "a.bin")) as call:
        assert call.body.payload.read() == b"content"
    assert call.body.payload.closed


def test_names_of_any_kind_can_be_given_on_the_command_line() -> None:
    """
    Where the document takes names of any kind, so does name=value.
    """
    texts = "notification.customEmailTexts"
    call = sent("create_bucket_recipient", "id=a", f"{texts}.Anything=hello", checked=False)
    assert call.body["notification"]["customEmailTexts"] == {"Anything": "hello"}


def test_an_unknown_operation_has_its_nearest(signicat: Here) -> None:
    """
    A typing mistake costs one look.
    """
    ran = signicat("call", "list_webhook")

    assert ran.code == 2
    assert "'list_webhook' is no operation of the document; did you mean list_webhooks" in ran.err


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_every_operation_takes_its_own_example(operation: str, folder: Path) -> None:
    """
    What the document's own examples say is accepted, parameter by parameter and as a body.
    """
    shape = shape_of(OPERATIONS[operation])
    given = [
        f"{name}={str(value).lower() if isinstance(value, bool) else value}"
        for name, value in parameters(operation).items()
        if not isinstance(value, list)
    ]
    file = folder / "body.json"
    source = None
    if shape.body is not None and operation != "upload_bucket_file":
        file.write_text(json.dumps(body(operation)))
        source = str(file)
    if operation == "upload_bucket_file":
        given.append(f"file=@{__file__}")
    with prepared(shape, given, source) as call:
        assert {one.python for one in shape.parameters.values() if one.required} <= set(
            call.parameters
        )
