"""A runner that goes on until it is told to finish, with so many jobs done as a test says; and a node with some."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from world import ScriptedRunner, World

from park_spool import sealed
from park_spool.atomic import Disk
from park_spool.naming import Unit, parse_unit
from park_spool.replies import JobResult, decode
from park_spool.running.assignment import Assignment, Running
from park_spool.running.node import Node


@dataclass
class SlowRunner(ScriptedRunner):
    """`done` jobs of the unit are finished, the next one runs if `has_begun`."""

    is_finished: bool = False
    done: int = 0
    has_begun: bool = True
    progress: str | None = None
    began_at: float = 5000.0
    kills: int = 0
    starts: int = 0

    def start(self, assignment: Assignment) -> None:
        assert self.assignment is None, "a slot was given a unit while it runs another"
        self.starts += 1
        super().start(assignment)

    def poll(self, now: float) -> list[bytes] | None:
        return super().poll(now) if self.is_finished else None

    def kill(self) -> None:
        self.kills += 1
        super().kill()

    @property
    def unit(self) -> Unit:
        assert self.assignment is not None
        unit = parse_unit(self.assignment.unit)
        assert unit is not None
        return unit

    def results(self) -> list[bytes]:
        unit = self.unit
        return [self._line(unit.joblist, job, unit.attempt) for job in range(unit.start, unit.start + self.done)]

    def running(self) -> Running | None:
        job = self.unit.start + self.done
        return Running(job, self.began_at, self.progress) if self.has_begun and job < self.unit.stop else None


def slow_node(world: World, slots: int = 1, disk: type[Disk] = Disk, **more: Any) -> tuple[Node, list[SlowRunner]]:
    """Make a node on slow runners; the last one is for short commands."""
    runners = [SlowRunner(world.script) for _ in range(slots + 1)]
    return Node(world.member(disk), runners[:-1], scratch=world.root, spare=runners[-1:], **more), runners


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder)) if folder.is_dir() else []


def held(world: World, node: Node) -> list[str]:
    return names(world.layout.claims(node.member.name))


def waiting(world: World) -> list[str]:
    return sorted(path.name for path in world.layout.ready.glob("*/*"))


def answers(world: World) -> dict[str, list[JobResult]]:
    """What stands in replies/: the unit's name and its results."""
    found = {}
    for path in world.layout.replies.iterdir():
        reply = decode(path.name, path.read_bytes())
        found[reply.unit.name] = reply.jobs
    return found


def report(world: World, node: Node) -> dict[str, Any]:
    [path] = world.layout.nodes.glob(f"{node.member.name}.*.json")
    return sealed.unseal_json(path.read_bytes())


def said(world: World, node: Node, verb: str, **fields: Any) -> None:
    """Write a notice to a node."""
    (world.layout.notices / f"{node.member.name}.{verb}").write_text(json.dumps(fields))
