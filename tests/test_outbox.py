"""The outbox: what stands there when a session is over, once for each edition, whole, whatever dies meanwhile."""

from __future__ import annotations

import csv
import json
import os
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from answered import BATCH, FIT, MAP, Sending, X, close, files, over, reducer, said
from world import STRANGER, Killed, World, dying_disk

from park_spool import control_requests, retries
from park_spool.archive.reading import ArchiveReader
from park_spool.atomic import Disk
from park_spool.check import check
from park_spool.delivering import errand, outbox
from park_spool.naming import Unit
from park_spool.reducing import rebuilding


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def load(path: Path) -> Any:
    def refuse(word: str) -> None:
        raise AssertionError(f"{path.name} has {word}, which is no JSON")

    return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)


# what stands there


def test_the_answer_of_a_fit(world: World) -> None:
    sid = over(world, FIT, [said(5.0, seed=7), said(2.5, seed=8, nllf=float("nan")), None])
    close(world)
    folder = world.layout.outbox / sid
    assert files(folder) == [
        *("best.json", "curves/fit-1.csv", "curves/fit-1.ort", "parameters.csv"),
        *(f"plots/{name}-1.{kind}" for name in ("chisq", "fit") for kind in ("pdf", "png")),
        *("report.html", "results.csv", "session.xml", "summary.json"),
    ]
    summary = load(folder / "summary.json")
    assert (summary["sid"], summary["state"], summary["name"]) == (sid, "failed", "film in D₂O")
    assert (summary["jobs"], summary["ok"], summary["failed"], summary["edition"]) == (3, 2, 1, 1)
    [group] = summary["groups"]
    assert group["best"]["job"] == "1.1.2" and group["best"]["chisq"] == group["best"]["reduced_chisq"] == 2.5
    assert group["best"]["nllf"] is None
    assert summary["files"] == [name for name in files(folder) if name != "summary.json"]
    [best] = load(folder / "best.json")
    assert (best["job"], best["label"], best["seed"]) == ("1.1.2", "film.ort", 8)
    assert [entry["name"] for entry in best["parameters"]] == ["thickness", "scale"]
    results = rows(folder / "results.csv")
    assert [row["status"] for row in results] == ["ok", "ok", "failed"]
    assert [row["input seed"] for row in results] == ["7", "8", "9"]
    assert (results[1]["chisq"], results[2]["chisq"], results[2]["why"]) == ("2.5", "", "exit status 3")
    assert [(row["name"], row["at_bound"]) for row in rows(folder / "parameters.csv")] == [
        ("thickness", ""),
        ("scale", "min"),
    ]
    assert [float(row["Q (1/Å)"]) for row in rows(folder / "curves" / "fit-1.csv")] == X
    assert (folder / "session.xml").read_text() == FIT
    assert (folder / "plots" / "fit-1.png").read_bytes().startswith(b"\x89PNG")
    assert (folder / "plots" / "fit-1.pdf").read_bytes().startswith(b"%PDF")


def test_other_programs_read_the_curve(world: World) -> None:
    from orsopy import fileio
    from refnx.dataset import ReflectDataset

    sid = over(world, FIT, [said(5.0), said(2.5), said(3.0)])
    close(world)
    path = world.layout.outbox / sid / "curves" / "fit-1.ort"
    [dataset] = fileio.load_orso(str(path))
    assert dataset.data[:, 0].tolist() == X and dataset.data.shape == (3, 3)
    assert dataset.info.data_source.measurement.data_files == ["package:refnx/film.ort"]
    assert "chisq 2.5" in dataset.info.reduction.comment
    assert ReflectDataset(str(path)).x.tolist() == X


def test_the_answer_of_a_batch(world: World) -> None:
    sid = over(world, BATCH, [said(5.0), None, said(2.5)])
    close(world)
    folder = world.layout.outbox / sid
    batch = rows(folder / "batch-1.csv")
    assert [(row["dataset"], row["chisq"], row["thickness"]) for row in batch] == [
        ("b.dat", "5.0", "258.86"),
        ("a.dat", "", ""),
        ("c.dat", "2.5", "258.86"),
    ]
    assert [row["dataset"] for row in rows(folder / "parameters.csv")] == ["b.dat", "b.dat", "c.dat", "c.dat"]
    wanted = {"curves/1-0001-b.dat.csv", "curves/1-0003-c.dat.ort", "plots/trend-1.pdf", "plots/batch-1-1.png"}
    assert wanted < set(files(folder)) and "curves/1-0002-a.dat.csv" not in files(folder)
    assert load(folder / "best.json")[0]["data"] == ["package:warm/c.dat"]


def test_the_answer_of_a_map(world: World) -> None:
    sid = over(world, MAP, [json.dumps({"chisq": value}) for value in (5.0, 4.0, 1.0, 2.0, 5.0, 6.0)])
    close(world)
    folder = world.layout.outbox / sid
    assert "plots/map-1-1.png" in files(folder)
    [found] = load(folder / "summary.json")["groups"][0]["maps"].values()
    assert found["minima"][0] == {"chisq": 1.0, "point": {"a": "1", "b": "0"}}


@pytest.mark.parametrize(
    "output", ["", "no JSON", "[1]", '{"chisq": 3, "curve": 5, "parameters": {}}', '{"chisq": 1, "curve": {"x": [1]}}']
)
def test_whatever_a_service_says_there_is_an_answer(world: World, output: str) -> None:
    sid = over(world, FIT, [output, output, output])
    close(world)
    assert {"summary.json", "report.html", "results.csv", "best.json"} < set(files(world.layout.outbox / sid))


class Addresses(HTMLParser):
    """Collects what a page would fetch, and what it would run."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        self.fetched += [value or "" for name, value in attrs if name in ("src", "srcset") or tag == "link"]
        assert not [name for name, _ in attrs if name.startswith("on")]


def test_the_report_opens_anywhere_and_runs_nothing_of_the_users(world: World) -> None:
    evil = "&lt;script&gt;alert(1)&lt;/script&gt;"
    sid = over(world, FIT.replace("film in D₂O", evil), [said(5.0, dataset="<img src=x onerror=y>"), None, None])
    close(world)
    page = (world.layout.outbox / sid / "report.html").read_text(encoding="utf-8")
    found = Addresses()
    found.feed(page)
    assert found.scripts == 0 and evil in page
    assert found.fetched and all(source.startswith("data:image/png;base64,") for source in found.fetched)


# once for each edition


def test_a_later_edition_stands_beside_the_first(world: World) -> None:
    sid = over(world, FIT, [said(5.0), said(2.5), None])
    close(world)
    first = (world.layout.outbox / sid / "summary.json").read_bytes()
    member = world.member()
    retries.open_round(member, world.layout.closed_session(sid), {(1, 1): [(3, 4)]}, "wwchen")
    member.disk.move(world.layout.closed_session(sid), world.layout.session(sid))
    world.plant_reply(Unit(sid, 1, 1, 3, 4, 1, 0), STRANGER, output=said(1.5))
    close(world)
    assert sorted(os.listdir(world.layout.outbox)) == [sid, f"{sid}.2"]
    assert (world.layout.outbox / sid / "summary.json").read_bytes() == first
    second = load(world.layout.outbox / f"{sid}.2" / "summary.json")
    assert (second["edition"], second["state"], second["groups"][0]["best"]["chisq"]) == (2, "done", 1.5)
    control_requests.ask_to_reduce(member, sid, None, "wwchen", lambda seconds: None)
    close(world)
    assert sorted(os.listdir(world.layout.outbox)) == [sid, f"{sid}.2", f"{sid}.3"]
    assert ArchiveReader(world.config.archive).deliveries(sid) == {1: sid, 2: f"{sid}.2", 3: f"{sid}.3"}


def test_what_people_have_removed_does_not_come_back(world: World) -> None:
    sid = over(world, FIT, [said(5.0), said(2.5), said(2.0)])
    close(world)
    shutil.rmtree(world.layout.outbox / sid)
    sending = Sending(world)
    close(world, sending)
    assert sending.sent == [] and os.listdir(world.layout.outbox) == []


def test_an_archive_that_is_made_again_delivers_nothing_twice(world: World) -> None:
    sid = over(world, FIT, [said(5.0), said(2.5), said(2.0)])
    close(world)
    rebuilding.rebuild(world.member(), world.config.archive)
    sending = Sending(world)
    close(world, sending)
    assert sending.sent == []
    assert ArchiveReader(world.config.archive).deliveries(sid) == {1: sid}


def test_a_deleted_session_takes_its_answers_along(world: World) -> None:
    sid = over(world, FIT, [said(5.0), said(2.5), said(2.0)])
    close(world)
    assert os.listdir(world.layout.outbox) == [sid]
    control_requests.ask(world.member(), sid, "delete", "wwchen", pause=lambda seconds: None)
    close(world)
    assert os.listdir(world.layout.outbox) == [] and os.listdir(world.layout.tmp) == []


def test_two_reducers_make_one_folder(world: World) -> None:
    sid = over(world, FIT, [said(5.0), said(2.5), said(2.0)])
    close(world, Sending(world))
    shutil.rmtree(world.layout.outbox / sid)
    late, early = world.member(), world.member()

    def fill(folder: Path) -> list[Path]:
        assert errand.deliver_one(early, sid, 1)  # somebody else is quicker
        (folder / "summary.json").write_text("{}")
        return [folder / "summary.json"]

    assert not outbox.deliver(late, sid, 1, fill)
    assert load(world.layout.outbox / sid / "summary.json")["sid"] == sid
    assert os.listdir(world.layout.tmp) == []


def test_killed_before_every_change_of_a_delivery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reducer dies anywhere between the last reply and the record of what was delivered: there is one whole folder."""

    def small(place: Path, *answer: object) -> list[Path]:
        (place / "plots").mkdir()
        made = [place / "plots" / "fit-1.png", place / "summary.json"]
        for path in made:
            path.write_text("whole")
        return made

    monkeypatch.setattr(errand.folder, "fill", small)

    def live(world: World, disk: type[Disk]) -> None:
        spoold, one = world.spoold(), reducer(world, Sending(world, disk), disk)
        world.let(spoold, one, turns=24, tick=3.0)
        one.leave()
        spoold.resign()

    left = [10**9]
    for number in range(-1, 10**6):
        world = World(tmp_path / str(number))
        sid = over(world, FIT, [said(5.0), None, None])
        if number < 0:
            live(world, dying_disk(left))
        else:
            with pytest.raises(Killed):
                live(world, dying_disk([number]))
            live(world, Disk)
        assert os.listdir(world.layout.outbox) == [sid], number
        assert files(world.layout.outbox / sid) == ["plots/fit-1.png", "summary.json"], number
        assert ArchiveReader(world.config.archive).deliveries(sid) == {1: sid}
        assert check(world.root) == []
        if number + 1 >= 10**9 - left[0]:
            break
