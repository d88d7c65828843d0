"""What a file says in columns and units, made into a frame with Q in 1/Å.

Guarantees: pure; columns of different lengths, and a unit of Q that is not known, are refused, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from frames import Column, Frame, FrameError, Source
from numpy.typing import NDArray

_LENGTHS = {"å": 1.0, "a": 1.0, "ang": 1.0, "angstrom": 1.0, "angstroms": 1.0, "nm": 10.0, "nanometer": 10.0}
_SPELLED = str.maketrans("Å⁻−¹", "å--1", "^ (){}*")


def framed(
    source: Source,
    columns: Mapping[str, Column],
    units: Mapping[str, str],
    q_unit: str,
    numbers: NDArray[np.int64] | None = None,
) -> Frame:
    """Make a frame of the columns Q, I, dI and maybe dQ; `units` are those that the file says, `q_unit` its unit else.

    >>> columns = {"Q": np.array([0.1]), "I": np.array([5.0]), "dI": np.array([0.5])}
    >>> frame = framed(Source.of("a.txt", "", 1, "line"), columns, {"Q": "1/nm", "I": "1/cm"}, "1/Å")
    >>> float(frame.q[0]), frame.unit
    (0.01, '1/cm')
    """
    sizes = {name: len(column) for name, column in columns.items()}
    if len(set(sizes.values())) > 1:
        raise FrameError(f"{source.where}: expected columns of one length, found {sizes}")
    said = {name: units.get(name, "") for name in columns}
    length = length_of(one_unit((said["Q"], said.get("dQ", "")), "Q and dQ", source.where) or q_unit, source.where)
    unit = one_unit((said["I"], said["dI"]), "I and dI", source.where)
    dq = columns.get("dQ")
    # Zero throughout is how a file says that dQ is not known.
    width = None if dq is None or not np.any(dq != 0) else dq / length
    counted = np.arange(1, len(columns["Q"]) + 1) if numbers is None else numbers
    return Frame(source, counted, columns["Q"] / length, columns["I"], columns["dI"], width, unit)


def length_of(unit: str, where: str) -> float:
    """Give the length, in Å, whose inverse a unit of Q is; raises FrameError for one that is not known.

    >>> [length_of(unit, "x") for unit in ("1/A", "1/angstrom", "Å^-1", "nm⁻¹", "1/nm")]
    [1.0, 1.0, 1.0, 10.0, 10.0]
    """
    plain = plain_unit(unit)
    length = plain.removeprefix("1/") if plain.startswith("1/") else plain.removesuffix("-1")
    if length == plain or length not in _LENGTHS:
        raise FrameError(f"{where}: expected Q in 1/Å or 1/nm, found {unit!r}")
    return _LENGTHS[length]


def plain_unit(unit: str) -> str:
    """Write a unit without what tells only spellings apart.

    >>> plain_unit("1 / cm"), plain_unit("Å^{-1}"), plain_unit("\\u212b⁻¹")
    ('1/cm', 'å-1', 'å-1')
    """
    return unit.replace("\u212b", "Å").translate(_SPELLED).lower()


def one_unit(units: Iterable[str], what: str, where: str) -> str:
    """Give the unit that all of them are, "" if none says one; raises FrameError where they differ.

    >>> one_unit(["1/cm", "", "1 / CM"], "I and dI", "x")
    '1/cm'
    """
    said: dict[str, str] = {}
    for unit in units:
        if unit.strip():
            said.setdefault(plain_unit(unit), unit.strip())
    if len(said) > 1:
        raise FrameError(f"{where}: expected one unit for {what}, found {' and '.join(sorted(said.values()))}")
    return next(iter(said.values()), "")
