"""The asker: one executor's part on the spool, in one `step` at a time. It is the spoold of its own calls.

    put(calls) ─▶ queue ─▶ offered ─▶ claimed by a node ─▶ reply ─▶ settled: what futures are to be set to

Guarantees: a call that was put is settled once, whatever dies but the asker itself; when it is over, nothing of it is
left that spoold does not clear. Any thread may put, take back and shut; one steps, and sets the futures outside the
lock, since their callbacks may do anything.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from concurrent.futures import BrokenExecutor, Future
from contextlib import suppress
from math import inf

from park_spool import intervals, naming, survey
from park_spool.client.alive import Alive
from park_spool.client.answers import Answer
from park_spool.client.book import KEY, Book
from park_spool.client.collecting import Collecting
from park_spool.client.entry import Broken, Entry
from park_spool.client.futures import CallFuture
from park_spool.client.gathering import Costs
from park_spool.client.offering import Offering
from park_spool.client.pace import Pace
from park_spool.intervals import Intervals
from park_spool.member import Member
from park_spool.naming import Unit

SHUT = "cannot schedule new futures after shutdown"


class Asker:
    """One executor; `wake` is set when there is something to do."""

    def __init__(self, member: Member, entry: Entry, context: tuple[str, bytes]) -> None:
        self._member, self._entry = member, entry
        self._book, costs = Book(entry.sid), Costs()
        self._alive = Alive(member, entry.sid)
        self._collecting = Collecting(member, self._book, costs)
        self._offering = Offering(member, self._book, costs, context[0])
        self._offering.bring(*context)
        self._pace = Pace(member)
        self._lock = threading.RLock()
        self._listened = self._audited = -inf
        self._suspects: Intervals = []
        self._is_shut = self._is_over = False
        self._broken: str | None = None
        self.wake = threading.Event()

    def begin(self) -> None:
        """Appear on the spool: the sign of life first, then the session."""
        self._alive.begin()
        self._entry.send()

    @property
    def sid(self) -> str:
        return self._entry.sid

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to be done: neither calls nor anything on the spool."""
        return self._is_over

    def cpus(self) -> int:
        """Return how many CPUs may work for this executor now."""
        with self._lock:
            return self._offering.cpus(self._entry.tag)

    # what other threads ask

    def put(self, digest: str, function: bytes, calls: Iterable[CallFuture]) -> None:
        """Queue calls of one function. Raises as `check` does."""
        with self._offering.lock:
            self.check()
            self._offering.put(digest, function, calls)
        self.wake.set()

    def check(self) -> None:
        """Raise BrokenExecutor or RuntimeError where no more calls are taken."""
        if self._broken is not None:
            raise BrokenExecutor(self._broken)
        if self._is_shut:
            raise RuntimeError(SHUT)

    def shut(self, cancel: bool = False) -> list[CallFuture]:
        """Take no more calls; return those that are to be cancelled, if the waiting ones are."""
        with self._offering.lock:
            self._is_shut = True
        with self._lock:
            taken = self._take_all_back() if cancel else []
        self.wake.set()
        return taken

    def take_back(self, future: CallFuture) -> bool:
        """Take a call back that no node has claimed: whoever wins the unlink in ready/ has it."""
        with self._lock:
            if future.is_out or self._is_over:
                return False
            if future.job:
                if not self._is_open(future) or not self._withdraw(future):
                    return False
                self._book.pop(future.job)
            future.is_out = True
        self.wake.set()
        return True

    def has_begun(self, future: CallFuture) -> bool:
        """Say whether a node has claimed a call, and let its future know."""
        with self._lock:
            if Future.running(future):
                return True
            if not future.job or not self._is_open(future) or self._book.waits_again(future.job):
                return False
            if future.unit is None or self._stands_ready(future.unit) or self._found(future.job):
                return False
            future.set_running_or_notify_cancel()
            return True

    def _is_open(self, future: CallFuture) -> bool:
        return self._book.calls.get(future.job) is future

    # taking back

    def _withdraw(self, future: CallFuture) -> bool:
        """Get a call out of ready/; what else is in its unit is to be offered once more."""
        if self._book.waits_again(future.job):
            return True
        if future.unit is not None and self._unlink(self._entry.rank, future.unit):
            return True
        found = self._found(future.job)
        return found is not None and self._unlink(*found)

    def _unlink(self, rank: str, unit: Unit) -> bool:
        is_won = self._member.disk.unlink(self._member.layout.ready / rank / unit.name)
        if is_won:
            self._book.offer_again([(unit.start, unit.stop)], unit.attempt)
        return is_won

    def _found(self, job: int) -> tuple[str, Unit] | None:
        """Find the unit in ready/ that holds a job: a piece of the one that was offered, or under another rank."""
        waiting = survey.ready(self._member.disk, self._member.layout)
        return next((one for one in waiting if one[1].sid == self.sid and one[1].start <= job < one[1].stop), None)

    def _stands_ready(self, unit: Unit) -> bool:
        path = self._member.layout.ready / self._entry.rank / unit.name
        return self._member.disk.kind(path) is not None

    def _take_all_back(self) -> list[CallFuture]:
        """Take all calls back that no node has claimed."""
        with self._offering.lock:
            taken = [future for future in self._offering.queue if not future.is_out]
        if self._entry.is_admitted:
            for rank, unit in survey.ready(self._member.disk, self._member.layout):
                if unit.sid == self.sid:
                    self._unlink(rank, unit)
        for unit in self._book.take_again():
            popped = (self._book.pop(job) for job in range(unit.start, unit.stop))
            taken += [future for future in popped if future is not None]
        for future in taken:
            future.is_out = True
        return taken

    # stepping

    def step(self) -> bool:
        """Do what there is to do now; return whether anything was."""
        with self._lock:
            try:
                did = self._step()
            except Broken as error:
                self._break(str(error))
                did = True
            if did:
                self._pace.note()
            return did

    def settled(self) -> list[Answer]:
        """Return, once, what futures are to be set to. Not under the lock: they call back."""
        with self._lock:
            answers, self._collecting.settled = self._collecting.settled, []
        return answers

    def wait_seconds(self) -> float:
        """Return how long nothing needs to be looked at, unless something wakes the asker."""
        with self._lock:
            limit = self._alive.wait_seconds(*self._counts)
            if self._has_work or self._is_shut:
                limit = min(limit, self._pace.wait_seconds(self._collecting.look_seconds))
            return limit

    @property
    def _has_work(self) -> bool:
        return bool(self._offering.queue or self._book.calls or not self._entry.is_admitted)

    @property
    def _counts(self) -> tuple[int, int]:
        """How many calls were made so far, and how many of them need nothing more."""
        return self._book.made + len(self._offering.queue), self._book.made - len(self._book.calls)

    def _step(self) -> bool:
        if self._is_over:
            return False
        if self._broken is not None:
            return self._end()
        self._say_alive()
        if not self._entry.is_admitted:
            self._entry.look()
        did = self._entry.is_admitted and self._work()
        if self._is_shut and not (self._book.calls or any(not one.is_out for one in self._offering.queue)):
            return self._end()
        return did

    def _say_alive(self) -> None:
        if self._alive.wait_seconds(*self._counts) > 0.0:
            return
        try:
            self._alive.say(*self._counts)
        except FileNotFoundError as error:
            raise self._gone() from error
        if self._entry.is_admitted:
            self._entry.listen()

    def _gone(self) -> Broken:
        with suppress(FileNotFoundError):
            self._entry.listen()  # it may know better why
        return Broken(f"session {self.sid} of this executor is gone from the spool: its calls are lost")

    def _work(self) -> bool:
        did = bool(self._book.calls) and self._collecting.step()
        self._offering.clear()
        self._listen_and_audit()
        if self._entry.said.is_paused or not (self._offering.queue or self._book.again):
            return did
        try:
            self._entry.listen()  # what was said since the last look counts before anything more is offered
            return (not self._entry.said.is_paused and self._offering.step(self._entry.rank)) or did
        except FileNotFoundError as error:
            raise self._gone() from error

    # what is missing

    def _listen_and_audit(self) -> None:
        now = self._member.monotonic()
        if now - self._listened >= self._member.config.control_seconds:
            self._listened = now
            self._entry.listen()
        config = self._member.config
        due = config.staleness_seconds if self._suspects else config.audit_seconds / 4
        if self._book.calls and now - self._audited > due:
            self._audited = now
            self._audit()

    def _audit(self) -> None:
        """Take one look at what stands nowhere; what the look before did not find either is offered once more."""
        held = survey.look(self._member.disk, self._member.layout).held(self.sid).get(KEY, [])
        self._fail_what_was_put_aside()
        missing = [] if self._entry.said.is_paused else self._book.missing(held)
        lost = intervals.intersect(self._suspects, missing)
        self._suspects = intervals.subtract(missing, lost)
        self._book.offer_again(lost)

    def _fail_what_was_put_aside(self) -> None:
        """Fail the calls of units that a node could not run."""
        folder = self._member.layout.quarantine
        for name in self._member.disk.names(folder):
            unit = naming.parse_unit(name) if name.startswith(self.sid) else None
            if unit is not None:
                why = (self._member.disk.read(folder / f"{name}{naming.WHY}") or b"").decode(errors="replace").strip()
                self._collecting.fail(unit, why or "a node put it aside")

    # the end

    def give_up(self, reason: str) -> None:
        """Break the executor: all calls that have no answer fail, and no more are taken."""
        with self._lock:
            self._break(reason)
        self.wake.set()

    def _break(self, reason: str) -> None:
        with self._offering.lock:
            if self._broken is not None:
                return
            self._broken = reason
            queued = [future for future in self._offering.queue if not future.is_out]
            self._offering.queue.clear()
        for future in queued:
            future.is_out = True
        lost = [*self._book.calls.values(), *queued]
        self._collecting.settled += [Answer(future, error=BrokenExecutor(reason)) for future in lost]
        for job in list(self._book.calls):
            self._book.pop(job)

    def _end(self) -> bool:
        """Take everything away from the spool, at the end."""
        self._is_over = self._entry.leave()
        return self._is_over
