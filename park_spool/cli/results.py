"""`park results`: what came out of a session, on the terminal, as a table, as JSON, or as all files of its answer."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from park_spool import config
from park_spool.cli.options import guarded, json_option, sid_argument, spool_option
from park_spool.cli.status import table
from park_spool.cli.submitting import counted
from park_spool.delivering import folder
from park_spool.errors import PermanentError
from park_spool.looking import outcome
from park_spool.looking.outcome import PARAMETERS, RESULTS, Delivered, Gathered, Outcome
from park_spool.looking.standing import Look
from park_spool.progress import measured, parameter_rows

MOST_ROWS = 40  # data sets shown on a terminal


@click.command()
@sid_argument
@spool_option
@click.option("--best", "is_best", is_flag=True, help="The best fits with their parameters alone.")
@click.option("--csv", "as_csv", is_flag=True, help="Print all jobs as CSV; with --best the fitted parameters.")
@json_option
@click.option("-o", "--output", metavar="DIR", type=click.Path(path_type=Path), help="Write all files to a new folder.")
@guarded
def results(prefix: str, spool: str | None, is_best: bool, as_csv: bool, as_json: bool, output: Path | None) -> None:
    """Show what came out of a session: the best fit of each group, of a batch that of each data set.

    Of a session that still runs, what there is so far. With -o all files are written that a closed session has in the
    outbox: tables, curves, pictures and the report.

    \b
    Examples:
      park results 20261123-025532-k3j9
      park results 20261123-025532-k3j9 --csv > fits.csv
      park results 20261123-025532-k3j9 --best --json
      park results 20261123-025532-k3j9 -o film
    """
    if as_csv and as_json:
        raise click.UsageError("expected one of --csv and --json, got both")
    look = Look(config.load(config.find_spool(spool)))
    sid = look.one(prefix).sid
    found = outcome.find(look, sid)
    if output is not None:
        write_all(found, output)
        click.echo(str(output))
    elif as_csv:
        for line in found.table(PARAMETERS if is_best else RESULTS):
            click.echo(line, nl=False)
    elif as_json:
        click.echo(json.dumps(shown_as_json(found, is_best), ensure_ascii=False, indent=1))
    else:
        for line in describe(found, is_best):
            click.echo(line)
    if look.note:
        click.echo(f"note: {look.note}", err=True)


def write_all(found: Gathered | Delivered, target: Path) -> None:
    """Write all files of an answer into a new folder, whole or not at all. Raises PermanentError if it is there."""
    if target.exists() or target.is_symlink():
        raise PermanentError(f"{target} is there already; nothing was written")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as place:
        fresh = Path(place) / "answer"
        if isinstance(found, Delivered):
            shutil.copytree(found.folder, fresh)
        else:
            fresh.mkdir()
            folder.fill(fresh, found.answer, found.gathering.jobs(), found.gathering.inputs())
        fresh.rename(target)


def shown_as_json(found: Outcome, is_best: bool) -> Any:
    """Say it for a script."""
    if is_best:
        return found.best()
    return {**found.summary(), "best": found.best(), "batches": outcome.batches(found)}


def describe(found: Outcome, is_best: bool) -> Iterator[str]:
    """Say what came out, group by group."""
    summary, best = found.summary(), {one["group"]: one for one in found.best()}
    if not is_best:
        yield (
            f"{summary['sid']}: {summary['file']} of {summary['user']} is {summary['state']}; "
            f"{summary['ok']:,} of {summary['jobs']:,} jobs ok, {summary['failed']:,} failed"
        )
    for group in summary["groups"]:
        fit = best.get(group["number"])
        yield ""
        yield f"group {group['number']} {group['name']!r}, {group['task']}"
        if group["stopped"]:
            yield f"  its reducer {group['reducer']} was stopped: {group['stopped']}"
        yield from describe_fit(fit) if fit else ["  no job gave a chisq"]
        yield from _describe_maps(group["maps"])
        if group["data_sets"] and not is_best:
            yield from _describe_batch(outcome.batches(found)[group["number"]], summary["sid"])


def describe_fit(fit: Mapping[str, Any]) -> Iterator[str]:
    """Say a fit in a line, and its parameters one a line below."""
    yield f"  best: {fit_words(fit)}"
    rows = [(row.name, row.value, row.unit) for row in parameter_rows(fit["parameters"])]
    yield from table(rows, "    ") if rows else ()


def fit_words(fit: Mapping[str, Any]) -> str:
    """Say how good a fit is; chisq/dof is always labelled so.

    >>> fit_words({"job": "1.1.2", "label": "film.ort", "chisq": 966.193, "reduced_chisq": 2.42154, "dof": 399})
    'job 1.1.2 (film.ort), chisq 966.193, chisq/dof 2.422 (dof 399)'
    """
    words = f"job {fit['job']}{' (' + fit['label'] + ')' if fit.get('label') else ''}, chisq {fit['chisq']:.6g}"
    if fit.get("reduced_chisq") is not None:
        words += f", chisq/dof {fit['reduced_chisq']:.4g} (dof {fit['dof']})"
    return words + (f", seed {fit['seed']}" if fit.get("seed") is not None else "")


def _describe_maps(maps: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for number, found in maps.items():
        for place in found["minima"][:3]:
            point = ", ".join(f"{name} {value}" for name, value in place["point"].items())
            yield f"  minimum of the map of job list {number}: chisq {place['chisq']:.6g} at {point}"


def _describe_batch(rows: Sequence[Mapping[str, Any]], sid: str) -> Iterator[str]:
    """Say the best fit of each data set, a row each."""
    names = [name for name in (rows[0] if rows else ()) if f"{name} error" in rows[0]]
    header = ("no.", "data set", "job", "chisq/dof", *names)
    yield f"  {counted(len(rows), 'data set')}"
    yield from table([header, *(_cells(row, names) for row in rows[:MOST_ROWS])], "    ")
    if len(rows) > MOST_ROWS:
        yield f"    and {len(rows) - MOST_ROWS:,} more: `park results {sid} --best --csv` prints all"


def _cells(row: Mapping[str, Any], names: Iterable[str]) -> tuple[str, ...]:
    value, reduced = row["chisq"], row["reduced_chisq"]
    good = "no fit" if value is None else f"chisq {value:.6g}" if reduced is None else f"{reduced:.4g}"
    values = ("–" if row[name] is None else measured(row[name], row[f"{name} error"]) for name in names)
    return (f"{row['number']:.0f}", row["dataset"], row["job"] or "–", good, *values)
