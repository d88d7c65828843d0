"""A session as values: what a user submitted, as understood.  JSON in and out.

Owns: the shape of session.json.  No disk, no XML parser, no registry here.
Guarantees: `Session.from_json(session.to_json()) == session`; job lists are never written out, so a session
of 10^8 jobs is as small as one of ten, and `JobList.input(job)` takes the same time for every job.
Groups, job lists and jobs count from 1.

    Session ── groups ── Group ── task, data, reduce
                               └─ joblists ── JobList ── inputs or scan ── Element
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from park_spool.sessions.element import Element, input_text
from park_spool.sessions.scan import Axis, Scan

__all__ = ["Axis", "DataRef", "Element", "Group", "JobList", "Scan", "Session", "Task", "input_text"]

FORMAT = 1


@dataclass(frozen=True, slots=True)
class DataRef:
    """Hold a reference to a data set: its name in the session, where it is, and what it must hash to."""

    name: str
    href: str
    sha256: str | None = None
    mode: str | None = None
    line: int = 0


@dataclass(frozen=True, slots=True)
class JobList:
    """Hold `size` jobs: the inputs repeated in order, or the points of a scan repeated in order.

    One that `grows` holds function calls that are still to come: its size is 0, and any job may be one of it.

    >>> jobs = JobList("starts", 4, 5, (Element("input", {"n": "1"}), Element("input", {"n": "2"})))
    >>> [jobs.input(job).attributes["n"] for job in range(1, 6)]
    ['1', '2', '1', '2', '1']
    """

    name: str
    priority: int
    size: int
    inputs: tuple[Element, ...] = ()
    scan: Scan | None = None
    grows: bool = False

    def input(self, job: int) -> Element:
        """Give the input of a job, counted from 1, in constant time; IndexError outside."""
        if not 1 <= job <= self.size:
            raise IndexError(f"job list {self.name!r} has jobs 1 to {self.size}, there is no job {job}")
        if self.scan is not None:
            return self.scan.point((job - 1) % self.scan.size)
        return self.inputs[(job - 1) % len(self.inputs)]

    def to_json(self) -> dict[str, object]:
        """Give the job list as JSON."""
        return {
            "name": self.name,
            "priority": self.priority,
            "size": self.size,
            "inputs": [element.to_json() for element in self.inputs],
            "scan": None if self.scan is None else self.scan.to_json(),
            "grows": self.grows,
        }

    @classmethod
    def from_json(cls, shown: dict[str, Any]) -> JobList:
        """Read what `to_json` wrote."""
        inputs = tuple(Element.from_json(element) for element in shown["inputs"])
        scan = None if shown["scan"] is None else Scan.from_json(shown["scan"])
        return cls(shown["name"], shown["priority"], shown["size"], inputs, scan, shown.get("grows", False))


@dataclass(frozen=True, slots=True)
class Task:
    """Hold what a group runs: a registered command, and the attributes and children of <task> as received.

    `cwd` names the service in whose folder an executable runs; None means a scratch folder of its own. `mode` is the
    command's at admission; any of `nodes` may run it, if it carries all `tags`; `limits` lower the manifest's.
    """

    cmd: str
    service: str
    command: str
    cwd: str | None = None
    bufsize: int | None = None
    attributes: dict[str, str] = field(default_factory=dict)
    parameters: tuple[Element, ...] = ()
    mode: str = "executable"
    nodes: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    limits: dict[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """Give the task as JSON."""
        return {
            "cmd": self.cmd,
            "service": self.service,
            "command": self.command,
            "cwd": self.cwd,
            "bufsize": self.bufsize,
            "attributes": self.attributes,
            "parameters": [element.to_json() for element in self.parameters],
            "mode": self.mode,
            "nodes": list(self.nodes),
            "tags": list(self.tags),
            "limits": self.limits,
        }

    @classmethod
    def from_json(cls, shown: dict[str, Any]) -> Task:
        """Read what `to_json` wrote."""
        parameters = tuple(Element.from_json(element) for element in shown["parameters"])
        places = {name: tuple(shown.get(name, ())) for name in ("nodes", "tags")}
        return cls(**(shown | places | {"parameters": parameters}))


@dataclass(frozen=True, slots=True)
class Group:
    """Hold one task, its data sets, its job lists and the class name of its reducer."""

    name: str
    task: Task
    data: tuple[DataRef, ...] = ()
    reduce: str | None = None
    joblists: tuple[JobList, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Give the group as JSON."""
        return {
            "name": self.name,
            "task": self.task.to_json(),
            "data": [asdict(ref) for ref in self.data],
            "reduce": self.reduce,
            "joblists": [joblist.to_json() for joblist in self.joblists],
        }

    @classmethod
    def from_json(cls, shown: dict[str, Any]) -> Group:
        """Read what `to_json` wrote."""
        data = tuple(DataRef(**ref) for ref in shown["data"])
        joblists = tuple(JobList.from_json(joblist) for joblist in shown["joblists"])
        return cls(shown["name"], Task.from_json(shown["task"]), data, shown["reduce"], joblists)


@dataclass(frozen=True, slots=True)
class Session:
    """Hold a whole session: who sent it, its priority, its groups, and what was odd but not wrong."""

    user: str
    email: str
    priority: int
    attributes: dict[str, str] = field(default_factory=dict)
    groups: tuple[Group, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def grows(self) -> bool:
        """Whether it is an executor's, which makes its jobs as it goes on."""
        return any(joblist.grows for group in self.groups for joblist in group.joblists)

    def sizes(self) -> dict[tuple[int, int], int]:
        """Give the number of jobs of each (group, job list), both counted from 1; 0 for one that grows."""
        return {
            (group_number, joblist_number): joblist.size
            for group_number, group in enumerate(self.groups, 1)
            for joblist_number, joblist in enumerate(group.joblists, 1)
        }

    def to_json(self) -> dict[str, object]:
        """Give the session as JSON: the content of session.json."""
        return {
            "format": FORMAT,
            "user": self.user,
            "email": self.email,
            "priority": self.priority,
            "attributes": self.attributes,
            "groups": [group.to_json() for group in self.groups],
            "warnings": list(self.warnings),
        }

    @classmethod
    def from_json(cls, shown: dict[str, Any]) -> Session:
        """Read what `to_json` wrote; ValueError when a later version of park-spool wrote it."""
        if shown["format"] != FORMAT:
            raise ValueError(f"session.json has format {shown['format']!r}, this version reads {FORMAT}")
        groups = tuple(Group.from_json(group) for group in shown["groups"])
        head = (shown["user"], shown["email"], shown["priority"], shown["attributes"])
        return cls(*head, groups, tuple(shown["warnings"]))
