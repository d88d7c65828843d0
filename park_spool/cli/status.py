"""`park status`: who is at work, the sessions, and one session with its groups, best fits and failures.

Light on purpose: it must answer at once, so neither numpy nor matplotlib nor sqlite-utils is imported (tested).
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import click

from park_spool import config
from park_spool.archive.rows import BestRow, GroupPage, SessionPage
from park_spool.cli.options import guarded, json_option, session_ids, spool_option
from park_spool.errors import ParkError
from park_spool.looking import alive, reports, stalls
from park_spool.looking.alive import Crew
from park_spool.looking.reports import RunningJob
from park_spool.looking.standing import Look, Standing
from park_spool.progress import duration, parameter_rows, progress

COLUMNS = ("session", "user", "file", "state", "jobs", "running", "failed", "best chisq", "in job")
SHOWN_JOBS = 12


@click.command()
@click.argument("prefix", metavar="[SID]", required=False, shell_complete=session_ids)
@spool_option
@json_option
@click.option("--limit", "-n", type=click.IntRange(1), default=20, show_default=True, help="List so many sessions.")
@guarded
def status(prefix: str | None, spool: str | None, as_json: bool, limit: int) -> None:
    """List the newest sessions, or show one with its groups, best fits, failures, and what runs now.

    A unique beginning of a session's id will do. Who is missing for work to go on (no spoold, no reducer, no node) is
    said on standard error; of one session also what else it waits for.

    \b
    Examples:
      park status
      park status 20261123-02
      park status --json
    """
    look = Look(config.load(config.find_spool(spool)))
    crew = alive.look(look.disk, look.settings.layout)
    if prefix is None:
        _show_all(look, crew, limit, as_json)
    else:
        _show_one(look, crew, prefix, as_json)
    for sentence in (*crew.missing(), *([look.note] if look.note else [])):
        click.echo(f"note: {sentence}", err=True)


def _show_all(look: Look, crew: Crew, limit: int, as_json: bool) -> None:
    sessions = look.newest(limit)
    jobs = running(crew)
    if as_json:
        shown = [{**asdict(one), "running": count(one, jobs)} for one in sessions]
        _print_json({**_crew_json(crew), "sessions": shown})
        return
    click.echo(crew_line(crew))
    if not sessions:
        click.echo("no sessions yet: copy one into the inbox, or `park submit FILE`")
        return
    for line in table([COLUMNS, *(cells(one, count(one, jobs)) for one in sessions)]):
        click.echo(line)


def crew_line(crew: Crew) -> str:
    """Say in one line who is at work.

    >>> crew_line(Crew("n4_4711_x0p2qa", None, ({"cpus": 2},)))
    'spoold: n4_4711_x0p2qa · reduced: – · nodes: 1 with 2 CPUs'
    """
    nodes = f"{len(crew.nodes)} with {crew.cpus} CPUs" if crew.nodes else "–"
    return f"spoold: {crew.spoold or '–'} · reduced: {crew.reduced or '–'} · nodes: {nodes}"


def _crew_json(crew: Crew) -> dict[str, Any]:
    nodes = [{key: node.get(key) for key in ("node", "host", "cpus", "busy")} for node in crew.nodes]
    return {"spoold": crew.spoold, "reduced": crew.reduced, "nodes": nodes}


def running(crew: Crew) -> dict[str, list[RunningJob]]:
    """Return the jobs that live nodes say they run, by session, the longest first."""
    found: dict[str, list[RunningJob]] = {}
    for node in crew.nodes:
        for job in reports.read(node, now=time.time()).running:
            found.setdefault(job.sid, []).append(job)
    return {sid: sorted(jobs, key=lambda job: -(job.seconds or 0.0)) for sid, jobs in found.items()}


def count(one: Standing, jobs: Mapping[str, Sequence[RunningJob]]) -> int:
    """Count the jobs of a session that run; none of a closed one does, whatever an old heartbeat says."""
    return 0 if one.is_closed else len(jobs.get(one.sid, []))


def cells(one: Standing, runs: int) -> tuple[str, ...]:
    """Write a session as the cells of a row."""
    jobs = "–" if one.jobs is None else f"{one.final:,} of {one.jobs:,}"
    failed = "–" if one.failed is None else f"{one.failed:,}"
    best = "–" if one.best_chisq is None else f"{one.best_chisq:.6g}"
    return (
        one.sid,
        one.user or "–",
        one.file or "–",
        one.state,
        jobs,
        f"{runs or '–'}",
        failed,
        best,
        one.best_job or "–",
    )


def table(rows: Sequence[Sequence[str]], indent: str = "") -> list[str]:
    """Write rows of cells as lines with aligned columns.

    >>> table([("a", "bb"), ("ccc", "d")])
    ['a    bb', 'ccc  d']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return [indent + line.rstrip() for line in lines]


def _show_one(look: Look, crew: Crew, prefix: str, as_json: bool) -> None:
    standing = look.one(prefix)
    page = _page(look, standing.sid)
    jobs = [] if standing.is_closed else running(crew).get(standing.sid, [])
    waits = [] if standing.is_closed else stalls.reasons(look, standing, crew)
    if as_json:
        groups = [_group_json(group) for group in page.groups] if page else []
        failures = [asdict(row) for row in page.failures] if page else []
        more = {"running": [asdict(job) for job in jobs], "waits": waits}
        _print_json({**_crew_json(crew), "session": asdict(standing), "groups": groups, "failures": failures, **more})
        return
    for line in (*describe(standing, page), *describe_running(jobs)):
        click.echo(line)
    for line in (*(line for line in waits if line not in crew.missing()), *(describe_page(page) if page else ())):
        click.echo(line)


def _page(look: Look, sid: str) -> SessionPage | None:
    try:
        return look.archive().session_page(sid)
    except ParkError:
        return None  # look.note says why


def describe(one: Standing, page: SessionPage | None) -> Iterable[str]:
    """Say where a session stands, in a few lines."""
    yield f"{one.sid}: {one.file or 'session'}{f' of {one.user}' if one.user else ''} is {one.state}"
    if one.jobs is None:
        return
    now = progress(page.row) if page else None
    yield now.words if now and now.done == one.final else f"{one.final:,} of {one.jobs:,} jobs"
    if one.why:
        yield f"cancelled: {one.why}"
    if one.failed:
        yield f"{one.failed:,} jobs failed for good"


def describe_running(jobs: Sequence[RunningJob]) -> Iterable[str]:
    """Say what runs now, and how good it is so far."""
    for job in jobs[:SHOWN_JOBS]:
        spent = "" if job.seconds is None else f" for {duration(job.seconds)}"
        best = "" if job.chisq is None else f", best so far chisq {job.chisq:.6g}"
        yield f"runs: job {job.job} on {job.node}{spent}{best}"
    if len(jobs) > SHOWN_JOBS:
        yield f"runs: {len(jobs) - SHOWN_JOBS:,} more"


def describe_page(page: SessionPage) -> Iterable[str]:
    """Say what the archive knows of each group, and of the jobs that failed."""
    for group in page.groups:
        yield from _describe_group(group)
    if page.failures:
        yield ""
        yield "failures"
        yield from table([(row.job, row.status, row.why or "–") for row in page.failures], "  ")


def _describe_group(page: GroupPage) -> Iterable[str]:
    group, best = page.row, page.best
    yield ""
    yield f"group {group.group} {group.name!r}, {group.task}: {group.ok + group.failed:,} of {group.jobs:,} jobs"
    if group.stopped:
        yield f"  its reducer {group.reducer} was stopped: {group.stopped}"
    if best is not None:
        yield f"  {best_line(best)}"
        yield from parameter_table(best, "    ")


def best_line(best: BestRow) -> str:
    """Say which job is the best and how good it is; chisq/dof is always labelled so."""
    words = f"best: job {best.job}, chisq {best.chisq:.6g}"
    if best.reduced_chisq is not None:
        words += f", chisq/dof {best.reduced_chisq:.4g} (dof {best.dof})"
    return words + (f", seed {best.seed}" if best.seed is not None else "")


def parameter_table(best: BestRow, indent: str) -> list[str]:
    """Write the parameters of a fit with their errors, one a line."""
    rows = [(row.name, row.value, row.unit) for row in parameter_rows(best.parameters)]
    return table(rows, indent) if rows else []


def _group_json(page: GroupPage) -> dict[str, Any]:
    """Give a group with its best fit; the curve and the output stay in the archive."""
    best = None if page.best is None else asdict(page.best)
    for key in ("curve", "output"):
        (best or {}).pop(key, None)
    return {**asdict(page.row), "best": best}


def _print_json(value: object) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=1))
