"""
scripts/docs.py: what is filled into the pages comes from the code, and is current.
"""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import auth_ext
from auth_ext.sandbox import Sandbox
from auth_ext.sandbox._faults import KINDS
from generated_client.operations import OPERATIONS, SCOPES, Operation
from scripts import docs, docs_errors

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    The folder of pages, made anew from a copy in which all parts are empty.
    """
    folder = tmp_path_factory.mktemp("docs")
    for path in DOCS.glob("*.md"):
        empty = docs.PART.sub(lambda part: part["head"] + part["tail"], path.read_text("utf-8"))
        (folder / path.name).write_text(empty, "utf-8")
    assert 0 == docs.main([], folder)
    return folder


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.[ms][dv]*")), ids=lambda page: page.name)
def test_pages_are_current(page: Path, made: Path) -> None:
    """
    What is committed is what running the code gives today; else: python scripts/docs.py.
    """
    assert (made / page.name).read_bytes() == page.read_bytes()


def test_a_second_run_changes_nothing(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    The same code gives the same pages, byte for byte.
    """
    assert 0 == docs.main(["--check"], made)
    assert "" == capsys.readouterr().out


def test_check_names_the_page_that_is_not_current(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Exit code 1, the page, and the command that mends it; nothing is written.
    """
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    page = tmp_path / "scopes.md"
    old = page.read_text("utf-8").replace("| Scope |", "| Sope |")
    page.write_text(old, "utf-8")

    assert 1 == docs.main(["--check"], tmp_path)
    assert "scopes.md: not current\nRun: python scripts/docs.py\n" == capsys.readouterr().out
    assert old == page.read_text("utf-8")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "<!-- made by scripts/docs.py: weather -->\n<!-- end of weather -->",
            "there is no part weather",
        ),
        ("", "no page has the part clients, control"),
    ],
)
def test_parts_and_pages_belong_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, told: str
) -> None:
    """
    A page that asks for what there is not, and a part that no page has, are one line and code 2.
    """
    (tmp_path / "page.md").write_text(text, "utf-8")

    assert 2 == docs.main([], tmp_path)
    assert f"docs: {told}" in capsys.readouterr().err


# The scope table


def rows(markdown: str) -> list[list[str]]:
    """
    The cells of the rows of tables.
    """
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in markdown.splitlines()
        if line.startswith("| `")
    ]


def test_every_operation_is_under_each_of_its_scopes() -> None:
    """
    As many rows as there are pairs of operation and scope; those without one come once.
    """
    found = {}
    for section in docs.operations().split("### ")[1:]:
        title, _, table = section.partition("\n")
        found[title.strip("`")] = {row[0].strip("`") for row in rows(table)}

    expected: dict[str, set[str]] = {}
    for one in OPERATIONS.values():
        bare = "A token, but no scope" if one.authenticated else "No token"
        for scope in one.scopes or (bare,):
            expected.setdefault(scope, set()).add(f"{one.tag}.{one.id}")
    assert expected == found


@pytest.mark.parametrize(
    ("authenticated", "heading"), [(True, "### A token, but no scope"), (False, "### No token")]
)
def test_operations_without_scopes_are_not_lost(
    monkeypatch: pytest.MonkeyPatch, authenticated: bool, heading: str
) -> None:
    """
    They have headings of their own; a heading with nothing under it is left out.
    """
    one = Operation("ping", "health", "ping", "GET", "/a|b", (), authenticated, "Is it up?")
    monkeypatch.setattr(docs, "OPERATIONS", {"ping": one})

    text = docs.operations()

    assert text.startswith(heading)
    assert 1 == text.count("###")
    assert "| `health.ping` | `GET /a\\|b` | Is it up? |" in text


def test_every_scope_is_listed_with_its_count() -> None:
    """
    All scopes of the document, and how many operations need each.
    """
    expected = {scope: sum(scope in one.scopes for one in OPERATIONS.values()) for scope in SCOPES}
    assert expected == {row[0].strip("`"): int(row[2]) for row in rows(docs.scopes())}


# The sandbox


def test_every_fault_says_what_it_does() -> None:
    """
    No kind is without a text, and none has another kind's.
    """
    table = {row[0].strip("`"): row[-1] for row in rows(docs.faults())}

    assert KINDS.keys() == table.keys()
    assert all(table.values())
    assert "Always 401" == table["unauthorized"]
    assert "Elsewhere" == table["redirect"]
    assert table["html"] == table["empty"]


def test_a_fault_without_a_text_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A kind that the docstring of `misbehave` forgets stops the build.
    """
    monkeypatch.setattr(docs, "KINDS", {**KINDS, "meteorite": {}})

    with pytest.raises(docs.DocsError, match="nothing of meteorite"):
        docs.faults()


def test_the_control_table_works() -> None:
    """
    What the table lists is what the control URL says that it knows.
    """
    with Sandbox() as sandbox:
        known = sandbox._told.handle("GET", "/nowhere", {})[1]["known"]
    listed = [row[0].strip("`").replace("ID", "*") for row in rows(docs.control())]
    assert known == listed


# Errors


def test_every_public_error_has_a_text_on_its_page() -> None:
    """
    Each class that users can import and meet; the bases are told in words.
    """
    kinds = {
        name
        for name in auth_ext.__all__
        if isinstance(getattr(auth_ext, name), type)
        and issubclass(getattr(auth_ext, name), Exception)
    }
    shown = {name.partition(" ")[0] for name in docs_errors.TROUBLES}

    assert {"AuthError"} == kinds - shown
    page = (DOCS / "errors.md").read_text("utf-8")
    headings = re.findall(r"^### (?:httpx\.)?(\w+)$", page, re.MULTILINE)
    assert shown - {"DeprecationWarning"} == set(headings)


def test_texts_hold_nothing_that_changes(made: Path) -> None:
    """
    Ports, ids and secrets are the same in every run, or not there.
    """
    text = (made / "errors.md").read_text("utf-8")

    assert {"127.0.0.1:50000"} == set(re.findall(r"127\.0\.0\.1:\d+", text))
    assert "no-secret" not in text
    assert "some-other-secret" not in text


@pytest.mark.parametrize(
    ("act", "told"),
    [(lambda scene: None, "did not come about"), (docs_errors._no_scopes, "came as")],
)
def test_a_trouble_that_stays_away_is_told(
    monkeypatch: pytest.MonkeyPatch, act: Callable[[docs_errors.Scene], object], told: str
) -> None:
    """
    Nothing happened, or something else: the build stops, so that no page shows an old text.
    """
    monkeypatch.setattr(docs_errors, "TROUBLES", {"InvalidScope": (auth_ext.InvalidScope, act)})

    with pytest.raises(AssertionError, match=f"InvalidScope {told}"):
        docs_errors.seen()


# Benchmarks


def test_figures_that_are_absent_are_said_to_be(tmp_path: Path) -> None:
    """
    No file, no table, and no figure from elsewhere.
    """
    assert "There are no figures" in docs.measured(tmp_path / "results.json")


@pytest.mark.parametrize("plot", [None, "plot.svg"])
def test_figures_come_from_the_file(tmp_path: Path, plot: str | None) -> None:
    """
    Date, machine, versions, and each row with what was reached, missed or not told.
    """
    results = {
        "date": "2026-11-24",
        "machine": {"cpu": "two cores", "python": "3.11"},
        "versions": {"httpx": "0.28.1", "authlib": "1.4"},
        "rows": [
            {"goal": "one | two", "ours": "1.02x", "peers": {"a": "1.4x", "b": None}, "met": True},
            {"goal": "three", "ours": ["2", 3], "peers": {}, "met": False},
            {"goal": "four", "ours": "5", "peers": {"c": "6"}, "met": None},
        ],
        "plot": plot,
    }
    path = tmp_path / "results.json"
    path.write_text(json.dumps(results), "utf-8")

    text = docs.measured(path)

    assert "Measured on 2026-11-24, on cpu: two cores<br>python: 3.11, with httpx 0.28.1" in text
    assert "| one \\| two | 1.02x | a: 1.4x<br>b: | yes |" in text
    assert "| three | 2<br>3 |  | **no** |" in text
    assert "| four | 5 | c: 6 | not judged |" in text
    assert (plot is not None) is ("![Time per request, beside the peers](plot.svg)" in text)


def test_the_plot_lies_beside_the_pages(tmp_path: Path) -> None:
    """
    The site has nothing but its own files.
    """
    results = tmp_path / "results.json"
    results.write_text('{"plot": "plot.svg"}', "utf-8")
    (tmp_path / "plot.svg").write_bytes(b"<svg/>")

    assert {tmp_path / "docs" / "plot.svg": b"<svg/>"} == docs.picture(tmp_path / "docs", results)
    assert {} == docs.picture(tmp_path, tmp_path / "absent.json")
