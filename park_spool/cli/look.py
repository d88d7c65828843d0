"""`park look`: a short command on a node (`top`, `df`, …), sent as a session of its own; the answer is printed.

One group for each node that is asked; the first answer of each counts, whether it is fine or not. Answers are read
where they are first: in replies/, then in the session's bundles, so that no archive is needed on this host.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import click

from park_spool import config, control_requests, member, naming, replies, sealed
from park_spool import submit as sending
from park_spool.atomic import Disk
from park_spool.catalog.registry import Registry
from park_spool.cli.options import FAILED, FINE, guarded, spool_option
from park_spool.config import Config
from park_spool.errors import NotFound, PermanentError, ServiceError, TornError
from park_spool.layout import Layout
from park_spool.looking import alive, closing, heard, reports
from park_spool.looking.reports import Report
from park_spool.places import NOWHERE
from park_spool.replies import JobResult
from park_spool.submit import Parcel

SERVICE = "node"
URGENT = "100"


@click.command()
@click.argument("words", metavar="[NODE] [COMMAND] [NAME=VALUE]...", nargs=-1)
@spool_option
@click.option("--all", "is_all", is_flag=True, help="Ask every live node; no NODE is given then.")
@click.option("--timeout", metavar="S", type=click.FloatRange(min=0.1), default=30.0, help="Wait so long (30 s).")
@guarded
def look(words: tuple[str, ...], spool: str | None, is_all: bool, timeout: float) -> None:
    """Look at a node: run a short command there (top, df, uptime, ls, python) and print what it says.

    NODE is a node's name, a unique beginning of it, its host, or an alias (park-noded --name). COMMAND is a command of
    the service `node`, or SERVICE/COMMAND of another one with mode = "command"; NAME=VALUE is an input of it. A busy
    node answers, too: it runs these beside its jobs. The exit code is 1 if a node does not answer in time, or its
    command fails.

    \b
    Examples:
      park look n4
      park look n4 df
      park look --all uptime
      park look n4 top count=30
    """
    settings = config.load(config.find_spool(spool))
    found = heard.nodes(Disk(settings.layout.tmp, "look"), settings)
    if not found:
        raise NotFound(alive.ADVICE["nodes"])
    names, rest = ((), words) if is_all else (words[:1], words[1:])
    if not is_all and not names:
        raise click.UsageError("name a NODE, or say --all")
    chosen = list(found) if is_all else [reports.find(names[0], found)]
    question = Question.read(rest, Registry.load(settings.service_folders))
    labels = [label_of(one, found) for one in chosen]
    sys.exit(ask(question, labels, settings, timeout))


@dataclass(frozen=True, slots=True)
class Question:
    """A short command of a service, and its inputs."""

    service: str
    command: str
    inputs: dict[str, str]

    @classmethod
    def read(cls, words: Sequence[str], registry: Registry) -> Question:
        """Read `[COMMAND] [NAME=VALUE]...`; ServiceError where there is no such short command."""
        first, rest = ("top", words) if not words or "=" in words[0] else (words[0], words[1:])
        service, _, command = first.rpartition("/")
        found = registry.command(service or SERVICE, command)
        if found.mode != "command":
            short = [name for name, one in registry.service(found.service).commands.items() if one.mode == "command"]
            known = f"; those of {found.service}: {', '.join(sorted(short))}" if short else ""
            raise ServiceError(f"{found.service}/{found.name} is no short command (mode = 'command'){known}")
        pairs = [word.partition("=") for word in rest]
        if wrong := [name for name, equals, _ in pairs if not equals]:
            raise click.UsageError(f"{wrong[0]!r}: expected an input as NAME=VALUE")
        return cls(found.service, found.name, {name: value for name, _, value in pairs})

    def session(self, labels: Sequence[str]) -> bytes:
        """Write the session that asks nodes of these labels, one group for each."""
        session = ElementTree.Element("session", name=f"look {self.command}", priority=URGENT)
        for label in labels:
            group = ElementTree.SubElement(session, "group", name=label)
            ElementTree.SubElement(group, "task", cmd=f"{self.service}/{self.command}", nodes=label)
            joblist = ElementTree.SubElement(group, "joblist")
            ElementTree.SubElement(joblist, "input", self.inputs)
        return ElementTree.tostring(session)


def label_of(one: Report, found: Iterable[Report]) -> str:
    """Return the tag by which a task reaches a node: of those that it carries, the one that the fewest others do."""
    tags = [tag for tag in one.tags if tag] or [one.host.partition(".")[0].lower()]
    others = [tag for other in found for tag in other.tags]
    return min(tags, key=others.count)


def ask(question: Question, labels: Sequence[str], settings: Config, timeout: float) -> int:
    """Send the session, print each answer when it is there, and return the exit code."""
    me, xml = member.join(settings), question.session(labels)
    parcel = Parcel(Path("look.xml"), "look.xml", xml)
    sending.check(parcel, Registry.load(settings.service_folders), NOWHERE, settings.max_submission_bytes)
    sid = sending.send(me, parcel)
    told: dict[int, JobResult] = {}
    for answers in _answers_so_far(sid, len(labels), settings, me.disk, timeout):
        for group in sorted(answers.keys() - told.keys()):
            _show(labels[group - 1], answers[group], is_alone=len(labels) == 1)
            told[group] = answers[group]
    missing = [label for group, label in enumerate(labels, 1) if group not in told]
    for label in missing:
        click.echo(f"{label}: no answer within {timeout:g} s; `park nodes` says what it does", err=True)
    if not missing and all(answer.status == "ok" for answer in told.values()):
        return FINE
    _call_off(me, sid)
    return FAILED


def _answers_so_far(
    sid: str, count: int, settings: Config, disk: Disk, timeout: float
) -> Iterator[dict[int, JobResult]]:
    """Yield the answers at each look, until all are there or the time is over."""
    begun: float | None = None
    for now in closing.until_closed(sid, settings, disk):
        begun = now if begun is None else begun
        found = answers(disk, settings.layout, sid)
        yield found
        if len(found) == count or now - begun > timeout:
            return
    yield answers(disk, settings.layout, sid)


def answers(disk: Disk, spool: Layout, sid: str) -> dict[int, JobResult]:
    """Return the answers that there are by their group; of several the one that is ok."""
    found: dict[int, JobResult] = {}
    for name, data in (*_replies(disk, spool, sid), *_bundled(disk, spool, sid)):
        try:
            reply = replies.decode(name, data)
        except TornError:
            continue
        for result in reply.jobs:
            if reply.unit.group not in found or result.status == "ok":
                found[reply.unit.group] = result
    return found


def _replies(disk: Disk, spool: Layout, sid: str) -> Iterator[tuple[str, bytes]]:
    for name in disk.names(spool.replies):
        parsed = naming.parse_reply(name)
        if parsed is not None and parsed[0].sid == sid:
            yield name, disk.read(spool.replies / name) or b""


def _bundled(disk: Disk, spool: Layout, sid: str) -> Iterator[tuple[str, bytes]]:
    for name in disk.names(spool.bundles(sid)):
        try:
            yield from sealed.unbind(disk.read(spool.bundles(sid) / name) or b"")
        except TornError:
            continue


def _show(label: str, answer: JobResult, is_alone: bool) -> None:
    if not is_alone:
        click.echo(f"== {label}")
    click.echo(answer.output, nl=not answer.output.endswith("\n"))
    if answer.status != "ok":
        click.echo(f"{label}: {answer.status}: {answer.why or 'no reason is known'}", err=True)
        click.echo(answer.stderr or "", nl=False, err=True)


def _call_off(me: member.Member, sid: str) -> None:
    """Cancel what nobody waits for any more."""
    try:
        control_requests.ask(me, sid, "cancel", control_requests.user_name())
    except PermanentError:
        return  # it is over
