"""`park list`: sessions by user, state and text, the newest first."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from park_spool import config
from park_spool.archive.rows import Wanted
from park_spool.cli.options import guarded, json_option, spool_option
from park_spool.cli.status import COLUMNS, cells, count, running
from park_spool.cli.status import table as aligned
from park_spool.control_requests import user_name
from park_spool.looking import alive
from park_spool.looking.standing import STATES, Look


@click.command("list")
@click.argument("text", metavar="[TEXT]", required=False)
@spool_option
@json_option
@click.option("--user", metavar="NAME", help="Those of this user.")
@click.option("--mine", is_flag=True, help="Your own.")
@click.option("--state", type=click.Choice(STATES), help="Those in this state.")
@click.option("--limit", "-n", type=click.IntRange(1), default=50, show_default=True, help="List so many sessions.")
@guarded
def list_(
    text: str | None, spool: str | None, as_json: bool, user: str | None, mine: bool, state: str | None, limit: int
) -> None:
    """List sessions, the newest first: all, or those of a user, in a state, or with a text.

    TEXT is a part of the session's id, user or file, or of the name or task of one of its groups. Deleted sessions are
    listed with --state deleted alone.

    \b
    Examples:
      park list --mine --state running
      park list --user wei film
      park list --state failed --json
    """
    if mine and user is not None:
        raise click.UsageError("expected one of --user and --mine, got both")
    look = Look(config.load(config.find_spool(spool)))
    found = look.wanted(Wanted(user_name() if mine else user, state, text), limit)
    jobs = running(alive.look(look.disk, look.settings.layout))
    if as_json:
        shown = [{**asdict(one), "running": count(one, jobs)} for one in found]
        click.echo(json.dumps(shown, ensure_ascii=False, indent=1))
    elif found:
        for line in aligned([COLUMNS, *(cells(one, count(one, jobs)) for one in found)]):
            click.echo(line)
    else:
        click.echo("no session is like this")
    if look.note:
        click.echo(f"note: {look.note}", err=True)
