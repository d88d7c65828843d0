"""What was made a moment ago, kept: a picture is drawn, or numbers gathered, once however many look at it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Generic, Protocol, TypeVar

MOST_BYTES = 32_000_000


class Sized(Protocol):
    """What is kept: `data` is what it weighs."""

    @property
    def data(self) -> bytes: ...


T = TypeVar("T", bound=Sized)


class Drawn(Generic[T]):
    """May be asked by several threads; one draws at a time, since matplotlib takes a whole CPU."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._kept: OrderedDict[str, T] = OrderedDict()
        self._most, self._size = most_bytes, 0
        self._lock = Lock()

    def get(self, version: str, make: Callable[[], T]) -> T:
        """Return what a version is, made if it is not kept."""
        with self._lock:
            if version not in self._kept:
                self._kept[version] = made = make()
                self._size += len(made.data)
            self._kept.move_to_end(version)
            saved = self._kept[version]
            while self._size > self._most and self._kept:
                _, oldest = self._kept.popitem(last=False)
                self._size -= len(oldest.data)
            return saved
