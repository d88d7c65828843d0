"""What kind of file system a path is on, from /proc/self/mountinfo (statfs says only `fuseblk` for all of FUSE).

A kind that cannot carry a spool is refused here, with the reason, before anything is started or made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from park_spool.errors import SpoolError
from park_spool.filesystem_kinds import INSTEAD, LOCAL, Kind, kind_of

MOUNTINFO = Path("/proc/self/mountinfo")
_ESCAPED = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of the table: where it is mounted, and what; `options` are those of the mount and of its file system."""

    point: Path
    type: str
    source: str
    options: Mapping[str, str]

    @property
    def kind(self) -> Kind:
        return kind_of(self.type, self.source, self.options)


NO_MOUNT = Mount(Path("/"), "", "", {})


def parse_mount(line: str) -> Mount | None:
    """Read a line of mountinfo (proc(5)); None if it is none.

    >>> mount = parse_mount(r"36 35 0:45 / /mnt/my\\040data rw,noatime shared:1 - nfs4 srv:/data rw,vers=4.2,hard")
    >>> mount.point.as_posix(), mount.type, mount.source, mount.options["vers"], mount.kind.name
    ('/mnt/my data', 'nfs4', 'srv:/data', '4.2', 'NFS 4')
    """
    before, _, after = line.partition(" - ")
    fields, rest = before.split(" "), after.split(" ")
    if len(fields) < 6 or len(rest) < 3:
        return None
    said = ",".join((fields[5], rest[2])).split(",")
    options = {key: value for key, _, value in (option.partition("=") for option in said)}
    return Mount(Path(_plain(fields[4])), rest[0], _plain(rest[1]), options)


def _plain(text: str) -> str:
    r"""Undo the escapes of mountinfo: a space is written as `\040`."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 8)), text)


def mount_of(path: Path, lines: Iterable[str]) -> Mount:
    """Return the mount that holds a path, given the lines of mountinfo; one without a type if none does.

    >>> mount_of(Path("/home/x"), ["1 0 8:1 / / rw - ext4 /dev/sda rw", "2 1 0:40 / /home rw - nfs4 srv:/h rw"]).type
    'nfs4'
    """
    best, found = -1, NO_MOUNT
    for mount in filter(None, map(parse_mount, lines)):
        if path.is_relative_to(mount.point) and len(mount.point.parts) >= best:  # of two at one place the later counts
            best, found = len(mount.point.parts), mount
    return found


def mount_at(path: Path) -> Mount:
    """Return the mount that holds a path on this machine; what is mounted on demand is mounted by the look."""
    with suppress(OSError):
        (path / ".mounted").exists()  # a look at the path itself would not have it mounted
    try:
        lines = MOUNTINFO.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return NO_MOUNT
    return mount_of(path.resolve(), lines)


def kind_at(path: Path) -> Kind:
    """Return the kind of file system that a path is on; unknown ones count as local."""
    mount = mount_at(path)
    return mount.kind if mount.type else LOCAL


def is_shared(path: Path) -> bool:
    """Say whether a path is on a file system that other hosts may see; unknown systems count as local."""
    return kind_at(path).is_shared


def refusal(root: Path, mount: Mount) -> str:
    """Say in a sentence why a file system cannot carry a spool, and what to do; empty if it can, for all we know."""
    kind = mount.kind
    if not kind.refused:
        return ""
    return (
        f"{root} is on {kind.name} ({mount.type} of {mount.source}), which cannot carry a spool: {kind.refused}; "
        f"nothing was started. Put the spool on {INSTEAD}."
    )


def require_carrier(root: Path) -> None:
    """Refuse a spool on a file system that is known not to hold what the protocol rests on.

    Raises SpoolError with the reason, and what to do.
    """
    why = refusal(root, mount_at(root))
    if why:
        raise SpoolError(why)


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
