"""The future of one call: a concurrent.futures.Future that asks the spool before it lets itself be cancelled."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any, Protocol

from park_spool.naming import Unit


class Holder(Protocol):
    """Who has a call: the asker."""

    def take_back(self, future: CallFuture) -> bool:
        """Take a call back that nobody has claimed; False if it has begun, or has its answer."""

    def has_begun(self, future: CallFuture) -> bool:
        """Say whether a node has claimed a call."""


class CallFuture(Future[Any]):
    """One call: which function, with which arguments; `job` is its number once it was sent, 0 before."""

    def __init__(self, holder: Holder, function: str = "", arguments: bytes = b"") -> None:
        super().__init__()
        self._holder = holder
        self.function, self.arguments = function, arguments
        self.job = 0
        self.unit: Unit | None = None  # that it was offered in last
        self.is_out = False  # of its holder's hands: taken back, or about to be set

    def cancel(self) -> bool:
        """Cancel the call if no node has claimed it yet; return whether it is cancelled."""
        if self.done() or not self._holder.take_back(self):
            return self.cancelled()
        self.drop()
        return True

    def drop(self) -> None:
        """Be cancelled, once the call is taken back: nobody else sets the future any more."""
        super().cancel()
        self.set_running_or_notify_cancel()  # who waits for it hears of it by this

    def running(self) -> bool:
        """Say whether a node has claimed the call and has not answered it."""
        return super().running() or (not self.done() and self._holder.has_begun(self))
