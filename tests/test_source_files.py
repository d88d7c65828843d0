"""A folder of this machine as a source: what is below its root is read, links followed, and nothing else."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from partial_file import PartialFile
from test_source_paths import NAMES

from park_spool.errors import DataError, TemporaryError
from park_spool.sources.fetching import fetch
from park_spool.sources.files import FileSource, _open_without_links
from park_spool.sources.settings import SourceSettings
from park_spool.sources.source import CHUNK, Changed, NotThere, Refused
from park_spool.store.facts import Facts

SECRET = b"not for sessions"

NOBODY = 65534


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "outside").write_bytes(SECRET)
    (tmp_path / "data-too").mkdir()
    (tmp_path / "data-too" / "x").write_bytes(SECRET)
    root = tmp_path / "data"
    (root / "run7").mkdir(parents=True)
    for number in (1, 2, 10):
        (root / "run7" / f"film{number}.ort").write_text(f"film {number}")
    return root


@pytest.fixture
def source(root: Path) -> FileSource:
    return FileSource(SourceSettings("disk", f"file://{root}/"))


def content(source: FileSource, path: str, offset: int = 0) -> bytes:
    with source.open(path, offset, source.facts(path)) as chunks:
        return b"".join(chunks)


def test_a_file_is_read_from_any_byte_on(source: FileSource, root: Path) -> None:
    data = os.urandom(2 * CHUNK + 3)
    (root / "a%2e b.ort").write_bytes(data)
    assert content(source, "/a%2e b.ort") == data
    assert content(source, "/a%2e b.ort", CHUNK + 1) == data[CHUNK + 1 :]
    assert source.facts("/a%2e b.ort") == Facts(len(data), modified=(root / "a%2e b.ort").stat().st_mtime)


def test_a_file_is_fetched(source: FileSource, tmp_path: Path) -> None:
    partial = PartialFile(tmp_path / "partial")
    facts = fetch(source, "/run7/film1.ort", partial, tries=1, pause=lambda _: None, said=print)
    assert partial.content == b"film 1" and facts.size == 6


def test_links_are_followed_as_long_as_they_stay_inside(source: FileSource, root: Path) -> None:
    (root / "newest").symlink_to("run7")
    (root / "film").symlink_to(root / "run7" / "film1.ort")
    assert content(source, "/newest/film2.ort") == b"film 2" and content(source, "/film") == b"film 1"


@pytest.mark.parametrize("target", ["../outside", "{}/outside", "../data-too/x", "/etc/passwd", "run7/../../outside"])
def test_a_link_that_leaves_is_refused(source: FileSource, root: Path, target: str) -> None:
    (root / "link").symlink_to(target.format(root.parent))
    (root / "up").symlink_to("..")
    for path in ("/link", "/up/outside"):
        with pytest.raises(DataError, match=f"disk:{path} is a link that leaves the source"):
            source.facts(path)
    assert source.names("/*") == [] and source.names("/run7/*1.ort") == ["/run7/film1.ort"]
    with pytest.raises(DataError, match="leaves"):
        source.names("/up/*")


def test_what_is_no_file(source: FileSource, root: Path) -> None:
    os.mkfifo(root / "pipe")
    (root / "circle").symlink_to("circle")
    (root / "nowhere").symlink_to("nothing")
    for path in ("/run7", "/pipe", "/circle", "/nowhere", "/x", "/run7/film1.ort/x", "/" + "a" * 300):
        with pytest.raises(DataError, match=f"^disk:{path}"):
            source.facts(path)
    with pytest.raises(NotThere):
        source.facts("/x")


def test_a_link_that_is_put_in_after_the_look_is_not_followed(root: Path) -> None:
    (root / "link").symlink_to("run7")
    for path in (root / "link" / "film1.ort", root / "run7" / "link"):
        (root / "run7" / "link").unlink(missing_ok=True)
        (root / "run7" / "link").symlink_to("film1.ort")
        with pytest.raises(OSError):
            _open_without_links(path)


def test_rights_are_the_administrators_matter() -> None:
    me = os.geteuid()
    with tempfile.TemporaryDirectory() as folder:  # pytest's own may not be entered by others
        Path(folder).chmod(0o755)
        (Path(folder) / "film1.ort").touch(mode=0)
        os.seteuid(me or NOBODY)  # root may read everything
        try:
            with pytest.raises(Refused, match="may not be read"):
                FileSource(SourceSettings("here", f"file://{folder}/")).facts("/film1.ort")
        finally:
            os.seteuid(me)


def test_a_root_that_is_away_may_come_back(tmp_path: Path) -> None:
    with pytest.raises(TemporaryError, match=r"its folder .* is not there"):
        FileSource(SourceSettings("disk", f"file://{tmp_path}/unmounted/")).facts("/x")


def test_a_file_that_changes_is_told(source: FileSource, root: Path) -> None:
    path = root / "run7" / "film1.ort"
    facts = source.facts("/run7/film1.ort")
    with pytest.raises(Changed, match="changed while"), source.open("/run7/film1.ort", 0, facts) as chunks:
        next(chunks)
        path.write_text("another film")
        list(chunks)
    with pytest.raises(Changed), source.open("/run7/film1.ort", 0, facts):
        pass


def test_names(source: FileSource, root: Path) -> None:
    (root / "run8").mkdir()
    (root / "run8" / "film1.ort").touch()
    (root / "run8" / ".film.ort").touch()
    (root / "run8" / "what?.ort").touch()
    assert source.names("/run7/*.ort") == ["/run7/film1.ort", "/run7/film10.ort", "/run7/film2.ort"]
    assert source.names("/run?/film1.ort") == ["/run7/film1.ort", "/run8/film1.ort"]
    assert source.names("/run[!7]/*") == ["/run8/film1.ort"]
    assert source.names("/run8/.*") == ["/run8/.film.ort"]
    assert source.names("/*") == [] and source.names("/*/*/x") == []
    with pytest.raises(NotThere):
        source.names("/run9/*")


def test_too_many_names_are_too_many(source: FileSource, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("park_spool.sources.expanding.MOST_NAMES", 2)
    with pytest.raises(DataError, match="more than 2 files; write it narrower"):
        source.names("/run7/*")


@settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(NAMES)
def test_no_hostile_path_reads_what_is_outside(source: FileSource, text: str) -> None:
    for path in (text, f"/{text}", f"/run7/{text}/../outside"):
        with pytest.raises(DataError):
            source.facts(path)
