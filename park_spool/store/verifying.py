"""Reading every blob once more: one that is not what its name says is put aside, with a reason beside it.

    quarantine/DIGEST.RANDOM.why, then blobs/ab/DIGEST ──rename──▶ quarantine/DIGEST.RANDOM

At the rename its versions are without a blob, so Store.newest says nothing of their hrefs, and they are fetched again.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from park_spool.naming import random_word
from park_spool.store import entries, naming, versions
from park_spool.store.hashed import PIECE
from park_spool.store.store import Store


@dataclass(frozen=True, slots=True)
class Fault:
    """One blob that is not well: the reason in words; `aside` is where it is now, None where it was left."""

    digest: str
    hrefs: tuple[str, ...]
    reason: str
    aside: Path | None = None


def verify(store: Store) -> Iterator[Fault]:
    """Read all blobs and yield what is wrong with which, as it is found.

    One that differs goes to quarantine/. One that the disk does not give out is left: a cut cable passes.
    """
    with store.told("list its files"):
        found = list(entries.digests(store))
    for digest in found:
        fault = _checked(store, digest)
        if fault is not None:
            yield fault


def _checked(store: Store, digest: str) -> Fault | None:
    path = store.places.blob(digest)
    try:
        found, size = _read(store, path)
    except FileNotFoundError:  # evicted meanwhile
        return None
    except OSError as error:
        return Fault(digest, _hrefs(store, digest), f"{path} cannot be read: {error.strerror}; it was left there")
    if found == digest:
        return None
    aside = store.places.quarantined(digest, random_word(store.choose))
    reason = f"{path}: its {size} bytes have the SHA-256 {found}, not that of its name; it was moved to {aside}"
    fault = Fault(digest, _hrefs(store, digest), reason, aside)
    with store.told("put a damaged file aside"):
        return fault if _is_put_aside(store, fault, path, aside) else None


def _is_put_aside(store: Store, fault: Fault, path: Path, aside: Path) -> bool:
    # The reason first: CRASH: one without its file says nothing wrong, and the next verify finds the file again.
    why = aside.with_name(aside.name + naming.WHY)
    with suppress(OSError):  # a full disk: nobody shall be given the file for that
        store.disk.publish(why, "\n".join((fault.reason, *fault.hrefs, "")).encode(), durable=True)
    # At this instant its hrefs are to be fetched again.
    if not store.disk.move(path, aside):
        store.disk.unlink(why)  # RACE: evicted meanwhile
        return False
    store.disk.sync(path.parent)
    store.disk.sync(aside.parent)
    return True


def _read(store: Store, path: Path) -> tuple[str, int]:
    store.disk.step("read", path)
    digest, size = hashlib.sha256(), 0
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        while piece := os.read(descriptor, PIECE):
            digest.update(piece)
            size += len(piece)
    finally:
        os.close(descriptor)
    return digest.hexdigest(), size


def _hrefs(store: Store, digest: str) -> tuple[str, ...]:
    with store.told("list its versions"):
        found = {one.href for one in versions.every(store.disk, store.places) if one.digest == digest}
    return tuple(sorted(found))
