"""JSON as the API answers for charts: a search of 48 starts, a batch, maps, and what nobody should send."""

from __future__ import annotations

import math
import random
from typing import Any

SID = "20261126T060000Z-demo-0001"
HOSTILE = "<img src=x onerror=alert(1)>"


def fit_of(reply: dict[str, Any], job: int = 45, **more: Any) -> dict[str, Any]:
    """Give the answer for one fit, made of a service's reply."""
    kept = ("chisq", "npoints", "dof", "parameters", "curve", "profile")
    said = {"sid": SID, "group": "film", "job": job, "label": f"job {job}"}
    reduced = {"reduced_chisq": reply["chisq"] / reply["dof"]}
    return said | reduced | {name: reply[name] for name in kept} | more


def searched(jobs: int = 48) -> dict[str, Any]:
    """Give the history of a search that lasted two minutes, the same each time."""
    draw = random.Random(6)
    rows = sorted([1_795_673_000 + 3 * job + draw.random() * 4, 10 ** draw.uniform(3, 5), job] for job in range(jobs))
    steps: list[dict[str, Any]] = []
    for finished, chisq, job in rows:
        if not steps or chisq < steps[-1]["chisq"]:
            steps.append({"job": job, "finished": finished, "chisq": chisq, "node": "node1"})
    return {"sid": SID, "group": "film", "name": "film", "steps": steps, "jobs": rows}


def spread_out(reply: dict[str, Any], jobs: int = 48) -> dict[str, Any]:
    """Give where each parameter of a fit ended, for every start."""
    draw = random.Random(7)

    def strip(row: dict[str, Any]) -> dict[str, Any]:
        width = row["max"] - row["min"]
        values = [[row["min"] + draw.random() * width, 10 ** draw.uniform(3, 5), job] for job in range(2, jobs + 1)]
        kept = {name: row[name] for name in ("name", "unit", "min", "max")}
        return kept | {"values": [[row["value"], reply["chisq"], 1], *values]}

    return {"sid": SID, "group": "film", "parameters": [strip(row) for row in reply["parameters"]]}


def batch(frames: int = 170) -> dict[str, Any]:
    """Give the columns of a batch: a film that swells while it is heated."""
    draw = random.Random(8)
    numbers = range(frames)
    columns = [
        column(
            "thickness", "Å", "parameter", [250 + 60 * (1 - math.exp(-i / 40)) + draw.gauss(0, 1.5) for i in numbers]
        ),
        column("reduced chi-square", "", "chisq", [1 + draw.random() for _ in numbers]),
        column("temperature", "K", "metadata", [300 + 0.7 * i for i in numbers]),
        column("state", "", "metadata", ["heating" if i < 60 else "holding" for i in numbers]),
    ]
    columns[0]["errors"] = [1.5] * frames
    return {"sid": SID, "group": "anneal", "labels": [f"frame {i + 1}" for i in numbers], "columns": columns}


def column(name: str, unit: str, kind: str, values: list[Any]) -> dict[str, Any]:
    """Give one column without errors."""
    return {"name": name, "unit": unit, "kind": kind, "values": values, "errors": None}


def mapped(*sizes: int) -> dict[str, Any]:
    """Give a map of a parabola over so many axes, with one empty cell where there is more than one axis."""
    names = ("thickness", "roughness", "scale")
    axes = [
        {"name": name, "values": [str(10 * i) for i in range(size)]} for name, size in zip(names, sizes, strict=False)
    ]
    places: list[tuple[int, ...]] = [()]
    for size in sizes:
        places = [(*place, i) for place in places for i in range(size)]
    middle = [size // 2 for size in sizes]
    chisq: list[float | None] = [
        100 + 3 * sum((i - m) ** 2 for i, m in zip(place, middle, strict=True)) for place in places
    ]
    if len(sizes) > 1:
        chisq[0] = None
    point = {axis["name"]: axis["values"][m] for axis, m in zip(axes, middle, strict=True)}
    regions = [{"confidence": 0.683, "delta": 2.3}, {"confidence": 0.954, "delta": 6.18}]
    shown = {"axes": axes, "cells": len(chisq), "chisq": chisq, "minima": [{"chisq": 100, "point": point}]}
    return {"sid": SID, "group": "film", "joblist": 1, "profiles": [], "regions": regions} | shown


def curve(**columns: Any) -> dict[str, Any]:
    """Give a fit whose curve has just these columns."""
    return {"sid": SID, "label": "odd", "curve": columns}


ODD: dict[str, tuple[str, Any]] = {
    "nothing": ("fit", None),
    "a list": ("fit", []),
    "a curve that is null": ("fit", {"curve": None}),
    "a curve that is a word": ("fit", {"curve": "none"}),
    "no JSON": ("fit", "<html>proxy</html>"),
    "numbers that are none": ("fit", '{"curve": {"x": [1, NaN], "y": [1, 2]}}'),
    "no numbers at all": ("fit", curve(x=["a", None], y=[None, "b"])),
    "columns of several lengths": ("fit", curve(x=[1, 2, 3], y=[1, 2], dy=[1], model=[1, 2, 3, 4])),
    "one point": ("fit", curve(x=[1], y=[1], dy=[0.1], model=[1], yscale="log", xscale="log")),
    "nothing positive": ("fit", curve(x=[-1, 0], y=[-1, 0], dy=[1, 1], model=[0, 0], yscale="log", xscale="log")),
    "some not positive": ("fit", curve(x=[0, 1, 2], y=[-1, 0, 5], dy=[9, 9, 9], model=[1, 2, 3], yscale="log")),
    "errors that are none": ("fit", curve(x=[1, 2], y=[1, 2], dy=[0, -1], dx="wide", model=[1, None])),
    "numbers at both ends": ("fit", curve(x=[1e-300, 1e300], y=[1e-308, 1e308], model=[1e-308, 1e308], yscale="log")),
    "one number many times": ("fit", curve(x=[5, 5, 5], y=[7, 7, 7], model=[7, 7, 7])),
    "only a model": ("fit", curve(x=[1, 2, 3], model=[1, 2, 3])),
    "a history without jobs": ("history", {"steps": [], "jobs": []}),
    "a history of odd rows": ("history", {"steps": [None, {"job": 1}], "jobs": [None, [], [1, "x"], ["soon", 3]]}),
    "one job": ("history", {"steps": [{"job": 1, "finished": 1.8e9, "chisq": 3}], "jobs": [[1.8e9, 3]]}),
    "chisq below zero": ("history", {"steps": [], "jobs": [[1, -3], [2, 0], [3, 5]]}),
    "no profile": ("profile", {"profile": None}),
    "a profile of several lengths": ("profile", {"profile": {"z": [1, 2, 3], "sld": [1, None]}}),
    "no parameters": ("spread", {"parameters": []}),
    "odd parameters": (
        "spread",
        {"parameters": [None, {"values": 3}, {"name": 5, "values": [[1, 2], [None, 3], "x"]}]},
    ),
    "a box without room": ("spread", {"parameters": [{"name": "a", "min": 1, "max": 1, "values": [[1, -2, None]]}]}),
    "no columns": ("trend", {"columns": "none"}),
    "columns of words": ("trend", {"columns": [{"name": "a", "values": ["x"], "kind": "parameter"}]}),
    "columns of one value": (
        "trend",
        {"columns": [{"values": [0], "errors": [None]}, {"kind": "metadata"}], "labels": 3},
    ),
    "no axes": ("map", {"axes": []}),
    "axes without cells": ("map", {"axes": [{"name": "a", "values": ["1", "2"]}], "chisq": [1, 2, 3]}),
    "an empty map": ("map", {"axes": [{"values": [1, 2]}, {"values": [1, 2]}], "chisq": [None] * 4}),
    "a map of one cell": ("map", {"axes": [{"values": [1]}, {"values": ["a"]}], "chisq": [5]}),
    "a map of words": (
        "map",
        {"axes": [{"values": ["on", "off"]}, {"values": [3, 1, 2]}], "chisq": [1, 2, 3, 4, 5, -6]},
    ),
    "odd minima": (
        "map",
        mapped(4, 4) | {"minima": [None, {"point": 3, "chisq": 1}], "regions": [None, {"delta": "x"}]},
    ),
}
