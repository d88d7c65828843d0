"""`park serve`: park-spoold, park-reduced and park-web as children in the foreground, kept and stopped together.

Where there are sources of data, park-datad is one of them.
"""

from __future__ import annotations

import signal
import socket
import sys

import click

from park_spool import config, daemon, filesystem
from park_spool.cli.options import guarded, spool_option, verbose_option
from park_spool.config import Config
from park_spool.control_requests import user_name
from park_spool.processes import set_parent_death_signal
from park_spool.supervise import Program, grace_for, supervise
from park_spool.system.surroundings import service_manager

MODULES = {
    "park-spoold": "park_spool.spoold",
    "park-reduced": "park_spool.reduced",
    "park-web": "park_spool.web.server",
    "park-noded": "park_spool.noded",
    "park-datad": "park_spool.datacenter.server",
    "park serve": "park_spool.cli.serving",
}


@click.command()
@spool_option
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Serve the page there (0: any free port); else as park.toml says."
)
@click.option("--no-web", is_flag=True, help="Serve no page.")
@click.option("--with-parent", type=int, metavar="PID", help="End when that process, which started this one, ends.")
@verbose_option
@guarded
def serve(spool: str | None, port: int | None, no_web: bool, with_parent: int | None, verbose: bool) -> None:
    """Run what a spool needs once: spoold, the reducer and the page. Nodes are started apart, with park-noded.

    Where park.toml sets up sources of data, the data centre (park-datad) is run, too.

    One that ends is started again; Ctrl-C or SIGTERM stops all of them, and the exit code is 0.

    \b
    Examples:
      park serve
      park serve --spool /shared/spool --port 5400
    """
    if with_parent is not None:
        set_parent_death_signal(signal.SIGTERM, with_parent)
    manager, settings = service_manager(), config.load(config.find_spool(spool))
    filesystem.require_carrier(settings.spool)
    daemon.start_logging("serve", settings.layout.logs, verbose)
    page = page_port(settings, port, no_web)
    found = programs(settings, page, verbose)
    if with_parent is None:  # else that one says it
        for sentence in what_is_served(settings, page):
            click.echo(sentence, err=True)
    supervise(found, grace_for(settings.drain_seconds), manager)


def page_port(settings: Config, port: int | None, no_web: bool = False) -> int | None:
    """Return the port that the page is to be served on; None for no page."""
    return None if no_web else choose_port(settings.host, settings.port if port is None else port)


def programs(settings: Config, page: int | None, is_verbose: bool = False) -> list[Program]:
    """List what a spool needs once; `page` is the page's port, None for no page."""
    more = ["--verbose"] * is_verbose
    found = [program("park-spoold", settings, *more), program("park-reduced", settings, *more)]
    if page is not None:
        found.append(program("park-web", settings, "--port", str(page), "--no-link", *more))
    if settings.sources:
        found.append(program("park-datad", settings, *more))
    return found


def what_is_served(settings: Config, page: int | None) -> list[str]:
    """Say what runs, and where the page is: sentences for a terminal."""
    names = ", ".join(one.name for one in programs(settings, page))
    where = [] if page is None else [page_words(settings, address(settings.host, page))]
    return [f"serving {settings.spool} with {names}; Ctrl-C stops them", *where]


def program(name: str, settings: Config, *arguments: str) -> Program:
    """Say how a daemon is started for a spool."""
    # -P: a file of the user's in the working folder must not stand in for one of Python's.
    command = (sys.executable, "-P", "-m", MODULES[name], "--spool", str(settings.spool), *arguments)
    return Program(name, command)


def page_address(settings: Config, page: str) -> str:
    """Return the page's address, with a link that logs in once while there is no user."""
    from park_spool.accounts.accounts import Accounts  # what hashes passwords is slow to import
    from park_spool.accounts.first import first_address

    with Accounts.open(settings.page_accounts) as accounts:
        return first_address(accounts, page, settings.host, user_name())


def page_words(settings: Config, page: str) -> str:
    """Say where the page is, and of a link that it is one."""
    found = page_address(settings, page)
    return f"the page: {found}" + ("" if found == page else " (logs you in once, within a day)")


def choose_port(host: str, port: int) -> int:
    """Return the port itself, or for 0 one that is free now."""
    if port:
        return port
    with socket.create_server((host, 0)) as server:
        return int(server.getsockname()[1])


def address(host: str, port: int) -> str:
    """Return the page's address.

    >>> address("127.0.0.1", 5400), address("::1", 5400)
    ('http://127.0.0.1:5400/', 'http://[::1]:5400/')
    """
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


if __name__ == "__main__":
    serve()
