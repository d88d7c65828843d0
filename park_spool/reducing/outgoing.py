"""Which answers are to be delivered, notices sent, copies made, and what of it was done (PROTOCOL.md section 6).

Looked at when a session is seen to start, to be closed, or at the start of the daemon; the errands do it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path

from park_spool import wishes
from park_spool.archive.writing import Archive
from park_spool.delivering import notices, outbox
from park_spool.member import Member
from park_spool.reducing import notes
from park_spool.reducing.copies import Copies
from park_spool.reducing.errands import DELIVER, SNAPSHOT, TELL, Errand, Errands, Send
from park_spool.sessions.session import Session

log = logging.getLogger(__name__)


class Outgoing:
    """What one reducer sends out; `send` starts a child for each errand, without one nothing goes out."""

    def __init__(self, member: Member, archive: Archive, send: Send | None) -> None:
        self._member = member
        self._archive = archive
        self._errands = Errands(send, self._done, member.monotonic)
        self._copies = Copies(member, self._errands)
        self._outbox: set[tuple[str, int]] = set()
        self._started: set[str] = set()

    def step(self) -> bool:
        """Look after the errands; return whether one went well."""
        self._copies.step()
        return self._errands.step()

    def leave(self) -> None:
        """End the errand that is at work: the next reducer begins it anew."""
        self._errands.leave()

    @property
    def is_busy(self) -> bool:
        return self._errands.is_busy

    @property
    def has_notices(self) -> bool:
        """Whether the site tells anybody anything."""
        return bool(self._member.config.smtp or self._member.config.webhook)

    def look(self) -> None:
        """See what stands in the outbox: at the start, and after that one's own word counts."""
        self._outbox = outbox.delivered(self._member.disk, self._member.layout)

    def closed(self, sid: str, names: Iterable[str], session: Callable[[], Session | None]) -> None:
        """See to a closed session: its answer delivered, if this edition was not, and people told that it is over.

        `names` are those in its folder; `session` reads it, if that is needed.
        """
        known = list(names)
        self._take_note(sid, self._member.layout.closed_session(sid), known)
        edition = wishes.edition_of(known)
        if edition not in self._archive.deliveries(sid):
            if (sid, edition) in self._outbox:
                self._record(sid, edition)
            else:
                self._errands.want([Errand(DELIVER, (sid, str(edition)))])
        if self.has_notices and not notices.is_stale(self._archive.closed_at(sid), self._member.wall()):
            self._tell(sid, session(), known, is_closed=True)

    def running(self, sid: str, session: Session, folder: Path) -> None:
        """Have people told that a session has started, once it has."""
        if self.has_notices and sid not in self._started and self._archive.state(sid) == "running":
            self._started.add(sid)
            self._tell(sid, session, self._member.disk.names(folder), is_closed=False)

    def _tell(self, sid: str, session: Session | None, names: list[str], is_closed: bool) -> None:
        if session is None:
            return
        state, edition = self._archive.state(sid) or "", wishes.edition_of(names)
        due = notices.due(state, is_closed, edition, names, notices.wanted_by(session, self._member.config))
        self._errands.want(Errand(TELL, (sid, one.name)) for one in due)

    def _done(self, errand: Errand) -> None:
        """Keep account of an errand that went well."""
        if errand.verb == SNAPSHOT:
            self._copies.done()
        elif errand.verb == DELIVER:
            sid, edition = errand.words
            self._record(sid, int(edition))
            log.info("delivered outbox/%s", wishes.delivered_name(sid, int(edition)))
        elif errand.verb == TELL:
            (sid, _) = errand.words
            for folder in (self._member.layout.closed_session(sid), self._member.layout.session(sid)):
                self._take_note(sid, folder, self._member.disk.names(folder))

    def _take_note(self, sid: str, folder: Path, names: Iterable[str]) -> None:
        """Have the archive know of what people were told."""
        told = [name for name in names if wishes.parse_told(name)]
        events = notes.events(self._member, folder, told, self._archive.events_known(sid), {}) if told else ()
        for event in events:
            with self._archive.transaction():
                self._archive.add_event(sid, *event)

    def _record(self, sid: str, edition: int) -> None:
        if self._archive.state(sid) not in (None, "deleted"):
            with self._archive.transaction():
                self._archive.add_delivery(sid, edition, wishes.delivered_name(sid, edition))

    def forget(self, sid: str) -> None:
        """Remove what was delivered of a deleted session."""
        self._started.discard(sid)
        outbox.remove(self._member, sid)
