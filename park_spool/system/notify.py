"""What a daemon tells the service manager that started it, and what it was told by it (sd_notify(3)).

    READY=1            once the first step worked          WATCHDOG=1    by every turn of the loop, when one is due
    STOPPING=1         once it was told to end             STATUS=…      when there is something new to say

The environment is taken, not read: what this process starts must not speak in its place. Pings come out of the loop
that does the work, never out of a thread of their own, so that work that hangs is seen. A notice that cannot be sent
harms nobody: it is tried again at the next turn.
"""

from __future__ import annotations

import faulthandler
import logging
import math
import os
import socket
import sys
import time
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass

log = logging.getLogger(__name__)

EXTENSION = 600  # s more for a start that takes long, each time that it said how far it is


@dataclass(frozen=True, slots=True)
class Told:
    """What a service manager told this process: where it listens, and the seconds of silence after which it acts."""

    address: str = ""
    watchdog: float = math.inf

    @property
    def every(self) -> float:
        """Return the longest wait between two looks at whether a ping is due: pings are then half the limit apart."""
        return self.watchdog / 4


def take(environment: MutableMapping[str, str], pid: int | None = None) -> Told:
    """Take out of the environment what the service manager said to this process.

    >>> take({"NOTIFY_SOCKET": "/run/systemd/notify", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"}, 7)
    Told(address='/run/systemd/notify', watchdog=30.0)
    """
    address = environment.pop("NOTIFY_SOCKET", "")
    microseconds, whose = environment.pop("WATCHDOG_USEC", ""), environment.pop("WATCHDOG_PID", "")
    is_mine = whose in ("", str(os.getpid() if pid is None else pid))
    is_watched = address and is_mine and microseconds.isdecimal() and int(microseconds) > 0
    return Told(address, int(microseconds) / 1e6 if is_watched else math.inf)


class Manager:
    """The service manager as a daemon sees it; one that told nothing is told nothing."""

    def __init__(self, told: Told | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.told = told or Told()
        self._clock = clock
        self._pinged = -math.inf
        self._status = ""
        self._is_complained = False
        self.is_ready = self.is_stopping = False

    @property
    def is_there(self) -> bool:
        return bool(self.told.address)

    @property
    def every(self) -> float:
        return self.told.every

    @property
    def is_due(self) -> bool:
        """Whether a ping is due."""
        return math.isfinite(self.every) and self._clock() - self._pinged >= self.every

    def worked(self, status: str = "") -> None:
        """Say that a step worked: ready from the first one on, alive from then on."""
        self._say(status, [] if self.is_ready else ["READY=1"])

    def failed(self, why: str) -> None:
        """Say why a step failed: the loop lives, and tries again; but it is not ready by that."""
        self._say(why, [])

    def going_on(self, status: str) -> None:
        """Say how far a long step is; a start that takes long is given more time for it."""
        is_due = self.is_due or status != self._status
        self._say(status, [] if self.is_ready or not is_due else [f"EXTEND_TIMEOUT_USEC={EXTENSION * 1_000_000}"])

    def stopping(self) -> None:
        """Say, once, that the daemon ends in order."""
        if self.is_there and not self.is_stopping:
            self.is_stopping = self._send(["STOPPING=1", "STATUS=ending"])

    def _say(self, status: str, notices: list[str]) -> None:
        if not self.is_there:
            return
        status = " ".join(status.split())[:500]
        is_due, is_news = self.is_due, status != self._status
        lines = [*notices, *["WATCHDOG=1"] * is_due, *[f"STATUS={status}"] * is_news]
        if lines and self._send(lines):
            self._status = status
            self._pinged = self._clock() if is_due else self._pinged
            self.is_ready = self.is_ready or "READY=1" in notices

    def _send(self, lines: list[str]) -> bool:
        """Send a message; return whether it went out. A manager whose socket is full must not hold the daemon up."""
        try:
            place = self.told.address
            place = f"\0{place[1:]}" if place.startswith("@") else place
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.sendto("\n".join(lines).encode(), socket.MSG_DONTWAIT, place)
        except BlockingIOError:
            return False
        except OSError as error:
            if not self._is_complained:
                log.warning("the service manager cannot be told anything at %s: %s", self.told.address, error)
            self._is_complained = True
            return False
        return True


def manager(told: Told) -> Manager:
    """Return the manager that told this; where it watches, an abort shows in which lines the daemon hung."""
    if math.isfinite(told.watchdog) and sys.stderr is not None:
        faulthandler.enable()
    return Manager(told)
