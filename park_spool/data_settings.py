"""The settings of the data centre and of the sources: what they may be."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from park_spool.errors import ConfigError
from park_spool.sources.settings import SourceSettings, read


def check(datacenter: Iterable[str]) -> None:
    """Raise ConfigError for what cannot be meant."""
    for address in datacenter:
        if not address.startswith(("http://", "https://")):
            raise ConfigError(f"datacenter: expected addresses that begin with http:// or https://, got {address!r}")


def read_sources(tables: object, spool: Path) -> tuple[SourceSettings, ...]:
    """Return the sources of the tables `[sources.NAME]`, in their order. Raises ConfigError."""
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        raise ConfigError(f"sources: expected tables [sources.NAME], got {tables!r}")
    return tuple(read(name, table, spool) for name, table in tables.items())
