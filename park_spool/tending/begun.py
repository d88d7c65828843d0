"""One admission that was begun: the folder `sessions/.SID`, and what stands in it (PROTOCOL.md section 6).

    .SID/received.json    what is known of the submission besides its bytes
    .SID/session.xml      the session; of a folder or a zip taken out of it here
    .SID/files/           what came with it
    .SID/submission.zip   the zip, as it came
    .SID/sender.json      the marker of who sent it, if it is believed; until then in files/

Guarantees: any spoold may do any of this, once more or at the same time: no bytes of a user are lost.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from park_spool import layout, naming, senders
from park_spool.atomic import Disk, files_below
from park_spool.errors import SessionError
from park_spool.member import Member
from park_spool.sessions import submission
from park_spool.tending.rejection import reject

RECEIVED = "received.json"
MAX_FILE = 200  # bytes of a file's name that stay, where an id is put before it


@dataclass(frozen=True, slots=True)
class Received:
    """What is known of a submission besides its bytes: kept beside it, so that any spoold can finish the admission.

    `sid` is the id that it was taken under, and that its sender may know it by.
    """

    file: str
    owner: str
    at: float
    sid: str

    def encode(self) -> bytes:
        return json.dumps(asdict(self)).encode()


class Begun:
    """What stands under `sessions/.SID`."""

    def __init__(self, member: Member, sid: str) -> None:
        self._member, self._disk = member, member.disk
        self.sid = sid
        self.folder = member.layout.admitting(sid)

    @property
    def is_empty(self) -> bool:
        places = (layout.session_xml, layout.session_zip, layout.session_files)
        return not any(self._disk.kind(place(self.folder)) for place in places)

    def received(self) -> Received:
        """Read what was noted of it; what can be guessed where that is torn or missing."""
        try:
            fields = json.loads(self._disk.read(self.folder / RECEIVED) or b"{}")
            sid = str(fields.get("sid", self.sid))
            kept = sid if naming.is_sid(sid) else self.sid
            return Received(str(fields["file"]), str(fields["owner"]), float(fields["at"]), kept)
        except (ValueError, KeyError, TypeError, AttributeError):
            return Received(f"{self.sid}.xml", "", self._member.wall(), self.sid)

    def open(self) -> tuple[bytes, frozenset[str] | None]:
        """Return the session's XML, and the names of the files that came with it (None for a lone XML file)."""
        files, package = layout.session_files(self.folder), layout.session_zip(self.folder)
        self._take_marker(files)
        if self._disk.kind(files) is None and self._disk.kind(package) is not None:
            self._unpack(package, files)
        xml = layout.session_xml(self.folder)
        if self._disk.kind(files) is None:
            return read(self._disk, xml), None
        names = submission.contents(files)
        if self._disk.kind(xml) is None:
            name = submission.session_name(names)
            # CRASH: until this rename the session file stands under its own name in files/; then it is session.xml.
            self._disk.move(files / name, xml)
            names -= {name}
        return read(self._disk, xml), names

    def owner(self) -> str:
        """Return whose it is: the user whom a marker names that is believed, else the owner of what was dropped."""
        return owner_of(self._disk, self.folder, self._member.layout.root)

    def _take_marker(self, files: Path) -> None:
        """Take the marker out of what came, if it is believed."""
        if senders.in_folder(self._disk, files, self._member.layout.root):
            # CRASH: until this rename it stands in files/ and is believed there; then it is sender.json.
            self._disk.move(files / senders.MARKER, self.folder / senders.TAKEN)

    def _put_marker_back(self) -> None:
        """Put the marker beside the session again, in the folder that goes back or aside."""
        self._disk.move(self.folder / senders.TAKEN, layout.session_files(self.folder) / senders.MARKER)

    def _unpack(self, package: Path, files: Path) -> None:
        # RACE: not below `.SID`: another spoold may finish that meanwhile, and unpacking on would make it again.
        fresh = self._member.layout.tmp / f"{self._member.name}{files.parent.name}"
        try:
            submission.unpack(package, fresh, self._member.config.max_submission_bytes)
            if self._disk.kind(fresh / senders.MARKER) == "file":
                self._disk.unlink(fresh / senders.MARKER)  # what is unpacked is ours, and would be believed
            self._disk.move(fresh, files)
        finally:
            self._disk.remove_tree(fresh)

    def sync(self) -> None:
        """Make the submission durable."""
        files = sorted(files_below(layout.session_files(self.folder)))
        for path in [layout.session_xml(self.folder), *files, *sorted({path.parent for path in files})]:
            try:
                self._disk.sync(path)
            except PermissionError as error:
                raise SessionError(f"{path.name} cannot be read: {error.strerror}") from error

    def drop(self) -> None:
        """Remove a `.SID` that holds no submission; one that came in meanwhile stays, for whoever finishes it.

        RACE: so what spoold wrote itself is removed by name, and nothing that may be a user's.
        """
        for path in (self.folder / RECEIVED, layout.session_json(self.folder), self.folder / senders.TAKEN):
            self._disk.unlink(path)
        self._disk.remove_folder(self.folder)

    def give_back(self) -> None:
        """Put what was taken back into the inbox, under a name that is nobody else's and keeps the sender's id.

        RACE: whoever began it may only be slow, and admit it yet: so `.SID` gets another id first, and one rename wins.
        CRASH: what then stands under that id is finished, or given back, as any other.
        """
        received = self.received()
        other = Begun(self._member, naming.new_sid(self._member.wall(), self._member.choose))
        # At this rename it is no longer being admitted as SID.
        if self._disk.move(self.folder, other.folder):
            other._return(received)

    def _return(self, received: Received) -> None:
        target = self._free(received)
        xml, files, package = (
            place(self.folder) for place in (layout.session_xml, layout.session_files, layout.session_zip)
        )
        if self._disk.kind(package) is not None:
            self._disk.remove_tree(files)  # copies of what is in the zip
            self._disk.unlink(xml)
            self._disk.move(package, target)
        elif self._disk.kind(files) is not None:
            self._disk.move(xml, files / "session.xml")
            self._put_marker_back()
            self._disk.move(files, target)
        else:
            self._disk.move(xml, target)
        self.drop()

    def _free(self, received: Received) -> Path:
        """Return a name in the inbox for what goes back there: what lies there is never overwritten."""
        stem, dot, ending = received.file.rpartition(".")
        stem, ending = (stem, dot + ending) if stem and len(ending) < 10 else (received.file, "")
        file = f"{os.fsdecode(os.fsencode(stem)[:MAX_FILE])}{ending}"
        target = self._member.layout.inbox / naming.submitted_name(received.sid, file)
        return target if self._disk.kind(target) is None else target.with_name(naming.submitted_name(self.sid, file))

    def reject(self, reason: str) -> None:
        """Put it aside as it came, with the reason."""
        received, owner = self.received(), self.owner()
        sent = f"\nIt was sent for {owner}." if owner != received.owner else ""
        places = (layout.session_zip, layout.session_files, layout.session_xml)
        for place in places:
            path = place(self.folder)
            if self._disk.kind(path) is None:
                continue
            if path == layout.session_files(self.folder):
                self._disk.move(layout.session_xml(self.folder), path / "session.xml")
                self._put_marker_back()
            why = f"{received.file}: {reason}{sent}\nIt would have been session {self.sid}."
            if not reject(self._member, path, received.file, why):
                return
            if place == layout.session_zip:  # what was unpacked from it is only a copy
                self._disk.remove_tree(layout.session_files(self.folder))
                self._disk.unlink(layout.session_xml(self.folder))
            break
        self.drop()


def owner_of(disk: Disk, folder: Path, spool: Path) -> str:
    """Return whose a `.SID` is: its marker's user, else the owner of what was dropped; empty if nobody knows."""
    marked = senders.sender_of_begun(disk, folder, spool)
    if marked:
        return marked
    try:
        return str(json.loads(disk.read(folder / RECEIVED) or b"{}")["owner"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""


def read(disk: Disk, path: Path) -> bytes:
    """Read a session's XML. Raises SessionError if it cannot be read, or is gone."""
    try:
        data = disk.read(path)
    except PermissionError as error:
        raise SessionError(
            f"cannot be read: {error.strerror}; expected a file that the spool's account may read"
        ) from error
    if data is None:
        raise SessionError("is not there any more")
    return data
