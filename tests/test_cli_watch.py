"""`park watch`: what each look shows, as lines and as a picture, until a session is closed."""

from __future__ import annotations

import io
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from console import park
from daemons import Site, until
from rich.console import Console
from test_cli import script
from world import World

from park_spool import naming, sealed
from park_spool.cli import watching
from park_spool.cli.live import Picture
from park_spool.cli.options import FAILED, FINE, INTERRUPTED, REJECTED
from park_spool.cli.watching import Lines
from park_spool.looking.reports import RunningJob
from park_spool.looking.sight import PATIENCE, Sight, Story, Watcher
from park_spool.looking.standing import Standing
from park_spool.processes import identity

SID = "20261123-025532-k3j9"
ONE = Standing(SID, "wwchen", "film.xml", "running", 48, 12, 11, 1, 966.193, "1.1.2")
JOB = RunningJob("n4_1_aaaaaa", SID, "1.1.17", 3.4, 1023.4, None)
SIGHT = Sight(ONE, Story(None, (5000.0, 1200.0, 966.193)), (JOB,), 2.5)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


# lines


def test_a_line_says_how_far_it_is() -> None:
    assert watching.line(SIGHT) == (
        "running: 12 of 48 jobs, 2.5 jobs/s; best chisq 966.193 (job 1.1.2); 1 failed; running job 1.1.17 is at chisq 1023.4"
    )
    waiting = Sight(Standing(SID, "", "film.xml", "queued", None, 0), Story(), (), None, ("nobody is there",))
    assert watching.line(waiting) == "queued: waits in the inbox to be admitted; nobody is there"


def test_lines_come_with_news_at_most_one_a_second_and_at_the_end() -> None:
    said: list[str] = []
    lines = Lines(said.append)
    steps = [(0.0, 12), (0.2, 13), (0.9, 14), (1.1, 15), (2.5, 15), (3.0, 16)]
    for now, final in steps:
        lines.show(replace(SIGHT, standing=replace(ONE, final=final)), now)
    assert [line.split()[1] for line in said] == ["12", "15", "16"]
    ended = replace(ONE, final=48, state="done", is_closed=True)
    lines.show(replace(SIGHT, standing=ended), 3.1)
    lines.show(replace(SIGHT, standing=ended), 9.0)
    assert len(said) == 4 and said[-1].startswith("done: 48 of 48")


def test_time_alone_is_no_news_and_a_better_fit_is() -> None:
    later = replace(SIGHT, running=(replace(JOB, seconds=9.0),))
    better = replace(SIGHT, running=(replace(JOB, chisq=999.0),))
    assert later.key == SIGHT.key != better.key


# the picture


def test_the_picture_shows_all_of_it() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    many = tuple(replace(JOB, job=f"1.1.{number}") for number in range(17, 32))
    with Picture(is_aside=False, console=console) as picture:
        picture.show(replace(SIGHT, running=many, waits=("a reason",)))
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    for word in (f"{SID} film.xml of wwchen: running", "12 of 48 jobs", "█▂▁", "1.1.17", "3.40 s", "and 3 more"):
        assert word in shown
    assert "best so far chisq 1023.4" in shown and "a reason" in shown and "1 failed" in shown


# looks


def test_a_watcher_sees_a_session_from_the_inbox_to_its_end(world: World) -> None:
    (world.layout.inbox / naming.submitted_name(SID, "film.xml")).touch()
    assert Watcher(world.config, SID).look(0.0).standing.jobs is None
    (world.layout.inbox / naming.submitted_name(SID, "film.xml")).unlink()
    sid = world.admit()
    watcher = Watcher(world.config, sid)
    assert watcher.look(0.0).waits == ()
    assert any("no park-noded" in sentence for sentence in watcher.look(PATIENCE).waits)
    world.let(world.spoold(), world.node(), world.reducer(), turns=60)
    sight = watcher.look(10.0)
    assert (sight.standing.state, sight.standing.ok, sight.waits) == ("done", 6, ())
    assert sight.story.chisqs[-1] == sight.standing.best_chisq
    assert sight.how_far.startswith("6 of 6 jobs")


def test_without_the_archive_the_spool_tells_how_fast_it_goes(world: World) -> None:
    sid = world.admit()
    (world.root / "none.sqlite").unlink(missing_ok=True)
    watcher = Watcher(replace(world.config, archive=world.root / "none.sqlite"), sid)
    assert watcher.look(0.0).rate is None
    world.let(world.spoold(), world.node(), world.reducer(), turns=60)
    sight = watcher.look(3.0)
    assert sight.rate == 2.0 and sight.story == Story() and sight.how_far == "6 of 6 jobs, 2.0 jobs/s"


def test_what_runs_is_told_by_heartbeats_until_the_session_is_closed(world: World) -> None:
    sid = world.admit()
    progress = [{"sid": sid, "group": 1, "joblist": 1, "job": 2, "seconds": 8.0, "chisq": 12.5}]
    beat = {"node": "n4_1_aaaaaa", "identity": identity().to_json(), "cpus": 2, "progress": progress}
    (world.layout.nodes / naming.heartbeat_name("n4_1_aaaaaa", 1)).write_bytes(sealed.seal_json(beat))
    sight = Watcher(world.config, sid).look(0.0)
    assert sight.best_running is not None and (sight.best_running.job, sight.best_running.chisq) == ("1.1.2", 12.5)
    world.layout.session(sid).rename(world.layout.closed_session(sid))
    assert Watcher(world.config, sid).look(0.0).running == ()


# the command


def test_watching_what_is_over_ends_at_once_as_waiting_does(world: World) -> None:
    world.submit()
    world.let(world.spoold(), world.node(), world.reducer(), turns=60)
    [sid] = os.listdir(world.layout.closed)
    result = park("watch", sid, spool=world.root)
    assert result.exit_code == FINE and f"{sid} is done: 6 of 6 jobs ok" in result.stdout
    park("delete", "--yes", sid, spool=world.root)
    world.let(world.spoold(), world.reducer(), turns=60)
    gone = park("watch", sid, spool=world.root)
    assert gone.exit_code == FAILED and f"{sid} was deleted" in gone.stdout


def test_watching_ends_with_a_rejection(world: World) -> None:
    (world.layout.rejected / "film.xml.why").write_text(f"line 2: the reason\nIt would have been session {SID}.\n")
    assert watching.watch_all([SID], world.config, is_aside=True) == REJECTED


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Site(tmp_path, drain_seconds=0.5, tally_seconds=0.2) as running:
        yield running


CHISQ = """<session user='wwchen'><group><reduce classname='Chisq'/><task cmd='tester/chisq'/><joblist>
<scan><axis name='x' start='-4' stop='4' count='9'/></scan></joblist></group></session>"""
SLOW = "<session><group><task cmd='tester/slow'/><joblist><input seconds='600'/></joblist></group></session>"


def test_submit_and_watch_then_interrupt_one_that_goes_on(site: Site, tmp_path: Path) -> None:
    (tmp_path / "map.xml").write_text(CHISQ)
    result = park("submit", "--watch", tmp_path / "map.xml", spool=site.spool)
    assert result.exit_code == FINE and naming.is_sid(result.stdout.strip()), result.stderr
    assert "is done: 9 of 9 jobs ok" in result.stderr

    (tmp_path / "slow.xml").write_text(SLOW)
    sid = park("submit", tmp_path / "slow.xml", spool=site.spool).stdout.strip()
    log = tmp_path / "watch.log"
    with log.open("w") as file:
        process = subprocess.Popen(script("watch", sid, "--spool", site.spool), stdout=file, stderr=subprocess.STDOUT)
    until(lambda: f"{'of 1 jobs'}" in log.read_text(), 60, "the first line")
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == INTERRUPTED
    assert f"{sid} goes on" in log.read_text() and f"`park cancel {sid}` ends it" in log.read_text()
    assert park("cancel", "--wait", sid, spool=site.spool).exit_code == FINE
