"""Where sessions stand, from the spool alone and, where it can be read, from the archive.

The spool says which sessions there are and which jobs are final; the archive says how they ended and what was best. It
may not be there yet, be on another host, or be older than the spool, so every answer here works without it.
Light: `park status` asks this and must start at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from park_spool import admitted, intervals, naming, replies, sealed, tallies
from park_spool.admitted import Admitted
from park_spool.archive.reading import ArchiveReader
from park_spool.archive.rows import SessionRow
from park_spool.atomic import Disk
from park_spool.config import Config
from park_spool.errors import NotFound, ParkError, TornError
from park_spool.layout import Layout

Place = Literal["inbox", "admitting", "open", "closed"]
ENDED = ("done", "failed")


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


def places(disk: Disk, spool: Layout) -> dict[str, Place]:
    """Say where each session of a spool is. Looks in the order of movement, so that none is missed on its way."""
    found: dict[str, Place] = dict.fromkeys(in_inbox(disk, spool), "inbox")
    for name in disk.names(spool.sessions, hidden=True):
        if naming.is_sid(name.removeprefix(".")):
            found[name.removeprefix(".")] = "admitting" if name.startswith(".") else "open"
    found.update({sid: "closed" for sid in disk.names(spool.closed) if naming.is_sid(sid)})
    return found


def in_inbox(disk: Disk, spool: Layout) -> dict[str, str]:
    """Return the session ids that senders chose for what still lies in the inbox, with the names of their files."""
    pairs = (naming.split_submitted(name) for name in disk.names(spool.inbox))
    return {sid: file for sid, file in pairs if sid is not None}


def complete(prefix: str, sids: Collection[str]) -> str:
    """Return the session id that a prefix means. Raises NotFound if there is none, or more than one.

    >>> complete("2026", ["20261123-025532-k3j9"])
    '20261123-025532-k3j9'
    """
    found = sorted(sid for sid in sids if sid.startswith(prefix))
    if prefix in found:
        return prefix
    if len(found) == 1:
        return found[0]
    if not found:
        raise NotFound(f"no session begins with {prefix!r}; `park status` lists those that there are")
    names = ", ".join(found[:3]) + (" …" if len(found) > 3 else "")
    raise NotFound(f"{prefix!r} begins the names of several sessions ({names}); give more of it")


class Look:
    """One look at a spool: its sessions, and the archive's rows for them as far as it can be read."""

    def __init__(self, settings: Config) -> None:
        self.settings = settings
        self.disk = Disk(settings.layout.tmp, "status")
        self.places = places(self.disk, settings.layout)
        self.note = ""

    def newest(self, count: int) -> list[Standing]:
        """Return the newest sessions, the newest first."""
        rows = {row.sid: row for row in self._rows(count)}
        sids = sorted({*self.places, *rows}, reverse=True)[:count]
        return [self._standing(sid, rows.get(sid)) for sid in sids]

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

    def _rows(self, count: int) -> list[SessionRow]:
        try:
            return ArchiveReader(self.settings.archive).sessions(limit=count)
        except ParkError as error:
            self.note = str(error)
            return []

    def _row(self, sid: str) -> SessionRow | None:
        try:
            return ArchiveReader(self.settings.archive).session(sid)
        except ParkError as error:
            self.note = str(error)
            return None

    def _standing(self, sid: str, row: SessionRow | None) -> Standing:
        place = self.places.get(sid)
        if place in ("inbox", "admitting"):
            return Standing(sid, "", in_inbox(self.disk, self.settings.layout).get(sid, ""), "queued", None, 0)
        session = self._admitted(sid) if place is not None else None
        if row is not None and (session is None or row.ok + row.failed == row.jobs):
            return of_row(row, place)
        return self._of_spool(sid, session, row, place) if session else Standing(sid, "", "", "queued", None, 0)

    def _of_spool(self, sid: str, session: Admitted, row: SessionRow | None, place: Place | None) -> Standing:
        """Tell of a session from its tallies; the archive, if it knows it, adds how the jobs went."""
        final = final_jobs(self.disk, self.settings.layout, sid)
        if row is not None and row.ok + row.failed >= final:
            return of_row(row, place)
        state = "closed" if place == "closed" else "running" if final else "queued"
        return Standing(sid, session.user, session.file, state, sum(session.session.sizes().values()), final)

    def _admitted(self, sid: str) -> Admitted | None:
        try:
            found = admitted.find(self.disk, self.settings.layout, sid)
        except ParkError:
            return None  # `park check` says what is wrong with it
        return found and found[1]


def of_row(row: SessionRow, place: Place | None) -> Standing:
    """Tell of a session from its row; it has ended only once it is closed on the spool, too."""
    state = "running" if place == "open" and row.state in ENDED else row.state
    final = row.ok + row.failed
    return Standing(
        row.sid, row.user, row.file, state, row.jobs, final, row.ok, row.failed, row.best_chisq, row.best_job
    )


def final_jobs(disk: Disk, spool: Layout, sid: str) -> int:
    """Count the jobs of a session that are final by its tallies."""
    counts = (tallies.read(disk, folder, {}) for folder in (spool.session(sid), spool.closed_session(sid)))
    return max(sum(intervals.total(pieces) for pieces in tally.final.values()) for tally in counts)


def ended(look: Look, sid: str) -> Standing:
    """Tell how a closed session ended; from its bundles where this host's archive does not know. Raises NotFound."""
    standing = look.one(sid)
    if standing.state != "closed":
        return standing
    session = admitted.find(look.disk, look.settings.layout, sid)
    if session is None:
        raise NotFound(f"session {sid} has no session.json any more; `park check` says more")
    sizes = session[1].session.sizes()
    jobs = sum(sizes.values())
    ok = ok_jobs(sizes, _results(look.disk, look.settings.layout, sid))
    state = "done" if ok == jobs else "failed"
    return Standing(sid, standing.user, standing.file, state, jobs, jobs, ok, jobs - ok)


def ok_jobs(sizes: Mapping[tuple[int, int], int], results: Iterable[tuple[tuple[int, int], int]]) -> int:
    """Count the jobs with an ok result, each once; `results` are (group, job list) and job of results that are ok.

    >>> ok_jobs({(1, 1): 3}, [((1, 1), 2), ((1, 1), 2), ((1, 1), 3)])
    2
    """
    seen = {key: bytearray(size + 1) for key, size in sizes.items()}
    for key, job in results:
        seen[key][job] = 1
    return sum(map(sum, seen.values()))


def _results(disk: Disk, spool: Layout, sid: str) -> Iterable[tuple[tuple[int, int], int]]:
    """Yield the jobs that the durable bundles of a session call ok."""
    for name in disk.names(spool.bundles(sid)):
        data = disk.read(spool.bundles(sid) / name)
        try:
            for part, reply in sealed.unbind(data or b""):
                decoded = replies.decode(part, reply)
                yield from ((decoded.unit.key, job.job) for job in decoded.jobs if job.status == "ok")
        except TornError:
            continue
