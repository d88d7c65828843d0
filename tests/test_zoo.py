"""The zoo: each hostile job takes down itself alone, is said in words, leaves no process, and the next job is ok.

The beasts are in `zoo/`: functions in beasts.py, programs in program.py.  Each stands in one unit between two innocent
jobs, through a real slot.  test_zoo_node.py lets them loose on a whole node.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from running_site import Site
from zoo_keeping import BEASTS, ZOO, Beast, put_down, survivors

from park_spool.running.assignment import Assignment
from park_spool.running.slot import Slot


class Cage(Site):
    """A site whose jobs may leave files to be kept."""

    def assignment(self, *words: Any, **more: Any) -> Assignment:
        made = super().assignment(*words, **more)
        return replace(made, kept=self.folder / "kept", tmp=self.folder / "tmp", owner="zoo.slot0")


class Den:
    """A slot whose processes bear a mark; it serves one beast after the other as long as nothing lives on."""

    def __init__(self, folder: Path) -> None:
        word = uuid.uuid4().hex
        self.mark = f"PARK_ZOO={word}"
        self.site = Cage(folder)
        (folder / "tmp").mkdir()
        self._environment = {**os.environ, "PARK_ZOO": word}
        shutil.copytree(ZOO, self.site.services / "zoo", ignore=shutil.ignore_patterns("__pycache__"))
        self.renew()

    def renew(self) -> None:
        self.site.slot.close()
        self.site.slot = Slot(0, self.site.folder, self._environment)

    def others(self, patience: float) -> dict[int, str]:
        return survivors(self.mark, lambda: {self.site.slot.pid or 0}, patience)

    def has_threads(self) -> bool:
        return len(list(Path(f"/proc/{self.site.slot.pid}/task").iterdir())) > 1

    def close(self) -> None:
        self.site.slot.close()
        put_down(self.mark)


@pytest.fixture(scope="module")
def kept_den(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Den]:
    made = Den(tmp_path_factory.mktemp("den"))
    yield made
    made.close()


@pytest.fixture
def den(kept_den: Den, request: pytest.FixtureRequest) -> Iterator[Den]:
    """Give the den, made anew where a beast has spoilt it."""
    failed = request.session.testsfailed
    yield kept_den
    if request.session.testsfailed > failed:
        kept_den.renew()
        put_down(kept_den.mark)


@pytest.mark.parametrize("beast", BEASTS, ids=str)
def test_a_beast(den: Den, beast: Beast) -> None:
    """Run it between two innocents, and one more after them; look what lives on."""
    site = den.site
    made = site.run("think", beast.word, "think", command=beast.command)
    assert [made[0]["status"], made[2]["status"]] == ["ok", "ok"], made
    assert beast.faults(made[1]) == []
    if beast.status == "ok":
        site.run(beast.word, command=beast.command)  # as the last of its unit, in a process that is kept
    after = site.run("think", command=beast.command)
    assert after[0]["status"] == "ok", after
    if beast.is_program:
        assert den.others(patience=5.0) == {}, "it lives on behind its job"
    elif den.others(patience=0.0) or den.has_threads():
        den.renew()  # what a function has started may live as long as its process, and no longer
        assert den.others(patience=5.0) == {}, "it lives on behind its slot"
    assert not list((site.folder / "scratch").glob("worker-*/*/*")), "its files were left behind"
    assert not list((site.folder / "tmp").iterdir()), "half a file was left behind"
