"""`park why`: why jobs failed, why a session does not go on, and all that is known of one job."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import click

from park_spool import config, intervals, job_names, naming, whereabouts
from park_spool.archive.rows import AttemptRow, JobDetail, RunningRow
from park_spool.cli import archived
from park_spool.cli.options import guarded, json_option, sid_argument, spool_option
from park_spool.cli.submitting import counted
from park_spool.errors import NotFound
from park_spool.intervals import Intervals
from park_spool.job_names import Key
from park_spool.job_words import ending
from park_spool.limits import size_words
from park_spool.looking import alive, failed, stalls
from park_spool.looking.failed import Failed
from park_spool.looking.standing import Look, Standing
from park_spool.progress import duration, utc

MOST_FAILURES = 100_000
STDERR_LINES = 10
UNKNOWN = "which of its jobs failed, if any, cannot be seen from here"


@click.command()
@sid_argument
@click.argument("job", metavar="[JOB]", required=False)
@spool_option
@json_option
@guarded
def why(prefix: str, job: str | None, spool: str | None, as_json: bool) -> None:
    """Say why jobs of a session failed, equal reasons together, and why it does not go on; or tell all of one job.

    Of a job (1.1.17): each attempt with its node, time, status and last lines of standard error; what it runs now.

    \b
    Examples:
      park why 20261123-025532-k3j9
      park why 20261123-025532-k3j9 1.1.17
      park why --json 20261123-02
    """
    settings = config.load(config.find_spool(spool))
    look = Look(settings)
    try:
        one = look.one(prefix)
    except NotFound:
        reason = whereabouts.rejection(look.disk, settings.layout, prefix) if naming.is_sid(prefix) else None
        if reason is not None:
            click.echo(json.dumps({"rejected": reason}, ensure_ascii=False) if as_json else reason)
            return
        raise
    if job is not None:
        _tell_job(archived.reader(settings).job(one.sid, *job_names.read_one(job)), one.sid, as_json)
    else:
        _tell_session(look, one, as_json)


def _tell_job(detail: JobDetail, sid: str, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(asdict(detail), ensure_ascii=False, indent=1))
        return
    for line in describe_job(detail, sid):
        click.echo(line)


def _tell_session(look: Look, one: Standing, as_json: bool) -> None:
    rows = failed.failures(look, one, MOST_FAILURES)
    reasons = None if rows is None else grouped(rows)
    waits = [] if one.is_closed else stalls.reasons(look, one, alive.look(look.disk, look.settings.layout))
    if as_json:
        told = None if reasons is None else [reason.to_json() for reason in reasons]
        shown = {"session": asdict(one), "waits": waits, "failed": told}
        click.echo(json.dumps(shown, ensure_ascii=False, indent=1))
    else:
        for line in describe(one, reasons, waits):
            click.echo(line)
    if rows is not None and len(rows) == MOST_FAILURES:
        click.echo(f"note: of the jobs that failed the first {MOST_FAILURES:,} are shown", err=True)
    if look.note:
        click.echo(f"note: {look.note}", err=True)


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason, and all jobs that failed by it."""

    status: str
    why: str
    jobs: Mapping[Key, Intervals]

    @property
    def count(self) -> int:
        return sum(map(intervals.total, self.jobs.values()))

    def to_json(self) -> dict[str, Any]:
        return {"status": self.status, "why": self.why, "count": self.count, "jobs": job_names.words(self.jobs, 10**6)}


def grouped(rows: Iterable[Failed]) -> list[Reason]:
    """Put failures of equal reason together, the most frequent reason first."""
    found: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        found.setdefault((row.status, row.why or "no reason is known"), []).append(row.job)
    reasons = [Reason(status, why, job_names.several(jobs)) for (status, why), jobs in found.items()]
    return sorted(reasons, key=lambda reason: -reason.count)


def describe(one: Standing, reasons: list[Reason] | None, waits: list[str]) -> Iterator[str]:
    """Say why jobs failed, as far as that is known, and what an open session waits for."""
    jobs = "" if one.jobs is None else f"; {one.final:,} of {one.jobs:,} jobs have their result"
    yield f"{one.sid}: {one.state}{jobs}"
    yield from [one.why] if one.why else []
    yield from waits
    for reason in reasons or []:
        yield f"{counted(reason.count, 'job')} {reason.status}: {job_names.words(reason.jobs)}"
        yield from (f"  {line}" for line in reason.why.splitlines())
    if reasons:
        yield f"`park why {one.sid} JOB` tells more of one, `park retry {one.sid}` runs them again"
    elif not waits and not one.why:
        known = "no job failed for good" if reasons is not None else UNKNOWN
        yield known + (", and nothing is known that it waits for" if not one.is_closed else "")


def describe_job(detail: JobDetail, sid: str) -> Iterator[str]:
    """Say all that is known of one job: each attempt, what runs now, which files it left."""
    row = detail.row
    yield f"job {detail.job} of {sid}: {row.status if row else 'has no final result yet'}"
    for attempt in detail.attempts:
        yield from _attempt(attempt)
    if row is not None:
        last = (row.job, row.status, row.why, detail.exit, detail.signal, row.node, row.round, row.attempt)
        yield from _attempt(AttemptRow(*last, row.started, row.seconds, detail.stderr))
        yield from () if row.chisq is None else [f"  chisq {row.chisq:.6g}"]
    for running in detail.running:
        yield runs_now(running)
    if detail.files:
        shown = ", ".join(f"{file.name} ({size_words(file.size)})" for file in detail.files)
        yield f"files: {shown}; `park fetch {sid} {detail.job} -o DIR` copies them"
    if row is None and not detail.attempts and not detail.running:
        yield f"it was not run yet; `park why {sid}` says what the session waits for"


def _attempt(row: AttemptRow) -> Iterator[str]:
    round_ = f" of round {row.round}" if row.round else ""
    ended = ending(row.exit, row.signal)
    yield (
        f"attempt {row.attempt + 1}{round_} on {row.node}, {utc(row.started)}, {duration(row.seconds)}: "
        f"{row.status}{f', {ended}' if ended else ''}"
    )
    if row.why:
        yield f"  {row.why}"
    lines = (row.stderr or "").splitlines()[-STDERR_LINES:]
    if lines:
        yield "  its standard error ends with"
        yield from (f"    {line}" for line in lines)


def runs_now(row: RunningRow) -> str:
    best = "" if row.chisq is None else f", best so far chisq {row.chisq:.6g}"
    return f"it runs now on {row.node}, for {duration(row.seconds)}{best}"
