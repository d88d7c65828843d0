"""What becomes of each host of a fleet: when its node is started, awaited, found lost, and started again.

    down ─(due)─▶ starting ─▶ awaited ─(heartbeat)─▶ up ─(gone)─▶ down, due later and later
                     └─ failed ─▶ down                └─(ALIAS.away)─▶ away ─(it is removed)─▶ down, due now

Pure: values in, values out, times on the caller's monotonic clock.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Literal

Phase = Literal["down", "starting", "awaited", "up", "away"]

STEADY = 60.0  # s: a node that lived so long was no failure
KEEPERS_TURN = 5.0  # s in which the keeper on its own host starts a lost node again, before the master does
PATIENCE = 60.0  # s from the start of a node until its first heartbeat must be seen
LONGEST = 300.0  # s between two tries
# A login that is refused again and again may lock an account, and no host key becomes known by itself.
GRAVE = frozenset({"login", "passphrase", "key_unknown", "key_changed", "python_missing", "install"})
GRAVE_PAUSE = 60.0


@dataclass(frozen=True, slots=True)
class Standing:
    """How one host stands `since` when; one that is down is due for a start at `due`; `why` says what went wrong."""

    phase: Phase = "down"
    since: float = 0.0
    due: float = 0.0
    failures: int = 0
    why: str = ""

    @property
    def is_settled(self) -> bool:
        """Whether the first try has come to something: a node, a failure, or a wish of people's."""
        return self.phase in ("up", "away") or (self.phase == "down" and self.failures > 0)


def pause(failures: int, is_grave: bool = False) -> float:
    """Return how long to wait after so many failures in a row.

    >>> [pause(failures) for failures in (0, 1, 2, 5, 40)], pause(1, is_grave=True)
    ([0.0, 2.0, 4.0, 32.0, 300.0], 60.0)
    """
    plain = 2.0 ** min(failures, 20) if failures else 0.0
    return min(LONGEST, max(plain, GRAVE_PAUSE if is_grave else 0.0))


def seen(one: Standing, is_live: bool, is_away: bool, now: float) -> Standing:
    """Take in one look at the spool: whether a node of this alias lives, and whether people sent it home."""
    if is_live:
        return _live(one, now)
    if one.phase == "starting":
        return one  # whoever starts it says how that ended
    if is_away:
        return one if one.phase == "away" else Standing("away", now)
    if one.phase == "up":
        failures = 0 if now - one.since >= STEADY else one.failures + 1
        due = now + max(KEEPERS_TURN, pause(failures))
        return Standing("down", now, due, failures, "its node is gone")
    if one.phase == "away":
        return Standing("down", now, now)
    if one.phase == "awaited" and now - one.since >= PATIENCE:
        return failed(one, f"it was started, but no heartbeat was seen within {PATIENCE:g} s", now)
    return one


def _live(one: Standing, now: float) -> Standing:
    if one.phase != "up":
        return Standing("up", now, 0.0, one.failures)
    return replace(one, failures=0) if one.failures and now - one.since >= STEADY else one


def begun(one: Standing, now: float) -> Standing:
    """Note that a start has begun."""
    return Standing("starting", now, 0.0, one.failures, one.why)


def started(one: Standing, now: float) -> Standing:
    """Note that a start went well: its node is to be heard of soon, if it has not been already."""
    return one if one.phase == "up" else Standing("awaited", now, 0.0, one.failures)


def failed(one: Standing, why: str, now: float, kind: str = "") -> Standing:
    """Note that a start failed; `kind` is that of a HostError."""
    if one.phase == "up":
        return one
    failures = one.failures + 1
    return Standing("down", now, now + pause(failures, kind in GRAVE), failures, why)


def due(standings: Mapping[str, Standing], now: float) -> list[str]:
    """Return the aliases that are to be started now."""
    return [alias for alias, one in standings.items() if one.phase == "down" and one.due <= now]


def look(
    standings: Mapping[str, Standing], live: Collection[str], away: Collection[str], now: float
) -> dict[str, Standing]:
    """Take in one look at the spool for all hosts."""
    return {alias: seen(one, alias in live, alias in away, now) for alias, one in standings.items()}


def next_due(standings: Mapping[str, Standing]) -> float | None:
    """Return when the next start is due."""
    return min((one.due for one in standings.values() if one.phase == "down"), default=None)


def words(one: Standing, now: float, most: int = 0) -> str:
    """Say why a host has no node; of a reason no more than so many letters, 0 for all.

    >>> words(Standing("down", due=60.0, why="no Python runs park-spool there"), 0.0, most=9)
    'no Python …; next try in 60 s'
    """
    match one.phase:
        case "away":
            return "was sent home by people (park drain, park down); `park up` or `park restart` has it back"
        case "down":
            why, wait = one.why or "is to be started", max(0.0, one.due - now)
            why = f"{why[:most].rstrip()} …" if 0 < most < len(why) else why
            return why + (f"; next try in {wait:.0f} s" if wait >= 1 else "")
        case _:
            return "is being started" if one.phase == "starting" else "was started, and is waited for"
