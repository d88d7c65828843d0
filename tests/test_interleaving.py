"""Claimers, spoold's recovery and reducers stepped against each other at system-call level, in many seeded orders.

After every single system call the invariant holds: what any tally calls final is durable, and the archive counts each
job once.
In the end every job is counted exactly once, none is lost, and the spool is legal. Two spoolds and two reducers with
archives of their own are active against each other whenever a freeze makes them take over.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from stepping import Stage
from world import World, state

from park_spool.check import check

MANY, FEW = 3, 1
JOBS = {(1, job) for job in range(1, MANY + 1)} | {(2, job) for job in range(1, FEW + 1)}
TURNS = 60_000


def play(root: Path, seed: int, kills: bool) -> World:
    world = World(
        root, seed=seed, claim_expiry=12.0, unit_lifetime=6.0, heartbeat_seconds=2.0, lease_renew=1.0, lease_expiry=5.0
    )
    world.script = lambda joblist, job, attempt: "failed" if (joblist, attempt) == (2, 0) else "ok"
    world.submit(MANY, FEW)
    second = world.root / "archive" / "second.sqlite"
    stage = Stage(
        world,
        seed,
        {
            "spoold": world.spoold,
            "rival spoold": world.spoold,
            "node": lambda disk: world.node(disk, slots=1),
            "rival node": lambda disk: world.node(disk, slots=2),
            "reducer": world.reducer,
            "rival reducer": lambda disk: world.reducer(disk, archive=second),
        },
    )
    try:
        for turn in range(TURNS):
            stage.turn()
            if turn % 10 == 0:
                assert world.tallied() <= world.bundled() <= JOBS, f"seed {seed}, turn {turn}: {state(world)}"
                assert world.archived() <= world.bundled(), f"seed {seed}, turn {turn}: {state(world)}"
            if stage.random.random() < 0.004:
                stage.freeze_somebody(stage.random.choice((3.0, 8.0, 40.0)))
            if kills and stage.random.random() < 0.001:
                stage.kill_somebody()
            if turn % 50 == 0 and world.is_closed:
                return world
    finally:
        stage.close()
    raise AssertionError(f"seed {seed}: not closed after {TURNS} turns: {state(world)}")


def settle(world: World) -> None:
    """Let one fresh reducer read what the others wrote: whatever archive survives, it says the same."""
    reducer = world.reducer()
    for _ in range(100):
        reducer.step()
        world.clock.now += 3.0
    reducer.leave()


def assert_counted_once(world: World) -> None:
    settle(world)
    assert world.counted() == dict.fromkeys(JOBS, "ok")
    assert world.bundled() == JOBS
    assert check(world.root) == [], state(world)


@pytest.mark.parametrize("seed", range(12))
def test_every_order_counts_every_job_once(tmp_path: Path, seed: int) -> None:
    assert_counted_once(play(tmp_path, seed, kills=False))


@pytest.mark.parametrize("seed", range(100, 112))
def test_every_order_with_kills_counts_every_job_once(tmp_path: Path, seed: int) -> None:
    assert_counted_once(play(tmp_path, seed, kills=True))


@pytest.mark.prove
@pytest.mark.parametrize("seed", range(1000, 1300))
def test_many_more_orders(tmp_path: Path, seed: int) -> None:
    assert_counted_once(play(tmp_path, seed, kills=seed % 2 == 0))
