"""park-reduced killed before every change of a batch: the reducers that come along end as if nobody had been killed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from world import STRANGER, Killed, World, dying_disk

from park_spool.atomic import Disk
from park_spool.check import check
from park_spool.naming import Unit

SESSION = """<session user='w'><group name='frames'><reduce classname='{}'/><task cmd='tester/noop'/>
<joblist><scan><axis name='dataset' values='a b c'/><axis name='seed' start='1' stop='2' count='2'/></scan></joblist>
</group></session>"""


def answered(root: Path, classname: str) -> World:
    world = World(root, seed=3)
    sid = world.admit(xml=SESSION.format(classname))
    for job in range(1, 7):
        fit = {
            "chisq": 100.0 / job,
            "npoints": 9,
            "dof": 3,
            "parameters": [{"name": "Rg", "value": job / 7, "error": 1}],
        }
        status, output = ("failed", "") if job == 3 else ("ok", json.dumps(fit))
        world.plant_reply(Unit(sid, 1, 1, job, job + 1, 0, 2), STRANGER, status, output=output)
    return world


def reduce_all(world: World, disk: type[Disk], tick: float = 0.4) -> None:
    reducer = world.reducer(disk, batch_jobs=2)
    for _ in range(16):
        reducer.step()
        world.clock.now += tick
    reducer.leave()


def kept(world: World) -> tuple[object, ...]:
    said = [row[-1] for row in world.rows("messages")]
    return world.rows("texts"), said, world.rows("jobs"), world.rows("groups")


@pytest.mark.parametrize("classname", ["Batch", "ChisqMap", "Collect", "Histogram", "Stats"])
def test_killed_before_every_change_of_a_batch(tmp_path: Path, classname: str) -> None:
    left = [10**9]
    world = answered(tmp_path / "undisturbed", classname)
    reduce_all(world, dying_disk(left))
    expected = kept(world)
    assert len(world.rows("texts")) > 0 and len(world.rows("jobs")) == 6
    for number in range(10**9 - left[0]):
        world = answered(tmp_path / str(number), classname)
        with pytest.raises(Killed):
            reduce_all(world, dying_disk([number]))
        reduce_all(world, Disk, tick=4.0)  # it takes over when the dead one's lease has run out
        assert kept(world) == expected, number
        assert check(world.root) == []
