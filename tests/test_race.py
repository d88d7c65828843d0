"""The race test: real processes on a real directory.

Each unit is claimed and run once, and none is lost when claimers are killed.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from park_spool import naming
from park_spool.check import check
from park_spool.config import load, make_spool
from park_spool.member import join
from park_spool.naming import Unit
from park_spool.reducing.role import Reduction
from park_spool.tending.role import Tending

CLAIMER = Path(__file__).with_name("claimer.py")
UNITS = 2000
SESSION = """<session version='2.0.1' user='racer' email='' priority='0'><group name='g'><task cmd='tester/noop'/>
<joblist name='j' cnt='{count}'><input/></joblist></group></session>"""


class Race:
    """A spool with one admitted session of single-job units, and claimers waiting behind a line."""

    def __init__(self, root: Path, units: int, **settings: float) -> None:
        self.root = root
        self.spool = root / "spool"
        make_spool(self.spool)
        self.spool.joinpath("park.toml").write_text("".join(f"{key} = {value}\n" for key, value in settings.items()))
        self.settings = load(self.spool)
        self.spoold = Tending(join(self.settings))
        self.spool.joinpath("inbox", "race.xml").write_text(SESSION.format(count=units))
        until(lambda: self.spoold.step() or self.sids(), 30)
        self.units = units

    def sids(self) -> list[str]:
        return [path.name for path in self.settings.layout.sessions.glob("2*")]

    def offer_all(self) -> None:
        """Make all units by hand, and leave the spool to a spoold that offered none of them itself."""
        [sid] = self.sids()
        self.spoold.resign()
        self.spoold = Tending(join(self.settings))
        for unit in self.settings.layout.ready.glob("*/*"):
            unit.unlink()
        rank = self.settings.layout.ready / naming.rank(0, 0)
        for job in range(1, self.units + 1):
            rank.mkdir(exist_ok=True)
            (rank / Unit(sid, 1, 1, job, job + 1).name).touch()

    @contextmanager
    def claimers(
        self, count: int, wrap: list[str] | None = None, patience: float = 1.0
    ) -> Iterator[list[subprocess.Popen[bytes]]]:
        processes = [self.start(index, wrap, patience) for index in range(count)]
        try:
            for process in processes:
                assert process.stdout is not None and process.stdout.readline() == b"ready\n"
            for process in processes:
                self.go(process)
            yield processes
        finally:
            for process in processes:
                process.kill()
                process.communicate()

    def start(self, index: int, wrap: list[str] | None, patience: float) -> subprocess.Popen[bytes]:
        command = [
            *(wrap or []),
            sys.executable,
            str(CLAIMER),
            str(self.spool),
            str(self.root / f"notes-{index}"),
            str(patience),
        ]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    @staticmethod
    def go(process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()

    def ran(self) -> Counter[str]:
        return Counter(line for path in self.root.glob("notes-*") for line in path.read_text().splitlines())

    def replies(self) -> int:
        return len(list(self.settings.layout.replies.iterdir()))

    def archived(self) -> Counter[str]:
        """Reduce everything with a real reducer; status → how many jobs."""
        reducer = Reduction(join(self.settings))
        until(lambda: not reducer.step() and self.replies() == 0, 120)
        reducer.leave()
        import sqlite3

        with sqlite3.connect(self.settings.archive) as connection:
            rows = connection.execute(
                "SELECT status, count(*), count(DISTINCT job_number) FROM jobs GROUP BY 1"
            ).fetchall()
        connection.close()
        assert all(count == distinct for _, count, distinct in rows)
        return Counter({status: count for status, count, _ in rows})


def until(is_so: object, seconds: float) -> None:
    """Poll a condition until it holds; fail after so many seconds."""
    end = time.monotonic() + seconds
    while not is_so():  # type: ignore[operator]
        assert time.monotonic() < end, "the condition did not come true in time"
        time.sleep(0.001)


def test_every_unit_is_run_once(tmp_path: Path) -> None:
    race = Race(tmp_path, UNITS)
    race.offer_all()
    with race.claimers(8) as processes:
        for process in processes:
            _, errors = process.communicate(timeout=120)
            assert process.returncode == 0, errors
    ran = race.ran()
    assert len(ran) == UNITS
    assert set(ran.values()) == {1}
    assert sum(1 for path in tmp_path.glob("notes-*") if path.stat().st_size) >= 4, "the claimers did not race"
    assert race.archived() == {"ok": UNITS}
    assert check(race.spool) == []


def test_no_unit_is_lost_when_claimers_are_killed(tmp_path: Path) -> None:
    race = Race(tmp_path, UNITS, max_attempts=50)
    race.offer_all()
    choose = random.Random(7)
    with race.claimers(8, patience=60.0) as processes:
        kills = 0
        while race.replies() < UNITS:
            race.spoold.step()
            if kills < 30:
                victim = choose.randrange(len(processes))
                processes[victim].kill()
                processes[victim].communicate()
                processes[victim] = race.start(100 + kills, None, 60.0)
                race.go(processes[victim])
                kills += 1
        assert kills == 30
    assert len({name.rsplit(".", 2)[0] for name in race.ran()}) == UNITS
    assert race.archived() == {"ok": UNITS}
    until(lambda: race.spoold.step() or not race.sids(), 30)
    assert not any(race.settings.layout.claimed.glob("*/2*"))
    assert check(race.spool) == []


LIAR = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <string.h>
static int calls;
int rename(const char *from, const char *to) {
    int (*real)(const char *, const char *) = dlsym(RTLD_NEXT, "rename");
    int result = real(from, to);
    if (result == 0 && strstr(to, "/claimed/") && ++calls % 3 == 0) { errno = EIO; return -1; }
    return result;
}
"""


def test_a_claim_whose_rename_reports_eio_after_it_happened(tmp_path: Path, needs: Callable[[str], str]) -> None:
    """The C library's rename moves the file and then reports EIO, for every third claim: each is still run, once."""
    needs("gcc")
    source, library = tmp_path / "liar.c", tmp_path / "liar.so"
    source.write_text(LIAR)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"], check=True)
    race = Race(tmp_path, 60)
    race.offer_all()
    with race.claimers(2, wrap=["env", f"LD_PRELOAD={library}"]) as processes:
        for process in processes:
            _, errors = process.communicate(timeout=60)
            assert process.returncode == 0, errors
    ran = race.ran()
    assert len(ran) == 60
    assert set(ran.values()) == {1}
    assert race.archived() == {"ok": 60}
    assert check(race.spool) == []


@pytest.mark.parametrize(
    "fault", ["rename:error=EIO:when=3+4", "rename:error=ESTALE:when=2+3", "mkdir,rename:error=EINTR:when=5+5"]
)
def test_claims_whose_system_calls_fail(tmp_path: Path, needs: Callable[[str], str], fault: str) -> None:
    """strace makes renames fail without happening: claims and replies are tried again, each unit is run once."""
    needs("strace")
    race = Race(tmp_path, 60)
    race.offer_all()
    calls = fault.split(":")[0]
    wrap = ["strace", "-f", "-o", str(tmp_path / "strace.log"), "-e", f"trace={calls}", "-e", f"inject={fault}"]
    with race.claimers(1, wrap=wrap) as processes:
        _, errors = processes[0].communicate(timeout=60)
        assert processes[0].returncode == 0, errors
    assert "INJECTED" in (tmp_path / "strace.log").read_text()
    assert set(race.ran().values()) == {1}
    assert race.archived() == {"ok": 60}
    assert check(race.spool) == []
