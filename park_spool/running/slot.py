"""One slot of a node: a warm child that runs one assignment at a time, whatever the jobs do to it.

    start(assignment) ─▶ loading ─▶ running ─▶ poll() returns one result line for each job, once
                            ▲          │ the child died, hung or lied:
                            └──────────┘ its job gets a result in words, a new child goes on behind it

Guarantees: exactly one line for each job, in order; a job is blamed only for what happened while it ran; no
call waits.  `fileno()` is readable when `poll` may have something to do; `wake_at` says when it must look
even so.  Results that came in before a death count, and are never run again.
Assumes: `poll` is called then, with one monotonic clock; the scratch folder is on a local disk.
"""

from __future__ import annotations

import json
import os
import select
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import chain, islice, takewhile
from pathlib import Path

from park_spool.errors import is_temporary
from park_spool.running.assignment import (
    OFF_TIME,
    STALE_STATUS,
    Assignment,
    Ranges,
    Running,
    count_jobs,
    is_result_of,
    result_line,
    without_first,
)
from park_spool.running.child import Child, child_environment
from park_spool.running.child_log import ChildLog
from park_spool.running.exceeded import Bounds
from park_spool.running.obituary import Verdict, obituary
from park_spool.running.said import Said
from park_spool.running.undertaker import Undertaker
from park_spool.running.watch import Watch

__all__ = ["Assignment", "Slot"]

_LOADING_LIMIT = 300.0  # s for the interpreter, the session and the imports of a service, on a cold shared disk
_RETRY = 1.0  # s until a child that could not be made is tried again


class Slot:
    """Run assignments in a warm child; `index` names it, `folder` is local and holds its log and results.

    A child is replaced after `worker_jobs` jobs, or when it has grown by `worker_growth` bytes.
    """

    def __init__(
        self,
        index: int,
        folder: Path,
        environment: Mapping[str, str] = os.environ,
        wall: Callable[[], float] = time.time,
        worker_jobs: int = 1_000_000,
        worker_growth: int = 1_000_000_000,
    ) -> None:
        self.index, self._folder, self._wall = index, folder, wall
        self._most_jobs, self._most_growth = worker_jobs, worker_growth
        self._environment = child_environment(environment)
        self._log = ChildLog(folder / f"slot-{index}.log")
        self._events = select.epoll()
        self._child: Child | None = None
        self._undertaker = Undertaker()
        self._forget()

    def _forget(self) -> None:
        self.assignment: Assignment | None = None
        self._lines: list[bytes] = []
        self._verdict: Verdict | None = None
        self._wake_at: float | None = None

    @property
    def pid(self) -> int | None:
        """Return the child's process number, None where there is no child."""
        return self._child.pid if self._child else None

    def fileno(self) -> int:
        return self._events.fileno()

    def wake_at(self) -> float | None:
        """Return the monotonic time at which `poll` must look though nothing was heard; None for never."""
        return self._wake_at

    def start(self, assignment: Assignment) -> None:
        """Begin an assignment; `poll` does the rest.  ValueError if there is one already."""
        if self.assignment is not None:
            raise ValueError(f"slot {self.index} is busy with {self.assignment.unit}: {assignment.unit} must wait")
        self._undertaker.look()
        if self._child is not None and self._child.has_ended():
            self._bury(self._child)
        elif self._child is not None and self._child.is_worn(self._most_jobs, self._most_growth):
            self._send_away(self._child)
        if self._child is not None:
            self._listen_to(self._child)
        self.assignment = assignment
        self._launch(assignment)

    def _launch(self, left: Assignment) -> None:
        """Hand the child what is left to do; where there is no child, the next `poll` makes one."""
        self._left, self._has_begun, self._verdict = left, False, None
        self._watch, self._wake_at = Watch("was not loaded", Bounds(_LOADING_LIMIT), self._wall), 0.0
        self._said, self._last_words = Said(), ""
        self._began_at, self._log_mark = self._wall(), self._log.size()
        if self._child is not None and not self._child.send(left):
            self._child.kill()  # its death is seen soon, and nobody is blamed for it

    def _listen_to(self, child: Child) -> None:
        for end in (child.messages, child.death):
            self._events.register(end, select.EPOLLIN)

    def _turn_away(self, child: Child) -> None:
        # While a slot is idle nobody polls it: the death of its child must not wake the node again and again.
        for end in (child.messages, child.death):
            self._events.unregister(end)

    def poll(self, now: float) -> list[bytes] | None:
        """Go on; return the result lines of the assignment, one for each job in order, once it is finished."""
        self._undertaker.look()
        self._log.trim()
        if self.assignment is None:
            return None
        if self._child is not None:
            self._attend(self._child, now)
        if not self._left.jobs:
            return self._finished()
        if self._child is None:
            self._replace_child(now)
        return None

    def _attend(self, child: Child, now: float) -> None:
        has_ended = child.has_ended()  # RACE: looked at first, so that everything it has said is heard below
        is_done = self._listen(child)
        if has_ended:
            self._bury(child)
        elif is_done:
            self._take_results(child)
        else:
            self._look(child, now)

    def _finished(self) -> list[bytes]:
        lines = self._lines
        if self._child is not None:
            self._child.jobs_done += len(lines)
            self._turn_away(self._child)
        self._forget()
        return lines

    def _replace_child(self, now: float) -> None:
        """Start a new child for what is left; where the system has no room for one, try again later."""
        try:
            self._child = Child(self._log.file, self._folder, self._environment)
        except OSError as error:
            if not is_temporary(error.errno):
                raise
            self._wake_at = now + _RETRY
        else:
            self._listen_to(self._child)
            self._launch(self._left)

    def _listen(self, child: Child) -> bool:
        """Take in what the child says; return whether it says that it is done."""
        is_done = False
        for message in child.heard():
            word, _, rest = message.partition(" ")
            if word == "began" and not self._has_begun:
                self._begin(child, rest)
            elif word in OFF_TIME:
                self._watch.hear(word)
            elif word == "progress":
                self._said.tell(rest)
            elif word == "lost":
                self._last_words = rest  # it dies of itself; a service that wrote this goes on
            is_done = is_done or word == "done"
        return is_done

    def _begin(self, child: Child, bounds: str) -> None:
        """Note that the service is loaded, and what its jobs may use."""
        read = Bounds.read(bounds)
        if read is None:
            self._condemn(child, "failed", "the service wrote into the messages of its worker")
            return
        child.note_loaded()
        self._has_begun, self._began_at = True, self._wall()
        self._watch = Watch("gave no result", read, self._wall)

    def _look(self, child: Child, now: float) -> None:
        """Kill the child if its job takes longer, or more, than it may."""
        if self._verdict is None:
            passed = self._watch.look(child, now)
            self._wake_at = self._watch.wake_at
            if passed:
                self._condemn(child, *passed)

    def _condemn(self, child: Child, status: str, why: str) -> None:
        self._verdict = Verdict(status, f"{why}; its process was killed", len(self._valid_lines(child)))
        child.kill()
        self._wake_at = None  # its death will be heard; one that hangs in the kernel must not keep the node busy

    def _valid_lines(self, child: Child) -> list[bytes]:
        """Return the results so far, up to the first that is not the one expected there."""
        pairs = zip(child.lines(), _numbers(self._left.jobs), strict=False)
        return [line + b"\n" for line, _ in takewhile(lambda pair: is_result_of(*pair), pairs)]

    def _take_results(self, child: Child) -> None:
        lines = self._valid_lines(child)
        if len(lines) == count_jobs(self._left.jobs):
            self._accept(lines)
        elif self._verdict is None:
            self._condemn(child, "failed", "the service wrote into the results of its worker")

    def _accept(self, lines: list[bytes]) -> None:
        self._lines += lines
        self._left = replace(self._left, jobs=without_first(self._left.jobs, len(lines)))

    def _bury(self, child: Child) -> None:
        """Reap a dead child, keep its results, and blame the job that it died of."""
        self._child = None
        if self.assignment is None:
            child.bury()
            return
        lines = self._valid_lines(child)
        self._turn_away(child)
        status = child.bury()
        self._accept(lines)
        if self._left.jobs:
            self._blame(child, status, len(lines))

    def _blame(self, child: Child, status: int, done: int) -> None:
        """Write the results that a dead child cannot: of one job if it ran, of all if it came not so far."""
        if self._has_begun and status == STALE_STATUS and done:
            return  # it made room for a fresh one: what it has done has used it up
        if self._has_begun:
            # RACE: a job may end just before its child is killed for it: then the next one is innocent.
            is_guilty = self._verdict is None or self._verdict.done == done
            self._write_obituaries(status, 1 if is_guilty else 0)
        elif child.is_fresh:
            self._write_obituaries(status, count_jobs(self._left.jobs))
        # A child that was not fresh had another service loaded, or died before it was asked: nobody's fault.

    def _write_obituaries(self, status: int, count: int) -> None:
        printed = self._log.printed_since(self._log_mark)
        outcome = obituary(status, self._verdict, self._has_begun, printed, self._last_words)
        started = self._last_end()
        seconds = max(0.0, self._wall() - started)
        jobs = islice(_numbers(self._left.jobs), count)
        self._accept([result_line(job, started, seconds, outcome) for job in jobs])

    def _last_end(self) -> float:
        """Return the wall-clock time at which the last job with a result ended, and the next one started."""
        if not self._has_begun or not self._lines:
            return self._began_at
        last = json.loads(self._lines[-1])
        return max(self._began_at, float(last["started"]) + float(last["seconds"]))

    def results(self) -> list[bytes]:
        """Return the result lines that there are so far."""
        return self._lines + (self._valid_lines(self._child) if self._child and self.assignment else [])

    def running(self) -> Running | None:
        """Return the job that runs now; None while none has begun."""
        if self.assignment is None or not self._has_begun or self._child is None:
            return None
        done = self._lines + self._valid_lines(self._child)
        left = without_first(self.assignment.jobs, len(done))
        if not left:
            return None
        job = left[0][0]
        return Running(job, self._last_end(), self._said.best_of(job, self._log))

    def kill(self) -> None:
        """Stop what runs at once and forget it; `results` told before what it had done."""
        if self._child is not None and self.assignment is not None:
            self._turn_away(self._child)
            self._send_away(self._child)
        self._forget()

    def _send_away(self, child: Child) -> None:
        self._child = None
        self._undertaker.take(child)

    def close(self) -> None:
        """Kill what runs, and wait until it is gone."""
        if self._child is not None:
            self._send_away(self._child)
        self._forget()
        self._undertaker.close()
        self._events.close()
        self._log.close()


def _numbers(jobs: Ranges) -> Iterator[int]:
    return chain.from_iterable(range(start, stop) for start, stop in jobs)
