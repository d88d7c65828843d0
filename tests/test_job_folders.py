"""Folders of jobs: new, empty again, and gone, whatever was left in them."""

from __future__ import annotations

from pathlib import Path

from park_spool.running.job_folders import emptied, fresh, remove


def test_a_name_that_is_taken_is_passed_over(tmp_path: Path) -> None:
    assert fresh(tmp_path / "a" / "job") == tmp_path / "a" / "job"
    assert fresh(tmp_path / "a" / "job") == tmp_path / "a" / "jobx"


def test_an_empty_folder_is_used_again_and_a_full_one_is_made_anew(tmp_path: Path) -> None:
    folder = fresh(tmp_path / "job")
    before = folder.stat().st_ino
    assert emptied(folder).stat().st_ino == before
    (folder / "left").touch()
    assert not list(emptied(folder).iterdir())


def test_read_only_folders_are_removed_and_links_not_followed(tmp_path: Path) -> None:
    (own := tmp_path / "own").mkdir()
    (own / "file").touch()
    folder = fresh(tmp_path / "job")
    (folder / "link").symlink_to(own)
    (deep := folder / "deep" / "er").mkdir(parents=True)
    (deep / "file").touch()
    for path in (deep, deep.parent, folder):
        path.chmod(0o500)
    remove(folder)
    assert not folder.exists() and (own / "file").exists()


def test_a_folder_that_became_something_else_is_removed_too(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path)
    for name in ("file", "link", "absent"):
        remove(tmp_path / name)
    assert list(tmp_path.iterdir()) == []
