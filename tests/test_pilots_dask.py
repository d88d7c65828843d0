"""Pilots on a real Dask cluster of two workers: nodes on both, work done, a worker killed, ended by a stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
import slurm_lab
from daemons import Site
from slurm_lab import SLEEPERS, Driven, assert_all_ok, nodes_of

from park_spool import processes
from park_spool.errors import ConfigError
from park_spool.pilots import errand
from park_spool.pilots.profiles import Profile, read

# A scheduler and its workers as people start them: processes of their own, here in one that ends with its input.
CLUSTER = """
import sys
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=2, dashboard_address=None, host="127.0.0.1") as cluster:
        print(cluster.scheduler_address, *(worker.pid for worker in cluster.workers.values()), flush=True)
        sys.stdin.read()
"""
PILOT = {"max": 2, "idle": 4.0, "patience": 1.0, "poll": 1.0, "timeout": 20.0}


@pytest.fixture
def dask(tmp_path: Path) -> Iterator[tuple[str, list[int]]]:
    """The scheduler's address, and the workers' process ids."""
    script = tmp_path / "cluster.py"
    script.write_text(CLUSTER)
    with (
        (tmp_path / "cluster.log").open("wb") as log,
        subprocess.Popen([sys.executable, str(script)], stdin=-1, stdout=-1, stderr=log, cwd=tmp_path) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        address, *workers = process.stdout.readline().decode().split()
        yield address, [int(worker) for worker in workers]
        process.stdin.close()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            processes.kill_family(process.pid)


@pytest.fixture
def ends() -> Iterator[ExitStack]:
    with ExitStack() as made:
        yield made


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    slurm_lab.add_sleeper(tmp_path)
    settings = {"heartbeat_seconds": 1.0, "unit_lifetime": 4.0, "claim_expiry": 8.0, "drain_seconds": 2.0}
    with Site(tmp_path, "spoold", "reduced", **settings) as made:
        yield made


@pytest.mark.prove
def test_units_run_on_the_workers_and_a_worker_that_is_killed_takes_its_node_along(
    site: Site, dask: tuple[str, list[int]], ends: ExitStack
) -> None:
    address, workers = dask
    driven = ends.enter_context(closing(Driven(site, read("dask", {**PILOT, "address": address}))))
    site.drop_text("sleepers.xml", SLEEPERS.format(count=160, seconds=0.4))
    driven.until(lambda: len(nodes_of(site)) == 2, 90, "a node on each worker")
    driven.until(lambda: driven.crew.standing().cpus == 4, 20, "as many CPUs as the workers have threads")

    os.kill(workers[0], signal.SIGKILL)
    driven.until(lambda: site.closed() == 1, 90, "the end of the session")
    assert_all_ok(site, 160, attempt=1)
    driven.until(lambda: not nodes_of(site), 30, "the end of idle nodes")
    driven.until(lambda: not driven.records(), 20, "the end of their records")
    assert driven.crew.stop() == []


def test_a_stop_ends_the_nodes_and_gives_back_what_they_have(
    site: Site, dask: tuple[str, list[int]], ends: ExitStack
) -> None:
    driven = ends.enter_context(closing(Driven(site, read("dask", {**PILOT, "address": dask[0]}))))
    site.drop_text("sleepers.xml", SLEEPERS.format(count=4, seconds=120))
    driven.until(lambda: any((site.spool / "claimed").glob("*/*")), 90, "a claim")
    assert driven.crew.stop() == []
    end = time.monotonic() + 30
    while nodes_of(site) and time.monotonic() < end:
        time.sleep(0.1)
    assert nodes_of(site) == {}
    assert driven.records() == []
    assert all(path.name.endswith(".00.00") for path in (site.spool / "ready").glob("*/*"))


def test_a_scheduler_that_is_not_there_is_one_sentence() -> None:
    profile: Profile = read("dask", {"address": "tcp://127.0.0.1:1", "timeout": 1.0})
    [answer] = errand.ask(profile, []).wait()
    assert "the scheduler at tcp://127.0.0.1:1 cannot be reached" in answer["error"]
    assert answer["passes"]


def test_cpus_are_the_workers_own() -> None:
    with pytest.raises(ConfigError, match="cpus_per_node: expected only for slurm"):
        read("dask", {"cpus_per_node": 2})
