"""Reads a frame from NXcanSAS, which is HDF5: each SASdata of each SASentry is a frame.  h5py is needed here only.

A frame is called like its entry, or ENTRY/DATA where an entry has several.  The order is that in which the file was
written, if it keeps that; else by name, with numbers in names as numbers.
Guarantees: the file is opened for reading and without a lock, so that any number of nodes may read it on any shared
disk; nothing outside it is read, whatever links and data sets it names; a column of absurd length is refused.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from frame_choice import chosen_frame, natural
from frame_units import framed
from frames import SLIT, SLIT_COLUMNS, Column, Frame, FrameError, Source

if TYPE_CHECKING:
    import h5py

MOST_POINTS = 1_000_000
_CLASSES = ("canSAS_class", "NX_class")  # the second in early files
_BROKEN = (OSError, RuntimeError, KeyError, ValueError, TypeError)  # what h5py raises of a damaged file


def read_hdf5(path: Path, wanted: str | None = None, select: str = "", q_unit: str = "1/Å") -> Frame:
    """Read the frame that is meant; raises FrameError, also where h5py is not installed."""
    try:
        import h5py
    except ImportError as error:
        raise FrameError(
            f"{path.name}: to read NXcanSAS this node needs h5py, which is not installed: pip install park-spool[fit]"
        ) from error
    status = path.stat()
    try:
        titles = _titles(path, (status.st_mtime_ns, status.st_size))
        place = chosen_frame(list(titles), wanted, select, path.name)
        title, inside = list(titles.items())[place]
        with h5py.File(path, "r", locking=False) as file:
            return _frame(file[inside], Source.of(path.name, title, len(titles), "point"), q_unit)
    except FrameError:
        raise
    except _BROKEN as error:
        reason = " ".join(str(error).split())[:200]
        raise FrameError(
            f"{path.name}: expected NXcanSAS in a whole HDF5 file, found one that is not: {reason}"
        ) from error


@lru_cache(maxsize=8)
def _titles(path: Path, version: tuple[int, int]) -> dict[str, str]:
    """List the frames of one version of a file: path inside by name.  For hundreds it takes longer than a fit."""
    import h5py

    titles: dict[str, str] = {}
    with h5py.File(path, "r", locking=False) as file:
        for entry in _groups(file["/"], ("SASentry", "NXentry")):
            sets = _groups(file[entry], ("SASdata",))
            titles |= {(entry if len(sets) == 1 else f"{entry}/{data}"): f"{entry}/{data}" for data in sets}
    return titles


def _groups(parent: h5py.Group, classes: tuple[str, ...]) -> list[str]:
    """Name the groups of some class in a group, in order; what is only linked from elsewhere is not among them."""
    import h5py

    own = [name for name in parent if isinstance(parent.get(name, getlink=True), h5py.HardLink)]
    found = [name for name in own if isinstance(parent[name], h5py.Group) and _class(parent[name]) in classes]
    if parent.id.get_create_plist().get_link_creation_order() & h5py.h5p.CRT_ORDER_TRACKED:
        return sorted(found, key=lambda name: parent.id.links.get_info(name.encode()).corder)
    return sorted(found, key=natural)


def _class(group: h5py.Group) -> str:
    return next((words[0] for name in _CLASSES if (words := _words(group, name))), "")


def _frame(data: h5py.Group, source: Source, q_unit: str) -> Frame:
    """Read one SASdata: the columns that it calls signal, axis, uncertainties and resolutions."""
    signal = next(iter(_words(data, "signal")), "I")
    axes = _words(data, "I_axes") or ["Q"]
    if len(axes) > 1:
        raise FrameError(f"{source.where}: expected I along Q alone, found I along {', '.join(axes)}")
    names = {"Q": axes[0], "I": signal, "dI": _error_of(data, signal), "dQ": _width_of(data, axes[0], source)}
    columns = {column: _column(data, name, source.where) for column, name in names.items() if name}
    units = {column: " ".join(_words(data[names[column]], "units", "unit")) for column in columns}
    return framed(source, columns, units, q_unit)


def _error_of(data: h5py.Group, signal: str) -> str:
    said = _words(data, "I_uncertainties", "I_uncertainty", f"{signal}_uncertainties")
    if not said and signal in data:
        said = _words(data[signal], "uncertainties", "uncertainty")
    return said[0] if said else "Idev"


def _width_of(data: h5py.Group, axis: str, source: Source) -> str:
    """Name the column of dQ, "" if there is none; raises FrameError for data that a slit has smeared."""
    for name in SLIT_COLUMNS:
        if name in data and np.any(_column(data, name, source.where) != 0):
            raise FrameError(f"{source.where}: found {name}: {SLIT}")
    said = _words(data[axis], "resolutions", "resolution", "uncertainties", "uncertainty") if axis in data else []
    return next((name for name in (*said, "Qdev") if name in data and name not in SLIT_COLUMNS), "")


def _words(item: h5py.Group | h5py.Dataset, *names: str) -> list[str]:
    """Give the words of the first of these attributes that says any; they are written in many ways."""
    for name in names:
        values: Any = np.ravel(item.attrs[name]) if name in item.attrs else ()
        texts = [value.decode(errors="replace") if isinstance(value, bytes) else str(value) for value in values]
        if words := [word.strip() for text in texts for word in text.split(",") if word.strip()]:
            return words
    return []


def _column(data: h5py.Group, name: str, where: str) -> Column:
    """Read a column of numbers that lies in this very file."""
    import h5py

    if name not in data or not isinstance(data[name], h5py.Dataset):
        raise FrameError(f"{where}: expected a column {name}, found {', '.join(data) or 'nothing'}")
    column = data[name]
    if column.file.filename != data.file.filename or column.external or column.is_virtual:
        raise FrameError(f"{where}: expected {name} in the file itself, found a link to another: it is not followed")
    if column.ndim != 1 or column.dtype.kind not in "iuf" or column.size > MOST_POINTS:
        kind = f"{column.dtype} of shape {column.shape}"
        raise FrameError(f"{where}: expected {name} as one column of at most {MOST_POINTS:,} numbers, found {kind}")
    return np.asarray(column[()], dtype=float)
