"""What whole pages show of the archive: lists and tables, filtered, sorted and paged. reading.py has the rest."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from park_spool.intervals import Intervals

from . import fit_queries, job_table, listing, node_queries, said_queries, sessions
from .fit_rows import FitRow
from .job_table import JobsWanted, TableRow
from .listing import Asked, Listing
from .rows import NodeEventRow, NodeRow
from .said_queries import Placed, SaidWanted
from .sqlite import said_in_words, snapshot


@dataclass(frozen=True, slots=True)
class PageReader:
    """The archive, for pages."""

    path: Path
    is_copy: bool = False  # a file that is never written again (snapshots.py)
    _held: list[sqlite3.Connection] | None = field(default=None, repr=False, compare=False)

    def _snapshot(self) -> AbstractContextManager[sqlite3.Connection]:
        if self._held:
            return said_in_words(self._held[0], self.path, is_copy=self.is_copy)
        return snapshot(self.path, is_copy=self.is_copy)

    @contextmanager
    def at_once(self) -> Iterator[Self]:
        """Give one thread a reader that opens the archive once and sees it as it was then; after the block, anew."""
        held: list[sqlite3.Connection] = []
        with self._snapshot() as connection:
            held.append(connection)
            try:
                yield replace(self, _held=held)
            finally:
                held.clear()

    def listing(self, asked: Asked) -> Listing:
        """Return a page of the list of sessions. Raises NotFound if it cannot be sorted as asked."""
        with self._snapshot() as connection:
            return listing.listing(connection, asked)

    def known(self, sids: Collection[str], owner: str = "") -> set[str]:
        """Return which of these sessions are in the archive; only `owner`'s if that is given."""
        with self._snapshot() as connection:
            return listing.known(connection, sids, owner)

    def job_table(self, sid: str, wanted: JobsWanted, limit: int = 100, offset: int = 0) -> tuple[list[TableRow], int]:
        """Return a page of the finished jobs that are wanted, and how many these are.

        Raises PermanentError where too many would have to be looked through.
        """
        with self._snapshot() as connection:
            return job_table.table(connection, sid, wanted, limit, offset)

    def best_of_dataset(self, sid: str, group: int, dataset: str) -> FitRow | None:
        """Return the best fit of a data set; None while it has none."""
        with self._snapshot() as connection:
            return fit_queries.best_of_dataset(connection, sid, group, dataset)

    def nodes_seen(self, node: str | None = None, limit: int = 50) -> list[NodeRow]:
        """Return the nodes that were seen last, the newest first; or one."""
        with self._snapshot() as connection:
            return node_queries.seen(connection, node, limit)

    def events_of_nodes(self, node: str | None = None, limit: int = 100) -> list[NodeEventRow]:
        """Return the newest things that happened to nodes, or to one, the newest first."""
        with self._snapshot() as connection:
            return node_queries.events(connection, node, limit)

    def said_before(self, wanted: SaidWanted, before: int, limit: int) -> tuple[list[Placed], int]:
        """Return messages that came before a place, the newest first, and the place of the last one of all."""
        with self._snapshot() as connection:
            return said_queries.before(connection, wanted, before, limit), said_queries.last(connection)

    def said_after(self, wanted: SaidWanted, place: int, limit: int) -> tuple[list[Placed], int]:
        """Return messages that came after a place, the first one first, and the place of the last one of all."""
        with self._snapshot() as connection:
            return said_queries.after(connection, wanted, place, limit), said_queries.last(connection)

    def xml(self, sid: str) -> str:
        """Return a session's XML as it was received; empty of one that was deleted."""
        with self._snapshot() as connection:
            return said_queries.xml(connection, sid)

    def session_json(self, sid: str) -> str:
        """Return a session as it was understood, as JSON; empty if it is not there, or was deleted."""
        with self._snapshot() as connection:
            return said_queries.session_json(connection, sid)

    def scalars(self, sid: str, jobs: Iterable[str]) -> dict[str, dict[str, float]]:
        """Return the plain numbers of the outputs of jobs, less those that are kept apart."""
        with self._snapshot() as connection:
            return fit_queries.scalars(connection, sid, jobs)

    def final_jobs(self, sid: str) -> dict[tuple[int, int], Intervals]:
        """Return the jobs that have their result, for each (group, job list)."""
        with self._snapshot() as connection:
            return sessions.final_jobs(connection, sid)
