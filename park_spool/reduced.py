"""park-reduced: reduces replies into the archive while it is the active candidate. See reducing.py for what it
does.
"""

from __future__ import annotations

import logging

import click
from filelock import Timeout

from park_spool import config, daemon, member
from park_spool.archive.holding import lock_of
from park_spool.cli.options import guarded, spool_option, verbose_option
from park_spool.config import Config
from park_spool.member import Member
from park_spool.reducing.children import sender
from park_spool.reducing.role import Reduction
from park_spool.system.notify import Manager
from park_spool.system.surroundings import service_manager
from park_spool.wakeup import Wakeup

log = logging.getLogger(__name__)


@click.command()
@spool_option
@verbose_option
@guarded
def main(spool: str | None, verbose: bool) -> None:
    """Reduce replies: keep results, best fits and the history of chi-square in SQLite.

    One is active at a time; on one host only one may hold the archive's file, a second waits for it.

    \b
    Examples:
      park-reduced --spool /shared/spool
      sqlite3 /shared/spool/archive/park.sqlite 'select * from best'
    """
    manager, settings = service_manager(), config.load(config.find_spool(spool))
    daemon.start_logging("reduced", settings.layout.logs, verbose)
    settings.archive.parent.mkdir(parents=True, exist_ok=True)
    with Turn(settings, member.join(settings), manager) as turn:
        daemon.run(turn.step, turn.wait, turn.wakeup.pause, turn.stop, manager, turn.status)


class Turn:
    """This process's wait for the archive's file, then its part in the role."""

    def __init__(self, settings: Config, me: Member, manager: Manager) -> None:
        self._spool, self._manager = settings.spool, manager
        self._lock = lock_of(settings.archive)
        self._reduction = Reduction(me, sender(settings), self._is_catching_up)
        self._is_told = False
        self.wakeup = Wakeup(flat=[settings.layout.replies, settings.layout.sessions], longest=manager.every)
        self.stop = daemon.Stop(self.wakeup.interrupt)

    def __enter__(self) -> Turn:
        self.stop.install()
        return self

    def __exit__(self, *_: object) -> None:
        self._reduction.leave()
        self._lock.release()
        self.wakeup.close()

    def step(self) -> bool:
        return self._has_turn() and self._reduction.step()

    def _has_turn(self) -> bool:
        if self._lock.is_locked:
            return True
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            if not self._is_told:
                log.info("another park-reduced on this host holds %s; standing by", self._lock.lock_file)
            self._is_told = True
        return self._lock.is_locked

    def _is_catching_up(self, done: int, of: int) -> None:
        self._manager.going_on(f"reads what the archive has not got: {done} of {of} sessions")

    def status(self) -> str:
        return f"{'reduces' if self._reduction.is_active else 'stands by for'} {self._spool}"

    def wait(self) -> None:
        if self._lock.is_locked:
            self.wakeup.wait(self._reduction.wait_seconds())
        else:
            self.wakeup.pause(1.0)


if __name__ == "__main__":
    main()
