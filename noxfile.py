"""
Everything we run, by name. `nox -l` lists it; CI runs the same names.

Each session makes its own environment: nothing but Python and nox is needed beforehand.
"""

import os
import shutil
import sys
from pathlib import Path

import nox

ROOT = Path(__file__).parent
PYPROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
PYTHONS = nox.project.python_versions(PYPROJECT)
EXTRAS = ".[file,redis,retries,cli,sandbox,testing]"

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "typing", "package", "docs", "tests"]
nox.options.error_on_missing_interpreters = False


def install(session: nox.Session, *groups: str) -> None:
    """
    The project with all its extras, editable, and these dependency groups.
    """
    session.install("-e", EXTRAS, *nox.project.dependency_groups(PYPROJECT, *groups))


@nox.session
def demo(session: nox.Session) -> None:
    """
    The main job on a fresh machine: regenerate, sign a document end to end. `-- --live`: for real.
    """
    install(session, "generate")
    session.run("python", "scripts/regenerate.py")
    session.run("python", "scripts/demo.py", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """
    All tests, with the coverage of hand-written code. `-- tests/auth -k leeway`: some of them.
    """
    install(session, "test", "generate")
    everything = not session.posargs
    coverage = ["--cov", "--cov-report=term-missing:skip-covered", "--cov-fail-under=100"]
    session.run("python", "-m", "pytest", *(coverage if everything else []), *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """
    Style and likely mistakes: ruff. `-- --fix` mends what it can.
    """
    install(session, "lint")
    session.run("ruff", "check", *session.posargs, ".")
    session.run("ruff", "format", *([] if "--fix" in session.posargs else ["--check"]), ".")


@nox.session
def typing(session: nox.Session) -> None:
    """
    mypy --strict over everything, pyright over a user's program, and the public API's types.
    """
    install(session, "test", "generate", "typing")
    paths = ["auth_ext", "generated_client", "scripts", "tests", "noxfile.py"]
    session.run("mypy", "--strict", *paths)
    session.run("basedpyright", "--level", "error", "tests/typing")
    session.run("basedpyright", "--verifytypes", "auth_ext", "--ignoreexternal")


@nox.session
def regenerate(session: nox.Session) -> None:
    """
    Rebuild generated_client from openapi.json. `-- --from FILE-or-URL`: from a new document.
    """
    session.install(*nox.project.dependency_groups(PYPROJECT, "generate"), ".")
    session.run("python", "scripts/regenerate.py", *session.posargs)
