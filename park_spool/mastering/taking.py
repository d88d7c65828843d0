"""Becoming the master, or finding that another one lives."""

from __future__ import annotations

import time
from collections.abc import Callable

from park_spool import leadership, processes
from park_spool.leadership import Candidate
from park_spool.mastering.living import identity_of
from park_spool.member import Member
from park_spool.naming import Lock
from park_spool.running.staying import MASTER

LOOK = 0.3  # s


def take(candidate: Candidate, member: Member, sleep: Callable[[float], None] = time.sleep) -> Lock | None:
    """Become the active master; return the lock of another one if it lives.

    It lives when its process is seen to, or its lock moves while this one watches. One that is silent for
    `lease_expiry` is taken over from, so that may take as long.
    """
    first: dict[str, int] = {}
    while not candidate.step():
        other = active(member)
        if other is not None:
            identity = identity_of(member, other)
            if identity is not None and processes.is_alive(identity):
                return other
            if first.setdefault(other.candidate, other.seq) < other.seq:
                return other
        sleep(LOOK)
    return None


def active(member: Member) -> Lock | None:
    """Return the active master's newest lock, alive or not."""
    return leadership.best(leadership.locks(member.disk, member.layout, MASTER))
