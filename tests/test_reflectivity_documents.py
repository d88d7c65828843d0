"""Tests that manifest, document and examples of the reflectivity service say what the code does."""

# ruff: noqa: F811  (fixtures are imported, and named again where they are asked for)
from __future__ import annotations

import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from document_tables import rows
from reflectivity_service import BEST_CHISQ, FILM, QUICK_SEED, SERVICE, fit, modules, quick  # noqa: F401

from park_spool.catalog.registry import Registry, typed_input
from park_spool.sessions.parsing import parse_session
from park_spool.sessions.session import Session
from park_spool.sessions.xml_tree import Limits

pytest.importorskip("refnx", reason="the reflectivity service needs the extra `fit`")

EXAMPLES = Path(__file__).parents[1] / "docs" / "examples"
DOCUMENT = (EXAMPLES.parent / "reflectivity.md").read_text(encoding="utf-8")


def test_manifest_declares_the_models_own_boxes_and_values(modules: dict[str, ModuleType]) -> None:
    commands = tomllib.loads((SERVICE / "service.toml").read_text(encoding="utf-8"))["commands"]
    declared, points = commands["fit"]["inputs"], commands["chisq"]["inputs"]
    for one in modules["slab_model"].slabs_of({}).quantities:
        name = one.attribute
        assert (declared[f"{name}_min"]["default"], declared[f"{name}_max"]["default"]) == (
            one.minimum,
            one.maximum,
        )
        assert points[name]["default"] == one.value
        assert "default" not in declared[name]
        assert declared[name].get("unit", "") == points[name].get("unit", "") == one.unit
    assert all(spec["description"] for spec in (*declared.values(), *points.values()))


def test_every_key_of_the_reply_has_its_row_for_all_services(quick: dict[str, Any]) -> None:
    text = (EXAMPLES.parent / "services.md").read_text(encoding="utf-8")
    own = {"success", "nfev", "model"}
    assert set(quick) - own <= rows(text, "key").keys()
    assert rows(text, "key of a parameter").keys() == set(quick["parameters"][0])
    assert rows(text, "key of a curve").keys() == set(quick["curve"]) | {"yunit", "xscale"}


def session_of(path: Path) -> Session:
    """Parse an example as park-spoold would."""
    return parse_session(path.read_bytes(), Registry.load([SERVICE.parent]), Limits())


def run_job(session: Session, job: int, modules: dict[str, ModuleType]) -> dict[str, Any]:
    """Run one job of the first job list of an example, its inputs typed as a worker does."""
    group = session.groups[0]
    command = Registry.load([SERVICE.parent]).command(group.task.service, group.task.command)
    inputs = typed_input(command, group.joblists[0].input(job))
    function = getattr(modules["fit"], command.function.partition(":")[2])
    return dict(function({**inputs, **FILM}))


def test_the_examples_jobs_run(modules: dict[str, ModuleType]) -> None:
    starts = session_of(EXAMPLES / "reflectivity.xml")
    assert starts.groups[0].joblists[0].size == 48
    assert run_job(starts, QUICK_SEED, modules)["chisq"] == pytest.approx(BEST_CHISQ, abs=0.05)
    corner = run_job(session_of(EXAMPLES / "map.xml"), 1, modules)
    assert corner["chisq"] > 10_000
    assert "curve" not in corner


def test_documented_session_is_one(modules: dict[str, ModuleType], tmp_path: Path) -> None:
    path = tmp_path / "session.xml"
    path.write_text(DOCUMENT.partition("```xml\n")[2].partition("```")[0], encoding="utf-8")
    session = session_of(path)
    assert session.warnings == ()
    assert run_job(session, QUICK_SEED, modules)["seed"] == QUICK_SEED


def test_document_names_every_input_and_key(modules: dict[str, ModuleType], quick: dict[str, Any]) -> None:
    commands = tomllib.loads((SERVICE / "service.toml").read_text(encoding="utf-8"))["commands"]
    inputs = {name.removesuffix("_min").removesuffix("_max") for name in commands["fit"]["inputs"]}
    for name in inputs | set(commands["chisq"]["inputs"]) | set(quick):
        assert f"`{name}`" in DOCUMENT
    for one in modules["slab_model"].slabs_of({}).quantities:
        row = next(line for line in DOCUMENT.splitlines() if line.startswith(f"| `{one.attribute}` |"))
        assert f"{one.minimum:g} to {one.maximum:g}" in row
        assert row.rstrip(" |").endswith(f"{one.value:.8g}")
