"""Pilots on a real Slurm: they come when work waits, work, drain before their time is over, are killed and replaced."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
import slurm_lab
from daemons import Site
from slurm_lab import SLEEPERS, Driven, Slurm, assert_all_ok, nodes_of

from park_spool.pilots.profiles import read

PILOT = {"cpus_per_node": 2, "walltime": "00:02", "max": 2, "idle": 4.0, "patience": 1.0, "poll": 1.0, "timeout": 20.0}


@pytest.fixture(scope="module")
def slurm() -> Iterator[Slurm]:
    missing = slurm_lab.missing_tools()
    if missing and os.environ.get("CI") == "true":
        pytest.fail(f"{missing} is missing, and CI must not skip what it needs")
    if missing:
        pytest.skip(f"{missing} is not here: the lab unpacks Debian's packages")
    with slurm_lab.slurm() as made:
        yield made


@pytest.fixture
def site(tmp_path: Path, slurm: Slurm, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    for name, value in slurm.environment.items():
        monkeypatch.setenv(name, value)
    slurm_lab.add_sleeper(tmp_path)
    settings = {"heartbeat_seconds": 1.0, "unit_lifetime": 4.0, "claim_expiry": 8.0, "drain_seconds": 2.0}
    with Site(tmp_path, "spoold", "reduced", **settings) as made:
        yield made
        for job in slurm.jobs():  # of a test that failed
            slurm.run("scancel", job)


@pytest.fixture
def crew(site: Site, slurm: Slurm) -> Iterator[Callable[..., Driven]]:
    with ExitStack() as ends:

        def make(**values: object) -> Driven:
            profile = read("slurm", {**PILOT, "path": slurm.commands, **values})
            return ends.enter_context(closing(Driven(site, profile)))

        yield make


@pytest.mark.long
def test_pilots_come_work_are_killed_and_replaced_and_nothing_is_lost(
    site: Site, slurm: Slurm, crew: Callable[..., Driven]
) -> None:
    driven = crew()
    site.drop_text("sleepers.xml", SLEEPERS.format(count=160, seconds=0.4))
    driven.until(lambda: len(nodes_of(site)) == 2, 90, "two pilots with a node each")
    assert sorted(slurm.jobs()) == sorted(nodes_of(site).values())
    first, second = sorted(nodes_of(site).values())
    driven.until(lambda: driven.crew.standing().working == 2, 60, "that the crew knows")

    slurm.run("scancel", first)
    driven.until(lambda: first not in nodes_of(site).values(), 60, "the end of the cancelled one's node")
    slurm.run("scancel", "--full", "--signal=KILL", second)
    driven.until(lambda: not {first, second} & set(slurm.jobs()), 60, "the end of both")
    driven.until(lambda: set(slurm.jobs()) - {first, second}, 60, "others in their place")
    driven.until(lambda: site.closed() == 1, 120, "the end of the session")
    # RACE: these hosts are one machine, where a process may be seen to be gone before Slurm says who ended it.
    assert_all_ok(site, 160, attempt=1)
    ends = [line for line in driven.said if "is over" in line]
    assert len([line for line in ends if "(cancelled)" in line]) == 2, ends

    driven.until(lambda: not slurm.jobs(), 60, "the end of idle pilots")
    driven.until(lambda: not driven.records(), 60, "the end of their records")
    assert driven.crew.stop() == []


@pytest.mark.prove
def test_one_pilot_of_two_nodes_runs_a_node_on_each(site: Site, slurm: Slurm, crew: Callable[..., Driven]) -> None:
    driven = crew(nodes=2, max=1)
    site.drop_text("sleepers.xml", SLEEPERS.format(count=40, seconds=0.4))
    driven.until(lambda: len(nodes_of(site)) == 2, 60, "two nodes")
    assert len(set(nodes_of(site).values())) == 1, "both in one job"
    driven.until(lambda: site.closed() == 1, 120, "the end of the session")
    assert_all_ok(site, 40)
    driven.until(lambda: not slurm.jobs(), 60, "the end of the idle pilot")
    driven.until(lambda: not driven.records(), 60, "the end of its record")


def test_a_stop_cancels_what_waits_and_what_runs(site: Site, slurm: Slurm, crew: Callable[..., Driven]) -> None:
    driven = crew(max=3, min=3)
    driven.until(lambda: len(nodes_of(site)) == 2 and len(driven.records()) == 3, 90, "two that run, one that waits")
    assert sorted(slurm.jobs().values()) == ["PD", "R", "R"]
    driven.until(lambda: driven.crew.standing().working == 2, 60, "that the crew knows")
    assert driven.crew.standing().queued == 1
    assert driven.crew.stop() == []
    assert driven.records() == []
    driven.until(lambda: not slurm.jobs() and not nodes_of(site), 60, "their end")
    site.assert_legal()


@pytest.mark.prove
def test_a_pilot_drains_before_its_time_is_over_and_another_comes(
    site: Site, slurm: Slurm, crew: Callable[..., Driven]
) -> None:
    driven = crew(walltime="00:01", max=1)
    site.drop_text("sleepers.xml", SLEEPERS.format(count=240, seconds=0.4))
    driven.until(lambda: nodes_of(site), 90, "a node")
    [first] = nodes_of(site).values()
    driven.until(lambda: first not in slurm.jobs(), 60, "its end before its minute is over")
    driven.until(lambda: nodes_of(site) and first not in nodes_of(site).values(), 60, "another in its place")
    driven.until(lambda: site.closed() == 1, 120, "the end of the session")
    assert "TIME LIMIT" not in "".join(path.read_text() for path in site.config.layout.logs.rglob("*.stderr"))
    assert_all_ok(site, 240)
    assert driven.crew.stop() == []
