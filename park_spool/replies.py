"""The reply of one unit: a header, one line for each job, and a seal.

    {"unit": …, "node": …, "host": …, "versions": {…}}
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
from types import NoneType
from typing import Any

from park_spool import naming, sealed
from park_spool.errors import TornError
from park_spool.naming import Unit

_OPTIONAL: dict[str, tuple[type, ...]] = {
    "why": (str, NoneType),
    "stderr": (str, NoneType),
    "exit": (int, NoneType),
    "signal": (int, NoneType),
    "data": (dict, NoneType),
}
STATUSES = ("ok", "failed", "timeout", "cancelled", "lost")


@dataclass(frozen=True, slots=True)
class Reply:
    """What one node says of one unit; `jobs` are the results, as the fields of their lines."""

    unit: Unit
    node: str
    header: dict[str, Any]
    jobs: tuple[dict[str, Any], ...]

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
    lines = sealed.unseal(data).split(b"\n")[:-1]
    try:
        header, *jobs = json.loads(b"[%s]" % b",".join(lines))
    except (ValueError, RecursionError) as error:
        raise TornError(f"it is not JSON lines: {error}") from error
    if not isinstance(header, dict) or (header.get("unit"), header.get("node")) != (unit.name, node):
        raise TornError("its header names another unit or node than the file")
    _check(unit, jobs)
    return Reply(unit, node, header, tuple(jobs))


def _check(unit: Unit, jobs: list[Any]) -> None:
    seen = set()
    for job in jobs:
        try:
            number, started, seconds = job["job"], job["started"], job["seconds"]
            is_sound = (
                type(number) is int
                and unit.start <= number < unit.stop
                and number not in seen
                and job["status"] in STATUSES
                and type(job["output"]) is str
                and math.isfinite(started)
                and seconds >= 0
                and math.isfinite(seconds)
                and all(isinstance(job.get(name), kinds) for name, kinds in _OPTIONAL.items())
                and all(abs(job.get(name) or 0) < 2**31 for name in ("exit", "signal"))
            )
        except (KeyError, TypeError, AttributeError, OverflowError):
            is_sound = False
        if not is_sound:
            raise TornError(
                f"expected a result with job ({unit.start} to {unit.stop - 1}), status, started, seconds, output; "
                f"got {str(job)[:200]}"
            )
        seen.add(number)
