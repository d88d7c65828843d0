"""The writer's side of the archive: one process at a time, park-reduced.

Each method is one change, and runs inside the transaction that the caller opened (or in one of its own if
there is none).  Every method may be repeated: keys make a second count impossible.

    with archive.transaction():            CRASH: all of it is in the file, or nothing
        outcome = archive.put_results(…)
        with archive.savepoint():          a reducer that throws undoes only its own texts and messages
            …
        archive.record_replies(…)
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from park_spool.intervals import Intervals

from . import ahead, blocks, deletion, happenings, origins, presence, results, retrying, sessions, sqlite
from .ahead import Fit
from .entries import Block, DataSet, FailureElsewhere, Outcome, Provenance, Result
from .results import storable
from .schema import migrate

__all__ = ["Archive", "Outcome", "Result"]


_IN_GROUP = "WHERE sid = ? AND group_number = ?"
_ADD_MESSAGE = """
  INSERT INTO messages SELECT ?1, ?2, ifnull(max(number), 0) + 1, ?3, ?4
  FROM messages WHERE sid = ?1 AND group_number = ?2"""


class Archive:
    """The archive, open for writing."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    def open(cls, path: Path, *, is_local: bool = True) -> Archive:
        """Open the archive, making or migrating it as needed.

        Raises TemporaryError if another program holds it, SpoolError if the file cannot be an archive.
        """
        with sqlite.opening(path):
            connection = sqlite.connect_writer(path, is_local=is_local)
            try:
                migrate(connection)
            except BaseException:
                connection.close()
                raise
        return cls(connection)

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def transaction(self) -> AbstractContextManager[None]:
        """Run a block in one transaction, rolled back on anything that is raised in it.

        Raises TemporaryError if the disk is full or another program holds the file.
        """
        return sqlite.transaction(self._connection)

    def savepoint(self) -> AbstractContextManager[None]:
        """Undo only what a block did if something is raised in it; must stand inside a transaction."""
        return sqlite.savepoint(self._connection)

    @property
    def identity(self) -> str:
        """Return the random name that this file was made with: a new file is a new archive."""
        (identity,) = self._connection.execute("SELECT value FROM meta WHERE key = 'identity'").fetchone()
        return str(identity)

    def add_session(self, sid: str, session: Mapping[str, Any], xml: bytes, received: float) -> None:
        """Add a session, its groups and job lists, from what session.json holds; one that is there stays."""
        sessions.insert_session(self._connection, sid, session, xml, received)

    def sessions_known(self) -> set[str]:
        return sessions.known(self._connection)

    def open_sessions(self) -> list[str]:
        """Return the sessions that are not closed, oldest first."""
        return sessions.still_open(self._connection)

    def set_state(self, sid: str, state: str, at: float) -> None:
        """Set a session's state; done, failed, cancelled and deleted close it."""
        sessions.set_state(self._connection, sid, state, at)

    def closed_before(self, at: float) -> list[str]:
        """Return the sessions that were closed before a time and not deleted since, the first to close first."""
        return sessions.closed_before(self._connection, at)

    def set_priority(self, sid: str, priority: int) -> None:
        sessions.set_priority(self._connection, sid, priority)

    def state(self, sid: str) -> str | None:
        """Return a session's state, None if it is not in here."""
        return sessions.state(self._connection, sid)

    def closed_at(self, sid: str) -> float | None:
        """Return when a session was closed (Unix time), None if it was not."""
        return sessions.closed_at(self._connection, sid)

    def has_run(self, sid: str) -> bool:
        """Say whether any job of a session was run, whatever came of it."""
        return sessions.has_run(self._connection, sid)

    def delete_session(self, sid: str, known: Mapping[str, Any]) -> None:
        """Remove a session but for one line; `known`: its user, file, received and at, for one that is not in here."""
        deletion.delete(self._connection, sid, known)

    def deleted_sessions(self) -> set[str]:
        return deletion.deleted(self._connection)

    def apply_retry(self, sid: str, name: str, round_: int, jobs: Mapping[tuple[int, int], Intervals]) -> set[int]:
        """Make attempts of the final failures that a retry names, once; return the groups that lost some."""
        return retrying.apply(self._connection, sid, name, round_, jobs)

    def retries_known(self, sid: str) -> set[str]:
        return retrying.known(self._connection, sid)

    def add_event(self, sid: str, key: str, at: float | None, what: str, who: str = "", detail: str = "") -> None:
        """Keep what happened to a session; `key` is the name on the spool that tells of it."""
        happenings.add_event(self._connection, sid, key, at, what, who, detail)

    def events_known(self, sid: str) -> set[str]:
        """Return the keys of the events of a session that are in here with their time."""
        return happenings.events_known(self._connection, sid)

    def add_reduction(self, sid: str, name: str) -> bool:
        """Note that a wish to reduce again was taken in; False if that was noted before."""
        return happenings.add_reduction(self._connection, sid, name)

    def reductions_known(self, sid: str) -> set[str]:
        return happenings.reductions_known(self._connection, sid)

    def add_delivery(self, sid: str, edition: int, name: str) -> None:
        """Note a folder that stands in the outbox."""
        happenings.add_delivery(self._connection, sid, edition, name)

    def deliveries(self, sid: str) -> dict[int, str]:
        """Return a session's folders in the outbox by their editions."""
        return happenings.deliveries(self._connection, sid)

    def failed_elsewhere(self, answered: Iterable[Result]) -> list[FailureElsewhere]:
        """Return the failures of these jobs on other nodes than those where they now are ok."""
        return presence.failed_elsewhere(self._connection, answered)

    def counts(self, sid: str) -> tuple[int, int, int]:
        """Return how many jobs a session has, how many are ok, and how many failed for good."""
        return sessions.counts(self._connection, sid)

    def last_finished(self, sid: str) -> float:
        """Return when the last of a session's final jobs ended (Unix time)."""
        return sessions.last_finished(self._connection, sid)

    def final_jobs(self, sid: str) -> dict[tuple[int, int], list[tuple[int, int]]]:
        """Return the final jobs of each (group, job list) as sorted, disjoint, half-open intervals."""
        return sessions.final_jobs(self._connection, sid)

    def failures(self, sid: str) -> dict[tuple[int, int], list[tuple[int, int, int]]]:
        """Return the last failure (job, round, attempt) of each job that failed and is not final."""
        return sessions.failures(self._connection, sid)

    def group_count(self, sid: str) -> int:
        """Return how many groups a session has."""
        return ahead.group_count(self._connection, sid)

    def group_counts(self, sid: str, group: int) -> tuple[int, int, int]:
        """Return how many jobs a group has, how many are ok, and how many failed for good."""
        return ahead.group_counts(self._connection, sid, group)

    def best_fit(self, sid: str, group: int) -> Fit | None:
        """Return the fit with the smallest chisq of a group; None while no job gave one."""
        return ahead.best(self._connection, sid, group)

    def last_ok(self, sid: str, group: int, joblist: int, before: int) -> Fit | None:
        """Return the last job of a job list before a number that is ok; None if none is."""
        return ahead.last_ok(self._connection, sid, group, joblist, before)

    def put_results(self, batch: Iterable[Result]) -> Outcome:
        """Store results; every order and every batching of the same results gives the same rows."""
        return results.put_results(self._connection, batch)

    def put_data_sets(self, rows: Iterable[DataSet]) -> None:
        """Keep the data sets that jobs of a group read."""
        origins.put_data_sets(self._connection, rows)

    def put_provenance(self, rows: Iterable[Provenance]) -> None:
        """Keep what ran the jobs of a group."""
        origins.put_provenance(self._connection, rows)

    def put_block(self, block: Block) -> bool:
        """Store a block of results, many at once; False if it has to go through `put_results`."""
        return blocks.put_block(self._connection, block)

    def replies_in_order(self, sid: str, group: int) -> Iterator[Result]:
        """Yield a group's results as they finished, one at a time; results must not be put in meanwhile."""
        return results.in_order(self._connection, sid, group)

    def replies_known(self, names: Iterable[str]) -> dict[str, str]:
        """Return, for those of these replies that are recorded, the bundle under which each went."""
        rows = self._connection.execute(
            "SELECT name, bundle FROM replies WHERE name IN (SELECT value FROM json_each(?))",
            (json.dumps(list(names)),),
        )
        return dict(rows.fetchall())

    def record_replies(self, rows: Iterable[tuple[str, str, str]]) -> None:
        """Record (reply, sid, bundle): under which bundle each reply goes."""
        self._connection.executemany(
            "INSERT INTO replies VALUES (?,?,?) ON CONFLICT (name) DO UPDATE SET bundle = excluded.bundle", rows
        )

    def bundles_known(self, sid: str) -> set[str]:
        rows = self._connection.execute("SELECT name FROM bundles WHERE sid = ?", (sid,))
        return {name for (name,) in rows}

    def record_bundle(self, sid: str, name: str) -> None:
        self._connection.execute("INSERT OR IGNORE INTO bundles VALUES (?,?)", (sid, name))

    def put_text(self, sid: str, group: int, keys: Mapping[str, object], text: str) -> None:
        """Keep a reducer's text under these keys, in place of what stood there."""
        canonical = json.dumps(dict(keys), sort_keys=True, separators=(",", ":"), default=str)
        self._connection.execute(
            "INSERT INTO texts VALUES (?,?,?,?)"
            " ON CONFLICT (sid, group_number, keys) DO UPDATE SET text = excluded.text",
            (sid, group, canonical, storable(text)),
        )

    def add_message(self, sid: str, group: int, text: str, at: float) -> None:
        """Add a message to its group's; they are numbered from 1."""
        self._connection.execute(_ADD_MESSAGE, (sid, group, at, storable(text)))

    def stop_reducer(self, sid: str, group: int, why: str) -> None:
        """Mark a group's reducer as stopped, and why; the group's results go on being stored."""
        self._connection.execute(f"UPDATE groups SET stopped = ? {_IN_GROUP}", (storable(why), sid, group))

    def stopped_reducers(self) -> set[tuple[str, int]]:
        rows = self._connection.execute("SELECT sid, group_number FROM groups WHERE stopped IS NOT NULL")
        return set(rows.fetchall())

    def reset_reduction(self, sid: str, group: int) -> None:
        """Drop what a group's reducer kept and said, and let it run again."""
        for table in ("texts", "messages"):
            self._connection.execute(f"DELETE FROM {table} {_IN_GROUP}", (sid, group))
        self._connection.execute(f"UPDATE groups SET stopped = NULL {_IN_GROUP}", (sid, group))

    def put_node(self, node: Mapping[str, Any]) -> None:
        """Keep a node's newest heartbeat: node, host, cpus, state, seen (Unix time), units; all as JSON."""
        presence.put_node(self._connection, node)

    def node_states(self) -> dict[str, str]:
        """Return the state of each node that is in here."""
        return happenings.node_states(self._connection)

    def add_node_event(self, node: str, at: float, what: str, detail: str = "") -> None:
        """Keep what the reducer saw of a node at a time of its own clock."""
        happenings.add_node_event(self._connection, node, at, what, detail)

    def mark_gone(self, present: Iterable[str]) -> None:
        """Mark every node as gone that is not among these: one that left cleanly took its heartbeats away."""
        presence.mark_gone(self._connection, present)

    def put_running(self, running: Iterable[Sequence[object]]) -> None:
        """Replace what runs: sid, group, job list, job, node, started, seconds so far, chisq, line."""
        presence.put_running(self._connection, running)
