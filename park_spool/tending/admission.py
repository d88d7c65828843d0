"""Admission: from a name in the inbox to an admitted session, or to rejected/ with the reason (PROTOCOL.md section 6).

    inbox/NAME ──rename──► sessions/.SID/… ──parse, write, fsync──► rename .SID → SID     at that instant: admitted
                                           └─cannot be admitted──► rejected/NAME + NAME.why

Guarantees: one spoold wins each name; what is parsed is what is owned; a crash anywhere leaves a `.SID` that any spoold
finishes (`finish`) or an untouched inbox. Nothing is ever lost: bytes end up in sessions/ or in rejected/.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from pathlib import Path

from park_spool import layout, naming, senders
from park_spool.admitted import Admitted
from park_spool.catalog.registry import Registry
from park_spool.errors import MalformedXml, PermanentError, SessionError
from park_spool.member import Member
from park_spool.sessions.parsing import Limits, parse_session
from park_spool.sessions.session import Session
from park_spool.sessions.xml_tree import parse_tree
from park_spool.tending import inbox
from park_spool.tending.begun import RECEIVED, Begun, Received, read
from park_spool.tending.bundling import Bundling
from park_spool.tending.inbox import Inbox
from park_spool.tending.listings import Listings, Unanswered, nobody
from park_spool.tending.rejection import reject

log = logging.getLogger(__name__)


class Admission:
    """One spoold's hands on the inbox."""

    def __init__(self, member: Member, listings: Listings | None = None) -> None:
        self._member = member
        self._disk = member.disk
        self._layout = member.layout
        self.inbox = Inbox()
        self._bundling = Bundling(member, listings or Listings(nobody, member.monotonic))
        self._parsed: bytes | None = None
        self._refused: dict[str, object] = {}
        self._malformed: dict[Path, object] = {}

    def step(self) -> list[str]:
        """Look through the inbox once; return the SIDs that were admitted."""
        names = self._disk.names(self._layout.inbox)
        self.inbox.forget(names)
        self._bundling.forget(names)
        return [sid for name in names if (sid := self._consider(name)) is not None]

    def _consider(self, name: str) -> str | None:
        path = self._layout.inbox / name
        kind = self._disk.kind(path)
        if kind is None:
            return None
        what = inbox.kind_of(name, kind)
        try:
            mark = inbox.signature(self._disk, path, kind)
        except PermissionError:
            mark = None
        still = self.inbox.still(name, mark, self._member.monotonic())
        is_closed = self.inbox.is_closed(name) and (what != "folder" or self._is_marked(path))
        self._parsed = None
        if self._bundling.is_waiting(name, mark):
            return None
        decision = inbox.decide(what, is_closed, still, lambda: self._is_well_formed(path, mark), self._member.config)
        if decision == "wait" or self._refused.get(name, self) == mark:
            return None
        if not self._bundling.may_go(name, path, mark, senders.sender(self._disk, path, self._layout.root)):
            return None
        try:
            return self._take(name, what, path)
        except FileNotFoundError as error:
            # RACE: another spoold took the `.SID` for a leftover, and removed it.
            log.warning("inbox/%s: %s; trying again", name, error)
            return None
        except PermissionError as error:
            # One name that may not be moved must not stop the line: it is left alone until it changes.
            log.error("inbox/%s: %s; it stays there until it changes", name, error)
            self._refused[name] = mark
            return None

    def _is_marked(self, path: Path) -> bool:
        """Say whether a folder was made by who sends for others: they write nothing in it once it is in the inbox."""
        return bool(senders.in_folder(self._disk, path, self._layout.root))

    def _is_well_formed(self, path: Path, mark: object) -> bool:
        """Say whether a file is XML to its end; one that was not is not parsed again until it changes."""
        if self._malformed.get(path, self) == mark:
            return False
        try:
            self._parsed = read(self._disk, path)
            parse_tree(self._parsed, Limits())
        except MalformedXml:
            self._malformed = {path: mark, **{old: seen for old, seen in self._malformed.items() if old.exists()}}
            return False
        except PermanentError:
            return True
        return True

    # taking

    def _take(self, name: str, what: inbox.Kind, path: Path) -> str | None:
        """Move a whole name into a `.SID` of our own, and finish it there.

        Only a name in one's own folder counts as won.
        """
        if what == "unknown":
            expected = "a session as NAME.xml, a folder or NAME.zip with one session and its data"
            reject(self._member, path, name, f"{name}: expected {expected}")
            return None
        if self._is_being_admitted(name):
            # CRASH: its `.SID` may be an empty leftover; the janitor clears that, then the SID is free again.
            return None
        sid, file = self._choose_sid(name)
        folder = self._layout.admitting(sid)
        if not self._disk.make_folder(folder):
            return None  # RACE: another spoold took the same name; the next look tells
        received = Received(file, self._owner(path), self._member.wall(), sid)
        self._disk.publish(folder / RECEIVED, received.encode())
        target = {"xml": layout.session_xml, "zip": layout.session_zip, "folder": layout.session_files}[what](folder)
        is_won = False
        try:
            is_won = self._disk.move(path, target)
        finally:
            if not is_won:
                Begun(self._member, sid).drop()
        return self.finish(sid, self._parsed) if is_won else None

    def _is_being_admitted(self, name: str) -> bool:
        chosen, _ = naming.split_submitted(name)
        return chosen is not None and self._disk.kind(self._layout.admitting(chosen)) is not None

    def _choose_sid(self, name: str) -> tuple[str, str]:
        """Use the SID that the sender chose, if it is free; else make one."""
        chosen, file = naming.split_submitted(name)
        if chosen is not None and not self._is_taken(chosen):
            return chosen, file
        return naming.new_sid(self._member.wall(), self._member.choose), file

    def _is_taken(self, sid: str) -> bool:
        # RACE: not by a `.SID`: another spoold may have begun with this very name, which is to keep its id.
        return self._was_admitted(sid) or self._disk.kind(self._layout.bundles(sid)) is not None

    def _was_admitted(self, sid: str) -> bool:
        places = (self._layout.session(sid), self._layout.closed_session(sid), self._layout.tombstone(sid))
        return any(self._disk.kind(place) is not None for place in places)

    def _owner(self, path: Path) -> str:
        """Name the owner of a dropped file: the identity of a submission is its file's owner."""
        try:
            return path.owner()
        except (KeyError, OSError):
            return ""

    # finishing

    def unfinished(self) -> list[str]:
        """List the SIDs whose admission was begun: by this spoold, by another, or by one that died."""
        names = self._disk.names(self._layout.sessions, hidden=True)
        return [name[1:] for name in names if name.startswith(".") and naming.is_sid(name[1:])]

    def finish(self, sid: str, seen: bytes | None = None) -> str | None:
        """Finish a `.SID`: admit it, reject what cannot be admitted, remove it if it holds nothing.

        Safe to call twice, and by two.

        `seen`: what was parsed before the file was taken. Other bytes mean that somebody still writes: it goes back.
        """
        with suppress(FileNotFoundError):  # RACE: another spoold finished it meanwhile
            return self._finish(Begun(self._member, sid), seen)
        return None

    def _finish(self, begun: Begun, seen: bytes | None) -> str | None:
        sid, received = begun.sid, begun.received()
        if begun.is_empty:
            begun.drop()
            return None
        try:
            if self._was_admitted(sid):
                raise SessionError(f"a session {sid} was admitted before: it was sent twice under one id")
            xml, files = begun.open()
            if seen is not None and xml != seen:
                begun.give_back()
                return None
            owner = begun.owner()
            session = self._parse(xml, files, sid, owner)
            begun.sync()
        except Unanswered as error:
            # CRASH: whoever took it had the answer, and died; it is asked for again from the inbox.
            log.info("%s: %s; it goes back into the inbox", received.file, error)
            begun.give_back()
            return None
        except PermanentError as error:
            begun.reject(str(error))
            return None
        file = received.file.encode(errors="replace").decode()  # a name in Latin-1 is no text
        attempts = self._member.config.max_attempts
        record = Admitted(sid, file, owner, received.at, attempts, session).encode()
        return self._admit(sid, begun.folder, record)

    def _parse(self, xml: bytes, files: frozenset[str] | None, sid: str, owner: str) -> Session:
        config = self._member.config
        registry, is_open = Registry.load(config.service_folders), config.functions_by_value
        return parse_session(xml, registry, Limits(), files, self._bundling.places(owner), sid, is_open)

    def _admit(self, sid: str, folder: Path, record: bytes) -> str | None:
        self._disk.publish(layout.session_json(folder), record, durable=True)
        # At this instant the session is admitted.
        if not self._disk.move(folder, self._layout.session(sid)):
            return None
        self._disk.sync(self._layout.sessions)
        return sid
