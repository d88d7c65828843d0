"""What an href held at one time, and what the store remembers of it.

versions/ab/KEY.SEQ     one version; the highest SEQ is the newest; a name, once there, is never written again
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from park_spool.atomic import Disk
from park_spool.store import naming, notes
from park_spool.store.facts import Facts, is_time
from park_spool.store.naming import Places


@dataclass(frozen=True, slots=True)
class Version:
    """What an href held: `size` bytes, their SHA-256, the remote's `etag`; `modified`, `fetched` in Unix seconds."""

    href: str
    digest: str
    size: int
    etag: str
    modified: float | None
    fetched: float

    @property
    def facts(self) -> Facts:
        return Facts(self.size, self.etag, self.modified)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Version | None:
        """Read what `to_json` wrote; None if it is anything else."""
        href, digest, fetched = (fields.get(name) for name in ("href", "digest", "fetched"))
        facts = Facts.from_json(fields)
        if facts is None or facts.size is None or not isinstance(href, str) or not isinstance(digest, str):
            return None
        if not naming.is_digest(digest) or not is_time(fetched):
            return None
        return cls(href, digest, facts.size, facts.etag, facts.modified, float(fields["fetched"]))


def of(disk: Disk, places: Places, href: str) -> list[Version]:
    """Return all versions of an href, the oldest first."""
    key = naming.key_of(href)
    return [found for seq in _numbers(disk, places, key) if (found := read(disk, places, key, seq)) is not None]


def every(disk: Disk, places: Places) -> Iterator[Version]:
    """Yield all versions of all hrefs, those of one href behind each other, the oldest first."""
    for key, seq in numbers(disk, places):
        if (found := read(disk, places, key, seq)) is not None:
            yield found


def numbers(disk: Disk, places: Places) -> Iterator[tuple[str, int]]:
    """Yield the (key, SEQ) of all names of versions, sorted."""
    for shard in filter(naming.is_shard, disk.names(places.versions)):
        for name in disk.names(places.versions / shard):
            found = naming.parse_version(name)
            if found is not None and found[0].startswith(shard):
                yield found


def newest(disk: Disk, places: Places, href: str) -> Version | None:
    key = naming.key_of(href)
    for seq in reversed(_numbers(disk, places, key)):
        if (found := read(disk, places, key, seq)) is not None:
            return found
    return None


def record(disk: Disk, places: Places, version: Version) -> Version:
    """Write a version down, and return it; the last one where only the time of the fetch is another."""
    last = newest(disk, places, version.href)
    if last is not None and replace(version, fetched=last.fetched) == last:
        return last
    key = naming.key_of(version.href)
    seq = max(_numbers(disk, places, key), default=0) + 1
    if disk.make_folder(places.shard(key)):
        disk.sync(places.versions)
    while not notes.write_once(disk, places.version(key, seq), version.to_json()):
        seq += 1
    return version


def _numbers(disk: Disk, places: Places, key: str) -> list[int]:
    names = (name for name in disk.names(places.shard(key)) if name.startswith(key))
    return sorted(one[1] for one in map(naming.parse_version, names) if one is not None)


def read(disk: Disk, places: Places, key: str, seq: int) -> Version | None:
    """Read one version; None if it is not whole, or one of another href."""
    fields = notes.read(disk, places.version(key, seq))
    version = Version.from_json(fields) if fields is not None else None
    return version if version is not None and naming.is_key_of(key, version.href) else None
