"""Collecting what nodes answered to one executor: replies become answers, and what they needed is unlinked.

Each call is answered once: whatever comes later of it finds no future. The reducer touches none of these replies.
Answers are unpickled, so they must be of a trusted account, as payloads must.
"""

from __future__ import annotations

from math import inf

from park_spool import naming, payloads, replies
from park_spool.client.answers import Answer
from park_spool.client.book import Book
from park_spool.client.gathering import Cost, Costs
from park_spool.errors import CallError, TornError
from park_spool.member import Member
from park_spool.naming import Unit
from park_spool.replies import Reply

REFRESH_SECONDS = 1.0


class Collecting:
    """One asker's hands on replies/; `settled` are answers whose futures wait to be set."""

    def __init__(self, member: Member, book: Book, costs: Costs) -> None:
        self._member, self._book, self._costs = member, book, costs
        self._trusted = payloads.trusted(member.config.spool)
        self._torn: dict[str, float] = {}
        self._refreshed = -inf
        self.look_seconds = 0.0  # what one listing took
        self.settled: list[Answer] = []

    def step(self) -> bool:
        """Take in all replies that there are; return whether there were any."""
        folder = self._member.layout.replies
        begin = self._member.monotonic()
        self._refresh(begin)
        names = [name for name in self._member.disk.names(folder) if name.startswith(self._book.sid)]
        self.look_seconds = self._member.monotonic() - begin
        for name in names:
            self._take(name)
        return bool(names)

    def _refresh(self, now: float) -> None:
        # NFS: a listing may stay stale until the folder's next change.
        if self._member.config.is_shared and now - self._refreshed >= REFRESH_SECONDS:
            self._refreshed = now
            self._member.disk.refresh(self._member.layout.replies)

    def _take(self, name: str) -> None:
        parsed = naming.parse_reply(name)
        found = self._member.disk.read_owned(self._member.layout.replies / name) if parsed else None
        if parsed is None or found is None:
            return
        data, owner = found
        try:
            reply = replies.decode(name, data)
        except TornError as error:
            self._doubt(name, parsed[0], error)
            return
        self._torn.pop(name, None)
        if owner in self._trusted:
            self._settle(reply)
        else:
            self.fail(
                reply.unit, f"its answer is user {owner}'s, and was not read: it is neither one's own nor spool owner's"
            )
        # CRASH: an asker that dies before this unlink leaves it for spoold, which ends the session.
        self._member.disk.unlink(self._member.layout.replies / name)

    def _settle(self, reply: Reply) -> None:
        seconds: dict[str, list[float]] = {}
        outputs: dict[str, list[float]] = {}
        for result in reply.jobs:
            if result.status == "cancelled":
                continue  # never final: whoever cancelled the session is about to be heard, and breaks the executor
            future = self._book.pop(result.job)
            if future is None:
                continue  # it was answered before, or taken back
            self.settled.append(Answer(future, result, reply.node))
            seconds.setdefault(future.function, []).append(result.seconds)
            outputs.setdefault(future.function, []).append(float(len(result.output)))
        for function, times in seconds.items():
            sizes = outputs[function]
            self._costs.learn(function, Cost(sum(times) / len(times), sum(sizes) / len(sizes)))

    def _doubt(self, name: str, unit: Unit, error: TornError) -> None:
        """Look at a reply that cannot be read a second time, later; then have its calls made again."""
        now = self._member.monotonic()
        if now - self._torn.setdefault(name, now) <= self._member.config.staleness_seconds:
            return
        del self._torn[name]
        if unit.attempt + 1 < self._member.config.max_attempts:
            self._book.offer_again([(unit.start, unit.stop)], unit.attempt + 1)
        else:
            self.fail(unit, f"its answer could not be read, at every attempt: {error}")
        self._member.disk.unlink(self._member.layout.replies / name)

    def fail(self, unit: Unit, why: str) -> None:
        """Give the calls of a unit up."""
        for job in range(unit.start, unit.stop):
            future = self._book.pop(job)
            if future is not None:
                self.settled.append(Answer(future, error=CallError(f"call {job}: {why}")))
