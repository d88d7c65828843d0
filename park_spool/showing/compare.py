"""Fits side by side: of whole sessions, of groups, of single jobs, from wherever; their parameters aligned by name.

SID        the best fit of the group with a session's lowest chisq
SID:2      the best fit of group 2
SID:1.1.7  the fit of one job
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from park_spool.archive.reading import ArchiveReader
from park_spool.archive.rows import SessionRow
from park_spool.atomic import Disk
from park_spool.config import Config
from park_spool.differences import sigmas
from park_spool.errors import NotFound
from park_spool.showing.charts import best_fit, fit_of_job, group_of
from park_spool.showing.fits import FitShown, Parameter

MOST = 12


@dataclass(frozen=True, slots=True)
class Compared:
    """One of those that stand side by side; `of` is as it was asked for. `fit` is without curve; None: none yet."""

    of: str
    sid: str
    user: str
    file: str
    state: str
    received: float
    jobs: int
    done: int
    failed: int
    group: int | None
    group_name: str
    task: str
    job: str
    fit: FitShown | None


@dataclass(frozen=True, slots=True)
class ComparedParameter:
    """A parameter in each of them, None where it has none.

    `differences`: by how many standard errors each differs from the first (both errors taken together); None where
    that is not known.
    """

    name: str
    unit: str
    values: tuple[Parameter | None, ...]
    differences: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """All of them, and their parameters in the order in which they are first met."""

    compared: tuple[Compared, ...]
    parameters: tuple[ComparedParameter, ...]


def compare(settings: Config, disk: Disk, reader: ArchiveReader, asked: Sequence[str]) -> Comparison:
    """Put up to twelve side by side. Raises NotFound, naming it, if one is not there or cannot be read."""
    several = list(dict.fromkeys(asked))
    if not 1 <= len(several) <= MOST:
        raise NotFound(f"expected 1 to {MOST} sessions, groups or jobs to compare, got {len(several)}")
    found = tuple(_compared(settings, disk, reader, one) for one in several)
    return Comparison(found, aligned([one.fit for one in found]))


def _compared(settings: Config, disk: Disk, reader: ArchiveReader, of: str) -> Compared:
    prefix, _, which = of.partition(":")
    row = reader.session(prefix)
    if "." in which:
        return _shown(reader, of, row, fit_of_job(settings, disk, reader, row.sid, which))
    group = _group(which, row)
    if group is None:
        return _shown(reader, of, row, None)
    return _shown(reader, of, row, best_fit(settings, disk, reader, row.sid, group), group)


def _group(which: str, row: SessionRow) -> int | None:
    """Read which group is meant; None where a session has no best fit yet."""
    if which:
        if not (which.isascii() and which.isdigit() and len(which) < 4):
            raise NotFound(f"{which!r} is neither a group, as 2, nor a job, as 1.1.7")
        return int(which)
    return int(row.best_job.partition(".")[0]) if row.best_job else None


def _shown(
    reader: ArchiveReader, of: str, row: SessionRow, fit: FitShown | None, number: int | None = None
) -> Compared:
    number = fit.group if fit is not None else number
    group = None if number is None else group_of(reader, row.sid, number)
    kept = ("sid", "user", "file", "state", "received", "jobs", "failed")
    return Compared(
        of=of,
        **{name: getattr(row, name) for name in kept},
        done=row.ok + row.failed,
        group=number,
        group_name=group.name if group else "",
        task=group.task if group else "",
        job=fit.job if fit else "",
        fit=fit.in_short() if fit else None,
    )


def aligned(fits: Sequence[FitShown | None]) -> tuple[ComparedParameter, ...]:
    """Align the parameters of fits by name; of several of one name in a fit the first counts."""
    known: list[dict[str, Parameter]] = []
    for fit in fits:
        named: dict[str, Parameter] = {}
        for one in fit.parameters if fit is not None else ():
            named.setdefault(one.name, one)
        known.append(named)
    names = dict.fromkeys(name for named in known for name in named)
    return tuple(_aligned(name, [named.get(name) for named in known]) for name in names)


def _aligned(name: str, values: Sequence[Parameter | None]) -> ComparedParameter:
    unit = next((one.unit for one in values if one is not None and one.unit), "")
    first = values[0]
    differences = [None if place == 0 else _difference(first, one) for place, one in enumerate(values)]
    return ComparedParameter(name, unit, tuple(values), tuple(differences))


def _difference(first: Parameter | None, second: Parameter | None) -> float | None:
    if first is None or second is None:
        return None
    return sigmas(first.value, first.error, second.value, second.error)
