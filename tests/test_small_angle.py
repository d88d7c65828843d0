"""Tests of the small-angle service on real data: USAXS frames of an annealing, SANS of a polymer blend."""

# ruff: noqa: F811  (fixtures are imported, and named again where they are asked for)
from __future__ import annotations

import json
import math
import statistics
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from small_angle_service import (  # noqa: F401
    BLEND_CHISQ,
    FRAMES,
    KNOWN_FRAME,
    POINTS,
    REFERENCE_CHISQ,
    annealing,
    blend,
    by_name,
    commands,
    measured,
    modules,
)

Inputs = dict[str, Any]
Modules = dict[str, ModuleType]


@pytest.fixture(scope="module", autouse=True)
def scipy(needs: Callable[[str], str]) -> None:
    """All of this computes with scipy."""
    needs("scipy")


@pytest.fixture(scope="module")
def known(commands: ModuleType, annealing: Inputs) -> dict[str, Any]:
    """Fit the frame whose answer is known."""
    return dict(commands.beaucage({**annealing, "frame": KNOWN_FRAME, "starts": 3, "seed": 1}))


@pytest.fixture(scope="module")
def coil(commands: ModuleType, blend: Inputs) -> dict[str, Any]:
    """Fit the polymer blend."""
    return dict(commands.debye({**blend, "seed": 1}))


# --- the answers


def test_the_known_frame(known: dict[str, Any]) -> None:
    assert (known["npoints"], known["dof"], known["seed"]) == (245, 239, 1)
    assert known["chisq"] / known["dof"] == pytest.approx(1.526, abs=0.001)
    assert by_name(known)["Rg"]["value"] == pytest.approx(282.4, abs=0.1)
    assert known["dataset"] == KNOWN_FRAME
    assert known["success"] is True
    assert known["starts"] == pytest.approx([known["chisq"]] * 3, abs=0.01)
    assert known["nfev"] > 3
    assert known["model"] == {"name": "beaucage", "held": {"P": 4.0}}


def test_the_polymer_blend(coil: dict[str, Any]) -> None:
    assert (coil["npoints"], coil["dof"]) == (102, 99)
    assert coil["chisq"] == pytest.approx(BLEND_CHISQ, abs=0.0001)
    found = by_name(coil)
    assert found["Rg"]["value"] == pytest.approx(76.1144, abs=0.0005)
    assert found["Rg"]["error"] == pytest.approx(0.247, abs=0.0005)
    assert (found["I0"]["value"], found["I0"]["error"]) == pytest.approx((73.0977, 0.3634), abs=0.0005)
    assert (found["background"]["value"], found["background"]["error"]) == pytest.approx((0.08566, 0.00595), abs=1e-5)
    assert coil["dataset"] == "ISIS_Polymer_Blend_TK49.xml"


def test_every_start_of_a_coil_arrives(commands: ModuleType, blend: Inputs) -> None:
    reply = commands.debye({**blend, "seed": 7, "starts": 12, "curve": False})
    assert reply["starts"] == pytest.approx([BLEND_CHISQ] * 12, abs=0.001)


def test_all_frames_of_the_annealing_are_fitted_better_than_the_reference(
    commands: ModuleType, annealing: Inputs
) -> None:
    """The fits of docs/examples/annealing.xml; the lowest sum that any starts are known to reach is 74,439.56."""
    common = {**annealing, "starts": 3, "seed": 1, "curve": False}
    replies = [commands.beaucage({**common, "frame": str(frame)}) for frame in range(1, FRAMES + 1)]
    assert len({reply["dataset"] for reply in replies}) == FRAMES
    assert sum(reply["npoints"] for reply in replies) == POINTS
    assert 74_439 < sum(reply["chisq"] for reply in replies) < REFERENCE_CHISQ
    reduced = [reply["chisq"] / reply["dof"] for reply in replies]
    assert statistics.median(reduced) == pytest.approx(1.78, abs=0.01)
    assert (min(reduced), max(reduced)) == pytest.approx((1.218, 3.074), abs=0.01)
    assert all(reply["success"] for reply in replies)


def test_frames_are_numbered_along_the_time(commands: ModuleType, annealing: Inputs) -> None:
    names = [commands.frame_of({**annealing, "frame": frame}).source.name for frame in (1, 2, 3, 6, 170)]
    times = ["30C_0min_0003", "870C_0min_0004", "870C_4min_0005", "870C_17min_0008", "870C_733min_0172"]
    assert names == [f"VTMA13b_2_{time}" for time in times]


# --- chisq, curve, errors


@pytest.mark.parametrize("name", ["known", "coil"])
def test_the_curve_and_its_model_give_the_chisq(name: str, request: pytest.FixtureRequest) -> None:
    reply = request.getfixturevalue(name)
    curve = reply["curve"]
    residuals = [(y - m) / dy for y, m, dy in zip(curve["y"], curve["model"], curve["dy"], strict=True)]
    assert math.fsum(r * r for r in residuals) == pytest.approx(reply["chisq"], rel=1e-4)
    assert curve["x"] == sorted(curve["x"]) and len(curve["x"]) == reply["npoints"]
    normalisation = math.fsum(math.log(2 * math.pi * dy**2) for dy in curve["dy"])
    assert reply["nllf"] == pytest.approx((reply["chisq"] + normalisation) / 2)


@pytest.mark.parametrize(
    ("name", "parameter"), [("known", "Rg"), ("known", "n"), ("coil", "Rg"), ("coil", "background")]
)
def test_refitting_one_error_away_raises_chisq_by_one(
    name: str, parameter: str, commands: ModuleType, annealing: Inputs, blend: Inputs, request: pytest.FixtureRequest
) -> None:
    reply = request.getfixturevalue(name)
    fit = {"known": commands.beaucage, "coil": commands.debye}[name]
    inputs = {"known": {**annealing, "frame": KNOWN_FRAME}, "coil": blend}[name]
    best = {one["input"]: one["value"] for one in reply["parameters"]}
    rises = []
    for sign in (1, -1):
        moved = best[parameter] + sign * by_name(reply)[parameter]["error"]
        refitted = fit({**inputs, **best, parameter: moved, "fix": parameter, "starts": 1, "curve": False})
        rises.append(refitted["chisq"] - reply["chisq"])
        assert refitted["dof"] == reply["dof"] + 1
        assert refitted["model"]["held"][parameter] == moved
    assert statistics.mean(rises) == pytest.approx(1.0, abs=0.1)


def test_a_direction_that_the_curve_does_not_determine_has_no_error(modules: Modules) -> None:
    frame = made_frame(modules, modules["scattering_models"].DEBYE, {"I0": 10.0, "Rg": 50.0, "background": 0.1})
    problem = problem_of(modules, modules["scattering_models"].BEAUCAGE, frame)
    values = {"A": 1e-4, "n": 2.0, "G": 0.0, "Rg": 50.0, "B": 0.0, "P": 4.0, "background": 0.1}
    errors = modules["minimising"].errors_of(problem, values)
    assert [error is None for error in errors] == [False, False, False, True, False, False]
    flat = modules["minimising"].errors_of(problem, {**values, "A": 0.0})
    assert flat[1] is None


@pytest.mark.parametrize("name", ["beaucage", "debye"])
def test_slopes_are_those_of_the_intensity(modules: Modules, name: str) -> None:
    model = modules["scattering_models"].MODELS[name]
    values = {"A": 1e-8, "n": 3.2, "G": 20.0, "Rg": 80.0, "B": 3e-6, "P": 3.7, "I0": 30.0, "background": 0.2}
    q = np.geomspace(1e-3, 0.4, 60)
    for parameter, slope in model.derivatives(q, values).items():
        step = 1e-5 * values[parameter]
        ends = [model.intensity(q, {**values, parameter: values[parameter] + sign * step}) for sign in (1, -1)]
        assert slope == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-5, abs=1e-7 * abs(slope).max())


def test_the_series_of_the_coil_continues_its_formula(modules: Modules) -> None:
    coil = modules["scattering_models"]
    below, above = np.array([0.999e-3]), np.array([1.001e-3])
    assert coil.chain(below) - coil.chain(above) == pytest.approx(2e-6 / 3, rel=1e-3)
    assert coil.chain_slope(above) - coil.chain_slope(below) == pytest.approx(2e-6 / 6, rel=1e-2)
    assert coil.chain(np.array([0.0])) == 1.0


def test_the_unified_equation_has_the_limits_of_guinier_and_of_porod(modules: Modules) -> None:
    model = modules["scattering_models"].BEAUCAGE
    values = {"A": 0.0, "n": 4.0, "G": 100.0, "Rg": 50.0, "B": 1e-5, "P": 4.0, "background": 0.0}
    low, high = np.array([1e-4]), np.array([0.6])
    assert model.intensity(low, values) == pytest.approx(100 * np.exp(-((low * 50) ** 2) / 3), rel=1e-6)
    assert model.intensity(high, values) == pytest.approx(1e-5 * high**-4, rel=1e-6)
    assert model.intensity(high, {**values, "A": 2.0, "background": 3.0}) == pytest.approx(
        1e-5 * high**-4 + 2 * high**-4 + 3, rel=1e-6
    )


# --- the reply


def test_reply_is_plain_json_as_agreed(known: dict[str, Any], coil: dict[str, Any]) -> None:
    for reply in (known, coil):
        assert json.loads(json.dumps(reply, allow_nan=False)) == reply
        keys = {"dataset", "chisq", "npoints", "dof", "nllf", "seed", "success", "nfev", "starts", "parameters"}
        assert set(reply) == keys | {"curve", "model", "versions"}
        assert set(reply["versions"]) == {"numpy", "scipy"}
        for row in reply["parameters"]:
            assert set(row) == {"name", "value", "error", "unit", "min", "max", "start", "input"}
            assert type(row["value"]) is type(row["start"]) is float
    labels = {"kind": "small-angle", "xlabel": "Q", "xunit": "1/Å", "ylabel": "I", "yunit": "1/cm"}
    assert (labels | {"xscale": "log", "yscale": "log", "data": KNOWN_FRAME, "dxkind": "sigma"}).items() <= known[
        "curve"
    ].items()
    assert labels.items() <= coil["curve"].items() and not {"dx", "dxkind"} & set(coil["curve"])
    units = {row["name"]: row["unit"] for row in known["parameters"]}
    assert units == {"A": "1/cm Å^-n", "n": "", "G": "1/cm", "Rg": "Å", "B": "1/cm Å^-P", "background": "1/cm"}
    assert [(by_name(known)[name]["min"], by_name(known)[name]["max"]) for name in ("G", "background", "n")] == [
        (0.0, None),
        (None, None),
        (1.0, 4.0),
    ]


def test_same_input_same_answer(commands: ModuleType, annealing: Inputs, known: dict[str, Any]) -> None:
    inputs = {**annealing, "frame": KNOWN_FRAME, "starts": 3}
    assert commands.beaucage({**inputs, "seed": 1}) == known
    assert commands.beaucage(inputs, new_seed=lambda: 1) == known


def test_fresh_seeds_differ(commands: ModuleType) -> None:
    assert len({commands.fresh_seed() for _ in range(8)}) > 1


def test_the_input_may_name_the_data_set(commands: ModuleType, blend: Inputs) -> None:
    reply = commands.debye({**blend, "dataset": "blend at 25 °C", "seed": 1})
    assert reply["dataset"] == reply["curve"]["data"] == "blend at 25 °C"


# --- starts


def test_a_later_fit_starts_where_an_earlier_one_ended(
    commands: ModuleType, annealing: Inputs, known: dict[str, Any]
) -> None:
    values = {row["input"]: row["value"] for row in known["parameters"]}
    reply = commands.beaucage({**annealing, **values, "frame": "7", "starts": 1, "curve": False})
    assert "seed" not in reply
    assert {row["name"]: row["start"] for row in reply["parameters"]} == values
    assert reply["chisq"] == pytest.approx(372.205, abs=0.01)
    assert reply["nfev"] < 40


def test_the_first_start_is_the_given_one_and_leaves_the_others(modules: Modules) -> None:
    frame = made_frame(modules, modules["scattering_models"].DEBYE, {"I0": 10.0, "Rg": 50.0, "background": 0.1})

    def lengths(**given: float) -> list[float]:
        problem = problem_of(modules, modules["scattering_models"].BEAUCAGE, frame, **given)
        starts, seed = modules["starts"].starts_of(problem, 4, lambda: 5)
        assert seed == {"seed": 5}
        for start in starts:
            assert all(one.low <= start[one.name] <= one.high for one in problem.fitted)
        return [start["Rg"] for start in starts]

    drawn, given = lengths(), lengths(Rg=321.0)
    assert drawn == sorted(drawn) and len(set(drawn)) == 4
    assert given == [321.0, *drawn[1:]]
    narrow = lengths(Rg_min=40.0, Rg_max=60.0)
    assert 40 < narrow[0] < narrow[-1] < 60


def test_amplitudes_of_a_start_are_the_best_for_its_shape(modules: Modules) -> None:
    model = modules["scattering_models"].DEBYE
    frame = made_frame(modules, model, {"I0": 10.0, "Rg": 50.0, "background": -0.1})
    problem = problem_of(modules, model, frame, Rg=50.0)
    (start,), seed = modules["starts"].starts_of(problem, 1, lambda: 0)
    assert start == pytest.approx({"I0": 10.0, "Rg": 50.0, "background": -0.1})
    assert seed == {}


def test_amounts_are_never_negative(modules: Modules) -> None:
    rows = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert modules["problem"].non_negative(rows, np.array([2.0, -3.0])).tolist() == [2.0, 0.0]
    assert modules["problem"].non_negative(0 * rows, np.array([2.0, -3.0])).tolist() == [0.0, 0.0]
    assert len(modules["problem"].non_negative(rows[:0], np.array([1.0, 1.0]))) == 0


def test_two_minima_need_several_starts(commands: ModuleType, annealing: Inputs) -> None:
    """A late frame: the radii of its minima are about 160 and 370 Å, and single starts end in either."""
    chisqs = commands.beaucage({**annealing, "frame": 100, "starts": 6, "seed": 1, "curve": False})["starts"]
    assert max(chisqs) - min(chisqs) > 1


# --- boxes, and what is held


def test_an_end_of_a_box_is_reached_and_said(commands: ModuleType, annealing: Inputs) -> None:
    inputs = {**annealing, "frame": KNOWN_FRAME, "Rg_max": 200.0, "starts": 2, "seed": 1, "curve": False}
    rows = by_name(commands.beaucage(inputs))
    assert rows["Rg"]["value"] == rows["Rg"]["max"] == 200.0


def test_porods_exponent_may_vary(commands: ModuleType, annealing: Inputs, known: dict[str, Any]) -> None:
    reply = commands.beaucage({**annealing, "frame": KNOWN_FRAME, "vary": "P", "seed": 1, "curve": False})
    assert reply["dof"] == known["dof"] - 1
    assert reply["chisq"] == pytest.approx(321.2, abs=0.1)
    assert by_name(reply)["P"]["value"] == pytest.approx(3.60, abs=0.01)


def test_a_level_without_a_power_law(modules: Modules, commands: ModuleType, tmp_path: Path) -> None:
    model = modules["scattering_models"].BEAUCAGE
    values = {"A": 0.0, "n": 4.0, "G": 100.0, "Rg": 50.0, "B": 2e-5, "P": 4.0, "background": 0.1}
    frame = made_frame(modules, model, values)
    path = tmp_path / "level.txt"
    path.write_text("\n".join(f"{q} {i} {e}" for q, i, e in zip(frame.q, frame.intensity, frame.error, strict=True)))
    inputs = {"data": {"a": str(path)}, "fix": "A, n", "A": 0, "n": 4, "seed": 3}
    reply = commands.beaucage(inputs)
    assert {row["name"]: row["value"] for row in reply["parameters"]} == pytest.approx(
        {name: value for name, value in values.items() if name not in ("A", "n", "P")}, rel=1e-4
    )
    assert reply["model"]["held"] == {"A": 0.0, "n": 4.0, "P": 4.0}
    assert (reply["dataset"], by_name(reply)["G"]["unit"]) == ("level.txt", "")


def test_points_from_qmin_to_qmax_are_fitted(commands: ModuleType, blend: Inputs) -> None:
    reply = commands.debye({**blend, "qmin": 0.011, "qmax": 0.1, "seed": 1})
    assert (reply["curve"]["x"][0], reply["npoints"]) == (0.011, len(reply["curve"]["x"]))
    assert reply["curve"]["x"][-1] <= 0.1


# --- a point of a map


def test_chisq_of_a_given_shape(commands: ModuleType, blend: Inputs, coil: dict[str, Any]) -> None:
    start = commands.chisq({**blend, "Rg": 60.0, "I0": 60.0, "background": 0.2})
    assert (start["chisq"], start["npoints"], start["dof"]) == (pytest.approx(43_112.4, abs=0.05), 102, 102)
    best = {one["input"]: one["value"] for one in coil["parameters"]}
    reply = commands.chisq({**blend, **best, "curve": True})
    assert reply["chisq"] == pytest.approx(coil["chisq"])
    assert reply["curve"] == coil["curve"]
    assert "curve" not in start and "curve" in reply


def test_amplitudes_that_are_not_given_are_the_best(commands: ModuleType, blend: Inputs, coil: dict[str, Any]) -> None:
    best = {one["input"]: one["value"] for one in coil["parameters"]}
    reply = commands.chisq({**blend, "Rg": best["Rg"]})
    assert (reply["chisq"], reply["dof"]) == (pytest.approx(coil["chisq"]), 100)
    assert {row["name"]: row["value"] for row in reply["parameters"]} == pytest.approx(best, rel=1e-5)
    one_off = commands.chisq({**blend, "Rg": best["Rg"], "I0": 70.0})
    assert one_off["dof"] == 101 and one_off["chisq"] > reply["chisq"]


def test_chisq_of_the_unified_model(commands: ModuleType, annealing: Inputs, known: dict[str, Any]) -> None:
    values = {one["input"]: one["value"] for one in known["parameters"]}
    inputs = {**annealing, "frame": KNOWN_FRAME, "model": "beaucage"}
    assert commands.chisq({**inputs, **values})["chisq"] == pytest.approx(known["chisq"])
    profile = commands.chisq({**inputs, "n": values["n"], "Rg": values["Rg"]})
    assert profile["chisq"] == pytest.approx(known["chisq"], abs=0.01)
    with pytest.raises(ValueError, match=r"^n: it is held here, so it needs a value: n='…'"):
        commands.chisq({**inputs, "Rg": 300.0})


# --- what is refused


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"Rg": 1000.0, "Rg_max": 500.0}, "Rg: the start 1000 lies outside its box, 3.72093 to 500"),
        ({"Rg_min": 600.0}, "Rg: expected a box with min below max, got 600 to 222.222"),
        ({"Rg_min": 0.0}, "Rg_min: expected a value above 0, got 0"),
        ({"Rg": "long"}, "Rg: expected a number, got 'long'"),
        ({"I0": math.nan}, "I0: expected a number, got nan"),
        ({"fix": "Rg"}, "Rg: it is held here, so it needs a value: Rg='…'"),
        ({"fix": "Rg", "Rg": 0.0}, "Rg: expected a value above 0, got 0"),
        ({"fix": "radius"}, "fix: the model has no 'radius'; it has I0, Rg, background"),
        ({"vary": "P"}, "vary: the model has no 'P'"),
        ({"fix": "I0 Rg background", "I0": 1.0, "Rg": 10.0}, "fix: every parameter is held"),
        ({"seed": -1}, "seed: expected a whole number, 0 or more, got -1"),
        ({"starts": 0}, "starts: expected a whole number, 1 or more, got 0"),
        ({"data": {}}, "data: expected a data set, got none"),
        ({"data": {"a": "x", "b": "y"}}, "data: expected one data set, or one called 'sample', got a, b"),
        ({"qmin": 0.2, "qmax": 0.1}, "qmin: expected a value below qmax, got 0.2 and 0.1"),
        ({"qmin": 0.26}, "ISIS_Polymer_Blend_TK49.xml: expected more points than the 3 fitted parameters, got 1"),
        ({"qmin": 1.0}, "ISIS_Polymer_Blend_TK49.xml: expected points with Q from 1 to inf 1/Å, found none; its 102"),
        ({"frame": "2"}, "frame: expected a number from 1 to 1 for ISIS_Polymer_Blend_TK49.xml, got 2"),
    ],
)
def test_inputs_that_cannot_be_fitted_are_refused_in_words(
    commands: ModuleType, blend: Inputs, inputs: Inputs, words: str
) -> None:
    with pytest.raises(ValueError) as refused:
        commands.debye({**blend, **inputs})
    assert str(refused.value).startswith(words)


def test_the_data_set_to_fit_may_be_one_of_several(commands: ModuleType, blend: Inputs) -> None:
    path = blend["data"]["blend"]
    assert commands.debye({"data": {"other": "x", "sample": path}, "seed": 1})["npoints"] == 102


def test_a_start_of_no_finite_chisq_is_refused(modules: Modules) -> None:
    model = modules["scattering_models"].DEBYE
    problem = problem_of(modules, model, made_frame(modules, model, {"I0": 1.0, "Rg": 50.0, "background": 0.1}))
    with pytest.raises(ValueError, match=r"^chisq is not finite at the start"):
        modules["minimising"].minimised(problem, {"I0": 1e300, "Rg": 50.0, "background": 0.0})


@pytest.mark.parametrize(
    "name", ["apoferritin.txt", "hSDS_D2O_2p0_percent.xml", "Lew_Sa3_DSM_QinA.h5", "FK403_0006_Nika.hdf"]
)
def test_curves_of_other_kinds_end_in_a_whole_reply(
    commands: ModuleType, needs: Callable[[str], str], name: str
) -> None:
    """The model does not suit them, and the fits end all the same."""
    reply = commands.beaucage({"data": {"a": str(measured(needs, name))}, "starts": 4, "seed": 1})
    json.dumps(reply, allow_nan=False)
    assert reply["chisq"] == min(reply["starts"])


# --- frames that are made here


def made_frame(modules: Modules, model: Any, values: dict[str, float]) -> Any:
    """Compute a curve without noise, with errors of a hundredth."""
    frames = modules["frames"]
    q = np.geomspace(0.003, 0.5, 80)
    intensity = model.intensity(q, values)
    source = frames.Source.of("made.txt", "", 1, "line")
    return frames.Frame(source, np.arange(1, 81), q, intensity, abs(intensity) / 100)


def problem_of(modules: Modules, model: Any, frame: Any, **inputs: float) -> Any:
    """Make the problem of fitting a model to a frame."""
    return modules["problem"].Problem(model, frame, modules["model_numbers"].numbers_of(model, inputs, frame))
