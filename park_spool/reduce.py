"""The base class of reducers, with PARK's names, so that a reducer written for PARK runs as it stands.

    reply ─▶ reducer(reply) ─▶ archive.put(keys, text)     what the group keeps, a text for each set of keys
                            └▶ msgqueue.putMsg(gid, text)  what the user is told, in order

A reducer is one class in `reduce/CLASSNAME.py` of a services folder; each group has one object of it, called once for
each reply in the order of arrival, never twice at a time.  After a restart a new object is called with all
replies again, and after an exception it is not called any more: it keeps no state on disk, handles no errors.
`setGroup`, `setOptions` and `flush` are park-spool's own; a class may do without each of them.
This is the only module of the core that a service or a reducer may import.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import ClassVar, Protocol

XML_HEADER = "<?xml version='1.0' encoding='UTF-8'?>\n"


class Reply(Protocol):
    """What a reducer is called with: one job's reply; str() of it is the job's output.

    `chisq` is there only where the service gave a finite one and the job is ok.  Every other attribute of the
    output (npoints, parameters, curve …) is there under its own name.
    """

    @property
    def gid(self) -> str:
        """Name the group: `SID.GROUP`."""

    @property
    def id(self) -> str:
        """Name the job in its session: `group.joblist.job`, counted from 1."""

    @property
    def joblist(self) -> int:
        """Give the number of the job list in its group, counted from 1."""

    @property
    def job(self) -> int:
        """Give the number of the job in its job list, counted from 1."""

    @property
    def status(self) -> str:
        """Say how the job ended: ok, failed, timeout, cancelled or lost."""

    @property
    def finished(self) -> float:
        """Give the Unix time at which the job ended, by its node's clock."""

    @property
    def input(self) -> Mapping[str, str]:
        """Give the attributes of the job's input."""

    @property
    def dataset(self) -> str | None:
        """Name the data set that the job is about; None if it says none."""


class Axis(Protocol):
    """One axis of a scan."""

    @property
    def name(self) -> str:
        """Name the attribute that varies."""

    @property
    def size(self) -> int:
        """Give the number of values."""

    def value(self, index: int) -> str:
        """Give value number `index`, counted from 0, as text."""


class Scan(Protocol):
    """The product of some axes; the last one runs fastest."""

    @property
    def axes(self) -> Sequence[Axis]:
        """Give the axes."""

    @property
    def size(self) -> int:
        """Give the number of points."""


class JobList(Protocol):
    """A job list: `size` jobs; of a scan, job number j is point number (j - 1) modulo the scan's size."""

    @property
    def size(self) -> int:
        """Give the number of jobs."""

    @property
    def scan(self) -> Scan | None:
        """Give the scan that the jobs are made of, if they are."""


class Group(Protocol):
    """The group whose replies are reduced, as its session has it."""

    @property
    def name(self) -> str:
        """Give its name."""

    @property
    def joblists(self) -> Sequence[JobList]:
        """Give its job lists; number 1 is the first."""


class TextArchive(Protocol):
    """Where a reducer keeps texts of its group."""

    def put(self, keys: Mapping[str, object], text: str) -> None:
        """Keep a text under these keys, in place of what stood there."""


class MessageQueue(Protocol):
    """Where a reducer leaves messages for those who watch the group."""

    def putMsg(self, gid: str, text: str) -> None:
        """Send a text to the group's watchers."""


class Reduce:
    """Reduce the replies of one group; override `__call__`.

    `OPTIONS` holds the attributes of `<reduce>` that the class takes, with their defaults, as a dict of texts that is
    written out in the class.
    """

    OPTIONS: ClassVar[Mapping[str, str]] = MappingProxyType({})

    archive: TextArchive
    msgqueue: MessageQueue
    group: Group
    options: Mapping[str, str]

    def __init__(self) -> None:
        """Make a reducer; a subclass that has its own `__init__` calls this one."""
        # PARK's: both are None until set, which happens before the first reply.
        self.archive = None  # type: ignore[assignment]
        self.msgqueue = None  # type: ignore[assignment]
        self.options = dict(self.OPTIONS)

    def setArchive(self, archive: TextArchive) -> None:
        """Take the archive in which to keep texts."""
        self.archive = archive

    def setMsgQueue(self, msgqueue: MessageQueue) -> None:
        """Take the queue into which to put messages."""
        self.msgqueue = msgqueue

    def setGroup(self, group: Group) -> None:
        """Take the group, before the first reply."""
        self.group = group

    def setOptions(self, options: Mapping[str, str]) -> None:
        """Take the other attributes of `<reduce>`, before the first reply; those that are not given have their default.

        Raises ValueError for one that the class does not know.
        """
        for name in options:
            if name not in self.OPTIONS:
                known = ", ".join(self.OPTIONS) or "none"
                raise ValueError(f"<reduce> has the attribute {name!r}, {type(self).__name__} takes {known}")
        self.options = {**self.OPTIONS, **options}

    def __call__(self, msg: Reply) -> None:
        """Reduce one reply; the base class does nothing with it."""

    def flush(self) -> None:
        """Put what is to be kept and has changed.

        Called about once a second while replies come in, and whenever it matters: at the end of the session, and
        before the reducer is left.
        """
