"""`park reduce`: the reducers of a session once more, over what is archived; no job is run again."""

from __future__ import annotations

import click

from park_spool import config, control_requests
from park_spool.cli import waiting
from park_spool.cli.options import guarded, sid_argument, spool_option
from park_spool.desk import Desk
from park_spool.looking import alive
from park_spool.looking.standing import Look


@click.command()
@sid_argument
@click.argument("group", metavar="[GROUP]", required=False, type=click.IntRange(1, 999))
@spool_option
@click.option("--wait", "is_awaited", is_flag=True, help="Wait until it is done, if the session is closed.")
@guarded
def reduce(prefix: str, group: int | None, spool: str | None, is_awaited: bool) -> None:
    """Run the reducers of a session, or of one group, again over its archived results: no job is run again.

    For a reducer that was stopped and is mended now, or that was changed. What it kept and said before is dropped. Of a
    session that is closed the outbox gets a new edition.

    \b
    Examples:
      park reduce 20261123-025532-k3j9
      park reduce --wait 20261123-02 2
    """
    settings = config.load(config.find_spool(spool))
    desk = Desk.open(settings, control_requests.user_name())
    look = Look(settings)
    said = desk.reduce(look.one(prefix).sid, group)
    click.echo(said.sentence)
    if alive.look(look.disk, settings.layout).reduced is None:
        click.echo(f"note: {alive.ADVICE['reduced']}", err=True)
    if is_awaited and said.is_closed:
        waiting.wait_until_closed(said.sid, settings)
