"""`park archive`: what an administrator does with the archive, a verb for each."""

from __future__ import annotations

import click

from park_spool.cli.archive_check import check
from park_spool.cli.archive_copies import export, metadata, snapshot
from park_spool.cli.archive_upkeep import compact, rebuild
from park_spool.cli.options import InOrder


@click.group(cls=InOrder)
def archive() -> None:
    """Look after the archive: check it, make it compact, copy it, make it again from the spool.

    \b
    Examples:
      park archive check
      park archive snapshot park.sqlite
    """


for verb in (check, compact, snapshot, export, metadata, rebuild):
    archive.add_command(verb)
