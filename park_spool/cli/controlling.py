"""`park cancel`, `pause`, `resume`, `priority` and `delete`: what users want of sessions that they sent."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import click

from park_spool import config, control_requests
from park_spool.cli import waiting
from park_spool.cli.options import FAILED, FINE, exit_code, fail, guarded, session_ids, sids_argument, spool_option
from park_spool.config import Config
from park_spool.desk import Desk
from park_spool.errors import ParkError
from park_spool.looking.answers import counted_jobs
from park_spool.looking.standing import Look, Standing


@click.command()
@sids_argument
@spool_option
@click.option("--wait", "is_awaited", is_flag=True, help="Wait until nothing of them runs any more.")
@guarded
def cancel(sids: tuple[str, ...], spool: str | None, is_awaited: bool) -> None:
    """Cancel sessions: what runs is killed, what is done stays, the best fit so far included. It cannot be undone.

    A session that still lies in the inbox is taken out again, to rejected/. One that is closed is left as it is.

    \b
    Examples:
      park cancel 20261123-025532-k3j9
      park cancel --wait 20261123-02 20261123-03
    """
    counter = Counter.open(spool)
    code = counter.ask_all(sids, "cancel")
    if is_awaited and code == FINE:
        for sid in counter.asked:
            waiting.wait_until_closed(sid, counter.settings)
            click.echo(waiting.sentence(Look(counter.settings).one(sid)))
    sys.exit(code)


@click.command()
@sids_argument
@spool_option
@guarded
def pause(sids: tuple[str, ...], spool: str | None) -> None:
    """Pause sessions: nothing more of them is started, what runs goes on.

    \b
    Examples:
      park pause 20261123-025532-k3j9
    """
    sys.exit(Counter.open(spool).ask_all(sids, "pause"))


@click.command()
@sids_argument
@spool_option
@guarded
def resume(sids: tuple[str, ...], spool: str | None) -> None:
    """Let paused sessions go on.

    \b
    Examples:
      park resume 20261123-025532-k3j9
    """
    sys.exit(Counter.open(spool).ask_all(sids, "resume"))


# "-5" is a priority here, and no option.
@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("sid", metavar="SID", shell_complete=session_ids)
@click.argument("priority", metavar="N", type=click.IntRange(-100, 100))
@spool_option
@guarded
def priority(sid: str, priority: int, spool: str | None) -> None:
    """Give a session another priority, -100 to 100: the higher one goes first. What runs is not interrupted.

    \b
    Examples:
      park priority 20261123-025532-k3j9 10
      park priority 20261123-02 -5
    """
    counter = Counter.open(spool)
    counter.ask(sid, "priority", priority)


@click.command()
@sids_argument
@spool_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@guarded
def delete(sids: tuple[str, ...], spool: str | None, yes: bool) -> None:
    """Delete sessions with all their results, on the spool and in the archive; a line stays that they were there.

    What runs is killed. A session that still lies in the inbox is taken out again, to rejected/.

    \b
    Examples:
      park delete 20261123-025532-k3j9
      park delete --yes 20261123-02
    """
    counter = Counter.open(spool)
    names = [counter.one(sid) for sid in sids]
    if not yes and not all(click.confirm(question(one), err=True) for one in names):
        fail("nothing was deleted", FAILED)
    sys.exit(counter.ask_all([one.sid for one in names], "delete"))


@dataclass(slots=True)
class Counter:
    """Where the command line makes its requests; `asked` are the sessions so far that are not just withdrawn."""

    desk: Desk
    asked: list[str]

    @classmethod
    def open(cls, spool: str | None) -> Counter:
        settings = config.load(config.find_spool(spool))
        return cls(Desk.open(settings, control_requests.user_name()), [])

    @property
    def settings(self) -> Config:
        return self.desk.settings

    def one(self, prefix: str) -> Standing:
        return Look(self.settings).one(prefix)

    def ask_all(self, prefixes: tuple[str, ...] | list[str], verb: str) -> int:
        """Ask the same of several sessions, whatever becomes of each; return the exit code of the worst."""
        code = FINE
        for prefix in prefixes:
            try:
                self.ask(prefix, verb)
            except ParkError as error:
                click.echo(str(error), err=True)
                code = max(code, exit_code(error))
        return code

    def ask(self, prefix: str, verb: str, argument: int | None = None) -> None:
        said = self.desk.ask(self.one(prefix).sid, verb, argument)
        if said.place != "inbox":
            self.asked.append(said.sid)
        click.echo(said.sentence)


def question(one: Standing) -> str:
    """Ask before results are lost.

    >>> question(Standing("20261123-025532-k3j9", "w", "film.xml", "done", 48, 48, 48, 0, 966.19, "1.1.2"))
    'Really delete 20261123-025532-k3j9 (film.xml of w, done: 48 of 48 jobs ok, best chisq 966.19 (job 1.1.2))?'
    """
    owner = f" of {one.user}" if one.user else ""
    return f"Really delete {one.sid} ({one.file or 'a session'}{owner}, {one.state}: {counted_jobs(one)})?"
