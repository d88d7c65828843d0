"""Reads one frame from a file of any kind that the service takes; what the file is, its content says, not its name.

    HDF5 signature ─▶ NXcanSAS        <?xml or SASroot ─▶ canSAS 1D XML        else ─▶ text in columns

Guarantees: a Frame with Q in 1/Å, or FrameError in one sentence; OSError for what cannot be read.
"""

from __future__ import annotations

from pathlib import Path

from frame_hdf5 import read_hdf5
from frame_text import parse_text
from frame_xml import parse_xml
from frames import Frame, FrameError

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_PLACES = (0, 512, 1024, 2048)  # where it may stand, behind a block of the user's own
_MARK = b"\xef\xbb\xbf"


def read_frame(path: Path, wanted: str | None = None, select: str = "", q_unit: str = "1/Å") -> Frame:
    """Read the frame that is meant; `q_unit` is the unit of Q where the file names none."""
    with path.open("rb") as file:
        head = file.read(_PLACES[-1] + len(_SIGNATURE))
    if any(head.startswith(_SIGNATURE, place) for place in _PLACES):
        return read_hdf5(path, wanted, select, q_unit)
    if head.removeprefix(_MARK).lstrip().startswith(b"<?xml") or b"<SASroot" in head:
        return parse_xml(path.read_bytes(), path.name, wanted, select, q_unit)
    if b"\0" in head:
        raise FrameError(f"{path.name}: expected columns of text, canSAS XML or HDF5, found another binary file")
    return parse_text(path.read_text(encoding="utf-8-sig", errors="replace"), path.name, wanted, select, q_unit)
