"""Keep a few programs running together: the core of `park serve`, and of the standby that a node keeps.

    step() ─▶ due? start it ── it ends ─▶ note it, wait delay(failures) ─▶ start it again
    stop() ─▶ SIGTERM to all ── grace ─▶ SIGKILL to who is left

Guarantees: a program that ends is started again, at once the first time, then ever later, at most half
a minute later; one that ran for `STEADY` counts as new.  All end with this process, however it ends (Linux).
Assumes: one thread, and `step` called when a child ends or `wake_at` has come.
"""

from __future__ import annotations

import logging
import math
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from math import inf

from park_spool.daemon import Stop, backoff
from park_spool.processes import describe_exit, set_parent_death_signal
from park_spool.system.children import Children
from park_spool.system.notify import Manager
from park_spool.system.surroundings import environment_with

log = logging.getLogger(__name__)

STEADY = 60.0
GRACE = 15.0  # s: what a daemon needs to end, beside the time that it gives its jobs

Process = subprocess.Popen[bytes]


@dataclass(frozen=True, slots=True)
class Program:
    """One program to keep running: its name in messages, and how to start it.

    One that `may_end` is not started again once it has ended with status 0.
    """

    name: str
    argv: tuple[str, ...]
    may_end: bool = False


def delay(failures: int) -> float:
    """Return the seconds to wait before the start that follows so many quick ends in a row.

    >>> [delay(failures) for failures in (0, 1, 2, 3, 100)]
    [0.0, 0.0, 0.5, 1.0, 30.0]
    """
    return backoff(failures - 1) if failures > 1 else 0.0


def grace_for(drain_seconds: float) -> float:
    """Return how long a daemon may take to end: a node gives its jobs `drain_seconds`, then it gives its units back.

    >>> grace_for(10.0)
    25.0
    """
    return drain_seconds + GRACE


def start_program(argv: Sequence[str], told: Mapping[str, str] | None = None) -> Process:
    """Start a program in a group of its own, so that Ctrl-C reaches it through its supervisor alone.

    `told` is what it finds in its environment beside what is there.
    """
    parent = os.getpid()

    def die_together() -> None:
        set_parent_death_signal(signal.SIGTERM, parent)

    # preexec_fn is safe with one thread, and a daemon's start is rare enough for its cost.
    environment = environment_with(told or {})
    return subprocess.Popen(argv, stdin=subprocess.DEVNULL, process_group=0, preexec_fn=die_together, env=environment)


class _Kept:
    """One program: its process if it runs, else when it is due."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.process: Process | None = None
        self.started_at = 0.0
        self.due_at = 0.0
        self.failures = 0
        self.failing_since: float | None = None
        self.is_over = False


class Supervisor:
    """Start programs, start again those that end, and stop them together."""

    def __init__(
        self,
        programs: Sequence[Program],
        start: Callable[[Sequence[str]], Process] = start_program,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kept = [_Kept(program) for program in programs]
        self._start, self._clock = start, clock

    def step(self) -> bool:
        """Note who has ended, start who is due; return whether there was anything to do."""
        did = False
        for kept in self._kept:
            did = self._note_end(kept) or did
            did = self._start_if_due(kept) or did
        return did

    def wake_at(self) -> float | None:
        """Return the monotonic time at which the next program is due; None while all run."""
        waiting = (kept.due_at for kept in self._kept if kept.process is None and not kept.is_over)
        return min(waiting, default=None)

    def is_over(self, patience: float = inf) -> bool:
        """Say whether there is nothing left to keep: all have ended well, or failed for so many seconds on end."""
        now = self._clock()
        return all(
            kept.is_over
            or (kept.process is None and kept.failing_since is not None and now - kept.failing_since > patience)
            for kept in self._kept
        )

    def running(self) -> dict[str, int]:
        """Return the process numbers of those that run, by name."""
        return {kept.program.name: kept.process.pid for kept in self._kept if kept.process is not None}

    def absent(self) -> list[str]:
        """Return the names of those that are to be started again, and do not run yet."""
        return [kept.program.name for kept in self._kept if kept.process is None]

    def stop(self, grace: float) -> None:
        """Stop all programs, and wait until they are gone."""
        processes = [kept.process for kept in self._kept if kept.process is not None]
        for process in processes:
            process.terminate()
        deadline = self._clock() + grace
        for process in processes:
            self._wait(process, deadline)
        for kept in self._kept:
            kept.process = None

    def _wait(self, process: Process, deadline: float) -> None:
        try:
            process.wait(max(0.0, deadline - self._clock()))
        except subprocess.TimeoutExpired:
            log.warning("process %d did not stop on SIGTERM, it is killed", process.pid)
            process.kill()
            process.wait()

    def _note_end(self, kept: _Kept) -> bool:
        status = kept.process.poll() if kept.process is not None else None
        if status is None:
            return False
        now = self._clock()
        kept.process = None
        if status == 0 and kept.program.may_end:
            kept.is_over = True
            return True
        is_steady = now - kept.started_at >= STEADY
        kept.failures = 0 if is_steady else kept.failures + 1
        kept.failing_since = None if is_steady else kept.started_at if kept.failures == 1 else kept.failing_since
        kept.due_at = now + delay(kept.failures)
        wait = f"in {kept.due_at - now:g} s" if kept.due_at > now else "at once"
        log.warning("%s %s; it is started again %s", kept.program.name, describe_exit(status), wait)
        return True

    def _start_if_due(self, kept: _Kept) -> bool:
        now = self._clock()
        if kept.process is not None or kept.is_over or now < kept.due_at:
            return False
        kept.started_at = now
        try:
            kept.process = self._start(kept.program.argv)
        except OSError as error:
            kept.failures += 1
            kept.due_at = now + backoff(kept.failures)
            log.error("%s cannot be started: %s; next try in %g s", kept.program.name, error, kept.due_at - now)
        return True


def supervise(programs: Sequence[Program], grace: float, manager: Manager | None = None, patience: float = inf) -> int:
    """Keep programs running until SIGINT or SIGTERM, then stop them; return the signal's number.

    0 if there was nothing left to keep before: all ended that may, or failed for `patience` seconds on end. `manager`
    hears that this process is ready once all programs are; one that hangs is ended, and started again.
    """
    stop, manager = Stop(), manager or Manager()
    stop.install()
    with signals_as_descriptor() as waker, Children(manager) as children:
        supervisor = Supervisor(programs, partial(start_program, told=children.environment()))
        try:
            while not stop:
                supervisor.step()
                if supervisor.is_over(patience):
                    break
                children.step(supervisor.running(), supervisor.absent())
                _sleep(waker, children.descriptors(), supervisor.wake_at(), manager.every)
        finally:
            manager.stopping()
            supervisor.stop(grace)
    return stop.number


def _sleep(waker: int, others: Sequence[int], until: float | None, longest: float) -> None:
    """Wait for a signal, for a word of one of the others, or for a time."""
    patience = longest if until is None else max(0.0, min(longest, until - time.monotonic()))
    if waker in select.select([waker, *others], [], [], None if math.isinf(patience) else patience)[0]:
        os.read(waker, 4096)


@contextmanager
def signals_as_descriptor() -> Iterator[int]:
    """Give a descriptor that becomes readable with every signal, the end of a child included."""
    waker, written = os.pipe()
    os.set_blocking(written, False)
    before = signal.signal(signal.SIGCHLD, lambda number, frame: None)  # a handler is what makes it be told
    old = signal.set_wakeup_fd(written, warn_on_full_buffer=False)
    try:
        yield waker
    finally:
        signal.set_wakeup_fd(old)
        signal.signal(signal.SIGCHLD, before)
        os.close(waker)
        os.close(written)
