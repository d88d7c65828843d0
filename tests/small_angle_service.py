"""The small-angle service as tests use it: its modules, and the measured frames whose best fits are known."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SERVICE = Path(__file__).parents[1] / "services" / "small_angle"
MODULES = tuple(path.stem for path in sorted(SERVICE.glob("*.py")))
FRAMES, POINTS = 170, 41_745  # of the annealing, with Q from 4e-4 to 0.2 1/Å
REFERENCE_CHISQ = 75_096.0  # of all its frames, by another program from three other starts a frame
BLEND_CHISQ = 109.5737
WINDOW = {"select": "!*_mrg", "qmin": 4e-4, "qmax": 0.2}
KNOWN_FRAME = "VTMA13b_2_870C_17min_0008"
Needs = Callable[[str], str]


@pytest.fixture(scope="module")
def modules() -> Iterator[dict[str, ModuleType]]:
    """Import the service's modules from its folder, as a worker does, and forget them afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SERVICE))
        for name in MODULES:
            patch.delitem(sys.modules, name, raising=False)
        yield {name: importlib.import_module(name) for name in MODULES}
        for name in MODULES:
            sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def commands(modules: dict[str, ModuleType], needs: Needs) -> ModuleType:
    """Give the module with the service's commands."""
    needs("scipy")
    return modules["scattering_fit"]


def measured(needs: Needs, name: str) -> Path:
    """Find a measured file that comes inside sasdata."""
    for package in ("sasdata", "h5py"):
        needs(package)
    spec = importlib.util.find_spec("sasdata")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent / "example_data" / "1d_data" / name


@pytest.fixture(scope="module")
def annealing(needs: Needs) -> dict[str, Any]:
    """Give the inputs for the frames of the annealing, less `frame`."""
    return {"data": {"annealing": str(measured(needs, "VTMA.h5"))}, **WINDOW}


@pytest.fixture(scope="module")
def blend(needs: Needs) -> dict[str, Any]:
    """Give the inputs for the polymer blend."""
    return {"data": {"blend": str(measured(needs, "ISIS_Polymer_Blend_TK49.xml"))}}


def by_name(reply: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Look parameters up by name."""
    return {parameter["name"]: parameter for parameter in reply["parameters"]}
