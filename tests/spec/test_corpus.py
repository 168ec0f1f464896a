"""Documents with every feature that trips generators: generated, imported, called."""

import json
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from tests.spec.conftest import Api

OK: dict[str, Any] = {"status_code": 200}


def query(request: httpx.Request) -> dict[str, list[str]]:
    """The query of a request: name -> values."""
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(request.url.query.decode(), keep_blank_values=True):
        found.setdefault(name, []).append(value)
    return found


def test_types_are_clean_in_every_package(any_package: Path) -> None:
    """Mypy --strict finds nothing in the output, whatever the document."""
    cache = any_package.parent / ".mypy_cache"
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--cache-dir",
        str(cache),
        any_package.name,
    ]

    result = subprocess.run(
        command, cwd=any_package.parent, capture_output=True, text=True, check=False
    )

    assert (result.returncode, result.stdout.count("error:")) == (0, 0), result.stdout


def test_every_file_says_that_it_is_generated(any_package: Path) -> None:
    """The first line of every file names the script that wrote it."""
    files = [path for path in any_package.rglob("*") if path.is_file() and path.suffix != ".pyc"]

    assert [] == [p for p in files if "regenerate.py" not in p.read_text("utf-8").split("\n")[0]]
    assert any_package / "py.typed" in files


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"ids": [1, 2]}, {"ids": ["1,2"]}),
        ({"piped": ["a", "b"]}, {"piped": ["a|b"]}),
        (
            {"class_": "x", "client_query": "y", "body_query": "z"},
            {"class": ["x"], "client": ["y"], "body": ["z"]},
        ),
        ({"plus_1": "a", "minus_1": "b"}, {"+1": ["a"], "-1": ["b"]}),
        ({"page_size": 1, "page_size_query": 2}, {"page_size": ["1"], "pageSize": ["2"]}),
        ({"headers": "h"}, {"headers": ["h"]}),
    ],
)
def test_query_parameters_keep_their_names_and_styles(
    api30: Api, arguments: dict[str, Any], expected: dict[str, list[str]]
) -> None:
    """Python may need another name; the wire gets the document's, in the document's style."""
    _, request = api30.call("listPets", answer=httpx.Response(200, json=[]), **arguments)

    assert {"limit": ["20"], **expected} == query(request)


def test_objects_in_a_query(api30: Api) -> None:
    """deepObject, form without explode, JSON content: each is written as its style says."""
    m = api30.models
    wanted = m.Filter(color=m.Color("red"), size=m.FilterSize(gt=3))
    anything = m.ListPetsAny.from_dict({"k": "v"})

    _, request = api30.call(
        "listPets",
        answer=httpx.Response(200, json=[]),
        filter_=wanted,
        any_=anything,
        json=wanted,
        point=m.ListPetsPoint(x=1, y=2),
        repeated=[m.Color("red"), m.Color("no")],
    )

    assert {
        "filter[color]": ["red"],
        "filter[size][gt]": ["3"],
        "any[k]": ["v"],
        "json": ['{"color":"red","size":{"gt":3}}'],
        "point": ["x,1,y,2"],
        "repeated": ["red", "no"],
        "limit": ["20"],
    } == query(request)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"created": {"gt": 3}}, {"created[gt]": ["3"]}),
        ({"created": 3}, {"created": ["3"]}),
        ({"expand": ["a", "b"]}, {"expand[]": ["a", "b"]}),
        ({"either": {"left": 1, "right": [2, 3]}}, {"left": ["1"], "right": ["2", "3"]}),
        ({"either": "text"}, {"either": ["text"]}),
        ({"joined": ["a", "b"]}, {"joined": ["a,b"]}),
        ({"joined": "a"}, {"joined": ["a"]}),
    ],
)
def test_choices_in_a_query(
    api30: Api, arguments: dict[str, Any], expected: dict[str, list[str]]
) -> None:
    """A choice that holds an object or a list is written in its style, whatever is chosen."""
    m = api30.models
    types = {"created": m.FindChargesCreatedSpan, "either": m.FindChargesEitherPair}
    given = {
        name: types[name].from_dict(value) if isinstance(value, dict) else value
        for name, value in arguments.items()
    }

    _, request = api30.call("findCharges", answer=httpx.Response(204), **given)

    assert expected == query(request)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"address": {"city": "Å"}}, {"address[city]": ["Å"]}),
        ({"address": ""}, {"address": [""]}),
        ({"expand": ["a", "b"]}, {"expand[]": ["a", "b"]}),
        ({"lines": [{"price": 1}, {}]}, {"lines[0][price]": ["1"]}),
        ({"csv": [1, 2]}, {"csv": ["1,2"]}),
        ({"repeated": [1, 2]}, {"repeated": ["1", "2"]}),
        ({"json": {"k": "ä"}}, {"json": ['{"k":"ä"}']}),
        ({"jsons": [{"k": "v"}, {}]}, {"jsons": ['{"k":"v"}', "{}"]}),
        ({"no": None}, {}),
    ],
)
def test_members_of_a_form(api30: Api, body: dict[str, Any], expected: dict[str, Any]) -> None:
    """Each member is written as its encoding says; an object of which it says nothing is JSON."""
    _, request = api30.call(
        "sendCharge", answer=httpx.Response(204), body=api30.models.SendChargeBody.from_dict(body)
    )

    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(request.content.decode(), keep_blank_values=True):
        found.setdefault(name, []).append(value)
    assert expected == found


def test_headers_and_cookies(api30: Api) -> None:
    """Header and cookie parameters are sent; Authorization is not a parameter."""
    _, request = api30.call(
        "listPets", answer=httpx.Response(200, json=[]), x_trace="a,b", x_date="d", session="s"
    )

    assert ("a,b", "d", "session=s") == tuple(
        request.headers[name] for name in ("X-Trace", "X-Date", "Cookie")
    )


PET = {
    "name": "n",
    "class": "c",
    "from": "2018-01-01",
    "None": "N",
    "self": "s",
    "@id": "@",
    "id": 1,
    "$id": "$",
    "+1": 1,
    "-1": -1,
    "foo-bar": "-",
    "foo_bar": "_",
    "additionalProperties": "a",
    "to_dict": "t",
    "properties": {"default": "d", "$ref": "r"},
    "color": None,
    "maybe": None,
    "status": "off",
    "tags": [1, "a", {}],
    "tuple": ["a", 1],
    "many": ["a"],
    "level": -1,
    "weird": "2020-01-01T00:00:00+00:00",
    "parent": {"name": "p"},
    "map": {"k": {"a": "b"}},
    "null_map": {"k": None},
    "owner": {"name": "o"},
    "vet": {"phone": "1"},
    "blob": "text",
    "day": "2018-01-01",
    "unknown": True,
}


def test_no_member_is_lost_on_the_way_through_a_model(api30: Api) -> None:
    """Keywords, signs, clashes, nulls and unknown members: what came in goes out."""
    pet = api30.models.Pet.from_dict(PET)

    assert PET == {key: value for key, value in pet.to_dict().items() if key != "when"}
    assert (1, -1, "$", 1, "-", "_") == (
        pet.plus_1,
        pet.minus_1,
        pet.dollar_id,
        pet.id,
        pet.foo_minus_bar,
        pet.foo_bar,
    )


def test_enum_values_that_become_one_name_stay_apart(api30: Api) -> None:
    """Red and Red, dark-red and dark_red, the empty text, a star: all there, in YAML as in JSON."""
    values = {one.value for one in api30.models.Color}

    assert values == {
        "red",
        "Red",
        "dark-red",
        "dark_red",
        "dark red",
        "",
        "1",
        "on",
        "no",
        "*",
        "mro",
    }
    assert {"LOW": 1, "BELOW": -1, "NONE": 0} == {one.name: one.value for one in api30.models.Level}


def test_a_discriminator_chooses_the_member(api30: Api) -> None:
    """The type that the answer names is the type that is returned."""
    square = {"kind": "square", "side": 2.0, "label": "l"}

    result, request = api30.call(
        "echoShape", answer=httpx.Response(200, json=square), body=api30.models.Circle(r=1.5)
    )

    assert (api30.models.Square, 2.0) == (type(result), result.side)
    assert {"kind": "circle", "r": 1.5} == json.loads(request.content)


@pytest.mark.parametrize("tree", ["leaf", ["a", ["b", "c"]]])
def test_recursive_types_pass_through(api30: Api, tree: Any) -> None:
    """A type that contains itself is sent and returned whole."""
    result, request = api30.call("echoTree", answer=httpx.Response(200, json=tree), body=tree)

    assert (tree, tree) == (result, json.loads(request.content))


def test_members_beside_unions_survive(api30: Api) -> None:
    """What stands beside oneOf and anyOf, and what allOf narrows, is in the model."""
    zoo = {
        "either": 3,
        "base": {"z": "a"},
        "spread": {"z": "z", "x": "x"},
        "limited": "short",
        "narrowed": "b",
        "shape": {"kind": "circle", "r": 1.0},
        "self": {"main": {"n": "n"}},
        "loop": [[], [[]]],
        "tree": ["a"],
        "any_of_null": None,
        "mixed": 1,
    }

    result, request = api30.call(
        "echoZoo", answer=httpx.Response(200, json=zoo), body=api30.models.Zoo.from_dict(zoo)
    )

    assert (zoo, zoo) == (result.to_dict(), json.loads(request.content))
    assert ("a", "z", "x") == (result.base.z, result.spread.z, result.spread.x)
    assert {"b", "c"} == {one.value for one in api30.models.ZooNarrowed}


def test_raw_bodies_and_answers(api30: Api) -> None:
    """Bytes go out under their own media type, and come back as a file."""
    path = ("6c1e2f5e-8a63-4d3e-8d9e-0d2b2f3f7a11", "a.pdf")
    body = api30.types.File(payload=BytesIO(b"%PDF"))

    _, sent = api30.call("put_file", *path, answer=httpx.Response(204), body=body)
    result, _ = api30.call("get/file", *path, answer=httpx.Response(200, content=b"%PDF"))

    assert ("application/pdf", b"%PDF", b"%PDF") == (
        sent.headers["Content-Type"],
        sent.content,
        result.payload.read(),
    )
    assert sent.url.path == f"/pets/{path[0]}/files/a.pdf"


def test_a_form_beside_json_is_not_lost(api30: Api) -> None:
    """Two bodies with different types: the type decides how it is sent."""
    path = ("6c1e2f5e-8a63-4d3e-8d9e-0d2b2f3f7a11", "a")
    upload = api30.models.Upload(
        file=api30.types.File(payload=BytesIO(b"data"), file_name="ø.txt"), note="n"
    )

    _, form = api30.call("attachFile", *path, answer=httpx.Response(200, json={}), body=upload)
    _, plain = api30.call(
        "attachFile", *path, answer=httpx.Response(200, json={}), body=api30.models.Filter()
    )

    assert form.headers["Content-Type"].startswith("multipart/form-data")
    assert b"data" in form.content
    assert ("application/json", b"{}") == (plain.headers["Content-Type"], plain.content)


def test_forms_texts_and_empty_answers(api30: Api) -> None:
    """A urlencoded form, a text body, an answer without content, an answer that is text."""
    form = api30.models.SendFormBody(a="ä", b=1)

    yes, sent = api30.call("sendForm", answer=httpx.Response(200, json=True), body=form)
    nothing, _ = api30.call("emptyAnswer", answer=httpx.Response(200))
    text, doubled = api30.call("get_double_undeclared", "x", answer=httpx.Response(200, text="hi"))

    assert (True, b"a=%C3%A4&b=1", None, "hi") == (yes, sent.content, nothing, text)
    assert ("service.test", "/double/x") == (doubled.url.host, doubled.url.path)


def test_two_operations_with_one_id_are_both_there(api30: Api) -> None:
    """The second one gets a number; neither overwrites the other."""
    rows = api30.operations.OPERATIONS

    assert ("/forms", "/only-error") == (rows["sendForm"].path, rows["sendForm_2"].path)


def test_the_table_knows_scopes_and_who_needs_a_token(api30: Api, api20: Api) -> None:
    """Global security counts, an empty one lifts it, the first alternative is what is needed."""
    rows = api30.operations.OPERATIONS

    assert (("read",), True) == (rows["listPets"].scopes, rows["listPets"].authenticated)
    assert ((), False) == (rows["createPet"].scopes, rows["createPet"].authenticated)
    assert ("read", "write") == api20.operations.OPERATIONS["list"].scopes
    assert {"read": "Read.", "write": "Write.", "admin": "Admin."} == api20.operations.SCOPES


THING = {
    "nullable": None,
    "object_or_null": None,
    "several": 3,
    "array_or_null": None,
    "null_only": None,
    "constant": "fixed",
    "constant_number": 3,
    "constant_list": [1],
    "pair": ["a", 1.5],
    "anything": {"x": 1},
    "nothing": 1,
    "inner": {"deep": None},
    "anchored": {"n": 1},
    "described": "a",
    "extended": {"base": "b", "more": "m"},
    "patterned": {"x1": 1},
    "number_or_int": 1.5,
    "choice": None,
    "big_enum": 2.5,
    "exclusive": 4,
    "json_schema": {"a": 1, "b": 2},
}


def test_what_3_1_has_of_its_own(api31: Api) -> None:
    """Null as a type, const, prefixItems, true and false, $defs, $anchor, members beside $ref."""
    result, request = api31.call("get_thing", 1, 1, answer=httpx.Response(200, json=THING))

    assert THING == result.to_dict()
    assert "/things/1/1" == request.url.path
    assert ("m", 1, None) == (result.extended.more, result.anchored.n, result.inner.deep)


@pytest.mark.parametrize(
    ("identifier", "method", "package"),
    [("trace", "TRACE", "import_"), ("head_it", "HEAD", "import_"), ("class", "OPTIONS", "etc")],
)
def test_rare_methods_and_names(api31: Api, identifier: str, method: str, package: str) -> None:
    """HEAD, OPTIONS and TRACE are called; keywords and paths as tags are only names."""
    _, request = api31.call(identifier, answer=httpx.Response(200, json={}))

    assert (method, package) == (request.method, api31.operations.OPERATIONS[identifier].tag)


def test_names_in_any_script(api31: Api) -> None:
    """Letters outside ASCII stay; the wire has them as they are."""
    model = api31.models.ÜNÏCodeNäMe.from_dict({"größe": 1, "名前": "x"})

    assert {"größe": 1, "名前": "x"} == model.to_dict()


def test_every_collection_format(api20: Api) -> None:
    """csv, ssv, tsv, pipes and multi: each list is written as 2.0 says."""
    many = api20.models.ListMultiItem("a")

    _, request = api20.call(
        "list",
        answer=httpx.Response(200, json=[]),
        csv=["a", "b"],
        ssv=["a", "b"],
        tsv=["a", "b"],
        pipes=[1, 2],
        multi=[many, many],
        page=2,
    )

    assert {
        "csv": ["a,b"],
        "ssv": ["a b"],
        "tsv": ["a\tb"],
        "pipes": ["1|2"],
        "multi": ["a", "a"],
        "page": ["2"],
    } == query(request)


def test_bodies_and_files_of_2_0(api20: Api) -> None:
    """A body by reference, a file in a form, a form shared by the path, a file as an answer."""
    thing = {"kind": "Thing", "when": None, "state": None, "data": "aGk="}
    file = api20.types.File(payload=BytesIO(b"x"), file_name="f")

    made, sent = api20.call(
        "create", answer=httpx.Response(201, json=thing), body=api20.models.Thing.from_dict(thing)
    )
    _, upload = api20.call(
        "upload", answer=httpx.Response(200, json={}), body=api20.models.UploadBody(file=file)
    )
    _, form = api20.call(
        "form", answer=httpx.Response(204), body=api20.models.FormBody(a="1", shared="2")
    )
    answer, fetched = api20.call("file", "1,2", answer=httpx.Response(200, content=b"pdf"))

    assert (thing, thing) == (made.to_dict(), json.loads(sent.content))
    assert b'name="file"; filename="f"' in upload.content
    assert b"a=1&shared=2" == form.content
    assert (b"pdf", "/file/1,2") == (answer.payload.read(), fetched.url.path)
