"""
Fill in the parts of docs/*.md that come from running code or from generated data.

    python scripts/docs.py             fill them in
    python scripts/docs.py --check     change nothing; exit 1 and name what is not current

A part stands between two comments in a page:

    <!-- made by scripts/docs.py: NAME -->
    <!-- end of NAME -->
"""

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:  # pragma: no cover - when started as a program
    sys.path.insert(0, str(ROOT))

from auth_ext.sandbox import Sandbox  # noqa: E402
from auth_ext.sandbox._control import ROUTES  # noqa: E402
from auth_ext.sandbox._faults import KINDS  # noqa: E402
from generated_client.operations import OPERATIONS, SCOPES, Operation  # noqa: E402
from scripts.docs_errors import TROUBLES, seen  # noqa: E402

DOCS = ROOT / "docs"
RESULTS = ROOT / "benchmarks" / "results.json"
CONTROL = "/_sandbox"
PART = re.compile(
    r"(?P<head><!-- made by scripts/docs\.py: (?P<name>[^>]+?) -->\n)"
    r".*?(?P<tail><!-- end of (?P=name) -->)",
    re.DOTALL,
)

Make = Callable[[], str]


class DocsError(Exception):
    """
    A page asks for a part that there is none of, or a part has no page.
    """


def main(
    arguments: Sequence[str] | None = None, folder: Path = DOCS, results: Path = RESULTS
) -> int:
    """
    Fill in all pages of *folder*; gives the exit code.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0].strip())
    parser.add_argument(
        "--check", action="store_true", help="change nothing; exit 1 when a page is not current"
    )
    check = parser.parse_args(arguments).check
    try:
        made = {**filled(folder, results), **picture(folder, results)}
    except DocsError as error:
        print(f"docs: {error}", file=sys.stderr)
        return 2
    stale = {path: data for path, data in made.items() if _bytes(path) != data}
    for path, data in stale.items():
        print(f"{path.name}: {'not current' if check else 'written'}")
        if not check:
            path.write_bytes(data)
    if check and stale:
        print("Run: python scripts/docs.py")
    return int(check and bool(stale))


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def filled(folder: Path, results: Path) -> dict[Path, bytes]:
    """
    Every page with all its parts made anew.

    Raises:
        DocsError: A page asks for an unknown part, or a part is asked for by no page.
    """
    makers = parts(results)
    pages = [(path, path.read_text("utf-8")) for path in sorted(folder.glob("*.md"))]
    asked = {match["name"] for _, text in pages for match in PART.finditer(text)}
    if asked - makers.keys():
        raise DocsError(f"there is no part {', '.join(sorted(asked - makers.keys()))}")
    if makers.keys() - asked:
        raise DocsError(f"no page has the part {', '.join(sorted(makers.keys() - asked))}")
    made = {name: makers[name]() for name in sorted(asked)}
    return {path: PART.sub(partial(_replaced, made), text).encode() for path, text in pages}


def _replaced(made: Mapping[str, str], match: re.Match[str]) -> str:
    return f"{match['head']}\n{made[match['name']].strip()}\n\n{match['tail']}"


def parts(results: Path) -> dict[str, Make]:
    """
    What can be asked for, by name.
    """
    texts: dict[str, str] = {}

    def trouble(name: str) -> str:
        texts.update({} if texts else seen())
        return fenced(texts[name])

    return {
        "scopes": scopes,
        "operations": operations,
        "clients": clients,
        "faults": faults,
        "control": control,
        "measured": partial(measured, results),
        "help of regenerate": partial(help_of, "scripts/regenerate.py"),
        "help of sandbox": partial(help_of, "-m", "auth_ext.sandbox"),
        "help of signicat": partial(help_of, "-m", "auth_ext"),
        **{f"terminal {path.stem}": partial(terminal, path) for path in terminals()},
        **{f"example {path.name}": partial(example, path) for path in examples()},
        **{f"error {name}": partial(trouble, name) for name in TROUBLES},
    }


# From generated data


def scopes() -> str:
    """
    Every scope, what it is for, and how many operations need it.
    """
    counts = {
        name: sum(name in operation.scopes for operation in OPERATIONS.values()) for name in SCOPES
    }
    return table(
        ("Scope", "For", "Operations"),
        ((f"`{name}`", text, str(counts[name])) for name, text in sorted(SCOPES.items())),
    )


def operations() -> str:
    """
    Every operation under each scope it needs; then those that need none, or no token.
    """
    sections = []
    for name in sorted(SCOPES):
        found = [one for one in OPERATIONS.values() if name in one.scopes]
        if found:
            sections.append(f"### `{name}`\n\n{_operations(found)}")
    bare = [one for one in OPERATIONS.values() if one.authenticated and not one.scopes]
    if bare:
        text = "The document names no scope for these: set `SIGNICAT_SCOPES` or pass `scopes`."
        sections.append(f"### A token, but no scope\n\n{text}\n\n{_operations(bare)}")
    free = [one for one in OPERATIONS.values() if not one.authenticated]
    if free:
        sections.append(f"### No token\n\n{_operations(free)}")
    return "\n\n".join(sections)


def _operations(found: Iterable[Operation]) -> str:
    return table(
        ("Operation", "Request", "Does"),
        ((f"`{one.tag}.{one.id}`", f"`{one.method} {one.path}`", one.summary) for one in found),
    )


# From the sandbox


def clients() -> str:
    """
    The sandbox' API clients.
    """
    every = len(SCOPES)
    return table(
        ("Name", "Id", "Secret", "May ask for"),
        (
            (
                name,
                f"`{client.id}`",
                f"`{client.secret}`",
                "every scope"
                if len(client.scopes) == every
                else " ".join(f"`{scope}`" for scope in sorted(client.scopes)),
            )
            for name, client in Sandbox().clients.items()
        ),
    )


def faults() -> str:
    """
    Every fault, its options with their defaults, and what it does.
    """
    told = _fault_texts(Sandbox.misbehave.__doc__ or "")
    return table(
        ("Kind", "Options", "What happens"),
        (
            (
                f"`{kind}`",
                "<br>".join(f"`{name}={value!r}`" for name, value in options.items()),
                told[kind],
            )
            for kind, options in KINDS.items()
        ),
    )


def _fault_texts(docstring: str) -> dict[str, str]:
    """
    What the docstring of `misbehave` says of each kind, as in "`kind` (options), `kind`: text".
    """
    section = re.sub(r"\s+", " ", docstring.partition("kind: What happens.")[2])
    section = section.partition(" target: ")[0]
    found: dict[str, str] = {}
    entry = re.compile(r"((?:`\w+`(?: \([\w, ]+\))?(?:, )?)+): (.*?)(?= `\w+`(?:[:,]| \()|$)")
    for names, text in entry.findall(section):
        told = text.strip().rstrip(".")
        for name in re.findall(r"`(\w+)`", names):
            found[name] = told[:1].upper() + told[1:]
    missing = KINDS.keys() - found.keys()
    if missing:
        raise DocsError(f"Sandbox.misbehave says nothing of {', '.join(sorted(missing))}")
    return found


def control() -> str:
    """
    What the control URL takes.
    """
    return table(
        ("Request", "Does"),
        (
            (f"`{method} {CONTROL}{_named(path)}`", (act.__doc__ or "").partition("\n")[0])
            for (method, path), act in ROUTES.items()
        ),
    )


def _named(path: str) -> str:
    return path.replace("*", "ID")


# From running programs


def help_of(*program: str) -> str:
    """
    What a Python program says of itself.
    """
    run = subprocess.run(
        [sys.executable, *program, "--help"],
        capture_output=True,
        check=True,
        cwd=ROOT,
        encoding="utf-8",
        env={"COLUMNS": "80", "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
    )
    return fenced("\n".join(line.rstrip() for line in run.stdout.splitlines()))


def terminals() -> list[Path]:
    """
    The recorded terminal runs.
    """
    return sorted((DOCS / "terminal").glob("*.txt"))


def terminal(path: Path) -> str:
    """
    One of them.
    """
    return fenced(path.read_text("utf-8"))


def examples() -> list[Path]:
    """
    The example programs of one file each.
    """
    return sorted((ROOT / "examples").glob("*.py"))


def example(path: Path) -> str:
    """
    One of them.
    """
    return fenced(path.read_text("utf-8"), "python", f' title="examples/{path.name}"')


# From the benchmarks


def picture(folder: Path, results: Path) -> dict[Path, bytes]:
    """
    The plot, as the pages show it: beside them, as every file of the site.
    """
    name = json.loads(results.read_text("utf-8"))["plot"] if results.exists() else None
    return {folder / name: (results.parent / name).read_bytes()} if name else {}


def measured(path: Path) -> str:
    """
    The measured goals, or that there are no figures.
    """
    if not path.exists():
        return (
            "**There are no figures in this build**: `benchmarks/results.json` is absent."
            " `python -m nox -s bench` measures and writes it."
        )
    results = json.loads(path.read_text("utf-8"))
    versions = ", ".join(f"{name} {value}" for name, value in results["versions"].items())
    rows = [
        (row["goal"], _figure(row["ours"]), _figure(row["peers"]), _met(row["met"]))
        for row in results["rows"]
    ]
    told = [
        f"Measured on {results['date']}, on {_figure(results['machine'])}, with {versions}.",
        table(("Goal", "Here", "Elsewhere", "Met"), rows),
    ]
    if results["plot"]:
        told.append(f"![Time per request, beside the peers]({results['plot']})")
    return "\n\n".join(told)


def _figure(value: Any) -> str:
    if isinstance(value, dict):
        return "<br>".join(f"{name}: {_figure(one)}" for name, one in value.items())
    if isinstance(value, list):
        return "<br>".join(map(_figure, value))
    return "" if value is None else str(value)


def _met(value: object) -> str:
    return {True: "yes", False: "**no**"}.get(value, "not judged")  # type: ignore[call-overload, no-any-return]


# Markdown


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """
    A Markdown table.
    """
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def fenced(text: str, language: str = "text", more: str = "") -> str:
    """
    A code block.
    """
    return f"```{language}{more}\n{text.strip(chr(10))}\n```"


if __name__ == "__main__":
    sys.exit(main())
