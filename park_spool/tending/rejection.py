"""Rejecting: a name and the reason beside it, `rejected/NAME` and `rejected/NAME.why` (PROTOCOL.md section 6).

Guarantees: nothing that was rejected before is overwritten, whatever people did with its reason; any name that a file
system holds can be rejected, also one that is too long for `.why` behind it, or no text.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from park_spool import naming
from park_spool.member import Member

PUT_ASIDE = "It was put aside as rejected/{name}; nothing of it was run. Mend it and copy it into inbox/ again."
MAX_STEM = 200  # bytes; file systems allow names of 255


def reject(member: Member, path: Path, name: str, reason: str) -> bool:
    """Move a path to rejected/, its reason beside it: at the rename it is rejected; False if it was not there."""
    for free in _names_like(name):
        text = f"{reason}\n{PUT_ASIDE.format(name=free)}\n".encode(errors="replace")
        target = member.layout.rejected / free
        why = target.with_name(f"{free}{naming.WHY}")
        if member.disk.kind(target) is None and member.disk.create(why, text):
            return member.disk.move(path, target)
    return False


def _names_like(name: str) -> Iterator[str]:
    """Yield NAME, NAME-2, NAME-3 …, its ending kept."""
    stem, dot, ending = name.rpartition(".")
    stem, ending = (stem, dot + ending) if stem and len(ending) < 10 else (name, "")
    stem = os.fsdecode(os.fsencode(stem)[:MAX_STEM])
    yield f"{stem}{ending}"
    yield from (f"{stem}-{number}{ending}" for number in count(2))
