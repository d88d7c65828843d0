"""The Python interface: what is sent, what comes back, and mistakes in one sentence; no daemons but those of a World."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import answered
import numpy
import pytest
from answered import BATCH, FIT, X, files, over, said
from world import World

import park_spool
from park_spool import Session, Spool
from park_spool.admitted import Admitted
from park_spool.errors import DataError, NotFound, PermanentError, SessionError, SpoolError
from park_spool.handles.handle import SessionHandle
from park_spool.handles.parcels import parcel
from park_spool.looking.standing import Look
from park_spool.places import Places
from park_spool.sessions.session import Session as SessionClass


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def spool(world: World) -> Spool:
    return Spool(world.root)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder of a program, with a data set in it."""
    folder = tmp_path / "program"
    (folder / "warm").mkdir(parents=True)
    (folder / "film.ort").write_text("1 2 3\n")
    (folder / "warm" / "film.ort").write_text("4 5 6\n")
    monkeypatch.chdir(folder)
    return folder


def close(world: World) -> None:
    answered.close(world, is_delivered=False)


def admitted(world: World, handle: SessionHandle) -> Admitted:
    found = Look(world.config).admitted(handle.sid)
    assert found is not None
    return found


def fit(world: World, spool: Spool) -> SessionHandle:
    sid = over(world, FIT, [said(5.0, seed=7), said(2.5, seed=8), None])
    close(world)
    return spool.session(sid)


# the package


def test_what_is_exported_comes_only_when_it_is_asked_for() -> None:
    assert park_spool.Session is SessionClass and park_spool.__all__ == ["Session", "Spool", "__version__"]
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        park_spool.Nothing  # noqa: B018


def test_a_spool_is_found_as_commands_find_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARK_SPOOL", str(world.root))
    assert repr(Spool()) == f"Spool('{world.root}')"
    assert Spool().settings.spool == world.root
    with pytest.raises(SpoolError, match="is not a spool"):
        Spool(world.root / "inbox")


# sending


def test_a_draft_is_sent_with_its_data(world: World, spool: Spool, here: Path) -> None:
    handle = spool.submit(Session.of("tester/noop", starts=3, data=["film.ort"], name="film in D₂O"))
    assert files(world.layout.inbox / f"{handle.sid}.film in D₂O.xml") == ["film.ort", "session.xml"]
    assert handle.state == "queued" and repr(handle).endswith(": queued>")
    close(world)
    session = admitted(world, handle).session
    assert session.sizes() == {(1, 1): 3} and session.groups[0].data[0].href == "film.ort"


def test_two_files_of_one_name_stay_apart(spool: Spool, world: World, here: Path) -> None:
    handle = spool.submit(Session.batch("tester/noop", ["film.ort", "warm/film.ort"]))
    folder = world.layout.inbox / f"{handle.sid}.noop.xml"
    assert files(folder) == ["film-2.ort", "film.ort", "session.xml"]
    assert (folder / "film-2.ort").read_text() == "4 5 6\n"
    close(world)
    [joblist] = admitted(world, handle).session.groups[0].joblists
    shown = [(one.attributes["dataset"], one.children[0].attributes["href"]) for one in joblist.inputs]
    assert shown == [("film", "film.ort"), ("film-2", "film-2.ort")]


def test_data_under_a_root_of_the_site_and_of_packages_stays_where_it_is(here: Path) -> None:
    session = Session.of(
        "tester/noop", data={"a": "film.ort", "b": "package:refnx/x.txt", "c": here / "warm" / "film.ort"}
    )
    sent = parcel(session, Places((here / "warm",)))
    assert sent.files == {"film.ort": here / "film.ort"} and sent.xml is not None
    text = sent.xml.decode()
    assert 'href="package:refnx/x.txt"' in text and f'href="{here}/warm/film.ort"' in text


def test_files_folders_and_zips_are_sent_as_the_command_sends_them(world: World, spool: Spool, here: Path) -> None:
    (here / "mine.xml").write_text(FIT.replace("package:refnx/", ""))
    handle = spool.submit(here / "mine.xml")
    assert files(world.layout.inbox / f"{handle.sid}.mine.xml") == ["film.ort", "session.xml"]
    with pytest.raises(ValueError, match="write after='SID' into it"):
        spool.submit("mine.xml", after=handle)


def test_what_would_be_rejected_is_not_sent(world: World, spool: Spool, here: Path) -> None:
    with pytest.raises(SessionError, match=r"line 4, column 3: .*'nothing'"):
        spool.submit(Session.of("tester/nothing"))
    with pytest.raises(DataError, match=r"there is no file 'lost\.ort'"):
        spool.submit(Session.of("tester/noop", data=["lost.ort"]))
    with pytest.raises(SessionError, match="there is no such file"):
        spool.submit("lost.xml")
    assert os.listdir(world.layout.inbox) == []


def test_sessions_are_found_again(world: World, spool: Spool) -> None:
    first = fit(world, spool)
    second = spool.session(over(world, BATCH, []))
    assert spool.sessions() == sorted([first, second], key=lambda one: one.sid, reverse=True)
    assert spool.sessions(state="failed") == [first] and spool.sessions(text="frames", limit=1) == [second]
    assert len({first, spool.session(first.sid[:-1])}) == 1
    with pytest.raises(NotFound, match="no session begins with 'x'"):
        spool.session("x")


# what came out


def test_the_best_fit_as_numbers(world: World, spool: Spool) -> None:
    handle = fit(world, spool)
    best = handle.best
    assert (best.job, best.label, best.chisq, best.dof, best.reduced_chisq, best.seed) == (
        "1.1.2",
        "film.ort",
        2.5,
        1,
        2.5,
        8,
    )
    thickness = best.parameters["thickness"]
    assert (thickness.value, thickness.error, thickness.unit, thickness.min, thickness.max) == (
        258.86,
        0.12,
        "Å",
        200.0,
        300.0,
    )
    assert str(thickness) == "258.86 ± 0.12 Å" and best.values == {"thickness": 258.86, "scale": 0.9}
    assert best.curve is not None and best.curve.x.tolist() == X
    assert best.curve.residuals == pytest.approx([0.2, -0.4, -0.5])
    assert numpy.isnan(best.curve.dx).all() and best.curve.labels["ylabel"] == "R"
    assert handle.fit("1.1.1").chisq == 5.0 and list(handle.curves()) == ["film.ort"]
    with pytest.raises(NotFound, match=r"job 1\.1\.3 of .* has no chisq"):
        handle.fit("1.1.3")
    with pytest.raises(NotFound, match="has no group 2"):
        handle.fits(2)


def test_tables_are_arrays(world: World, spool: Spool) -> None:
    handle = fit(world, spool)
    table = handle.results()
    assert table["job"].tolist() == ["1.1.1", "1.1.2", "1.1.3"]
    assert table["chisq"][:2].tolist() == [5.0, 2.5] and numpy.isnan(table["chisq"][2])
    assert table["input seed"].tolist() == [7.0, 8.0, 9.0]
    assert handle.parameters()["value"].tolist() == [258.86, 0.9]
    assert handle.history()["chisq"].tolist() == [5.0, 2.5] and handle.history()["job"].tolist() == ["1.1.1", "1.1.2"]
    assert handle.batch() == {}
    assert (handle.summary["failed"], [row.why for row in handle.failures]) == (1, ["exit status 3"])
    assert handle.outbox is None and len(handle.messages) == 2


def test_a_batch_by_its_data_sets(world: World, spool: Spool) -> None:
    handle = spool.session(over(world, BATCH, [said(5.0), None, said(2.5)]))
    close(world)
    assert {label: one.chisq for label, one in handle.fits().items()} == {"b.dat": 5.0, "c.dat": 2.5}
    assert list(handle.curves()) == ["b.dat", "c.dat"]
    table = handle.batch()
    assert table["dataset"].tolist() == ["b.dat", "a.dat", "c.dat"]
    assert numpy.isnan(table["thickness"]).tolist() == [False, True, False]


def test_without_a_fit_it_is_said(world: World, spool: Spool) -> None:
    handle = spool.session(over(world, FIT, [None]))
    close(world)
    with pytest.raises(NotFound, match=f"no job of group 1 of {handle.sid} gave a chisq"):
        handle.best  # noqa: B018
    assert handle.history()["chisq"].tolist() == [] and handle.fits() == {}


def test_without_an_archive_the_outbox_tells(world: World, spool: Spool) -> None:
    handle = spool.session(over(world, FIT, [said(5.0), said(2.5, seed=8), None]))
    answered.close(world)
    expected = handle.results()
    for path in world.config.archive.parent.iterdir():
        path.unlink()
    assert handle.best.chisq == 2.5 and handle.best.parameters["thickness"].error == 0.12
    assert handle.best.curve is None
    assert [list(column) for column in handle.results().values()] == [
        pytest.approx(list(column), nan_ok=True) if column.dtype.kind == "f" else list(column)
        for column in expected.values()
    ]
    assert handle.outbox == world.layout.outbox / handle.sid
    with pytest.raises(NotFound, match="there is no archive"):
        handle.fits()


# waiting


def test_watching_tells_each_change_and_the_end(world: World, spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    sid = over(world, FIT, [said(5.0), said(2.5), said(3.0)])
    steps = iter([lambda: answered.close(world, turns=2, is_delivered=False), lambda: close(world)])
    monkeypatch.setattr("park_spool.looking.closing.time.sleep", lambda seconds: next(steps, lambda: None)())
    updates = list(spool.session(sid).watch())
    assert [str(one) for one in (updates[0], updates[-1])] == [
        "queued: 0 of 3 jobs",
        "done: 3 of 3 jobs, best chisq 2.5 (job 1.1.2)",
    ]
    last = updates[-1]
    assert (last.is_closed, last.done, last.failed, last.chisqs) == (True, 3, 0, (5.0, 2.5))
    assert spool.session(sid).wait() == "done"


def test_waiting_ends_in_time(world: World, spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    now = _clock()
    monkeypatch.setattr("park_spool.looking.closing.time.monotonic", lambda: next(now))
    monkeypatch.setattr("park_spool.looking.closing.time.sleep", lambda seconds: None)
    handle = spool.session(over(world, FIT, []))
    with pytest.raises(TimeoutError, match=f"session {handle.sid} is not closed after 0.5 s"):
        handle.wait(timeout=0.5)


def _clock() -> Iterator[float]:
    for number in range(10**6):
        yield number / 10


def test_a_session_that_was_rejected_after_all_says_so(world: World, spool: Spool) -> None:
    handle = spool.submit(Session.of("tester/noop", name="bad"))
    (world.layout.inbox / f"{handle.sid}.bad.xml").write_text("<session/>")
    close(world)
    with pytest.raises((SessionError, NotFound), match=handle.sid):
        handle.wait()


# wishes, and what comes after


def test_wishes_are_those_of_the_commands(world: World, spool: Spool) -> None:
    handle = spool.session(over(world, FIT, []))
    handle.pause()
    assert handle.state == "paused"
    handle.resume()
    handle.set_priority(7)
    assert Look(world.config).said(handle.sid).priority == 7
    handle.cancel()
    assert handle.state == "cancelled"
    with pytest.raises(PermanentError, match="was cancelled"):
        handle.retry()
    handle.delete()
    assert handle.state == "deleted" and repr(handle).endswith(": deleted>")


def test_retry_and_reduce(world: World, spool: Spool) -> None:
    handle = fit(world, spool)
    with pytest.raises(NotFound, match=r"1\.1\.1: no job of it failed"):
        handle.retry("1.1.1")
    assert handle.retry() == 1
    handle.reduce()
    names = os.listdir(world.layout.session(handle.sid))
    assert len([name for name in names if name.startswith("retry.") or name.endswith(".reduce")]) == 2


def test_what_comes_after_waits_for_the_best(world: World, spool: Spool, here: Path) -> None:
    handle = fit(world, spool)
    one = handle.after(Session.of("tester/noop", data=["film.ort"]), group=1)
    other = spool.submit(Session.of("tester/noop"), after=handle)
    world.let(world.spoold(), turns=8)
    assert admitted(world, one).session.after == f"{handle.sid}.1"
    assert admitted(world, other).session.after == handle.sid


def test_resubmit_goes_on_from_fits(world: World, spool: Spool) -> None:
    handle = fit(world, spool)
    again = handle.resubmit(from_best=True, x=3)
    world.let(world.spoold(), turns=8)
    session = admitted(world, again).session
    assert session.groups[0].joblists[0].input(1).attributes == {
        "seed": "8",
        "x": "3",
        "thickness": "258.86",
        "scale": "0.9",
    }
    assert replace(session, warnings=()).sizes() == {(1, 1): 1}
    with pytest.raises(SessionError, match="'seed' is an axis"):
        handle.resubmit(seed=1)
