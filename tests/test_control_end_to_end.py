"""What users ask of running work, with real daemons and the `park` command: cancel, pause, priority, retry, drain."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from daemons import Site, until
from running_site import wait_until_gone
from zoo_keeping import put_down, survivors

QUICK = {"heartbeat_seconds": 0.5, "audit_seconds": 1.0, "staleness_seconds": 0.2, "control_seconds": 0.2}
MANIFEST = """
[commands.doze]
mode = "function"
function = "odd:doze"
takes = "dict"
[commands.wish]
mode = "function"
function = "odd:wish"
takes = "dict"
[commands.stay]
mode = "executable"
run = ["stay"]
[commands.until_go]
mode = "executable"
run = ["until_go"]
"""
FUNCTIONS = """
import os, time
from pathlib import Path

def doze(values):
    time.sleep(0.05)
    return {"chisq": 5.0 + float(values.get("n", 0))}

def wish(values):
    if "no" in values and not (Path(__file__).parent / "granted").exists():
        raise ValueError("not granted")
    return {}
"""
# Notes its pid and those of its children, one of which leaves the group, and stays.
STAY = """#!/bin/sh
trap '' TERM
sleep 1000 & group=$!
setsid sh -c 'echo $$ > "$PARK_SERVICE/escaped"; exec sleep 1000' &
while [ ! -s "$PARK_SERVICE/escaped" ]; do sleep 0.01; done
echo "$$ $group $(cat "$PARK_SERVICE/escaped")" > "$PARK_SERVICE/pids.new"
mv "$PARK_SERVICE/pids.new" "$PARK_SERVICE/pids.$$"
wait
"""
UNTIL_GO = """#!/bin/sh
touch "$PARK_SERVICE/begun.$$"
while [ ! -e "$PARK_SERVICE/go" ]; do sleep 0.02; done
"""


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Make the service, and see to it that no process of its jobs outlives the test."""
    folder = tmp_path / "services" / "odd"
    folder.mkdir(parents=True)
    for name, text in {"service.toml": MANIFEST, "odd.py": FUNCTIONS, "stay": STAY, "until_go": UNTIL_GO}.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    mark = uuid.uuid4().hex
    monkeypatch.setenv("PARK_ZOO", mark)
    yield folder
    found = survivors(f"PARK_ZOO={mark}")
    put_down(f"PARK_ZOO={mark}")
    assert found == {}


def session(**groups: str) -> str:
    """Write a session with one group for each command: its job list as XML."""
    text = "".join(f"<group name='{name}'><task cmd='odd/{name}'/>{jobs}</group>" for name, jobs in groups.items())
    return f"<session version='2.0.1' user='u' email='' priority='0'>{text}</session>"


def jobs(count: int, what: str = "<input/>") -> str:
    return f"<joblist name='j' cnt='{count}'>{what}</joblist>"


def park(site: Site, *words: str) -> str:
    command = [sys.executable, "-c", "from park_spool.cli.main import main; main()", *words, "--spool", str(site.spool)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


def sid(site: Site, file: str) -> str:
    until(lambda: file in site.states(), 30, f"{file} in the archive")
    [(found,)] = site.query("SELECT sid FROM sessions WHERE file = ?", file)
    return str(found)


def state(site: Site, file: str) -> str:
    return site.states().get(file, "")


def count(site: Site, file: str, status: str = "ok") -> int:
    [(found,)] = site.query(
        "SELECT count(*) FROM jobs JOIN sessions USING (sid) WHERE file = ? AND status = ?", file, status
    ) or [(0,)]
    return int(found)


def pids(service: Path) -> list[int]:
    return [int(word) for path in service.glob("pids.*[0-9]") for word in path.read_text().split()]


def assert_nothing_left(site: Site) -> None:
    for folder in ("ready", "claimed"):
        assert not list((site.spool / folder).glob("*/*"))
    until(lambda: not list((site.spool / "replies").iterdir()), 30, "an empty replies/")
    site.assert_running()
    site.assert_legal()


def test_cancel_kills_what_runs_and_keeps_what_is_done(tmp_path: Path, service: Path) -> None:
    with Site(tmp_path, **QUICK) as site:
        site.drop_text("film.xml", session(doze=jobs(4, "<input n='2'/>"), stay=jobs(50)))
        until(lambda: count(site, "film.xml") == 4 and pids(service), 60, "the first fits and a program that stays")
        park(site, "cancel", sid(site, "film.xml"))
        until(lambda: state(site, "film.xml") == "cancelled", 30, "the state cancelled")
        for pid in pids(service):
            wait_until_gone(pid)
        until(lambda: site.closed() == 1, 60, "closing")
        assert site.query("SELECT chisq FROM best") == [(7.0,)]
        assert count(site, "film.xml") == 4 and state(site, "film.xml") == "cancelled"
        assert site.query("SELECT count(*) FROM jobs WHERE status <> 'ok'") == [(0,)]
        assert len(list(service.glob("pids.*[0-9]"))) <= len(
            site.query("SELECT 1 FROM attempts WHERE status = 'cancelled'")
        )
        site.drop_text("next.xml", session(doze=jobs(3)))
        until(lambda: state(site, "next.xml") == "done", 60, "the next session")
        assert_nothing_left(site)


def test_delete_takes_a_running_session_away(tmp_path: Path, service: Path) -> None:
    with Site(tmp_path, **QUICK) as site:
        site.drop_text("film.xml", session(doze=jobs(4), stay=jobs(50)))
        until(lambda: count(site, "film.xml") == 4 and pids(service), 60, "the first fits and a program that stays")
        one = sid(site, "film.xml")
        park(site, "delete", "--yes", one)
        for pid in pids(service):
            wait_until_gone(pid)
        until(lambda: state(site, "film.xml") == "deleted", 60, "the state deleted")
        until(lambda: (site.spool / "sessions" / "closed" / f"{one}.deleted").exists(), 30, "the tombstone")
        until(
            lambda: (
                not any(
                    (site.spool / name / one).exists() for name in ("sessions", "sessions/closed", "reduced", "files")
                )
            ),
            60,
            "an empty place",
        )
        for table in ("jobs", "results", "attempts", "joblists", "groups", "final_ranges"):
            until(lambda table=table: site.query(f"SELECT count(*) FROM {table}") == [(0,)], 30, f"no {table}")
        assert_nothing_left(site)


def test_pause_and_resume(tmp_path: Path, service: Path) -> None:
    with Site(tmp_path, "spoold", "reduced", unit_seconds=0.1, **QUICK) as site:
        site.start("noded", "--cpus", "1")
        site.drop_text("long.xml", session(doze=jobs(70)))
        until(lambda: count(site, "long.xml") >= 5, 60, "the first results")
        one = sid(site, "long.xml")
        park(site, "pause", one)
        until(lambda: state(site, "long.xml") == "paused", 30, "the state paused")
        until(lambda: not list((site.spool / "ready").glob("*/2*")), 30, "nothing offered")
        until(
            lambda: not list((site.spool / "claimed").glob("*/2*")) and not list((site.spool / "replies").iterdir()),
            30,
            "what runs to end",
        )
        site.drop_text("other.xml", session(doze=jobs(8)))
        before = count(site, "long.xml")
        until(lambda: state(site, "other.xml") == "done", 60, "another session")
        assert count(site, "long.xml") == before < 70
        assert not list((site.spool / "ready").glob(f"*/{one}*"))
        park(site, "resume", one)
        until(lambda: site.closed() == 2, 60, "closing")
        assert (state(site, "long.xml"), count(site, "long.xml")) == ("done", 70)
        assert_nothing_left(site)


def test_retry_runs_again_what_failed_and_only_that(tmp_path: Path, service: Path) -> None:
    wishes = "<joblist name='j'>" + "<input/><input no='1'/>" * 4 + "</joblist>"
    with Site(tmp_path, max_attempts=2, elsewhere_seconds=0.5, **QUICK) as site:
        site.drop_text("wish.xml", session(wish=wishes))
        until(lambda: site.closed() == 1 and state(site, "wish.xml") == "failed", 60, "failing")
        assert (count(site, "wish.xml"), count(site, "wish.xml", "failed")) == (4, 4)
        assert "not granted" in park(site, "why", sid(site, "wish.xml"))
        (service / "granted").touch()
        assert "4 jobs" in park(site, "retry", sid(site, "wish.xml"), "--failed")
        until(lambda: site.closed() == 1 and state(site, "wish.xml") == "done", 60, "the second round")
        rows = site.query("SELECT job_number, status, round, attempt FROM jobs ORDER BY 1")
        assert rows == [(job, "ok", 1 - job % 2, 0) for job in range(1, 9)]
        assert site.query("SELECT jobs, ok, failed FROM joblists") == [(8, 8, 0)]
        assert_nothing_left(site)


def test_a_session_with_a_new_priority_goes_first(tmp_path: Path, service: Path) -> None:
    with Site(tmp_path, "spoold", "reduced", unit_seconds=0.1, **QUICK) as site:
        site.start("noded", "--cpus", "1")
        site.drop_text("long.xml", session(doze=jobs(80)))
        until(lambda: count(site, "long.xml") >= 3, 60, "the first results")
        site.drop_text("late.xml", session(doze=jobs(10)).replace("priority='0'", "priority='-50'"))
        park(site, "priority", sid(site, "late.xml"), "50")
        until(lambda: state(site, "late.xml") == "done", 60, "the late session")
        assert state(site, "long.xml") == "running"
        between = """SELECT count(*) FROM jobs JOIN sessions USING (sid) WHERE file = 'long.xml' AND started BETWEEN
            (SELECT min(finished) FROM jobs JOIN sessions USING (sid) WHERE file = 'late.xml') AND
            (SELECT max(started) FROM jobs JOIN sessions USING (sid) WHERE file = 'late.xml')"""
        assert site.query(between) == [(0,)]
        until(lambda: site.closed() == 2, 60, "closing")
        assert_nothing_left(site)


def test_a_node_told_by_sigterm_gives_back_and_another_finishes(tmp_path: Path, service: Path) -> None:
    with Site(tmp_path, "spoold", "reduced", drain_seconds=0.5, max_attempts=1, **QUICK) as site:
        site.start("noded", "--cpus", "2", label="first")
        site.drop_text("wait.xml", session(until_go=jobs(4)))
        until(lambda: len(list(service.glob("begun.*"))) == 2, 60, "two programs")
        first = site.processes.pop("first")
        first.terminate()
        assert first.wait(60) == 0
        assert not list((site.spool / "claimed").glob("*/2*")) and not list((site.spool / "nodes").iterdir())
        site.start("noded", "--cpus", "2", label="second")
        (service / "go").touch()
        until(lambda: site.closed() == 1, 60, "closing")
        rows = site.query("SELECT status, attempt, node FROM jobs")
        pid = site.processes["second"].pid
        assert len(rows) == 4 and all(
            (status, attempt) == ("ok", 0) and f"_{pid}_" in node for status, attempt, node in rows
        )
        assert_nothing_left(site)


def test_a_drained_node_finishes_what_it_runs_and_leaves(tmp_path: Path, service: Path) -> None:
    with Site(tmp_path, "spoold", "reduced", drain_seconds=0.1, max_attempts=1, **QUICK) as site:
        site.start("noded", "--cpus", "1", label="first")
        site.drop_text("wait.xml", session(until_go=jobs(3)))
        until(lambda: list(service.glob("begun.*")), 60, "a program")
        [name] = [path.name for path in (site.spool / "claimed").iterdir()]
        park(site, "drain", name)
        site.start("noded", "--cpus", "1", label="second")
        until(lambda: len(list(service.glob("begun.*"))) == 2, 60, "a program on the other node")
        (service / "go").touch()
        first = site.processes.pop("first")
        assert first.wait(60) == 0
        until(lambda: site.closed() == 1, 60, "closing")
        rows = site.query("SELECT node = ?, count(*), max(attempt) FROM jobs WHERE status = 'ok' GROUP BY 1", name)
        assert rows == [(0, 2, 0), (1, 1, 0)]
        until(lambda: not any(site.spool.glob(f"no*/{name}.*")), 30, "its notices to go")
        assert_nothing_left(site)
