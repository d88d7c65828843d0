"""`park archive check`: whether everything in the archive follows from the rest of it."""

from __future__ import annotations

import json
import sys

import click

from park_spool import config
from park_spool.archive import checking
from park_spool.cli import archived
from park_spool.cli.options import FAILED, FINE, guarded, json_option, spool_option


@click.command()
@spool_option
@json_option
@guarded
def check(spool: str | None, as_json: bool) -> None:
    """Name every fault of the archive, one sentence a line; the exit code is 1 if there is any.

    Reads only, and every row. The file must be whole, every row have what it refers to, and sums, ranges, history,
    duplicates, messages and parameters follow from the results.

    \b
    Examples:
      park archive check
      park archive check --json
    """
    reader = archived.reader(config.load(config.find_spool(spool)))
    faults = checking.check(reader.path, reader.is_copy)
    if as_json:
        click.echo(json.dumps(faults, ensure_ascii=False, indent=1))
    else:
        list(map(click.echo, faults))
    sys.exit(FAILED if faults else FINE)
