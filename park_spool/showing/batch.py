"""A batch as it is shown: a row for each data set, trends of parameters, and a small picture of each fit.

Data sets stand in the order of the inputs that name them and are numbered from 1, as in all that is delivered.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from park_spool import job_names
from park_spool.archive.fit_rows import BatchRow
from park_spool.archive.reading import ArchiveReader
from park_spool.atomic import Disk
from park_spool.config import Config
from park_spool.delivering import metadata
from park_spool.delivering.gathering import FIELDS, MOST_DATASETS, Gathering
from park_spool.delivering.metadata import Value
from park_spool.errors import NotFound
from park_spool.showing.charts import group_of
from park_spool.showing.fits import Curve, Numbers, curve_of

MOST_SIZE = 1000
MOST_POINTS = 80  # of a thumbnail


@dataclass(frozen=True, slots=True)
class ParameterColumn:
    """A parameter of a batch's fits; box and unit are those of the first fit that gives it."""

    name: str
    unit: str
    min: float | None
    max: float | None


@dataclass(frozen=True, slots=True)
class BatchRowShown:
    """A data set with its best fit; `job` is empty while it has none. Values and errors by the parameters' names."""

    number: int
    dataset: str
    job: str = ""
    chisq: float | None = None
    reduced_chisq: float | None = None
    npoints: int | None = None
    dof: int | None = None
    nllf: float | None = None
    seed: int | None = None
    node: str = ""
    seconds: float | None = None
    finished: float | None = None
    parameters: dict[str, float | None] | None = None
    errors: dict[str, float | None] | None = None
    metadata: dict[str, float | str] | None = None


@dataclass(frozen=True, slots=True)
class BatchPage:
    """A page of a batch of `total` data sets, of which `fitted` have a fit; `metadata` names what differs."""

    sid: str
    group: int
    name: str
    total: int
    fitted: int
    page: int
    pages: int
    size: int
    parameters: tuple[ParameterColumn, ...]
    metadata: tuple[str, ...]
    rows: tuple[BatchRowShown, ...]


@dataclass(frozen=True, slots=True)
class TrendColumn:
    """A column of a trend: a value for each data set, None where there is none; `errors` None: none are known."""

    name: str
    unit: str
    values: Numbers
    errors: Numbers | None
    kind: Literal["parameter", "metadata", "chisq"]


@dataclass(frozen=True, slots=True)
class Trend:
    """All that may be drawn of a batch over sequence number (the place in `labels`, from 1) or over metadata."""

    sid: str
    group: int
    name: str
    columns: tuple[TrendColumn, ...]
    labels: tuple[str, ...]
    jobs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """The best fit of one data set, its curve thinned out to at most 80 points."""

    sid: str
    group: int
    number: int
    dataset: str
    job: str
    chisq: float | None
    reduced_chisq: float | None
    curve: Curve | None


@dataclass(frozen=True, slots=True)
class _Table:
    """The whole batch, as the archive has it now."""

    sid: str
    group: int
    name: str
    rows: tuple[BatchRowShown, ...]
    parameters: tuple[ParameterColumn, ...]
    metadata: tuple[str, ...]


def batch(
    settings: Config, disk: Disk, reader: ArchiveReader, sid: str, group: int, page: int = 1, size: int = 100
) -> BatchPage:
    """Return a page of a batch. Raises NotFound if there is no such group."""
    if not (1 <= size <= MOST_SIZE and page >= 1):
        raise NotFound(f"expected a page from 1 on and 1 to {MOST_SIZE} data sets on it, got {page}, {size}")
    table = _table(settings, disk, reader, sid, group)
    total, first = len(table.rows), (page - 1) * size
    fitted = sum(bool(row.job) for row in table.rows)
    return BatchPage(
        *(table.sid, group, table.name, total, fitted, page, max(1, math.ceil(total / size)), size),
        table.parameters,
        table.metadata,
        table.rows[first : first + size],
    )


def trend(settings: Config, disk: Disk, reader: ArchiveReader, sid: str, group: int) -> Trend:
    """Return the columns of a batch. Raises NotFound if there is no such group."""
    table = _table(settings, disk, reader, sid, group)
    rows = table.rows
    columns = [
        TrendColumn("chisq", "", tuple(row.chisq for row in rows), None, "chisq"),
        TrendColumn("chisq/dof", "", tuple(row.reduced_chisq for row in rows), None, "chisq"),
    ]
    for one in table.parameters:
        values = tuple((row.parameters or {}).get(one.name) for row in rows)
        errors = tuple((row.errors or {}).get(one.name) for row in rows)
        has_errors = any(error is not None for error in errors)
        columns.append(TrendColumn(one.name, one.unit, values, errors if has_errors else None, "parameter"))
    for name in table.metadata:
        told = tuple(_number((row.metadata or {}).get(name)) for row in rows)
        if any(value is not None for value in told):
            columns.append(TrendColumn(name, "", told, None, "metadata"))
    labels, jobs = tuple(row.dataset for row in rows), tuple(row.job for row in rows)
    return Trend(table.sid, group, table.name, tuple(columns), labels, jobs)


def _number(value: Value | None) -> float | None:
    return value if isinstance(value, float) else None


def thumbnail(settings: Config, disk: Disk, reader: ArchiveReader, sid: str, group: int, number: int) -> Thumbnail:
    """Return the picture of one data set, the `number`-th. Raises NotFound if there is none."""
    return thumbnails(settings, disk, reader, sid, group, [number])[0]


def thumbnails(
    settings: Config, disk: Disk, reader: ArchiveReader, sid: str, group: int, numbers: Sequence[int]
) -> tuple[Thumbnail, ...]:
    """Return the pictures of several data sets at once, which costs little more than one. Raises as `thumbnail`."""
    group_of(reader, sid, group)
    labels = Gathering(reader, disk, settings.layout, sid).labels(group)
    for number in numbers:
        if not 1 <= number <= len(labels):
            raise NotFound(f"group {group} of {sid} has {len(labels)} data sets, no number {number}")
    return tuple(_thumbnail(reader, sid, group, number, labels[number - 1]) for number in numbers)


def _thumbnail(reader: ArchiveReader, sid: str, group: int, number: int, label: str) -> Thumbnail:
    row = reader.best_of_dataset(sid, group, label)
    if row is None:
        return Thumbnail(sid, group, number, label, "", None, None, None)
    said = reader.said(sid, *job_names.read_one(row.job))
    curve = curve_of(said.curve) if said else None
    drawn = None if curve is None else thinned(curve)
    return Thumbnail(sid, group, number, label, row.job, row.chisq, row.reduced_chisq, drawn)


def thinned(curve: Curve, most: int = MOST_POINTS) -> Curve:
    """Thin a curve out evenly; its first and last point stay.

    >>> thinned(Curve(tuple(map(float, range(500))), y=(1.0,) * 500), 3).x
    (0.0, 250.0, 499.0)
    """
    length = len(curve.x)
    if length <= most:
        return curve
    places = [round(place * (length - 1) / (most - 1)) for place in range(most)]
    columns: dict[str, Any] = {name: _at(getattr(curve, name), places) for name in ("y", "dy", "dx", "model")}
    return replace(curve, x=tuple(curve.x[place] for place in places), **columns)


def _at(column: Numbers | None, places: Sequence[int]) -> Numbers | None:
    if column is None:
        return None
    return tuple(column[place] if place < len(column) else None for place in places)


def _table(settings: Config, disk: Disk, reader: ArchiveReader, sid: str, group: int) -> _Table:
    name = group_of(reader, sid, group).name
    gathering = Gathering(reader, disk, settings.layout, sid)
    known = {row.dataset: row for row in reader.batch(sid, group, MOST_DATASETS)}
    labels = gathering.labels(group)
    said = reader.scalars(sid, [known[label].job for label in labels if label in known])
    fitted = list(dict.fromkeys(name for row in known.values() for name in row.parameters))
    taken = [*FIELDS, *fitted]
    told = {
        label: metadata.joined(metadata.of_input(gathering.input_of(row.job)), metadata.of_output(said[row.job]), taken)
        for label in labels
        if (row := known.get(label))
    }
    differing = metadata.columns(told.values())
    rows = tuple(
        _row(
            number,
            label,
            known.get(label),
            {name: told[label][name] for name in differing if name in told.get(label, ())},
        )
        for number, label in enumerate(labels, 1)
    )
    return _Table(sid, group, name, rows, _columns(reader, sid, list(known.values()), fitted), tuple(differing))


def _columns(
    reader: ArchiveReader, sid: str, rows: Sequence[BatchRow], names: Sequence[str]
) -> tuple[ParameterColumn, ...]:
    """Return the columns of parameters; the fits of a batch give mostly the same, so that few need be looked up."""
    found: dict[str, ParameterColumn] = {}
    for row in rows:
        if not row.parameters.keys() <= found.keys():
            for one in reader.parameters(sid, *job_names.read_one(row.job)):
                found.setdefault(one.name, ParameterColumn(one.name, one.unit or "", one.min, one.max))
    return tuple(found[name] for name in names if name in found)


def _row(number: int, label: str, row: BatchRow | None, told: dict[str, Value]) -> BatchRowShown:
    if row is None:
        return BatchRowShown(number, label)
    kept = ("job", "chisq", "reduced_chisq", "npoints", "dof", "nllf", "seed", "node", "seconds", "finished")
    named = {name: getattr(row, name) for name in (*kept, "parameters", "errors")}
    return BatchRowShown(number, label, **named, metadata=told)
