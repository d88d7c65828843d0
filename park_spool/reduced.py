"""park-reduced: reduces replies into the archive while it is the active candidate. See reducing.py for what it does."""

from __future__ import annotations

import logging

import click
from filelock import FileLock, Timeout

from park_spool import config, daemon, member
from park_spool.cli.options import guarded, spool_option, verbose_option
from park_spool.config import Config
from park_spool.errors import TemporaryError
from park_spool.member import Member
from park_spool.reduction import Reduction
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
    settings = config.load(config.find_spool(spool))
    daemon.start_logging("reduced", settings.layout.logs, verbose)
    settings.archive.parent.mkdir(parents=True, exist_ok=True)
    with Turn(settings, member.join(settings)) as turn:
        daemon.run(turn.step, turn.wait, turn.stop)


class Turn:
    """This process's wait for the archive's file, then its part in the role."""

    def __init__(self, settings: Config, me: Member) -> None:
        # Local by the rule for archives: a lock file on a share would exclude nobody, and must not silently become soft.
        self._lock = FileLock(settings.archive.with_suffix(".lock"), fallback_to_soft=False)
        self._reduction = Reduction(me)
        self._wakeup = Wakeup([settings.layout.replies, settings.layout.sessions])
        self.stop = daemon.Stop(self._wakeup.wake)

    def __enter__(self) -> Turn:
        self.stop.install()
        return self

    def __exit__(self, *_: object) -> None:
        self._reduction.leave()
        self._lock.release()
        self._wakeup.close()

    def step(self) -> bool:
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise TemporaryError(f"another park-reduced on this host holds {self._lock.lock_file}") from None
        return self._reduction.step()

    def wait(self, seconds: float | None) -> None:
        self._wakeup.wait(self._reduction.wait_seconds() if seconds is None else seconds)


if __name__ == "__main__":
    main()
