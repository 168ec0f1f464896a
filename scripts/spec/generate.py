"""
The pinned generator, run in this process on the normalised document.

In this process, because its own data says which module holds which operation, and because names
that Python cannot tell apart are given back their spelling on the wire here.
"""

import io
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from importlib import metadata
from pathlib import Path
from typing import Any

import attrs
from openapi_python_client import Project
from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.errors import GeneratorError
from openapi_python_client.schema.untrusted_string import UntrustedString

from scripts.spec import templates
from scripts.spec.errors import EnvironmentProblem, LossError
from scripts.spec.rules import Notes
from scripts.spec.tree import Json

RUFF_LINT = ("check", "--fix-only", "--select", "F,I,UP", "--quiet")
"""Named, because ruff's current defaults rewrite annotations of generated code wrongly."""
RUFF_FORMAT = ("format", "--quiet")


@attrs.frozen(kw_only=True)
class Module:
    """Where the generated code of one operation is."""

    method: str
    path: str
    package: str
    name: str


@attrs.frozen(kw_only=True)
class Generated:
    """What the generator made: a module per operation, and the classes."""

    modules: tuple[Module, ...]
    classes: frozenset[str]


def generate(document: Json, notes: Notes, package: Path, scratch: Path) -> Generated:
    """
    Write the package of *document*, unformatted.

    Args:
        document: As `normalise` gives it.
        notes: What `normalise` noted about it.
        package: The folder to write, not there yet.
        scratch: A folder for the templates.

    Raises:
        LossError: The generator warns, fails, or leaves something out.
    """
    templates.build(scratch / "templates", document)
    config = _config(package, notes)
    try:
        with redirect_stdout(io.StringIO()):
            data = GeneratorData.from_dict(document, config=config)
            if isinstance(data, GeneratorError):
                raise LossError("The generator refuses the document:", _lines([data]))
            modules = tuple(_modules(data))
            _restore_names(data, notes)
            project = Project(
                openapi=data, config=config, custom_template_path=scratch / "templates"
            )
            problems = project.build()
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        message = f"The generator stops with {type(error).__name__}: {_one_line(str(error))}"
        raise LossError(f"{message}. Add a rule or an overlay.") from error
    if problems:
        raise LossError("The generator would leave something out:", _lines(list(problems)))
    classes = {one.class_info.name for one in [*data.models, *data.enums]}
    return Generated(modules=modules, classes=frozenset(classes))


def _config(package: Path, notes: Notes) -> Config:
    """Raw bodies are named one by one, so that their own media type is what is sent."""
    file = ConfigFile(
        project_name_override=package.name,
        package_name_override=package.name,
        post_hooks=[],
        content_type_overrides={
            **dict.fromkeys(sorted(notes.raw_media), "application/octet-stream")
        },
    )
    return Config.from_sources(
        file, MetaType.NONE, package, "utf-8", overwrite=False, output_path=package
    )


def _modules(data: GeneratorData) -> Iterator[Module]:
    for tag, collection in data.endpoint_collections_by_tag.items():
        for endpoint in collection.endpoints:
            path = endpoint.path.get_untrusted_value()
            for parameter in endpoint.path_parameters:
                wanted = parameter.name.get_untrusted_value()
                path = path.replace(f"{{{parameter.python_name}}}", f"{{{wanted}}}")
            yield Module(
                method=endpoint.method, path=path, package=str(tag), name=str(endpoint.name)
            )


def _restore_names(data: GeneratorData, notes: Notes) -> None:
    """Python keeps the spelling that is unique, the wire gets the name that the document has."""
    holders: list[Any] = []
    for model in data.models:
        holders += [*(model.required_properties or ()), *(model.optional_properties or ())]
    for collection in data.endpoint_collections_by_tag.values():
        for endpoint in collection.endpoints:
            holders += [
                *endpoint.query_parameters,
                *endpoint.header_parameters,
                *endpoint.cookie_parameters,
            ]
    for one in holders:
        wire = notes.wire_names.get(one.name.get_untrusted_value())
        if wire is not None:
            one.name = UntrustedString(wire)


def _lines(problems: list[GeneratorError]) -> list[str]:
    return [_one_line(f"{one.header.strip()} {one.detail or ''}") for one in problems]


def _one_line(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= 300 else f"{words[:297]}..."


def format_code(package: Path) -> None:
    """
    Put the package into its final layout, with the pinned ruff and no settings from outside.

    Raises:
        EnvironmentProblem: ruff is missing or fails.
    """
    common = ["--isolated", "--no-cache", "--target-version", "py311", "--line-length", "100"]
    for command in (RUFF_LINT, RUFF_FORMAT):
        result = subprocess.run(
            [sys.executable, "-m", "ruff", *command, *common, str(package)],
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode:
            detail = _one_line(result.stderr or result.stdout)
            raise EnvironmentProblem(f"ruff {command[0]} failed: {detail}")


def versions() -> dict[str, str]:
    """The versions that decide every byte of the output."""
    return {name: metadata.version(name) for name in ("openapi-python-client", "ruff")}
