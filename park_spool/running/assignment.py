"""What a node tells a warm child, and what the child writes down: the words between slot.py and worker.py.

    node   ── one JSON line a unit ──▶ command pipe ──▶ child
    node   ◀── "began BOUNDS", "fetching", "fetched", "progress JOB LINE", "keeping", "done" or "lost WHY" ── child
    node   ◀── one JSON line a job  ── results file ── child

Guarantees: pure values; a result line is made by one function, whoever found the result (the child, or the
node that had to bury it).  Jobs count from 1, ranges are half open.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from json.encoder import encode_basestring_ascii as quoted
from pathlib import Path

Ranges = tuple[tuple[int, int], ...]
Files = dict[str, dict[str, str | int]]  # {name: {"sha256": …, "size": …}}

OFF_TIME = FETCHING, FETCHED, KEEPING = "fetching", "fetched", "keeping"  # what is not the job's own time

TAIL = 4096  # bytes of standard error that a result carries
MAX_OUTPUT = 64 * 1024 * 1024

# How a child ends on purpose; any other status, and every signal, is the doing of what it ran.
STALE_STATUS = 121  # its interpreter has another service's modules loaded: start a new one, nobody is to blame
LOST_STATUS = 122  # its descriptors are gone: the function closed or limited them


@dataclass(frozen=True, slots=True)
class Assignment:
    """One unit for one slot: which jobs, of which session, with which services and data."""

    unit: str
    session_json: Path
    files: Path
    services: tuple[Path, ...]
    data_roots: tuple[Path, ...]
    group: int
    joblist: int
    jobs: Ranges
    scratch: Path
    kept: Path | None = None  # the spool's folder for files that this session's jobs leave in $PARK_OUTPUT
    tmp: Path | None = None  # the spool's, where they are written before they are renamed
    owner: str = ""  # the prefix of temporary names there
    memory: int | None = None  # bytes that the node gives to one job, at most
    nice: int = 0  # the least nice level of this node's jobs
    start: Mapping[str, str] = field(default_factory=dict)  # attributes that the jobs start from
    calls: Path | None = None  # the folder of an executor's payloads and functions, if the jobs are its calls
    trusted: tuple[int, ...] = ()  # the accounts whose files there may be unpickled
    spool: Path | None = None  # whose settings say where the data of sources are
    cache: Path | None = None  # this node's folder for them

    def to_line(self) -> bytes:
        fields = {
            "unit": self.unit,
            "session_json": str(self.session_json.absolute()),
            "files": str(self.files.absolute()),
            "services": [str(path.absolute()) for path in self.services],
            "data_roots": [str(path) for path in self.data_roots],
            "group": self.group,
            "joblist": self.joblist,
            "jobs": self.jobs,
            "scratch": str(self.scratch.absolute()),
            "kept": self.kept and str(self.kept.absolute()),
            "tmp": self.tmp and str(self.tmp.absolute()),
            "owner": self.owner,
            "memory": self.memory,
            "nice": self.nice,
            "start": dict(self.start),
            "calls": self.calls and str(self.calls.absolute()),
            "trusted": self.trusted,
            "spool": self.spool and str(self.spool),
            "cache": self.cache and str(self.cache),
        }
        return json.dumps(fields).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Assignment:
        fields = json.loads(line)
        return cls(
            unit=fields["unit"],
            session_json=Path(fields["session_json"]),
            files=Path(fields["files"]),
            services=tuple(Path(text) for text in fields["services"]),
            data_roots=tuple(Path(text) for text in fields["data_roots"]),
            group=fields["group"],
            joblist=fields["joblist"],
            jobs=tuple((start, stop) for start, stop in fields["jobs"]),
            scratch=Path(fields["scratch"]),
            kept=fields["kept"] and Path(fields["kept"]),
            tmp=fields["tmp"] and Path(fields["tmp"]),
            owner=fields["owner"],
            memory=fields["memory"],
            nice=fields["nice"],
            start=fields["start"],
            calls=fields["calls"] and Path(fields["calls"]),
            trusted=tuple(fields["trusted"]),
            spool=fields["spool"] and Path(fields["spool"]),
            cache=fields["cache"] and Path(fields["cache"]),
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one job went: `why` in plain words unless it is ok; `exit` and `signal` of a process that ended.

    `files`: what it left in `$PARK_OUTPUT`, and where that is kept.
    """

    status: str
    output: str = ""
    why: str = ""
    exit: int | None = None
    signal: int | None = None
    stderr: str = ""
    files: Files | None = None


@dataclass(frozen=True, slots=True)
class Running:
    """The job that a slot runs now: since when (wall clock), and the last line that it said as progress."""

    job: int
    started: float
    progress: str | None = None


def result_line(
    job: int, started: float, seconds: float, outcome: Outcome, data: dict[str, str] | None = None
) -> bytes:
    """Write the one line that a job's result is, with a line feed at its end.

    >>> result_line(17, 5.0, 0.41, Outcome("ok", "text"))
    b'{"job": 17, "status": "ok", "started": 5.000, "seconds": 0.410000, "output": "text"}\\n'
    """
    head = (
        f'{{"job": {job}, "status": "{outcome.status}", "started": {started:.3f}, '
        f'"seconds": {seconds:.6f}, "output": {quoted(outcome.output)}'
    )
    is_plain = outcome.exit is None and not outcome.why and not outcome.stderr  # nearly always: it must be cheap
    more = ("" if is_plain else _details(outcome)) + (f', "data": {json.dumps(data)}' if data else "")
    if outcome.files:
        more += f', "files": {json.dumps(outcome.files)}'
    return f"{head}{more}}}\n".encode("ascii")


def _details(outcome: Outcome) -> str:
    texts = {"why": one_line(outcome.why), "stderr": outcome.stderr}
    numbers = {"exit": outcome.exit, "signal": outcome.signal}
    shown = [f', "{name}": {number}' for name, number in numbers.items() if number is not None]
    return "".join(shown + [f', "{name}": {quoted(text)}' for name, text in texts.items() if text])


def is_result_of(line: bytes, job: int) -> bool:
    """Say whether a line is a job's result, by its two ends: a cheap look that garbage does not pass.

    >>> is_result_of(b'{"job": 17, "status": "ok"}', 17), is_result_of(b'{"job": 17, "sta', 17)
    (True, False)
    """
    return line.startswith(b'{"job": %d, "status": "' % job) and line.endswith(b"}")


def child_scratch(assignment: Assignment, pid: int) -> Path:
    """Return the folder that one child works in: made by the child, removed by whoever sees its end."""
    return assignment.scratch / f"worker-{pid}"


def count_jobs(jobs: Sequence[tuple[int, int]]) -> int:
    return sum(stop - start for start, stop in jobs)


def without_first(jobs: Ranges, count: int) -> Ranges:
    """Drop the first `count` jobs of the ranges.

    >>> without_first(((1, 5), (9, 12)), 5)
    ((10, 12),)
    """
    left = []
    for start, stop in jobs:
        dropped = min(count, stop - start)
        count -= dropped
        if start + dropped < stop:
            left.append((start + dropped, stop))
    return tuple(left)


def plain_text(output: str) -> str:
    """Make a text that every reader can encode: lone surrogates become question marks."""
    return output if output.isascii() else output.encode("utf-8", "replace").decode()


def one_line(text: str) -> str:
    """Make a text one line that does nothing to a terminal.

    >>> one_line("no film:\\n\\tfilm.txt\\x1b[2J")
    'no film: film.txt?[2J'
    """
    line = " ".join(text.split())
    return line if line.isprintable() else "".join(sign if sign.isprintable() else "?" for sign in line)


def tail_of(text: bytes, size: int = TAIL) -> str:
    """Return the end of what a process wrote, as text; whole lines where that is possible.

    >>> tail_of(b"first line\\nsecond line\\n", 14)
    'second line\\n'
    """
    if len(text) <= size:
        return text.decode(errors="replace")
    cut = text[-size:]
    return cut[cut.find(b"\n", 0, size // 2) + 1 :].decode(errors="replace")
