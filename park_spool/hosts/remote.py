"""The contract of a connection to a host, and the choice between its three kinds: here, by SSH, by the site's command.

    with closing(connect(host, settings)) as remote: remote.run(["uname", "-n"]).out

Guarantees: a command gets exactly the words it was given, whatever blanks and quotes they hold; each wait ends; what
goes wrong is a HostError that says what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from park_spool.config import Config
from park_spool.errors import HostsError
from park_spool.hosts import advice
from park_spool.hosts.reading import Host

SECONDS = 10.0  # until a host must have answered
SLOWEST = 200_000  # bytes a second, of what is put there

# Complete or not at all: the name stands once all bytes are there.
_PUT = 'mkdir -p "$(dirname "$1")" && cat >"$1.$$.part" && mv -f "$1.$$.part" "$1"'


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended, and what it wrote; a status below 0 is a signal."""

    status: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Return the last line that it wrote, to standard error rather than to standard output."""
        lines = (self.err.strip() or self.out.strip()).splitlines()
        return lines[-1].strip() if lines else f"status {self.status}"


class Talk(Protocol):
    """A command that runs there while lines go to and fro."""

    def say(self, line: bytes) -> None:
        """Send bytes to its standard input."""

    def hear(self, seconds: float) -> bytes:
        """Return the next line of its standard output, without its end. Raises HostError when none comes."""

    def close(self) -> None:
        """End it."""


class Remote(Protocol):
    """A connection to one host."""

    @property
    def host(self) -> Host: ...

    def run(self, argv: Sequence[str], stdin: bytes = b"", seconds: float = 30.0) -> Ran:
        """Run a command to its end. Raises HostError if the host does not answer, or not in time."""

    def talk(self, argv: Sequence[str]) -> Talk:
        """Start a command to talk to. Raises HostError."""

    def put(self, local: Path, remote: str) -> None:
        """Copy a file there, whole or not at all; its folder is made. Raises HostError."""

    def close(self) -> None:
        """End the connection; what was started detached goes on."""


def connect(host: Host, settings: Config, seconds: float = SECONDS) -> Remote:
    """Connect to a host: here, by `rsh` where park.toml sets one, else by SSH.

    Raises HostError if that cannot be now, ConfigError where the hosts file or park.toml is wrong.
    """
    if host.is_here:
        from park_spool.hosts.by_command import Here

        return Here(host)
    if settings.rsh:
        from park_spool.hosts.by_command import ByCommand

        return ByCommand(host, settings.rsh, seconds)
    for one in _chain(host):
        if one.key and not Path(one.key).is_file():
            raise HostsError(f"hosts, line {one.line}: key=: expected a private key, got {one.key!r}, which is no file")
    from park_spool.hosts.by_ssh import BySsh  # paramiko is slow to import

    return BySsh(host, seconds)


def put(remote: Remote, local: Path, path: str) -> None:
    """Copy a file by what every host has: a shell and cat."""
    data = local.read_bytes()
    seconds = 30.0 + len(data) / SLOWEST
    ran = remote.run(["sh", "-c", _PUT, "sh", str(PurePosixPath(path))], data, seconds)
    if ran.status:
        raise advice.error(remote.host, "put", f"{local.name} could not be put to {path}: {ran.said}")


def _chain(host: Host | None) -> list[Host]:
    """List a host and those that are gone through to reach it."""
    return [] if host is None else [host, *_chain(host.jump)]
