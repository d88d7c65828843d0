"""Single flight: however many ask for one thing at a time, it is done once, by a thread of its own, for all of them.

    first asker    a thread starts the work; the asker waits as all others do
    all askers     get its result, or its error; or `Busy` if it takes longer than their patience: it goes on
    next asker     after its end the work is done anew

At most `most` works are under way, and only so many askers wait as there are seats, which several Onces may share:
who comes then is told to try again at once, so that threads are left for those who need only a file that is here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, InvalidStateError
from concurrent.futures import TimeoutError as Late
from contextlib import contextmanager, suppress
from typing import Generic, TypeVar

from park_spool.errors import TemporaryError

Result = TypeVar("Result")


class Busy(TemporaryError):
    """Ask again in a moment: the work goes on, or waits for its turn."""


class Seats:
    """Where askers wait."""

    def __init__(self, count: int) -> None:
        self._lock = threading.Lock()
        self._count, self.taken = count, 0

    @contextmanager
    def one(self, key: str) -> Iterator[None]:
        """Have a seat. Raises Busy if none is free."""
        with self._lock:
            if self.taken >= self._count:
                raise Busy(f"{key} is being fetched, and {self.taken} requests wait already; ask again")
            self.taken += 1
        try:
            yield
        finally:
            with self._lock:
                self.taken -= 1


class Once(Generic[Result]):
    """Works by key, each done by at most one thread at a time."""

    def __init__(self, most: int, seats: Seats) -> None:
        self._most, self._seats = most, seats
        self._lock = threading.Lock()
        self._flights: dict[str, Future[Result]] = {}
        self._is_closed = False

    def get(self, key: str, work: Callable[[], Result], patience: float) -> Result:
        """Return the work's result, done now or under way already; raise what it raises, or Busy."""
        with self._lock:
            flight = self._flights.get(key) or self._start(key, work)
        with self._seats.one(key):
            try:
                return flight.result(patience)
            except Late as error:
                if flight.done():
                    raise  # it is the work's own
                raise Busy(f"{key} is still being fetched after {patience:g} s; ask again") from error

    def has(self, key: str) -> bool:
        """Say whether a work is under way."""
        with self._lock:
            return key in self._flights

    def count(self) -> int:
        """Return how many works are under way."""
        with self._lock:
            return len(self._flights)

    def _start(self, key: str, work: Callable[[], Result]) -> Future[Result]:
        if self._is_closed or len(self._flights) >= self._most:
            raise Busy(f"{key} waits for its turn, {len(self._flights)} others are being fetched; ask again")
        flight: Future[Result] = Future()
        try:
            threading.Thread(target=self._fly, args=(key, work, flight), name=f"fetch {key}", daemon=True).start()
        except RuntimeError as error:  # the system gives no thread more
            raise Busy(f"{key} waits for its turn: {error}; ask again") from error
        self._flights[key] = flight  # it cannot land before: the lock is ours
        return flight

    def close(self) -> None:
        """Let all who wait go, with Busy: the process ends."""
        with self._lock:
            self._is_closed = True
            for flight in self._flights.values():
                with suppress(InvalidStateError):
                    flight.set_exception(Busy("the data centre is stopping; ask again"))

    def _fly(self, key: str, work: Callable[[], Result], flight: Future[Result]) -> None:
        with suppress(InvalidStateError):  # closed meanwhile
            try:
                result = work()
            except Exception as error:  # noqa: BLE001  those who wait get it, all of them
                self._land(key)
                flight.set_exception(error)
            else:
                self._land(key)
                flight.set_result(result)

    def _land(self, key: str) -> None:
        with self._lock:
            del self._flights[key]
