"""The processes that do the reducer's errands: `python -m park_spool.delivering.errand VERB …`, one at a time."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

from park_spool.config import Config
from park_spool.reducing.errands import Errand, Send


def sender(settings: Config) -> Send:
    """Return a function that starts a child for an errand on this spool."""
    return lambda errand: ErrandChild(settings, errand)


class ErrandChild:
    """One child; what it says on standard error is kept, its last line for the log."""

    def __init__(self, settings: Config, errand: Errand) -> None:
        self.said = ""
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (it is open as long as the child lives)
        # -P: a file of the user's in the working folder must not stand in for one of Python's.
        command = [sys.executable, "-P", "-m", "park_spool.delivering.errand", "--spool", str(settings.spool)]
        command += ["--parent", str(os.getpid()), errand.verb, *errand.words]
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=self._errors, process_group=0)

    def poll(self) -> int | None:
        status = self._process.poll()
        if status is not None and not self._errors.closed:
            self._errors.seek(0)
            self.said = last_line(self._errors.read())
            self._errors.close()
        return status

    def kill(self) -> None:
        """End it, and wait until it is gone."""
        self._process.kill()
        self._process.wait()
        self.poll()


def last_line(said: bytes) -> str:
    r"""Return the last line of what a child said.

    >>> last_line(b"deliver: no space\n"), last_line(b"")
    ('deliver: no space', 'it said nothing')
    """
    lines = said.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
