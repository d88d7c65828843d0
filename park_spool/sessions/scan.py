"""Scans: the product of some axes, of which any point is worked out when it is asked for.

Owns: `Axis` (one attribute that varies) and `Scan` (their product, row-major: the last axis runs fastest).
Guarantees: nothing is ever written out; a scan of 10^8 points is as small as one of ten, and a point costs
one division for each axis.  Values are text, as if the user had written every input by hand.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from park_spool.sessions.element import Element


@dataclass(frozen=True, slots=True)
class Axis:
    """Hold one axis: the words of `values`, or `count` numbers from `start` to `stop`, both ends included.

    >>> axis = Axis.ranging("thickness", 0, 1.5, 4)
    >>> [axis.value(i) for i in range(len(axis))]
    ['0', '0.5', '1', '1.5']
    >>> [Axis.ranging("n", 1, 1000, 4, "log").value(i) for i in range(4)]
    ['1', '10', '100', '1000']
    >>> Axis("sld", ("2.07", "3.47")).value(1)
    '3.47'
    """

    name: str
    values: tuple[str, ...] | None
    start: float | int = 0
    stop: float | int = 0
    count: int = 0
    spacing: str = "linear"

    @classmethod
    def ranging(cls, name: str, start: float, stop: float, count: int, spacing: str = "linear") -> Axis:
        """Make an axis of `count` numbers; `spacing` is 'linear' or 'log' (both ends then of one sign)."""
        return cls(name, None, start, stop, count, spacing)

    @property
    def size(self) -> int:
        """Give the number of values."""
        return self.count if self.values is None else len(self.values)

    def __len__(self) -> int:
        return self.size

    @property
    def is_whole(self) -> bool:
        """Say whether every value of a linear range is a whole number.

        >>> Axis.ranging("n", 0, 100, 11).is_whole, Axis.ranging("n", 0, 100, 8).is_whole
        (True, False)
        """
        if not (isinstance(self.start, int) and isinstance(self.stop, int)) or self.spacing != "linear":
            return False
        return self.count == 1 or (self.stop - self.start) % (self.count - 1) == 0

    def value(self, index: int) -> str:
        """Give value number `index` (from 0) as text: whole numbers exactly, others to 15 digits."""
        if not 0 <= index < self.size:
            raise IndexError(f"axis {self.name!r} has {self.size} values, there is no number {index}")
        if self.values is not None:
            return self.values[index]
        if index == 0 or self.start == self.stop:
            return _as_text(self.start)
        if index == self.count - 1:
            return _as_text(self.stop)
        return _as_text(self._between(index))

    def _between(self, index: int) -> float | int:
        if self.is_whole:
            return int(self.start) + index * (int(self.stop - self.start) // (self.count - 1))
        part = index / (self.count - 1)
        if self.spacing == "log":
            return self.start * math.pow(self.stop / self.start, part)
        return self.start * (1 - part) + self.stop * part

    def to_json(self) -> dict[str, object]:
        """Give the axis as JSON."""
        if self.values is not None:
            return {"name": self.name, "values": list(self.values)}
        return {name: getattr(self, name) for name in ("name", "start", "stop", "count", "spacing")}

    @classmethod
    def from_json(cls, shown: dict[str, Any]) -> Axis:
        """Read what `to_json` wrote."""
        if "values" in shown:
            return cls(shown["name"], tuple(shown["values"]))
        return cls.ranging(shown["name"], shown["start"], shown["stop"], shown["count"], shown["spacing"])


def _as_text(number: float | int) -> str:
    """Write a number so that 0.1 + 0.2 reads 0.3: fifteen digits are what a double carries for certain.

    >>> _as_text(0.1 + 0.2), _as_text(12345678901234567890)
    ('0.3', '12345678901234567890')
    """
    return str(number) if isinstance(number, int) else f"{number:.15g}"


@dataclass(frozen=True, slots=True)
class Scan:
    """Hold the product of `axes`; each point is `template` with one attribute more for each axis.

    >>> scan = Scan((Axis("x", ("1", "2")), Axis("y", ("a", "b", "c"))), Element("input", {"seed": "7"}))
    >>> scan.size, scan.point(4).attributes
    (6, {'seed': '7', 'x': '2', 'y': 'b'})
    """

    axes: tuple[Axis, ...]
    template: Element

    @property
    def size(self) -> int:
        """Give the number of points."""
        return math.prod(axis.size for axis in self.axes)

    def __len__(self) -> int:
        return self.size

    def point(self, index: int) -> Element:
        """Give point number `index` (from 0) in row-major order; IndexError outside."""
        if not 0 <= index < self.size:
            raise IndexError(f"the scan has {self.size} points, there is no number {index}")
        values: list[tuple[str, str]] = []
        for axis in reversed(self.axes):
            index, place = divmod(index, axis.size)
            values.append((axis.name, axis.value(place)))
        template = self.template
        attributes = template.attributes | dict(reversed(values))
        return Element(template.tag, attributes, template.text, template.children)

    def to_json(self) -> dict[str, object]:
        """Give the scan as JSON."""
        return {"axes": [axis.to_json() for axis in self.axes], "template": self.template.to_json()}

    @classmethod
    def from_json(cls, shown: dict[str, Any]) -> Scan:
        """Read what `to_json` wrote."""
        axes = tuple(Axis.from_json(axis) for axis in shown["axes"])
        return cls(axes, Element.from_json(shown["template"]))
