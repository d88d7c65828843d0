"""The report: one HTML file with the pictures in it, that opens anywhere and asks for nothing else.

Whatever a session, a service or a file name says is escaped; there is no script in it.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from park_spool import progress
from park_spool.delivering.answer import Answer, Fit, GroupAnswer
from park_spool.delivering.tables import bound_of
from park_spool.plots import number_words

TEMPLATE = Path(__file__).with_name("report.html")
MOST_ROWS = 500


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture in the report: what it is for those who cannot see it, and itself."""

    alt: str
    source: str


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A data set in the report; `values` of its parameters with their errors, in words."""

    label: str
    fit: Fit | None
    values: list[str]


def report(answer: Answer, pictures: Mapping[str, bytes], files: list[str]) -> str:
    """Write the report of an answer; `pictures` by file name, `files` are all that stand beside it."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {
        "chisq": lambda value: "–" if value is None else number_words(value),
        "duration": progress.duration,
        "utc": progress.utc,
        "parameters": progress.parameter_rows,
        "number": lambda value: "–" if value is None else f"{value:,}",
        "plain": lambda value: "–" if value is None else f"{value:.4g}",
    }
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    shown = {group.number: _of_group(group, pictures) for group in answer.groups}
    words = {"bound_of": bound_of, "rows_of": batch_rows, "most": MOST_ROWS}
    return template.render(answer=answer, pictures=shown, files=files, **words)


def batch_rows(group: GroupAnswer) -> tuple[list[str], list[BatchRow]]:
    """Return the names of a batch's parameters with their units, and its first rows."""
    shown = list(group.batch.items())[:MOST_ROWS]
    rows = {label: progress.parameter_rows(fit.parameters) if fit else [] for label, fit in shown}
    units = {row.name: row.unit for found in rows.values() for row in found}
    known = {label: {row.name: row.value for row in found} for label, found in rows.items()}
    header = [f"{name} ({unit})" if unit else name for name, unit in units.items()]
    return header, [BatchRow(label, fit, [known[label].get(name, "–") for name in units]) for label, fit in shown]


def _of_group(group: GroupAnswer, pictures: Mapping[str, bytes]) -> dict[str, list[Shown]]:
    """Sort the pictures of a group by where they stand in the report."""
    best = group.best.label if group.best else ""
    alts = {
        "fit": f"data with error bars, best curve of {best} and residuals",
        "chisq": "chi-square of each job over time, and the best so far",
        "profile": f"profile of {best}",
        "trend": "parameters over the data sets of the batch",
        "map": "map of chi-square",
        "batch": "each data set with its best curve",
    }
    return {kind: _shown(f"{kind}-{group.number}", alt, pictures) for kind, alt in alts.items()}


def _shown(stem: str, alt: str, pictures: Mapping[str, bytes]) -> list[Shown]:
    own = f"{stem}.png"
    names = [name for name in pictures if name == own or (name.startswith(f"{stem}-") and name.endswith(".png"))]
    return [Shown(alt, f"data:image/png;base64,{base64.b64encode(pictures[name]).decode()}") for name in names]
