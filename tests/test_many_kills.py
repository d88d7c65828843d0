"""Nodes killed by SIGKILL at random moments, and started again, while they work: every job is counted once."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from daemons import Site, until
from zoo_keeping import put_down, survivors

NODES = ("first", "second", "third")
QUICK = {
    "heartbeat_seconds": 0.5,
    "unit_lifetime": 3.0,
    "claim_expiry": 5.0,
    "audit_seconds": 1.0,
    "staleness_seconds": 0.2,
    "max_attempts": 90,
    "elsewhere_seconds": 0.5,
}
MANIFEST = """
[commands.doze]
mode = "function"
function = "doze:doze"
takes = "dict"
[commands.program]
mode = "executable"
run = ["program"]
"""
DOZE = """
import time

def doze(values):
    time.sleep(0.005)
    return {"chisq": 1.0}
"""
SESSION = """<session version='2.0.1' user='killer' email=''>
<group name='nothing'><task cmd='tester/noop'/><joblist name='j' cnt='{nothing}'><input/></joblist></group>
<group name='doze'><task cmd='drowsy/doze'/><joblist name='j' cnt='{doze}'><input/></joblist></group>
<group name='program'><task cmd='drowsy/program'/><joblist name='j' cnt='{program}'><input/></joblist></group></session>"""


@pytest.fixture
def mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Mark every process of this test, and keep the nodes' temporary folders where it sees them."""
    word = uuid.uuid4().hex
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setenv("PARK_ZOO", word)
    yield f"PARK_ZOO={word}"
    put_down(f"PARK_ZOO={word}")


def add_service(root: Path) -> None:
    folder = root / "services" / "drowsy"
    folder.mkdir(parents=True)
    (folder / "service.toml").write_text(MANIFEST)
    (folder / "doze.py").write_text(DOZE)
    (folder / "program").write_text("#!/bin/sh\nexec sleep 0.02\n")
    (folder / "program").chmod(0o755)


class Killer:
    """Kill one of the nodes now and then, and start another in its place."""

    def __init__(self, site: Site, choose: random.Random) -> None:
        self.site, self.choose = site, choose
        self.kills = 0
        self._next = time.monotonic() + 1.0
        for name in NODES:
            self._start(name)

    def _start(self, name: str) -> None:
        self.site.start("noded", "--cpus", "1", label=name)

    def look(self) -> None:
        if time.monotonic() < self._next:
            return
        victim = self.choose.choice(NODES)
        self.site.kill(victim)
        self._start(victim)
        self.kills += 1
        self._next = time.monotonic() + self.choose.uniform(0.05, 1.5)


def assert_counted_once(site: Site, counts: dict[str, int]) -> None:
    """Hold rows, sums and ranges of the newest session against what was sent."""
    [(sid,)] = site.query("SELECT max(sid) FROM sessions")
    sums = "SELECT name, jobs, ok, failed FROM joblists JOIN groups USING (sid, group_number) WHERE sid = ?"
    sums = sums.replace("name", "groups.name", 1)
    assert {row[0]: row[1:] for row in site.query(sums, sid)} == {name: (n, n, 0) for name, n in counts.items()}
    rows = site.query("SELECT count(*), count(DISTINCT group_number || '.' || job_number) FROM jobs WHERE sid = ?", sid)
    assert rows == [(sum(counts.values()),) * 2]
    assert site.query("SELECT DISTINCT status FROM jobs WHERE sid = ?", sid) == [("ok",)]
    ranges = "SELECT sum(stop - start) FROM final_ranges WHERE sid = ?"
    assert site.query(ranges, sid) == [(sum(counts.values()),)]


def assert_tidy(site: Site) -> None:
    """Nothing waits, nothing is in anybody's hands; folders of the dead go when the janitor has come round."""
    spool = site.spool
    until(lambda: not list((spool / "claimed").glob("*/*")), 30, "an empty claimed/")
    until(lambda: not list((spool / "replies").iterdir()), 30, "an empty replies/")
    assert list((spool / "ready").glob("*/*")) == []
    until(lambda: len(list((spool / "claimed").iterdir())) <= len(NODES), 60, "the folders of the dead")
    site.assert_legal()


@pytest.mark.parametrize(("rounds", "jobs"), [(1, 2000), pytest.param(10, 20_000, marks=pytest.mark.prove)])
def test_every_job_is_counted_once_whatever_is_killed(tmp_path: Path, mark: str, rounds: int, jobs: int) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    counts = {"nothing": jobs - jobs // 4 - 30, "doze": jobs // 4, "program": 30}
    add_service(tmp_path)
    with Site(tmp_path, "spoold", "reduced", **QUICK) as site:
        killer = Killer(site, random.Random(seed))
        for done in range(rounds):
            site.drop_text(f"round-{done}.xml", SESSION.format(**counts))
            until(lambda done=done: killer.look() or site.closed() == done + 1, 120, f"closing round {done}")
            assert_counted_once(site, counts)
        assert killer.kills >= rounds
        site.assert_running()
        assert_tidy(site)
    assert survivors(mark) == {}
    assert list((tmp_path / "tmp").iterdir()) == [], "a killed node's folder is left to nobody"
