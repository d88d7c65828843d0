"""What a look at one host has found, and how a person and a program read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

COLUMNS = ("host", "login", "python", "CPUs", "spool", "clock", "rename", "seen there, here", "locks")


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a host is not fit: a word for programs, and a sentence that says what to do."""

    kind: str
    says: str


@dataclass(slots=True)
class Finding:
    """One host. None is what could not be found out; `clock` is in s, ahead of this machine's; so are the delays.

    `seen_there` is how long it took until a new name here was in a listing there, `seen_here` the other way.
    """

    alias: str
    address: str
    spool: str
    is_reached: bool = False
    user: str = ""
    host: str = ""
    python: str = ""
    version: str = ""
    park_spool: str = ""
    cpus: int | None = None
    is_same_spool: bool | None = None
    clock: float | None = None
    round_trip: float | None = None
    is_rename_exclusive: bool | None = None
    seen_there: float | None = None
    seen_here: float | None = None
    has_locks: bool | None = None
    failures: list[Failure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def is_fit(self) -> bool:
        return not self.failures

    def fail(self, kind: str, says: str) -> None:
        """Note a failure; the sentence begins with the host's alias."""
        self.failures.append(Failure(kind, says if says.startswith(f"{self.alias}: ") else f"{self.alias}: {says}"))

    def note(self, says: str) -> None:
        """Note what is odd, and keeps nobody from working."""
        self.notes.append(f"{self.alias}: {says}")

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "is_fit": self.is_fit}

    def cells(self) -> tuple[str, ...]:
        """Write it as the cells of a row."""
        return (
            self.alias,
            self.user or "–" if self.is_reached else "no",
            ", ".join(word for word in (self.version, self.park_spool and f"park-spool {self.park_spool}") if word)
            or "–",
            "–" if self.cpus is None else str(self.cpus),
            _answer(self.is_same_spool, "same", "NOT the same"),
            "–" if self.clock is None else f"{self.clock:+.3f} s",
            _answer(self.is_rename_exclusive, "once", "NOT once"),
            f"{_seconds(self.seen_there)}, {_seconds(self.seen_here)}",
            _answer(self.has_locks, "yes", "no"),
        )


def sentences(found: Sequence[Finding]) -> list[str]:
    """Say what each host lacks and what is odd, and in the end how many of them are fit."""
    said = [failure.says for one in found for failure in one.failures]
    said += [f"note: {note}" for one in found for note in one.notes]
    unfit = [one.alias for one in found if not one.is_fit]
    if unfit:
        return [*said, f"not fit to work: {', '.join(unfit)} ({len(unfit)} of {len(found)})"]
    return [*said, "the host is fit to work" if len(found) == 1 else f"all {len(found)} hosts are fit to work"]


def _answer(value: bool | None, yes: str, no: str) -> str:
    return "–" if value is None else yes if value else no


def _seconds(value: float | None) -> str:
    """Write a delay.

    >>> _seconds(0.00412), _seconds(20.41), _seconds(None)
    ('0.004 s', '20.4 s', '–')
    """
    return "–" if value is None else f"{value:.3f} s" if value < 1 else f"{value:.1f} s"
