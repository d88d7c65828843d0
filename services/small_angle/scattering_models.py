"""The models of the service: I(Q) as a sum of amplitudes times shapes, and its slopes by each parameter.

    beaucage    I = A q⁻ⁿ + G exp(−q²Rg²/3) + B {[erf(q Rg/√6)]³ / q}ᴾ + background
    debye       I = I0 · 2 (e⁻ˣ + x − 1) / x² + background,  x = (q Rg)²

The first is the unified equation of one structural level with k = 1 (G. Beaucage, J. Appl. Cryst. 28 (1995) 717)
over the power law of what is larger, which goes on below the level without a cut-off; the second the form factor of
a Gaussian chain (P. Debye, J. Phys. Colloid Chem. 51 (1947) 18).  Nothing is smeared by the resolution.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from frames import Column

Values = Mapping[str, float]
_SMALL = 1e-3  # of x, below which the series of the chain's form factor is the more exact


@dataclass(frozen=True, slots=True)
class Quantity:
    """One number of a model: its kind, unit, usual value (None where the data must say it), and its default box.

    `unit` says {I} for the unit of the data; a length's box comes from their range of Q.  `is_log` numbers span
    decades and cannot be negative: the fit moves their logarithm.
    """

    name: str
    kind: Literal["amplitude", "exponent", "length"]
    unit: str
    usual: float | None
    box: tuple[float, float] | None
    is_fitted: bool = True
    is_log: bool = False


@dataclass(frozen=True, slots=True)
class Model:
    """A model: its numbers, the shape that each amplitude multiplies, and the slope of I by every other number."""

    name: str
    quantities: tuple[Quantity, ...]
    shapes: Callable[[Column, Values], dict[str, Column]]
    slopes: Callable[[Column, Values, dict[str, Column]], dict[str, Column]]

    def intensity(self, q: Column, values: Values) -> Column:
        """Compute I(Q) in the unit of the amplitudes; `q` in 1/Å."""
        total = np.zeros_like(q)
        for name, shape in self.shapes(q, values).items():
            total += values[name] * shape
        return total

    def derivatives(self, q: Column, values: Values) -> dict[str, Column]:
        """Compute the slope of I(Q) by each number of the model."""
        shapes = self.shapes(q, values)
        return shapes | self.slopes(q, values, shapes)


def _unified(q: Column, values: Values) -> dict[str, Column]:
    from scipy.special import erf

    length = values["Rg"]
    return {
        "A": q ** -values["n"],
        "G": np.exp(-((q * length) ** 2) / 3),
        "B": (erf(q * length / math.sqrt(6)) ** 3 / q) ** values["P"],
        "background": np.ones_like(q),
    }


def _unified_slopes(q: Column, values: Values, shapes: dict[str, Column]) -> dict[str, Column]:
    from scipy.special import erf

    u = q * values["Rg"] / math.sqrt(6)
    rise = erf(u)
    by_rise = 3 * values["P"] * 2 / math.sqrt(math.pi) * np.exp(-(u**2)) * q / math.sqrt(6) / rise
    by_radius = values["B"] * shapes["B"] * by_rise - values["G"] * shapes["G"] * 2 * q**2 * values["Rg"] / 3
    return {
        "n": -values["A"] * np.log(q) * shapes["A"],
        "Rg": by_radius,
        "P": values["B"] * shapes["B"] * np.log(rise**3 / q),
    }


def chain(x: Column) -> Column:
    """Compute the form factor of a Gaussian chain, 1 at x = 0.

    >>> chain(np.array([1e-9, 1.0])).round(6)
    array([1.      , 0.735759])
    """
    series = 1 - x / 3 + x**2 / 12
    safe = np.maximum(x, _SMALL)
    return np.where(x < _SMALL, series, 2 * (np.expm1(-safe) + safe) / safe**2)


def chain_slope(x: Column) -> Column:
    """Compute the slope of `chain`, −1/3 at x = 0.

    >>> chain_slope(np.array([1e-9, 1.0])).round(6)
    array([-0.333333, -0.207277])
    """
    series = -1 / 3 + x / 6 - x**2 / 20
    safe = np.maximum(x, _SMALL)
    return np.where(x < _SMALL, series, -2 * np.expm1(-safe) / safe**2 - 2 * chain(safe) / safe)


def _coil(q: Column, values: Values) -> dict[str, Column]:
    return {"I0": chain((q * values["Rg"]) ** 2), "background": np.ones_like(q)}


def _coil_slopes(q: Column, values: Values, shapes: dict[str, Column]) -> dict[str, Column]:
    return {"Rg": values["I0"] * chain_slope((q * values["Rg"]) ** 2) * 2 * q**2 * values["Rg"]}


_POSITIVE, _ANY = (0.0, math.inf), (-math.inf, math.inf)
_RADIUS = Quantity("Rg", "length", "Å", None, None, is_log=True)
_BACKGROUND = Quantity("background", "amplitude", "{I}", 0.0, _ANY)
BEAUCAGE = Model(
    "beaucage",
    (
        Quantity("A", "amplitude", "{I} Å^-n", None, _POSITIVE, is_log=True),
        Quantity("n", "exponent", "", None, (1.0, 4.0)),
        Quantity("G", "amplitude", "{I}", None, _POSITIVE),
        _RADIUS,
        Quantity("B", "amplitude", "{I} Å^-P", None, _POSITIVE),
        Quantity("P", "exponent", "", 4.0, (1.0, 6.0), is_fitted=False),
        _BACKGROUND,
    ),
    _unified,
    _unified_slopes,
)
DEBYE = Model("debye", (Quantity("I0", "amplitude", "{I}", None, _POSITIVE), _RADIUS, _BACKGROUND), _coil, _coil_slopes)
MODELS: Mapping[str, Model] = MappingProxyType({model.name: model for model in (BEAUCAGE, DEBYE)})
