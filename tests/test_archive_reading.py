"""The readers' side: read-only, tolerant of a file that is not there yet, never in the writer's way."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from archive_examples import OTHER, RECEIVED, SID, failed, ok, put, record, session

from park_spool.archive.reading import ArchiveReader
from park_spool.archive.rows import FileRow
from park_spool.archive.sqlite import snapshot
from park_spool.archive.writing import Archive
from park_spool.errors import NotFound, SpoolError
from park_spool.replies import KeptFile

FIT = """{"chisq": 966.19, "npoints": 408, "dof": 399, "seed": 7, "nllf": 483.1,
 "parameters": [{"name": "film thickness", "value": 258.86, "error": 0.1, "unit": "Å"}, 3],
 "curve": {"x": [0.01, 0.02], "y": [1.0, 0.5], "dy": [0.1, 0.1], "model": [1.0, 0.5], "yscale": "log"}}"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "an archive with ? and #.sqlite"


@pytest.fixture
def archive(path: Path) -> Iterator[Archive]:
    with Archive.open(path) as archive:
        archive.add_session(SID, record(session=session(4, 2)), b"<session/>", RECEIVED)
        yield archive


@pytest.fixture
def reader(archive: Archive, path: Path) -> ArchiveReader:
    return ArchiveReader.open(path)


def test_a_missing_file_is_said_in_a_sentence(path: Path) -> None:
    with pytest.raises(NotFound, match="park-reduced makes it when it starts"):
        ArchiveReader.open(path)


@pytest.mark.parametrize("statement", ["", "CREATE TABLE _sqlite_migrations (id INTEGER)"])
def test_a_file_that_is_being_made_is_said_in_a_sentence(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.close()
    path.touch()
    with pytest.raises(NotFound, match="still being made"):
        ArchiveReader.open(path)


def test_a_file_that_is_no_archive_is_said_in_a_sentence(path: Path) -> None:
    path.write_text("notes" * 1000)
    with pytest.raises(SpoolError, match="not a database"):
        ArchiveReader.open(path)


def test_a_reader_sees_what_is_committed_and_only_that(archive: Archive, reader: ArchiveReader) -> None:
    with archive.transaction():
        archive.put_results([ok(1, 5.0)])
        assert reader.session(SID).ok == 0
    assert reader.session(SID).ok == 1


def test_a_reader_in_the_middle_of_a_look_does_not_block_the_writer(archive: Archive, path: Path) -> None:
    archive._connection.execute("PRAGMA busy_timeout = 0")
    with snapshot(path) as looking:
        (before,) = looking.execute("SELECT count(*) FROM jobs").fetchone()
        put(archive, [ok(1, 5.0)], [ok(2, 4.0)])
        assert looking.execute("SELECT count(*) FROM jobs").fetchone() == (before,) or before == 0
        assert tuple(looking.execute("SELECT count(*) FROM jobs").fetchone()) == (0,)
    assert ArchiveReader(path).session(SID).ok == 2


def test_a_reader_cannot_write(archive: Archive, path: Path) -> None:
    with pytest.raises(Exception, match="readonly"), snapshot(path) as looking:
        looking.execute("DELETE FROM sessions")
    assert ArchiveReader(path).session(SID).sid == SID


def test_an_archive_whose_writer_has_gone_can_be_read(tmp_path: Path) -> None:
    for is_local in (True, False):
        path = tmp_path / f"{is_local}.sqlite"
        with Archive.open(path, is_local=is_local) as archive:
            archive.add_session(SID, session(4), b"", RECEIVED)
        assert ArchiveReader.open(path).session(SID).jobs == 4


_LOOK_AS_NOBODY = """
import os, sqlite3, sys, urllib.parse  # all before the change of user, who may not be let into this library
from pathlib import Path
from park_spool.archive.reading import ArchiveReader
os.setuid(65534)
print(ArchiveReader(Path(sys.argv[1])).sessions()[0].jobs)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can look as another user")
def test_one_who_may_not_write_can_look_with_and_without_a_writer() -> None:
    with tempfile.TemporaryDirectory() as folder:  # pytest's own folders are closed to other users
        os.chmod(folder, 0o755)
        path = Path(folder) / "park.sqlite"
        command = [sys.executable, "-c", _LOOK_AS_NOBODY, str(path)]
        with Archive.open(path) as archive:
            archive.add_session(SID, session(4), b"", RECEIVED)
            seen = [subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)]
        seen.append(subprocess.run(command, capture_output=True, text=True, check=False, timeout=60))
        assert [(done.stdout, done.stderr) for done in seen] == [("4\n", "")] * 2


def test_readers_in_threads(archive: Archive, reader: ArchiveReader) -> None:
    seen: list[int] = []
    threads = [
        threading.Thread(target=lambda: seen.extend(reader.session(SID).ok for _ in range(20))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    put(archive, *([ok(job, float(job))] for job in range(1, 5)))
    for thread in threads:
        thread.join()
    assert len(seen) == 80
    assert set(seen) <= {0, 1, 2, 3, 4}


def test_sessions_newest_first(archive: Archive, reader: ArchiveReader) -> None:
    archive.add_session(OTHER, session(7), b"", RECEIVED + 1)
    assert [row.sid for row in reader.sessions()] == [OTHER, SID]
    assert [row.sid for row in reader.sessions(limit=1, offset=1)] == [SID]


def test_a_session_by_a_unique_prefix(archive: Archive, reader: ArchiveReader) -> None:
    archive.add_session(OTHER, session(7), b"", RECEIVED + 1)
    assert reader.session("20261123").sid == SID
    with pytest.raises(NotFound, match="several sessions"):
        reader.session("2026")
    for unknown in ("2027", "", "%", "2026112_"):
        with pytest.raises(NotFound, match="no session"):
            reader.session(unknown)


def test_the_row_of_a_session(archive: Archive, reader: ArchiveReader) -> None:
    put(archive, [ok(1, 9.0, started=1.0), ok(2, 7.0, started=2.0, group=2), failed(3, 2, is_final=True)])
    row = reader.session(SID)
    assert (row.user, row.file, row.state, row.jobs, row.ok, row.failed) == (
        "wei",
        "film.xml",
        "running",
        6,
        2,
        1,
    )
    assert (row.best_chisq, row.best_job) == (7.0, "2.1.2")
    assert (row.first_started, row.last_finished) == (RECEIVED, RECEIVED + 3.0)
    assert [(group.group, group.ok, group.best_job) for group in reader.groups(SID)] == [
        (1, 1, "1.1.1"),
        (2, 1, "2.1.2"),
    ]


def test_the_best_fit_comes_with_its_parameters_and_curve(archive: Archive, reader: ArchiveReader) -> None:
    assert reader.best(SID, 1) is None
    put(archive, [ok(1, 1000.0), ok(2, output=FIT, started=1.0)])
    best = reader.best(SID, 1)
    assert best is not None
    assert (best.job, best.chisq, best.npoints, best.dof, best.seed) == ("1.1.2", 966.19, 408, 399, 7)
    assert best.reduced_chisq == pytest.approx(966.19 / 399)
    assert [parameter["name"] for parameter in best.parameters] == ["film thickness"]
    assert best.curve is not None
    assert best.curve["yscale"] == "log"
    assert [(step.job, step.chisq) for step in reader.history(SID, 1)] == [
        ("1.1.1", 1000.0),
        ("1.1.2", 966.19),
    ]


def test_a_best_fit_without_degrees_of_freedom_has_no_reduced_chisq(archive: Archive, reader: ArchiveReader) -> None:
    put(archive, [ok(1, output='{"chisq": 2, "dof": 0, "parameters": "none", "curve": []}')])
    best = reader.best(SID, 1)
    assert best is not None
    assert (best.reduced_chisq, best.parameters, best.curve) == (None, [], None)


def test_the_jobs_failures_messages_and_nodes(archive: Archive, reader: ArchiveReader) -> None:
    put(archive, [ok(1, 9.0), ok(2, output=""), failed(3, 2, is_final=True)])
    assert [(job.job, job.status) for job in reader.jobs(SID)] == [
        ("1.1.1", "ok"),
        ("1.1.2", "ok"),
        ("1.1.3", "failed"),
    ]
    assert [job.job for job in reader.jobs(SID, limit=1, offset=1)] == ["1.1.2"]
    assert [(row.job, row.exit) for row in reader.failures(SID)] == [("1.1.3", 3)]
    for number in range(4):
        archive.add_message(SID, 1, f"message {number}", float(number))
    assert [message.text for message in reader.messages(SID, limit=2)] == ["message 2", "message 3"]
    archive.put_node({"node": "n1_1_aaaaaa", "host": "n1", "cpus": 2, "units": ["u"], "seen": 1.0})
    assert [(node.node, node.units, node.heartbeat["cpus"]) for node in reader.nodes()] == [("n1_1_aaaaaa", 1, 2)]


def test_all_that_is_known_of_one_job(archive: Archive, reader: ArchiveReader) -> None:
    kept = {"a.dat": KeptFile(sha256="a" * 64, size=3), "b/c.dat": KeptFile(sha256="b" * 64, size=0)}
    put(archive, [failed(2), failed(2, 1, node="n2_2_bbbbbb"), ok(2, 9.0, attempt=2, data={"d": "00"}, files=kept)])
    archive.put_running([(SID, 1, 1, job, "n3_3_cccccc", RECEIVED, 4.0, 8.5, "<reply chisq='8.5'/>") for job in (2, 3)])
    detail = reader.job(SID[:8], 1, 1, 2)
    assert detail.row is not None
    assert (detail.job, detail.row.status, detail.row.chisq, detail.data) == ("1.1.2", "ok", 9.0, {"d": "00"})
    assert [(one.attempt, one.node, one.exit) for one in detail.attempts] == [
        (0, "n1_1_aaaaaa", 3),
        (1, "n2_2_bbbbbb", 3),
    ]
    assert detail.files == [FileRow("1.1.2", "a.dat", "a" * 64, 3), FileRow("1.1.2", "b/c.dat", "b" * 64, 0)]
    assert detail.running == [], "it has its final result by now"
    waiting = reader.job(SID, 1, 1, 3)
    assert (waiting.row, waiting.output, waiting.attempts) == (None, "", [])
    assert [(one.node, one.chisq, one.line) for one in waiting.running] == [
        ("n3_3_cccccc", 8.5, "<reply chisq='8.5'/>")
    ]
    for place in ((1, 1, 5), (1, 1, 0), (1, 2, 1), (3, 1, 1)):
        with pytest.raises(NotFound, match=r"has no job \d\.\d\.\d"):
            reader.job(SID, *place)


def test_the_attempts_files_and_running_jobs_of_a_session(archive: Archive, reader: ArchiveReader) -> None:
    kept = {"a.dat": KeptFile(sha256="a" * 64, size=3)}
    put(archive, [failed(2), failed(1), ok(3, 9.0, files=kept), ok(1, group=2, files=kept)])
    archive.put_running([(SID, 1, 1, 2, "n1_1_aaaaaa", RECEIVED, 4.0, None, None)])
    assert [one.job for one in reader.attempts(SID)] == ["1.1.1", "1.1.2"]
    assert [one.job for one in reader.attempts(SID, limit=1)] == ["1.1.1"]
    assert [one.job for one in reader.files(SID)] == ["1.1.3", "2.1.1"]
    assert [one.job for one in reader.files(SID, (2, 1, 1))] == ["2.1.1"]
    assert (
        [one.job for one in reader.session_page(SID).running] == [one.job for one in reader.running(SID)] == ["1.1.2"]
    )


def test_the_jobs_that_failed_for_good(archive: Archive, reader: ArchiveReader) -> None:
    put(archive, [failed(job, 2, is_final=True) for job in (1, 2, 4)], [failed(2, 2, is_final=True, group=2), ok(3)])
    assert reader.failed_jobs(SID) == {(1, 1): [(1, 3), (4, 5)], (2, 1): [(2, 3)]}
    assert reader.failed_jobs(OTHER) == {}


def test_the_versions_change_with_what_the_pictures_show(archive: Archive, reader: ArchiveReader) -> None:
    versions = [(reader.history_version(SID, 1), reader.best_version(SID, 1))]
    for batch in ([ok(1, 9.0)], [ok(1, 8.0, attempt=1)], [ok(2, 9.5, started=1.0)], [failed(3, 2, is_final=True)]):
        put(archive, batch)
        versions.append((reader.history_version(SID, 1), reader.best_version(SID, 1)))
    assert len({history for history, _ in versions}) == 5
    assert [best for _, best in versions[2:]] == [versions[2][1]] * 3
    assert len({best for _, best in versions}) == 3
    put(archive, [ok(1, 1.0, group=2)], [ok(1, 8.0, attempt=1)])
    assert reader.history_version(SID, 1) == versions[-1][0]
    with pytest.raises(NotFound, match="no group 3"):
        reader.history_version(SID, 3)


def test_the_history_picture_thins_out_many_jobs(archive: Archive, reader: ArchiveReader) -> None:
    archive.add_session(OTHER, session(10_000), b"", RECEIVED)
    put(archive, [ok(job, 5.0 + job, sid=OTHER, started=float(job)) for job in range(1, 10_001)])
    picture = reader.history_picture(OTHER, 1)
    assert len(picture.jobs) == 2000
    assert len(picture.steps) == 1


def test_reading_does_not_import_the_writers_library() -> None:
    code = "import sys, park_spool.archive.reading; print('sqlite_utils' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "False"
