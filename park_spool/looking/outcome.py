"""What came out of a session, so far or at its end, in the form in which it is delivered.

    the archive, or a snapshot of it, can be read from here   ──▶ gathered from it
    else the newest edition in the outbox                     ──▶ its files
    else                                                      ──▶ NotFound, in a sentence

Both say the same in the same words: `summary` and `best` are what summary.json and best.json hold, a table is a CSV.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

from park_spool.atomic import Disk
from park_spool.delivering import folder, outbox, tables
from park_spool.delivering.answer import Answer
from park_spool.delivering.gathering import Gathering
from park_spool.errors import NotFound, ParkError, TornError
from park_spool.layout import Layout
from park_spool.looking.standing import Look

RESULTS, PARAMETERS = "results", "parameters"


class Outcome(Protocol):
    """What came out of one session."""

    def summary(self) -> dict[str, Any]:
        """Return the session with its groups, each with its best chisq."""

    def best(self) -> list[dict[str, Any]]:
        """Return the best fit of each group that has one, with its parameters."""

    def table(self, name: str) -> Iterator[str]:
        """Yield the lines of a CSV: results, parameters, or batch-G of a group that is a batch."""


@dataclass(frozen=True)
class Gathered:
    """From the archive."""

    gathering: Gathering
    edition: int

    @cached_property
    def answer(self) -> Answer:
        return self.gathering.answer(self.edition)

    def summary(self) -> dict[str, Any]:
        return dict(folder.finite(folder.summary(self.answer, [])))

    def best(self) -> list[dict[str, Any]]:
        return list(folder.finite(folder.best(self.answer)))

    def table(self, name: str) -> Iterator[str]:
        if name == RESULTS:
            return tables.results(self.gathering.jobs(), self.gathering.inputs())
        if name == PARAMETERS:
            return tables.parameters(self.answer)
        return chain.from_iterable(
            tables.batch(group.batch) for group in self.answer.groups if f"batch-{group.number}" == name
        )


@dataclass(frozen=True, slots=True)
class Delivered:
    """From a folder in the outbox, which never changes."""

    folder: Path
    disk: Disk = field(repr=False)

    def summary(self) -> dict[str, Any]:
        return dict(self._read(folder.SUMMARY))

    def best(self) -> list[dict[str, Any]]:
        return list(self._read(folder.BEST))

    def table(self, name: str) -> Iterator[str]:
        with (self.folder / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
            yield from lines

    def _read(self, name: str) -> Any:
        data = self.disk.read(self.folder / name)
        if data is None:
            raise TornError(f"{self.folder / name} cannot be seen from here yet; look again")
        return json.loads(data)


def find(look: Look, sid: str) -> Gathered | Delivered:
    """Find what came out of a session. Raises NotFound if nothing can be read from here."""
    try:
        reader = look.archive()
        gathering = Gathering(reader, look.disk, look.settings.layout, sid)
        reader.session(sid)  # a copy may be older than the session
    except ParkError as error:
        place = newest(look.disk, look.settings.layout, sid)
        if place is None:
            raise NotFound(f"{error}; nothing of {sid} stands in the outbox either") from error
        look.note = f"from {place}: {error}"
        return Delivered(place, look.disk)
    return Gathered(gathering, gathering.edition)


def newest(disk: Disk, spool: Layout, sid: str) -> Path | None:
    """Return the folder of the newest edition of a session's answer; None if none stands in the outbox."""
    editions = [edition for other, edition in outbox.delivered(disk, spool) if other == sid]
    return spool.delivered(sid, max(editions)) if editions else None


def batches(outcome: Outcome) -> dict[int, list[dict[str, Any]]]:
    """Return the rows of each group that is a batch: a dict for each data set, numbers as numbers."""
    groups = [group["number"] for group in outcome.summary()["groups"] if group["data_sets"]]
    return {number: [_row(row) for row in csv.DictReader(outcome.table(f"batch-{number}"))] for number in groups}


def _row(row: dict[str, str]) -> dict[str, Any]:
    known = {"dataset", "job", "node"}
    return {name: text if name in known else _number(text) for name, text in row.items()}


def _number(text: str | None) -> float | None:
    """Read a cell.

    >>> _number("2.5"), _number("")
    (2.5, None)
    """
    try:
        return float(text or "")
    except ValueError:
        return None
