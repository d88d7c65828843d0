"""Sessions that one account sends for many: whose they are, whatever others try, and whenever somebody is killed."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from test_admission import WITH_DATA, XML, admitted, finished, killed_anywhere, look, rejected, zipped
from world import World

from park_spool import admitted as admitting
from park_spool import senders, submit
from park_spool.atomic import Disk
from park_spool.check import check
from park_spool.errors import SessionError, SpoolError
from park_spool.sources.settings import SourceSettings
from park_spool.submit import Parcel
from park_spool.tending.admission import Admission

KINDS = ("film.xml", "film", "film.zip")
STRANGER = 54321  # a user's number that is neither root's nor the spool's owner's


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def parcel(folder: Path, kind: str, xml: str = "") -> Parcel:
    """Return a submission of a kind, as its sender has it."""
    path = folder / "outside" / kind
    path.parent.mkdir(exist_ok=True)
    if kind.endswith(".xml"):
        path.write_text(xml or XML)
    elif kind.endswith(".zip"):
        path.write_bytes(zipped({"film.xml": xml or WITH_DATA, "data/d.txt": "1 2 3"}))
    else:
        (path / "data").mkdir(parents=True)
        (path / "film.xml").write_text(xml or WITH_DATA)
        (path / "data" / "d.txt").write_text("1 2 3")
    return submit.read(path)


def owner(world: World, sid: str) -> str:
    return admitting.decode((world.layout.session(sid) / "session.json").read_bytes()).owner


@pytest.mark.parametrize("kind", KINDS)
def test_a_session_sent_for_a_user_is_that_users_and_nothing_else_of_it_is_changed(
    world: World, tmp_path: Path, kind: str
) -> None:
    sent = parcel(tmp_path, kind)
    sid = submit.send(world.member(), sent, "wei")
    assert look(world, Admission(world.member())) == [sid]
    folder = world.layout.session(sid)
    assert owner(world, sid) == "wei"
    assert (folder / "session.xml").read_text() == (XML if kind == "film.xml" else WITH_DATA)
    files = [path.relative_to(folder / "files").as_posix() for path in (folder / "files").rglob("*") if path.is_file()]
    assert files == ([] if kind == "film.xml" else ["data/d.txt"])
    finished(world)


@pytest.mark.parametrize("kind", KINDS)
def test_whose_a_session_is_survives_a_kill_anywhere(tmp_path: Path, kind: str) -> None:
    sids: list[str] = []

    def send(world: World, number: int) -> None:
        sids.append(submit.send(world.member(), parcel(tmp_path / str(number), kind), "wei"))

    for world, how in killed_anywhere(tmp_path, send, 80):
        assert admitted(world) == sids[-1:], how
        assert owner(world, sids[-1]) == "wei", how


@pytest.mark.parametrize("kind", KINDS)
def test_a_rejection_survives_a_kill_anywhere_and_names_the_user(tmp_path: Path, kind: str) -> None:
    def send(world: World, number: int) -> None:
        submit.send(world.member(), parcel(tmp_path / str(number), kind, "<session><group/></session>"), "wei")

    for world, how in killed_anywhere(tmp_path, send, 80):
        reasons = rejected(world)
        assert len(reasons) == 1, how
        assert "It was sent for wei." in next(iter(reasons.values()))
        assert admitted(world) == []


def test_what_goes_back_into_the_inbox_is_still_its_users(world: World, tmp_path: Path) -> None:
    sid = submit.send(world.member(), parcel(tmp_path, "film"), "wei")
    admission = Admission(world.member())
    assert admission.finish(sid) is None
    begun = world.layout.admitting(sid)
    begun.mkdir()
    next(world.layout.inbox.iterdir()).rename(begun / "files")
    assert admission.finish(sid, b"other bytes than were seen before") is None
    assert [path.name for path in next(world.layout.inbox.iterdir()).iterdir() if path.name == senders.MARKER]
    found = look(world, admission)
    assert [owner(world, one) for one in found] == ["wei"]
    finished(world)


def test_a_rejected_session_that_is_mended_and_put_back_is_still_its_users(world: World, tmp_path: Path) -> None:
    submit.send(world.member(), parcel(tmp_path, "film", "<session><group/></session>"), "wei")
    admission = Admission(world.member())
    look(world, admission)
    put_aside = next(path for path in world.layout.rejected.iterdir() if path.is_dir())
    (put_aside / "session.xml").write_text(WITH_DATA)
    put_aside.rename(world.layout.inbox / "mended")
    assert [owner(world, sid) for sid in look(world, admission)] == ["wei"]


class Owned(Disk):
    """A disk on which some names are a stranger's, or the markers of others are linked."""

    strange: tuple[str, ...] = ()

    def stat(self, path: Path) -> os.stat_result | None:
        found = super().stat(path)
        return self._seen(path, found)

    def read_owned(self, path: Path) -> tuple[bytes, int] | None:
        found = super().read_owned(path)
        return (found[0], STRANGER) if found and path.name in self.strange else found

    def _seen(self, path: Path, found: os.stat_result | None) -> os.stat_result | None:
        if found is None or path.name not in self.strange:
            return found
        return os.stat_result((*found[:4], STRANGER, *found[5:]))


def strange(*names: str) -> type[Owned]:
    return type("Strange", (Owned,), {"strange": names})


def open_to_others(folder: Path) -> None:
    folder.chmod(0o777)


def link_marker(folder: Path) -> None:
    marker = folder / senders.MARKER
    marker.rename(folder.parent.parent / "elsewhere")
    marker.symlink_to(folder.parent.parent / "elsewhere")


def tear_marker(folder: Path) -> None:
    (folder / senders.MARKER).write_bytes(senders.marker("wei")[:-5])


def write(text: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / senders.MARKER).write_bytes(text) and None


def nothing(folder: Path) -> None:
    pass


@pytest.mark.parametrize(
    ("change", "disk"),
    [
        (nothing, strange(senders.MARKER)),
        (nothing, strange("files")),
        (open_to_others, Disk),
        (tear_marker, Disk),
        (write(b""), Disk),
        (write(b"\xff" * 10_000), Disk),
        (write(senders.sealed.seal_json({"user": ""})), Disk),
        (write(senders.sealed.seal_json({"user": ["root"]})), Disk),
        (write(senders.sealed.seal_json({"user": "wei\nroot"})), Disk),
        (write(senders.sealed.seal(b"[" * 3000 + b"\n")), Disk),
    ],
)
def test_a_marker_that_is_not_believed_is_one_more_file(
    world: World, tmp_path: Path, change: Callable[[Path], None], disk: type[Disk]
) -> None:
    submit.send(world.member(), parcel(tmp_path, "film"), "wei")
    change(next(world.layout.inbox.iterdir()))
    (sid,) = look(world, Admission(world.member(disk)))
    assert owner(world, sid) == world.root.owner()
    assert (world.layout.session(sid) / "files" / senders.MARKER).is_file()
    assert check(world.root) == []


def test_a_marker_that_is_a_link_is_rejected_like_any_link(world: World, tmp_path: Path) -> None:
    submit.send(world.member(), parcel(tmp_path, "film"), "wei")
    link_marker(next(world.layout.inbox.iterdir()))
    assert look(world, Admission(world.member())) == []
    assert ".sender is not a plain file" in next(iter(rejected(world).values()))


def test_a_marker_in_a_zip_is_not_believed(world: World) -> None:
    marker = senders.marker("root").decode()
    (world.layout.inbox / "film.zip").write_bytes(zipped({"film.xml": XML, senders.MARKER: marker}))
    (sid,) = look(world, Admission(world.member()))
    assert owner(world, sid) == world.root.owner()


@pytest.mark.parametrize("kind", ["film", "film.zip"])
def test_a_submission_with_a_marker_of_its_own_is_not_sent_for_anybody(world: World, tmp_path: Path, kind: str) -> None:
    sent = parcel(tmp_path, kind)
    if kind == "film":
        (tmp_path / "mine").write_bytes(senders.marker("root"))
        sent = replace(sent, files={**(sent.files or {}), senders.MARKER: tmp_path / "mine"})
    else:
        sent.path.write_bytes(zipped({"film.xml": XML, senders.MARKER: "mine"}))
    with pytest.raises(SessionError, match="cannot name a file"):
        submit.send(world.member(), sent, "wei")
    assert not any(world.layout.inbox.iterdir())
    assert not any(world.layout.tmp.iterdir())


def test_a_name_that_is_none_is_refused(world: World, tmp_path: Path) -> None:
    with pytest.raises(SessionError, match="cannot name a user"):
        submit.send(world.member(), parcel(tmp_path, "film.xml"), "wei\nroot")
    assert not any(world.layout.inbox.iterdir())


def test_whose_it_is_can_be_told_wherever_it_lies(world: World, tmp_path: Path) -> None:
    submit.send(world.member(), parcel(tmp_path, "film", "<session><group/></session>"), "wei")
    submit.send(world.member(), parcel(tmp_path, "film.xml"))
    disk = world.member().disk
    found = {senders.sender(disk, path, world.root) for path in world.layout.inbox.iterdir()}
    assert found == {"wei", world.root.owner()}
    look(world, Admission(world.member()))
    assert {senders.sender(disk, path, world.root) for path in world.layout.rejected.glob("film")} == {"wei"}
    assert senders.sender(disk, world.layout.inbox / "gone", world.root) == ""


def test_a_source_that_is_for_some_users_is_held_against_the_user(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    source = SourceSettings("beamline", f"file://{tmp_path}/source", users=("wei",))
    world = World(tmp_path, sources=(source,))
    xml = XML.replace("<task", "<dataSet><data name='d' href='beamline:/d.txt'/></dataSet><task")
    for user in ("wei", "anna"):
        submit.send(world.member(), parcel(tmp_path, "film.xml", xml), user)
    (sid,) = look(world, Admission(world.member()))
    assert owner(world, sid) == "wei"
    assert "is not for anna" in next(iter(rejected(world).values()))


def test_who_is_not_believed_cannot_send_for_others(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = parcel(tmp_path, "film.xml")
    monkeypatch.setattr("os.geteuid", lambda: STRANGER)
    with pytest.raises(SpoolError, match="cannot send for others"):
        submit.send(world.member(), sent, "wei")
    assert not any(world.layout.inbox.iterdir())


def test_ones_own_session_needs_no_marker(world: World, tmp_path: Path) -> None:
    sid = submit.send(world.member(), parcel(tmp_path, "film.xml"), world.root.owner())
    assert [path.name for path in world.layout.inbox.iterdir()] == [f"{sid}.film.xml"]
    assert next(world.layout.inbox.iterdir()).is_file()


def test_a_marked_folder_that_was_moved_in_is_whole_at_once_and_no_other(world: World, tmp_path: Path) -> None:
    sid = submit.send(world.member(), parcel(tmp_path, "film"), "wei")
    submit.send(world.member(), submit.read(tmp_path / "outside" / "film"))
    admission = Admission(world.member())
    admission.inbox.heard(path.name for path in world.layout.inbox.iterdir())
    assert admission.step() == [sid]
    assert len(list(world.layout.inbox.iterdir())) == 1
