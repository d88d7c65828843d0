"""Real park-noded processes that somebody else starts: keepers, one for each name, and ends of their own."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from daemons import Site, until

from park_spool import leadership, member, processes, sealed
from park_spool.errors import TornError
from park_spool.running.staying import MASTER


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Site(tmp_path, "spoold") as made:
        yield made


def reports(site: Site) -> list[dict[str, Any]]:
    """Read the heartbeats of the nodes whose process lives."""
    found = []
    for path in sorted((site.spool / "nodes").glob("*.json")):
        try:
            found.append(sealed.unseal_json(path.read_bytes()))
        except (FileNotFoundError, TornError):
            continue
    return [one for one in found if processes.is_alive(processes.Identity.from_json(one["identity"]))]


def test_the_heartbeat_says_who_started_it(site: Site) -> None:
    site.start("noded", "--cpus", "1", "--name", "N4", "--started-by", "slurm:n4_4711_x0p2qa:1234")
    until(lambda: reports(site), 20, "a heartbeat")
    [report] = reports(site)
    assert report["alias"] == "n4"
    assert report["started_by"] == {"how": "slurm", "master": "n4_4711_x0p2qa", "job": "1234"}


def test_a_second_one_of_the_same_name_ends(site: Site) -> None:
    site.start("noded", "--cpus", "1", "--name", "n4", "--single")
    until(lambda: reports(site), 20, "a heartbeat")
    second = site.start("noded", "--cpus", "1", "--name", "n4", "--single", label="second")
    assert second.wait(20) == 0
    site.start("noded", "--cpus", "1", "--name", "n5", "--single", label="other")
    until(lambda: {one["alias"] for one in reports(site)} == {"n4", "n5"}, 20, "the other one")
    assert "one with this spool and name runs here already" in site.logs()


def test_a_keeper_starts_a_crashed_node_again_and_ends_with_one_that_is_told_to(site: Site) -> None:
    keeper = site.start("noded", "--cpus", "1", "--name", "n4", "--keep", "--single")
    until(lambda: reports(site), 20, "a heartbeat")
    [first] = reports(site)
    assert first["identity"]["pid"] != keeper.pid
    os.kill(first["identity"]["pid"], signal.SIGKILL)
    until(lambda: [one for one in reports(site) if one["node"] != first["node"]], 20, "the next one")
    [second] = reports(site)
    (site.spool / "notices" / f"{second['node']}.stop").touch()
    assert keeper.wait(20) == 0
    assert reports(site) == []
    assert "park-noded was killed by SIGKILL; it is started again at once" in site.logs()


def test_a_keeper_stops_its_node(site: Site) -> None:
    keeper = site.start("noded", "--cpus", "1", "--keep")
    until(lambda: reports(site), 20, "a heartbeat")
    [report] = reports(site)
    keeper.send_signal(signal.SIGTERM)
    assert keeper.wait(20) == 0
    assert processes.is_alive(processes.Identity.from_json(report["identity"])) is False
    assert list((site.spool / "nodes").iterdir()) == []


def test_a_killed_keeper_takes_its_node_along(site: Site) -> None:
    site.start("noded", "--cpus", "1", "--keep")
    until(lambda: reports(site), 20, "a heartbeat")
    site.kill("noded")
    until(lambda: not list((site.spool / "nodes").iterdir()), 20, "the end of the node")


def test_a_node_ends_by_itself_when_its_master_has_died(site: Site) -> None:
    master = leadership.Candidate(member.join(site.config), MASTER)
    assert master.step()
    node = site.start("noded", "--cpus", "1", "--linger", "2")
    until(lambda: reports(site), 20, "a heartbeat")
    end = time.monotonic() + 6.0
    while time.monotonic() < end:
        master.is_active = False  # it publishes at every step, not every lease_renew seconds
        master.step()
        time.sleep(0.1)
    assert node.poll() is None
    assert node.wait(20) == 0
    assert "it had no work and saw no master for 2 s" in site.logs()


def test_a_node_ends_when_it_is_idle_or_its_time_is_over(site: Site) -> None:
    idle = site.start("noded", "--cpus", "1", "--idle", "1.5", label="idle")
    short = site.start("noded", "--cpus", "1", "--lifetime", "6", label="short")
    assert (idle.wait(20), short.wait(20)) == (0, 0)
    assert "its 6 s are nearly over" in site.logs()
    assert "it had no work for 1.5 s" in site.logs()
