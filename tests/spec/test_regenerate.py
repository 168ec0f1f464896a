"""The command line: what it builds, compares, reports, and what it says when it cannot."""

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scripts import regenerate
from scripts.spec import check, generate, overlay, stamp, table
from scripts.spec.errors import EnvironmentProblem, LossError
from scripts.spec.tree import digest
from tests.spec.conftest import CORPUS
from tests.spec.test_all_or_nothing import SMALL, newer, project, snapshot, template

ROOT = Path(__file__).parents[2]
VENDOR = ROOT.parent / "shared" / "api" / "vendor-swagger-2018.json"

__all__ = ["project", "template"]  # fixtures


def shuffled(node: Any, chance: random.Random) -> Any:
    """The same document with the keys of every object in another order."""
    if isinstance(node, dict):
        keys = list(node)
        chance.shuffle(keys)
        return {key: shuffled(node[key], chance) for key in keys}
    if isinstance(node, list):
        return [shuffled(item, chance) for item in node]
    return node


def test_this_repository_is_what_its_document_gives() -> None:
    """generated_client/ is exactly what openapi.json and the pinned generator give."""
    assert regenerate.main(["--check"]) == 0


@pytest.mark.parametrize(
    "name", ["types.py", "models/a.py", "api/default/get_a.py", "py.typed", "GENERATED.toml"]
)
def test_check_names_a_file_in_which_one_byte_changed(
    project: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every file counts, the record of the origin too."""
    file = project / "generated_client" / name
    data = bytearray(file.read_bytes())
    data[-2] ^= 1
    file.write_bytes(data)

    code = regenerate.main(["--check"], root=project)

    out, err = capsys.readouterr()
    assert (1, f"generated_client/{name}: differs\n") == (code, out)
    assert "run `python scripts/regenerate.py`" in err


def test_check_names_missing_and_foreign_files(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file too few, one too many, and a link where a file belongs; caches of Python are none."""
    package = project / "generated_client"
    (package / "types.py").unlink()
    (package / "mine.py").write_text("")
    (package / "errors.py").rename(package / "other")
    (package / "errors.py").symlink_to(package / "other")
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "x.pyc").write_bytes(b"")

    assert regenerate.main(["--check"], root=project) == 1

    assert [
        "generated_client/errors.py: differs",
        "generated_client/mine.py: not generated",
        "generated_client/other: not generated",
        "generated_client/types.py: missing",
    ] == capsys.readouterr().out.splitlines()


def test_check_sees_a_changed_source(project: Path) -> None:
    """Where the document came from cannot be derived again, so it is sealed."""
    published = json.loads((project / "openapi.json").read_text())
    file = project / "generated_client" / stamp.ORIGIN
    document = digest(published)
    origin = stamp.origin(
        document_digest=document,
        versions=generate.versions(),
        source="https://a.test/d",
        etag='"1"',
    )
    file.write_text(origin)
    assert regenerate.main(["--check"], root=project) == 0

    file.write_text(origin.replace("a.test", "b.test"))

    assert regenerate.main(["--check"], root=project) == 1


def test_check_changes_nothing(project: Path) -> None:
    """Not a byte, not a cache, not a folder."""
    before = snapshot(project)

    regenerate.main(["--check"], root=project)

    assert before == snapshot(project)


@pytest.mark.parametrize("name", ["features30.yaml", "features20.yaml"])
def test_the_order_of_keys_does_not_matter(
    name: str, tmp_path: Path, built: Callable[[str], Path]
) -> None:
    """The same document in any order gives the same bytes in every file."""
    from scripts.spec import read

    data = read.read_file(CORPUS / name).data
    other = tmp_path / "other.json"
    other.write_text(json.dumps(shuffled(data, random.Random(7))))
    package = built(name)
    again = tmp_path / package.name

    assert regenerate.main(["--from", str(other), "--output", str(again)]) == 0

    assert [] == check.differences(again, package)


def test_from_reports_stores_and_rebuilds(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The document is kept byte for byte, the package is new, the report says what came."""
    new = project.parent / "new.json"

    code = regenerate.main(["--from", str(new)], root=project)

    assert (0, new.read_bytes()) == (code, (project / "openapi.json").read_bytes())
    assert "compatible operation  get_b: added (GET /b)" in capsys.readouterr().out
    assert regenerate.main(["--check"], root=project) == 0


def test_from_yaml_is_stored_as_json(project: Path, tmp_path: Path) -> None:
    """openapi.json is JSON, whatever the publisher writes."""
    yaml = tmp_path / "new.yaml"
    yaml.write_text("openapi: 3.0.3\ninfo: {title: T, version: 2018-01-01}\npaths: {}\n")

    assert regenerate.main(["--from", str(yaml)], root=project) == 0

    assert "2018-01-01" == json.loads((project / "openapi.json").read_text())["info"]["version"]


def test_the_first_document_of_a_project(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is there yet: all of it is new."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "first.json").write_text(newer())

    assert regenerate.main(["--from", str(tmp_path / "first.json")], root=tmp_path) == 0

    assert "get_a: added" in capsys.readouterr().out
    assert (tmp_path / "generated_client" / "operations.py").is_file()


def test_diff_only_reports(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--diff changes nothing; --format json is for programs."""
    before = snapshot(project)
    arguments = ["--from", str(project.parent / "new.json"), "--diff", "--format", "json"]

    code = regenerate.main(arguments, root=project)

    assert (0, before) == (code, snapshot(project))
    report = json.loads(capsys.readouterr().out)
    assert (0, 1) == (report["breaking"], report["compatible"])


def test_fail_on_breaking_replaces_nothing(project: Path, tmp_path: Path) -> None:
    """Exit code 5, and the tree is as it was; a compatible change goes through."""
    before = snapshot(project)
    empty = tmp_path / "empty.json"
    empty.write_text(json.dumps({**SMALL, "paths": {}}))

    code = regenerate.main(["--from", str(empty), "--fail-on", "breaking"], root=project)

    assert (5, before) == (code, snapshot(project))
    new = str(project.parent / "new.json")
    assert regenerate.main(["--from", new, "--fail-on", "breaking"], root=project) == 0


def test_output_leaves_the_document_alone(project: Path, tmp_path: Path) -> None:
    """--output builds a package of that name, again if need be, and nothing else."""
    before = snapshot(project)
    target = tmp_path / "some" / "where" / "client"
    arguments = ["--from", str(project.parent / "new.json"), "--output", str(target)]

    codes = [regenerate.main(arguments, root=project) for _ in range(2)]

    assert ([0, 0], before) == (codes, snapshot(project))
    assert (target / "api" / "default" / "get_b.py").is_file()
    assert ["client"] == [path.name for path in target.parent.iterdir()]


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("not-a-name", 3, "no package name"),
        ("full", 6, "not generated"),
        ("file", 6, "not generated"),
    ],
)
def test_an_output_that_would_do_harm_is_refused(
    project: Path,
    tmp_path: Path,
    name: str,
    code: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A folder with other things in it is not replaced, and a name must be importable."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "precious").write_text("1")
    (tmp_path / "file").write_text("1")

    assert code == regenerate.main(["--output", str(tmp_path / name)], root=project)

    assert said in capsys.readouterr().err
    assert (tmp_path / "full" / "precious").read_text() == "1"


def test_a_failed_output_leaves_no_folders(project: Path, tmp_path: Path) -> None:
    """Folders that were made for the output go again."""
    broken = tmp_path / "broken.json"
    broken.write_text(json.dumps({**SMALL, "components": {}}))
    target = tmp_path / "some" / "where" / "client"

    assert regenerate.main(["--from", str(broken), "--output", str(target)], root=project) == 3

    assert not (tmp_path / "some").exists()


def test_broken_references_are_listed_and_an_overlay_mends_them(
    project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each place that leads nowhere is named; with the overlay the document builds."""
    broken = json.loads(json.dumps(SMALL))
    schemas = broken["components"]["schemas"]
    schemas["A"]["properties"] = {
        "gone": {"$ref": "#/components/schemas/Gone"},
        "file": {"$ref": "other.yaml#/X"},
    }
    schemas["Round"] = {"$ref": "#/components/schemas/About"}
    schemas["About"] = {"$ref": "#/components/schemas/Round"}
    (tmp_path / "broken.json").write_text(json.dumps(broken))
    arguments = ["--from", str(tmp_path / "broken.json"), "--output", str(tmp_path / "out")]

    assert regenerate.main(arguments, root=project) == 3

    said = capsys.readouterr().err
    assert "4 broken references" in said
    assert "#/components/schemas/A/properties/gone: #/components/schemas/Gone leads nowhere" in said
    assert "other.yaml#/X leads to another file; bundle" in said
    assert "goes round in a circle" in said
    (tmp_path / "mend.yaml").write_text(
        "overlay: 1.0.0\nx-applies-to: {/info/title: Small}\nactions:\n"
        "- {target: $.components.schemas.Gone, description: never matches, remove: true}\n"
        "- {target: $.components.schemas, description: left out, update: {Gone: {type: string}}}\n"
        "- {target: $.components.schemas.A.properties.file, description: elsewhere, remove: true}\n"
        "- {target: \"$.components.schemas['Round','About']\", description: round, remove: true}\n"
    )
    monkeypatch.setattr(overlay, "FOLDER", tmp_path)
    assert regenerate.main(arguments, root=project) == 0
    assert (
        "no longer applies: mend.yaml: $.components.schemas.Gone (never matches)"
        in capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--check", "--diff"], "--check goes with no other option"),
        (["--diff"], "--diff needs --from"),
        (["--diff", "--from", "x", "--output", "y"], "takes no --output"),
        (["--fail-on", "breaking"], "--fail-on needs --from"),
    ],
)
def test_a_wrong_command_line_is_exit_code_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What does not go together is said."""
    with pytest.raises(SystemExit) as exit_:
        regenerate.main(arguments)

    assert 2 == exit_.value.code
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("code", ["0 ", "1 ", "2 ", "3 ", "4 ", "5 ", "6 ", "130"])
def test_help_lists_every_exit_code(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    """CI can tell one failure from another."""
    with pytest.raises(SystemExit):
        regenerate.main(["--help"])

    assert f"\n  {code} " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("pins", "said"),
    [
        (["no-such-package==1"], "no-such-package 1 is needed and is not installed here"),
        (["ruff==0.0.1"], "ruff 0.0.1 is needed and is 0."),
    ],
)
def test_a_missing_generator_is_one_line(
    project: Path, pins: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says what is missing and which command brings it."""
    text = f"[dependency-groups]\ngenerate = {json.dumps(pins)}\n"
    (project / "pyproject.toml").write_text(text)

    assert regenerate.main([], root=project) == 6

    error = capsys.readouterr().err
    assert error.startswith(f"regenerate: {said}")
    assert "python -m nox -s regenerate" in error
    assert 1 == error.count("\n")


def test_a_place_that_cannot_be_taken_is_said(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A rename that the system refuses: one line, everything as it was."""
    from scripts.spec import swap

    def refuse(*_: object) -> None:
        raise swap.SwapError("Device or resource busy")

    before = snapshot(project)
    monkeypatch.setattr(swap.Workplace, "commit", refuse)

    assert regenerate.main([], root=project) == 6

    assert "could not take their places: Device or resource busy" in capsys.readouterr().err
    assert before == snapshot(project)


def test_a_killed_run_is_undone_at_the_next_start(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a power cut left is removed, and said."""
    (project / ".regenerate-left").mkdir()

    assert regenerate.main([], root=project) == 0

    assert "a killed run was undone (.regenerate-left)" in capsys.readouterr().err
    assert not (project / ".regenerate-left").exists()


# --- nothing is lost ---


def test_a_module_that_does_not_import_stops_the_run(tmp_path: Path) -> None:
    """A syntax error, a warning, a missing function: each module is named."""
    package = tmp_path / "package"
    (package / "api" / "t").mkdir(parents=True)
    for name, text in {
        "__init__.py": "",
        "bad.py": "1 +",
        "warns.py": "x = '\\d'",
        "lazy.py": "__all__ = ['gone']",
        "api/__init__.py": "",
        "api/t/__init__.py": "",
        "api/t/m.py": "",
        "operations.py": "class R:\n    tag, module = 't', 'm'\nOPERATIONS = {'m': R}\n",
    }.items():
        (package / name).write_text(text)

    with pytest.raises(LossError) as stopped:
        check.import_all(package)

    assert ["bad", "lazy", "warns", "api", "api"] == [
        finding.split(":")[0].split(".")[1] for finding in stopped.value.findings
    ]


def test_operations_without_a_module_are_named() -> None:
    """What the generator left out has a line of its own."""
    document = {"paths": {"/a": {"get": {"operationId": "get_a"}}}}
    nothing = generate.Generated(modules=(), classes=frozenset())

    with pytest.raises(LossError, match=r"GET /a \(get_a\): no module"):
        table.rows(document, nothing)


def test_parts_that_a_rule_or_the_generator_dropped_are_named() -> None:
    """Operations and schemas are counted in and out."""
    from scripts.spec.rules import Notes

    notes = Notes(classes={"Kept": "Kept", "Alias": "Alias"})
    document: dict[str, Any] = {
        "paths": {"/a": {"get": {}}},
        "components": {"schemas": {"Kept": {}, "Gone": {}, "Alias": {}}},
    }
    normal = {
        "components": {
            "schemas": {"Kept": {"type": "object"}, "Alias": {"$ref": "#/components/schemas/Kept"}}
        }
    }

    with pytest.raises(LossError) as stopped:
        table.account(document, notes, generate.Generated(modules=(), classes=frozenset()), normal)

    assert (
        "GET /a: dropped by a rule",
        "schema Kept: the generator made no class Kept",
        "schema Gone: dropped by a rule",
        "schema Alias: the generator made no class Alias",
    ) == stopped.value.findings


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"openapi": "3.1.0"}, "The generator refuses the document"),
        (
            {
                "openapi": "3.1.0",
                "info": {"title": "t", "version": "1"},
                "paths": {},
                "components": {"schemas": {"A": {"type": "array"}}},
            },
            "The generator would leave something out",
        ),
        (
            {
                "openapi": "3.1.0",
                "info": {"title": "t", "version": "1"},
                "paths": {},
                "components": {"schemas": {"A": {"type": "string", "enum": ["a", "A"]}}},
            },
            "The generator stops with ValueError: Duplicate key A",
        ),
    ],
)
def test_whatever_the_generator_says_stops_the_run(
    tmp_path: Path, document: dict[str, Any], said: str
) -> None:
    """An error, a warning, an exception: each ends in one clear line."""
    from scripts.spec.rules import Notes

    with pytest.raises(LossError, match=said):
        generate.generate(document, Notes(), tmp_path / "package", tmp_path)


def test_a_formatter_that_fails_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ruff's own words, in one line."""
    monkeypatch.setattr(generate, "RUFF_LINT", ("check", "--no-such-option"))

    with pytest.raises(EnvironmentProblem, match=r"ruff check failed: .*--no-such-option"):
        generate.format_code(tmp_path)


def test_long_messages_are_cut(tmp_path: Path) -> None:
    """One line stays one line."""
    assert 300 == len(generate._one_line("word " * 100))


# --- the vendor's real document ---


@pytest.mark.skipif(not VENDOR.exists(), reason="the vendor's document is not beside the project")
def test_the_published_document_builds_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """122 operations, 231 schemas, no warning, every repair of use."""
    package = tmp_path / "published"

    assert regenerate.main(["--from", str(VENDOR), "--output", str(package)]) == 0

    said = capsys.readouterr().err
    assert "122/122 operations, 231/231 schemas" in said
    assert "no longer applies" not in said
    operations = [p for p in package.glob("api/*/*.py") if p.name != "__init__.py"]
    assert 122 == len(operations)
