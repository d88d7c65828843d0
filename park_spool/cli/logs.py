"""`park log`: the log of one job: each of its runs with what it wrote to standard error, and what it said."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict

import click

from park_spool import config, job_names
from park_spool.archive.fit_rows import RunRow
from park_spool.cli.explaining import runs_now
from park_spool.cli.options import guarded, json_option, sid_argument, spool_option
from park_spool.errors import NotFound, ParkError
from park_spool.job_words import ending, shortened
from park_spool.looking import bundled
from park_spool.looking.standing import Look
from park_spool.progress import duration, utc


@click.command()
@sid_argument
@click.argument("job", metavar="JOB")
@spool_option
@json_option
@click.option("--output", "is_output", is_flag=True, help="Print what the job said alone: its standard output.")
@guarded
def log(prefix: str, job: str, spool: str | None, as_json: bool, is_output: bool) -> None:
    """Print the log of a job (1.1.17): each run with node, time and end, the standard error of each, then its output.

    \b
    Examples:
      park log 20261123-025532-k3j9 1.1.17
      park log 20261123-025532-k3j9 1.1.17 --output
    """
    look = Look(config.load(config.find_spool(spool)))
    sid, key = look.one(prefix).sid, job_names.read_one(job)
    runs, output, now = told(look, sid, key)
    if is_output:
        click.echo(output, nl=not output.endswith("\n"))
    elif as_json:
        shown = {"job": job, "runs": [asdict(run) for run in runs], "output": output}
        click.echo(json.dumps(shown, ensure_ascii=False, indent=1))
    else:
        for line in describe(runs, output, now):
            click.echo(line)
    if look.note:
        click.echo(f"note: {look.note}", err=True)


def told(look: Look, sid: str, key: tuple[int, int, int]) -> tuple[Sequence[RunRow], str, list[str]]:
    """Return the runs of a job, its output, and what runs now; without an archive from the session's bundles.

    Raises NotFound if there is no such job.
    """
    try:
        reader = look.archive()
        detail = reader.job(sid, *key)
    except NotFound:
        if look.admitted(sid) is None:
            raise
    except ParkError as error:
        look.note = str(error)
    else:
        return reader.runs(sid, *key), detail.output, [runs_now(row) for row in detail.running]
    session = look.admitted(sid)
    if session is None or session.session.sizes().get(key[:2], 0) < key[2]:
        raise NotFound(f"session {sid} has no job {'.'.join(map(str, key))}")
    return *bundled.runs(look.disk, look.settings.layout, sid, key), []


def describe(runs: Sequence[RunRow], output: str, now: Sequence[str]) -> Iterator[str]:
    """Say each run, and what it wrote."""
    if not runs and not now:
        yield "it was not run yet"
    for run in runs:
        ended = ending(run.exit, run.signal)
        place = f"round {run.round}, attempt {run.attempt + 1}" if run.round else f"attempt {run.attempt + 1}"
        yield (
            f"{place} on {run.node}, {utc(run.started)}, {duration(run.seconds)}: {run.status}"
            f"{f', {ended}' if ended else ''}{'' if run.counts else ' (another run counts)'}"
        )
        yield from (f"  {line}" for line in (run.why or "").splitlines())
        yield from (f"  | {line}" for line in (run.stderr or "").splitlines())
    yield from now
    if output:
        yield "output:"
        yield from (f"  {line}" for line in shortened(output).splitlines())
