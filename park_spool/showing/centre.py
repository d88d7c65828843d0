"""The data centres of a site as they are shown: how full, what was brought, and how often nothing had to be."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from park_spool import data_centre
from park_spool.config import Config
from park_spool.errors import TemporaryError

TIMEOUT = 1.0
MOST = 8
NONE = "this site has no data centre: docs/datacenter.md says what one is good for"
ANSWERED = ("200", "206", "304")


@dataclass(frozen=True, slots=True)
class CentreShown:
    """One data centre. Sizes in bytes, counts since it was started; `why` says why there are none.

    `quota` is its bound, None where the disk alone is one; `fill` how much of it is used, 0 to 1. `hit_rate`: the part
    of the good answers for which no file had to be brought. `brought` are downloads, `failed` those that failed.
    """

    address: str
    is_up: bool
    why: str = ""
    files: int = 0
    held: int = 0
    stored: float = 0.0
    quota: float | None = None
    fill: float | None = None
    answers: int = 0
    brought: int = 0
    brought_bytes: float = 0.0
    failed: int = 0
    evicted: int = 0
    bringing: int = 0
    waiting: int = 0
    hit_rate: float | None = None


@dataclass(frozen=True, slots=True)
class CentrePage:
    """The data centres, in the order in which they are asked; `why`: there is none."""

    centres: tuple[CentreShown, ...]
    why: str = ""


def centre(settings: Config, timeout: float = TIMEOUT) -> CentrePage:
    """Ask all data centres of the site how they are, at once; takes no longer than `timeout` (s)."""
    addresses = settings.datacenter[:MOST]
    if not addresses:
        return CentrePage((), NONE)
    with ThreadPoolExecutor(len(addresses)) as pool:
        return CentrePage(tuple(pool.map(lambda address: _asked(address, settings.data_quota, timeout), addresses)))


def _asked(address: str, quota: int | None, timeout: float) -> CentreShown:
    try:
        return of_numbers(address, data_centre.numbers(address, timeout), quota)
    except TemporaryError as error:
        return CentreShown(address, False, str(error))


def of_numbers(address: str, found: dict[tuple[str, str], float], quota: int | None) -> CentreShown:
    """Show what a data centre tells of itself.

    >>> told = {("requests_total", "200"): 10.0, ("downloads_total", ""): 1.0, ("stored_bytes", ""): 25.0}
    >>> shown = of_numbers("http://n4:5401", told, 100)
    >>> shown.fill, shown.hit_rate
    (0.25, 0.9)
    """

    def sum_of(name: str, *labels: str) -> float:
        return sum(value for (one, label), value in found.items() if one == name and (not labels or label in labels))

    answers, brought, stored = sum_of("requests_total", *ANSWERED), sum_of("downloads_total"), sum_of("stored_bytes")
    return CentreShown(
        address=address,
        is_up=True,
        files=int(sum_of("files")),
        held=int(sum_of("held_files")),
        stored=stored,
        quota=quota,
        fill=stored / quota if quota else None,
        answers=int(answers),
        brought=int(brought),
        brought_bytes=sum_of("downloaded_bytes_total"),
        failed=int(sum_of("failed_downloads_total")),
        evicted=int(sum_of("evictions_total")),
        bringing=int(sum_of("downloads")),
        waiting=int(sum_of("waiting")),
        hit_rate=max(0.0, 1 - brought / answers) if answers else None,
    )
