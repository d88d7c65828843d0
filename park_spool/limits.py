"""What one job may use: the manifest of its service says it; a session's `<task>` may lower it, never raise it.

Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

MIB = 1 << 20
_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_UNITS |= {"KIB": 1 << 10, "MIB": MIB, "GIB": 1 << 30, "TIB": 1 << 40}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Limits:
    """Times in seconds, sizes in bytes; None means that there is no limit of this kind.

    `timeout` wall time, `cpu` processor time, `memory` of all its processes together, `output` on standard output,
    `open_files` descriptors, `nice` level, `grace` between SIGTERM and SIGKILL, `kept` files left in `$PARK_OUTPUT`.
    """

    timeout: float = 3600.0
    cpu: float | None = None
    memory: int | None = None
    output: int = 64 * MIB
    open_files: int | None = None
    nice: int = 0
    grace: float = 2.0
    kept: int = 1 << 30

    def lowered(self, wish: Mapping[str, float]) -> Limits:
        """Return these limits with those of a wish that are stricter.

        >>> Limits(timeout=60).lowered({"timeout": 10, "grace": 9, "nice": 5, "memory": 1000})
        Limits(timeout=10, cpu=None, memory=1000, output=67108864, open_files=None, nice=5, grace=2.0, kept=1073741824)
        """
        stricter: dict[str, Any] = {name: self._stricter(name, value) for name, value in wish.items()}
        return replace(self, **stricter)

    def _stricter(self, name: str, value: float) -> float:
        own: float | None = getattr(self, name)
        if own is None:
            return value
        return max(own, value) if name == "nice" else min(own, value)


NAMES = tuple(field.name for field in fields(Limits))
SIZES = ("memory", "output", "kept")
WHOLE = ("open_files", "nice")


def read_limit(name: str, text: str) -> float:
    """Read one limit as a manifest or a session writes it; ValueError in words.

    >>> read_limit("memory", "1.5 GB"), read_limit("timeout", "30"), read_limit("nice", "10")
    (1500000000, 30.0, 10)
    """
    if name in SIZES:
        return _named(name, text)
    try:
        value = int(text) if name in WHOLE else float(text)
    except ValueError:
        raise ValueError(f"{name} must be a {'whole number' if name in WHOLE else 'number'}, not {text!r}") from None
    low, high = {"nice": (0, 19), "open_files": (8, 1 << 20)}.get(name, (0.001, 366 * 86400))
    if not low <= value <= high:
        raise ValueError(f"{name} must be {low:g} to {high:,}, not {text!r}")
    return value


def _named(name: str, text: str) -> int:
    try:
        return read_size(text)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def read_size(text: str) -> int:
    """Read a size in bytes; ValueError in words.

    >>> read_size("512 MiB"), read_size("64000"), read_size("2GB")
    (536870912, 64000, 2000000000)
    """
    match = _SIZE.fullmatch(text.strip())
    factor = _UNITS.get(match[2].upper()) if match else None
    if match is None or factor is None or not 1 <= float(match[1]) * factor < 2**63:
        raise ValueError(f"expected a size such as '512 MB' or '2 GiB', not {text!r}")
    return int(float(match[1]) * factor)


def size_words(size: float) -> str:
    """Write a size in bytes for people.

    >>> size_words(2_000_000_000), size_words(1536), size_words(12)
    ('2 GB', '1.54 kB', '12 B')
    """
    for unit, factor in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:
            return f"{size / factor:.3g} {unit}"
    return f"{size:.0f} B"


def limit_words(name: str, value: float) -> str:
    """Write a limit for people.

    >>> limit_words("timeout", 60.0), limit_words("memory", 2_000_000_000), limit_words("nice", 5)
    ('60 s', '2 GB', '5')
    """
    if name in SIZES:
        return size_words(value)
    return f"{value}" if name in WHOLE else f"{value:g} s"
