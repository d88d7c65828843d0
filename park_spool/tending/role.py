"""What park-spoold does in one step: admit, take back, do what users say, work out what is missing, offer, close.

Every part is a thin doer around a pure decision; the memory between two steps (`OpenSession`), which all parts share,
can be lost at any time, since an audit works it out again. Only the active candidate acts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from park_spool import admitted, naming
from park_spool.catalog.registry import Registry
from park_spool.errors import PermanentError
from park_spool.leadership import Candidate
from park_spool.member import Member
from park_spool.naming import MOST_CALLS, Unit
from park_spool.nodes import Nodes
from park_spool.tallies import Tally
from park_spool.tending import ending, open_sessions
from park_spool.tending.admission import Admission
from park_spool.tending.askers import Askers
from park_spool.tending.auditing import Auditing
from park_spool.tending.calls_janitor import CallsJanitor
from park_spool.tending.controlling import Controlling
from park_spool.tending.janitor import Janitor
from park_spool.tending.listings import Ask, Listings, nobody
from park_spool.tending.offering import Offering
from park_spool.tending.open_sessions import OpenSession
from park_spool.tending.repeating import Repeating
from park_spool.tending.takeback import Standing, TakeBack
from park_spool.tending.unheard import Unheard

log = logging.getLogger(__name__)

REFILL_SECONDS = 0.05
OPEN_SECONDS = 0.5


class Tending:
    """One spoold; `ask` tells which files a pattern stands for, in a thread, and `ring` wakes spoold from there."""

    def __init__(self, member: Member, ask: Ask = nobody, ring: Callable[[], None] = lambda: None) -> None:
        self._member = member
        self._candidate = Candidate(member, "spoold")
        self._sessions: dict[str, OpenSession] = {}
        self._broken: set[str] = set()
        self.admission = Admission(member, Listings(ask, member.monotonic, ring))
        self._janitor = Janitor(member, self.admission)
        self._nodes = Nodes(member)
        self._offering = Offering(member)
        self._repeating = Repeating(member, self._sessions)
        self._controlling = Controlling(member, self._sessions)
        self._askers = Askers(member, self._sessions)
        self._calls_janitor = CallsJanitor(member)
        self._unheard = Unheard(member)
        self._auditing = Auditing(member, self._sessions, self._controlling)
        self._take_back = TakeBack(member, self._nodes, self._standing, self._pend)
        self._due = {"audit": 0.0, "nodes": 0.0, "sessions": 0.0}

    @property
    def is_active(self) -> bool:
        return self._candidate.is_active

    def step(self) -> bool:
        """Do everything that is to be done now; return whether anything was."""
        was_active = self.is_active
        if not self._candidate.step():
            self._sessions.clear()
            self.admission.inbox.forget(())
            return False
        if not was_active:
            self._begin()
        config = self._member.config
        did = self._admit()
        if self._is_due("audit", config.audit_seconds):
            self._clean()
        if self._is_due("sessions", min(config.control_seconds, config.tally_seconds / 2)):
            did = self._look_at_sessions() or did
        if self._is_due("nodes", config.heartbeat_seconds / 20):
            self._nodes.look()
            did = self._take_back.step() or did
            did = self._repeating.step(self._nodes.cluster) or did
        did = self._auditing.step() or did
        self._look_for_steps()
        return self._offering.step(list(self._sessions.values()), self._nodes.cluster) or did

    def resign(self) -> None:
        self._candidate.resign()

    def wait_seconds(self) -> float:
        """Return how long nothing needs to be looked at, unless something wakes the daemon."""
        if not self.is_active:
            return self._member.config.lease_renew
        config, sessions = self._member.config, self._sessions.values()
        is_refilled = not config.is_shared and self._nodes.cluster.cpus > 0
        if is_refilled and any(one.startable or one.is_stepping for one in sessions):
            return REFILL_SECONDS  # a look costs nothing on a local disk, and an empty window costs the nodes
        if self.admission.inbox.is_waiting or any(one.suspects for one in sessions):
            return min(config.settle_seconds, config.look_seconds)
        return min(config.look_seconds, OPEN_SECONDS) if sessions else config.look_seconds

    def _begin(self) -> None:
        self._due = dict.fromkeys(self._due, self._member.monotonic())
        log.info("tending the spool %s as %s", self._member.config.spool, self._member.name)
        for problem in Registry.load(self._member.config.service_folders).problems:
            log.warning("%s", problem)

    def _is_due(self, what: str, every: float) -> bool:
        now = self._member.monotonic()
        if now < self._due[what]:
            return False
        self._due[what] = now + every
        return True

    # which sessions are open

    def _admit(self) -> bool:
        admitted = self.admission.step()
        for sid in admitted:
            log.info("admitted session %s", sid)
            self._open(sid, is_mine=True)
        return bool(admitted)

    def _open(self, sid: str, is_mine: bool) -> None:
        now = self._member.monotonic()
        try:
            opened = open_sessions.load(self._member, sid, now + self._member.config.audit_seconds if is_mine else now)
        except PermanentError as error:
            log.error("session %s: %s; it is left alone", sid, error)
            self._broken.add(sid)
            return
        if opened is not None:
            self._sessions[sid] = opened
            if is_mine:
                opened.pend_all()

    def _clean(self) -> None:
        """Clear what crashes left behind, and have everything looked at that was left alone before."""
        for sid in self._janitor.step({rank for opened in self._sessions.values() for rank in opened.ranks()}):
            self._open(sid, is_mine=True)
        self._calls_janitor.step()
        self._unheard.step()
        self._broken.clear()
        self._look_for_sessions()
        ending.withdraw(self._member, lambda sid: sid not in self._sessions and not self._is_open(sid))

    def _is_open(self, sid: str) -> bool:
        return self._member.disk.kind(self._member.layout.session(sid)) is not None

    def _look_for_sessions(self) -> None:
        """Open the sessions that others admitted, or opened again; remove those that stand beside their tombstones."""
        disk, spool = self._member.disk, self._member.layout
        for sid in filter(naming.is_sid, disk.names(spool.sessions)):
            if sid in self._sessions or sid in self._broken:
                continue
            if disk.kind(spool.tombstone(sid)) is not None:
                ending.clear_away(self._member, sid)
            else:
                self._open(sid, is_mine=False)

    # what is said of them

    def _look_at_sessions(self) -> bool:
        """Take in what users and reducers say of each session, and do it; return whether a session ended."""
        self._look_for_sessions()
        self._askers.step()
        closed = False
        for sid, opened in list(self._sessions.items()):
            if not opened.look(self._member):
                del self._sessions[sid]
                continue
            if opened.has_news and opened.suspects is None:
                opened.due, opened.has_news = self._member.monotonic(), False
            if opened.is_complete() and not opened.controls.is_deleted:
                closed = self._close(opened) or closed
        return self._controlling.step() or closed

    def _look_for_steps(self) -> None:
        """Look whether the next step of a sequential job list has its start values: nothing else of it is to be run."""
        for opened in [opened for opened in self._sessions.values() if opened.is_stepping]:
            if self._member.config.is_shared:
                self._member.disk.refresh(self._member.layout.session(opened.sid))
            opened.listen(self._member)

    def _close(self, opened: OpenSession) -> bool:
        is_closed = ending.close(self._member, opened, "all its jobs are final")
        if is_closed:
            self._sessions.pop(opened.sid, None)
        return is_closed

    def _standing(self, sid: str) -> Standing:
        """Look how a session stands, freshly: for who is about to run something of it again."""
        opened = self._sessions.get(sid)
        if opened is not None:
            opened.look(self._member)
        if opened is None or opened.controls.is_stopped:
            return self._nothing_left(sid)
        return Standing(opened.tally, opened.retries, opened.controls.is_paused)

    def _nothing_left(self, sid: str) -> Standing:
        found = admitted.find(self._member.disk, self._member.layout, sid)
        sizes = found[1].session.sizes() if found else {}
        return Standing(Tally({key: [(1, (size or MOST_CALLS) + 1)] for key, size in sizes.items()}))

    def _pend(self, units: list[Unit]) -> None:
        opened = self._sessions.get(units[0].sid)
        if opened is not None:
            opened.pend(units)
