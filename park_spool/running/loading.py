"""What it takes to run an assignment's jobs: session, command and function, loaded once by a worker and kept.

Guarantees: an interpreter that has run one service's functions runs nothing else (`Stale`), and no older text
of them either: a service that was edited is taken up with the next unit.  A function's process dies with its
node by the kernel's doing; a program's worker lives just long enough to kill the program's group first.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from park_spool.catalog.registry import Command, Registry
from park_spool.errors import SessionError
from park_spool.naming import parse_unit
from park_spool.processes import become_reaper, kill_strays, set_parent_death_signal
from park_spool.running.assignment import Assignment, Outcome
from park_spool.running.executable import Limits, run_executable
from park_spool.running.functions import Call, load_function
from park_spool.running.inputs import Inputs
from park_spool.sessions.session import Session, Task

Done = tuple[Outcome, dict[str, str]]  # how a job went, and the digests of the data that it read
_MARGIN = 30.0  # s by which the node's watch over an executable is longer than the worker's own


class Stale(Exception):
    """This interpreter has loaded another service, or an older text of this one."""


@dataclass(frozen=True, slots=True)
class Runner:
    """Run one job; `limit` is how long the node waits for it (s), `folder` the service's own."""

    run: Callable[[int], Done]
    limit: float
    folder: Path | None = None


class Loader:
    """Make runners in one interpreter, and remember what it has loaded."""

    def __init__(self, lifeline: int) -> None:
        self._lifeline = lifeline
        self._parent = os.getppid()
        self._registry: tuple[tuple[Path, ...], Registry] | None = None
        self._session: tuple[Path, Session] | None = None
        self._function: tuple[object, Call] | None = None

    def load(self, assignment: Assignment, scratch: Path) -> Runner:
        """Load what an assignment needs; Stale, a ParkError, or whatever the service's module raises."""
        group = self._read_session(assignment.session_json).groups[assignment.group - 1]
        registry = self._read_registry(assignment.services)
        command = registry.command(group.task.service, group.task.command)
        joblist = group.joblists[assignment.joblist - 1]
        inputs = Inputs(joblist, group.data, assignment.files, assignment.data_roots)
        os.environ.update(_names(command, assignment))
        if command.mode == "function":
            return self._function_runner(command, inputs)
        return self._executable_runner(command, inputs, assignment, _chosen_cwd(group.task, registry), scratch)

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

    def _function_runner(self, command: Command, inputs: Inputs) -> Runner:
        version = (command.folder, command.function, command.takes, _version(command.folder))
        if self._function is not None and self._function[0] != version:
            raise Stale
        set_parent_death_signal(signal.SIGKILL, self._parent)  # a function may ignore every other signal
        if self._function is None:
            self._function = version, load_function(command)
        call = self._function[1]
        os.environ.pop("PARK_JOB", None)  # an executable's; a function is not told its job

        def run(job: int) -> Done:
            given = inputs.of(job)
            return Outcome("ok", call(given)), given.digests

        return Runner(run, command.timeout, command.folder)

    def _executable_runner(
        self, command: Command, inputs: Inputs, assignment: Assignment, cwd: Path | None, scratch: Path
    ) -> Runner:
        if self._function is not None:
            raise Stale  # who knows what a function did to this process
        set_parent_death_signal(0)  # or the kernel would kill the worker before it can kill the program
        become_reaper()
        argv, limits = _argv(command), Limits(command.timeout)
        folder, head = cwd or _fresh(scratch / "job"), f"{assignment.group}.{assignment.joblist}"

        def run(job: int) -> Done:
            nonlocal folder
            given = inputs.of(job)
            # Set here, not handed over: to encode a whole environment for each job costs more than all the rest.
            os.environ["PARK_JOB"] = f"{head}.{job}"
            try:
                outcome = run_executable(
                    argv,
                    given.text,
                    cwd=folder,
                    limits=limits,
                    lifeline=self._lifeline,
                )
            finally:
                kill_strays()
                if cwd is None:
                    folder = _emptied(folder)
            return outcome, given.digests

        return Runner(run, command.timeout + limits.grace + _MARGIN, command.folder)


def _version(folder: Path) -> tuple[object, ...]:
    """Tell one text of a service from the next: its Python files and manifest by size and time."""
    files = [path for path in sorted(folder.iterdir()) if path.suffix in (".py", ".toml")]
    return tuple((path.name, (status := path.stat()).st_size, status.st_mtime_ns) for path in files)


def _chosen_cwd(task: Task, registry: Registry) -> Path | None:
    """Return the folder that a task asks its programs to run in; None for a scratch folder for each job."""
    return None if task.cwd is None else registry.service(task.cwd).folder


def _argv(command: Command) -> tuple[str, ...]:
    program = str((command.folder / command.run[0]).absolute())
    # Wheels drop the run bit, so Python services are started with the interpreter.
    words = (program, *command.run[1:])
    return (sys.executable, *words) if program.endswith(".py") else words


def _names(command: Command, assignment: Assignment) -> dict[str, str]:
    unit = parse_unit(assignment.unit)
    return {
        "PARK_SERVICE": str(command.folder.absolute()),
        "PARK_SESSION": unit.sid if unit else assignment.unit,
    }


def _fresh(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _emptied(folder: Path) -> Path:
    """Make a scratch folder as good as new; mostly it is, and a look is cheaper than a new one."""
    try:
        with os.scandir(folder) as entries:
            is_empty = next(entries, None) is None
    except OSError:
        is_empty = False
    if is_empty:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    # A job may leave what cannot be removed: the next one gets another folder.
    return _fresh(folder.with_name(folder.name + "x") if folder.exists() else folder)
