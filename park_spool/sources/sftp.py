"""A source on an SSH server: sftp://user@host[:port]/FOLDER.

Guarantees: nobody is spoken to whose host key is not the known one; what is read is a regular file below the root,
links followed by the server; the connection is closed in every case. Nothing is prefetched: paramiko does that in
a thread of its own, without a bound, and says of a cut connection there what nobody can catch.
"""

from __future__ import annotations

import errno
import logging
import shlex
import socket
import stat
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from getpass import getuser
from pathlib import Path
from typing import NoReturn
from urllib.parse import unquote, urlsplit

import paramiko
from paramiko.hostkeys import InvalidHostKey

from park_spool import notice_settings
from park_spool.errors import ConfigError, DataError, ParkError, TemporaryError
from park_spool.sources.expanding import expand
from park_spool.sources.paths import clean, clean_pattern
from park_spool.sources.settings import SourceSettings, root_path
from park_spool.sources.source import CHUNK, Changed, NotThere, Refused
from park_spool.store.facts import Facts

PORT = 22
KEEPALIVE, PATIENCE = 15, 2.0  # s

_CHANNEL = "park_spool.sources.paramiko"  # of the log
_FAILURES = (OSError, EOFError, paramiko.SSHException, paramiko.SFTPError, UnicodeDecodeError)


class SftpSource:
    def __init__(self, settings: SourceSettings, environment: Mapping[str, str]) -> None:
        parts = urlsplit(settings.root)
        self.name = settings.name
        self._settings = settings
        self._root = root_path(settings.root) or "/"
        self._host, self._port = parts.hostname or "", parts.port or PORT
        self._user = settings.user or unquote(parts.username or "") or getuser()
        self._password = notice_settings.secret(settings.secret, Path("/"), environment) or None
        self._known_hosts = Path(settings.known_hosts or "~/.ssh/known_hosts").expanduser()

    def facts(self, path: str) -> Facts:
        with self._session(clean(path)) as session:
            return self._facts(session.stat(self._inside(session, path)), path)

    @contextmanager
    def open(self, path: str, offset: int, facts: Facts) -> Iterator[Iterator[bytes]]:
        with self._connected(clean(path)) as client:
            with self._sentences(path):
                session = self._started(client)
                inside = self._inside(session, path)
                self._facts(session.stat(inside), path)  # a file at all? To open a pipe would wait for ever
                file = session.open(inside, "rb", bufsize=0)
                file.MAX_REQUEST_SIZE = CHUNK  # one round trip for each; a server that has less to give sends less
                if facts.is_same(self._facts(file.stat(), path)) is False:
                    raise Changed(f"{self.name}:{path} is another version now")
                file.seek(offset)
            yield self._chunks(path, file, facts)

    def names(self, pattern: str) -> list[str]:
        with self._session(clean_pattern(pattern)) as session:
            return expand(pattern, lambda folder: self._listing(session, folder))

    def _chunks(self, path: str, file: paramiko.SFTPFile, facts: Facts) -> Iterator[bytes]:
        while data := self._read(path, file):
            yield data
        with self._sentences(path):
            if facts.is_same(self._facts(file.stat(), path)) is False:
                raise Changed(f"{self.name}:{path} changed while it was read")

    def _read(self, path: str, file: paramiko.SFTPFile) -> bytes:
        with self._sentences(path):
            return file.read(CHUNK)

    def _facts(self, found: paramiko.SFTPAttributes, path: str) -> Facts:
        if not stat.S_ISREG(found.st_mode or 0):
            raise NotThere(f"{self.name}:{path} is no file")
        return Facts(found.st_size, modified=found.st_mtime)

    def _inside(self, session: paramiko.SFTPClient, path: str) -> str:
        """Return where a path really is on the server; DataError if that is not below the root."""
        root = (session.normalize(self._root) or "").rstrip("/")
        found = session.normalize(f"{root}{path}") or ""
        if not found.startswith(f"{root}/"):
            raise DataError(f"{self.name}:{path} is a link that leaves the source")
        return found

    def _listing(self, session: paramiko.SFTPClient, folder: str) -> Iterator[tuple[str, bool]]:
        for entry in session.listdir_attr(self._inside(session, folder) if folder else self._root):
            mode = entry.st_mode or 0
            if stat.S_ISLNK(mode):
                mode = self._mode_behind(session, f"{folder}/{entry.filename}")
            if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
                yield entry.filename, stat.S_ISDIR(mode)

    def _mode_behind(self, session: paramiko.SFTPClient, path: str) -> int:
        """Return the mode of what a link means; 0 if it leads out of the source or nowhere."""
        with suppress(DataError, FileNotFoundError, PermissionError):
            return session.stat(self._inside(session, path)).st_mode or 0
        return 0

    @contextmanager
    def _session(self, path: str) -> Iterator[paramiko.SFTPClient]:
        with self._connected(path) as client, self._sentences(path):
            yield self._started(client)

    def _started(self, client: paramiko.SSHClient) -> paramiko.SFTPClient:
        transport = client.get_transport()
        assert transport is not None
        with _closed_after(self._settings.timeout, transport):
            channel = transport.open_session(timeout=self._settings.timeout)
            channel.settimeout(self._settings.timeout)
            channel.invoke_subsystem("sftp")
            return paramiko.SFTPClient(channel)

    @contextmanager
    def _connected(self, path: str) -> Iterator[paramiko.SSHClient]:
        logging.getLogger(_CHANNEL).setLevel(logging.CRITICAL)  # paramiko logs with a traceback what it raises, too
        with self._sentences(path):
            connection = socket.create_connection((self._host, self._port), self._settings.timeout)
        client = paramiko.SSHClient()
        with closing(connection):
            try:
                with self._sentences(path):
                    self._let_in(path, client, connection)
                yield client
            finally:
                _close(client)

    def _let_in(self, path: str, client: paramiko.SSHClient, connection: socket.socket) -> None:
        self._load_known_hosts(client)
        client.set_log_channel(_CHANNEL)
        client.set_missing_host_key_policy(_Unknown(f"{self.name}:{path}", self._port, self._known_hosts))
        try:
            self._authenticate(client, connection)
        except paramiko.BadHostKeyException:
            raise
        except paramiko.SSHException as error:
            transport = client.get_transport()  # paramiko has no class of its own for what only the connection did
            if transport is None or not transport.is_active():
                raise
            if not transport.initial_kex_done or "timeout" in str(error):
                raise TimeoutError from error
            raise Refused(
                f"{self.name}:{path}: {self._host} does not let {self._user!r} in with the keys and the secret "
                "that are there for it"
            ) from error

    def _load_known_hosts(self, client: paramiko.SSHClient) -> None:
        if not self._known_hosts.is_file():
            return  # then nobody is known
        try:
            client.load_system_host_keys(str(self._known_hosts))
        except (InvalidHostKey, ValueError) as error:
            raise ConfigError(f"{self._known_hosts} has a line that is no host key: {error}") from error

    def _authenticate(self, client: paramiko.SSHClient, connection: socket.socket) -> None:
        timeout, key = self._settings.timeout, self._settings.key
        if key and not Path(key).is_file():
            raise ConfigError(f"sources.{self.name}.key: expected a private key, got {key!r}, which is no file")
        client.connect(
            self._host,
            self._port,
            self._user,
            password=self._password,
            key_filename=key or None,
            timeout=timeout,
            banner_timeout=timeout,
            auth_timeout=timeout,
            channel_timeout=timeout,
            sock=connection,
        )
        transport = client.get_transport()
        if transport is not None:
            transport.set_keepalive(KEEPALIVE)

    @contextmanager
    def _sentences(self, path: str) -> Iterator[None]:
        """Turn what paramiko raises into this project's errors."""
        try:
            yield
        except ParkError:
            raise
        except _FAILURES as error:
            raise self._sentence(path, error) from error

    def _sentence(self, path: str, error: Exception) -> Exception:
        words = f"{self.name}:{path}"
        match error:
            case paramiko.BadHostKeyException():
                return Refused(
                    f"{words}: {self._host} shows another host key than {self._known_hosts} has: somebody may stand in "
                    f"between; if the server has a new key, remove the old one: {self._forgetting()}"
                )
            case UnicodeDecodeError():
                return DataError(f"{words}: {self._host} has names there that are not UTF-8")
            case FileNotFoundError():
                return NotThere(f"{words} is not there")
            case PermissionError():
                return Refused(f"{words} may not be read by {self._user!r} on {self._host}")
            case TimeoutError():
                return TemporaryError(f"{words}: {self._host} did not answer within {self._settings.timeout:g} s")
            case OSError() if error.errno == errno.ECONNREFUSED:
                return TemporaryError(f"{words}: {self._host} port {self._port} refuses connections")
        return TemporaryError(f"{words}: the connection to {self._host} broke: {error or type(error).__name__}")

    def _forgetting(self) -> str:
        return f"ssh-keygen -f {shlex.quote(str(self._known_hosts))} -R {shlex.quote(_place(self._host, self._port))}"


@contextmanager
def _closed_after(seconds: float, transport: paramiko.Transport) -> Iterator[None]:
    """Raise TimeoutError where paramiko would wait for an answer for ever: close what it waits on."""
    is_late = threading.Event()

    def end() -> None:
        is_late.set()
        transport.close()

    timer = threading.Timer(seconds, end)
    timer.start()
    try:
        yield
    except _FAILURES as error:
        if is_late.is_set():
            raise TimeoutError from error
        raise
    finally:
        timer.cancel()
        timer.join()


def _close(client: paramiko.SSHClient) -> None:
    """Close a connection, and wait for the thread that served it: paramiko tells it to end, and does not look."""
    transport = client.get_transport()
    client.close()
    if transport is not None and transport.is_alive():
        transport.join(PATIENCE)


class _Unknown(paramiko.RejectPolicy):
    """Refuse a server that is not known, and say how it becomes known."""

    def __init__(self, source: str, port: int, known_hosts: Path) -> None:
        self._source, self._port, self._known_hosts = source, port, known_hosts

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> NoReturn:
        host = hostname if self._port == PORT else hostname[1:].rpartition("]")[0]
        raise Refused(
            f"{self._source}: the host key of {host} is not in {self._known_hosts}; look whether {key.fingerprint} is "
            f"its own, then add it: ssh-keyscan -p {self._port} {host} >> {shlex.quote(str(self._known_hosts))}"
        )


def _place(host: str, port: int) -> str:
    """Return a host as known_hosts has it.

    >>> _place("data.example.org", 2222)
    '[data.example.org]:2222'
    """
    return host if port == PORT else f"[{host}]:{port}"
