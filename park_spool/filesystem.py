"""What kind of file system a path is on, from /proc/self/mountinfo (statfs says only `fuseblk` for all of FUSE)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from park_spool.errors import SpoolError

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


def require_one_file_system(root: Path, folders: Iterable[str], what: str = "a spool") -> None:
    """Refuse a spool (or `what` it is) whose folders are not all on one file system: rename would not be atomic.

    Raises SpoolError, naming the folder.
    """
    device = root.stat().st_dev
    for name in folders:
        if (root / name).stat().st_dev != device:
            raise SpoolError(
                f"{root / name} is on another file system than {root}: "
                f"{what} must be on one, since work moves by rename; "
                f"nothing was started. Put the whole {what.removeprefix('a ')} on one file system."
            )
