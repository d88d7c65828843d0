"""The groups of a session as its page shows them: what kind each is, its counts, its best fit and the steps to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from park_spool.archive.reading import ArchiveReader
from park_spool.archive.rows import GroupRow
from park_spool.atomic import Disk
from park_spool.config import Config
from park_spool.delivering.gathering import Gathering, expected_datasets
from park_spool.sessions.session import Session
from park_spool.showing import charts, maps
from park_spool.showing.charts import Step
from park_spool.showing.fits import FitShown, of_fit
from park_spool.showing.maps import ChisqMapShown

MOST_GROUPS = 100  # whose best fits are shown; of more only the counts
MOST_STEPS = 100

Kind = Literal["fit", "batch", "map", "jobs"]


@dataclass(frozen=True, slots=True)
class GroupShown:
    """A group of a session. `kind`: a `map` has maps, a `batch` more than one data set, a `fit` a chisq; else `jobs`.

    `best` is without curve and profile, `maps` without their cells: showing/charts.py has them. `steps` are the last
    improvements, the best one last: earlier good fits to go back to. `stopped` says why its reducer was stopped.
    """

    group: int
    name: str
    task: str
    service: str
    kind: Kind
    reducer: str
    stopped: str
    jobs: int
    done: int
    ok: int
    failed: int
    data_sets: int
    joblists: int
    best_chisq: float | None
    best_job: str | None
    best: FitShown | None = None
    steps: tuple[Step, ...] = ()
    maps: tuple[ChisqMapShown, ...] = ()


def groups(
    disk: Disk, settings: Config, reader: ArchiveReader, sid: str, session: Session | None
) -> tuple[GroupShown, ...]:
    """Return the groups of a session; `session` None (it is not on the spool any more): without their best fits."""
    rows = reader.groups(sid)
    if session is None:
        return tuple(_row(row, kind_of(False, 0, row.best_chisq is not None), 0, 0) for row in rows)
    gathering = Gathering(reader, disk, settings.layout, sid)
    with_maps = {text.group for text in reader.texts(sid) if text.keys.get("what") == "map"}
    shown = []
    for place, (row, group) in enumerate(zip(rows, session.groups, strict=False)):
        expected = sum(1 for _ in expected_datasets(group))
        sets = max(expected, reader.count_datasets(sid, row.group))
        found = maps.chisq_maps(reader, sid, row.group) if row.group in with_maps else ()
        kind = kind_of(bool(found), sets, row.best_chisq is not None)
        one = _row(row, kind, sets, len(group.joblists))
        if place < MOST_GROUPS:
            fit = gathering.best(row.group)
            steps = charts.history(reader, sid, row.group).steps[-MOST_STEPS:]
            best = None if fit is None else of_fit(sid, row.name, fit).in_short()
            one = replace(one, best=best, steps=steps, maps=tuple(replace(each, chisq=None) for each in found))
        shown.append(one)
    return tuple(shown)


def kind_of(has_maps: bool, data_sets: int, has_chisq: bool) -> Kind:
    """Say what kind of group this is.

    >>> kind_of(True, 170, True), kind_of(False, 170, False), kind_of(False, 1, True), kind_of(False, 0, False)
    ('map', 'batch', 'fit', 'jobs')
    """
    if has_maps:
        return "map"
    if data_sets > 1:
        return "batch"
    return "fit" if has_chisq else "jobs"


def _row(row: GroupRow, kind: Kind, data_sets: int, joblists: int) -> GroupShown:
    kept = ("group", "name", "task", "jobs", "ok", "failed", "best_chisq", "best_job")
    return GroupShown(
        **{name: getattr(row, name) for name in kept},
        service=row.task.partition("/")[0],
        kind=kind,
        reducer=row.reducer or "",
        stopped=row.stopped or "",
        done=row.ok + row.failed,
        data_sets=data_sets,
        joblists=joblists,
    )
