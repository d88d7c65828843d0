"""The units in hand and the runners that work on them: started, collected, answered, stopped, given back.

    held ─start─▶ a runner ─collect─▶ answer ─publish─▶ reply
                    │ cancelled, or to be given back: killed, what was finished is the answer

A unit of a session that was cancelled or closed is not started, and stopped if it runs (`attend`).
Guarantees: a full disk or a cut network keeps claim and answer in hand and tries again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

from park_spool import intervals, payloads, starts, tallies
from park_spool.errors import PermanentError, is_temporary
from park_spool.member import Member
from park_spool.naming import Unit
from park_spool.running import claiming, killed_from_outside
from park_spool.running.ahead import Ahead
from park_spool.running.assigning import Terms, assignment_of
from park_spool.running.assignment import Assignment, Outcome, Running, result_line
from park_spool.running.claiming import Claiming
from park_spool.running.hands import Claim, Hands
from park_spool.running.known_sessions import Known, KnownSessions
from park_spool.running.service_text import ServiceTexts
from park_spool.sessions.calls_parsing import REFUSAL

log = logging.getLogger(__name__)


class Runner(Protocol):
    """What runs one unit at a time: a slot with a warm child, or a test's stand-in."""

    def start(self, assignment: Assignment) -> None:
        """Begin a unit."""

    def poll(self, now: float) -> list[bytes] | None:
        """Return the unit's result lines once, when it is finished."""

    def kill(self) -> None:
        """Stop what runs and forget it."""

    def results(self) -> list[bytes]:
        """Return the result lines of the jobs that are done so far: the first ones of the unit, in order."""

    def running(self) -> Running | None:
        """Return the job that runs now; None while none has begun."""


class Workshop:
    """The first `cpus` runners take units, the others short commands; `header` opens every reply, with its service."""

    def __init__(
        self, runners: Sequence[Runner], spare: Sequence[Runner], terms: Terms, choice: Claiming, header: dict[str, Any]
    ) -> None:
        self.cpus = len(runners)
        self.runners = [*runners, *spare]
        self.choice = choice
        self._terms, self._header = terms, header
        self._ahead: Ahead | None = None

    def begin(self, member: Member) -> None:
        """Start with empty hands, under a new name."""
        self.member = member
        self.hands = Hands(member)
        self._texts = ServiceTexts(member.config.service_folders)
        self._trusted = payloads.trusted(member.config.spool)

    def close(self) -> None:
        """End what fetches ahead."""
        if self._ahead is not None:
            self._ahead.close()

    @property
    def _known(self) -> KnownSessions:
        return self.choice.known

    @property
    def at_work(self) -> list[tuple[Claim, Runner]]:
        return [(claim, self.runners[claim.runner]) for claim in self.hands if claim.runner is not None]

    # starting

    def free(self, is_command: bool = False) -> list[int]:
        """List the runners of a kind that have nothing to do."""
        taken = {claim.runner for claim in self.hands.claims.values()}
        kind = range(self.cpus, len(self.runners)) if is_command else range(self.cpus)
        return [index for index in kind if index not in taken]

    def claim(self) -> bool:
        """Claim for all free runners that nothing waits for."""
        waiting = [claiming.is_command(claim.rank) for claim in self.hands.claims.values() if claim.is_waiting]
        slots = len(self.free()) - waiting.count(False)
        spare = len(self.free(is_command=True)) - waiting.count(True)
        return (slots > 0 or spare > 0) and self.choice.claim(self.hands, slots, spare)

    def start_waiting(self) -> bool:
        did = False
        for claim in self.hands:
            free = self.free(claiming.is_command(claim.rank)) if claim.is_waiting else []
            if free:
                did = self._start(claim, free[0]) or did
        return did

    def _start(self, claim: Claim, runner: int) -> bool:
        unit = claim.unit
        try:
            known = self._known.get(unit.sid)
        except PermanentError as error:
            self.hands.put_aside(claim, str(error))
            return True
        if known is None:
            return self._wait_for(claim, is_over=self._is_deleted(unit.sid))
        if known.unwanted:
            log.info("unit %s is not started: %s", unit.name, known.unwanted)
            self.hands.let_go(claim)
        elif not known.admitted.has(unit):
            self.hands.put_aside(claim, f"expected jobs that session {unit.sid} has, got {unit.name}")
        elif known.admitted.session.grows and not self.member.config.functions_by_value:
            self.hands.put_aside(claim, REFUSAL)
        else:
            return self._start_from(claim, runner, known)
        return True

    def _start_from(self, claim: Claim, runner: int, known: Known) -> bool:
        """Give a unit to a runner, with the start values that its jobs need."""
        unit = claim.unit
        start = starts.read(self.member.disk, known.folder, known.waits.needed(unit.key, unit.start))
        if start is None:
            # RACE: a step that was answered elsewhere meanwhile has no start any more.
            return self._wait_for(claim, is_over=self._is_final(unit, known.folder))
        task = known.admitted.session.groups[unit.group - 1].task
        claim.origin = self._texts.origin(task.service, self.member.monotonic())
        given = assignment_of(self.member, self._terms, unit, runner, known, start, self._trusted)
        self.runners[runner].start(given)
        if given.spool is not None and given.cache is not None:
            self._ahead = self._ahead or Ahead(given.spool, given.cache)
            self._ahead.hint(given.session_json, unit, self.cpus)
        claim.runner, claim.since = runner, self.member.monotonic()
        return True

    def _wait_for(self, claim: Claim, is_over: bool) -> bool:
        """Wait for what is not to be seen yet: the unit's session, or its start values.

        NFS: a name looked up too early stays missing for up to 30 s; after that the unit is a stray.
        """
        if is_over or self._age(claim) > self.member.config.unit_lifetime:
            self.hands.let_go(claim)
        return False

    def _is_final(self, unit: Unit, folder: Path) -> bool:
        final = tallies.read(self.member.disk, folder, {}).final
        return intervals.holds(final.get(unit.key, []), unit.start, unit.stop)

    def _is_deleted(self, sid: str) -> bool:
        return self.member.disk.kind(self.member.layout.tombstone(sid)) is not None

    def _age(self, claim: Claim) -> float:
        return self.member.monotonic() - claim.since

    # answering

    def collect(self) -> bool:
        """Take in what is finished; return whether there is news of how long the jobs of a job list take."""
        has_news = False
        now = self.member.monotonic()
        for claim, runner in self.at_work:
            lines = runner.poll(now)
            if lines is not None:
                has_news = self.choice.times.learn(claim.unit, now - claim.since) or has_news
                self.choice.elsewhere.note(claim.unit, lines)
                self._settle(claim)
                claim.answer, claim.runner = lines, None
                if killed_from_outside.first(lines) is not None:
                    claim.held_until = now + killed_from_outside.HOLD_SECONDS
        return has_news

    def _settle(self, claim: Claim) -> None:
        self.choice.settle(claim, 0.0 if claim.runner is None else self._age(claim))

    def publish(self) -> bool:
        """Publish what is finished; a full disk or a cut network keeps claim and answer in hand, for the next step."""
        did = False
        for claim in self.hands:
            if claim.answer is None or claim.held_until > self.member.monotonic():
                continue
            try:
                self.hands.answer(claim, {**self._header, **claim.origin})
            except OSError as error:
                if not is_temporary(error.errno):
                    raise
                log.warning("cannot publish the reply of %s: %s; trying again", claim.unit.name, error)
                return did
            did = True
        return did

    # stopping

    def attend(self) -> bool:
        """Look at the session of each unit that runs; stop those that nobody wants. Return whether any was stopped."""
        did = False
        for sid in dict.fromkeys(claim.unit.sid for claim, _ in self.at_work):
            try:
                did = self._attend_to(sid) or did
            except PermanentError:
                continue  # it could be read when the unit was started: what runs may finish
            except OSError as error:
                if not is_temporary(error.errno):
                    raise
                log.warning("cannot look at session %s: %s; trying again", sid, error)
        return did

    def _attend_to(self, sid: str) -> bool:
        known = self._known.look(sid)
        if known is None:
            return self._is_deleted(sid) and self._drop(sid, "its session was deleted")
        if known.is_closed:
            return self._drop(sid, "its session is closed")
        return known.controls.is_stopped and self._cancel(sid)

    def _drop(self, sid: str, why: str) -> bool:
        for claim, _ in self._of(sid):
            self.kill(claim, why)
            self.hands.let_go(claim)
        return True

    def _cancel(self, sid: str) -> bool:
        """Stop a session's units: what was finished is their answer, with a line for the job that ran."""
        for claim, runner in self._of(sid):
            running, lines = runner.running(), runner.results()
            self.kill(claim, "its session was cancelled")
            job = claim.unit.start + len(lines)
            if running is not None and running.job == job:
                lines = [*lines, self._cancelled(running)]
            if lines:
                claim.answer, claim.runner = lines, None
            else:
                self.hands.let_go(claim)
        return True

    def _of(self, sid: str) -> list[tuple[Claim, Runner]]:
        return [(claim, runner) for claim, runner in self.at_work if claim.unit.sid == sid]

    def _cancelled(self, running: Running) -> bytes:
        """Write the line of a job that was stopped: the best that it had said of itself stays."""
        seconds = max(0.0, self.member.wall() - running.started)
        outcome = Outcome("cancelled", running.progress or "", "cancelled while it ran")
        return result_line(running.job, running.started, seconds, outcome)

    def kill(self, claim: Claim, why: str) -> None:
        if claim.runner is not None:
            log.warning("stopping unit %s: %s", claim.unit.name, why)
            self._settle(claim)
            self.runners[claim.runner].kill()

    def drop_everything(self, why: str) -> None:
        for claim in self.hands:
            self.kill(claim, why)
        self.hands.claims.clear()

    def acquit(self) -> bool:
        """Give back the jobs whose ends are not believed any more: what ended them was meant for the node."""
        held = [claim for claim in self.hands if claim.answer is not None and claim.held_until]
        for claim in held:
            lines = claim.answer or []
            log.warning("unit %s was ended from outside, as this node was: what is left is given back", claim.unit.name)
            claim.answer, claim.held_until = None, 0.0
            self._give_back(claim, lines[: killed_from_outside.first(lines)])
        return bool(held)

    def give_back(self, claims: Iterable[Claim], why: str) -> None:
        """Stop units and offer again what is left of them; what is done is published with the next answers."""
        for claim in claims:
            if claim.answer is not None:
                continue
            lines = [] if claim.runner is None else self.runners[claim.runner].results()
            self.kill(claim, f"{why}; what is left of it is given back")
            self._give_back(claim, lines)

    def _give_back(self, claim: Claim, lines: list[bytes]) -> None:
        try:
            self.hands.give_back(claim, lines)
        except OSError as error:
            if not is_temporary(error.errno):
                raise
            claim.runner = None  # it stays in hand, and is tried again or taken back by others
            log.warning("cannot give unit %s back: %s", claim.unit.name, error)
