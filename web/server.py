"""park-web: serves the status page by waitress, on loopback unless told otherwise."""

from __future__ import annotations

import logging
import socket
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import click
from waitress import create_server, wasyncore  # type: ignore[import-untyped]

from park_spool import config, daemon
from park_spool.cli.options import guarded, spool_option, verbose_option
from park_spool.errors import ConfigError, TemporaryError

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


def listen(host: str, port: int) -> socket.socket:
    """Take the port. Raises TemporaryError if another program has it, ConfigError if the address is not ours."""
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    except OSError as error:
        raise ConfigError(f"the page cannot listen on {host}: {error.strerror}") from error
    try:
        listening.bind(place)
        listening.listen()
    except OSError as error:
        listening.close()
        raise _taken(error, host, port) from error
    return listening


def _taken(error: OSError, host: str, port: int) -> TemporaryError:
    return TemporaryError(
        f"port {port} of {host} cannot be taken: {error.strerror}; give another one with --port, or 0 for any free one"
    )


def is_loopback(listening: socket.socket) -> bool:
    return ip_address(listening.getsockname()[0].partition("%")[0]).is_loopback


def address(listening: socket.socket) -> str:
    """Return the URL of the page."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


if __name__ == "__main__":
    main()
