"""What park-noded does in one step: answer, say that it lives, look whether its work is still wanted, claim.

    ready/RANK/UNIT ──rename──► claimed/NODE/UNIT ──runner──► tmp ──rename──► replies/UNIT@NODE, then the claim is
    dropped

Guarantees: a node that nobody heard from claims nothing and runs nothing; a fenced one kills its jobs and is born
anew; one that is told to stop, or that is not welcome on its machine, claims nothing more and gives back what it does
not finish in time. hands.py keeps the units, workshop.py works on them, duty.py decides whether to go on.
"""

from __future__ import annotations

import json
import logging
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from park_spool import naming, tags, wishes
from park_spool.errors import PermanentError, is_temporary
from park_spool.member import Member
from park_spool.naming import Unit
from park_spool.running import looking_pace, report
from park_spool.running.assigning import Terms
from park_spool.running.claiming import Claiming
from park_spool.running.duty import Duty
from park_spool.running.heartbeat import PROGRESS_SECONDS, Beat
from park_spool.running.job_times import JobTimes
from park_spool.running.known_sessions import KnownSessions
from park_spool.running.report import About
from park_spool.running.workshop import Runner, Workshop

log = logging.getLogger(__name__)

__all__ = ["Node", "Runner"]

COUNT_SECONDS = 60.0  # between two counts of the nodes of a share
SOON = 0.5  # s until a unit whose session is not there yet is looked at again


class Node:
    """One incarnation of one park-noded after the other: a fenced one is born anew under another name.

    `runners` take units, `spare` ones short commands; `objection` says why the node is not to work now.
    """

    def __init__(
        self,
        member: Member,
        runners: Sequence[Runner],
        scratch: Path,
        about: About | None = None,
        spare: Sequence[Runner] = (),
        nice: int = 0,
        objection: Callable[[float], str | None] = lambda now: None,
    ) -> None:
        self._about = about or About((report.host_label(member), tags.python(sys.version_info[:2])))
        self._facts = self._about.fields()
        self._objection = objection
        known = KnownSessions(member, room=len(runners) + len(spare))
        choice = Claiming(frozenset(self._about.tags), known, JobTimes())
        terms = Terms(scratch, self._about.memory, nice)
        self.shop = Workshop(runners, spare, terms, choice, self._about.header())
        self.duty = Duty(member.config)
        self._begin(member)

    def _begin(self, member: Member) -> None:
        self.member = member
        self.shop.begin(member)
        self._beat = Beat()
        self._attended = self._noticed = member.monotonic()
        self._nodes, self._counted = 1, -math.inf  # that say they live, this one with them; and when that was
        self._progress: dict[Unit, tuple[int, str | None]] = {}

    def step(self) -> bool:
        """Do everything that is to be done now; return whether anything was."""
        if not self._beat.seq:
            self._be_born()
        did = self._answer()
        self._beat.is_idle = not self.is_busy
        if self._beat.is_due(self.member):
            self._live()
        did = self._attend() or did
        did = self._do_its_duty() or did
        if self._is_silent() or not self.duty.may_claim:
            return did  # silent: others may have taken the work back, so claim nothing, start nothing
        did = self.shop.claim() or did
        return self.shop.start_waiting() or did

    @property
    def is_busy(self) -> bool:
        return bool(self.shop.hands.claims)

    @property
    def is_done(self) -> bool:
        """Whether it was told to leave, and has nothing left to finish."""
        is_late = self.duty.deadline is not None and self.member.monotonic() >= self.duty.deadline
        return self.duty.draining is not None and (is_late or not self.is_busy)

    def wait_seconds(self) -> float:
        """Return how long nothing needs to be looked at, unless something wakes the daemon."""
        config, now = self.member.config, self.member.monotonic()
        dues = [self._beat.wait_seconds(self.member)]
        if any(claim.runner is None for claim in self.shop.hands.claims.values()):
            dues.append(SOON)
        if self.is_busy:
            dues.append(self._attended + looking_pace.control_seconds(config, self._nodes) - now)
        if self.is_busy and self.duty.deadline is not None:
            dues.append(self.duty.deadline - now)
        if self.shop.free():
            dues.append(looking_pace.look_seconds(config, self._nodes))
        return max(0.0, min(dues))

    # life

    def _be_born(self) -> None:
        """Make the claim folder, once, then say so: the folder comes first, so that a heartbeat always has one."""
        self.member.disk.make_folder(self.shop.hands.folder)
        log.info("node %s is up with %d slots", self.member.name, self.shop.cpus)

    def _live(self) -> None:
        """Look at one's own folder and the notices, judge what lies there, and publish a heartbeat.

        Stop the jobs if that failed for too long.
        """
        try:
            if self._beat.seq or self._about.started_by:  # who started it may have been told to stop meanwhile
                self._read_notices()
            if self._beat.seq and self._is_fenced():
                self._be_reborn()
                return
            self._judge(self.shop.hands.listed())
            self._beat.publish(self.member, self._report())
        except OSError as error:
            if not is_temporary(error.errno):
                raise
            log.warning("cannot publish a heartbeat: %s; trying again", error)
            if self._is_silent():
                self.shop.drop_everything("no heartbeat could be published: others may have taken the work back")

    def _is_silent(self) -> bool:
        """Say whether nobody has heard from this node: not yet, or not for so long that it may count as dead."""
        return not self._beat.seq or self._beat.silence(self.member) > self.member.config.unit_lifetime

    def _is_fenced(self) -> bool:
        disk, name = self.member.disk, self.member.name
        if disk.kind(self.shop.hands.folder) is not None:
            return False
        names = disk.names(self.member.layout.claimed)  # a second opinion: jobs are stopped for it
        return f"{name}{naming.EXPIRED}" in names or name not in names

    def _be_reborn(self) -> None:
        old = self.member.name
        self.shop.drop_everything("this node was taken for dead")
        self._beat.bury(self.member)
        self._begin(self.member.reborn())
        log.warning("node %s was fenced, its jobs were stopped; it goes on as %s", old, self.member.name)
        self._be_born()
        self._beat.publish(self.member, self._report())

    def _judge(self, seen: set[Unit]) -> None:
        """Hold one's memory against one's folder: adopt what came unnoticed, drop the answered, stop what is gone."""
        for unit in seen:
            self.shop.hands.find(unit, self._rank(unit))
        for claim in self.shop.hands.vanished(seen):
            self.shop.kill(claim, "it is not in this node's hands any more")

    def _rank(self, unit: Unit) -> str:
        """Return the rank that a unit would be offered under."""
        claim = self.shop.hands.claims.get(unit)
        if claim is not None:
            return claim.rank
        try:
            known = self.shop.choice.known.get(unit.sid)
        except PermanentError:
            known = None  # put aside when it is to be started
        return known.admitted.rank(unit.key) if known and known.admitted.has(unit) else naming.rank(0, 0)

    def _report(self) -> dict[str, Any]:
        progress = report.in_progress(self.shop.at_work, self.member.monotonic(), self.member.wall())
        now = report.compose(self.member, self.shop, self.duty, progress)
        return {**self._facts, **self._about.measured(), **now}

    # work

    def _answer(self) -> bool:
        if self.shop.collect():
            self._beat.hurry()  # spoold sizes the next units by it
        return self.shop.publish()

    def _attend(self) -> bool:
        """While something runs, look now and then whether it is still wanted, and how far it is."""
        now = self.member.monotonic()
        every = looking_pace.control_seconds(self.member.config, self._nodes)
        if not self.shop.at_work or now - self._attended < every:
            return False
        self._attended = now
        did = self.shop.attend()
        self._watch_progress(now)
        return did

    def _watch_progress(self, now: float) -> None:
        running = report.in_progress(self.shop.at_work, now, self.member.wall())
        progress = {claim.unit: (one.job, one.progress) for claim, one in running}
        if any(self._progress.get(unit) != said for unit, said in progress.items()):
            self._beat.hurry(PROGRESS_SECONDS)
        self._progress = progress

    # duty

    def _do_its_duty(self) -> bool:
        """Hear notices and objections; while the node is to claim nothing, give back what waits, or what is late."""
        now, duty = self.member.monotonic(), self.duty
        if not self.member.config.is_shared and now - self._noticed > (
            self.is_busy and self.member.config.control_seconds
        ):
            self._read_notices()  # it costs nothing on a local disk, where a notice wakes the daemon
        if duty.heed(self._objection(now), now):
            self._say(f"waits: {duty.waiting}" if duty.waiting else "works again")
        if duty.may_claim:
            return False
        did = duty.draining is not None and self.shop.acquit()
        is_late = duty.deadline is not None and now >= duty.deadline
        claims = [claim for claim in self.shop.hands if claim.is_waiting or (is_late and claim.runner is not None)]
        self.shop.give_back(claims, "it was not finished in time")
        return self.shop.publish() or bool(claims) or did

    def _say(self, what: str) -> None:
        log.info("node %s %s", self.member.name, what)
        self._beat.hurry()

    def drain(self, seconds: float | None = None, why: str = "it was told to stop") -> None:
        """Claim nothing more; give back what is not finished in so many seconds (None: finish all), then be done."""
        if self.duty.drain(why, None if seconds is None else self.member.monotonic() + seconds):
            self._say(f"claims nothing more: {self.duty.draining}")

    def _read_notices(self) -> None:
        """List notices/ for what people and the reducer want of this node."""
        self._noticed = self.member.monotonic()
        self._count_nodes()
        names = self.member.disk.names(self.member.layout.notices)
        if wishes.notice_name(self.member.name, "drain") in names:
            self.drain(why="it is drained")
        told = (self.member.name, self._about.started_by.get("master", self.member.name))
        if any(wishes.notice_name(name, "stop") in names for name in told):
            self.drain(self.member.config.drain_seconds)
        bad = wishes.notice_name(self.member.name, "bad")
        if bad in names and self.duty.condemn(self._why_bad(bad)):
            log.warning("node %s claims nothing more: %s", self.member.name, self.duty.bad)
            self._beat.hurry()

    def _count_nodes(self) -> None:
        """Count now and then who shares the file system: the only use of that many names."""
        now = self.member.monotonic()
        if self.member.config.is_shared and now >= self._counted + COUNT_SECONDS:
            names = self.member.disk.names(self.member.layout.nodes)
            self._nodes = max(1, sum(naming.parse_heartbeat(name) is not None for name in names))
            self._counted = now

    def _why_bad(self, name: str) -> str:
        data = self.member.disk.read(self.member.layout.notices / name)
        try:
            return str(json.loads(data or b"")["why"])
        except (ValueError, KeyError, TypeError):
            return "many jobs failed here that succeeded elsewhere"

    def leave(self) -> None:
        """Stop what runs, give back what is not done, and take one's own names away."""
        self.shop.close()
        self.shop.acquit()
        self.shop.publish()
        if self._beat.seq and self._is_fenced():
            self.shop.drop_everything("this node was taken for dead")
        self.shop.give_back(list(self.shop.hands), "this node leaves")
        self.shop.publish()
        self.shop.hands.take_away()
        self._beat.bury(self.member)
