"""`park data`: what the data centre holds, and what people do with it; docs/datacenter.md says how it works."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import click

from park_spool import config
from park_spool.cli.options import FAILED, InOrder, guarded, json_option, spool_option
from park_spool.cli.status import table
from park_spool.control_requests import user_name
from park_spool.errors import DataError, NotFound, TemporaryError
from park_spool.limits import read_size, size_words
from park_spool.progress import utc
from park_spool.sources.paths import clean, has_wildcard, split
from park_spool.store.naming import Places

Entry = dict[str, Any]

if TYPE_CHECKING:
    from park_spool.data_centre import DataCentre


@click.group(cls=InOrder)
def data() -> None:
    """See what the data centre holds, have a file of a source, put one there, look after its store.

    \b
    Examples:
      park data list
      park data get beamline:/2026/run7/film.ort
      park data put film.ort
    """


def centre(spool: str | None) -> DataCentre:
    from park_spool.data_centre import DataCentre  # no other verb needs HTTP

    return DataCentre(config.load(config.find_spool(spool)), user_name())


def parts(href: str) -> tuple[str, str]:
    """Split what a user names into source and path. Raises DataError if it is no name of a source's file."""
    found = split(href)
    if found is None:
        raise DataError(f"expected SOURCE:/PATH, got {href!r}")
    return found


@data.command("list")
@click.argument("href", metavar="[SOURCE:/PATH]", default="", required=False)
@spool_option
@json_option
@guarded
def list_(href: str, spool: str | None, as_json: bool) -> None:
    """List the files that the store holds, all or those whose name begins so; or those of a source, by a pattern.

    \b
    Examples:
      park data list
      park data list beamline:/2026/
      park data list 'beamline:/2026/run7/*.ort'
    """
    name, path = parts(href) if href else (None, "")
    if name is not None and has_wildcard(path):
        found: list[Any] = [f"{name}:{each}" for each in centre(spool).names(name, path)]
        lines: Iterator[str] = iter(found)
    else:
        found = centre(spool).files(name, path)
        lines = described(found)
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=1))
        return
    for line in lines:
        click.echo(line)


def described(entries: list[Entry]) -> Iterator[str]:
    """Say of each file of the store what it is, how large, and who keeps it."""
    rows = [("file", "size", "SHA-256", "used", "kept by")]
    for entry in sorted(entries, key=lambda one: (one["hrefs"], one["digest"])):
        keepers = ["pin"] * entry["is_pinned"] + sorted(entry["holders"])
        names = entry["hrefs"] or ["–"]
        told = size_words(entry["size"]), entry["digest"][:12], utc(entry["used"]), ", ".join(keepers)
        rows += [(name, *told) for name in names]
    return iter(table(rows))


@data.command()
@click.argument("href", metavar="SOURCE:/PATH")
@spool_option
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="Write it there.")
@guarded
def get(href: str, spool: str | None, output: Path | None) -> None:
    """Have a file of a source, through the data centre, its digest checked; nothing is overwritten.

    \b
    Examples:
      park data get beamline:/2026/run7/film.ort
      park data get beamline:/2026/run7/film.ort -o film.ort
    """
    name, path = parts(href)
    target = output or Path(PurePosixPath(clean(path)).name)
    if target.exists():
        raise DataError(f"{target} is there already; nothing was overwritten")
    from park_spool.downloading import download

    reasons = []
    for source in centre(spool).sources(name):
        try:
            size = download(source, path, target, pause=time.sleep)
        except TemporaryError as error:
            reasons.append(str(error))
        else:
            click.echo(f"{target} ({size_words(size)})")
            return
    raise TemporaryError("; ".join(reasons))


@data.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@spool_option
@click.option("--as", "name", metavar="NAME", help="The name that it gets there, of one file; else its own.")
@guarded
def put(files: tuple[Path, ...], spool: str | None, name: str | None) -> None:
    """Have the data centre keep files; sessions read them as put:/NAME.

    \b
    Examples:
      park data put film.ort
      park data put film.ort --as 2026/film.ort
    """
    if name is not None and len(files) != 1:
        raise DataError(f"--as names one file, got {len(files)}; nothing was sent")
    asked = centre(spool)
    for path in files:
        kept = asked.put(name or path.name, path)
        click.echo(f"{kept['href']} ({size_words(kept['size'])}, SHA-256 {kept['digest']})")


@data.command()
@click.argument("href", metavar="SOURCE:/PATH")
@spool_option
@json_option
@guarded
def where(href: str, spool: str | None, as_json: bool) -> None:
    """Say where a file is: in the data centre's store, and in this machine's cache.

    \b
    Examples:
      park data where beamline:/2026/run7/film.ort
    """
    settings = config.load(config.find_spool(spool))
    found = [
        {**entry, "paths": [str(path) for path in places(entry["digest"], settings.store, settings.cache)]}
        for entry in chosen(centre(spool), href)
    ]
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=1))
        return
    for entry in found:
        click.echo(f"{entry['digest']} ({size_words(entry['size'])})")
        for path in entry["paths"] or ["not to be seen from here"]:
            click.echo(f"  {path}")


def places(digest: str, *stores: Path) -> Iterator[Path]:
    """Yield where a blob can be seen from this machine."""
    found = (Places(store).blob(digest) for store in stores)
    return (path for path in found if path.is_file())


def chosen(asked: DataCentre, href: str) -> list[Entry]:
    """Return what the store holds under a name. Raises NotFound if that is nothing."""
    name, path = split(href) or ("", "")
    found = [entry for entry in asked.files(name, path) if href in entry["hrefs"]] if name else []
    if not found:
        raise NotFound(f"the data centre's store holds no {href}")
    return found


@data.command()
@click.argument("href", metavar="SOURCE:/PATH")
@spool_option
@click.option("--off", "is_off", is_flag=True, help="Let it go again when room is needed.")
@guarded
def pin(href: str, spool: str | None, is_off: bool) -> None:
    """Keep a file in the store, whatever it needs room for.

    \b
    Examples:
      park data pin beamline:/2026/run7/film.ort
      park data pin --off beamline:/2026/run7/film.ort
    """
    asked = centre(spool)
    for entry in chosen(asked, href):
        asked.pin(entry["digest"], not is_off)
        click.echo(f"{href}: {entry['digest'][:12]} {'may go when room is needed' if is_off else 'is kept'}")


@data.command()
@click.argument("size", metavar="SIZE", required=False)
@spool_option
@guarded
def evict(size: str | None, spool: str | None) -> None:
    """Make room for so much in the store, as its quota wants it: what was not used for longest goes.

    \b
    Examples:
      park data evict '20 GB'
    """
    try:
        needed = 0 if size is None else read_size(size)
    except ValueError as error:
        raise DataError(f"{error}; nothing went") from error
    gone = centre(spool).evict(needed)
    for line in described(gone):
        click.echo(line)
    click.echo(f"{len(gone)} files went ({size_words(sum(entry['size'] for entry in gone))})", err=True)


@data.command()
@spool_option
@json_option
@guarded
def verify(spool: str | None, as_json: bool) -> None:
    """Have every file of the store read again; one that is not what its digest says is put aside and fetched again.

    \b
    Examples:
      park data verify
    """
    faults = centre(spool).verify()
    if as_json:
        click.echo(json.dumps(faults, ensure_ascii=False, indent=1))
    for fault in [] if as_json else faults:
        click.echo(f"{', '.join(fault['hrefs']) or fault['digest']}: {fault['reason']}")
    if faults:
        click.get_current_context().exit(FAILED)
    click.echo("all files are what their digests say", err=True)
