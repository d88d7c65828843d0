"""`park retry`: jobs that failed for good, once more."""

from __future__ import annotations

import click

from park_spool import config, control_requests
from park_spool.cli.options import guarded, sid_argument, spool_option
from park_spool.desk import Desk
from park_spool.looking.standing import Look


@click.command()
@sid_argument
@click.argument("jobs", metavar="[JOB]...", nargs=-1)
@spool_option
@click.option("--failed", "is_all", is_flag=True, help="All that failed for good; so it is if no job is named.")
@guarded
def retry(prefix: str, jobs: tuple[str, ...], spool: str | None, is_all: bool) -> None:
    """Run jobs that failed for good once more, with all their attempts; a session that is closed is opened again.

    A job is 1.1.17 (group, job list, job), several are 1.1.3-7, a whole job list is 1.1; of those the jobs that failed.

    \b
    Examples:
      park retry 20261123-025532-k3j9
      park retry 20261123-02 1.1.17 2.1
    """
    if jobs and is_all:
        raise click.UsageError("name jobs, or say --failed: not both")
    settings = config.load(config.find_spool(spool))
    desk = Desk.open(settings, control_requests.user_name())
    click.echo(desk.retry(Look(settings).one(prefix).sid, jobs).sentence)
