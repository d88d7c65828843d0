"""Files inside installed Python packages, as a source of the data centre: package:NAME/PATH.

Guarantees: no package is imported to find its files.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import quote

from park_spool.errors import DataError
from park_spool.sources.files import FileSource
from park_spool.sources.paths import clean
from park_spool.sources.settings import SourceSettings
from park_spool.store.facts import Facts

PACKAGE = "package"


def folder_of(name: str) -> Path:
    """Return the folder of an installed package. Raises DataError if there is none of that name."""
    # Without an __init__ any folder on sys.path, the working folder's too, would pass for a package.
    spec = importlib.util.find_spec(name) if name.isidentifier() else None
    if spec is None or spec.origin is None or not spec.submodule_search_locations:
        raise DataError(f"the Python package {name!r} is not installed on this machine")
    return Path(spec.origin).parent


class PackageSource:
    """The packages of this interpreter; a path is /NAME/PATH."""

    name = PACKAGE

    def facts(self, path: str) -> Facts:
        source, inside = _within(path)
        return source.facts(inside)

    def open(self, path: str, offset: int, facts: Facts) -> AbstractContextManager[Iterator[bytes]]:
        source, inside = _within(path)
        return source.open(inside, offset, facts)

    def names(self, pattern: str) -> list[str]:
        raise DataError(f"the files of packages are not listed: {pattern}")


def _within(path: str) -> tuple[FileSource, str]:
    name, _, inside = clean(path)[1:].partition("/")
    return FileSource(SourceSettings(PACKAGE, f"file://{quote(str(folder_of(name)))}/")), f"/{inside}"
