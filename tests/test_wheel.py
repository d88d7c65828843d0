"""Wheels that are put together from what is installed here."""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
import zipfile
from email.parser import Parser
from importlib import metadata
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_packaging import PROJECT, files_of_the_checkout
from wheels import run

from park_spool.errors import ConfigError, InstallError, NotFound
from park_spool.installing import wheel, wheelhouse


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> wheel.Wheel:
    return wheel.own_wheel(tmp_path_factory.mktemp("packed"))


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_park_spools_own_wheel_has_every_file_of_the_package_and_nothing_else(packed: wheel.Wheel) -> None:
    names = {name for name in members(packed.path) if ".dist-info/" not in name}
    assert names == set(files_of_the_checkout())


def test_it_is_what_the_build_tool_makes_of_the_checkout(packed: wheel.Wheel, tmp_path: Path) -> None:
    root = Path(__file__).resolve().parent.parent
    source = tmp_path / "source"
    ignored = shutil.ignore_patterns(".*", "__pycache__", "tests", "build", "*.egg-info", "spool", "docs")
    shutil.copytree(root, source, ignore=ignored)
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, source)
    (built,) = tmp_path.glob("*.whl")
    ours, theirs = members(packed.path), members(built)
    info = f"park_spool-{PROJECT['version']}.dist-info"
    said_otherwise = {f"{info}/{name}" for name in ("RECORD", "WHEEL", "METADATA")}
    assert built.name == packed.path.name
    assert set(ours) == set(theirs)
    assert [name for name in ours if ours[name] != theirs[name] and name not in said_otherwise] == []
    described = [Parser().parsestr(each[f"{info}/METADATA"].decode()) for each in (ours, theirs)]
    for key in ("Name", "Version", "Requires-Dist", "Provides-Extra", "Requires-Python"):
        assert described[0].get_all(key) == described[1].get_all(key), f"{key}: `make` installs anew"


def test_the_same_files_make_the_same_wheel(packed: wheel.Wheel, tmp_path: Path) -> None:
    again = wheel.own_wheel(tmp_path)
    assert again.digest == packed.digest and again.path.read_bytes() == packed.path.read_bytes()


def test_without_an_installation_there_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(wheel.metadata, "distributions", lambda name: iter(()))
    with pytest.raises(NotFound, match=r"was not installed here"):
        wheel.own_wheel(tmp_path)


@pytest.mark.parametrize("name", ["click", "psutil", "ruff"])
def test_a_package_that_is_packed_again_installs_with_all_its_files(name: str, tmp_path: Path) -> None:
    """ruff has a program in bin/, psutil a compiled part."""
    path = wheel.repack(metadata.distribution(name), tmp_path)
    target = tmp_path / "target"
    run(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", target, path)
    for file in metadata.files(name) or ():
        if file.suffix == ".pyc" or ".dist-info" in file.parts[0]:
            continue
        there = target / ("bin/" + file.name if "bin" in file.parts else file)
        assert there.read_bytes() == Path(str(file.locate())).read_bytes(), file


def test_a_record_is_right(tmp_path: Path) -> None:
    path = wheel.repack(metadata.distribution("click"), tmp_path)
    found = members(path)
    (record,) = [name for name in found if name.endswith("/RECORD")]
    rows = list(csv.reader(found[record].decode().splitlines()))
    assert {row[0] for row in rows} == set(found) and [row[1:] for row in rows if row[0] == record] == [["", ""]]
    assert all(int(row[2]) == len(found[row[0]]) for row in rows if row[0] != record)


def test_what_did_not_come_from_a_wheel_is_named(tmp_path: Path) -> None:
    info = tmp_path / "odd-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: odd\nVersion: 1.0\n")
    with pytest.raises(NotFound, match=r"^odd was not installed from a wheel here"):
        wheel.repack(metadata.PathDistribution(info), tmp_path)
    (info / "WHEEL").write_text("Tag: py3-none-any\n")
    (info / "RECORD").write_text("odd.py,,\nodd-1.0.dist-info/METADATA,,\n")
    with pytest.raises(NotFound, match=r"^odd cannot be packed: .*odd\.py is gone"):
        wheel.repack(metadata.PathDistribution(info), tmp_path)


@given(st.lists(st.sampled_from(["lib", "bin", "share", "x.py"]), min_size=1), st.integers(0, 3))
def test_no_file_leaves_its_wheel(words: list[str], ups: int) -> None:
    inside = wheel._name_inside(PurePosixPath(*[".."] * ups, *words), "t-1", set())
    assert inside is not None and ".." not in PurePosixPath(inside).parts and not inside.startswith("/")


# folders of wheels


def test_what_is_needed_goes_on_through_what_that_needs() -> None:
    plain, fit = wheelhouse.needed(()), wheelhouse.needed(("fit",))
    assert {"numpy", "cryptography", "werkzeug", "packaging"} <= set(plain) < set(fit)
    assert {"scipy", "refnx", "h5py"} == {"scipy", "refnx", "h5py"} & set(fit) - set(plain)
    assert "pytest" not in fit and "park-spool" not in fit


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(wheelhouse, "needed", lambda extras: ["no-such-package"])
    with pytest.raises(InstallError, match=r"^no-such-package is needed and not installed here"):
        wheelhouse.pack(tmp_path, ())


def test_a_folder_without_wheels_is_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^--wheels: expected a folder with wheels, got"):
        wheelhouse.wheels_in(tmp_path)


def test_what_pip_cannot_find_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with pytest.raises(InstallError, match=r"was not filled: pip reaches no package index$"):
        wheelhouse.download(tmp_path, sys.executable, ())


def test_the_help_of_pip_has_what_is_used() -> None:
    said = subprocess.run([sys.executable, "-m", "pip", "--help"], capture_output=True, text=True, check=True).stdout
    assert "--python" in said
