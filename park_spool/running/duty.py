"""What a node is ready to do: claim, or finish what it has, for how long, and why.

    working ─▶ draining (SIGTERM, `park drain`) ─▶ it leaves
       │  └──▶ bad (the reducer found it so): nothing more until it is started again
       └─────▶ waiting (the machine is wanted back, or it is not its hour) ─▶ working

What runs may run on until `deadline`, then it is given back. Pure; it outlives the names that the node goes by.
"""

from __future__ import annotations

from dataclasses import dataclass

from park_spool.config import Config
from park_spool.running.politeness import PATIENCE


@dataclass(slots=True)
class Duty:
    """Times on the node's own clock; a deadline of None is never."""

    config: Config
    bad: str | None = None
    draining: str | None = None
    waiting: str | None = None
    _drained_by: float | None = None
    _waited_by: float | None = None

    @property
    def may_claim(self) -> bool:
        return self.bad is None and self.draining is None and self.waiting is None

    @property
    def deadline(self) -> float | None:
        """Return when what still runs is to be given back."""
        ends = [end for end in (self._drained_by, self._waited_by) if end is not None]
        return min(ends, default=None)

    def drain(self, why: str, until: float | None = None) -> bool:
        """Note that the node is to leave, at once when nothing runs, `until` then at the latest; return if it is news.

        A drain with an end after one without: the one who wants it sooner is heard.
        """
        if until is not None:
            self._drained_by = until if self._drained_by is None else min(until, self._drained_by)
        is_news, self.draining = self.draining is None, self.draining or why
        return is_news

    def condemn(self, why: str) -> bool:
        """Note that the reducer found this node bad; return if it is news."""
        is_news, self.bad = self.bad is None, self.bad or why
        return is_news

    def heed(self, objection: str | None, now: float) -> bool:
        """Note whether somebody objects to work now; return if that has changed."""
        is_news = (self.waiting is None) != (objection is None)
        if objection is None:
            self._waited_by = None
        elif self.waiting is None:
            self._waited_by = now + PATIENCE * self.config.drain_seconds
        self.waiting = objection
        return is_news

    def state(self, is_busy: bool) -> tuple[str, str | None]:
        """Return the word for what the node does, and why if it claims nothing."""
        for word, why in (("draining", self.draining), ("bad", self.bad), ("waiting", self.waiting)):
            if why is not None:
                return word, why
        return "working" if is_busy else "idle", None
