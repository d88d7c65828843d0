"""The keeper of a node, on the node's own host: starts it again when it crashes, later and later, whoever else lives.

crash  ─▶ again            status 0 (told to leave, nobody needs it) ─▶ the keeper ends, too
SIGTERM, Ctrl-C ─▶ SIGTERM to the node, and wait until it has left
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from math import inf

from park_spool.supervise import Program, grace_for, supervise
from park_spool.system.notify import Manager

log = logging.getLogger(__name__)

FLAGS = ("--keep", "--single")  # what the keeper does itself


def keep(words: Sequence[str], drain_seconds: float, linger: float | None, manager: Manager | None = None) -> int:
    """Keep a park-noded with these options; return the exit status.

    With `linger`, one that has crashed for so many seconds on end is given up, lest its keeper stay for ever.
    """
    # -P: a file of the user's in the working folder must not stand in for one of Python's.
    command = (sys.executable, "-P", "-m", "park_spool.noded", *(word for word in words if word not in FLAGS))
    number = supervise([Program("park-noded", command, may_end=True)], grace_for(drain_seconds), manager, linger or inf)
    log.info("the keeper ends: %s", f"signal {number}" if number else "its node has ended")
    return 0
