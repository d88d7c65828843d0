"""A cluster on a clock of its own: real nodes, a real spoold and a real reducer on a real spool, and jobs that only wait.

Each of them is stepped when it would be by itself; between two steps nothing but the clock moves, so that a thousand
nodes fit into one process and what is counted does not depend on how fast this machine is. What every call on the
spool costs a file system is counted by the `Disk` that all of them are given.
"""

from __future__ import annotations

import heapq
import itertools
import json
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from park_spool import naming, processes
from park_spool.atomic import Disk
from park_spool.config import Config, load, make_spool
from park_spool.member import Member
from park_spool.naming import Unit, parse_unit
from park_spool.reducing.role import Reduction
from park_spool.running.assignment import Assignment
from park_spool.running.node import Node
from park_spool.tending.role import Tending

SHARED = {"is_shared": True, "staleness_seconds": 35.0, "look_seconds": 1.4, "settle_seconds": 2.0}
SESSION = """<session version='2.0.1' user='scale' email='' priority='0'><group name='g'><task cmd='tester/noop'/>
<joblist name='j' cnt='{jobs}'><input/></joblist></group></session>"""
LEAST = 0.001  # s between two steps of one actor


@dataclass(slots=True)
class Tally:
    """What one kind of actor did on the spool: calls by name, names that listings returned, units won and lost."""

    calls: Counter[str] = field(default_factory=Counter)
    listed: int = 0
    claimed: int = 0
    lost: int = 0

    @property
    def total(self) -> int:
        return sum(self.calls.values())

    def clear(self) -> None:
        """Begin to count anew."""
        self.calls.clear()
        self.listed = self.claimed = self.lost = 0


class Counting(Disk):
    """The spool's file system, and what it was asked."""

    def __init__(self, tmp: Path, owner: str, tally: Tally) -> None:
        super().__init__(tmp, owner)
        self._tally = tally

    def step(self, call: str, path: Path) -> None:
        self._tally.calls[call] += 1

    def names(self, folder: Path, hidden: bool = False) -> list[str]:
        names = super().names(folder, hidden)
        self._tally.listed += len(names)
        return names

    def move(self, source: Path, target: Path) -> bool:
        is_moved = super().move(source, target)
        if source.parent.parent.name == "ready":
            self._tally.claimed += is_moved
            self._tally.lost += not is_moved
        return is_moved


class Waiting:
    """A slot whose jobs take their time on the simulated clock, and nothing else."""

    def __init__(self, clock: Callable[[], float], seconds: float) -> None:
        self._clock, self._seconds = clock, seconds
        self._unit: Unit | None = None
        self.due: float | None = None

    def start(self, assignment: Assignment) -> None:
        self._unit = parse_unit(assignment.unit)
        assert self._unit is not None
        self.due = self._clock() + self._unit.size * self._seconds

    def poll(self, now: float) -> list[bytes] | None:
        if self._unit is None or self.due is None or now < self.due:
            return None
        unit, self._unit, self.due = self._unit, None, None
        fields = {"status": "ok", "started": 5000.0, "seconds": self._seconds, "output": ""}
        return [json.dumps({"job": job, **fields}).encode() + b"\n" for job in range(unit.start, unit.stop)]

    def kill(self) -> None:
        self._unit = self.due = None

    def results(self) -> list[bytes]:
        return []

    def running(self) -> None:
        return None


@dataclass(slots=True)
class Actor:
    """One daemon: what it does in a step, how long it may wait then, and what it works with."""

    kind: str
    step: Callable[[], bool]
    wait: Callable[[], float]
    slots: list[Waiting] = field(default_factory=list)

    def next_at(self, now: float, did: bool) -> float:
        if did:
            return now + LEAST
        dues = [slot.due for slot in self.slots if slot.due is not None]
        return max(now + LEAST, min([now + self.wait(), *dues]))


class Cluster:
    """`nodes` simulated nodes of `slots` slots on one spool, as on a file system that all of them share."""

    def __init__(self, folder: Path, nodes: int, slots: int, job_seconds: float, **settings: float) -> None:
        make_spool(folder)
        self.config: Config = replace(load(folder), **{**SHARED, **settings})
        self.now = 1000.0
        self.tallies = {kind: Tally() for kind in ("node", "spoold", "reducer")}
        self.busy: Counter[str] = Counter()  # seconds of this process's time
        self.nodes: list[Node] = []
        self._order = itertools.count()
        self._queue: list[tuple[float, int, Actor]] = []
        self._choose = random.Random(nodes).choice
        spoold, reducer = Tending(self._member("spoold", 0)), Reduction(self._member("reducer", 0))
        self._add(Actor("spoold", spoold.step, spoold.wait_seconds))
        self._add(Actor("reducer", reducer.step, reducer.wait_seconds))
        self._reducer = reducer
        for number in range(nodes):
            runners = [Waiting(lambda: self.now, job_seconds) for _ in range(slots)]
            node = Node(self._member("node", number), runners, folder.parent)
            self.nodes.append(node)
            # Nodes do not start at the same moment, nor do they look at the same moments.
            self._add(Actor("node", node.step, node.wait_seconds, runners), number * 5.0 / nodes)

    def _member(self, kind: str, number: int) -> Member:
        layout = self.config.layout
        name = naming.new_node(f"{kind}{number}", number + 1, self._choose)
        disk = Counting(layout.tmp, name, self.tallies[kind])
        me = replace(processes.identity(), host=f"{kind}{number}")  # another host's: only its silence tells of its end
        return Member(self.config, name, me, disk, lambda: self.now, lambda: self.now, self._choose)

    def _add(self, actor: Actor, later: float = 0.0) -> None:
        heapq.heappush(self._queue, (self.now + later, next(self._order), actor))

    def submit(self, jobs: int) -> None:
        (self.config.layout.inbox / f"{next(self._order)}.xml").write_text(SESSION.format(jobs=jobs))

    def run(self, seconds: float) -> None:
        """Let so much time pass on the simulated clock."""
        end = self.now + seconds
        while self._queue[0][0] < end:
            self.now, _, actor = heapq.heappop(self._queue)
            begun = time.process_time()
            did = actor.step()
            self.busy[actor.kind] += time.process_time() - begun
            heapq.heappush(self._queue, (actor.next_at(self.now, did), next(self._order), actor))
        self.now = end

    def reset(self) -> None:
        """Begin to count anew."""
        self.busy.clear()
        for tally in self.tallies.values():
            tally.clear()

    @property
    def claims(self) -> int:
        """Return how many units were claimed since it began to count."""
        return self.tallies["node"].claimed

    def sizes(self) -> dict[str, int]:
        """Return how many names each folder holds now; of `ready` and `claimed` with those below them."""
        layout = self.config.layout
        flat = {name: len(list(layout.folder(name).iterdir())) for name in ("nodes", "claimed", "replies", "tmp")}
        return {
            **flat,
            "ready/*": len(list(layout.ready.glob("*/*"))),
            "claimed/*": len(list(layout.claimed.glob("*/*"))),
        }

    def close(self) -> None:
        self._reducer.leave()


def racer(folder: Path, nodes: int, seconds: float, start: Any, results: Any) -> None:
    """Claim as fast as this process can with so many nodes in turn, whose jobs take no time; say what came of it."""
    config, tally, choose = load(folder), Tally(), random.SystemRandom().choice
    members = []
    for number in range(nodes):
        name = naming.new_node(f"racer{number}", number + 1, choose)
        members.append(Member(config, name, processes.identity(), Counting(config.layout.tmp, name, tally)))
    crew = [Node(member, [Waiting(time.monotonic, 0.0)], folder.parent) for member in members]
    for node in crew:
        node.step()
    start.wait()
    tally.clear()
    end = time.monotonic() + seconds
    for node in itertools.cycle(crew):
        if time.monotonic() >= end:
            break
        node.step()
    results.put({"won": tally.claimed, "lost": tally.lost, "calls": tally.total})
