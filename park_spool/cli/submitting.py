"""`park submit` and `park validate`: sessions on their way in."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from park_spool import config, member
from park_spool import submit as sending
from park_spool.catalog.registry import Registry
from park_spool.cli import waiting, watching
from park_spool.cli.options import FINE, REJECTED, guarded, spool_option
from park_spool.config import Config
from park_spool.errors import ParkError, SessionError, SpoolError
from park_spool.places import NOWHERE, Places
from park_spool.sessions.session import Session
from park_spool.submit import Parcel

paths = click.argument("paths", metavar="FILE|FOLDER|ZIP...", nargs=-1, required=True, type=click.Path(path_type=Path))


def waiting_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options by which it stays until what it sent is closed."""
    awaited = click.option("--wait", "is_awaited", is_flag=True, help="Wait until all are closed; say how each ended.")
    watched = click.option("--watch", "is_watched", is_flag=True, help="Watch them live, one after the other.")
    return awaited(watched(command))


@click.command()
@paths
@spool_option
@waiting_options
@click.option("--no-check", is_flag=True, help="Send without looking whether it would be admitted.")
@guarded
def submit(paths: tuple[Path, ...], spool: str | None, is_awaited: bool, is_watched: bool, no_check: bool) -> None:
    """Send sessions into the inbox and print their session ids, one a line.

    Each is checked first as park-spoold will check it; if one is broken, nothing is sent and the exit code is 3. Files
    that a session names by relative hrefs are sent along. With --wait and --watch the exit code is 0 if all jobs are
    ok, 1 if some failed, 3 if a session was rejected.

    \b
    Examples:
      park submit film.xml
      park submit --wait film.xml map.zip
      park submit --watch film.xml
    """
    settings = config.load(config.find_spool(spool))
    parcels = [_read(path) for path in paths]
    if not no_check:
        check_all(parcels, settings)
    send_all(parcels, settings, is_awaited, is_watched)


def send_all(parcels: list[Parcel], settings: Config, is_awaited: bool, is_watched: bool) -> None:
    """Send submissions, print their session ids, and stay until they are closed, if that is wanted."""
    awaited = [_send(settings, parcel) for parcel in parcels]
    if is_watched:
        sys.exit(watching.watch_all(awaited, settings, is_aside=True))
    if is_awaited:
        sys.exit(waiting.wait_for_all(awaited, settings, _to_stderr))


def _to_stderr(sentence: str) -> None:
    click.echo(sentence, err=True)


def _read(path: Path) -> Parcel:
    try:
        return sending.read(path)
    except SessionError as error:
        raise SessionError(f"{path}: {error}; nothing was sent") from error


def check_all(parcels: list[Parcel], settings: Config) -> None:
    """Say of submissions what would be odd in them. Raises SessionError if one would be rejected."""
    registry = Registry.load(settings.service_folders)
    for parcel in parcels:
        try:
            session = sending.check(parcel, registry, settings.places, settings.max_submission_bytes)
        except ParkError as error:
            raise SessionError(f"{parcel.path}: {error}; nothing was sent") from error
        _warn(parcel.path, session)


def _send(settings: Config, parcel: Parcel) -> str:
    sid = sending.send(member.join(settings), parcel)
    click.echo(sid)
    return sid


def _warn(path: Path, session: Session) -> None:
    for warning in session.warnings:
        click.echo(f"{path}: warning: {warning}", err=True)


@click.command()
@paths
@spool_option
@guarded
def validate(paths: tuple[Path, ...], spool: str | None) -> None:
    """Say whether sessions would be admitted, with line and column of what is wrong; nothing is sent.

    They are held against the services of the spool, or against those that come along where there is no spool. Warnings
    go to standard error; the exit code is 3 if a session would be rejected.

    \b
    Examples:
      park validate film.xml
      park validate --spool /shared/spool film.xml map.zip
    """
    folders, places, max_bytes = _site(spool)
    registry = Registry.load(folders)
    for problem in registry.problems:
        click.echo(f"warning: {problem}", err=True)
    codes = [_validate(path, registry, places, max_bytes) for path in paths]
    sys.exit(max(codes))


def _site(spool: str | None) -> tuple[tuple[Path, ...], Places, int]:
    """Return the site's service folders, places of data and size limit; without a spool those of a new one."""
    where = config.find_spool(spool)
    try:
        settings = config.load(where)
    except SpoolError:
        if spool is not None or where.exists():
            raise
        settings = Config(spool=where, archive=where)
        return (config.shipped_services(),), NOWHERE, settings.max_submission_bytes
    return settings.service_folders, settings.places, settings.max_submission_bytes


def _validate(path: Path, registry: Registry, places: Places, max_bytes: int) -> int:
    try:
        session = sending.check(sending.read(path), registry, places, max_bytes)
    except ParkError as error:
        click.echo(f"{path}: {error}", err=True)
        return REJECTED
    _warn(path, session)
    click.echo(
        f"{path}: fine: {counted(sum(session.sizes().values()), 'job')} in {counted(len(session.groups), 'group')}"
    )
    return FINE


def counted(number: int, word: str) -> str:
    """Write a number of things.

    >>> counted(1, "job"), counted(48000, "job")
    ('1 job', '48,000 jobs')
    """
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"
