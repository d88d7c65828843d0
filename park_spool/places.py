"""Where the data of sessions may lie at a site, beside what comes with a session and in Python packages."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Places:
    """Folders for absolute paths, and the names of sources."""

    roots: tuple[Path, ...] = ()
    sources: tuple[str, ...] = ()


NOWHERE = Places()
