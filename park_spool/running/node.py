"""What park-noded does in one step: answer, say that it lives, claim.

    ready/RANK/UNIT ──rename──► claimed/NODE/UNIT ──runner──► tmp ──rename──► replies/UNIT@NODE, then the claim is
    dropped

Guarantees: a unit is published at most once under this node's name; a claim is dropped only after its reply stands;
a full disk or a cut network keeps claim and answer in hand and tries again; a fenced node kills its jobs and is
born anew.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from park_spool import admitted, layout, naming
from park_spool.admitted import Admitted
from park_spool.errors import PermanentError, is_temporary
from park_spool.member import Member
from park_spool.naming import Unit
from park_spool.running import claiming
from park_spool.running.assignment import Assignment
from park_spool.running.hands import Claim, Hands
from park_spool.running.heartbeat import Beat
from park_spool.running.job_times import JobTimes

log = logging.getLogger(__name__)

KEPT_SESSIONS = 20


class Runner(Protocol):
    """What runs one unit at a time: a slot with a warm child, or a test's stand-in."""

    def start(self, assignment: Assignment) -> None:
        """Begin a unit."""

    def poll(self, now: float) -> list[bytes] | None:
        """Return the unit's result lines once, when it is finished."""

    def kill(self) -> None:
        """Stop what runs and forget it."""


class Node:
    """One incarnation of one park-noded after the other: a fenced one is born anew under another name."""

    def __init__(
        self, member: Member, runners: Sequence[Runner], scratch: Path, about: dict[str, Any] | None = None
    ) -> None:
        self.runners = runners
        self._scratch = scratch
        self._about = about or {}
        self._times = JobTimes()
        self._sessions: dict[str, tuple[Path, Admitted]] = {}
        self._begin(member)

    def _begin(self, member: Member) -> None:
        self.member = member
        self._hands = Hands(member)
        self._beat = Beat()

    def step(self) -> bool:
        """Do everything that is to be done now; return whether anything was."""
        if not self._beat.seq:
            self._be_born()
        did = self._collect()
        did = self._publish() or did
        if self._beat.is_due(self.member):
            self._live()
        if self._is_silent():
            return did  # others may have taken the work back: claim nothing, start nothing
        did = self._claim() or did
        return self._start_waiting() or did

    @property
    def is_busy(self) -> bool:
        return bool(self._hands.claims)

    def wait_seconds(self) -> float:
        """Return how long nothing needs to be looked at, unless something wakes the daemon."""
        config = self.member.config
        due = self._beat.wait_seconds(self.member)
        if any(claim.runner is None for claim in self._hands):
            return min(due, 0.5)
        return min(due, config.look_seconds if self._free() else config.heartbeat_seconds)

    # life

    def _be_born(self) -> None:
        """Make the claim folder, once, then say so: the folder comes first, so that a heartbeat always has one."""
        self.member.disk.make_folder(self._hands.folder)
        log.info("node %s is up with %d slots", self.member.name, len(self.runners))

    def _live(self) -> None:
        """Look at one's own folder, judge what lies there, and publish a heartbeat.

        Stop the jobs if that failed for too long.
        """
        try:
            if self._beat.seq and self._is_fenced():
                self._be_reborn()
                return
            self._judge(self._hands.listed())
            self._beat.publish(self.member, self._report())
        except OSError as error:
            if not is_temporary(error.errno):
                raise
            log.warning("cannot publish a heartbeat: %s; trying again", error)
            if self._is_silent():
                self._drop_everything("no heartbeat could be published: others may have taken the work back")

    def _is_silent(self) -> bool:
        """Say whether nobody has heard from this node: not yet, or not for so long that it may count as dead."""
        return not self._beat.seq or self._beat.silence(self.member) > self.member.config.unit_lifetime

    def _is_fenced(self) -> bool:
        disk, expired = self.member.disk, self.member.layout.expired(self.member.name)
        return disk.kind(expired) is not None or disk.kind(self._hands.folder) is None

    def _be_reborn(self) -> None:
        old = self.member.name
        self._drop_everything("this node was taken for dead")
        self._beat.bury(self.member)
        self._begin(self.member.reborn())
        log.warning("node %s was fenced, its jobs were stopped; it goes on as %s", old, self.member.name)
        self._be_born()
        self._beat.publish(self.member, self._report())

    def _drop_everything(self, why: str) -> None:
        for claim in self._hands:
            self._stop(claim, why)
        self._hands.claims.clear()

    def _stop(self, claim: Claim, why: str) -> None:
        if claim.runner is not None:
            log.warning("stopping unit %s: %s", claim.unit.name, why)
            self.runners[claim.runner].kill()

    def _judge(self, seen: set[Unit]) -> None:
        """Hold one's memory against one's folder: adopt what came unnoticed, drop the answered, stop what is gone."""
        for unit in seen:
            self._hands.take(unit, self._rank(unit))
        for claim in self._hands.vanished(seen):
            self._stop(claim, "it is not in this node's hands any more")

    def _report(self) -> dict[str, Any]:
        return {
            **self._about,
            "node": self.member.name,
            "identity": self.member.identity.to_json(),
            "cpus": len(self.runners),
            "busy": sum(claim.runner is not None for claim in self._hands),
            "held": sorted(claim.unit.name for claim in self._hands),
            "job_seconds": self._times.seconds,
            "at": self.member.wall(),
        }

    # claiming

    def _free(self) -> list[int]:
        taken = {claim.runner for claim in self._hands}
        return [index for index in range(len(self.runners)) if index not in taken]

    def _claim(self) -> bool:
        """Claim for all free slots that nothing waits for."""
        wanted = len(self._free()) - sum(claim.is_waiting for claim in self._hands)
        won = claiming.claim(self.member, wanted) if wanted > 0 else []
        for rank, unit in won:
            self._hands.take(unit, rank)
        return bool(won)

    def _rank(self, unit: Unit) -> str:
        try:
            found = self._session(unit.sid)
        except PermanentError:
            found = None  # put aside when it is to be started
        return found[1].rank(unit.key) if found and found[1].has(unit) else naming.rank(0, 0)

    # running

    def _start_waiting(self) -> bool:
        did = False
        for claim in self._hands:
            free = self._free()
            if claim.is_waiting and free:
                did = self._start(claim, free[0]) or did
        return did

    def _start(self, claim: Claim, runner: int) -> bool:
        unit = claim.unit
        try:
            found = self._session(unit.sid)
        except PermanentError as error:
            self._hands.put_aside(claim, str(error))
            return True
        if found is None:
            # NFS: a name looked up too early stays missing for up to 30 s; after that the unit is a stray.
            if self.member.monotonic() - claim.since > self.member.config.unit_lifetime:
                self._hands.let_go(claim)
            return False
        folder, session = found
        if not session.has(unit):
            self._hands.put_aside(claim, f"expected jobs that session {unit.sid} has, got {unit.name}")
            return True
        self.runners[runner].start(self._assignment(unit, folder))
        claim.runner, claim.since = runner, self.member.monotonic()
        return True

    def _session(self, sid: str) -> tuple[Path, Admitted] | None:
        """Return a session's folder and what it holds; read again when it was closed, which moves its folder."""
        known = self._sessions.get(sid)
        if known is None or self.member.disk.kind(known[0]) is None:
            found = admitted.find(self.member.disk, self.member.layout, sid)
            if found is None:
                return None
            self._sessions = {**dict(list(self._sessions.items())[-KEPT_SESSIONS:]), sid: found}
        return self._sessions[sid]

    def _assignment(self, unit: Unit, folder: Path) -> Assignment:
        config = self.member.config
        return Assignment(
            unit=unit.name,
            session_json=layout.session_json(folder),
            files=layout.session_files(folder),
            services=config.service_folders,
            data_roots=config.data_roots,
            group=unit.group,
            joblist=unit.joblist,
            jobs=((unit.start, unit.stop),),
            scratch=self._scratch,
        )

    # answering

    def _collect(self) -> bool:
        did = False
        now = self.member.monotonic()
        for claim in self._hands:
            lines = None if claim.runner is None else self.runners[claim.runner].poll(now)
            if lines is not None:
                if self._times.learn(claim.unit, now - claim.since):
                    self._beat.hurry()  # spoold sizes the next units by it
                claim.answer, claim.runner, did = lines, None, True
        return did

    def _publish(self) -> bool:
        """Publish what is finished; a full disk or a cut network keeps claim and answer in hand, for the next step."""
        did = False
        header = {key: value for key, value in self._about.items() if key in ("host", "version", "python")}
        for claim in self._hands:
            if claim.answer is None:
                continue
            try:
                self._hands.answer(claim, header)
            except OSError as error:
                if not is_temporary(error.errno):
                    raise
                log.warning("cannot publish the reply of %s: %s; trying again", claim.unit.name, error)
                return did
            did = True
        return did

    def leave(self) -> None:
        """Stop what runs, give the units back, and take one's own names away."""
        for claim in self._hands:
            self._stop(claim, "this node is told to stop; the unit is given back")
        self._publish()
        self._hands.give_back()
        self._beat.bury(self.member)
