"""The reply of one unit: a header, one line for each job, and a seal.

    {"unit": …, "node": …, "host": …, "version": …, "python": …, "versions": {…}, "service": …, "service_digest": …}
    {"job": 17, "status": "ok", "started": 1795402531.12, "seconds": 0.41, "output": "…"}
    {"length": …, "sha256": …}

A reply that is whole but says something impossible (a job outside its unit, an unknown status) is as unreadable as a
torn one: TornError, and after a second look it goes to quarantine.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec

from park_spool import naming, sealed
from park_spool.errors import TornError
from park_spool.naming import Unit

Status = Literal["ok", "failed", "timeout", "cancelled", "lost"]
_Number = Annotated[int, msgspec.Meta(gt=-(2**31), lt=2**31)]


class KeptFile(msgspec.Struct, frozen=True, gc=False):
    """A file that a job left in `$PARK_OUTPUT`; it lies in `files/SID/SHA256`."""

    sha256: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
    size: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class JobResult(msgspec.Struct, frozen=True, gc=False):
    """One line: how one job ended. `started` is Unix time; what does not apply is None.

    `files`: {name: {"sha256": …, "size": …}} of what the job left in `$PARK_OUTPUT`.
    """

    job: int
    status: Status
    started: float
    seconds: Annotated[float, msgspec.Meta(ge=0)]
    output: str
    why: str | None = None
    exit: _Number | None = None
    signal: _Number | None = None
    stderr: str | None = None
    data: dict[str, Any] | None = None
    files: dict[str, KeptFile] | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What one node says of one unit."""

    unit: Unit
    node: str
    header: dict[str, Any]
    jobs: list[JobResult]

    @property
    def name(self) -> str:
        return naming.reply_name(self.unit, self.node)


def encode(unit: Unit, node: str, header: dict[str, Any], lines: Iterable[bytes]) -> bytes:
    """Make a reply from result lines, each with its newline, as a worker wrote them."""
    head = json.dumps({"unit": unit.name, "node": node, **header}, ensure_ascii=False).encode()
    return sealed.seal(b"%s\n%s" % (head, b"".join(lines)))


def result_line(job: int, status: str, why: str, at: float) -> bytes:
    """Make the line of a job that nobody ran to an end."""
    fields = {"job": job, "status": status, "started": at, "seconds": 0.0, "output": "", "why": why}
    return json.dumps(fields, ensure_ascii=False).encode() + b"\n"


def decode(name: str, data: bytes) -> Reply:
    """Read a reply that stands under `name`. Raises TornError if it is not whole, or not what its name says."""
    parsed = naming.parse_reply(name)
    if parsed is None:
        raise TornError("its name is not UNIT@NODE")
    unit, node = parsed
    first, _, rest = sealed.unseal(data).partition(b"\n")
    header = _header(first, unit, node)
    if header is None:
        raise TornError("its header names another unit or node than the file")
    return Reply(unit, node, header, _jobs(rest, unit))


def _header(line: bytes, unit: Unit, node: str) -> dict[str, Any] | None:
    try:
        header = json.loads(line)
    except (ValueError, RecursionError):
        return None
    is_ours = isinstance(header, dict) and (header.get("unit"), header.get("node")) == (unit.name, node)
    return header if is_ours else None


def _jobs(lines: bytes, unit: Unit) -> list[JobResult]:
    try:
        jobs = _read(b"[%s]" % lines[:-1].replace(b"\n", b","))
        _check_numbers([job.job for job in jobs], unit)
    except (ValueError, RecursionError, OverflowError) as error:
        raise TornError(
            f"expected a result with job ({unit.start} to {unit.stop - 1}), status, started, seconds, output "
            f"in each line, each job once: {error}"
        ) from error
    return jobs


def _check_numbers(numbers: list[int], unit: Unit) -> None:
    if numbers and not unit.start <= min(numbers) <= max(numbers) < unit.stop:
        raise ValueError(f"got jobs {min(numbers)} to {max(numbers)}")
    if len(set(numbers)) < len(numbers):
        raise ValueError("a job stands there twice")


def _read(text: bytes) -> list[JobResult]:
    try:
        return msgspec.json.decode(text, type=list[JobResult])
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        # Half of a surrogate pair is good JSON, and no UTF-8: the standard library reads it, the archive replaces it.
        jobs = msgspec.convert(json.loads(text), list[JobResult])
        if not all(math.isfinite(job.started + job.seconds) for job in jobs):
            raise ValueError("a time is not a finite number") from None
        return jobs
