"""A session as it is sent once more: what it was, and what is to be different."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePath

from park_spool import admitted, layout
from park_spool.atomic import Disk, files_below
from park_spool.delivering.answer import Answer
from park_spool.errors import NotFound, SessionError
from park_spool.looking import outcome
from park_spool.looking.outcome import Gathered
from park_spool.looking.standing import Look
from park_spool.sessions import again
from park_spool.sessions.again import Found
from park_spool.sessions.session import Session
from park_spool.sessions.writing import to_xml
from park_spool.start_values import of_parameters
from park_spool.submit import Parcel


def parcel(
    look: Look, sid: str, changes: Mapping[str, str], job: str | None = None, is_from_best: bool = False
) -> Parcel:
    """Return a session with its data to be sent once more.

    `changes` are set in every input; `job` is the fit that it starts from, or `is_from_best`. Raises NotFound if there
    is no such session or no fit, SessionError for a change that cannot be made.
    """
    found = admitted.find(look.disk, look.settings.layout, sid)
    if found is None:
        raise NotFound(f"there is no session {sid} on the spool any more; nothing was sent")
    folder, session = found
    fresh = session.session
    if job is not None or is_from_best:
        fresh = again.from_fits(fresh, fits(look, sid, job))
    if changes:
        fresh = again.changed(fresh, changes)
    xml = _received(look.disk, folder) if fresh is session.session else _written(fresh)
    files = layout.session_files(folder)
    sent = {path.relative_to(files).as_posix(): path for path in files_below(files)}
    return Parcel(folder, f"{PurePath(session.file).stem}.xml", xml, sent or None)


def _received(disk: Disk, folder: Path) -> bytes:
    data = disk.read(layout.session_xml(folder))
    if data is None:
        raise NotFound(f"{layout.session_xml(folder)} is not there; nothing was sent")
    return data


def _written(session: Session) -> bytes:
    try:
        return to_xml(session)
    except ValueError as error:
        raise SessionError(f"{error}; nothing was sent") from error


def fits(look: Look, sid: str, job: str | None) -> list[Found]:
    """Return the fits to start from: that of a job, or the best ones. Raises NotFound if there is none."""
    there = outcome.find(look, sid)
    if not isinstance(there, Gathered):
        if job is not None or any(group["data_sets"] for group in there.summary()["groups"]):
            raise NotFound(f"{look.note}; nothing was sent")
        return [(fit["job"], of_parameters(fit["parameters"])) for fit in there.best()]
    if job is not None:
        return [(job, of_parameters(there.gathering.fit(job)[0].parameters))]
    found = best_of(there.answer)
    if not found:
        raise NotFound(f"session {sid} has no fit to start from; nothing was sent")
    return found


def best_of(answer: Answer) -> list[Found]:
    """Return the best fit of each group, of a batch that of each data set."""
    fits = [fit for group in answer.groups for fit in (group.batch.values() if group.batch else [group.best]) if fit]
    return [(fit.job, of_parameters(list(fit.parameters))) for fit in fits]
