"""Files in $PARK_OUTPUT: kept whole under their digest, within limits, or not at all and said in words."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from running_site import UNIT

from park_spool.atomic import Disk
from park_spool.limits import Limits
from park_spool.running import kept
from park_spool.running.assignment import Assignment, Outcome
from park_spool.running.kept import OutputFolder, Shelf

OK = Outcome("ok", "text", exit=0)


class FullDisk(Disk):
    """A disk on which nothing more can be written."""

    def step(self, call: str, path: Path) -> None:
        if call == "write":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARK_OUTPUT", "")


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    (tmp_path / "tmp").mkdir()
    return Shelf(tmp_path / "files", Disk(tmp_path / "tmp", "n4.slot0"))


@pytest.fixture
def output(tmp_path: Path, shelf: Shelf) -> Iterator[OutputFolder]:
    before = len(os.listdir("/proc/self/fd"))
    made = OutputFolder(tmp_path / "scratch" / "output", shelf, 1000)
    yield made
    made.close()
    assert len(os.listdir("/proc/self/fd")) == before, "a descriptor was left open"
    assert not list((tmp_path / "tmp").iterdir()), "half a file was left behind"


def here() -> Path:
    return Path(os.environ["PARK_OUTPUT"])


def words(data: bytes) -> dict[str, str | int]:
    return {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}


def test_an_untouched_folder_is_not_used(output: OutputFolder) -> None:
    assert here().is_dir() and not list(here().iterdir()) and not output.is_used()


def test_files_are_kept_by_name_and_digest_and_the_next_job_finds_an_empty_folder(
    output: OutputFolder, tmp_path: Path
) -> None:
    (here() / "a").mkdir()
    (here() / "a" / "fit.txt").write_bytes(b"fit")
    (here() / "copy").write_bytes(b"fit")
    (here() / "empty").touch()
    assert output.is_used()
    kept_outcome = output.keep(OK)
    assert kept_outcome == replace(OK, files={"a/fit.txt": words(b"fit"), "copy": words(b"fit"), "empty": words(b"")})
    assert sorted(path.name for path in (tmp_path / "files").iterdir()) == sorted(
        [str(words(b"fit")["sha256"]), str(words(b"")["sha256"])]
    )
    assert not output.is_used() and not list(here().iterdir())


def test_only_regular_files_count(output: OutputFolder, tmp_path: Path) -> None:
    (here() / "link").symlink_to("/etc/passwd")
    (here() / "folder").symlink_to("/")
    os.mkfifo(here() / "pipe")
    assert output.keep(OK) == OK
    assert not (tmp_path / "files").exists()


def test_a_folder_that_a_job_removed_or_replaced_is_there_for_the_next(output: OutputFolder) -> None:
    here().rmdir()
    assert output.is_used() and output.keep(OK) == OK and here().is_dir()
    here().rmdir()
    here().symlink_to("/etc")
    assert output.is_used() and output.keep(OK) == OK and not here().is_symlink()


def test_a_job_that_closes_the_folders_descriptor_changes_nothing(output: OutputFolder) -> None:
    os.close(output._descriptor)
    (here() / "fit").write_bytes(b"fit")
    assert output.is_used() and output.keep(OK).files == {"fit": words(b"fit")}
    assert not output.is_used()


def test_more_than_the_limit_is_not_kept_at_all(output: OutputFolder, tmp_path: Path) -> None:
    (here() / "small").write_bytes(b"x")
    (here() / "sparse").write_bytes(b"")
    os.truncate(here() / "sparse", 2_000_000_000)
    outcome = output.keep(OK)
    assert outcome.why == "left 2 GB in $PARK_OUTPUT, more than its limit of 1 kB: nothing was kept"
    assert (outcome.status, outcome.output, outcome.files) == ("failed", "text", None)
    assert not (tmp_path / "files").exists()


def test_too_many_files_are_not_kept_at_all(output: OutputFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST_FILES", 2)
    for name in "abc":
        (here() / name).touch()
    assert output.keep(OK).why == "left 3 files in $PARK_OUTPUT, at most 2 are kept: nothing was kept"


def test_a_file_that_grows_meanwhile_is_stopped_at_the_limit(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "grown").write_bytes(b"x" * 11)
    with pytest.raises(kept.TooMuch):
        shelf.keep(tmp_path / "grown", 10)


def test_a_full_spool_fails_the_job_in_words(tmp_path: Path, shelf: Shelf) -> None:
    output = OutputFolder(tmp_path / "output", Shelf(shelf.folder, FullDisk(tmp_path / "tmp", "x")), 1000)
    (here() / "fit").write_bytes(b"fit")
    outcome = output.keep(OK)
    assert outcome.status == "failed"
    assert outcome.why == "what it left in $PARK_OUTPUT cannot be kept: No space left on device"
    assert not list((tmp_path / "tmp").iterdir()) and not output.is_used()
    (here() / "fit").write_bytes(b"fit")
    both = output.keep(Outcome("timeout", why="ran longer than its limit of 1 s"))
    output.close()
    assert both.status == "timeout" and both.why.startswith("ran longer than its limit of 1 s; what it left in")


def test_names_that_are_no_text_are_made_text(output: OutputFolder) -> None:
    (here() / os.fsdecode(b"\xff")).touch()
    assert list(output.keep(OK).files or ()) == ["?"]


def test_without_a_place_there_is_no_folder(tmp_path: Path) -> None:
    assignment = Assignment(UNIT, tmp_path, tmp_path, (), (), 1, 1, ((1, 2),), tmp_path)
    assert OutputFolder.of(assignment, tmp_path, Limits()) is None and "PARK_OUTPUT" not in os.environ
