"""
openapi.json -> generated_client/, all or nothing.

    read -> upgrade -> overlay -> normalise -> generate -> operations -> stamp -> check -> swap

With --from, what changed for callers is reported before anything is replaced. The steps are one
file each in scripts/spec.
"""

import argparse
import re
import signal
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # pragma: no cover - only when run as a file
    sys.path.insert(0, str(ROOT))

from scripts.spec.errors import DocumentError, EnvironmentProblem, SpecError  # noqa: E402

if TYPE_CHECKING:
    from scripts.spec.read import Published
    from scripts.spec.swap import Workplace

EPILOG = """
exit codes:
  0    done; with --check: generated_client/ is exactly what openapi.json gives
  1    --check found differences; each file is named
  2    the command line is wrong
  3    the document cannot be read, is no OpenAPI document, or is broken
  4    the client would lack something that the document has
  5    --fail-on breaking found a breaking change; nothing was replaced
  6    this machine lacks something: a package, room on the disk, a permission
  130  interrupted

Whatever the exit code but 0: openapi.json and generated_client/ are as they were.
The report goes to standard output, progress and errors to standard error.
"""


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line, checked."""
    parser = argparse.ArgumentParser(
        prog="regenerate.py",
        description="Build generated_client/ from openapi.json, or from a new document.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "--from",
        dest="source",
        metavar="PATH-or-URL",
        help="take this document: report what changed, store it as openapi.json, rebuild",
    )
    add(
        "--output",
        metavar="DIR",
        type=Path,
        help="build into DIR instead; its last part is the package's name",
    )
    add(
        "--check",
        action="store_true",
        help="change nothing; exit 1 and name the files of generated_client/ that differ",
    )
    add("--diff", action="store_true", help="with --from: only report the changes")
    add(
        "--format",
        choices=("text", "json", "markdown"),
        default="text",
        help="how the report is written (default: text)",
    )
    add(
        "--fail-on",
        choices=("breaking",),
        help="with --from: exit 5 and replace nothing when a change is breaking",
    )
    options = parser.parse_args(argv)
    if options.check and (options.source or options.output or options.diff):
        parser.error("--check goes with no other option")
    if options.diff and not options.source:
        parser.error("--diff needs --from")
    if options.diff and options.output:
        parser.error("--diff builds nothing, so it takes no --output")
    if options.fail_on and not options.source:
        parser.error("--fail-on needs --from")
    return options


def main(argv: Sequence[str] | None = None, *, root: Path = ROOT) -> int:
    """
    Run, and say in one line what went wrong if something did.

    Args:
        argv: The command line; None: the process's own.
        root: The folder that holds openapi.json and generated_client/.

    Returns:
        The exit code, as --help lists them.
    """
    options = arguments(argv)
    try:
        require_generator(root)
        return _Run(options, root).run()
    except SpecError as error:
        print(f"regenerate: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("regenerate: interrupted; nothing was changed.", file=sys.stderr)
        return 130
    except OSError as error:
        place = f" ({error.filename})" if error.filename else ""
        reason = error.strerror or str(error)
        print(f"regenerate: {reason}{place}; nothing was changed.", file=sys.stderr)
        return EnvironmentProblem.exit_code


def require_generator(root: Path) -> None:
    """
    Nothing, when the generator and the formatter are those that pyproject.toml pins.

    Raises:
        EnvironmentProblem: Says which is missing or different, and how to get it.
    """
    pyproject = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    for pin in pyproject["dependency-groups"]["generate"]:
        name, _, wanted = pin.partition("==")
        name = re.split(r"[^A-Za-z0-9._-]", name)[0]
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            found = "not installed"
        if found == "not installed" or (wanted and found != wanted):
            need = f"{name} {wanted}".strip()
            message = f"{need} is needed and is {found} here; run `python -m nox -s regenerate`."
            raise EnvironmentProblem(message)


class _Run:
    """One run: the options, the folder, and the steps in order."""

    def __init__(self, options: argparse.Namespace, root: Path) -> None:
        self.options = options
        self.root = root
        self.document = root / "openapi.json"
        self.package = root / "generated_client"

    def run(self) -> int:
        from scripts.spec import swap

        if self.options.check:
            return self.check()
        if self.options.output:
            return self.build_elsewhere(self.options.output)
        for name in swap.recover(self.root):
            _tell(f"a killed run was undone ({name})")
        published = self.read()
        if self.options.source:
            breaking = self.report(published)
            if self.options.fail_on and breaking:
                _tell(f"{breaking} breaking changes; nothing was replaced")
                return 5
            if self.options.diff:
                return 0
        with swap.Workplace(self.root) as work:
            new = work.folder / self.package.name
            self.build(published, new, work.folder)
            moves = [(new, self.package)]
            if self.options.source:
                stored = work.folder / self.document.name
                stored.write_bytes(published.stored)
                moves.append((stored, self.document))
            with _step("swap"):
                _replace(work, moves)
        return 0

    # --- the three ways to run ---

    def check(self) -> int:
        """Build beside, compare, change nothing; works on a read-only tree, offline."""
        from scripts.spec import check

        with tempfile.TemporaryDirectory() as scratch:
            new = Path(scratch) / self.package.name
            self.build(self.read(), new, Path(scratch))
            differences = check.differences(self.package, new)
        if not differences:
            _tell("generated_client/ is exactly what openapi.json gives")
            return 0
        for line in differences:
            print(f"generated_client/{line}")
        _tell(f"{len(differences)} files differ; run `python scripts/regenerate.py`")
        return 1

    def build_elsewhere(self, output: Path) -> int:
        from scripts.spec import stamp, swap

        output = Path(output).resolve()
        if not output.name.isidentifier():
            message = (
                f"{output.name!r} is no package name: letters, digits and _ for the last part."
            )
            raise DocumentError(message)
        if output.is_file() or (
            output.is_dir() and any(output.iterdir()) and not (output / stamp.ORIGIN).is_file()
        ):
            message = f"{output} holds something that is not generated; give another --output."
            raise EnvironmentProblem(message)
        published = self.read()
        parents = [parent for parent in output.parents if not parent.exists()]
        try:
            output.parent.mkdir(parents=True, exist_ok=True)
            swap.recover(output.parent)
            with swap.Workplace(output.parent) as work:
                new = work.folder / output.name
                self.build(published, new, work.folder)
                with _step("swap"):
                    _replace(work, [(new, output)])
        except BaseException:
            for parent in parents:
                _remove_empty(parent)
            raise
        return 0

    # --- the steps ---

    def read(self) -> "Published":
        from scripts.spec import read, stamp

        source = self.options.source
        with _step("read") as note:
            if source and read.is_url(source):
                origin = stamp.read_origin(self.package)
                known = origin.get("etag") if origin.get("source") == source else None
                published = read.read_url(source, etag=known, present=self._present(origin))
            elif source:
                published = read.read_file(Path(source))
            else:
                published = read.read_file(self.document, name=self.document.name)
            version = published.data.get("openapi", published.data.get("swagger"))
            note(f"OpenAPI {version}, {len(published.stored)} bytes")
        return published

    def _present(self, origin: dict[str, Any]) -> "Callable[[], Published] | None":
        """How to get the document that the recorded ETag is for, if that is what is here."""
        from scripts.spec import read
        from scripts.spec.tree import digest

        try:
            published = read.read_file(self.document)
        except DocumentError:
            return None
        return (lambda: published) if digest(published.data) == origin.get("sha256") else None

    def report(self, published: "Published") -> int:
        """Print what changes for callers; return how many of the changes break them."""
        from scripts.spec import diff, read
        from scripts.spec.prepare import prepare

        with _step("diff") as note:
            old = diff.EMPTY
            if self.document.exists():
                present = read.read_file(self.document, name=self.document.name)
                old = diff.surface(prepare(present.data))
            changes = diff.compare(old, diff.surface(prepare(published.data)))
            breaking = sum(change.breaking for change in changes)
            note(f"{len(changes)} changes, {breaking} breaking")
        print(diff.render(changes, self.options.format), end="")
        return breaking

    def build(self, published: "Published", package: Path, scratch: Path) -> None:
        """Write the finished package of a document."""
        from scripts.spec import check, generate, stamp, table
        from scripts.spec.prepare import prepare
        from scripts.spec.refs import operations
        from scripts.spec.tree import digest

        prepared = prepare(published.data, step=_step)
        for line in prepared.idle:
            _tell(f"this repair no longer applies: {line}")
        with _step("generate") as note:
            generated = generate.generate(prepared.normal, prepared.notes, package, scratch)
            note(f"{len(generated.modules)} operations, {len(generated.classes)} classes")
        with _step("operations") as note:
            rows = table.rows(prepared.normal, generated)
            table.write(rows, prepared.scopes, package)
            table.account(prepared.upgraded, prepared.notes, generated, prepared.normal)
            count = sum(1 for _ in operations(prepared.upgraded))
            schemas = len((prepared.upgraded.get("components") or {}).get("schemas") or {})
            note(f"{len(rows)}/{count} operations, {schemas}/{schemas} schemas")
        with _step("stamp"):
            stamp.mark(package)
            generate.format_code(package)
            origin = stamp.origin(
                document_digest=digest(published.data),
                versions=generate.versions(),
                **self._origin(published),
            )
            (package / stamp.ORIGIN).write_text(origin, "utf-8")
        with _step("check") as note:
            check.import_all(package)
            note("every module imports")

    def _origin(self, published: "Published") -> dict[str, str | None]:
        """Where the document came from: this run's URL, or what the last run recorded for it."""
        from scripts.spec import stamp
        from scripts.spec.tree import digest

        if self.options.source or self.options.output:
            return {"source": published.source, "etag": published.etag}
        known = stamp.read_origin(self.package)
        same = known.get("sha256") == digest(published.data)
        return {key: known.get(key) if same else None for key in ("source", "etag")}


def _replace(work: "Workplace", moves: list[tuple[Path, Path]]) -> None:
    from scripts.spec.swap import SwapError

    # Milliseconds in which Ctrl-C waits, so that "nothing was changed" is never said of a swap.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        work.commit(moves)
    except SwapError as error:
        message = f"The new files could not take their places: {error}. Nothing was changed."
        raise EnvironmentProblem(message) from error
    finally:
        signal.signal(signal.SIGINT, before)


def _remove_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


def _tell(text: str) -> None:
    print(f"regenerate: {text}", file=sys.stderr, flush=True)


@contextmanager
def _step(name: str) -> Iterator[Callable[[str], None]]:
    """One line per step on standard error: its name, what it found, how long it took."""
    notes: list[str] = []
    started = time.perf_counter()
    print(f"  {name:<11}", end="", file=sys.stderr, flush=True)
    try:
        yield notes.append
    except BaseException:
        print(" stopped", file=sys.stderr, flush=True)
        raise
    seconds = time.perf_counter() - started
    print(f"{seconds:6.2f} s  {' '.join(notes)}".rstrip(), file=sys.stderr, flush=True)


if __name__ == "__main__":  # pragma: no cover - tests call main()
    sys.exit(main())
