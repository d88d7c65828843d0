"""What a store holds, one value for each blob."""

from __future__ import annotations

import stat
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from park_spool.store import holding, naming, versions
from park_spool.store.store import Store


@dataclass(frozen=True, slots=True)
class Entry:
    """One blob: `size` in bytes, last `used` in Unix seconds, the `hrefs` that held it, the sessions that hold it."""

    digest: str
    size: int
    used: float
    hrefs: tuple[str, ...] = ()
    is_pinned: bool = False
    holders: tuple[str, ...] = ()


def entries(store: Store, is_named: bool = True) -> list[Entry]:
    """Return all blobs, by their digests; their hrefs only where wanted, since all versions are read for them."""
    hrefs, holders, pins = _hrefs(store) if is_named else {}, _holders(store), holding.pins(store)
    with store.told("list its files"):
        return [
            Entry(digest, size, used, hrefs.get(digest, ()), digest in pins, holders.get(digest, ()))
            for digest, size, used in _blobs(store)
        ]


def digests(store: Store) -> Iterator[str]:
    """Yield the names of all blobs, sorted."""
    for shard in filter(naming.is_shard, store.disk.names(store.places.blobs)):
        for name in store.disk.names(store.places.blobs / shard):
            if naming.is_digest(name) and name.startswith(shard):
                yield name


def total(store: Store) -> int:
    """Return how many bytes all blobs are."""
    with store.told("add up its files"):
        return sum(store.disk.size(store.places.blob(digest)) for digest in digests(store))


def _blobs(store: Store) -> Iterator[tuple[str, int, float]]:
    for digest in digests(store):
        status = store.disk.stat(store.places.blob(digest))
        if status is not None and stat.S_ISREG(status.st_mode):
            yield digest, status.st_size, status.st_mtime


def _hrefs(store: Store) -> dict[str, tuple[str, ...]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    with store.told("list its versions"):
        for version in versions.every(store.disk, store.places):
            found[version.digest].add(version.href)
    return {digest: tuple(sorted(hrefs)) for digest, hrefs in found.items()}


def _holders(store: Store) -> dict[str, tuple[str, ...]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for sid, held in sorted(holding.holders(store).items()):
        for digest in held:
            found[digest].append(sid)
    return {digest: tuple(sids) for digest, sids in found.items()}
