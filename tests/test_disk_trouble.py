"""A spool whose disk is full, out of inodes or read-only for a while: nobody dies, clear words, and work goes on after.

Each spool stands on a small disk of its own, in memory; to mount it takes root.
"""

from __future__ import annotations

import errno
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from daemons import Site, until
from test_many_kills import SESSION, add_service, assert_counted_once

Counts = dict[str, int]
WORDS = {"full": "No space left on device", "inodes": "No space left on device", "read-only": "Read-only file system"}


class Tray:
    """A small disk in memory: `place` is where it is seen."""

    def __init__(self, place: Path, undo: ExitStack, options: str = "size=48m") -> None:
        self.place = place
        self._undo = undo
        self._fillers: list[Path] = []
        place.mkdir()
        self.mount("-t", "tmpfs", "-o", options, "tmpfs", place)

    def mount(self, *words: str | Path) -> None:
        done = subprocess.run(["mount", *map(str, words)], capture_output=True, text=True, check=False)
        if done.returncode:
            raise PermissionError(done.stderr.strip())
        self._undo.callback(subprocess.run, ["umount", "--lazy", str(words[-1])], check=False, capture_output=True)

    def mount_apart(self, folder: Path) -> None:
        """Let what is written in a folder not keep the rest from becoming read-only: the same disk, mounted again."""
        self.mount("--bind", folder, folder)

    def fill(self) -> None:
        """Write until not a byte goes in any more; what others free meanwhile is taken at the next call."""
        for size in (1 << 20, 4096, 1):
            with (self.place / f"filler-{size}").open("ab", buffering=0) as file:
                try:
                    while file.write(b"\0" * size):
                        pass
                except OSError as error:
                    assert error.errno == errno.ENOSPC

    def use_up_inodes(self) -> None:
        folder = self.place / "filler"
        try:
            folder.mkdir(exist_ok=True)
            while True:
                (folder / str(time.monotonic_ns())).touch()
        except OSError as error:
            assert error.errno == errno.ENOSPC

    def empty(self) -> None:
        for path in sorted(self.place.glob("filler*/*")) + sorted(self.place.glob("filler-*")):
            path.unlink()

    def remount(self, mode: str) -> None:
        """Remount what `mount_apart` did not take out; whoever just writes a file makes it busy for a moment."""
        words = ["mount", "-o", f"remount,bind,{mode}", str(self.place)]
        until(
            lambda: subprocess.run(words, capture_output=True, check=False).returncode == 0, 30, f"mounting it {mode}"
        )


@pytest.fixture
def new_tray(
    tmp_path: Path, needs: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Tray]]:
    """Mount small disks, and unmount them whatever happens."""
    needs("mount")
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))  # a node's own folder is on another disk
    with ExitStack() as undo:

        def make(name: str, options: str = "size=48m") -> Tray:
            try:
                return Tray(tmp_path / name, undo, options)
            except PermissionError as error:
                if os.environ.get("CI") == "true":
                    pytest.fail(f"no disk can be mounted here, and CI must not skip what it needs: {error}")
                pytest.skip(f"no disk can be mounted here: {error}")

        yield make


def suffer(trouble: Callable[[], object], seconds: float) -> None:
    """Make trouble again and again for so long: daemons free and use space all the time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        trouble()
        time.sleep(0.05)


def settings(archive: Path | None) -> dict[str, object]:
    quick: dict[str, object] = {"heartbeat_seconds": 0.5, "audit_seconds": 1.0, "max_attempts": 90}
    return quick | ({"archive": f'"{archive}"'} if archive else {})


def start_work(site: Site, jobs: int) -> Counts:
    counts = {"nothing": jobs // 2, "doze": jobs // 2, "program": 20}
    site.drop_text("work.xml", SESSION.format(**counts))
    until(lambda: len(site.query("SELECT 1 FROM jobs WHERE group_number = 2")) >= jobs // 20, 60, "the first results")
    assert site.closed() == 0
    return counts


def assert_recovered(site: Site, counts: Counts, words: str) -> None:
    until(lambda: site.closed() == 1, 90, "closing, now that the disk is well again")
    site.assert_running()
    assert_counted_once(site, counts)
    logs = "".join(path.read_text() for path in (site.spool / "logs").iterdir())
    assert words in logs, "nobody said what was wrong"
    assert "Traceback" not in logs and "by a mistake of park-spool" not in logs, logs
    until(lambda: not list((site.spool / "replies").iterdir()), 30, "an empty replies/")
    assert not list((site.spool / "quarantine").iterdir())
    site.assert_legal()


LONG = pytest.mark.prove
TWICE = pytest.mark.parametrize(
    ("seconds", "jobs"), [(1.0, 600), pytest.param(8.0, 4000, marks=LONG)], ids=["short", "long"]
)


@TWICE
@pytest.mark.parametrize("where", ["same", pytest.param("other", marks=LONG)])
def test_a_full_disk(tmp_path: Path, new_tray: Callable[..., Tray], where: str, seconds: float, jobs: int) -> None:
    """The archive on the same disk, or on another."""
    tray = new_tray("disk")
    add_service(tray.place)
    with Site(tray.place, **settings(tmp_path / "park.sqlite" if where == "other" else None)) as site:
        counts = start_work(site, jobs)
        suffer(tray.fill, seconds)
        site.assert_running()
        assert site.closed() == 0, "it was over before the trouble was"
        tray.empty()
        assert_recovered(site, counts, WORDS["full"])


@LONG
def test_a_full_disk_of_the_archive_alone(tmp_path: Path, new_tray: Callable[..., Tray]) -> None:
    tray = new_tray("disk")
    add_service(tmp_path)
    with Site(tmp_path, **settings(tray.place / "park.sqlite")) as site:
        counts = start_work(site, 4000)
        suffer(tray.fill, 8.0)
        site.assert_running()
        assert site.closed() == 0, "it was over before the trouble was"
        tray.empty()
        assert_recovered(site, counts, "full")


@LONG
def test_a_disk_without_inodes(tmp_path: Path, new_tray: Callable[..., Tray]) -> None:
    tray = new_tray("disk", "size=48m,nr_inodes=2000")
    add_service(tray.place)
    with Site(tray.place, **settings(None)) as site:
        counts = start_work(site, 4000)
        suffer(tray.use_up_inodes, 8.0)
        site.assert_running()
        assert site.closed() == 0, "it was over before the trouble was"
        tray.empty()
        assert_recovered(site, counts, WORDS["inodes"])


@TWICE
def test_a_spool_that_is_read_only_for_a_while(
    tmp_path: Path, new_tray: Callable[..., Tray], seconds: float, jobs: int
) -> None:
    """Logs and archive can still be written: files that are open for writing would keep it from becoming read-only."""
    tray = new_tray("disk")
    add_service(tray.place)
    site = Site(tray.place, **settings(tmp_path / "park.sqlite"))
    tray.mount_apart(site.spool / "logs")
    with site:
        counts = start_work(site, jobs)
        tray.remount("ro")
        try:
            suffer(site.assert_running, seconds)
        finally:
            tray.remount("rw")
        assert_recovered(site, counts, WORDS["read-only"])
