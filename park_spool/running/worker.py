"""The warm child of a slot: reads assignments, runs their jobs one after the other, writes one line for each.

    command pipe ──▶ assignment ──▶ job ──▶ one os.write to the results file ──▶ next job … "done"

Guarantees: a job's line is written before the next job starts, so that whoever buries this process knows
which job it died of.  It ends when its node does.
Assumes: everything that a function can do to its process, it will; what is not caught here is told apart by
slot.py.  The exit statuses that have a meaning are in assignment.py.
"""

from __future__ import annotations

import faulthandler
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from park_spool.processes import kill_family
from park_spool.running.assignment import LOST_STATUS, STALE_STATUS, Assignment, child_scratch, result_line
from park_spool.running.descriptors import Descriptors, read_lines
from park_spool.running.executable import NodeGone
from park_spool.running.functions import failure
from park_spool.running.loading import Done, Loader, Runner, Stale

_LOADING_LIMIT = 60.0


class Worker:
    """One interpreter at work: what it has loaded, and the descriptors that it answers on."""

    def __init__(self, ends: Descriptors) -> None:
        self._ends = ends
        self._pid = os.getpid()
        self._loader = Loader(ends.commands)

    def serve(self) -> None:
        """Carry out assignments until the node closes the command pipe."""
        for line in read_lines(self._ends.commands):
            self.carry_out(Assignment.from_line(line))
            self._tell("done")

    def carry_out(self, assignment: Assignment) -> None:
        """Run all jobs of an assignment, in a scratch folder that goes with it."""
        scratch = child_scratch(assignment, self._pid)
        scratch.mkdir(parents=True, exist_ok=True)
        try:
            os.chdir(scratch)
            runner = self._load(assignment, scratch)
            self._tell(f"began {runner.limit}")
            for start, stop in assignment.jobs:
                self._run_jobs(runner, range(start, stop), scratch)
        finally:
            self._clean(scratch)

    def _load(self, assignment: Assignment, scratch: Path) -> Runner:
        self._ends.restore_output()
        try:
            return self._loader.load(assignment, scratch)
        except Stale:
            self._clean(scratch)
            os._exit(STALE_STATUS)
        except BaseException as error:  # noqa: BLE001 - a service's module may raise anything while it is imported
            outcome = failure(error)
        self._leave_if_forked()
        return Runner(lambda job: (outcome, {}), _LOADING_LIMIT)

    def _run_jobs(self, runner: Runner, jobs: Iterable[int], scratch: Path) -> None:
        streams = self._ends.restore_output()
        for job in jobs:
            mark, started, begun = self._ends.log_size(), time.time(), time.perf_counter()
            try:
                outcome, digests = runner.run(job)
            except NodeGone:
                raise
            except BaseException as error:  # noqa: BLE001 - a function may raise anything, SystemExit included
                outcome, digests = self._failed(error, runner, mark)
            seconds = time.perf_counter() - begun
            self._leave_if_forked()
            # What a function leaves behind must not hit the next job: an alarm, a folder, a closed stream.
            # It is put right before the line is written: who dies of it is the one to blame.
            signal.setitimer(signal.ITIMER_REAL, 0)
            _return_to(scratch)
            if self._ends.has_lost_output(streams):
                streams = self._ends.restore_output()
            self._write(result_line(job, started, seconds, outcome, digests))

    def _failed(self, error: BaseException, runner: Runner, mark: int) -> Done:
        return failure(error, runner.folder, self._ends.printed_since(mark)), {}

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

    def _clean(self, scratch: Path) -> None:
        os.chdir("/")
        shutil.rmtree(scratch, ignore_errors=True)


def _return_to(folder: Path) -> None:
    try:
        os.chdir(folder)
    except FileNotFoundError:
        folder.mkdir(parents=True)
        os.chdir(folder)


def main() -> None:
    """Serve a slot: `python -m park_spool.running.worker COMMANDS MESSAGES RESULTS`, three inherited descriptors."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the node's terminal is the node's to understand
    ends = Descriptors.take(*(int(word) for word in sys.argv[1:4]))
    faulthandler.enable(ends.log)
    worker = Worker(ends)
    with suppress(NodeGone):
        worker.serve()
    # Not the end of main: a function may have left threads that never stop.
    kill_family(os.getpid())


if __name__ == "__main__":
    main()
