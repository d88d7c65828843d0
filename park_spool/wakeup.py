"""Waking up: inotify (through watchdog) where it can tell, a look now and then everywhere.

Hints only. Changes by other hosts never arrive this way, and losing a hint costs one look. A pipe carries the hints
to the daemon's own thread, so that it can wait for them and for its children at once.
Only what arrives is heard: names that leave a folder are nobody's work.
"""

from __future__ import annotations

import logging
import math
import os
import select
import threading
import warnings
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from watchdog.events import (
    DirCreatedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver
from watchdog.utils import UnsupportedLibcError

_EVENTS: list[type[FileSystemEvent]] = [
    FileCreatedEvent,
    FileClosedEvent,
    FileMovedEvent,
    DirCreatedEvent,
    DirMovedEvent,
]


class HasFileno(Protocol):
    def fileno(self) -> int: ...


class Wakeup(FileSystemEventHandler):
    """Watch folders and wait: for a change, for a file to become readable, or for the time to pass.

    `deep` folders are watched with all below them, `flat` ones alone; `inbox`, one of the flat ones, is where it
    matters which files are whole. No wait takes longer than `longest`: the service manager may want to hear of it.
    """

    def __init__(
        self,
        deep: Iterable[Path] = (),
        flat: Iterable[Path] = (),
        inbox: Path | None = None,
        longest: float = math.inf,
    ) -> None:
        self._longest = longest
        self._reader, self._writer = os.pipe()
        self._ended, self._end = os.pipe()
        self._nudged, self._nudge = os.pipe()
        for end in (self._reader, self._writer, self._end, self._nudged, self._nudge):
            os.set_blocking(end, False)
        self._lock = threading.Lock()
        self._inbox = inbox
        self._whole: set[str] = set()
        self._is_closed = False
        # A folder that is seen twice as it appears is watched once all the same.
        warnings.filterwarnings("ignore", "Callback with id", RuntimeWarning, r"watchdog\.")
        # RACE: with full events a file that was moved in shows as such, apart from one that is only being created.
        self._observer = _observer()
        for folder in deep:
            self._observer.schedule(self, str(folder), recursive=True, event_filter=_EVENTS)
        for folder in flat:
            self._observer.schedule(self, str(folder), recursive=False, event_filter=_EVENTS)
        self._observer.daemon = True
        self._observer.start()

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Run in watchdog's thread: remember what is whole, and wake the daemon."""
        is_moved = isinstance(event, FileMovedEvent | DirMovedEvent) and bool(event.dest_path)
        if isinstance(event, FileClosedEvent) or is_moved:
            path = Path(os.fsdecode(event.dest_path or event.src_path))
            if path.parent == self._inbox:
                with self._lock:
                    self._whole.add(path.name)
        self.wake()

    def wake(self) -> None:
        """Hint that there is something to look at; safe from any thread."""
        self._hint(self._writer)

    def interrupt(self) -> None:
        """End this and every later wait or pause at once: the daemon is to stop. Safe from a signal handler."""
        self._hint(self._end)

    def nudge(self) -> None:
        """End this or the next wait or pause, once: there is an order to carry out. Safe from a signal handler."""
        self._hint(self._nudge)

    def _hint(self, pipe: int) -> None:
        if not self._is_closed:  # a late signal must not write into whatever has the descriptor's number by then
            with suppress(BlockingIOError):
                os.write(pipe, b".")

    def whole_names(self) -> list[str]:
        """Return, once, the names in the inbox that were closed after writing or moved in."""
        with self._lock:
            names = sorted(self._whole)
            self._whole.clear()
        return names

    def wait(self, seconds: float, files: Sequence[HasFileno] = ()) -> None:
        """Wait until something happens, `seconds` at the most."""
        descriptors = [self._reader, self._nudged, self._ended, *(file.fileno() for file in files)]
        _poll(descriptors, min(seconds, self._longest))
        _drain(self._reader)
        _drain(self._nudged)

    def pause(self, seconds: float) -> None:
        """Wait whatever is hinted: after a failure, when looking at once would only fail at once."""
        _poll([self._nudged, self._ended], seconds)
        _drain(self._nudged)

    def close(self) -> None:
        self._is_closed = True
        # RACE: watchdog's thread may be about to read when it is told to stop, and calls that an error.
        logging.getLogger("watchdog.observers.inotify").setLevel(logging.CRITICAL)
        # RACE: it may have lost count of a folder that was renamed while its watch was being added. Its threads are
        # daemons, and what they would still hint is not written any more.
        with suppress(KeyError):
            self._observer.stop()
            self._observer.join()
        for end in (self._reader, self._writer, self._ended, self._end, self._nudged, self._nudge):
            os.close(end)


def _poll(descriptors: Iterable[int], seconds: float) -> None:
    """Wait until one is readable; poll and not select, since a node of many slots has descriptors above 1023."""
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    poll.poll(max(0.0, seconds) * 1000)


def _drain(pipe: int) -> None:
    with suppress(BlockingIOError):
        while os.read(pipe, 4096):
            pass


def _observer() -> BaseObserver:
    try:
        from park_spool.arrivals import ArrivalObserver
    except (ImportError, UnsupportedLibcError):
        return Observer()
    return ArrivalObserver()
