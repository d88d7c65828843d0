"""Data is picked from where it may be: nothing outside a root, nothing that is not for the user."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from centre_site import datad, make_spool

from park_spool import config
from park_spool.composing import browsing
from park_spool.composing.browsing import Listing, listing, places
from park_spool.config import Config
from park_spool.data_centre import DataCentre
from park_spool.errors import DataError, NotFound
from park_spool.sources.settings import SourceSettings


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    (root / "run7").mkdir(parents=True)
    (root / "run7" / "film.ort").write_text("1 2 3")
    (root / "a.ort").write_text("1")
    (root / ".hidden").write_text("no")
    (tmp_path / "secret").mkdir()
    (root / "out").symlink_to(tmp_path / "secret")
    (root / "in").symlink_to(root / "run7")
    (root / "gone").symlink_to(root / "nowhere")
    return root


@pytest.fixture
def site(tmp_path: Path, root: Path) -> Config:
    config.make_spool(tmp_path / "spool")
    return replace(config.load(tmp_path / "spool"), data_roots=(root,))


def names(found: Listing) -> list[str]:
    return [entry.name for entry in found.entries]


def test_a_root_is_listed_folders_first_without_what_leads_out(site: Config, root: Path) -> None:
    found = listing(site, "wei", "root:0")
    assert names(found) == ["in", "run7", "a.ort"]
    assert found.above is None
    assert found.entries[2].href == str(root / "a.ort")
    below = listing(site, "wei", "root:0", found.entries[1].path)
    assert [(one.name, one.href, one.bytes) for one in below.entries] == [("film.ort", f"{root}/run7/film.ort", 5)]
    assert below.above == ""


@pytest.mark.parametrize("path", ["..", "run7/../..", "/etc", "out", "nowhere", "a.ort", "x\0y", "gone", "a" * 5000])
def test_nothing_else_is_listed(site: Config, path: str) -> None:
    with pytest.raises(DataError):
        listing(site, "wei", "root:0", path)


@pytest.mark.parametrize("key", ["root:1", "root:-1", "store", "source:beamline", ""])
def test_a_place_that_is_not_there(site: Config, key: str) -> None:
    with pytest.raises(NotFound):
        listing(site, "wei", key)


def test_of_a_large_folder_a_part_is_listed(site: Config, root: Path) -> None:
    for number in range(browsing.MOST + 5):
        (root / "run7" / f"{number}.ort").touch()
    found = listing(site, "wei", "root:0", "run7")
    assert (len(found.entries), found.left_out) == (browsing.MOST, True)


def test_a_source_that_is_not_for_a_user_is_not_offered(site: Config) -> None:
    source = SourceSettings("beamline", "file:///x", users=("wei",))
    open_to_all = SourceSettings("public", "file:///y")
    with_centre = replace(site, datacenter=("http://127.0.0.1:1",), sources=(source, open_to_all))
    assert [one.key for one in places(with_centre, "wei")] == ["root:0", "store", "source:beamline", "source:public"]
    assert [one.key for one in places(with_centre, "anna")] == ["root:0", "store", "source:public"]


def test_a_data_centre_is_listed_by_what_it_holds_and_by_what_a_source_has(tmp_path: Path) -> None:
    run = tmp_path / "remote" / "run7"
    run.mkdir(parents=True)
    for name in ("a.ort", "b.ort", "notes.txt"):
        (run / name).write_text(name)
    spool = make_spool(tmp_path, beamline=f"file://{tmp_path}/remote")
    with datad(spool) as centre:
        told = spool / "park.toml"
        told.write_text(f'datacenter = ["{centre.url}"]\n' + told.read_text())
        site = config.load(spool)
        (tmp_path / "put.ort").write_text("1 2")
        DataCentre(site, "wei").put("mine/put.ort", tmp_path / "put.ort")
        held = listing(site, "wei", "store", "PUT")
        assert [(one.href, one.bytes) for one in held.entries] == [("put:/mine/put.ort", 3)]
        found = listing(site, "wei", "source:beamline", "/run7/*.ort")
        assert [one.href for one in found.entries] == [
            "beamline:/run7/*.ort",
            "beamline:/run7/a.ort",
            "beamline:/run7/b.ort",
        ]
        assert listing(site, "wei", "source:beamline", "/run7/*.dat").entries == ()
