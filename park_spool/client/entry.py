"""The session of an executor on the spool: sent, admitted, listened to, and taken away again.

    calls/SID/, alive.SEQ ─▶ inbox/SID.calls.xml ─▶ sessions/SID … ─▶ `delete` is said, what is left is unlinked

Guarantees: the asker lives on the spool before its session does; what it leaves behind, spoold can end for it.
"""

from __future__ import annotations

import json
from contextlib import suppress

from park_spool import admitted, controls, layout, naming, survey, whereabouts, wishes
from park_spool.admitted import Admitted
from park_spool.client.book import KEY
from park_spool.controls import Controls
from park_spool.errors import PermanentError
from park_spool.member import Member

FILE = "calls.xml"
PATIENCE = 0.5  # s between two looks at where a session is that is not admitted yet


class Broken(Exception):
    """The executor cannot go on; its text says why."""


class Entry:
    """One executor's session, from its text, of `user`, for nodes that suit `tag`.

    `session` once it is admitted, `said` what users said of it.
    """

    def __init__(self, member: Member, xml: bytes, tag: str, user: str) -> None:
        self._member, self._xml, self._user = member, xml, user
        self.tag = tag
        self.sid = naming.new_sid(member.wall(), member.choose)
        self.session: Admitted | None = None
        self.said = Controls()
        self._names: list[str] = []
        self._looked = self._absent = member.monotonic()

    @property
    def is_admitted(self) -> bool:
        return self.session is not None

    @property
    def rank(self) -> str:
        """Return the rank that its units are offered under now."""
        assert self.session is not None
        return self.session.with_priority(self.said.priority).rank(KEY)

    def send(self) -> None:
        """Put the session into the inbox: from then on it is spoold's to admit."""
        target = self._member.layout.inbox / naming.submitted_name(self.sid, FILE)
        self._member.disk.publish(target, self._xml)

    # until it is admitted

    def look(self) -> None:
        """Look whether it is admitted by now. Raises Broken if it was rejected, or is nowhere."""
        data = self._member.disk.read(layout.session_json(self._member.layout.session(self.sid)))
        if data is not None:
            self.session = admitted.decode(data)
            self.listen()
            return
        now = self._member.monotonic()
        if now - self._looked >= PATIENCE:
            self._looked = now
            self._look_elsewhere(now)

    def _look_elsewhere(self, now: float) -> None:
        disk, spool = self._member.disk, self._member.layout
        place = whereabouts.places(disk, spool).get(self.sid)
        if place in ("inbox", "admitting", "open"):
            self._absent = now
        elif reason := whereabouts.rejection(disk, spool, self.sid):
            raise Broken(f"session {self.sid} was rejected: {reason}")
        elif place is not None:
            raise Broken(self._gone())
        # NFS: one folder's listing may be older than the other's, so it is gone only if it stays so.
        elif now - self._absent > self._member.config.staleness_seconds:
            raise Broken(f"session {self.sid} is neither in the inbox nor in sessions/ any more")

    # while it is open

    def listen(self) -> None:
        """Take in what users said of it since. Raises Broken if it was stopped, or is gone."""
        folder = self._member.layout.session(self.sid)
        names = self._member.disk.names(folder)
        if layout.session_json(folder).name not in names:
            self._lose_sight()
            return
        self._absent = self._member.monotonic()
        if names != self._names:
            self._names, self.said = names, controls.read(names)
        if self.said.is_stopped:
            raise Broken(self._stopped(names))

    def _lose_sight(self) -> None:
        """Find out whether the session is gone. NFS: a folder may be missing from a client's sight for a while."""
        now = self._member.monotonic()
        has_stone = self._member.disk.kind(self._member.layout.tombstone(self.sid)) is not None
        if has_stone or now - self._absent > self._member.config.staleness_seconds:
            raise Broken(self._gone())

    def _gone(self) -> str:
        return f"session {self.sid} of this executor was cancelled or deleted: its calls are lost"

    def _stopped(self, names: list[str]) -> str:
        """Say who stopped it, as far as that can be read."""
        said = [one for one in map(wishes.parse_control, names) if one and one.verb in ("cancel", "delete")]
        data = self._member.disk.read(self._member.layout.session(self.sid) / min(said).name)
        try:
            who = f" by {json.loads(data or b'')['by']}"
        except (ValueError, KeyError, TypeError):
            who = ""
        return f"session {self.sid} of this executor was cancelled{who}: its calls are lost"

    # its end

    def leave(self) -> bool:
        """Take away what is the executor's; False while its session is just being admitted: ask again."""
        disk, spool = self._member.disk, self._member.layout
        if not self.is_admitted and not disk.unlink(spool.inbox / naming.submitted_name(self.sid, FILE)):
            with suppress(Broken, PermanentError):
                self.look()
            if not self.is_admitted and disk.kind(spool.admitting(self.sid)) is not None:
                return False
        if self.is_admitted:
            with suppress(FileNotFoundError):  # it is gone already
                controls.say(self._member, spool.session(self.sid), "delete", self._user)
            self._withdraw()
        disk.remove_tree(spool.calls(self.sid))
        return True

    def _withdraw(self) -> None:
        disk, spool = self._member.disk, self._member.layout
        for rank, unit in survey.ready(disk, spool):
            if unit.sid == self.sid:
                disk.unlink(spool.ready / rank / unit.name)
        for name in disk.names(spool.replies):
            if name.startswith(f"{self.sid}."):
                disk.unlink(spool.replies / name)
