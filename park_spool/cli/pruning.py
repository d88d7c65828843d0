"""`park prune`: sessions that were closed long ago are deleted, as `park delete` does it."""

from __future__ import annotations

import sys
import time

import click

from park_spool import config, control_requests, member, whereabouts
from park_spool.archive.rows import SessionRow
from park_spool.cli import archived
from park_spool.cli.options import FAILED, FINE, exit_code, fail, guarded, spool_option
from park_spool.cli.submitting import counted
from park_spool.config import Config
from park_spool.errors import ParkError
from park_spool.member import Member
from park_spool.progress import utc
from park_spool.reducing.pruning import DAY


@click.command()
@spool_option
@click.option("--keep-days", type=click.FloatRange(0, min_open=True), help="Keep what was closed in so many days.")
@click.option("--dry-run", is_flag=True, help="Only say which sessions they are.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@guarded
def prune(spool: str | None, keep_days: float | None, dry_run: bool, yes: bool) -> None:
    """Delete the sessions that were closed more than N days ago, with all their results, as `park delete` does.

    N is the setting keep_days unless it is said here. With that setting park-reduced does it by itself, once an hour.

    \b
    Examples:
      park prune --keep-days 365 --dry-run
      park prune --keep-days 365 --yes
    """
    settings = config.load(config.find_spool(spool))
    keep = keep_days if keep_days is not None else settings.keep_days
    if keep is None:
        raise click.UsageError(
            "say --keep-days N, or set keep_days in park.toml; without either, sessions stay for ever"
        )
    me = member.join(settings)
    old = closed_before(settings, me, time.time() - keep * DAY)
    for row in old:
        click.echo(line(row))
    if not old:
        click.echo(f"no session was closed more than {keep:g} d ago; nothing is deleted", err=True)
    if not old or dry_run:
        return
    if not yes and not click.confirm(f"Really delete {counted(len(old), 'session')} with all results?", err=True):
        fail("nothing was deleted", FAILED)
    sys.exit(delete_all(me, [row.sid for row in old]))


def closed_before(settings: Config, me: Member, at: float) -> list[SessionRow]:
    """Return the sessions that were closed before a time and still are, the first to close first."""
    places = whereabouts.places(me.disk, me.layout)
    return [row for row in archived.reader(settings).closed_before(at) if places.get(row.sid) == "closed"]


def line(row: SessionRow) -> str:
    """Say which session it is, in a line."""
    closed = "" if row.closed is None else f", closed {utc(row.closed)}"
    return f"{row.sid}: {row.file or 'a session'} of {row.user or '?'}, {row.state}{closed}, {row.jobs:,} jobs"


def delete_all(me: Member, sids: list[str]) -> int:
    """Ask for the deletion of sessions, whatever becomes of each; return the exit code of the worst."""
    code, user = FINE, control_requests.user_name()
    for sid in sids:
        try:
            control_requests.ask(me, sid, "delete", user)
        except ParkError as error:
            click.echo(str(error), err=True)
            code = max(code, exit_code(error))
    return code
