"""What measurements mean for a spool: what holds, what does not, and which settings follow. Values in, words out."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from park_spool.doctor.measured import Delay, Lock, Measured, Race
from park_spool.filesystem import Mount

CHANGES = {
    "list": "a new name is listed",
    "open": "a new name opens",
    "content": "a replaced file reads new",
    "size": "a longer file is longer",
    "gone": "a removed name is gone",
}
NEEDED = ("list", "open")
SHARE = 0.5  # of what one client was seen to do goes into units_per_second


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: `holds` is None for what a spool does without."""

    what: str
    said: str
    holds: bool | None


@dataclass(frozen=True, slots=True)
class Advice:
    """A setting, the value that follows, the one that counts now, and why."""

    key: str
    value: float
    now: float
    why: str


def findings(measured: Measured, staleness: float) -> list[Finding]:
    """Say of each thing that was measured what came out; `staleness` is the setting staleness_seconds."""
    late = staleness if measured.is_two_sided else math.inf  # a busy machine is no cache
    return [
        _race("a rename is won once", measured.rename, measured.is_two_sided, is_needed=True),
        _race("a name is made once", measured.create, measured.is_two_sided, is_needed=False),
        *(_delay(what, delay, late) for what, delay in measured.delays.items()),
        *(_lock(how, lock) for how, lock in measured.locks.items()),
        _told(measured),
        _clock(measured),
        Finding("a file has two names", measured.alone.link or "yes, and they are counted", None),
        Finding("fsync", measured.alone.fsync or "of files and folders", not measured.alone.fsync),
        Finding("speed", _speed(measured), None),
    ]


def _race(what: str, race: Race, is_two: bool, is_needed: bool) -> Finding:
    words = f"{race.once} of {race.files}, by both sides ({race.sides[0]} and {race.sides[1]})"
    if race.twice or race.never or race.unlisted:
        words += f"; {race.twice} by two, {race.never} by none, {race.unlisted} not there afterwards"
    if not is_needed:
        words += "; a spool decides nothing by that" if race.twice else ""
        return Finding(what, words, None)
    if race.is_fair and is_two and not all(race.sides):
        return Finding(what, f"{words}: one side won none, so it was hardly a race; measure again", None)
    return Finding(what, words, race.is_fair)


def _delay(what: str, delay: Delay, staleness: float) -> Finding:
    if delay.unseen:
        words = f"{delay.unseen} of {delay.unseen + len(delay.seen)} not within {delay.limit:g} s"
    else:
        words = f"after {_seconds(delay.median)}, at the latest {_seconds(delay.worst)}"
    is_needed = what in NEEDED
    if is_needed and not delay.unseen and delay.worst >= staleness:
        words += f": longer than staleness_seconds ({staleness:g})"
    return Finding(CHANGES[what], words, not delay.unseen and delay.worst < staleness if is_needed else None)


def _lock(how: str, lock: Lock) -> Finding:
    if lock.error:
        return Finding(how, f"fails with {lock.error}", None)
    words = {True: "keeps the other side out", False: "does NOT keep the other side out", None: "not found out"}
    lost = f"; {lock.lost} of {lock.turns} counted turns lost" if lock.lost else ""
    return Finding(how, words[lock.excludes] + lost, None)


def _told(measured: Measured) -> Finding:
    other = "of the other side" if measured.is_two_sided else "of this mount"
    words = {True: f"tells changes {other}", False: f"does not tell changes {other}: daemons look", None: "not there"}
    return Finding("inotify", words[measured.is_told], None)


def _clock(measured: Measured) -> Finding:
    ahead = measured.alone.clock
    skew = f"; the other host's clock is {measured.skew:+.2f} s off" if abs(measured.skew) > 0.5 else ""
    off = f", by a clock {ahead:+.1f} s off this one" if abs(ahead) > max(1.0, measured.alone.mtime_step) else ""
    return Finding("times of change", f"in steps of {_seconds(measured.alone.mtime_step)}{off}{skew}", None)


def _speed(measured: Measured) -> str:
    alone = measured.alone
    speeds = (
        ("made", alone.create),
        ("published", alone.publish),
        ("renamed", alone.rename),
        ("removed", alone.unlink),
    )
    return ", ".join(f"{rate:.0f} names {what}" for what, rate in speeds) + " a second, by one process"


def _seconds(seconds: float) -> str:
    """Write a time as people read it.

    >>> _seconds(0.0014), _seconds(20.06), _seconds(1e-09)
    ('1 ms', '20.1 s', '1 ns')
    """
    for factor, unit in ((1, "s"), (1e3, "ms"), (1e6, "µs")):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} s" if unit == "s" else f"{seconds * factor:.0f} {unit}"
    return f"{seconds * 1e9:.0f} ns"


def settings(measured: Measured, mount: Mount, staleness: float, units: float) -> Iterator[Advice]:
    """Yield the settings that what was measured calls for, where they differ from those that count now."""
    fitting = fitting_staleness(measured, mount)
    if fitting is not None and fitting != staleness:
        why = f"new names were seen after {_seconds(measured.worst_name)} at the latest"
        why += f"; less than {mount.kind.staleness:g} is not safe on {mount.kind.name}"
        yield Advice(
            "staleness_seconds", fitting, staleness, why + ("" if fitting > staleness else "; lower if you like")
        )
    carried = fitting_units(measured)
    if not 0.5 <= carried / units <= 2:
        yield Advice("units_per_second", carried, units, "half of the units that one client could pass on here")


def fitting_staleness(measured: Measured, mount: Mount) -> float | None:
    """Return what staleness_seconds should be, half as much again as was seen; None if names stayed unseen, or
    no other mount looked.

    A kind's own least counts where caches were seen to hold names for longer than any examination would show.
    """
    if not measured.is_two_sided or any(measured.delays[what].unseen for what in NEEDED):
        return None
    return max(mount.kind.staleness, float(math.ceil(measured.worst_name * 1.5)))


def fitting_units(measured: Measured) -> float:
    """Return what units_per_second should be, to two digits."""
    rate = SHARE / measured.alone.unit_seconds
    digits = max(0, math.floor(math.log10(rate)) - 1)
    return max(1.0, float(round(rate, -digits)))
