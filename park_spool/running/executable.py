"""Run one executable job: input on standard input, reply on standard output, standard error kept, in bounds.

    text ──▶ stdin ┐
                   ├ program, a process group of its own ── exits, is too slow, or takes too much (lookout.py)
    reply ◀─ stdout┤
    tail  ◀─ stderr┘

Guarantees: never waits on one pipe while another is full; reads no more than the output limit into memory;
at a limit the whole group gets SIGTERM, a grace, then SIGKILL; nothing of the group lives on afterwards.
Assumes: Linux 5.3 for pidfd_open; elsewhere the end of a program is looked for 20 times a second.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Protocol

from park_spool.limits import Limits
from park_spool.processes import send_group_signal
from park_spool.running.assignment import TAIL, Outcome, plain_text, tail_of
from park_spool.running.endings import start_problem, why_ended
from park_spool.running.exceeded import output_words
from park_spool.running.kernel_limits import limit_program
from park_spool.running.lookout import Lookout

_CHUNK = 65536
_LOOK = 0.05  # s between looks where there is no pidfd, and where something may hang
_LONG_LOOK = 3600.0  # s: poll counts in ms and in 31 bits
_DRAIN = 0.2  # s that the pipes may stay open after the group was killed
_DEATH = 5.0  # s that a killed process may take to die (it may hang in the kernel)


class Process(Protocol):
    """A program that was started: subprocess.Popen, or a forked script (preload.py), with unbuffered pipes."""

    pid: int

    @property
    def stdin(self) -> IO[bytes] | None:
        """Return the end of the pipe to its standard input."""

    @property
    def stdout(self) -> IO[bytes] | None:
        """Return the end of the pipe from its standard output."""

    @property
    def stderr(self) -> IO[bytes] | None:
        """Return the end of the pipe from its standard error."""

    def poll(self) -> int | None:
        """Return the returncode, None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Return the returncode when it ends; subprocess.TimeoutExpired."""


Start = Callable[[Sequence[str], Path], Process]


class NodeGone(Exception):
    """The node closed its end of the command pipe: there is nobody left to run for."""


def run_executable(
    argv: Sequence[str],
    text: str,
    *,
    cwd: Path,
    environment: Mapping[str, str] | None = None,
    limits: Limits,
    lifeline: int | None = None,
    clock: Callable[[], float] = time.monotonic,
    start: Start | None = None,
    tell: Callable[[str], None] | None = None,
) -> Outcome:
    """Run a program on one input and say how it went; NodeGone if `lifeline` hangs up meanwhile.

    The environment is this process's own unless told; `start` starts it in another way than subprocess does.
    `tell` is called with the best reply line so far, at most about once a second.
    """
    try:
        process = start(argv, cwd) if start else _start(argv, cwd, environment)
    except (OSError, ValueError) as error:
        return Outcome("failed", why=f"{argv[0]} cannot be started: {start_problem(error)}")
    limit_program(process.pid, limits)
    return _Conversation(process, text, limits, lifeline, clock, Lookout(limits, tell, clock())).run()


def _start(argv: Sequence[str], cwd: Path, environment: Mapping[str, str] | None) -> Process:
    return subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        cwd=cwd,
        env=environment,
        process_group=0,
        close_fds=False,  # a worker has none to inherit (see descriptors.py); looking for them costs a tenth
    )


class _Conversation:
    """The pipes of one running program, its clock, and the verdict once a limit is passed."""

    def __init__(
        self,
        process: Process,
        text: str,
        limits: Limits,
        lifeline: int | None,
        clock: Callable[[], float],
        lookout: Lookout,
    ) -> None:
        assert process.stdin and process.stdout and process.stderr
        self.process, self.limits, self.clock, self.lifeline, self.lookout = process, limits, clock, lifeline, lookout
        self.stdin, self.stdout, self.stderr = process.stdin, process.stdout, process.stderr
        self.unsent = memoryview(text.encode("utf-8", "replace"))
        self.output: list[bytes] = []
        self.output_size = 0
        self.errors = b""
        self.verdict = ""  # the status and the words of the first limit that was passed
        self.why = ""
        self.has_exited = False
        self.status: int | None = None  # the returncode, once it has ended
        self.deadline = clock() + limits.timeout
        self.pidfd = os.pidfd_open(process.pid) if hasattr(os, "pidfd_open") else None
        self.poller = select.poll()
        self.handlers: dict[int, Callable[[], object]] = {}

    def run(self) -> Outcome:
        try:
            self._listen()
            while not self._is_over():
                self._serve(self._patience())
                self._look_at_clock()
                self._look_around()
            self._drain()
        finally:
            self._close()
        return self._outcome()

    def _listen(self) -> None:
        for stream in (self.stdin, self.stdout, self.stderr):
            os.set_blocking(stream.fileno(), False)
        self._add(self.stdout.fileno(), select.POLLIN, self._read_output)
        self._add(self.stderr.fileno(), select.POLLIN, self._read_errors)
        if self.pidfd is not None:
            self._add(self.pidfd, select.POLLIN, self._note_exit)
        if self.lifeline is not None:
            self._add(self.lifeline, 0, self._hang_up)  # POLLHUP is always reported
        self._send()
        if not self.stdin.closed:
            self._add(self.stdin.fileno(), select.POLLOUT, self._send)

    def _add(self, descriptor: int, events: int, handler: Callable[[], object]) -> None:
        self.poller.register(descriptor, events)
        self.handlers[descriptor] = handler

    def _forget(self, descriptor: int) -> None:
        if self.handlers.pop(descriptor, None):
            self.poller.unregister(descriptor)

    def _send(self) -> None:
        """Write what the pipe takes; a program that does not read its input is no error."""
        try:
            self.unsent = self.unsent[os.write(self.stdin.fileno(), self.unsent[:_CHUNK]) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self.unsent = self.unsent[:0]
        if not self.unsent:
            self._forget(self.stdin.fileno())
            self.stdin.close()

    def _read_output(self) -> None:
        chunk = self._read(self.stdout.fileno())
        self.output_size += len(chunk or b"")
        if chunk and self.output_size - len(chunk) < self.limits.output:
            self.output.append(chunk)
        if self.output_size > self.limits.output and not self.verdict:
            self._condemn("failed", output_words(self.limits.output))

    def _read_errors(self) -> None:
        chunk = self._read(self.stderr.fileno())
        self.errors = (self.errors + (chunk or b""))[-2 * TAIL :]

    def _read(self, descriptor: int) -> bytes | None:
        """Read a piece; b"" at the end of the stream, None when there is nothing at the moment."""
        try:
            chunk = os.read(descriptor, _CHUNK)
        except BlockingIOError:
            return None
        if not chunk:
            self._forget(descriptor)
        return chunk

    def _note_exit(self) -> None:
        self.has_exited = True

    def _hang_up(self) -> None:
        raise NodeGone("the node's end of the command pipe is closed")

    def _is_over(self) -> bool:
        if self.pidfd is None and self.process.poll() is not None:
            self.has_exited = True
        return self.has_exited

    def _patience(self) -> float:
        """Return how long to wait for the pipes, in ms."""
        left = max(0.0, min(self.deadline, self.lookout.next_at) - self.clock())
        return 1000 * min(left, _LOOK if self.pidfd is None else _LONG_LOOK) + 1

    def _look_at_clock(self) -> None:
        if self.clock() < self.deadline or self.has_exited:
            return
        if not self.verdict:
            self._condemn("timeout", f"ran longer than its limit of {self.limits.timeout:g} s")
        elif not self.why.endswith("killed"):
            self.why = f"{self.why}, did not stop within {self.limits.grace:g} s of SIGTERM, and was killed"
            send_group_signal(self.process.pid, signal.SIGKILL)
            self.deadline = self.clock() + _DEATH
        else:
            self.why = f"{self.why} in vain: it hangs in the kernel"
            self.has_exited = True

    def _look_around(self) -> None:
        now = self.clock()
        if now < self.lookout.next_at or self.has_exited:
            return
        why = self.lookout.look(now, self.output)
        if why and not self.verdict:
            self._condemn("failed", why)

    def _condemn(self, status: str, why: str) -> None:
        self.verdict, self.why = status, why
        send_group_signal(self.process.pid, signal.SIGTERM)
        self.deadline = self.clock() + self.limits.grace

    def _drain(self) -> None:
        """Read what the program left in its pipes, but not for long: a process that escaped may hold them."""
        send_group_signal(self.process.pid, signal.SIGKILL)
        for descriptor in self.handlers.keys() - {self.stdout.fileno(), self.stderr.fileno()}:
            self._forget(descriptor)
        end = self.clock() + _DRAIN
        while self.handlers and self.clock() < end:
            self._serve(1000 * _LOOK)

    def _serve(self, patience: float) -> None:
        for descriptor, _ in self.poller.poll(patience):
            # One handler may forget the descriptor of the next: all streams of a dead program end together.
            self.handlers.get(descriptor, _ignore)()

    def _close(self) -> None:
        # RACE: the group is killed before its leader is reaped, while its number cannot be anyone else's.
        send_group_signal(self.process.pid, signal.SIGKILL)
        for stream in (self.stdin, self.stdout, self.stderr):
            stream.close()
        if self.pidfd is not None:
            os.close(self.pidfd)
        self.status = self._exit_status()

    def _outcome(self) -> Outcome:
        status = self.status
        output = plain_text(b"".join(self.output)[: self.limits.output].decode(errors="replace"))
        errors = tail_of(self.errors)
        code, number = (status, None) if status is None or status >= 0 else (None, -status)
        if not self.verdict and status == 0:
            return Outcome("ok", output, exit=0, stderr=errors)
        why = self.why or why_ended(status, errors, self.limits)
        return Outcome(self.verdict or "failed", output, why, code, number, errors)

    def _exit_status(self) -> int | None:
        try:
            return self.process.wait(_DEATH)
        except subprocess.TimeoutExpired:
            return None


def _ignore() -> None:
    """Take an event of a descriptor that is no longer listened to."""
