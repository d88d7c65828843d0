"""The writer's side: keys make a second count impossible, and a crash keeps all of a batch or nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from archive_examples import OTHER, RECEIVED, SID, ask, dump, failed, ok, put, record, session

from park_spool.archive import fitted, precedence, results
from park_spool.archive.entries import DataSet, Provenance
from park_spool.archive.writing import Archive
from park_spool.errors import SpoolError
from park_spool.replies import KeptFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "park.sqlite"


@pytest.fixture
def archive(path: Path) -> Iterator[Archive]:
    with Archive.open(path) as archive:
        archive.add_session(SID, record(session=session(4, 2)), b"<session/>", RECEIVED)
        yield archive


def test_doctests() -> None:
    import doctest

    assert [doctest.testmod(module).failed for module in (fitted, precedence, results)] == [0, 0, 0]


def test_the_migration_is_recorded_and_runs_once(path: Path) -> None:
    with Archive.open(path) as archive:
        identity = archive.identity
    with Archive.open(path) as archive:
        assert archive.identity == identity
    assert ask(path, "SELECT migration_set, name FROM _sqlite_migrations") == [
        ("park_spool", "0001 tables and views"),
        ("park_spool", "0002 kept files, what runs, retries"),
        ("park_spool", "0003 foreign keys, data sets, parameters, events, provenance"),
    ]


def test_each_file_has_an_identity_of_its_own(tmp_path: Path) -> None:
    with Archive.open(tmp_path / "a") as one, Archive.open(tmp_path / "b") as other:
        assert one.identity != other.identity


@pytest.mark.parametrize(("is_local", "mode"), [(True, "wal"), (False, "delete")])
def test_the_write_ahead_log_is_for_local_disks_only(path: Path, is_local: bool, mode: str) -> None:
    Archive.open(path, is_local=is_local).close()
    Archive.open(path, is_local=is_local).close()
    assert ask(path, "PRAGMA journal_mode") == [(mode,)]


def test_a_file_that_is_no_archive_is_left_as_it_is(path: Path) -> None:
    path.write_text("these are notes, and no database, long enough to be taken for one" * 100)
    before = path.read_bytes()
    with pytest.raises(SpoolError, match="not a database"):
        Archive.open(path)
    assert path.read_bytes() == before


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpoolError, match="nowhere"):
        Archive.open(tmp_path / "nowhere" / "park.sqlite")


def test_a_session_is_added_once(archive: Archive, path: Path) -> None:
    before = dump(path)
    archive.add_session(SID, record(session=session(9), file="other.xml"), b"<other/>", RECEIVED + 9)
    assert dump(path) == before
    assert archive.sessions_known() == {SID}
    assert ask(path, "SELECT user, file, state, xml FROM sessions") == [("wei", "film.xml", "queued", "<session/>")]
    assert ask(path, "SELECT group_number, name, task, reducer FROM groups") == [
        (1, "film1", "reflectivity/fit", "Chisq"),
        (2, "film2", "reflectivity/fit", "Chisq"),
    ]


def test_a_session_runs_from_its_first_result_and_closes_once(archive: Archive, path: Path) -> None:
    assert archive.open_sessions() == [SID]
    assert (archive.state(SID), archive.has_run(SID), archive.state(OTHER)) == ("queued", False, None)
    archive.put_results([failed(1)])
    assert (archive.state(SID), archive.has_run(SID)) == ("running", True)
    archive.put_results([ok(1)])
    assert ask(path, "SELECT state FROM sessions") == [("running",)]
    archive.set_state(SID, "failed", 5.0)
    archive.set_state(SID, "done", 7.0)  # a late result took the place of one that was counted
    assert ask(path, "SELECT state, closed FROM sessions") == [("done", 7.0)]
    assert archive.open_sessions() == []
    archive.set_state(SID, "cancelled", 8.0)
    archive.set_state(SID, "cancelled", 9.0)
    assert ask(path, "SELECT state, closed FROM sessions") == [("cancelled", 8.0)]
    archive.set_state(SID, "running", 10.0)
    assert ask(path, "SELECT state, closed FROM sessions") == [("running", None)]


def test_the_outcome_says_what_is_new_what_was_replaced_and_what_came_twice(archive: Archive) -> None:
    first = [ok(2, 12.0), failed(1, 2, is_final=True), failed(3)]
    outcome = archive.put_results(first)
    assert outcome.accepted == first[:2]
    assert (outcome.replaced, outcome.duplicates) == ([], 0)
    assert archive.put_results(first).accepted == []
    later = archive.put_results([ok(1, 9.0, round=1), ok(2, 3.0, node="n2_1_aaaaaa"), ok(4, 5.0, group=2)])
    assert [result.name for result in later.accepted] == ["2.1.4"]
    assert (later.replaced, later.duplicates) == ([(SID, 1)], 2)
    assert archive.counts(SID) == (6, 3, 0)


def test_the_same_run_seen_again_is_no_duplicate(archive: Archive, path: Path) -> None:
    batch = [ok(1, 9.0), ok(2)]
    put(archive, batch, batch, [*batch, *batch])
    assert ask(path, "SELECT job_number, duplicates FROM jobs") == [(1, 0), (2, 0)]
    assert ask(path, "SELECT count(*) FROM duplicates") == [(0,)]


def test_two_runs_of_one_job_under_one_attempt_of_one_node_are_one_run(archive: Archive, path: Path) -> None:
    put(archive, [ok(1, 9.0, started=5.0)], [ok(1, 8.0, started=3.0)], [ok(1, 7.0, started=4.0)])
    assert ask(path, "SELECT chisq, duplicates FROM jobs") == [(8.0, 0)]


def test_what_was_beaten_can_be_looked_up(archive: Archive, path: Path) -> None:
    put(archive, [failed(1, 2, is_final=True)], [ok(1, 4.0, round=1)])
    assert ask(path, "SELECT status, round, attempt, node, exit, why FROM duplicates") == [
        ("failed", 0, 2, "n1_1_aaaaaa", 3, "exited with status 3: no such file")
    ]
    assert ask(path, "SELECT status, duplicates FROM jobs") == [("ok", 1)]
    assert ask(path, "SELECT count(*) FROM failures") == [(0,)]


def test_replacing_the_best_fit_moves_the_staircase(archive: Archive, path: Path) -> None:
    put(archive, [ok(1, 9.0, node="z_1_aaaaaa"), ok(2, 10.0, started=1.0), ok(3, 5.0, started=2.0)])
    assert ask(path, "SELECT job_number FROM history") == [(1,), (3,)]
    put(archive, [ok(1, 20.0, node="a_1_aaaaaa")])
    assert ask(path, "SELECT job_number, chisq FROM history") == [(1, 20.0), (2, 10.0), (3, 5.0)]
    put(archive, [ok(3, 30.0, started=2.0, attempt=1)])
    assert ask(path, "SELECT job FROM best") == [("1.1.2",)]


def test_a_late_result_that_finished_early_takes_its_place(archive: Archive, path: Path) -> None:
    put(archive, [ok(1, 9.0, started=1.0)], [ok(2, 7.0, started=2.0)], [ok(3, 8.0)])
    assert ask(path, "SELECT job_number FROM history ORDER BY finished") == [(3,), (2,)]


def test_a_plain_failed_result_has_no_chisq(archive: Archive, path: Path) -> None:
    put(archive, [failed(1, 2, is_final=True, output='{"chisq": 1}')])
    assert ask(path, "SELECT chisq FROM jobs") == [(None,)]
    assert ask(path, "SELECT job, status, why, exit FROM failures") == [
        ("1.1.1", "failed", "exited with status 3: no such file", 3)
    ]


def test_what_no_database_can_hold_does_not_stop_the_line(archive: Archive, path: Path) -> None:
    odd = ok(1, output="half \ud800 \x00 here", stderr="\udfff", data={"film": "\ud800"})
    put(archive, [odd, ok(2, 3.0, started=float("nan")), ok(3, output='{"seed": 1e400, "chisq": 1e999}')])
    archive.put_text(SID, 1, {"gid": "\ud800"}, "\ud800")
    assert ask(path, "SELECT output, stderr FROM results WHERE job_number = 1") == [("half ? \x00 here", "?")]
    assert ask(path, "SELECT started, finished FROM jobs WHERE job_number = 2") == [(0.0, 0.0)]


def test_final_jobs_and_failures(archive: Archive) -> None:
    put(archive, [ok(job) for job in (4, 1, 2)], [failed(3), failed(3, 1, round=1), failed(3, 1), failed(1)])
    put(archive, [ok(job, group=2) for job in (1, 2)], [failed(7, 2, is_final=True, group=2)])
    assert archive.final_jobs(SID) == {(1, 1): [(1, 3), (4, 5)], (2, 1): [(1, 3), (7, 8)]}
    assert archive.failures(SID) == {(1, 1): [(3, 1, 1)]}
    put(archive, [ok(3)])
    assert archive.final_jobs(SID)[1, 1] == [(1, 5)]
    assert archive.failures(SID) == {}
    assert archive.final_jobs(OTHER) == {}


def test_results_come_back_in_the_order_of_finishing(archive: Archive) -> None:
    batch = [
        *(ok(1, 9.0, started=3.0), ok(2, 8.0, started=1.0, data={"film": "ab"}), ok(3, output="")),
        failed(4, 2, is_final=True)._replace(started=RECEIVED + 9),
    ]
    put(archive, batch)
    assert list(archive.replies_in_order(SID, 1)) == [batch[2], batch[1], batch[0], batch[3]]


def test_when_the_last_job_that_counts_ended(archive: Archive) -> None:
    assert archive.last_finished(SID) == 0.0
    put(archive, [failed(3, started=50.0)])
    assert archive.last_finished(SID) == 0.0, "a run that ended nothing"
    put(archive, [ok(1, started=3.0), ok(2, started=7.0)])
    assert archive.last_finished(SID) == RECEIVED + 8.0
    put(archive, [ok(2, started=60.0, node="z_1_aaaaaa")])
    assert archive.last_finished(SID) == RECEIVED + 8.0, "beaten by the one before"
    put(archive, [ok(1, group=2, started=20.0)])
    assert archive.last_finished(SID) == RECEIVED + 21.0
    put(archive, [ok(4, started=90.0)])
    assert archive.last_finished(SID) == RECEIVED + 91.0
    assert archive.last_finished(OTHER) == 0.0


def test_a_cancelled_run_is_no_failure_that_is_tried_again(archive: Archive, path: Path) -> None:
    put(archive, [failed(1, status="cancelled", why="cancelled while it ran")])
    assert archive.failures(SID) == archive.final_jobs(SID) == {}
    assert ask(path, "SELECT status, why FROM attempts") == [("cancelled", "cancelled while it ran")]


def test_the_files_are_those_of_the_result_that_counts(archive: Archive, path: Path) -> None:
    one, other = (KeptFile(sha256=letter * 64, size=5) for letter in "ab")
    put(archive, [ok(1, files={"fit.dat": one, "log/\ud800": one}), ok(2, output="", files={"x": one})])
    assert ask(path, "SELECT job_number, name, size FROM files") == [(1, "fit.dat", 5), (1, "log/?", 5), (2, "x", 5)]
    put(archive, [ok(1, node="n9_9_aaaaaa", files={"late.dat": other}), ok(2, attempt=1, files={"y": other})])
    assert ask(path, "SELECT job_number, name, sha256 FROM files WHERE job_number = 2") == [(2, "y", "b" * 64)]
    assert ask(path, "SELECT count(*) FROM files WHERE job_number = 1") == [(2,)]
    assert ask(path, "SELECT count(*) FROM files WHERE name = 'late.dat'") == [(0,)]


def test_the_parameters_are_those_of_the_result_that_counts(archive: Archive, path: Path) -> None:
    said = '{"parameters": [{"name": "film", "value": %d, "error": 0.5, "unit": "Å"}, 3, {"name": "oxide"}]}'
    rows = "SELECT place, name, value, error, unit FROM parameters WHERE job_number = ?"
    put(archive, [ok(1, output=said % 5), ok(2, output='{"chisq": 2, "parameters": "none"}')])
    assert ask(path, rows, 1) == [(1, "film", 5.0, 0.5, "Å"), (3, "oxide", None, None, None)]
    put(archive, [ok(1, output=said % 6, attempt=1), failed(3, 2, is_final=True, output=said % 7)])
    assert ask(path, rows, 1)[0] == (1, "film", 6.0, 0.5, "Å")
    assert ask(path, "SELECT DISTINCT job_number FROM parameters") == [(1,)]


def test_the_data_set_of_a_job_stands_with_it(archive: Archive, path: Path) -> None:
    first = [ok(1, 9.0, dataset="f1.dat"), ok(2, 4.0), failed(3, 2, is_final=True, dataset="half \ud800")]
    put(archive, first, [ok(4, 3.0, dataset="f1.dat", started=1.0), ok(1, 3.0, dataset="f1.dat", attempt=1)])
    assert ask(path, "SELECT job_number, dataset FROM jobs") == [(1, "f1.dat"), (2, None), (3, "half ?"), (4, "f1.dat")]
    assert [result.dataset for result in archive.replies_in_order(SID, 1)][-1] == "f1.dat"
    assert ask(path, "SELECT dataset, job, chisq FROM batch") == [("f1.dat", "1.1.1", 3.0)]


def test_where_results_came_from_is_kept_once(archive: Archive, path: Path) -> None:
    film, again = DataSet(SID, 1, "film", "ab", "b/film.txt"), DataSet(SID, 1, "film", "ab", "a/film.txt")
    node = Provenance(SID, 1, "n1_1_aaaaaa", "n1", "0.1", "3.11", "reflectivity", "cd", "{}")
    for rows in ([film, film], [again], [film, film._replace(sha256="cd")]):
        archive.put_data_sets(rows)
        archive.put_provenance([node, node._replace(service_digest="ef")])
    assert ask(path, "SELECT name, sha256, href FROM data_sets") == [
        ("film", "ab", "a/film.txt"),
        ("film", "cd", "b/film.txt"),
    ]
    assert ask(path, "SELECT node, service_digest FROM provenance") == [("n1_1_aaaaaa", "cd"), ("n1_1_aaaaaa", "ef")]


def test_events_reductions_and_deliveries_are_kept_once(archive: Archive, path: Path) -> None:
    archive.add_event(SID, "control.000000001.aaaaaa.pause", None, "pause")
    assert archive.events_known(SID) == set()
    for at in (5.0, 6.0):
        archive.add_event(SID, "control.000000001.aaaaaa.pause", at, "pause", "wei", "")
    archive.add_event(SID, "retry.01.aaaaaa", float("nan"), "retry", "\ud800", "round 1")
    assert ask(path, "SELECT key, at, what, who, detail FROM events") == [
        ("control.000000001.aaaaaa.pause", 5.0, "pause", "wei", ""),
        ("retry.01.aaaaaa", None, "retry", "?", "round 1"),
    ]
    assert archive.events_known(SID) == {"control.000000001.aaaaaa.pause"}
    assert [archive.add_reduction(SID, "control.000000002.aaaaaa.reduce") for _ in range(2)] == [True, False]
    assert archive.reductions_known(SID) == {"control.000000002.aaaaaa.reduce"}
    for edition, name in ((1, SID), (2, f"{SID}.2"), (1, SID)):
        archive.add_delivery(SID, edition, name)
    assert archive.deliveries(SID) == {1: SID, 2: f"{SID}.2"}


def test_what_runs_of_a_session_that_is_not_here_has_no_row(archive: Archive, path: Path) -> None:
    archive.put_running([(sid, 1, 1, 1, "n1_1_aaaaaa", 1.0, 2.0, None, None) for sid in (SID, OTHER)])
    assert ask(path, "SELECT sid FROM running") == [(SID,)]


def test_messages_are_numbered_in_their_group(archive: Archive, path: Path) -> None:
    for number, group in enumerate((1, 2, 1, 1)):
        archive.add_message(SID, group, f"message {number}", 9.0 - number)
    assert ask(path, "SELECT group_number, number, text FROM messages ORDER BY 1, 2") == [
        (1, 1, "message 0"),
        (1, 2, "message 2"),
        (1, 3, "message 3"),
        (2, 1, "message 1"),
    ]
    archive.reset_reduction(SID, 1)
    archive.add_message(SID, 1, "anew", 1.0)
    assert ask(path, "SELECT group_number, number FROM messages") == [(1, 1), (2, 1)]


def test_a_retry_makes_attempts_of_final_failures_and_of_nothing_else(archive: Archive, path: Path) -> None:
    put(archive, [ok(1, 4.0), failed(2, 2, is_final=True), failed(3, 2, is_final=True), failed(4, 1)])
    put(archive, [failed(2, 2, is_final=True, node="n2_2_bbbbbb", why="later")])
    archive.set_state(SID, "failed", 5.0)
    everything: dict[tuple[int, int], list[tuple[int, int]]] = {(1, 1): [(1, 3), (4, 9)], (2, 1): [(1, 3)]}
    with archive.transaction():
        assert archive.apply_retry(SID, "retry.01.aaaaaa", 1, everything) == {1}
        assert archive.apply_retry(SID, "retry.01.aaaaaa", 1, everything) == set()
    assert archive.counts(SID) == (6, 1, 1)
    assert archive.final_jobs(SID) == {(1, 1): [(1, 2), (3, 4)]}
    assert archive.retries_known(SID) == {"retry.01.aaaaaa"}
    assert ask(path, "SELECT job_number, attempt, node, why FROM attempts WHERE attempt = 2") == [
        (2, 2, "n1_1_aaaaaa", "exited with status 3: no such file"),
        (2, 2, "n2_2_bbbbbb", "later"),
    ]
    assert ask(path, "SELECT sum(duplicates) FROM joblists") == [(0,)]
    put(archive, [ok(2, 3.0, round=1)])
    assert archive.final_jobs(SID) == {(1, 1): [(1, 4)]}
    assert archive.failures(SID) == {(1, 1): [(4, 0, 1)]}


def test_a_deleted_session_leaves_one_line(archive: Archive, path: Path) -> None:
    archive.add_session(OTHER, session(4), b"<other/>", RECEIVED)
    for sid in (SID, OTHER):
        put(archive, [ok(1, 9.0, sid=sid), failed(2, sid=sid), ok(1, 8.0, sid=sid, node="z_1_aaaaaa")])
        archive.record_replies([(f"{sid}.001.001.000000001-000000001.00.00@n1_1_aaaaaa", sid, "r.1")])
        archive.record_bundle(sid, "r.1")
        archive.put_text(sid, 1, {}, "text")
        archive.add_message(sid, 1, "said", 1.0)
        archive.apply_retry(sid, "retry.01.aaaaaa", 1, {(1, 1): [(2, 3)]})
        archive.put_running([(sid, 1, 1, 4, "n", 1.0, 2.0, None, None)])
        archive.add_event(sid, "admitted", 1.0, "admitted")
        archive.put_data_sets([DataSet(sid, 1, "film", "ab", "film.txt")])
        archive.add_reduction(sid, "control.000000001.aaaaaa.reduce")
        archive.add_delivery(sid, 1, sid)
    before = dump(path, leave_out=())
    with archive.transaction():
        archive.delete_session(SID, {"user": "", "file": "", "received": 1.0, "at": 99.0})
    assert archive.deleted_sessions() == {SID}
    assert ask(path, "SELECT user, file, state, received, closed, session, xml FROM sessions WHERE sid = ?", SID) == [
        ("wei", "film.xml", "deleted", RECEIVED, 99.0, "", "")
    ]
    for table, rows in dump(path, leave_out=("sessions",)).items():
        assert rows == [row for row in before[table] if SID not in repr(row)], table


def test_a_deleted_session_that_was_never_here_leaves_its_line_too(archive: Archive, path: Path) -> None:
    archive.delete_session(OTHER, {"user": "wei", "file": "a.xml", "received": 1.0, "at": 9.0})
    assert ask(path, "SELECT user, file, state, received, closed FROM sessions WHERE sid = ?", OTHER) == [
        ("wei", "a.xml", "deleted", 1.0, 9.0)
    ]


def test_failures_on_other_nodes_than_where_a_job_was_ok(archive: Archive) -> None:
    put(archive, [failed(1), failed(1, 1, node="n2_2_bbbbbb", why=None), failed(2, status="lost")])
    answered = [ok(1, attempt=2, node="n2_2_bbbbbb"), ok(2, attempt=1, node="n2_2_bbbbbb")]
    assert archive.failed_elsewhere(answered) == [("n1_1_aaaaaa", SID, "1.1.1", "exited with status 3: no such file")]


def test_an_empty_output_needs_no_row_of_its_own(archive: Archive, path: Path) -> None:
    put(archive, [ok(1, output=""), ok(2, output="", stderr="a word")])
    assert ask(path, "SELECT job_number FROM results") == [(2,)]


def test_replies_and_bundles(archive: Archive) -> None:
    archive.record_replies([("a", SID, "r.1"), ("b", SID, "r.1"), ("'; DROP TABLE replies", SID, "r.1")])
    archive.record_replies([("a", SID, "r.2")])
    assert archive.replies_known(["a", "b", "c"]) == {"a": "r.2", "b": "r.1"}
    assert archive.replies_known(f"none{number}" for number in range(100_000)) == {}
    archive.record_bundle(SID, "r.2")
    archive.record_bundle(SID, "r.2")
    assert archive.bundles_known(SID) == {"r.2"}
    assert archive.bundles_known(OTHER) == set()


def test_what_a_reducer_keeps_and_says(archive: Archive, path: Path) -> None:
    archive.put_text(SID, 1, {"b": 2, "a": 1}, "old")
    archive.put_text(SID, 1, {"a": 1, "b": 2}, "new")
    archive.add_message(SID, 1, "<reply/>", 5.0)
    archive.stop_reducer(SID, 1, "TypeError: chisq is None")
    assert ask(path, "SELECT keys, text FROM texts") == [('{"a":1,"b":2}', "new")]
    assert archive.stopped_reducers() == {(SID, 1)}
    archive.reset_reduction(SID, 1)
    assert archive.stopped_reducers() == set()
    assert [ask(path, f"SELECT count(*) FROM {table}") for table in ("texts", "messages")] == [[(0,)], [(0,)]]


def test_the_newest_heartbeat_of_a_node_stands(archive: Archive, path: Path) -> None:
    archive.put_node({"node": "n1_1_aaaaaa", "host": "n1", "cpus": 2, "units": ["u1", "u2"], "seen": 1.0})
    archive.put_node({"node": "n1_1_aaaaaa", "host": "n1", "cpus": 2, "units": [], "seen": 2.0, "state": "expired"})
    assert ask(path, "SELECT node, host, cpus, state, seen, units FROM nodes") == [
        ("n1_1_aaaaaa", "n1", 2, "expired", 2.0, 0)
    ]
    assert json.loads(ask(path, "SELECT heartbeat FROM nodes")[0][0])["seen"] == 2.0
