"""A session as values: what a user submitted, as understood.  JSON in and out.

Owns: the shape of session.json.  No disk, no XML parser, no registry here.
Guarantees: `Session.from_json(session.to_json()) == session`; job lists are never written out, so a session
of 10^8 jobs is as small as one of ten, and `JobList.input(job)` takes the same time for every job.
Groups, job lists and jobs count from 1.

    Session ── groups ── Group ── task, data, reduce
                               └─ joblists ── JobList ── inputs or scan ── Element
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from os import PathLike
from typing import Any

from park_spool.sessions.element import Element, input_text
from park_spool.sessions.scan import Axis, Scan

__all__ = ["Axis", "DataRef", "Element", "Group", "JobList", "Scan", "Session", "Task", "input_text"]

FORMAT = 1

File = str | PathLike[str]
Data = Mapping[str, File] | Iterable[File]
Inputs = Mapping[str, object] | Iterable[Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class DataRef:
    """Hold a reference to a data set: its name in the session, where it is, and what it must hash to."""

    name: str
    href: str
    sha256: str | None = None
    via: str | None = None
    line: int = 0

    @classmethod
    def from_json(cls, shown: dict[str, Any]) -> DataRef:
        """Read a reference; what `via` says was once called `mode`."""
        return cls(shown["name"], shown["href"], shown["sha256"], shown.get("via", shown.get("mode")), shown["line"])


@dataclass(frozen=True, slots=True)
class JobList:
    """Hold `size` jobs: the inputs repeated in order, or the points of a scan repeated in order.

    Of a sequential one each job waits for the one before, and starts from its parameters.
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
    is_sequential: bool = False
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
            "is_sequential": self.is_sequential,
            "grows": self.grows,
        }

    @classmethod
    def from_json(cls, shown: dict[str, Any]) -> JobList:
        """Read what `to_json` wrote."""
        inputs = tuple(Element.from_json(element) for element in shown["inputs"])
        scan = None if shown["scan"] is None else Scan.from_json(shown["scan"])
        head = (shown["name"], shown["priority"], shown["size"])
        return cls(*head, inputs, scan, shown.get("is_sequential", False), shown.get("grows", False))


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
    """Hold one task, its data sets, its job lists, and the class name and options of its reducer.

    With `after` (see `Session`) it waits for another group, and starts from that one's best parameters.
    """

    name: str
    task: Task
    data: tuple[DataRef, ...] = ()
    reduce: str | None = None
    joblists: tuple[JobList, ...] = ()
    reduce_options: dict[str, str] = field(default_factory=dict)
    after: str = ""

    def to_json(self) -> dict[str, object]:
        """Give the group as JSON."""
        return {
            "name": self.name,
            "task": self.task.to_json(),
            "data": [asdict(ref) for ref in self.data],
            "reduce": self.reduce,
            "reduce_options": self.reduce_options,
            "after": self.after,
            "joblists": [joblist.to_json() for joblist in self.joblists],
        }

    @classmethod
    def from_json(cls, shown: dict[str, Any]) -> Group:
        """Read what `to_json` wrote."""
        data = tuple(DataRef.from_json(ref) for ref in shown["data"])
        joblists = tuple(JobList.from_json(joblist) for joblist in shown["joblists"])
        more = (shown.get("reduce_options", {}), shown.get("after", ""))
        return cls(shown["name"], Task.from_json(shown["task"]), data, shown["reduce"], joblists, *more)


@dataclass(frozen=True, slots=True)
class Session:
    """Hold a whole session: who sent it, its priority, its groups, and what was odd but not wrong.

    `after` names the session (and group: `SID.GROUP`) that it waits for; its groups start from the best fits there.
    """

    user: str
    email: str
    priority: int
    attributes: dict[str, str] = field(default_factory=dict)
    groups: tuple[Group, ...] = ()
    warnings: tuple[str, ...] = ()
    after: str = ""

    @classmethod
    def of(
        cls,
        cmd: str,
        *,
        data: Data = (),
        starts: int | None = None,
        inputs: Inputs | None = None,
        scan: Mapping[str, Iterable[object] | Axis] | None = None,
        **more: Any,
    ) -> Session:
        """Draft a session that runs one command, to be sent by `Spool.submit`.

        `data`: files, by name or in a list; `starts`: so many jobs with a `seed` from 1 on; `inputs`: a dict that all
        jobs share, or a list with one for each job; `scan`: the values of each axis. Further: `reduce` (a reducer's
        class, with `options`), `name`, `email`, `priority`, `after` (a SID), and the attributes of `<task>` (nodes,
        tags, timeout, memory …). Raises ValueError for what makes no job list.

        >>> session = Session.of("reflectivity/fit", starts=48, data=["film.ort"], reduce="Chisq")
        >>> session.sizes(), session.groups[0].joblists[0].input(48).attributes
        ({(1, 1): 48}, {'seed': '48'})
        """
        from park_spool.sessions.drafting import draft

        return draft(cmd, data=data, starts=starts, inputs=inputs, scan=scan, **more)

    @classmethod
    def batch(cls, cmd: str, data: Data, **more: Any) -> Session:
        """Draft a session with one fit, or `starts` fits, of each data set; reduced by `Batch` unless told otherwise.

        With `sequential=True` each fit starts from the parameters of the one before. `inputs`: what all share; further
        words as for `of`.

        >>> Session.batch("reflectivity/fit", ["a.ort", "b.ort"], starts=3).sizes()
        {(1, 1): 6}
        """
        from park_spool.sessions.drafting import draft_batch

        return draft_batch(cmd, data, **more)

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
            "after": self.after,
        }

    @classmethod
    def from_json(cls, shown: dict[str, Any]) -> Session:
        """Read what `to_json` wrote; ValueError when a later version of park-spool wrote it."""
        if shown["format"] != FORMAT:
            raise ValueError(f"session.json has format {shown['format']!r}, this version reads {FORMAT}")
        groups = tuple(Group.from_json(group) for group in shown["groups"])
        head = (shown["user"], shown["email"], shown["priority"], shown["attributes"])
        return cls(*head, groups, tuple(shown["warnings"]), shown.get("after", ""))
