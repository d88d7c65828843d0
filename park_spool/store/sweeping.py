"""Removing what killed processes left: names in tmp/, and files that nobody goes on fetching.

A name counts as left when nothing was written to it for so long that no living process can still mean it.
"""

from __future__ import annotations

from pathlib import Path

from park_spool.errors import TemporaryError
from park_spool.store import naming
from park_spool.store.store import Store

TMP_SECONDS = 86400.0
PARTIAL_SECONDS = 7 * 86400.0


def sweep(store: Store) -> list[str]:
    """Remove what was left; return the names that went, as folder/NAME."""
    with store.told("sweep"):
        return _swept_tmp(store) + _swept_partial(store)


def _swept_tmp(store: Store) -> list[str]:
    folder = store.places.tmp
    gone = [name for name in store.disk.names(folder, hidden=True) if _is_left(store, folder / name, TMP_SECONDS)]
    for name in gone:
        _remove(store, folder / name)
    return [f"tmp/{name}" for name in gone]


def _swept_partial(store: Store) -> list[str]:
    folder = store.places.partial
    names = [name for name in store.disk.names(folder) if naming.is_key(name.removesuffix(naming.FACTS))]
    keys = dict.fromkeys(name.removesuffix(naming.FACTS) for name in names)
    gone = []
    for key in keys:
        mine = [name for name in (key, key + naming.FACTS) if name in names]
        if all(_is_left(store, folder / name, PARTIAL_SECONDS) for name in mine) and _removed(store, key, mine):
            gone += [f"partial/{name}" for name in mine]
    return gone


def _removed(store: Store, key: str, names: list[str]) -> bool:
    try:
        with store.single_key(key, 0.0):
            for name in names:
                _remove(store, store.places.partial / name)
    except TemporaryError:  # somebody is at it after all
        return False
    return True


def _is_left(store: Store, path: Path, seconds: float) -> bool:
    status = store.disk.stat(path)
    # A rename changes the second time only: a blob that is evicted has not been written to for long.
    return status is not None and store.wall() - max(status.st_mtime, status.st_ctime) > seconds


def _remove(store: Store, path: Path) -> None:
    if store.disk.kind(path) == "folder":
        store.disk.remove_tree(path)
    else:
        store.disk.unlink(path)
