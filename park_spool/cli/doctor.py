"""`park doctor`: what the file system of a spool really does, and what follows from it."""

from __future__ import annotations

import json
import os
import random
import socket
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import click

from park_spool import config, filesystem, naming
from park_spool.atomic import Disk
from park_spool.cli.hosts import hosts_option
from park_spool.cli.options import FAILED, FINE, guarded, json_option, spool_option
from park_spool.config import Config
from park_spool.doctor import examining, reporting, sides
from park_spool.doctor.reporting import Examined
from park_spool.doctor.sides import Side
from park_spool.errors import HostError, SpoolError
from park_spool.hosts import reading
from park_spool.hosts.reading import Host

Second = Host | Path | None


@click.command()
@spool_option
@click.option(
    "--beside",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Another mount of the same spool on this machine, as the second side.",
)
@click.option(
    "--host", "aliases", metavar="HOST", multiple=True, help="A host of the hosts file as the second side; repeatable."
)
@hosts_option
@click.option(
    "--seconds",
    type=click.FloatRange(1, 600),
    default=examining.LIMIT,
    show_default=True,
    help="Wait so long for one change to be seen.",
)
@json_option
@guarded
def doctor(
    spool: str | None, beside: Path | None, aliases: tuple[str, ...], file: str | None, seconds: float, as_json: bool
) -> None:
    """Measure what a spool's file system does, in a folder of its own below tmp/, and say which settings follow.

    What one mount hides from another is seen with a second side only: --host or --beside. The exit code is 1 if a spool
    cannot rely on it.

    \b
    Examples:
      park doctor
      park doctor --host n1 --host n2
      park doctor --spool /shared/spool --beside /mnt/again/spool
    """
    settings = config.load(config.find_spool(spool))
    if beside is not None and not beside.is_dir():
        raise SpoolError(f"{beside} is no folder: expected another mount of {settings.spool}; nothing was measured")
    refused = filesystem.refusal(settings.spool, filesystem.mount_at(settings.spool))
    if refused:
        click.echo(refused, err=True)
    others: list[Second] = [beside.absolute()] if beside is not None else []
    if aliases:
        others += reading.choose(reading.read(reading.find(file, settings.spool)), aliases)
    found = []
    for second in others or [None]:
        try:
            found.append(_examine(settings, second, refused, seconds))
        except HostError as error:
            click.echo(str(error), err=True)
    if as_json:
        click.echo(json.dumps([reporting.values(settings, one) for one in found], indent=1))
    else:
        click.echo("\n\n".join("\n".join(reporting.lines(settings, one)) for one in found))
    is_well = len(found) == len(others or [None]) and all(one.is_well for one in found)
    sys.exit(FINE if is_well else FAILED)


def _examine(settings: Config, second: Second, refused: str, seconds: float) -> Examined:
    owner = naming.new_node(socket.gethostname(), os.getpid(), random.SystemRandom().choice)
    disk = Disk(settings.layout.tmp, owner)
    here = sides.here(settings.spool, "this mount")
    with _side(settings, second) as there:
        measured = examining.examine(disk, here, there, seconds, tell=_tell)
        beside = None if there is None else there.words
    mount = filesystem.mount_at(settings.spool)
    return reporting.examined(settings, mount, beside, refused, measured)


def _side(settings: Config, second: Second) -> AbstractContextManager[Side | None]:
    if isinstance(second, Host):
        from park_spool.doctor.far import far_side  # what connects is slow to import

        return far_side(second, settings)
    return nullcontext(None if second is None else sides.here(second, f"{second} on this machine"))


def _tell(text: str) -> None:
    """Say what is going on, to who watches a terminal."""
    if sys.stderr.isatty():
        click.echo(f"{text} …", err=True)
