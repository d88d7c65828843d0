"""The asking side of asked.py: one program on a host, to which questions and answers go line by line.

with asking(remote, "python3") as asker: asker.ask("facts")
"""

from __future__ import annotations

import errno
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from park_spool.hosts import advice, asked
from park_spool.hosts.remote import Remote, Talk

SECONDS = 20.0  # for an answer that takes no time by itself
ROUNDS = 7  # of which the quickest counts

# The script comes in on standard input, since it is too long for a command line; then the questions do. The working
# folder is left out of the path: a file of the user's must not stand in for one of Python's.
_LOADER = "import sys; sys.path = [p for p in sys.path if p]; exec(sys.stdin.buffer.read({size}).decode())"
_FIRST = (
    'for one in "$@"; do found=$(command -v "$one") && [ -x "$found" ] && { echo "$found"; exit 0; }; done; exit 127'
)


@dataclass(frozen=True, slots=True)
class Offset:
    """How far ahead that host's clock is, and how long a question and its answer take, both in s."""

    seconds: float
    round_trip: float


class Asker:
    """Asks a program on a host; one question at a time."""

    def __init__(self, remote: Remote, talk: Talk) -> None:
        self._remote, self._talk = remote, talk

    def ask(self, do: str, within: float = SECONDS, **arguments: Any) -> Any:
        """Ask and return the answer, which must come within so many s.

        Raises HostError; OSError with what a system call said there.
        """
        self.begin(do, **arguments)
        return self.end(within)

    def begin(self, do: str, **arguments: Any) -> None:
        """Ask, and leave the answer for `end`."""
        self._talk.say(json.dumps({"do": do, **arguments}).encode() + b"\n")

    def end(self, within: float = SECONDS) -> Any:
        """Return the answer. Raises as `ask` does."""
        line = self._talk.hear(within)
        try:
            answer = json.loads(line)
        except ValueError:
            answer = None
        if not isinstance(answer, dict) or not {"is", "errno"} & set(answer):
            said = line[:200].decode(errors="replace")
            raise advice.error(self._remote.host, "answer", f"expected an answer to a question, got {said!r}")
        if "errno" in answer:
            raise OSError(answer["errno"] or errno.EIO, str(answer.get("said")))
        return answer["is"]

    def offset(self, wall: Callable[[], float] = time.time, now: Callable[[], float] = time.monotonic) -> Offset:
        """Measure that host's clock against this one's: half of the quickest of some round trips is the error."""
        found = []
        for _ in range(ROUNDS):
            begun, at = now(), wall()
            there = float(self.ask("clock"))
            took = now() - begun
            found.append(Offset(there - (at + took / 2), took))
        return min(found, key=lambda one: one.round_trip)


@contextmanager
def asking(remote: Remote, python: str) -> Iterator[Asker]:
    """Start the program on a host, with a Python of that host. Raises HostError."""
    script = Path(asked.__file__).read_bytes()
    talk = remote.talk([python, "-u", "-c", _LOADER.format(size=len(script))])
    try:
        talk.say(script)
        yield Asker(remote, talk)
    finally:
        talk.close()


def first_program(remote: Remote, programs: Sequence[str]) -> str:
    """Return the first of these programs that is there, as that host finds it. Raises HostError (python_missing)."""
    ran = remote.run(["sh", "-c", _FIRST, "sh", *programs])
    found = ran.out.strip().splitlines()
    if ran.status or not found:
        tried = " and ".join(programs)
        raise advice.error(remote.host, "python_missing", f"no Python was found: looked for {tried}")
    return found[-1].strip()
