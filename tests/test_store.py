"""The store: blobs whole and verified, versions of an href, resuming, one fetch at a time, local files."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from storing import BOOT, HREF, START, Remote, Wall, assert_legal, bytes_of, fetch, names, new_store, plant, sha

from park_spool.atomic import Disk
from park_spool.errors import DataError, PermanentError, SpoolError, TemporaryError
from park_spool.store import naming, taking
from park_spool.store import store as store_module
from park_spool.store.facts import Facts
from park_spool.store.hashed import HashedFile
from park_spool.store.store import Store

DATA = b"2.5 1.0 0.1\n" * 3


@pytest.fixture(params=["disk", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "disk":
        yield new_store(tmp_path / "store")
        return
    root = Path("/dev/shm") / f"park-store-{os.getpid()}-{tmp_path.name}"
    if not root.parent.is_dir():
        pytest.skip("there is no /dev/shm here")
    yield new_store(root)
    shutil.rmtree(root)


# blobs and versions


def test_what_is_fetched_is_there(store: Store) -> None:
    version = fetch(store, Remote(DATA))
    assert (version.href, version.digest, version.size, version.etag) == (HREF, sha(DATA), len(DATA), '"1"')
    assert version.fetched == START and store.newest(HREF) == version
    assert store.versions(HREF) == [version] and store.hrefs() == [HREF]
    assert bytes_of(store, version) == DATA
    assert names(store.root / "partial") == names(store.root / "tmp") == []
    assert_legal(store)


def test_an_empty_file_is_a_file(store: Store) -> None:
    version = fetch(store, Remote(b""))
    assert version.size == 0 and bytes_of(store, version) == b""
    assert store.put([]) == (sha(b""), 0)
    assert_legal(store)


def test_nothing_is_known_of_an_empty_store(store: Store) -> None:
    assert store.newest(HREF) is None and store.versions(HREF) == [] and store.hrefs() == []
    assert store.blob(sha(DATA)) is None and not store.has(sha(DATA))
    with pytest.raises(DataError, match="expected a SHA-256"):
        store.blob("../../etc/passwd")


def test_a_new_version_stands_beside_the_old_one(store: Store) -> None:
    first, second = plant(store, b"first"), plant(store, b"second")
    assert store.newest(HREF) == second and store.versions(HREF) == [first, second]
    assert bytes_of(store, first) == b"first"
    third = plant(store, b"first")
    assert store.newest(HREF) == third and len(store.versions(HREF)) == 3


def test_the_same_version_is_written_down_once(store: Store) -> None:
    first = fetch(store, Remote(DATA))
    store.disk.unlink(store.places.blob(first.digest))
    assert store.newest(HREF) is None, "its blob is gone"
    assert store.versions(HREF) == [first]
    again = fetch(store, Remote(DATA))
    assert again == first and store.versions(HREF) == [first] == [store.newest(HREF)]


def test_two_hrefs_may_hold_the_same_bytes(store: Store) -> None:
    one, two = plant(store, DATA), plant(store, DATA, "other:/copy.ort")
    assert one.digest == two.digest and len(names(store.root / "blobs")) == 1
    assert store.hrefs() == [HREF, "other:/copy.ort"]
    assert names(store.root / "partial") == []


def test_what_is_not_what_its_digest_says_is_never_visible(store: Store) -> None:
    with pytest.raises(DataError, match=rf"expected the SHA-256 {'0' * 64}, got {sha(DATA)}"):
        fetch(store, Remote(DATA), digest="0" * 64)
    with pytest.raises(DataError, match="what was sent: expected the SHA-256"):
        store.put([DATA], "0" * 64)
    with pytest.raises(DataError, match="expected a SHA-256 of 64 digits"):
        store.put([DATA], "nonsense")
    assert names(store.root / "blobs") == names(store.root / "versions") == names(store.root / "tmp") == []
    assert store.begin(HREF).facts is None, "the bytes were thrown away"


def test_what_is_put_is_there_by_its_digest(store: Store) -> None:
    assert store.put(iter([DATA, b"", b"end"]), sha(DATA + b"end")) == (sha(DATA + b"end"), len(DATA) + 3)
    path = store.blob(sha(DATA + b"end"))
    assert path is not None and path.read_bytes() == DATA + b"end"
    assert store.put([DATA + b"end"]) == (sha(DATA + b"end"), len(DATA) + 3)
    assert_legal(store)


def test_a_stream_that_breaks_leaves_nothing(store: Store) -> None:
    with pytest.raises(ConnectionResetError):
        store.put(Remote(DATA, breaks_at=8).read(0))
    assert names(store.root / "tmp") == names(store.root / "blobs") == []


def test_a_blob_that_is_there_is_not_replaced(store: Store) -> None:
    """NFS: whoever reads it on another host would lose it."""
    version = fetch(store, Remote(DATA))
    inode = store.places.blob(version.digest).stat().st_ino
    store.put([DATA])
    fetch(store, Remote(DATA), "other:/copy.ort")
    assert store.places.blob(version.digest).stat().st_ino == inode


def test_what_is_in_the_way_of_a_blob_is_told(store: Store) -> None:
    store.places.blob(sha(DATA)).mkdir(parents=True)
    with pytest.raises(PermanentError, match="in the way"):
        store.put([DATA])
    assert store.blob(sha(DATA)) is None


def test_a_use_is_written_down_but_not_each(tmp_path: Path) -> None:
    wall = Wall()
    store = new_store(tmp_path / "store", wall=wall)
    path = store.places.blob(plant(store, DATA).digest)
    assert path.stat().st_mtime == START
    wall.now += 30
    store.blob(path.name)
    assert path.stat().st_mtime == START
    wall.now += 60
    store.has(path.name)
    store.newest(HREF)
    assert path.stat().st_mtime == START
    store.blob(path.name)
    assert path.stat().st_mtime == START + 90


def test_folders_on_two_disks_are_refused(tmp_path: Path) -> None:
    if Path("/dev/shm").stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is one disk only")
    new_store(tmp_path / "store")
    (tmp_path / "store" / "tmp").rmdir()
    (tmp_path / "store" / "tmp").symlink_to("/dev/shm")
    with pytest.raises(SpoolError, match="a store must be on one"):
        new_store(tmp_path / "store")


def test_a_store_that_is_not_there_is_told(tmp_path: Path) -> None:
    store = Store(tmp_path / "none", boot=BOOT)
    assert store.newest(HREF) is None
    with pytest.raises(PermanentError, match=f"the store {tmp_path / 'none'} cannot take in data: No such file"):
        store.put([DATA])


def test_a_negative_answer_is_asked_again_where_the_list_knows_better(tmp_path: Path) -> None:
    """NFS: a client believes for seconds that a name is not there, though another host has made it."""

    class Stale(Disk):
        believed = 0

        def stat(self, path: Path) -> os.stat_result | None:
            if path.name == sha(DATA) and self.believed:
                self.believed -= 1
                return None
            return super().stat(path)

    store = new_store(tmp_path / "store", Stale)
    store.put([DATA])
    store.disk.believed = 1  # type: ignore[attr-defined]
    assert store.has(sha(DATA))


# what came earlier


def test_a_broken_fetch_goes_on_where_it_stopped(store: Store) -> None:
    remote = Remote(DATA, breaks_at=20)
    with pytest.raises(ConnectionResetError):
        fetch(store, remote)
    assert store.newest(HREF) is None and names(store.root / "blobs") == []
    remote.breaks_at = None
    fetch(store, remote)
    assert remote.offsets == [0, 20] and remote.asked == len(DATA)
    assert_legal(store)


def test_a_changed_file_is_begun_anew(store: Store) -> None:
    with pytest.raises(ConnectionResetError):
        fetch(store, Remote(DATA, breaks_at=20))
    changed = Remote(b"other" * 9, '"2"')
    assert bytes_of(store, fetch(store, changed)) == b"other" * 9
    assert changed.offsets == [0]


def test_bytes_of_before_a_power_cut_count_for_nothing(tmp_path: Path) -> None:
    """A file may have its length and zeros in it then, and the digest of what is fetched is known to nobody."""
    remote = Remote(DATA, breaks_at=20)
    with pytest.raises(ConnectionResetError):
        fetch(new_store(tmp_path / "store"), remote)
    remote.breaks_at = None
    [path] = [path for path in (tmp_path / "store" / "partial").iterdir() if naming.is_key(path.name)]
    path.write_bytes(b"\0" * 20)
    after = new_store(tmp_path / "store", boot="another")
    assert bytes_of(after, fetch(after, remote)) == DATA
    assert remote.offsets == [0, 0]
    assert new_store(tmp_path / "store", boot="").begin(HREF).facts is None


def test_too_few_bytes_are_kept_and_too_many_are_not(store: Store) -> None:
    facts = Facts(10, '"1"')
    partial = store.begin(HREF)
    partial.restart(facts)
    partial.write(b"12345")
    with pytest.raises(TemporaryError, match="5 of 10 bytes came; they are kept"):
        store.adopt(partial, HREF, facts)
    partial.close()
    partial = store.begin(HREF)
    assert (partial.size, partial.facts) == (5, facts)
    partial.write(b"67890too much")
    with pytest.raises(TemporaryError, match="expected 10 bytes, got 18"):
        store.adopt(partial, HREF, facts)
    assert store.begin(HREF).size == 0 and store.newest(HREF) is None


def test_a_size_that_nobody_told_is_counted(store: Store) -> None:
    with store.begin(HREF) as partial:
        partial.restart(Facts(None, "", 5.0))
        partial.write(DATA)
        assert store.adopt(partial, HREF, partial.facts or Facts(None)).size == len(DATA)


def test_bytes_without_facts_are_begun_anew(store: Store) -> None:
    with store.begin(HREF) as partial:
        partial.restart(Facts(100))
        partial.write(b"old")
    (note,) = store.places.partial.glob("*.facts")
    note.unlink()
    with store.begin(HREF) as partial:
        assert (partial.size, partial.facts) == (0, None)
        partial.write(DATA)
        assert bytes_of(store, store.adopt(partial, HREF, Facts(len(DATA)))) == DATA


def test_another_writer_is_found_out(store: Store) -> None:
    facts = Facts(None, '"1"')
    mine, yours = store.begin(HREF), store.begin(HREF)
    mine.restart(facts)
    mine.write(DATA)
    yours.restart(facts)
    yours.write(b"mine no more")
    with pytest.raises(TemporaryError, match="another one writes there"):
        store.adopt(mine, HREF, facts)
    assert names(store.root / "blobs") == []
    yours.close()


# one fetch at a time

FETCHING = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from storing import HREF, Remote, fetch, new_store
store = new_store(Path(sys.argv[1]))
remote = Remote(bytes(1 << 22))
remote.read = lambda offset, read=remote.read: read(offset, 1 << 16)
print("ready", flush=True)
sys.stdin.readline()
version = fetch(store, remote)
print(remote.asked, version.digest, store.blob(version.digest).stat().st_size)
"""


def test_processes_of_one_node_fetch_a_file_once(store: Store) -> None:
    words = [sys.executable, "-c", FETCHING, str(store.root), str(Path(__file__).parent)]
    started = [subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    for process in started:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    said = [process.communicate("go\n", timeout=60)[0].split() for process in started]
    assert sorted(int(words[0]) for words in said) == [0, 0, 0, 1 << 22]
    assert {tuple(words[1:]) for words in said} == {(sha(bytes(1 << 22)), str(1 << 22))}
    assert_legal(store)


def test_who_waits_too_long_is_told_to_try_again(store: Store) -> None:
    with store.single(HREF), store.single("other:/file"), pytest.raises(TemporaryError, match="still fetches"):  # noqa: SIM117
        with store.single(HREF, seconds=0):
            raise AssertionError("two at a time")
    with store.single(HREF, seconds=0):
        pass


def test_nobody_polls_in_a_hurry() -> None:
    assert store_module.POLL_SECONDS >= 0.05


# local files


def facts_of(path: Path) -> Facts:
    return Facts(path.stat().st_size, "", path.stat().st_mtime)


def test_a_local_file_is_taken_in_and_left_as_it_is(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "film.ort"
    path.write_bytes(DATA)
    before = path.stat()
    version = store.take(path, HREF, facts_of(path), sha(DATA))
    assert store.newest(HREF) == version and bytes_of(store, version) == DATA
    path.write_bytes(b"another")
    assert bytes_of(store, version) == DATA, "a file that can be written to must not share its bytes"
    assert stat.S_IMODE(before.st_mode) == stat.S_IMODE(path.stat().st_mode)
    assert names(store.root / "tmp") == []
    assert_legal(store)


@pytest.mark.parametrize(("mode", "links"), [(0o444, 2), (0o644, 1), (0o664, 1), (0o400, 1)])
def test_a_read_only_file_of_ours_gets_a_second_name(tmp_path: Path, mode: int, links: int) -> None:
    wall = Wall()
    store, path = new_store(tmp_path / "store", wall=wall), tmp_path / "film.ort"
    path.write_bytes(DATA)
    path.chmod(mode)
    version = store.take(path, HREF, facts_of(path))
    before = path.stat()
    assert before.st_nlink == links and stat.S_IMODE(before.st_mode) == mode
    wall.now += 10**6
    store.blob(version.digest)
    assert path.stat().st_mtime == before.st_mtime, "a use changes nothing of somebody else's file"
    path.unlink()
    assert bytes_of(store, version) == DATA
    assert_legal(store)


class Cloning(HashedFile):
    """A file on a file system that clones."""

    def clone(self, source: int) -> bool:
        self.write(b"")
        os.pwrite(self._descriptor, os.pread(source, 1 << 20, 0), 0)
        return True


@pytest.mark.parametrize("data", [DATA, b""])
def test_a_clone_is_verified_as_well(store: Store, tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "film.ort"
    path.write_bytes(data)
    file = Cloning(store.disk, store.disk.temporary(), store.root)
    taking.bring(store.disk, path, file)
    assert (file.size, file.finish()) == (len(data), sha(data))
    file.discard()


def test_a_file_that_is_taken_twice_is_there_once(tmp_path: Path) -> None:
    store, path = new_store(tmp_path / "store"), tmp_path / "film.ort"
    path.write_bytes(DATA)
    path.chmod(0o444)
    for href in (HREF, HREF, "other:/copy"):
        store.take(path, href, facts_of(path))
    assert path.stat().st_nlink == 2 and len(store.versions(HREF)) == 1
    assert names(store.root / "tmp") == []


@pytest.mark.parametrize("mode", [0o444, 0o644])
def test_a_local_file_of_another_digest_or_size_is_refused(store: Store, tmp_path: Path, mode: int) -> None:
    path = tmp_path / "film.ort"
    path.write_bytes(DATA)
    path.chmod(mode)
    with pytest.raises(DataError, match="expected the SHA-256"):
        store.take(path, HREF, facts_of(path), "0" * 64)
    with pytest.raises(TemporaryError, match="expected 5 bytes"):
        store.take(path, HREF, Facts(5))
    assert path.read_bytes() == DATA
    assert names(store.root / "blobs") == names(store.root / "tmp") == []


def test_what_is_no_regular_file_is_not_taken(store: Store, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "fifo")
    for name, words in {"link": "Too many levels", "fifo": "not a regular file", "none": "No such file"}.items():
        with pytest.raises(DataError, match=words):
            store.take(tmp_path / name, HREF, Facts(None))
    assert names(store.root / "tmp") == []


def test_a_file_that_changes_while_it_is_read_is_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "film.ort"

    class Growing(Disk):
        def step(self, call: str, at: Path) -> None:
            if call == "write" and path.stat().st_size == len(DATA):
                with path.open("ab") as file:
                    file.write(b"more")

    path.write_bytes(DATA)
    with pytest.raises(TemporaryError, match="changed while it was read"):
        new_store(tmp_path / "store", Growing).take(path, HREF, Facts(None))


# a full disk


class Full(Disk):
    """A disk that is full from a certain call on."""

    call = ""

    def step(self, call: str, path: Path) -> None:
        if call == self.call:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


@pytest.mark.parametrize("call", ["create", "write", "chmod", "fsync", "rename", "link"])
def test_a_full_disk_passes_and_old_blobs_are_still_served(tmp_path: Path, call: str) -> None:
    wall = Wall()
    store = new_store(tmp_path / "store", Full, wall)
    old = plant(store, b"old", "beamline:/old")
    store.disk.call = call  # type: ignore[attr-defined]
    wall.now += 1000
    with pytest.raises(TemporaryError, match=f"the store {store.root} cannot .*No space left on device"):
        fetch(store, Remote(DATA))
    if call != "link":
        with pytest.raises(TemporaryError, match=f"the store {store.root} cannot .*No space left on device"):
            store.put([DATA])
    assert bytes_of(store, old) == b"old" and store.newest(HREF) is None
    store.disk.call = ""  # type: ignore[attr-defined]
    assert bytes_of(store, fetch(store, Remote(DATA))) == DATA
    assert_legal(store)


def test_a_use_of_a_full_disk_is_not_written_down(tmp_path: Path) -> None:
    wall = Wall()
    store = new_store(tmp_path / "store", Full, wall)
    old = plant(store, b"old")
    store.disk.call = "utime"  # type: ignore[attr-defined]
    wall.now += 1000
    assert bytes_of(store, old) == b"old"


@pytest.fixture
def tray(tmp_path: Path, needs: Callable[[str], str]) -> Iterator[Path]:
    """A disk of one megabyte."""
    place = tmp_path / "tray"
    place.mkdir()
    words = [needs("mount"), "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode and os.environ.get("CI") == "true":
        pytest.fail(f"no disk can be mounted here, and CI must not skip what it needs: {done.stderr}")
    if done.returncode:
        pytest.skip(f"no disk can be mounted here: {done.stderr}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=False, capture_output=True)


def test_a_disk_that_is_really_full(tray: Path) -> None:
    store = new_store(tray / "store")
    old = plant(store, bytes(400_000), "beamline:/old")
    remote = Remote(bytes(range(256)) * 4000)
    remote.read = lambda offset, read=remote.read: read(offset, 1 << 14)  # type: ignore[method-assign,misc]
    with pytest.raises(TemporaryError, match=f"the store {store.root} cannot take in data: No space left"):
        fetch(store, remote)
    with pytest.raises(TemporaryError, match=f"the store {store.root} cannot"):
        store.put([bytes(1 << 20)])
    assert bytes_of(store, old) == bytes(400_000)
    assert_legal(store)
    store.disk.unlink(store.places.blob(old.digest))
    fetch(store, remote)
    assert remote.offsets[1] > 200_000, "what fitted was kept"
    assert_legal(store)
