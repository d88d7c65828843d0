"""The warm child of a slot: reads assignments, runs their jobs one after the other, writes one line for each.

    command pipe ──▶ assignment ──▶ job ──▶ one os.write to the results file ──▶ next job … "done"

Guarantees: a job's line is written before the next job starts, so that whoever buries this process knows
which job it died of.  It ends when its node does.
Assumes: everything that a function can do to its process, it will; what is not caught here is told apart by
slot.py.  The exit statuses that have a meaning are in assignment.py.
"""

from __future__ import annotations

import errno
import faulthandler
import os
import select
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from park_spool.processes import become_reaper, kill_family
from park_spool.running.assignment import (
    FETCHED,
    FETCHING,
    KEEPING,
    LOST_STATUS,
    STALE_STATUS,
    Assignment,
    Outcome,
    child_scratch,
    result_line,
)
from park_spool.running.descriptors import Descriptors, read_lines
from park_spool.running.exceeded import Bounds, hint
from park_spool.running.executable import NodeGone
from park_spool.running.functions import failure
from park_spool.running.inputs import Inputs
from park_spool.running.job_folders import emptied, remove
from park_spool.running.kept import OutputFolder
from park_spool.running.loading import Done, Loader, Runner, Stale

_LOADING_LIMIT = 60.0


class Worker:
    """One interpreter at work: what it has loaded, and the descriptors that it answers on."""

    def __init__(self, ends: Descriptors) -> None:
        self._ends = ends
        self._pid = os.getpid()
        self._loader = Loader(ends.commands, self._tell_progress)
        self._scratch: Path | None = None
        self._is_worn = False
        self._is_first = True  # no job of this assignment has a result

    def serve(self) -> None:
        """Carry out assignments until the node closes the command pipe."""
        for line in read_lines(self._ends.commands):
            self.carry_out(Assignment.from_line(line))
            self._tell("done")

    def carry_out(self, assignment: Assignment) -> None:
        """Run all jobs of an assignment, in a scratch folder that is this process's until its end."""
        scratch = self._enter(child_scratch(assignment, self._pid))
        work = emptied(scratch / "work")
        os.chdir(work)
        runner = self._load(assignment, scratch)
        self._tell(f"began {runner.bounds.text}")
        for start, stop in assignment.jobs:
            self._run_jobs(runner, range(start, stop), work)
        if runner.output is not None:
            runner.output.close()
        os.chdir("/")
        emptied(work)

    def _enter(self, scratch: Path) -> Path:
        if self._scratch != scratch:
            self.clean()
        self._scratch, self._is_first = scratch, True
        return scratch

    def _load(self, assignment: Assignment, scratch: Path) -> Runner:
        self._ends.restore_output()
        try:
            return self._loader.load(assignment, scratch)
        except Stale:
            self._make_room()
        except BaseException as error:  # noqa: BLE001 - a service's module may raise anything while it is imported
            outcome = failure(error)
        self._leave_if_forked()
        return Runner(lambda job: (outcome, {}), Bounds(_LOADING_LIMIT))

    def _run_jobs(self, runner: Runner, jobs: Iterable[int], work: Path) -> None:
        streams, output = self._ends.restore_output(), runner.output
        depth = sys.getrecursionlimit()
        for job in jobs:
            mark, started, begun = self._ends.log_size(), time.time(), time.perf_counter()
            try:
                if runner.inputs is not None and runner.inputs.lacks(job):
                    self._fetch(runner.inputs, job)
                    started, begun = time.time(), time.perf_counter()
                outcome, digests = runner.run(job)
            except NodeGone:
                raise
            except BaseException as error:  # noqa: BLE001 - a function may raise anything, SystemExit included
                outcome, digests = self._failed(error, runner, mark)
            seconds = time.perf_counter() - begun
            self._leave_if_forked()
            # What a function leaves behind must not hit the next job: an alarm, a folder, a closed stream.
            # It is put right before the line is written: who dies of it is the one to blame.
            sys.setrecursionlimit(depth)
            signal.setitimer(signal.ITIMER_REAL, 0)
            _return_to(work)
            if self._ends.has_lost_output(streams):
                streams = self._ends.restore_output()
            if output is not None and output.is_used():
                outcome = self._keep(output, outcome)
            self._write(result_line(job, started, seconds, outcome, digests))
            self._is_first = False
            if self._is_worn:
                self._make_room()  # the next job would have no room either

    def _failed(self, error: BaseException, runner: Runner, mark: int) -> Done:
        self._leave_if_forked()
        self._loader.lift_limits()  # there must be room for the words
        is_memory = isinstance(error, MemoryError) and runner.limits is not None and runner.limits.memory is not None
        is_file = isinstance(error, OSError) and error.errno == errno.EMFILE
        self._is_worn = is_memory or is_file or self._loader.is_spoilt()
        if self._is_worn and not self._is_first:
            self._make_room()  # it may be the doing of jobs before: this one begins anew in a fresh process
        outcome = runner.failure(error, self._ends.printed_since(mark))
        if runner.limits is None:
            return outcome, {}
        self._loader.lower_limits(runner)
        return replace(outcome, why=outcome.why + hint(runner.limits, outcome.why)), {}

    def _fetch(self, inputs: Inputs, job: int) -> None:
        self._tell(FETCHING)  # nor is a slow remote
        try:
            inputs.fetch(job)
        finally:
            self._tell(FETCHED)

    def _keep(self, output: OutputFolder, outcome: Outcome) -> Outcome:
        self._tell(KEEPING)  # a slow spool is not the job's fault
        return output.keep(outcome)

    def _make_room(self) -> NoReturn:
        """End this process, for a fresh one to go on: nobody is to blame."""
        self.clean()
        os._exit(STALE_STATUS)

    def _tell_progress(self, job: int, line: str) -> None:
        """Tell the node how far a job is, unless the node is too busy to listen."""
        poller = select.poll()
        poller.register(self._ends.messages, select.POLLOUT)
        if poller.poll(0):
            self._tell(f"progress {job} {line}")

    def _leave_if_forked(self) -> None:
        """End a copy of this process that a function made by fork and let come back: it has no say here."""
        if os.getpid() != self._pid:
            os._exit(0)

    def _write(self, line: bytes) -> None:
        try:
            written = os.write(self._ends.results, line)
        except OSError as error:
            self._give_up(f"a result cannot be written: {error.strerror}")
        if written < len(line):
            self._give_up("a result cannot be written: the disk of the node's scratch folder is full")

    def _tell(self, message: str) -> None:
        try:
            os.write(self._ends.messages, message.encode() + b"\n")
        except OSError as error:
            self._give_up(f"the node cannot be reached: {error.strerror}")

    def _give_up(self, why: str) -> NoReturn:
        """End this process at once, and say why as long as there is a way to say it."""
        with suppress(OSError):
            os.write(self._ends.messages, f"lost {why}\n".encode())
        os._exit(LOST_STATUS)

    def clean(self) -> None:
        """Remove the scratch folder, if there is one."""
        os.chdir("/")
        if self._scratch is not None:
            remove(self._scratch)


def _return_to(folder: Path) -> None:
    try:
        os.chdir(folder)
    except FileNotFoundError:
        folder.mkdir(parents=True)
        os.chdir(folder)


def _outlive(number: int, frame: object) -> None:
    """Take a signal and go on; unlike SIG_IGN, this is not handed down to programs."""


def main() -> None:
    """Serve a slot: `python -m park_spool.running.worker COMMANDS MESSAGES RESULTS`, three inherited descriptors."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the node's terminal is the node's to understand
    ends = Descriptors.take(*(int(word) for word in sys.argv[1:4]))
    faulthandler.enable(ends.log)
    for number in (signal.SIGPROF, signal.SIGVTALRM):
        signal.signal(number, _outlive)  # a timer that one job has left must not kill the next
    become_reaper()  # whatever a job starts stays this process's, to be killed with it
    worker = Worker(ends)
    with suppress(NodeGone):
        worker.serve()
    worker.clean()
    # Not the end of main: a function may have left threads that never stop.
    kill_family(os.getpid())


if __name__ == "__main__":
    main()
