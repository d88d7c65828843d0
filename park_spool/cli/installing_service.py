"""`park install-service`: units for systemd, so that daemons start with the machine and are started again.

It writes files and says what to do next; it starts nothing.
"""

from __future__ import annotations

import os
import pwd
import re
import sys
from dataclasses import replace
from pathlib import Path

import click

from park_spool import config
from park_spool.cli.options import guarded, spool_option
from park_spool.config import Config
from park_spool.errors import ConfigError
from park_spool.system import roles, units
from park_spool.system.roles import Service
from park_spool.system.units import Plan

SYSTEM = Path("/etc/systemd/system")
USER = Path("~/.config/systemd/user")


@click.command("install-service")
@click.argument("services", metavar="[SERVICE]...", nargs=-1)
@spool_option
@click.option("--user", "for_user", is_flag=True, help="Units of your own services; so unless you are root.")
@click.option("--system", "for_system", is_flag=True, help="Units of the system's services; so if you are root.")
@click.option("--run-as", metavar="USER", help="Who runs the system's services; else the owner of the spool.")
@click.option("--instance", metavar="NAME", help="Name them park-noded-NAME: for a second spool on this machine.")
@click.option("--template", is_flag=True, help="Templates: the instance's name is the spool.")
@click.option("--into", type=click.Path(path_type=Path), help="Write into this folder instead.")
@click.option("--print", "is_printed", is_flag=True, help="Print them instead.")
@click.option("--replace", "is_replacing", is_flag=True, help="Replace units that differ.")
@guarded
def install_service(
    services: tuple[str, ...],
    spool: str | None,
    for_user: bool,
    for_system: bool,
    run_as: str | None,
    instance: str | None,
    template: bool,
    into: Path | None,
    is_printed: bool,
    is_replacing: bool,
) -> None:
    """Make systemd units for daemons: park-serve and park-noded, or those that are named, with their options.

    \b
    Examples:
      park install-service --spool /shared/spool --print
      park install-service --spool /shared/spool park-serve 'park-noded --cpus 2'
      park install-service --template --print park-noded
    """
    if for_user and for_system:
        raise click.UsageError("--user and --system exclude each other")
    if template and instance:
        raise click.UsageError("--template and --instance exclude each other: a template's instance is the spool")
    is_system = for_system or (os.geteuid() == 0 and not for_user)
    if run_as and not is_system:
        raise click.UsageError("--run-as is for the system's services: a user's own are run as that user")
    settings = None if template else config.load(config.find_spool(spool))
    plan = make_plan(is_system, settings, run_as, instance or "")
    wanted = [roles.read(text) for text in services or roles.USUAL]
    texts = {units.name_of(plan, service): units.unit(plan, service) for service in wanted}
    _check_names(wanted)
    if is_printed:
        click.echo("\n".join(f"# {name}\n{text}" for name, text in texts.items()), nl=False)
        return
    folder = into or (SYSTEM if is_system else USER.expanduser())
    write(folder, texts, is_replacing)
    if into is None:
        _advise(plan, list(texts))


def make_plan(is_system: bool, settings: Config | None, run_as: str | None, instance: str) -> Plan:
    """Say for whom units are made. Raises ConfigError if there is no such user, or the name is none for a unit."""
    if not re.fullmatch(r"[A-Za-z0-9_.]*", instance):
        raise ConfigError(f"--instance: expected letters, digits, '_' and '.', got {instance!r}")
    python = Path(sys.executable)
    if not is_system:
        return Plan(python, False, settings, "", instance)
    if settings is None:
        if not run_as:
            raise ConfigError("--template for the system: say with --run-as who runs it; else it would be root")
        return Plan(python, True, None, run_as)
    user = run_as or _owner(settings.spool)
    return Plan(python, True, _at_home(settings, user), user, instance)


def _owner(spool: Path) -> str:
    try:
        return spool.owner()
    except KeyError:
        raise ConfigError(f"{spool} belongs to nobody whom this machine knows; say with --run-as who runs it") from None


def _at_home(settings: Config, user: str) -> Config:
    """Return the settings as they are for another user: what is below one's own home is below the other's then."""
    try:
        home = Path(pwd.getpwnam(user).pw_dir)
    except KeyError:
        raise ConfigError(f"--run-as: there is no user {user!r} on this machine") from None
    own = Path("~").expanduser()
    archive, accounts = (_moved(path, own, home) for path in (settings.archive, settings.page_accounts))
    return replace(settings, archive=archive, page_accounts=accounts)


def _moved(path: Path, old: Path, new: Path) -> Path:
    inside = path.is_relative_to(old) and not path.is_relative_to(new)
    return new / path.relative_to(old) if inside else path


def _check_names(wanted: list[Service]) -> None:
    names = [service.role.name for service in wanted]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(f"{twice} is named twice; nothing was written. A second one needs an --instance of its own")


def write(folder: Path, texts: dict[str, str], is_replacing: bool) -> None:
    """Write units into a folder, all of them or none. Raises ConfigError if one is there that differs."""
    there = {name: folder.joinpath(name) for name in texts if folder.joinpath(name).exists()}
    differing = [path for name, path in there.items() if path.read_text(encoding="utf-8") != texts[name]]
    if differing and not is_replacing:
        raise ConfigError(
            f"{differing[0]} is there and differs; nothing was written. Look at the new one with --print, "
            "then say --replace; what you changed in it by hand belongs beside it (`systemctl edit`)"
        )
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        is_same = name in there and there[name] not in differing
        if not is_same:
            folder.joinpath(name).write_text(text, encoding="utf-8")
        click.echo(f"{folder / name}{' (as it was)' if is_same else ''}")


def _advise(plan: Plan, names: list[str]) -> None:
    """Say what makes the units run."""
    systemctl = "systemctl" if plan.is_system else "systemctl --user"
    started = " ".join(_instance(name) for name in names)
    click.echo(f"next: {systemctl} daemon-reload && {systemctl} enable --now {started}", err=True)
    if not plan.is_system:
        click.echo("so that they also run while you are not logged in: loginctl enable-linger", err=True)


def _instance(name: str) -> str:
    return f'"{name.partition("@")[0]}@$(systemd-escape --path /shared/spool)"' if "@" in name else name
