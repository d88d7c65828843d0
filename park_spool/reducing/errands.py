"""What the reducer has done aside, by a child process, one at a time: answers delivered, notices sent, copies made.

    a session is closed ─► deliver SID EDITION ─► tell SID TOLD       and now and then: snapshot

None of it may hold up reducing: pictures are slow to draw, mail servers slower to answer. What is to be done follows
from the archive and from names on the spool, so a reducer that died loses none of it. One that fails is tried again,
later and later; a child that hangs is killed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

log = logging.getLogger(__name__)

LONGEST = 3600.0  # s that a child may take
FIRST_PAUSE, LONGEST_PAUSE = 30.0, 3600.0  # s until an errand that failed is tried again
MOST_TRIES = 30  # about a day

DELIVER, TELL, SNAPSHOT = "deliver", "tell", "snapshot"


class Errand(NamedTuple):
    """One thing to be done: its verb, and what it is about."""

    verb: str
    words: tuple[str, ...] = ()


class Child(Protocol):
    """Who does an errand."""

    def poll(self) -> int | None:
        """Return its exit status, None while it is at work."""

    def kill(self) -> None:
        """End it at once."""

    @property
    def said(self) -> str:
        """Return the last line that it said, once it has ended."""


Send = Callable[[Errand], Child]


@dataclass(slots=True)
class Errands:
    """The errands of one reducer; `send` starts a child, `done` is called with each errand that went well."""

    send: Send | None
    done: Callable[[Errand], None]
    monotonic: Callable[[], float]
    _waiting: dict[Errand, float] = field(default_factory=dict)  # and not before which time
    _tries: dict[Errand, int] = field(default_factory=dict)
    _child: Child | None = None
    _errand: Errand | None = None
    _since: float = 0.0

    def want(self, errands: Iterable[Errand]) -> None:
        """Have errands done; one that is waiting, at work, or given up is not begun anew."""
        for errand in errands:
            if self.send is not None and errand != self._errand and self._tries.get(errand, 0) < MOST_TRIES:
                self._waiting.setdefault(errand, self.monotonic())

    def is_wanted(self, errand: Errand) -> bool:
        """Say whether an errand is waiting or at work."""
        return errand in self._waiting or errand == self._errand

    @property
    def is_busy(self) -> bool:
        return self._child is not None

    def step(self) -> bool:
        """Look after the child, and send the next one; return whether one went well."""
        now = self.monotonic()
        did = self._look(now)
        if self._child is None and self.send is not None:
            errand = next((one for one, at in self._waiting.items() if at <= now), None)
            if errand is not None:
                del self._waiting[errand]
                self._errand, self._since, self._child = errand, now, self.send(errand)
        return did

    def _look(self, now: float) -> bool:
        if self._child is None or self._errand is None:
            return False
        status = self._child.poll()
        if status is None:
            if now - self._since > LONGEST:
                log.error("%s takes longer than %.0f s: its process was killed", words(self._errand), LONGEST)
                self._child.kill()
            return False
        child, errand = self._child, self._errand
        self._child = self._errand = None
        if status == 0:
            self._tries.pop(errand, None)
            self.done(errand)
            return True
        self._fail(errand, child, status, now)
        return False

    def _fail(self, errand: Errand, child: Child, status: int, now: float) -> None:
        tries = self._tries[errand] = self._tries.get(errand, 0) + 1
        if tries >= MOST_TRIES:
            log.error("%s failed %d times and is not tried again: %s", words(errand), tries, child.said)
            return
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (tries - 1))
        self._waiting[errand] = now + pause
        log.warning("%s failed (status %d): %s; tried again in %.0f s", words(errand), status, child.said, pause)

    def leave(self) -> None:
        """End the child: the next reducer sends another."""
        if self._child is not None:
            self._child.kill()
            self._child = self._errand = None


def words(errand: Errand) -> str:
    """Say an errand.

    >>> words(Errand("deliver", ("20261123-025532-k3j9",)))
    'deliver 20261123-025532-k3j9'
    """
    return " ".join((errand.verb, *errand.words))
