"""An examination as lines for people and as values for scripts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from park_spool import filesystem
from park_spool.config import Config
from park_spool.doctor import findings, mounting
from park_spool.doctor.findings import Advice, Finding
from park_spool.doctor.measured import Measured
from park_spool.filesystem import Mount

MARKS = {True: "ok", False: "BAD", None: ""}
LATE = 3.0  # s from which on caches of names are worth a mount option
WIDTH = 27
ONE_SIDED = (
    "Seen through one mount only: what another host sees late, or twice, is not in these lines. "
    "Name a second side with --host or --beside"
)


@dataclass(frozen=True, slots=True)
class Examined:
    """What one second side (`beside`, in words; None without one) gave."""

    mount: Mount
    beside: str | None
    refused: str
    measured: Measured
    found: tuple[Finding, ...]
    settings: tuple[Advice, ...]
    mounting: tuple[str, ...]
    places: tuple[str, ...]

    @property
    def is_well(self) -> bool:
        return not self.refused and all(finding.holds is not False for finding in self.found)


def examined(config: Config, mount: Mount, beside: str | None, refused: str, measured: Measured) -> Examined:
    """Put together what was measured and what follows from it."""
    staleness, units = config.staleness_seconds, config.units_per_second
    is_late = measured.worst_name > LATE
    return Examined(
        mount,
        beside,
        refused,
        measured,
        tuple(findings.findings(measured, staleness)),
        tuple(findings.settings(measured, mount, staleness, units)),
        tuple(mounting.advice(mount, is_late)),
        tuple(_places(config)),
    )


def _places(config: Config) -> Iterator[str]:
    """Say which files of SQLite and which locks stand where they should not."""
    if filesystem.is_shared(config.archive.parent):
        yield (
            f"archive = {config.archive} is on a shared file system: SQLite's documentation rules its log out there; "
            "put it on a local disk of the machine that reduces (leave the setting away)"
        )
    if config.datacenter and config.is_shared and config.store.is_relative_to(config.spool):
        yield (
            f"data_store = {config.data_store} is on the spool's file system and uses its locks; "
            "a local disk of the data centre's machine is safer and quicker"
        )


def lines(config: Config, one: Examined) -> Iterator[str]:
    """Yield the report, line by line."""
    mount = one.mount
    shared = "shared" if mount.kind.is_shared else "of this machine alone"
    yield _row("spool", str(config.spool))
    yield _row("file system", f"{mount.kind.name}, {shared} ({mount.type} of {mount.source}, mounted at {mount.point})")
    yield _row("second side", one.beside or "none")
    yield ""
    for finding in one.found:
        yield _row(finding.what, finding.said, MARKS[finding.holds])
    yield ""
    yield from _what_follows(one)
    if one.beside is None and mount.kind.is_shared:
        yield ONE_SIDED + "."


def _what_follows(one: Examined) -> Iterable[str]:
    for finding in one.found:
        if finding.holds is False:
            yield f"BAD: {finding.what}: {finding.said}. A spool relies on this."
    for advice in one.settings:
        yield f"park.toml: {advice.key} = {advice.value:g}  (now {advice.now:g}): {advice.why}"
    yield from (f"mount: {sentence}" for sentence in one.mounting)
    yield from one.places
    if not (one.settings or one.mounting or one.places) and one.is_well:
        yield "Nothing needs to be changed."


def _row(what: str, said: str, mark: str = "") -> str:
    return f"{mark:4}{what:{WIDTH}}{said}"


def values(config: Config, one: Examined) -> dict[str, Any]:
    """Return it all for scripts; times are in seconds."""
    mount = one.mount
    return {
        "spool": str(config.spool),
        "kind": mount.kind.name,
        "is_shared": mount.kind.is_shared,
        "mount": {
            "point": str(mount.point),
            "type": mount.type,
            "source": mount.source,
            "options": dict(mount.options),
        },
        "beside": one.beside,
        "refused": one.refused,
        "is_well": one.is_well,
        "findings": [asdict(finding) for finding in one.found],
        "settings": [asdict(advice) for advice in one.settings],
        "mounting": list(one.mounting),
        "places": list(one.places),
        "measured": asdict(one.measured),
    }
