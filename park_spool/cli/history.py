"""`park history`: every fit is kept. The sessions that gave fits, or all fits of one, the best first."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import click

from park_spool import config
from park_spool.archive.fit_rows import FitRow
from park_spool.archive.reading import ArchiveReader
from park_spool.archive.rows import SessionRow, Wanted
from park_spool.cli import archived
from park_spool.cli.options import guarded, json_option, session_ids, spool_option
from park_spool.cli.status import table
from park_spool.control_requests import user_name
from park_spool.looking.standing import Look
from park_spool.progress import sparkline, utc

NOTHING = "–"


@click.command()
@click.argument("prefix", metavar="[SID]", required=False, shell_complete=session_ids)
@click.argument("group", metavar="[GROUP]", required=False, type=click.IntRange(1))
@spool_option
@json_option
@click.option("--mine", is_flag=True, help="Without SID: your own sessions.")
@click.option("--limit", "-n", type=click.IntRange(1), default=20, show_default=True, help="List so many.")
@guarded
def history(prefix: str | None, group: int | None, spool: str | None, as_json: bool, mine: bool, limit: int) -> None:
    """List every fit of a session, the lowest chisq first; without SID the sessions that gave fits, the newest first.

    An earlier good fit is taken up again by `park resubmit SID --from JOB`.

    \b
    Examples:
      park history --mine
      park history 20261123-025532-k3j9
      park history 20261123-025532-k3j9 2 --limit 100
    """
    settings = config.load(config.find_spool(spool))
    reader = archived.reader(settings)
    if prefix is None:
        _show_sessions(fitted(reader, Wanted(user=user_name() if mine else None), limit), as_json)
        return
    sid = Look(settings).one(prefix).sid
    for number in [row.group for row in reader.groups(sid)] if group is None else [group]:
        _show_fits(reader, sid, number, limit, as_json)


def fitted(reader: ArchiveReader, wanted: Wanted, limit: int) -> list[SessionRow]:
    """Return the newest sessions that have a best fit."""
    found: list[SessionRow] = []
    offset = 0
    while len(found) < limit and (page := reader.sessions(200, offset, wanted)):
        found += [row for row in page if row.best_chisq is not None]
        offset += len(page)
    return found[:limit]


def _show_sessions(rows: Sequence[SessionRow], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([asdict(row) for row in rows], ensure_ascii=False, indent=1))
        return
    if not rows:
        click.echo("no session gave a fit yet")
        return
    header = ("session", "user", "file", "state", "fits", "best chisq", "in job")
    for line in table([header, *map(_session_cells, rows)]):
        click.echo(line)


def _session_cells(row: SessionRow) -> tuple[str, ...]:
    return (row.sid, row.user, row.file, row.state, f"{row.ok:,}", f"{row.best_chisq:.6g}", row.best_job or NOTHING)


def _show_fits(reader: ArchiveReader, sid: str, group: int, limit: int, as_json: bool) -> None:
    fits, steps = reader.fits(sid, group, limit), reader.history(sid, group)
    if as_json:
        shown: dict[str, Any] = {"sid": sid, "group": group}
        shown |= {"fits": [asdict(fit) for fit in fits], "improvements": [asdict(step) for step in steps]}
        click.echo(json.dumps(shown, ensure_ascii=False))
        return
    falling = f"{sparkline([step.chisq for step in steps])} {len(steps)} improvements" if steps else "no fit"
    click.echo(f"group {group} of {sid}: {falling}")
    for line in describe(fits):
        click.echo(line)


def describe(fits: Sequence[FitRow]) -> Iterator[str]:
    """Say fits, one a line."""
    if not fits:
        return
    header = ("job", "chisq", "chisq/dof", "seed", "data set", "node", "finished")
    yield from table([header, *map(_cells, fits)], "  ")


def _cells(fit: FitRow) -> tuple[str, ...]:
    reduced = NOTHING if fit.reduced_chisq is None else f"{fit.reduced_chisq:.4g}"
    seed = NOTHING if fit.seed is None else str(fit.seed)
    return (fit.job, f"{fit.chisq:.6g}", reduced, seed, fit.dataset or NOTHING, fit.node, utc(fit.finished))
