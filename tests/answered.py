"""Sessions that are over, with answers as services give them: a fit of one curve, a batch, a map."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from world import STRANGER, World

from park_spool.atomic import Disk
from park_spool.delivering import errand as child
from park_spool.delivering import telling
from park_spool.errors import ParkError
from park_spool.naming import Unit
from park_spool.reducing.errands import DELIVER, Errand
from park_spool.reducing.role import Reduction

X = [0.01, 0.02, 0.04]
FIT = """<session user='wwchen' email='w@x.org' name='film in D₂O'><group name='film'><reduce classname='Chisq'/>
<dataSet><data name='film' href='package:refnx/film.ort'/></dataSet><task cmd='tester/noop'/>
<joblist><scan><axis name='seed' values='7 8 9'/></scan></joblist></group></session>"""
BATCH = """<session user='wwchen'><group name='frames'><reduce classname='Batch'/><task cmd='tester/noop'/>
<joblist><input><data name='d' href='package:warm/b.dat'/></input><input><data name='d' href='package:warm/a.dat'/></input>
<input><data name='d' href='package:warm/c.dat'/></input></joblist></group></session>"""
MAP = """<session user='wwchen'><group name='plane'><reduce classname='ChisqMap'/><task cmd='tester/noop'/>
<joblist><scan><axis name='a' start='0' stop='2' count='3'/><axis name='b' start='0' stop='1' count='2'/></scan>
</joblist></group></session>"""


def said(chisq: float, **more: Any) -> str:
    """What a job of a fit says: chisq, two parameters, and a curve of reflectivity."""
    parameters = [
        {"name": "thickness", "value": 258.86, "error": 0.12, "unit": "Å", "min": 200.0, "max": 300.0},
        {"name": "scale", "value": 0.9, "error": None, "min": 0.9, "max": 1.2},
    ]
    labels = {"xlabel": "Q", "xunit": "1/Å", "ylabel": "R", "yscale": "log"}
    curve = {"x": X, "y": [1.0, 0.5, 0.01], "dy": [0.1, 0.05, 0.002], "model": [0.98, 0.52, 0.011], **labels}
    values = {"chisq": chisq, "npoints": 3, "dof": 1, "seed": 7, "parameters": parameters, "curve": curve}
    return json.dumps({**values, **more})


def over(world: World, xml: str, outputs: list[str | None]) -> str:
    """Admit a session and have its jobs answered: with an output each, or with a failure for good."""
    sid, now = world.admit(xml=xml), world.member().wall()
    for job, output in enumerate(outputs, 1):
        how = {"status": "failed", "why": "exit status 3"} if output is None else {"output": output}
        world.plant_reply(Unit(sid, 1, 1, job, job + 1, 0, 2), STRANGER, started=now + job, **how)
    return sid


class Done:
    """A child that did its errand in this process, at once."""

    def __init__(self, work: Callable[[], object]) -> None:
        self.said, self._status = "", 0
        try:
            work()
        except (ParkError, OSError) as error:
            self.said, self._status = str(error), 1

    def poll(self) -> int | None:
        return self._status

    def kill(self) -> None:
        pass


class Sending:
    """Sends no process, but does the errand itself, by the code that the process runs."""

    def __init__(self, world: World, disk: type[Disk] = Disk, **settings: Any) -> None:
        self.sent: list[Errand] = []
        self._world, self._disk, self._settings = world, disk, settings

    def __call__(self, errand: Errand) -> Done:
        self.sent.append(errand)
        return Done(lambda: self._do(errand))

    def _do(self, errand: Errand) -> object:
        me = self._world.member(self._disk, **self._settings)
        if errand.verb == DELIVER:
            return child.deliver_one(me, errand.words[0], int(errand.words[1]))
        return telling.tell(me, errand.words[0], telling.read(errand.words[1]))


def reducer(world: World, send: Sending | None = None, disk: type[Disk] = Disk, **settings: Any) -> Reduction:
    """A reducer that has its errands done in this process."""
    return Reduction(world.member(disk, **settings), send or Sending(world, **settings))


def close(
    world: World, send: Sending | None = None, turns: int = 40, is_delivered: bool = True, **settings: Any
) -> None:
    """Have all sessions reduced, closed and delivered; nobody holds a lock afterwards."""
    actors = world.spoold(), reducer(world, send, **settings) if is_delivered else world.reducer(**settings)
    world.let(*actors, turns=turns, tick=3.0)
    actors[1].leave()
    actors[0].resign()


def files(folder: Path) -> list[str]:
    """The names of all files below a folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
