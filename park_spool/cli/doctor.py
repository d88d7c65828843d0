"""`park doctor`: what the file system of a spool really does, and what follows from it."""

from __future__ import annotations

import json
import os
import random
import socket
import sys
from pathlib import Path

import click

from park_spool import config, filesystem, naming
from park_spool.atomic import Disk
from park_spool.cli.options import FAILED, FINE, guarded, json_option, spool_option
from park_spool.doctor import examining, reporting, sides


@click.command()
@spool_option
@click.option(
    "--beside",
    metavar="DIR",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Another mount of the same spool on this machine, as the second side.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(1, 600),
    default=examining.LIMIT,
    show_default=True,
    help="Wait so long for one change to be seen.",
)
@json_option
@guarded
def doctor(spool: str | None, beside: Path | None, seconds: float, as_json: bool) -> None:
    """Measure what a spool's file system does, in a folder of its own below tmp/, and say which settings follow.

    What one mount hides from another is seen with a second one only. The exit code is 1 if a spool cannot rely on it.

    \b
    Examples:
      park doctor
      park doctor --spool /shared/spool --beside /mnt/again/spool
    """
    settings = config.load(config.find_spool(spool))
    mount = filesystem.mount_at(settings.spool)
    refused = filesystem.refusal(settings.spool, mount)
    if refused:
        click.echo(refused, err=True)
    owner = naming.new_node(socket.gethostname(), os.getpid(), random.SystemRandom().choice)
    disk = Disk(settings.layout.tmp, owner)
    here = sides.here(settings.spool, "this mount")
    there = None if beside is None else sides.here(beside.absolute(), f"{beside.absolute()} on this machine")
    measured = examining.examine(disk, here, there, seconds, tell=_tell)
    found = reporting.examined(settings, mount, there and there.words, refused, measured)
    if as_json:
        click.echo(json.dumps(reporting.values(settings, found), indent=1))
    else:
        click.echo("\n".join(reporting.lines(settings, found)))
    sys.exit(FINE if found.is_well else FAILED)


def _tell(text: str) -> None:
    """Say what is going on, to who watches a terminal."""
    if sys.stderr.isatty():
        click.echo(f"{text} …", err=True)
