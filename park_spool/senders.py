"""Whose a submission is, where one account sends for many: the marker `.sender` in its folder (PROTOCOL.md section 6).

    inbox/SID.NAME/.sender     sealed: {"user": NAME}; believed only of accounts that could do anything to the spool

Guarantees: nobody becomes somebody else by a file that he can write, link or move; a marker that is not believed is one
more file of the submission.
"""

from __future__ import annotations

import os
import pwd
import stat
from pathlib import Path

from park_spool import layout, sealed
from park_spool.atomic import Disk
from park_spool.errors import SessionError, SpoolError, TornError

MARKER = ".sender"
TAKEN = "sender.json"  # its name in a `.SID`, once it was believed
FOLDER_MODE = 0o755  # of a folder that may carry a marker: nobody but its owner changes what is in it
MOST_BYTES = 4096
MOST_NAME = 100
ROOT = 0


def marker(user: str) -> bytes:
    """Return the marker of a user's submission. Raises SessionError for what is no name."""
    if not is_name(user):
        raise SessionError(f"{user[:80]!r} cannot name a user: expected 1 to {MOST_NAME} printable characters")
    return sealed.seal_json({"user": user})


def is_sent_by(user: str) -> bool:
    """Say whether a user is this process's own account: what it sends is theirs without a marker."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name == user
    except KeyError:
        return False


def require_believed(disk: Disk, spool: Path) -> None:
    """Raise SpoolError if what this process says of others would not be believed."""
    status = disk.stat(spool.resolve())
    if os.geteuid() not in _trusted(disk, spool):
        owner = "" if status is None else f" ({name_of(status.st_uid)})"
        raise SpoolError(
            f"{name_of(os.geteuid())} cannot send for others: only the account that owns {spool}{owner}, or root, "
            "is believed; nothing was sent"
        )


def name_of(uid: int) -> str:
    """Return the login name of an account, or its number in words."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def is_name(user: str) -> bool:
    """Say whether a text can name a user.

    >>> is_name("wei.chen@example.org"), is_name(""), is_name(" wei"), is_name("wei\\nroot")
    (True, False, False, False)
    """
    return 0 < len(user) <= MOST_NAME and user.isprintable() and user == user.strip()


def sender(disk: Disk, path: Path, spool: Path) -> str:
    """Return whose a submission is that lies in inbox/ or rejected/; empty if nobody knows."""
    marked = in_folder(disk, path, spool) if disk.kind(path) == "folder" else ""
    return marked or _owner(disk, path)


def sender_of_begun(disk: Disk, folder: Path, spool: Path) -> str:
    """Return the user whom the marker of a `.SID` names, if that is believed; empty otherwise."""
    return in_file(disk, folder / TAKEN, spool) or in_folder(disk, layout.session_files(folder), spool)


def _owner(disk: Disk, path: Path) -> str:
    try:
        status = disk.stat(path)
        return "" if status is None else pwd.getpwuid(status.st_uid).pw_name
    except (KeyError, OSError):
        return ""


def in_folder(disk: Disk, folder: Path, spool: Path) -> str:
    """Return the user whom a submission's folder names, if that is believed; empty otherwise.

    The folder must be of one of the accounts that are believed, too, and closed to others: a marker can be linked into
    a folder of one's own, but nobody else puts a session beside it there.
    """
    trusted = _trusted(disk, spool)
    try:
        status = disk.stat(folder)
    except PermissionError:
        return ""
    if status is None or status.st_uid not in trusted or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return ""
    return in_file(disk, folder / MARKER, spool)


def in_file(disk: Disk, path: Path, spool: Path) -> str:
    """Return the user whom a marker names, if that is believed; empty otherwise."""
    if disk.kind(path) != "file" or disk.size(path) > MOST_BYTES:
        return ""
    try:
        found = disk.read_owned(path)
        if found is None or found[1] not in _trusted(disk, spool):
            return ""
        user = sealed.unseal_json(found[0]).get("user")
    except (PermissionError, TornError, RecursionError):
        return ""
    return user if isinstance(user, str) and is_name(user) else ""


def _trusted(disk: Disk, spool: Path) -> frozenset[int]:
    """Return the accounts that are believed: root, and the spool's own, which owns its folder."""
    status = disk.stat(spool.resolve())
    return frozenset({ROOT} if status is None else {ROOT, status.st_uid})
