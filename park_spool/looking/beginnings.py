"""What one job starts from, for who runs it again: the start values on the spool, or what the archive says they were.

The start of a step is gone when the step is final; what it was follows from the archive.
"""

from __future__ import annotations

from pathlib import Path

from park_spool import starts
from park_spool.admitted import Admitted
from park_spool.archive.reading import ArchiveReader
from park_spool.atomic import Disk
from park_spool.config import Config
from park_spool.errors import NotFound
from park_spool.naming import Start
from park_spool.start_values import start_values
from park_spool.starts import Given, waits_of


def beginnings(settings: Config, folder: Path, session: Admitted, key: tuple[int, int], job: int) -> list[Given]:
    """Return the start values of a job, those that are laid over the others last; none if it waits for nothing.

    Raises NotFound if what it waits for is not over, or cannot be known here.
    """
    disk = Disk(settings.layout.tmp, "beginnings")
    needed = waits_of(session.session).needed(key, job)
    return [starts.read_one(disk, folder, start) or _as_archived(settings, session, start) for start in needed]


def _as_archived(settings: Config, session: Admitted, start: Start) -> Given:
    if not start.job:
        ahead = waits_of(session.session).groups[start.group].name
        raise NotFound(f"group {start.group} of session {session.sid} has no start values yet: it waits for {ahead}")
    reader, before = ArchiveReader(settings.archive), (start.group, start.joblist, start.job - 1)
    if reader.job(session.sid, *before).row is None:
        names = [".".join(map(str, (*start.key, job))) for job in (start.job, start.job - 1)]
        raise NotFound(f"job {names[0]} of session {session.sid} waits for job {names[1]}")
    fit = reader.last_ok(session.sid, start.group, start.joblist, start.job)
    return Given() if fit is None else Given(start_values(fit.output), session.sid, fit.name, fit.chisq)
