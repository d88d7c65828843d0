"""Data to pick from: what the data centre holds, what a source has, and what lies under the site's data roots.

Guarantees: nothing outside a root is listed, links followed; nothing that a user may not have; and never more than
MOST of anything.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath

from park_spool.config import Config
from park_spool.data_centre import DataCentre
from park_spool.errors import DataError, NotFound
from park_spool.sources.paths import PUT

MOST = 500
MOST_READ = 20_000  # names of a folder that are looked at
STORE = "store"
ROOT = "root:"  # and the number of a root


@dataclass(frozen=True, slots=True)
class Place:
    """Where data can be picked: `key` names it in a request."""

    key: str
    label: str
    takes_pattern: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One file (`href` is what a session says for it) or folder (`path` is where to look next)."""

    name: str
    href: str = ""
    path: str = ""
    bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """What one place holds, folders first; `left_out`: there is more than is shown. `above` is None at the top."""

    place: Place
    path: str
    entries: tuple[Entry, ...]
    left_out: bool = False
    above: str | None = None


def places(settings: Config, user: str) -> tuple[Place, ...]:
    """List where a user may pick data."""
    found = [Place(f"{ROOT}{number}", str(root)) for number, root in enumerate(settings.data_roots)]
    if settings.datacenter:
        found.append(Place(STORE, "the data centre: what it holds"))
        mine = (source for source in settings.sources if not source.users or user in source.users)
        found += [Place(f"source:{source.name}", f"the source {source.name}", takes_pattern=True) for source in mine]
    return tuple(found)


def listing(settings: Config, user: str, key: str, path: str = "") -> Listing:
    """List a place. Raises NotFound if there is none, DataError or TemporaryError if it cannot be read now."""
    place = next((one for one in places(settings, user) if one.key == key), None)
    if place is None:
        raise NotFound(f"there is no place {key[:80]!r} for data here")
    if place.key == STORE:
        return _store(settings, user, place, path)
    if place.takes_pattern:
        return _source(settings, user, place, path)
    return _folder(settings.data_roots[int(key.removeprefix(ROOT))], place, path)


def _store(settings: Config, user: str, place: Place, text: str) -> Listing:
    """List the files of the data centre whose hrefs hold a text."""
    hrefs = {href: entry for entry in DataCentre(settings, user).files() for href in entry["hrefs"]}
    wanted = sorted(href for href in hrefs if text.lower() in href.lower())
    entries = tuple(Entry(href, href, bytes=hrefs[href].get("size")) for href in wanted[:MOST])
    return Listing(place, text, entries, len(wanted) > MOST)


def _source(settings: Config, user: str, place: Place, pattern: str) -> Listing:
    """List the files of a source that match a pattern: all of them also as one entry."""
    name, wanted = place.key.partition(":")[2], pattern if pattern.startswith("/") else f"/{pattern or '*'}"
    names = DataCentre(settings, user).names(name, wanted)
    hrefs = [f"{name}:{one if one.startswith('/') else f'/{one}'}" for one in names]
    whole = [Entry(f"all {len(names):,} of {wanted}", f"{name}:{wanted}")] if len(names) > 1 and name != PUT else []
    entries = (*whole, *(Entry(PurePosixPath(href).name, href) for href in hrefs[:MOST]))
    return Listing(place, wanted, entries, len(names) > MOST)


def _folder(root: Path, place: Place, path: str) -> Listing:
    """List a folder under a root."""
    if path.startswith("/") or "\0" in path or ".." in PurePosixPath(path).parts:
        raise DataError(f"{path[:80]!r} is no folder under {root}")
    folder = root / path
    try:
        real, top = folder.resolve(strict=True), root.resolve(strict=True)
        if not real.is_relative_to(top):
            raise DataError(f"{folder} leads out of {root}")
        with os.scandir(real) as found:
            names = sorted(islice((one for one in found if not one.name.startswith(".")), MOST_READ), key=_by_name)
            entries = [_entry(one, path, folder) for one in names if _is_inside(one, top)]
    except (OSError, RuntimeError) as error:
        raise DataError(f"{folder} cannot be listed: {getattr(error, 'strerror', None) or error}") from error
    above = None if not PurePosixPath(path).parts else PurePosixPath(path).parent.as_posix().removeprefix(".")
    return Listing(place, path, tuple(entries[:MOST]), len(entries) > MOST, above)


def _by_name(entry: os.DirEntry[str]) -> tuple[bool, str]:
    return not entry.is_dir(), entry.name


def _is_inside(entry: os.DirEntry[str], top: Path) -> bool:
    if not entry.name.isprintable():  # nor could a session name what is no text
        return False
    if not entry.is_symlink():
        return entry.is_dir() or entry.is_file()
    real = Path(entry.path).resolve()
    return real.is_relative_to(top) and (real.is_file() or real.is_dir())


def _entry(entry: os.DirEntry[str], path: str, folder: Path) -> Entry:
    if entry.is_dir():
        return Entry(entry.name, path=(PurePosixPath(path) / entry.name).as_posix())
    return Entry(entry.name, str(folder / entry.name), bytes=entry.stat().st_size)
