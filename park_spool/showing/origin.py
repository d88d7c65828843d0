"""Where a session came from and what ran it: its XML as received, data sets, nodes and libraries, and its events."""

from __future__ import annotations

from dataclasses import dataclass

from park_spool import layout, whereabouts
from park_spool.archive.reading import ArchiveReader
from park_spool.atomic import Disk
from park_spool.config import Config
from park_spool.errors import NotFound
from park_spool.showing.job import ProvenanceShown, provenance


@dataclass(frozen=True, slots=True)
class DataSetShown:
    """A data set that jobs of a group read: its name in the session, where it is, and the digest of what was read."""

    group: int
    name: str
    href: str
    sha256: str


@dataclass(frozen=True, slots=True)
class EventShown:
    """What happened to a session: `what` (admitted, cancel, pause, …), by whom, when (None: nobody says)."""

    at: float | None
    what: str
    who: str
    detail: str


@dataclass(frozen=True, slots=True)
class Origin:
    """All that is known of where a session's results came from; events in time, the first thing first."""

    sid: str
    ran: tuple[ProvenanceShown, ...]
    data: tuple[DataSetShown, ...]
    events: tuple[EventShown, ...]


def origin(reader: ArchiveReader, sid: str) -> Origin:
    """Return it. Raises NotFound if there is no such session in the archive."""
    known = reader.session(sid).sid
    data = tuple(DataSetShown(row.group, row.name, row.href, row.sha256) for row in reader.data_sets(known))
    events = tuple(EventShown(row.at, row.what, row.who, row.detail) for row in reader.events(known))
    return Origin(known, provenance(reader, known), data, events)


def xml(settings: Config, disk: Disk, reader: ArchiveReader | None, sid: str) -> bytes:
    """Return a session's XML as it was received, byte for byte where it still stands on the spool, else as archived.

    Raises NotFound if it is not to be had.
    """
    place = whereabouts.place_of(disk, settings.layout, sid)
    folder = whereabouts.folder_of(settings.layout, sid, place)
    data = disk.read(layout.session_xml(folder)) if folder is not None else None
    if data is None and reader is not None:
        data = reader.xml(sid).encode()
    if not data:
        raise NotFound(f"the XML of session {sid} is not here: there is no such session, or it was deleted")
    return data
