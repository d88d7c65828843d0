"""park-web: serves the status page by waitress, on loopback unless told otherwise."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from flask import Flask
from waitress import create_server, wasyncore  # type: ignore[import-untyped]

from park_spool import config, daemon
from park_spool.accounts.accounts import Accounts
from park_spool.accounts.first import advice, first_address
from park_spool.cli.options import guarded, spool_option, verbose_option
from park_spool.config import Config
from park_spool.control_requests import user_name
from park_spool.listening import address, is_loopback, listen
from park_spool.system.notify import Manager
from park_spool.system.probe import Probe
from park_spool.system.surroundings import service_manager

from . import connections
from .app import LOOPBACK_HOSTS, create_app, lively
from .identities import Identities
from .live import Environ
from .proxy import Proxied

THREADS = 4
BESIDE = 1 << 20  # bytes of a form beside what is uploaded
STRANGER_BYTES = 1 << 16  # of a form of somebody who is not logged in

log = logging.getLogger(__name__)


@click.command()
@spool_option
@click.option("--archive", type=click.Path(path_type=Path), help="The SQLite file, if it is not the spool's own.")
@click.option("--host", help="The address to listen on; 127.0.0.1 unless the spool's settings say otherwise.")
@click.option("--port", type=int, help="The port, 5400 unless told otherwise; 0 takes a free one and prints it.")
@click.option("--no-link", is_flag=True, help="Make and print no link for the first log-in.")
@verbose_option
@guarded
def main(
    spool: str | None, archive: Path | None, host: str | None, port: int | None, no_link: bool, verbose: bool
) -> None:
    """Serve the page: sessions, chi-square and best fits while they come, for those whom `park user` lets in.

    While there is no user, and on loopback, the address that is printed logs you in once.

    \b
    Examples:
      park-web --spool /shared/spool
      park-web --port 0
    """
    found, manager = config.find_spool(spool), service_manager()
    settings = config.load(found, host=host, port=port)
    if archive is not None:
        settings = replace(settings, archive=archive.absolute())  # the users stay those of the spool's page
    daemon.start_logging("web", settings.layout.logs, verbose)
    with Accounts.open(settings.page_accounts) as accounts:
        serve(settings, accounts, has_link=not no_link, manager=manager)


def serve(settings: Config, accounts: Accounts, has_link: bool, manager: Manager) -> None:
    """Serve until SIGTERM or Ctrl-C; print the address, one line on standard error, once it answers."""
    listening = listen(settings.host, settings.port)
    sockets: dict[int, Any] = {}
    logging.getLogger(connections.QUEUE).setLevel(logging.ERROR)
    hosts = LOOPBACK_HOSTS if is_loopback(listening) or settings.page_names else None
    app = lively(create_app(settings, accounts, hosts=hosts))
    server = create_server(app, sockets=[listening], map=sockets, threads=THREADS, **options(settings))
    server.channel_class = connections.channel(STRANGER_BYTES, knows(app))
    stop = daemon.Stop(server.pull_trigger)
    stop.install()
    page = address(listening)
    probe = Probe(manager, server.task_dispatcher.add_task, server.pull_trigger, f"serves the page at {page}")
    page = first_address(accounts, page, settings.host, user_name()) if has_link else page
    click.echo(f"park-web: the page is at {page}", err=True)
    if words := advice(accounts, settings.host):
        click.echo(f"park-web: {words}", err=True)
    while not stop:
        probe.look()
        connections.turn(sockets)
    manager.stopping()
    server.task_dispatcher.shutdown()
    wasyncore.close_all(sockets)
    log.info("stopped by signal %d", stop.number)


def knows(app: Flask) -> connections.IsKnown:
    """Return what says of a request's headers and sender whether more than a little is taken in from them."""
    settings = app.extensions["settings"]
    identities = Identities(settings, app.extensions["accounts"])

    def is_known(environ: Environ) -> bool:
        found: list[str | None] = []

        def look(told: Environ, _: object) -> list[bytes]:
            found.append(identities(told))
            return []

        Proxied(look, settings)(environ, None)
        return found != [None]

    return is_known


def options(settings: Config) -> dict[str, Any]:
    """Return waitress's options: the most it takes in, and whether it drops what proxies say (web/proxy.py chooses)."""
    return {
        "ident": "park-web",
        "clear_untrusted_proxy_headers": not settings.page_proxy,
        "max_request_body_size": settings.max_submission_bytes + BESIDE,
        "connection_limit": connections.most_connections(),
    }


if __name__ == "__main__":
    main()
