"""One process that takes part in a spool: its name, its disk, its clocks. What every daemon is given."""

from __future__ import annotations

import os
import random
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from park_spool import layout, naming, processes
from park_spool.atomic import Disk
from park_spool.config import Config
from park_spool.filesystem import require_carrier, require_one_file_system
from park_spool.layout import Layout


@dataclass(frozen=True, slots=True)
class Member:
    """`name` is one incarnation (`HOST_PID_RANDOM`); `monotonic` decides, `wall` is for people."""

    config: Config
    name: str
    identity: processes.Identity
    disk: Disk
    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    choose: Callable[[str], str] = random.SystemRandom().choice

    @property
    def layout(self) -> Layout:
        return self.config.layout

    def reborn(self) -> Member:
        """Return the same process under a new name: what a fenced node does."""
        name = naming.new_node(socket.gethostname(), os.getpid(), self.choose)
        return replace(self, name=name, disk=type(self.disk)(self.layout.tmp, name))


def join(config: Config) -> Member:
    """Take part in a spool. Raises SpoolError if it is not all on one file system, or on one that cannot carry it."""
    require_carrier(config.spool)
    require_one_file_system(config.spool, layout.FOLDERS)
    choose = random.SystemRandom().choice
    name = naming.new_node(socket.gethostname(), os.getpid(), choose)
    return Member(config, name, processes.identity(), Disk(config.layout.tmp, name))
