"""One examination: a folder of its own below the spool's tmp/, the acts of both sides in it, and its end.

    prepare ──► the other side sees it? ──► race (both) ──► see (both) ──► alone (this one) ──► removed

spoold removes what an examination that was killed left in tmp/, as it does with everything there.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from park_spool.atomic import Disk
from park_spool.doctor import alone, sides
from park_spool.doctor.measured import Measured, delays_of, locks_of, race_of
from park_spool.doctor.probing import LOCKS
from park_spool.doctor.sides import Side

LIMIT = 40.0  # s that a change may stay unseen
FILES, RACERS = 200, 4  # to be won, and processes on each side


def examine(
    disk: Disk,
    first: Side,
    second: Side | None,
    limit: float = LIMIT,
    files: int = FILES,
    tell: Callable[[str], None] = lambda text: None,
) -> Measured:
    """Measure the file system of a spool through one side or two.

    Raises SpoolError if the second side shows another folder, TemporaryError if the file system does not answer.
    """
    root = disk.temporary()
    disk.make_folder(root)
    try:
        alone.prepare(root, files)
        return _measure(disk, root, (first, second or first), second is not None, limit, files, tell)
    finally:
        alone.clear(root)


def _measure(
    disk: Disk, root: Path, pair: tuple[Side, Side], is_two: bool, limit: float, files: int, tell: Callable[[str], None]
) -> Measured:
    below = str(root.relative_to(pair[0].spool))
    if is_two:
        sides.require_same(*pair, below, limit)
    tell("racing for files")
    racers = [_both(pair, "race", below, limit, files=files, racers=RACERS, how=how) for how in ("rename", "create")]
    disk.refresh(root / "won")
    renamed, made = race_of(files, racers[0], disk.names(root / "won")), race_of(files, racers[1], None)
    tell(f"looking how late changes are seen (at most {limit:g} s)")
    changed, looked = _both(pair, "see", below, limit)
    skew = pair[1].skew
    counts = {how: _count(root / "locks" / f"{how}.count") for how in LOCKS}
    tell("measuring speeds")
    return Measured(
        is_two,
        skew,
        renamed,
        made,
        delays_of(changed, looked, skew, limit),
        locks_of(changed, looked, counts, skew),
        looked["events"],
        alone.measure(root),
    )


def _both(pair: tuple[Side, Side], act: str, below: str, limit: float, **more: Any) -> list[Any]:
    """Have both sides do an act at the same time."""
    start = time.time() + max(side.lead for side in pair)
    with ThreadPoolExecutor(2) as threads:
        waiting = [
            threads.submit(side.ask, act, number, side.spool / below, start, limit, **more)
            for number, side in enumerate(pair)
        ]
        return [one.result() for one in waiting]


def _count(path: Path) -> int:
    digits = path.read_text().strip("\0")
    return int(digits) if digits.isdigit() else 0
