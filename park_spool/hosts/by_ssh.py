"""A host that is reached by SSH, with paramiko: keys, agent, known hosts, jump hosts."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from getpass import getuser
from pathlib import Path
from shlex import join

import paramiko

from park_spool import ssh
from park_spool.hosts import advice, remote
from park_spool.hosts.reading import Host
from park_spool.hosts.remote import Ran
from park_spool.ssh import Login, SshError

KNOWN_HOSTS = ("~/.ssh/known_hosts", "/etc/ssh/ssh_known_hosts")
CHUNK = 32_768
PAUSE = 0.004  # s between two looks
TRAILING = 2.0  # s in which the rest of the output may come once the command is over


class BySsh:
    """A connection by SSH; several threads may use it at once."""

    def __init__(self, host: Host, seconds: float) -> None:
        """Connect. Raises HostError, ConfigError."""
        self.host, self.seconds = host, seconds
        self._clients = self._connected(host)
        self._client = self._clients[-1]

    def run(self, argv: Sequence[str], stdin: bytes = b"", seconds: float = 30.0) -> Ran:
        """Run a command to its end. Raises HostError."""
        channel = self._started(argv)
        try:
            with self.sentences():
                return _Exchange(channel, stdin).ran(seconds)
        except _Late:
            raise advice.error(self.host, "late", f"`{argv[0]}` did not end within {seconds:g} s") from None
        finally:
            channel.close()

    def talk(self, argv: Sequence[str]) -> SshTalk:
        """Start a command to talk to. Raises HostError."""
        return SshTalk(self, self._started(argv))

    def put(self, local: Path, path: str) -> None:
        """Copy a file there. Raises HostError."""
        remote.put(self, local, path)

    def close(self) -> None:
        for client in reversed(self._clients):
            ssh.close(client)

    def _started(self, argv: Sequence[str]) -> paramiko.Channel:
        with self.sentences():
            transport = ssh.transport_of(self._client)
            with ssh.closed_after(self.seconds, transport):
                channel = transport.open_session(timeout=self.seconds)
                channel.exec_command(join(argv))
            return channel

    def _connected(self, host: Host) -> list[paramiko.SSHClient]:
        """Connect to the hosts in between, then to the last; all of them stay open."""
        before = self._connected(host.jump) if host.jump else []
        try:
            with self.sentences(host):
                return [*before, ssh.connect(login(host, self.seconds), before[-1] if before else None)]
        except BaseException:
            for client in reversed(before):
                ssh.close(client)
            raise

    @contextmanager
    def sentences(self, at: Host | None = None) -> Iterator[None]:
        at = at or self.host
        way = "" if at is self.host else f"via {at.alias}: "
        try:
            yield
        except SshError as error:
            raise advice.error(self.host, error.kind, way + error.words, at) from error
        except ssh.FAILURES as error:
            found = ssh.explained(login(at, self.seconds), error)
            raise advice.error(self.host, found.kind, way + found.words, at) from error


class SshTalk:
    """A command that runs on a host while lines go to and fro."""

    def __init__(self, connection: BySsh, channel: paramiko.Channel) -> None:
        self._connection, self._channel, self._rest = connection, channel, b""

    def say(self, line: bytes) -> None:
        with self._connection.sentences():
            self._channel.settimeout(self._connection.seconds)
            self._channel.sendall(line)

    def hear(self, seconds: float) -> bytes:
        until = time.monotonic() + seconds
        while b"\n" not in self._rest:
            with self._connection.sentences():
                self._channel.settimeout(max(0.01, until - time.monotonic()))
                more = self._channel.recv(CHUNK)
            if not more:
                raise advice.silent(self._connection.host, self._errors() + self._rest)
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def close(self) -> None:
        self._channel.close()

    def _errors(self) -> bytes:
        """Return what it wrote to standard error so far."""
        found = b""
        while self._channel.recv_stderr_ready():
            found += self._channel.recv_stderr(CHUNK)
        return found


class _Late(Exception):
    """A command has not ended in its time."""


def login(host: Host, seconds: float) -> Login:
    """Say how a host is logged in to."""
    known = tuple(Path(path).expanduser() for path in KNOWN_HOSTS)
    names = (host.name, host.alias)
    return Login(host.address, host.ssh_port, host.user or getuser(), known, seconds, host.key, names=names)


class _Exchange:
    """Feeds a command and collects what it writes."""

    def __init__(self, channel: paramiko.Channel, stdin: bytes) -> None:
        self._channel, self._left = channel, memoryview(stdin)
        self._out, self._err = bytearray(), bytearray()
        self._is_fed = False

    def ran(self, seconds: float) -> Ran:
        """Return what came of it. Raises _Late, EOFError."""
        until = time.monotonic() + seconds
        while not self._is_over():
            if self._moved():
                continue
            now = time.monotonic()
            if self._channel.exit_status_ready():
                until = min(until, now + TRAILING)  # a child of its own may keep the output open
                if now > until - PAUSE:
                    break
            elif now > until:
                raise _Late
            time.sleep(PAUSE)
        while self._collected():
            pass
        out, err = (bytes(data).decode(errors="replace") for data in (self._out, self._err))
        status = self._channel.recv_exit_status()
        if status < 0 and not self._channel.eof_received:  # a lost connection looks to paramiko like a signal
            raise EOFError("it was closed in the middle of a command")
        return Ran(status, out, err)

    def _is_over(self) -> bool:
        channel = self._channel
        return channel.exit_status_ready() and bool(channel.eof_received or channel.closed)

    def _moved(self) -> bool:
        """Take what is there, give what goes; say whether anything did."""
        fed = self._fed()
        return self._collected() or fed

    def _collected(self) -> bool:
        has_out, has_err = self._channel.recv_ready(), self._channel.recv_stderr_ready()
        if has_out:
            self._out += self._channel.recv(CHUNK)
        if has_err:
            self._err += self._channel.recv_stderr(CHUNK)
        return has_out or has_err

    def _fed(self) -> bool:
        if self._left and self._channel.send_ready() and not self._channel.exit_status_ready():
            with suppress(OSError):  # it ended without having read all of it
                self._left = self._left[self._channel.send(bytes(self._left[:CHUNK])) :]
                return True
        if not self._left and not self._is_fed:
            self._is_fed = True
            self._channel.shutdown_write()
        return False
