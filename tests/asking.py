"""An executor and a node that makes its calls, in one process on a World: for crashes and interleavings."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from daemons import Site, until
from world import World

from park_spool import pickling
from park_spool.atomic import Disk
from park_spool.client.asker import Asker
from park_spool.client.entry import Entry
from park_spool.client.futures import CallFuture
from park_spool.client.wanted import Wanted
from park_spool.naming import Unit, parse_unit
from park_spool.payloads import Folder
from park_spool.running.assignment import Assignment, Outcome, Running, result_line
from park_spool.running.calls import Calls
from park_spool.running.node import Node

CONTEXT = pickling.dumps({"paths": [], "initializer": None})


@dataclass
class CallRunner:
    """Make the calls of a unit for real, at the next poll; `made` counts them by their job."""

    made: dict[int, int] = field(default_factory=dict)
    assignment: Assignment | None = None

    def start(self, assignment: Assignment) -> None:
        self.assignment = assignment

    def poll(self, now: float) -> list[bytes] | None:
        if self.assignment is None:
            return None
        assignment, self.assignment = self.assignment, None
        unit = parse_unit(assignment.unit)
        assert unit is not None and assignment.calls is not None
        calls = Calls(Folder(assignment.calls, assignment.trusted), unit, 1 << 20)
        return [result_line(job, 5000.0, 0.001, self._outcome(calls, job)) for job in range(unit.start, unit.stop)]

    def _outcome(self, calls: Calls, job: int) -> Outcome:
        self.made[job] = self.made.get(job, 0) + 1
        try:
            return calls.run(job)
        except Exception as error:  # noqa: BLE001 (as a worker does)
            return calls.failure(error)

    def kill(self) -> None:
        self.assignment = None

    def results(self) -> list[bytes]:
        return []

    def running(self) -> Running | None:
        return None


def calling_node(world: World, disk: Callable[[Path, str], Disk] = Disk, slots: int = 2, **settings: Any) -> Node:
    runners = [CallRunner() for _ in range(slots + 1)]
    return Node(world.member(disk, **settings), runners[:-1], scratch=world.root, spare=runners[-1:])


def new_asker(world: World, disk: Callable[[Path, str], Disk] = Disk, **wanted: Any) -> Asker:
    """An executor's asker, without a thread; it has appeared on the spool."""
    member = world.member(disk)
    entry = Entry(member, *Wanted("anna", **wanted).session(), "anna")
    asker = Asker(member, entry, (hashlib.sha256(CONTEXT).hexdigest(), CONTEXT))
    asker.begin()
    return asker


class Caller:
    """A program with an executor: it makes calls, and sets the futures as its thread would."""

    def __init__(self, world: World, disk: Callable[[Path, str], Disk] = Disk, **wanted: Any) -> None:
        self.world = world
        self.asker = new_asker(world, disk, **wanted)
        self.futures: list[CallFuture] = []

    @property
    def sid(self) -> str:
        return self.asker.sid

    def call(self, function: Callable[..., Any], *many: Any) -> list[CallFuture]:
        """Call a function once for each argument, as a map does."""
        data = pickling.dumps(function)
        digest = hashlib.sha256(data).hexdigest()
        futures = [CallFuture(self.asker, digest, pickling.dumps(((one,), {}))) for one in many]
        self.asker.put(digest, data, futures)
        self.futures += futures
        return futures

    def step(self) -> bool:
        did = self.asker.step()
        for answer in self.asker.settled():
            error = answer.tell()
            if error is not None:
                self.asker.give_up(str(error))
        return did

    @property
    def is_answered(self) -> bool:
        return all(future.done() for future in self.futures)

    def stands_ready(self) -> list[Unit]:
        """The units of this executor that nobody has claimed."""
        found = (parse_unit(path.name) for path in self.world.layout.ready.glob("*/*"))
        return sorted(unit for unit in found if unit is not None and unit.sid == self.sid)


def left_of(world: World, sid: str) -> list[str]:
    """Every name on the spool that an executor has left, but for its tombstone and what waits in tmp/."""
    names = (path.relative_to(world.root) for path in world.root.rglob("*"))
    return sorted(
        str(name) for name in names if sid in str(name) and name.suffix != ".deleted" and name.parts[0] != "tmp"
    )


def until_ready(site: Site) -> None:
    """Wait until real daemons are there that an executor needs, lest it warn."""
    until(lambda: any((site.spool / "nodes").iterdir()), 30, "a node")
    until(lambda: any((site.spool / "locks").glob("spoold.*")), 30, "a spoold")
