"""What was worked out for one look, kept for the looks of others while its stamp stands; kept in a few places only."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar

T = TypeVar("T")
MOST_KEPT = 64


class Worked:
    """May be asked by several threads at once; of those who ask for the same one works it out."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, _Place] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, version: str, make: Callable[[], T]) -> T:
        """Return what stands under a key in this version, made if it is not kept; what `make` raises is not kept."""
        with self._lock:
            place = self._kept.setdefault(key, _Place())
            self._kept.move_to_end(key)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        with place.lock:
            if place.version != version:
                place.value, place.version = make(), version
            value: T = place.value
            return value


class _Place:
    """One key's; who still holds one that was dropped works for itself alone."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.version = ""
        self.value: Any = None
