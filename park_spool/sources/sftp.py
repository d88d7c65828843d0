"""A source on an SSH server: sftp://user@host[:port]/FOLDER.

Guarantees: nobody is spoken to whose host key is not the known one; what is read is a regular file below the root,
links followed by the server; the connection is closed in every case. Nothing is prefetched: paramiko does that in
a thread of its own, without a bound, and says of a cut connection there what nobody can catch.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from getpass import getuser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import paramiko

from park_spool import notice_settings, ssh
from park_spool.errors import ConfigError, DataError, ParkError, TemporaryError
from park_spool.sources.expanding import expand
from park_spool.sources.paths import clean, clean_pattern
from park_spool.sources.settings import SourceSettings, root_path
from park_spool.sources.source import CHUNK, Changed, NotThere, Refused
from park_spool.ssh import Login, SshError
from park_spool.store.facts import Facts

FOR_GOOD = ("key_unknown", "key_changed", "login", "passphrase")  # of what an SshError says


class SftpSource:
    def __init__(self, settings: SourceSettings, environment: Mapping[str, str]) -> None:
        parts = urlsplit(settings.root)
        self.name = settings.name
        self._settings = settings
        self._root = root_path(settings.root) or "/"
        self._login = Login(
            parts.hostname or "",
            parts.port or ssh.PORT,
            settings.user or unquote(parts.username or "") or getuser(),
            (Path(settings.known_hosts or "~/.ssh/known_hosts").expanduser(),),
            settings.timeout,
            settings.key,
            notice_settings.secret(settings.secret, Path("/"), environment) or None,
        )

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
        transport = ssh.transport_of(client)
        with ssh.closed_after(self._settings.timeout, transport):
            channel = transport.open_session(timeout=self._settings.timeout)
            channel.settimeout(self._settings.timeout)
            channel.invoke_subsystem("sftp")
            return paramiko.SFTPClient(channel)

    @contextmanager
    def _connected(self, path: str) -> Iterator[paramiko.SSHClient]:
        key = self._settings.key
        if key and not Path(key).is_file():
            raise ConfigError(f"sources.{self.name}.key: expected a private key, got {key!r}, which is no file")
        with self._sentences(path):
            client = ssh.connect(self._login)
        try:
            yield client
        finally:
            ssh.close(client)

    @contextmanager
    def _sentences(self, path: str) -> Iterator[None]:
        """Turn what paramiko raises into this project's errors."""
        try:
            yield
        except ParkError:
            raise
        except (SshError, *ssh.FAILURES) as error:
            raise self._sentence(f"{self.name}:{path}", error) from error

    def _sentence(self, words: str, error: Exception) -> Exception:
        user, host = self._login.user, self._login.host
        match error:
            case SshError(kind="login" | "passphrase"):
                return Refused(
                    f"{words}: {host} does not let {user!r} in with the keys and the secret that are there for it"
                )
            case SshError():
                return (Refused if error.kind in FOR_GOOD else TemporaryError)(f"{words}: {error.words}")
            case UnicodeDecodeError():
                return DataError(f"{words}: {host} has names there that are not UTF-8")
            case FileNotFoundError():
                return NotThere(f"{words} is not there")
            case PermissionError():
                return Refused(f"{words} may not be read by {user!r} on {host}")
        return TemporaryError(f"{words}: {ssh.explained(self._login, error).words}")
