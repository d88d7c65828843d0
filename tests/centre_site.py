"""A data centre over real sources: in this process by Flask's client, or as the daemon on a spool of its own."""

from __future__ import annotations

import hashlib
import http.client
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from park_spool.datacenter.app import create_app
from park_spool.datacenter.centre import Centre, Place
from park_spool.datacenter.downloads import Downloads
from park_spool.datacenter.metrics import Counts
from park_spool.datacenter.room import Bounds, Room
from park_spool.datacenter.waiting import Loop

from park_spool import config
from park_spool.atomic import Disk
from park_spool.listening import listen
from park_spool.sources.opening import open_source
from park_spool.sources.settings import SourceSettings
from park_spool.store.store import Store

SECRET = "s" * 43
BEARER = {"Authorization": f"Bearer {SECRET}"}
SID = "20261123-025532-k3j9"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Site:
    """A centre in this process, with the folder `remote` as its source `here`, and a clock that a test turns."""

    def __init__(
        self,
        root: Path,
        *,
        quota: int | None = None,
        floor: int = 1,
        disk: Callable[[Path, str], Disk] = Disk,
        users: tuple[str, ...] = (),
        **sources: str,
    ) -> None:
        self.remote, self.now = root / "remote", 1000.0
        self.remote.mkdir(exist_ok=True)
        settings = [SourceSettings("here", self.remote.as_uri() + "/", users)]
        settings += [SourceSettings(name, url, timeout=5.0, tries=1) for name, url in sources.items()]
        self.store, counts = Store(root / "store", disk=disk).make(), Counts()
        self.counts = counts
        self.centre = Centre(
            self.store,
            {one.name: Place(one, open_source(one, {})) for one in settings},
            Downloads(self.store, Room(self.store, Bounds(quota, floor), counts), counts, pause=lambda seconds: None),
            fresh=60.0,
            patience=30.0,
            seats=20,
            most=4,
            clock=lambda: self.now,
        )
        self.app = create_app(self.centre, SECRET)
        self.client: FlaskClient = self.app.test_client()

    def put(self, name: str, data: bytes) -> str:
        """Let the source have a file; return its digest."""
        path = self.remote / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return sha256(data)

    def ask(self, where: str, method: str = "GET", data: bytes | None = None, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.open(
            f"http://localhost{where}", method=method, data=data, headers=BEARER | named, buffered=True
        )

    def questions(self) -> int:
        return self.counts.value("questions_total", source="here")

    def downloads(self) -> int:
        return self.counts.value("downloads_total", source="here")


class Datad:
    """park-datad as a process; `address` is a host and a port."""

    def __init__(self, process: subprocess.Popen[str], spool: Path, line: str) -> None:
        self.process, self.spool = process, spool
        self.url = line.split()[-1]
        self.address = self.url.removeprefix("http://").strip("/")
        self.token = (spool / "datacenter.secret").read_text().strip()

    @property
    def bearer(self) -> str:
        return f"Authorization: Bearer {self.token}"

    def ask(self, where: str, method: str = "GET", **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with closing(http.client.HTTPConnection(self.address, timeout=120)) as connection:
            connection.request(method, where, headers=dict([self.bearer.split(": ")]) | named)
            answer = connection.getresponse()
            return answer, answer.read()

    def fetch(self, where: str) -> tuple[str, int]:
        """Ask as long as the centre says that one shall; return the digest, and how often it was asked."""
        for count in range(1, 1000):
            with closing(http.client.HTTPConnection(self.address, timeout=120)) as connection:
                connection.request("GET", where, headers=dict([self.bearer.split(": ")]))
                answer, digest = connection.getresponse(), hashlib.sha256()
                while piece := answer.read(1 << 20):
                    digest.update(piece)
            if answer.status == 200:
                return digest.hexdigest(), count
            assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
            time.sleep(0.05)
        raise AssertionError("asked too often")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def make_spool(root: Path, *lines: str, **sources: str) -> Path:
    """Make a spool with sources by their URLs."""
    config.make_spool(root / "spool")
    tables = [f'[sources.{name}]\nroot = "{url}"\ntimeout = 20.0\n' for name, url in sources.items()]
    (root / "spool" / "park.toml").write_text("\n".join([*lines, "data_free = 1", *tables]))
    return root / "spool"


def command(spool: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "park_spool.datacenter.server", "--spool", str(spool), *options]


@contextmanager
def datad(spool: Path) -> Iterator[Datad]:
    """Run park-datad on a free port; it ends with exit code 0, unless the test killed it."""
    with subprocess.Popen(command(spool, "--port", "0"), stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            assert line.startswith("park-datad: data is at http://127.0.0.1:"), line + process.stderr.read()
            yield Datad(process, spool, line)
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                assert process.wait(60) == 0
                assert process.stderr.read() == ""
        finally:
            process.kill()


@contextmanager
def served(app: Flask, gate: Any = lambda headers, length: None) -> Iterator[Loop]:
    with closing(listen("127.0.0.1", 0)) as listening:
        loop = Loop(app, listening, gate, threads=4)
        thread = threading.Thread(target=loop.run, args=(stop := Flag(),))
        thread.start()
        try:
            yield loop
        finally:
            stop.is_set = True
            loop.wake()
            thread.join()
            loop.close()


class Flag:
    is_set = False

    def __bool__(self) -> bool:
        return self.is_set
