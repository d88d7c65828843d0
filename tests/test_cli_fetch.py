"""`park fetch`: kept files come out whole, under their names and no others, and nothing is overwritten."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
from console import park

from park_spool.archive.reading import ArchiveReader
from park_spool.archive.rows import FileRow
from park_spool.cli import fetching
from park_spool.cli.options import FAILED, FINE
from park_spool.config import make_spool
from park_spool.errors import DataError, NotFound

SID = "20261123-025532-k3j9"


class Shelf:
    """A spool with a closed session, and files that its jobs left."""

    def __init__(self, root: Path) -> None:
        self.spool = root / "spool"
        make_spool(self.spool)
        (self.spool / "archive" / "park.sqlite").touch()
        (self.spool / "sessions" / "closed" / SID).mkdir()
        self.kept = self.spool / "files" / SID
        self.kept.mkdir()
        self.rows: list[FileRow] = []

    def keep(self, job: str, name: str, data: bytes) -> FileRow:
        sha256 = hashlib.sha256(data).hexdigest()
        (self.kept / sha256).write_bytes(data)
        row = FileRow(job, name, sha256, len(data))
        self.rows.append(row)
        return row

    def files(self, sid: str, job: tuple[int, int, int] | None = None) -> list[FileRow]:
        assert sid == SID
        return [row for row in self.rows if job is None or row.job == ".".join(map(str, job))]


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    shelf = Shelf(tmp_path)
    monkeypatch.setattr(ArchiveReader, "files", lambda self, sid, job=None: shelf.files(sid, job))
    shelf.keep("1.1.17", "fit.png", b"a picture")
    shelf.keep("1.1.17", "tables/best.txt", b"x\ty\n")
    shelf.keep("1.1.18", "fit.png", b"another picture")
    return shelf


def test_files_are_listed_with_sizes_and_nothing_is_copied(shelf: Shelf) -> None:
    whole, one = park("fetch", SID[:12], spool=shelf.spool), park("fetch", SID, "1.1.18", spool=shelf.spool)
    assert [line.split()[:3] for line in whole.stdout.splitlines()] == [
        ["1.1.17", "fit.png", "9"],
        ["1.1.17", "tables/best.txt", "4"],
        ["1.1.18", "fit.png", "15"],
    ]
    assert one.stdout.count("\n") == 1
    shown = json.loads(park("fetch", "--json", SID, "1.1.18", spool=shelf.spool).stdout)
    assert shown[0]["sha256"] == shelf.rows[2].sha256


def test_the_files_of_a_job_are_copied_under_their_names(shelf: Shelf, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = park("fetch", SID, "1.1.17", "-o", out, spool=shelf.spool)
    assert result.exit_code == FINE
    assert result.stdout.splitlines() == [str(out / "fit.png"), str(out / "tables" / "best.txt")]
    assert (out / "tables" / "best.txt").read_bytes() == b"x\ty\n"
    assert sorted(os.listdir(out)) == ["fit.png", "tables"]


def test_one_file_by_its_name_and_a_folder_for_each_job_of_a_session(shelf: Shelf, tmp_path: Path) -> None:
    assert park("fetch", SID, "1.1.17", "fit.png", "-o", tmp_path / "one", spool=shelf.spool).exit_code == FINE
    assert os.listdir(tmp_path / "one") == ["fit.png"]
    assert park("fetch", SID, "-o", tmp_path / "all", spool=shelf.spool).exit_code == FINE
    assert (tmp_path / "all" / "1.1.18" / "fit.png").read_bytes() == b"another picture"


def test_what_is_not_there_is_said(shelf: Shelf) -> None:
    for words, sentence in (
        (("1.1.17", "fit.jpg"), "no file 'fit.jpg' was kept of job 1.1.17"),
        (("1.1.99",), "no file was kept of job 1.1.99"),
        (("1.1",), "names several jobs"),
        (("best",), "is no job"),
    ):
        result = park("fetch", SID, *words, spool=shelf.spool)
        assert result.exit_code == FAILED and sentence in result.stderr


def test_nothing_is_overwritten_and_the_same_is_left(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "fit.png").write_bytes(b"mine")
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "best.txt").write_bytes(b"x\ty\n")
    result = park("fetch", SID, "1.1.17", "-o", tmp_path, spool=shelf.spool)
    assert result.exit_code == FAILED and "nothing was overwritten" in result.stderr
    assert (tmp_path / "fit.png").read_bytes() == b"mine"
    assert result.stdout == f"{tmp_path / 'tables' / 'best.txt'}\n"


@pytest.mark.parametrize("damage", [b"another thing", None])
def test_a_file_that_is_damaged_or_gone_is_not_copied_and_the_others_are(
    shelf: Shelf, tmp_path: Path, damage: bytes | None
) -> None:
    path = shelf.kept / shelf.rows[0].sha256
    path.unlink()
    if damage is not None:
        path.write_bytes(damage)
    result = park("fetch", SID, "1.1.17", "-o", tmp_path / "out", spool=shelf.spool)
    assert result.exit_code == FAILED
    assert ("SHA-256 differs" in result.stderr) == (damage is not None)
    assert os.listdir(tmp_path / "out") == ["tables"]


@pytest.mark.parametrize("name", ["../fit.png", "/etc/passwd", "a/../../b", "", ".", "a\0b", "//host/x"])
def test_no_name_leads_out_of_the_folder(name: str) -> None:
    with pytest.raises(DataError, match="leads out of"):
        fetching.place(Path("out"), name)


def test_a_digest_is_no_path(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    row = FileRow("1.1.1", "a", "../secret", 1)
    with pytest.raises(DataError, match="is no SHA-256"):
        fetching.copy(tmp_path / "kept" / row.sha256, tmp_path / "out", row)


def test_without_an_archive_a_sentence_says_so(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    result = park("fetch", SID, spool=shelf.spool)
    assert result.exit_code == FAILED and "archive" in result.stderr
    with pytest.raises(NotFound):
        fetching.chosen([], (), SID)
