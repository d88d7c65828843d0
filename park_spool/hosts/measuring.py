"""What a host and this machine see of each other through the spool: the same files, renames won once, new names, locks.

Both sides work in one folder of tmp/, each by the path that it has for it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from park_spool.atomic import Disk
from park_spool.config import Config
from park_spool.hosts import asked
from park_spool.hosts.asking import Asker
from park_spool.hosts.findings import Finding

SEEN = 5.0  # s until a file that nobody asked for before must be seen
SIGHT = 45.0  # s until a new name must be in a listing that was read just before
PAUSE = 0.002
FILES, STEP, AHEAD = 100, 0.002, 0.3  # files to race for; s between two of them, and until the first
_NO_RIGHTS = (errno.EACCES, errno.EPERM, errno.EROFS)


def measure(found: Finding, asker: Asker, settings: Config, disk: Disk, folder: Path) -> bool:
    """Fill in what is seen through the spool, and say whether it is the same; `folder` is a new name in tmp/.

    Raises HostError.
    """
    there = f"{found.spool}/tmp/{folder.name}"
    if not _is_place(found, asker) or not _is_same(found, asker, disk, folder, there, settings.spool):
        return False
    try:
        _race(found, asker, disk, folder, there)
        _sight(found, asker, disk, folder, there, settings.staleness_seconds)
        _lock(found, asker, disk, folder, there)
    except OSError as error:
        found.fail("spool", f"{found.spool} cannot be worked with: {error.strerror}")
    return True


def _is_place(found: Finding, asker: Asker) -> bool:
    kind = asker.ask("kind", path=found.spool)
    if kind != "folder":
        what = "is no folder there" if kind else "is not there"
        found.fail("spool_missing", f"{found.spool} {what}: mount the shared folder, or say spool=PATH in its line")
    return bool(kind == "folder")


def _is_same(found: Finding, asker: Asker, disk: Disk, folder: Path, there: str, spool: Path) -> bool:
    """Say whether what is written here is read there, and the other way."""
    token = f"written on {os.uname().nodename} for {found.alias}, {folder.name}"
    disk.make_folder(folder)
    disk.create(folder / "token", token.encode())
    advice = "mount the same folder there, or say in its line where it is (spool=PATH)"
    try:
        found.is_same_spool = asker.ask("read", SEEN + 10, path=f"{there}/token", seconds=SEEN) == token
        if not found.is_same_spool:
            found.fail(
                "spool_other", f"{found.spool} is another folder there: what was written here is not there; {advice}"
            )
            return False
        asker.ask("publish", folder=there, name="answer", text=token)
    except OSError as error:
        kind = "spool_rights" if error.errno in _NO_RIGHTS else "spool"
        found.fail(kind, f"{found.spool} cannot be read and written there: {error.strerror}; {_rights(found)}")
        return False
    found.is_same_spool = _until(lambda: disk.read(folder / "answer") == token.encode(), SEEN) is not None
    if not found.is_same_spool:
        found.fail(
            "spool_other", f"{found.spool} is another folder there: what was written there is not here; {advice}"
        )
    return found.is_same_spool


def _rights(found: Finding) -> str:
    return (
        f"{found.user} there must be who it is here: the same number of user, or a group whose folders all its "
        "members may write to (chmod g+ws, umask 002), and a mount that may be written to"
    )


def _race(found: Finding, asker: Asker, disk: Disk, folder: Path, there: str) -> None:
    """Have both sides rename the same files at the same time."""
    for name in ("race", "won"):
        disk.make_folder(folder / name)
    for index in range(FILES):
        disk.create(folder / "race" / str(index))
    asker.ask("look", folder=f"{there}/race")
    at = time.time() + AHEAD
    claims: dict[str, Any] = {"count": FILES, "step": STEP}
    asker.begin(
        "claim", folder=f"{there}/race", target=f"{there}/won", me="there", at=at + (found.clock or 0.0), **claims
    )
    here = asked.claim(str(folder / "race"), str(folder / "won"), "here", at=at, **claims)
    both = len(set(here) & set(asker.end(FILES + 30.0)))
    found.is_rename_exclusive = not both
    if both:
        found.fail(
            "rename",
            f"{both} of {FILES} files were won by both sides: this file system cannot hold a spool (docs/hosts.md)",
        )


def _sight(found: Finding, asker: Asker, disk: Disk, folder: Path, there: str, staleness: float) -> None:
    """Measure how long a listing, read just before, goes on without a new name."""
    asker.ask("look", folder=there)
    asker.begin("wait", folder=there, name="new-here", seconds=SIGHT)
    time.sleep(AHEAD)  # until it looks, and has what it sees in its cache
    begun = time.monotonic()
    disk.publish(folder / "new-here", b"")
    if asker.end(SIGHT + 30.0):
        found.seen_there = time.monotonic() - begun
    disk.names(folder)
    asker.ask("publish", folder=there, name="new-there", text="")
    found.seen_here = _until(lambda: "new-there" in disk.names(folder), SIGHT)
    for delay, where in ((found.seen_there, "there"), (found.seen_here, "here")):
        judge(found, delay, where, staleness)


def judge(found: Finding, delay: float | None, where: str, staleness: float) -> None:
    """Note a delay that is too long for the spool's settings; None is one that had no end."""
    if delay is None:
        found.fail("sight", f"a new name was not seen {where} within {SIGHT:g} s: mount the spool with less caching")
    elif delay > staleness:
        found.fail(
            "sight",
            f"a new name was seen {where} only after {delay:.1f} s, and staleness_seconds is {staleness:g}: set "
            f"staleness_seconds = {1.5 * delay + 1:.0f} in park.toml, or mount the spool with less caching",
        )


def _lock(found: Finding, asker: Asker, disk: Disk, folder: Path, there: str) -> None:
    """See whether a lock here keeps the other side out, and a free one lets it in."""
    kept = []
    for how in ("flock", "lockf"):
        disk.create(folder / how)
        with (folder / how).open("r+b") as file:
            (fcntl.flock if how == "flock" else fcntl.lockf)(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            kept.append(not asker.ask("lock", path=f"{there}/{how}", how=how))
        kept.append(bool(asker.ask("lock", path=f"{there}/{how}", how=how)))
    found.has_locks = all(kept)


def _until(is_so: Callable[[], bool], seconds: float) -> float | None:
    """Return after how many seconds something came true; None if it did not."""
    begun = time.monotonic()
    while not is_so():
        if time.monotonic() - begun > seconds:
            return None
        time.sleep(PAUSE)
    return time.monotonic() - begun
