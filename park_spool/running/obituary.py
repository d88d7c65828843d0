"""What ended a warm child, in words for the one job that it died of.  Pure."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from park_spool.processes import describe_exit
from park_spool.running.assignment import LOST_STATUS, Outcome


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why the node killed a child: `done` counts the results that were there, lest a later job be blamed."""

    status: str
    why: str
    done: int


def obituary(status: int, verdict: Verdict | None, has_begun: bool, printed: str, last_words: str = "") -> Outcome:
    """Say what ended a child, from its returncode and its last words, or from the node's reason to kill it.

    >>> obituary(-11, None, True, "").why
    "the service's process was killed by SIGSEGV while it ran this job"
    """
    if verdict is not None:
        return Outcome(verdict.status, why=verdict.why, stderr=printed)
    code, number = (status, None) if status >= 0 else (None, -status)
    return Outcome("failed", "", _why(status, has_begun, printed, last_words), code, number, printed)


def _why(status: int, has_begun: bool, printed: str, last_words: str) -> str:
    last = (printed.strip().splitlines() or ["it said nothing"])[-1][:500]
    if status == LOST_STATUS:
        why = last_words or "the function closed its worker's descriptors"
        return f"the service's process had to give up: {why}"
    hint = " (out of memory?)" if status == -signal.SIGKILL else ""
    when = "while it ran this job" if has_begun else f"while it was loaded: {last}"
    return f"the service's process {describe_exit(status)}{hint} {when}"
