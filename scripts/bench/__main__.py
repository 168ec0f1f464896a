"""
Every measured goal in one run, beside the peers: a table, benchmarks/results.json and a plot.

    python -m scripts.bench            everything, a few minutes
    python -m scripts.bench --quick    only that it runs; nothing is written

Each part runs in a process of its own and measures all contenders in turn, round by round, so that
a machine that is slow for a while is slow for all of them. Ratios travel; milliseconds do not.
"""

import argparse
import datetime
import importlib.metadata
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results.json"
PLOT = ROOT / "benchmarks" / "overhead.svg"
VENDOR = ROOT.parent / "shared" / "api" / "vendor-swagger-2018.json"

MEASURED = ("httpx", "httpx-auth", "authlib", "pydantic", "msgspec", "openapi-python-client")

# Name, and the program that prints its figures as JSON; {rounds} is few when quick.
PARTS = {
    "auth": "from scripts.bench.auth import main; main({quick})",
    "stores": "from scripts.bench.stores import main; print(json.dumps(main({rounds})))",
    "import": "from scripts.bench.generated_import import main; print(json.dumps(main({rounds})))",
    "parse": "from scripts.bench.generated_parse import main; print(json.dumps(main({rounds})))",
    "download": "from scripts.bench.generated_download import main; print(json.dumps(main()))",
}


@attrs.frozen
class Row:
    """
    One goal and what was measured for it.

    Attributes:
        goal: What is measured, and how good it should be.

        ours: This project's figure.

        peers: The others' figures, by name.

        met: Whether the goal is reached; None where this run cannot tell.
    """

    goal: str
    ours: str
    peers: dict[str, str]
    met: bool | None


def main(arguments: list[str] | None = None) -> int:
    """
    Measure, print, and keep the results; the exit code is the return value.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true", help="only that it runs; writes nothing")
    quick = parser.parse_args(arguments).quick
    figures = {name: measure(name, quick=quick) for name in PARTS}
    rows = [row for make in ROWS for row in make(figures)] + vendor_row(quick=quick)
    print("\n" + table(rows))
    if not quick:
        keep(rows, figures)
        print(f"\nwritten: {RESULTS.relative_to(ROOT)}, {PLOT.relative_to(ROOT)}")
    return 0


def measure(name: str, *, quick: bool) -> Any:
    """
    The figures of one part, from a fresh interpreter.
    """
    print(f"measuring: {name}", file=sys.stderr, flush=True)
    program = "import json; " + PARTS[name].format(
        quick=["--quick"] if quick else [], rounds=2 if quick else 15
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout[done.stdout.index("{") :])


def overhead_rows(figures: dict[str, Any]) -> list[Row]:
    """
    What the flow costs per request while the token is cached.
    """
    return [
        Row(
            f"time per request against a static header, {way}, cached token: <= 1.05x",
            _ratio(found["auth_ext"]),
            {name: _ratio(found[name]) for name in ("httpx-auth", "authlib")},
            found["auth_ext"]["ratio"] <= 1.05,
        )
        for way, found in figures["auth"]["overhead"].items()
    ]


def crowd_rows(figures: dict[str, Any]) -> list[Row]:
    """
    How many token requests a crowd makes.
    """
    found = figures["auth"]["token_requests"]
    rows = []
    for key, when in (("cold", "cold"), ("on_401", "after a revocation")):
        told = {name: _served(counts) for name, counts in found[key].items()}
        ours = found[key]["auth_ext"]
        rows.append(
            Row(
                f"token requests of 100 threads and 2 loops x 50 tasks, {when}: 1",
                told.pop("auth_ext"),
                told,
                (ours["token_requests"], ours["succeeded"]) == (1, found["callers"]),
            )
        )
    return rows


def rollover_rows(figures: dict[str, Any]) -> list[Row]:
    """
    Whether somebody waits when a token is replaced.
    """
    found = figures["auth"]["rollover_ms"]
    told = {name: f"{times['slowest_over_median']:.1f} ms" for name, times in found.items()}
    slowest = found["auth_ext"]["slowest_over_median"]
    return [
        Row(
            "slowest request over the median across a rollover, token endpoint of 300 ms: <= 5 ms",
            told.pop("auth_ext"),
            {"static header (the machine's own noise)": told.pop("static"), **told},
            slowest <= 5.0,
        )
    ]


def fleet_rows(figures: dict[str, Any]) -> list[Row]:
    """
    Token requests of processes that share a store.
    """
    found = figures["stores"]["requests"]
    peers = {"httpx-auth, file": _fleet(found["httpx-auth, file"])}
    return [
        Row(
            f"token requests of 8 processes x 25 calls, cold and after a revocation ({store}): 1",
            _fleet(found[f"auth_ext, {store}"]),
            peers,
            _requests(found[f"auth_ext, {store}"]) == (1, 1),
        )
        for store in ("file", "Redis")
        if f"auth_ext, {store}" in found
    ]


def hit_rows(figures: dict[str, Any]) -> list[Row]:
    """
    What a shared token costs a process that starts; no goal, but worth knowing.
    """
    told = {
        name: f"{times['median_ms']:.1f} ms" for name, times in figures["stores"]["hit"].items()
    }
    ours = ", ".join(f"{n.split(', ')[1]} {t}" for n, t in told.items() if n.startswith("auth_ext"))
    peers = {name: time for name, time in told.items() if not name.startswith("auth_ext")}
    return [Row("first token of a process from the store", ours, peers, None)]


def import_rows(figures: dict[str, Any]) -> list[Row]:
    """
    What importing costs.
    """
    found = figures["import"]
    times = found["milliseconds"]
    ratio = found["auth_ext and one operation against httpx"]
    plain = times["plain: one operation"] / times["httpx"]
    return [
        Row(
            "import of auth_ext and one operation against `import httpx`: <= 1.25x",
            f"{ratio:.2f}x",
            {"plain generator, operation alone": f"{plain:.2f}x"},
            ratio <= 1.25,
        )
    ]


def parse_rows(figures: dict[str, Any]) -> list[Row]:
    """
    What parsing costs.
    """
    times = figures["parse"]["milliseconds"]
    base = times["pydantic.model_validate"]
    names = {"plain generator": "plain.from_dict", "msgspec": "msgspec.convert"}
    ratio = figures["parse"]["from_dict against pydantic"]
    return [
        Row(
            "parsing 1000 document summaries against pydantic: <= 0.8x",
            f"{ratio:.2f}x",
            {peer: f"{times[name] / base:.2f}x" for peer, name in names.items()},
            ratio <= 0.8,
        )
    ]


def download_rows(figures: dict[str, Any]) -> list[Row]:
    """
    What a large file costs in memory.
    """
    peaks = {n: max(p.values()) for n, p in figures["download"]["peak in MB"].items()}
    ours = [peak for name, peak in peaks.items() if name.startswith("generated_client")]
    return [
        Row(
            "peak memory of a 50 MB download: <= 2 MB",
            f"{max(ours):.2f} MB",
            {"plain generator": f"{peaks['plain.sync_detailed']:.0f} MB"},
            max(ours) <= 2.0,
        )
    ]


ROWS: tuple[Callable[[dict[str, Any]], list[Row]], ...] = (
    crowd_rows,
    fleet_rows,
    hit_rows,
    overhead_rows,
    rollover_rows,
    import_rows,
    parse_rows,
    download_rows,
)


def vendor_row(*, quick: bool) -> list[Row]:
    """
    The vendor's published document through the whole pipeline, where it is at hand.
    """
    goal = "vendor's Swagger 2.0 document: 122/122 operations, 231/231 schemas, all imported"
    if quick or not VENDOR.is_file():
        return [Row(goal, "not measured in this run", {}, None)]
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        output = Path(folder) / "vendor_client"
        regenerate = [sys.executable, "scripts/regenerate.py", "--from", str(VENDOR)]
        done = subprocess.run(
            [*regenerate, "--output", str(output)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    counts = re.search(r"\d+/\d+ operations, \d+/\d+ schemas", done.stderr)
    told = counts.group() if counts else f"exit code {done.returncode}"
    whole = done.returncode == 0 and told == "122/122 operations, 231/231 schemas"
    return [Row(goal, told, {"plain generator": "113 warnings, 36 modules do not import"}, whole)]


def table(rows: list[Row]) -> str:
    """
    The rows for a terminal.
    """
    lines = []
    for row in rows:
        mark = {True: "met", False: "MISSED", None: "-"}[row.met]
        lines.append(f"{mark:7}{row.goal}")
        lines.append(f"{'':7}  ours: {row.ours}")
        lines += [f"{'':7}  {name}: {figure}" for name, figure in row.peers.items()]
    return "\n".join(lines)


def keep(rows: list[Row], figures: dict[str, Any]) -> None:
    """
    Write what the documentation shows.
    """
    RESULTS.parent.mkdir(exist_ok=True)
    versions = {name: importlib.metadata.version(name) for name in MEASURED}
    result = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": f"{platform.system()}, {os.cpu_count()} cores, shared",
        "versions": {"Python": platform.python_version(), **versions},
        "rows": [attrs.asdict(row) for row in rows],
        "plot": PLOT.name,
    }
    RESULTS.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    plot(figures["auth"]["overhead"])


def plot(overhead: dict[str, Any]) -> None:
    """
    Time per request against a static header, as bars with their quartiles.
    """
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "the same bytes for the same figures"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 2.6), layout="constrained")
    names = ["auth_ext", "httpx-auth", "authlib"]
    for shift, (way, found) in zip((-0.2, 0.2), overhead.items(), strict=True):
        ratios = [found[name]["ratio"] for name in names]
        low = [r - found[n]["quartiles"][0] for r, n in zip(ratios, names, strict=True)]
        high = [found[n]["quartiles"][1] - r for r, n in zip(ratios, names, strict=True)]
        places = [number + shift for number in range(len(names))]
        spread = [[max(x, 0.0) for x in low], [max(x, 0.0) for x in high]]
        axes.barh(places, ratios, height=0.36, xerr=spread, label=way, capsize=2)
    axes.axvline(1.0, color="black", linewidth=0.8)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlabel("time per request, static header = 1 (median, quartiles)")
    axes.legend(frameon=False)
    figure.savefig(PLOT, metadata={"Date": None})
    pyplot.close(figure)


def _ratio(found: dict[str, Any]) -> str:
    low, high = found["quartiles"]
    return f"{found['ratio']:.2f}x ({low:.2f} to {high:.2f})"


def _served(counts: dict[str, int]) -> str:
    return f"{counts['token_requests']} ({counts['succeeded']} calls succeeded)"


def _requests(found: dict[str, int]) -> tuple[int, int]:
    return found["token requests, cold"], found["token requests after a revocation"]


def _fleet(found: dict[str, int]) -> str:
    cold, revoked = _requests(found)
    served = found["calls that came back 200, after the revocation"]
    calls = found["calls in each round"]
    return (
        f"{cold} and {revoked} ({served} of {calls} calls succeeded after the revocation,"
        f" {found['corrupt reads']} corrupt reads)"
    )


if __name__ == "__main__":
    sys.exit(main())
