"""The reflectivity service as tests use it: its modules, and the PLATYPUS film whose best fit is known."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SERVICE = Path(__file__).parents[1] / "services" / "reflectivity"
MODULES = ("fit", "slab_model", "curve_file")
BEST_CHISQ = 966.193
BEST_THICKNESS = 258.863
QUICK_SEED = 45  # arrives in 0.15 s; of 0 to 47 also 2, 9, 10, 15, 24, 34 and 39 do


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
def fit(modules: dict[str, ModuleType]) -> Any:
    """Give the service's `fit`."""
    return modules["fit"].fit


@pytest.fixture(scope="module")
def chisq(modules: dict[str, ModuleType]) -> Any:
    """Give the service's `chisq`."""
    return modules["fit"].chisq


@pytest.fixture(scope="module")
def quick(fit: Any) -> dict[str, Any]:
    """Fit once from a start that is known to arrive."""
    return dict(fit({**FILM, "seed": QUICK_SEED}))


def measured(name: str) -> dict[str, Any]:
    """Give the inputs for a curve that comes inside refnx."""
    spec = importlib.util.find_spec("refnx")
    if spec is None or spec.origin is None:
        return {"data": {}}
    return {"data": {"film": str(Path(spec.origin).parent / "analysis" / "tests" / name)}}


FILM = measured("c_PLP0011859_q.txt")
