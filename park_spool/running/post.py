"""A node at its post: with its slots, its wake-ups, the signals that tell it to leave, and its standby park-spoold.

first SIGTERM or Ctrl-C ─▶ drain for `drain_seconds` ─▶ give back ─▶ leave         a second one: at once
notices/NODE.drain      ─▶ drain without limit       ─▶ leave
its stay is over        ─▶ drain                     ─▶ leave         see staying.py
"""

from __future__ import annotations

import logging
import math
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress

from park_spool import naming
from park_spool.config import Config
from park_spool.daemon import PatientStop
from park_spool.running.node import Node
from park_spool.running.slot import Slot
from park_spool.running.staying import Stay, Staying
from park_spool.supervise import GRACE, Program, Supervisor
from park_spool.wakeup import Wakeup

log = logging.getLogger(__name__)

STANDBYS = 3
RETRY_SECONDS = 1.0  # between two failing steps of a node that leaves: it has little time


class Post:
    """Everything that a park-noded has to look after; `leave` ends it."""

    def __init__(
        self,
        settings: Config,
        node: Node,
        slots: Sequence[Slot],
        stay: Stay | None = None,
        longest: float = math.inf,
    ) -> None:
        self.node, self._config, self._slots = node, settings, slots
        self._staying = Staying(
            stay or Stay(), node.member.monotonic(), settings.drain_seconds, settings.heartbeat_seconds
        )
        node.shop.choice.ends_at = self._staying.gives_back_at
        spool = settings.layout
        flat = [] if settings.is_shared else [spool.notices]  # a shared folder tells only what is done here
        self.wakeup = Wakeup(deep=[spool.ready, spool.claimed], flat=flat, longest=longest)
        self.stop = PatientStop(self.wakeup.nudge)
        self.stop.install()
        self._standby = Supervisor([], start=_start)

    def is_among_the_first(self) -> bool:
        names = self.node.member.disk.names(self._config.layout.nodes)
        nodes = {beat[0] for name in names if (beat := naming.parse_heartbeat(name))}
        return len(nodes) < STANDBYS

    def keep_standby(self) -> None:
        """Keep a park-spoold that stands by; one that ends is started again, later and later."""
        # RACE: this one may be killed before its standby has begun: only its number tells the standby that it is gone.
        own = ("--with-parent", str(os.getpid()), "--spool", str(self._config.spool))
        command = (sys.executable, "-P", "-m", "park_spool.spoold", *own)
        self._standby = Supervisor([Program("standby park-spoold", command)], start=_start)
        signal.signal(signal.SIGCHLD, lambda number, frame: self.wakeup.wake())  # its end is noted at once

    def step(self) -> bool:
        if self.stop.is_asked:
            self.node.drain(self._config.drain_seconds)
        self._mind_its_stay()
        self._standby.step()
        did = self.node.step()
        self.stop.is_over = self.stop.is_over or self.node.is_done
        return did

    def _mind_its_stay(self) -> None:
        """Leave when nobody needs this node any more, or its time is over; a spool that fails is no reason to stay."""
        member, staying = self.node.member, self._staying
        if self.node.is_busy:
            staying.note_work(member.monotonic())
        with suppress(OSError):
            staying.look(member)
        now = member.monotonic()
        why = staying.why_leave(now)
        if why is not None:
            self.node.drain(staying.time_left(now), why)

    def status(self) -> str:
        """Say in a line what the node does, for people."""
        word, why = self.node.duty.state(self.node.is_busy)
        return f"{word} for {self._config.spool}" + (f": {why}" if why else "")

    def wait(self) -> None:
        monotonic = self.node.member.monotonic()
        dues = [slot.wake_at() for slot in self._slots] + [self._standby.wake_at()]
        dues.append(self._staying.wake_at(monotonic))
        waits = [due - monotonic for due in dues if due is not None]
        self.wakeup.wait(min([self.node.wait_seconds(), *waits]), self._slots)

    def pause(self, seconds: float) -> None:
        self.wakeup.pause(min(seconds, RETRY_SECONDS) if self.stop.is_asked else seconds)

    def leave(self) -> None:
        """Give back what is not done, end the standby and the slots, whatever of it fails."""
        try:
            self.node.leave()
        except OSError as error:
            log.error("cannot leave in order: %s; others take back what this node held", error)
        self._standby.stop(GRACE)
        for slot in self._slots:
            slot.close()
        self.wakeup.close()


def _start(argv: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start a program that ends with its parent by itself; in a session of its own, so that Ctrl-C goes past it."""
    return subprocess.Popen(argv, stdin=subprocess.DEVNULL, start_new_session=True)
