"""
Everything we run, by name. `nox -l` lists it; CI runs the same names.

Each session makes its own environment: nothing but Python and nox is needed beforehand.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nox

ROOT = Path(__file__).parent
PYPROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
EXTRAS = ".[redis,retries,cli,sandbox,testing]"

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "typing", "package", "docs", "tests"]


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
    All tests; `coverage` then tells what they missed. `-- tests/auth -k leeway`: some of them.
    """
    install(session, "test", "generate", "docs", "bench")
    if shutil.which("npm"):  # an OAuth 2.0 server of others; its tests are skipped without it
        session.run("npm", "ci", "--silent", "--prefix", "tests/auth/foreign", external=True)
    if session.posargs:
        session.run("python", "-m", "pytest", *session.posargs)
        return
    # Not by pytest-cov: the plugin of this project is loaded before it starts to measure.
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest")


@nox.session
def coverage(session: nox.Session) -> None:
    """
    What the last `tests` did not reach of the hand-written code; nothing is what it should be.
    """
    session.install("coverage>=7.10")
    session.run("coverage", "combine", "--quiet")
    session.run("coverage", "report", "--fail-under=100")


@nox.session
def tests_lowest(session: nox.Session) -> None:
    """
    The tests of the installed packages with the oldest dependencies that we say we support.
    """
    session.install("uv")
    environment = {"VIRTUAL_ENV": session.virtualenv.location}
    tools = nox.project.dependency_groups(PYPROJECT, "test")
    uv = ["uv", "pip", "install", "--quiet"]
    lowest = "--resolution=lowest-direct"
    session.run(*uv, lowest, "-e", ".[redis,retries,cli,sandbox]", env=environment)
    session.run(*uv, "-e", EXTRAS, *tools, "pytest>=9", env=environment)  # tools as they are today
    folders = ["auth", "client", "stores", "faults", "sandbox", "recorded", "plugin"]
    session.run("python", "-m", "pytest", *(f"tests/{folder}" for folder in folders))


@nox.session
def lint(session: nox.Session) -> None:
    """
    Style and likely mistakes. `-- --fix` mends what can be mended.
    """
    session.install(*nox.project.dependency_groups(PYPROJECT, "lint"))
    fix = "--fix" in session.posargs
    session.run("ruff", "check", *(["--fix"] if fix else []), ".")
    session.run("ruff", "format", *([] if fix else ["--check"]), ".")


@nox.session
def typing(session: nox.Session) -> None:
    """
    Types: mypy --strict over everything, pyright over a user's program.
    """
    install(session, "test", "generate", "docs", "bench", "typing")
    paths = ["auth_ext", "generated_client", "scripts", "tests", "examples", "noxfile.py"]
    session.run("mypy", "--strict", *paths)
    session.run("basedpyright", "--level", "error", "tests/typing/program.py")


@nox.session
def package(session: nox.Session) -> None:
    """
    Build sdist and wheel; in an empty environment install, import, run and type-check the wheel.
    """
    session.install("build", *nox.project.dependency_groups(PYPROJECT, "pyright"))
    made = Path(session.create_tmp()) / "dist"
    session.run("python", "-m", "build", "--outdir", str(made))
    wheel = max(made.glob("*.whl"), key=lambda path: path.stat().st_mtime)
    empty = (Path(session.create_tmp()) / "empty").resolve()
    session.run("python", "-m", "venv", "--clear", str(empty))
    python = str(empty / ("Scripts" if sys.platform == "win32" else "bin") / "python")
    session.run(python, "-m", "pip", "install", "--quiet", str(wheel), external=True)
    session.run(python, "-I", "scripts/try_wheel.py", external=True)
    pyright = str(Path(session.bin).resolve() / "basedpyright")
    # It takes the first python of the PATH, which in a session is always the session's own; and
    # within the checkout it would look at that instead of what is installed.
    path = os.pathsep.join([str(Path(python).parent), os.environ["PATH"]])
    with tempfile.TemporaryDirectory() as elsewhere:
        environment = {**os.environ, "PATH": path}
        command = [pyright, "--verifytypes", "auth_ext", "--ignoreexternal"]
        if subprocess.run(command, cwd=elsewhere, env=environment, check=False).returncode:
            session.error("the types of the public API are not complete")


@nox.session
def regenerate(session: nox.Session) -> None:
    """
    Rebuild generated_client from openapi.json. `-- --from FILE-or-URL`: from a new document.
    """
    session.install(".", *nox.project.dependency_groups(PYPROJECT, "generate"))
    session.run("python", "scripts/regenerate.py", *session.posargs)


@nox.session
def record(session: nox.Session) -> None:
    """
    Record all cassettes again: against the sandbox, or with SIGNICAT_* set a test account.
    """
    install(session, "test")
    session.run("python", "scripts/record.py", *session.posargs)


@nox.session
def sandbox(session: nox.Session) -> None:
    """
    Serve the stand-in service on this machine until Ctrl-C.
    """
    session.install("-e", ".[sandbox]")
    session.run("python", "-m", "auth_ext.sandbox", *session.posargs)


@nox.session
def soak(session: nox.Session) -> None:
    """
    Five minutes of mixed traffic with faults. `-- --quick`: 20 seconds.
    """
    install(session, "test")
    session.run("python", "scripts/soak.py", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """
    The measured goals, side by side with the peers; ratios. `-- --quick`: only that it runs.
    """
    install(session, "test", "generate", "bench")
    session.run("python", "-m", "scripts.bench", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """
    Build the documentation into site/; warnings are errors.
    """
    install(session, "docs")
    session.run("python", "scripts/docs.py")
    session.run("zensical", "build", "--strict", "--clean")


@nox.session
def audit(session: nox.Session) -> None:
    """
    Known vulnerabilities in what we depend on; asks a public database, so not part of CI.
    """
    install(session)
    session.install("pip-audit")
    session.run("pip-audit", "--skip-editable")


@nox.session(venv_backend="none")
def dev(session: nox.Session) -> None:
    """
    Make .venv with the project, editable, and every tool, for work by hand.
    """
    session.run(sys.executable, "-m", "venv", ".venv")
    python = str(ROOT / ".venv" / ("Scripts" if sys.platform == "win32" else "bin") / "python")
    groups = nox.project.dependency_groups(
        PYPROJECT, "test", "generate", "docs", "bench", "lint", "typing"
    )
    session.run(
        python, "-m", "pip", "install", "--quiet", "-e", EXTRAS, *groups, "nox", "pre-commit"
    )
