"""The base class of reducers, with PARK's names, so that a reducer written for PARK runs as it stands.

    reply ─▶ reducer(reply) ─▶ archive.put(keys, text)     what the group keeps, a text for each set of keys
                            └▶ msgqueue.putMsg(gid, text)  what the user is told, in order

A reducer is one class in `services/reduce/CLASSNAME.py`; each group has one object of it, called once for
each reply in the order of arrival, never twice at a time.  After a restart a new object is called with all
replies again, and after an exception it is not called any more: it keeps no state on disk, handles no errors.
This is the only module of the core that a service or a reducer may import.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

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
    def status(self) -> str:
        """Say how the job ended: ok, failed, timeout, cancelled or lost."""


class TextArchive(Protocol):
    """Where a reducer keeps texts of its group."""

    def put(self, keys: Mapping[str, object], text: str) -> None:
        """Keep a text under these keys, in place of what stood there."""


class MessageQueue(Protocol):
    """Where a reducer leaves messages for those who watch the group."""

    def putMsg(self, gid: str, text: str) -> None:
        """Send a text to the group's watchers."""


class Reduce:
    """Reduce the replies of one group; override `__call__`."""

    archive: TextArchive
    msgqueue: MessageQueue

    def __init__(self) -> None:
        """Make a reducer; a subclass that has its own `__init__` calls this one."""
        # PARK's: both are None until set, which happens before the first reply.
        self.archive = None  # type: ignore[assignment]
        self.msgqueue = None  # type: ignore[assignment]

    def setArchive(self, archive: TextArchive) -> None:
        """Take the archive in which to keep texts."""
        self.archive = archive

    def setMsgQueue(self, msgqueue: MessageQueue) -> None:
        """Take the queue into which to put messages."""
        self.msgqueue = msgqueue

    def __call__(self, msg: Reply) -> None:
        """Reduce one reply; the base class does nothing with it."""
