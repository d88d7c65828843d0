"""The numbers of a model as an input wants them: each fitted inside its box, or held at a value.

Guarantees: pure; what cannot be fitted (a box upside down, a start outside it, a name that the model does not have,
a number to hold without a value) is refused in one sentence that begins with the attribute.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from frames import Frame
from scattering_models import Model, Quantity


@dataclass(frozen=True, slots=True)
class Number:
    """One number: its unit, its value (None where a start is to be found), its box, and whether it is fitted."""

    quantity: Quantity
    unit: str
    value: float | None
    low: float
    high: float
    is_fitted: bool

    @property
    def name(self) -> str:
        """Name it as the model does, and the attribute of <input> that carries it."""
        return self.quantity.name


def numbers_of(model: Model, inputs: Mapping[str, object], frame: Frame) -> tuple[Number, ...]:
    """List a model's numbers in order, by the attributes of the input and the data's range of Q; raises ValueError."""
    known = [quantity.name for quantity in model.quantities]
    fix, vary = (_known(words(inputs.get(verb, "")), known, verb) for verb in ("fix", "vary"))
    return tuple(
        _number(quantity, inputs, frame, quantity.name in vary or (quantity.is_fitted and quantity.name not in fix))
        for quantity in model.quantities
    )


def shape_of(model: Model, inputs: Mapping[str, object], frame: Frame) -> tuple[Number, ...]:
    """List a model's numbers with all held but the amplitudes that the input does not give; raises ValueError."""
    return tuple(
        _number(quantity, inputs, frame, quantity.kind == "amplitude" and given(inputs, quantity.name) is None)
        for quantity in model.quantities
    )


def _number(quantity: Quantity, inputs: Mapping[str, object], frame: Frame, is_fitted: bool) -> Number:
    name, value = quantity.name, given(inputs, quantity.name)
    if not is_fitted:
        value = quantity.usual if value is None else value
        if value is None:
            raise ValueError(f"{name}: it is held here, so it needs a value: {name}='…'")
        if value <= 0 and quantity.kind == "length":
            raise ValueError(f"{name}: expected a value above 0, got {value:g}")
    low, high = box_of(quantity, inputs, frame)
    if is_fitted and value is not None and not low <= value <= high:
        raise ValueError(f"{name}: the start {value:g} lies outside its box, {low:g} to {high:g}")
    return Number(quantity, unit_of(quantity, frame), value, low, high, is_fitted)


def box_of(quantity: Quantity, inputs: Mapping[str, object], frame: Frame) -> tuple[float, float]:
    """Lay an input's ends over a number's default box: for a length what the range of Q can show, and its start."""
    low, high = quantity.box or _visible(frame, given(inputs, quantity.name))
    wanted = [given(inputs, f"{quantity.name}_{end}") for end in ("min", "max")]
    low, high = (usual if end is None else end for end, usual in zip(wanted, (low, high), strict=True))
    if not low < high:
        raise ValueError(f"{quantity.name}: expected a box with min below max, got {low:g} to {high:g}")
    if (low < 0 and quantity.is_log) or (low == 0 and quantity.kind == "length"):
        raise ValueError(f"{quantity.name}_min: expected a value above 0, got {low:g}")
    return low, high


def _visible(frame: Frame, start: float | None) -> tuple[float, float]:
    """Give the lengths that data can show; a start that another frame gave, with other ends of Q, is among them."""
    low, high = 1 / float(frame.q[-1]), 2 / float(frame.q[0])
    return (low, high) if start is None or start <= 0 else (min(low, start), max(high, start))


def unit_of(quantity: Quantity, frame: Frame) -> str:
    """Write a number's unit with that of the data."""
    return quantity.unit.replace("{I}", frame.unit).strip()


def given(inputs: Mapping[str, object], name: str) -> float | None:
    """Read a finite number of an input, None where it has none of this name; raises ValueError.

    >>> given({"Rg": "200"}, "Rg"), given({}, "Rg")
    (200.0, None)
    """
    text = inputs.get(name)
    if text is None:
        return None
    try:
        value = float(text)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{name}: expected a number, got {text!r}")
    return value


def words(text: object) -> tuple[str, ...]:
    """Split a list of names at blanks and commas.

    >>> words("A, n")
    ('A', 'n')
    """
    return tuple(str(text).replace(",", " ").split())


def _known(names: tuple[str, ...], known: Sequence[str], verb: str) -> frozenset[str]:
    """Refuse names that the model does not have."""
    for name in names:
        if name not in known:
            raise ValueError(f"{verb}: the model has no {name!r}; it has {', '.join(known)}")
    return frozenset(names)
