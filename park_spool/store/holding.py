"""What is kept from eviction: the versions that open sessions began with, and what an administrator pinned.

    holds/SID/KEY    {href, digest}: the session's version of that href      pins/DIGEST    empty

Guarantees: the first hold of a session on an href stays, whoever else tries and whatever is fetched later.
RACE: who holds looks for the blob afterwards, and who evicts looks for holds after it has moved the blob away: one of
the two sees the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from park_spool.naming import is_sid
from park_spool.store import naming, notes
from park_spool.store.store import Store
from park_spool.store.versions import Version

_TRIES = 3


def hold(store: Store, sid: str, version: Version) -> str:
    """Hold a version for a session; return the digest that it holds of this href, an earlier one if there was one.

    Whether the blob is still there is to be asked afterwards. Raises DataError where that is no session id.
    """
    path = store.places.hold(sid, naming.key_of(version.href))
    fields = {"href": version.href, "digest": naming.checked_digest(version.digest)}
    with store.told("hold a file"):
        if (earlier := held(store, sid, version.href)) is not None:
            return earlier
        if _is_first(store, path, fields):
            return version.digest
        if (earlier := held(store, sid, version.href)) is None:
            notes.write(store.disk, path, fields)  # what stands there is no hold
        return earlier or version.digest


def _is_first(store: Store, path: Path, fields: dict[str, str]) -> bool:
    for left in reversed(range(_TRIES)):
        if store.disk.make_folder(path.parent):
            store.disk.sync(store.places.holds)
        try:
            return notes.write_once(store.disk, path, fields)  # at this instant it is held
        except FileNotFoundError:  # RACE: the session was released meanwhile, and its folder went
            if not left:
                raise
    raise AssertionError("the last try returns or raises")


def held(store: Store, sid: str, href: str) -> str | None:
    """Return the digest of an href that a session holds; None if it holds none."""
    key = naming.key_of(href)
    path = store.places.hold(sid, key)
    with store.told("look for a hold"):
        return digest_of(notes.read(store.disk, path), key)


def release(store: Store, sid: str) -> None:
    """Let go of all that a session holds; nothing happens if that is nothing."""
    folder = store.places.session(sid)
    grave = store.disk.temporary()
    with store.told("release a session"):
        # At this instant nothing is held. CRASH: what is left lies in tmp/, where sweeping.py finds it.
        if store.disk.kind(folder) is not None and store.disk.move(folder, grave):
            store.disk.sync(store.places.holds)
            store.disk.remove_tree(grave)


def sessions(store: Store) -> list[str]:
    """Return the sessions that hold something, sorted."""
    with store.told("list its holds"):
        return list(filter(is_sid, store.disk.names(store.places.holds)))


def holders(store: Store) -> dict[str, set[str]]:
    """Return the digests that each session holds."""
    with store.told("list its holds"):
        return {sid: found for sid in sessions(store) if (found := set(_holds(store, sid)))}


def pin(store: Store, digest: str) -> None:
    """Keep a blob until it is unpinned, here or not. Raises DataError where that is no digest."""
    path = store.places.pin(digest)
    with store.told("pin a file"):
        store.disk.create(path)  # at this instant it is pinned
        store.disk.sync(path.parent)


def unpin(store: Store, digest: str) -> bool:
    """Let a blob be evicted again; False if it was not pinned."""
    path = store.places.pin(digest)
    with store.told("unpin a file"):
        return store.disk.unlink(path)


def pins(store: Store) -> set[str]:
    with store.told("list its pins"):
        return set(filter(naming.is_digest, store.disk.names(store.places.pins)))


def kept(store: Store) -> set[str]:
    """Return the digests that a hold or a pin keeps."""
    return pins(store).union(*holders(store).values())


def _holds(store: Store, sid: str) -> Iterator[str]:
    folder = store.places.session(sid)
    for key in filter(naming.is_key, store.disk.names(folder)):
        if (digest := digest_of(notes.read(store.disk, folder / key), key)) is not None:
            yield digest


def digest_of(fields: dict[str, object] | None, key: str) -> str | None:
    """Read the digest out of a hold; None if it is none, or one of another href."""
    href, digest = (fields.get("href"), fields.get("digest")) if fields else (None, None)
    if not isinstance(href, str) or not isinstance(digest, str) or not naming.is_digest(digest):
        return None
    return digest if naming.is_key_of(key, href) else None
