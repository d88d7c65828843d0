"""The table of a cluster: a row for each host and for each other node, in words. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from park_spool.hosts.reading import Host
from park_spool.mastering.living import Live

COLUMNS = ("host", "address", "state", "node", "CPUs", "busy", "")
Row = tuple[str, ...]


def rows(
    hosts: Iterable[Host], live: Iterable[Live], words: Mapping[str, str], away: Collection[str] = ()
) -> list[Row]:
    """Write the rows; `words` say what became of hosts without a node, `away` are the aliases that were sent home."""
    by_alias: dict[str, list[Live]] = {}
    for one in live:
        by_alias.setdefault(one.alias, []).append(one)
    found: list[Row] = []
    for host in hosts:
        nodes = by_alias.pop(host.alias, [])
        found += [_row(host.alias, host.address, one) for one in nodes]
        if not nodes:
            state = "away" if host.alias in away else "down"
            found.append((host.alias, host.address, state, "–", "–", "–", words.get(host.alias, "")))
    others = sorted((one for several in by_alias.values() for one in several), key=lambda one: one.node)
    return found + [_row(one.alias or one.host, "", one) for one in others]


def _row(name: str, address: str, one: Live) -> Row:
    by = {"": "started by hand", "up": ""}.get(one.how, f"{one.how} {one.job}".strip())
    return name, address or "–", one.state or "–", one.node, str(one.cpus), str(one.busy), by
