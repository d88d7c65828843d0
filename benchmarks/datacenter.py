"""Files of remote places: a real park-datad beside nginx and Flask, and a node's cache beside pooch and fsspec.

Warm is what was asked for before and is in memory; cold is a file of new bytes, so that it is fetched, digested and
made durable first. All servers of a comparison get the same requests from the same client, which drops bodies unread.
The remote is nginx on the same disk: as fast as loopback, and as fast as a line of 1 Gbit/s.

nginx       one process, sendfile
Flask       `send_file`, on waitress as it is by default
pooch, filecache    see data_clients.py; a cache of its own for each run; none of the two makes anything durable
"""

from __future__ import annotations

import importlib.util
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from data_clients import Bring, Connection, digest, filecache, in_turn, pooch
from data_servers import Place, serving
from figures import Measure, Part, Target

from park_spool.config import Config
from park_spool.fetch import Fetcher
from park_spool.sessions.session import DataRef
from park_spool.store.store import Store

SID, USER = "20261123-025532-k3j9", "benchmark"
MEBI = 1 << 20
SMALL = 4096
TIMES = 3  # big files in a row
HITS = 1001
CONNECTIONS = 2
MOST_HIT = 0.2  # ms


@dataclass(frozen=True)
class Sizes:
    """How large the files are, in bytes, and how many small ones there are, all of them and for each cache."""

    whole: int
    cold: int
    kept: int
    many: int
    few: int

    @classmethod
    def at_most(cls, most: int) -> Sizes:
        """Return the sizes of the targets, but at most so many files, and MiB of a file."""
        return cls(
            min(1024, most) * MEBI,
            min(200_000_000, most * MEBI),
            min(50_000_000, most * MEBI),
            min(10_000, most),
            min(1000, most),
        )


@dataclass
class Cache:
    """One that keeps files, in a new folder for each cold run; the warm runs use the last."""

    folder: Path
    bring: Bring
    runs: list[Path] = field(default_factory=list)

    def cold(self) -> float:
        self.runs.append(self.folder / str(len(self.runs)))
        return seconds(lambda: self.bring(self.runs[-1]))

    def warm(self) -> float:
        return seconds(lambda: self.bring(self.runs[-1]))


@contextmanager
def part(most: int) -> Iterator[Part]:
    sizes = Sizes.at_most(most)
    names = [f"{number % 100:02d}/{number}.ort" for number in range(sizes.many)]
    with serving(names, SMALL) as place:
        measures = [
            *warm_file(place, place.new_file(sizes.whole), sizes.whole),
            *small_files(place, names),
            *cold_files(place, sizes.cold),
            *hits(place, names[0]),
            *caches(place, {"large": [place.new_file(sizes.kept)], "small": names[: sizes.few]}),
        ]
        yield Part("Data of remote places", measures, targets(measures))


def targets(measures: list[Measure]) -> list[Target]:
    wanted = [
        Target("large warm, park-datad", least=0.8, against="large warm, nginx"),
        Target("small warm, park-datad", least=1.0, against="small warm, Flask"),
        Target("cold, park-datad", least=0.9, against="cold, nginx"),
        Target("cold at 1 Gbit/s, park-datad", least=0.9, against="cold at 1 Gbit/s, nginx"),
        Target("hit in the cache", most=MOST_HIT),
        Target("hit in the centre's store", most=MOST_HIT),
    ]
    here = {measure.name for measure in measures}
    kinds = [f"{size} {state}" for size in ("large", "small") for state in ("cold", "warm")]
    others = [(f"{kind}, park-spool", f"{kind}, {peer}") for kind in kinds for peer in ("pooch", "filecache")]
    return wanted + [Target(ours, most=1.0, against=theirs) for ours, theirs in others if theirs in here]


def warm_file(place: Place, name: str, size: int) -> list[Measure]:
    """Measure one file that is asked for again and again."""
    found, _ = place.datad.fetch(f"/data/here/{name}")
    if found != digest(place.remote / name):
        raise SystemExit("benchmark: park-datad serves other bytes than the remote; nothing was measured")

    def rate(connect: Callable[[], Connection], path: str) -> float:
        with closing(connect()) as connection:
            return TIMES * size / 1e6 / seconds(lambda: in_turn([connection], [path] * TIMES))

    note = f"{size:,} bytes, {TIMES} times in a row"
    return [
        Measure("large warm, park-datad", lambda: rate(place.to_datad, f"/data/here/{name}"), TIMES, "MB/s", note),
        Measure("large warm, nginx", lambda: rate(lambda: Connection(place.nginx.port), f"/{name}"), TIMES, "MB/s"),
    ]


def small_files(place: Place, names: list[str]) -> list[Measure]:
    """Measure many small files over two kept connections."""

    def rate(connect: Callable[[], Connection], folder: str) -> float:
        connections = [connect() for _ in range(CONNECTIONS)]
        try:
            return len(names) / seconds(lambda: in_turn(connections, [f"{folder}/{name}" for name in names]))
        finally:
            for connection in connections:
                connection.close()

    def ours() -> float:
        return rate(place.to_datad, "/data/here")

    ours()  # asks the source about each
    note = f"{SMALL} bytes, over {CONNECTIONS} connections"
    return [
        Measure("small warm, park-datad", ours, len(names), "files/s", note),
        Measure("small warm, Flask", lambda: rate(lambda: Connection(place.flask), ""), len(names), "files/s"),
        Measure("small warm, nginx", lambda: rate(lambda: Connection(place.nginx.port), ""), len(names), "files/s"),
    ]


def cold_files(place: Place, size: int) -> list[Measure]:
    """Measure the first request for a file, and the same straight from the remote."""

    def rate(connect: Callable[[], Connection], folder: str) -> float:
        name = place.new_file(size)
        with closing(connect()) as connection:
            found = size / 1e6 / seconds(lambda: connection.get(f"{folder}/{name}"))
        (place.remote / name).unlink()
        return found

    nginx, slow = place.nginx.port, place.slow.port
    return [
        Measure("cold, park-datad", lambda: rate(place.to_datad, "/data/here"), 1, "MB/s", f"{size:,} bytes"),
        Measure("cold, nginx", lambda: rate(lambda: Connection(nginx), ""), 1, "MB/s"),
        Measure("cold at 1 Gbit/s, park-datad", lambda: rate(place.to_datad, "/data/slow"), 1, "MB/s"),
        Measure("cold at 1 Gbit/s, nginx", lambda: rate(lambda: Connection(slow), ""), 1, "MB/s"),
    ]


def hits(place: Place, name: str) -> list[Measure]:
    """Measure how long a job waits for a file that its node has: the median of many in a row."""
    ref = DataRef("film", f"here:/{name}")

    def median(settings: Config, via: str | None) -> float:
        fetch = fetcher(settings, settings.cache)
        wanted = DataRef(ref.name, ref.href, via=via)
        fetch(wanted)
        return 1000 * statistics.median(seconds(lambda: fetch(wanted)) for _ in range(HITS))

    return [
        Measure("hit in the cache", lambda: median(place.settings, "direct"), HITS, "ms"),
        Measure("hit in the centre's store", lambda: median(in_place(place), None), HITS, "ms"),
    ]


def in_place(place: Place) -> Config:
    """Return the settings of a node with an empty cache that can read the centre's store."""
    return replace(place.settings_with_centre, data_cache=place.remote.parent / "cache-beside-centre")


def caches(place: Place, files: dict[str, list[str]]) -> list[Measure]:
    """Measure those that keep files, in turn: cold, and warm at once afterwards."""
    found = []
    for size, names in files.items():
        known = {name: digest(place.remote / name) for name in names}
        peers: dict[str, Bring] = {"park-spool": ours(place.settings, known)}
        if importlib.util.find_spec("pooch"):
            peers["pooch"] = pooch(place.nginx.url, known)
        if importlib.util.find_spec("fsspec") and importlib.util.find_spec("aiohttp"):
            peers["filecache"] = filecache(place.nginx.url, names)
        kept = {peer: Cache(place.remote.parent / f"{peer}-{size}", bring) for peer, bring in peers.items()}
        for peer, cache in kept.items():
            found.append(Measure(f"{size} cold, {peer}", cache.cold, len(names), "s"))
            found.append(Measure(f"{size} warm, {peer}", cache.warm, len(names), "s"))
    return found


def ours(settings: Config, files: dict[str, str]) -> Bring:
    refs = [DataRef("film", f"here:/{name}", sha256=found) for name, found in files.items()]

    def bring(cache: Path) -> None:
        fetch = fetcher(settings, cache)
        for ref in refs:
            fetch(ref)

    return bring


def fetcher(settings: Config, cache: Path) -> Fetcher:
    return Fetcher(settings, SID, USER, Store(cache).make(), {})


def seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin
