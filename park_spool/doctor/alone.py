"""What one mount shows by itself: the folder that all is measured in, speeds, times of change, links and fsync."""

from __future__ import annotations

import math
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from park_spool.doctor.probing import LOCKS, SAMPLES, error_name

FOLDERS = ("queue", "won", "made", "list", "open", "content", "size", "gone", "locks", "watched", "own")
SPEED_SECONDS = 0.4  # for each of the speeds
MOST = 2000  # names for a speed


@dataclass(frozen=True, slots=True)
class Alone:
    """Speeds are calls a second; `mtime_step` (s) is the finest that times of change differ by.

    `clock` says by how much the times of change are ahead of this machine's clock, in seconds; links and fsync say
    what went wrong, empty if nothing did.
    """

    create: float
    publish: float
    rename: float
    unlink: float
    mtime_step: float
    clock: float
    link: str
    fsync: str

    @property
    def unit_seconds(self) -> float:
        """Return what the calls of one unit take: offered, claimed, answered, its claim and its reply removed."""
        return 1 / self.create + 1 / self.rename + 1 / self.publish + 2 / self.unlink


def prepare(root: Path, files: int) -> None:
    """Make the folder of one examination with all that it starts from."""
    for folder in FOLDERS:
        (root / folder).mkdir()
    for number in range(files):
        (root / "queue" / f"{number:05d}").touch()
    for folder in ("content", "size", "gone"):
        for number in range(SAMPLES):
            (root / folder / str(number)).write_text("old")
    for how in LOCKS:
        (root / "locks" / how).write_text("")
        (root / "locks" / f"{how}.count").write_text("0")


def clear(root: Path) -> None:
    """Remove the folder of an examination. What another host still holds open there is spoold's, an hour later."""
    shutil.rmtree(root, ignore_errors=True)


def measure(root: Path) -> Alone:
    """Measure what needs one mount only, in the examination's folder."""
    own = root / "own"
    create, made = _speed(lambda number: _touch(own / f"c{number}"))
    publish, published = _speed(lambda number: _publish(own / f"p{number}"))
    rename, _ = _speed(lambda number: os.rename(own / f"c{number}", own / f"r{number}"), made)
    unlink, _ = _speed(lambda number: os.unlink(own / f"p{number}"), published)
    step, clock = _times(own)
    return Alone(create, publish, rename, unlink, step, clock, _links(own), _syncs(own))


def _speed(act: Callable[[int], object], most: int = MOST) -> tuple[float, int]:
    """Return how often a second something can be done, and how often it was."""
    begun, count = time.perf_counter(), 0
    while count < most and time.perf_counter() - begun < SPEED_SECONDS:
        act(count)
        count += 1
    return count / (time.perf_counter() - begun), count


def _touch(path: Path) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))


def _publish(path: Path) -> None:
    new = path.with_name(f".{path.name}")
    new.write_text("a reply, or what is as long as one" * 8)
    os.rename(new, path)


def _times(folder: Path) -> tuple[float, float]:
    """Return the step of times of change, and by how much they are ahead of this machine's clock, both in seconds."""
    stamps, ahead = set(), []
    for number in range(40):
        path = folder / f"t{number}"
        path.write_text("x")
        now = time.time()
        stamps.add(os.stat(path).st_mtime_ns)
        ahead.append(os.stat(path).st_mtime_ns / 1e9 - now)
        time.sleep(0.003)
    return step_of(stamps), max(ahead)


def step_of(stamps: set[int]) -> float:
    """Return the largest step, in seconds, that divides all times (ns).

    >>> step_of({1_000_000_000, 3_000_000_000}), step_of({20_000_000, 50_000_000})
    (1.0, 0.01)
    """
    return math.gcd(*stamps, 1_000_000_000) / 1e9


def _links(folder: Path) -> str:
    """Try a hard link, and whether it is counted."""
    target = folder / "linked"
    target.write_text("x")
    try:
        os.link(target, folder / "link")
    except OSError as error:
        return error_name(error)
    count = os.stat(target).st_nlink
    return "" if count == 2 else f"a file with two names says that it has {count}"


def _syncs(folder: Path) -> str:
    """Try to make a file and its folder durable."""
    (folder / "synced").write_text("x")
    for path in (folder / "synced", folder):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        except OSError as error:
            return error_name(error)
        finally:
            os.close(descriptor)
    return ""
