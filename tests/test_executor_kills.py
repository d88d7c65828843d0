"""SIGKILL with real daemons: of the node, of spoold, of both, and of the program that makes the calls."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import executors
import pytest
from asking import until_ready
from daemons import Site, until

from park_spool.client.executor import SpoolExecutor

SETTINGS = {"audit_seconds": 4.0, "lease_expiry": 6.0, "lease_renew": 1.0}


@pytest.mark.parametrize(
    "victims", [("noded",), ("noded", "spoold"), pytest.param(("spoold",), marks=pytest.mark.prove)], ids=" ".join
)
def test_no_call_is_lost_whoever_is_killed_in_the_middle(tmp_path: Path, victims: tuple[str, ...]) -> None:
    gate = tmp_path / "gate"
    with Site(tmp_path / "site", **SETTINGS) as site:
        until_ready(site)
        with SpoolExecutor(site.config) as pool:
            quick = list(pool.map(executors.add, range(500)))
            held = [pool.submit(executors.wait_for, gate) for _ in range(2)]
            more = [pool.submit(executors.nap, 0.002 * (x % 5)) for x in range(300)]
            until(lambda: executors.begun(gate) >= 1, 30, "a call that runs")
            for name in victims:
                site.kill(name)
            gate.touch()
            for name in victims:
                site.start(name)
            assert [future.result(120) for future in held] == ["gate", "gate"]
            assert [future.result(120) for future in more] == [0.002 * (x % 5) for x in range(300)]
            assert quick == list(range(1, 501))
        until(lambda: not any((site.spool / "sessions").glob("2*")), 60, "the end of the session")
        site.assert_running()
        site.assert_legal()
        assert not any((site.spool / "calls").iterdir()) and not any((site.spool / "quarantine").iterdir())


def test_a_node_that_leaves_gives_its_calls_back(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with Site(tmp_path / "site", drain_seconds=0.3, **SETTINGS) as site:
        until_ready(site)
        with SpoolExecutor(site.config) as pool:
            list(pool.map(executors.add, range(200)))
            held = [pool.submit(executors.wait_for, gate) for _ in range(2)]
            more = [pool.submit(executors.add, x) for x in range(100)]
            until(lambda: executors.begun(gate) >= 1, 30, "a call that runs")
            site.processes["noded"].terminate()
            assert site.processes["noded"].wait(30) == 0
            gate.touch()
            site.start("noded")
            assert [future.result(60) for future in held] == ["gate", "gate"]
            assert [future.result(60) for future in more] == list(range(1, 101))
        until(lambda: not any((site.spool / "sessions").glob("2*")), 60, "the end of the session")
        site.assert_legal()


PROGRAM = """
    import sys, time
    from pathlib import Path
    sys.path.insert(0, {tests!r})
    import executors
    from park_spool.client.executor import SpoolExecutor
    from park_spool.config import load
    pool = SpoolExecutor(load(Path(sys.argv[1])))
    list(pool.map(executors.add, range(100)))
    futures = [pool.submit(executors.wait_for, Path(sys.argv[2])) for _ in range(40)]
    print(pool.sid, flush=True)
    time.sleep(600)
"""


def test_nothing_is_left_of_a_program_that_was_killed(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    text = textwrap.dedent(PROGRAM.format(tests=str(Path(__file__).parent)))
    with Site(tmp_path / "site", **SETTINGS) as site:
        until_ready(site)
        command = [sys.executable, "-c", text, str(site.spool), str(gate)]
        with running(command) as program:
            assert program.stdout is not None
            sid = program.stdout.readline().strip()
            until(lambda: executors.begun(gate) >= 1, 30, "a call that runs")
            assert any((site.spool / "ready").glob(f"*/{sid}.*")) and (site.spool / "calls" / sid).exists()
            program.send_signal(signal.SIGKILL)
        until(lambda: not [path for path in names(site, sid) if path.suffix != ".deleted"], 60, "the end of all of it")
        until(lambda: not is_busy(site), 30, "the end of what ran for it")
        with SpoolExecutor(site.config) as pool:
            assert pool.submit(executors.add, 1).result(60) == 2, "the node works on"
        site.assert_running()
        site.assert_legal()
        assert site.query("SELECT count(*) FROM sessions") == [(0,)]


@contextmanager
def running(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    """Start a program, which does not outlive the block whatever happens in it."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        try:
            yield program
        except BaseException:
            program.kill()
            raise


def names(site: Site, sid: str) -> list[Path]:
    return list(site.spool.rglob(f"*{sid}*"))


def is_busy(site: Site) -> bool:
    """Whether the node may still run something, by its last sign of life."""
    try:
        beats = [path.read_text() for path in sorted((site.spool / "nodes").glob("*.json"))]
    except FileNotFoundError:
        return True  # it was replaced just now
    return not beats or '"busy": 0' not in beats[-1]


def test_a_program_that_is_stopped_for_a_while_goes_on(tmp_path: Path) -> None:
    """A process that is known to live is never given up, however long it is silent."""
    collect = "print([future.result() for future in futures] == ['gate'] * 40); pool.shutdown()"
    text = textwrap.dedent(PROGRAM.format(tests=str(Path(__file__).parent))).replace("time.sleep(600)", collect)
    settings = {**SETTINGS, "heartbeat_seconds": 0.5, "unit_lifetime": 1.5, "claim_expiry": 2.5}
    with Site(tmp_path / "site", **settings) as site:
        until_ready(site)
        gate = tmp_path / "gate"
        command = [sys.executable, "-c", text, str(site.spool), str(gate)]
        with running(command) as program:
            assert program.stdout is not None
            sid = program.stdout.readline().strip()
            until(lambda: executors.begun(gate) >= 1, 30, "a call that runs")
            program.send_signal(signal.SIGSTOP)
            before = newest_sign(site, sid)
            gate.touch()
            until(lambda: len(list((site.spool / "replies").iterdir())) >= 3, 60, "answers that nobody collects")
            until(lambda: is_older_than(site, before, 4.0), 30, "a silence longer than claim_expiry")
            program.send_signal(signal.SIGCONT)
            assert program.stdout.read() == "True\n"
        until(lambda: not any((site.spool / "sessions").glob("2*")), 60, "the end of the session")
        site.assert_legal()


def newest_sign(site: Site, sid: str) -> Path:
    return max((site.spool / "calls" / sid).glob("alive.*"))


def is_older_than(site: Site, sign: Path, seconds: float) -> bool:
    """Whether some node gave a sign of life so many seconds later, with the asker's still its last."""
    try:
        beats = [path.stat().st_mtime for path in (site.spool / "nodes").glob("*.json")]
    except FileNotFoundError:
        return False  # it was replaced just now
    return sign.exists() and max(beats, default=0.0) - sign.stat().st_mtime > seconds
