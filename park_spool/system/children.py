"""The daemons that one process keeps, as their service manager: it hears when each is ready, and which of them hangs.

    child ── READY=1, WATCHDOG=1 ──▶ Children ── all ready ──▶ Manager (systemd)
                                        └── silent for longer than the limit: SIGABRT, then SIGKILL

One that ends is started again by who keeps it. Only where this process itself was started by a service manager:
else nobody asks. The socket has a name of Linux's abstract kind, which nothing leaves behind, and the kernel says
which process sent a message: others are not heard.
"""

from __future__ import annotations

import logging
import math
import os
import secrets
import signal
import socket
import struct
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Self

from park_spool.system.notify import EXTENSION, Manager

log = logging.getLogger(__name__)

_CREDENTIALS = struct.Struct("3i")  # struct ucred: pid, uid, gid
_MOST_BYTES = 4096


class Children:
    """What the children said. Does nothing, and takes all for ready, where the manager is not there."""

    def __init__(
        self,
        manager: Manager,
        clock: Callable[[], float] = time.monotonic,
        kill: Callable[[int, int], None] = os.kill,
    ) -> None:
        self._manager, self._clock, self._kill = manager, clock, kill
        self._heard: dict[int, float] = {}  # when each process was last heard, or first seen
        self._ready: set[int] = set()
        self._told_to_abort: set[int] = set()
        self._socket = _listen() if manager.is_there and hasattr(socket, "SO_PASSCRED") else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._socket is not None:
            self._socket.close()

    def descriptors(self) -> list[int]:
        """Return what becomes readable when a child said something."""
        return [] if self._socket is None else [self._socket.fileno()]

    def environment(self) -> dict[str, str]:
        """Return what a child is told."""
        if self._socket is None:
            return {}
        limit = self._manager.told.watchdog
        watchdog = {"WATCHDOG_USEC": str(round(limit * 1e6))} if math.isfinite(limit) else {}
        return {"NOTIFY_SOCKET": "@" + self._socket.getsockname()[1:].decode(), **watchdog}

    def step(self, running: Mapping[str, int], absent: Iterable[str] = ()) -> None:
        """Hear what was said, end who hangs, and tell the manager how all of them stand.

        `running` are the process numbers by name, `absent` the names of those that are still to be started.
        """
        now, alive = self._clock(), set(running.values())
        self._heard = {pid: self._heard.get(pid, now) for pid in alive}
        self._ready, self._told_to_abort = self._ready & alive, self._told_to_abort & alive
        self._hear(now)
        for name, pid in running.items():
            if now - self._heard[pid] > self._patience(pid):
                self._end(name, pid, now)
        waiting = sorted([*absent, *(name for name, pid in running.items() if pid not in self._ready)])
        if self._socket is not None and waiting:
            self._manager.going_on(f"waits until {', '.join(waiting)} can serve")
        else:
            self._manager.worked(f"{', '.join(sorted(running))} at work")

    def _patience(self, pid: int) -> float:
        """Return the seconds of silence that a child is given: more while it starts, and says nothing yet."""
        limit = self._manager.told.watchdog
        return limit if pid in self._ready or pid in self._told_to_abort else max(limit, EXTENSION)

    def _hear(self, now: float) -> None:
        while self._socket is not None:
            try:
                data, ancillary, _, _ = self._socket.recvmsg(_MOST_BYTES, socket.CMSG_SPACE(_CREDENTIALS.size))
            except BlockingIOError:
                return
            for pid in _senders(ancillary):
                if pid in self._heard:
                    self._heard[pid] = now
                    self._ready |= {pid} if b"READY=1" in data.split(b"\n") else set()

    def _end(self, name: str, pid: int, now: float) -> None:
        """End a child that hangs: first so that it shows where, then by force. It gets another limit's time for it."""
        number = signal.SIGKILL if pid in self._told_to_abort else signal.SIGABRT
        silence = now - self._heard[pid]
        log.error("%s (process %d) has not stirred for %.0f s: it is ended by %s", name, pid, silence, number.name)
        self._told_to_abort.add(pid)
        self._heard[pid] = now
        with suppress(ProcessLookupError):
            self._kill(pid, number)


def _senders(ancillary: Iterable[tuple[int, int, bytes]]) -> list[int]:
    """Return the process that the kernel says a message is from."""
    credentials = (socket.SOL_SOCKET, socket.SCM_CREDENTIALS)
    return [
        _CREDENTIALS.unpack(value[: _CREDENTIALS.size])[0] for *what, value in ancillary if tuple(what) == credentials
    ]


def _listen() -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    made.bind(f"\0park-spool-{os.getpid()}-{secrets.token_hex(8)}")
    return made
