"""
Whole documents: every module of the client imports, and mypy --strict has nothing to say.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from scripts.regenerate import main

ROOT = Path(__file__).parents[2]
VENDOR = ROOT.parent / "shared" / "api" / "vendor-swagger-2018.json"

LOAD = """
import importlib, pkgutil, sys, warnings
warnings.simplefilter("error")
package = importlib.import_module(sys.argv[1])
count = 0
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    importlib.import_module(module.name)
    count += 1
models = importlib.import_module(package.__name__ + ".models")
for name in models.__all__:
    model = getattr(models, name)
    if hasattr(model, "from_dict"):
        try:
            model.from_dict({})
        except ValueError as error:
            assert "is missing" in str(error), error
print(count)
"""


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """
    The client in the repository, and one of the vendor's own document.
    """
    made = {"openapi.json": ROOT / "generated_client"}
    if VENDOR.is_file():
        output = tmp_path_factory.mktemp("vendor") / "vendor_client"
        assert 0 == main(["--from", str(VENDOR), "--output", str(output)])
        made["vendor"] = output
    return made


@pytest.mark.parametrize("document", ["openapi.json", "vendor"])
def test_every_module_imports_and_is_typed(
    document: str, clients: dict[str, Path], tmp_path: Path
) -> None:
    """
    As a user's own check would find it.
    """
    if document not in clients:
        pytest.skip("the vendor's document is not here")
    package = clients[document]

    loaded = subprocess.run(
        [sys.executable, "-B", "-c", LOAD, package.name],
        cwd=package.parent,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    typed = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            "--cache-dir",
            str(tmp_path),
            "-p",
            package.name,
        ],
        cwd=package.parent,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert "" == loaded.stderr
    assert 500 < int(loaded.stdout)
    assert "Success" in typed.stdout, typed.stdout[-2000:]
