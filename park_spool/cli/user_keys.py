"""`park user token`, `link`, `audit` and their like: ways in without a password, and what was done by all of them."""

from __future__ import annotations

from dataclasses import asdict

import click

from park_spool.accounts.roles import Role, read_role
from park_spool.cli.options import guarded, json_option, spool_option
from park_spool.cli.serving import address
from park_spool.cli.users import DAY, VIA, name_argument, opened, role_option, settings_of, show, show_json, user_names
from park_spool.control_requests import user_name
from park_spool.progress import utc


@click.command()
@name_argument
@spool_option
@click.option("--label", metavar="L", required=True, help="What the token is for.")
@role_option
@click.option("--days", type=click.FloatRange(0, min_open=True), help="Let it end after so many days; else never.")
@guarded
def token(name: str, spool: str | None, label: str, role: str | None, days: float | None) -> None:
    """Make a token, with which a program asks the page as a user. It is printed once and kept nowhere.

    \b
    Examples:
      park user token anna --label scripts --days 90
      park user token anna --label display --role viewer
    """
    with opened(spool) as accounts:
        seconds = None if days is None else days * DAY
        made, kept = accounts.make_token(name, label, None if role is None else read_role(role), seconds)
        accounts.record(user_name(), VIA, "made token", detail=f"{kept.id} of {name}: {kept.label}, {kept.role}")
    click.echo(made)
    click.echo("note: send it as `Authorization: Bearer …`; it is not shown again", err=True)


@click.command()
@spool_option
@json_option
@guarded
def tokens(spool: str | None, as_json: bool) -> None:
    """List the tokens, but not their secrets, which are kept nowhere.

    \b
    Examples:
      park user tokens
      park user tokens --json
    """
    with opened(spool) as accounts:
        found = accounts.tokens()
    if as_json:
        show_json([{**asdict(one), "role": str(one.role)} for one in found])
    elif not found:
        click.echo("there is no token")
    else:
        head = ("token", "user", "label", "role", "made", "ends", "last used")
        times = (map(when, (one.made, one.expires, one.used)) for one in found)
        show([head], ((str(o.id), o.user, o.label, str(o.role), *t) for o, t in zip(found, times, strict=True)))


@click.command()
@click.argument("number", metavar="TOKEN", type=int)
@spool_option
@guarded
def revoke(number: int, spool: str | None) -> None:
    """Drop a token, by its number in `park user tokens`; it is refused from then on.

    \b
    Examples:
      park user revoke 3
    """
    with opened(spool) as accounts:
        dropped = accounts.drop_token(number)
        accounts.record(user_name(), VIA, "dropped token", detail=f"{number} of {dropped.user}: {dropped.label}")
    click.echo(f"token {number} of {dropped.user} ({dropped.label}) is dropped")


@click.command()
@click.argument("name", metavar="[NAME]", required=False, shell_complete=user_names)
@spool_option
@click.option("--page", metavar="URL", help="The page's address, if it is not the one of park.toml.")
@click.option(
    "--minutes", type=click.IntRange(10, 1440), default=60, show_default=True, help="Let it end after so many minutes."
)
@guarded
def link(name: str | None, spool: str | None, page: str | None, minutes: int) -> None:
    """Print an address that logs a user in once, without a password.

    NAME is you unless told otherwise. While there is no user, you become the first administrator by it.

    \b
    Examples:
      park user link
      park user link anna --minutes 1440 --page https://park.example.org/
    """
    from park_spool.accounts.first import link_address

    settings, chosen = settings_of(spool), name or user_name()
    with opened(spool) as accounts:
        role = Role.ADMINISTRATOR if name is None and not accounts.users() else None
        made = accounts.make_link(chosen, role, minutes * 60.0)
        accounts.record(user_name(), VIA, "made link", detail=chosen)
    click.echo(link_address(page or address(settings.host, settings.port), made))


@click.command()
@spool_option
@json_option
@click.option("--of", "of", metavar="NAME", help="What this user did.", shell_complete=user_names)
@click.option("--limit", "-n", type=click.IntRange(1), default=50, show_default=True, help="Show so many entries.")
@guarded
def audit(spool: str | None, as_json: bool, of: str | None, limit: int) -> None:
    """Show who did what through the page and with `park user`, the newest first. It is kept for ever.

    \b
    Examples:
      park user audit
      park user audit --of anna --limit 500 --json
    """
    with opened(spool) as accounts:
        found = accounts.audit(of, limit=limit)
    if as_json:
        show_json([asdict(one) for one in found])
    elif not found:
        click.echo("nothing is recorded yet")
    else:
        head = ("at", "user", "via", "from", "what", "session", "detail")
        show([head], ((utc(o.at), o.user, o.via, o.address, o.what, o.sid, o.detail) for o in found))


def when(at: float | None) -> str:
    return "–" if at is None else utc(at)


VERBS = (token, tokens, revoke, link, audit)
