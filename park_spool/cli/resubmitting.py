"""`park resubmit`: a session sent once more, as it was, with other inputs, or from the best that it found."""

from __future__ import annotations

import click

from park_spool import config, resubmission
from park_spool.cli import submitting
from park_spool.cli.options import guarded, sid_argument, spool_option
from park_spool.errors import SessionError
from park_spool.looking.standing import Look


@click.command()
@sid_argument
@spool_option
@click.option("--from-best", is_flag=True, help="Start from the best fit of each group, or of each data set.")
@click.option("--from", "job", metavar="JOB", help="Start from the fit of this job (1.1.17).")
@click.option("--set", "settings", metavar="NAME=VALUE", multiple=True, help="Set an attribute of every input.")
@submitting.waiting_options
@guarded
def resubmit(
    prefix: str,
    spool: str | None,
    from_best: bool,
    job: str | None,
    settings: tuple[str, ...],
    is_awaited: bool,
    is_watched: bool,
) -> None:
    """Send a session once more, with its data, and print the new session's id. The old one stays as it is.

    Without an option all jobs are run anew. --from-best makes one job of each group, or of each data set of a batch:
    the input of its best fit, started from what that found; --from does so with any fit that `park history` lists.

    \b
    Examples:
      park resubmit 20261123-025532-k3j9
      park resubmit 20261123-025532-k3j9 --from-best --set background=1e-6
      park resubmit 20261123-025532-k3j9 --from 1.1.17 --watch
    """
    if from_best and job is not None:
        raise click.UsageError("expected one of --from-best and --from, got both")
    site = config.load(config.find_spool(spool))
    look = Look(site)
    sid = look.one(prefix).sid
    parcel = resubmission.parcel(look, sid, changes=_pairs(settings), job=job, is_from_best=from_best)
    submitting.check_all([parcel], site)
    if look.note:
        click.echo(f"note: {look.note}", err=True)
    submitting.send_all([parcel], site, is_awaited, is_watched)


def _pairs(settings: tuple[str, ...]) -> dict[str, str]:
    """Read NAME=VALUE. Raises SessionError for what is none."""
    found = {}
    for text in settings:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise SessionError(f"--set {text!r}: expected NAME=VALUE; nothing was sent")
        found[name] = value
    return found
