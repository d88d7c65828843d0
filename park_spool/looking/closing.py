"""Waiting for the end of a session: looks at the spool until it is closed or deleted, or was rejected, or is gone."""

from __future__ import annotations

import time
from collections.abc import Iterator

from park_spool import whereabouts
from park_spool.atomic import Disk
from park_spool.config import Config
from park_spool.errors import NotFound, SessionError

LOOKS_PER_SECOND = 5
REFRESH_SECONDS = 30.0


def until_closed(sid: str, settings: Config, disk: Disk) -> Iterator[float]:
    """Yield at each look until a session is closed or deleted.

    Raises SessionError if it was rejected, NotFound if it is gone.
    """
    absent_since: float | None = None
    for now in _looks(disk, settings):
        place = whereabouts.places(disk, settings.layout).get(sid)
        if place in ("closed", "deleted"):
            return
        yield now
        if place is not None:
            absent_since = None
            continue
        if reason := whereabouts.rejection(disk, settings.layout, sid):
            raise SessionError(f"session {sid} was rejected: {reason}")
        absent_since = now if absent_since is None else absent_since
        # NFS: one folder's listing may be older than the other's, so it is gone only if it stays so.
        if now - absent_since > settings.staleness_seconds:
            raise NotFound(f"session {sid} is neither in the inbox nor in sessions/ any more")


def _looks(disk: Disk, settings: Config) -> Iterator[float]:
    """Yield the time of each look, a while apart."""
    refreshed = time.monotonic()
    while True:
        now = time.monotonic()
        yield now
        time.sleep(1 / LOOKS_PER_SECOND if not settings.is_shared else settings.look_seconds)
        if settings.is_shared and now - refreshed > REFRESH_SECONDS:
            # NFS: a listing can stay stale until the folder's next change.
            disk.refresh(settings.layout.closed)
            refreshed = now
