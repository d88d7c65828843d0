"""What park-noded does in one step: answer, say that it lives, claim.

    ready/RANK/UNIT ──rename──► claimed/NODE/UNIT ──runner──► tmp ──rename──► replies/UNIT@NODE, then the claim is
    dropped

Guarantees: a unit is published at most once under this node's name; a claim is dropped only after its reply stands; a
full disk or a
cut network keeps claim and answer in hand and tries again; a fenced node kills its jobs and is born anew.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from park_spool import admitted, claiming, heartbeat, layout, replies, survey
from park_spool.assignment import Assignment
from park_spool.errors import PermanentError, is_temporary
from park_spool.job_times import JobTimes
from park_spool.layout import Unit
from park_spool.member import Member

log = logging.getLogger(__name__)


class Runner(Protocol):
    """What runs one unit at a time: a slot with a warm child, or a test's stand-in."""

    def start(self, assignment: Assignment) -> None:
        """Begin a unit."""

    def poll(self, now: float) -> list[bytes] | None:
        """Return the unit's result lines once, when it is finished."""

    def kill(self) -> None:
        """Stop what runs and forget it."""


@dataclass(slots=True)
class Claim:
    """A unit in this node's hands: waiting for a runner, with one, or answered and not yet published."""

    unit: Unit
    rank: str
    since: float
    runner: int | None = None
    answer: list[bytes] | None = None
    unseen: int = 0


@dataclass(slots=True)
class Node:
    """One incarnation of one park-noded, until it is fenced and born anew."""

    member: Member
    runners: Sequence[Runner]
    scratch: Path
    about: dict[str, Any] = field(default_factory=dict)
    is_draining: bool = False
    _claims: dict[Unit, Claim] = field(default_factory=dict)
    _answered: set[Unit] = field(default_factory=set)
    _times: JobTimes = field(default_factory=JobTimes)
    _beat: heartbeat.Beat = field(default_factory=heartbeat.Beat)
    _sessions: dict[str, tuple[Path, admitted.Admitted]] = field(default_factory=dict)

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
        return bool(self._claims)

    def wait_seconds(self) -> float:
        """Return how long nothing needs to be looked at, unless something wakes the daemon."""
        config = self.member.config
        due = self._beat.wait_seconds(self.member)
        if any(claim.runner is None for claim in self._claims.values()):
            return min(due, 0.5)
        return min(due, config.look_seconds if self._free() else config.heartbeat_seconds)

    # life

    def _be_born(self) -> None:
        """Make the claim folder, once, then say so: the folder comes first, so that a heartbeat always has one."""
        self.member.disk.make_folder(self.member.layout.claims(self.member.name))
        log.info("node %s is up with %d slots", self.member.name, len(self.runners))

    def _live(self) -> None:
        """Look at one's own folder, judge what lies there, and publish a heartbeat.

        Stop the jobs if that failed for too long.
        """
        try:
            if self._beat.seq and self._is_fenced():
                self._be_reborn()
                return
            self._judge(self._listed())
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

    def _listed(self) -> set[Unit]:
        folder = self.member.layout.claims(self.member.name)
        if self.member.config.is_shared:
            self.member.disk.refresh(folder)  # NFS: a claim whose rename reported an error must show up here
        return set(survey.parsed(self.member.disk.names(folder)))

    def _is_fenced(self) -> bool:
        spool = self.member.layout
        return (
            self.member.disk.kind(spool.expired(self.member.name)) is not None
            or self.member.disk.kind(spool.claims(self.member.name)) is None
        )

    def _be_reborn(self) -> None:
        old = self.member.name
        self._drop_everything("this node was taken for dead")
        self._beat.bury(self.member)
        self.member = self.member.reborn()
        self._beat = heartbeat.Beat()
        self._answered.clear()
        log.warning("node %s was fenced, its jobs were stopped; it goes on as %s", old, self.member.name)
        self._be_born()
        self._beat.publish(self.member, self._report())

    def _drop_everything(self, why: str) -> None:
        for claim in self._claims.values():
            log.warning("stopping unit %s: %s", claim.unit.name, why)
            self._stop(claim)
        self._claims.clear()

    def _stop(self, claim: Claim) -> None:
        if claim.runner is not None:
            self.runners[claim.runner].kill()

    def _judge(self, seen: set[Unit]) -> None:
        """Hold one's memory against one's folder: adopt what came unnoticed, drop the answered, stop what is gone."""
        for unit in seen:
            if unit in self._answered:
                self.member.disk.unlink(self._claim_path(unit))
            elif unit not in self._claims:
                self._hold(unit, self._rank(unit))
        self._answered &= seen
        for unit, claim in list(self._claims.items()):
            claim.unseen = 0 if unit in seen else claim.unseen + 1
            if claim.unseen >= 2:
                log.warning("stopping unit %s: it is not in this node's hands any more", unit.name)
                self._stop(claim)
                del self._claims[unit]

    def _report(self) -> dict[str, Any]:
        return {
            **self.about,
            "node": self.member.name,
            "identity": self.member.identity.to_json(),
            "cpus": 0 if self.is_draining else len(self.runners),
            "busy": sum(claim.runner is not None for claim in self._claims.values()),
            "held": sorted(unit.name for unit in self._claims),
            "job_seconds": self._times.seconds,
            "at": self.member.wall(),
        }

    # claiming

    def _free(self) -> list[int]:
        taken = {claim.runner for claim in self._claims.values()}
        return [index for index in range(len(self.runners)) if index not in taken]

    def _claim(self) -> bool:
        """Claim for all free slots that nothing waits for."""
        wanted = len(self._free()) - sum(
            claim.runner is None and claim.answer is None for claim in self._claims.values()
        )
        if wanted <= 0 or self.is_draining:
            return False
        won = claiming.claim(self.member, wanted)
        for rank, unit in won:
            if unit in self._answered:  # it was offered twice, and answered here before
                self.member.disk.unlink(self._claim_path(unit))
            elif unit not in self._claims:  # else it was offered twice, and runs here already
                self._hold(unit, rank)
        return bool(won)

    def _hold(self, unit: Unit, rank: str) -> None:
        self._claims[unit] = Claim(unit, rank, self.member.monotonic())

    def _claim_path(self, unit: Unit) -> Path:
        return self.member.layout.claims(self.member.name) / unit.name

    def _rank(self, unit: Unit) -> str:
        try:
            found = self._session(unit.sid)
        except PermanentError:
            found = None  # put aside when it is to be started
        return found[1].rank(unit.key) if found and found[1].has(unit) else layout.rank(0, 0)

    # running

    def _start_waiting(self) -> bool:
        did = False
        for claim in [one for one in self._claims.values() if one.runner is None and one.answer is None]:
            free = self._free()
            if free:
                did = self._start(claim, free[0]) or did
        return did

    def _start(self, claim: Claim, runner: int) -> bool:
        unit = claim.unit
        try:
            found = self._session(unit.sid)
        except PermanentError as error:
            self._put_aside(claim, str(error))
            return True
        if found is None:
            # NFS: a name looked up too early stays missing for up to 30 s. After that the unit is a
            # stray: spoold knows.
            if self.member.monotonic() - claim.since > self.member.config.unit_lifetime:
                self._let_go(claim)
            return False
        folder, session = found
        if not session.has(unit):
            self._put_aside(claim, f"expected jobs that session {unit.sid} has, got {unit.name}")
            return True
        claim.runner = runner
        claim.since = self.member.monotonic()
        self.runners[runner].start(self._assignment(unit, folder))
        return True

    def _session(self, sid: str) -> tuple[Path, admitted.Admitted] | None:
        if sid not in self._sessions:
            found = admitted.find(self.member.disk, self.member.layout, sid)
            if found is None:
                return None
            self._sessions[sid] = found
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
            scratch=self.scratch,
        )

    def _let_go(self, claim: Claim) -> None:
        self.member.disk.unlink(self._claim_path(claim.unit))
        self._claims.pop(claim.unit, None)

    def _put_aside(self, claim: Claim, why: str) -> None:
        """Move a unit that nobody can run to quarantine/, its reason beside it."""
        folder = self.member.layout.quarantine
        self.member.disk.create(
            folder / f"{claim.unit.name}{layout.WHY}", f"{why}; it was put aside here, not run\n".encode()
        )
        self.member.disk.move(self._claim_path(claim.unit), folder / claim.unit.name)
        self._claims.pop(claim.unit, None)

    # answering

    def _collect(self) -> bool:
        did = False
        now = self.member.monotonic()
        for claim in self._claims.values():
            if claim.runner is None:
                continue
            lines = self.runners[claim.runner].poll(now)
            if lines is not None:
                if self._times.learn(claim.unit, now - claim.since):
                    self._beat.hurry()  # spoold sizes the next units by it
                claim.answer, claim.runner, did = lines, None, True
        return did

    def _publish(self) -> bool:
        did = False
        for claim in [one for one in self._claims.values() if one.answer is not None]:
            try:
                self._answer(claim)
            except OSError as error:
                if not is_temporary(error.errno):
                    raise
                log.warning(
                    "cannot publish the reply of %s: %s; the claim is kept, trying again",
                    claim.unit.name,
                    error,
                )
                return did
            did = True
        return did

    def _answer(self, claim: Claim) -> None:
        unit = claim.unit
        header = {key: value for key, value in self.about.items() if key in ("host", "version", "python")}
        data = replies.encode(unit, self.member.name, header, claim.answer or [])
        # At this instant the unit is answered.
        self.member.disk.publish(self.member.layout.replies / layout.reply_name(unit, self.member.name), data)
        self._answered.add(unit)
        del self._claims[unit]
        self.member.disk.unlink(self._claim_path(unit))

    # leaving

    def leave(self) -> None:
        """Stop what runs, give the units back, and take one's own names away."""
        disk, spool = self.member.disk, self.member.layout
        for claim in self._claims.values():
            self._stop(claim)
        self._publish()
        for unit, claim in self._claims.items():
            disk.make_folder(spool.ready / claim.rank)
            disk.move(self._claim_path(unit), spool.ready / claim.rank / unit.name)
        self._claims.clear()
        for unit in survey.parsed(disk.names(spool.claims(self.member.name))):
            if unit in self._answered:
                disk.unlink(self._claim_path(unit))
        disk.remove_folder(spool.claims(self.member.name))
        self._beat.bury(self.member)
