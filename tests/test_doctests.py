"""The examples in docstrings run, wherever they stand."""

from __future__ import annotations

import doctest
import importlib
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {"park_spool": "park_spool", "web": "park_spool.web", "datacenter": "park_spool.datacenter"}
SERVICES = [path.parent for path in (ROOT / "services").glob("*/service.toml")] + [ROOT / "services" / "reduce"]


def with_examples(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if ">>> " in path.read_text(encoding="utf-8"))


def module_name(path: Path) -> str:
    first, *rest = path.relative_to(ROOT).with_suffix("").parts
    return ".".join([PACKAGES[first], *rest])


@pytest.mark.parametrize("name", [module_name(path) for folder in PACKAGES for path in with_examples(ROOT / folder)])
def test_examples_in_modules(name: str) -> None:
    assert_examples_hold(importlib.import_module(name).__dict__, name)


@pytest.mark.parametrize(
    "path", [path for folder in SERVICES for path in with_examples(folder)], ids=lambda path: path.name
)
def test_examples_in_services(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service's modules import each other as a worker lets them: from their own folder."""
    for folder in {path.parent, ROOT / "services" / "reduce"}:
        monkeypatch.syspath_prepend(folder)
    before = set(sys.modules)
    try:
        assert_examples_hold(importlib.import_module(path.stem).__dict__, path.stem)
    finally:
        for module in set(sys.modules) - before:
            if getattr(sys.modules[module], "__file__", None) and str(ROOT / "services") in str(
                sys.modules[module].__file__
            ):
                del sys.modules[module]


def assert_examples_hold(names: dict[str, object], name: str) -> None:
    finder, runner = doctest.DocTestFinder(recurse=True), doctest.DocTestRunner(verbose=False)
    module = sys.modules[str(names["__name__"])]
    for test in finder.find(module, name):
        runner.run(test)
    assert runner.summarize(verbose=False).failed == 0
    assert runner.tries > 0, f"{name} shows examples that nothing runs"
