"""Copies of the archive on the spool, and which archive a host reads: its own file, or the newest copy."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import archive_story
import pytest
from archive_examples import dump
from archive_story import OTHER, SID
from console import park
from world import STRANGER, Killed, World, dying_disk

from park_spool import filesystem, naming, processes, sealed
from park_spool.archive import finding, snapshots
from park_spool.archive.checking import check as check_archive
from park_spool.archive.reading import ArchiveReader
from park_spool.archive.snapshots import is_due, is_wanted, publish
from park_spool.archive.writing import Archive, Result
from park_spool.atomic import Disk
from park_spool.check import check
from park_spool.cli.options import FAILED
from park_spool.errors import NotFound, SpoolError, TemporaryError
from park_spool.naming import Lock

HERE = processes.identity().host


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A spool whose archive lies outside of it, on this host's disk."""
    world = World(tmp_path)
    world.config = replace(world.config, archive=tmp_path / "local" / "spool.sqlite")
    world.config.archive.parent.mkdir()
    with Archive.open(world.config.archive) as archive:
        archive_story.tell(archive, Result, 3)
    return world


def copies(world: World) -> list[str]:
    return sorted(os.listdir(world.layout.snapshots))


def reduces(world: World, name: str, host: str) -> None:
    """Let a reducer on a host hold the lock."""
    for path in world.layout.locks.iterdir():
        path.unlink()
    identity = replace(processes.identity(), host=host).to_json()
    (world.layout.locks / Lock("reduced", 1, name, 1).name).write_bytes(sealed.seal_json(identity))


def without_file(world: World) -> None:
    for path in world.config.archive.parent.iterdir():
        path.unlink()


# publishing


def test_a_copy_holds_what_the_archive_holds_and_says_when_it_was_made(world: World) -> None:
    member = world.member()
    path = publish(member, world.config.archive)
    assert path.name == naming.snapshot_name(member.name, 1)
    assert dump(path) == dump(world.config.archive)
    assert dump(path, leave_out=("meta",))["replies"] == dump(world.config.archive, leave_out=())["replies"]
    assert check_archive(path) == []
    assert ArchiveReader(path, is_copy=True).copied() == member.wall()
    assert os.listdir(world.layout.tmp) == []
    assert check(world.root) == []


def test_a_copy_is_made_while_a_batch_is_written_and_holds_nothing_of_it(world: World) -> None:
    with Archive.open(world.config.archive) as archive:
        archive._connection.execute("PRAGMA busy_timeout = 0")
        with archive.transaction():
            archive.put_text(SID, 1, {"half": 1}, "done")
            path = publish(world.member(), world.config.archive)
        assert len(dump(path)["texts"]) == len(dump(world.config.archive)["texts"]) - 1


def test_older_copies_go_that_are_ones_own_or_of_reducers_that_are_gone(world: World) -> None:
    first, second = world.member(), world.member()
    for number, member in enumerate((first, first, second), 1):
        reduces(world, first.name, "n4")
        path = publish(member, world.config.archive)
        assert naming.parse_snapshot(path.name) == (member.name, number)
    assert copies(world) == [naming.snapshot_name(first.name, 2), naming.snapshot_name(second.name, 3)]
    reduces(world, second.name, "n5")
    publish(second, world.config.archive)
    assert copies(world) == [naming.snapshot_name(second.name, 4)]
    assert check(world.root) == []


def test_nobody_ever_sees_half_a_copy(world: World) -> None:
    left = [10**9]
    publish(world.member(dying_disk(left)), world.config.archive)
    changes = 10**9 - left[0]
    assert changes >= 3
    for number in range(changes):
        with pytest.raises(Killed):
            publish(world.member(dying_disk([number])), world.config.archive)
        assert copies(world)
        for name in copies(world):
            assert check_archive(world.layout.snapshots / name) == []
        assert check(world.root) == []
    publish(world.member(), world.config.archive)
    assert len(copies(world)) == 1, "whoever comes next clears what dead ones left"


def test_a_copy_that_cannot_be_made_leaves_nothing_and_is_said(world: World, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no archive at"):
        publish(world.member(), tmp_path / "nothing.sqlite")
    world.config.archive.with_name("notes.sqlite").write_text("notes" * 1000)
    with pytest.raises(SpoolError, match="not a database; nothing was made"):
        publish(world.member(), world.config.archive.with_name("notes.sqlite"))
    with pytest.raises(TemporaryError, match="unable to open database"):
        snapshots.copy(world.config.archive, tmp_path / "nowhere" / "copy.sqlite", 1.0)
    assert copies(world) == os.listdir(world.layout.tmp) == []


def test_it_is_wanted_where_a_host_may_see_the_spool_and_not_the_archive(world: World) -> None:
    inside = world.layout.archive
    assert is_wanted(world.config) and is_wanted(replace(world.config, archive=inside, is_shared=True))
    assert not is_wanted(replace(world.config, archive=inside))


def test_it_takes_no_more_than_its_share_of_the_time() -> None:
    assert is_due(60.0, None, 0.0, is_changed=False)
    assert [is_due(60.0, since, 2.0) for since in (60.0, 199.0, 200.0)] == [False, False, True]


def test_what_is_written_changes_the_state_of_the_file(world: World) -> None:
    before = snapshots.state(world.config.archive)
    with Archive.open(world.config.archive) as archive:
        archive.put_text(SID, 1, {"new": 1}, "text")
        assert snapshots.state(world.config.archive) != before
    assert snapshots.state(world.config.archive.with_name("none")) == ((0, 0), (0, 0))


# finding


def test_the_reducers_host_reads_the_file_and_others_the_newest_copy(world: World) -> None:
    member = world.member()
    for name in (STRANGER, member.name):
        reduces(world, name, HERE)
        publish(world.member() if name == STRANGER else member, world.config.archive)
    assert finding.find(world.config).reader == ArchiveReader(world.config.archive)
    reduces(world, member.name, "elsewhere")
    found = finding.find(world.config, wall=lambda: member.wall() + 200.4)
    assert found.reader == ArchiveReader(world.layout.snapshots / naming.snapshot_name(member.name, 2), is_copy=True)
    assert found.note == "from a snapshot that is 3 min 20 s old"
    assert found.reader.session(OTHER).state == "done"
    without_file(world)
    reduces(world, member.name, HERE)
    assert finding.find(world.config).reader.is_copy


def test_a_file_of_a_reducer_that_was_here_once_is_better_than_nothing(world: World) -> None:
    reduces(world, STRANGER, "elsewhere")
    assert finding.find(world.config) == finding.Found(ArchiveReader(world.config.archive))


def test_a_file_in_a_spool_on_a_local_disk_is_read_whatever_its_reducers_host_is_called(world: World) -> None:
    """Two containers that share a volume have names of their own."""
    with Archive.open(world.layout.archive) as archive:
        archive_story.tell(archive, Result, 3)
    publish(world.member(), world.layout.archive)
    reduces(world, STRANGER, "container")
    inside = replace(world.config, archive=world.layout.archive)
    assert finding.find(inside).age is None


def test_on_a_share_others_read_the_copy(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with Archive.open(world.layout.archive, is_local=False) as archive:
        archive_story.tell(archive, Result, 3)
    inside = replace(world.config, archive=world.layout.archive, is_shared=True)
    monkeypatch.setattr(filesystem, "is_shared", lambda path: True)
    reduces(world, STRANGER, "elsewhere")
    assert finding.find(inside).age is None, "there is nothing better yet"
    publish(world.member(), world.layout.archive)
    assert finding.find(inside).age is not None
    reduces(world, STRANGER, HERE)
    assert finding.find(inside).age is None


def test_nothing_to_read_is_said_in_a_sentence(world: World) -> None:
    without_file(world)
    with pytest.raises(NotFound, match="park-reduced makes it when it starts"):
        finding.find(world.config)
    reduces(world, STRANGER, "elsewhere")
    with pytest.raises(NotFound, match=r"the archive is on elsewhere, .* `park archive snapshot` on elsewhere"):
        finding.find(world.config)
    for path in world.layout.locks.iterdir():
        path.write_bytes(b"torn")
    with pytest.raises(NotFound, match="park-reduced makes it when it starts"):
        finding.find(world.config)


def test_a_copy_that_is_replaced_at_that_moment_is_looked_for_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = world.config.archive
    first = publish(world.member(), without)
    second = publish(world.member(), without)
    without_file(world)
    listed = iter([second, first, second])
    monkeypatch.setattr(finding, "newest", lambda disk, spool: next(listed))
    assert finding.find(world.config).reader.path == second
    monkeypatch.setattr(finding, "newest", lambda disk, spool: first)
    with pytest.raises(TemporaryError, match="was replaced by a newer one just now; look again"):
        finding.find(world.config)


def test_names_that_are_no_copies_are_not_taken_for_one(world: World) -> None:
    for name in ("snapshot.sqlite", f"snapshot.{STRANGER}.000000009.sqlite-journal", "park.sqlite"):
        (world.layout.snapshots / name).touch()
    assert finding.newest(Disk(world.layout.tmp, "test"), world.layout) is None


def test_commands_say_that_they_read_a_copy(world: World) -> None:
    world.layout.settings.write_text(f'archive = "{world.config.archive}"\n')
    publish(world.member(), world.config.archive)
    reduces(world, STRANGER, "elsewhere")
    for words in (("status",), ("status", OTHER), ("why", SID, "1.1.4")):
        result = park(*words, spool=world.root)
        assert "note: from a snapshot that is " in result.stderr, words
    assert "done" in park("status", spool=world.root).stdout
    without_file(world)
    for path in world.layout.snapshots.iterdir():
        path.unlink()
    result = park("why", SID, "1.1.4", spool=world.root)
    assert (result.exit_code, result.stdout) == (FAILED, "")


def test_a_copy_can_be_read_by_one_who_may_not_write(world: World) -> None:
    path = publish(world.member(), world.config.archive)
    path.chmod(0o444)
    before = os.listdir(path.parent)
    assert ArchiveReader(path, is_copy=True).session(SID).ok > 0
    assert os.listdir(path.parent) == before, "no log, no lock"
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
