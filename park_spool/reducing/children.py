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
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (it is there as long as the child)
        # -P: a file of the user's in the working folder must not stand in for one of Python's.
        command = [sys.executable, "-P", "-m", "park_spool.delivering.errand", "--spool", str(settings.spool)]
        command += ["--parent", str(os.getpid()), errand.verb, *errand.words]
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=self._errors, process_group=0)

    def poll(self) -> int | None:
        return self._process.poll()

    def kill(self) -> None:
        """End it, and wait until it is gone."""
        self._process.kill()
        self._process.wait()

    @property
    def said(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"
