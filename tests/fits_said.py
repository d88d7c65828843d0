"""What a service says of a fit, as large as a real one: four hundred points, nine parameters and a profile."""

from __future__ import annotations

import json
import math
import random


def said(seed: int, chisq: float, points: int = 408) -> str:
    """Return the output of one start; the same seed says the same."""
    draw = random.Random(seed)
    x = [0.005 + 0.3 * place / points for place in range(points)]
    y = [draw.uniform(0.9, 1.1) / (1 + (q / 0.02) ** 4) for q in x]
    curve = {
        "x": x,
        "y": y,
        "dy": [0.05 * value for value in y],
        "dx": [0.02 * q for q in x],
        "model": [1 / (1 + (q / 0.02) ** 4) for q in x],
        "xlabel": "Q",
        "xunit": "1/Å",
        "ylabel": "R",
        "yscale": "log",
        "kind": "reflectivity",
    }
    parameters = [
        {"name": f"layer {number}", "value": draw.uniform(0, 300), "error": 0.4, "unit": "Å", "min": 0, "max": 300}
        for number in range(9)
    ]
    profile = {"z": [float(z) for z in range(200)], "sld": [2 + math.tanh(z / 30 - 3) for z in range(200)]}
    head = {"chisq": chisq, "npoints": points, "dof": points - len(parameters), "seed": seed}
    return json.dumps({**head, "parameters": parameters, "curve": curve, "profile": profile})
