"""What a crew asks of clerks: errands at a batch system. errand.py is the real one, tests have a stand-in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from park_spool.pilots.profiles import Profile
from park_spool.pilots.records import Pilot


class Errand(Protocol):
    """An errand.Errand, or a test's stand-in."""

    kind: str
    is_over: bool

    def poll(self) -> list[Mapping[str, Any]]:
        """Return what was answered since the last look."""

    def wait(self) -> list[Mapping[str, Any]]:
        """Wait for the end, and return what was answered since the last look."""

    def kill(self) -> None:
        """End it at once."""


class Clerks(Protocol):
    """The module errand, or a test's stand-in."""

    def submit(self, profile: Profile, submits: Sequence[tuple[str, Path]]) -> Errand:
        """Have pilots submitted."""

    def ask(self, profile: Profile, pilots: Sequence[Pilot]) -> Errand:
        """Have it asked what became of pilots."""

    def cancel(self, profile: Profile, pilots: Sequence[Pilot]) -> Errand:
        """Have pilots cancelled."""
