"""The generator's own output for a document, to measure against."""

import contextlib
import importlib
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

PACKAGE = "plain_client"


def prepared(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document without what makes the plain generator drop or break things."""
    copy: dict[str, Any] = json.loads(json.dumps(document, sort_keys=True))
    for item in copy["paths"].values():
        for operation in item.values():
            for response in (
                operation.get("responses", {}).values() if "responses" in operation else ()
            ):
                content = response.get("content", {})
                if content and "application/json" not in content:
                    binary = {"schema": {"type": "string", "format": "binary"}}
                    response["content"] = {"application/octet-stream": binary}
    return copy


def generate_plain(document: Mapping[str, Any], folder: Path) -> None:
    """
    Write the package plain_client into *folder* with the generator's own templates.

    Raises:
        RuntimeError: The generator had something to say.
    """
    from openapi_python_client import generate
    from openapi_python_client.config import Config, ConfigFile, MetaType

    source = folder / "document.json"
    source.write_text(json.dumps(prepared(document)), "utf-8")
    with contextlib.redirect_stdout(sys.stderr):
        problems = generate(
            config=Config.from_sources(
                ConfigFile(post_hooks=[]),
                MetaType.NONE,
                source,
                "utf-8",
                overwrite=True,
                output_path=folder / PACKAGE,
            )
        )
    if problems:
        raise RuntimeError(f"the plain generator complains: {problems[0]}")


@contextlib.contextmanager
def plain_client(document: Mapping[str, Any]) -> Iterator[Any]:
    """The models of the generator's own output, importable for the time of the block."""
    with tempfile.TemporaryDirectory() as folder:
        generate_plain(document, Path(folder))
        sys.path.insert(0, folder)
        try:
            yield importlib.import_module(f"{PACKAGE}.models")
        finally:
            sys.path.remove(folder)
