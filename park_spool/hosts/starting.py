"""A program started on a host so that it outlives the connection, as a daemon does.

It leads a session of its own, reads nothing, and appends what it says to a log. The words of its command line reach it
as they are: they are arguments of a fixed script, never part of its text.
"""

from __future__ import annotations

from collections.abc import Sequence

from park_spool.hosts import advice
from park_spool.hosts.remote import Remote

SECONDS = 30.0
# $1 is the log. What cannot be started is said here, since nobody reads a log that says nothing.
_START = (
    'log=$1; shift; : >>"$log" || exit 73; for one in setsid "$1"; do [ -x "$(command -v "$one")" ] || '
    '{ echo "$one is not there, or may not be run" >&2; exit 127; }; done; '
    'exec setsid -f "$@" </dev/null >>"$log" 2>&1'
)
_TAIL = 'tail -n "$2" -- "$1"'


def start_detached(remote: Remote, argv: Sequence[str], log: str) -> None:
    """Start a program on a host and leave it there; `log` is a path on that host, to which it appends.

    Raises HostError if it cannot be started; whether it lives on is for others to see.
    """
    ran = remote.run(["sh", "-c", _START, "sh", log, *argv], seconds=SECONDS)
    if ran.status:
        kind = "python_missing" if ran.status == 127 and "python" in argv[0] else "start"
        raise advice.error(remote.host, kind, f"`{argv[0]}` could not be started: {ran.said}")


def last_words(remote: Remote, log: str, lines: int = 20) -> list[str]:
    """Return the last lines of a log on a host; none where there is none."""
    ran = remote.run(["sh", "-c", _TAIL, "sh", log, str(lines)], seconds=SECONDS)
    return ran.out.splitlines() if not ran.status else []
