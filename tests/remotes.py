"""Real servers on loopback that hold data: nginx, sshd, and one of this project's own that breaks off as it is told.

    with Nginx(folder) as nginx: … nginx.url …       with Sshd(folder) as sshd: … sshd.url, sshd.key …

Each is a child process with its own configuration; `stop` and `start` may be called in between, on the same port.
"""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import psutil

from park_spool.cli.serving import choose_port

HOST = "127.0.0.1"
PATIENCE = 20.0  # s


def program(name: str) -> str:
    """Return where a server's program is; not everybody has /usr/sbin on the PATH."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin") or name


class _Child:
    """A server that runs as a child process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = choose_port(HOST, 0)
        self.own = Path(tempfile.mkdtemp(prefix="park-remote-"))
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        raise NotImplementedError

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.own, ignore_errors=True)

    def start(self) -> None:
        with (self.own / "output").open("ab") as output:
            self._process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        until = time.monotonic() + PATIENCE
        while not self._is_listening():
            if self._process.poll() is not None or time.monotonic() > until:
                self.stop()
                raise RuntimeError(f"{self.command()[0]} does not start: {(self.own / 'output').read_text()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it at once, with all of its children: connections are cut in the middle."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _is_listening(self) -> bool:
        with suppress(OSError), socket.create_connection((HOST, self.port), 1):
            return True
        return False


class Nginx(_Child):
    """nginx, which serves `folder` at `url`; `extra_conf` goes into its `server`, `http_conf` before it."""

    def __init__(
        self, folder: Path, extra_conf: str = "", http_conf: str = "", certificate: Path | None = None
    ) -> None:
        super().__init__(folder)
        self._extra_conf, self._http_conf, self._certificate = extra_conf, http_conf, certificate

    @property
    def url(self) -> str:
        return f"{'https' if self._certificate else 'http'}://{HOST}:{self.port}/"

    @property
    def requests(self) -> list[str]:
        """Return what was asked for, as 'METHOD URI STATUS RANGE'."""
        log = self.own / "access.log"
        return log.read_text().splitlines() if log.exists() else []

    def command(self) -> list[str]:
        conf = self.own / "nginx.conf"
        conf.write_text(self._conf())
        return [program("nginx"), "-p", str(self.own), "-c", str(conf), "-e", str(self.own / "error.log")]

    def _conf(self) -> str:
        user = f"user {getpass.getuser()};" if os.geteuid() == 0 else ""
        paths = "".join(
            f"{name}_temp_path {self.own}/temp;\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        tls = (
            f"ssl_certificate {self._certificate};\nssl_certificate_key {self._certificate};"
            if self._certificate
            else ""
        )
        return f"""
            {user}
            daemon off;
            worker_processes 1;
            pid {self.own}/pid;
            events {{ worker_connections 64; }}
            http {{
                {paths}
                log_format short '$request_method $request_uri $status $http_range';
                access_log {self.own}/access.log short;
                {self._http_conf}
                server {{
                    listen {HOST}:{self.port} {"ssl" if self._certificate else ""};
                    {tls}
                    root {self.folder};
                    autoindex on;
                    {self._extra_conf}
                }}
            }}
            """


class Sshd(_Child):
    """sshd for who runs the tests; `key` is the private key that it lets in.

    With sftp alone, unless `has_shell`; `extra_conf` goes into its configuration.
    """

    def __init__(self, folder: Path, has_shell: bool = False, extra_conf: str = "") -> None:
        super().__init__(folder)
        # A home of its own: what stands in the user's ~/.bashrc is none of a test's business. The first SetEnv counts.
        home = f"SetEnv HOME={self.own}\n"
        self._rest = extra_conf + (home if has_shell else "ForceCommand internal-sftp -l VERBOSE\n")
        self.key, self.known_hosts, self.user = self.own / "key", self.own / "known_hosts", getpass.getuser()
        for name in ("key", "host_key"):
            make_key(self.own / name)
        (self.own / "authorized_keys").write_bytes((self.own / "key.pub").read_bytes())
        self.known_hosts.write_text(f"[{HOST}]:{self.port} {(self.own / 'host_key.pub').read_text()}")

    @property
    def url(self) -> str:
        return f"sftp://{self.user}@{HOST}:{self.port}{self.folder}/"

    @property
    def log(self) -> str:
        return (self.own / "output").read_text()

    def freeze(self) -> None:
        """Let its open sessions hang; they can still be killed."""
        for process in self._sessions():
            process.suspend()

    def new_host_key(self) -> None:
        """Be another server at the same place from the next start on."""
        for name in ("host_key", "host_key.pub"):
            (self.own / name).unlink()
        make_key(self.own / "host_key")

    def command(self) -> list[str]:
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)  # sshd's, where its children have no rights
        (self.own / "sshd_config").write_text(
            f"ListenAddress {HOST}\nPort {self.port}\nHostKey {self.own}/host_key\nPidFile none\n"
            f"AuthorizedKeysFile {self.own}/authorized_keys\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
            "PermitRootLogin prohibit-password\nMaxStartups 100\nLogLevel VERBOSE\nSubsystem sftp internal-sftp -l VERBOSE\n"
            + self._rest
        )
        return [program("sshd"), "-D", "-e", "-f", str(self.own / "sshd_config")]

    def stop(self) -> None:
        sessions = self._sessions()
        super().stop()
        for process in sessions:  # each leads a process group of its own
            with suppress(psutil.NoSuchProcess):
                process.kill()

    def _sessions(self) -> list[psutil.Process]:
        return psutil.Process(self._process.pid).children(recursive=True) if self._process else []


def make_key(path: Path, passphrase: str = "") -> None:
    """Make a pair of keys for SSH, `path` and `path`.pub."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", str(path)], check=True)


class Raw:
    """A server that answers each connection with the next of `answers`, byte by byte as they are, then with the last.

    `asked` has the head of each request. An answer that is a function gets the request and returns the bytes. With
    `stays_open` it does not hang up, so that the other side has to.
    """

    def __init__(self, *answers: bytes | Callable[[bytes], bytes], stays_open: bool = False) -> None:
        self._answers, self._stays_open = answers, stays_open
        self.asked: list[bytes] = []
        self._socket = socket.create_server((HOST, 0))
        self.port = self._socket.getsockname()[1]

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/"

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return  # closed
            with connection, suppress(OSError):
                self._answer(connection)

    def close(self) -> None:
        with suppress(OSError):  # closed already
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _answer(self, connection: Any) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            data = connection.recv(65536)
            if not data:
                return
            head += data
        answer = self._answers[min(len(self.asked), len(self._answers) - 1)]
        self.asked.append(head)
        connection.sendall(answer(head) if callable(answer) else answer)
        if self._stays_open:
            connection.recv(1)


@contextmanager
def raw(*answers: bytes | Callable[[bytes], bytes], stays_open: bool = False) -> Iterator[Raw]:
    """Serve answers on loopback."""
    server = Raw(*answers, stays_open=stays_open)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join()
