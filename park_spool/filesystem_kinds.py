"""The kinds of file systems that a spool may stand on, told apart by what the system's table of mounts says of them.

A kind says how it is called, whether other hosts may see the same files, for how long a name may stay unseen (s), and,
of those that cannot carry a spool, why. docs/filesystems.md says of each what to beware of (tested).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

COPIES = "a rename there is a copy and a removal, so one unit of work can be won by two nodes"
RCLONE = (
    "each mount keeps what it writes to itself for seconds and answers from a cache of minutes, so two nodes "
    "win the same unit of work and neither sees the other's"
)
INSTEAD = "sshfs, NFS, SMB or any other shared file system of docs/filesystems.md"


@dataclass(frozen=True, slots=True)
class Kind:
    """`staleness` is the least `staleness_seconds` to be advised; `refused` says why it cannot carry a spool."""

    name: str
    types: tuple[str, ...] = ()
    source: str = ""
    is_shared: bool = True
    staleness: float = 5.0
    refused: str = ""

    def fits(self, type_: str, source: str) -> bool:
        """Say whether a mount of this type and source is of this kind.

        >>> Kind("MooseFS", ("fuse",), r"mfs#").fits("fuse", "mfs#10.77.0.10:9421")
        True
        """
        return any(re.fullmatch(one, type_) for one in self.types) and re.match(self.source, source) is not None


LOCAL = Kind("local", is_shared=False, staleness=1.0)
UNKNOWN_FUSE = Kind("FUSE, of no kind that is known", staleness=35.0)

# The first that fits counts: a source that tells more comes before a type alone.
KINDS = (
    Kind("NFS 3", ("nfs",), staleness=35.0),  # told from NFS 4 by its option `vers`
    Kind("NFS 4", ("nfs4",), staleness=35.0),
    Kind("SMB", ("cifs", "smb3", "smbfs"), staleness=45.0),
    Kind("sshfs", (r"fuse\.sshfs",), staleness=5.0),
    Kind("rclone", (r"fuse\.rclone",), refused=RCLONE),
    Kind("MooseFS", ("fuse", r"fuse\.(mfs|moosefs|mfsmount|saunafs|lizardfs)"), r"mfs#|saunafs|lizardfs"),
    Kind("MooseFS", (r"fuse\.(mfs|moosefs|mfsmount|saunafs|lizardfs)",)),
    Kind("JuiceFS", (r"fuse\.juicefs",)),
    Kind("JuiceFS", ("fuse",), r"JuiceFS:"),
    Kind("GlusterFS", (r"fuse\.glusterfs", "glusterfs")),
    Kind("CephFS", ("ceph", r"fuse\.ceph(-fuse)?")),
    Kind("CephFS", ("fuse",), r"ceph-fuse"),
    Kind("Lustre", ("lustre",)),
    Kind("GPFS", ("gpfs",)),
    Kind("BeeGFS", ("beegfs",)),
    Kind("WebDAV", (r"fuse\.davfs2?",), refused=COPIES),
    Kind("WebDAV", ("fuse",), r"https?://", refused=COPIES),
    Kind("an object store", (r"fuse\.(s3fs|goofys|gcsfuse|mount-s3|mountpoint-s3|blobfuse2?)",), refused=COPIES),
    Kind("an object store", ("fuse",), r"(s3fs|goofys|gcsfuse|mountpoint-s3|blobfuse2?)$", refused=COPIES),
    Kind("9p", ("9p",), staleness=35.0),
    Kind("virtiofs", ("virtiofs",), staleness=35.0),
    Kind("a folder of the host of a virtual machine", ("vboxsf", "prl_fs", r"fuse\.(vmhgfs-fuse|grpcfuse|osxfs)")),
    Kind("AFS", ("afs", "auristorfs"), staleness=35.0),
    Kind("OCFS2", ("ocfs2?",)),
    Kind("GFS2", ("gfs2?",)),
    Kind("OrangeFS", ("pvfs2",)),
    Kind("Quobyte", (r"fuse\.quobyte",)),
    Kind("WekaFS", ("wekafs",)),
    Kind("PanFS", ("panfs",)),
    Kind("DVS", ("dvs",), staleness=35.0),
    Kind("automounted", ("autofs",), staleness=35.0),
    Kind("local", (r"fuse\.(bindfs|fuse-overlayfs|ntfs-3g|lxcfs|mergerfs|encfs|gocryptfs|cryfs)",), is_shared=False),
)


def kind_of(type_: str, source: str, options: Mapping[str, str]) -> Kind:
    """Return the kind of a mount; a type that nobody knows is a local one, but for those of FUSE.

    >>> kind_of("nfs4", "srv:/home", {"vers": "4.2"}).name, kind_of("nfs", "srv:/home", {"vers": "4.0"}).name
    ('NFS 4', 'NFS 4')
    >>> kind_of("fuse.sshfs", "u@srv:/home", {}).name, kind_of("ext4", "/dev/sda1", {}).name
    ('sshfs', 'local')
    """
    if type_ == "nfs" and options.get("vers", "3").startswith("4"):
        type_ = "nfs4"
    for kind in KINDS:
        if kind.fits(type_, source):
            return kind
    is_fuse = type_ == "fuse" or type_.startswith("fuse.")  # `fuseblk` is a disk of this machine
    return UNKNOWN_FUSE if is_fuse else LOCAL
