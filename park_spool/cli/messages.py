"""`park messages`: what the reducers of a session said, and what they say from now on."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict

import click

from park_spool import config
from park_spool.archive.reading import ArchiveReader
from park_spool.archive.rows import MessageRow
from park_spool.cli import archived
from park_spool.cli.options import guarded, json_option, sid_argument, spool_option
from park_spool.config import Config
from park_spool.errors import TemporaryError
from park_spool.looking.standing import Look
from park_spool.progress import utc

PAGE = 1000
CLOSED_LOOKS = 2  # a message may be committed a moment after the session was seen closed


@click.command()
@sid_argument
@spool_option
@json_option
@click.option("--follow", "-f", "is_followed", is_flag=True, help="Go on until the session is closed.")
@guarded
def messages(prefix: str, spool: str | None, as_json: bool, is_followed: bool) -> None:
    """Print what the reducers of a session said, the first thing first; with --json an object a line.

    \b
    Examples:
      park messages 20261123-025532-k3j9
      park messages 20261123-025532-k3j9 --follow
    """
    settings = config.load(config.find_spool(spool))
    sid = Look(settings).one(prefix).sid
    print_message = _print_json if as_json else _print
    said = Said(archived.reader(settings), sid)
    for row in said.fresh():
        print_message(row)
    for _ in _looks(settings, sid) if is_followed else ():
        for row in said.fresh():
            print_message(row)


def _print(row: MessageRow) -> None:
    lines = [line for line in row.text.splitlines() if not line.startswith("<?xml ")]
    head, *more = lines or [""]
    click.echo(f"{utc(row.at)} group {row.group}: {head}")
    for line in more:
        click.echo(f"  {line}")


def _print_json(row: MessageRow) -> None:
    click.echo(json.dumps(asdict(row), ensure_ascii=False))


def _looks(settings: Config, sid: str, pause: Callable[[float], None] = time.sleep) -> Iterator[None]:
    """Yield now and then until a session is closed, and a last time after."""
    closed = 0
    while closed < CLOSED_LOOKS:
        pause(settings.tally_seconds)
        closed += Look(settings).one(sid).is_closed
        yield


class Said:
    """What was said and not yet printed: of each group the messages after the last one."""

    def __init__(self, reader: ArchiveReader, sid: str) -> None:
        self._reader = reader
        self._sid = sid
        self._last: dict[int, int] = {}

    def fresh(self) -> Iterator[MessageRow]:
        """Yield new messages in order of time; a reducer that began anew says all of it once more."""
        found: list[MessageRow] = []
        with suppress(TemporaryError):  # the archive is busy being made; the next look finds them
            for group in self._reader.groups(self._sid):
                found += self._of_group(group.group)
        yield from sorted(found, key=lambda row: (row.at, row.group, row.number))

    def _of_group(self, group: int) -> Iterator[MessageRow]:
        while page := self._reader.messages_after(self._sid, group, self._last.get(group, 0), PAGE):
            self._last[group] = page[-1].number
            yield from page
