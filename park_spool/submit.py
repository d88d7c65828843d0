"""The client's part of a submission: what is sent, whether it would be admitted, and the sending.

    FILE.xml ─────────────────────────► inbox/SID.FILE.xml       one rename: whole at once
    FILE.xml that names files beside it ┐
    a folder ───────────────────────────┴► tmp/… ──rename──► inbox/SID.NAME/    with session.xml in it
    FILE.zip ─────────────────────────► inbox/SID.FILE.zip
    any of them, sent for a user ─────► inbox/SID.NAME/    with session.xml and the marker of who it is (senders.py)

Guarantees: the sender knows the session's id before anybody admits it; what was checked is what is sent; a sender that
dies leaves a temporary name behind and nothing in the inbox. Nothing of the user's is changed.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from park_spool import member as joining
from park_spool import naming, senders
from park_spool.catalog.registry import Registry
from park_spool.config import Config
from park_spool.errors import DataError, SessionError, TemporaryError
from park_spool.member import Member
from park_spool.places import Places
from park_spool.sessions import submission
from park_spool.sessions.data import DATA, PACKAGE, check_href
from park_spool.sessions.parsing import Limits, parse_session
from park_spool.sessions.session import Session
from park_spool.sessions.xml_tree import Node, parse_tree
from park_spool.tending.inbox import kind_of

SESSION = "session.xml"


@dataclass(frozen=True, slots=True)
class Parcel:
    """One submission as its sender has it.

    `xml` is the session as read, None for a zip, which goes as it is; `files` are the files that go with it by the
    names that an `href` uses, None if the session goes alone.
    """

    path: Path
    name: str
    xml: bytes | None
    files: Mapping[str, Path] | None = None


def read(path: Path) -> Parcel:
    """Read what a path names: a session, a folder or a zip. Raises SessionError if it is none of them."""
    path = path.absolute()
    if not path.exists():
        raise SessionError("there is no such file or folder")
    match kind_of(path.name, "folder" if path.is_dir() else "file"):
        case "xml":
            xml = path.read_bytes()
            return Parcel(path, path.name, xml, files_beside(path, xml))
        case "folder":
            return _read_folder(path)
        case "zip":
            return Parcel(path, path.name, None)
    raise SessionError("expected a session as NAME.xml, a folder or NAME.zip with one session and its data")


def _read_folder(path: Path) -> Parcel:
    names = submission.contents(path)
    session = submission.session_name(names)
    return Parcel(path, path.name, (path / session).read_bytes(), {name: path / name for name in names - {session}})


def files_beside(path: Path, xml: bytes) -> dict[str, Path] | None:
    """Find the files that a session names by relative `href`s; None if it names none, or cannot be read at all."""
    try:
        names = set(relative_hrefs(parse_tree(xml, Limits())))
    except SessionError:
        return None  # the check says why, in words
    found = {name: path.parent / name for name in sorted(names - {SESSION}) if (path.parent / name).is_file()}
    return found if names else None


def relative_hrefs(node: Node) -> Iterator[str]:
    """Yield the names of files that a session expects beside it, wherever its <data> elements stand."""
    href = node.attributes.get("href", "").strip() if node.tag == DATA else ""
    name = href.removeprefix("./")
    if name and _is_relative(href, name):
        yield name
    for child in node.children:
        yield from relative_hrefs(child)


def _is_relative(href: str, name: str) -> bool:
    try:
        check_href(href, frozenset({name}))
    except DataError:
        return False
    return not href.startswith(PACKAGE)


def check(parcel: Parcel, registry: Registry, places: Places, max_bytes: int) -> Session:
    """Understand a submission as park-spoold will. Raises SessionError with line and column if it would be rejected."""
    if parcel.xml is None:
        return _check_zip(parcel, registry, places, max_bytes)
    files = None if parcel.files is None else frozenset(parcel.files)
    session = parse_session(parcel.xml, registry, Limits(), files, places, functions_by_value=True)
    if session.grows:
        raise SessionError(
            "holds <calls/>: only the Python program that makes the calls can send it; nobody would make them"
        )
    return session


def _check_zip(parcel: Parcel, registry: Registry, places: Places, max_bytes: int) -> Session:
    with tempfile.TemporaryDirectory(prefix="park-zip-") as folder:
        unpacked = Path(folder) / "files"
        submission.unpack(parcel.path, unpacked, max_bytes)
        return check(_read_folder(unpacked), registry, places, max_bytes)


def send(member: Member, parcel: Parcel, user: str | None = None) -> str:
    """Put a submission into the inbox, whole at once, and return the session id that was chosen for it.

    It is the sending account's own; with `user` it is that user's, which only the spool's own account, or root, is
    believed (senders.py).
    """
    if user is not None and senders.is_sent_by(user):
        user = None
    if user is not None:
        senders.require_believed(member.disk, member.layout.root)
    sid = naming.new_sid(member.wall(), member.choose)
    target = member.layout.inbox / naming.submitted_name(sid, parcel.name)
    if parcel.xml is not None and parcel.files is None and user is None:
        # At this rename the session is in the inbox.
        member.disk.publish(target, parcel.xml)
        return sid
    prepared = member.layout.tmp / f"{member.name}.0"
    try:
        if user is None:
            _prepare(member, parcel, prepared)
        else:
            _prepare_for(member, parcel, prepared, senders.marker(user))
        # At this rename the submission is in the inbox.
        if not member.disk.move(prepared, target):
            raise TemporaryError(f"{parcel.path} could not be moved into {member.layout.inbox}; nothing was sent")
    finally:
        _clear(member, prepared)
    return sid


def send_checked(settings: Config, parcel: Parcel, user: str | None = None) -> str:
    """Send a submission that would be admitted, for a user if one is named. Raises SessionError if it would not."""
    registry = Registry.load(settings.service_folders)
    places = settings.places if user is None else replace(settings.places, user=user)
    check(parcel, registry, places, settings.max_submission_bytes)
    return send(joining.join(settings), parcel, user)


def _clear(member: Member, prepared: Path) -> None:
    """Remove what an interrupted or failed sending left under its temporary name."""
    if member.disk.kind(prepared) == "folder":
        member.disk.remove_tree(prepared)
    else:
        member.disk.unlink(prepared)


def _prepare(member: Member, parcel: Parcel, prepared: Path) -> None:
    """Copy a submission to a temporary name on the spool's file system."""
    if parcel.xml is None:
        shutil.copyfile(parcel.path, prepared)
        return
    member.disk.make_folder(prepared)
    for name, path in (parcel.files or {}).items():
        (prepared / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, prepared / name)
    (prepared / SESSION).write_bytes(parcel.xml)


def _prepare_for(member: Member, parcel: Parcel, prepared: Path, marker: bytes) -> None:
    """Prepare a submission as a folder that carries a marker, whatever it is at its sender's."""
    member.disk.make_folder(prepared, senders.FOLDER_MODE)
    if parcel.xml is None:
        submission.unpack(parcel.path, prepared, member.config.max_submission_bytes)
    else:
        _prepare(member, parcel, prepared)
    if member.disk.kind(prepared / senders.MARKER) is not None:
        raise SessionError(f"{senders.MARKER!r} cannot name a file that goes with a session; nothing was sent")
    (prepared / senders.MARKER).write_bytes(marker)
