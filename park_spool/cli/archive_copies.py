"""`park archive snapshot`, `export`, `metadata`: the archive as other files, for other hosts, people and programs."""

from __future__ import annotations

import json
from pathlib import Path

import click

from park_spool import config, member
from park_spool.archive import described, exporting, finding, snapshots
from park_spool.atomic import Disk
from park_spool.cli import archived
from park_spool.cli.options import FAILED, fail, guarded, spool_option
from park_spool.errors import NotFound


@click.command()
@click.argument("file", metavar="[FILE]", required=False, type=click.Path(path_type=Path))
@spool_option
@guarded
def snapshot(file: Path | None, spool: str | None) -> None:
    """Copy the archive as it is at this moment into FILE; without FILE, onto the spool, where other machines read it.

    The copy is whole or not there, and park-reduced is not held up. Nothing is overwritten.

    \b
    Examples:
      park archive snapshot park.sqlite
      park archive snapshot
    """
    settings = config.load(config.find_spool(spool))
    if file is None:
        me = member.join(settings)
        if finding.find(settings, me.disk).age is not None:
            raise NotFound("the archive is on another host, which publishes it; give a FILE to copy the snapshot to")
        click.echo(str(snapshots.publish(me, settings.archive)))
        return
    if file.exists():
        fail(f"{file} is there already; nothing was copied", FAILED)
    source = archived.reader(settings).path
    me = member.join(settings)
    target = file.absolute()
    disk = Disk(target.parent, f".{target.name}")
    disk.publish_made(target, lambda temporary: snapshots.copy(source, temporary, me.wall()))
    click.echo(str(file))


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@spool_option
@guarded
def export(folder: Path, spool: str | None) -> None:
    """Write each table and view of the archive as CSV into the new folder DIR, with the schema and a README.

    All of one instant; complete, or nothing is there. park-reduced is not held up.

    \b
    Examples:
      park archive export tables
    """
    written = exporting.export(archived.reader(config.load(config.find_spool(spool))), folder)
    click.echo(f"{folder}: {len(written)} files; README.txt says what is what")


@click.command()
@spool_option
@guarded
def metadata(spool: str | None) -> None:
    """Print what Datasette takes as metadata: tables, columns and the questions of docs/archive.md, as JSON.

    \b
    Examples:
      park archive metadata
    """
    path = config.load(config.find_spool(spool)).archive
    click.echo(json.dumps(described.metadata(path.stem), ensure_ascii=False, indent=1))
