"""Which nodes are bad: many jobs failed there that succeeded elsewhere, more than succeeded there meanwhile.

A job that fails everywhere blames nobody. What is remembered of a node is a handful of numbers; only jobs that are ok
at a later attempt are looked up.
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from park_spool.archive.entries import FailureElsewhere, Outcome
from park_spool.archive.writing import Archive

log = logging.getLogger(__name__)
NOTHING: Mapping[str, int] = {}


@dataclass(slots=True)
class Record:
    """One node: its ok jobs so far, and what they were at each of its last failures that succeeded elsewhere."""

    marks: deque[int]
    ok: int = 0
    last: FailureElsewhere | None = None


def is_bad(marks: Sequence[int], ok: int, least: int) -> bool:
    """Say whether a node is bad: as many failures as it takes, and fewer ok jobs since the first of them.

    >>> is_bad([5, 5, 6], 7, least=3), is_bad([5, 5, 6], 8, least=3), is_bad([5, 5], 5, least=3)
    (True, False, False)
    """
    return len(marks) >= least and ok - marks[0] < len(marks)


@dataclass(slots=True)
class Blame:
    """What one reducer has seen of the nodes since it started."""

    archive: Archive
    least: int
    _records: dict[str, Record] = field(default_factory=dict)

    def look(self, outcome: Outcome, answered: Mapping[str, int] = NOTHING) -> None:
        """Take in what a batch has changed; `answered`: more jobs that are ok at the first attempt, by node."""
        counted = [*outcome.accepted, *outcome.replacing]
        ok = Counter(result.node for result in counted if result.status == "ok")
        for node, count in (ok + Counter(answered)).items():
            self._record(node).ok += count
        again = [result for result in counted if (result.attempt or result.round) and result.status == "ok"]
        for failure in self.archive.failed_elsewhere(again):
            record = self._record(failure.node)
            record.marks.append(record.ok)
            record.last = failure

    def _record(self, node: str) -> Record:
        return self._records.setdefault(node, Record(deque(maxlen=self.least)))

    def bad(self, live: Iterable[str]) -> dict[str, str]:
        """Return the bad ones of these nodes, and why. If all were bad, the jobs would be to blame: then none is."""
        found = {
            node: self._why(record) for node in live if (record := self._records.get(node)) and self._is_bad(record)
        }
        return found if len(found) < len(set(live)) else {}

    def _is_bad(self, record: Record) -> bool:
        return is_bad(record.marks, record.ok, self.least)

    @staticmethod
    def _why(record: Record) -> str:
        last = record.last
        words = f", the last {last.job} of {last.sid}: {last.why}" if last else ""
        return f"{len(record.marks)} jobs failed here that succeeded elsewhere{words}"
