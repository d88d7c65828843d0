"""What it takes to run an assignment's jobs: session, command and function, loaded once by a worker and kept.

Guarantees: an interpreter that has taken in one service's code runs nothing else (`Stale`), and no older text of it
either: a service that was edited is taken up with the next unit.  A function's process dies with its node by the
kernel's doing; a program's worker lives just long enough to kill the program's group first.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from park_spool.atomic import Disk
from park_spool.catalog.builtin import CALL
from park_spool.catalog.registry import Command, Registry
from park_spool.errors import SessionError
from park_spool.limits import Limits
from park_spool.naming import parse_unit
from park_spool.payloads import Folder
from park_spool.processes import set_parent_death_signal
from park_spool.running import functions
from park_spool.running.assignment import Assignment, Outcome
from park_spool.running.exceeded import Bounds
from park_spool.running.functions import Call, load_function
from park_spool.running.inputs import Inputs
from park_spool.running.kept import OutputFolder
from park_spool.running.kernel_limits import OwnLimits, open_descriptors
from park_spool.running.preload import Preloaded
from park_spool.running.programs import Program, tell_its_job
from park_spool.running.usage import usage_of
from park_spool.sessions.data import Fetch
from park_spool.sessions.session import Session, Task

if TYPE_CHECKING:
    from park_spool.running.calls import Calls

Done = tuple[Outcome, dict[str, str]]  # how a job went, and the digests of the data that it read
_MARGIN = 30.0  # s by which the node's watch over an executable is longer than the worker's own


class Stale(Exception):
    """This interpreter has loaded another service, or an older text of this one, or is not fit for the limits."""


@dataclass(frozen=True, slots=True)
class Runner:
    """Run one job; `bounds` is what the node watches over, `folder` the service's own, `output` what jobs leave.

    `tell` makes an outcome of what a job raised and what it printed, where that is not said in the usual way.
    """

    run: Callable[[int], Done]
    bounds: Bounds
    folder: Path | None = None
    limits: Limits | None = None  # of a function, which shares its process with other jobs
    output: OutputFolder | None = None
    tell: Callable[[BaseException, str], Outcome] | None = None
    inputs: Inputs | None = None  # of jobs whose data may have to be fetched first

    def failure(self, error: BaseException, printed: str) -> Outcome:
        """Say what a job raised."""
        return self.tell(error, printed) if self.tell else functions.failure(error, self.folder, printed)


class Loader:
    """Make runners in one interpreter, and remember what it has loaded; `tell` takes (job, progress)."""

    def __init__(self, lifeline: int, tell: Callable[[int, str], None]) -> None:
        self._lifeline, self._tell = lifeline, tell
        self._parent = os.getppid()
        self._own = OwnLimits()
        self._registry: tuple[tuple[Path, ...], Registry] | None = None
        self._session: tuple[Path, Session] | None = None
        self._bound: object = None  # the one service's text whose code is in this interpreter
        self._function: Call | None = None
        self._preloaded: Preloaded | None = None
        self._calls: Calls | None = None
        self._fetching: tuple[Path, Fetch] | None = None
        self._fresh = _own_memory(), open_descriptors()

    def load(self, assignment: Assignment, scratch: Path) -> Runner:
        """Load what an assignment needs; Stale, a ParkError, or whatever the service's module raises."""
        self._own.raise_again()
        group = self._read_session(assignment.session_json).groups[assignment.group - 1]
        if group.joblists[assignment.joblist - 1].grows:
            return self._calls_runner(group.task, assignment)
        registry = self._read_registry(assignment.services)
        command = registry.command(group.task.service, group.task.command)
        joblist = group.joblists[assignment.joblist - 1]
        fetch = None if assignment.spool is None else self._fetcher(assignment, assignment.spool)
        inputs = Inputs(joblist, group.data, assignment.files, assignment.data_roots, assignment.start, fetch)
        os.environ.update(_names(command, assignment))
        limits = _allowed(command, group.task, assignment)
        self._check_binding(_code(command), limits)
        if command.mode == "function":
            runner = self._function_runner(command, inputs, limits)
        else:
            program = self._program(command, limits, _chosen_cwd(group.task, registry), scratch)
            runner = self._program_runner(program, inputs, limits, f"{assignment.group}.{assignment.joblist}")
        # Last: the output folder is open.
        return replace(runner, inputs=inputs if fetch else None, output=OutputFolder.of(assignment, scratch, limits))

    def _fetcher(self, assignment: Assignment, spool: Path) -> Fetch:
        """Make what fetches the data of sources for one session; settings are read once for each."""
        from park_spool.fetch import Fetcher  # most sessions need none

        if self._fetching is None or self._fetching[0] != assignment.session_json:
            self._fetching = assignment.session_json, Fetcher.of(spool, assignment.session_json, assignment.cache)
        return self._fetching[1]

    def lift_limits(self) -> None:
        """Give this process room again: it must still say what became of a job that ran into its limits."""
        self._own.raise_again()

    def is_spoilt(self) -> bool:
        """Say whether a job has lowered limits of this process for good; ask after `lift_limits`."""
        return self._own.are_spoilt()

    def lower_limits(self, runner: Runner) -> None:
        """Take the limits of a runner's jobs on (again)."""
        if runner.limits is not None:
            self._own.lower(runner.limits)

    def _read_session(self, path: Path) -> Session:
        if self._session is None or self._session[0] != path:
            try:
                self._session = path, Session.from_json(json.loads(path.read_bytes()))
            except (OSError, ValueError, KeyError) as error:
                raise SessionError(f"{path} cannot be read: {error}") from error
        return self._session[1]

    def _read_registry(self, folders: tuple[Path, ...]) -> Registry:
        if self._registry is None or self._registry[0] != folders:
            self._registry = folders, Registry.load(folders)
        return self._registry[1]

    def _check_binding(self, wanted: object, limits: Limits) -> None:
        """Raise Stale where this interpreter holds other code, or is not fit for these limits any more."""
        if self._bound is None:
            self._bound = wanted  # before it is loaded: half a module is as much in the way as a whole one
        elif self._bound != wanted or self._is_unfit(limits):
            raise Stale

    def _is_unfit(self, limits: Limits) -> bool:
        return self._own.are_spoilt() or self._own.is_too_nice(limits) or self._holds_too_much(limits)

    def _holds_too_much(self, limits: Limits) -> bool:
        """Say whether what other jobs left in this process takes a good part of what one job may use."""
        memory, files = self._fresh
        if limits.memory is not None and _own_memory() - memory > max(limits.memory - memory, 0) / 2:
            return True
        return limits.open_files is not None and open_descriptors() - files > limits.open_files / 2

    def _calls_runner(self, task: Task, assignment: Assignment) -> Runner:
        """Make a runner of calls: an interpreter of its own for each executor, as its initializer stays in it."""
        unit, folder = parse_unit(assignment.unit), assignment.calls
        if unit is None or folder is None:
            raise SessionError(f"{assignment.unit} is not a unit of calls")
        limits = _allowed(CALL, task, assignment)
        self._check_binding((CALL.mode, folder), limits)
        set_parent_death_signal(signal.SIGKILL, self._parent)
        if self._calls is None:
            from park_spool.running import calls  # a service's worker needs no cloudpickle

            self._calls = calls.Calls(_folder(folder, assignment), unit, limits.output)
            self._fresh = _own_memory(), open_descriptors()
        self._calls.begin(unit, limits.output)
        os.environ["PARK_SESSION"] = unit.sid
        self._own.lower(limits)
        run, bounds = self._calls.run, Bounds(limits.timeout, limits.cpu, limits.memory)
        return Runner(lambda job: (run(job), {}), bounds, limits=limits, tell=self._calls.failure)

    def _function_runner(self, command: Command, inputs: Inputs, limits: Limits) -> Runner:
        set_parent_death_signal(signal.SIGKILL, self._parent)  # a function may ignore every other signal
        if self._function is None:
            self._function = load_function(command)
            self._fresh = _own_memory(), open_descriptors()
        call, most = self._function, limits.output
        os.environ.pop("PARK_JOB", None)  # an executable's; a function is not told its job
        self._own.lower(limits)

        def run(job: int) -> Done:
            given = inputs.of(job)
            text = call(given)
            if len(text) > most:
                raise ValueError(f"the function returned {len(text)} characters, at most {most} are taken")
            return Outcome("ok", text), given.digests

        return Runner(run, Bounds(limits.timeout, limits.cpu, limits.memory), command.folder, limits)

    def _program(self, command: Command, limits: Limits, cwd: Path | None, scratch: Path) -> Program:
        set_parent_death_signal(0)  # or the kernel would kill the worker before it can kill the program
        if command.preload and self._preloaded is None:
            self._preloaded = Preloaded(command)
        start = self._preloaded.start if self._preloaded else None
        return Program(command, limits, self._lifeline, cwd, scratch, start)

    def _program_runner(self, program: Program, inputs: Inputs, limits: Limits, head: str) -> Runner:
        def run(job: int) -> Done:
            given = inputs.of(job)
            tell_its_job(head, job)
            return program.run(given, lambda line: self._tell(job, line)), given.digests

        return Runner(run, Bounds(limits.timeout + limits.grace + _MARGIN))


def _folder(path: Path, assignment: Assignment) -> Folder:
    """Return an executor's folder, as this worker reads it."""
    if assignment.tmp is None:
        return Folder(path, assignment.trusted)
    return Folder(path, assignment.trusted, Disk(assignment.tmp, f"{assignment.owner}.{os.getpid()}").refresh)


def _allowed(command: Command, task: Task, assignment: Assignment) -> Limits:
    """Return what a job may use: by its manifest, its session, and the node that it runs on."""
    node = {"nice": assignment.nice} | ({} if assignment.memory is None else {"memory": assignment.memory})
    return command.limits.lowered(task.limits).lowered(node)


def _code(command: Command) -> object:
    """Tell which code an interpreter takes in for a command; None for a program that brings its own."""
    if command.mode == "function":
        return command.folder, command.function, command.takes, _version(command.folder)
    return (command.folder, command.run[0], command.preload, _version(command.folder)) if command.preload else None


def _version(folder: Path) -> tuple[object, ...]:
    """Tell one text of a service from the next: its Python files and manifest by size and time."""
    files = [path for path in sorted(folder.iterdir()) if path.suffix in (".py", ".toml")]
    return tuple((path.name, (status := path.stat()).st_size, status.st_mtime_ns) for path in files)


def _own_memory() -> int:
    return usage_of([os.getpid()]).memory


def _chosen_cwd(task: Task, registry: Registry) -> Path | None:
    """Return the folder that a task asks its programs to run in; None for a scratch folder for each job."""
    return None if task.cwd is None else registry.service(task.cwd).folder


def _names(command: Command, assignment: Assignment) -> dict[str, str]:
    unit = parse_unit(assignment.unit)
    return {
        "PARK_SERVICE": str(command.folder.absolute()),
        "PARK_SESSION": unit.sid if unit else assignment.unit,
    }
