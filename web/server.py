"""park-web: serves the status page by waitress, on loopback unless told otherwise."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import click
from waitress import create_server, wasyncore  # type: ignore[import-untyped]

from park_spool import config, daemon
from park_spool.cli.options import guarded, spool_option, verbose_option
from park_spool.listening import address, is_loopback, listen

from .app import LOOPBACK_HOSTS, create_app

log = logging.getLogger(__name__)


@click.command()
@spool_option
@click.option("--archive", type=click.Path(path_type=Path), help="The SQLite file, if it is not the spool's own.")
@click.option("--host", help="The address to listen on; 127.0.0.1 unless the spool's settings say otherwise.")
@click.option("--port", type=int, help="The port, 5400 unless told otherwise; 0 takes a free one and prints it.")
@verbose_option
@guarded
def main(spool: str | None, archive: Path | None, host: str | None, port: int | None, verbose: bool) -> None:
    """Serve the status page: sessions, chi-square and best fits, to be looked at only.

    \b
    Examples:
      park-web --spool /shared/spool
      park-web --port 0
    """
    found = config.find_spool(spool)
    settings = config.load(found, archive=archive and str(archive.absolute()), host=host, port=port)
    daemon.start_logging("web", settings.layout.logs, verbose)
    serve(settings.archive, settings.host, settings.port)


def serve(archive: Path, host: str, port: int) -> None:
    """Serve until SIGTERM or Ctrl-C; print the address, one line on standard error, once it answers."""
    listening = listen(host, port)
    sockets: dict[int, Any] = {}
    app = create_app(archive, hosts=LOOPBACK_HOSTS if is_loopback(listening) else None)
    server = create_server(app, sockets=[listening], map=sockets, threads=4, ident="park-web")
    stop = daemon.Stop(server.pull_trigger)
    stop.install()
    click.echo(f"park-web: the page is at {address(listening)}", err=True)
    while not stop:
        wasyncore.loop(timeout=1.0, use_poll=True, map=sockets, count=1)
    server.task_dispatcher.shutdown()
    wasyncore.close_all(sockets)
    log.info("stopped by signal %d", stop.number)


if __name__ == "__main__":
    main()
