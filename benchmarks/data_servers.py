"""Servers of data as child processes: nginx and park-datad as the tests run them, and Flask on waitress.

    folder/remote ── nginx ──┬── park-datad ── folder/spool/data
                  ── Flask   └── nginx that sends as much a second as a line of 1 Gbit/s carries

Everything is on loopback, and in one temporary folder on the system's disk.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "tests"))

from centre_site import Datad, datad, make_spool
from data_clients import HOST, Connection
from remotes import Nginx

from park_spool import config
from park_spool.atomic import Disk
from park_spool.cli.serving import choose_port
from park_spool.config import Config
from park_spool.store.facts import Facts
from park_spool.store.store import Store

PATIENCE = 20.0  # s
PIECE = 1 << 20
LINE = 125_000_000  # bytes/s of 1 Gbit/s
LONG = "data_fresh = 86400"  # what was asked for once is warm for the whole run
NGINX = "sendfile on; tcp_nopush on; access_log off; keepalive_requests 1000000;"
FLASK = """
import logging
import sys
from pathlib import Path
from flask import Flask, send_file
from waitress import serve
logging.getLogger("waitress.queue").setLevel(logging.ERROR)
app, folder = Flask(__name__), Path(sys.argv[1])
@app.get("/<path:name>")
def give(name):
    return send_file(folder / name)
serve(app, host="127.0.0.1", port=int(sys.argv[2]))
"""


class Hasty(Disk):
    """A disk that waits for nothing: for files that are put into a store before anything is measured."""

    def sync(self, path: Path) -> None:
        pass


@dataclass(frozen=True)
class Place:
    """What is served, by whom; `slow` is nginx behind a line of 1 Gbit/s, and `slow` is its source in the spool, too."""

    remote: Path
    nginx: Nginx
    slow: Nginx
    datad: Datad
    flask: int
    numbers: Iterator[int]

    @property
    def settings(self) -> Config:
        """Return the settings of a node that knows no data centre."""
        return config.load(self.datad.spool)

    @property
    def settings_with_centre(self) -> Config:
        return replace(self.settings, datacenter=(self.datad.url,))

    def to_datad(self) -> Connection:
        return Connection(int(self.datad.address.rpartition(":")[2]), self.datad.bearer)

    def new_file(self, size: int) -> str:
        """Make a file of bytes that nobody has seen, durable and in memory; return its name."""
        name = f"new{next(self.numbers)}.bin"
        with (self.remote / name).open("wb") as file:
            for start in range(0, size, PIECE):
                file.write(os.urandom(min(PIECE, size - start)))
            file.flush()
            os.fsync(file.fileno())
        return name


@contextmanager
def serving(names: list[str], size: int) -> Iterator[Place]:
    """Serve a folder that holds small files under these names; they are in park-datad's store already."""
    with tempfile.TemporaryDirectory(prefix="park-benchmark-") as name:
        root, remote = Path(name), Path(name) / "remote"
        root.chmod(0o755)
        remote.mkdir()
        for one in names:
            (remote / one).parent.mkdir(exist_ok=True)
            (remote / one).write_bytes(os.urandom(size))
        nginx, slow = Nginx(remote, NGINX), Nginx(remote, f"{NGINX} limit_rate {LINE};")
        with nginx, slow, flask(remote) as port:
            spool = make_spool(root, LONG, f'data_cache = "{root}/cache"', here=nginx.url, slow=slow.url)
            fill(Store(config.load(spool).store, disk=Hasty).make(), remote, names)
            with datad(spool) as centre:
                yield Place(remote, nginx, slow, centre, port, count(1))


def fill(store: Store, remote: Path, names: list[str]) -> None:
    """Take files in as a data centre would have brought them from nginx."""
    for name in names:
        status = (remote / name).stat()
        seconds = int(status.st_mtime)
        facts = Facts(status.st_size, f'"{seconds:x}-{status.st_size:x}"', float(seconds))
        store.take(remote / name, f"here:/{name}", facts)


@contextmanager
def flask(folder: Path) -> Iterator[int]:
    """Run a bare Flask app that sends the files of a folder; gives its port."""
    port = choose_port(HOST, 0)
    process = subprocess.Popen([sys.executable, "-c", FLASK, str(folder), str(port)])
    try:
        await_so(lambda: is_listening(port))
        yield port
    finally:
        process.terminate()
        process.wait()


def is_listening(port: int) -> bool:
    try:
        Connection(port).close()
    except OSError:
        return False
    return True


def await_so(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not is_so():
        if time.monotonic() > end:
            raise SystemExit("benchmark: a server does not start; nothing was measured")
        time.sleep(0.02)
