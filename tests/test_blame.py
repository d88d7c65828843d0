"""Bad nodes: who is blamed for jobs that failed there and succeeded elsewhere, and who is not."""

from __future__ import annotations

import doctest
import json
from pathlib import Path
from typing import Any

import pytest
from archive_examples import RECEIVED, SID, failed, ok, record, session
from world import World

from park_spool import sealed
from park_spool.archive.entries import Outcome
from park_spool.archive.writing import Archive
from park_spool.naming import Unit, heartbeat_name
from park_spool.reducing import blame
from park_spool.reducing.blame import Blame

BAD, GOOD = "n1_1_aaaaaa", "n2_2_bbbbbb"


@pytest.fixture
def judge(tmp_path: Path) -> Any:
    with Archive.open(tmp_path / "park.sqlite") as archive:
        archive.add_session(SID, record(session=session(99)), b"", RECEIVED)
        yield Blame(archive, least=3)


def happen(judge: Blame, *results: Any) -> None:
    judge.look(judge.archive.put_results(results))


def test_doctests() -> None:
    assert doctest.testmod(blame).failed == 0


def test_a_node_whose_jobs_succeed_elsewhere_is_bad(judge: Blame) -> None:
    for job in (1, 2, 3):
        assert judge.bad([BAD, GOOD]) == {}
        happen(judge, failed(job, node=BAD))
        happen(judge, ok(job, attempt=1, node=GOOD))
    assert judge.bad([BAD, GOOD]) == {
        BAD: f"3 jobs failed here that succeeded elsewhere, the last 1.1.3 of {SID}: exited with status 3: no such file"
    }
    assert judge.bad([GOOD]) == {}


def test_one_on_which_more_were_ok_meanwhile_is_not(judge: Blame) -> None:
    for job in (1, 2, 3, 4):
        happen(judge, failed(job, node=BAD), ok(10 + job, node=BAD), ok(30 + job, node=BAD))
        happen(judge, ok(job, attempt=1, node=GOOD))
    assert judge.bad([BAD, GOOD]) == {}


def test_what_a_node_did_long_ago_does_not_save_it(judge: Blame) -> None:
    happen(judge, *(ok(job, node=BAD) for job in range(20, 90)))
    for job in (1, 2, 3):
        happen(judge, failed(job, node=BAD), ok(job, attempt=1, node=GOOD))
    assert list(judge.bad([BAD, GOOD])) == [BAD]


def test_jobs_that_fail_everywhere_blame_nobody(judge: Blame) -> None:
    for job in range(1, 9):
        happen(judge, failed(job, node=BAD), failed(job, 1, node=GOOD), failed(job, 2, node=BAD, is_final=True))
    assert judge.bad([BAD, GOOD]) == {}


def test_jobs_that_succeed_at_another_attempt_on_the_same_node_do_not_either(judge: Blame) -> None:
    for job in range(1, 9):
        happen(judge, failed(job, node=BAD), ok(job, attempt=1, node=BAD))
    assert judge.bad([BAD, GOOD]) == {}


def test_if_all_nodes_were_bad_none_is(judge: Blame) -> None:
    for job in range(1, 9):
        first, then = (BAD, GOOD) if job % 2 else (GOOD, BAD)
        happen(judge, failed(job, node=first), failed(20 + job, node=first))
        happen(judge, ok(job, attempt=1, node=then))
        judge.look(Outcome(replacing=[ok(20 + job, attempt=1, node="n3_3_cccccc")]))
    assert list(judge.bad([BAD, GOOD, "n3_3_cccccc"])) == [BAD, GOOD]
    assert judge.bad([BAD, GOOD]) == {}


def test_a_final_failure_that_a_late_ok_replaces_counts_too(judge: Blame) -> None:
    for job in (1, 2, 3):
        happen(judge, failed(job, 0, node=BAD))
        happen(judge, failed(job, 2, node=GOOD, is_final=True))
        happen(judge, ok(job, attempt=1, node=GOOD))
    assert list(judge.bad([BAD, GOOD])) == [BAD]


def test_the_reducer_tells_a_bad_node_once(tmp_path: Path) -> None:
    world = World(tmp_path, bad_node_failures=2)
    sid = world.admit(many=4, few=1)
    for node in (BAD, GOOD):
        report = {"node": node, "host": "n", "cpus": 1, "at": 5.0, "seq": 1}
        (world.layout.nodes / heartbeat_name(node, 1)).write_bytes(sealed.seal_json(report))
    reducer = world.reducer()
    reducer.step()
    for job in (1, 2):
        world.plant_reply(Unit(sid, 1, 1, job, job + 1, 0, 0), BAD, "failed", why="no disk")
        world.plant_reply(Unit(sid, 1, 1, job, job + 1, 0, 1), GOOD)
    world.let(reducer, turns=3, tick=3.0)
    notice = world.layout.notices / f"{BAD}.bad"
    assert json.loads(notice.read_bytes()) == {
        "why": f"2 jobs failed here that succeeded elsewhere, the last 1.1.2 of {sid}: no disk"
    }
    notice.unlink()  # the node, or spoold, took it away
    world.let(reducer, turns=3, tick=3.0)
    reducer.leave()
    assert not notice.exists()
    assert not (world.layout.notices / f"{GOOD}.bad").exists()
