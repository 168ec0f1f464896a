"""
The small document as two packages: by the generator alone, and with our templates.
"""

import contextlib
import io
import json
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from openapi_python_client import generate
from openapi_python_client.config import Config, ConfigFile, MetaType

from scripts.spec import templates
from tests.generated.document import DOCUMENT
from tests.generated.package import Package


def write(folder: Path, name: str, custom: Path | None) -> None:
    """
    The package *name* of the small document, in *folder*.
    """
    source = folder / "document.json"
    source.write_text(json.dumps(DOCUMENT), "utf-8")
    config = Config.from_sources(
        ConfigFile(post_hooks=[]),
        MetaType.NONE,
        source,
        "utf-8",
        overwrite=False,
        output_path=folder / name,
    )
    with contextlib.redirect_stdout(io.StringIO()):
        problems = generate(config=config, custom_template_path=custom)
    assert [] == list(problems)


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """
    A folder on the import path with the packages plain_small and own_small.
    """
    folder = tmp_path_factory.mktemp("packages")
    templates.build(folder / "templates", DOCUMENT)
    write(folder, "plain_small", None)
    write(folder, "own_small", folder / "templates")
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


@pytest.fixture(scope="session")
def plain(packages: Path) -> Package:
    """
    What the generator gives by default.
    """
    return Package(import_module("plain_small"))


@pytest.fixture(scope="session")
def own(packages: Path) -> Package:
    """
    What it gives with our templates.
    """
    return Package(import_module("own_small"))
