"""
The folder of templates that the generator is given.
"""

import re
from pathlib import Path

import pytest
from jinja2 import Environment

from scripts.spec import templates
from scripts.spec._patch import Patch
from scripts.spec.errors import EnvironmentProblem
from scripts.spec.patches import PATCHES


def patch(template: str = "str_enum.py.jinja", find: str = "class", put: str = "x") -> Patch:
    """
    A patch, for a reason.
    """
    return Patch(template=template, find=find, put=put, why="the reason")


@pytest.mark.parametrize(
    ("wrong", "found"),
    [(patch(find="not there at all"), "found 0"), (patch(find="e"), r"found \d\d")],
    ids=["missing", "ambiguous"],
)
def test_a_place_that_is_not_found_once_stops_the_run(wrong: Patch, found: str) -> None:
    """
    The error names template, patch and reason, and what to do.
    """
    with pytest.raises(EnvironmentProblem, match=found) as caught:
        templates.apply([wrong])

    message = str(caught.value)
    for part in ("str_enum.py.jinja", repr(wrong.find), "the reason", "patches.py"):
        assert part in message
    assert 1 == len(message.splitlines())


def test_a_template_that_is_gone_stops_the_run() -> None:
    """
    An upgrade of the generator may rename templates.
    """
    with pytest.raises(EnvironmentProblem, match=r"gone\.jinja.*no such template"):
        templates.apply([patch(template="gone.jinja")])


def test_nothing_is_written_when_a_patch_does_not_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A generator that is given half of the templates would make a wrong client.
    """
    monkeypatch.setattr(templates, "PATCHES", [patch(find="not there at all")])

    with pytest.raises(EnvironmentProblem):
        templates.build(tmp_path / "templates")

    assert [] == list(tmp_path.iterdir())


def test_patches_of_one_template_build_on_each_other() -> None:
    """
    The second one sees what the first one put.
    """
    result = templates.apply([patch(find="class ", put="klass "), patch(find="klass ", put="c ")])

    assert "c {{" in result["str_enum.py.jinja"]


def test_every_patch_fits_the_installed_generator_and_has_a_reason() -> None:
    """
    And changes something.
    """
    texts = templates.apply(PATCHES)

    assert {one.template for one in PATCHES} == set(texts)
    for one in PATCHES:
        assert one.put in texts[one.template]
        assert one.why
        assert one.find != one.put


def test_the_folder_is_the_same_every_time(tmp_path: Path) -> None:
    """
    And holds our templates, the patched ones and the facts.
    """
    for name in ("one", "two"):
        templates.build(tmp_path / name, {"paths": {}})

    one, two = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}
        for name in ("one", "two")
    )
    assert one == two
    assert {"model.py.jinja", "client.py.jinja", "str_enum.py.jinja", "_facts.jinja"} <= set(one)


def test_our_templates_are_not_the_generators() -> None:
    """
    None of its sentences is kept here.
    """
    from importlib import resources

    theirs = resources.files(templates.GENERATOR) / "templates"
    for own in templates.OWN_TEMPLATES.glob("*.jinja"):
        other = theirs / own.name
        if not other.is_file():
            continue
        lines = {line.strip() for line in other.read_text("utf-8").splitlines()}
        shared = {line.strip() for line in own.read_text("utf-8").splitlines()} & lines
        # Code that does what callers expect may be alike; sentences have no reason to be.
        said = [one for one in shared if re.search(r"([A-Za-z]+ ){5}", one)]
        assert [] == said, own.name


HOSTILE = "a\"b\\c {{ 7*7 }} {% raw %} {# x #} \U0001f600 \u2028 ' %}"


@pytest.mark.parametrize("security", ["operation", "document"])
def test_facts_are_data_in_the_template_too(security: str) -> None:
    """
    Ids and scopes may hold the template engine's own signs.
    """
    needed = [{"oauth2": [HOSTILE, "b"]}, {"other": ["never"]}]
    operation = {"operationId": f"get {HOSTILE}"}
    document = {"paths": {"/": {"get": operation, "parameters": []}}}
    if security == "operation":
        operation["security"] = needed  # type: ignore[assignment]
    else:
        document["security"] = needed  # type: ignore[assignment]

    source = templates.facts(document)
    module = Environment().from_string(source).module
    (facts,) = module.facts.values()  # type: ignore[attr-defined]

    assert (f"get {HOSTILE}", sorted([HOSTILE, "b"])) == (facts["id"], facts["scopes"])
    assert not re.search(r"[{}%#]", "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', source)))


def test_operations_without_an_id_or_security_have_no_facts_to_tell() -> None:
    """
    The generator names them itself.
    """
    document = {"paths": {"/": {"get": {}, "post": {"operationId": "p", "security": []}}}}

    module = Environment().from_string(templates.facts(document)).module
    facts = module.facts  # type: ignore[attr-defined]
    assert {"post p": ("p", [])} == {key: (it["id"], it["scopes"]) for key, it in facts.items()}
