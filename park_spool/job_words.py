"""The words for how a job ended and what it said, as the command line and the page say them. Pure."""

from __future__ import annotations

import re

from park_spool.processes import signal_name

_NUMBER = r"[-+.\deE]+|null"
_LONG = re.compile(rf"\[((?:(?:{_NUMBER}), ?){{3}})(?:(?:{_NUMBER}), ?){{5,}}(?:{_NUMBER})\]")


def ending(exit_status: int | None, signal: int | None) -> str:
    """Say how a job's process ended; empty where it had none, or ended well.

    >>> ending(3, None), ending(None, 11), ending(None, None)
    ('exited with status 3', 'was killed by SIGSEGV', '')
    """
    if signal:
        return f"was killed by {signal_name(signal)}"
    return f"exited with status {exit_status}" if exit_status else ""


def shortened(text: str) -> str:
    """Shorten long lists of numbers in JSON, as curves have them.

    >>> shortened('{"x": [1.0, 2.5, 3e-7, 4, 5, 6, 7, 8, 9], "y": [1, 2]}')
    '{"x": [1.0, 2.5, 3e-7, … 9 in all], "y": [1, 2]}'
    """
    return _LONG.sub(lambda found: f"[{found[1]}… {found[0].count(',') + 1} in all]", text)
