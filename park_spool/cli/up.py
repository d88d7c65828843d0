"""`park up`: what a spool needs once, and a node on each host of a hosts file, kept running from here."""

from __future__ import annotations

import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from park_spool import config, daemon, member
from park_spool.cli import batch_options
from park_spool.cli.batch_options import batch_options as with_batch_options
from park_spool.cli.board import Board, show
from park_spool.cli.options import FAILED, guarded, spool_option
from park_spool.cli.serving import page_port, what_is_served
from park_spool.hosts import reading
from park_spool.hosts.following import Following
from park_spool.hosts.reading import Host
from park_spool.layout import start_log_name
from park_spool.mastering import away
from park_spool.member import Member
from park_spool.naming import Lock, label_of
from park_spool.pilots.profiles import Profile

if TYPE_CHECKING:
    from park_spool.mastering.master import Master

LINGER = 600.0
HELD = 30.0  # s until a master that runs has seen that a host is wanted back

hosts_option = click.option("--hosts", "file", metavar="FILE", help="The hosts file; else `hosts` beside the spool.")


@click.command()
@click.argument("wanted", metavar="[HOST]...", nargs=-1)
@spool_option
@hosts_option
@click.option("--detach", is_flag=True, help="Go on without this terminal once all hosts were tried.")
@click.option("--standby", is_flag=True, help="Where another `park up` runs, stay and take over when it dies.")
@click.option("--port", type=click.IntRange(0, 65535), help="Serve the page there (0: any free port).")
@click.option("--no-web", is_flag=True, help="Serve no page.")
@click.option("--install", is_flag=True, help="Put park-spool on hosts that have none.")
@click.option(
    "--wheels",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False),
    help="With --install: all packages are there, for hosts that reach no index.",
)
@click.option(
    "--linger",
    type=click.FloatRange(min=0, min_open=True),
    default=LINGER,
    show_default=True,
    help="Nodes end after so many seconds with neither work nor a `park up`.",
)
@with_batch_options
@guarded
def up(spool: str | None, file: str | None, wanted: tuple[str, ...], detach: bool, **asked: Any) -> None:
    """Run what a spool needs once (as `park serve` does), and a node on each host of the hosts file, all at once.

    HOST is an alias, name or address of the hosts file; without any it is all of them. A node that ends is started
    again. Ctrl-C or SIGTERM stops everything that was started. Where a `park up` runs already it is left alone: the
    hosts are shown, and those that were sent home are started again.

    With --on, nodes come from a batch system as work waits; hosts are then only those that are named. NAME is an
    engine (slurm, pbs, lsf, condor, kubernetes, local), a profile [cluster.NAME] of park.toml, or dask, with the
    scheduler's address behind it.

    \b
    Examples:
      park up
      park up --detach
      park up n1 n2 --install
      park up --on slurm --cpus-per-node 16 --walltime 08:00:00 --max 10
      park up --on dask tcp://n1:8786
    """
    settings = config.load(config.find_spool(spool))
    wanted, schedulers = batch_options.split_hosts(wanted)
    profiles = batch_options.chosen(settings, asked, schedulers)
    is_named = bool(file or wanted or not profiles)
    following = Following(reading.find(file, settings.spool), wanted) if is_named else None
    hosts = following.read() if following else []
    me = member.join(settings)
    if detach:
        sys.exit(_detached(me, hosts))
    sys.exit(master(me, hosts, profiles, asked, following))


def master(
    me: Member,
    hosts: list[Host],
    profiles: list[Profile],
    asked: dict[str, Any],
    following: Following | None,
) -> int:
    """Be the master, or find that another one runs; return the exit code."""
    from park_spool.mastering import loop, taking  # these, and what starts hosts, are slow to import

    settings = me.config
    with Board() as board:
        daemon.start_logging("master", settings.layout.logs)
        made = _made(me, hosts, profiles, asked, board)
        other = None if asked["standby"] else taking.take(made.candidate, me)
        if other is None:
            board.begin(made)
            away.take_back(me, [host.alias for host in hosts])
            code = loop.run(made, partial(_stepped, made, board, following))
    if other is None:
        return _report(code, made)
    for profile in profiles:
        click.echo(f"note: --on {profile.name} was not added to it: end it with `park down`, then start both", err=True)
    return _already(me, hosts, other, is_named=following is not None and bool(following.wanted))


def _stepped(made: Master, board: Board, following: Following | None) -> None:
    """Show what a step has brought, and take in what people have written into the hosts file."""
    board.step()
    hosts = following.changed(board.tell) if following is not None else None
    if hosts is not None:
        made.take(hosts)


def _made(me: Member, hosts: list[Host], profiles: list[Profile], asked: dict[str, Any], board: Board) -> Master:
    from park_spool.mastering import launching, loop
    from park_spool.mastering.master import Master
    from park_spool.pilots.crew import Crew

    settings = me.config
    page = page_port(settings, asked["port"], asked["no_web"])
    daemons = loop.serving(settings, ["--no-web"] if page is None else ["--port", str(page)])
    find = partial(
        loop.python_of, settings=settings, is_installing=asked["install"], wheels=asked["wheels"], tell=board.tell
    )
    terms = launching.Terms(me.name, asked["linger"])
    launcher = launching.Launcher(lambda host: launching.start_node(host, settings, terms, find))
    crews = [Crew(me, profile, board.tell) for profile in profiles]
    return Master(
        me,
        hosts,
        launcher,
        daemons,
        crews,
        may_stand_by=asked["standby"],
        tell=board.tell,
        begun=lambda: board.say(what_is_served(settings, page)),
    )


def _report(code: int, made: Master) -> int:
    for sentence in made.unanswered:
        click.echo(sentence, err=True)
    if not code:
        click.echo("everything that was started here has ended", err=True)
    return code


def _already(me: Member, hosts: list[Host], other: Lock, is_named: bool) -> int:
    """Say that a master runs, have it start what was sent home, and show the hosts; waits for these, or those named."""
    aliases = [host.alias for host in hosts]
    back = away.take_back(me, aliases)
    where = label_of(other.candidate)
    click.echo(f"`park up` runs already, on {where} ({other.candidate}); it is left alone", err=True)
    show(me, hosts, wait_for=aliases if is_named else back, seconds=HELD)
    return 0


def _detached(me: Member, hosts: list[Host]) -> int:
    """Start this command again in the background, tell what it says until all hosts were tried, and show them."""
    words = [word for word in sys.argv[sys.argv.index("up") + 1 :] if word != "--detach"]
    command = [sys.executable, "-P", "-m", "park_spool.cli.up", *words]
    path = me.layout.logs / start_log_name("master", daemon.host_label())
    with path.open("ab") as log:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, start_new_session=True
        )
    assert child.stdout is not None
    for line in child.stdout:  # until it has tried all, and lets go of this end
        click.echo(line.decode(errors="replace").rstrip())
    time.sleep(0.1)
    code = child.poll()
    if code is None:
        is_up = show(me, hosts, is_shown=False)  # it has shown them itself
        click.echo(f"`park up` goes on in the background, {path.parent} has its log; `park down` stops it", err=True)
        return 0 if is_up else FAILED
    if code:
        click.echo(_last_words(path), err=True)
    return code


def _last_words(path: Path) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-5:])


if __name__ == "__main__":
    up()
