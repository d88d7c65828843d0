"""One job after the other in a program of its own: an executable, a preloaded script, or a short command."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

from park_spool.catalog.command_line import command_words, program
from park_spool.catalog.input_spec import is_resolved_data
from park_spool.catalog.registry import Command
from park_spool.limits import Limits
from park_spool.processes import kill_strays
from park_spool.running.assignment import Outcome
from park_spool.running.executable import Start, run_executable
from park_spool.running.inputs import Input
from park_spool.running.job_folders import emptied
from park_spool.sessions.element import Element

_DATA = "PARK_DATA_"
_UNUSABLE = re.compile(r"[^A-Za-z0-9_]")


class Program:
    """A command's program; every job gets an empty working folder, unless `cwd` names one for all."""

    def __init__(
        self, command: Command, limits: Limits, lifeline: int, cwd: Path | None, scratch: Path, start: Start | None
    ) -> None:
        self._command, self._limits, self._lifeline, self._start = command, limits, lifeline, start
        self._is_own_folder = cwd is None
        self._folder = cwd or emptied(scratch / "job")
        self._program = program(command)
        self._told = {name: path for name, path in os.environ.items() if name.startswith(_DATA)}
        self._argv = None if command.mode == "command" else (*self._program, *command.run[1:])

    def run(self, given: Input, tell: Callable[[str], None]) -> Outcome:
        """Run it on one input; nothing that it started is left, nor is anything in its folder."""
        try:
            argv = self._argv or (*self._program, *command_words(self._command, given.element)[1:])
        except ValueError as error:
            return Outcome("failed", why=str(error))
        self._tell_its_data(given.element)
        try:
            return run_executable(
                argv,
                given.text,
                cwd=self._folder,
                limits=self._limits,
                lifeline=self._lifeline,
                start=self._start,
                tell=tell,
            )
        finally:
            kill_strays()
            if self._is_own_folder:
                self._folder = emptied(self._folder)

    def _tell_its_data(self, element: Element) -> None:
        """Say in the environment where its data are, and nothing any more of those of the job before."""
        said = data_variables(element)
        if said != self._told:
            for name in self._told:
                os.environ.pop(name, None)
            os.environ.update(said)
            self._told = said


def data_variables(element: Element) -> dict[str, str]:
    """Return where the data of an input are, by the names of environment variables.

    >>> film = Element("data", {"name": "film in D2O", "href": "film.ort", "path": "/cache/film.ort"})
    >>> data_variables(Element("input", {}, "", (film,)))
    {'PARK_DATA_film_in_D2O': '/cache/film.ort'}
    """
    found = (child.attributes for child in element.children if is_resolved_data(child))
    return {f"{_DATA}{_UNUSABLE.sub('_', data['name'])}": data["path"] for data in found}


def tell_its_job(head: str, job: int) -> None:
    # Set here, not handed over: to encode a whole environment for each job costs more than all the rest.
    os.environ["PARK_JOB"] = f"{head}.{job}"
