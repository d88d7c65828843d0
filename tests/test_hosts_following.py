"""A hosts file that changes while a master runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from park_spool.errors import HostsError
from park_spool.hosts.following import Following

ONE, TWO = "10.0.0.1 n1.example n1\n", "10.0.0.2 n2.example n2\n"


class File:
    """A hosts file, who follows it, and what was told."""

    def __init__(self, path: Path, *wanted: str) -> None:
        self.path, self.said = path, list[str]()
        self.write(ONE)
        self.following = Following(path, wanted)

    def write(self, text: str) -> None:
        self.path.write_text(text)
        os.utime(self.path, ns=(0, 0))  # two changes within one step of the file system's clock

    def changed(self) -> list[str] | None:
        hosts = self.following.changed(self.said.append)
        return None if hosts is None else [host.alias for host in hosts]


@pytest.fixture
def file(tmp_path: Path) -> File:
    return File(tmp_path / "hosts")


def test_a_change_is_read_once(file: File) -> None:
    assert [host.alias for host in file.following.read()] == ["n1"]
    assert file.changed() is None
    file.write(ONE + TWO)
    assert (file.changed(), file.changed(), file.said) == (["n1", "n2"], None, [])


def test_a_change_that_alters_neither_size_nor_time_is_seen(file: File) -> None:
    file.following.read()
    file.write(ONE.replace("n1", "n3"))
    assert file.changed() == ["n3"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("10.0.0.1 n1.example n1:x\n", "hosts, line 1: "),
        ("", "names no machine"),
        (None, "cannot be read"),
    ],
)
def test_what_is_wrong_is_told_once_and_the_hosts_stay(file: File, text: str | None, why: str) -> None:
    file.following.read()
    if text is None:
        file.path.unlink()
    else:
        file.write(text)
    assert (file.changed(), file.changed()) == (None, None)
    [said] = file.said
    assert why in said and said.endswith("the hosts stay as they were")
    file.write(TWO)
    assert file.changed() == ["n2"]


def test_hosts_that_were_named_stay_the_only_ones(tmp_path: Path) -> None:
    file = File(tmp_path / "hosts", "n1")
    file.following.read()
    file.write(ONE + TWO)
    assert file.changed() == ["n1"]
    file.write(TWO)
    assert file.changed() is None
    assert "has no 'n1'" in file.said[0]


def test_a_file_that_is_wrong_at_first_is_refused(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("what?")
    with pytest.raises(HostsError, match="line 1"):
        Following(tmp_path / "hosts", ()).read()
