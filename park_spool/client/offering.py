"""Offering the calls of one executor: payloads and functions first, then the names of units in ready/.

    queue ─▶ calls/SID/SHA256, calls/SID/FIRST-LAST ─▶ ready/RANK/UNIT        at that instant the calls are claimable

Never more units at once than keep all CPUs busy: what waits in the queue is gathered into larger units by what calls
turn out to take.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Iterable
from itertools import islice
from math import inf
from threading import Lock

from park_spool import naming, payloads
from park_spool.client import gathering
from park_spool.client.alive import FILE_MODE
from park_spool.client.book import Book
from park_spool.client.entry import Broken
from park_spool.client.futures import CallFuture
from park_spool.client.gathering import Costs
from park_spool.member import Member
from park_spool.naming import MOST_CALLS, Unit
from park_spool.nodes import Nodes
from park_spool.payloads import Payload
from park_spool.tending import planning
from park_spool.tending.offering import offer

KEPT_FUNCTIONS = 64  # that lie on the spool though no call needs them now
LOOK_SECONDS = 2.0  # how long what nodes said of themselves will do


class Offering:
    """One asker's hands on ready/ and its own folder; `queue` holds the calls that were not sent yet."""

    def __init__(self, member: Member, book: Book, costs: Costs, context: str) -> None:
        self._member, self._book, self._costs, self._context = member, book, costs, context
        self._folder = member.layout.calls(book.sid)
        self._nodes = Nodes(member)
        self._looked = -inf
        self._cpus = 0
        self._unsent: dict[str, bytes] = {}
        self._users: Counter[str] = Counter()  # of each function that lies there: calls without an answer
        self._kept: OrderedDict[str, None] = OrderedDict()
        self._half: tuple[Unit, list[CallFuture]] | None = None  # numbered, and perhaps not offered yet
        self.queue: deque[CallFuture] = deque()
        self.lock = Lock()  # of the queue and the functions: other threads fill them

    def put(self, digest: str, function: bytes, calls: Iterable[CallFuture]) -> None:
        """Queue calls of a function, which is taken along unless it lies there already. Under the lock."""
        if digest not in self._kept:
            self._unsent.setdefault(digest, function)
        before = len(self.queue)
        self.queue.extend(calls)
        self._users[digest] += len(self.queue) - before

    def cpus(self, tag: str) -> int:
        """Return how many CPUs may claim under a tag, by a look at the nodes that is not old."""
        now = self._member.monotonic()
        if now - self._looked >= LOOK_SECONDS:
            self._looked = now
            self._nodes.look()
            self._cpus = self._nodes.cluster.cpus_for(tag)
        return self._cpus

    # offering

    def bring(self, digest: str, data: bytes) -> None:
        """Take what every call needs along: the context."""
        self._unsent[digest] = data

    def step(self, rank: str) -> bool:
        """Offer what is to be offered once more, and as many units as there is room for; return whether any was."""
        did = self._half is not None
        self._finish(rank)  # what a full disk or a cut network kept it from
        did = self._offer_again(rank) or did
        return self._offer_queued(rank) or did

    def _offer_again(self, rank: str) -> bool:
        units = self._book.take_again()
        did = bool(units)
        try:
            while units:
                self._offer(rank, units[0])
                del units[0]
        finally:
            self._book.again += units
        return did

    def _offer_queued(self, rank: str) -> bool:
        if not self.queue:
            return False
        cpus = self.cpus(naming.rank_tag(rank))
        room = planning.window(cpus, self._member.config) - self._book.units
        for _ in range(room):
            if not self._offer_next(rank, cpus):
                break
        return room > 0

    def _offer_next(self, rank: str, cpus: int) -> bool:
        """Offer one unit off the front of the queue; False if there is nothing more."""
        with self.lock:
            calls = self._take(cpus)
        if not calls:
            return False
        self._half = self._book.add(calls), calls
        self._finish(rank)
        return True

    def _take(self, cpus: int) -> list[CallFuture]:
        """Take the calls of the next unit off the front of the queue. Under the lock."""
        while self.queue and self.queue[0].is_out:
            self._users[self.queue.popleft().function] -= 1
        if not self.queue:
            return []
        if not self._book.room:
            raise Broken(f"it has made {MOST_CALLS:,} calls, and no more have names: make another executor")
        config = self._member.config
        free, most = cpus - self._book.units, min(config.max_unit, self._book.room)
        bounds = gathering.Bounds(cpus, free, planning.unit_seconds(cpus, config), most)
        costs = ((self._costs.of(one.function), len(one.arguments)) for one in islice(self.queue, most + 1))
        count = gathering.size(costs, len(self.queue), bounds)
        taken = [self.queue.popleft() for _ in range(min(count, len(self.queue)))]
        self._users.subtract(future.function for future in taken if future.is_out)
        return [future for future in taken if not future.is_out]

    def _finish(self, rank: str) -> None:
        """Send and offer the calls that have their numbers. Safe to repeat after a failure."""
        if self._half is None:
            return
        unit, calls = self._half
        functions = list(dict.fromkeys(future.function for future in calls))
        self._send_functions(functions)
        self._send(unit, calls, functions)
        self._offer(rank, unit)
        self._half = None
        for future in calls:
            future.arguments = b""

    def _send_functions(self, digests: Iterable[str]) -> None:
        """Publish the functions that are not there yet."""
        for digest in (self._context, *digests):
            data = self._unsent.get(digest)
            if data is not None:
                self._publish(digest, data)
            with self.lock:
                self._unsent.pop(digest, None)
                self._kept[digest] = None
                self._kept.move_to_end(digest)

    def _send(self, unit: Unit, calls: list[CallFuture], functions: list[str]) -> None:
        numbers = {digest: number for number, digest in enumerate(functions)}
        arguments = {future.job: (numbers[future.function], future.arguments) for future in calls}
        payload = payloads.encode(Payload(self._context, tuple(functions), arguments))
        self._publish(naming.payload_name(unit.start, unit.stop), payload)

    def _publish(self, name: str, data: bytes) -> None:
        self._member.disk.publish(self._folder / name, data, mode=FILE_MODE)

    def _offer(self, rank: str, unit: Unit) -> None:
        for job in range(unit.start, unit.stop):
            if job in self._book.calls:
                self._book.calls[job].unit = unit
        if not offer(self._member, rank, unit):  # at this instant the unit is claimable
            self._book.again.append(unit)

    # clearing

    def clear(self) -> None:
        """Unlink payloads that are needed no more, and functions that no call has needed for long."""
        for sent in self._book.finished():
            self._member.disk.unlink(self._folder / naming.payload_name(sent.start, sent.stop))
        with self.lock:
            self._users.subtract(self._book.released)
            self._book.released.clear()
            forgotten = self._forget_functions() if len(self._kept) > 2 * KEPT_FUNCTIONS else []
        for digest in forgotten:
            self._member.disk.unlink(self._folder / digest)

    def _forget_functions(self) -> list[str]:
        """Forget the functions that were not used for longest; they are sent again when they are called again."""
        idle = [digest for digest in self._kept if self._users[digest] <= 0 and digest != self._context]
        forgotten = idle[: len(self._kept) - KEPT_FUNCTIONS]
        for digest in forgotten:
            del self._kept[digest], self._users[digest]
        return forgotten
