"""The two sides of an examination: a mount of this machine or of another host, and a Python there that probes it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from park_spool.errors import SpoolError, TemporaryError

SCRIPT = Path(__file__).with_name("probing.py")
PATIENCE = 60.0  # s beyond what an act may take by itself: a file system that was cut off hangs

# Given the plan as JSON, the script and a time limit in seconds: exit status, standard output and standard error.
Run = Callable[[str, bytes, float], tuple[int, bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Side:
    """The spool as one side sees it; `words` name the side; its clock is `skew` seconds ahead of this machine's."""

    spool: Path
    words: str
    run: Run
    skew: float = 0.0
    lead: float = 0.5  # s that it needs to begin

    def ask(self, act: str, number: int, root: Path, start: float, limit: float, **more: Any) -> Any:
        """Have an act done there. `start` is of this machine's clock. Raises TemporaryError if nothing comes of it."""
        plan = {"act": act, "side": number, "root": str(root), "start": start + self.skew, "limit": limit, **more}
        status, out, err = self.run(json.dumps(plan), SCRIPT.read_bytes(), limit + PATIENCE)
        try:
            return json.loads(out)
        except ValueError:
            last = err.decode(errors="replace").strip().splitlines()[-1:] or [f"exit status {status}"]
            raise TemporaryError(f"{self.words}: probing {root} came to nothing: {last[0]}") from None


def here(spool: Path, words: str) -> Side:
    """Return a side on this machine."""
    return Side(spool, words, run_here)


def run_here(plan: str, script: bytes, seconds: float) -> tuple[int, bytes, bytes]:
    """Run the script in a fresh Python of this machine. Raises TemporaryError when it takes too long."""
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-", plan], input=script, capture_output=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        raise TemporaryError(f"the file system did not answer within {seconds:g} s") from None
    return done.returncode, done.stdout, done.stderr


def require_same(first: Side, second: Side, folder: str, limit: float) -> None:
    """Refuse a second side that does not see the examination's folder. Raises SpoolError."""
    if not second.ask("exists", 1, second.spool / folder, time.time(), min(limit, 10.0)):
        raise SpoolError(
            f"{second.spool} ({second.words}) shows no {folder}, which was made in {first.spool}: it is another "
            "folder, or its file system does not show what other mounts make. Nothing more was measured."
        )
