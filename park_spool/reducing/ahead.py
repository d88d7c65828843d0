"""What has become of the group that another one waits for, and what follows from it. Pure.

    it may still give a better fit ─▶ None: go on waiting
    over, with a fit                ─▶ Go from it
    over, no fit, every job ok      ─▶ Go from nothing
    over in any other way           ─▶ Doomed: nothing can come of the group that waits

What nothing takes back (all jobs final, deleted, rejected) is believed at once. The rest is one look at a spool, which
may be stale: `doubt` says how long it must stay so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from park_spool.archive.ahead import Fit

Fate = Literal["open", "complete", "cancelled", "incomplete", "unknown", "deleted", "rejected", "doomed", "circle"]
Doubt = Literal["none", "staleness", "expiry"]

_DOUBTS: dict[Fate, Doubt] = {"cancelled": "staleness", "incomplete": "expiry", "unknown": "expiry"}
_ENDS: dict[Fate, str] = {
    "unknown": "which is not known here",
    "deleted": "which was deleted",
    "rejected": "which was rejected",
    "doomed": "which waits for nothing that can come",
    "circle": "which waits for this one in turn",
}


@dataclass(frozen=True, slots=True)
class Ahead:
    """The group that is waited for, called `name`, as one look found it; `ok` of its `jobs` are ok.

    `complete`: all jobs are final; `cancelled`: closed without; `incomplete`: closed, and results are missing here;
    `doomed` and `circle`: it waits itself.
    """

    name: str
    fate: Fate
    jobs: int = 0
    ok: int = 0
    best: Fit | None = None

    @property
    def doubt(self) -> Doubt:
        """Say how long this must stay so before it is believed: not at all, or as long as one of two settings says."""
        return _DOUBTS.get(self.fate, "none")


@dataclass(frozen=True, slots=True)
class Go:
    """The group may start: from this fit, or from nothing."""

    fit: Fit | None


@dataclass(frozen=True, slots=True)
class Doomed:
    """The group can never start: it waits for `why`."""

    why: str


Verdict = Go | Doomed | None


def judge(ahead: Ahead) -> Verdict:
    """Say what follows for the group that waits.

    >>> judge(Ahead("group 1", "complete", 4, 3))
    Doomed(why='group 1, which gave no fit to start from: 3 of 4 jobs are ok')
    >>> judge(Ahead("group 1", "complete", 4, 4)), judge(Ahead("group 1", "open", 4, 4))
    (Go(fit=None), None)
    """
    if ahead.fate == "open":
        return None
    if ahead.fate in _ENDS:
        return Doomed(f"{ahead.name}, {_ENDS[ahead.fate]}")
    if not ahead.jobs:
        return Doomed(f"{ahead.name}, which does not exist")
    if ahead.best is not None or ahead.ok == ahead.jobs:
        return Go(ahead.best)
    fate = "was cancelled before it gave a fit" if ahead.fate == "cancelled" else "gave no fit"
    return Doomed(f"{ahead.name}, which {fate} to start from: {ahead.ok:,} of {ahead.jobs:,} jobs are ok")
