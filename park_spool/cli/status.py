"""`park status`: who is at work, the sessions, and one session with its groups, best fits and failures.

Light on purpose: it must answer at once, so neither numpy nor matplotlib nor sqlite-utils is imported (tested).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import click

from park_spool import config
from park_spool.archive.reading import ArchiveReader
from park_spool.archive.rows import BestRow, GroupPage, SessionPage
from park_spool.cli import alive
from park_spool.cli.alive import Crew
from park_spool.cli.options import guarded, json_option, spool_option
from park_spool.cli.standing import Look, Standing
from park_spool.errors import ParkError
from park_spool.progress import parameter_rows, progress

COLUMNS = ("session", "user", "file", "state", "jobs", "failed", "best chisq", "in job")


@click.command()
@click.argument("prefix", metavar="[SID]", required=False)
@spool_option
@json_option
@click.option("--limit", "-n", type=click.IntRange(1), default=20, show_default=True, help="List so many sessions.")
@guarded
def status(prefix: str | None, spool: str | None, as_json: bool, limit: int) -> None:
    """List the newest sessions, or show one with its groups, best fits and failures.

    A unique beginning of a session's id will do. Who is missing for work to go on (no spoold, no reducer, no node) is
    said on standard error.

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
    if as_json:
        _print_json({**_crew_json(crew), "sessions": [asdict(one) for one in sessions]})
        return
    click.echo(crew_line(crew))
    if not sessions:
        click.echo("no sessions yet: copy one into the inbox, or `park submit FILE`")
        return
    for line in table([COLUMNS, *map(cells, sessions)]):
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


def cells(one: Standing) -> tuple[str, ...]:
    """Write a session as the cells of a row."""
    jobs = "–" if one.jobs is None else f"{one.final:,} of {one.jobs:,}"
    failed = "–" if one.failed is None else f"{one.failed:,}"
    best = "–" if one.best_chisq is None else f"{one.best_chisq:.6g}"
    return one.sid, one.user or "–", one.file or "–", one.state, jobs, failed, best, one.best_job or "–"


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
    if as_json:
        groups = [_group_json(group) for group in page.groups] if page else []
        failures = [asdict(row) for row in page.failures] if page else []
        _print_json({**_crew_json(crew), "session": asdict(standing), "groups": groups, "failures": failures})
        return
    for line in (*describe(standing, page), *(describe_page(page) if page else ())):
        click.echo(line)


def _page(look: Look, sid: str) -> SessionPage | None:
    try:
        return ArchiveReader(look.settings.archive).session_page(sid)
    except ParkError:
        return None  # look.note says why


def describe(one: Standing, page: SessionPage | None) -> Iterable[str]:
    """Say where a session stands, in a few lines."""
    yield f"{one.sid}: {one.file or 'session'}{f' of {one.user}' if one.user else ''} is {one.state}"
    if one.jobs is None:
        yield "it lies in the inbox and is not admitted yet"
        return
    now = progress(page.row) if page else None
    yield now.words if now and now.done == one.final else f"{one.final:,} of {one.jobs:,} jobs"
    if one.failed:
        yield f"{one.failed:,} jobs failed for good"


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
