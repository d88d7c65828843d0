"""The thread behind an executor: it steps the asker, and sets the futures that are settled.

It is a daemon, so that a program may end; `atexit` lets pending calls finish first, as in the standard library.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading

from park_spool.client.asker import Asker
from park_spool.daemon import backoff
from park_spool.errors import ParkError, TemporaryError, is_temporary

log = logging.getLogger(__name__)

MOST_FAILURES = 3  # of taking leave of a spool that cannot be written to any more


class Background:
    """One executor's thread; it ends by itself when its asker is over."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self._pid = os.getpid()
        self._setbacks = self._failures = 0  # in a row: what passes by itself, and what does not
        self._thread = threading.Thread(target=self._run, daemon=True, name=f"park-spool {asker.sid}")
        atexit.register(self.finish)
        self._thread.start()

    @property
    def is_here(self) -> bool:
        """Whether this is the process that the thread runs in, and no fork of it."""
        return os.getpid() == self._pid

    def finish(self) -> None:
        """Take no more calls, and wait until all are answered."""
        if self.is_here:
            self._asker.shut()
            self.join()

    def join(self) -> None:
        """Wait for the end; not from the thread itself, whose callbacks may shut an executor down."""
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        while not self._asker.is_over and self._failures < MOST_FAILURES:
            did = self._step()
            self._tell()
            if not did and not self._asker.is_over:
                self._asker.bell.wait(self._wait_seconds())
        atexit.unregister(self.finish)

    def _wait_seconds(self) -> float:
        troubles = self._setbacks + self._failures
        return max(self._asker.wait_seconds(), backoff(troubles) if troubles else 0.0)

    def _step(self) -> bool:
        """Step; what passes by itself is tried again, later and later, all else breaks the executor."""
        try:
            did = self._asker.step()
        except Exception as error:  # noqa: BLE001 - nobody else would ever set the futures
            return self._note(error)
        self._setbacks = self._failures = 0
        return did

    def _note(self, error: Exception) -> bool:
        passes = isinstance(error, TemporaryError) or (isinstance(error, OSError) and is_temporary(error.errno))
        if passes:
            log.warning("%s; trying again", error)
            self._setbacks += 1
            return False
        is_known = isinstance(error, OSError | ParkError)
        log.error("the executor %s breaks: %s", self._asker.sid, error, exc_info=not is_known)
        self._asker.give_up(f"the executor cannot go on: {type(error).__name__}: {error}")
        self._failures += 1
        return False

    def _tell(self) -> None:
        for answer in self._asker.settled():
            try:
                breaking = answer.tell()
            except BaseException:  # a callback may raise SystemExit, or somebody else have set the future
                log.exception("setting the future of call %d failed", answer.future.job)
            else:
                if breaking is not None:
                    self._asker.give_up(str(breaking))
