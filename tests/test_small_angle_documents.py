"""Tests that manifest, document and examples of the small-angle service say what the code does."""

# ruff: noqa: F811  (fixtures are imported, and named again where they are asked for)
from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from document_tables import rows
from small_angle_service import BLEND_CHISQ, FRAMES, SERVICE, blend, by_name, commands, measured, modules  # noqa: F401

from park_spool.catalog.registry import Registry, typed_input
from park_spool.sessions.parsing import parse_session
from park_spool.sessions.session import Session
from park_spool.sessions.xml_tree import Limits

EXAMPLES = Path(__file__).parents[1] / "docs" / "examples"
DOCUMENT = (EXAMPLES.parent / "small_angle.md").read_text(encoding="utf-8")
MANIFEST = tomllib.loads((SERVICE / "service.toml").read_text(encoding="utf-8"))["commands"]
FITS = ("beaucage", "debye")


@pytest.mark.parametrize("command", FITS)
def test_manifest_declares_the_models_own_boxes_and_values(modules: dict[str, ModuleType], command: str) -> None:
    declared, points = MANIFEST[command]["inputs"], MANIFEST["chisq"]["inputs"]
    for one in modules["scattering_models"].MODELS[command].quantities:
        low, high = one.box or (None, None)
        for end, value in (("min", low), ("max", high)):
            default = None if value is None or abs(value) == float("inf") else value
            assert declared[f"{one.name}_{end}"].get("default") == default
        assert "default" not in declared[one.name]
        assert points[one.name].get("default") == (one.usual if one.kind != "amplitude" else None)
        assert declared[one.name].get("minimum") == points[one.name].get("minimum") == (0 if one.box != BOTH else None)
        assert declared[one.name].get("unit", "") == points[one.name].get("unit", "") == one.unit.partition("{")[0]


BOTH = (-float("inf"), float("inf"))


def test_manifest_declares_what_the_code_reads_and_nothing_else(modules: dict[str, ModuleType]) -> None:
    models = modules["scattering_models"].MODELS
    ends = {"", "_min", "_max"}
    common = {"frame", "select", "qmin", "qmax", "q_unit", "dataset", "curve"}
    for command, held in (("beaucage", {"vary"}), ("debye", set())):
        numbers = {f"{one.name}{end}" for one in models[command].quantities for end in ends}
        assert set(MANIFEST[command]["inputs"]) == common | numbers | held | {"fix", "starts", "seed"}
    numbers = {one.name for model in models.values() for one in model.quantities}
    assert set(MANIFEST["chisq"]["inputs"]) == common | numbers | {"model"}
    assert tuple(MANIFEST["chisq"]["inputs"]["model"]["choices"]) == tuple(models)
    assert all(spec["description"] for command in MANIFEST.values() for spec in command["inputs"].values())
    for command in MANIFEST.values():
        assert all(command["inputs"][name] == MANIFEST["debye"]["inputs"][name] for name in common - {"curve"})


def session_of(path: Path) -> Session:
    """Parse an example as park-spoold would."""
    return parse_session(path.read_bytes(), Registry.load([SERVICE.parent]), Limits())


def run_job(session: Session, group: int, job: int, commands: ModuleType, path: Path) -> dict[str, Any]:
    """Run one job of a group of an example, its inputs typed as a worker does, on the file that its data set names."""
    chosen = session.groups[group]
    assert chosen.data[0].href == f"package:sasdata/example_data/1d_data/{path.name}"
    command = Registry.load([SERVICE.parent]).command(chosen.task.service, chosen.task.command)
    inputs = typed_input(command, chosen.joblists[0].input(job))
    function = getattr(commands, command.function.partition(":")[2])
    return dict(function({**inputs, "data": {chosen.data[0].name: str(path)}}))


def test_the_annealing_example_runs(commands: ModuleType, needs: Callable[[str], str]) -> None:
    session = session_of(EXAMPLES / "annealing.xml")
    assert session.sizes() == {(1, 1): FRAMES}
    path = measured(needs, "VTMA.h5")
    first, last = (run_job(session, 0, job, commands, path) for job in (1, FRAMES))
    assert (first["dataset"], last["dataset"]) == ("VTMA13b_2_30C_0min_0003", "VTMA13b_2_870C_733min_0172")
    assert len(first["starts"]) == 3 and first["seed"] == 1
    assert first["chisq"] == pytest.approx(750.15, abs=0.05)


def test_the_polymer_blend_example_runs(commands: ModuleType, needs: Callable[[str], str]) -> None:
    session = session_of(EXAMPLES / "polymer_blend.xml")
    path = measured(needs, "ISIS_Polymer_Blend_TK49.xml")
    best = run_job(session, 0, 1, commands, path)
    assert best["chisq"] == pytest.approx(BLEND_CHISQ, abs=0.001)
    corner = run_job(session, 1, 1, commands, path)
    assert (corner["dof"], "curve" in corner) == (101, False)
    values = {row["name"]: row["value"] for row in corner["parameters"]}
    assert (values["Rg"], values["I0"]) == (74.0, 70.0)
    near = min(run_job(session, 1, job, commands, path)["chisq"] for job in range(1, 21 * 31 + 1, 5))
    assert BLEND_CHISQ < near < BLEND_CHISQ + 30


def test_documented_session_is_the_example(tmp_path: Path) -> None:
    path = tmp_path / "session.xml"
    path.write_text(DOCUMENT.partition("```xml\n")[2].partition("```")[0], encoding="utf-8")
    documented, example = session_of(path), session_of(EXAMPLES / "annealing.xml")
    assert documented.warnings == ()
    (one,), (other,) = documented.groups, example.groups
    assert (one.task, one.reduce, one.joblists) == (other.task, other.reduce, other.joblists)
    assert [data.href for data in one.data] == [data.href for data in other.data]
    scan = re.findall(r"```xml\n(<scan>.*?)```", DOCUMENT, re.DOTALL)[0]
    written = (EXAMPLES / "polymer_blend.xml").read_text(encoding="utf-8")
    assert "".join(scan.split()) in "".join(written.split())


def test_document_names_every_command_and_input(modules: dict[str, ModuleType]) -> None:
    for command, spec in MANIFEST.items():
        assert f"| `small_angle/{command}` |" in DOCUMENT
        for name in spec["inputs"]:
            assert f"`{name.removesuffix('_min').removesuffix('_max')}`" in DOCUMENT, name
    table = rows(DOCUMENT, "parameter")
    quantities = {one.name: one for model in modules["scattering_models"].MODELS.values() for one in model.quantities}
    assert table.keys() == quantities.keys()
    for name, one in quantities.items():
        *_, box, held = table[name]
        assert held == ("to be given" if one.usual is None else f"{one.usual:g}")
        if one.kind == "exponent":
            assert f"{one.box[0]:g} to {one.box[1]:g}" in box and ("held" in box) == (not one.is_fitted)
    starts = rows(DOCUMENT, "other inputs")["starts"][-1]
    assert (
        starts
        == f"{MANIFEST['beaucage']['inputs']['starts']['default']}; `debye`: {MANIFEST['debye']['inputs']['starts']['default']}"
    )


def test_document_names_every_key_of_the_reply(commands: ModuleType, blend: dict[str, Any]) -> None:
    reply = commands.debye({**blend, "seed": 1})
    assert rows(DOCUMENT, "key").keys() == set(reply)
    services = (EXAMPLES.parent / "services.md").read_text(encoding="utf-8")
    assert rows(services, "key of a parameter").keys() == set(reply["parameters"][0])
    assert set(reply["curve"]) <= rows(services, "key of a curve").keys()


def test_document_tells_what_the_fits_give(commands: ModuleType, blend: dict[str, Any]) -> None:
    (row,) = [line for line in DOCUMENT.splitlines() if line.startswith("| `ISIS_Polymer_Blend_TK49.xml`")]
    reply = commands.debye({**blend, "seed": 1})
    found = by_name(reply)
    assert f"| {reply['npoints']} | {reply['chisq']:.3f} |" in row
    for name, digits in (("Rg", 2), ("I0", 2), ("background", 4)):
        value, error = found[name]["value"], found[name]["error"]
        assert f"{name} {value:.{digits}f}({error * 10**digits:.0f})" in row
