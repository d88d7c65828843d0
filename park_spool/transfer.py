"""A closed session as one file, to keep or to send: exported from one spool, imported into another.

    SID.park, a zip:  session/…   its folder: as received and as understood, its data, what was said of it later
                      reduced/…   its bundles: every result
                      kept/…      the files that its jobs left

Guarantees: a file under its name is whole; importing never overwrites a session, runs none of its jobs again, and takes
in nothing that is not what it says. At the rename of the session's folder it is imported; from then on it is one that
was opened again, and spoold closes it when the reducer has read its results.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from park_spool import admitted, layout, naming, replies, sealed, wishes
from park_spool.atomic import files_below
from park_spool.catalog.suggestions import quoted
from park_spool.errors import NotFound, PermanentError, SessionError, TornError
from park_spool.layout import Layout
from park_spool.member import Member
from park_spool.patterns import PATTERNS
from park_spool.sessions.submission import UNREADABLE

SUFFIX = ".park"
SESSION, REDUCED, KEPT = "session", "reduced", "kept"
_OWN = ("session.xml", "session.json", "submission.zip", "received.json")
_STARTS = re.compile(r"start\.[0-9.]+")
NOTHING = "nothing was imported"
_LINK = 0xA  # a symbolic link's kind, in the mode that a zip keeps


def export(spool: Layout, sid: str, target: Path) -> int:
    """Write a closed session to one file; return its size.

    Raises NotFound if it is not closed, PermanentError if the file is there.
    """
    folder = spool.closed_session(sid)
    if not folder.is_dir():
        raise NotFound(f"session {sid} is not closed: wait for its end, or cancel it; nothing was written")
    if target.exists():
        raise PermanentError(f"{target} is there already; nothing was overwritten")
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with zipfile.ZipFile(part, "x", zipfile.ZIP_DEFLATED) as package:
            for name, path in contents(spool, sid):
                package.write(path, name)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return target.stat().st_size


def contents(spool: Layout, sid: str) -> Iterator[tuple[str, Path]]:
    """Yield everything that belongs to a closed session, each with its name in the file."""
    folders = {SESSION: spool.closed_session(sid), REDUCED: spool.bundles(sid), KEPT: spool.kept(sid)}
    for name, folder in folders.items():
        for path in sorted(files_below(folder)):
            yield f"{name}/{path.relative_to(folder).as_posix()}", path


def import_(member: Member, source: Path) -> str:
    """Take a session in from a file; return its id.

    Raises SessionError if the file is no such session, PermanentError if this spool has it already.
    """
    prepared = member.layout.tmp / f"{member.name}.import"
    member.disk.remove_tree(prepared)
    member.disk.make_folder(prepared)
    try:
        unpack(source, prepared)
        sid = checked(prepared)
        if (there := _is_there(member, sid)) is not None:
            raise PermanentError(f"session {sid} is on this spool already ({there}); nothing was changed")
        _place(member, sid, prepared)
    finally:
        member.disk.remove_tree(prepared)
    return sid


def _is_there(member: Member, sid: str) -> str | None:
    spool = member.layout
    places = (spool.session(sid), spool.closed_session(sid), spool.tombstone(sid), spool.admitting(sid))
    found = next((place for place in places if member.disk.kind(place) is not None), None)
    return None if found is None else found.relative_to(spool.root).as_posix()


def _place(member: Member, sid: str, prepared: Path) -> None:
    """Move what was unpacked to where it belongs: the session comes last.

    CRASH: bundles without a session are of an import that died, and make room for one that is begun again.
    """
    disk, spool = member.disk, member.layout
    for path in sorted(files_below(prepared)):
        disk.sync(path)
    for name, target in ((KEPT, spool.kept(sid)), (REDUCED, spool.bundles(sid))):
        if disk.kind(prepared / name) is not None:
            disk.move(target, prepared / f"{name}.old")
            disk.move(prepared / name, target)
            disk.sync(target.parent)
    # At this instant the session is imported.
    if not disk.move(prepared / SESSION, spool.session(sid)):
        raise PermanentError(f"session {sid} came in from elsewhere meanwhile; nothing was changed")
    disk.sync(spool.sessions)


# checking


def unpack(source: Path, folder: Path) -> None:
    """Unpack the file, name by name. Raises SessionError at one that may not stand there, before it is written."""
    try:
        with zipfile.ZipFile(source) as package:
            for member in package.infolist():
                if not may_stand(member.filename) or (member.external_attr >> 28) == _LINK:
                    raise SessionError(f"{source}: {quoted(member.filename)} does not belong there; {NOTHING}")
                path = folder / member.filename
                path.parent.mkdir(parents=True, exist_ok=True)
                with package.open(member) as data, path.open("xb") as target:
                    shutil.copyfileobj(data, target)
    except (*UNREADABLE, OSError) as error:
        raise SessionError(f"{source} is not an exported session: {error}; {NOTHING}") from error


def checked(folder: Path) -> str:
    """Check that everything unpacked is what its name says; return the session's id. Raises SessionError otherwise."""
    session = _session(folder / SESSION)
    for path in sorted((folder / REDUCED).glob("*")):
        if not _is_bundle_of(session.sid, path):
            raise SessionError(f"{path.name} holds no results of session {session.sid}; {NOTHING}")
    for path in sorted((folder / KEPT).glob("*")):
        if _digest(path) != path.name:
            raise SessionError(f"kept file {path.name} is not what its name says; {NOTHING}")
    if not any(naming.parse_tally(path.name) for path in (folder / SESSION).iterdir()) and not _is_stopped(folder):
        raise SessionError(f"session {session.sid} was not over when it was exported; {NOTHING}")
    return session.sid


def _session(folder: Path) -> admitted.Admitted:
    try:
        return admitted.decode(layout.session_json(folder).read_bytes())
    except (OSError, PermanentError) as error:
        raise SessionError(f"not an exported session: {error}; {NOTHING}") from error


def _is_stopped(folder: Path) -> bool:
    controls = map(wishes.parse_control, (path.name for path in (folder / SESSION).iterdir()))
    return any(control is not None and control.verb == "cancel" for control in controls)


def may_stand(name: str) -> bool:
    """Say whether a name may stand in the file of a session.

    >>> may_stand("session/session.xml"), may_stand("session/files/run7/a.ort"), may_stand("session/../x")
    (True, True, False)
    """
    first, *rest = PurePosixPath(name).parts or ("",)
    if not rest or {"..", "."} & set(rest) or "\\" in name or name.endswith("/") or first.startswith("/"):
        return False
    match first:
        case "session":
            return (rest[0] == "files" and len(rest) > 1) or (len(rest) == 1 and _is_of_session(rest[0]))
        case "reduced":
            return len(rest) == 1 and naming.parse_bundle(rest[0]) is not None
        case "kept":
            return len(rest) == 1 and PATTERNS["kept"].fullmatch(rest[0]) is not None
    return False


def _is_of_session(name: str) -> bool:
    parsers = (naming.parse_tally, wishes.parse_control, wishes.parse_retry, wishes.parse_told, _STARTS.fullmatch)
    return name in _OWN or any(parse(name) is not None for parse in parsers)


def _is_bundle_of(sid: str, path: Path) -> bool:
    try:
        return all(replies.decode(name, data).unit.sid == sid for name, data in sealed.unbind(path.read_bytes()))
    except TornError:
        return False


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def default_name(sid: str) -> str:
    """Return the name of the file of a session.

    >>> default_name("20261123-025532-k3j9")
    '20261123-025532-k3j9.park'
    """
    return f"{sid}{SUFFIX}"
