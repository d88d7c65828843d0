"""`park hosts`: the machines of the hosts file, and whether each is fit to work; docs/hosts.md has the format."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import click

from park_spool import config, member
from park_spool.cli.options import FAILED, FINE, InOrder, guarded, json_option, spool_option
from park_spool.cli.status import table
from park_spool.hosts import reading
from park_spool.hosts.reading import SSH_PORT, Host

COLUMNS = ("alias", "address", "name", "CPUs", "login", "spool", "python", "tags")

hosts_option = click.option("--hosts", "file", metavar="FILE", help="The hosts file; else `hosts` beside the spool.")


@click.group(cls=InOrder, invoke_without_command=True)
@spool_option
@hosts_option
@json_option
@click.pass_context
@guarded
def hosts(context: click.Context, spool: str | None, file: str | None, as_json: bool) -> None:
    """List the machines of the hosts file, or check whether they are fit to work.

    The file is the one given, else `hosts` beside the spool, else `hosts` in the working folder.

    \b
    Examples:
      park hosts
      park hosts --hosts site/hosts --json
      park hosts check
      park hosts check n1 n2
    """
    context.obj = {"spool": spool, "file": file}
    if context.invoked_subcommand is not None:
        return
    found = reading.read(reading.find(file, config.find_spool(spool)))
    if as_json:
        click.echo(json.dumps([asdict(host) for host in found], ensure_ascii=False, indent=1))
    elif not found:
        click.echo(
            "the hosts file has no line but comments: each machine is one, `ip_address full_name alias`", err=True
        )
    else:
        for line in table([COLUMNS, *map(cells, found)]):
            click.echo(line)


@hosts.command()
@click.argument("wanted", metavar="[HOST]...", nargs=-1)
@spool_option
@hosts_option
@json_option
@click.option("--seconds", type=click.FloatRange(0.1, 3600), default=10.0, show_default=True, help="Until one answers.")
@click.pass_obj
@guarded
def check(
    told: dict[str, str | None],
    wanted: tuple[str, ...],
    spool: str | None,
    file: str | None,
    as_json: bool,
    seconds: float,
) -> None:
    """Try each host: is it reached, lets it in, has it a Python, sees it the same spool, and how.

    HOST is an alias, a full name or an address of the file; without one all are tried. All are tried at once. The exit
    code is 1 if one of them is not fit to work; what to do about that is said below the table.

    \b
    Examples:
      park hosts check
      park hosts check n1 n2 --seconds 5
      park hosts check --json
    """
    from park_spool.hosts import checking, findings

    root = config.find_spool(spool or told["spool"])
    chosen = reading.choose(reading.read(reading.find(file or told["file"], root)), wanted)
    settings = config.load(root)
    if sys.stderr.isatty() and not as_json:
        click.echo(f"asking {len(chosen)} {'host' if len(chosen) == 1 else 'hosts'} …", err=True)
    found = checking.check_all(chosen, settings, member.join(settings).disk, seconds)
    if as_json:
        click.echo(json.dumps([one.to_json() for one in found], ensure_ascii=False, indent=1))
    elif found:
        for line in (*table([findings.COLUMNS, *(one.cells() for one in found)]), *findings.sentences(found)):
            click.echo(line)
    sys.exit(FINE if all(one.is_fit for one in found) else FAILED)


def cells(host: Host) -> tuple[str, ...]:
    """Write a host as the cells of a row, `–` for what its line leaves open."""
    return (
        host.alias,
        host.address,
        host.name,
        "all" if host.cpus is None else str(host.cpus),
        login(host),
        host.spool or "–",
        host.python or "–",
        ", ".join(host.tags) or "–",
    )


def login(host: Host) -> str:
    """Say how a host is reached.

    >>> login(Host("10.0.0.4", "n4.example.org", "n4", user="anna", ssh_port=2222, via="gate"))
    'anna, port 2222, via gate'
    """
    if host.is_here:
        return "here"
    port = "" if host.ssh_port == SSH_PORT else f"port {host.ssh_port}"
    return ", ".join(word for word in (host.user, port, host.via and f"via {host.via}") if word) or "ssh"
