"""Fail as asked, by an exit status or a signal: for seeing what becomes of a job that fails, and what is said of it."""

from __future__ import annotations

import os
import signal
import sys
from xml.etree import ElementTree


def main() -> int:
    """Write to both outputs, then end by the signal that the input names, else with its status."""
    node = ElementTree.fromstring(sys.stdin.read())
    print("this is on standard output", flush=True)
    print(node.get("stderr", "this job fails because it was asked to"), file=sys.stderr, flush=True)
    name = node.get("signal", "none")
    if name != "none":
        os.kill(os.getpid(), signal.Signals[f"SIG{name}"])
    return int(node.get("status", "1"))


if __name__ == "__main__":
    sys.exit(main())
