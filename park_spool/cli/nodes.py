"""`park nodes` and `park drain`: the machines at work, what each of them says, and how one is sent home."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict

import click

from park_spool import config, member, notices
from park_spool.atomic import Disk
from park_spool.cli.options import guarded, json_option, spool_option
from park_spool.cli.status import table
from park_spool.limits import size_words
from park_spool.looking import alive, heard, reports
from park_spool.looking.reports import Report
from park_spool.mastering import away
from park_spool.member import Member
from park_spool.progress import duration

COLUMNS = ("node", "state", "busy", "load", "memory free", "runs", "for", "tags", "version")
LOOKS_PER_SECOND = 5


@click.command()
@click.argument("node", metavar="[NODE]", required=False)
@spool_option
@json_option
@guarded
def nodes(node: str | None, spool: str | None, as_json: bool) -> None:
    """List the nodes that are alive, with what each of them runs; or show all that one says of itself.

    NODE is a node's name, a unique beginning of it, its host, or an alias (park-noded --name).

    \b
    Examples:
      park nodes
      park nodes n4
      park nodes --json
    """
    settings = config.load(config.find_spool(spool))
    found = heard.nodes(Disk(settings.layout.tmp, "nodes"), settings)
    chosen = found if node is None else [reports.find(node, found)]
    if as_json:
        shown = [asdict(one) for one in chosen]
        click.echo(json.dumps(shown if node is None else shown[0], ensure_ascii=False, indent=1))
        return
    now = time.time()
    for line in describe(chosen[0], now) if node is not None else listing(found, now, settings.claim_expiry):
        click.echo(line)
    if not found:
        click.echo(f"note: {alive.ADVICE['nodes']}", err=True)


def listing(found: Iterable[Report], now: float, claim_expiry: float) -> Iterator[str]:
    """Write the table of nodes, and below it why one does not work, and what each warns of."""
    several = sorted(found, key=lambda one: one.node)
    if several:
        yield from table([COLUMNS, *(cells(one) for one in several)])
    for one in several:
        if one.why:
            yield f"{one.node}: {one.state}: {one.why}"
        yield from (f"{one.node}: warning: {warning}" for warning in one.warnings)
        if one.at is not None and now - one.at > claim_expiry:
            yield f"{one.node}: not heard of for {duration(now - one.at)}, by the clocks of its host and this one"


def cells(one: Report) -> tuple[str, ...]:
    """Write a node as the cells of a row."""
    memory = "–" if one.memory_available is None else f"{size_words(one.memory_available)} of {_size(one.memory_total)}"
    oldest = max((job.seconds or 0.0 for job in one.running), default=None)
    return (
        one.node,
        one.state,
        f"{one.busy} of {one.cpus}",
        " ".join(f"{value:.2f}" for value in one.load[:1]) or "–",
        memory,
        runs(one),
        "–" if oldest is None else duration(oldest),
        ", ".join(one.tags) or "–",
        one.version or "–",
    )


def runs(one: Report) -> str:
    """Say what a node runs: the first job, and how many more."""
    if not one.running:
        return "–"
    first, more = one.running[0], len(one.running) - 1
    return f"{first.job} of {first.sid}" + (f" and {more} more" if more else "")


def _size(size: float | None) -> str:
    return "–" if size is None else size_words(size)


def describe(one: Report, now: float) -> Iterator[str]:
    """Say all that a node says of itself, a line for each."""
    load = ", ".join(f"{value:.2f}" for value in one.load)
    limit = "no limit of its own" if one.memory_limit is None else f"at most {_size(one.memory_limit)} for each job"
    rows = [
        ("node", one.node),
        ("host", f"{one.host}{f' ({one.system})' if one.system else ''}"),
        ("state", one.state + (f": {one.why}" if one.why else "")),
        ("CPUs", f"{one.busy} of {one.cpus} busy"),
        ("load", f"{load} (1, 5 and 15 minutes)" if load else "–"),
        ("memory", f"{_size(one.memory_available)} of {_size(one.memory_total)} free; {limit}"),
        ("tags", ", ".join(one.tags) or "–"),
        ("versions", ", ".join(versions(one)) or "–"),
        ("last heard", "–" if one.at is None else f"{duration(max(0.0, now - one.at))} ago"),
    ]
    yield from table([*rows, *(("warning", warning) for warning in one.warnings)])
    yield "runs" if one.running else "runs nothing"
    if one.running:
        yield from table(running_rows(one), "  ")


def versions(one: Report) -> list[str]:
    own = [(name, version) for name, version in (("park-spool", one.version), ("Python", one.python)) if version]
    return [f"{name} {version}" for name, version in (*own, *sorted(one.versions.items()))]


def running_rows(one: Report) -> list[tuple[str, ...]]:
    """Write what a node runs as rows: job, session, since when, best so far."""
    return [
        (
            job.job,
            job.sid,
            "–" if job.seconds is None else duration(job.seconds),
            "" if job.chisq is None else f"best so far chisq {job.chisq:.6g}",
        )
        for job in one.running
    ]


@click.command()
@click.argument("node", metavar="NODE")
@spool_option
@click.option("--wait", "is_awaited", is_flag=True, help="Wait until the node is gone.")
@guarded
def drain(node: str, spool: str | None, is_awaited: bool) -> None:
    """Let a node finish what it runs, without a limit of time, and leave; it claims nothing more.

    NODE is a node's name, a unique beginning of it, its host, or an alias (park-noded --name).

    \b
    Examples:
      park drain n4
      park drain --wait n4_4711_x0p2qa
    """
    settings = config.load(config.find_spool(spool))
    me = member.join(settings)
    one = reports.find(node, heard.nodes(me.disk, settings))
    click.echo(say_drain(me, one))
    if is_awaited:
        wait_until_gone(me, one.node)
        click.echo(f"{one.node} is gone")


def say_drain(me: Member, one: Report) -> str:
    """Put up the notice that a node is to leave, and say so."""
    is_kept = one.started_by == "up" and bool(one.alias)
    if is_kept:
        away.send(me, one.alias)  # before it is told, lest its master starts it in between
    is_new = notices.say(me, one.node, "drain")
    work = f"finishes what it runs ({one.busy} of {one.cpus} CPUs are busy)" if one.busy else "runs nothing"
    was = "is told to leave" if is_new else "was told to leave before"
    back = f"say `park up {one.alias}`" if is_kept else f"start park-noded on {one.host} again"
    return f"{one.node} {was}: it {work} and goes; to have it back, {back}"


def wait_until_gone(me: Member, node: str) -> None:
    """Return when a node has no heartbeat any more, or its process is known to be gone."""
    config = me.config
    while any(str(one.get("node")) == node for one in alive.look(me.disk, me.layout).nodes):
        time.sleep(1 / LOOKS_PER_SECOND if not config.is_shared else config.look_seconds)
