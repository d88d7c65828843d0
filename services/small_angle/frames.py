"""One frame of small-angle scattering, I(Q) with errors, and which of its points are meant.

Readers give a frame as its file has it, with Q in 1/Å and each point's place in the file.
Guarantees: what leaves `within` is ascending in Q, finite, with Q and dI above zero.  Only points inside the range
of Q are judged: what lies outside (a beam stop, a noisy end) may be anything.  Every refusal is one sentence that
names the file, the frame, the point as the file counts it, and what was found there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.float64]
Mask = NDArray[np.bool_]
SLIT = "the data are smeared by a slit, which the models do not compute: desmear them first"
SLIT_COLUMNS = ("dQl", "dQw")  # length and width, as canSAS has them
LEAVE_OUT = "; qmin and qmax leave points out"


class FrameError(ValueError):
    """A file, or the frame of it that was asked for, cannot be fitted; the text says where and why."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a frame comes from: its name, what messages call it, and what its file counts points in."""

    name: str
    where: str
    word: str

    @classmethod
    def of(cls, file: str, title: str, frames: int, word: str) -> Source:
        """Name a frame like its file if that has no other: entries of many files are often called alike.

        >>> Source.of("a.h5", "entry1", 1, "point").name, Source.of("a.h5", "entry1", 2, "point").where
        ('a.h5', 'a.h5, entry1')
        """
        return cls(title, f"{file}, {title}", word) if frames > 1 else cls(file, file, word)


@dataclass(frozen=True, slots=True)
class Frame:
    """One curve: q and dq (a standard deviation, or None) in 1/Å, intensity and error in `unit`.

    `numbers[k]` is the number that point k has in its file.
    """

    source: Source
    numbers: NDArray[np.int64]
    q: Column
    intensity: Column
    error: Column
    dq: Column | None = None
    unit: str = ""

    def taken(self, points: Mask | NDArray[np.intp]) -> Frame:
        """Give the points that a mask or a list of places selects."""
        dq = None if self.dq is None else self.dq[points]
        columns = {name: getattr(self, name)[points] for name in ("numbers", "q", "intensity", "error")}
        return replace(self, **columns, dq=dq)


def within(frame: Frame, qmin: float | None, qmax: float | None) -> Frame:
    """Give the points from qmin to qmax (1/Å, both included) in ascending Q; raises FrameError for bad ones.

    >>> q = np.array([0.3, 0.1, 0.0])
    >>> within(Frame(Source.of("a.txt", "", 1, "line"), np.array([4, 5, 6]), q, q, q), 0.05, None).q
    array([0.1, 0.3])
    """
    low, high = -math.inf if qmin is None else qmin, math.inf if qmax is None else qmax
    if low >= high:
        raise FrameError(f"qmin: expected a value below qmax, got {low:g} and {high:g}")
    if not len(frame.q):
        raise FrameError(f"{frame.source.where}: expected points, found none")
    inside = frame.taken(~((frame.q < low) | (frame.q > high)))  # a Q that is no number stays, and is refused
    if not len(inside.q):
        raise FrameError(
            f"{frame.source.where}: expected points with Q from {low:g} to {high:g} 1/Å, "
            f"found none; its {len(frame.q)} points run from {frame.q.min():g} to {frame.q.max():g}"
        )
    _check(inside)
    return inside.taken(np.argsort(inside.q, kind="stable"))


def _check(frame: Frame) -> None:
    """Refuse the first point that cannot be fitted."""
    _refuse(frame, frame.q, ~((frame.q > 0) & np.isfinite(frame.q)), "a positive Q")
    _refuse(frame, frame.intensity, ~np.isfinite(frame.intensity), "a finite I")
    _refuse(frame, frame.error, ~((frame.error > 0) & np.isfinite(frame.error)), "a positive dI")
    if frame.dq is not None:
        _refuse(frame, frame.dq, ~np.isfinite(frame.dq), "a finite dQ")
        _refuse(frame, frame.dq, frame.dq < 0, "a dQ of 0 or more", f": {SLIT}")


def _refuse(frame: Frame, column: Column, is_bad: Mask, wanted: str, reason: str = LEAVE_OUT) -> None:
    for point in np.flatnonzero(is_bad)[:1]:
        place = f"{frame.source.where}, {frame.source.word} {frame.numbers[point]}"
        raise FrameError(f"{place}: expected {wanted}, found {column[point]:g}{reason}")
