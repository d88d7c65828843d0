"""The page of one session: its groups with their fits, what runs, what failed, what was said and what may be asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from answered import BATCH, FIT, MAP, X, close, over, said
from world import World

from park_spool import control_requests
from park_spool.admitted import Admitted
from park_spool.archive.finding import Found
from park_spool.archive.reading import ArchiveReader
from park_spool.atomic import Disk
from park_spool.errors import NotFound, PermanentError
from park_spool.looking.choices import Choices
from park_spool.sessions.session import Group, JobList, Session, Task
from park_spool.showing import charts, maps
from park_spool.showing.batch import Trend, batch, thumbnail, thumbnails, trend
from park_spool.showing.coming import coming
from park_spool.showing.job import JobPage, job
from park_spool.showing.jobs import JobsAsked, JobsPage, jobs
from park_spool.showing.session import SessionPage, session

BROKEN = {"x": [0.1, None, "a"], "y": 7, "dy": [float("inf")], "model": {}, "xlabel": ["x"], "yscale": "loglog"}
MAPPED = json.dumps(
    {
        "axes": [{"name": "a", "values": ["0", "1", "2"]}, {"name": "b", "values": ["0", "x"]}],
        "cells": 6,
        "filled": 5,
        "chisq": [1.0, 2.0, None, 4.0, 5.0, 6.0],
        "minima": [{"chisq": 1.0, "point": {"a": "0", "b": "0"}}, "odd"],
        "profiles": [[1.0, 2.0, 3.0], [1.0, None]],
        "regions": [{"confidence": 0.683, "delta": 2.3, "cells": 2, "ranges": [[0, 1], None], "is_closed": False}],
    }
)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def disk(world: World) -> Disk:
    return Disk(world.layout.tmp, "test")


def reader(world: World) -> ArchiveReader:
    return ArchiveReader(world.config.archive)


def page(world: World, sid: str) -> SessionPage:
    shown = session(world.config, Found(reader(world)), sid)
    assert msgspec.json.decode(msgspec.json.encode(shown), type=SessionPage) == shown
    assert "NaN" not in json.dumps(msgspec.to_builtins(shown))
    return shown


def table(world: World, sid: str, **asked: Any) -> JobsPage:
    return jobs(world.config, disk(world), reader(world), sid, JobsAsked(**asked))


def one(world: World, sid: str, name: str) -> JobPage:
    return job(world.config, disk(world), reader(world), sid, name)


def test_the_page_of_a_fit_that_is_over(world: World) -> None:
    sid = over(world, FIT, [said(5.0, seed=7), said(2.5, seed=8, nllf=float("nan")), None])
    close(world)
    shown = page(world, sid)
    row, group = shown.session, shown.groups[0]
    assert (row.state, row.is_open, row.jobs, row.done, row.ok, row.failed) == ("failed", False, 3, 3, 2, 1)
    assert (shown.name, shown.place, shown.edition, shown.deliveries) == ("film in D₂O", "closed", 1, {1: sid})
    assert (group.kind, group.service, group.best_job, group.data_sets, group.joblists) == (
        "fit",
        "tester",
        "1.1.2",
        0,
        1,
    )
    assert [(step.job, step.chisq) for step in group.steps] == [("1.1.1", 5.0), ("1.1.2", 2.5)]
    assert group.best is not None and group.best.curve is None and group.best.has_curve
    thickness, scale = group.best.parameters
    assert (thickness.value, thickness.error, thickness.unit, thickness.at_bound) == (258.86, 0.12, "Å", "")
    assert thickness.place == pytest.approx(0.5886)
    assert (scale.error, scale.place, scale.at_bound) == (None, 0.0, "min")
    assert [(failure.job, failure.why) for failure in shown.failures] == [("1.1.3", "exit status 3")]
    assert (shown.may.retry, shown.may.cancel, shown.may.delete, shown.may.resubmit) == (1, False, True, True)
    assert shown.waits == () and shown.running == ()


def test_an_open_session_says_what_it_waits_for_and_what_may_be_asked(world: World) -> None:
    sid = world.admit(xml=FIT)
    with pytest.raises(NotFound):
        ArchiveReader.open(world.config.archive)
    shown = session(world.config, None, sid)
    assert (shown.session.state, shown.session.jobs, shown.session.done) == ("queued", 3, 0)
    assert "there is no archive" in shown.note
    assert any("park-noded" in sentence for sentence in shown.waits)
    assert (shown.may.cancel, shown.may.pause, shown.may.resume, shown.may.retry) == (True, True, False, 0)
    control_requests.ask(world.member(), sid, "pause", "ana")
    control_requests.ask(world.member(), sid, "priority", "ana", 7)
    paused = session(world.config, None, sid)
    assert (paused.session.state, paused.said.is_paused, paused.said.priority) == ("paused", True, 7)
    assert (paused.may.pause, paused.may.resume) == (False, True)
    control_requests.ask(world.member(), sid, "cancel", "ana")
    assert session(world.config, None, sid).may.pause is False


def test_what_is_not_there_is_said(world: World) -> None:
    over(world, FIT, [said(5.0), said(2.5), said(2.0)])
    close(world)
    for sid in ("20261123-025532-none", "../../etc", ""):
        with pytest.raises(NotFound):
            session(world.config, Found(reader(world)), sid)
    reason = "film.xml: line 1: no XML\nIt would have been session 20261123-025532-none.\n"
    (world.layout.rejected / "film.xml.why").write_text(reason)
    with pytest.raises(NotFound, match=r"was rejected: film\.xml: line 1: no XML"):
        session(world.config, Found(reader(world)), "20261123-025532-none")


def test_the_charts_of_a_fit(world: World) -> None:
    sid = over(world, FIT, [said(5.0, seed=7), said(2.5, seed=8, profile={"z": [0, 1], "sld": [2.07, 3.4]}), said(2.6)])
    close(world)
    fit = charts.best_fit(world.config, disk(world), reader(world), sid, 1)
    assert fit is not None and fit.curve is not None and fit.profile is not None
    assert (fit.job, fit.label, fit.chisq, fit.curve.x, fit.curve.yscale) == ("1.1.2", "film.ort", 2.5, tuple(X), "log")
    assert fit.profile.sld == (2.07, 3.4)
    earlier = charts.fit_of_job(world.config, disk(world), reader(world), sid, "1.1.1")
    assert (earlier.job, earlier.chisq, earlier.has_profile) == ("1.1.1", 5.0, False)
    history = charts.history(reader(world), sid, 1)
    assert [step.chisq for step in history.steps] == [5.0, 2.5] and len(history.jobs) == 3
    spread = charts.spread(reader(world), sid, 1)
    thickness = spread.parameters[0]
    assert (spread.fits, thickness.good.count, thickness.all.count, thickness.min) == (3, 2, 3, 200.0)
    assert [job for _, _, job in thickness.values] == ["1.1.2", "1.1.3", "1.1.1"]
    assert charts.profile(world.config, disk(world), reader(world), sid, 1).profile == fit.profile
    with pytest.raises(NotFound, match="has no group 2"):
        charts.best_fit(world.config, disk(world), reader(world), sid, 2)
    with pytest.raises(NotFound):
        charts.fit_of_job(world.config, disk(world), reader(world), sid, "1.1.9")


@pytest.mark.parametrize(
    "odd",
    [
        {"curve": BROKEN, "parameters": [{"name": 7, "value": "a"}, {"value": None, "min": [], "max": {}}, 3]},
        {"curve": [1, 2], "parameters": {"a": 1}, "profile": {"z": 1}},
        {"curve": {"x": []}, "parameters": [{"name": "<b>x</b>", "value": 1e308, "min": -1e308, "max": 1e308}]},
    ],
)
def test_odd_outputs_never_break_the_page(world: World, odd: dict[str, Any]) -> None:
    sid = over(world, FIT, [said(5.0, **odd), said(7.5), None])
    close(world)
    assert page(world, sid).groups[0].best_chisq == 5.0
    fit = charts.best_fit(world.config, disk(world), reader(world), sid, 1)
    assert fit is not None and msgspec.json.encode(fit)
    assert one(world, sid, "1.1.1").fit is not None
    charts.spread(reader(world), sid, 1)


def test_a_batch(world: World) -> None:
    sid = over(world, BATCH, [said(5.0, temperature=300, nfev=7), said(2.5, temperature=310.5, nfev=7), None])
    close(world)
    assert page(world, sid).groups[0].kind == "batch"
    shown = batch(world.config, disk(world), reader(world), sid, 1)
    assert [(row.number, row.dataset, row.job, row.chisq) for row in shown.rows] == [
        (1, "b.dat", "1.1.1", 5.0),
        (2, "a.dat", "1.1.2", 2.5),
        (3, "c.dat", "", None),
    ]
    assert (shown.total, shown.fitted, shown.pages, shown.metadata) == (3, 2, 1, ("temperature",))
    assert shown.rows[1].metadata == {"temperature": 310.5}
    assert [(one.name, one.unit, one.min) for one in shown.parameters] == [
        ("thickness", "Å", 200.0),
        ("scale", "", 0.9),
    ]
    second = batch(world.config, disk(world), reader(world), sid, 1, page=2, size=2)
    assert [row.number for row in second.rows] == [3] and second.pages == 2
    drawn = trend(world.config, disk(world), reader(world), sid, 1)
    assert msgspec.json.decode(msgspec.json.encode(drawn), type=Trend) == drawn
    columns = {column.name: column for column in drawn.columns}
    assert columns["temperature"].values == (300.0, 310.5, None) and columns["temperature"].kind == "metadata"
    assert columns["thickness"].errors == (0.12, 0.12, None) and columns["scale"].errors is None
    assert drawn.labels == ("b.dat", "a.dat", "c.dat")
    small = thumbnail(world.config, disk(world), reader(world), sid, 1, 2)
    assert (small.dataset, small.chisq) == ("a.dat", 2.5) and small.curve is not None
    several = thumbnails(world.config, disk(world), reader(world), sid, 1, [2, 3])
    assert several[0] == small and several[1].curve is None
    with pytest.raises(NotFound, match="has 3 data sets, no number 4"):
        thumbnail(world.config, disk(world), reader(world), sid, 1, 4)


def test_the_metadata_stand_in_the_table_of_a_batch(world: World) -> None:
    sid = over(world, BATCH, [said(5.0, temperature=300), said(2.5, temperature=310.5), None])
    close(world)
    lines = (world.layout.outbox / sid / "batch-1.csv").read_text().splitlines()
    assert [line.rpartition(",")[2] for line in lines] == ["temperature", "300.0", "310.5", ""]


def test_a_map(world: World) -> None:
    sid = over(world, MAP, [said(float(job)) for job in range(1, 7)])
    close(world)
    shown = page(world, sid).groups[0]
    assert shown.kind == "map" and shown.maps[0].chisq is None
    drawn = maps.chisq_map(reader(world), sid, 1, 1)
    assert drawn.chisq == (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)
    assert [(axis.name, axis.numbers) for axis in drawn.axes] == [("a", (0.0, 1.0, 2.0)), ("b", (0.0, 1.0))]
    assert drawn.minima[0].point == {"a": "0", "b": "0"}
    with pytest.raises(NotFound, match="has no map"):
        maps.chisq_map(reader(world), sid, 1, 2)


@pytest.mark.parametrize("odd", [json.loads(MAPPED), {}, {"axes": 3, "chisq": "x", "minima": {}, "regions": [[]]}])
def test_a_map_of_anything(odd: dict[str, Any]) -> None:
    shown = maps.map_of("20261123-025532-k3j9", 1, 1, odd)
    assert msgspec.json.decode(msgspec.json.encode(shown), type=maps.ChisqMapShown) == shown
    if odd.get("cells"):
        assert shown.regions[0].ranges == ((0.0, 1.0), None) and shown.axes[1].numbers == (0.0, None)


def test_the_table_of_jobs(world: World) -> None:
    sid = over(world, FIT, [said(5.0), said(2.5), None])
    close(world)
    shown = table(world, sid)
    assert [(row.job, row.state) for row in shown.rows] == [("1.1.1", "ok"), ("1.1.2", "ok"), ("1.1.3", "failed")]
    assert (shown.total, shown.jobs, shown.waiting, shown.is_more) == (3, 3, 0, False)
    assert [row.job for row in table(world, sid, sort="chisq").rows] == ["1.1.2", "1.1.1"]
    assert [row.job for row in table(world, sid, sort="job", descending=True, size=2).rows] == ["1.1.3", "1.1.2"]
    assert [row.job for row in table(world, sid, state="bad").rows] == ["1.1.3"]
    assert [row.job for row in table(world, sid, text="EXIT").rows] == ["1.1.3"]
    assert table(world, sid, text="nothing").total == table(world, sid, state="lost").total == 0
    assert table(world, sid, node=shown.rows[0].node).total == 3
    assert len({tuple(row.job for row in table(world, sid, sort=name).rows) for name in shown.sorts}) >= 2
    for asked in ({"sort": "output"}, {"state": "odd"}, {"page": 0}):
        with pytest.raises(NotFound, match="expected"):
            table(world, sid, **asked)


def test_jobs_that_wait(world: World) -> None:
    sid = over(world, FIT, [said(5.0)])
    world.let(world.reducer(), turns=10, tick=3.0)
    shown = table(world, sid, state="waiting")
    assert [row.job for row in shown.rows] == ["1.1.2", "1.1.3"] and shown.total == 2
    assert [row.job for row in table(world, sid, state="waiting", page=2, size=1).rows] == ["1.1.3"]
    assert (table(world, sid).waiting, table(world, sid, state="running").total) == (2, 0)
    assert one(world, sid, "1.1.2").state == "waiting"


def test_one_job(world: World) -> None:
    sid = over(world, FIT, [said(5.0, long=list(range(99))), said(2.5), None])
    close(world)
    shown = one(world, sid, "1.1.1")
    assert (shown.state, shown.input, shown.may_retry, shown.group_name) == ("ok", {"seed": "7"}, False, "film")
    assert "… 99 in all]" in shown.output and shown.fit is not None and shown.fit.curve is None
    assert [(run.status, run.counts) for run in shown.runs] == [("ok", True)]
    failed = one(world, sid, "1.1.3")
    assert (failed.state, failed.may_retry, failed.runs[0].why) == ("failed", True, "exit status 3")
    with pytest.raises(NotFound, match=r"has no job 1\.1\.4"):
        one(world, sid, "1.1.4")
    with pytest.raises(NotFound):
        one(world, sid, "1.1.1-3")


def test_too_many_jobs_to_be_looked_through_are_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sid = over(world, FIT, [said(5.0), said(2.5), None])
    close(world)
    monkeypatch.setattr("park_spool.archive.job_table.MOST_SORTED", 2)
    with pytest.raises(PermanentError, match="too many to be sorted by seconds"):
        table(world, sid, sort="seconds")
    with pytest.raises(PermanentError, match="filtered so"):
        table(world, sid, node="n1")
    assert table(world, sid, sort="chisq").total == 2  # its only group's index
    assert table(world, sid, state="bad", sort="seconds").total == 1


def test_one_that_still_lies_in_the_inbox(world: World) -> None:
    sid = "20261123-025532-k3j9"
    (world.layout.inbox / f"{sid}.film.xml").write_text(FIT)
    shown = session(world.config, None, sid)
    assert (shown.place, shown.session.file, shown.session.jobs, shown.groups) == ("inbox", "film.xml", 0, ())
    assert any("it lies in the inbox" in sentence for sentence in shown.waits)
    assert (shown.may.cancel, shown.may.delete, shown.may.pause) == (True, True, False)


def test_an_executor(world: World) -> None:
    sid = "20261123-025532-k3j9"
    calls = JobList("calls", 0, 0, grows=True)
    task = Task("park/call", "park", "call")
    growing = Session("ana", "", 0, {"name": "minimising"}, (Group("calls", task, joblists=(calls,)),))
    folder = world.layout.session(sid)
    folder.mkdir()
    (folder / "session.json").write_bytes(Admitted(sid, "", "ana", 1000.0, 3, growing).encode())
    world.layout.calls(sid).mkdir()
    shown = session(world.config, None, sid)
    assert (shown.session.state, shown.session.file, shown.name) == ("running", "minimising", "minimising")
    assert (shown.may.cancel, shown.may.retry, shown.may.reduce, shown.may.resubmit) == (True, 0, False, False)
    [one] = coming(world.config, disk(world), lambda sids: set())
    assert (one.sid, one.file, one.place, one.jobs) == (sid, "minimising", "executor", 0)


def test_one_that_was_deleted(world: World) -> None:
    sid = over(world, FIT, [said(5.0), said(2.5), None])
    close(world)
    control_requests.ask(world.member(), sid, "delete", "ana")
    close(world)
    shown = page(world, sid)
    assert (shown.place, shown.session.state, shown.groups, shown.waits) == ("deleted", "deleted", (), ())
    assert shown.may == Choices()


def test_a_copy_of_the_archive_says_how_old_it_is(world: World) -> None:
    sid = over(world, FIT, [said(5.0), said(2.5), None])
    close(world)
    shown = session(world.config, Found(reader(world), 200.0), sid)
    assert shown.note == "from a snapshot that is 3 min 20 s old" and shown.session.state == "failed"
