"""park-datad: serves data of remote places, each file of which it brings once; on loopback unless told otherwise."""

from __future__ import annotations

import logging
import os
import tempfile
import threading
from collections.abc import Mapping
from functools import partial

import click

from park_spool import config, daemon
from park_spool.atomic import Disk
from park_spool.cli.options import guarded, spool_option, verbose_option
from park_spool.config import Config
from park_spool.listening import address, listen
from park_spool.sources.opening import open_source
from park_spool.sources.packages import PACKAGE, PackageSource
from park_spool.sources.settings import SourceSettings
from park_spool.store.store import Store
from park_spool.system.notify import Manager
from park_spool.system.probe import Probe
from park_spool.system.surroundings import service_manager

from .app import NO_TOKEN, create_app
from .auth import is_allowed, make_secret, read_secret
from .centre import Centre, Place
from .downloads import Downloads
from .keeping import SECONDS, Keeper, open_sessions
from .metrics import Counts
from .problems import Rejection
from .room import Bounds, Room
from .waiting import Loop, allow_many_files

log = logging.getLogger(__name__)

THREADS = 64
FREE_THREADS = 4  # for those who need nothing but a file that is here, while all others wait for downloads
DOWNLOADS = 8  # at a time
PATIENCE = 20.0  # seconds for which a request waits for its file


@click.command()
@spool_option
@click.option("--host", help="The address to listen on; 127.0.0.1 unless the spool's settings say otherwise.")
@click.option("--port", type=int, help="The port, 5401 unless told otherwise; 0 takes a free one and prints it.")
@verbose_option
@guarded
def main(spool: str | None, host: str | None, port: int | None, verbose: bool) -> None:
    """Serve the data of remote places to all nodes: each file is brought once, and kept by its digest.

    \b
    Examples:
      park-datad --spool /shared/spool
      park-datad --port 0
    """
    manager, settings = service_manager(), config.load(config.find_spool(spool), data_host=host, data_port=port)
    daemon.start_logging("datad", settings.layout.logs, verbose)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # many requests at once are no news
    serve(settings, manager)


def serve(settings: Config, manager: Manager) -> None:
    """Serve until SIGTERM or Ctrl-C; print the address, one line on standard error, once it answers."""
    secret = token(settings)
    centre = open_centre(settings)
    listening = listen(settings.data_host, settings.data_port, "the data centre")
    allow_many_files()
    tempfile.tempdir = str(centre.store.places.tmp)  # bodies wait there, on the store's disk: /tmp may be memory
    loop = Loop(create_app(centre, secret), listening, partial(gate, centre, secret), THREADS)
    stopped = threading.Event()
    stop = daemon.Stop(loop.wake)
    stop.install()
    keeper = Keeper(centre, partial(open_sessions, settings.layout.sessions))
    keeping = (keeper.step, lambda: ignore(stopped.wait(SECONDS)), lambda wait: ignore(stopped.wait(wait)), stop)
    threading.Thread(target=daemon.run, args=keeping, name="keeping", daemon=True).start()
    click.echo(f"park-datad: data is at {address(listening)}", err=True)
    loop.run(stop, Probe(manager, loop.give, loop.wake, f"serves data at {address(listening)}").look)
    manager.stopping()
    stopped.set()
    centre.close()
    loop.close()
    log.info("stopped by signal %d", stop.number)


def ignore(answer: bool) -> None:
    """Do nothing: that a wait was cut short is seen by the loop itself."""


def token(settings: Config) -> str:
    """Return the secret of the spool; one is made if there is none."""
    if make_secret(Disk(settings.layout.tmp, f"datad-{os.getpid()}"), settings.secret):
        log.info("made the secret %s", settings.secret)
    return read_secret(settings.secret)


def open_centre(settings: Config, environment: Mapping[str, str] = os.environ) -> Centre:
    """Open the store and the sources of a spool. Raises ConfigError, SpoolError."""
    store, counts = Store(settings.store).make(), Counts()
    places = {one.name: Place(one, open_source(one, environment)) for one in settings.sources}
    places[PACKAGE] = Place(SourceSettings(PACKAGE, ""), PackageSource())
    room = Room(store, Bounds(settings.data_quota, settings.data_free), counts)
    downloads = Downloads(store, room, counts)
    return Centre(store, places, downloads, settings.data_fresh, PATIENCE, seats=THREADS - FREE_THREADS, most=DOWNLOADS)


def gate(centre: Centre, secret: str, headers: Mapping[str, str], length: int | None) -> Rejection | None:
    """Refuse a body before it comes: of one without the token, and one for which the disk is too small."""
    if not is_allowed(headers.get("AUTHORIZATION"), secret):
        return Rejection(NO_TOKEN, 401)
    if not centre.downloads.room.fits(length or 0):
        return Rejection(f"the store {centre.store.root} has no room for {length} bytes; nothing was read", 507)
    return None


if __name__ == "__main__":
    main()
