"""`park config`: every setting of a spool, with its value and where that came from."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from park_spool import config as site
from park_spool.cli.options import guarded, json_option, spool_option
from park_spool.cli.status import table
from park_spool.config import Config
from park_spool.pilots.profiles import Profile
from park_spool.sources.settings import SourceSettings


@click.command()
@spool_option
@json_option
@guarded
def config(spool: str | None, as_json: bool) -> None:
    """Show every setting with its value and where it came from: a default, a line of park.toml, or told.

    \b
    Examples:
      park config
      park config --spool /shared/spool --json
    """
    settings, sources = site.load_with_sources(site.find_spool(spool))
    sources["spool"] = site.spool_source(spool)
    values = {field.name: plain(getattr(settings, field.name)) for field in fields(Config)}
    if as_json:
        shown = {name: {"value": value, "source": sources[name]} for name, value in values.items()}
        click.echo(json.dumps(shown, ensure_ascii=False, indent=1))
        return
    for line in table([("setting", "value", "from"), *((name, words(values[name]), sources[name]) for name in values)]):
        click.echo(line)


def plain(value: Any) -> Any:
    """Write a setting's value as JSON can hold it.

    >>> plain((Path("/shared/data"),)), plain(2.5)
    (['/shared/data'], 2.5)
    """
    if isinstance(value, tuple):
        return [item.name if isinstance(item, (SourceSettings, Profile)) else str(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def words(value: Any) -> str:
    """Write a setting's value as park.toml would, but for the quotes of a text.

    >>> words(True), words(["/a", "/b"]), words([]), words(None), words(10000), words(0.3)
    ('true', '/a, /b', '–', '–', '10000', '0.3')
    """
    if value is None:
        return "–"
    if isinstance(value, bool):
        return str(value).lower()
    return (", ".join(value) or "–") if isinstance(value, list) else str(value)
