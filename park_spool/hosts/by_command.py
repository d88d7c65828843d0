"""A host that is this machine, or that the site's own command reaches (`rsh`): in both cases a child process.

Guarantees: a child that is late is killed with all that it started; it has no terminal, so nothing waits at a prompt.
"""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from park_spool.errors import ConfigError, HostError
from park_spool.hosts import advice, remote, shell_command
from park_spool.hosts.reading import Host
from park_spool.hosts.remote import Ran

CHUNK = 65_536
# Not every command hands on how the one that it runs ended (rsh never did), so that says it itself.
_TELLING = '"$@"; s=$?; printf "\\n%s %s\\n" park-spool-status "$s" >&2; exit "$s"'
_TOLD = re.compile(r"\n?park-spool-status (\d+)\s*\Z")
_WORDS = (  # of OpenSSH and of the C library, in the order in which they count
    ("key_changed", "REMOTE HOST IDENTIFICATION HAS CHANGED"),
    ("key_unknown", "Host key verification failed"),
    ("login", "Permission denied"),
    ("refused", "Connection refused"),
    ("timeout", "timed out"),
    ("unreachable", "No route to host"),
    ("unreachable", "Could not resolve"),
    ("unreachable", "unreachable"),
)


class Here:
    """This machine: commands are run as they are."""

    def __init__(self, host: Host) -> None:
        self.host = host

    def run(self, argv: Sequence[str], stdin: bytes = b"", seconds: float = 30.0) -> Ran:
        """Run a command to its end. Raises HostError."""
        try:
            return _run(argv, stdin, seconds)
        except subprocess.TimeoutExpired:
            raise advice.error(self.host, "late", f"`{argv[0]}` did not end within {seconds:g} s") from None
        except OSError as error:
            return Ran(127, "", f"{argv[0]}: {error.strerror}")  # as a shell has it

    def talk(self, argv: Sequence[str]) -> CommandTalk:
        """Start a command to talk to. Raises HostError."""
        return CommandTalk(self.host, argv)

    def put(self, local: Path, path: str) -> None:
        """Copy a file there. Raises HostError."""
        remote.put(self, local, path)

    def close(self) -> None:
        """Do nothing: there is no connection."""


class ByCommand:
    """A host that `rsh` of park.toml reaches: each command is a child of its own."""

    def __init__(self, host: Host, rsh: str, seconds: float) -> None:
        """See that a command can be run there. Raises HostError, ConfigError."""
        self.host, self._rsh = host, rsh
        self.run(["true"], seconds=seconds)

    def run(self, argv: Sequence[str], stdin: bytes = b"", seconds: float = 30.0) -> Ran:
        """Run a command to its end. Raises HostError."""
        command = shell_command.words(self._rsh, self.host, ["sh", "-c", _TELLING, "sh", *argv])
        try:
            ran = _run(command, stdin, seconds)
        except subprocess.TimeoutExpired:
            words = f"`{command[0]}` did not come to an end with `{argv[0]}` within {seconds:g} s"
            raise advice.error(self.host, "timeout", words) from None
        except OSError as error:
            raise ConfigError(f"rsh: expected a command, got {command[0]!r}: {error.strerror}") from error
        told = _TOLD.search(ran.err)
        if told is None:
            raise self._unreached(command[0], ran)
        return Ran(int(told[1]), ran.out, ran.err[: told.start()])

    def talk(self, argv: Sequence[str]) -> CommandTalk:
        """Start a command to talk to. Raises HostError."""
        return CommandTalk(self.host, shell_command.words(self._rsh, self.host, argv))

    def put(self, local: Path, path: str) -> None:
        """Copy a file there. Raises HostError."""
        remote.put(self, local, path)

    def close(self) -> None:
        """Do nothing: there is no connection."""

    def _unreached(self, program: str, ran: Ran) -> HostError:
        kind = next((kind for kind, word in _WORDS if word.lower() in ran.err.lower()), "rsh")
        words = f"`{program}` says: {ran.said}"
        if kind in ("key_unknown", "key_changed"):
            words += "; see `park hosts check` without rsh, or ask it by hand"
        return advice.error(self.host, kind, words)


class CommandTalk:
    """A child process, while lines go to and fro."""

    def __init__(self, host: Host, argv: Sequence[str]) -> None:
        self._host, self._rest = host, b""
        try:
            self._process = subprocess.Popen(
                argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
            )
        except OSError as error:
            raise advice.error(host, "start", f"{argv[0]}: {error.strerror}") from error
        assert self._process.stdin and self._process.stdout and self._process.stderr
        self._in, self._out, self._err = self._process.stdin, self._process.stdout, self._process.stderr

    def say(self, line: bytes) -> None:
        try:
            self._in.write(line)
            self._in.flush()
        except OSError as error:
            raise advice.silent(self._host, self._errors()) from error

    def hear(self, seconds: float) -> bytes:
        until = time.monotonic() + seconds
        while b"\n" not in self._rest:
            ready, _, _ = select.select([self._out], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                raise advice.error(self._host, "timeout", f"no answer within {seconds:g} s")
            more = os.read(self._out.fileno(), CHUNK)
            if not more:
                raise advice.silent(self._host, self._errors() + self._rest)
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def close(self) -> None:
        _end(self._process)
        for pipe in (self._in, self._out, self._err):
            with suppress(OSError):  # what it did not read any more
                pipe.close()

    def _errors(self) -> bytes:
        _end(self._process)
        return self._err.read()


def _run(argv: Sequence[str], stdin: bytes, seconds: float) -> Ran:
    process = subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    with process:
        try:
            out, err = process.communicate(stdin, seconds)
        except BaseException:
            _end(process)
            raise
    return Ran(process.returncode, out.decode(errors="replace"), err.decode(errors="replace"))


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill a child with all that it started and did not detach."""
    # RACE: it leads a group of its own and is not reaped yet, so the number is nobody else's.
    if process.returncode is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
