"""Holds, pins, eviction, verification and sweeping: what stays, what goes, and in which order."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from storing import HREF, OTHER, SID, Remote, Wall, assert_legal, bytes_of, fetch, names, new_store, plant, sha

from park_spool.atomic import Disk
from park_spool.errors import DataError, TemporaryError
from park_spool.store import evicting, holding, naming, verifying
from park_spool.store.checking import check
from park_spool.store.entries import Entry, entries, total
from park_spool.store.facts import Facts
from park_spool.store.store import Store
from park_spool.store.sweeping import sweep

PLENTY = 10**12


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def store(tmp_path: Path, wall: Wall) -> Store:
    return new_store(tmp_path / "store", wall=wall)


def hundred(store: Store, wall: Wall, count: int) -> list[str]:
    """Bring files of a hundred bytes in, a thousand seconds apart; return their digests, the oldest first."""
    found = []
    for number in range(count):
        found.append(plant(store, bytes([number]) * 100, f"beamline:/{number}").digest)
        wall.now += 1000
    return found


# holds and pins


def test_a_session_holds_the_version_that_it_began_with(store: Store) -> None:
    first = plant(store, b"first")
    assert holding.hold(store, SID, first) == first.digest
    second = plant(store, b"second")
    assert store.newest(HREF) == second
    assert holding.hold(store, SID, second) == holding.held(store, SID, HREF) == first.digest
    assert holding.hold(store, OTHER, second) == second.digest
    assert holding.holders(store) == {SID: {first.digest}, OTHER: {second.digest}}
    evicting.make_room(store, quota=11, free=lambda root: PLENTY)
    assert bytes_of(store, first) == b"first"


def test_what_is_released_is_held_no_more(store: Store) -> None:
    version = plant(store, b"data")
    for href in (HREF, "beamline:/other"):
        holding.hold(store, SID, plant(store, b"data", href))
    holding.release(store, SID)
    holding.release(store, SID)
    assert holding.held(store, SID, HREF) is None and holding.holders(store) == {}
    assert names(store.root / "tmp") == names(store.root / "holds") == []
    assert holding.hold(store, SID, version) == version.digest


def test_a_hold_wants_a_session_and_an_href(store: Store) -> None:
    version = plant(store, b"data")
    for sid in ("../tmp", "", "session"):
        for call in (lambda sid: holding.hold(store, sid, version), lambda sid: holding.release(store, sid)):
            with pytest.raises(DataError, match="session id"):
                call(sid)


def test_many_threads_hold_one_version(store: Store) -> None:
    versions = [plant(store, bytes([number])) for number in range(8)]
    said: list[str] = []
    gate = threading.Barrier(len(versions))

    def run(number: int) -> None:
        gate.wait()
        said.append(holding.hold(store, SID, versions[number]))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(versions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(said) == len(versions) and set(said) == {holding.held(store, SID, HREF)}


def test_pins(store: Store) -> None:
    digest = plant(store, b"data").digest
    holding.pin(store, digest)
    holding.pin(store, digest)
    assert holding.pins(store) == holding.kept(store) == {digest}
    assert holding.unpin(store, digest) and not holding.unpin(store, digest)
    assert holding.pins(store) == set()
    for call in (holding.pin, holding.unpin):
        with pytest.raises(DataError, match="SHA-256"):
            call(store, "../../etc/passwd")


# entries


def test_entries_say_all_about_a_blob(store: Store, wall: Wall) -> None:
    version = plant(store, b"data")
    plant(store, b"data", "other:/copy")
    holding.hold(store, SID, version)
    holding.pin(store, version.digest)
    wall.now += 1000
    store.put([b"put"])
    first, second = sorted(entries(store), key=lambda entry: entry.used)
    assert first == Entry(version.digest, 4, wall.now - 1000, (HREF, "other:/copy"), True, (SID,))
    assert second == Entry(sha(b"put"), 3, wall.now)


# eviction


ENTRIES = st.lists(
    st.builds(
        Entry,
        st.integers(0, 30).map(lambda number: sha(bytes([number]))),
        st.integers(0, 100),
        st.integers(0, 9).map(float),
        st.just(()),
        st.booleans(),
        st.sampled_from([(), (SID,)]),
    ),
    unique_by=lambda entry: entry.digest,
    max_size=12,
)


@given(ENTRIES, st.integers(0, 200), st.none() | st.integers(0, 600), st.integers(0, 300), st.integers(0, 300))
def test_the_choice(found: list[Entry], needed: int, quota: int | None, free: int, floor: int) -> None:
    kept = {entry.digest for entry in found[:1]}
    may_go = [e for e in found if e.size and not e.is_pinned and not e.holders and e.digest not in kept]
    total = sum(entry.size for entry in found)
    chosen = evicting.choose(found, needed, quota, free, floor, kept)
    most = sum(entry.size for entry in may_go)
    if chosen is None:
        assert evicting.lacking(total - most, needed, quota, free + most, floor) > 0, "it would have been enough"
        return
    gone = sum(entry.size for entry in chosen)
    assert set(chosen) <= set(may_go), "it took what is kept"
    assert evicting.lacking(total - gone, needed, quota, free + gone, floor) == 0, "it took too little"
    assert chosen == sorted(may_go, key=lambda entry: (entry.used, entry.digest))[: len(chosen)], "not the oldest first"
    if chosen:
        less = gone - chosen[-1].size
        assert evicting.lacking(total - less, needed, quota, free + less, floor) > 0, "it took too much"


def test_the_least_recently_used_goes_first(store: Store, wall: Wall) -> None:
    old, middle, young = hundred(store, wall, 3)
    store.blob(old)
    gone = evicting.make_room(store, 50, quota=250, free=lambda root: PLENTY)
    assert [entry.digest for entry in gone] == [middle]
    assert store.has(old) and store.has(young) and not store.has(middle)
    assert names(store.root / "tmp") == []
    assert evicting.make_room(store, 50, quota=250, free=lambda root: PLENTY) == []
    assert_legal(store)


def test_a_floor_of_free_space(store: Store, wall: Wall) -> None:
    old, middle, young = hundred(store, wall, 3)
    gone = evicting.make_room(store, 10, floor=1000, free=lambda root: 850)
    assert [entry.digest for entry in gone] == [old, middle]
    assert store.has(young)


def test_what_is_kept_stays_and_in_vain_nothing_goes(store: Store, wall: Wall) -> None:
    held, pinned, served, free = hundred(store, wall, 4)
    version = store.newest("beamline:/0")
    assert version is not None
    holding.hold(store, SID, version)
    holding.pin(store, pinned)
    with pytest.raises(TemporaryError, match=rf"the store {store.root} has no room for 1 B: .*Nothing was evicted"):
        evicting.make_room(store, 1, quota=300, kept={served}, free=lambda root: PLENTY)
    assert store.has(free)
    gone = evicting.make_room(store, quota=300, kept={served}, free=lambda root: PLENTY)
    assert [entry.digest for entry in gone] == [free]
    assert store.has(held) and store.has(pinned) and store.has(served)


def test_an_evicted_file_is_fetched_again(store: Store, wall: Wall) -> None:
    [digest] = hundred(store, wall, 1)
    evicting.make_room(store, quota=0, free=lambda root: PLENTY)
    assert store.newest("beamline:/0") is None and store.blob(digest) is None
    assert [version.digest for version in store.versions("beamline:/0")] == [digest]
    assert store.has(plant(store, bytes(100), "beamline:/0").digest)


def test_a_reader_goes_on_when_its_blob_is_evicted(store: Store) -> None:
    path = store.blob(plant(store, b"data").digest)
    assert path is not None
    with path.open("rb") as file:
        evicting.make_room(store, quota=0, free=lambda root: PLENTY)
        assert file.read() == b"data"


def test_a_hold_that_comes_while_it_is_evicted_wins(tmp_path: Path) -> None:
    class Interleaved(Disk):
        """Somebody holds the version at the moment when its blob has been moved away."""

        is_armed = True

        def step(self, call: str, path: Path) -> None:
            if call == "listdir" and path.name == "pins" and not blob.exists() and self.is_armed:
                self.is_armed = False
                holding.hold(store, SID, version)

    store = new_store(tmp_path / "store")
    version = plant(store, b"data")
    blob = store.places.blob(version.digest)
    other = new_store(tmp_path / "store", Interleaved)
    assert evicting.make_room(other, quota=0, free=lambda root: PLENTY) == []
    assert not other.disk.is_armed, "nothing came between"  # type: ignore[attr-defined]
    assert bytes_of(store, version) == b"data"
    assert names(store.root / "tmp") == []


def test_the_free_space_of_the_disk_is_asked(store: Store) -> None:
    assert evicting.free_space(store.root) > 0
    assert evicting.make_room(store) == []


def test_room_that_was_found_serves_for_a_minute_and_for_an_eighth_of_it() -> None:
    now = [1000.0]
    slack = evicting.Slack(lambda: now[0])
    assert not slack.take(0)  # nobody has looked yet
    slack.find(800)
    assert (slack.take(60), slack.take(40), slack.take(1)) == (True, True, False)
    slack.find(800)
    assert not slack.take(None)  # of a size that is not known
    now[0] += evicting.LOOK_SECONDS
    assert not slack.take(1)


def test_where_all_fits_nobody_reads_who_holds_what(store: Store, wall: Wall, monkeypatch: pytest.MonkeyPatch) -> None:
    hundred(store, wall, 2)
    monkeypatch.delattr(holding, "holders")
    assert evicting.make_room(store, 50, quota=250, free=lambda root: PLENTY) == []
    assert total(store) == 200


# verification


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)
    path.chmod(0o444)


def test_a_flipped_bit_is_found_and_put_aside(store: Store) -> None:
    good, bad = plant(store, b"good", "beamline:/good"), plant(store, b"bad" * 100)
    path = store.places.blob(bad.digest)
    flip(path)
    damaged = path.read_bytes()
    [fault] = verifying.verify(store)
    assert (fault.digest, fault.hrefs) == (bad.digest, (HREF,)) and fault.aside is not None
    assert sha(damaged) in fault.reason and "moved to" in fault.reason
    assert fault.aside.parent == store.places.quarantine and fault.aside.read_bytes() == damaged
    assert fault.aside.with_name(fault.aside.name + ".why").read_text() == f"{fault.reason}\n{HREF}\n"
    assert naming.parse_quarantined(fault.aside.name) == bad.digest
    assert store.newest(HREF) is None, "it is to be fetched again"
    assert store.newest("beamline:/good") == good
    assert list(verifying.verify(store)) == []
    assert fetch(store, Remote(b"bad" * 100, f'"{bad.digest}"')) == bad == store.newest(HREF)
    assert_legal(store)


def test_an_older_version_does_not_take_the_place_of_a_damaged_one(store: Store) -> None:
    plant(store, b"old")
    flip(store.places.blob(plant(store, b"new").digest))
    assert len(list(verifying.verify(store))) == 1
    assert store.newest(HREF) is None


def test_a_damaged_file_goes_even_where_its_reason_cannot_be_written(tmp_path: Path) -> None:
    class Full(Disk):
        def step(self, call: str, path: Path) -> None:
            if call == "write":
                raise OSError(28, "No space left on device")

    flip(new_store(tmp_path / "store").places.blob(plant(new_store(tmp_path / "store"), b"data").digest))
    store = new_store(tmp_path / "store", Full)
    assert len(list(verifying.verify(store))) == 1 and store.newest(HREF) is None
    assert check(store) == [f"quarantine/{name}: no reason lies beside it" for name in names(store.places.quarantine)]


def test_verifying_is_no_use(store: Store, wall: Wall) -> None:
    path = store.places.blob(plant(store, b"data").digest)
    before = path.stat().st_mtime
    wall.now += 10_000
    assert list(verifying.verify(store)) == []
    assert path.stat().st_mtime == before


def test_what_cannot_be_read_is_left_and_told(tmp_path: Path) -> None:
    class Cut(Disk):
        def step(self, call: str, path: Path) -> None:
            if call == "read" and path.name == digest:
                raise OSError(5, "Input/output error")

    digest = ""
    store = new_store(tmp_path / "store", Cut)
    digest = plant(store, b"data").digest
    [fault] = verifying.verify(store)
    assert fault.aside is None and "cannot be read: Input/output error; it was left" in fault.reason
    assert store.newest(HREF) is not None


def test_what_is_evicted_while_it_is_verified_is_no_fault(tmp_path: Path) -> None:
    class Evicting(Disk):
        def step(self, call: str, path: Path) -> None:
            if call == "read" and path.name == digest:
                path.unlink(missing_ok=True)

    digest = ""
    store = new_store(tmp_path / "store", Evicting)
    digest = plant(store, b"data").digest
    assert list(verifying.verify(store)) == []


# sweeping


def test_what_killed_processes_left_is_swept(store: Store, wall: Wall) -> None:
    with store.begin(HREF) as partial:
        partial.restart(Facts(100, '"1"'))
        partial.write(b"some")
    (store.places.tmp / "left").write_bytes(b"half")
    (store.places.tmp / "grave").mkdir()
    plant(store, b"data", "beamline:/good")
    wall.now = os.stat(store.root).st_ctime + 3600
    assert sweep(store) == []
    wall.now += 2 * 86400
    assert sweep(store) == ["tmp/grave", "tmp/left"]
    key = naming.key_of(HREF)
    wall.now += 7 * 86400
    with store.single(HREF):
        assert sweep(store) == [], "somebody is at it"
    assert sweep(store) == [f"partial/{key}", f"partial/{key}.facts"]
    assert store.begin(HREF).facts is None and store.newest("beamline:/good") is not None
