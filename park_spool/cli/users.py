"""`park user`: who may look at the page and change things through it; docs/web.md says what each may do."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from park_spool import config
from park_spool.accounts.roles import WORDS, read_role
from park_spool.cli.options import InOrder, guarded, json_option, spool_option
from park_spool.cli.status import table
from park_spool.config import Config
from park_spool.control_requests import user_name
from park_spool.errors import AccountError, ParkError
from park_spool.progress import utc

if TYPE_CHECKING:
    from park_spool.accounts.accounts import Accounts

VIA = "park user"
DAY = 86400.0


@click.group(cls=InOrder)
def user() -> None:
    """Say who may log in to the page and what they may do there: users, tokens, one-time links, the record.

    \b
    Examples:
      park user add anna --role submitter
      park user link
      park user token anna --label scripts --days 90
    """


def settings_of(spool: str | None) -> Config:
    return config.load(config.find_spool(spool))


def opened(spool: str | None) -> Accounts:
    """Open the users of a spool's page."""
    from park_spool.accounts.accounts import Accounts  # no other verb needs what hashes passwords

    return Accounts.open(settings_of(spool).page_accounts)


def user_names(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Complete a user's name in a shell; nothing where there is no file of users."""
    try:
        if not settings_of(context.params.get("spool")).page_accounts.is_file():
            return []
        with opened(context.params.get("spool")) as accounts:
            return [one.name for one in accounts.users() if one.name.startswith(incomplete)]
    except (ParkError, OSError):
        return []


name_argument = click.argument("name", metavar="NAME", shell_complete=user_names)
role_option = click.option("--role", type=click.Choice(WORDS), help="What they may do; a viewer only looks.")
stdin_option = click.option("--password-stdin", is_flag=True, help="Read the password from standard input, one line.")


def ask_password(from_stdin: bool) -> str | None:
    """Return a password from standard input or, asked for twice, from the terminal; None where there is neither."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not is_terminal():
        return None
    return str(click.prompt("password", hide_input=True, confirmation_prompt="once more", err=True))


def is_terminal() -> bool:
    return sys.stdin.isatty()


@user.command()
@click.argument("name", metavar="NAME")
@spool_option
@role_option
@stdin_option
@guarded
def add(name: str, spool: str | None, role: str | None, password_stdin: bool) -> None:
    """Add a user. On a terminal the password is asked for twice; without one, links and tokens are the ways in.

    NAME is what the sessions of the user have as `user`: usually the name with which they log in to their machine.

    \b
    Examples:
      park user add anna --role submitter
      park user add wei --role viewer --password-stdin
    """
    with opened(spool) as accounts:
        if accounts.user(name) is not None:
            raise AccountError(f"there is a user {name} already", "name")
        added = accounts.add_user(name, read_role(role or "viewer"), ask_password(password_stdin))
        accounts.record(user_name(), VIA, "added user", detail=f"{added.name}, {added.role}")
    click.echo(f"{added.name} is {added.role}")
    if not added.has_password:
        click.echo(f"note: without a password: `park user link {added.name}` lets them in once", err=True)


@user.command()
@name_argument
@spool_option
@stdin_option
@guarded
def password(name: str, spool: str | None, password_stdin: bool) -> None:
    """Set a user's password, which ends their log-ins.

    \b
    Examples:
      park user password anna
      park user password anna --password-stdin
    """
    chosen = ask_password(password_stdin)
    if chosen is None:
        raise click.UsageError("expected a terminal, or --password-stdin")
    with opened(spool) as accounts:
        accounts.set_password(name, chosen)
        accounts.record(user_name(), VIA, "set password", detail=name)
    click.echo(f"{name} has a new password")


@user.command()
@name_argument
@click.argument("role", type=click.Choice(WORDS))
@spool_option
@guarded
def role(name: str, role: str, spool: str | None) -> None:
    """Set what a user may do, from now on.

    \b
    Examples:
      park user role anna administrator
    """
    with opened(spool) as accounts:
        accounts.set_role(name, read_role(role))
        accounts.record(user_name(), VIA, "set role", detail=f"{name}, {role}")
    click.echo(f"{name} is {role}")


@user.command()
@name_argument
@spool_option
@guarded
def remove(name: str, spool: str | None) -> None:
    """Remove a user; log-ins, tokens and links of theirs end at once. Their sessions stay.

    \b
    Examples:
      park user remove anna
    """
    with opened(spool) as accounts:
        accounts.remove_user(name)
        accounts.record(user_name(), VIA, "removed user", detail=name)
    click.echo(f"{name} is removed")


@user.command("list")
@spool_option
@json_option
@guarded
def list_(spool: str | None, as_json: bool) -> None:
    """List the users, what they may do, and how they log in.

    \b
    Examples:
      park user list
      park user list --json
    """
    with opened(spool) as accounts:
        found = accounts.users()
    if as_json:
        show_json([{**asdict(one), "role": str(one.role)} for one in found])
    elif not found:
        click.echo("there is no user yet: `park user add NAME --role administrator` makes the first one")
    else:
        show(
            [("user", "role", "password", "since")],
            ((u.name, str(u.role), yes(u.has_password), utc(u.made)) for u in found),
        )


def show(head: Sequence[Sequence[str]], rows: Iterator[Sequence[str]]) -> None:
    """Print a table; what a terminal would take for a command of its own is shown as `?`."""
    cells = ([plain(cell) or "–" for cell in row] for row in (*head, *rows))
    for line in table(list(cells)):
        click.echo(line)


def show_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=1))


def plain(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def yes(value: bool) -> str:
    return "yes" if value else "no"
