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

from park_spool.client.alive import Alive
from park_spool.client.answers import Answer
from park_spool.client.auditing import Auditing
from park_spool.client.bell import Bell
from park_spool.client.book import Book
from park_spool.client.collecting import Collecting
from park_spool.client.entry import Broken, Entry
from park_spool.client.futures import CallFuture
from park_spool.client.gathering import Costs
from park_spool.client.offering import Offering
from park_spool.client.pace import Pace
from park_spool.client.taking_back import TakingBack
from park_spool.member import Member

SHUT = "cannot schedule new futures after shutdown"


class Asker:
    """One executor; `bell` rings when there is something to do."""

    def __init__(self, member: Member, entry: Entry, context: tuple[str, bytes]) -> None:
        self._member, self._entry = member, entry
        self._book, costs = Book(entry.sid), Costs()
        self._alive = Alive(member, entry.sid)
        self._collecting = Collecting(member, self._book, costs)
        self._offering = Offering(member, self._book, costs, context[0])
        self._offering.bring(*context)
        self._taking_back = TakingBack(member, entry, self._book)
        self._auditing = Auditing(member, self._book, self._collecting)
        self._pace = Pace(member)
        self._lock = threading.RLock()
        self._listened = -inf
        self._is_shut = self._is_over = False
        self._broken: str | None = None
        self.bell = Bell()

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
        self.bell.ring()

    def check(self) -> None:
        """Raise BrokenExecutor or RuntimeError where no more calls are taken."""
        if self._broken is not None:
            raise BrokenExecutor(self._broken)
        if self._is_shut:
            raise RuntimeError(SHUT)

    def shut(self, cancel: bool = False) -> list[CallFuture]:
        """Take no more calls; return those that are to be cancelled, if the waiting ones are."""
        with self._lock:
            with self._offering.lock:
                self._is_shut = True
                taken = [future for future in self._offering.queue if not future.is_out] if cancel else []
            taken += self._taking_back.withdraw_all() if cancel else []
            for future in taken:
                future.is_out = True
        self.bell.ring()
        return taken

    def let_go(self) -> None:
        """Take no more calls, since nobody holds the executor any more. For a finalizer: waits for no lock."""
        self._is_shut = True
        self.bell.ring()

    def take_back(self, future: CallFuture) -> bool:
        """Take a call back that no node has claimed: whoever wins the unlink in ready/ has it."""
        with self._lock:
            if future.is_out or self._is_over:
                return False
            if future.job:
                if not self._is_open(future) or not self._taking_back.withdraw(future):
                    return False
                self._book.pop(future.job)
            future.is_out = True
        self.bell.ring()
        return True

    def has_begun(self, future: CallFuture) -> bool:
        """Say whether a node has claimed a call, and let its future know."""
        with self._lock:
            if Future.running(future):
                return True
            if not future.job or not self._is_open(future) or self._taking_back.waits(future):
                return False
            future.set_running_or_notify_cancel()
            return True

    def _is_open(self, future: CallFuture) -> bool:
        return self._book.calls.get(future.job) is future

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
        self._listen_if_due()
        self._auditing.step(self._entry.said.is_paused)
        if self._entry.said.is_paused or not (self._offering.queue or self._book.again):
            return did
        try:
            self._entry.listen()  # what was said since the last look counts before anything more is offered
            return (not self._entry.said.is_paused and self._offering.step(self._entry.rank)) or did
        except FileNotFoundError as error:
            raise self._gone() from error

    def _listen_if_due(self) -> None:
        now = self._member.monotonic()
        if now - self._listened >= self._member.config.control_seconds:
            self._listened = now
            self._entry.listen()

    # the end

    def give_up(self, reason: str) -> None:
        """Break the executor: all calls that have no answer fail, and no more are taken."""
        with self._lock:
            self._break(reason)
        self.bell.ring()

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
