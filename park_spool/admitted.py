"""An admitted session as its folder holds it: session.json, which never changes after the instant of admission."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

from park_spool import controls, layout, naming, tags
from park_spool.atomic import Disk
from park_spool.errors import PermanentError
from park_spool.layout import Layout
from park_spool.naming import Unit
from park_spool.sessions.session import Session


@dataclass(frozen=True, slots=True)
class Admitted:
    """`received` is Unix time; `max_attempts` is fixed at admission, so that "final" means the same for ever."""

    sid: str
    file: str
    owner: str
    received: float
    max_attempts: int
    session: Session

    def encode(self) -> bytes:
        """Return session.json: the session as understood, and what is known of its admission beside it."""
        admission = {
            "sid": self.sid,
            "file": self.file,
            "owner": self.owner,
            "received": self.received,
            "max_attempts": self.max_attempts,
        }
        return json.dumps({**self.session.to_json(), "admission": admission}, ensure_ascii=False).encode() + b"\n"

    @property
    def user(self) -> str:
        """Return who the queue shares work by: the owner of the dropped file, else what the session says."""
        return self.owner or self.session.user

    def rank(self, joblist: tuple[int, int]) -> str:
        return naming.rank(self.session.priority, self._joblist_priority(joblist), self.tag(joblist[0]))

    def tag(self, group: int) -> str:
        """Return what a group's task asks of the nodes that may claim its units."""
        task = self.session.groups[group - 1].task
        return tags.tag(task.nodes, task.tags, task.mode == "command")

    def with_priority(self, priority: int | None) -> Admitted:
        """Return the session as a later `priority` control makes it; None leaves its own."""
        if priority is None or priority == self.session.priority:
            return self
        return replace(self, session=replace(self.session, priority=priority))

    def _joblist_priority(self, key: tuple[int, int]) -> int:
        return self.session.groups[key[0] - 1].joblists[key[1] - 1].priority

    def has(self, unit: Unit) -> bool:
        """Say whether a unit names jobs that this session has; of a sequential job list one at a time."""
        if unit.stop - 1 > self.session.sizes().get(unit.key, 0):
            return False
        return unit.size == 1 or not self.session.groups[unit.group - 1].joblists[unit.joblist - 1].is_sequential

    def is_final(self, status: str, attempt: int) -> bool:
        """Say whether a result ends its job: it is ok, or its attempt is the last of its round; `cancelled` never does.

        A retry that names the job in a later round makes what is not ok open again (`Retries.is_last`).
        """
        return status == "ok" or (status != "cancelled" and attempt + 1 >= self.max_attempts)


def decode(data: bytes) -> Admitted:
    """Read session.json. Raises PermanentError if it is not one."""
    try:
        record = json.loads(data)
        return Admitted(**record["admission"], session=Session.from_json(record))
    except (ValueError, KeyError, TypeError) as error:
        raise PermanentError(f"not a session.json: {error!r}") from error


def find(disk: Disk, spool: Layout, sid: str) -> tuple[Path, Admitted] | None:
    """Find an admitted session, open or closed, and its folder; None if there is none (or the listing is stale).

    Its priority is the one that counts now.
    """
    for folder in (spool.session(sid), spool.closed_session(sid)):
        data = disk.read(layout.session_json(folder))
        if data is not None:
            return folder, decode(data).with_priority(controls.read(disk.names(folder)).priority)
    return None
