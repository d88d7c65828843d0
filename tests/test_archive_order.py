"""Every order of arrival, every cutting into batches and every repetition gives the same rows."""

from __future__ import annotations

import random
import tempfile
from collections import defaultdict
from itertools import pairwise, permutations
from pathlib import Path
from typing import Any

from archive_examples import (
    GAPS_AND_ISLANDS,
    OTHER,
    RECEIVED,
    SID,
    ask,
    derived_output,
    dump,
    failed,
    ok,
    pieces,
    put,
    session,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from park_spool import intervals
from park_spool.archive.checking import check
from park_spool.archive.entries import HistoryPoint
from park_spool.archive.precedence import improvements, rank_of
from park_spool.archive.writing import Archive, Result

SIZES = (6, 6)
Retry = tuple[str, str, int, dict[tuple[int, int], intervals.Intervals]]


@st.composite
def results(draw: st.DrawFn) -> Result:
    """Draw one result out of so few places that collisions of every kind are common."""
    sid = draw(st.sampled_from([SID, SID, OTHER]))
    group, job = draw(st.integers(1, 2)), draw(st.integers(1, 6))
    round_, attempt = draw(st.integers(0, 1)), draw(st.integers(0, 2))
    node = draw(st.sampled_from(["n1_1_aaaaaa", "n2_2_bbbbbb"]))
    status = draw(st.sampled_from(["ok", "ok", "ok", "failed", "timeout"]))
    started = 1000.0 + draw(st.integers(0, 5)) / 2
    place = (sid, group, job, round_, attempt, node, status, started)
    output = derived_output(*place) if status == "ok" and job != 5 else ""
    why = None if status == "ok" else f"why {place}"
    return Result(
        *(sid, group, 1, job, status, round_, attempt, node, started, 0.5, output, why),
        is_final=status == "ok" or attempt == 2,
    )


def store(folder: str, name: str, batches: list[list[Result]], *, is_session_last: bool = False) -> Path:
    path = Path(folder) / name
    with Archive.open(path) as archive:
        if is_session_last:
            put(archive, *batches)
        for sid in (SID, OTHER):
            archive.add_session(sid, session(*SIZES), b"<session/>", 1000.0)
        if not is_session_last:
            put(archive, *batches)
    assert check(path) == []
    return path


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_every_order_and_every_batching_give_the_same_archive(data: st.DataObject) -> None:
    batch = data.draw(st.lists(results(), min_size=1, max_size=24))
    again = data.draw(st.lists(st.sampled_from(batch), max_size=6))
    shuffled = data.draw(st.permutations([*batch, *again]))
    cuts = data.draw(st.lists(st.integers(0, len(shuffled)), max_size=6))
    with tempfile.TemporaryDirectory() as folder:
        one = store(folder, "one.sqlite", [batch])
        other = store(folder, "other.sqlite", list(pieces(shuffled, cuts)), is_session_last=data.draw(st.booleans()))
        assert dump(other) == dump(one)
        assert_follows_from(one, batch)


RETRIES = st.lists(
    st.tuples(
        st.sampled_from([SID, SID, OTHER]),
        st.integers(1, 2),
        st.dictionaries(st.tuples(st.integers(1, 2), st.just(1)), st.lists(st.integers(1, 6), min_size=1), min_size=1),
    ),
    min_size=1,
    max_size=4,
)


def counted_by(result: Result, applied: list[Retry]) -> Result:
    """The result with its finality as who knows these retries sees it."""
    is_named = any(
        sid == result.sid and round_ > result.round and intervals.holds(jobs.get(result[1:3], []), *span(result.job))
        for sid, _, round_, jobs in applied
    )
    return result._replace(is_final=result.is_final and (result.status == "ok" or not is_named))


def span(job: int) -> tuple[int, int]:
    return job, job + 1


def replay(folder: str, name: str, events: list[Result | Retry]) -> dict[str, Any]:
    """Let results and retries come in this order, each in a transaction of its own; return every row."""
    path = Path(folder) / name
    applied: list[Retry] = []
    with Archive.open(path) as archive:
        for sid in (SID, OTHER):
            archive.add_session(sid, session(*SIZES), b"<session/>", 1000.0)
        for event in events:
            with archive.transaction():
                if isinstance(event, Result):
                    archive.put_results([counted_by(event, applied)])
                else:
                    archive.apply_retry(*event)
                    applied.append(event)
    for sid in (SID, OTHER):
        ranges = ask(path, "SELECT group_number, joblist_number, start, stop FROM final_ranges WHERE sid = ?", sid)
        assert sorted(ranges) == ask(path, GAPS_AND_ISLANDS, sid)
    assert check(path) == []
    return dump(path)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(results(), min_size=1, max_size=16), RETRIES, st.randoms(use_true_random=False))
def test_a_retry_before_among_or_after_the_results_gives_the_same_archive(
    batch: list[Result], drawn: list[tuple[str, int, dict[tuple[int, int], list[int]]]], choose: random.Random
) -> None:
    retries: list[Retry] = [
        (sid, f"retry.{round_:02d}.{number:06d}", round_, {key: intervals.union(map(span, jobs[key])) for key in jobs})
        for number, (sid, round_, jobs) in enumerate(drawn)
    ]
    again = choose.choices(batch, k=choose.randint(0, 6))
    shuffled = [*batch, *again, *retries]
    choose.shuffle(shuffled)
    with tempfile.TemporaryDirectory() as folder:
        before = replay(folder, "before.sqlite", [*retries, *batch])
        assert replay(folder, "after.sqlite", [*batch, *retries]) == before
        assert replay(folder, "among.sqlite", shuffled) == before


def assert_follows_from(path: Path, seen: list[Result]) -> None:
    """Compare the archive with what the rules say in the simplest words."""
    finals: defaultdict[Any, list[Result]] = defaultdict(list)
    for result in seen:
        if result.is_final:
            finals[result.key].append(result)
    best = {key: min(candidates, key=rank_of) for key, candidates in finals.items()}
    runs = {key: {rank_of(result).run for result in candidates} for key, candidates in finals.items()}
    stored = ask(path, "SELECT sid, group_number, joblist_number, job_number, node, started, duplicates FROM jobs")
    assert sorted(stored) == sorted((*key, won.node, won.started, len(runs[key]) - 1) for key, won in best.items())
    for sid in (SID, OTHER):
        ranges = ask(path, "SELECT group_number, joblist_number, start, stop FROM final_ranges WHERE sid = ?", sid)
        assert sorted(ranges) == ask(path, GAPS_AND_ISLANDS, sid)
        for group in (1, 2):
            assert_staircase(path, sid, group)
    assert_sums(path, seen)


def assert_staircase(path: Path, sid: str, group: int) -> None:
    columns = "finished, joblist_number, job_number, chisq"
    where = "WHERE sid = ? AND group_number = ? AND chisq IS NOT NULL"
    points = [HistoryPoint(*row) for row in ask(path, f"SELECT {columns} FROM jobs {where}", sid, group)]
    steps = ask(
        path,
        f"SELECT {columns} FROM history {where} ORDER BY finished, joblist_number, job_number",
        sid,
        group,
    )
    assert steps == improvements(points)
    (best,) = ask(path, "SELECT min(chisq) FROM best WHERE sid = ? AND group_number = ?", sid, group)
    assert best[0] == (steps[-1][3] if steps else None)


def assert_sums(path: Path, seen: list[Result]) -> None:
    columns = "sid, group_number, joblist_number, ok, failed, duplicates, first_started, last_finished"
    for sid, group, joblist, *sums, first, last in ask(path, f"SELECT {columns} FROM joblists"):
        here = "FROM jobs WHERE sid = ? AND group_number = ? AND joblist_number = ?"
        ((good, bad, more),) = ask(
            path,
            f"SELECT count(*) FILTER (WHERE status = 'ok'), count(*) FILTER (WHERE status <> 'ok'), "
            f"ifnull(sum(duplicates), 0) {here}",
            *(sid, group, joblist),
        )
        ran = [r for r in seen if r[:3] == (sid, group, joblist)]
        assert sums == [good, bad, more]
        assert first == min((r.started for r in ran), default=None)
        assert last == max((r.finished for r in ran), default=None)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 2), st.integers(1, 30), st.integers(0, 9)), max_size=40))
def test_the_staircase_can_be_kept_step_by_step(
    places: list[tuple[int, int, int, int]],
) -> None:
    points = [HistoryPoint(float(a), b, c, float(d)) for a, b, c, d in places]
    whole = improvements(points)
    for cut in range(len(points) + 1):
        assert improvements(improvements(points[:cut]) + improvements(points[cut:])) == whole
    assert all(earlier.chisq > later.chisq for earlier, later in pairwise(whole))


def test_every_order_of_two_runs_that_each_ran_twice(tmp_path: Path) -> None:
    """Two looks at one run may differ (a node ran it again): the earlier stands, beaten or not."""
    seen = [
        *(ok(1, started=3.0, node="n1_1_aaaaaa"), ok(1, started=2.0, node="n1_1_aaaaaa")),
        *(ok(1, started=5.0, node="n2_2_bbbbbb"), ok(1, started=4.0, node="n2_2_bbbbbb")),
        failed(1, 2, is_final=True, node="n2_2_bbbbbb"),
        *(failed(2, started=9.0, why="later"), failed(2, started=8.0, why="earlier")),
    ]
    orders = {f"20261123-025532-{number:04d}": order for number, order in enumerate(permutations(seen))}
    path = tmp_path / "park.sqlite"
    with Archive.open(path) as archive, archive.transaction():
        for sid, order in orders.items():
            for result in order:
                archive.put_results([result._replace(sid=sid)])
    for table in ("jobs", "duplicates", "attempts", "joblists"):
        rows = {repr(row[1:]) for row in ask(path, f"SELECT * FROM {table}")}
        assert len(rows) == (2 if table == "duplicates" else 1), (table, rows)
    assert ask(path, "SELECT DISTINCT started - ?, duplicates FROM jobs", RECEIVED) == [(2.0, 2)]
    assert ask(path, "SELECT DISTINCT why FROM attempts") == [("earlier",)]
