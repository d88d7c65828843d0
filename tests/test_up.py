"""`park up`, `park down`, `park restart` on real daemons, with a real sshd on loopback and two aliases of this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from daemons import until
from remotes import HOST, Sshd

from park_spool import processes, sealed
from park_spool.check import check_twice
from park_spool.config import load, make_spool
from park_spool.errors import TornError

QUICK = "drain_seconds = 1\nlease_renew = 0.5\nlease_expiry = 3\nreject_seconds = 1\nheartbeat_seconds = 1\n"
EXPIRY = "unit_lifetime = 4\nclaim_expiry = 8\naudit_seconds = 2\n"


@dataclass
class Cluster:
    """A spool, its hosts file, and what was started on it by hand; `home` is where known hosts are looked up."""

    root: Path
    home: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def spool(self) -> Path:
        return self.root / "spool"

    def park(self, *words: str) -> subprocess.Popen[str]:
        start = "from park_spool.cli.main import main; main()"
        command = [sys.executable, "-c", start, words[0], "--spool", str(self.spool), *words[1:]]
        environment = {**os.environ, "HOME": str(self.home)}
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=environment, cwd=self.root,
        )  # fmt: skip
        self.started.append(process)
        return process

    def say(self, *words: str, seconds: float = 240.0) -> tuple[int, str]:
        process = self.park(*words)
        out, _ = process.communicate(timeout=seconds)
        return process.returncode, out

    def up(self, *words: str) -> subprocess.Popen[str]:
        process = self.park("up", "--no-web", *words)
        until(lambda: self.master_lock() or process.poll() is not None, 90, "a master")
        return process

    def master_lock(self) -> list[str]:
        return [path.name for path in (self.spool / "locks").glob("master.*")]

    def nodes(self) -> dict[str, dict[str, Any]]:
        """Alias → heartbeat of its node, of those whose process lives."""
        found = {}
        for path in sorted((self.spool / "nodes").glob("*.json")):
            try:
                report = sealed.unseal_json(path.read_bytes())
            except (FileNotFoundError, TornError):
                continue
            if processes.is_alive(processes.Identity.from_json(report["identity"])):
                found[str(report["alias"])] = report
        return found

    def pids(self) -> dict[str, int]:
        return {alias: int(report["identity"]["pid"]) for alias, report in self.nodes().items()}

    def await_nodes(self, *aliases: str) -> None:
        until(lambda: set(self.nodes()) == set(aliases), 150, f"nodes {aliases}")

    def ours(self) -> list[str]:
        """Processes that work on this spool, by their command lines."""
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if str(self.spool) in line and int(path.parent.name) != os.getpid():
                found.append(f"{path.parent.name} {line}")
        return found

    def logs(self) -> str:
        return "\n".join(f"== {path.name}\n{path.read_text()[-3000:]}" for path in (self.spool / "logs").iterdir())


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    with Sshd(tmp_path, has_shell=True) as server:
        yield server


@pytest.fixture
def cluster(tmp_path: Path, sshd: Sshd) -> Iterator[Cluster]:
    """Two aliases of this machine, both reached by SSH."""
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh" / "known_hosts").write_text(sshd.known_hosts.read_text())
    made = Cluster(tmp_path, home)
    make_spool(made.spool)
    (made.spool / "park.toml").write_text(QUICK + EXPIRY)
    rest = f"user={sshd.user} key={sshd.key} ssh_port={sshd.port} python={sys.executable}"
    lines = [f"{HOST} {alias}.example {alias}::1 {rest}\n" for alias in ("n1", "n2")]
    (tmp_path / "hosts").write_text("".join(lines))
    yield made
    made.say("down")
    for process in made.started:
        if process.poll() is None:
            process.terminate()
        with suppress(ValueError):  # it was read to its end
            process.communicate(timeout=30)
    until(lambda: not made.ours(), 30, "the end of all processes")


def end(process: subprocess.Popen[str], seconds: float = 120.0) -> tuple[int, str]:
    out, _ = process.communicate(timeout=seconds)
    return process.returncode, out


def test_up_from_nothing_a_killed_node_comes_back_and_ctrl_c_stops_all(cluster: Cluster) -> None:
    master = cluster.up()
    cluster.await_nodes("n1", "n2")
    assert {report["started_by"]["how"] for report in cluster.nodes().values()} == {"up"}
    before = cluster.pids()
    os.kill(before["n1"], signal.SIGKILL)
    until(lambda: cluster.pids().get("n1", before["n1"]) != before["n1"], 30, "the next n1")
    code, out = cluster.say("up", "--no-web")
    assert (code, "`park up` runs already" in out) == (0, True), out
    assert cluster.pids()["n2"] == before["n2"]
    master.send_signal(signal.SIGINT)
    code, out = end(master)
    assert code == 0, out
    assert "n1: " in out
    until(lambda: not cluster.ours(), 20, "the end of everything")
    assert list((cluster.spool / "locks").iterdir()) == []
    assert check_twice(cluster.spool) == []


def test_down_stops_what_a_killed_master_left_and_what_was_started_by_hand(cluster: Cluster) -> None:
    master = cluster.up()
    cluster.await_nodes("n1", "n2")
    master.kill()
    master.wait()
    by_hand = subprocess.Popen(
        [sys.executable, "-m", "park_spool.noded", "--spool", str(cluster.spool), "--cpus", "1", "--name", "mine"]
    )
    cluster.await_nodes("n1", "n2", "mine")
    code, out = cluster.say("down")
    assert code == 0, out
    assert "3 nodes have left" in out
    assert by_hand.wait(20) == 0
    until(lambda: not cluster.ours(), 30, "the end of everything")
    assert cluster.master_lock() == []


@pytest.mark.prove
def test_a_killed_master_leaves_no_node_for_ever(cluster: Cluster) -> None:
    master = cluster.up("--linger", "3")
    cluster.await_nodes("n1", "n2")
    master.kill()
    master.wait()
    until(lambda: not cluster.ours(), 60, "the end of everything")
    assert "it had no work and saw no master for 3 s" in cluster.logs()


@pytest.mark.prove
def test_a_line_that_is_added_while_it_runs_brings_a_node(cluster: Cluster) -> None:
    cluster.up()
    cluster.await_nodes("n1", "n2")
    file = cluster.root / "hosts"
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(lines) + "what?\n")
    until(lambda: "line 3: " in cluster.logs(), 30, "a word about what is wrong")
    file.write_text("".join([*lines, lines[0].replace("n1", "n3")]))
    cluster.await_nodes("n1", "n2", "n3")
    code, out = cluster.say("up", "--no-web", "n3")
    assert (code, "n3" in out) == (0, True), out


@pytest.mark.prove
def test_another_master_goes_on_with_the_nodes_of_one_that_was_killed(cluster: Cluster) -> None:
    first = cluster.up()
    second = cluster.park("up", "--no-web", "--standby")
    cluster.await_nodes("n1", "n2")
    before = cluster.pids()
    first.kill()
    first.wait()
    until(lambda: any(name.startswith("master.000002") for name in cluster.master_lock()), 30, "the second")
    assert cluster.pids() == before
    second.send_signal(signal.SIGTERM)
    code, out = end(second)
    assert code == 0, out
    until(lambda: not cluster.ours(), 20, "the end of everything")


@pytest.mark.prove
def test_one_host_goes_home_and_is_had_back_and_all_are_restarted(cluster: Cluster) -> None:
    cluster.up()
    cluster.await_nodes("n1", "n2")
    before = cluster.pids()
    assert cluster.say("down", "n1")[0] == 0
    cluster.await_nodes("n2")
    code, out = cluster.say("up", "n1", "--no-web")
    assert code == 0, out
    cluster.await_nodes("n1", "n2")
    middle = cluster.pids()
    assert middle["n2"] == before["n2"]
    code, out = cluster.say("restart")
    assert (code, "2 of 2 are back" in out) == (0, True), out
    assert not set(cluster.pids().values()) & set(middle.values())
    code, out = cluster.say("down", "n9")
    assert (code, "no node is called 'n9'" in out) == (1, True)


@pytest.mark.prove
def test_a_host_that_cannot_be_reached_is_told_of_and_costs_the_others_nothing(cluster: Cluster, sshd: Sshd) -> None:
    hosts = cluster.root / "hosts"
    hosts.write_text(hosts.read_text() + f"{HOST} n3.example n3 user={sshd.user} key={sshd.key} ssh_port=1\n")
    code, out = cluster.say("up", "--no-web", "--detach")
    assert code == 1, out
    assert "n3: " in out
    assert "next try in" in out
    assert set(cluster.nodes()) == {"n1", "n2"}
    assert cluster.say("down")[0] == 0


def test_no_master_no_restart(cluster: Cluster) -> None:
    code, out = cluster.say("restart")
    assert code == 1
    assert "no `park up` runs" in out
    assert load(cluster.spool).drain_seconds == 1
