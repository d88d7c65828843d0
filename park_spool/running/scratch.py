"""A node's own temporary folder, and those that nodes which were killed have left behind.

`park-noded-PID-START-BOOT-NAMESPACE-RANDOM` below the system's temporary folder names the process that made it
(processes.Identity), so that a later node of the same user can tell whether it still lives.
Guarantees: nothing is removed in doubt: not where the system does not tell, nor what is of another container.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from park_spool.processes import Identity, is_alive

log = logging.getLogger(__name__)

PREFIX = "park-noded-"
_NAME = re.compile(re.escape(PREFIX) + r"(?P<pid>\d+)-(?P<start>\d+)-(?P<boot>[0-9a-f]+)-(?P<namespace>\d+)-\w+")


def prefix(me: Identity) -> str:
    """Return how the folder's name begins for a process.

    >>> prefix(Identity("n4", "0f3a5c6e-8b1d-4e2f", "pid:[4026531836]", 4711, 88))
    'park-noded-4711-88-0f3a5c6e-4026531836-'
    """
    return f"{PREFIX}{me.pid}-{me.start}-{_boot(me)}-{_namespace(me)}-"


def is_left_behind(name: str, me: Identity, lives: Callable[[Identity], bool | None]) -> bool:
    """Say whether a folder was a dead node's, as far as this process can tell."""
    match = _NAME.fullmatch(name)
    if match is None or not me.boot:
        return False
    if match["boot"] != _boot(me):
        return True  # of a time before this machine was started last
    if match["namespace"] != _namespace(me):
        return False
    return lives(replace(me, pid=int(match["pid"]), start=int(match["start"]))) is False


def clear(me: Identity, where: Path | None = None) -> list[str]:
    """Remove what dead nodes of this user have left behind; return the names."""
    folder = where or Path(tempfile.gettempdir())
    names = [entry.name for entry in os.scandir(folder) if entry.name.startswith(PREFIX) and _is_own(entry)]
    removed = [name for name in names if is_left_behind(name, me, is_alive)]
    for name in removed:
        log.info("removing %s: the node that worked there is gone", folder / name)
        shutil.rmtree(folder / name, ignore_errors=True)
    return removed


def _is_own(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False) and entry.stat(follow_symlinks=False).st_uid == os.getuid()
    except OSError:
        return False


def _boot(me: Identity) -> str:
    return me.boot.replace("-", "")[:8] or "0"


def _namespace(me: Identity) -> str:
    return re.sub(r"\D", "", me.namespace) or "0"
