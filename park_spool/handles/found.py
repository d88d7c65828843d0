"""What came out of a session, for Python: fits with parameters as numbers, curves and tables as numpy arrays."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from park_spool.attributes import finite
from park_spool.progress import measured

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    Column = NDArray[Any]

COLUMNS = ("x", "y", "dy", "dx", "model")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A fitted parameter; what the service did not say, or not as a finite number, is None.

    >>> thickness = Parameter("thickness", 258.863, 0.1042, "Å")
    >>> print(thickness), float(thickness)
    258.86 ± 0.10 Å
    (None, 258.863)
    """

    name: str
    value: float | None
    error: float | None = None
    unit: str = ""
    min: float | None = None
    max: float | None = None
    start: float | None = None

    def __float__(self) -> float:
        return float("nan") if self.value is None else self.value

    def __str__(self) -> str:
        words = "–" if self.value is None else measured(self.value, self.error)
        return f"{words} {self.unit}".rstrip()


@dataclass(frozen=True, slots=True)
class Curve:
    """A measured curve with its fit: columns of one length, NaN where nothing is known; `labels` is what else is said.

    `dy` is the standard deviation of y, `dx` the resolution as the service gives it (`labels["dxkind"]`).
    """

    x: Column
    y: Column
    dy: Column
    dx: Column
    model: Column
    labels: Mapping[str, Any] = field(default_factory=dict)

    @property
    def residuals(self) -> Column:
        """Return (y − model) / dy."""
        return (self.y - self.model) / self.dy


@dataclass(frozen=True, slots=True)
class Fit:
    """One job's fit. `chisq` is the plain sum of squared residuals over errors; `label` says of what it is."""

    job: str
    label: str
    chisq: float
    npoints: int | None
    dof: int | None
    reduced_chisq: float | None
    nllf: float | None
    seed: int | None
    node: str
    seconds: float
    parameters: Mapping[str, Parameter]
    curve: Curve | None = None

    @property
    def values(self) -> dict[str, float]:
        """Return the parameters' values alone, by name."""
        return {name: float(parameter) for name, parameter in self.parameters.items()}


def fit(shown: Mapping[str, Any], curve: Mapping[str, Any] | None = None) -> Fit:
    """Return a fit from what the archive or best.json says of it."""
    names = ("job", "label", "chisq", "npoints", "dof", "reduced_chisq", "nllf", "seed", "node", "seconds")
    given = {name: shown[name] for name in names}
    return Fit(**given, parameters=parameters(shown["parameters"]), curve=None if curve is None else curve_of(curve))


def parameters(listed: Iterable[Mapping[str, Any]]) -> dict[str, Parameter]:
    """Return parameters by their names.

    >>> parameters([{"name": "scale", "value": 0.9, "error": None, "min": 0.5}])["scale"].min
    0.5
    """
    found = {}
    for entry in listed:
        value, error, least, most, start = (finite(entry.get(key)) for key in ("value", "error", "min", "max", "start"))
        name = str(entry.get("name", ""))
        found[name] = Parameter(name, value, error, str(entry.get("unit") or ""), least, most, start)
    return found


def curve_of(said: Mapping[str, Any]) -> Curve | None:
    """Return a curve from what a service says; None if it is none that can be drawn.

    >>> curve_of({"x": [0.01, 0.02], "y": [1.0, None], "ylabel": "R"})
    Curve(x=array([0.01, 0.02]), y=array([ 1., nan]), dy=array([nan, nan]), dx=array([nan, nan]), \
model=array([nan, nan]), labels={'ylabel': 'R'})
    >>> curve_of({"x": [1.0], "y": [1.0, 2.0]}) is None
    True
    """
    import numpy

    try:
        size = len(said["x"])
        columns = [numpy.array(said.get(key) or [None] * size, dtype=float) for key in COLUMNS]
    except (KeyError, TypeError, ValueError):
        return None
    if any(column.shape != (size,) for column in columns):
        return None
    x, y, dy, dx, model = columns
    return Curve(x, y, dy, dx, model, {key: value for key, value in said.items() if key not in COLUMNS})


def columns(lines: Iterable[str]) -> dict[str, Column]:
    """Read a table into arrays by the names of its columns: numbers where all cells are, NaN for an empty one.

    >>> columns(["job,chisq", "1.1.1,2.5", "1.1.2,"])
    {'job': array(['1.1.1', '1.1.2'], dtype=object), 'chisq': array([2.5, nan])}
    """
    reader = csv.reader(lines)
    header = next(reader, [])
    cells: list[list[str]] = [[] for _ in header]
    for row in reader:
        for column, text in zip(cells, row, strict=False):
            column.append(text)
    return {name: _array(column) for name, column in zip(header, cells, strict=True)}


def _array(texts: list[str]) -> numpy.ndarray[Any, Any]:
    import numpy

    try:
        return numpy.array([float(text) if text else float("nan") for text in texts])
    except ValueError:
        return numpy.array(texts, dtype=object)
