"""`check(store)`: sentences about everything illegal that stands in a store. Test oracle and operator's tool alike.

Reads names and notes only; whether the bytes of blobs are still theirs is for verifying.py to say. What a crash may
leave (names in tmp/, what is being fetched, a version whose blob is not there) is legal.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from park_spool.naming import is_sid
from park_spool.store import entries, holding, naming, notes, versions
from park_spool.store.store import Store


def check(store: Store) -> list[str]:
    """Return one sentence for each illegal state; an empty list means that all is well."""
    with store.told("check itself"):
        missing = [name for name in naming.FOLDERS if store.disk.kind(store.root / name) != "folder"]
        if missing:
            return [f"{name}/ is missing: a store has this folder" for name in missing]
        looks = (_strangers, _blobs, _versions, _holds, _partial, _quarantine)
        return [
            f"{path.relative_to(store.root)}: {sentence}" for look in looks for path, sentence in sorted(look(store))
        ]


def _strangers(store: Store) -> Iterator[tuple[Path, str]]:
    """Find names that nothing made."""
    known: dict[str, Callable[[str], object]] = {
        "blobs": naming.is_shard,
        "versions": naming.is_shard,
        "partial": lambda name: naming.is_key(name.removesuffix(naming.FACTS)),
        "holds": is_sid,
        "pins": naming.is_digest,
        "quarantine": lambda name: naming.parse_quarantined(name.removesuffix(naming.WHY)),
        "locks": naming.is_key,
    }
    for sid in filter(is_sid, store.disk.names(store.places.holds)):
        known[f"holds/{sid}"] = naming.is_key
    for shard in filter(naming.is_shard, store.disk.names(store.places.blobs)):
        known[f"blobs/{shard}"] = _within(shard, naming.is_digest)
    for shard in filter(naming.is_shard, store.disk.names(store.places.versions)):
        known[f"versions/{shard}"] = _within(shard, naming.parse_version)
    for folder, is_known in known.items():
        for name in store.disk.names(store.root / folder):
            if not is_known(name):
                yield store.root / folder / name, "a store has no such name there"


def _within(shard: str, is_name: Callable[[str], object]) -> Callable[[str], object]:
    return lambda name: name.startswith(shard) and is_name(name)


def _blobs(store: Store) -> Iterator[tuple[Path, str]]:
    for digest in entries.digests(store):
        status = store.disk.stat(store.places.blob(digest))
        if status is None:  # evicted meanwhile
            continue
        mode = f"{stat.S_IMODE(status.st_mode):04o}" if stat.S_ISREG(status.st_mode) else "none"
        if mode != "0444":
            yield store.places.blob(digest), f"expected a read-only file (0444), found {mode}"


def _versions(store: Store) -> Iterator[tuple[Path, str]]:
    for key, seq in versions.numbers(store.disk, store.places):
        if versions.read(store.disk, store.places, key, seq) is None:
            yield store.places.version(key, seq), "it is no version that can be read"


def _holds(store: Store) -> Iterator[tuple[Path, str]]:
    for sid in filter(is_sid, store.disk.names(store.places.holds)):
        for key in filter(naming.is_key, store.disk.names(store.places.session(sid))):
            path = store.places.hold(sid, key)
            if holding.digest_of(notes.read(store.disk, path), key) is None:
                yield path, "it is no hold that can be read"


def _partial(store: Store) -> Iterator[tuple[Path, str]]:
    names = store.disk.names(store.places.partial)
    for key in filter(naming.is_key, names):
        if key + naming.FACTS not in names:
            yield store.places.partial / key, "nothing says which version it is of, so it is begun anew"


def _quarantine(store: Store) -> Iterator[tuple[Path, str]]:
    names = store.disk.names(store.places.quarantine)
    for name in names:
        if naming.parse_quarantined(name) and name + naming.WHY not in names:
            yield store.places.quarantine / name, "no reason lies beside it"
