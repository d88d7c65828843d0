"""`park reduce`: the reducers of a session once more, over what is archived; no job is run again."""

from __future__ import annotations

import click

from park_spool import config, control_requests, member
from park_spool.admitted import Admitted
from park_spool.cli import waiting
from park_spool.cli.options import guarded, sid_argument, spool_option
from park_spool.errors import NotFound
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
    look = Look(settings)
    one = look.one(prefix)
    chosen = reducers(look.admitted(one.sid), one.sid, group)
    control_requests.ask_to_reduce(member.join(settings), one.sid, group, control_requests.user_name())
    click.echo(f"{one.sid}: {chosen} will run again over {one.final:,} results")
    if alive.look(look.disk, settings.layout).reduced is None:
        click.echo(f"note: {alive.ADVICE['reduced']}", err=True)
    if is_awaited and one.is_closed:
        waiting.wait_until_closed(one.sid, settings)


def reducers(session: Admitted | None, sid: str, group: int | None) -> str:
    """Name the reducers that run again. Raises NotFound if there is none."""
    groups = [] if session is None else list(enumerate(session.session.groups, 1))
    found = [f"{one.reduce} of group {number}" for number, one in groups if one.reduce and group in (None, number)]
    if not found:
        which = f"session {sid}" if group is None else f"group {group} of session {sid}"
        raise NotFound(f"{which} has no reducer; nothing was changed")
    return ", ".join(found)
