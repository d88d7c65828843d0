"""Speed, beside other queues in the same run: `python benchmarks/throughput.py`, or `make bench`.

Prints a table for each part, says which targets are met, and keeps all values as JSON. A value is the median of
several runs, taken in turn. A target counts as decided only if all runs say the same, and a part only if the
machine was quiet before and after it. Each part is a file beside this one, and says there how it measures.
"""

from __future__ import annotations

import argparse
import importlib
import json
import platform
import time
from pathlib import Path
from typing import Any

import figures
import peers
import psutil
from spools import cpus

PARTS = (
    "functions",
    "executables",
    "preload",
    "fits",
    "archiving",
    "archive",
    "latency",
    "calls",
    "idle",
    "datacenter",
)
MODULES = {"archive": "big_archive"}  # a part is in the file of its name but for these
QUIET = 0.1  # CPUs that others may use before and after a part
RESULTS = Path(__file__).parent / "results"


def main() -> None:
    options = _options()
    about: dict[str, Any] = {"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "cpus": cpus()}
    about |= {"python": platform.python_version(), "system": platform.platform(), "versions": peers.versions()}
    about["parts"] = {}
    path = options.json or RESULTS / f"{'-'.join(options.only) if options.only else 'throughput'}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    for name in options.only or PARTS:
        about["parts"][name] = measured(name, options.jobs, options.runs)
        path.write_text(json.dumps(about, indent=1) + "\n")
    print(f"kept in {path}")


def measured(name: str, jobs: int, runs: int) -> dict[str, Any]:
    """Measure one part, print its table, and return it for JSON, with whether the machine was quiet."""
    before = others()
    with importlib.import_module(MODULES.get(name, name)).part(jobs) as part:
        found = figures.take(part, runs)
    used = max(before, others())
    print(figures.table(part, found), flush=True)
    if used > QUIET:
        print(f"NOT QUIET: others use {used:.2g} CPUs, and the ratios of this part decide nothing\n", flush=True)
    return figures.as_json(part, found) | {"quiet": used <= QUIET, "CPUs used by others": round(used, 2)}


def others() -> float:
    """Return how many CPUs are in use while nothing of this program runs."""
    return psutil.cpu_percent(2.0) / 100 * (psutil.cpu_count() or 1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--only", type=_parts, default=(), help=f"some of {','.join(PARTS)}")
    parser.add_argument("--jobs", type=_count, default=200_000, help="at most so many jobs a run (default %(default)s)")
    parser.add_argument("--runs", type=_count, default=3, help="runs of each, taken in turn (default %(default)s)")
    parser.add_argument("--json", type=Path, help="where to keep the values (default: benchmarks/results)")
    return parser.parse_args()


def _parts(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    if unknown := [name for name in names if name not in PARTS]:
        raise argparse.ArgumentTypeError(f"no part is called {', '.join(unknown)}: expected {', '.join(PARTS)}")
    return names


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a number of at least 1, not {text!r}")
    return int(text)


if __name__ == "__main__":
    main()
