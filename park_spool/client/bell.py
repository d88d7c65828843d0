"""A bell that wakes an asker's thread: it may be rung from anywhere, a finalizer in the middle of anything included.

threading.Event has a lock of its own: a finalizer that comes while this very thread holds it would wait for ever.
SimpleQueue is made to be put into from there.
"""

from __future__ import annotations

from contextlib import suppress
from queue import Empty, SimpleQueue


class Bell:
    """Rung or not; `wait` hears all that was rung before."""

    def __init__(self) -> None:
        self._rings: SimpleQueue[None] = SimpleQueue()

    def ring(self) -> None:
        """End this or the next wait."""
        if self._rings.empty():
            self._rings.put(None)

    def wait(self, seconds: float) -> None:
        """Wait until it is rung, or for so long."""
        with suppress(Empty):
            self._rings.get(timeout=max(0.0, seconds))
        with suppress(Empty):
            while True:
                self._rings.get_nowait()
