"""The master's end of a clerk: start one, hear what it says so far, and kill it when it is late. Nothing here waits."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from park_spool.pilots.profiles import Profile
from park_spool.pilots.records import Pilot
from park_spool.processes import describe_exit, kill_family

START_SECONDS = 30.0  # for the interpreter and the imports, on a cold shared disk
COMMANDS = 3  # of a batch system that one question may need
Answer = Mapping[str, Any]


class Errand:
    """One request that a clerk carries out; `folder` is for files of this process's own."""

    def __init__(
        self,
        request: Mapping[str, Any],
        seconds: float,
        argv: Sequence[str] = (sys.executable, "-P", "-m", "park_spool.pilots.clerk"),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.kind = str(request["do"])
        self._clock, self._due, self._read = clock, clock() + seconds, 0
        self._out, self._err = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115 - closed when it is over
        with tempfile.TemporaryFile() as asked:
            asked.write(json.dumps(request).encode())
            asked.seek(0)
            # A group of its own: Ctrl-C reaches it through the master alone.
            self._process = subprocess.Popen(argv, stdin=asked, stdout=self._out, stderr=self._err, process_group=0)
        self.is_over = False

    def poll(self) -> list[Answer]:
        """Return what the clerk has said since the last look; an errand that failed ends with an answer `error`."""
        if self.is_over:
            return []
        status = self._process.poll()  # RACE: looked at first, so that all it has said is heard below
        answers = self._heard()
        if status is None and self._clock() < self._due:
            return answers
        if status is None:
            self.kill()
            return [*answers, _error(f"the batch system did not answer in time ({self.kind}): the errand was given up")]
        silent = status != 0 or not self._read
        why = f"the clerk for the batch system {describe_exit(status)} ({self.kind}): {self._last_line()}"
        self._close()
        return [*answers, _error(why)] if silent else answers

    def wait_seconds(self) -> float:
        """Return how long it may still take."""
        return max(0.0, self._due - self._clock())

    def wait(self) -> list[Answer]:
        """Wait until it is over, and return all that was said since the last look."""
        answers: list[Answer] = []
        while not self.is_over:
            answers += self.poll()
            if not self.is_over:
                time.sleep(0.05)
        return answers

    def kill(self) -> None:
        """Kill the clerk with the commands that it waits for."""
        if not self.is_over:
            kill_family(self._process.pid)
            self._process.wait()
            self._close()

    def _close(self) -> None:
        self.is_over = True
        self._out.close()
        self._err.close()

    def _heard(self) -> list[Answer]:
        self._out.seek(self._read)
        whole, newline, _ = self._out.read().rpartition(b"\n")
        self._read += len(whole) + len(newline)
        return [json.loads(line) for line in whole.splitlines()]

    def _last_line(self) -> str:
        self._err.seek(0)
        lines = self._err.read().decode(errors="replace").strip().splitlines()
        return lines[-1][:300] if lines else "it said nothing"


def _error(sentence: str) -> Answer:
    return {"error": sentence, "passes": True}


def submit(profile: Profile, submits: Sequence[tuple[str, Path]]) -> Errand:
    """Have pilots submitted, each a command and a folder; each is answered as soon as it is."""
    request = {
        "do": "submit",
        "profile": profile.to_json(),
        "submits": [(text, str(folder)) for text, folder in submits],
    }
    return Errand(request, _seconds(profile, len(submits)))


def ask(profile: Profile, pilots: Sequence[Pilot]) -> Errand:
    """Have it asked what became of pilots."""
    request = {"do": "states", "profile": profile.to_json(), "pilots": [_fields(pilot) for pilot in pilots]}
    return Errand(request, _seconds(profile, len(pilots)))


def cancel(profile: Profile, pilots: Sequence[Pilot]) -> Errand:
    """Have pilots cancelled."""
    request = {"do": "cancel", "profile": profile.to_json(), "pilots": [_fields(pilot) for pilot in pilots]}
    return Errand(request, _seconds(profile, len(pilots)))


def _fields(pilot: Pilot) -> dict[str, Any]:
    return {**pilot.to_json(), "name": pilot.name}


def _seconds(profile: Profile, count: int) -> float:
    """Return how long an errand may take: each command has its own limit, one that hangs ends the errand."""
    return START_SECONDS + profile.timeout * (COMMANDS + 1) + count
