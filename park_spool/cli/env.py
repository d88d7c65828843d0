"""`park env`: an environment in the shared folder, from which every node runs; or a folder with all that one takes."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from park_spool import config
from park_spool.cli.options import guarded, spool_option

if TYPE_CHECKING:
    from park_spool.installing.environment import Environment


@click.command()
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@spool_option
@click.option("--python", metavar="PY", default=sys.executable, help="Make it for that Python; else this one's.")
@click.option("--extras", default="fit", show_default=True, help="With these, a comma between; 'none' for none.")
@click.option(
    "--wheels",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Take all packages from that folder, nothing from the index.",
)
@click.option("--offline", is_flag=True, help="Take all packages from what is installed here.")
@click.option("--again", is_flag=True, help="Make a new one though nothing has changed: with newer packages.")
@click.option("--prune", is_flag=True, help="Remove earlier ones; the last one before this stays.")
@click.option(
    "--download",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Make none; fill that folder with wheels.",
)
@guarded
def env(
    folder: Path | None,
    spool: str | None,
    python: str,
    extras: str,
    wheels: Path | None,
    offline: bool,
    again: bool,
    prune: bool,
    download: Path | None,
) -> None:
    """Make an environment with park-spool in a folder that hosts share, or renew it; else `env` beside the spool.

    It runs under whatever path a host sees it, on every host that has the same Python at the same place. Nothing else
    must be installed there. An earlier one stays, for the nodes that run from it.

    \b
    Examples:
      park env
      park env /shared/env --python /usr/bin/python3
      park env --download wheels
      park env --wheels wheels
    """
    from park_spool.installing import environment, orders  # slow: `park status` must not wait for them

    if offline and (wheels or Path(python) != Path(sys.executable)):
        raise click.UsageError("--offline takes what is installed here: it goes with neither --wheels nor --python")
    wanted = orders.checked_extras(extras)
    if download is not None:
        _fill(download, python, wanted, offline)
        return
    place = folder or beside(spool)
    with tempfile.TemporaryDirectory(prefix="park-wheels-") as packed:
        if offline:
            wheels = Path(packed)
            _fill(wheels, python, wanted, offline)
        made = environment.make(place, python, wheels, wanted, again)
    _tell(made, prune)


def beside(spool: str | None) -> Path:
    """Return the usual place of the environment, beside a spool. Raises SpoolError if that is none."""
    return config.load(config.find_spool(spool)).spool.parent / "env"


def _fill(folder: Path, python: str, extras: tuple[str, ...], offline: bool) -> None:
    from park_spool.installing import environment, wheelhouse

    python = environment.ask(python).started
    count = wheelhouse.pack(folder, extras) if offline else wheelhouse.download(folder, python, extras)
    click.echo(f"{count} wheels are in {folder}", err=True)


def _tell(made: Environment, prune: bool) -> None:
    """Say what there is, for whom, and what became of earlier ones."""
    from park_spool.installing import environment

    click.echo(made.place)
    name, news = made.python.parent.parent.name, "was made" if made.is_new else "was there already"
    click.echo(f"{name} {news}; each host needs {made.said.python} ({made.said.name})", err=True)
    if environment.is_private(made.said.python):
        words = "which stands in a folder of one user or one machine: hosts that do not share it need --python"
        click.echo(f"warning: it runs from {made.said.python}, {words}", err=True)
    removed = environment.prune(made) if prune else ()
    for path in removed:
        click.echo(f"{path.name} was removed", err=True)
    if left := len(made.earlier) - len(removed):
        click.echo(f"{left} earlier beside it, for nodes that run from there (--prune leaves one)", err=True)
