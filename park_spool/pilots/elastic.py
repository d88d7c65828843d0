"""How many pilots are wanted: from what waits, what is idle, and what is already on its way. Pure.

    units that wait, by rank ─▶ unmet CPUs ─▶ Trend (it must last) ─▶ decide ─▶ submit n, or cancel queued ones

What waits in ready/ is a window of a few units for each CPU that may claim there, one where no CPU may. So the first
pilot comes for one unit; with its CPUs the window grows, and more come while those stay busy.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf

from park_spool import naming, tags
from park_spool.cluster import Cluster


@dataclass(frozen=True, slots=True)
class Supply:
    """Pilots by what they are: `queued` wait in the batch system, `coming` run without a node that was heard of,
    `working` have one. `steady` of them all are kept for `min`, `cancellable` of the queued are not."""

    queued: int = 0
    coming: int = 0
    working: int = 0
    steady: int = 0
    cancellable: int = 0

    @property
    def all(self) -> int:
        return self.queued + self.coming + self.working


@dataclass(frozen=True, slots=True)
class Decision:
    """How many pilots to submit, of which how many are to be kept without work, and how many queued ones to cancel."""

    submit: int = 0
    steady: int = 0
    cancel: int = 0


def unmet(ready: Mapping[str, int], cluster: Cluster, carried: frozenset[str]) -> int:
    """Return how many CPUs with these tags would find work at once that no idle CPU is about to claim.

    `ready`: how many units wait under each rank.

    >>> unmet({"100-100": 3, "100-096+gpu": 5}, Cluster(0, {}), frozenset({"python3.11"}))
    3
    """
    suiting = _by_tag(ready, carried)
    return sum(max(0, count - cluster.idle_for(tag)) for tag, count in suiting.items())


def waiting_tags(ready: Mapping[str, int], carried: frozenset[str]) -> frozenset[str]:
    """Return the tags under which units wait that nodes with these tags may claim."""
    return frozenset(_by_tag(ready, carried))


def _by_tag(ready: Mapping[str, int], carried: frozenset[str]) -> dict[str, int]:
    waiting: dict[str, int] = {}
    for rank, count in ready.items():
        tag = naming.rank_tag(rank)
        if count and tags.suits(tag, carried | {tags.COMMAND}):
            waiting[tag] = waiting.get(tag, 0) + count
    return waiting


@dataclass(slots=True)
class Trend:
    """What was unmet at the last looks: more is wanted when it lasted for `patience`, fewer when for `idle` (s)."""

    patience: float
    idle: float
    _seen: deque[tuple[float, int]] = field(default_factory=deque)

    def look(self, now: float, unmet: int) -> None:
        self._seen.append((now, unmet))
        while len(self._seen) > 1 and self._seen[1][0] <= now - max(self.patience, self.idle):
            self._seen.popleft()  # one that is older than all periods stays: it held until the next

    def lasting(self, now: float) -> int:
        """Return how many CPUs were wanted during the whole of `patience`; 0 if it has not been seen for so long."""
        return min(self._since(now, self.patience)) if self._covers(now, self.patience) else 0

    def at_most(self, now: float) -> float:
        """Return how many CPUs were wanted at most during `idle`; infinite if it has not been seen for so long."""
        return max(self._since(now, self.idle)) if self._covers(now, self.idle) else inf

    @property
    def now(self) -> int:
        """Return how many CPUs were wanted at the last look."""
        return self._seen[-1][1] if self._seen else 0

    def _covers(self, now: float, period: float) -> bool:
        return bool(self._seen) and self._seen[0][0] <= now - period

    def _since(self, now: float, period: float) -> list[int]:
        recent = [count for at, count in self._seen if at > now - period]
        before = [count for at, count in self._seen if at <= now - period]
        return [*before[-1:], *recent]


def decide(trend: Trend, now: float, supply: Supply, cpus: int, least: int, most: int, has_node: bool) -> Decision:
    """Decide from what is wanted and what there is; `cpus` of one pilot, `least` and `most` pilots.

    Where no node lives that may claim what waits (`has_node`), nobody waits to see whether it goes away by itself.

    >>> trend = Trend(10.0, 60.0)
    >>> trend.look(100.0, 9)
    >>> decide(trend, 100.0, Supply(), cpus=4, least=0, most=8, has_node=False)
    Decision(submit=3, steady=0, cancel=0)
    """
    steady = max(0, least - supply.steady)
    wanted = trend.lasting(now) if has_node else trend.now
    on_the_way = (supply.queued + supply.coming) * cpus
    more = -(-max(0, wanted - on_the_way) // cpus)
    room = max(0, most - supply.all)
    submit = min(room, max(more, steady))
    if submit:
        return Decision(submit, min(steady, submit))
    spare = max(0, on_the_way - trend.at_most(now)) // cpus if supply.cancellable else 0
    return Decision(cancel=min(supply.cancellable, int(spare)))
