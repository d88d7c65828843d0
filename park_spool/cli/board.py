"""What `park up` and `park down` show: a table that lives on a terminal, a line for each event everywhere else."""

from __future__ import annotations

import logging
import os
import stat
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

import click

from park_spool.cli.status import table
from park_spool.hosts.reading import Host
from park_spool.mastering import away, living
from park_spool.mastering.living import Live
from park_spool.mastering.table import COLUMNS, rows
from park_spool.member import Member
from park_spool.nodes import Nodes

if TYPE_CHECKING:
    from park_spool.mastering.master import Master

log = logging.getLogger(__name__)

LOOKS_PER_SECOND = 3
MOST_LETTERS = 60  # of a reason in the table: the event has told all of it


class Board:
    """Shows a master's hosts while it runs.

    On a terminal that is a table below the log; where there is none, standard output gets each event, and the table
    once all hosts were tried. Then it lets go of an output that is a pipe: `park up --detach` reads it until then. A
    file gets each event that follows, too; the system's journal has them from the log.
    """

    def __init__(self) -> None:
        self._master: Master | None = None
        self._live: Any = None
        self._is_told = self._has_let_go = False

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.live import Live

            console = Console(stderr=True)
            self._live = Live(get_renderable=self._table, console=console, refresh_per_second=LOOKS_PER_SECOND)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def begin(self, master: Master) -> None:
        self._master = master

    def tell(self, sentence: str) -> None:
        """Tell an event: to the log, which a terminal shows, else to standard output, too."""
        log.info("%s", sentence)
        if self._live is None and not self._has_let_go:
            with suppress(OSError):  # whoever listened is gone
                click.echo(sentence)
                sys.stdout.flush()

    def say(self, sentences: Sequence[str]) -> None:
        """Say what is for people alone, above the table if there is one."""
        for sentence in sentences:
            if self._live is None:
                click.echo(sentence, err=True)
            else:
                self._live.console.print(sentence, markup=False, highlight=False)

    def step(self) -> None:
        """Note that the master has made a step."""
        master = self._master
        if master is None or self._is_told or not (master.is_settled or not master.is_active):
            return
        if self._live is None and master.is_active:
            with suppress(OSError):
                for line in table([COLUMNS, *self._rows()]):
                    click.echo(line)
        self._is_told = master.is_active
        if self._is_told and self._live is None and not (sys.stdout.isatty() or stat.S_ISREG(os.fstat(1).st_mode)):
            _let_go()
            self._has_let_go = True

    def _rows(self) -> list[tuple[str, ...]]:
        master = self._master
        if master is None:
            return []
        words = {alias: master.words(alias, MOST_LETTERS) for alias in master.standings}
        gone = {alias for alias, one in master.standings.items() if one.phase == "away"}
        return rows(master.hosts.values(), master.live, words, gone) + [crew.row() for crew in master.crews]

    def _table(self) -> Any:
        from rich.table import Table

        found = Table(*COLUMNS, box=None, pad_edge=False)
        for row in self._rows():
            found.add_row(*row)
        return found


def _let_go() -> None:
    """Let go of standard output, so that who reads it from this one in the background reads its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def show(
    me: Member, hosts: Sequence[Host], wait_for: Sequence[str] = (), seconds: float = 0.0, is_shown: bool = True
) -> bool:
    """Print the table of hosts as the spool has them, if that is wanted; return whether a node of each lives.

    Waits so many seconds at most until those of `wait_for` are there.
    """
    found, until = Nodes(me), time.monotonic() + seconds
    while True:
        found.look()
        live = living.nodes(found)
        if {one.alias for one in live} >= set(wait_for) or time.monotonic() > until:
            break
        time.sleep(1 / LOOKS_PER_SECOND)
    gone = away.listed(me)
    if not is_shown:
        return _are_all_up(hosts, live, gone)
    words: Mapping[str, str] = dict.fromkeys(gone, "`park up` or `park restart` has it back")
    for line in table([COLUMNS, *rows(hosts, live, words, gone)]):
        click.echo(line)
    return _are_all_up(hosts, live, gone)


def _are_all_up(hosts: Sequence[Host], live: Sequence[Live], gone: Collection[str]) -> bool:
    return all(any(one.alias == host.alias for one in live) or host.alias in gone for host in hosts)
