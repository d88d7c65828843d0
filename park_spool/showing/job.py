"""One job: what it was given, what became of it, every run with its log, what it left, and where it ran."""

from __future__ import annotations

from dataclasses import dataclass

from park_spool import job_names, recorded
from park_spool.archive.fit_rows import RunRow
from park_spool.archive.reading import ArchiveReader
from park_spool.atomic import Disk
from park_spool.config import Config
from park_spool.errors import NotFound
from park_spool.job_words import ending, shortened
from park_spool.looking.standing import Look
from park_spool.showing.charts import fit_of_job
from park_spool.showing.fits import FitShown
from park_spool.showing.jobs import JobShown, input_of, of_running

MOST_OUTPUT = 20_000  # characters of an output that are shown; `park log --output` has it all


@dataclass(frozen=True, slots=True)
class RunShown:
    """One run of a job with the end of its standard error; `counts`: it is the one that stands in the archive.

    `ending` is empty, or as `was killed by SIGSEGV`; `attempt` counts from 0.
    """

    round: int
    attempt: int
    node: str
    status: str
    started: float
    seconds: float
    why: str
    ending: str
    stderr: str
    counts: bool


@dataclass(frozen=True, slots=True)
class KeptShown:
    """A file that a job left; `name` is its path below $PARK_OUTPUT, `size` in bytes."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class ProvenanceShown:
    """What ran jobs of a group: node, host, the service's digest, and the versions of the libraries there."""

    group: int
    node: str
    host: str
    version: str
    python: str
    service: str
    service_digest: str
    versions: dict[str, str]


@dataclass(frozen=True, slots=True)
class JobPage:
    """All of one job. `state`: its status, `running`, `waiting`, or `not run` of a closed session.

    `output` is what it said, long lists of numbers shortened, at most 20,000 characters (`is_cut`); `data` are the
    digests of what it read, by name. `may_retry`: it failed for good, and can be run again by the nodes.
    """

    sid: str
    job: str
    group_name: str
    task: str
    state: str
    fit: FitShown | None
    input: dict[str, str]
    runs: tuple[RunShown, ...]
    running: tuple[JobShown, ...]
    output: str
    is_cut: bool
    data: dict[str, str]
    files: tuple[KeptShown, ...]
    ran: tuple[ProvenanceShown, ...]
    may_retry: bool


def job(settings: Config, disk: Disk, reader: ArchiveReader, sid: str, name: str) -> JobPage:
    """Return all of one job (1.1.17). Raises NotFound if there is no such session, or no such job."""
    key = job_names.read_one(name)
    row, detail = reader.session(sid), reader.job(sid, *key)
    groups = {group.group: group for group in reader.groups(row.sid)}
    runs = tuple(map(of_run, reader.runs(row.sid, *key)))
    status = detail.row.status if detail.row else ""
    waits = "not run" if row.closed is not None else "waiting"
    look = Look(settings, is_of_all=False)
    found = recorded.find(disk, settings.layout, reader, row.sid)
    output = shortened(detail.output)
    nodes = {run.node for run in runs}
    said = look.said(row.sid)
    return JobPage(
        sid=row.sid,
        job=detail.job,
        group_name=groups[key[0]].name,
        task=groups[key[0]].task,
        state=status or ("running" if detail.running else waits),
        fit=_fit(settings, disk, reader, row.sid, detail.job) if found and status == "ok" else None,
        input=input_of(found[1].session, key) if found else {},
        runs=runs,
        running=tuple(map(of_running, detail.running)),
        output=output[:MOST_OUTPUT],
        is_cut=len(output) > MOST_OUTPUT,
        data={name: str(digest) for name, digest in (detail.data or {}).items()},
        files=tuple(KeptShown(file.name, file.sha256, file.size) for file in detail.files),
        ran=tuple(one for one in provenance(reader, row.sid) if one.group == key[0] and one.node in nodes),
        may_retry=status not in ("", "ok") and found is not None and found[0] is not None and not said.is_stopped,
    )


def _fit(settings: Config, disk: Disk, reader: ArchiveReader, sid: str, name: str) -> FitShown | None:
    try:
        return fit_of_job(settings, disk, reader, sid, name).in_short()
    except NotFound:
        return None  # it has no chisq


def of_run(run: RunRow) -> RunShown:
    """Show one run of a job."""
    head = (run.round, run.attempt, run.node, run.status, run.started, run.seconds, run.why or "")
    return RunShown(*head, ending(run.exit, run.signal), run.stderr or "", run.counts)


def provenance(reader: ArchiveReader, sid: str) -> tuple[ProvenanceShown, ...]:
    """Return what ran the jobs of a session."""
    return tuple(
        ProvenanceShown(
            *(one.group, one.node, one.host, one.version, one.python, one.service, one.service_digest),
            {name: str(version) for name, version in one.versions.items()},
        )
        for one in reader.provenance(sid)
    )
