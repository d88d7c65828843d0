"""A folder of services, a session for each list of words, and one slot that runs them: for tests of running."""

from __future__ import annotations

import itertools
import json
import select
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from park_spool.processes import identity, is_alive
from park_spool.running.assignment import Assignment
from park_spool.running.slot import Slot
from park_spool.sessions.element import Element
from park_spool.sessions.session import DataRef, Group, JobList, Session, Task

UNIT = "20261123-025532-k3j9.001.001.000000001-000000048.00.00"


class Site:
    """A folder of services and one slot; `run` puts a list of words through it, one job each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.services = folder / "services"
        self.numbers = itertools.count()
        self.slot = Slot(0, folder)

    def add_service(self, name: str, manifest: str, files: dict[str, str]) -> None:
        (self.services / name).mkdir(parents=True, exist_ok=True)
        for file, text in {"service.toml": manifest, **files}.items():
            (self.services / name / file).write_text(text)

    def assignment(
        self,
        words: list[str],
        service: str = "zoo",
        command: str = "run",
        cwd: str | None = None,
        data: tuple[DataRef, ...] = (),
    ) -> Assignment:
        inputs = tuple(Element("input", {"do": word}) for word in words)
        task = Task(command, service, command, cwd)
        joblist = JobList("list", 0, len(words), inputs)
        group = Group("group", task, data, None, (joblist,))
        path = self.folder / f"session-{next(self.numbers)}.json"
        path.write_text(json.dumps(Session("user", "", 0, {}, (group,)).to_json()))
        jobs = ((1, len(words) + 1),)
        return Assignment(UNIT, path, self.folder, (self.services,), (), 1, 1, jobs, self.folder / "scratch")

    def run(
        self,
        *words: str,
        service: str = "zoo",
        command: str = "run",
        cwd: str | None = None,
        data: tuple[DataRef, ...] = (),
    ) -> list[dict[str, Any]]:
        self.slot.start(self.assignment(list(words), service, command, cwd, data))
        lines = self.wait()
        results = [json.loads(line) for line in lines]
        assert [result["job"] for result in results] == list(range(1, len(words) + 1))
        assert all(line.endswith(b"\n") for line in lines)
        return results

    def wait(self) -> list[bytes]:
        deadline = time.monotonic() + 60
        while (lines := self.slot.poll(time.monotonic())) is None:
            assert time.monotonic() < deadline, "the slot did not finish"
            self.rest()
        return lines

    def rest(self) -> None:
        """Wait as a node does: for a word of the slot, or for the time at which it must look."""
        wake_at = self.slot.wake_at()
        patience = 60.0 if wake_at is None else wake_at - time.monotonic()
        select.select([self.slot], [], [], max(0.0, min(60.0, patience)))

    def wait_for(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < deadline, "it did not come about"
            self.slot.poll(time.monotonic())
            select.select([self.slot], [], [], 0.01)


def wait_until_gone(pid: int) -> None:
    """Wait until a process has ended: a signal takes a moment."""
    deadline = time.monotonic() + 30
    while _runs(pid):
        assert time.monotonic() < deadline, f"process {pid} lives on"
        select.select([], [], [], 0.01)


def _runs(pid: int) -> bool:
    try:
        return is_alive(identity(pid)) is True
    except ProcessLookupError:
        return False
