"""`park archive compact` and `park archive rebuild`: the file rewritten, from itself or from the spool."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import click

from park_spool import config, member
from park_spool.archive import compacting, holding
from park_spool.cli.options import FAILED, fail, guarded, spool_option
from park_spool.limits import size_words
from park_spool.reducing import rebuilding
from park_spool.reducing.rebuilding import Tell


@click.command()
@spool_option
@guarded
def compact(spool: str | None) -> None:
    """Rewrite the archive without the gaps that deleted rows left, and say its size before and after.

    park-reduced may run: its batches wait meanwhile. There must be room for a second file beside it.

    \b
    Examples:
      park archive compact
    """
    path = config.load(config.find_spool(spool)).archive
    sizes = compacting.compact(path)
    click.echo(f"{path}: {size_words(sizes.before)} before, {size_words(sizes.after)} now")
    if sizes.is_log_left:
        click.echo("note: somebody reads the archive, so its log is emptied a little later", err=True)


@click.command()
@spool_option
@click.option("--to", "target", type=click.Path(path_type=Path), help="Make it there, and leave the archive alone.")
@guarded
def rebuild(spool: str | None, target: Path | None) -> None:
    """Make the archive again from the sessions and bundles on the spool, check it, and put it in the old one's place.

    The old one is kept beside it, as FILE.old-1. park-reduced must not run, unless --to makes a copy. What only the
    reducer saw (nodes, what runs) is not in it; everything else is, row for row.

    \b
    Examples:
      park archive rebuild
      park archive rebuild --to again.sqlite
    """
    settings = config.load(config.find_spool(spool))
    if target is not None and target.exists():
        fail(f"{target} is there already; nothing was made", FAILED)
    path = (target or settings.archive).absolute()
    path = path.resolve() if path.is_symlink() else path
    with nullcontext() if target else holding.held(settings.archive), shown() as tell:
        old = rebuilding.rebuild(member.join(settings), path, tell)
    click.echo(f"{path} was made again from the spool" + (f"; the old one is {old}" if old else ""))


@contextmanager
def shown() -> Iterator[Tell]:
    """Give a function that shows how far it is, where standard error is a terminal."""
    if not sys.stderr.isatty():
        yield lambda done, of: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("sessions", total=None)
        yield lambda done, of: progress.update(task, completed=done, total=of)
