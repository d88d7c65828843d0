"""`park export` and `park import`: a closed session as one file, to keep or to send, and back into a spool."""

from __future__ import annotations

from pathlib import Path

import click

from park_spool import config, member, transfer
from park_spool.cli.options import guarded, sid_argument, spool_option
from park_spool.limits import size_words
from park_spool.looking.standing import Look


@click.command()
@sid_argument
@click.argument("file", metavar="[FILE]", required=False, type=click.Path(path_type=Path))
@spool_option
@guarded
def export(prefix: str, file: Path | None, spool: str | None) -> None:
    """Write a closed session to one file: as received, with its data, every result, and the files that jobs left.

    Without FILE it is SID.park in this folder. Nothing is overwritten.

    \b
    Examples:
      park export 20261123-025532-k3j9
      park export 20261123-02 film.park
    """
    settings = config.load(config.find_spool(spool))
    sid = Look(settings).one(prefix).sid
    target = file or Path(transfer.default_name(sid))
    size = transfer.export(settings.layout, sid, target)
    click.echo(f"{sid} is in {target} ({size_words(size)}); `park import {target}` brings it into another spool")


@click.command(name="import")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@spool_option
@guarded
def import_(files: tuple[Path, ...], spool: str | None) -> None:
    """Take exported sessions into this spool: nothing of them is run, their results go into the archive.

    A session that is on this spool already is left as it is.

    \b
    Examples:
      park import film.park
      park import --spool /shared/spool 20261123-025532-k3j9.park
    """
    settings = config.load(config.find_spool(spool))
    for file in files:
        click.echo(transfer.import_(member.join(settings), file))
