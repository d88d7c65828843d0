"""Fits a model to one frame of small-angle scattering, or computes chisq of given shapes.

    input  ─▶ frame, cut to qmin … qmax ─▶ starts, given or drawn ─▶ least squares from each ─▶ reply of the best

Guarantees: the same input with the same seed gives the same answer; a reply holds finite numbers and None.
chisq is the plain sum of squared residuals over errors, dof the points less the fitted parameters, nllf the negative
log-likelihood with its normalisation, (chisq + Σ ln 2π dI²) / 2.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from frame_files import read_frame
from frames import Frame, within
from minimising import Minimum, Start, errors_of, minimised
from model_numbers import given, numbers_of, shape_of
from problem import Problem
from scattering_models import BEAUCAGE, DEBYE, MODELS, Model, Values
from starts import starts_of

DATA = "sample"  # the data set to fit where a job has more than one
Inputs = Mapping[str, object]


def fresh_seed() -> int:
    """Draw a seed for random starts of which the input says nothing."""
    return secrets.randbits(32)


def beaucage(inputs: Inputs, new_seed: Callable[[], int] = fresh_seed) -> dict[str, object]:
    """Fit power law, one Beaucage level and background; reply with the best of the starts.

    `inputs` are the typed attributes of the `<input>` (service.toml says which) and `data`, {name: path}.
    Raises ValueError, with a sentence, for inputs or a file that cannot be fitted.
    """
    return fitted(BEAUCAGE, inputs, new_seed)


def debye(inputs: Inputs, new_seed: Callable[[], int] = fresh_seed) -> dict[str, object]:
    """Fit the Debye function of a polymer coil and background; as `beaucage`."""
    return fitted(DEBYE, inputs, new_seed)


def chisq(inputs: Inputs) -> dict[str, object]:
    """Compute chisq of a given shape without fitting it: a point of a scan or of a map.

    Amplitudes that the input does not give are those with the smallest chisq.  Raises ValueError as `beaucage` does.
    """
    model = MODELS[str(inputs.get("model", DEBYE.name))]
    frame = frame_of(inputs)
    problem = Problem(model, frame, shape_of(model, inputs, frame))
    check_dof(problem)
    values = problem.held | problem.amplitudes(problem.held, [one.name for one in problem.fitted])
    reply: dict[str, object] = {"dataset": label_of(inputs, frame)} | summary(problem, values)
    reply["parameters"] = [
        {"name": one.name, "value": values[one.name], "unit": one.unit, "input": one.name} for one in problem.numbers
    ]
    return reply | picture({"curve": False, **inputs}, problem, values)


def fitted(model: Model, inputs: Inputs, new_seed: Callable[[], int]) -> dict[str, object]:
    """Fit a model from every start and make the reply of the best."""
    frame = frame_of(inputs)
    problem = Problem(model, frame, numbers_of(model, inputs, frame))
    if not problem.fitted:
        raise ValueError("fix: every parameter is held, nothing is left to fit; to compute a point use `chisq`")
    check_dof(problem)
    starts, seed = starts_of(problem, whole(inputs, "starts", 1, 1), lambda: seed_of(inputs, new_seed))
    ends = [minimised(problem, start) for start in starts]
    start, best = min(zip(starts, ends, strict=True), key=lambda pair: pair[1].chisq)
    reply = {"dataset": label_of(inputs, frame)} | summary(problem, best.values) | seed
    reply |= {"success": best.success, "nfev": sum(end.nfev for end in ends), "starts": [end.chisq for end in ends]}
    reply |= {"parameters": parameter_rows(problem, best, start)} | picture(inputs, problem, best.values)
    return reply | {"model": {"name": model.name, "held": problem.held}, "versions": versions()}


def frame_of(inputs: Inputs) -> Frame:
    """Read the frame and the points of it that are meant; raises ValueError or OSError."""
    data = inputs.get("data")
    if not isinstance(data, Mapping) or not data:
        raise ValueError("data: expected a data set, got none; write <data name='sample' href='…'/>")
    if len(data) > 1 and DATA not in data:
        raise ValueError(f"data: expected one data set, or one called {DATA!r}, got {', '.join(data)}")
    path = Path(str(data[DATA] if DATA in data else next(iter(data.values()))))
    wanted = inputs.get("frame")
    select, q_unit = str(inputs.get("select", "")), str(inputs.get("q_unit", "1/Å"))
    frame = read_frame(path, None if wanted is None else str(wanted), select, q_unit)
    return within(frame, given(inputs, "qmin"), given(inputs, "qmax"))


def label_of(inputs: Inputs, frame: Frame) -> str:
    """Name what the job is about: as the input says, else as the frame is called."""
    return str(inputs.get("dataset") or frame.source.name)


def check_dof(problem: Problem) -> None:
    """Refuse fewer points than parameters."""
    points, parameters = len(problem.frame.q), len(problem.fitted)
    if points <= parameters:
        where = problem.frame.source.where
        raise ValueError(f"{where}: expected more points than the {parameters} fitted parameters, got {points}")


def seed_of(inputs: Inputs, new_seed: Callable[[], int]) -> int:
    """Read the seed, or draw one where the input has none."""
    return new_seed() if inputs.get("seed") is None else whole(inputs, "seed", 0, 0)


def whole(inputs: Inputs, name: str, default: int, least: int) -> int:
    """Read a whole number of an input; raises ValueError.

    >>> whole({"starts": 3}, "starts", 1, 1), whole({}, "starts", 1, 1)
    (3, 1)
    """
    number = inputs.get(name, default)
    if not isinstance(number, int) or number < least:
        raise ValueError(f"{name}: expected a whole number, {least} or more, got {number!r}")
    return number


def summary(problem: Problem, values: Values) -> dict[str, object]:
    """Give chisq, npoints, dof and nllf of a model as it stands; raises ValueError if not finite."""
    total = problem.chisq(values)
    if not math.isfinite(total):
        raise ValueError(f"chisq is {total} at this point of the model: check its values")
    points = len(problem.frame.q)
    nllf = (total + float(np.log(2 * np.pi * problem.frame.error**2).sum())) / 2
    return {"chisq": total, "npoints": points, "dof": points - len(problem.fitted), "nllf": nllf}


def parameter_rows(problem: Problem, best: Minimum, start: Start) -> list[dict[str, object]]:
    """List the fitted parameters: value, error, unit, box, start, and the attribute that a later fit may start by."""
    return [
        {
            "name": one.name,
            "value": best.values[one.name],
            "error": error,
            "unit": one.unit,
            "min": one.low if math.isfinite(one.low) else None,
            "max": one.high if math.isfinite(one.high) else None,
            "start": start[one.name],
            "input": one.name,
        }
        for one, error in zip(problem.fitted, errors_of(problem, best.values), strict=True)
    ]


def picture(inputs: Inputs, problem: Problem, values: Values) -> dict[str, object]:
    """Give what is drawn, the curve with its model; nothing for curve=false."""
    if not inputs.get("curve", True):
        return {}
    frame = problem.frame
    drawn: dict[str, object] = {"x": frame.q.tolist(), "y": frame.intensity.tolist(), "dy": frame.error.tolist()}
    drawn |= {} if frame.dq is None else {"dx": frame.dq.tolist(), "dxkind": "sigma"}
    drawn |= {"model": rounded(problem.model.intensity(frame.q, values).tolist())}
    drawn |= {"kind": "small-angle", "data": label_of(inputs, frame), "xscale": "log", "yscale": "log"}
    return {"curve": drawn | {"xlabel": "Q", "xunit": "1/Å", "ylabel": "I", "yunit": frame.unit}}


def rounded(values: Sequence[float]) -> list[float]:
    """Keep seven digits of computed points: enough to draw, half the bytes of a reply.

    >>> rounded([1 / 3, 2e-7 / 3])
    [0.3333333, 6.666667e-08]
    """
    return [float(f"{value:.7g}") for value in values]


def versions() -> dict[str, str]:
    """Name the libraries that the answer depends on."""
    import scipy

    return {"numpy": np.__version__, "scipy": scipy.__version__}
