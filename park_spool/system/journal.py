"""Lines for the system's journal: it adds the time, and reads the priority from `<N>` at the beginning of a line."""

from __future__ import annotations

import logging
import os

_PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
_DEBUG = 7


def is_journal(stream: str, descriptor: int = 2) -> bool:
    """Say whether a descriptor is the journal's: `stream` is $JOURNAL_STREAM, the device and number of its socket."""
    device, _, inode = stream.partition(":")
    if not (device.isdecimal() and inode.isdecimal()):
        return False
    try:
        found = os.fstat(descriptor)
    except OSError:
        return False
    return (found.st_dev, found.st_ino) == (int(device), int(inode))


def priority(level: int) -> int:
    """Return the journal's number for a level of logging.

    >>> [priority(level) for level in (logging.ERROR, logging.WARNING, logging.INFO, logging.DEBUG)]
    [3, 4, 6, 7]
    """
    return next((number for least, number in _PRIORITIES if level >= least), _DEBUG)


class JournalFormatter(logging.Formatter):
    """Lines without a time, each with its priority: those of a traceback have the one of what they belong to."""

    def __init__(self) -> None:
        super().__init__("%(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        prefix = f"<{priority(record.levelno)}>"
        return "\n".join(prefix + line for line in super().format(record).splitlines())
