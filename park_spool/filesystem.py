"""What kind of file system a path is on, from /proc/self/mountinfo (statfs says only `fuseblk` for all of FUSE)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

_SHARED = (
    "nfs",
    "cifs",
    "smb",
    "fuse",
    "9p",
    "ceph",
    "glusterfs",
    "lustre",
    "gpfs",
    "beegfs",
    "afs",
    "ocfs",
    "gfs",
)


def mount_type(path: Path, mounts: Iterable[str]) -> str:
    """Return the type of the mount that holds a path, given the lines of mountinfo; "" if none does.

    >>> mount_type(Path("/home/x"), ["1 0 8:1 / / rw - ext4 /dev/sda rw", "2 1 0:40 / /home rw - nfs4 srv:/h rw"])
    'nfs4'
    """
    best, found = -1, ""
    for line in mounts:
        fields, _, rest = line.partition(" - ")
        point = Path(fields.split()[4].replace("\\040", " "))
        if path.is_relative_to(point) and len(point.parts) >= best:
            best, found = len(point.parts), rest.split()[0]
    return found


def is_shared(path: Path) -> bool:
    """Say whether a path is on a file system that other hosts may see; unknown systems count as local."""
    try:
        mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    except OSError:
        return False
    return mount_type(path.resolve(), mounts).startswith(_SHARED)
