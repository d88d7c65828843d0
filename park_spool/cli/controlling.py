"""`park cancel`, `pause`, `resume`, `priority` and `delete`: what users want of sessions that they sent."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

import click

from park_spool import config, control_requests, member
from park_spool.cli import waiting
from park_spool.cli.options import FAILED, FINE, exit_code, fail, guarded, session_ids, sids_argument, spool_option
from park_spool.cli.waiting import counted_jobs
from park_spool.config import Config
from park_spool.control_requests import Answer
from park_spool.errors import ParkError
from park_spool.looking.standing import Look, Standing
from park_spool.member import Member

Words = Callable[[Answer, Standing], str]


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
    desk = Desk.open(spool)
    code = desk.ask_all(sids, "cancel", cancelled_words)
    if is_awaited and code == FINE:
        for sid in desk.asked:
            waiting.wait_until_closed(sid, desk.settings)
            click.echo(waiting.sentence(Look(desk.settings).one(sid)))
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
    sys.exit(Desk.open(spool).ask_all(sids, "pause", paused_words))


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
    sys.exit(Desk.open(spool).ask_all(sids, "resume", resumed_words))


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
    desk = Desk.open(spool)
    before = desk.priority(sid)
    desk.ask(sid, "priority", lambda answer, one: priority_words(one, before, priority), priority)


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
    desk = Desk.open(spool)
    names = [desk.one(sid) for sid in sids]
    if not yes and not all(click.confirm(question(one), err=True) for one in names):
        fail("nothing was deleted", FAILED)
    sys.exit(desk.ask_all([one.sid for one in names], "delete", deleted_words))


@dataclass(slots=True)
class Desk:
    """Where requests are made: as a member of a spool, in a user's name; `asked` are the sessions so far."""

    settings: Config
    member: Member
    user: str
    asked: list[str]

    @classmethod
    def open(cls, spool: str | None) -> Desk:
        settings = config.load(config.find_spool(spool))
        return cls(settings, member.join(settings), control_requests.user_name(), [])

    def one(self, prefix: str) -> Standing:
        return Look(self.settings).one(prefix)

    def priority(self, prefix: str) -> int | None:
        look = Look(self.settings)
        session = look.admitted(look.one(prefix).sid)
        return None if session is None else session.session.priority

    def ask_all(self, prefixes: tuple[str, ...] | list[str], verb: str, words: Words) -> int:
        """Ask the same of several sessions, whatever becomes of each; return the exit code of the worst."""
        code = FINE
        for prefix in prefixes:
            try:
                self.ask(prefix, verb, words)
            except ParkError as error:
                click.echo(str(error), err=True)
                code = max(code, exit_code(error))
        return code

    def ask(self, prefix: str, verb: str, words: Words, argument: int | None = None) -> None:
        sid = self.one(prefix).sid
        answer = control_requests.ask(self.member, sid, verb, self.user, argument)
        if answer.place == "inbox":
            click.echo(f"{sid} lay in the inbox: it is taken out again, and lies in rejected/; nothing of it was run")
            return
        self.asked.append(sid)
        click.echo(f"{sid} {words(answer, self.one(sid))}")


def cancelled_words(answer: Answer, one: Standing) -> str:
    """Say what became of a wish to cancel, and what was kept.

    >>> one = Standing("20261123-025532-k3j9", "w", "film.xml", "cancelled", 48, 12, 12, 0, 966.19, "1.1.2")
    >>> cancelled_words(Answer(one.sid, "open"), one)
    'is cancelled; what is done stays: 12 of 48 jobs ok, best chisq 966.19 (job 1.1.2)'
    """
    if answer.before.is_deleted or one.state == "deleted":
        return "was deleted before: there is nothing left to cancel"
    if one.state != "cancelled":
        return f"is {one.state}: there is nothing left to cancel; {counted_jobs(one)}"
    was = "was cancelled before" if answer.before.is_cancelled else "is cancelled"
    return f"{was}; what is done stays: {counted_jobs(one)}"


def paused_words(answer: Answer, one: Standing) -> str:
    was = "was paused before" if answer.before.is_paused else "is paused"
    return f"{was}: nothing more of it is started, what runs goes on; {counted_jobs(one)}"


def resumed_words(answer: Answer, one: Standing) -> str:
    return "goes on" if answer.before.is_paused else "was not paused; it goes on"


def priority_words(one: Standing, before: int | None, now: int) -> str:
    """Say which priority a session has now.

    >>> one = Standing("20261123-025532-k3j9", "w", "film.xml", "running", 48, 12)
    >>> priority_words(one, 0, -5), priority_words(one, 5, 5)
    ('has priority -5 now, before 0', 'has priority 5, as before')
    """
    if before == now:
        return f"has priority {now}, as before"
    return f"has priority {now} now" + (f", before {before}" if before is not None else "")


def deleted_words(answer: Answer, one: Standing) -> str:
    if answer.before.is_deleted:
        return "was deleted before"
    return "is deleted: its results go as soon as nothing of it runs any more"


def question(one: Standing) -> str:
    """Ask before results are lost.

    >>> question(Standing("20261123-025532-k3j9", "w", "film.xml", "done", 48, 48, 48, 0, 966.19, "1.1.2"))
    'Really delete 20261123-025532-k3j9 (film.xml of w, done: 48 of 48 jobs ok, best chisq 966.19 (job 1.1.2))?'
    """
    owner = f" of {one.user}" if one.user else ""
    return f"Really delete {one.sid} ({one.file or 'a session'}{owner}, {one.state}: {counted_jobs(one)})?"
