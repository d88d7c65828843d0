"""The children that a slot has killed and does not wait for, until they are dead."""

from __future__ import annotations

import select

from park_spool.running.child import Child

_PATIENCE = 5.0  # s that a killed child may take to die when the slot is closed


class Undertaker:
    """Kill children and bury them when they have died of it."""

    def __init__(self) -> None:
        self._dying: list[Child] = []

    def take(self, child: Child) -> None:
        """Kill a child; it is buried by a later `look`."""
        child.kill()
        self._dying.append(child)

    def look(self) -> None:
        """Bury those that have died since."""
        dead = [child for child in self._dying if child.has_ended()]
        self._dying = [child for child in self._dying if child not in dead]
        for child in dead:
            child.bury()

    def close(self) -> None:
        """Wait until all are gone, but not for ever: one that hangs in the kernel would hang the node's end, too."""
        for child in self._dying:
            poller = select.poll()
            poller.register(child.death, select.POLLIN)
            poller.poll(1000 * _PATIENCE)
        self.look()
