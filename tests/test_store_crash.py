"""The store, killed before every change of its disk: nothing half is visible, and the next process goes on or anew."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from storing import HREF, OTHER, SID, Remote, assert_legal, bytes_of, fetch, names, new_store, plant, sha
from world import Killed, dying_disk

from park_spool import sealed
from park_spool.atomic import Disk
from park_spool.errors import TemporaryError
from park_spool.store import evicting, holding, naming, notes, verifying
from park_spool.store.checking import check
from park_spool.store.entries import entries
from park_spool.store.facts import Facts
from park_spool.store.store import Store

DATA = b"0123456789abcdefghijklmnopqrstuvwxyz"
Story = Callable[[Store], None]


def changes(root: Path, before: Story, story: Story) -> int:
    """Count the changes of an undisturbed story."""
    before(new_store(root))
    left = [10**9]
    story(new_store(root, dying_disk(left)))
    return 10**9 - left[0]


def killed(root: Path, number: int, before: Story, story: Story) -> Store:
    """Let a process die before the n-th change of its story; return the store as the next one finds it."""
    before(new_store(root))
    with pytest.raises(Killed):
        story(new_store(root, dying_disk([number])))
    after = new_store(root)
    assert_legal(after)
    return after


def nothing(store: Store) -> None:
    pass


def test_a_fetch_that_is_killed_anywhere(tmp_path: Path) -> None:
    total = changes(tmp_path / "count", nothing, lambda store: _fetch(store, Remote(DATA)))
    assert total > 20
    resumed = 0
    for number in range(total):
        remote = Remote(DATA)
        store = killed(tmp_path / str(number), number, nothing, lambda store, remote=remote: _fetch(store, remote))
        (before, remote.asked), found = (remote.asked, 0), store.newest(HREF)
        assert bytes_of(store, fetch(store, remote)) == DATA
        there = remote.offsets[-1] if len(remote.offsets) > 1 else 0
        assert remote.asked == (0 if found else len(DATA) - there), "it asked for bytes that were there"
        assert found is not None or there in (before, before - 4, 0)
        resumed += 0 < there < len(DATA)
        assert len(store.versions(HREF)) == 1
        assert_legal(store)
    assert resumed >= len(DATA) // 4 - 1


def _fetch(store: Store, remote: Remote) -> None:
    fetch(store, remote)


def test_a_whole_file_is_never_fetched_twice(tmp_path: Path) -> None:
    """Killed anywhere after the last byte was written, the next process asks for nothing."""
    total = changes(tmp_path / "count", nothing, lambda store: _fetch(store, Remote(DATA)))
    writes = _position_of_last_write(tmp_path / "writes")
    assert total - writes > 5
    for number in range(writes, total):
        remote = Remote(DATA)
        store = killed(tmp_path / str(number), number, nothing, lambda store, remote=remote: _fetch(store, remote))
        remote.asked = 0
        fetch(store, remote)
        assert remote.asked == 0, number


def _position_of_last_write(root: Path) -> int:
    left = [10**9]

    class Watching(dying_disk(left)):  # type: ignore[misc]
        last = 0

        def step(self, call: str, path: Path) -> None:
            super().step(call, path)
            if call == "write" and naming.is_key(path.name):
                Watching.last = 10**9 - left[0]

    new_store(root)
    fetch(new_store(root, Watching), Remote(DATA))
    return Watching.last


def test_a_new_version_that_is_killed_anywhere(tmp_path: Path) -> None:
    def before(store: Store) -> None:
        old = plant(store, b"the old one")
        holding.hold(store, SID, old)
        with store.begin(HREF) as partial:  # of a version in between
            partial.restart(Facts(100, '"x"'))
            partial.write(b"in between")

    remote = Remote(DATA)
    for number in range(changes(tmp_path / "count", before, lambda store: _fetch(store, remote))):
        store = killed(tmp_path / str(number), number, before, lambda store: _fetch(store, remote))
        old = store.versions(HREF)[0]
        assert holding.held(store, SID, HREF) == old.digest and bytes_of(store, old) == b"the old one"
        assert bytes_of(store, fetch(store, remote)) == DATA
        assert_legal(store)


def test_a_put_that_is_killed_anywhere(tmp_path: Path) -> None:
    def story(store: Store) -> None:
        store.put([DATA[:7], DATA[7:]])

    for number in range(changes(tmp_path / "count", nothing, story)):
        store = killed(tmp_path / str(number), number, nothing, story)
        story(store)
        assert names(store.root / "blobs") == [f"{sha(DATA)[:2]}/{sha(DATA)}"]
        assert_legal(store)


@pytest.mark.parametrize("mode", [0o444, 0o644])
def test_taking_a_file_that_is_killed_anywhere(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "film.ort"
    path.write_bytes(DATA)
    path.chmod(mode)

    def story(store: Store) -> None:
        store.take(path, HREF, Facts(len(DATA)))

    for number in range(changes(tmp_path / "count", nothing, story)):
        store = killed(tmp_path / str(number), number, nothing, story)
        story(store)
        assert path.read_bytes() == DATA and len(store.versions(HREF)) == 1
        assert_legal(store)


def test_a_hold_that_is_killed_anywhere(tmp_path: Path) -> None:
    def before(store: Store) -> None:
        plant(store, DATA)

    def story(store: Store) -> None:
        version = store.newest(HREF)
        assert version is not None
        assert holding.hold(store, SID, version) == version.digest
        holding.pin(store, version.digest)
        holding.release(store, SID)
        holding.unpin(store, version.digest)

    for number in range(changes(tmp_path / "count", before, story)):
        store = killed(tmp_path / str(number), number, before, story)
        assert set(holding.holders(store)) <= {SID}
        story(store)
        assert holding.kept(store) == set()
        assert_legal(store)


def test_an_eviction_that_is_killed_anywhere(tmp_path: Path) -> None:
    def before(store: Store) -> None:
        for number in range(3):
            plant(store, bytes([number]) * 100, f"beamline:/{number}")
        kept = store.newest("beamline:/1")
        assert kept is not None
        holding.hold(store, OTHER, kept)

    def story(store: Store) -> None:
        evicting.make_room(store, quota=100, free=lambda root: 10**9)

    for number in range(changes(tmp_path / "count", before, story)):
        store = killed(tmp_path / str(number), number, before, story)
        story(store)
        assert [entry.hrefs for entry in entries(store)] == [("beamline:/1",)]
        assert_legal(store)


def test_a_verification_that_is_killed_anywhere(tmp_path: Path) -> None:
    def before(store: Store) -> None:
        path = store.places.blob(plant(store, DATA).digest)
        path.chmod(0o644)
        path.write_bytes(DATA[:-1] + b"!")

    def story(store: Store) -> None:
        list(verifying.verify(store))

    for number in range(changes(tmp_path / "count", before, story)):
        root = tmp_path / str(number)
        before(new_store(root))
        with pytest.raises(Killed):
            story(new_store(root, dying_disk([number])))
        store = new_store(root)
        story(store)
        assert store.newest(HREF) is None
        aside = [path for path in store.places.quarantine.iterdir() if naming.parse_quarantined(path.name)]
        assert len(aside) == 1 and aside[0].with_name(aside[0].name + naming.WHY).is_file()
        assert bytes_of(store, fetch(store, Remote(DATA))) == DATA
        assert_legal(store)


def test_the_crash_test_would_see_a_blob_that_is_published_in_place(tmp_path: Path) -> None:
    """Sabotage: a store that copies into place instead of renaming is found out."""

    def dying_in_place(number: int) -> type[Disk]:
        class Sabotaged(dying_disk([number])):  # type: ignore[misc]
            def move(self, source: Path, target: Path) -> bool:
                data = source.read_bytes()
                for end in range(len(data) + 1):
                    self.step("write", target)
                    target.write_bytes(data[:end])
                target.chmod(0o444)
                return True

        return Sabotaged

    caught = 0
    for number in range(60):
        root = tmp_path / str(number)
        try:
            fetch(new_store(root, dying_in_place(number)), Remote(DATA))
        except Killed:
            try:
                assert_legal(new_store(root))
            except AssertionError:
                caught += 1
    assert caught > 10


# files that hold anything

SITE = st.sampled_from(["version", "hold", "partial", "facts", "stranger"])
NOTE = st.dictionaries(
    st.sampled_from(["href", "digest", "size", "etag", "modified", "fetched", "boot"]),
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.just(HREF), st.just("b007")),
).map(lambda fields: sealed.seal(json.dumps(fields).encode() + b"\n"))
BYTES = st.binary(max_size=200) | NOTE | st.just(sealed.seal(b"[" * 100_000 + b"\n"))


def site(store: Store, word: str) -> Path:
    key = naming.key_of(HREF)
    return {
        "version": store.places.version(key, 7),
        "hold": store.places.hold(SID, key),
        "partial": store.places.partial / key,
        "facts": store.places.partial / (key + naming.FACTS),
        "stranger": store.places.versions / "zz" / "name",
    }[word]


@given(st.dictionaries(SITE, BYTES | st.none(), min_size=1))
@settings(deadline=None, max_examples=150)
def test_whatever_stands_in_a_store_is_skipped_or_begun_anew(
    tmp_path_factory: pytest.TempPathFactory, planted: dict[str, bytes | None]
) -> None:
    """None plants a folder."""
    store = new_store(tmp_path_factory.mktemp("fuzz") / "store")
    for word, data in planted.items():
        path = site(store, word)
        path.parent.mkdir(parents=True, exist_ok=True)
        if data is None:
            path.mkdir()
        else:
            path.write_bytes(data)
    look_at_everything(store)
    version = fetch(store, Remote(DATA), digest=None)
    assert store.newest(HREF) == version and bytes_of(store, version) == DATA
    assert holding.hold(store, SID, version) == holding.held(store, SID, HREF)
    look_at_everything(store)


def look_at_everything(store: Store) -> None:
    store.newest(HREF)
    store.versions(HREF)
    store.hrefs()
    entries(store)
    holding.held(store, SID, HREF)
    holding.holders(store)
    assert list(verifying.verify(store)) == []
    evicting.make_room(store)


def test_strangers_are_skipped(tmp_path: Path) -> None:
    store = new_store(tmp_path / "store")
    version = plant(store, DATA)
    holding.hold(store, SID, version)
    for folder in (*store.root.iterdir(), *store.places.versions.iterdir(), *store.places.blobs.iterdir()):
        for name in (".nfs0001", "README", "0" * 64, "0" * 32 + ".1"):
            (folder / name).write_bytes(b"stranger")
    look_at_everything(store)
    assert_told(store)
    assert store.hrefs() == [HREF] and [entry.digest for entry in entries(store)] == [version.digest]
    assert holding.holders(store) == {SID: {version.digest}}


def assert_told(store: Store) -> None:
    said = check(store)
    for folder in ("blobs", "versions", "holds", "partial", "pins", "quarantine", "locks"):
        assert f"{folder}/README: a store has no such name there" in said
    assert not [sentence for sentence in said if sentence.startswith("tmp/") or ".nfs" in sentence]


def test_what_is_illegal_is_told(tmp_path: Path) -> None:
    store = new_store(tmp_path / "store")
    version = plant(store, DATA)
    blob, key, other = store.places.blob(version.digest), naming.key_of(HREF), "f" * 32
    blob.chmod(0o644)
    store.places.version(key, 2).write_bytes(b"torn")
    for name in (
        f"holds/{SID}/{other}",
        f"partial/{other}",
        f"blobs/ff/{version.digest}",
        "quarantine/" + "0" * 64 + ".abcdef",
    ):
        path = store.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    (store.places.blob("e" * 64)).mkdir(parents=True)
    assert set(check(store)) == {
        f"blobs/ee/{'e' * 64}: expected a read-only file (0444), found none",
        f"blobs/ff/{version.digest}: a store has no such name there",
        f"blobs/{blob.parent.name}/{blob.name}: expected a read-only file (0444), found 0644",
        f"holds/{SID}/{other}: it is no hold that can be read",
        f"partial/{other}: nothing says which version it is of, so it is begun anew",
        f"quarantine/{'0' * 64}.abcdef: no reason lies beside it",
        f"versions/{key[:2]}/{key}.000000002: it is no version that can be read",
    }
    store.places.pins.rmdir()
    assert check(store) == ["pins/ is missing: a store has this folder"]


def test_a_file_system_without_links(tmp_path: Path) -> None:
    class NoLinks(Disk):
        def step(self, call: str, path: Path) -> None:
            if call == "link":
                raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    store = new_store(tmp_path / "store", NoLinks)
    version = plant(store, DATA)
    assert holding.hold(store, SID, version) == version.digest
    path = tmp_path / "film.ort"
    path.write_bytes(b"local")
    path.chmod(0o444)
    assert bytes_of(store, store.take(path, HREF, Facts(5))) == b"local"
    assert len(store.versions(HREF)) == 2 and names(store.root / "tmp") == []


def test_a_note_that_is_said_once(tmp_path: Path) -> None:
    store = new_store(tmp_path / "store")
    path = store.places.pins / "note"
    assert notes.write_once(store.disk, path, {"said": 1})
    assert not notes.write_once(store.disk, path, {"said": 2})
    assert notes.read(store.disk, path) == {"said": 1}
    assert names(store.root / "tmp") == []


def test_a_disk_error_in_the_middle_of_taking_in_is_temporary(tmp_path: Path) -> None:
    class Broken(Disk):
        def step(self, call: str, path: Path) -> None:
            if call == "rename" and path.parent.parent.name == "blobs":
                raise OSError(errno.EIO, "Input/output error")

    remote = Remote(DATA)
    with pytest.raises(TemporaryError, match="Input/output error"):
        fetch(new_store(tmp_path / "store", Broken), remote)
    store, remote.asked = new_store(tmp_path / "store"), 0
    fetch(store, remote)
    assert remote.asked == 0
