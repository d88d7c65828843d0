"""Where sessions stand, from the spool alone and, where it can be read, from the archive.

The spool says which sessions there are, which jobs are final and what users said; the archive says how they ended and
what was best. It may not be there yet, be on another host, or be older than the spool, so every answer here works
without it. Light: `park status` asks this and must start at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice

from park_spool import admitted, controls, intervals, retries, tallies, whereabouts
from park_spool.admitted import Admitted
from park_spool.archive import finding
from park_spool.archive.finding import Found
from park_spool.archive.reading import ANY, ArchiveReader
from park_spool.archive.rows import SessionRow, Wanted
from park_spool.atomic import Disk
from park_spool.config import Config
from park_spool.controls import Controls
from park_spool.errors import NotFound, ParkError
from park_spool.intervals import Intervals
from park_spool.layout import Layout
from park_spool.looking import bundled, calling
from park_spool.tallies import Tally
from park_spool.whereabouts import Place, complete

STATES = ("queued", "running", "paused", "done", "failed", "cancelled", "deleted")
Key = tuple[int, int]  # (group, job list)


@dataclass(frozen=True, slots=True)
class Standing:
    """One session. `final` counts jobs that have their result; what is not known (yet) is None."""

    sid: str
    user: str
    file: str
    state: str
    jobs: int | None
    final: int
    ok: int | None = None
    failed: int | None = None
    best_chisq: float | None = None
    best_job: str | None = None
    is_closed: bool = False
    why: str | None = None  # it was cancelled, if that was not by its user


class Look:
    """One look at a spool: its sessions, and the archive's rows for them as far as it can be read.

    With `is_of_all` False the closed sessions are not listed, unless that is needed after all; `found` is the archive
    to be read, where that is known already.
    """

    def __init__(self, settings: Config, is_of_all: bool = True, found: Found | None = None) -> None:
        self.settings = settings
        self.disk = Disk(settings.layout.tmp, "status")
        self.note = found.note if found else ""
        self._archive = found.reader if found else None
        if is_of_all:
            _ = self.places

    @cached_property
    def places(self) -> dict[str, Place]:
        """Where every session of the spool is, listed once."""
        return whereabouts.places(self.disk, self.settings.layout)

    def place(self, sid: str) -> Place | None:
        """Say where a session is; without listing them all unless that was done already."""
        if "places" in self.__dict__:
            return self.places.get(sid)
        return whereabouts.place_of(self.disk, self.settings.layout, sid)

    def exactly(self, sid: str) -> Standing:
        """Return the session with this id, without listing all others. Raises NotFound if there is none."""
        place, row = self.place(sid), self._row(sid)
        if place is None and (row is None or row.sid != sid):
            raise NotFound(f"there is no session {sid}; `park status` lists those that there are")
        return self._standing(sid, row if row is not None and row.sid == sid else None)

    def newest(self, count: int) -> list[Standing]:
        """Return the newest sessions, the newest first."""
        rows = {row.sid: row for row in self._rows(count)}
        sids = sorted({*self.places, *rows}, reverse=True)[:count]
        return [self._standing(sid, rows.get(sid)) for sid in sids]

    def wanted(self, wanted: Wanted, count: int) -> list[Standing]:
        """Return the newest sessions that are wanted, the newest first; deleted ones only where that state is wanted.

        What the archive cannot tell, or not yet, is looked up on the spool.
        """
        rows = {row.sid: row for row in self._rows(count, wanted)}
        is_told = self._archive is not None and not self._archive.is_copy
        unsure = {sid for sid, place in self.places.items() if place not in ("closed", "deleted") or not is_told}
        standings = (self._standing(sid, rows.get(sid)) for sid in sorted({*unsure, *rows}, reverse=True))
        return list(islice((one for one in standings if self._is(one, wanted, one.sid in rows)), count))

    def _is(self, one: Standing, wanted: Wanted, is_found: bool) -> bool:
        """Say whether a session is wanted; `is_found`: the archive has found the text in it."""
        if wanted.user not in (None, one.user) or wanted.state not in (None, one.state):
            return False
        if wanted.state is None and one.state == "deleted":
            return False
        text = (wanted.text or "").lower()
        if is_found or text in f"{one.sid} {one.user} {one.file}".lower():
            return True
        session = self.admitted(one.sid)
        groups = session.session.groups if session else ()
        return any(text in f"{group.name} {group.task.cmd}".lower() for group in groups)

    def one(self, prefix: str) -> Standing:
        """Return the session that a prefix means. Raises NotFound if there is none, or more than one."""
        try:
            sid = complete(prefix, self.places)
        except NotFound as error:
            row = self._row(prefix)
            if row is None or any(sid.startswith(prefix) for sid in self.places):
                raise error
            return self._standing(row.sid, row)
        return self._standing(sid, self._row(sid))

    def knows(self, sid: str) -> bool:
        """Say whether anything is known of a session, on the spool or in the archive."""
        if self.place(sid) is not None:
            return True
        try:
            return ArchiveReader(self.settings.archive).session(sid).sid == sid
        except ParkError:
            return False

    def said(self, sid: str) -> Controls:
        """Return what users have said of a session."""
        folder = whereabouts.folder_of(self.settings.layout, sid, self.place(sid))
        return controls.read(self.disk.names(folder)) if folder else Controls()

    def admitted(self, sid: str) -> Admitted | None:
        """Return an admitted session; None if it is not there, or broken."""
        try:
            found = admitted.find(self.disk, self.settings.layout, sid)
        except ParkError:
            return None  # `park check` says what is wrong with it
        return found and found[1]

    def archive(self) -> ArchiveReader:
        """Find the archive to read; `note` says if it is a copy. Raises NotFound if there is none to be read here."""
        if self._archive is None:
            found = finding.find(self.settings, self.disk)
            self._archive, self.note = found.reader, found.note
        return self._archive

    def _rows(self, count: int, wanted: Wanted = ANY) -> list[SessionRow]:
        try:
            return self.archive().sessions(count, wanted=wanted)
        except ParkError as error:
            self.note = str(error)
            return []

    def _row(self, sid: str) -> SessionRow | None:
        if self.disk.kind(self.settings.layout.calls(sid)) is not None:
            return None  # the archive has nothing of an executor, and need not be able to be read for it
        try:
            return self.archive().session(sid)
        except ParkError as error:
            self.note = str(error)
            return None

    def _standing(self, sid: str, row: SessionRow | None) -> Standing:
        place = self.place(sid)
        if place == "deleted":
            return Standing(sid, row.user if row else "", row.file if row else "", "deleted", None, 0, is_closed=True)
        if place in ("inbox", "admitting"):
            file = whereabouts.in_inbox(self.disk, self.settings.layout).get(sid, "")
            return Standing(sid, "", file, "queued", None, 0)
        said = self.said(sid)
        return as_said(self._as_counted(sid, row, place), said, self._why(sid) if said.is_cancelled else None)

    def _why(self, sid: str) -> str | None:
        folder = whereabouts.folder_of(self.settings.layout, sid, self.place(sid))
        return controls.why_cancelled(self.disk, folder, self.disk.names(folder)) if folder else None

    def _as_counted(self, sid: str, row: SessionRow | None, place: Place | None) -> Standing:
        session = self.admitted(sid) if place is not None else None
        is_old = place == "open" and self._archive is not None and self._archive.is_copy
        if row is not None and (session is None or (row.ok + row.failed == row.jobs and not is_old)):
            return of_row(row, place)
        return self._of_spool(sid, session, row, place) if session else Standing(sid, "", "", "queued", None, 0)

    def _of_spool(self, sid: str, session: Admitted, row: SessionRow | None, place: Place | None) -> Standing:
        """Tell of a session from its tallies; the archive, if it knows it, adds how the jobs went."""
        if session.session.grows:
            made, done = calling.counts(self.disk, self.settings.layout, sid)
            name = session.session.attributes.get("name") or session.file
            return Standing(sid, session.user, name, "running", made, done)
        final = final_jobs(self.disk, self.settings.layout, sid)
        if row is not None and row.ok + row.failed >= final:
            return of_row(row, place)
        state = "closed" if place == "closed" else "running" if final else "queued"
        jobs = sum(session.session.sizes().values())
        one = Standing(sid, session.user, session.file, state, jobs, final, is_closed=place == "closed")
        return one if row is None else replace(one, best_chisq=row.best_chisq, best_job=row.best_job)


def of_row(row: SessionRow, place: Place | None) -> Standing:
    """Tell of a session from its row; it has ended only once it is closed on the spool, too."""
    final = row.ok + row.failed
    state = row.state
    if place == "open" and state not in ("queued", "running"):
        state = "running" if final else "queued"  # what users said comes from the spool, see `as_said`
    counts = (row.jobs, final, row.ok, row.failed, row.best_chisq, row.best_job)
    return Standing(row.sid, row.user, row.file, state, *counts, is_closed=place in ("closed", None))


def as_said(one: Standing, said: Controls, why: str | None = None) -> Standing:
    """Put what was said of a session into its state; `why`: it was cancelled.

    >>> as_said(Standing("20261123-025532-k3j9", "w", "film.xml", "running", 48, 7), Controls(is_paused=True)).state
    'paused'
    """
    if said.is_stopped:
        return replace(one, state="deleted" if said.is_deleted else "cancelled", why=why)
    return replace(one, state="paused") if said.is_paused and not one.is_closed else one


def tally(disk: Disk, spool: Layout, sid: str) -> Tally:
    """Return what a session's tallies call final, less what was asked to be run again since."""
    found = Tally()
    for folder in (spool.session(sid), spool.closed_session(sid)):
        again = retries.read(disk, folder, disk.names(folder), {})
        found = tallies.union([found, tallies.read(disk, folder, {}, again)])
    return found


def final_jobs(disk: Disk, spool: Layout, sid: str) -> int:
    """Count the jobs of a session that are final by its tallies."""
    return sum(intervals.total(pieces) for pieces in tally(disk, spool, sid).final.values())


def ended(look: Look, sid: str) -> Standing:
    """Tell how a closed session ended; from its bundles where this host's archive does not know. Raises NotFound."""
    standing = look.one(sid)
    if standing.state == "deleted" or standing.ok is not None:
        return standing
    session = look.admitted(sid)
    if session is None:
        raise NotFound(f"session {sid} has no session.json any more; `park check` says more")
    sizes = session.session.sizes()
    jobs = sum(sizes.values())
    found = bundled.ok_jobs(sizes, bundled.results(look.disk, look.settings.layout, sid))
    ok = sum(map(intervals.total, found.values()))
    failed = standing.final - ok if standing.state == "cancelled" else jobs - ok
    state = standing.state if standing.state == "cancelled" else "done" if ok == jobs else "failed"
    return replace(standing, state=state, final=ok + failed, ok=ok, failed=failed)


def failed_jobs(look: Look, sid: str) -> dict[Key, Intervals]:
    """Return the jobs that failed for good and were not asked for again since. Raises NotFound."""
    now = tally(look.disk, look.settings.layout, sid)
    try:
        reader = look.archive()
        failed = _not_ok(look, sid, now) if reader.is_copy else reader.failed_jobs(sid)  # a copy may be minutes old
    except ParkError:
        failed = _not_ok(look, sid, now)
    # The archive learns of a retry a moment later than the spool: what is asked for already has not failed for good.
    found = {key: intervals.intersect(pieces, now.final.get(key, [])) for key, pieces in failed.items()}
    return {key: pieces for key, pieces in found.items() if pieces}


def _not_ok(look: Look, sid: str, now: Tally) -> dict[Key, Intervals]:
    """Return the final jobs of a session that no durable bundle calls ok."""
    session = look.admitted(sid)
    sizes = session.session.sizes() if session else {}
    ok = bundled.ok_jobs(sizes, bundled.results(look.disk, look.settings.layout, sid))
    return {key: intervals.subtract(pieces, ok.get(key, [])) for key, pieces in now.final.items()}
