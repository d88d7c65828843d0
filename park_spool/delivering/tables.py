"""The tables of an answer as CSV: a header, UTF-8, numbers with all their digits, nothing where there is none.

All are made line by line: a session may have ten million jobs.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from park_spool.attributes import finite
from park_spool.delivering import metadata
from park_spool.delivering.answer import Answer, Fit, JobLine
from park_spool.progress import utc

PARAMETERS = ("group", "dataset", "job", "name", "value", "error", "unit", "min", "max", "start", "at_bound")
RESULTS = (
    *("job", "status", "chisq", "reduced_chisq", "npoints", "dof", "nllf", "seed"),
    *("node", "round", "attempt", "started", "seconds"),
)
NUMBERS = ("chisq", "reduced_chisq", "npoints", "dof", "nllf", "seed", "node", "seconds")
CURVE = ("x", "y", "dy", "dx", "model")
CLOSE = 1e-3  # of the box, or of the error where the box is open at an end: a value as near to a bound is at it


def written(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    r"""Yield the lines of a table.

    >>> "".join(written(["name", "value"], [["film", 0.1], ["a, b", None]]))
    'name,value\r\nfilm,0.1\r\n"a, b",\r\n'
    """
    line = io.StringIO()
    writer = csv.writer(line)
    for row in chain([header], rows):
        writer.writerow(row)
        yield line.getvalue()
        line.seek(0)
        line.truncate()


def results(jobs: Iterable[JobLine], inputs: Sequence[str]) -> Iterator[str]:
    """Yield the table of all jobs; `inputs` are the attributes of inputs that have a column each."""
    header = [*RESULTS, *(f"input {name}" for name in inputs), "why"]
    return written(header, (_result_row(one, inputs) for one in jobs))


def _result_row(one: JobLine, inputs: Sequence[str]) -> list[object]:
    job = one.row
    reduced = job.chisq / job.dof if job.chisq is not None and job.dof else None
    numbers = [job.chisq, reduced, job.npoints, job.dof, job.nllf, job.seed]
    ran = [job.node, job.round, job.attempt, utc(job.started), job.seconds]
    return [job.job, job.status, *numbers, *ran, *(one.input.get(name) for name in inputs), job.why]


def parameters(answer: Answer) -> Iterator[str]:
    """Yield the table of all fitted parameters: of each group's best fit, of a batch those of each data set."""
    fits = ((group.number, fit) for group in answer.groups for fit in _fits(group.batch, group.best))
    return written(PARAMETERS, (row for number, fit in fits for row in _parameter_rows(number, fit)))


def _fits(batch: Mapping[str, Fit | None], best: Fit | None) -> list[Fit]:
    return [fit for fit in (batch.values() if batch else [best]) if fit is not None]


def _parameter_rows(group: int, fit: Fit) -> Iterator[list[object]]:
    for entry in fit.parameters:
        words = [entry.get(key) for key in ("name", "value", "error", "unit", "min", "max", "start")]
        yield [group, fit.label, fit.job, *words, bound_of(entry)]


def bound_of(entry: Mapping[str, Any]) -> str:
    """Say at which of its bounds a parameter stands: min, max or neither. A box may be open at an end, or at both.

    At a bound is what is nearer than a thousandth of the box; of one that is open at an end, of the error.

    >>> bound_of({"value": 6.4, "min": 6.0, "max": 6.4}), bound_of({"value": 6.2, "min": 6.0, "max": 6.4})
    ('max', '')
    >>> bound_of({"value": 0.0, "min": 0.0, "max": None}), bound_of({"value": 1e-9, "min": 0.0, "max": None})
    ('min', '')
    >>> bound_of({"value": 1e-9, "error": 0.1, "min": 0.0, "max": None}), bound_of({"value": 0.1, "min": 0.0})
    ('min', '')
    """
    value, low, high = (finite(entry.get(key)) for key in ("value", "min", "max"))
    if value is None or (low is not None and high is not None and not low < high):
        return ""
    error = abs(finite(entry.get("error")) or 0.0)
    near = CLOSE * error if low is None or high is None else CLOSE * high - CLOSE * low  # high - low may overflow
    if low is not None and value <= low + near:
        return "min"
    return "max" if high is not None and value >= high - near else ""


def batch(batch: Mapping[str, Fit | None]) -> Iterator[str]:
    """Yield the table of a batch: a row for each data set, a column with its error for each parameter.

    Last come the columns of what else is known of the data sets and differs between them (metadata.py).
    """
    names = dict.fromkeys(str(entry.get("name", "")) for fit in batch.values() if fit for entry in fit.parameters)
    more = metadata.columns(fit.metadata for fit in batch.values() if fit)
    fitted = [word for name in names for word in (name, f"{name} error")]
    numbered = enumerate(batch.items(), 1)
    rows = (_batch_row(number, label, fit, list(names), more) for number, (label, fit) in numbered)
    return written(["number", "dataset", "job", *NUMBERS, *fitted, *more], rows)


def _batch_row(number: int, label: str, fit: Fit | None, names: list[str], more: list[str]) -> list[object]:
    if fit is None:
        return [number, label, *[None] * (1 + len(NUMBERS) + 2 * len(names) + len(more))]
    known = {str(entry.get("name", "")): entry for entry in fit.parameters}
    values = [known.get(name, {}).get(key) for name in names for key in ("value", "error")]
    told = [fit.metadata.get(name) for name in more]
    return [number, label, fit.job, *(getattr(fit, name) for name in NUMBERS), *values, *told]


def curve(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield a curve as a table: x, y, dy, dx and model, as far as the service gives them, named with their units."""
    columns = {key: found[key] for key in CURVE if isinstance(found.get(key), Sequence)}
    length = max(map(len, columns.values()), default=0)
    rows = ([_at(column, place) for column in columns.values()] for place in range(length))
    return written([_heading(found, key) for key in columns], rows)


def _at(column: Sequence[object], place: int) -> object:
    return column[place] if place < len(column) else None


def _heading(found: Mapping[str, Any], key: str) -> str:
    """Name a column of a curve.

    >>> _heading({"xlabel": "Q", "xunit": "1/Å", "ylabel": "R"}, "x"), _heading({"ylabel": "R"}, "dy")
    ('Q (1/Å)', 'dR')
    """
    axis = "x" if key.endswith("x") else "y"
    label = str(found.get(f"{axis}label") or axis)
    name = {"model": f"model {label}"}.get(key, f"d{label}" if key.startswith("d") else label)
    unit = found.get(f"{axis}unit")
    return f"{name} ({unit})" if unit else name
