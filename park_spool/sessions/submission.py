"""What a submission of several files holds: a folder or a zip with one session and its data.

Guarantees: nothing outside the folder is ever read or written (no links, no absolute names, no `..`), sizes and
counts are bounded, and the session file is found by one rule: `session.xml`, else the only *.xml at the top.
"""

from __future__ import annotations

import lzma
import shutil
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from park_spool.atomic import files_below
from park_spool.errors import PermanentError, SessionError, is_temporary

MAX_FILES = 10_000
# What the readers of zips, and of what is compressed in them, raise at damaged bytes.
_DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error)
UNREADABLE = (*_DAMAGED, NotImplementedError, RuntimeError, EOFError, ValueError)


def session_name(names: frozenset[str]) -> str:
    """Pick the session file among the names of a submission. Raises SessionError if there is none, or several.

    >>> session_name(frozenset({"film.xml", "data/film.txt"}))
    'film.xml'
    """
    top = sorted(name for name in names if "/" not in name and name.lower().endswith(".xml"))
    if "session.xml" in top:
        return "session.xml"
    if len(top) != 1:
        found = ", ".join(top[:5]) if top else "none"
        raise SessionError(
            f"a submission needs one session: expected session.xml or a single *.xml at its top, found {found}"
        )
    return top[0]


def contents(folder: Path) -> frozenset[str]:
    """List the files below a submission's folder by their names relative to it. Raises SessionError for a link."""
    names = set()
    for path in files_below(folder):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not path.is_file():
            raise SessionError(f"{name} is not a plain file: a submission may not hold links or special files")
        names.add(name)
        if len(names) > MAX_FILES:
            raise SessionError(f"a submission may hold {MAX_FILES:,} files at most")
    return frozenset(names)


def unpack(archive: Path, folder: Path, max_bytes: int) -> None:
    """Unpack a zip into a new folder.

    A single folder at its top is left out. Raises SessionError, leaving no folder.
    """
    try:
        with zipfile.ZipFile(archive) as package:
            members = [member for member in package.infolist() if not member.is_dir()]
            _check(members, max_bytes)
            _extract(package, members, folder, max_bytes)
    except (*UNREADABLE, OSError) as error:
        if isinstance(error, OSError) and (is_temporary(error.errno) or isinstance(error, FileNotFoundError)):
            raise
        shutil.rmtree(folder, ignore_errors=True)
        raise SessionError(f"not a zip that can be read: {error}") from error
    except PermanentError:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def session_in(archive: Path, max_bytes: int) -> tuple[bytes, frozenset[str]]:
    """Read the session out of a zip, and the names of the files with it. Raises SessionError if that cannot be done."""
    try:
        with zipfile.ZipFile(archive) as package:
            members = [member for member in package.infolist() if not member.is_dir()]
            _check(members, max_bytes)
            named = {path.as_posix(): member for path, member in zip(_targets(members), members, strict=True)}
            session = session_name(frozenset(named))
            with package.open(named[session]) as source:
                return source.read(max_bytes), frozenset(named) - {session}
    except (*UNREADABLE, OSError) as error:
        if isinstance(error, OSError) and is_temporary(error.errno):
            raise
        raise SessionError(f"not a zip that can be read: {error}") from error


def _check(members: list[zipfile.ZipInfo], max_bytes: int) -> None:
    if len(members) > MAX_FILES:
        raise SessionError(f"a submission may hold {MAX_FILES:,} files at most, this zip holds {len(members):,}")
    if sum(member.file_size for member in members) > max_bytes:
        raise SessionError(f"a submission may hold {max_bytes:,} bytes at most, this zip holds more")
    for member in members:
        parts = PurePosixPath(member.filename.replace("\\", "/")).parts
        if not parts or ".." in parts or parts[0].startswith("/") or (member.external_attr >> 28) == 0xA:
            raise SessionError(f"{member.filename!r} points out of the zip or is a link: nothing was unpacked")


def _extract(package: zipfile.ZipFile, members: list[zipfile.ZipInfo], folder: Path, max_bytes: int) -> None:
    left = max_bytes
    folder.mkdir(exist_ok=True)
    for member, place in zip(members, _targets(members), strict=True):
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        with package.open(member) as source, path.open("wb") as target:
            # A zip may lie about its sizes: copy no more than was allowed, and look whether anything is left.
            while chunk := source.read(1 << 20):
                left -= len(chunk)
                if left < 0:
                    raise SessionError(f"a submission may hold {max_bytes:,} bytes at most, this zip holds more")
                target.write(chunk)


def _targets(members: list[zipfile.ZipInfo]) -> list[PurePosixPath]:
    """Say where each member goes: a single folder at the top is left out."""
    paths = [PurePosixPath(member.filename) for member in members]
    is_wrapped = len({path.parts[0] for path in paths}) == 1 and all(len(path.parts) > 1 for path in paths)
    return [PurePosixPath(*path.parts[1:]) if is_wrapped else path for path in paths]
