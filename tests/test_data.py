"""Data sets are found where an href may point, and nowhere else."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest

from park_spool.errors import DataError
from park_spool.places import Places
from park_spool.sessions.data import check_href, digest, resolve, with_data
from park_spool.sessions.session import DataRef, Element

FILM = b"0.01 1.0 0.1\n"
FILM_DIGEST = hashlib.sha256(FILM).hexdigest()


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    (folder / "run7").mkdir(parents=True)
    (folder / "film.txt").write_bytes(FILM)
    (folder / "run7" / "film.txt").write_bytes(FILM)
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "shared"
    folder.mkdir()
    (folder / "film.txt").write_bytes(FILM)
    (tmp_path / "secret.txt").write_text("secret")
    return folder


def ref(href: str, **more: str) -> DataRef:
    return DataRef("film", href, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("href", ["film.txt", "./film.txt", "run7/film.txt"])
def test_a_file_of_the_submission(files: Path, href: str) -> None:
    check_href(href, frozenset({"film.txt", "run7/film.txt"}))
    assert resolve(ref(href), files, ()).read_bytes() == FILM


def test_an_absolute_path_under_a_root(files: Path, root: Path) -> None:
    href = str(root / "film.txt")
    check_href(href, None, Places((files, root)))
    assert resolve(ref(href), files, (files, root)) == root / "film.txt"


def test_a_file_inside_an_installed_package(files: Path) -> None:
    href = "package:defusedxml/expatreader.py"
    check_href(href, None)
    assert resolve(ref(href), files, ()).name == "expatreader.py"


def test_the_reference_curve_is_in_refnx(files: Path) -> None:
    pytest.importorskip("refnx")
    path = resolve(ref("package:refnx/analysis/tests/c_PLP0011859_q.txt"), files, ())
    assert len(path.read_text().splitlines()) >= 408


@pytest.mark.parametrize("sha256", [None, FILM_DIGEST])
def test_the_right_digest_passes(files: Path, sha256: str | None) -> None:
    assert resolve(DataRef("film", "film.txt", sha256), files, ()) == files / "film.txt"


def test_another_digest_does_not(files: Path) -> None:
    with pytest.raises(DataError, match=f"data set 'film'.*{FILM_DIGEST}.*asks for 000"):
        resolve(ref("film.txt", sha256="0" * 64), files, ())


def test_digest(files: Path) -> None:
    assert digest(files / "film.txt") == FILM_DIGEST


@pytest.mark.parametrize(
    ("href", "words"),
    [
        ("gone.txt", "there is no file gone.txt"),
        ("run7", "there is no file run7"),
        ("../secret.txt", "climbs"),
        ("run7/../../secret.txt", "climbs"),
        ("/etc/passwd", "no root that is allowed"),
        ("link.txt", "link that leaves"),
        ("folder/secret.txt", "link that leaves"),
        ("fifo", "there is no file fifo"),
        ("package:no_such_package_here/a.txt", "not installed"),
        ("package:os/path", "not installed"),
        ("package:sys/path", "not installed"),
        ("package:__main__/a", "package:NAME"),
        ("package:defusedxml/none.txt", "there is no file none.txt"),
        ("package:defusedxml/../pip/__init__.py", "climbs"),
        ("package:defusedxml", "package:NAME"),
        ("package:/etc/passwd", "package:NAME"),
        ("package:defusedxml//etc/passwd", "package:NAME"),
    ],
)
def test_what_lies_elsewhere_is_not_reached(files: Path, root: Path, href: str, words: str) -> None:
    (files / "link.txt").symlink_to(root.parent / "secret.txt")
    (files / "folder").symlink_to(root.parent)
    os.mkfifo(files / "fifo")
    with pytest.raises(DataError, match=f"data set 'film': .*{words}"):
        resolve(ref(href), files, (root,))


def test_a_link_out_of_a_root_is_not_followed(files: Path, root: Path) -> None:
    (root / "link.txt").symlink_to(root.parent / "secret.txt")
    with pytest.raises(DataError, match="link that leaves"):
        resolve(ref(str(root / "link.txt")), files, (root,))


def test_a_folder_in_the_working_folder_is_no_package(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(DataError, match="not installed"):
        resolve(ref("package:files/film.txt"), files, ())


def test_a_package_is_not_imported_to_find_its_files(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "explosive_package"
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit('imported')")
    (package / "film.txt").write_bytes(FILM)
    monkeypatch.syspath_prepend(tmp_path)
    assert resolve(ref("package:explosive_package/film.txt"), files, ()) == package / "film.txt"


def test_an_unknown_way_is_said(files: Path) -> None:
    with pytest.raises(DataError, match="via='carrier pigeon' is not known"):
        resolve(ref("film.txt", via="carrier pigeon"), files, ())


def test_a_cut_cable_stays_an_error_that_passes(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut(path: Path) -> bool:
        raise OSError(errno.ESTALE, "Stale file handle")

    monkeypatch.setattr(Path, "is_file", cut)
    with pytest.raises(OSError, match="Stale"):
        resolve(ref("film.txt"), files, ())


def test_a_name_too_long_is_a_data_error(files: Path) -> None:
    with pytest.raises(DataError, match="data set 'film'"):
        resolve(ref("x" * 300), files, ())


@pytest.mark.parametrize(
    ("href", "files", "words"),
    [
        ("film.txt", None, "came alone"),
        ("flim.txt", frozenset({"other.txt", "film.txt"}), "files in it: film.txt, other.txt"),
        ("a\\b.txt", frozenset({"a/b.txt"}), "written with '/'"),
        ("", None, "must be"),
        ("x\0y", None, "must be"),
        ("../x", frozenset({"x"}), "climbs"),
        ("http://127.0.0.1/x", None, "source"),
        ("/etc/passwd", None, "allowed: /shared/data"),
        ("/shared/data/../../etc/passwd", None, "climbs"),
        ("/shared/database/x", None, "no root"),
        ("//shared/data/x", None, "no root"),
    ],
)
def test_an_href_is_checked_by_its_words_alone(href: str, files: frozenset[str] | None, words: str) -> None:
    with pytest.raises(DataError) as caught:
        check_href(href, files, Places((Path("/shared/data"),)))
    assert words in str(caught.value)


def test_an_input_without_data_is_itself() -> None:
    element = Element("input", {"n": "1"}, "", (Element("layer"),))
    assert with_data(element, (), lambda ref: Path(ref.href)) is element


def test_an_input_gets_the_groups_data_and_its_own_wins() -> None:
    own = Element("data", {"name": "film", "href": "mine.txt"})
    layer = Element("layer", {"sld": "2"})
    element = Element("input", {"n": "1"}, "", (own, layer))
    group = (DataRef("film", "film.txt"), DataRef("mask", "mask.txt", "ab" * 32))
    found = with_data(element, group, lambda ref: Path("/files") / ref.href)
    assert found == Element(
        "input",
        {"n": "1"},
        "",
        (
            layer,
            Element("data", {"name": "film", "href": "mine.txt", "path": "/files/mine.txt"}),
            Element(
                "data",
                {"name": "mask", "href": "mask.txt", "path": "/files/mask.txt", "sha256": "ab" * 32},
            ),
        ),
    )
