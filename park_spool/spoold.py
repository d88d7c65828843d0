"""park-spoold: tends the spool while it is the active candidate, stands by otherwise.

See tending.py for what it does.
"""

from __future__ import annotations

import signal
from functools import partial

import click

from park_spool import config, daemon, matching, member
from park_spool.cli.options import guarded, spool_option, verbose_option
from park_spool.processes import set_parent_death_signal
from park_spool.system.surroundings import service_manager
from park_spool.tending.role import Tending
from park_spool.wakeup import Wakeup


@click.command()
@spool_option
@verbose_option
@click.option("--with-parent", type=int, metavar="PID", help="End when that process, which started this one, ends.")
@guarded
def main(spool: str | None, verbose: bool, with_parent: int | None) -> None:
    """Tend the spool: admit sessions, offer their jobs, take back what dead nodes held, close what is done.

    Several may run: one is active, the others stand by.

    \b
    Examples:
      park-spoold --spool /shared/spool
      PARK_SPOOL=/shared/spool park-spoold
    """
    if with_parent is not None:
        set_parent_death_signal(signal.SIGTERM, with_parent)
    manager, settings = service_manager(), config.load(config.find_spool(spool))
    daemon.start_logging("spoold", settings.layout.logs, verbose)
    joined, places = member.join(settings), settings.layout
    wakeup = Wakeup(flat=[places.inbox, places.nodes, places.sessions], inbox=places.inbox, longest=manager.every)
    tending = Tending(joined, partial(matching.ask, settings), wakeup.wake)
    stop = daemon.Stop(wakeup.interrupt)
    stop.install()

    def step() -> bool:
        tending.admission.inbox.heard(wakeup.whole_names())
        return tending.step()

    def status() -> str:
        return f"{'tends' if tending.is_active else 'stands by for'} {settings.spool}"

    daemon.run(step, lambda: wakeup.wait(tending.wait_seconds()), wakeup.pause, stop, manager, status)
    tending.resign()
    wakeup.close()


if __name__ == "__main__":
    main()
