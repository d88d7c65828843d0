"""Watchdog's inotify, told of what arrives in a folder and of nothing that leaves it.

A name that is moved out is held back for half a second by watchdog, in the hope of the other half of the move, and
with it every later event of the same watch: a unit that is offered soon after one was claimed would wake nobody.
Guarantees: no event waits for another. A move within the watch is an arrival, like one from elsewhere.
Linux only: importing it fails where there is no inotify.
"""

from __future__ import annotations

from watchdog.observers.inotify import InotifyFullEmitter, InotifyObserver
from watchdog.observers.inotify_c import InotifyConstants, Mask


class ArrivalEmitter(InotifyFullEmitter):
    """Ask the kernel for every event that the filter wants, less the departures."""

    def get_event_mask_from_filter(self) -> Mask:
        """Leave out the half of a move that says where a name was."""
        return Mask(super().get_event_mask_from_filter() & ~InotifyConstants.IN_MOVED_FROM)


class ArrivalObserver(InotifyObserver):
    """An observer whose moves are always unmatched ones: full events tell them from names being created."""

    def __init__(self) -> None:
        super().__init__(generate_full_events=True)
        self._emitter_class = ArrivalEmitter
