"""Readers and the writer at once, on a local disk: nobody waits for anybody, and everybody sees whole batches."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from archive_examples import RECEIVED, SID, ok, put, session

from park_spool.archive import checking, exporting, snapshots
from park_spool.archive.reading import ArchiveReader
from park_spool.archive.sqlite import snapshot
from park_spool.archive.writing import Archive

BATCHES, SIZE = 60, 50


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "park.sqlite"


@pytest.fixture
def archive(path: Path) -> Iterator[Archive]:
    with Archive.open(path) as archive:
        archive.add_session(SID, session(BATCHES * SIZE), b"<session/>", RECEIVED)
        archive._connection.execute("PRAGMA busy_timeout = 0")  # to wait for anybody is to fail
        yield archive


def write(archive: Archive) -> None:
    for number in range(BATCHES):
        jobs = range(number * SIZE + 1, (number + 1) * SIZE + 1)
        put(archive, [ok(job, 1e6 / job, started=float(job), output=f'{{"chisq": {1e6 / job}}}') for job in jobs])


def test_the_writer_never_waits_for_readers_and_they_see_whole_batches(archive: Archive, path: Path) -> None:
    done = threading.Event()
    seen: list[int] = []
    wrong: list[BaseException] = []

    def look() -> None:
        reader = ArchiveReader(path)
        try:
            while not done.is_set():
                page = reader.session_page(SID)
                seen.append(page.row.ok)
                best = page.groups[0].best
                assert page.row.ok % SIZE == 0
                assert (best is None) == (page.row.ok == 0)
                assert best is None or best.job == f"1.1.{page.row.ok}"
                assert page.row.best_chisq == (best and best.chisq)
        except BaseException as error:  # noqa: BLE001 - a thread's own failure must reach the test
            wrong.append(error)

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        write(archive)
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert wrong == []
    assert len(set(seen)) > 1, "they looked while it was written"
    assert checking.check(path) == []


def test_old_looks_stay_as_they_were_however_much_is_written(archive: Archive, path: Path) -> None:
    with ExitStack() as stack:
        looks = []
        for number in range(BATCHES):
            looking = stack.enter_context(snapshot(path))
            looks.append((number, looking))
            jobs = range(number * SIZE + 1, (number + 1) * SIZE + 1)
            put(archive, [ok(job, started=float(job)) for job in jobs])
        for number, looking in looks:
            assert tuple(looking.execute("SELECT count(*) FROM jobs").fetchone()) == (number * SIZE,)
    assert ArchiveReader(path).session(SID).ok == BATCHES * SIZE


@pytest.mark.parametrize(
    "look",
    [
        lambda path, target: checking.check(path),
        lambda path, target: snapshots.copy(path, target, 1.0),
        lambda path, target: exporting.export(ArchiveReader(path), target),
    ],
    ids=["check", "copy", "export"],
)
def test_a_long_look_in_the_middle_of_a_batch(
    archive: Archive, path: Path, tmp_path: Path, look: Callable[[Path, Path], object]
) -> None:
    write(archive)
    with archive.transaction():
        archive.put_text(SID, 1, {"half": 1}, "text")
        look(path, tmp_path / "target")
        archive.put_text(SID, 1, {"whole": 1}, "text")
    assert len(ArchiveReader(path).texts(SID)) == 2
