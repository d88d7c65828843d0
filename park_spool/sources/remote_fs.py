"""A source that fsspec reads: s3://BUCKET/…, gs://…, and whatever else is installed for it.

Guarantees: fsspec is imported when such a source is opened, not before; nothing that it says of an error shows an
option's value, since keys stand there. Assumes that an object store has no links that lead out of the root.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from park_spool import notice_settings
from park_spool.errors import ConfigError, ParkError, TemporaryError
from park_spool.sources.expanding import expand
from park_spool.sources.paths import clean
from park_spool.sources.settings import SourceSettings
from park_spool.sources.source import CHUNK, Changed, NotThere, Refused
from park_spool.store.facts import Facts

_NO_CACHE = {"skip_instance_cache": True, "use_listings_cache": False}


class FsspecSource:
    def __init__(self, settings: SourceSettings, environment: Mapping[str, str]) -> None:
        self.name = settings.name
        options = {word: _value(value, environment) for word, value in settings.options}
        self._secrets = [str(value) for value in options.values() if isinstance(value, str) and len(value) > 3]
        self._disk, self._root = self._made(settings.root, options)

    def facts(self, path: str) -> Facts:
        with self._sentences(clean(path)):
            return self._facts(path)

    @contextmanager
    def open(self, path: str, offset: int, facts: Facts) -> Iterator[Iterator[bytes]]:
        with self._sentences(clean(path)):
            if facts.is_same(self._facts(path)) is False:
                raise Changed(f"{self.name}:{path} is another version now")
            file = self._disk.open(self._root + path, "rb")
        try:
            with self._sentences(path):
                file.seek(offset)
            yield self._chunks(path, file, facts)
        finally:
            file.close()

    def names(self, pattern: str) -> list[str]:
        with self._sentences(pattern):
            return expand(pattern, self._listing)

    def _made(self, root: str, options: Mapping[str, object]) -> tuple[Any, str]:
        scheme = urlsplit(root).scheme
        try:
            from fsspec.core import url_to_fs
        except ImportError as error:
            raise ConfigError(
                f"sources.{self.name}.root: {scheme}:// needs fsspec, which is not installed: "
                "pip install 'park-spool[remote]', and what fsspec needs for it"
            ) from error
        try:
            disk, place = url_to_fs(root, **_NO_CACHE, **options)
        except (ImportError, ValueError, TypeError) as error:
            raise ConfigError(
                f"sources.{self.name}.root: fsspec does not open {scheme}://: {self._bare(error)}"
            ) from None
        return disk, str(place).rstrip("/")

    def _facts(self, path: str) -> Facts:
        found = self._disk.info(self._root + path)
        if found.get("type") != "file":
            raise NotThere(f"{self.name}:{path} is no file")
        size = found.get("size")
        etag = str(found.get("ETag") or found.get("etag") or "")
        return Facts(size if isinstance(size, int) else None, etag, self._modified(path))

    def _modified(self, path: str) -> float | None:
        try:
            found = self._disk.modified(self._root + path)
        except (NotImplementedError, KeyError):
            return None
        return found.timestamp() if isinstance(found, datetime) else None

    def _chunks(self, path: str, file: Any, facts: Facts) -> Iterator[bytes]:
        while data := self._read(path, file):
            yield data
        with self._sentences(path):
            if facts.is_same(self._facts(path)) is False:
                raise Changed(f"{self.name}:{path} changed while it was read")

    def _read(self, path: str, file: Any) -> bytes:
        with self._sentences(path):
            return bytes(file.read(CHUNK))

    def _listing(self, folder: str) -> list[tuple[str, bool]]:
        found = self._disk.ls(self._root + folder or "/", detail=True)
        return [(entry["name"].rstrip("/").rpartition("/")[2], entry["type"] == "directory") for entry in found]

    @contextmanager
    def _sentences(self, path: str) -> Iterator[None]:
        """Turn what fsspec raises into this project's errors: each of its libraries has classes of its own."""
        try:
            yield
        except ParkError:
            raise
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise NotThere(f"{self.name}:{path} is not there") from None
        except PermissionError as error:
            raise Refused(f"{self.name}:{path} may not be read: {self._bare(error)}") from None
        except Exception as error:  # noqa: BLE001 - fsspec's libraries raise whatever they like
            raise TemporaryError(f"{self.name}:{path} cannot be read now: {self._bare(error)}") from None

    def _bare(self, error: Exception) -> str:
        """Return an error's words without the value of any option, on one line."""
        words = f"{type(error).__name__}: {error}"
        for secret in self._secrets:
            words = words.replace(secret, "…")
        return " ".join(words.split())[:300]


def _value(value: str | int | float | bool, environment: Mapping[str, str]) -> str | int | float | bool:
    """Return an option's value, or what it refers to."""
    if isinstance(value, str) and value.startswith(("env:", "file:")):
        return notice_settings.secret(value, Path("/"), environment)
    return value
