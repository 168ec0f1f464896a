"""
A user's program under mypy and pyright.
"""

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PROGRAM, MISTAKES = HERE / "program.py", HERE / "mistakes.py"


def mypy(source: Path, cache: Path) -> Counter[tuple[int, str]]:
    """
    Line and rule of each complaint of mypy --strict.
    """
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(cache), "-O", "json"]
    done = subprocess.run(
        [*command, str(source)], capture_output=True, text=True, timeout=180, cwd=ROOT, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return Counter((one["line"], one["code"]) for one in found if one["severity"] == "error")


def pyright(source: Path, cache: Path) -> Counter[tuple[int, str]]:
    """
    Line and rule of each complaint of pyright in its strict mode.
    """
    pytest.importorskip("basedpyright", reason="pyright is not installed: pip install basedpyright")
    configuration = cache / "pyrightconfig.json"
    configuration.write_text(
        json.dumps(
            {
                "include": [str(source)],
                "extraPaths": [str(ROOT)],
                "typeCheckingMode": "strict",
                "reportUnusedExpression": False,
                "reportUnusedImport": False,
                "reportUnknownMemberType": False,
                "reportUnknownVariableType": False,
                "reportUnknownArgumentType": False,
            }
        ),
        "utf-8",
    )
    done = subprocess.run(
        [sys.executable, "-m", "basedpyright", "--outputjson", "-p", str(configuration)],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return Counter(
        (one["range"]["start"]["line"] + 1, one["rule"])
        for one in json.loads(done.stdout)["generalDiagnostics"]
        if one["severity"] == "error"
    )


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    What the checkers keep between two runs.
    """
    return tmp_path_factory.mktemp("checkers")


CHECKERS = pytest.mark.parametrize("checker", [mypy, pyright])


@CHECKERS
def test_the_program_is_clean(checker: object, cache: Path) -> None:
    """
    No cast, no ignore and no None check that the service does not make necessary.
    """
    assert callable(checker)
    text = PROGRAM.read_text("utf-8")

    assert Counter() == checker(PROGRAM, cache)
    assert not re.search(r"type: ignore|cast\(|Any\b", text)


@CHECKERS
def test_mistakes_are_found(
    checker: Callable[[Path, Path], Counter[tuple[int, str]]], cache: Path
) -> None:
    """
    Lazy loading does not blind a type checker: each marked line is told, and no other.
    """
    name = getattr(checker, "__name__", "")
    marked = {
        (number, rule)
        for number, line in enumerate(MISTAKES.read_text("utf-8").splitlines(), 1)
        for rule in re.findall(rf"# {name}: ([\w-]+)", line)
    }

    assert marked
    assert marked == set(checker(MISTAKES, cache))
