"""`park rerun`: one job of a session once more, on this terminal, with all that it prints; nothing is counted.

The job's own output is on standard output, everything that is said about it on standard error.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from park_spool import admitted, config, job_names, layout, whereabouts
from park_spool.admitted import Admitted
from park_spool.archive.rows import JobDetail
from park_spool.atomic import Disk
from park_spool.attributes import numbers
from park_spool.catalog.registry import Registry
from park_spool.cli import archived
from park_spool.cli.options import FAILED, FINE, guarded, sid_argument, spool_option
from park_spool.config import Config
from park_spool.errors import NotFound, ParkError
from park_spool.limits import size_words
from park_spool.looking.beginnings import beginnings
from park_spool.progress import duration, utc
from park_spool.running import here
from park_spool.running.here import Call, Run
from park_spool.running.inputs import Inputs
from park_spool.sessions.data import Fetch
from park_spool.sessions.datasets import reads_sources


@click.command()
@sid_argument
@click.argument("job")
@spool_option
@click.option("--here", "is_here", is_flag=True, help="On this terminal: the only place there is, but say it.")
@click.option("--limits", "is_limited", is_flag=True, help="With the limits of manifest and session; else without.")
@click.option("-o", "--output", metavar="DIR", type=click.Path(path_type=Path), help="Keep what it leaves there.")
@guarded
def rerun(prefix: str, job: str, spool: str | None, is_here: bool, is_limited: bool, output: Path | None) -> None:
    """Run one job of a session again on this terminal, as a node would, and see all that it prints.

    JOB is GROUP.JOBLIST.JOB, as 1.1.17. A function is called in an interpreter of its own, with its logging shown. One
    that started from another starts there again. The archive's result is compared, and nothing is counted or changed.
    The exit code is 0 if the job is ok, else 1.

    \b
    Examples:
      park rerun 20261123-025532-k3j9 1.1.17 --here
      park rerun 20261123-025532-k3j9 1.1.17 --here --limits -o results
    """
    if not is_here:
        raise click.UsageError("say --here: the job runs on this terminal (`park retry` has it run by the nodes)")
    settings = config.load(config.find_spool(spool))
    sid, folder, session = find(settings, prefix)
    call = prepare(settings, folder, session, job_names.read_one(job), is_limited, output)
    say(f"{call.job} of {sid}: {call.command.service}/{call.command.name}, {_limits_words(call)}")
    done = here.run(call, _show)
    if call.command.mode == "function":
        click.echo(done.outcome.output)
    for line in (*ending(done), *compared(done, _archived(settings, sid, call.job))):
        say(line)
    sys.exit(FINE if done.outcome.status == "ok" else FAILED)


def say(line: str) -> None:
    click.echo(f"park rerun: {line}", err=True)


def _show(piece: bytes) -> None:
    sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()


def _limits_words(call: Call) -> str:
    return "without limits" if call.limits is None else f"at most {call.limits.timeout:g} s"


def find(settings: Config, prefix: str) -> tuple[str, Path, Admitted]:
    """Find an admitted session, open or closed, by the beginning of its id. Raises NotFound if there is none."""
    disk = Disk(settings.layout.tmp, "rerun")
    places = whereabouts.places(disk, settings.layout)
    sid = whereabouts.complete(prefix, places)
    found = admitted.find(disk, settings.layout, sid)
    if found is None:
        raise NotFound(f"session {sid} is {places[sid]}: its jobs cannot be known here")
    return sid, *found


def prepare(
    settings: Config, folder: Path, session: Admitted, name: tuple[int, int, int], is_limited: bool, output: Path | None
) -> Call:
    """Put together what the job needs. Raises NotFound if there is no such job, a ParkError if it cannot be run."""
    group_number, joblist_number, job = name
    size = session.session.sizes().get((group_number, joblist_number), 0)
    if not 1 <= job <= size:
        has = f"job list {group_number}.{joblist_number} has {size:,} jobs" if size else "there is no such job list"
        raise NotFound(f"session {session.sid} has no job {group_number}.{joblist_number}.{job}: {has}")
    group = session.session.groups[group_number - 1]
    task, registry = group.task, Registry.load(settings.service_folders)
    command = registry.command(task.service, task.command)
    files = layout.session_files(folder)
    start = dict(start_of(settings, folder, session, name))
    joblist, fetch = group.joblists[joblist_number - 1], fetcher(settings, session)
    inputs = Inputs(joblist, group.data, files, settings.data_roots, start, fetch)
    return Call(
        command,
        inputs.of(job),
        session.sid,
        f"{group_number}.{joblist_number}.{job}",
        cwd=None if task.cwd is None or command.mode == "function" else registry.service(task.cwd).folder.absolute(),
        limits=command.limits.lowered(task.limits) if is_limited else None,
        output=None if output is None else output.absolute(),
    )


def fetcher(settings: Config, session: Admitted) -> Fetch | None:
    """Return what fetches the data of sources; None for a session that reads none."""
    if not reads_sources(session.session, bool(settings.datacenter)):
        return None
    from park_spool.fetch import Fetcher  # it brings HTTP and locks along

    return Fetcher.for_session(settings, session)


def start_of(
    settings: Config, folder: Path, session: Admitted, name: tuple[int, int, int]
) -> Iterator[tuple[str, str]]:
    """Yield the values that a job starts from, and say where they come from."""
    for given in beginnings(settings, folder, session, name[:2], name[2]):
        say(f"starts from job {given.job} of {given.sid}" if given.job else "starts from nothing: no fit was before it")
        yield from given.values.items()


def ending(done: Run) -> Iterator[str]:
    """Say how the job ended, and what it left."""
    why = f": {done.outcome.why}" if done.outcome.why else ""
    yield f"{done.outcome.status} after {duration(done.seconds)}{why}"
    if done.files:
        shown = ", ".join(f"{name} ({size_words(size)})" for name, size in done.files.items())
        yield f"it left {shown} in $PARK_OUTPUT"


def _archived(settings: Config, sid: str, job: str) -> JobDetail | str:
    try:
        return archived.reader(settings).job(sid, *job_names.read_one(job))
    except ParkError as error:
        return str(error)


def compared(done: Run, known: JobDetail | str) -> Iterator[str]:
    """Say how the archive's result differs, if there is one."""
    if isinstance(known, str):
        yield f"not compared: {known}"
        return
    if known.row is None:
        yield "the archive has no final result of it yet"
        return
    row, outcome = known.row, done.outcome
    there = f"the archive's ({row.node}, {utc(row.started)}, {duration(row.seconds)})"
    if row.status != outcome.status:
        yield f"differs: {there} is {row.status}{f': {row.why}' if row.why else ''}"
    elif known.output.strip() == outcome.output.strip():
        yield f"the same output as {there}"
    else:
        yield f"the output differs from {there}: {difference(outcome.output, known.output)}"


def difference(new: str, old: str) -> str:
    """Say in what two outputs differ: their chisq, else their first line that is not the same.

    >>> difference('{"chisq": 2.5}', '{"chisq": 3}'), difference("a\\nb", "a\\nc")
    ('chisq 2.5 here, 3 there', "line 2 is 'b' here, 'c' there")
    """
    chisqs = [numbers(text).chisq for text in (new, old)]
    if chisqs[0] != chisqs[1]:
        words = ["none" if chisq is None else f"{chisq:.10g}" for chisq in chisqs]
        return f"chisq {words[0]} here, {words[1]} there"
    pairs = [*zip(new.splitlines(), old.splitlines(), strict=False)]
    for number, (ours, theirs) in enumerate(pairs, 1):
        if ours != theirs:
            return f"line {number} is {_short(ours)} here, {_short(theirs)} there"
    return f"{len(new.splitlines())} lines here, {len(old.splitlines())} there"


def _short(line: str) -> str:
    return repr(line if len(line) <= 60 else f"{line[:60]}…")
