"""Which files match a pattern, found folder by folder, wherever the folders are.

Assumes a listing: it takes a folder ("" is the root, else '/2026/run7') and gives (name, whether it is a folder).
Guarantees: only folders that match are listed, at most MOST_FOLDERS; names that no path may have are not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase
from itertools import islice

from park_spool.errors import DataError
from park_spool.sources.paths import clean_pattern, has_wildcard, is_clean_name
from park_spool.sources.source import MOST_NAMES, NotThere

Listing = Callable[[str], Iterable[tuple[str, bool]]]

MOST_FOLDERS = 1000


def expand(pattern: str, listing: Listing) -> list[str]:
    """Return the paths of all files that match, sorted.

    Raises DataError for too many of them, and what `listing` raises.

    >>> expand("/run*/*.ort", lambda folder: [("a.ort", False)] if folder else [("run7", True), ("log", True)])
    ['/run7/a.ort']
    """
    *parts, last = clean_pattern(pattern)[1:].split("/")
    folders, is_certain = [""], True
    for part in parts:
        if has_wildcard(part):
            folders = _at_most(MOST_FOLDERS, pattern, "folders", _matching(folders, part, True, listing, is_certain))
            is_certain = False
        else:
            folders = [f"{folder}/{part}" for folder in folders]
    return sorted(_at_most(MOST_NAMES, pattern, "files", _matching(folders, last, False, listing, is_certain)))


def _matching(
    folders: Iterable[str], part: str, wants_folders: bool, listing: Listing, is_certain: bool
) -> Iterator[str]:
    for folder in folders:
        try:
            entries = list(listing(folder))
        except NotThere:
            if is_certain:
                raise
            continue  # what a wildcard found need not have the rest of the path below it
        for name, is_folder in entries:
            if is_folder == wants_folders and is_match(name, part) and is_clean_name(name):
                yield f"{folder}/{name}"


def is_match(name: str, part: str) -> bool:
    """Say whether a name matches; as in a shell, a wildcard finds no name that begins with a dot.

    >>> is_match("film1.ort", "film?.ort"), is_match(".film.ort", "*.ort"), is_match("Film.ort", "film*")
    (True, False, False)
    """
    return fnmatchcase(name, part) and (part.startswith(".") or not name.startswith("."))


def _at_most(most: int, pattern: str, kind: str, found: Iterator[str]) -> list[str]:
    paths = list(islice(found, most + 1))
    if len(paths) > most:
        raise DataError(f"the pattern {pattern!r} matches more than {most} {kind}; write it narrower")
    return paths
