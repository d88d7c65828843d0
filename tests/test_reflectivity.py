"""Tests of the reflectivity service on real data: the PLATYPUS film whose best fit two libraries agree on."""

# ruff: noqa: F811  (fixtures are imported, and named again where they are asked for)
from __future__ import annotations

import json
import math
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from reflectivity_service import (  # noqa: F401
    BEST_CHISQ,
    BEST_THICKNESS,
    FILM,
    QUICK_SEED,
    chisq,
    fit,
    measured,
    modules,
    quick,
)

pytest.importorskip("refnx", reason="the reflectivity service needs the extra `fit`")


def by_name(reply: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Look parameters up by name."""
    return {parameter["name"]: parameter for parameter in reply["parameters"]}


# --- the answer


def test_a_good_start_reaches_the_known_optimum(quick: dict[str, Any]) -> None:
    assert quick["chisq"] == pytest.approx(BEST_CHISQ, abs=0.05)
    assert (quick["npoints"], quick["dof"], quick["seed"]) == (408, 399, QUICK_SEED)
    assert quick["success"] is True
    assert quick["nfev"] > 1
    found = {name: parameter["value"] for name, parameter in by_name(quick).items()}
    assert found["film thickness"] == pytest.approx(BEST_THICKNESS, abs=0.5)
    assert found["film SLD"] == pytest.approx(2.4263, abs=0.01)
    assert found["oxide thickness"] == pytest.approx(39.1, abs=0.5)
    assert found["solvent SLD"] == pytest.approx(6.372, abs=0.005)


def test_chisq_at_the_reference_optimum(chisq: Any) -> None:
    reply = chisq(FILM)
    assert reply["chisq"] == pytest.approx(BEST_CHISQ, abs=0.05)
    assert (reply["npoints"], reply["dof"]) == (408, 408)
    assert "curve" not in reply
    assert chisq({**FILM, "film_thickness": 200})["chisq"] > 10_000


def test_fit_from_the_optimum_stays_there(fit: Any, modules: dict[str, ModuleType]) -> None:
    start = {one.attribute: one.value for one in modules["slab_model"].slabs_of({}).quantities}
    reply = fit({**FILM, **start})
    assert reply["chisq"] == pytest.approx(BEST_CHISQ, abs=0.001)
    assert "seed" not in reply
    assert by_name(reply)["film thickness"]["start"] == start["film_thickness"]


def test_a_later_fit_starts_where_the_rows_say(fit: Any, chisq: Any, quick: dict[str, Any]) -> None:
    values = {row["input"]: row["value"] for row in quick["parameters"]}
    again = fit({**FILM, **values, "curve": False})
    assert again["chisq"] == pytest.approx(quick["chisq"], rel=1e-6)
    assert [row["start"] for row in again["parameters"]] == list(values.values())
    assert {row["input"] for row in chisq(FILM)["parameters"]} >= set(values)


def test_the_curve_and_its_model_give_the_chisq(quick: dict[str, Any]) -> None:
    curve = quick["curve"]
    residuals = [(y - m) / dy for y, m, dy in zip(curve["y"], curve["model"], curve["dy"], strict=True)]
    assert math.fsum(r * r for r in residuals) == pytest.approx(quick["chisq"], rel=1e-5)
    assert len(curve["x"]) == len(curve["dx"]) == quick["npoints"]
    assert curve["x"] == sorted(curve["x"])
    normalisation = math.fsum(math.log(2 * math.pi * dy**2) for dy in curve["dy"])
    assert quick["nllf"] == pytest.approx((quick["chisq"] + normalisation) / 2)


def test_nllf_is_refnx_own(modules: dict[str, ModuleType]) -> None:
    slabs = modules["slab_model"].slabs_of({})
    _, curve = modules["fit"].curve_of(FILM)
    objective, _ = modules["slab_model"].objective_of(slabs, curve, 5.0)
    summary = modules["fit"].summary(objective, 9)
    assert summary["nllf"] == pytest.approx(objective.nll())
    assert summary["chisq"] == pytest.approx(objective.chisqr())


def test_errors_are_those_of_the_covariance_unscaled(quick: dict[str, Any]) -> None:
    assert by_name(quick)["film thickness"]["error"] == pytest.approx(0.2365, rel=0.02)
    assert all(parameter["error"] > 0 for parameter in quick["parameters"])


def test_refitting_one_error_away_raises_chisq_by_one(fit: Any, quick: dict[str, Any]) -> None:
    film = by_name(quick)["film thickness"]
    best = {name.lower().replace(" ", "_"): one["value"] for name, one in by_name(quick).items()}
    away = {**best, "film_thickness": film["value"] + film["error"]}
    reply = fit({**FILM, **away, "fix": "film_thickness", "curve": False})
    assert reply["chisq"] - quick["chisq"] == pytest.approx(1.0, abs=0.1)
    assert reply["dof"] == 400


def test_layers_and_profile_follow_the_parameters(quick: dict[str, Any]) -> None:
    names = [layer["name"] for layer in quick["model"]["layers"]]
    assert names == ["substrate", "oxide", "film", "solvent"]
    film = quick["model"]["layers"][2]
    assert film["thickness"] == by_name(quick)["film thickness"]["value"]
    profile = quick["profile"]
    assert len(profile["z"]) == len(profile["sld"]) >= 100
    assert profile["sld"][0] == pytest.approx(2.07, abs=0.01)
    assert profile["sld"][-1] == pytest.approx(by_name(quick)["solvent SLD"]["value"], abs=0.01)


def test_reply_is_plain_json_as_agreed(quick: dict[str, Any]) -> None:
    again = json.loads(json.dumps(quick, allow_nan=False))
    assert again == quick
    keys = {"chisq", "npoints", "dof", "nllf", "seed", "success", "nfev", "parameters", "curve", "model"}
    assert set(quick) == keys | {"versions", "profile"}
    assert set(quick["parameters"][0]) == {"name", "value", "error", "unit", "min", "max", "start", "input"}
    curve = {"xlabel": "Q", "xunit": "1/Å", "ylabel": "R", "yscale": "log", "data": "film"}
    assert (curve | {"kind": "reflectivity", "dxkind": "FWHM"}).items() <= quick["curve"].items()
    assert set(quick["versions"]) == {"refnx", "numpy", "scipy"}


# --- starts


def test_same_seed_same_answer(fit: Any, quick: dict[str, Any]) -> None:
    assert fit({**FILM, "seed": QUICK_SEED}) == quick


def test_without_a_seed_one_is_drawn_and_reported(fit: Any, quick: dict[str, Any]) -> None:
    assert fit(FILM, new_seed=lambda: QUICK_SEED) == quick


def test_fresh_seeds_differ(modules: dict[str, ModuleType]) -> None:
    assert len({modules["fit"].fresh_seed() for _ in range(8)}) > 1


def test_starts_are_drawn_inside_the_box_and_a_given_one_leaves_the_others(
    modules: dict[str, ModuleType],
) -> None:
    started, slabs_of = modules["fit"].started, modules["slab_model"].slabs_of

    def starts(inputs: dict[str, object]) -> dict[str, float]:
        slabs, _ = started(slabs_of(inputs), inputs, lambda: 1)
        assert all(one.minimum <= one.value <= one.maximum for one in slabs.fitted)
        return {one.attribute: one.value for one in slabs.fitted}

    drawn, given = starts({"seed": 7}), starts({"seed": 7, "film_thickness": 111.0})
    assert given == {**drawn, "film_thickness": 111.0}
    narrow = starts({"seed": 7, "film_sld_min": 2.0, "film_sld_max": 2.1})
    assert 2.0 <= narrow["film_sld"] <= 2.1


# --- other models


def test_layers_of_other_names_get_their_own_parameters(fit: Any) -> None:
    inputs = {
        **FILM,
        "layers": "oxide, primer Film",
        "seed": 1,
        "curve": False,
        "fix": "primer_sld primer_sld",
    }
    inputs |= {"primer_thickness": "20", "primer_sld": "1.5", "primer_thickness_max": "40"}
    reply = fit({**inputs, "vary": "oxide_sld"})
    rows = by_name(reply)
    assert [layer["name"] for layer in reply["model"]["layers"]][1:-1] == ["oxide", "primer", "Film"]
    assert (rows["primer thickness"]["start"], rows["primer thickness"]["max"]) == (20.0, 40.0)
    assert "primer SLD" not in rows
    assert {"oxide SLD", "Film thickness", "primer roughness"} <= set(rows)
    assert reply["model"]["layers"][2]["sld"] == 1.5


def test_data_without_resolution_use_the_constant_one(fit: Any, chisq: Any) -> None:
    inputs = measured("e361r.txt")
    reply = fit({**inputs, "seed": 3})
    assert not {"dx", "dxkind"} & set(reply["curve"])
    assert chisq({**inputs, "resolution": 5.0})["chisq"] != chisq({**inputs, "resolution": 1.0})["chisq"]


def test_a_parameter_without_effect_has_no_error(modules: dict[str, ModuleType]) -> None:
    assert [modules["fit"].error_of(value) for value in (0.0, math.inf, math.nan, None)] == [None] * 4


# --- what is refused


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"film_thickness": 700}, "film_thickness: the start 700 lies outside its box, 50 to 500"),
        ({"film_thickness_min": 600}, "film_thickness: expected a box with min below max, got 600 to 500"),
        ({"film_thickness": "thick"}, "film_thickness: expected a number, got 'thick'"),
        ({"film_sld": math.nan}, "film_sld: expected a number, got nan"),
        ({"fix": "film_colour"}, "fix: the model has no 'film_colour'; it has scale, background"),
        ({"vary": "density"}, "vary: the model has no 'density'"),
        ({"layers": " , "}, "layers: expected different names"),
        ({"layers": "film Film"}, "layers: expected different names"),
        ({"layers": "solvent"}, "layers: expected different names other than substrate, solvent"),
        ({"seed": -1}, "seed: expected a whole number, 0 or more, got -1"),
        ({"data": {}}, "data: expected a data set, got none"),
        ({"data": {"a": "x", "b": "y"}}, "data: expected one data set, or one called 'film', got a, b"),
    ],
)
def test_inputs_that_cannot_be_fitted_are_refused_in_words(fit: Any, inputs: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match="^" + words):
        fit({**FILM, **inputs})


def test_nothing_left_to_fit_is_refused(fit: Any, modules: dict[str, ModuleType]) -> None:
    every = " ".join(one.attribute for one in modules["slab_model"].slabs_of({}).quantities)
    with pytest.raises(ValueError, match="every parameter is held"):
        fit({**FILM, "fix": every})


def test_fewer_points_than_parameters_are_refused(fit: Any, tmp_path: Path) -> None:
    path = tmp_path / "short.txt"
    path.write_text("0.01 1 0.1\n0.02 0.5 0.1\n")
    with pytest.raises(ValueError, match="film: expected more points than the 9 fitted parameters, got 2"):
        fit({"data": {"film": str(path)}})


def test_a_point_outside_the_box_can_be_computed(chisq: Any) -> None:
    assert math.isfinite(chisq({**FILM, "film_thickness": 800.0})["chisq"])


# --- the whole multi-start


@pytest.mark.prove
def test_48_random_starts_find_the_optimum(fit: Any) -> None:
    replies = [fit({**FILM, "seed": seed, "curve": False}) for seed in range(48)]
    assert QUICK_SEED in {reply["seed"] for reply in replies if reply["chisq"] < 967}
    best = min(replies, key=lambda reply: reply["chisq"])
    assert best["chisq"] == pytest.approx(BEST_CHISQ, abs=0.05)
    assert by_name(best)["film thickness"]["value"] == pytest.approx(BEST_THICKNESS, abs=0.5)
    assert not [reply for reply in replies if reply["chisq"] < BEST_CHISQ - 0.05]
