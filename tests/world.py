"""A whole spool in one process: real files, real SQLite, scripted jobs, and clocks that a test turns.

Every actor (spoold, node, reducer) is the real one; only its Disk may be one that dies, lies or waits for its turn.
"""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from park_spool import admitted, layout, naming, replies, sealed, tallies
from park_spool.atomic import Disk
from park_spool.check import check
from park_spool.config import Config, make_spool
from park_spool.member import Member
from park_spool.naming import Unit, parse_unit
from park_spool.processes import Identity
from park_spool.reducing.role import Reduction
from park_spool.running.assignment import Assignment, Running
from park_spool.running.node import Node
from park_spool.tending.admission import Admission
from park_spool.tending.role import Tending

SESSION = """<?xml version='1.0' encoding='UTF-8'?>
<session version='2.0.1' user='wwchen' email='wwchen@example.org' priority='0'>
 <group name='group1'>
  <reduce classname='Chisq'/>
  <task cmd='tester/noop'/>
  <joblist name='many' priority='4' cnt='{many}'><input x='1'/></joblist>
  <joblist name='few' cnt='{few}'><input x='2'/></joblist>
 </group>
</session>
"""
CALLS = """<session version='2.0.1' user='wwchen' priority='0'>
 <group name='calls'><task cmd='python/call'/><joblist><calls/></joblist></group>
</session>
"""
CHANGES = frozenset(
    {"create", "write", "rename", "link", "unlink", "mkdir", "rmdir", "rmtree", "chmod", "fsync", "commit"}
)


HEADER = {"host": "h9000", "version": "0.1.0", "python": "3.11.7", "service": "tester", "versions": {"numpy": "2.4.6"}}
STRANGER = "h9000_9000_000000"  # a node or reducer of which nothing else is known


class Killed(BaseException):
    """What a process never sees of its own SIGKILL: no handler of the code under test may catch it."""


@dataclass
class Clock:
    """Monotonic and wall time that pass only when told to."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class ScriptedRunner:
    """Run jobs at once: each is ok, unless the script says how it fails at this attempt; `reply` makes its output."""

    script: Callable[[int, int, int], str] = lambda joblist, job, attempt: "ok"
    assignment: Assignment | None = None
    ran: list[tuple[int, int]] = field(default_factory=list)
    reply: Callable[[Assignment, int], dict[str, Any]] | None = None
    given: Assignment | None = None  # the last one

    def start(self, assignment: Assignment) -> None:
        self.assignment = self.given = assignment

    def poll(self, now: float) -> list[bytes] | None:
        if self.assignment is None:
            return None
        unit = parse_unit(self.assignment.unit)
        assert unit is not None
        self.assignment = None
        return [self._line(unit.joblist, job, unit.attempt) for job in range(unit.start, unit.stop)]

    def _line(self, joblist: int, job: int, attempt: int) -> bytes:
        self.ran.append((joblist, job))
        status = self.script(joblist, job, attempt)
        result = {"job": job, "status": status, "started": 5000.0 + 100 * joblist + job, "seconds": 0.5}
        result["output"] = json.dumps(self._reply(joblist, job)) if status == "ok" else ""
        if status != "ok":
            result["why"] = "scripted"
        return json.dumps(result).encode() + b"\n"

    def _reply(self, joblist: int, job: int) -> dict[str, Any]:
        if self.reply is None or self.given is None:
            return {"chisq": 1000.0 / (joblist * 100 + job)}
        return self.reply(self.given, job)

    def kill(self) -> None:
        self.assignment = None

    def results(self) -> list[bytes]:
        return []

    def running(self) -> Running | None:
        return None


class World:
    """One spool and the means to put actors on it."""

    def __init__(self, root: Path, seed: int = 0, **settings: Any) -> None:
        self.root = root / "spool"
        make_spool(self.root)
        self.clock = Clock()
        self.random = random.Random(seed)
        settings = {"functions_by_value": True, **settings}
        self.config = Config(spool=self.root, archive=self.root / "archive" / "park.sqlite", **settings)
        self.script: Callable[[int, int, int], str] = lambda joblist, job, attempt: "ok"
        self.output: Callable[[Assignment, int], dict[str, Any]] | None = None
        self._pids = iter(range(1, 10_000))

    @property
    def layout(self) -> layout.Layout:
        return self.config.layout

    def member(self, disk: Callable[[Path, str], Disk] = Disk, **settings: Any) -> Member:
        """A process on a host of its own: nobody can tell whether it lives but by its heartbeat."""
        pid = next(self._pids)
        name = naming.new_node(f"h{pid}", pid, self.random.choice)
        identity = Identity(f"h{pid}", "", "", pid, 0)
        return Member(
            replace(self.config, **settings),
            name,
            identity,
            disk(self.layout.tmp, name),
            self.clock,
            lambda: 1_795_400_000.0 + self.clock.now,
            self.random.choice,
        )

    def spoold(self, disk: Callable[[Path, str], Disk] = Disk) -> Tending:
        return Tending(self.member(disk))

    def node(self, disk: Callable[[Path, str], Disk] = Disk, slots: int = 2) -> Node:
        runners = [ScriptedRunner(lambda *job: self.script(*job), reply=self.output) for _ in range(slots + 1)]
        return Node(self.member(disk), runners[:-1], scratch=self.root, spare=runners[-1:])

    def reducer(self, disk: Callable[[Path, str], Disk] = Disk, **settings: Any) -> Reduction:
        return Reduction(self.member(disk, **settings))

    def submit(self, many: int = 4, few: int = 2, name: str = "film.xml") -> None:
        (self.layout.inbox / name).write_text(SESSION.format(many=many, few=few))

    def admit(self, many: int = 4, few: int = 2, xml: str | None = None) -> str:
        """Admit a session at once, as a spoold does that heard its file being closed; return its SID."""
        admission = Admission(self.member())
        (self.layout.inbox / "film.xml").write_text(xml or SESSION.format(many=many, few=few))
        admission.inbox.heard(["film.xml"])
        [sid] = admission.step()
        return sid

    def let(self, *actors: Any, turns: int = 20, tick: float = 0.7) -> None:
        """Step some actors by turns while time passes."""
        for _ in range(turns):
            for actor in actors:
                actor.step()
            self.clock.now += tick

    def plant_ready(self, unit: Unit, rank: str | None = None) -> Path:
        """Put a unit's name where a node may claim it."""
        if rank is None:
            found = admitted.find(Disk(self.layout.tmp, "test"), self.layout, unit.sid)
            rank = found[1].rank(unit.key) if found else "100-100"
        path = self.layout.ready / rank / unit.name
        return _touch(path)

    def plant_claim(self, unit: Unit, node: str) -> Path:
        return _touch(self.layout.claimed / node / unit.name)

    def reply(self, unit: Unit, node: str, status: str = "ok", **fields: Any) -> tuple[str, bytes]:
        """A whole reply as that node would publish it: its name and its bytes."""
        lines = []
        for job in range(unit.start, unit.stop):
            result = {"job": job, "status": status, "started": 5000.0 + job, "seconds": 0.5, "output": "", **fields}
            lines.append(json.dumps(result).encode() + b"\n")
        return naming.reply_name(unit, node), replies.encode(unit, node, HEADER, lines)

    def plant_reply(self, unit: Unit, node: str, status: str = "ok", **fields: Any) -> Path:
        name, data = self.reply(unit, node, status, **fields)
        (self.layout.replies / name).write_bytes(data)
        return self.layout.replies / name

    def plant_bundle(self, unit: Unit, node: str, seq: int = 1) -> Path:
        path = self.layout.bundles(unit.sid) / naming.bundle_name(STRANGER, seq)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(sealed.bind([self.reply(unit, node)]))
        return path

    @property
    def is_closed(self) -> bool:
        """Whether a session was admitted, all are closed, and nothing is on its way any more."""
        here = self.layout
        busy = [*here.sessions.glob("2*"), *here.sessions.glob(".2*"), *here.inbox.iterdir(), *here.replies.iterdir()]
        held = [*here.claimed.glob("*/*"), *here.ready.glob("*/*")]
        return any(here.closed.iterdir()) and not busy and not held

    def sabotage_free(self) -> list[str]:
        return check(self.root)

    def rows(self, table: str, archive: Path | None = None) -> list[tuple[Any, ...]]:
        """All rows of a table, sorted, less the columns that say when or by whom something was reduced."""
        with sqlite3.connect(f"file:{archive or self.config.archive}?mode=ro", uri=True) as connection:
            connection.row_factory = sqlite3.Row
            rows = connection.execute(f"SELECT * FROM {table}").fetchall()
        connection.close()
        return sorted((tuple(row) for row in rows), key=repr)

    def counted(self) -> dict[tuple[int, int], str]:
        """(job list, job) → status, as the archive has it; a job that stands twice fails here."""
        rows = self.rows("jobs")
        counted = {}
        with sqlite3.connect(self.config.archive) as connection:
            for joblist, job, status in connection.execute("SELECT joblist_number, job_number, status FROM jobs"):
                assert (joblist, job) not in counted
                counted[joblist, job] = status
        connection.close()
        assert len(counted) == len(rows)
        return counted

    def archived(self) -> set[tuple[int, int]]:
        """The (job list, job) that the archive counts, as far as there is one."""
        if not self.config.archive.exists():
            return set()
        connection = sqlite3.connect(f"file:{self.config.archive}?mode=ro", uri=True)
        try:
            return set(connection.execute("SELECT joblist_number, job_number FROM jobs").fetchall())
        except sqlite3.OperationalError:  # its tables are being made
            return set()
        finally:
            connection.close()

    def bundled(self) -> set[tuple[int, int]]:
        """The (job list, job) that stand in bundles: what is durable."""
        found = set()
        for path in self.layout.reduced.glob("*/*"):
            for name, data in sealed.unbind(path.read_bytes()):
                reply = naming.parse_reply(name)
                assert reply is not None
                found |= {(reply[0].joblist, json.loads(line)["job"]) for line in sealed.unseal(data).splitlines()[1:]}
        return found

    def tallied(self) -> set[tuple[int, int]]:
        """The (job list, job) that some tally on the spool calls final."""
        found = set()
        for path in self.layout.sessions.glob("*/tally.*"):
            for (_, joblist), pieces in tallies.decode(path.read_bytes()).final.items():
                found |= {(joblist, job) for start, stop in pieces for job in range(start, stop)}
        return found


def _touch(path: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.touch()
    return path


@dataclass
class Actors:
    """Actors that are replaced by a fresh process whenever they are killed."""

    make: dict[str, Callable[[], Any]]
    alive: dict[str, Any] = field(default_factory=dict)
    kills: int = 0

    def step(self) -> bool:
        """One step of each; a killed one is made anew at its next turn."""
        did = False
        for name, make in self.make.items():
            try:
                if name not in self.alive:
                    self.alive[name] = make()
                did = self.alive[name].step() or did
            except Killed:
                self.kills += 1
                self.alive.pop(name, None)
        return did


def run_until_closed(world: World, actors: Actors, tick: float = 0.7, limit: int = 3000) -> int:
    """Step all actors, letting time pass, until every session is closed; return how many rounds it took."""
    for round_ in range(limit):
        actors.step()
        world.clock.now += tick
        if world.is_closed:
            return round_
    raise AssertionError(f"not closed after {limit} rounds: {state(world)}")


def state(world: World) -> list[str]:
    """The names that stand in the spool: what a person would look at."""
    return sorted(
        str(path.relative_to(world.root))
        for path in world.root.rglob("*")
        if path.is_file() and path.parent.name != "logs"
    )


def dying_disk(after: list[int]) -> type[Disk]:
    """A Disk class that kills its process before the n-th change counted over all its objects; `after` holds n."""

    class Dying(Disk):
        is_dead = False

        def step(self, call: str, path: Path) -> None:
            if self.is_dead:
                raise Killed  # nothing of a dead process reaches the disk any more
            if call in CHANGES:
                after[0] -= 1
                if after[0] == -1:
                    self.is_dead = True
                    raise Killed

    return Dying


def orders(seeds: int) -> Iterator[int]:
    yield from range(seeds)
