"""What a Dask worker runs for a pilot. It goes there as code: park-spool need not be installed in the worker's Python.

Uses the standard library and distributed alone. The node is a process of its own: it ends with the worker (Linux), and
when the task is cancelled, which a thread learns only by looking.
"""

from __future__ import annotations

SHELL = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 15, 0, 0, 0)  # SIGTERM when the worker is gone
os.execv("/bin/bash", ["bash", "-c", sys.argv[1]])
"""
GRACE = 60.0  # s that a node may take to give back what it has


def run_node(command: str, key: str, cpus: int, folder: str, shell: str, grace: float) -> int:
    """Run a node until it ends, or until the task is cancelled; return its exit status."""
    import os
    import subprocess
    import sys
    import time
    from pathlib import Path

    from distributed import get_worker

    tasks = get_worker().state.tasks
    is_shared = Path(folder).is_dir()  # else what the node says stands in its log on the spool alone
    out, err = (Path(folder if is_shared else "/dev", name if is_shared else "null") for name in ("job.out", "job.err"))
    with out.open("ab") as stdout, err.open("ab") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-c", shell, command],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env={**os.environ, "PARK_PILOT": key, "PARK_CPUS": str(cpus)},
            start_new_session=True,
        )
    asked = None
    while process.poll() is None:
        task = tasks.get(key)
        if asked is None and (task is None or task.state != "executing"):
            process.terminate()
            asked = time.monotonic()
        if asked is not None and time.monotonic() - asked > grace:
            process.kill()
        time.sleep(0.2)
    return process.returncode
