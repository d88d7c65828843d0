"""Publishing start values: of groups that wait, and of steps of sequential job lists (PROTOCOL.md section 6, "Start").

    what is final, rows of the archive ─▶ which starts should stand ─▶ start.GROUP.JOBLIST.JOB, durable

Done after every commit and every `control_seconds`. Each look works everything out from the archive and from the names
on the spool, so it does not matter who died between a commit and a start, whose archive is new, or whether two reduce.
Bundles that others wrote are read in before anything is decided: their results may be better than what is known here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path

from park_spool import controls, starts
from park_spool.archive.ahead import Fit
from park_spool.archive.writing import Archive
from park_spool.intervals import Intervals
from park_spool.member import Member
from park_spool.naming import Start
from park_spool.reducing.ahead import Ahead, Doomed, Go, Verdict, judge
from park_spool.reducing.known import Known
from park_spool.reducing.looking_ahead import LookingAhead
from park_spool.reducing.sessions import Sessions
from park_spool.sessions.after import After
from park_spool.start_values import start_values
from park_spool.starts import Given

log = logging.getLogger(__name__)

WHO = "park-reduced"
Key = tuple[int, int]  # (group, job list)


class Starting:
    """One reducer's hands on start values; `absorb(sid)` reads in the bundles that others wrote."""

    def __init__(self, member: Member, archive: Archive, sessions: Sessions, absorb: Callable[[str], object]) -> None:
        self._member = member
        self._archive = archive
        self._sessions = sessions
        self._absorb = absorb
        self._ahead = LookingAhead(member, archive, sessions, absorb)
        self._marked: set[str] = set()
        self._due = 0.0
        self._whole: dict[str, set[Start]] = {}  # of each session that waits: the starts that are known to be whole
        self._doubts: dict[tuple[str, int], tuple[Ahead, float]] = {}  # what one look found, and since when it stays so

    def mark(self, sid: str) -> None:
        """Note that results of a session were committed: what waits for them may go on."""
        self._marked.add(sid)

    def step(self) -> bool:
        """Look at the sessions for which something may have changed; return whether anything was published."""
        now = self._member.monotonic()
        marked, self._marked = self._marked, set()
        is_due = now >= self._due
        waiting = [known for known in self._sessions.at_hand() if known.waits and not known.controls.is_stopped]
        self._ahead.begin({known.sid for known in waiting})
        try:
            did = [self._look(known) for known in waiting if is_due or self._is_concerned(known, marked)]
        except BaseException:
            self._marked |= marked
            raise
        if is_due:
            self._due = now + self._member.config.control_seconds
            self._forget_all_but({known.sid for known in waiting})
        return any(did)

    def _is_concerned(self, known: Known, marked: set[str]) -> bool:
        is_new = known.sid not in self._whole
        return is_new or known.sid in marked or not marked.isdisjoint(known.waits.sids)

    def _forget_all_but(self, sids: set[str]) -> None:
        self._whole = {sid: whole for sid, whole in self._whole.items() if sid in sids}
        self._doubts = {key: doubt for key, doubt in self._doubts.items() if key[0] in sids}

    def _look(self, known: Known) -> bool:
        """Make the starts of one session what they should be."""
        folder = self._member.layout.session(known.sid)
        names = self._member.disk.names(folder)
        if not names:
            return False  # closed meanwhile, or deleted
        self._whole.setdefault(known.sid, set())
        listed = starts.starts_in(names)
        standing = {start for start in listed if self._is_whole(known.sid, folder, start)}
        did = self._begin_groups(known, folder, standing)
        return self._go_on(known, folder, listed, standing) or did

    def _is_whole(self, sid: str, folder: Path, start: Start) -> bool:
        """Say whether a start can be read.

        CRASH: it was published durably, so one that cannot is damaged: it is made anew.
        """
        whole = self._whole[sid]
        if start not in whole and starts.read_one(self._member.disk, folder, start) is not None:
            whole.add(start)
        return start in whole

    def _publish(self, known: Known, folder: Path, start: Start, sid: str, fit: Fit | None) -> bool:
        given = Given(start_values(fit.output), sid, fit.name, fit.chisq) if fit else Given()
        data = starts.encode(given, self._member.name, self._member.wall())
        try:
            # At this instant the group, or the step, may be run.
            self._member.disk.publish(folder / start.name, data, durable=True)
        except FileNotFoundError:
            return False  # RACE: closed since the look, or deleted
        self._whole[known.sid].add(start)
        what = f"step {start.group}.{start.joblist}.{start.job}" if start.job else f"group {start.group}"
        log.info("session %s: %s may start from %s", known.sid, what, f"job {given.job} of {sid}" if fit else "nothing")
        return True

    # steps

    def _go_on(self, known: Known, folder: Path, listed: Collection[Start], standing: Collection[Start]) -> bool:
        """Let the next steps be run, and remove the starts of those that are over."""
        steps, due = {start for start in listed if start.job}, self._due_steps(known)
        if due != steps.intersection(standing):
            # RACE: who published a start has made the step before it durable first: here it may not be known yet.
            self._absorb(known.sid)
            due = self._due_steps(known)
        missing = sorted(due.difference(standing))
        did = [self._publish(known, folder, start, known.sid, self._last_ok(known.sid, start)) for start in missing]
        for start in sorted(steps - due):
            self._member.disk.unlink(folder / start.name)
            self._whole[known.sid].discard(start)
        return any(did)

    def _due_steps(self, known: Known) -> set[Start]:
        lists = known.waits.lists
        return next_steps(lists, self._archive.final_jobs(known.sid)) if lists else set()

    def _last_ok(self, sid: str, start: Start) -> Fit | None:
        return self._archive.last_ok(sid, start.group, start.joblist, start.job)

    # groups

    def _begin_groups(self, known: Known, folder: Path, standing: Collection[Start]) -> bool:
        """Let the groups be run for which nothing more is waited; give the session up if nothing can come of it."""
        did = False
        doomed: dict[int, str] = {}
        for group, after in known.waits.groups.items():
            if Start(group) in standing:
                continue
            verdict = self._verdict(known, group, after, doomed)
            if isinstance(verdict, Go):
                did = self._publish(known, folder, Start(group), after.sid or known.sid, verdict.fit) or did
            elif isinstance(verdict, Doomed):
                doomed[group] = verdict.why
        return self._give_up(known, folder, doomed) or did

    def _verdict(self, known: Known, group: int, after: After, doomed: Collection[int]) -> Verdict:
        """Judge what a group waits for; what is only one look's word is believed when it stays so."""
        ahead = self._ahead.look(known, group, after, doomed)
        now, config = self._member.monotonic(), self._member.config
        before, since = self._doubts.get((known.sid, group), (None, now))
        if ahead != before:
            since = now
        self._doubts[known.sid, group] = (ahead, since)
        patience = {"none": 0.0, "staleness": config.staleness_seconds, "expiry": config.claim_expiry}[ahead.doubt]
        return judge(ahead) if patience == 0.0 or now - since > patience else None

    def _give_up(self, known: Known, folder: Path, doomed: Mapping[int, str]) -> bool:
        """Cancel a session of which nothing more can come; what other groups have still to do comes first."""
        rest = [number for number in range(1, len(known.admitted.session.groups) + 1) if number not in doomed]
        if not doomed or not all(self._is_done(known.sid, number) for number in rest):
            return False
        group = min(doomed)
        why = f"{f'group {group}' if rest else 'it'} waited for {doomed[group]}"
        with suppress(FileNotFoundError):  # RACE: closed since the look, or deleted
            controls.say(self._member, folder, "cancel", WHO, note={"why": why})
            log.warning("session %s is cancelled: %s", known.sid, why)
            self._sessions.attend(known.sid, folder, self._member.disk.names(folder))
        return True

    def _is_done(self, sid: str, group: int) -> bool:
        jobs, ok, failed = self._archive.group_counts(sid, group)
        return ok + failed == jobs


def next_steps(lists: Mapping[Key, int], final: Mapping[Key, Intervals]) -> set[Start]:
    """Return the steps that are due, but for the first of each list: the one before is final, they are not.

    >>> sorted(next_steps({(1, 1): 9, (1, 2): 3}, {(1, 1): [(1, 4), (6, 7)], (1, 2): [(1, 4)]}))
    [Start(group=1, joblist=1, job=4), Start(group=1, joblist=1, job=7)]
    """
    return {Start(*key, stop) for key, size in lists.items() for _, stop in final.get(key, []) if stop <= size}
