"""
Whether a package is whole: every module imports, and it is what it should be, byte for byte.
"""

import filecmp
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from scripts.spec.errors import LossError

IMPORT_ALL = """
import importlib, pathlib, sys, warnings
warnings.simplefilter("error")
parent, name = sys.argv[1:]
sys.path.insert(0, parent)
root = pathlib.Path(parent, name)
failed = 0
for file in sorted(root.rglob("*.py")):
    parts = (name, *file.relative_to(root).with_suffix("").parts)
    module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    try:
        loaded = importlib.import_module(module)
        for public in getattr(loaded, "__all__", ()):
            getattr(loaded, public)
    except BaseException as error:
        failed += 1
        print(f"{module}: {type(error).__name__}: {' '.join(str(error).split())[:300]}")
for row in importlib.import_module(name + ".operations").OPERATIONS.values():
    module = importlib.import_module(f"{name}.api.{row.tag}.{row.module}")
    for function in ("sync_detailed", "asyncio_detailed"):
        if not callable(getattr(module, function, None)):
            failed += 1
            print(f"{module.__name__}: no {function}")
sys.exit(1 if failed else 0)
"""
"""Run in a process of its own: the package is new code, and leaves nothing behind here."""


def import_all(package: Path) -> None:
    """
    Nothing, when every module of the package imports without a warning.

    Raises:
        LossError: Names each module that does not.
    """
    result = subprocess.run(
        [sys.executable, "-B", "-X", "utf8", "-c", IMPORT_ALL, str(package.parent), package.name],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": ""},
    )
    if result.returncode:
        lines = [*result.stdout.splitlines(), *result.stderr.splitlines()[-1:]]
        raise LossError("Generated modules cannot be imported:", lines)


def files(package: Path) -> Iterator[str]:
    """Every file of a package, relative; what Python leaves behind when it imports is not one."""
    for path in sorted(package.rglob("*")):
        if (path.is_file() or path.is_symlink()) and "__pycache__" not in path.parts:
            yield path.relative_to(package).as_posix()


def differences(present: Path, wanted: Path) -> list[str]:
    """One line per file that is missing, too many, or different."""
    have, want = set(files(present)), set(files(wanted))
    lines = [f"{name}: missing" for name in want - have]
    lines += [f"{name}: not generated" for name in have - want]
    lines += [
        f"{name}: differs"
        for name in have & want
        if (present / name).is_symlink()
        or not filecmp.cmp(present / name, wanted / name, shallow=False)
    ]
    return sorted(lines)
