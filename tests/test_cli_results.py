"""The commands that show what came out: on a session that is over, on one that runs, and where no archive can be read."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import answered
import pytest
from answered import BATCH, FIT, MAP, files, over, said
from click.testing import Result
from console import park as command
from world import World

from park_spool import sessions, whereabouts
from park_spool.archive import snapshots
from park_spool.atomic import Disk
from park_spool.catalog.registry import Registry
from park_spool.cli.main import main
from park_spool.cli.options import FAILED, FINE, USAGE, session_ids
from park_spool.control_requests import user_name
from park_spool.sessions.parsing import Limits, parse_session

SENT = "20991123-025532-k3j9"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def close(world: World) -> None:
    """Have all sessions reduced and closed; delivering takes its time, and most tests here need none of it."""
    answered.close(world, is_delivered=False)


def fit(world: World, is_delivered: bool = False) -> str:
    sid = over(world, FIT, [said(5.0, seed=7), said(2.5, seed=8), None])
    answered.close(world, is_delivered=is_delivered)
    return sid


def park(world: World, *words: str | Path) -> Result:
    return command(*words, spool=world.root)


def told(world: World, *words: str | Path) -> Any:
    result = park(world, *words, "--json")
    assert result.exit_code == FINE, result.stderr
    return json.loads(result.stdout)


# results


def test_results_says_the_best_fit_with_errors(world: World) -> None:
    result = park(world, "results", fit(world))
    assert result.exit_code == FINE
    assert "film.xml of wwchen is failed; 2 of 3 jobs ok, 1 failed" in result.stdout.replace(user_name(), "wwchen")
    assert "best: job 1.1.2 (film.ort), chisq 2.5, chisq/dof 2.5 (dof 1), seed 8" in result.stdout
    assert "thickness  258.86 ± 0.12  Å" in result.stdout


def test_results_as_json_and_csv_say_what_the_outbox_says(world: World) -> None:
    sid = fit(world, is_delivered=True)
    folder = world.layout.outbox / sid
    summary = json.loads((folder / "summary.json").read_text())
    shown = told(world, "results", sid)
    assert {**shown, "files": summary["files"]} == {
        **summary,
        "best": json.loads((folder / "best.json").read_text()),
        "batches": {},
    }
    assert told(world, "results", sid, "--best") == shown["best"]
    assert park(world, "results", sid, "--csv").stdout.splitlines() == (folder / "results.csv").read_text().splitlines()
    parameters = park(world, "results", sid, "--csv", "--best").stdout
    assert parameters.splitlines() == (folder / "parameters.csv").read_text().splitlines()
    assert park(world, "results", sid, "--csv", "--json").exit_code == USAGE


def test_results_of_a_batch_has_a_row_for_each_data_set(world: World) -> None:
    sid = over(world, BATCH, [said(5.0), None, said(2.5)])
    close(world)
    lines = park(world, "results", sid).stdout.splitlines()
    rows = [line.split() for line in lines if line.strip()[:1].isdigit() and ".dat" in line]
    assert [row[1:4] for row in rows] == [["b.dat", "1.1.1", "5"], ["a.dat", "–", "no"], ["c.dat", "1.1.3", "2.5"]]
    batch = told(world, "results", sid)["batches"]["1"]
    assert [(row["dataset"], row["chisq"], row["thickness error"]) for row in batch] == [
        ("b.dat", 5.0, 0.12),
        ("a.dat", None, None),
        ("c.dat", 2.5, 0.12),
    ]


def test_results_of_a_map_names_its_minima(world: World) -> None:
    sid = over(world, MAP, [json.dumps({"chisq": value}) for value in (5.0, 4.0, 1.0, 2.0, 5.0, 6.0)])
    close(world)
    assert "minimum of the map of job list 1: chisq 1 at a 1, b 0" in park(world, "results", sid).stdout


def test_results_writes_all_files_into_a_new_folder(world: World, tmp_path: Path) -> None:
    sid = fit(world, is_delivered=True)
    target = tmp_path / "deep" / "film"
    assert park(world, "results", sid, "-o", target).stdout == f"{target}\n"
    assert files(target) == files(world.layout.outbox / sid)
    again = park(world, "results", sid, "-o", target)
    assert again.exit_code == FAILED and "is there already; nothing was written" in again.stderr
    assert os.listdir(target.parent) == ["film"]


def test_results_of_a_session_that_runs(world: World) -> None:
    sid = over(world, FIT, [said(5.0)])
    close(world)
    assert not os.listdir(world.layout.outbox)
    assert "is running; 1 of 3 jobs ok, 0 failed" in park(world, "results", sid).stdout


# plot


def test_plot_writes_the_pictures_that_are_wanted(world: World, tmp_path: Path) -> None:
    sid = fit(world)
    every = park(world, "plot", sid, "-o", tmp_path / "all").stdout.split()
    assert every == [str(tmp_path / "all" / f"{sid}-{name}-1.png") for name in ("chisq", "fit")]
    [one] = park(world, "plot", sid, "1.1.1", "--kind", "svg", "-o", tmp_path).stdout.split()
    assert one == str(tmp_path / f"{sid}-fit-1.1.1.svg") and "<svg" in Path(one).read_text()
    [pdf] = park(world, "plot", sid, "--what", "chisq", "--kind", "pdf", "-o", tmp_path).stdout.split()
    assert Path(pdf).read_bytes().startswith(b"%PDF")
    nothing = park(world, "plot", sid, "--what", "map", "-o", tmp_path)
    assert nothing.exit_code == FAILED and f"there is nothing to draw of {sid} as map yet" in nothing.stderr
    assert "has no chisq" in park(world, "plot", sid, "1.1.3", "-o", tmp_path).stderr


# history, compare


def test_history_lists_every_fit_the_best_first(world: World) -> None:
    sid = fit(world)
    lines = park(world, "history", sid).stdout.splitlines()
    assert "2 improvements" in lines[0]
    assert [line.split()[:4] for line in lines[2:]] == [["1.1.2", "2.5", "2.5", "8"], ["1.1.1", "5", "5", "7"]]
    [line] = park(world, "history", sid, "--json").stdout.splitlines()
    shown = json.loads(line)
    assert [fit["job"] for fit in shown["fits"]] == ["1.1.2", "1.1.1"]
    assert [step["chisq"] for step in shown["improvements"]] == [5.0, 2.5]


def test_history_without_a_session_lists_those_that_gave_fits(world: World) -> None:
    sid = fit(world)
    over(world, FIT, [None, None, None])
    close(world)
    assert [row["sid"] for row in told(world, "history")] == [sid]
    assert sid in park(world, "history", "--mine").stdout


def test_compare_says_by_how_many_errors_parameters_differ(world: World) -> None:
    first = fit(world)
    other = said(2.0).replace("258.86", "259.16")
    second = over(world, FIT, [other, None, None])
    close(world)
    lines = park(world, "compare", first, second).stdout.splitlines()
    [thickness] = [line for line in lines if line.startswith("thickness (Å)")]
    assert thickness.split()[-2:] == ["+1.8", "σ"] and "259.16 ± 0.12" in thickness
    assert [one["sid"] for one in told(world, "compare", first, second)] == [first, second]
    assert park(world, "compare", first).exit_code == USAGE


def test_compare_adds_up_batches(world: World) -> None:
    sids = []
    for chisqs in ((5.0, None, 2.5), (4.0, 3.0, 2.0)):
        sids.append(over(world, BATCH, [value and said(value) for value in chisqs]))
        close(world)
    lines = [line.split() for line in park(world, "compare", *sids).stdout.splitlines()]
    assert ["data", "sets", "2", "of", "3", "3", "of", "3"] in lines
    assert ["sum", "of", "chisq", "7.5", "9"] in lines


# messages, log


def test_messages_are_those_of_the_reducers(world: World) -> None:
    sid = over(world, BATCH, [said(5.0), said(4.0), said(2.5)])
    close(world)
    shown = park(world, "messages", sid).stdout
    assert [word for word in shown.split() if word.startswith("dataset=")] == [
        'dataset="b.dat"/>',
        'dataset="a.dat"/>',
        'dataset="c.dat"/>',
    ]
    lines = park(world, "messages", sid, "--json").stdout.splitlines()
    assert [json.loads(line)["number"] for line in lines] == [1, 2, 3]
    assert park(world, "messages", sid, "--follow").stdout == shown


def test_the_log_of_a_job_has_each_run_and_its_output(world: World) -> None:
    sid = fit(world)
    assert "attempt 3 on h9000_9000_000000" in park(world, "log", sid, "1.1.3").stdout
    assert "exit status 3" in park(world, "log", sid, "1.1.3").stdout
    shown = told(world, "log", sid, "1.1.1")
    assert [run["status"] for run in shown["runs"]] == ["ok"] and shown["output"] == said(5.0, seed=7)
    assert park(world, "log", sid, "1.1.1", "--output").stdout == said(5.0, seed=7) + "\n"
    missing = park(world, "log", sid, "1.1.4")
    assert missing.exit_code == FAILED and f"session {sid} has no job 1.1.4" in missing.stderr


# list


def test_list_finds_sessions_by_user_state_and_text(world: World) -> None:
    failed, running = fit(world), over(world, BATCH, [])
    close(world)
    assert [one["sid"] for one in told(world, "list")] == sorted([failed, running], reverse=True)
    assert [one["sid"] for one in told(world, "list", "--state", "failed")] == [failed]
    assert [one["sid"] for one in told(world, "list", "--state", "queued")] == [running]
    assert [one["sid"] for one in told(world, "list", "FRAMES")] == [running]
    assert len(told(world, "list", "--mine", "-n", "1")) == 1
    assert told(world, "list", "--user", "nobody-at-all") == []
    assert park(world, "list", "--user", "a", "--mine").exit_code == USAGE
    assert "no session is like this" in park(world, "list", "sulphur").stdout


def test_list_knows_what_the_archive_does_not_know_yet(world: World) -> None:
    sid = over(world, BATCH, [])
    (world.layout.inbox / f"{SENT}.film.xml").write_text(FIT)
    assert [(one["sid"], one["state"]) for one in told(world, "list")] == [(SENT, "queued"), (sid, "queued")]
    assert [one["sid"] for one in told(world, "list", "tester/noop")] == [sid]


# where no archive can be read


def without_archive(world: World) -> None:
    for path in world.config.archive.parent.iterdir():
        path.unlink()


def test_without_an_archive_the_outbox_and_the_bundles_tell(world: World, tmp_path: Path) -> None:
    sid = fit(world, is_delivered=True)
    expected = {verb: park(world, *verb.split(), sid).stdout for verb in ("results", "results --best", "results --csv")}
    jobs = told(world, "log", sid, "1.1.1")
    without_archive(world)
    for verb, shown in expected.items():
        result = park(world, *verb.split(), sid)
        assert (result.exit_code, result.stdout.splitlines()) == (FINE, shown.splitlines()), verb
        assert f"note: from {world.layout.outbox / sid}: there is no archive" in result.stderr
    assert len(park(world, "plot", sid, "-o", tmp_path).stdout.split()) == 2
    assert "svg" not in park(world, "plot", sid, "--kind", "svg", "-o", tmp_path).stdout
    assert files(world.layout.outbox / sid) == files(_written(world, sid, tmp_path / "copy"))
    assert told(world, "log", sid, "1.1.1") == jobs
    assert told(world, "list", "--user", user_name())[0]["state"] == "closed"
    shutil.rmtree(world.layout.outbox / sid)
    nothing = park(world, "results", sid)
    assert nothing.exit_code == FAILED and f"nothing of {sid} stands in the outbox either" in nothing.stderr


def _written(world: World, sid: str, target: Path) -> Path:
    assert park(world, "results", sid, "-o", target).exit_code == FINE
    return target


def test_a_copy_on_the_spool_will_do_and_its_age_is_said(tmp_path: Path) -> None:
    world = World(tmp_path)
    sid = fit(world)
    expected = park(world, "results", sid).stdout
    snapshots.publish(world.member(), world.config.archive)
    for path in world.config.archive.parent.glob("park.sqlite*"):
        path.unlink()
    result = park(world, "results", sid)
    assert result.stdout == expected and "note: from a snapshot that is " in result.stderr
    assert sid in park(world, "list").stdout and "1.1.2" in park(world, "history", sid).stdout


# resubmit


def sent(world: World, sid: str, *words: str) -> sessions.session.Session:
    """What `park resubmit` has put into the inbox, understood."""
    result = park(world, "resubmit", sid, *words)
    assert result.exit_code == FINE, result.stderr
    [path] = [path for path in world.layout.inbox.iterdir() if path.name.startswith(result.stdout.strip())]
    xml = path / "session.xml" if path.is_dir() else path
    return parse_session(xml.read_bytes(), Registry.load(world.config.service_folders), Limits())


def inputs(session: sessions.session.Session) -> Iterator[dict[str, str]]:
    for joblist in session.groups[0].joblists:
        yield from (joblist.input(job).attributes for job in range(1, joblist.size + 1))


def test_resubmit_sends_what_was_received(world: World) -> None:
    sid = fit(world)
    result = park(world, "resubmit", sid)
    [path] = world.layout.inbox.iterdir()
    assert path.name == f"{result.stdout.strip()}.film.xml" and path.read_text() == FIT


def test_resubmit_takes_the_data_along(world: World, tmp_path: Path) -> None:
    (tmp_path / "film.xml").write_text(FIT.replace("package:refnx/film.ort", "data/film.ort"))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "film.ort").write_text("1 2 3\n")
    sid = park(world, "submit", tmp_path / "film.xml").stdout.strip()
    close(world)
    again = park(world, "resubmit", sid).stdout.strip()
    folder = world.layout.inbox / f"{again}.film.xml"
    assert files(folder) == ["data/film.ort", "session.xml"]
    close(world)
    places = whereabouts.places(Disk(world.layout.tmp, "test"), world.layout)
    assert {places[sid], places[again]} == {"open"}


def test_resubmit_from_the_best_starts_there(world: World) -> None:
    sid = fit(world)
    assert list(inputs(sent(world, sid, "--from-best"))) == [{"seed": "8", "thickness": "258.86", "scale": "0.9"}]
    assert [one["seed"] for one in inputs(sent(world, sid, "--from", "1.1.1"))] == ["7"]
    assert list(inputs(sent(world, sid, "--from-best", "--set", "scale=1", "--set", "seed=3"))) == [
        {"seed": "3", "thickness": "258.86", "scale": "1"}
    ]
    assert [one["x"] for one in inputs(sent(world, sid, "--set", "x=5"))] == ["5", "5", "5"]


def test_resubmit_of_a_batch_has_a_job_for_each_data_set(world: World) -> None:
    sid = over(world, BATCH, [said(5.0), None, said(2.5)])
    close(world)
    session = sent(world, sid, "--from-best")
    [joblist] = session.groups[0].joblists
    hrefs = [joblist.input(job).children[0].attributes["href"] for job in (1, 2)]
    assert hrefs == ["package:warm/b.dat", "package:warm/c.dat"] and session.groups[0].reduce == "Batch"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--from-best", "--from", "1.1.1"), "expected one of --from-best and --from"),
        (("--from", "1.1.3"), "job 1.1.3 of {} has no chisq"),
        (("--set", "seed=3"), "'seed' is an axis of the scan of job list"),
        (("--set", "seed"), "expected NAME=VALUE"),
        (("--set", "a b=3"), "nothing was sent"),
    ],
)
def test_resubmit_says_what_cannot_be_and_sends_nothing(world: World, words: tuple[str, ...], reason: str) -> None:
    sid = fit(world)
    result = park(world, "resubmit", sid, *words)
    assert result.exit_code != FINE and reason.format(sid) in result.stderr
    assert os.listdir(world.layout.inbox) == []


# completion


def test_a_shell_completes_session_ids_with_the_newest_first(world: World) -> None:
    sid = fit(world)
    other = fit(world)
    context = main.make_context("park", ["list"], resilient_parsing=True)
    context.params["spool"] = str(world.root)
    assert session_ids(context, main.params[0], "20") == sorted([sid, other], reverse=True)
    context.params["spool"] = str(world.root / "nothing")
    assert session_ids(context, main.params[0], "20") == []


@pytest.mark.parametrize(
    ("shell", "word"), [("bash", "complete -o"), ("zsh", "#compdef park"), ("fish", "complete --no-files")]
)
def test_completion_prints_what_a_shell_needs(shell: str, word: str) -> None:
    assert word in command("completion", shell).stdout


def test_csv_is_what_csv_readers_take(world: World) -> None:
    sid = over(world, FIT.replace("values='7 8 9'", "values='a,b \"c\" d'"), [said(5.0)])
    close(world)
    assert len(list(csv.reader(io.StringIO(park(world, "results", sid, "--csv").stdout)))) == 2
