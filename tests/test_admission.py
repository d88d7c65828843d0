"""From a name in the inbox to an admitted session or a reason: whatever lies there, in pieces, broken, or twice at once."""

from __future__ import annotations

import errno
import io
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from world import SESSION, Killed, World, dying_disk, state

from park_spool import naming
from park_spool.atomic import Disk
from park_spool.check import check
from park_spool.sessions import submission
from park_spool.tending import admission
from park_spool.tending.admission import Admission
from park_spool.tending.janitor import TMP_SECONDS, Janitor

XML = SESSION.format(many=2, few=1)
WITH_DATA = XML.replace("<task", "<dataSet><data name='d' href='data/d.txt'/></dataSet><task")
CHOSEN = "20261123-025532-k3j9"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def inbox(world: World) -> Path:
    return world.layout.inbox


def admitted(world: World) -> list[str]:
    return sorted(path.name for path in world.layout.sessions.glob("2*"))


def rejected(world: World) -> dict[str, str]:
    """Name → reason of what was rejected; each has one."""
    names = {path.name for path in world.layout.rejected.iterdir() if not path.name.endswith(".why")}
    return {name: (world.layout.rejected / f"{name}.why").read_text() for name in names}


def look(world: World, admission: Admission, seconds: float = 1.0, looks: int = 20) -> list[str]:
    found: list[str] = []
    for _ in range(looks):
        found += admission.step()
        world.clock.now += seconds
    return found


def finished(world: World) -> None:
    """Nothing lies about: neither in the inbox, nor half admitted, nor under a temporary name."""
    assert check(world.root) == []
    assert not any(world.layout.inbox.iterdir()), state(world)
    assert not any(world.layout.sessions.glob(".*")), state(world)
    assert not any(world.layout.tmp.iterdir()), state(world)


def zipped(files: dict[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for name, text in files.items():
            package.writestr(name, text)
    return buffer.getvalue()


# when a file is whole


def test_a_file_that_inotify_saw_closed_is_admitted_at_the_first_look(world: World, inbox: Path) -> None:
    (inbox / "film.xml").write_text(XML)
    admission = Admission(world.member())
    admission.inbox.heard(["film.xml"])
    [sid] = admission.step()
    record = json.loads((world.layout.session(sid) / "session.json").read_bytes())
    assert record["admission"]["file"] == "film.xml"
    assert (world.layout.session(sid) / "session.xml").read_text() == XML
    finished(world)


def test_a_copy_in_slow_pieces_is_admitted_once_it_is_whole(world: World, inbox: Path) -> None:
    admission = Admission(world.member())
    data = XML.encode()
    for stop in range(0, len(data), 40):
        (inbox / "film.xml").write_bytes(data[:stop])
        assert look(world, admission, 2.0, 3) == []
    assert not any(world.layout.rejected.iterdir())
    (inbox / "film.xml").write_bytes(data)
    assert len(look(world, admission)) == 1
    finished(world)


def test_a_closed_hint_for_half_a_file_waits(world: World, inbox: Path) -> None:
    """scp and some editors close a file and open it again."""
    admission = Admission(world.member())
    (inbox / "film.xml").write_text(XML[:200])
    admission.inbox.heard(["film.xml"])
    assert look(world, admission, 1.0, 5) == []
    (inbox / "film.xml").write_text(XML)
    assert len(admission.step()) == 1
    finished(world)


def test_a_malformed_file_is_rejected_after_ten_still_seconds(world: World, inbox: Path) -> None:
    admission = Admission(world.member())
    (inbox / "film.xml").write_text(XML[:200])
    look(world, admission, 1.0, 9)
    assert rejected(world) == {}
    look(world, admission, 1.0, 3)
    [why] = rejected(world).values()
    assert why.startswith("film.xml: line 6, column 1: the file ends")
    assert "nothing of it was run" in why
    finished(world)


def test_a_well_formed_file_that_is_no_session_is_rejected_when_it_is_whole(world: World, inbox: Path) -> None:
    (inbox / "film.xml").write_text(XML.replace("tester/noop", "tester/missing"))
    admission = Admission(world.member())
    look(world, admission, 0.2, 3)
    assert "missing" in rejected(world)["film.xml"]
    finished(world)


class Changing(Disk):
    """Somebody goes on writing into the file that was just taken, through a handle opened before."""

    text = XML.replace("wwchen", "someone")

    def _rename(self, source: Path, target: Path) -> None:
        super()._rename(source, target)
        if target.name == "session.xml" and self.text:
            target.write_text(self.text)
            type(self).text = ""


def test_bytes_that_change_after_the_take_go_back(world: World, inbox: Path) -> None:
    (inbox / "film.xml").write_text(XML)
    admission = Admission(world.member(type("Once", (Changing,), {})))
    admission.inbox.heard(["film.xml"])
    assert admission.step() == []
    [back] = inbox.iterdir()
    assert back.name.endswith(".film.xml")
    assert "someone" in back.read_text()
    [sid] = look(world, admission)
    assert back.name.startswith(sid)
    assert "someone" in (world.layout.session(sid) / "session.xml").read_text()
    finished(world)


def test_bytes_that_go_back_take_another_name_where_theirs_is_taken(world: World, inbox: Path) -> None:
    class Both(Changing):
        def _rename(self, source: Path, target: Path) -> None:
            super()._rename(source, target)
            if target.name == "session.xml" and not (inbox / "film.xml").exists():
                (inbox / "film.xml").write_text(XML)

    (inbox / "film.xml").write_text(XML)
    admission = Admission(world.member(Both))
    admission.inbox.heard(["film.xml"])
    assert admission.step() == []
    assert len(list(inbox.iterdir())) == 2
    assert len(look(world, Admission(world.member()))) == 2
    finished(world)


def test_a_second_file_of_the_same_name_is_not_held_against_the_first(world: World, inbox: Path) -> None:
    """A spoold that looks seldom takes a still file without parsing it: what it parsed before was another file."""
    admission = Admission(world.member())
    (inbox / "film.xml").write_text(XML)
    admission.inbox.heard(["film.xml"])
    assert len(admission.step()) == 1
    (inbox / "film.xml").write_text(XML.replace("wwchen", "someone"))
    assert len(look(world, admission, 30.0, 3)) == 1
    (inbox / "film.xml").mkdir()
    (inbox / "film.xml" / "session.xml").write_text(XML)
    assert len(look(world, admission, 30.0, 3)) == 1
    assert len(admitted(world)) == 3
    finished(world)


# folders and zips


def test_a_folder_is_admitted_with_its_files_when_nothing_in_it_changed(world: World, inbox: Path) -> None:
    (inbox / "film" / "data").mkdir(parents=True)
    (inbox / "film" / "film.xml").write_text(WITH_DATA)
    admission = Admission(world.member())
    for size in range(1, 6):
        (inbox / "film" / "data" / "d.txt").write_text("x" * size)
        assert look(world, admission, 1.0, 2) == []
    [sid] = look(world, admission)
    assert (world.layout.session(sid) / "files" / "data" / "d.txt").read_text() == "xxxxx"
    assert (world.layout.session(sid) / "session.xml").read_text() == WITH_DATA
    finished(world)


def test_a_folder_named_like_a_session_is_a_folder(world: World, inbox: Path) -> None:
    (inbox / "x.xml").mkdir()
    (inbox / "x.xml" / "session.xml").write_text(XML)
    assert len(look(world, Admission(world.member()))) == 1
    finished(world)


@pytest.mark.parametrize("top", ["", "film/"])
def test_a_zip_is_admitted_with_its_files(world: World, inbox: Path, top: str) -> None:
    (inbox / "film.zip").write_bytes(zipped({f"{top}film.xml": WITH_DATA, f"{top}data/d.txt": "1 2 3"}))
    [sid] = look(world, Admission(world.member()))
    assert (world.layout.session(sid) / "files" / "data" / "d.txt").read_text() == "1 2 3"
    assert (world.layout.session(sid) / "submission.zip").exists()
    assert sorted(os.listdir(world.layout.session(sid))) == [
        "files",
        "received.json",
        "session.json",
        "session.xml",
        "submission.zip",
    ]
    finished(world)


def damaged(change: Callable[[bytearray], None]) -> bytes:
    data = bytearray(zipped({"film.xml": XML, "data.txt": "1 2 3 " * 1000}))
    change(data)
    return bytes(data)


def flip_contents(data: bytearray) -> None:
    start = data.index(b"data.txt") + 8
    for at in range(start, start + 20):
        data[at] ^= 0x5A


def linking() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        package.writestr("film.xml", XML)
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        package.writestr(link, "/etc/passwd")
    return buffer.getvalue()


def bomb() -> bytes:
    return zipped({"film.xml": XML, "zeroes": bytes(2_000_000)})


def lying_bomb() -> bytes:
    """A zip whose directory says that its member is small."""
    data = bytearray(bomb())
    size = (2_000_000).to_bytes(4, "little")
    for _ in range(data.count(size)):
        at = data.index(size)
        data[at : at + 4] = (10).to_bytes(4, "little")
    return bytes(data)


ZIPS: dict[str, tuple[Callable[[], bytes], str]] = {
    "no zip": (lambda: b"PK\x03\x04 and nothing else", "not a zip that can be read"),
    "empty file": (lambda: b"", "not a zip that can be read"),
    "empty zip": (lambda: zipped({}), "needs one session"),
    "cut": (lambda: zipped({"film.xml": XML})[:-30], "not a zip that can be read"),
    "flipped contents": (lambda: damaged(flip_contents), "not a zip that can be read"),
    "traversal": (lambda: zipped({"film.xml": XML, "../../evil": "x"}), "points out of the zip"),
    "traversal with backslashes": (lambda: zipped({"film.xml": XML, "..\\..\\evil": "x"}), "points out of the zip"),
    "absolute": (lambda: zipped({"film.xml": XML, "/tmp/evil": "x"}), "points out of the zip"),
    "link": (linking, "is a link"),
    "bomb": (bomb, "may hold 1,000,000 bytes at most"),
    "lying bomb": (lying_bomb, "not a zip that can be read"),
    "many files": (lambda: zipped({f"{n}.txt": "" for n in range(30)}), "may hold 20 files at most"),
    "a file and a folder of one name": (lambda: zipped({"film.xml": XML, "a": "x", "a/b": "x"}), "not a zip that"),
    "too long a name": (lambda: zipped({"film.xml": XML, "n" * 300: "x"}), "not a zip that can be read"),
    "two sessions": (lambda: zipped({"a.xml": XML, "b.xml": XML}), "found a.xml, b.xml"),
    "no session": (lambda: zipped({"d.txt": "x"}), "found none"),
    "a folder called session.xml": (lambda: zipped({"session.xml/x": "x", "y": "y"}), "found none"),
    "a session that is none": (lambda: zipped({"film.xml": "<session/>"}), "film.zip: line 1"),
}


@pytest.mark.parametrize("kind", ZIPS)
def test_a_bad_zip_is_rejected_whole_and_nothing_of_it_stays(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submission, "MAX_FILES", 20)
    world = World(tmp_path, max_submission_bytes=1_000_000)
    make, sentence = ZIPS[kind]
    data = make()
    (world.layout.inbox / "film.zip").write_bytes(data)
    assert look(world, Admission(world.member())) == []
    assert sentence in rejected(world)["film.zip"]
    assert (world.layout.rejected / "film.zip").read_bytes() == data
    assert {path.name for path in tmp_path.iterdir()} == {"spool"}
    finished(world)


def test_every_damaged_byte_of_a_zip_is_met(tmp_path: Path) -> None:
    """Each is admitted or rejected with a reason; none stops the line."""
    data = zipped({"film.xml": XML, "d.txt": "1 2 3 " * 30})
    world = World(tmp_path)
    for at in range(0, len(data), 3):
        damaged = bytearray(data)
        damaged[at] ^= 0xFF
        (world.layout.inbox / f"{at}.zip").write_bytes(damaged)
    look(world, Admission(world.member()), 4.0, 3)
    assert len(admitted(world)) + len(rejected(world)) == len(range(0, len(data), 3))
    finished(world)


def test_a_folder_with_a_link_is_rejected(world: World, inbox: Path, tmp_path: Path) -> None:
    (inbox / "film").mkdir()
    (inbox / "film" / "film.xml").write_text(XML)
    (inbox / "film" / "data").symlink_to(tmp_path)
    look(world, Admission(world.member()))
    assert "may not hold links" in rejected(world)["film"]
    assert (world.layout.rejected / "film" / "film.xml").read_text() == XML
    assert (tmp_path / "spool").is_dir()
    finished(world)


def test_a_rejected_folder_keeps_all_its_files(world: World, inbox: Path) -> None:
    """Its session file stands beside a file with the folder's own name: neither is written over the other."""
    (inbox / "x.xml").mkdir()
    (inbox / "x.xml" / "session.xml").write_text("<session/>")
    (inbox / "x.xml" / "x.xml").write_text("<mine/>")
    look(world, Admission(world.member()))
    assert (world.layout.rejected / "x.xml" / "session.xml").read_text() == "<session/>"
    assert (world.layout.rejected / "x.xml" / "x.xml").read_text() == "<mine/>"
    finished(world)


# what else people drop


def test_unknown_kinds_are_rejected_in_words(world: World, inbox: Path, tmp_path: Path) -> None:
    (inbox / "notes.txt").write_text("hello")
    (inbox / "link.xml").symlink_to(tmp_path / "elsewhere.xml")
    (inbox / "film").write_text(XML)
    os.mkfifo(inbox / "fifo.xml")
    look(world, Admission(world.member()))
    assert set(rejected(world)) == {"notes.txt", "link.xml", "film", "fifo.xml"}
    assert all("expected a session as NAME.xml, a folder or NAME.zip" in why for why in rejected(world).values())
    assert (world.layout.rejected / "link.xml").is_symlink()
    finished(world)


def test_dot_names_are_left_alone(world: World, inbox: Path) -> None:
    (inbox / ".film.xml.swp").write_text("x")
    look(world, Admission(world.member()))
    assert os.listdir(inbox) == [".film.xml.swp"]


@pytest.mark.parametrize(
    "name", [b"caf\xe9.xml", b"caf\xe9.txt", b"n" * 251 + b".xml", b"n" * 255, b"a\nb.xml", "ü.xml".encode()]
)
@pytest.mark.parametrize("text", [XML, "<session/>", "not XML"])
def test_odd_names_neither_stop_the_line_nor_get_lost(world: World, inbox: Path, name: bytes, text: str) -> None:
    (inbox / os.fsdecode(name)).write_text(text)
    (inbox / "zz.xml").write_text(XML)
    look(world, Admission(world.member()))
    assert len(admitted(world)) + len(rejected(world)) == 2
    finished(world)


class Forbidding(Disk):
    """Files that the spool's account may not read, or folders that it may not move."""

    call = ""
    ending = ""

    def step(self, call: str, path: Path) -> None:
        if call in self.call.split() and path.name.endswith(self.ending):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))


def forbidding(call: str, ending: str) -> type[Disk]:
    return type("Forbids", (Forbidding,), {"call": call, "ending": ending})


def test_an_unreadable_file_is_rejected_in_words(world: World, inbox: Path) -> None:
    (inbox / "film.xml").write_text(XML)
    (inbox / "zz.xml").write_text(XML)
    disk = forbidding("read stat", "film.xml")

    class Unreadable(disk):  # type: ignore[misc,valid-type]
        def read(self, path: Path) -> bytes | None:
            if path.name == "session.xml" and "film" in (path.parent / "received.json").read_text():
                raise PermissionError(errno.EACCES, "Permission denied", str(path))
            data: bytes | None = super().read(path)
            return data

    assert len(look(world, Admission(world.member(Unreadable)))) == 1
    assert "cannot be read: Permission denied" in rejected(world)["film.xml"]
    finished(world)


def test_an_unreadable_data_file_is_rejected_in_words(world: World, inbox: Path) -> None:
    (inbox / "film").mkdir()
    (inbox / "film" / "film.xml").write_text(XML)
    (inbox / "film" / "d.txt").write_text("1 2 3")
    assert look(world, Admission(world.member(forbidding("fsync", "d.txt")))) == []
    assert "d.txt cannot be read: Permission denied" in rejected(world)["film"]
    finished(world)


def test_a_name_that_may_not_be_moved_does_not_stop_the_line(world: World, inbox: Path) -> None:
    """A folder of another user cannot be renamed out of its parent without the right to write in it."""
    (inbox / "film").mkdir()
    (inbox / "film" / "film.xml").write_text(XML)
    (inbox / "zz.xml").write_text(XML)
    assert len(look(world, Admission(world.member(forbidding("rename", "files"))))) == 1
    assert os.listdir(inbox) == ["film"]
    assert not any(world.layout.sessions.glob(".*"))
    assert rejected(world) == {}


def test_a_full_disk_rejects_nothing_and_leaves_no_names(world: World, inbox: Path) -> None:
    class Full(Disk):
        @staticmethod
        def _write(descriptor: int, data: bytes) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (inbox / "notes.txt").write_text("hello")
    full = Admission(world.member(Full))
    for _ in range(20):
        world.clock.now += 5
        try:
            full.step()
        except OSError as error:
            assert error.errno == errno.ENOSPC
    assert os.listdir(world.layout.rejected) == []
    assert os.listdir(inbox) == ["notes.txt"]
    look(world, Admission(world.member()))
    assert set(rejected(world)) == {"notes.txt"}


def test_what_was_rejected_before_is_never_overwritten(world: World, inbox: Path) -> None:
    admission = Admission(world.member())
    for text in ("one", "two", "three"):
        (inbox / "film.xml").write_text(text)
        look(world, admission)
        (world.layout.rejected / "film.xml.why").unlink(missing_ok=True)  # somebody tidied up
    for number in (1, 2):
        (inbox / "film").mkdir()
        (inbox / "film" / f"{number}.txt").touch()
        look(world, admission)
        (world.layout.rejected / "film.why").unlink(missing_ok=True)
    texts = sorted(path.read_text() for path in world.layout.rejected.glob("film*.xml"))
    assert texts == ["one", "three", "two"]
    assert sorted(path.name for path in world.layout.rejected.glob("film*/*")) == ["1.txt", "2.txt"]
    assert not any(world.layout.sessions.glob(".*"))


# who is who


def test_two_files_of_one_name_become_two_sessions(world: World, inbox: Path) -> None:
    admission = Admission(world.member())
    for _ in range(2):
        (inbox / "film.xml").write_text(XML)
        assert len(look(world, admission)) == 1
    assert len(admitted(world)) == 2
    finished(world)


def test_a_free_sid_that_the_sender_chose_is_taken(world: World, inbox: Path) -> None:
    (inbox / f"{CHOSEN}.film.xml").write_text(XML)
    assert look(world, Admission(world.member())) == [CHOSEN]
    record = json.loads((world.layout.session(CHOSEN) / "session.json").read_bytes())
    assert record["admission"]["file"] == "film.xml"
    finished(world)


@pytest.mark.parametrize("place", ["session", "closed_session", "bundles"])
def test_a_sid_that_is_taken_gives_way_to_a_new_one(world: World, inbox: Path, place: str) -> None:
    (inbox / f"{CHOSEN}.one.xml").write_text(XML)
    admission = Admission(world.member())
    assert look(world, admission) == [CHOSEN]
    if place != "session":
        world.layout.session(CHOSEN).rename(getattr(world.layout, place)(CHOSEN))
    (inbox / f"{CHOSEN}.two.xml").write_text(XML)
    [sid] = look(world, admission)
    assert sid != CHOSEN
    assert not any(inbox.iterdir())


def test_a_chosen_sid_survives_a_crash_in_the_middle(world: World, inbox: Path) -> None:
    """The sender waits for that SID: it is waited for too while its empty `.SID` stands."""
    name = f"{CHOSEN}.film.xml"
    (inbox / name).write_text(XML)
    doomed = Admission(world.member(dying_disk([1])))
    doomed.inbox.heard([name])
    with pytest.raises(Killed):
        doomed.step()
    assert os.listdir(world.layout.admitting(CHOSEN)) == []
    admission = Admission(world.member())
    janitor = Janitor(world.member(), admission)
    for _ in range(30):
        janitor.step()
        admission.step()
        world.clock.now += 10.0
    assert admitted(world) == [CHOSEN]
    finished(world)


def test_a_chosen_sid_is_kept_where_two_spoolds_take_one_name_at_once(world: World, inbox: Path) -> None:
    """Who sent it knows it by that id: `park wait` looks for it, and another session may wait for it."""

    class Late(Admission):
        def _is_being_admitted(self, name: str) -> bool:
            is_begun = super()._is_being_admitted(name)
            world.layout.admitting(CHOSEN).mkdir(exist_ok=True)  # RACE: by another, between two looks
            return is_begun

    (inbox / naming.submitted_name(CHOSEN, "film.xml")).write_text(XML)
    late = Late(world.member())
    late.inbox.heard(os.listdir(inbox))
    assert late.step() == []
    assert (os.listdir(inbox), admitted(world)) == ([naming.submitted_name(CHOSEN, "film.xml")], [])
    world.layout.admitting(CHOSEN).rmdir()
    assert look(world, Admission(world.member())) == [CHOSEN]
    finished(world)


def test_two_files_under_one_sid_are_both_kept(world: World, inbox: Path) -> None:
    """RACE: the second took its `.SID` between the first one's rename to SID and its own look."""
    world.layout.admitting(CHOSEN).mkdir()
    (world.layout.admitting(CHOSEN) / "session.xml").write_text(XML)
    (inbox / f"{CHOSEN}.one.xml").write_text(XML)
    [sid] = look(world, admission_of_free(world, CHOSEN))
    assert sid == CHOSEN
    world.layout.admitting(CHOSEN).mkdir()
    (world.layout.admitting(CHOSEN) / "session.xml").write_text(XML)
    assert Admission(world.member()).finish(CHOSEN) is None
    assert "sent twice under one id" in rejected(world)[f"{CHOSEN}.xml"]
    finished(world)


def admission_of_free(world: World, sid: str) -> Admission:
    for path in world.layout.admitting(sid).iterdir():
        path.unlink()
    world.layout.admitting(sid).rmdir()
    return Admission(world.member())


# crashes and rivals


def killed_anywhere(tmp_path: Path, send: Callable[[World, int], object], most: int) -> Iterator[tuple[World, str]]:
    """Give the world, and what to say of it, after an admission was killed before its n-th call and another finished it.

    For every n, until one is not killed any more; `send` puts into the inbox of the n-th world what is admitted.
    """
    for number in range(most):
        world = World(tmp_path / str(number))
        send(world, number)
        doomed = Admission(world.member(dying_disk([number])))
        try:
            look(world, doomed, 1.0, 6)
        except Killed:
            pass
        else:
            assert number > 8
            return
        admission = Admission(world.member())
        janitor = Janitor(world.member(), admission)
        for _ in range(8):
            janitor.step()
            admission.step()
            world.clock.now += 1000.0
        yield world, f"{number}: {state(world)}"
        finished(world)
    raise AssertionError("more system calls than expected")


@pytest.mark.parametrize("kind", ["film.xml", "film", "film.zip", f"{CHOSEN}.film.xml"])
def test_an_admission_killed_anywhere_is_finished_by_another(tmp_path: Path, kind: str) -> None:
    for world, how in killed_anywhere(tmp_path, lambda world, number: drop(world, kind), 60):
        assert len(admitted(world)) == 1, how


def drop(world: World, kind: str) -> None:
    path = world.layout.inbox / kind
    if kind.endswith(".xml"):
        path.write_text(XML)
    elif kind.endswith(".zip"):
        path.write_bytes(zipped({"film.xml": WITH_DATA, "data/d.txt": "1 2 3"}))
    else:
        (path / "data").mkdir(parents=True)
        (path / "film.xml").write_text(WITH_DATA)
        (path / "data" / "d.txt").write_text("1 2 3")


@pytest.mark.parametrize("kind", ["film.xml", "film", "film.zip"])
def test_two_spoolds_finish_one_admission_at_once(tmp_path: Path, kind: str) -> None:
    """Before every system call of the one, another finishes the whole of it: admitted once, by one of them."""
    for number in range(60):
        world = World(tmp_path / str(number))
        drop(world, kind)
        left = [number]

        class Overtaken(Disk):
            def step(self, call: str, path: Path, world: World = world, left: list[int] = left) -> None:
                begun = [found.name[1:] for found in world.layout.sessions.glob(".2*")]
                if begun and left[0] == 0:
                    left[0] -= 1
                    Admission(world.member()).finish(begun[0])
                elif begun:
                    left[0] -= 1

        look(world, Admission(world.member(Overtaken)), 1.0, 8)
        assert len(admitted(world)) == 1, (number, state(world))
        assert rejected(world) == {}
        finished(world)
        if left[0] >= 0:
            assert number > 8
            return
    raise AssertionError("more system calls than expected")


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_zip_that_is_admitted_by_another_while_it_is_unpacked(
    world: World, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """Unpacking on must not make the `.SID` again that the other has renamed: that would be a second session."""
    unpack = submission.unpack
    turns = [1]

    def overtaken(archive: Path, folder: Path, max_bytes: int) -> None:
        if not turns or when == "after":
            unpack(archive, folder, max_bytes)
        if turns and turns.pop():
            opened = io.BytesIO(archive.read_bytes())
            [begun] = [path.name[1:] for path in world.layout.sessions.glob(".2*")]
            assert Admission(world.member()).finish(begun) == begun
            if when == "before":
                with zipfile.ZipFile(opened) as package:  # as unpack goes on that had opened the file before
                    package.extractall(folder)

    drop(world, "film.zip")
    monkeypatch.setattr(submission, "unpack", overtaken)
    look(world, Admission(world.member()), 1.0, 8)
    assert len(admitted(world)) == 1
    assert rejected(world) == {}
    finished(world)


def test_two_spoolds_take_one_name_at_once(tmp_path: Path) -> None:
    """Before every system call of the one, another looks through the inbox: the session is admitted once."""
    for number in range(40):
        world = World(tmp_path / str(number))
        drop(world, "film.xml")
        left = [number]

        class Overtaken(Disk):
            def step(self, call: str, path: Path, world: World = world, left: list[int] = left) -> None:
                left[0] -= 1
                if left[0] == -1:
                    rival = Admission(world.member())
                    rival.inbox.heard(["film.xml"])
                    rival.step()

        admission = Admission(world.member(Overtaken))
        admission.inbox.heard(["film.xml"])
        look(world, admission, 1.0, 4)
        assert len(admitted(world)) == 1, (number, state(world))
        finished(world)


def test_an_empty_leftover_is_removed_and_a_full_one_finished_only_after_a_while(world: World) -> None:
    empty, full = "20261123-025532-aaaa", "99999999-999999-bbbb"  # the second is no date: any name of the form may come
    world.layout.admitting(empty).mkdir()
    world.layout.admitting(full).mkdir()
    (world.layout.admitting(full) / "session.xml").write_text(XML)
    janitor = Janitor(world.member(), Admission(world.member()))
    for _ in range(12):
        assert janitor.step() == []
        world.clock.now += 10.0
    assert len(list(world.layout.sessions.glob(".*"))) == 2
    world.clock.now += 10.0
    assert janitor.step() == [full]
    finished(world)


def test_an_empty_leftover_without_a_date_is_removed(world: World) -> None:
    world.layout.admitting("99999999-999999-bbbb").mkdir()
    assert Admission(world.member()).finish("99999999-999999-bbbb") is None
    finished(world)


@pytest.mark.parametrize(
    "received", [b"", b"{", b"[]", b'{"file": "x.xml"}', b'{"file": "x.xml", "owner": "", "at": null}']
)
def test_a_torn_note_of_receipt_does_not_stop_the_admission(world: World, received: bytes) -> None:
    world.layout.admitting(CHOSEN).mkdir()
    (world.layout.admitting(CHOSEN) / "session.xml").write_text(XML)
    (world.layout.admitting(CHOSEN) / admission.RECEIVED).write_bytes(received)
    assert Admission(world.member()).finish(CHOSEN) == CHOSEN
    finished(world)


# temporary names


def test_still_temporary_names_go_after_an_hour_files_and_folders(world: World) -> None:
    tmp = world.layout.tmp
    (tmp / "h1_1_000000.1").write_text("half a reply")
    (tmp / "h1_1_000000.0" / "sub").mkdir(parents=True)  # a `park submit` that was killed while it copied
    (tmp / "h1_1_000000.0" / "sub" / "d.txt").write_text("half of it")
    (tmp / "growing").mkdir()
    janitor = Janitor(world.member(), Admission(world.member()))
    for number in range(4):
        (tmp / "growing" / "d.txt").write_text("x" * number)
        janitor.step()
        world.clock.now += TMP_SECONDS / 2.5
    assert [path.name for path in tmp.iterdir()] == ["growing"]


def test_the_owner_of_a_dropped_file_is_remembered(world: World, inbox: Path) -> None:
    (inbox / "film.xml").write_text(XML)
    owner = (inbox / "film.xml").owner()
    [sid] = look(world, Admission(world.member()))
    assert json.loads((world.layout.session(sid) / "session.json").read_bytes())["admission"]["owner"] == owner


def test_sids_are_unique_within_a_second(world: World, inbox: Path) -> None:
    for number in range(20):
        (inbox / f"{number}.xml").write_text(XML)
    assert len(look(world, Admission(world.member()))) == 20
    assert all(naming.is_sid(sid) for sid in admitted(world))
    finished(world)


class LateRename(Disk):
    """A disk on which a slow spoold's rename into `.SID` happens just before this one looks what to clear away."""

    late: Path | None = None

    def step(self, call: str, path: Path) -> None:
        if call == "unlink" and path.name == "received.json" and self.late is not None and self.late.exists():
            self.late.rename(path.parent / "session.xml")


def test_a_submission_that_comes_in_while_an_empty_folder_is_cleared_is_kept(tmp_path: Path) -> None:
    world = World(tmp_path)
    folder = world.layout.admitting("20261123-025532-k3j9")
    folder.mkdir()
    (folder / "received.json").write_text('{"file": "film.xml", "owner": "w", "at": 1.0}')
    world.submit()
    LateRename.late = world.layout.inbox / "film.xml"
    admission = Admission(world.member(LateRename))
    assert admission.finish("20261123-025532-k3j9") is None
    assert (folder / "session.xml").exists()
    assert admission.finish("20261123-025532-k3j9") == "20261123-025532-k3j9"


class FailingMove(Disk):
    """A share on which the rename of a submission happens and is reported as EIO, and so is the look that follows."""

    def _rename(self, source: Path, target: Path) -> None:
        super()._rename(source, target)
        if target.name == "session.xml":
            raise OSError(errno.EIO, "Input/output error")

    def names(self, folder: Path, hidden: bool = False) -> list[str]:
        if hidden:
            raise OSError(errno.EIO, "Input/output error")
        return super().names(folder, hidden)


def test_a_submission_whose_rename_and_look_both_fail_is_kept(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.submit()
    admission = Admission(world.member(FailingMove))
    admission.inbox.heard(["film.xml"])
    with pytest.raises(OSError, match="Input/output"):
        admission.step()
    [kept] = world.layout.sessions.glob(".2*/session.xml")
    assert Admission(world.member()).finish(kept.parent.name[1:]) == kept.parent.name[1:]
    assert check(world.root) == []
