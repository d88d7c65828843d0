"""`park up --on local` as a user types it: pilots of this machine come, work, and are gone after `park down`."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import slurm_lab
from click.testing import CliRunner
from daemons import until
from slurm_lab import SLEEPERS

from park_spool import processes
from park_spool.check import check_twice
from park_spool.cli.main import main
from park_spool.config import load, make_spool

SETTINGS = """
drain_seconds = 1
reject_seconds = 1
heartbeat_seconds = 1
[cluster.here]
engine = "local"
cpus_per_node = 2
idle = 5
patience = 1
poll = 1
"""


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "spool"
    make_spool(folder)
    (folder / "park.toml").write_text(SETTINGS)
    slurm_lab.add_sleeper(tmp_path)
    yield folder
    assert processes_of(folder) == []


def processes_of(spool: Path) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(spool) in line and int(path.parent.name) != os.getpid():
            found.append(line)
    return found


def park(spool: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", "from park_spool.cli.main import main; main()", *words, "--spool", str(spool)]
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def done(spool: Path) -> int:
    archive = load(spool).archive
    if not archive.exists():
        return 0
    connection = sqlite3.connect(f"file:{archive}?mode=ro", uri=True, timeout=10)
    try:
        return int(connection.execute("SELECT count(*) FROM jobs WHERE status = 'ok'").fetchone()[0])
    except sqlite3.OperationalError:
        return 0
    finally:
        connection.close()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_pilots_come_for_work_and_park_down_ends_everything(spool: Path) -> None:
    (spool / "inbox" / "sleepers.xml").write_text(SLEEPERS.format(count=20, seconds=0.2))
    up = park(spool, "up", "--no-web", "--on", "here", "--max", "2")
    try:
        until(lambda: names(spool / "pilots"), 60, "a pilot that is written down")
        until(lambda: done(spool) == 20, 60, "all jobs")
        down = park(spool, "down")
        said, _ = down.communicate(timeout=60)
        assert down.returncode == 0, said
        assert up.wait(30) == 0
    finally:
        if up.poll() is None:
            up.send_signal(signal.SIGTERM)
        said, _ = up.communicate(timeout=60)
    assert "--on here" in said
    assert names(spool / "pilots") == names(spool / "locks") == []
    assert all(name.endswith(".stop") for name in names(spool / "notices"))  # for nodes of this master that come late
    assert check_twice(spool) == []


def test_park_down_alone_cancels_pilots_whose_master_was_killed(spool: Path) -> None:
    (spool / "inbox" / "sleepers.xml").write_text(SLEEPERS.format(count=2, seconds=100))
    up = park(spool, "up", "--no-web", "--on", "here", "--max", "1")
    until(lambda: any((spool / "claimed").glob("*/*")), 60, "a claim")
    processes.kill_family(up.pid)
    up.communicate(timeout=20)
    assert len(names(spool / "pilots")) == 1
    down = park(spool, "down")
    said, _ = down.communicate(timeout=100)
    assert down.returncode == 0, said
    until(lambda: not processes_of(spool), 30, "the end of all processes")
    assert names(spool / "pilots") == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--on", "sge"), "--on sge: expected one of here, slurm, pbs"),
        (("--max", "3"), "--max: expected together with --on"),
        (("--on", "here", "--nodes", "2"), "nodes: expected 1 for local, got 2"),
        (("--on", "slurm", "--walltime", "soon"), "walltime: expected HH:MM or HH:MM:SS"),
        (("--on", "dask"), "--on dask: expected the scheduler's address"),
        (("--on", "here", "tcp://127.0.0.1:8786"), "expected a scheduler's address only with --on dask"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(spool: Path, words: tuple[str, ...], sentence: str) -> None:
    result = CliRunner().invoke(main, ["up", "--spool", str(spool), *words])
    assert result.exit_code == 1
    assert sentence in result.output
    assert "Traceback" not in result.output
