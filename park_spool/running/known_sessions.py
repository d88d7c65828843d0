"""The sessions that a node has to do with: where they stand, what they hold, what their users said of them later.

Read once and kept; the folder of a session is listed again when that was more than `control_seconds` ago, and it is
found again when it has moved (closed, opened again, deleted).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from park_spool import admitted, controls, layout, starts
from park_spool.admitted import Admitted
from park_spool.controls import Controls
from park_spool.errors import PermanentError
from park_spool.member import Member
from park_spool.sessions.datasets import reads_sources
from park_spool.starts import Waits

NOTHING = Waits()
KEPT_SESSIONS = 20  # beside those in hand
KEPT_USERS = 10_000


@dataclass(frozen=True, slots=True)
class Known:
    """One session as last seen, at `looked_at` on the node's own clock."""

    folder: Path
    admitted: Admitted
    controls: Controls
    is_closed: bool
    looked_at: float
    waits: Waits = NOTHING
    reads_sources: bool = False  # some of its data lie in sources

    @property
    def unwanted(self) -> str | None:
        """Say why nobody wants its jobs to be run any more; None if somebody does."""
        if self.is_closed:
            return "its session is closed"
        return "its session was cancelled" if self.controls.is_stopped else None


@dataclass(slots=True)
class KnownSessions:
    """What one process remembers of sessions; `room` says how many it has in hand at most."""

    member: Member
    room: int = 0
    _known: dict[str, Known] = field(default_factory=dict)
    _users: dict[str, str] = field(default_factory=dict)

    def get(self, sid: str) -> Known | None:
        """Return what is known of a session, looked at when that is due; None if there is none.

        Raises PermanentError if it cannot be read.
        """
        known = self._known.get(sid)
        if known is None or known.unwanted or self.is_due(known):
            return self.look(sid)
        return known if self.member.disk.kind(known.folder) is not None else self.look(sid)

    def is_due(self, known: Known) -> bool:
        return self.member.monotonic() - known.looked_at >= self.member.config.control_seconds

    def look(self, sid: str) -> Known | None:
        """List a session's folder now; find it again if it has moved."""
        known = self._known.pop(sid, None)
        names = self.member.disk.names(known.folder) if known else []
        if known is None or layout.session_json(known.folder).name not in names:
            found = admitted.find(self.member.disk, self.member.layout, sid)
            if found is None:
                return None
            folder, session = found
            names = self.member.disk.names(folder)
        else:
            folder, session = known.folder, known.admitted
        said = controls.read(names)
        is_closed = folder.parent == self.member.layout.closed
        waits = known.waits if known else starts.waits_of(session.session)
        far = known.reads_sources if known else reads_sources(session.session, bool(self.member.config.datacenter))
        now = self.member.monotonic()
        fresh = Known(folder, session.with_priority(said.priority), said, is_closed, now, waits, far)
        self._remember(sid, fresh)
        return fresh

    def _remember(self, sid: str, fresh: Known) -> None:
        self._known[sid] = fresh
        self._users[sid] = fresh.admitted.user
        while len(self._known) > KEPT_SESSIONS + self.room:
            del self._known[next(iter(self._known))]
        while len(self._users) > KEPT_USERS:
            del self._users[next(iter(self._users))]

    def known_user(self, sid: str) -> str | None:
        """Return whose session it is, if that was read before."""
        return self._users.get(sid)

    def read_user(self, sid: str) -> str:
        """Return whose session it is; one that cannot be read counts as a user of its own."""
        try:
            found = self.look(sid)
        except PermanentError:
            return self._users.setdefault(sid, sid)
        return found.admitted.user if found else sid
