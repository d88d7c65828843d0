"""`park compare`: the best fits of sessions side by side, parameter by parameter."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from park_spool import config
from park_spool.cli.options import guarded, json_option, session_ids, spool_option
from park_spool.cli.status import table
from park_spool.differences import sigmas
from park_spool.looking import outcome
from park_spool.looking.standing import Look
from park_spool.progress import parameter_rows

NOTHING = "–"

Fit = Mapping[str, Any] | None


@click.command()
@click.argument("prefixes", metavar="SID SID...", nargs=-1, required=True, shell_complete=session_ids)
@spool_option
@json_option
@guarded
def compare(prefixes: tuple[str, ...], spool: str | None, as_json: bool) -> None:
    """Compare the best fits of sessions: chisq, parameters with errors, group by group.

    Of two sessions the last column says by how many standard errors a parameter differs.

    \b
    Examples:
      park compare 20261123-025532-k3j9 20261124-101010-aaaa
    """
    if len(prefixes) < 2:
        raise click.UsageError("expected at least two sessions, got one")
    look = Look(config.load(config.find_spool(spool)))
    found = [outcome.find(look, look.one(prefix).sid) for prefix in prefixes]
    summaries, fits = [one.summary() for one in found], [{fit["group"]: fit for fit in one.best()} for one in found]
    batches = [outcome.batches(one) for one in found]
    if as_json:
        shown = [{**summary, "best": list(best.values())} for summary, best in zip(summaries, fits, strict=True)]
        click.echo(json.dumps(shown, ensure_ascii=False, indent=1))
    else:
        for line in describe(summaries, fits, batches):
            click.echo(line)
    if look.note:
        click.echo(f"note: {look.note}", err=True)


def describe(
    summaries: Sequence[Mapping[str, Any]],
    fits: Sequence[Mapping[int, Mapping[str, Any]]],
    batches: Sequence[Mapping[int, Sequence[Mapping[str, Any]]]],
) -> Iterator[str]:
    """Say the sessions in columns, a table for each group."""
    head = [
        ["", *(one["sid"] for one in summaries)],
        ["file", *(one["file"] for one in summaries)],
        ["state", *(one["state"] for one in summaries)],
        ["jobs ok", *(f"{one['ok']:,} of {one['jobs']:,}" for one in summaries)],
    ]
    groups = sorted({group["number"] for one in summaries for group in one["groups"]})
    for number in groups:
        names = [_name(one, number) for one in summaries]
        rows = [[f"group {number}", *names], *batch_rows([one.get(number, ()) for one in batches])]
        rows += rows_of([one.get(number) for one in fits])
        yield from table(_padded([*head, *rows]))
        head = []
        yield ""


def _name(summary: Mapping[str, Any], number: int) -> str:
    return next((group["name"] for group in summary["groups"] if group["number"] == number), NOTHING)


def _padded(rows: list[list[str]]) -> list[list[str]]:
    width = max(map(len, rows))
    return [[*row, *[""] * (width - len(row))] for row in rows]


def batch_rows(batches: Sequence[Sequence[Mapping[str, Any]]]) -> Iterator[list[str]]:
    """Yield what batches came to as a whole; nothing where there is none.

    >>> list(batch_rows([[{"chisq": 2.0}, {"chisq": None}], [{"chisq": 1.5}, {"chisq": 1.0}]]))
    [['data sets', '1 of 2', '2 of 2'], ['sum of chisq', '2', '2.5']]
    """
    if any(batches):
        found = [[row["chisq"] for row in batch if row["chisq"] is not None] for batch in batches]
        pairs = list(zip(found, batches, strict=True))
        yield ["data sets", *(f"{len(known)} of {len(rows)}" if rows else NOTHING for known, rows in pairs)]
        yield ["sum of chisq", *(f"{math.fsum(known):.6g}" if rows else NOTHING for known, rows in pairs)]


def rows_of(fits: Sequence[Fit]) -> Iterator[list[str]]:
    """Yield the rows of one group: how good its best fits are, and their parameters."""
    yield ["best job", *(fit["job"] if fit else NOTHING for fit in fits)]
    yield ["chisq", *(_number(fit, "chisq", ".6g") for fit in fits)]
    yield ["chisq/dof", *(_number(fit, "reduced_chisq", ".4g") for fit in fits)]
    yield ["points", *(_number(fit, "npoints", "d") for fit in fits)]
    shown = [{row.name: row for row in parameter_rows(fit["parameters"])} if fit else {} for fit in fits]
    for name in dict.fromkeys(name for rows in shown for name in rows):
        unit = next((rows[name].unit for rows in shown if name in rows and rows[name].unit), "")
        values = [rows[name].value if name in rows else NOTHING for rows in shown]
        yield [f"{name} ({unit})" if unit else name, *values, difference([_entry(fit, name) for fit in fits])]


def _number(fit: Fit, name: str, form: str) -> str:
    value = fit.get(name) if fit else None
    return NOTHING if value is None else f"{value:{form}}"


def _entry(fit: Fit, name: str) -> Mapping[str, Any]:
    return next((entry for entry in fit["parameters"] if entry.get("name") == name), {}) if fit else {}


def difference(entries: Sequence[Mapping[str, Any]]) -> str:
    """Say by how many standard errors a parameter of two fits differs; nothing where an error is not known.

    >>> difference([{"value": 258.9, "error": 0.3}, {"value": 259.9, "error": 0.4}]), difference([{"value": 1.0}, {}])
    ('+2.0 σ', '')
    """
    if len(entries) != 2:
        return ""
    first, second = entries
    found = sigmas(first.get("value"), first.get("error"), second.get("value"), second.get("error"))
    return "" if found is None else f"{found:+z.1f} σ"
