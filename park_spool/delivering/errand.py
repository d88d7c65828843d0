"""The child process that does one errand of park-reduced: deliver an answer, send a notice, copy the archive.

It reads the archive and writes what others may look at only by one rename at its end, so it may be killed at any time.
It ends with the reducer that sent it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import click

from park_spool import config, member, processes
from park_spool.archive import snapshots
from park_spool.archive.reading import ArchiveReader
from park_spool.cli.options import guarded, spool_option
from park_spool.delivering import folder, outbox, telling
from park_spool.delivering.gathering import Gathering
from park_spool.member import Member

NICE = 10


@click.group()
@spool_option
@click.option("--parent", type=int, help="End when this process ends.")
@click.pass_context
def main(context: click.Context, spool: str | None, parent: int | None) -> None:
    """Do one errand."""
    if parent is not None:
        processes.set_parent_death_signal(signal.SIGTERM, parent)
    os.nice(NICE)
    context.obj = spool


def _errand(function: Callable[..., None]) -> click.Command:
    return main.command()(click.pass_obj(guarded(function)))


@_errand
@click.argument("sid")
@click.argument("edition", type=int)
def deliver(spool: str | None, sid: str, edition: int) -> None:
    """Deliver an edition of a session's answer."""
    deliver_one(member.join(config.load(config.find_spool(spool))), sid, edition)


@_errand
@click.argument("sid")
@click.argument("told")
def tell(spool: str | None, sid: str, told: str) -> None:
    """Tell people of an event of a session."""
    telling.tell(member.join(config.load(config.find_spool(spool))), sid, telling.read(told))


@_errand
def snapshot(spool: str | None) -> None:
    """Publish a copy of the archive."""
    settings = config.load(config.find_spool(spool))
    snapshots.publish(member.join(settings), settings.archive)


def deliver_one(me: Member, sid: str, edition: int) -> bool:
    """Deliver an edition; False if it stands there already."""

    def fill(place: Path) -> list[Path]:
        gathered = Gathering(ArchiveReader(me.config.archive), me.disk, me.layout, sid)
        return folder.fill(place, gathered.answer(edition), gathered.jobs(), gathered.inputs())

    return outbox.deliver(me, sid, edition, fill)


if __name__ == "__main__":
    main()
