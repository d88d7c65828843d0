"""The readers' side of the archive: any number of processes and threads, read-only.

Each call opens the file, takes one consistent snapshot and closes it again, so that no reader ever holds up
the writer or keeps its log from being emptied.  While the file is not there, or is still being made, NotFound
says so in a sentence; TemporaryError says that looking again will help.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from park_spool.intervals import Intervals

from . import fits, job_queries, queries
from .fits import Fit
from .rows import (
    AttemptRow,
    BestRow,
    FailureRow,
    FileRow,
    GroupPage,
    GroupRow,
    HistoryPicture,
    HistoryRow,
    JobDetail,
    JobRow,
    MessageRow,
    NodeRow,
    RunningRow,
    SessionPage,
    SessionRow,
)
from .sqlite import snapshot

MOST_DOTS = 2000  # jobs drawn in the picture of a group's chi-square
MOST_FAILURES = 50
MOST_MESSAGES = 50


@dataclass(frozen=True, slots=True)
class ArchiveReader:
    """The archive, for looking; may be used from several threads at once."""

    path: Path

    @classmethod
    def open(cls, path: Path) -> ArchiveReader:
        """Open the archive for looking. Raises NotFound if it is not there or is still being made."""
        reader = cls(path)
        reader.sessions(limit=1)
        return reader

    def sessions(self, limit: int = 50, offset: int = 0) -> list[SessionRow]:
        """Return sessions, newest first."""
        with snapshot(self.path) as connection:
            return queries.sessions(connection, limit, offset)

    def session(self, prefix: str) -> SessionRow:
        """Return the session whose id begins with `prefix`; NotFound if there is none, or more than one."""
        with snapshot(self.path) as connection:
            return queries.session(connection, prefix)

    def groups(self, sid: str) -> list[GroupRow]:
        with snapshot(self.path) as connection:
            return queries.groups(connection, sid)

    def history(self, sid: str, group: int) -> list[HistoryRow]:
        """Return the staircase of improvements of a group, first to finish first."""
        with snapshot(self.path) as connection:
            return queries.history(connection, sid, group)

    def best(self, sid: str, group: int) -> BestRow | None:
        """Return a group's best fit, or None while no job gave a chisq."""
        with snapshot(self.path) as connection:
            return queries.best(connection, sid, group)

    def best_fit(self, sid: str, group: int) -> Fit | None:
        """Return the fit with the smallest chisq of a group, with its whole output; None while no job gave one."""
        with snapshot(self.path) as connection:
            return fits.best(connection, sid, group)

    def last_ok(self, sid: str, group: int, joblist: int, before: int) -> Fit | None:
        """Return the last job of a job list before a number that is ok; None if none is."""
        with snapshot(self.path) as connection:
            return fits.last_ok(connection, sid, group, joblist, before)

    def messages(self, sid: str, limit: int = MOST_MESSAGES) -> list[MessageRow]:
        """Return the newest messages of a session's reducers, oldest of them first."""
        with snapshot(self.path) as connection:
            return queries.messages(connection, sid, limit)

    def failures(self, sid: str, limit: int = MOST_FAILURES) -> list[FailureRow]:
        """Return the jobs of a session that failed for good, with the reason in words."""
        with snapshot(self.path) as connection:
            return queries.failures(connection, sid, limit)

    def jobs(self, sid: str, limit: int = 100, offset: int = 0) -> list[JobRow]:
        """Return the finished jobs of a session in the order of their names."""
        with snapshot(self.path) as connection:
            return job_queries.jobs(connection, sid, limit, offset)

    def job(self, prefix: str, group: int, joblist: int, job: int) -> JobDetail:
        """Return all that is known of one job; NotFound if there is no such session, or no such job in it."""
        with snapshot(self.path) as connection:
            return job_queries.job(connection, queries.session(connection, prefix).sid, group, joblist, job)

    def failed_jobs(self, sid: str) -> dict[tuple[int, int], Intervals]:
        """Return the jobs that failed for good, for each (group, job list)."""
        with snapshot(self.path) as connection:
            return job_queries.failed_jobs(connection, sid)

    def running(self, sid: str) -> list[RunningRow]:
        """Return the jobs of a session that live nodes said they run, a second or two ago."""
        with snapshot(self.path) as connection:
            return job_queries.running(connection, sid)

    def attempts(self, sid: str, limit: int = 100) -> list[AttemptRow]:
        """Return the runs of a session that ended nothing, in the order of the jobs' names."""
        with snapshot(self.path) as connection:
            return job_queries.attempts(connection, sid, limit)

    def files(self, sid: str, job: tuple[int, int, int] | None = None) -> list[FileRow]:
        """Return the files that jobs of a session left, or one job (group, job list, job)."""
        with snapshot(self.path) as connection:
            return job_queries.files(connection, sid, job)

    def nodes(self) -> list[NodeRow]:
        with snapshot(self.path) as connection:
            return queries.nodes(connection)

    def session_page(self, prefix: str) -> SessionPage:
        """Return all that the page of one session shows, of one instant."""
        with snapshot(self.path) as connection:
            row = queries.session(connection, prefix)
            groups = [
                GroupPage(group, queries.best(connection, row.sid, group.group))
                for group in queries.groups(connection, row.sid)
            ]
            failures = queries.failures(connection, row.sid, MOST_FAILURES)
            messages = queries.messages(connection, row.sid, MOST_MESSAGES)
            return SessionPage(row, groups, failures, messages, job_queries.running(connection, row.sid))

    def history_version(self, prefix: str, group: int) -> str:
        """Return a short text that changes whenever the picture of a group's chi-square does."""
        with snapshot(self.path) as connection:
            return queries.history_version(connection, _group(connection, prefix, group))

    def best_version(self, prefix: str, group: int) -> str:
        """Return a short text that changes whenever the picture of a group's best fit does."""
        with snapshot(self.path) as connection:
            return queries.best_version(connection, _group(connection, prefix, group))

    def history_picture(self, prefix: str, group: int) -> HistoryPicture:
        """Return what the picture of a group's chi-square shows, of one instant."""
        with snapshot(self.path) as connection:
            row = _group(connection, prefix, group)
            steps = queries.history(connection, row.sid, group)
            return HistoryPicture(row, steps, queries.dots(connection, row, MOST_DOTS))


def _group(connection: sqlite3.Connection, prefix: str, group: int) -> GroupRow:
    return queries.group(connection, queries.session(connection, prefix).sid, group)
