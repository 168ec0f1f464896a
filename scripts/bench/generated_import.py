"""
What importing costs: the client and one operation against httpx alone, models against plain output.

Each figure is the median over interleaved fresh processes, measured inside of them, in
milliseconds. Prints JSON.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from scripts.bench.generated_plain import PACKAGE, generate_plain

ROOT = Path(__file__).parents[2]
OPERATION = "api.signature.create_document"
MODEL = "SignatureDocumentCreateOptions"
SUBJECTS = {
    "httpx": "import httpx",
    "auth_ext and one operation": (
        f"from auth_ext import SignicatClient; import generated_client.{OPERATION}"
    ),
    "generated_client: one operation": f"import generated_client.{OPERATION}",
    "plain: one operation": f"import {PACKAGE}.{OPERATION}",
    "generated_client: one model": f"from generated_client.models import {MODEL}",
    "plain: one model": f"from {PACKAGE}.models import {MODEL}",
    "generated_client: all models": "from generated_client.models import *",
    "plain: all models": f"from {PACKAGE}.models import *",
    "generated_client: operation table": "from generated_client.operations import OPERATIONS",
}
TIMED = "import sys, time; s = time.perf_counter(); {}; print((time.perf_counter() - s) * 1000)"


def milliseconds(statement: str, path: Path) -> float:
    """How long *statement* takes in a fresh process that finds packages in *path*."""
    code = f"import sys; sys.path[:0] = [{str(path)!r}, {str(ROOT)!r}]; {TIMED.format(statement)}"
    # An installed package comes compiled; here the first round does that, beside the package.
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(path / "compiled")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env=environment,
    )
    return float(result.stdout)


def main(rounds: int = 15) -> dict[str, Any]:
    """Measure, and return the figures."""
    document = json.loads((ROOT / "openapi.json").read_text("utf-8"))
    samples: dict[str, list[float]] = {name: [] for name in SUBJECTS}
    with tempfile.TemporaryDirectory() as folder:
        generate_plain(document, Path(folder))
        for round_number in range(rounds + 1):
            for name, statement in SUBJECTS.items():
                took = milliseconds(statement, Path(folder))
                if round_number:  # the first round compiles
                    samples[name].append(took)
    medians = {name: round(statistics.median(values), 1) for name, values in samples.items()}
    ours = min(samples["auth_ext and one operation"])
    return {
        "milliseconds": medians,
        "auth_ext and one operation against httpx": round(
            medians["auth_ext and one operation"] / medians["httpx"], 2
        ),
        "the same, best of all rounds": round(ours / min(samples["httpx"]), 2),
        "goal": 1.25,
    }


if __name__ == "__main__":
    json.dump(main(), sys.stdout, indent=2)
    print()
