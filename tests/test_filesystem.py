"""Kinds of file systems are told apart by the lines of mountinfo, and one that cannot carry a spool is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from park_spool.datacenter import server as data_server
from park_spool.web import server

from park_spool import config, filesystem, member, noded, reduced, spoold
from park_spool.cli.main import main
from park_spool.errors import SpoolError
from park_spool.filesystem import mount_of, parse_mount, refusal
from park_spool.filesystem_kinds import KINDS

# Recorded on real mounts: sshfs, rclone, MooseFS and GlusterFS. The others are written as their documents show them.
LINES = {
    "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard,resv_strict": ("local", False),
    "30 25 0:27 / /dev/shm rw,relatime - tmpfs tmpfs rw,size=24683656k": ("local", False),
    "301 250 0:47 / / rw,relatime - overlay overlay rw,lowerdir=/l,upperdir=/u,workdir=/w": ("local", False),
    "88 27 8:17 / /media/usb rw,nosuid - fuseblk /dev/sdb1 rw,user_id=0,group_id=0": ("local", False),
    "42 27 0:39 / /mnt/q rw,nosuid,nodev,relatime - fuse.sshfs root@127.0.0.1:/export rw,user_id=0,group_id=0": (
        "sshfs",
        True,
    ),
    "44 27 0:41 / /mnt/q rw,nosuid,nodev,relatime - fuse.rclone /export rw,user_id=0,group_id=0": ("rclone", True),
    r"190 133 0:58 / /mnt/q rw,nosuid,nodev,relatime - fuse mfs\04310.77.0.10:9421 rw,user_id=0,group_id=0,allow_other": (
        "MooseFS",
        True,
    ),
    "190 133 0:58 / /mnt/q rw,relatime - fuse.glusterfs 10.77.0.10:/gv0 "
    "rw,user_id=0,group_id=0,default_permissions,allow_other,max_read=131072": ("GlusterFS", True),
    "61 28 0:37 / /mnt/q rw,nosuid,nodev,relatime - fuse.juicefs JuiceFS:park rw,user_id=0,group_id=0": (
        "JuiceFS",
        True,
    ),
    "36 21 0:24 / /mnt/q rw,relatime - nfs4 10.77.0.20:/ rw,vers=4.2,rsize=131072,wsize=131072,namlen=255,hard,"
    "proto=tcp,timeo=600,retrans=2,sec=sys,clientaddr=10.77.0.21,local_lock=none,addr=10.77.0.20": ("NFS 4", True),
    "36 21 0:24 / /mnt/q rw,relatime - nfs 10.77.0.20:/export rw,vers=3,rsize=131072,wsize=131072,namlen=255,hard,"
    "proto=tcp,timeo=600,retrans=2,sec=sys,mountaddr=10.77.0.20,mountvers=3,local_lock=none": ("NFS 3", True),
    "37 21 0:25 / /mnt/q rw,relatime - cifs //10.77.0.10/park rw,vers=3.1.1,cache=strict,username=root,uid=0": (
        "SMB",
        True,
    ),
    "40 27 0:50 / /lustre rw,relatime - lustre 10.1.1.1@o2ib:10.1.1.2@o2ib:/work rw,checksum,flock": ("Lustre", True),
    "41 27 0:51 / /gpfs/fs1 rw,relatime - gpfs fs1 rw": ("GPFS", True),
    "45 27 0:52 / /mnt/beegfs rw,relatime - beegfs beegfs_nodev rw,cfgFile=/etc/beegfs/beegfs-client.conf": (
        "BeeGFS",
        True,
    ),
    "46 27 0:53 / /ceph rw,relatime - ceph 10.1.1.1:6789,10.1.1.2:6789:/home rw,name=park,secret=<hidden>": (
        "CephFS",
        True,
    ),
    "47 27 0:54 / /ceph rw,nosuid,nodev,relatime - fuse.ceph-fuse ceph-fuse rw,user_id=0,group_id=0": ("CephFS", True),
    "48 27 0:55 / /bucket rw,nosuid,nodev,relatime - fuse.s3fs s3fs rw,user_id=0": ("an object store", True),
    "49 27 0:56 / /dav rw,nosuid - fuse https://cloud.example.org/dav rw,user_id=0": ("WebDAV", True),
    "50 27 0:57 / /host rw,relatime - 9p share rw,dirsync,trans=virtio,version=9p2000.L,cache=loose": ("9p", True),
    "51 27 0:59 / /host rw,relatime - virtiofs share rw": ("virtiofs", True),
    "52 27 0:60 / /odd rw,relatime - fuse.ownmade thing rw": ("FUSE, of no kind that is known", True),
    "53 27 0:61 / /odd rw,relatime - ownmadefs thing rw": ("local", False),
}


@pytest.mark.parametrize("line", LINES)
def test_kinds_are_told_apart(line: str) -> None:
    mount = parse_mount(line)
    assert mount is not None
    assert (mount.kind.name, mount.kind.is_shared) == LINES[line]
    assert mount_of(mount.point / "spool", ["1 0 8:1 / / rw - ext4 /dev/sda rw", line]) == mount


def test_the_mount_that_holds_a_path_is_the_deepest_and_of_two_the_later() -> None:
    lines = [
        "1 0 8:1 / / rw - ext4 /dev/sda rw",
        "2 1 0:40 / /data rw - nfs4 srv:/data rw,vers=4.2",
        r"3 2 0:41 / /data/my\040spool rw - fuse.sshfs u@srv:/s rw",
        "4 2 0:42 / /data rw - nfs4 other:/data rw,vers=4.2",
        "no line of mountinfo",
    ]
    assert mount_of(Path("/data/my spool/x"), lines).type == "fuse.sshfs"
    assert mount_of(Path("/data/my"), lines).source == "other:/data"
    assert mount_of(Path("/database"), lines).type == "ext4"
    assert mount_of(Path("/x"), []).type == ""


def test_only_what_loses_work_is_refused_and_the_reason_says_what_to_do() -> None:
    assert {kind.name for kind in KINDS if kind.refused} == {"rclone", "WebDAV", "an object store"}
    for line, (name, _) in LINES.items():
        mount = parse_mount(line)
        assert mount is not None
        why = refusal(Path("/mnt/q/spool"), mount)
        assert bool(why) == (name in ("rclone", "WebDAV", "an object store"))
        if why:
            assert why.startswith(f"/mnt/q/spool is on {name} (") and why.endswith(".")
            assert "nothing was started. Put the spool on sshfs, NFS, SMB or" in why


@pytest.fixture
def on_rclone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a spool for which the table of mounts says rclone."""
    config.make_spool(tmp_path / "spool")
    table = tmp_path / "mountinfo"
    table.write_text(f"1 0 8:1 / / rw - ext4 /dev/sda rw\n44 1 0:41 / {tmp_path} rw - fuse.rclone far: rw,user_id=0\n")
    monkeypatch.setattr(filesystem, "MOUNTINFO", table)
    return tmp_path / "spool"


@pytest.mark.parametrize(
    "command", [spoold.main, noded.main, reduced.main, server.main, data_server.main, "serve", "check", "init"], ids=str
)
def test_daemons_init_and_check_refuse(on_rclone: Path, command: object) -> None:
    if isinstance(command, str):
        words = [command, str(on_rclone.parent / "new")] if command == "init" else [command, "--spool", str(on_rclone)]
        done = CliRunner().invoke(main, words)
    else:
        done = CliRunner().invoke(command, ["--spool", str(on_rclone)])  # type: ignore[arg-type]
    assert done.exit_code == 1, done.output
    assert "is on rclone (fuse.rclone of far:), which cannot carry a spool: " in done.output
    assert not (on_rclone.parent / "new").exists() and not list(on_rclone.glob("n*/*")) + list(
        on_rclone.glob("locks/*")
    )


def test_who_joins_is_refused(on_rclone: Path) -> None:
    with pytest.raises(SpoolError, match="two nodes win the same unit"):
        member.join(config.load(on_rclone))


def test_a_machine_without_a_table_of_mounts_has_local_disks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filesystem, "MOUNTINFO", tmp_path / "none")
    assert not filesystem.is_shared(tmp_path)
    filesystem.require_carrier(tmp_path)


def test_this_machines_table_is_read(tmp_path: Path) -> None:
    if filesystem.MOUNTINFO.exists():
        assert filesystem.mount_at(tmp_path).type
