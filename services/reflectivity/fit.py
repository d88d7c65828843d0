"""Fits a slab model to a specular reflectivity curve with refnx, or computes chisq of one given model.

    input  ─▶ slabs_of ─▶ start (given, or drawn in the box from the seed) ─▶ refnx least_squares ─▶ reply

Guarantees: the same input with the same seed gives the same answer; a reply holds finite numbers and None.
chisq is the plain sum of squared residuals over errors, dof the points less the fitted parameters, nllf the
negative log-likelihood with its normalisation, (chisq + Σ ln 2π dR²) / 2.  Errors are one standard deviation
from refnx's covariance, (J'J)⁻¹ at the optimum.  They are NOT scaled by reduced chi-square: refnx does that
only for data without errors, and a curve here always has them.  A parameter without
effect has error None.
"""

from __future__ import annotations

import math
import secrets
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curve_file import Curve, read_curve
from slab_model import Slabs, number, objective_of, slabs_of

if TYPE_CHECKING:
    from refnx.analysis import Objective

DATA = "film"  # the data set to fit where a job has more than one
PROFILE_POINTS = 200


def fresh_seed() -> int:
    """Draw a seed for a random start of which the input says nothing."""
    return secrets.randbits(32)


def fit(inputs: Mapping[str, object], new_seed: Callable[[], int] = fresh_seed) -> dict[str, object]:
    """Fit the model to the curve and reply with chisq, parameters, curve, layers and profile.

    `inputs` are the typed attributes of the `<input>` (service.toml says which) and `data`, {name: path}.
    Every fitted number starts at its attribute, or is drawn uniformly in its box from `seed`.
    Raises ValueError, with a sentence, for inputs or a file that cannot be fitted.
    """
    name, curve = curve_of(inputs)
    slabs = slabs_of(inputs)
    check_dof(len(slabs.fitted), len(curve.q), name)
    slabs, seed = started(slabs, inputs, new_seed)
    objective, parameters = objective_of(slabs, curve, number(inputs, "resolution", 5.0))
    result = minimised(objective)
    reply = summary(objective, len(slabs.fitted)) | seed
    reply |= {"success": bool(result.success), "nfev": int(result.nfev)}
    reply |= {"parameters": parameter_rows(slabs, parameters)}
    reply |= pictures(inputs, objective, curve, name)
    return reply | {"model": {"layers": layers_of(objective)}, "versions": versions()}


def chisq(inputs: Mapping[str, object]) -> dict[str, object]:
    """Compute chisq of the given model without fitting: a point of a scan or of a map.

    Numbers that the input does not give have the model's defaults; nothing is fitted, so that dof is npoints.
    The curve comes along only if `curve` is true.  Raises ValueError as `fit` does.
    """
    name, curve = curve_of(inputs)
    slabs = slabs_of(inputs, holds_all=True)
    objective, _ = objective_of(slabs, curve, number(inputs, "resolution", 5.0))
    values = [
        {"name": one.name, "value": one.value, "unit": one.unit, "input": one.attribute} for one in slabs.quantities
    ]
    reply = summary(objective, 0) | {"parameters": values}
    return reply | pictures({"curve": False, **inputs}, objective, curve, name)


def curve_of(inputs: Mapping[str, object]) -> tuple[str, Curve]:
    """Read the job's data set: the only one, or the one called film; raises ValueError or OSError."""
    data = inputs.get("data")
    if not isinstance(data, Mapping) or not data:
        raise ValueError("data: expected a data set, got none; write <data name='film' href='…'/>")
    if len(data) > 1 and DATA not in data:
        raise ValueError(f"data: expected one data set, or one called {DATA!r}, got {', '.join(data)}")
    name = DATA if DATA in data else next(iter(data))
    return str(name), read_curve(Path(data[name]))


def check_dof(parameters: int, points: int, name: str) -> None:
    """Refuse a fit of nothing, and one with fewer points than parameters."""
    if not parameters:
        raise ValueError("fix: every parameter is held, nothing is left to fit; to compute a point use `chisq`")
    if points <= parameters:
        raise ValueError(f"{name}: expected more points than the {parameters} fitted parameters, got {points}")


def started(slabs: Slabs, inputs: Mapping[str, object], new_seed: Callable[[], int]) -> tuple[Slabs, dict[str, object]]:
    """Put the fitted numbers at their start; gives {"seed": …} too, or {} where every start was given.

    A start is drawn for every fitted number, given or not, so that giving one leaves the others as they were.
    """
    if all(one.is_given for one in slabs.fitted):
        return slabs, {}
    from numpy.random import default_rng

    seed = seed_of(inputs, new_seed)
    lows, highs = [one.minimum for one in slabs.fitted], [one.maximum for one in slabs.fitted]
    drawn = zip(slabs.fitted, default_rng(seed).uniform(lows, highs), strict=True)
    starts = {one.name: float(value) for one, value in drawn if not one.is_given}
    quantities = tuple(replace(one, value=starts.get(one.name, one.value)) for one in slabs.quantities)
    return replace(slabs, quantities=quantities), {"seed": seed}


def seed_of(inputs: Mapping[str, object], new_seed: Callable[[], int]) -> int:
    """Read the seed, or draw one where the input has none."""
    given = inputs.get("seed")
    if given is None:
        return new_seed()
    if not isinstance(given, int) or given < 0:
        raise ValueError(f"seed: expected a whole number, 0 or more, got {given!r}")
    return given


def minimised(objective: Objective) -> Any:
    """Minimise chisq inside the boxes (trust region reflective) and leave the objective at the minimum."""
    from refnx.analysis import CurveFitter
    from scipy.linalg import LinAlgWarning

    with warnings.catch_warnings():
        # refnx warns of a parameter without effect; the reply says so by an error of None.
        warnings.simplefilter("ignore", LinAlgWarning)
        result = CurveFitter(objective).fit("least_squares")
    objective.setp(result.x)  # refnx leaves the last trial step there when it did not converge
    return result


def summary(objective: Objective, parameters: int) -> dict[str, object]:
    """Give chisq, npoints, dof and nllf as the objective stands; raises ValueError if not finite."""
    residuals = objective.residuals()
    total = float(residuals @ residuals)
    if not math.isfinite(total):
        raise ValueError(f"chisq is {total} at this point of the model: check thicknesses and roughnesses")
    normalisation = sum(math.log(2 * math.pi * error**2) for error in objective.data.y_err)
    points = len(residuals)
    nllf = (total + normalisation) / 2
    return {"chisq": total, "npoints": points, "dof": points - parameters, "nllf": nllf}


def parameter_rows(slabs: Slabs, parameters: Mapping[str, Any]) -> list[dict[str, object]]:
    """List the fitted parameters: value, error, unit, box, start, and the attribute that carries a start value."""
    return [
        {
            "name": one.name,
            "value": float(parameters[one.attribute].value),
            "error": error_of(parameters[one.attribute].stderr),
            "unit": one.unit,
            "min": one.minimum,
            "max": one.maximum,
            "start": one.value,
            "input": one.attribute,
        }
        for one in slabs.fitted
    ]


def error_of(deviation: float | None) -> float | None:
    """Give a standard deviation, or None where the curve does not determine one.

    >>> error_of(0.1), error_of(0.0), error_of(float("nan"))
    (0.1, None, None)
    """
    return None if deviation is None or not 0 < deviation < math.inf else float(deviation)


def pictures(
    inputs: Mapping[str, object], objective: Objective, curve: Curve, name: str
) -> dict[str, dict[str, object]]:
    """Give what is drawn, the curve with its model and the SLD profile; nothing for curve=false."""
    if not inputs.get("curve", True):
        return {}
    z, sld = objective.model.structure.sld_profile()
    step = max(1, len(z) // PROFILE_POINTS)
    drawn = {
        "x": list(curve.q),
        "y": list(curve.r),
        "dy": list(curve.dr),
        "model": rounded(objective.generative()),
    }
    labels: dict[str, object] = {"kind": "reflectivity", "data": name, "yscale": "log"}
    labels |= {"xlabel": "Q", "xunit": "1/Å", "ylabel": "R"}
    labels |= {"dx": list(curve.dq), "dxkind": "FWHM"} if curve.dq else {}
    return {"curve": drawn | labels, "profile": {"z": rounded(z[::step]), "sld": rounded(sld[::step])}}


def rounded(values: Sequence[float]) -> list[float]:
    """Keep seven digits of computed points: enough to draw, half the bytes of a reply.

    >>> rounded([1 / 3, 2e-7 / 3])
    [0.3333333, 6.666667e-08]
    """
    return [float(f"{value:.7g}") for value in values]


def layers_of(objective: Objective) -> list[dict[str, object]]:
    """List the slabs from substrate to solvent as they stand."""
    return [
        {
            "name": slab.sld.name,
            "thickness": float(slab.thick.value),
            "sld": float(slab.sld.real.value),
            "roughness": float(slab.rough.value),
        }
        for slab in objective.model.structure
    ]


def versions() -> dict[str, str]:
    """Name the libraries that the answer depends on."""
    import numpy
    import refnx
    import scipy

    return {"refnx": refnx.__version__, "numpy": numpy.__version__, "scipy": scipy.__version__}
