"""What the tests of the store share: a store with a clock, a remote of bytes that counts what it is asked for, laws."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from park_spool.atomic import Disk
from park_spool.store.checking import check
from park_spool.store.facts import Facts
from park_spool.store.store import Store
from park_spool.store.versions import Version

HREF = "beamline:/2026/run7/film.ort"
SID, OTHER = "20261123-025532-k3j9", "20261124-025532-k3j9"
BOOT = "b007"
START = 1_795_400_000.0


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass
class Wall:
    """A wall clock that a test turns."""

    now: float = START

    def __call__(self) -> float:
        return self.now


def new_store(
    root: Path, disk: Callable[[Path, str], Disk] = Disk, wall: Callable[[], float] | None = None, boot: str = BOOT
) -> Store:
    """Open the store at `root`, as a fresh process does."""
    return Store(root, wall or Wall(), disk, boot=boot).make()


@dataclass
class Remote:
    """A file elsewhere: how many bytes were asked for, and when to break off."""

    data: bytes
    etag: str = '"1"'
    asked: int = 0
    breaks_at: int | None = None
    offsets: list[int] = field(default_factory=list)

    @property
    def facts(self) -> Facts:
        return Facts(len(self.data), self.etag, 1_795_300_000.0)

    def read(self, offset: int, piece: int = 4) -> Iterator[bytes]:
        self.offsets.append(offset)
        for start in range(offset, len(self.data), piece):
            if self.breaks_at is not None and start >= self.breaks_at:
                raise ConnectionResetError("cut")
            found = self.data[start : start + piece]
            self.asked += len(found)
            yield found


def fetch(store: Store, remote: Remote, href: str = HREF, digest: str | None = None) -> Version:
    """Bring a remote file into the store, as whoever fetches does."""
    with store.single(href):
        if (found := store.newest(href)) is not None and found.facts.is_same(remote.facts):
            return found
        with store.begin(href) as partial:
            if partial.facts is None or not partial.facts.is_same(remote.facts):
                partial.restart(remote.facts)
            for piece in remote.read(partial.size):
                partial.write(piece)
            return store.adopt(partial, href, remote.facts, digest)


def plant(store: Store, data: bytes, href: str = HREF) -> Version:
    return fetch(store, Remote(data, etag=f'"{sha(data)}"'), href)


def bytes_of(store: Store, version: Version) -> bytes:
    path = store.blob(version.digest)
    assert path is not None
    return path.read_bytes()


def assert_legal(store: Store) -> None:
    """Hold the laws: nothing illegal stands there, and each visible blob is whole."""
    assert check(store) == []
    for path in store.places.blobs.glob("*/*"):
        assert path == store.places.blob(sha(path.read_bytes())), "half of a blob, or another one, is visible"
    for href in store.hrefs():
        found = store.newest(href)
        assert found is None or found == store.versions(href)[-1]


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
