"""The map of chisq over the axes of a scan: the grid, its minima, and the confidence region.

For each job list made of a scan, {'gid': gid, 'joblist': number, 'what': 'map'} holds a JSON object: `axes` with their
values, `chisq` in row-major order (null where no job is ok yet), `minima` (cells below all their neighbours, the lowest
first), `profiles` (for each axis the smallest chisq at each value), and `regions`: for each confidence level the cells
within Δχ² of the minimum, and the range of each axis that they span.  Δχ² is the quantile of the chi-square
distribution with as many degrees of freedom as there are axes (Avni, Astrophys. J. 210 (1976) 642; it holds if chisq
is that of the errors alone).  Of repeated points, and along an axis called seed, the smallest chisq counts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from chisq_grid import Cells, grid_axes, local_minima, profiles
from chisq_region import quantile, region
from json_texts import json_text

from park_spool.reduce import Group, JobList, Reduce, Reply

MOST_CELLS = 4_000_000
MOST_VALUES = 100_000  # cells; of a larger map `chisq` is null: it stands in the archive's table `jobs`


class Chart:
    """The map of one job list."""

    def __init__(self, joblist: JobList) -> None:
        assert joblist.scan is not None
        self.axes, self.strides = grid_axes(joblist.scan)
        self.points = joblist.scan.size
        size = math.prod(axis.size for axis in self.axes)
        if size > MOST_CELLS:
            raise ValueError(f"the map has {size:,} cells, more than the {MOST_CELLS:,} that are kept; use Stats")
        self.cells = Cells([axis.size for axis in self.axes])

    def add(self, job: int, chisq: float) -> None:
        """Take in the chisq of a job of this job list."""
        point = (job - 1) % self.points
        place = [point // stride % axis.size for axis, stride in zip(self.axes, self.strides, strict=True)]
        self.cells.lower(place, chisq)

    def to_json(self, levels: Sequence[float]) -> dict[str, Any]:
        """Say what the map shows now."""
        values = [[axis.value(index) for index in range(axis.size)] for axis in self.axes]
        shown: dict[str, Any] = {
            "axes": [{"name": axis.name, "values": texts} for axis, texts in zip(self.axes, values, strict=True)],
            "cells": self.cells.size,
            "filled": self.cells.filled,
            "chisq": self.cells.to_json() if self.cells.size <= MOST_VALUES else None,
            "minima": [self._cell(place, values) for place in local_minima(self.cells)],
            "profiles": profiles(self.cells),
        }
        deltas = [(level, quantile(level, len(self.axes))) for level in levels]
        shown["regions"] = [{"confidence": level, **region(self.cells, delta, values)} for level, delta in deltas]
        return shown

    def _cell(self, place: Sequence[int], values: list[list[str]]) -> dict[str, Any]:
        point = {axis.name: texts[index] for axis, texts, index in zip(self.axes, values, place, strict=True)}
        return {"chisq": self.cells.at(place), "point": point}


class ChisqMap(Reduce):
    """Keep the map of each scan."""

    OPTIONS: ClassVar = {"confidence": "0.683 0.954 0.997"}

    def setGroup(self, group: Group) -> None:
        """Take the group's scans; ValueError if it has none, or one that is too large to be kept."""
        super().setGroup(group)
        self.gid = ""
        self.charts = {
            number: Chart(joblist) for number, joblist in enumerate(group.joblists, 1) if joblist.scan is not None
        }
        if not self.charts:
            raise ValueError("ChisqMap maps a <scan>, and no job list of the group has one")

    def __call__(self, msg: Reply) -> None:
        """Take a reply into its map."""
        self.gid = msg.gid
        chisq = float(getattr(msg, "chisq", math.nan))
        if math.isfinite(chisq) and msg.joblist in self.charts:
            self.charts[msg.joblist].add(msg.job, chisq)

    def flush(self) -> None:
        """Put the maps as they are now."""
        levels = levels_of(self.options["confidence"])
        for number, chart in self.charts.items() if self.gid else ():
            keys = {"gid": self.gid, "joblist": number, "what": "map"}
            self.archive.put(keys, json_text(chart.to_json(levels)))


def levels_of(text: str) -> list[float]:
    """Read confidence levels between 0 and 1.

    >>> levels_of("0.683, 0.954")
    [0.683, 0.954]
    """
    levels = [float(word) for word in text.replace(",", " ").split()]
    if not all(0 < level < 1 for level in levels):
        raise ValueError(f"confidence: expected numbers between 0 and 1, got {text!r}")
    return levels
