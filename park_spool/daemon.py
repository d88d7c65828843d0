"""The one loop under every daemon: it owns waiting, backing off, signals, logs, and the only catch-all.

    run(step, wait, pause, stop, manager, status)
                                    step() does what there is to do and returns whether it did;
                                    after a step that did nothing wait(), after one that failed pause(seconds);
                                    the system's service manager hears of every turn

A signal handler only sets a flag. A step that fails by something that passes (a full disk, a cut network) is tried
again, later and later up to a bound; one that fails by a mistake of ours is logged with its traceback and tried
again too, since a daemon that dies helps nobody and every step is safe to repeat.
"""

from __future__ import annotations

import logging
import logging.handlers
import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from park_spool.errors import ParkError, TemporaryError, is_temporary
from park_spool.system.journal import JournalFormatter
from park_spool.system.notify import Manager
from park_spool.system.surroundings import logs_to_journal

log = logging.getLogger(__name__)

_LINE = "%(asctime)s %(levelname)s %(name)s: %(message)s"
MAX_BACKOFF = 30.0
LOG_BYTES = 4 * 1024 * 1024


@dataclass(slots=True)
class Stop:
    """Set by a signal; the loop looks at it. `wake` interrupts its waiting."""

    wake: Callable[[], None] = lambda: None
    number: int = 0

    def __bool__(self) -> bool:
        return self.number != 0

    def handle(self, number: int, frame: FrameType | None = None) -> None:
        self.number = number
        self.wake()

    def install(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.handle)


class PatientStop(Stop):
    """Set by a second signal, or by the daemon itself when it is done; a first one only asks."""

    is_asked = False
    is_over = False

    def __bool__(self) -> bool:
        return self.is_over

    def handle(self, number: int, frame: FrameType | None = None) -> None:
        self.number, self.is_over = number, self.is_asked
        self.is_asked = True
        self.wake()


def backoff(failures: int) -> float:
    """Return how long to wait after so many failures in a row, in seconds.

    >>> [backoff(count) for count in (1, 2, 3, 20)]
    [0.5, 1.0, 2.0, 30.0]
    """
    return float(min(MAX_BACKOFF, 0.5 * 2 ** (min(failures, 20) - 1)))


def run(
    step: Callable[[], bool],
    wait: Callable[[], None],
    pause: Callable[[float], None],
    stop: Stop,
    manager: Manager | None = None,
    status: Callable[[], str] = str,
) -> None:
    """Step until told to stop; `wait` may be cut short by a hint, `pause` only by a signal.

    `manager` is told what `status` says; `wait` must not take longer than its `every`.
    """
    failures, manager = 0, manager or Manager()
    while not stop:
        try:
            did = step()
            failures = 0
            manager.worked(status())
        except (OSError, ParkError) as error:
            failures, did = failures + 1, False
            _complain(error)
            manager.failed(f"{error}; trying again")
        except Exception as error:
            failures, did = failures + 1, False
            log.exception("a step failed by a mistake of park-spool; it is tried again")
            manager.failed(f"{type(error).__name__}: {error}; trying again")
        if stop.number:
            manager.stopping()
        if failures and not stop:
            pause(min(backoff(failures), manager.every))
        elif not did and not stop:
            wait()
    manager.stopping()


def _complain(error: OSError | ParkError) -> None:
    passes = isinstance(error, TemporaryError) or (isinstance(error, OSError) and is_temporary(error.errno))
    if passes:
        log.warning("%s; trying again", error)
    else:
        log.error("%s: %s; trying again", type(error).__name__, error, exc_info=not isinstance(error, ParkError))


class SharedLog(logging.handlers.RotatingFileHandler):
    """A rotated log that several processes of one host write: who finds it moved away by another goes on in the new."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line. RACE: a file that is rotated between the look and the write still gets it: nothing is lost."""
        try:
            self._follow()
        except OSError:  # a full disk, a cut network: told as logging tells its own troubles, never to the daemon
            self.handleError(record)
        super().emit(record)

    def _follow(self) -> None:
        """Go on in the file that stands under the name now."""
        if self.stream is not None and not self._stands_at_name(self.stream.fileno()):
            old, self.stream = self.stream, self._open()
            old.close()

    def _stands_at_name(self, descriptor: int) -> bool:
        mine = os.fstat(descriptor)
        try:
            there = Path(self.baseFilename).stat()
        except FileNotFoundError:
            return False
        return (mine.st_dev, mine.st_ino) == (there.st_dev, there.st_ino)


def host_label() -> str:
    """Return the first label of this host's name, as logs have it."""
    return socket.gethostname().split(".")[0]


class TerminalFormatter(logging.Formatter):
    """Lines for somebody who looks on: when, what, and how bad it is if it is; the file has the rest."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(message)s", "%H:%M:%S")
        self._grave = logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        return self._grave.format(record) if record.levelno >= logging.WARNING else super().format(record)


def start_logging(name: str, folder: Path, is_verbose: bool = False) -> None:
    """Log to `logs/DAEMON-HOST.log`, rotated, and to standard error where that is the journal, a terminal or wanted."""
    handlers: list[logging.Handler] = []
    host = host_label()
    # NFS: two hosts appending to one file lose lines, so each has its own.
    handlers.append(SharedLog(folder / f"{name}-{host}.log", maxBytes=LOG_BYTES, backupCount=5, delay=True))
    if logs_to_journal():
        handlers.append(logging.StreamHandler(sys.stderr))
        handlers[-1].setFormatter(JournalFormatter())
    elif is_verbose or sys.stderr.isatty():
        handlers.append(logging.StreamHandler(sys.stderr))
        if sys.stderr.isatty():
            handlers[-1].setFormatter(TerminalFormatter())
    logging.basicConfig(level=logging.INFO, format=_LINE, handlers=handlers, force=True)
