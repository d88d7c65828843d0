"""A script that is forked from an interpreter that has done its imports, instead of one that starts from nothing.

    worker: imports, compiled script ── fork ──▶ job: own group, pipes, folder, `__main__`, end (forked.py)

Guarantees: every job is a process of its own, with an object like subprocess.Popen for it; what keeps it from
starting (no process, no folder, no script) is raised here.  A script that was edited is compiled anew.
Assumes: the calling process has one thread and has 0, 1 and 2 open; it belongs to this service from now on, as
the imports and the service's folder on sys.path stay.
"""

from __future__ import annotations

import gc
import importlib
import os
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import CodeType

from park_spool.catalog.registry import Command
from park_spool.running.forked import Script, handled_signals, run_as_interpreter

_ALWAYS = ("json", "xml.etree.ElementTree")  # what reads the input and writes the reply
_Version = tuple[int, int, int]


class Process:
    """A forked job, to be treated like a subprocess.Popen whose pipes are unbuffered."""

    def __init__(self, pid: int, pipes: tuple[int, int, int]) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stdin = os.fdopen(pipes[0], "wb", buffering=0)
        self.stdout = os.fdopen(pipes[1], "rb", buffering=0)
        self.stderr = os.fdopen(pipes[2], "rb", buffering=0)

    def poll(self) -> int | None:
        """Return the returncode, negative after a signal; None while it runs."""
        return self._reap(os.WNOHANG)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return the returncode; subprocess.TimeoutExpired after so many seconds."""
        if timeout is not None and self.poll() is None:
            self._watch(timeout)
        status = self._reap(0 if timeout is None else os.WNOHANG)
        if status is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
        return status

    def _reap(self, options: int) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, options)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode

    def _watch(self, timeout: float) -> None:
        """Return when the process has ended, or the time is over."""
        if hasattr(os, "pidfd_open"):
            watch = os.pidfd_open(self.pid)
            select.select([watch], [], [], timeout)
            os.close(watch)
            return
        end = time.monotonic() + timeout
        while self.poll() is None and time.monotonic() < end:
            time.sleep(0.02)


class Preloaded:
    """A command's script, compiled, in an interpreter that has imported what the manifest says."""

    def __init__(self, command: Command) -> None:
        """Import what the command wants preloaded; whatever that raises is let through."""
        self._path = (command.folder / command.run[0]).absolute()
        self._compiled: tuple[_Version, CodeType | None] | None = None
        sys.path.insert(0, str(self._path.resolve().parent))
        for module in (*_ALWAYS, *command.preload):
            importlib.import_module(module)
        self._signals = handled_signals()
        gc.collect()
        gc.freeze()  # what is here now is never looked at again, so that the jobs go on sharing its memory

    def start(self, argv: Sequence[str], cwd: Path) -> Process:
        """Fork a job that runs the script; OSError where it cannot be started.

        `argv` is the script and its arguments; an interpreter in front of them, as subprocess.Popen needs it, is
        left out. The environment is this process's own, of this moment.
        """
        words = [str(word) for word in (argv[1:] if argv[0] == sys.executable else argv)]
        script = Script(self._path, words, self._code(), self._signals)
        with ExitStack() as undo:
            folder = os.open(cwd, os.O_RDONLY | os.O_DIRECTORY)
            undo.callback(os.close, folder)
            pipes = [_pipe(undo) for _ in range(3)]
            (child_in, to_child), (from_child, child_out), (from_errors, child_errors) = pipes
            _flush()  # or the job would have a copy of what waits there
            pid = os.fork()
            if pid == 0:
                run_as_interpreter(script, folder, (child_in, child_out, child_errors))
            with suppress(OSError):  # the job does so itself: whoever comes first, no signal to the group is lost
                os.setpgid(pid, pid)
            undo.pop_all()
        for end in (folder, child_in, child_out, child_errors):
            os.close(end)
        return Process(pid, (to_child, from_child, from_errors))

    def _code(self) -> CodeType | None:
        """Return the compiled script; None where it has a fault, which the job will tell as an interpreter does."""
        status = self._path.stat()
        version = (status.st_ino, status.st_size, status.st_mtime_ns)
        if self._compiled is None or self._compiled[0] != version:
            text = self._path.read_bytes()
            try:
                code = compile(text, str(self._path), "exec", dont_inherit=True)
            except (SyntaxError, ValueError):
                self._compiled = version, None
            else:
                self._compiled = version, code
        return self._compiled[1]


def _pipe(undo: ExitStack) -> tuple[int, int]:
    ends = os.pipe()
    for end in ends:
        undo.callback(os.close, end)
    return ends


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
