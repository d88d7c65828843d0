"""The slab model of the service: its numbers with their boxes, and the refnx objects made of them.

    substrate | layer 1 | … | solvent        the beam comes in through the substrate

Each layer has a thickness, an SLD and a roughness (of its face towards the substrate); the solvent has an SLD
and a roughness, the substrate an SLD.  A number is fitted inside its box, or held at its value.  The defaults
are a polymer film on oxidised silicon in D2O.  Lengths are in Å, SLD in 1e-6/Å²; the background has no unit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from curve_file import Curve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from refnx.analysis import Objective


@dataclass(frozen=True, slots=True)
class Quantity:
    """One number of the model: its value (start or held), its box, and whether it is fitted and was given."""

    name: str
    unit: str
    value: float
    minimum: float
    maximum: float
    is_fitted: bool = True
    is_given: bool = False

    @property
    def attribute(self) -> str:
        """Name the input attribute that carries it.

        >>> Quantity("film SLD", "1e-6/Å²", 2.0, 0.0, 5.0).attribute
        'film_sld'
        """
        return self.name.lower().replace(" ", "_")


_SLD = "1e-6/Å²"
LAYERS = "oxide film"  # from the substrate to the solvent
ENDS = ("substrate", "solvent")
FRAME = (
    Quantity("scale", "", 0.87035, 0.6, 1.2),
    Quantity("background", "", 4.0457e-7, 1e-9, 8e-6),
    Quantity("substrate SLD", _SLD, 2.07, -1.0, 10.0, is_fitted=False),
    Quantity("solvent SLD", _SLD, 6.37212, 6.0, 6.4),
    Quantity("solvent roughness", "Å", 3.6866, 0.5, 30.0),
)
KNOWN_LAYERS: Mapping[str, tuple[Quantity, Quantity, Quantity]] = MappingProxyType(
    {
        "oxide": (
            Quantity("oxide thickness", "Å", 39.099, 1.0, 60.0),
            Quantity("oxide SLD", _SLD, 3.47, 2.0, 4.0, is_fitted=False),
            Quantity("oxide roughness", "Å", 5.5698, 0.5, 12.0),
        ),
        "film": (
            Quantity("film thickness", "Å", 258.863, 50.0, 500.0),
            Quantity("film SLD", _SLD, 2.42630, -0.5, 5.5),
            Quantity("film roughness", "Å", 8.1662, 0.5, 15.0),
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Slabs:
    """A model ready to be computed: its layers from substrate to solvent, and every number in order."""

    layers: tuple[str, ...]
    quantities: tuple[Quantity, ...]

    @property
    def fitted(self) -> tuple[Quantity, ...]:
        """Give the fitted numbers, in the order in which random starts draw them."""
        return tuple(quantity for quantity in self.quantities if quantity.is_fitted)


def slabs_of(inputs: Mapping[str, object], holds_all: bool = False) -> Slabs:
    """Make the model of an input (values, boxes, `layers`, `fix`, `vary`); raises ValueError in words."""
    layers = words(inputs.get("layers", LAYERS))
    if not layers or len({*ENDS, *map(str.lower, layers)}) < len(layers) + len(ENDS):
        raise ValueError(f"layers: expected different names other than {', '.join(ENDS)}, got {' '.join(layers)!r}")
    quantities = _stack(layers)
    known = [quantity.attribute for quantity in quantities]
    fix, vary = (_known(words(inputs.get(verb, "")), known, verb) for verb in ("fix", "vary"))
    if holds_all:
        fix, vary = frozenset(known), frozenset()
    return Slabs(layers, tuple(_as_input(quantity, inputs, fix, vary) for quantity in quantities))


def _stack(layers: tuple[str, ...]) -> list[Quantity]:
    """List the numbers of a model from the instrument through substrate and layers to the solvent."""
    instrument, solvent = FRAME[:3], FRAME[3:]
    return [*instrument, *(quantity for layer in layers for quantity in _layer(layer)), *solvent]


def _layer(name: str) -> tuple[Quantity, ...]:
    """Give the numbers of a layer; one that is not among KNOWN_LAYERS gets wide boxes."""
    return KNOWN_LAYERS.get(name) or (
        Quantity(f"{name} thickness", "Å", 100.0, 5.0, 500.0),
        Quantity(f"{name} SLD", _SLD, 2.0, -1.0, 10.0),
        Quantity(f"{name} roughness", "Å", 5.0, 0.5, 20.0),
    )


def _as_input(quantity: Quantity, inputs: Mapping[str, object], fix: frozenset[str], vary: frozenset[str]) -> Quantity:
    """Lay an input's value and box over a number's defaults."""
    name = quantity.attribute
    low = number(inputs, f"{name}_min", quantity.minimum)
    high = number(inputs, f"{name}_max", quantity.maximum)
    value = number(inputs, name, quantity.value)
    is_fitted = name in vary or (quantity.is_fitted and name not in fix)
    if is_fitted and low >= high:
        raise ValueError(f"{name}: expected a box with min below max, got {low:g} to {high:g}")
    if is_fitted and name in inputs and not low <= value <= high:
        raise ValueError(f"{name}: the start {value:g} lies outside its box, {low:g} to {high:g}")
    return replace(quantity, value=value, minimum=low, maximum=high, is_fitted=is_fitted, is_given=name in inputs)


def words(text: object) -> tuple[str, ...]:
    """Split a list of names at blanks and commas.

    >>> words("oxide, film")
    ('oxide', 'film')
    """
    return tuple(str(text).replace(",", " ").split())


def _known(names: tuple[str, ...], known: Sequence[str], verb: str) -> frozenset[str]:
    """Refuse names that the model does not have."""
    for name in names:
        if name not in known:
            raise ValueError(f"{verb}: the model has no {name!r}; it has {', '.join(known)}")
    return frozenset(names)


def number(inputs: Mapping[str, object], name: str, default: float) -> float:
    """Read a finite number of an input; attributes that the manifest does not declare arrive as text."""
    given = inputs.get(name, default)
    try:
        value = float(given)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{name}: expected a number, got {given!r}")
    return value


def objective_of(slabs: Slabs, curve: Curve, resolution: float) -> tuple[Objective, dict[str, Any]]:
    """Build refnx's objective and say which of its parameters carries which attribute of the model.

    `resolution` is the constant dQ/Q (FWHM, percent) that is used where the curve has no dQ.
    The weights are linear: chisq is the sum of ((R − model) / dR)².
    """
    from refnx.analysis import Objective
    from refnx.dataset import Data1D
    from refnx.reflect import ReflectModel

    structure, parameters = _structure_of(slabs.layers)
    # One thread: the node runs one job on each CPU already.
    model = ReflectModel(structure, dq=resolution, threads=1)
    parameters |= {"scale": model.scale, "background": model.bkg}
    for quantity in slabs.quantities:
        box = (quantity.minimum, quantity.maximum)
        parameters[quantity.attribute].setp(value=quantity.value, bounds=box, vary=quantity.is_fitted)
    columns = (curve.q, curve.r, curve.dr) if curve.dq is None else (curve.q, curve.r, curve.dr, curve.dq)
    return Objective(model, Data1D(columns)), parameters


def _structure_of(layers: tuple[str, ...]) -> tuple[Any, dict[str, Any]]:
    """Build refnx's structure of the named layers and a table of its parameters by attribute."""
    from refnx.reflect import SLD

    structure, parameters = SLD(0.0, name="substrate")(), {}
    parameters["substrate_sld"] = structure.sld.real
    for name in (*layers, "solvent"):
        slab = SLD(0.0, name=name)(0, 0)
        structure = structure | slab
        numbers = {"thickness": slab.thick, "sld": slab.sld.real, "roughness": slab.rough}
        parameters |= {f"{name}_{key}".lower(): parameter for key, parameter in numbers.items()}
    return structure, parameters
