"""Measure several things in turn, and say how the medians stand to each other and to the targets.

    Part ── measures, each taken once a run ──▶ {name: [values]} ──▶ table, verdicts, JSON

Machines are shared and noisy: what is compared is taken in the same run, one after the other, and a ratio is the
median of the runs' own ratios. Single rates mean less.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

RATE = "jobs/s"
Values = dict[str, list[float]]


@dataclass(frozen=True)
class Measure:
    """One row: `take` returns one value in `unit`; `jobs` and `note` say how it was measured."""

    name: str
    take: Callable[[], float]
    jobs: int = 0
    unit: str = RATE
    note: str = ""


@dataclass(frozen=True)
class Target:
    """What the row called `name` is to reach: an absolute bound, or one on its ratio to the row `against`."""

    name: str
    least: float | None = None
    most: float | None = None
    against: str = ""


@dataclass(frozen=True)
class Part:
    """One table: its measures, the first of which is compared with those that have the same unit."""

    title: str
    measures: Sequence[Measure]
    targets: Sequence[Target] = ()
    notes: Sequence[str] = ()
    most_runs: int = field(default=99, compare=False)


def take(part: Part, runs: int) -> Values:
    """Take every measure `runs` times, in turn."""
    found: Values = {measure.name: [] for measure in part.measures}
    for number in range(min(runs, part.most_runs)):
        for measure in part.measures:
            value = measure.take()
            found[measure.name].append(value)
            print(f"  run {number + 1}: {measure.name:<28} {shown(value):>12} {measure.unit}", file=sys.stderr)
    return found


def ratios(found: Values, name: str, against: str) -> list[float]:
    """Return one measure's ratio to another in each run.

    >>> ratios({"a": [2.0, 9.0, 6.0], "b": [1.0, 3.0, 2.0]}, "a", "b")
    [2.0, 3.0, 3.0]
    """
    return [a / b for a, b in zip(found[name], found[against], strict=True)]


def judge(target: Target, found: Values) -> dict[str, Any]:
    """Say whether a target is met: the median that counts, the runs' own values, by how much it is missed (%).

    It is `decided` only if all runs are on the same side of it.
    """
    if target.name not in found or (target.against and target.against not in found):
        return {"target": worded(target), "met": None, "values": []}
    values = ratios(found, target.name, target.against) if target.against else found[target.name]
    value = statistics.median(values)
    sides = {missed_by(target, one) > 0 for one in values}
    missed = missed_by(target, value)
    judged = {"target": worded(target), "met": not missed, "value": value, "missed by %": round(missed, 1)}
    return judged | {"values": values, "decided": len(sides) == 1}


def missed_by(target: Target, value: float) -> float:
    """Return by how many percent a value misses a target, 0 if it does not.

    >>> missed_by(Target("a", least=20), 15), missed_by(Target("a", most=20), 15)
    (25.0, 0.0)
    """
    if target.least is not None:
        return max(0.0, 100 * (1 - value / target.least))
    return max(0.0, 100 * (value / target.most - 1)) if target.most else 0.0


def worded(target: Target) -> str:
    """Say a target in words.

    >>> worded(Target("park-spool", least=20, against="Dask"))
    'park-spool: at least 20 × Dask'
    """
    bound = f"at least {target.least:,g}" if target.least is not None else f"at most {target.most:,g}"
    return f"{target.name}: {bound}" + (f" × {target.against}" if target.against else "")


def verdict(judged: dict[str, Any]) -> str:
    if judged["met"] is None:
        return f"- {judged['target']}: not measured"
    found = "met" if judged["met"] else f"missed by {judged['missed by %']:g} %"
    values = judged["values"]
    runs = f" (runs {shown(min(values))} to {shown(max(values))})" if len(values) > 1 else " (one run)"
    return (
        f"- {judged['target']}: {shown(judged['value'])}{runs}, {found}{'' if judged['decided'] else ', NOT DECIDED'}"
    )


def table(part: Part, found: Values) -> str:
    """Return a part as a table, its targets and its notes."""
    first = part.measures[0]
    lines = [f"### {part.title}", "", "| | median | lowest | highest | | jobs | " + f"{first.name} is |"]
    lines.append("|---|---|---|---|---|---|---|")
    for measure in part.measures:
        values = found[measure.name]
        compared = measure is not first and measure.unit == first.unit == RATE
        times = f"{statistics.median(ratios(found, first.name, measure.name)):.3g} × as fast" if compared else ""
        cells = [measure.name, *(shown(value) for value in (statistics.median(values), min(values), max(values)))]
        lines.append(f"| {' | '.join(cells)} | {measure.unit} | {measure.jobs or ''} | {times} |")
    notes = [f"- {measure.name}: {measure.note}" for measure in part.measures if measure.note]
    notes += [f"- {note}" for note in part.notes]
    return "\n".join([*lines, "", *(verdict(judge(target, found)) for target in part.targets), *notes, ""])


def as_json(part: Part, found: Values) -> dict[str, Any]:
    measures = [{"name": m.name, "unit": m.unit, "jobs": m.jobs, "values": found[m.name]} for m in part.measures]
    targets = [judge(target, found) for target in part.targets]
    return {"title": part.title, "measures": measures, "targets": targets, "notes": list(part.notes)}


def shown(value: float) -> str:
    """Write a value with as many digits as mean something.

    >>> shown(61234.5), shown(3.14159), shown(0.0123)
    ('61,234', '3.14', '0.0123')
    """
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
