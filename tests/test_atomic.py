"""Each system call on the spool: what it says of somebody else's work, and what a failure leaves behind."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest

from park_spool import atomic, filesystem
from park_spool.atomic import Disk
from park_spool.errors import SpoolError


class Failing(Disk):
    """Raises this errno at one kind of call, before it (`early`) or after it happened."""

    def __init__(self, tmp: Path, call: str, number: int, early: bool = True) -> None:
        super().__init__(tmp, "failing")
        self.call, self.number, self.early = call, number, early

    def step(self, call: str, path: Path) -> None:
        if call == self.call and self.early:
            raise OSError(self.number, os.strerror(self.number), str(path))

    def _rename(self, source: Path, target: Path) -> None:
        super()._rename(source, target)
        if self.call == "rename":
            raise OSError(self.number, os.strerror(self.number), str(source))


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    (tmp_path / "tmp").mkdir()
    return Disk(tmp_path / "tmp", "me_1_000000")


def test_looks_at_what_is_not_there(disk: Disk, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    assert disk.names(gone) == []
    assert disk.read(gone) is None
    assert disk.stat(gone) is None
    assert disk.kind(gone) is None
    assert disk.unlink(gone) is False
    assert disk.remove_folder(gone) is False
    disk.remove_tree(gone)
    assert disk.move(gone, tmp_path / "target") is False


def test_kinds_follow_no_link(disk: Disk, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "tmp")
    os.mkfifo(tmp_path / "fifo")
    kinds = {name: disk.kind(tmp_path / name) for name in ("file", "tmp", "link", "fifo")}
    assert kinds == {"file": "file", "tmp": "folder", "link": "link", "fifo": "other"}
    assert disk.stat(tmp_path / "link") is None
    assert disk.stat(tmp_path / "fifo") is not None  # opened without waiting for a writer


def test_names_leave_out_dot_names(disk: Disk, tmp_path: Path) -> None:
    for name in ("b", "a", ".nfs0001"):
        (tmp_path / "tmp" / name).touch()
    assert disk.names(tmp_path / "tmp") == ["a", "b"]
    assert disk.names(tmp_path / "tmp", hidden=True) == [".nfs0001", "a", "b"]
    assert disk.names(tmp_path / "tmp" / "a") == []


def test_create_is_exclusive(disk: Disk, tmp_path: Path) -> None:
    assert disk.create(tmp_path / "name", b"mine")
    assert not disk.create(tmp_path / "name", b"yours")
    assert (tmp_path / "name").read_bytes() == b"mine"
    with pytest.raises(FileNotFoundError):
        disk.create(tmp_path / "no" / "name")


def test_create_that_cannot_write_leaves_no_name(tmp_path: Path) -> None:
    """An empty name left behind would be taken at the next try, and the try after that, for ever."""

    class Full(Disk):
        @staticmethod
        def _write(descriptor: int, data: bytes) -> None:
            os.write(descriptor, data[:1])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OSError, match="No space"):
        Full(tmp_path, "me").create(tmp_path / "name.why", b"reason")
    assert list(tmp_path.iterdir()) == []


def test_move_is_won_once(disk: Disk, tmp_path: Path) -> None:
    (tmp_path / "unit").touch()
    assert disk.move(tmp_path / "unit", tmp_path / "tmp" / "unit")
    assert not disk.move(tmp_path / "unit", tmp_path / "other")
    assert disk.names(tmp_path) == ["tmp"]


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOENT, errno.ESTALE, errno.ETIMEDOUT])
def test_a_rename_that_fails_after_it_happened_is_won(disk: Disk, tmp_path: Path, number: int) -> None:
    (tmp_path / "unit").touch()
    assert Failing(tmp_path / "tmp", "rename", number, early=False).move(tmp_path / "unit", tmp_path / "tmp" / "unit")


def test_a_rename_that_fails_before_it_happened_is_not_won(tmp_path: Path) -> None:
    (tmp_path / "unit").touch()
    with pytest.raises(OSError, match="Input/output error"):
        Failing(tmp_path, "rename", errno.EIO).move(tmp_path / "unit", tmp_path / "other")
    assert not Failing(tmp_path, "rename", errno.ENOENT).move(tmp_path / "unit", tmp_path / "other")
    (tmp_path / "other").touch()
    assert not Failing(tmp_path, "rename", errno.EIO).move(tmp_path / "unit", tmp_path / "other")


def test_a_folder_is_not_moved_over_one_that_holds_something(disk: Disk, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    assert not disk.move(tmp_path / "one", tmp_path / "two")
    assert (tmp_path / "one" / "file").read_text() == "one"
    assert (tmp_path / "two" / "file").read_text() == "two"


def test_a_copy_stands_under_its_digest_and_is_written_once(disk: Disk, tmp_path: Path) -> None:
    (tmp_path / "fit").write_bytes(b"x" * 3_000_000)
    found = disk.publish_copy(tmp_path / "fit", tmp_path, 3_000_000)
    assert found == (hashlib.sha256(b"x" * 3_000_000).hexdigest(), 3_000_000)
    first = (tmp_path / found[0]).stat().st_ino
    assert (tmp_path / found[0]).read_bytes() == b"x" * 3_000_000
    assert disk.publish_copy(tmp_path / "fit", tmp_path, 3_000_000) == found
    assert (tmp_path / found[0]).stat().st_ino == first
    assert disk.names(tmp_path / "tmp") == []


def test_a_copy_follows_no_link_and_stops_at_its_bound(disk: Disk, tmp_path: Path) -> None:
    (tmp_path / "fit").write_bytes(b"fit")
    (tmp_path / "link").symlink_to(tmp_path / "fit")
    assert disk.publish_copy(tmp_path / "fit", tmp_path, 2) is None
    with pytest.raises(OSError, match="Too many levels"):
        disk.publish_copy(tmp_path / "link", tmp_path, 100)
    assert disk.names(tmp_path) == ["fit", "link", "tmp"]


@pytest.mark.parametrize(("call", "number"), [("write", errno.ENOSPC), ("fsync", errno.EIO), ("rename", errno.EIO)])
def test_a_copy_that_fails_leaves_nothing(tmp_path: Path, call: str, number: int) -> None:
    (tmp_path / "tmp").mkdir()
    (tmp_path / "fit").write_bytes(b"fit")
    with pytest.raises(OSError, match=os.strerror(number)):
        Failing(tmp_path / "tmp", call, number).publish_copy(tmp_path / "fit", tmp_path, 100)
    assert os.listdir(tmp_path / "tmp") == []


def test_a_second_name_is_given_once(disk: Disk, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "yours").write_text("yours")
    assert disk.link(tmp_path / "mine", tmp_path / "name")
    assert disk.link(tmp_path / "mine", tmp_path / "name")  # NFS: as if the answer to the first call was lost
    assert not disk.link(tmp_path / "yours", tmp_path / "name")
    assert (tmp_path / "name").read_text() == "mine"


def test_publish_replaces_as_a_whole(disk: Disk, tmp_path: Path) -> None:
    disk.publish(tmp_path / "name", b"x" * 100_000, durable=True)
    assert (tmp_path / "name").stat().st_size == 100_000
    assert disk.names(tmp_path / "tmp") == []


@pytest.mark.parametrize("call", ["create", "write", "fsync", "rename"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_publish_that_fails_leaves_nothing(tmp_path: Path, call: str, number: int) -> None:
    (tmp_path / "tmp").mkdir()
    with pytest.raises(OSError, match=os.strerror(number)):
        Failing(tmp_path / "tmp", call, number).publish(tmp_path / "name", b"data", durable=True)
    assert not (tmp_path / "name").exists()
    assert list((tmp_path / "tmp").iterdir()) == []


def test_one_owner_never_writes_a_temporary_name_twice(tmp_path: Path) -> None:
    class Watching(Disk):
        def step(self, call: str, path: Path) -> None:
            if call == "create":
                seen.append(path)

    seen: list[Path] = []
    disk = Watching(tmp_path, "me")
    for _ in range(3):
        disk.publish(tmp_path / "name", b"")
    assert len(set(seen)) == 3


def test_folders(disk: Disk, tmp_path: Path) -> None:
    assert disk.make_folder(tmp_path / "new")
    assert not disk.make_folder(tmp_path / "new")
    (tmp_path / "new" / "late").touch()
    assert not disk.remove_folder(tmp_path / "new")
    disk.remove_tree(tmp_path / "new")
    assert disk.kind(tmp_path / "new") is None
    disk.sync(tmp_path)


def test_a_tree_is_removed_without_following_links(disk: Disk, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").touch()
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "link").symlink_to(tmp_path / "kept")
    disk.remove_tree(tmp_path / "tree")
    assert (tmp_path / "kept" / "file").exists()


def test_refresh_leaves_no_trace(disk: Disk, tmp_path: Path) -> None:
    disk.refresh(tmp_path)
    disk.refresh(tmp_path / "gone")
    assert disk.names(tmp_path, hidden=True) == ["tmp"]


def test_every_change_is_announced_before_it_happens(tmp_path: Path) -> None:
    """Tests kill, tear and interleave at `step`: a call that forgot it would never be killed."""
    seen: list[str] = []

    class Watching(Disk):
        def step(self, call: str, path: Path) -> None:
            seen.append(call)

    disk = Watching(tmp_path, "me")
    disk.create(tmp_path / "a")
    disk.move(tmp_path / "a", tmp_path / "b")
    disk.publish(tmp_path / "c", b"", durable=True)
    disk.unlink(tmp_path / "b")
    disk.make_folder(tmp_path / "d")
    disk.remove_folder(tmp_path / "d")
    disk.remove_tree(tmp_path / "d")
    expected = ["create", "rename", "create", "write", "fsync", "rename", "fsync", "unlink", "mkdir", "rmdir", "rmtree"]
    assert seen == expected


def test_a_walk_yields_links_and_never_follows_them(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "file").touch()
    (tmp_path / "loop").symlink_to(tmp_path)
    found = {path.relative_to(tmp_path).as_posix() for path in atomic.files_below(tmp_path)}
    assert found == {"sub/file", "loop"}


def test_a_spool_on_two_file_systems_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ready").mkdir()
    filesystem.require_one_file_system(tmp_path, ("ready",))
    (tmp_path / "claimed").symlink_to("/proc")
    with pytest.raises(SpoolError, match=r"claimed is on another file system .* nothing was started"):
        filesystem.require_one_file_system(tmp_path, ("ready", "claimed"))
