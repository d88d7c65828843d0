"""`park init` and `park check`: a spool made, and a spool looked over."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from park_spool import config, filesystem
from park_spool.check import check_twice
from park_spool.cli.options import FAILED, FINE, guarded, json_option, spool_option
from park_spool.store.naming import Places


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@guarded
def init(folder: Path) -> None:
    """Make a spool: the folders, and park.toml for its settings. Safe to say again; nothing is overwritten.

    \b
    Examples:
      park init spool
      park init /shared/spool
    """
    filesystem.require_carrier(folder)
    made = config.make_spool(folder)
    if not made:
        click.echo(f"{folder} is a spool already; nothing was changed")
        return
    settings = config.load(folder)
    kind = "on a shared file system" if settings.is_shared else "on a local disk"
    click.echo(f"{folder} is a spool now, {kind}; its settings are in {settings.layout.settings}")
    click.echo(f"Start `park serve --spool {folder}` on one machine and `park-noded --spool {folder}` on each node.")


@click.command()
@spool_option
@json_option
@guarded
def check(spool: str | None, as_json: bool) -> None:
    """Name every illegal state of a spool and its data centre's store, a sentence a line; the exit code is 1 if any.

    Reads only, and looks twice: what moves meanwhile is not reported.

    \b
    Examples:
      park check
      park check --spool /shared/spool --json
    """
    root = config.find_spool(spool)
    store = config.load(root).store
    filesystem.require_carrier(root)
    before = faults_of(store)
    sentences = check_twice(root)
    sentences += [fault for fault in faults_of(store) if fault in before]
    click.echo(json.dumps(sentences, ensure_ascii=False, indent=1)) if as_json else list(map(click.echo, sentences))
    sys.exit(FAILED if sentences else FINE)


def faults_of(folder: Path) -> list[str]:
    """Name what is wrong with the data centre's store, where there is one to be seen from here."""
    if not Places(folder).blobs.is_dir():
        return []
    from park_spool.store import checking, store  # it brings locks along

    return [f"{folder}/{sentence}" for sentence in checking.check(store.Store(folder))]
