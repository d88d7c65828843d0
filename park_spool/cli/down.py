"""`park down` and `park restart`: stopping what `park up` started, and everything else that works on a spool."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

import click

from park_spool import config, member
from park_spool.cli.board import LOOKS_PER_SECOND
from park_spool.cli.options import FAILED, FINE, guarded, spool_option
from park_spool.cli.status import table
from park_spool.cli.up import hosts_option
from park_spool.errors import HostsError, NotFound
from park_spool.hosts import reading
from park_spool.looking import alive
from park_spool.mastering import away, living
from park_spool.mastering.fleet import PATIENCE
from park_spool.mastering.living import Live, Masters
from park_spool.mastering.stopping import Stopping, patience
from park_spool.mastering.taking import active
from park_spool.member import Member
from park_spool.nodes import Nodes

SECONDS = click.FloatRange(min=0, min_open=True)


@click.command()
@click.argument("wanted", metavar="[HOST]...", nargs=-1)
@spool_option
@hosts_option
@click.option("--wait", "seconds", type=SECONDS, help="Wait so many seconds at most, not until all is certain.")
@guarded
def down(spool: str | None, file: str | None, wanted: tuple[str, ...], seconds: float | None) -> None:
    """Stop every `park up`, every node and every pilot of a spool, whoever started them, and wait until they are gone.

    HOST is an alias of the hosts file, or a host or node as `park nodes` shows it: then only nodes there are stopped,
    and a `park up` that runs leaves them stopped until `park up HOST` or `park restart HOST`. Jobs may run on for
    drain_seconds, what is not done then is given back. The exit code is 1 if something was not seen to end.

    \b
    Examples:
      park down
      park down n3
      park down --wait 30
    """
    settings = config.load(config.find_spool(spool))
    me = member.join(settings)
    stopping = Stopping(me, seconds or patience(me), click.echo)
    sys.exit(_some(stopping, wanted, file) if wanted else _all(stopping))


def _all(stopping: Stopping) -> int:
    me = stopping.member
    stopping.masters()
    sentences = _cancelled(me)
    stopping.nodes()
    _report(stopping, sentences)
    crew = alive.look(me.disk, me.layout)
    for daemon, name in (("park-spoold", crew.spoold), ("park-reduced", crew.reduced)):
        if name:
            click.echo(f"note: {daemon} {name} goes on: no `park up` started it; end it where it was started", err=True)
    return FAILED if sentences or stopping.masters_left or stopping.left or stopping.silent else FINE


def _cancelled(me: Member) -> list[str]:
    """Cancel the pilots that are written down; return what could not be cancelled."""
    if not me.disk.names(me.layout.pilots):
        return []
    from park_spool.pilots import cancelling

    return [one.words() for one in cancelling.cancel_all(me, tell=click.echo) if one.why] + cancelling.others(me)


def _some(stopping: Stopping, wanted: Sequence[str], file: str | None) -> int:
    """Stop the nodes that people name, and keep masters from starting them again."""
    me = stopping.member
    aliases = _aliases(me, wanted, file)
    for alias in sorted(aliases):
        away.send(me, alias)  # before the node is told: a master must not start it in between
    stopping.nodes(lambda live: live.alias in aliases or any(live.is_called(word) for word in wanted))
    _report(stopping, [])
    return FAILED if stopping.left or stopping.silent else FINE


def _aliases(me: Member, wanted: Sequence[str], file: str | None) -> set[str]:
    """Return the aliases that are meant, of nodes that a master starts. Raises NotFound for a word of no meaning."""
    seen = Nodes(me)
    seen.look()
    nodes = living.nodes(seen)
    try:
        hosts = reading.read(reading.find(file, me.config.spool))
    except HostsError:
        if file:
            raise
        hosts = []
    found = set()
    for word in wanted:
        meant = [live for live in nodes if live.is_called(word)]
        listed = {host.alias for host in hosts if word in (host.alias, host.name, host.address)}
        if not meant and not listed:
            raise NotFound(f"no node is called {word!r}, and no line of the hosts file; `park nodes` lists the nodes")
        found |= listed | {live.alias for live in meant if live.how == "up" and live.alias}
    return found


def _report(stopping: Stopping, sentences: Sequence[str]) -> None:
    """Say what has ended, and in a table what has not, with what to do about it."""
    count = stopping.stopped
    click.echo(f"{count} {'node has' if count == 1 else 'nodes have'} left")
    rows = [(name, host, "still there", MASTER_ADVICE) for name, host in stopping.masters_left.items()]
    rows += [(one.node, one.host, one.state, LEFT_ADVICE) for one in stopping.left]
    rows += [(one.node, one.host, "silent", SILENT_ADVICE) for one in stopping.silent]
    for line in (*(table([("what", "host", "state", "what to do"), *rows]) if rows else ()), *sentences):
        click.echo(line)


MASTER_ADVICE = "it has its notice: look whether its host hangs, or end it there (kill its process)"
LEFT_ADVICE = "it has its notice and is still heard: wait (`park down` again), or end park-noded there"
SILENT_ADVICE = "dead, or cut off: then it stops its jobs now, and ends when it sees the spool again or has lingered"


@click.command()
@click.argument("wanted", metavar="[HOST]...", nargs=-1)
@spool_option
@hosts_option
@click.option("--wait", "seconds", type=SECONDS, help="Wait so many seconds at most, for the end and for the start.")
@guarded
def restart(spool: str | None, file: str | None, wanted: tuple[str, ...], seconds: float | None) -> None:
    """Stop nodes that `park up` started, and wait until it has started them again; all of them, or those on HOST.

    Jobs may run on for drain_seconds, what is not done then is given back. What `park up` itself runs (spoold, the
    reducer, the page) goes on: for these say `park down`, then `park up`.

    \b
    Examples:
      park restart
      park restart n3
    """
    settings = config.load(config.find_spool(spool))
    me = member.join(settings)
    if active(me) is None or not Masters(me).look():
        raise NotFound("no `park up` runs on this spool, so nothing would start the nodes again; start it")
    aliases = _aliases(me, wanted, file) if wanted else set()
    back = away.take_back(me, sorted(aliases))
    stopping = Stopping(me, seconds or patience(me), click.echo)
    stopping.nodes(lambda live: live.how == "up" and (not wanted or live.alias in aliases))
    _report(stopping, [])
    expected = {*back, *stopping.aliases}
    missing = expected - _come_back(me, expected, seconds or 2 * PATIENCE)
    for alias in sorted(missing):
        click.echo(f"{alias} is not back yet: `park up` says why, also in its log on the spool", err=True)
    click.echo(f"{len(expected) - len(missing)} of {len(expected)} are back")
    sys.exit(FAILED if missing or stopping.left else FINE)


def _come_back(me: Member, aliases: set[str], seconds: float) -> set[str]:
    """Wait until nodes of these aliases live; return those that do."""
    seen, until = Nodes(me), me.monotonic() + seconds
    while True:
        seen.look()
        found = {live.alias for live in living.nodes(seen) if _is_staying(live)} & aliases
        if found == aliases or me.monotonic() > until:
            return found
        time.sleep(1 / LOOKS_PER_SECOND)


def _is_staying(live: Live) -> bool:
    return live.state != "draining"
