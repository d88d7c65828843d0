"""One connection by SSH: for sources of data (sftp://) and for the hosts of the cluster.

Guarantees: nobody is spoken to whose host key is not the known one, and none is ever added; each wait ends; a closed
connection leaves no thread. What goes wrong is an SshError: a kind for programs, and a sentence without its subject.
"""

from __future__ import annotations

import errno
import logging
import shlex
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import paramiko
from paramiko.hostkeys import InvalidHostKey

from park_spool.errors import ConfigError

PORT = 22
KEEPALIVE, PATIENCE = 15, 2.0  # s
FAILURES = (OSError, EOFError, paramiko.SSHException, paramiko.SFTPError, UnicodeDecodeError)

_CHANNEL = "park_spool.paramiko"  # of the log
_AWAY = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN}
_CONNECT_FAILED, _PROHIBITED = 2, 1  # RFC 4254, section 5.1


class SshError(Exception):
    """What kept a connection from being; `kind` is one of those that park_spool.hosts.advice knows."""

    def __init__(self, kind: str, words: str) -> None:
        self.kind, self.words = kind, words
        super().__init__(words)


@dataclass(frozen=True, slots=True)
class Login:
    """To whom, as whom, with what. `names` are more names under which the server's key may be known; `timeout` in s."""

    host: str
    port: int
    user: str
    known_hosts: tuple[Path, ...]
    timeout: float
    key: str = ""
    password: str | None = None
    names: tuple[str, ...] = ()

    @property
    def own_known_hosts(self) -> Path:
        return self.known_hosts[0]


@contextmanager
def connected(login: Login, through: paramiko.SSHClient | None = None) -> Iterator[paramiko.SSHClient]:
    """Connect, through another host if told so, and close in the end. Raises SshError, ConfigError."""
    client = connect(login, through)
    try:
        yield client
    finally:
        close(client)


def connect(login: Login, through: paramiko.SSHClient | None = None) -> paramiko.SSHClient:
    """Return a connection that the caller closes with `close`. Raises SshError, ConfigError."""
    logging.getLogger(_CHANNEL).setLevel(logging.CRITICAL)  # paramiko logs with a traceback what it raises, too
    with sentences(login):
        connection = _socket(login) if through is None else _forwarded(login, through)
    client = paramiko.SSHClient()
    try:
        with sentences(login):
            _let_in(login, client, connection)
    except BaseException:
        close(client)
        connection.close()
        raise
    return client


def close(client: paramiko.SSHClient) -> None:
    """Close a connection, and wait for the thread that served it: paramiko tells it to end, and does not look."""
    transport = client.get_transport()
    client.close()
    if transport is not None:
        transport.sock.close()
        if transport.is_alive():
            transport.join(PATIENCE)


def transport_of(client: paramiko.SSHClient) -> paramiko.Transport:
    transport = client.get_transport()
    if transport is None or not transport.is_active():
        raise EOFError("it was closed")
    return transport


@contextmanager
def closed_after(seconds: float, transport: paramiko.Transport) -> Iterator[None]:
    """Raise TimeoutError where paramiko would wait for an answer for ever: close what it waits on."""
    is_late = threading.Event()

    def end() -> None:
        is_late.set()
        transport.close()

    timer = threading.Timer(seconds, end)
    timer.start()
    try:
        yield
    except FAILURES as error:
        if is_late.is_set():
            raise TimeoutError from error
        raise
    finally:
        timer.cancel()
        timer.join()


@contextmanager
def sentences(login: Login) -> Iterator[None]:
    """Turn what paramiko and the socket raise into an SshError."""
    try:
        yield
    except FAILURES as error:
        raise explained(login, error) from error


def explained(login: Login, error: Exception) -> SshError:
    """Say what an error of paramiko or of the socket means."""
    host, port = login.host, login.port
    match error:
        case paramiko.BadHostKeyException():
            return SshError(
                "key_changed",
                f"{host} shows another host key than {login.own_known_hosts} has: somebody may stand in between; "
                f"if the server has a new key, remove the old one: {_forgetting(login, error.hostname)}",
            )
        case TimeoutError():
            return SshError("timeout", f"{host} did not answer within {login.timeout:g} s")
        case paramiko.SSHException() if isinstance(error.__context__, TimeoutError):  # before its banner
            return SshError("timeout", f"{host} did not answer within {login.timeout:g} s")
        case socket.gaierror():
            return SshError("unreachable", f"{host} is no name that is known here: {error.strerror}")
        case OSError() if error.errno == errno.ECONNREFUSED or isinstance(error, _REFUSED):
            return SshError("refused", f"{host} port {port} refuses connections")
        case OSError() if error.errno in _AWAY:
            return SshError("unreachable", f"{host} is not reached: {error.strerror}")
    return SshError("broke", f"the connection to {host} broke: {error or type(error).__name__}")


_REFUSED = (ConnectionRefusedError, paramiko.ssh_exception.NoValidConnectionsError)


def _socket(login: Login) -> socket.socket:
    return socket.create_connection((login.host, login.port), login.timeout)


def _forwarded(login: Login, through: paramiko.SSHClient) -> paramiko.Channel:
    """Have the host in between connect to the one behind it."""
    try:
        transport = transport_of(through)
        return transport.open_channel("direct-tcpip", (login.host, login.port), ("127.0.0.1", 0), timeout=login.timeout)
    except paramiko.ChannelException as error:
        if error.code == _CONNECT_FAILED:
            raise SshError("refused", f"{login.host} port {login.port} is not reached from there") from error
        if error.code == _PROHIBITED:
            raise SshError("jump", "it forwards no connections (AllowTcpForwarding in its sshd_config)") from error
        raise
    except paramiko.SSHException as error:
        if "timeout" in str(error).lower():
            raise TimeoutError from error
        raise


def _let_in(login: Login, client: paramiko.SSHClient, connection: socket.socket | paramiko.Channel) -> None:
    known = _load_known_hosts(login, client)
    client.set_log_channel(_CHANNEL)
    client.set_missing_host_key_policy(_Unknown(login))
    try:
        _authenticate(login, client, connection, _known_as(login, known))
    except paramiko.BadHostKeyException:
        raise
    except paramiko.PasswordRequiredException as error:
        key = login.key or "of ~/.ssh"
        raise SshError("passphrase", f"the key {key} wants a passphrase: give it to the agent with ssh-add") from error
    except paramiko.SSHException as error:
        transport = client.get_transport()  # paramiko has no class of its own for what only the connection did
        if transport is None or not transport.is_active():
            raise
        if not transport.initial_kex_done or "timeout" in str(error):
            raise TimeoutError from error
        raise SshError("login", f"{login.host} does not let {login.user!r} in") from error


def _load_known_hosts(login: Login, client: paramiko.SSHClient) -> paramiko.HostKeys:
    """Load the keys that are known; where there is no file, nobody is known."""
    known = paramiko.HostKeys()
    for path in filter(Path.is_file, login.known_hosts):
        try:
            client.load_system_host_keys(str(path))
            known.load(str(path))
        except (InvalidHostKey, ValueError) as error:
            raise ConfigError(f"{path} has a line that is no host key: {error}") from error
    return known


def _known_as(login: Login, known: paramiko.HostKeys) -> str:
    """Return the first name under which the server's key is known."""
    names = (login.host, *login.names)
    return next((name for name in names if known.lookup(place(name, login.port))), login.host)


def _authenticate(
    login: Login, client: paramiko.SSHClient, connection: socket.socket | paramiko.Channel, known_as: str
) -> None:
    timeout = login.timeout
    client.connect(
        known_as,
        login.port,
        login.user,
        password=login.password,
        key_filename=login.key or None,
        timeout=timeout,
        banner_timeout=timeout,
        auth_timeout=timeout,
        channel_timeout=timeout,
        sock=connection,
    )
    transport = client.get_transport()
    if transport is not None:
        transport.set_keepalive(KEEPALIVE)


def _forgetting(login: Login, known_as: str) -> str:
    where = known_as if known_as.startswith("[") else place(known_as, login.port)
    return f"ssh-keygen -f {shlex.quote(str(login.own_known_hosts))} -R {shlex.quote(where)}"


class _Unknown(paramiko.RejectPolicy):
    """Refuse a server that is not known, and say how it becomes known."""

    def __init__(self, login: Login) -> None:
        self._login = login

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> NoReturn:
        host, known_hosts = self._login.host, self._login.own_known_hosts
        raise SshError(
            "key_unknown",
            f"the host key of {host} is not in {known_hosts}; look whether {key.fingerprint} is "
            f"its own, then add it: ssh-keyscan -p {self._login.port} {host} >> {shlex.quote(str(known_hosts))}",
        )


def place(host: str, port: int) -> str:
    """Return a host as known_hosts has it.

    >>> place("data.example.org", 2222)
    '[data.example.org]:2222'
    """
    return host if port == PORT else f"[{host}]:{port}"
