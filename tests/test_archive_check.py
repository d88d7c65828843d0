"""`check`: nothing to say of an archive that was kept in step, and one sentence for each way to put it out of step."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import archive_story
import pytest
from archive_examples import RECEIVED, failed, ok, put, session
from archive_story import GONE, SID

from park_spool.archive import checking
from park_spool.archive.checking import check
from park_spool.archive.writing import Archive, Result
from park_spool.errors import NotFound, SpoolError

LIST = f"sid = '{SID}' AND group_number = 2 AND joblist_number = 1"
# What is done to the story's archive, and what must be said of it.
FAULTS = {
    f"UPDATE joblists SET ok = ok - 1 WHERE {LIST}": [
        f"session {SID}, job list 2.1: says 33 ok, 0 failed, 2 duplicates; its jobs are 34, 0 and 2"
    ],
    f"UPDATE joblists SET last_finished = 5 WHERE {LIST}": [
        f"session {SID}, job list 2.1: its jobs were run outside of the time that it says"
    ],
    f"UPDATE joblists SET jobs = 30 WHERE {LIST}": [
        f"session {SID}, job list 2.1: a range of final jobs is not among its 30"
    ],
    f"UPDATE final_ranges SET start = 2 WHERE {LIST}": [
        f"session {SID}, job list 2.1: a range of final jobs begins at 2, its jobs do not",
        f"session {SID}, job list 2.1: its jobs begin at 1, no range of final jobs does",
    ],
    f"UPDATE final_ranges SET stop = 36 WHERE {LIST}": [
        f"session {SID}, job list 2.1: a range of final jobs ends before 36, its jobs do not",
        f"session {SID}, job list 2.1: its jobs end before 35, no range of final jobs does",
    ],
    f"DELETE FROM history WHERE {LIST} AND job_number = 33": [
        f"session {SID}, group 2: at {RECEIVED + 1} job 1.33 improved chisq to 4.0, and history has no such step"
    ],
    f"INSERT INTO history VALUES ('{SID}', 2, 5.0, 1, 9, 1.0)": [
        f"session {SID}, group 2: the step at 5.0 of job 1.9 to chisq 1.0 is in history, and is no improvement"
    ],
    f"UPDATE jobs SET duplicates = 3 WHERE {LIST} AND job_number = 1": [
        f"session {SID}, job list 2.1: says 34 ok, 0 failed, 2 duplicates; its jobs are 34, 0 and 4",
        f"session {SID}, job 2.1.1: says 3 duplicates, there are 1",
    ],
    f"UPDATE duplicates SET node = '{archive_story.NODE}' WHERE {LIST} AND job_number = 1": [
        f"session {SID}, job 2.1.1: the run that counts stands in duplicates, too"
    ],
    f"UPDATE attempts SET (job_number, node) = (1, '{archive_story.NODE}') WHERE attempt = 0": [
        f"session {SID}, job 1.1.1: the run that counts stands in attempts, too"
    ],
    f"DELETE FROM messages WHERE sid = '{SID}' AND group_number = 2 AND number = 2": [
        f"session {SID}, group 2: its 2 messages are numbered 1 to 3"
    ],
    f"UPDATE sessions SET closed = 5 WHERE sid = '{SID}'": [
        f"session {SID}: is running, and its time of closing does not say so"
    ],
    f"UPDATE sessions SET (state, closed) = ('done', 5) WHERE sid = '{SID}'": [
        f"session {SID}: is done, and of its 47 jobs 39 are ok, 1 failed"
    ],
    f"INSERT INTO groups VALUES ('{GONE}', 1, '', '', NULL, NULL)": [
        f"session {GONE}: was deleted, and has rows that should be gone"
    ],
    f"DELETE FROM groups WHERE sid = '{SID}' AND group_number = 2": [
        "joblists: 1 of its rows belong to rows of groups that are not there",
        "texts: 1 of its rows belong to rows of groups that are not there",
        "messages: 3 of its rows belong to rows of groups that are not there",
        "data_sets: 1 of its rows belong to rows of groups that are not there",
    ],
    f"UPDATE parameters SET value = 5 WHERE {LIST} AND job_number = 7 AND place = 1": [
        f"session {SID}, job 2.1.7: its parameters are not those of its output"
    ],
    f"DELETE FROM parameters WHERE {LIST} AND job_number = 7": [
        f"session {SID}, job 2.1.7: its parameters are not those of its output"
    ],
    f"INSERT INTO parameters VALUES ('{SID}', 1, 2, 3, 1, 'a', 1, 1, '', 1, 1, 1)": [
        f"session {SID}, job 1.2.3: its parameters are not those of its output"
    ],
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "park.sqlite"
    with Archive.open(path) as archive:
        archive_story.tell(archive, Result, 3)
    return path


def test_nothing_is_wrong_with_what_the_archive_made_itself(path: Path) -> None:
    assert check(path) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_said(path: Path, fault: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        assert connection.execute(fault).rowcount >= 1, fault
    assert sorted(check(path)) == sorted(FAULTS[fault])


def test_every_rule_is_broken_by_one_of_them() -> None:
    said = [sentence for sentences in FAULTS.values() for sentence in sentences]
    for sentence, _ in checking.RULES:
        pattern = re.escape(sentence).replace(re.escape("{}"), ".*")
        assert any(re.fullmatch(pattern, one) for one in said), sentence


def test_many_faults_of_one_kind_are_said_in_few_lines(tmp_path: Path) -> None:
    path = tmp_path / "park.sqlite"
    with Archive.open(path) as archive:
        archive.add_session(SID, session(500), b"", RECEIVED)
        put(archive, [ok(job) for job in range(1, 400, 2)])
        archive._connection.execute("DELETE FROM final_ranges")
    found = check(path)
    assert len(found) == 2 * (checking.MOST + 1)
    assert found.count("… and more like this") == 2


def test_a_damaged_file_is_said(path: Path) -> None:
    data = bytearray(path.read_bytes())
    for place in range(3 * 4096, len(data), 4096):
        data[place : place + 300] = b"\xff" * 300
    path.write_bytes(bytes(data))
    try:
        found = check(path)
    except SpoolError as error:
        found = [str(error)]
    assert found and all("damaged" in text or "not a whole archive" in text for text in found)


def test_what_is_no_archive_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no archive at"):
        check(tmp_path / "park.sqlite")


def test_it_reads_while_the_archive_is_written(path: Path) -> None:
    with Archive.open(path) as archive, archive.transaction():
        archive.put_results([failed(35, 2, is_final=True, group=2), ok(36, 9.0, group=2)])
        assert check(path) == []
