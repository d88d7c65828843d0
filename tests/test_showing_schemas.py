"""Everything that is shown can be said as JSON Schema: plain types all the way down, each in frozen, slotted classes."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from types import ModuleType

import msgspec
import pytest

from park_spool import showing

MODULES = [importlib.import_module(f"park_spool.showing.{one.name}") for one in pkgutil.iter_modules(showing.__path__)]


def shown(module: ModuleType) -> list[type]:
    return [
        value
        for name, value in vars(module).items()
        if dataclasses.is_dataclass(value) and isinstance(value, type) and value.__module__ == module.__name__
    ]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_every_value_has_a_schema(module: ModuleType) -> None:
    for value in shown(module):
        parameters = value.__dataclass_params__  # type: ignore[attr-defined]
        assert parameters.frozen and hasattr(value, "__slots__"), value
        assert value.__doc__ and not value.__doc__.startswith(f"{value.__name__}("), value
        assert msgspec.json.schema(value)["$defs"], value
