"""Which answers are to be delivered and which notices sent, and what of it was done (PROTOCOL.md section 6).

Looked at when a session is seen to start, to be closed, or at the start of the daemon; the errands do it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path

from park_spool import wishes
from park_spool.archive.writing import Archive
from park_spool.delivering import notices, outbox
from park_spool.delivering.notices import Wanted
from park_spool.member import Member
from park_spool.reducing.errands import DELIVER, TELL, Errand, Errands
from park_spool.sessions.session import Session

log = logging.getLogger(__name__)


class Outgoing:
    """What one reducer sends out."""

    def __init__(self, member: Member, archive: Archive, errands: Errands) -> None:
        self._member = member
        self._archive = archive
        self._errands = errands
        self._outbox: set[tuple[str, int]] = set()
        self._started: set[str] = set()

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
        event = notices.due(state, is_closed, edition, names, self._wanted(session))
        if event is not None:
            self._errands.want([Errand(TELL, (sid, event))])

    def _wanted(self, session: Session) -> Wanted:
        config = self._member.config
        return notices.wanted(session.email, session.attributes, config.notify, bool(config.smtp), bool(config.webhook))

    def done(self, errand: Errand) -> None:
        """Keep account of an errand that went well."""
        if errand.verb == DELIVER:
            sid, edition = errand.words
            self._record(sid, int(edition))
            log.info("delivered outbox/%s", wishes.delivered_name(sid, int(edition)))

    def _record(self, sid: str, edition: int) -> None:
        if self._archive.state(sid) not in (None, "deleted"):
            with self._archive.transaction():
                self._archive.add_delivery(sid, edition, wishes.delivered_name(sid, edition))

    def forget(self, sid: str) -> None:
        """Remove what was delivered of a deleted session."""
        self._started.discard(sid)
        outbox.remove(self._member, sid)
