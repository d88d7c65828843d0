"""Transactions: whatever stops the writer, and whenever, all of a batch is kept or nothing."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from archive_examples import RECEIVED, SID, ask, dump, ok, put, record, session

from park_spool.archive.writing import Archive
from park_spool.errors import TemporaryError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "park.sqlite"


@pytest.fixture
def archive(path: Path) -> Iterator[Archive]:
    with Archive.open(path) as archive:
        archive.add_session(SID, record(session=session(4, 2)), b"<session/>", RECEIVED)
        yield archive


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, ValueError])
def test_a_transaction_keeps_everything_or_nothing(archive: Archive, path: Path, error: type[BaseException]) -> None:
    before = dump(path)
    with pytest.raises(error), archive.transaction():
        archive.put_results([ok(1, 2.0)])
        archive.record_replies([("a", SID, "r.1")])
        raise error
    assert dump(path, leave_out=()) == before | dump(path, leave_out=())
    assert dump(path) == before
    put(archive, [ok(1, 2.0)])
    assert dump(path) != before


def test_a_savepoint_undoes_only_its_own_block(archive: Archive, path: Path) -> None:
    with archive.transaction():
        archive.put_results([ok(1, 2.0)])
        with pytest.raises(ValueError, match="reducer"), archive.savepoint():
            archive.put_text(SID, 1, {}, "half done")
            raise ValueError("the reducer throws")
        with archive.savepoint():
            archive.put_text(SID, 1, {"whole": 1}, "done")
    assert ask(path, "SELECT keys FROM texts") == [('{"whole":1}',)]
    assert ask(path, "SELECT count(*) FROM jobs") == [(1,)]


def test_results_can_be_read_while_a_reducer_writes_and_is_rolled_back(archive: Archive) -> None:
    put(archive, [ok(job, float(job), started=float(job)) for job in range(1, 300)])
    seen = []
    with archive.transaction():
        for result in archive.replies_in_order(SID, 1):
            seen.append(result.job)
            with pytest.raises(ValueError, match="x"), archive.savepoint():
                archive.put_text(SID, 1, {"job": result.job}, result.output)
                raise ValueError("x")
    assert seen == list(range(1, 300))


def test_another_programs_lock_is_a_reason_to_wait(
    archive: Archive, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive._connection.execute("PRAGMA busy_timeout = 0")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(TemporaryError, match="nothing of this batch was kept"), archive.transaction():
            raise AssertionError("the block must not run")
        other.execute("ROLLBACK")
    put(archive, [ok(1)])


def test_a_full_disk_is_a_reason_to_wait(archive: Archive, path: Path) -> None:
    (pages,) = archive._connection.execute("PRAGMA page_count").fetchone()
    archive._connection.execute(f"PRAGMA max_page_count = {pages}")
    before = dump(path)
    with pytest.raises(TemporaryError, match="full"), archive.transaction():
        archive.put_results([ok(job, output="x" * 1000) for job in range(1, 100)])
    assert dump(path) == before
    archive._connection.execute("PRAGMA max_page_count = 100000")
    put(archive, [ok(1)])


_CRASH = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from archive_examples import SID, ok
from park_spool.archive.writing import Archive
archive = Archive.open(Path(sys.argv[1]))
with archive.transaction():
    archive.put_results([ok(1, 5.0)])
    archive.record_replies([("committed", SID, "r.1")])
with archive.transaction():
    archive.put_results([ok(job, 1.0 / job) for job in range(2, 5000)])
    archive.record_replies([("lost", SID, "r.2")])
    archive._connection.execute("PRAGMA cache_spill = 1")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("is_local", [True, False])
def test_a_killed_writer_leaves_whole_transactions(path: Path, is_local: bool) -> None:
    with Archive.open(path, is_local=is_local) as archive:
        archive.add_session(SID, session(5000), b"", RECEIVED)
    code = _CRASH if is_local else _CRASH.replace("sys.argv[1])", "sys.argv[1]), is_local=False")
    here = str(Path(__file__).parent)
    done = subprocess.run([sys.executable, "-c", code, str(path), here], env=os.environ, check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    with Archive.open(path, is_local=is_local) as archive:
        assert archive.replies_known(["committed", "lost"]) == {"committed": "r.1"}
        assert archive.counts(SID) == (5000, 1, 0)
        assert archive.final_jobs(SID) == {(1, 1): [(1, 2)]}
