"""Real daemons, two of each role: the active one is killed again and again during sessions, and the other takes over.

On one host the dead one's process is seen to be gone; "another host" is another host name (a UTS namespace) and
another home, with an archive of its own there: then only the silence of its lock tells.
"""

from __future__ import annotations

import os
import random
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from daemons import MODULES, Site, until

from park_spool import leadership, naming
from park_spool.archive import checking
from park_spool.naming import Lock

QUICK = {
    "lease_renew": 0.3,
    "lease_expiry": 1.5,
    "audit_seconds": 1.0,
    "staleness_seconds": 0.2,
    "look_seconds": 0.3,
    "archive": '"~/archive/park.sqlite"',
}
MANIFEST = """
[commands.doze]
mode = "function"
function = "doze:doze"
takes = "dict"
"""
DOZE = """
import time

def doze(values):
    time.sleep(0.02)
    return {"chisq": 1.0 + float(values["n"])}
"""
JOBS = 150  # of each of two groups
SESSION = f"""<session version='2.0.1' user='killer' email=''>
<group name='nothing'><reduce classname='Chisq'/><task cmd='tester/noop'/><joblist name='j' cnt='{JOBS}'><input/></joblist></group>
<group name='doze'><reduce classname='Stats'/><task cmd='drowsy/doze'/><joblist name='j'>
<scan><axis name='n' start='1' stop='{JOBS}' count='{JOBS}'/></scan></joblist></group></session>"""
ROLES = ("spoold", "reduced")


class Pair:
    """A spool whose spoold and reducer stand twice, each on a host of its own or both on this one."""

    def __init__(self, root: Path, is_elsewhere: bool, **settings: object) -> None:
        self.root, self.is_elsewhere = root, is_elsewhere
        folder = root / "services" / "drowsy"
        folder.mkdir(parents=True)
        (folder / "service.toml").write_text(MANIFEST)
        (folder / "doze.py").write_text(DOZE)
        self.site = Site(root, "noded", **{**QUICK, **settings})
        self.homes: dict[str, Path] = {}
        self.waits: dict[str, list[float]] = {role: [] for role in ROLES}
        self.sent = 0

    def start(self, role: str, number: int) -> None:
        label = f"{role}-{number}"
        host = f"{socket.gethostname().partition('.')[0]}-{number}"
        home = self.homes[label] = self.root / f"home-{number if self.is_elsewhere else 0}"
        wrap = ("unshare", "--uts", "sh", "-c", f'hostname {host} && exec "$@"', "sh") if self.is_elsewhere else ()
        command = [*wrap, sys.executable, "-m", MODULES[role], "--spool", str(self.site.spool)]
        environment = {**os.environ, "HOME": str(home)}
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, env=environment)
        self.site.processes[label] = process

    def start_all(self) -> None:
        for role in ROLES:
            for number in (1, 2):
                self.start(role, number)
            until(lambda role=role: self.active(role), 60, f"an active {role}")

    def lock(self, role: str) -> Lock | None:
        names = (path.name for path in (self.site.spool / "locks").iterdir())
        return leadership.best(lock for name in names if (lock := naming.parse_lock(name)) and lock.role == role)

    def active(self, role: str) -> str | None:
        """Return the label of the process that has the role; None while nobody alive has it."""
        lock = self.lock(role)
        pid = int(lock.candidate.split("_")[-2]) if lock else 0
        return next(
            (label for label, one in self.site.processes.items() if one.pid == pid and label[:4] == role[:4]), None
        )

    def kill_active(self, role: str) -> None:
        """Kill the active one, note how long nobody has the role, and start it again to stand by."""
        label = self.active(role)
        assert label is not None
        self.site.kill(label)
        killed = time.monotonic()
        until(lambda: self.active(role) not in (None, label), 120, f"the other {role}")
        self.waits[role].append(time.monotonic() - killed)
        self.start(role, int(label[-1]))

    def send(self) -> None:
        self.site.drop_text(f"session-{self.sent}.xml", SESSION)
        self.sent += 1

    def is_through(self) -> bool:
        return self.site.closed() == self.sent and not any((self.site.spool / "inbox").iterdir())

    def rows(self, label: str, sql: str) -> list[tuple[object, ...]]:
        archive = self.homes[label] / "archive" / "park.sqlite"
        if not archive.exists():
            return []
        with closing(sqlite3.connect(f"file:{archive}?mode=ro", uri=True, timeout=10)) as connection:
            try:
                return connection.execute(sql).fetchall()
            except sqlite3.OperationalError:  # the tables are being made
                return []

    def assert_right(self, label: str) -> None:
        """Hold the archive of a reducer against what was sent: every job once, sums, reducers, states."""
        expected = [("done", self.sent)]
        states = "SELECT state, count(*) FROM sessions GROUP BY state"
        until(lambda: self.rows(label, states) == expected, 60, f"all {self.sent} sessions in the archive of {label}")
        sums = self.rows(label, "SELECT jobs, ok, failed FROM joblists")
        assert sums == [(JOBS, JOBS, 0)] * 2 * self.sent
        each = "SELECT count(*), count(DISTINCT sid || '.' || group_number || '.' || job_number) FROM jobs"
        assert self.rows(label, each) == [(2 * JOBS * self.sent,) * 2]
        ranges = self.rows(label, "SELECT sum(stop - start) FROM final_ranges")
        assert ranges == [(2 * JOBS * self.sent,)]
        best = self.rows(label, "SELECT DISTINCT chisq, job_number FROM best WHERE group_number = 2")
        assert best == [(2.0, 1)]
        texts = self.rows(label, 'SELECT count(*) FROM texts WHERE text LIKE \'%"count": ' + str(JOBS) + "%'")
        assert texts[0][0] >= self.sent, "what the reducer keeps counts each job once"
        assert checking.check(self.homes[label] / "archive" / "park.sqlite") == []


@pytest.fixture(params=["one host", "two hosts"])
def pair(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Pair]:
    is_elsewhere = request.param == "two hosts"
    if is_elsewhere and not may_unshare():
        if os.environ.get("CI") == "true":
            pytest.fail("no namespace for another host name: CI runs as root, and needs util-linux")
        pytest.skip("another host name needs root, and unshare of util-linux")
    made = Pair(tmp_path, is_elsewhere)
    with made.site:
        yield made


def may_unshare() -> bool:
    return (
        bool(shutil.which("unshare"))
        and subprocess.run(["unshare", "--uts", "true"], capture_output=True).returncode == 0
    )


@pytest.mark.parametrize("kills", [2, pytest.param(10, marks=pytest.mark.prove)])
def test_the_other_takes_over_and_every_job_is_counted_once(pair: Pair, kills: int) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    choose = random.Random(seed)
    pair.start_all()
    for _ in range(kills):
        for role in choose.sample(ROLES, 2):
            if pair.is_through():
                pair.send()
            until(
                lambda: not pair.is_through() and list((pair.site.spool / "sessions").glob("2*")), 60, "an open session"
            )
            pair.kill_active(role)
            choose.random() < 0.5 and time.sleep(
                choose.uniform(0.0, 0.5)
            )  # in the middle of the successor's catching up
    until(pair.is_through, 120, "closing everything")
    last = pair.active("reduced")
    assert last is not None
    pair.assert_right(last)
    if pair.is_elsewhere:  # the other's archive is made whole from the spool
        pair.site.processes[last].terminate()
        assert pair.site.processes.pop(last).wait(30) == 0
        until(lambda: pair.active("reduced") not in (None, last), 60, "the other reducer")
        pair.assert_right(str(pair.active("reduced")))
    until(lambda: not any((pair.site.spool / "replies").iterdir()), 30, "an empty replies/")
    pair.site.assert_running()
    pair.site.assert_legal()
    for role, waits in pair.waits.items():
        assert len(waits) == kills
        print(f"{role}: {statistics.median(waits):.2f} s, at most {max(waits):.2f} s without an active one")
