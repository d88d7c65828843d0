"""`park plot`: the pictures of a session as files, those that are delivered, or that of any single fit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from park_spool import config
from park_spool.cli.options import guarded, sid_argument, spool_option
from park_spool.delivering import pictures
from park_spool.delivering.pictures import Picture
from park_spool.errors import NotFound
from park_spool.looking import outcome
from park_spool.looking.outcome import Delivered, Gathered
from park_spool.looking.standing import Look
from park_spool.plots import Kind

KINDS: tuple[Kind, ...] = ("png", "pdf", "svg")


@click.command()
@sid_argument
@click.argument("job", metavar="[JOB]", required=False)
@spool_option
@click.option("--what", type=click.Choice(pictures.WHAT), help="This picture alone.")
@click.option("--kind", type=click.Choice(KINDS), default="png", show_default=True, help="How it is written.")
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    type=click.Path(path_type=Path),
    default=Path(),
    help="Write them into this folder.",
)
@guarded
def plot(prefix: str, job: str | None, spool: str | None, what: str | None, kind: Kind, output: Path) -> None:
    """Draw a session: data with error bars, best curve and residuals, chi-square, batch, map; print the files' names.

    With JOB (1.1.17) the fit of that job. Pictures of a session that still runs show what there is so far; what is
    there under such a name is replaced.

    \b
    Examples:
      park plot 20261123-025532-k3j9
      park plot 20261123-025532-k3j9 --what fit --kind pdf -o figures
      park plot 20261123-025532-k3j9 1.1.17
    """
    look = Look(config.load(config.find_spool(spool)))
    sid = look.one(prefix).sid
    found = outcome.find(look, sid)
    output.mkdir(parents=True, exist_ok=True)
    drawn = 0
    for name, data in chosen(found, job, what, kind):
        target = output / f"{sid}-{name}"
        target.write_bytes(data)
        click.echo(str(target))
        drawn += 1
    if look.note:
        click.echo(f"note: {look.note}", err=True)
    if not drawn:
        raise NotFound(f"there is nothing to draw of {job or sid}{f' as {what}' if what else ''} yet")


def chosen(found: Gathered | Delivered, job: str | None, what: str | None, kind: Kind) -> Iterator[Picture]:
    """Yield the pictures that are wanted: names and bytes. Raises NotFound where they cannot be had from here."""
    if isinstance(found, Delivered):
        if job is not None or kind == "svg":
            raise NotFound(
                "the archive cannot be read from here: the outbox has the pictures of best fits, PNG and PDF"
            )
        there = sorted((found.folder / "plots").glob(f"*.{kind}"))
        drawn: Iterator[Picture] = ((path.name, path.read_bytes()) for path in there)
        yield from (one for one in drawn if what is None or one[0].startswith(f"{what}-"))
    elif job is not None:
        fit, title = found.gathering.fit(job)
        yield from pictures.of_fit(fit, title, job, (kind,), pictures.WHAT if what is None else (what,))
    else:
        yield from pictures.pictures(found.answer, (kind,), pictures.WHAT if what is None else (what,))
