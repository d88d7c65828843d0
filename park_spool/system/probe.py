"""Whether the threads of a server still answer: each ping of the watchdog is carried by one of them.

    loop ── probe ──▶ the queue of requests ──▶ a thread takes it ──▶ loop: ready, alive

While all threads hang no probe is taken, and the service manager hears nothing, though the loop itself still turns.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from park_spool.system.notify import Manager


class Probe:
    """A task as waitress has them; `give` puts it into the queue, `wake` makes the loop look."""

    def __init__(
        self, manager: Manager, give: Callable[[Any], None], wake: Callable[[], None], status: str = ""
    ) -> None:
        self._manager, self._give, self._wake, self._status = manager, give, wake, status
        self._is_under_way = self._is_taken = False

    def look(self) -> None:
        """Pass on that a thread took the last probe, and send one when a ping is due. Called by every turn."""
        if self._is_taken:
            self._is_under_way = self._is_taken = False
            self._manager.worked(self._status)
        if not self._is_under_way and (self._manager.is_due or not self._manager.is_ready) and self._manager.is_there:
            self._is_under_way = True
            self._give(self)

    def service(self) -> None:
        """Run in a thread: note that there is one."""
        self._is_taken = True
        self._wake()

    def cancel(self) -> None:
        """The queue was closed; nobody is told."""
