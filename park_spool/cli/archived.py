"""The archive as commands read it: the reducer's own file, or a copy on the spool, which is said on standard error."""

from __future__ import annotations

import click

from park_spool.archive import finding
from park_spool.archive.reading import ArchiveReader
from park_spool.config import Config


def reader(settings: Config) -> ArchiveReader:
    """Find the archive to read. Raises NotFound if there is none that can be read from here."""
    found = finding.find(settings)
    if found.note:
        click.echo(f"note: {found.note}", err=True)
    return found.reader
