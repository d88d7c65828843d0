"""Jobs that were ended by a signal which may have been meant for the whole node. Pure.

A batch system that ends a pilot, or a system that stops a service, sends its signal to every process of it at once:
a job dies of it, and the node, which is only asked to leave, would call that the job's failure. So a job that such a
signal ended is believed only when the node has not been told to leave soon after.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Sequence

HOLD_SECONDS = 2.0  # for which such a result is not published
_SIGNALS = frozenset({signal.SIGTERM, signal.SIGKILL, signal.SIGINT, signal.SIGHUP})
_EXITS = frozenset(128 + number for number in _SIGNALS)  # what a shell makes of it


def first(lines: Sequence[bytes]) -> int | None:
    """Return which result is the first of a job that such a signal ended; None if there is none.

    >>> first([b'{"job": 1, "status": "ok"}', b'{"job": 2, "status": "failed", "signal": 15}'])
    1
    >>> first([b'{"job": 2, "status": "failed", "signal": 11}']) is None
    True
    """
    for index, line in enumerate(lines):
        if b'"failed"' in line and _is_killed(json.loads(line)):
            return index
    return None


def _is_killed(result: dict[str, object]) -> bool:
    return result.get("status") == "failed" and (result.get("signal") in _SIGNALS or result.get("exit") in _EXITS)
