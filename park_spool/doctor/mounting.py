"""What to change in how a file system is mounted, by its kind and by the options that the table of mounts shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from park_spool.filesystem import Mount

SSHFS = "reconnect,ServerAliveInterval=5,ServerAliveCountMax=3"
SSHFS_FRESH = "dir_cache=no,entry_timeout=0,negative_timeout=0,attr_timeout=0"


def advice(mount: Mount, is_late: bool) -> list[str]:
    """Return sentences on mount options; `is_late` says that names were seen more than a few seconds late.

    >>> from pathlib import Path
    >>> advice(Mount(Path("/q"), "nfs4", "srv:/q", {"vers": "4.2", "hard": "", "lookupcache": "pos"}), False)
    []
    """
    adviser = ADVISERS.get(mount.kind.name)
    return list(adviser(mount, is_late)) if adviser else []


def _nfs(mount: Mount, is_late: bool) -> Iterator[str]:
    options = mount.options
    if "soft" in options or "softerr" in options:
        yield "mount it `hard`: with `soft` a call may fail after it was done, and at every cut of the network"
    if mount.kind.name == "NFS 3":
        yield "mount it with `vers=4.2`: version 3 tells changes by their times, and misses two in one step"
    if options.get("lookupcache", "all") == "all":
        yield "`lookupcache=positive` has a new name opened at once which was looked for before, else after up to 30 s"
    if "nolock" in options or options.get("local_lock", "none") not in ("none", ""):
        yield "locks hold on this machine only (`nolock`, `local_lock`): keep the data centre's store off it"
    if "noac" in options:
        yield "`noac` is not needed: it has every look ask the server"


def _sshfs(mount: Mount, is_late: bool) -> Iterator[str]:
    yield f"`-o {SSHFS}` (not to be seen from here) has a cut connection end in errors that pass, not in hanging calls"
    if is_late:
        yield f"`-o {SSHFS_FRESH}` shows new names within milliseconds, at the price of slower listings"


def _smb(mount: Mount, is_late: bool) -> Iterator[str]:
    if mount.options.get("cache", "strict") not in ("strict", "none"):
        yield "mount it with `cache=strict`: any other lets hosts keep what they read and wrote"
    if "nobrl" in mount.options or "nolease" in mount.options:
        yield "leave `nobrl` and `nolease` away: locks would hold on this machine only"


def _lustre(mount: Mount, is_late: bool) -> Iterator[str]:
    if "flock" not in mount.options:
        yield "mount it with `flock`, else locks fail or hold on this machine only (`localflock`)"


def _plan9(mount: Mount, is_late: bool) -> Iterator[str]:
    if mount.options.get("cache", "none") not in ("none", "0", "0x0"):
        yield "mount it with `cache=none`: any other cache is never told what other machines change"


ADVISERS: dict[str, Callable[[Mount, bool], Iterator[str]]] = {
    "NFS 3": _nfs,
    "NFS 4": _nfs,
    "sshfs": _sshfs,
    "SMB": _smb,
    "Lustre": _lustre,
    "9p": _plan9,
}
