"""`park doctor` on real file systems: a local disk, tmpfs, sshfs with its caches, rclone; and with another host."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from host_site import at_home, line
from mounts import Rclone, Sshfs, needs_fuse
from remotes import Sshd, program

from park_spool import config
from park_spool.check import check
from park_spool.cli.main import main

LATE = ("dcache_timeout=2", "entry_timeout=2", "attr_timeout=2")


def doctor(spool: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["doctor", "--spool", str(spool), *words])


def values(spool: Path, *words: str) -> dict[str, Any]:
    done = doctor(spool, "--json", *words)
    [found] = json.loads(done.stdout)
    assert isinstance(found, dict) and done.exit_code == (0 if found["is_well"] else 1)
    return found


def holds(found: dict[str, Any]) -> dict[str, bool | None]:
    return {one["what"]: one["holds"] for one in found["findings"]}


def nothing_is_left(spool: Path) -> bool:
    return list((spool / "tmp").iterdir()) == [] and check(spool) == []


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory, needs: Callable[[str], str]) -> Iterator[Sshd]:
    needs(program("sshd"))
    needs_fuse(needs, "sshfs")
    folder = tmp_path_factory.mktemp("export")
    config.make_spool(folder / "spool")
    with Sshd(folder) as server:
        yield server


def test_a_local_disk_holds_everything_and_people_are_told(tmp_path: Path) -> None:
    config.make_spool(tmp_path / "spool")
    done = doctor(tmp_path / "spool")
    assert done.exit_code == 0, done.output
    assert "ok  a rename is won once       200 of 200, by both sides (" in done.stdout
    assert "flock                      keeps the other side out\n" in done.stdout
    assert "BAD" not in done.stdout and nothing_is_left(tmp_path / "spool")


@pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="there is no /dev/shm to write to")
def test_tmpfs_with_itself_as_the_second_side() -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        spool = Path(folder) / "spool"
        config.make_spool(spool)
        found = values(spool, "--beside", str(spool))
        assert found["is_well"] and not found["is_shared"] and found["mount"]["type"] == "tmpfs"
        assert False not in holds(found).values()
        assert found["measured"]["is_told"] and found["measured"]["locks"]["flock"]["excludes"]
        assert found["measured"]["locks"]["flock"]["lost"] == 0
        assert nothing_is_left(spool)


def test_what_sshfs_hides_is_seen_with_a_second_mount(sshd: Sshd, tmp_path: Path) -> None:
    with (
        Sshfs(sshd, sshd.folder, tmp_path / "a", *LATE) as one,
        Sshfs(sshd, sshd.folder, tmp_path / "b", *LATE) as other,
    ):
        (sshd.folder / "spool" / "park.toml").write_text("staleness_seconds = 0.5\n")
        found = values(one / "spool", "--beside", str(other / "spool"), "--seconds", "8")
        measured = found["measured"]
        assert (found["kind"], found["is_well"], found["is_shared"]) == ("sshfs", False, True)
        assert measured["rename"]["once"] == 200
        assert holds(found)["a new name is listed"] is False, "caches keep it for two seconds"
        assert [lock["excludes"] for lock in measured["locks"].values()] == [False, False]
        assert measured["is_told"] is False and measured["alone"]["mtime_step"] == 1.0
        assert measured["alone"]["link"] == "a file with two names says that it has 1"
        [advised] = [one for one in found["settings"] if one["key"] == "staleness_seconds"]
        assert advised["value"] >= 5 and advised["now"] == 0.5
        assert "reconnect" in found["mounting"][0]
        assert nothing_is_left(sshd.folder / "spool")


def test_another_folder_is_no_second_side(tmp_path: Path) -> None:
    for name in ("spool", "other"):
        config.make_spool(tmp_path / name)
    done = doctor(tmp_path / "spool", "--beside", str(tmp_path / "other"), "--seconds", "1")
    assert done.exit_code == 1 and "it is another folder, or its file system does not show" in done.stderr
    assert nothing_is_left(tmp_path / "spool")
    done = doctor(tmp_path / "spool", "--beside", str(tmp_path / "none"))
    assert done.exit_code == 1 and "none is no folder: expected another mount of " in done.stderr


def test_rclone_is_refused_by_init_and_by_the_doctor(tmp_path: Path, needs: Callable[[str], str]) -> None:
    needs_fuse(needs, "rclone")
    config.make_spool(tmp_path / "export" / "spool")
    with Rclone(tmp_path / "export", tmp_path / "a") as one, Rclone(tmp_path / "export", tmp_path / "b") as other:
        made = CliRunner().invoke(main, ["init", str(one / "new")])
        assert made.exit_code == 1 and "on rclone (fuse.rclone of " in made.stderr
        assert not (one / "new").exists()
        done = doctor(one / "spool", "--beside", str(other / "spool"), "--seconds", "1")
        assert done.exit_code == 1 and "which cannot carry a spool" in done.stderr


def test_another_host_is_the_second_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, needs: Any) -> None:
    needs(program("sshd"))
    spool = tmp_path / "spool"
    config.make_spool(spool)
    with Sshd(tmp_path, has_shell=True) as server:
        at_home(tmp_path / "home", monkeypatch, server)
        closed = line("n3", server).replace(f"ssh_port={server.port}", "ssh_port=1")
        (tmp_path / "hosts").write_text(closed + line("n1", server) + line("n2", server, f"spool={tmp_path}/other"))
        found = values(spool, "--host", "n1", "--seconds", "8")
        assert found["beside"] == f"{spool} on n1" and found["is_well"]
        assert found["measured"]["is_two_sided"] and abs(found["measured"]["skew"]) < 1
        config.make_spool(tmp_path / "other")
        done = doctor(spool, "--host", "n2", "--seconds", "1")
        assert done.exit_code == 1 and f"{tmp_path}/other (" in done.stderr and "it is another folder" in done.stderr
        done = doctor(spool, "--host", "n3")
        assert done.exit_code == 1 and done.stdout.strip() == "" and "n3" in done.stderr
    assert nothing_is_left(spool)
