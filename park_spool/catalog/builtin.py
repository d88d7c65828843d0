"""The one command that no manifest describes: `python/call`, the function calls that a Python program sends.

It is not in the registry, so no `<input>` ever reaches the code that unpickles: only `<calls/>` does, and only where a
site allows functions by value.
"""

from __future__ import annotations

from pathlib import Path

from park_spool.catalog.manifest import Command
from park_spool.limits import Limits

SERVICE, NAME = "python", "call"
CMD = f"{SERVICE}/{NAME}"
_LONGEST = 366 * 86400.0  # s: an executor of the standard library has no limit; whoever wants one says it in <task>

CALL = Command(
    service=SERVICE,
    name=NAME,
    folder=Path(),
    mode="call",
    description="Call functions that a Python program sends",
    limits=Limits(timeout=_LONGEST),
)


def is_call(service: str | None, command: str) -> bool:
    return (service, command) == (SERVICE, NAME)
