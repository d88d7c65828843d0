"""A node stopped by SIGSTOP for longer than its claims last: others do its work, and it comes back under a new name.

Its process lives all the time, and this host knows it: only its silence tells.
"""

from __future__ import annotations

import random
import signal
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from daemons import Site, until
from test_many_kills import add_service, assert_counted_once
from zoo_keeping import put_down, survivors

from park_spool import naming

SHORT = {
    "heartbeat_seconds": 0.3,
    "unit_lifetime": 1.5,
    "claim_expiry": 3.0,
    "audit_seconds": 0.5,
    "staleness_seconds": 0.2,
    "max_attempts": 90,
    "elsewhere_seconds": 0.5,
}
SESSION = """<session version='2.0.1' user='sleeper' email=''>
<group name='doze'><task cmd='drowsy/doze'/><joblist name='j' cnt='{doze}'><input/></joblist></group>
<group name='program'><task cmd='drowsy/program'/><joblist name='j' cnt='{program}'><input/></joblist></group></session>"""


@pytest.fixture
def mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    word = uuid.uuid4().hex
    monkeypatch.setenv("PARK_ZOO", word)
    add_service(tmp_path)
    yield f"PARK_ZOO={word}"
    put_down(f"PARK_ZOO={word}")


def names_of(site: Site, label: str) -> set[str]:
    """Return the names under which a process has a claim folder, `.expired` ones left out."""
    return {
        path.name
        for path in (site.spool / "claimed").iterdir()
        if path.name.split("_")[1:2] == [str(site.processes[label].pid)] and naming.is_node(path.name)
    }


def hold(site: Site, label: str) -> list[Path]:
    return [path for name in names_of(site, label) for path in (site.spool / "claimed" / name).glob("2*")]


def test_a_stopped_node_is_fenced_and_comes_back_under_a_new_name(tmp_path: Path, mark: str) -> None:
    slow = (tmp_path / "services" / "drowsy" / "doze.py").read_text().replace("0.005", "0.3")
    (tmp_path / "services" / "drowsy" / "doze.py").write_text(slow)
    counts = {"doze": 6, "program": 4}
    with Site(tmp_path, "spoold", "reduced", **SHORT) as site:
        site.start("noded", "--cpus", "2", label="sleeper")
        site.drop_text("long.xml", SESSION.format(**counts))
        until(lambda: len(hold(site, "sleeper")) == 2, 30, "claims of the first node")
        [old] = names_of(site, "sleeper")
        site.processes["sleeper"].send_signal(signal.SIGSTOP)
        try:
            site.start("noded", "--cpus", "2", label="other")
            until(lambda: site.closed() == 1, 60, "closing while a node stands still")
            assert_counted_once(site, counts)
            assert names_of(site, "sleeper") == set(), "its folder was left to it"
        finally:
            site.processes["sleeper"].send_signal(signal.SIGCONT)
        until(lambda: names_of(site, "sleeper") - {old}, 30, "a new name")
        until(lambda: not list((site.spool / "replies").iterdir()), 30, "its late replies")
        assert_counted_once(site, counts)
        assert f"node {old} was fenced" in site.logs()
        other = site.processes.pop("other")
        other.terminate()
        assert other.wait(30) == 0
        site.drop_text("more.xml", SESSION.format(**counts))
        until(lambda: site.closed() == 2, 60, "work for the new name")
        until(lambda: not any((site.spool / "nodes").glob(f"{old}.*")), 30, "the end of its old heartbeats")
        assert_counted_once(site, counts)
        site.assert_running()
        site.assert_legal()
    assert survivors(mark) == {}


@pytest.mark.parametrize("rounds", [pytest.param(6, marks=pytest.mark.prove)])
def test_nodes_stopped_at_random_moments(tmp_path: Path, mark: str, rounds: int) -> None:
    """One of three stands still, now beyond its claims' expiry, now not; each session is counted once all the same."""
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    choose = random.Random(seed)
    labels = ("first", "second", "third")
    counts = {"doze": 1200, "program": 60}
    with Site(tmp_path, "spoold", "reduced", **SHORT) as site:
        for label in labels:
            site.start("noded", "--cpus", "1", label=label)
        until(lambda: all(names_of(site, label) for label in labels), 30, "three nodes")
        for done in range(rounds):
            site.drop_text(f"round-{done}.xml", SESSION.format(**counts))
            victim = choose.choice(labels)
            until(lambda victim=victim: hold(site, victim), 60, "a claim of the one to be stopped")
            stand_still(site, victim, choose.uniform(0, 0.3), choose.choice((1.0, 2.0, 4.0, 6.0)))
            until(lambda done=done: site.closed() == done + 1, 120, f"closing round {done}")
            until(lambda: not list((site.spool / "replies").iterdir()), 60, "late replies")
            assert_counted_once(site, counts)
        until(lambda: all(len(names_of(site, label)) == 1 for label in labels), 30, "one name each")
        site.assert_running()
        site.assert_legal()
    assert survivors(mark) == {}


def stand_still(site: Site, label: str, after: float, seconds: float) -> None:
    """Stop a process after a while, and let it go on after another."""
    time.sleep(after)
    site.processes[label].send_signal(signal.SIGSTOP)
    try:
        time.sleep(seconds)
    finally:
        site.processes[label].send_signal(signal.SIGCONT)
