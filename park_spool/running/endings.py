"""Why a program could not be started, and how it ended, in words.  Pure."""

from __future__ import annotations

import errno
import signal

from park_spool.limits import Limits
from park_spool.processes import describe_exit
from park_spool.running.exceeded import cpu_words, hint


def start_problem(error: OSError | ValueError) -> str:
    """Say what keeps a program from being started."""
    if isinstance(error, OSError) and error.errno == errno.ENOEXEC:
        return "it is neither a program of this machine nor a script with a first line that starts with #!"
    if isinstance(error, OSError) and error.errno == errno.EACCES:
        return "it may not be executed (is its run bit set?)"
    return str(error)


def why_ended(status: int | None, errors: str, limits: Limits) -> str:
    """Say why a program failed: how it ended, the last line of its standard error, and the limit behind that.

    >>> why_ended(3, "Traceback\\nValueError: no data\\n", Limits())
    'exited with status 3: ValueError: no data'
    >>> why_ended(-signal.SIGXCPU, "", Limits(cpu=2.0))
    'was killed by SIGXCPU: used more than its limit of 2 s of processor time'
    """
    ending = "did not end" if status is None else describe_exit(status)
    lines = errors.strip().splitlines()
    if status == -signal.SIGXCPU and limits.cpu is not None:
        return f"{ending}: {cpu_words(limits.cpu)}"
    if status == -signal.SIGKILL:
        ending += " (out of memory?)"
    return f"{ending}: {lines[-1][:500]}{hint(limits, errors)}" if lines else ending
