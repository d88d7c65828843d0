"""An asker's audits: what stands nowhere any more is offered once more, what a node could not run fails.

A range counts as lost when two looks, further apart than `staleness_seconds`, agree (PROTOCOL.md section 12).
"""

from __future__ import annotations

from math import inf

from park_spool import intervals, naming, survey
from park_spool.client.book import KEY, Book
from park_spool.client.collecting import Collecting
from park_spool.intervals import Intervals
from park_spool.member import Member

OFTENER = 4  # times as often as spoold: somebody waits for these


class Auditing:
    """One asker's looks; `collecting` takes what has failed."""

    def __init__(self, member: Member, book: Book, collecting: Collecting) -> None:
        self._member, self._book, self._collecting = member, book, collecting
        self._suspects: Intervals = []
        self._looked = -inf

    def step(self, is_paused: bool) -> None:
        """Look if it is time to. While the session is paused, units may be in spoold's memory alone."""
        config, now = self._member.config, self._member.monotonic()
        due = config.staleness_seconds if self._suspects else config.audit_seconds / OFTENER
        if self._book.calls and now - self._looked > due:
            self._looked = now
            self._audit(is_paused)

    def _audit(self, is_paused: bool) -> None:
        """Take one look at what stands nowhere; what the look before did not find either is offered once more."""
        held = survey.look(self._member.disk, self._member.layout).held(self._book.sid).get(KEY, [])
        self._fail_what_was_put_aside()
        missing = [] if is_paused else self._book.missing(held)
        lost = intervals.intersect(self._suspects, missing)
        self._suspects = intervals.subtract(missing, lost)
        self._book.offer_again(lost)

    def _fail_what_was_put_aside(self) -> None:
        """Fail the calls of units that a node could not run."""
        folder = self._member.layout.quarantine
        for name in self._member.disk.names(folder):
            unit = naming.parse_unit(name) if name.startswith(self._book.sid) else None
            if unit is not None:
                why = (self._member.disk.read(folder / f"{name}{naming.WHY}") or b"").decode(errors="replace").strip()
                self._collecting.fail(unit, why or "a node put it aside")
