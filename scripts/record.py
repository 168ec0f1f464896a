"""
Records the cassettes in tests/recorded again: all of them, or none.

    python scripts/record.py               from the local sandbox
    python scripts/record.py --yes         with SIGNICAT_CLIENT_ID and SIGNICAT_CLIENT_SECRET set:
                                           from that account, without asking first
    python scripts/record.py --sandbox     from the sandbox, whatever is set

record -> scan for secrets -> replay without a network -> put in place

Exit codes: 0 done, 1 a test, the scan or the replay failed, 2 wrong use or not agreed, 130 Ctrl-C.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from auth_ext._settings import BASE_URL
from auth_ext.testing import leaks
from auth_ext.testing._scan import cassettes

ROOT = Path(__file__).parents[1]
TESTS = ROOT / "tests" / "recorded"
CREDENTIALS = ("SIGNICAT_CLIENT_ID", "SIGNICAT_CLIENT_SECRET")
_DATE = re.compile(r"^  recorded: .*\n", re.MULTILINE)
_ORIGIN = re.compile(r"^  origin: (.*)$", re.MULTILINE)


class RecordError(Exception):
    """
    Why nothing was recorded, and the exit code that says so.
    """

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.code = code


def main(arguments: list[str] | None = None) -> int:
    """
    Record; the exit code is the return value.
    """
    options = _options(arguments)
    try:
        account = _is_account(os.environ, options)
        if account and not options.yes:
            _ask(os.environ)
        with tempfile.TemporaryDirectory() as folder:
            _record(Path(folder), options, account=account)
            _put_in_place(
                Path(folder) / "cassettes", options.output / "cassettes", options, account
            )
    except KeyboardInterrupt:
        print("\nStopped; the cassettes are as they were.", file=sys.stderr)
        return 130
    except RecordError as error:
        print(f"{error} The cassettes are as they were.", file=sys.stderr)
        return error.code
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Record the cassettes of tests/recorded again, from the local sandbox or, with"
        " SIGNICAT_CLIENT_ID and SIGNICAT_CLIENT_SECRET set, from that account."
    )
    parser.add_argument("--sandbox", action="store_true", help="from the sandbox in any case")
    parser.add_argument("--yes", action="store_true", help="do not ask before using an account")
    parser.add_argument("-k", metavar="WORDS", default="", help="only some tests, as in pytest")
    parser.add_argument(
        "--output", type=Path, default=TESTS, metavar="DIR", help="where the cassettes lie"
    )
    return parser.parse_args(arguments)


def _is_account(environment: Mapping[str, str], options: argparse.Namespace) -> bool:
    given = [name for name in CREDENTIALS if environment.get(name)]
    if options.sandbox or not given:
        return False
    if len(given) < len(CREDENTIALS):
        raise RecordError(
            f"{given[0]} is set without its counterpart: set both of {' and '.join(CREDENTIALS)},"
            " or pass --sandbox.",
            2,
        )
    return True


def _ask(environment: Mapping[str, str]) -> None:
    where = environment.get("SIGNICAT_BASE_URL") or BASE_URL
    print(
        f"This creates documents at {where} with the API client"
        f" {environment['SIGNICAT_CLIENT_ID']}, and records the answers.\n"
        "Use a test account: what an account holds may turn up in a cassette."
    )
    try:
        agreed = input("Go on? [y/N] ").strip().lower() in {"y", "yes"}
    except EOFError:
        raise RecordError("Nobody to ask: pass --yes to agree, or --sandbox.", 2) from None
    if not agreed:
        raise RecordError("Not agreed.", 2)


def _record(folder: Path, options: argparse.Namespace, *, account: bool) -> None:
    live = ["--signicat-account"] if account else []
    modes = ["--record-mode=rewrite", "--signicat-steady", *live]
    if _pytest(folder, options, *modes, account=account):
        raise RecordError("Recording failed: see above.")
    secrets = [os.environ[name] for name in CREDENTIALS] if account else []
    found = leaks(folder, secrets=secrets)
    if found:
        print(*found, sep="\n", file=sys.stderr)
        raise RecordError(f"{len(found)} places hold what no cassette may hold: see above.")
    recorded = [path.stem for path in cassettes(folder)]
    if _pytest(folder, options, "--replayed", ",".join(recorded), account=False):
        raise RecordError("What was recorded does not replay: see above.")


def _pytest(folder: Path, options: argparse.Namespace, *more: str, account: bool) -> int:
    environment = {
        name: value
        for name, value in os.environ.items()
        if account or not name.startswith("SIGNICAT_")
    }
    command = [sys.executable, "-m", "pytest", "-q", "--tb=short", "--no-header", "--no-cov"]
    command += ["-p", "no:cacheprovider", "-m", "vcr", "-k", options.k, "--cassettes", str(folder)]
    return subprocess.run(
        [*command, *more, str(TESTS)], cwd=ROOT, env=environment, check=False
    ).returncode


def _put_in_place(new: Path, old: Path, options: argparse.Namespace, account: bool) -> None:
    """
    Replace what changed, and say so. A cassette that only has another date stays as it is.
    """
    old.mkdir(parents=True, exist_ok=True)
    fresh = {path.name: path.read_text(encoding="utf-8") for path in cassettes(new)}
    there = {path.name: path.read_text(encoding="utf-8") for path in sorted(old.glob("*.yaml"))}
    partial = account or options.k
    for name in sorted({*fresh, *there}):
        if name not in fresh:
            told = "kept" if partial else "removed: no test uses it"
            if not partial:
                (old / name).unlink()
        elif name not in there:
            told = "new"
        else:
            told = "unchanged" if _undated(fresh[name]) == _undated(there[name]) else "changed"
        if told in {"new", "changed"}:
            shutil.copyfile(new / name, old / name)
        origin = _ORIGIN.search(fresh.get(name) or there[name])
        print(f"{name:32} {origin[1] if origin else '?':14} {told}")


def _undated(text: str) -> str:
    return _DATE.sub("", text)


if __name__ == "__main__":
    sys.exit(main())
