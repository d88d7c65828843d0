"""Putting an answer into the outbox: written under a temporary name, durable, then one rename.

    tmp/OWNER.outbox.SID/… ──fsync──► rename ──► outbox/SID        at that instant it is delivered

Guarantees: a folder in the outbox is whole, and never changes; an edition is delivered once, however many try.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from park_spool import wishes
from park_spool.atomic import Disk
from park_spool.layout import Layout
from park_spool.member import Member


def delivered(disk: Disk, spool: Layout) -> set[tuple[str, int]]:
    """Return the (sid, edition) that stand in the outbox."""
    return {found for name in disk.names(spool.outbox) if (found := wishes.parse_delivered(name)) is not None}


def deliver(member: Member, sid: str, edition: int, fill: Callable[[Path], Iterable[Path]]) -> bool:
    """Deliver an edition; `fill` writes its files into a folder and names them. False if it stands there already."""
    disk, target = member.disk, member.layout.delivered(sid, edition)
    if disk.kind(target) is not None:
        return False
    prepared = member.layout.tmp / f"{member.name}.outbox.{sid}"
    disk.remove_tree(prepared)
    disk.make_folder(prepared)
    try:
        files = list(fill(prepared))
        for path in [*files, *sorted({path.parent for path in files} | {prepared})]:
            disk.sync(path)
        # At this instant it is delivered. RACE: another one's stands there by now; then the rename finds it taken.
        is_delivered = disk.move(prepared, target)
    finally:
        disk.remove_tree(prepared)
    disk.sync(member.layout.outbox)
    return is_delivered


def remove(member: Member, sid: str) -> None:
    """Remove all editions of a deleted session. CRASH: what is left of them lies in tmp/, where spoold clears it."""
    for other, edition in sorted(delivered(member.disk, member.layout)):
        if other == sid:
            grave = member.layout.tmp / f"{member.name}.deleted.{sid}.{edition}"
            if member.disk.move(member.layout.delivered(sid, edition), grave):
                member.disk.remove_tree(grave)
