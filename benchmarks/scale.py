"""How one spool bears 10, 100, 300 and 1,000 nodes: `python benchmarks/scale.py [--nodes N]… [--folder DIR] [--json]`.

Three tables, with real nodes, spoold and reducer, whose jobs only wait (simulated.py; docs/scale.md has what came out):

    at work     on a clock of their own, after a minute to start: calls on the spool for each claimed unit, a minute long
    at rest     the same without work: calls a second
    racing      on this machine's clock: four processes with all nodes among them claim as fast as they can
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from simulated import SESSION, Cluster, racer

from park_spool.config import load, make_spool
from park_spool.member import join
from park_spool.tending.role import Tending

NODES = (10, 100, 300, 1000)
JOB_SECONDS, UNITS = 0.5, 100.0  # what a job takes; units_per_second, the default of a shared file system
PART = 60.0  # s of the simulated clock
RACERS, RACING = 4, 10.0  # processes, and s of this machine's clock
MOST_JOBS = 10_000_000


def at_work(folder: Path, nodes: int, staleness: float) -> dict[str, Any]:
    """Count what a busy cluster asks of the spool."""
    cluster = Cluster(folder, nodes, 1, JOB_SECONDS, units_per_second=UNITS, staleness_seconds=staleness)
    cluster.submit(MOST_JOBS)
    cluster.run(PART)
    cluster.reset()
    most: dict[str, int] = {}
    claims = 0
    for _ in range(int(PART)):
        before = cluster.claims
        cluster.run(1.0)
        claims += cluster.claims - before
        most = {name: max(size, most.get(name, 0)) for name, size in cluster.sizes().items()}
    cluster.close()
    return {
        "nodes": nodes,
        "claims a second": round(claims / PART, 1),
        **{f"{kind}: calls a claim": round(tally.total / claims, 1) for kind, tally in cluster.tallies.items()},
        "node: names listed a claim": round(cluster.tallies["node"].listed / claims),
        "all: calls a second": round(sum(tally.total for tally in cluster.tallies.values()) / PART),
        "node: calls a second": round(cluster.tallies["node"].total / PART),
        "processor ms a claim": round(1000 * cluster.busy["node"] / claims, 2),
        "most names": most,
        "calls": {kind: dict(tally.calls) for kind, tally in cluster.tallies.items()},
    }


def at_rest(folder: Path, nodes: int, staleness: float) -> dict[str, Any]:
    """Count what a cluster without work asks of the spool."""
    cluster = Cluster(folder, nodes, 1, JOB_SECONDS, units_per_second=UNITS, staleness_seconds=staleness)
    cluster.run(PART)
    cluster.reset()
    cluster.run(PART)
    cluster.close()
    rates = {kind: round(tally.total / PART, 1) for kind, tally in cluster.tallies.items()}
    return {"nodes": nodes, **{f"{kind}: calls a second": rate for kind, rate in rates.items()}}


def racing(folder: Path, nodes: int, staleness: float) -> dict[str, Any]:
    """Have processes claim as fast as they can."""
    make_spool(folder)
    (folder / "park.toml").write_text(f"max_replies = 10_000_000\nstaleness_seconds = {staleness}\n")
    spoold = Tending(join(load(folder)))
    context = multiprocessing.get_context("spawn")
    (folder / "inbox" / "race.xml").write_text(SESSION.format(jobs=MOST_JOBS))
    results, start = context.Queue(), context.Event()
    parts = [len(range(index, nodes, RACERS)) for index in range(RACERS)]
    processes = [context.Process(target=racer, args=(folder, part, RACING, start, results)) for part in parts]
    for process in processes:
        process.start()
    while len(list((folder / "nodes").iterdir())) < nodes or not list((folder / "ready").glob("*/*")):
        spoold.step()
        time.sleep(0.01)
    start.set()
    answers = []
    while len(answers) < RACERS:
        spoold.step() or time.sleep(0.01)
        while not results.empty():
            answers.append(results.get())
    for process in processes:
        process.join()
    spoold.resign()
    won, lost, calls = (sum(answer[what] for answer in answers) for what in ("won", "lost", "calls"))
    names = [path.name.partition("@")[0] for path in (folder / "replies").iterdir()]
    return {
        "nodes": nodes,
        "claims a second": round(won / RACING),
        "lost tries of 100": round(100 * lost / max(1, won + lost), 1),
        "calls a claim": round(calls / won, 1),
        "answered twice": len(names) - len(set(names)),
    }


def shown(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield rows as a table in Markdown; what is nested stands in the JSON alone, but for sizes."""
    keys = [key for key, value in rows[0].items() if not isinstance(value, dict)]
    yield "| " + " | ".join(keys) + " |"
    yield "|" + "---|" * len(keys)
    for row in rows:
        yield "| " + " | ".join(f"{row[key]:,}" for key in keys) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, action="append", help="So many nodes; repeatable.")
    parser.add_argument("--folder", help="Make the spools there; else in the system's temporary folder.")
    parser.add_argument(
        "--staleness", type=float, default=35.0, help="staleness_seconds; 35 unless a site knows better."
    )
    parser.add_argument("--part", choices=("work", "rest", "racing"), action="append", help="Only that table.")
    parser.add_argument("--json", action="store_true", help="Print all counts as JSON.")
    asked = parser.parse_args()
    parts = {"work": at_work, "rest": at_rest, "racing": racing}
    found: dict[str, list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory(prefix="park-scale-", dir=asked.folder) as top:
        for part in asked.part or parts:
            rows = [parts[part](Path(top, f"{part}{nodes}"), nodes, asked.staleness) for nodes in asked.nodes or NODES]
            found[part] = rows
            if not asked.json:
                print(
                    f"\n{part}, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} CPUs\n",
                    *shown(rows),
                    sep="\n",
                    flush=True,
                )
                for row in rows:
                    if "most names" in row:
                        print(f"{row['nodes']:>6} nodes, most names: {row['most names']}", flush=True)
    if asked.json:
        print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
