"""Gathering an answer: one closed session out of the archive, its session.json and session.xml, as one value.

A group with more than one data set is a batch: it has a fit, or none, for each. Data sets stand in the order of the
inputs that name them; those that only outputs name come after, in the order of their jobs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from park_spool import job_names, layout, recorded, wishes
from park_spool.archive.fit_rows import BatchRow, TextRow
from park_spool.archive.reading import ArchiveReader
from park_spool.archive.rows import BestRow, FailureRow, GroupRow
from park_spool.atomic import Disk
from park_spool.delivering import metadata
from park_spool.delivering.answer import Answer, Failure, Fit, GroupAnswer, JobLine
from park_spool.errors import NotFound
from park_spool.layout import Layout
from park_spool.sessions import datasets
from park_spool.sessions.session import Group, Session

PAGE = 2000  # jobs read at a time
MOST_DATASETS = 5000  # of one batch, with all their curves in memory
MOST_INPUTS = 100  # columns of results.csv
MOST_FAILURES = 200
FIELDS = tuple(one.name for one in fields(Fit))  # no metadata may be called so

Key = tuple[int, int, int]


class Gathering:
    """One session, read where it stands. Raises NotFound if neither spool nor archive has it."""

    def __init__(self, reader: ArchiveReader, disk: Disk, spool: Layout, sid: str) -> None:
        found = recorded.find(disk, spool, reader, sid)
        if found is None:
            raise NotFound(f"there is no session {sid} on the spool")
        self._reader = reader
        self._disk = disk
        self._folder: Path | None = found[0]
        self._session: Session = found[1].session
        self._sid = sid

    @property
    def edition(self) -> int:
        """Return which edition an answer of now is."""
        return wishes.edition_of(self._disk.names(self._folder) if self._folder else [])

    def answer(self, edition: int) -> Answer:
        """Return all that is delivered, less the jobs."""
        row = self._reader.session(self._sid)
        failures = self._reader.failures(self._sid, MOST_FAILURES)
        groups = [self._group(one, failures) for one in self._reader.groups(self._sid)]
        provenance = [asdict(one) for one in self._reader.provenance(self._sid)]
        times = (row.received, row.closed, row.first_started, row.last_finished)
        counts = (row.jobs, row.ok, row.failed, row.duplicates)
        name = self._session.attributes.get("name", "")
        head = (self._sid, edition, name, row.user, row.file, row.state)
        data = self._disk.read(layout.session_xml(self._folder)) if self._folder else None
        xml = self._reader.xml(self._sid).encode() if data is None else data
        return Answer(*head, *times, *counts, groups, provenance, xml)

    def best(self, group: int) -> Fit | None:
        """Return a group's best fit; None while no job gave a chisq."""
        row = self._reader.best(self._sid, group)
        return None if row is None else self._best(self._session.groups[group - 1], row)

    def fit(self, job: str) -> tuple[Fit, str]:
        """Return the fit of any job, and the name of its group. Raises NotFound if the job has no chisq."""
        number, joblist, which = job_names.read_one(job)
        row = self._reader.fit(self._sid, number, joblist, which)
        if row is None:
            raise NotFound(f"job {job} of {self._sid} has no chisq")
        group = self._session.groups[number - 1]
        return self._best(group, row), group.name

    # jobs

    def inputs(self) -> list[str]:
        """Return the names of the attributes that inputs have, in their order, at most a hundred."""
        names: dict[str, None] = {}
        for group in self._session.groups:
            for joblist in group.joblists:
                elements = joblist.inputs if joblist.scan is None else (joblist.input(1),)
                for element in elements:
                    names.update(dict.fromkeys(element.attributes))
        return list(names)[:MOST_INPUTS]

    def jobs(self) -> Iterator[JobLine]:
        """Yield the jobs that have a result, each with its input, in the order of their names."""
        last: Key = (0, 0, 0)
        while page := self._reader.jobs_after(self._sid, last, PAGE):
            for row in page:
                last = job_names.read_one(row.job)
                yield JobLine(row, self._joblist(*last[:2]).input(last[2]).attributes)

    def _joblist(self, group: int, joblist: int) -> Any:
        return self._session.groups[group - 1].joblists[joblist - 1]

    # groups

    def _group(self, row: GroupRow, failures: list[FailureRow]) -> GroupAnswer:
        session_group = self._session.groups[row.group - 1]
        picture = self._reader.history_picture(self._sid, row.group)
        head = (row.group, row.name, row.task, row.reducer, row.stopped, row.jobs, row.ok, row.failed)
        prefix = f"{row.group}."
        return GroupAnswer(
            *head,
            best=self.best(row.group),
            batch=self._batch(row.group, session_group),
            steps=[(step.finished, step.chisq) for step in picture.steps],
            dots=picture.jobs,
            maps=maps([text for text in self._texts if text.group == row.group]),
            failures=[Failure(one.job, one.status, one.why or "") for one in failures if one.job.startswith(prefix)],
            data=[f"{one.href or one.name} sha256:{one.sha256}" for one in self._data_sets if one.group == row.group],
        )

    @cached_property
    def _texts(self) -> list[TextRow]:
        return self._reader.texts(self._sid)

    @cached_property
    def _data_sets(self) -> list[Any]:
        return self._reader.data_sets(self._sid)

    def _best(self, group: Group, row: BestRow) -> Fit:
        _, joblist, job = job_names.read_one(row.job)
        said = self._said(row.job)
        label = datasets.of_values(said) or datasets.of_input(group.joblists[joblist - 1].input(job))
        return fit_of(group, label or _group_label(group), row, said)

    def _batch(self, number: int, group: Group) -> dict[str, Fit | None]:
        rows = {row.dataset: row for row in self._reader.batch(self._sid, number, MOST_DATASETS)}
        labels = self.labels(number)
        if len(labels) < 2:
            return {}
        batch: dict[str, Fit | None] = dict.fromkeys(labels)
        for label in batch.keys() & rows.keys():
            batch[label] = fit_of(group, label, rows[label], self._said(rows[label].job))
        return batch

    def labels(self, number: int) -> list[str]:
        """Return the data sets of a group in their order: those that inputs name, then those that outputs name."""
        expected = expected_datasets(self._session.groups[number - 1])
        found = self._reader.datasets_by_jobs(self._sid, number, MOST_DATASETS)
        return list(dict.fromkeys([*expected, *found]))[:MOST_DATASETS]

    def input_of(self, job: str) -> dict[str, str]:
        """Return the attributes of a job's input."""
        group, joblist, number = job_names.read_one(job)
        return dict(self._joblist(group, joblist).input(number).attributes)

    def _said(self, job: str) -> dict[str, Any]:
        said = self._reader.said(self._sid, *job_names.read_one(job))
        return {} if said is None else said.values


def fit_of(group: Group, label: str, row: BestRow | BatchRow, said: Mapping[str, Any]) -> Fit:
    """Return a fit from its row and what its job said; what is no parameter, curve or profile is left out."""
    given = said.get("parameters")
    parameters = [entry for entry in given if isinstance(entry, dict)] if isinstance(given, list) else []
    joblist, job = job_names.read_one(row.job)[1:]
    names = [*FIELDS, *(str(entry.get("name", "")) for entry in parameters)]
    given_to_it = metadata.of_input(group.joblists[joblist - 1].input(job).attributes)
    curve, profile = (said[name] if isinstance(said.get(name), dict) else None for name in ("curve", "profile"))
    return Fit(
        label=label,
        job=row.job,
        chisq=row.chisq,
        npoints=row.npoints,
        dof=row.dof,
        reduced_chisq=row.reduced_chisq,
        nllf=row.nllf,
        seed=row.seed,
        node=row.node,
        seconds=row.seconds,
        parameters=parameters,
        curve=curve,
        profile=profile,
        data=tuple(datasets.hrefs(group, joblist, job).values()),
        metadata=metadata.joined(given_to_it, metadata.of_output(said), names),
    )


def _group_label(group: Group) -> str:
    """Name what a fit is about where neither output nor input says it: the data sets of its group, else the group."""
    hrefs = [ref.href.rpartition("/")[2] or ref.name for ref in group.data]
    return ", ".join(hrefs) if 0 < len(hrefs) <= 3 else group.name


def expected_datasets(group: Group) -> Iterator[str]:
    """Yield the data sets that a group's jobs are about by their inputs, each once, whether or not a fit came of them.

    >>> from park_spool.sessions.session import Session
    >>> drafted = Session.batch("reflectivity/fit", ["b.ort", "a.ort"], starts=3)
    >>> list(expected_datasets(drafted.groups[0]))
    ['b.ort', 'a.ort']
    """
    seen: set[str] = set()
    for joblist in group.joblists:
        if not datasets.are_in(joblist):
            continue
        distinct = min(joblist.size, len(joblist.inputs) if joblist.scan is None else joblist.scan.size)
        for job in range(1, distinct + 1):
            name = datasets.of_input(joblist.input(job))
            if name is not None and name not in seen:
                seen.add(name)
                yield name
            if len(seen) >= MOST_DATASETS:
                return


def maps(texts: list[TextRow]) -> dict[int, dict[str, Any]]:
    """Return the maps that the reducer of a group kept, by their job lists; what is none is left out.

    >>> maps([TextRow(1, {"joblist": 2, "what": "map"}, "{}"), TextRow(1, {"what": "map"}, "[")])
    {2: {}}
    """
    found = {}
    for text in texts:
        number = text.keys.get("joblist")
        if text.keys.get("what") == "map" and isinstance(number, int):
            try:
                value = json.loads(text.text)
            except ValueError:
                continue
            if isinstance(value, dict):
                found[number] = value
    return found
