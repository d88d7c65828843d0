"""A pattern in a session becomes all files of an experiment: as words, at the admission, and with real daemons."""

from __future__ import annotations

import json
import logging
import os
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from console import park
from daemons import Site, until
from remotes import Nginx, Raw, raw
from test_admission import CHOSEN, admitted, finished, look, rejected
from world import Clock, Killed, World, dying_disk, state

from park_spool import config, matching, naming
from park_spool.admitted import Admitted
from park_spool.atomic import Disk
from park_spool.catalog.registry import Registry
from park_spool.cli.serving import choose_port
from park_spool.errors import DataError, PermanentError, SessionError, TemporaryError
from park_spool.places import Places
from park_spool.sessions import datasets
from park_spool.sessions.bundles_parsing import natural
from park_spool.sessions.parsing import Limits, parse_session
from park_spool.sessions.session import JobList, Session
from park_spool.sessions.writing import to_xml
from park_spool.sources.settings import SourceSettings
from park_spool.tending.admission import Admission
from park_spool.tending.begun import Begun
from park_spool.tending.janitor import Janitor
from park_spool.tending.listings import KEEP_SECONDS, MOST_AT_ONCE, Listings, Unanswered

HERE = Path(__file__).parent.parent
REGISTRY = Registry.load([HERE / "services"])
HREF = "beamline:/run7/*.ort"
DATA = f"<data name='film' href='{HREF}'/>"
FILES = ("/run7/frame10.ort", "/run7/frame2.ort", "/run7/frame1.ort")


def session(joblist: str, data: str = "", cnt: str = "") -> str:
    return (
        f"<session user='w'><group>\n<dataSet>{data}</dataSet>\n<reduce classname='Batch'/>"
        f"<task cmd='tester/noop'/>\n<joblist{cnt}>\n{joblist}\n</joblist></group></session>"
    )


def parse(xml: str, found: Sequence[str] | None = FILES, limits: Limits = Limits(), **more: Any) -> Session:  # noqa: B008
    names = None if found is None else lambda href: found
    places = Places(sources=("beamline", "put"), names=names, **more)
    return parse_session(xml.encode(), REGISTRY, limits, places=places)


def joblist(inputs: str, found: Sequence[str] | None = FILES, cnt: str = "") -> JobList:
    return parse(session(inputs, cnt=cnt), found).groups[0].joblists[0]


def hrefs(jobs: JobList) -> list[str]:
    inputs = [jobs.input(job) for job in range(1, jobs.size + 1)]
    return [child.attributes["href"] for element in inputs for child in element.children if child.tag == "data"]


# as words


def test_one_input_for_each_file_in_natural_order() -> None:
    jobs = joblist(f"<input x='1'><layer sld='3'>ox</layer>{DATA}</input>")
    assert hrefs(jobs) == [f"beamline:/run7/frame{number}.ort" for number in (1, 2, 10)]
    assert [datasets.of_input(element) for element in jobs.inputs] == ["frame1.ort", "frame2.ort", "frame10.ort"]
    for element in jobs.inputs:
        layer, data = element.children
        assert (element.attributes, layer.attributes, layer.text) == ({"x": "1"}, {"sld": "3"}, "ox")
        assert data.attributes["name"] == "film"


def test_several_inputs_are_expanded_each_in_its_place() -> None:
    one = "<input><data name='film' href='beamline:/calibration.ort'/></input>"
    other = "<input x='2'><data name='film' via='direct' href='beamline:/run?/*.ort'/></input>"
    jobs = joblist(f"<input>{DATA}</input>{one}{other}", ("/run7/b.ort", "/run7/a.ort"))
    files = ["beamline:/run7/a.ort", "beamline:/run7/b.ort"]
    assert hrefs(jobs) == [*files, "beamline:/calibration.ort", *files]
    assert [element.children[0].attributes.get("via") for element in jobs.inputs] == [None] * 3 + ["direct"] * 2


def test_cnt_repeats_the_files_in_order() -> None:
    jobs = joblist(f"<input>{DATA}</input>", cnt=" cnt='7'")
    names = [href.rpartition("/")[2] for href in hrefs(jobs)]
    assert names == ["frame1.ort", "frame2.ort", "frame10.ort"] * 2 + ["frame1.ort"]


def test_files_of_one_name_in_several_folders_are_several_data_sets() -> None:
    found = ("/2026/run10/film.ort", "/2026/run9/film.ort")
    inputs = "<input><data name='film' href='beamline:/2026/*/film.ort'/></input>"
    assert [datasets.of_input(one) for one in joblist(inputs, found).inputs] == ["run9/film.ort", "run10/film.ort"]
    named = inputs.replace("<input", "<input dataset='all'")
    assert [datasets.of_input(one) for one in joblist(named, found).inputs] == ["all", "all"]


def test_without_anybody_to_ask_a_pattern_counts_as_one_file() -> None:
    jobs = joblist(f"<input>{DATA}</input><input>{DATA}</input>", None)
    assert (jobs.size, hrefs(jobs)) == (2, [HREF, HREF])


def test_what_is_kept_of_the_session_holds_the_files() -> None:
    found = parse(session(f"<input>{DATA}</input>"))
    assert Session.from_json(json.loads(json.dumps(found.to_json()))) == found
    assert "*" not in json.dumps(found.to_json())


@pytest.mark.parametrize(
    ("xml", "line", "words"),
    [
        (session("<input/>", DATA), 2, "is a pattern; one may stand in a <data> of an <input> without a <scan>"),
        (
            session(f"<scan><axis name='x' values='1 2'/></scan>\n<input>{DATA}</input>"),
            6,
            "is a pattern; one may stand in a <data> of an <input> without a <scan> beside it, and nowhere else",
        ),
        (
            session(f"<input>{DATA}\n<data name='gold' href='beamline:/gold/*'/></input>"),
            6,
            "a second pattern in one <input>; expected one, the first is in line 5",
        ),
        (
            session(f"<input><data name='d' href='{HREF}' sha256='{'0' * 64}'/></input>"),
            5,
            "sha256 beside a pattern, which stands for many files",
        ),
        (session("<input><data name='d' href='beamline:/**/a'/></input>"), 5, "has '**'"),
        (session("<input><data name='d' href='elsewhere:/*.ort'/></input>"), 5, "names no source of this site"),
        (session("<input><data name='d' href='put:/*.ort'/></input>"), 5, "which has none; name each file"),
    ],
)
def test_what_may_not_be_is_said_with_its_line(xml: str, line: int, words: str) -> None:
    for found in (FILES, None):
        with pytest.raises(SessionError) as caught:
            parse(xml, found)
        assert words in caught.value.reason and caught.value.line == line


def test_a_pattern_that_matches_nothing_is_rejected() -> None:
    with pytest.raises(SessionError, match=r"line 5, .*href='beamline:/run7/\*\.ort' matches no file"):
        joblist(f"<input>{DATA}</input>", ())


def test_more_files_than_the_limits_allow_are_rejected() -> None:
    inputs = session(f"<input>{DATA}</input>")
    with pytest.raises(SessionError, match=r"line 5, .*stands for 3 files, more than the 2 jobs allowed"):
        parse(inputs, limits=Limits(max_jobs=2))
    with pytest.raises(SessionError, match=r"line 4, .*the inputs make 6 jobs, more than the 4 jobs allowed"):
        parse(session(f"<input>{DATA}</input>" * 2), limits=Limits(max_jobs=4))
    with pytest.raises(SessionError, match="the patterns stand for 30 elements, more than the 25 elements allowed"):
        parse(session(f"<input>{DATA}</input>" * 5), limits=Limits(max_elements=25))
    with pytest.raises(SessionError, match="a sequential <joblist> has 3 jobs, more than the 2 allowed"):
        parse(session(f"<input>{DATA}</input>", cnt=" order='sequential'"), limits=Limits(max_steps=2))
    many = "".join(f"<input><data name='d' href='beamline:/{n}/*'/></input>" for n in range(3))
    with pytest.raises(SessionError, match="more than 2 different patterns in one session"):
        parse(session(many), limits=Limits(max_patterns=2))


def test_a_file_that_a_source_makes_up_is_rejected() -> None:
    with pytest.raises(SessionError, match=r"line 5, .*climbs with '\.\.'"):
        joblist(f"<input>{DATA}</input>", ("/run7/../../etc/passwd",))


def test_a_source_is_for_its_users_alone() -> None:
    users = {"beamline": ("wei", "anna")}
    plain = session("<input/>", "<data name='d' href='beamline:/film.ort'/>")
    for xml in (plain, session(f"<input>{DATA}</input>")):
        assert parse(xml, user="wei", users=users).sizes()
        with pytest.raises(SessionError, match=r"line \d, .*the source 'beamline' is not for paul"):
            parse(xml, user="paul", users=users)
        with pytest.raises(SessionError, match="is not for somebody whom this machine does not know"):
            parse(xml, user="", users=users)


def test_natural_order_goes_by_folders_and_by_the_values_of_numbers() -> None:
    paths = ["/a", "/a/1/b", "/a/9/b", "/a/10/b", "/a01", "/a1", "/a1b2", "/a1b10", "/a²"]
    shuffled = [paths[place * 5 % 9] for place in range(9)]
    assert sorted(shuffled, key=natural) == sorted(paths, key=natural)
    assert sorted(["/a/10/b", "/a/9/b", "/a/1/b"], key=natural) == paths[1:4]
    assert sorted(["/a1b10", "/a1b2", "/a1", "/a01"], key=natural) == ["/a01", "/a1", "/a1b2", "/a1b10"]


# who is asked


@dataclass
class Remote:
    """A source by script: what it answers to the next question, and to all after the last one of the list."""

    answers: list[Sequence[str] | Exception]
    asked: list[tuple[str, str]] = field(default_factory=list)
    begun: list[Callable[[], None]] = field(default_factory=list)

    def ask(self, href: str, user: str) -> Sequence[str]:
        self.asked.append((href, user))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def start(self, work: Callable[[], None]) -> None:
        """Stand for a thread that goes on only when it is told to."""
        self.begun.append(work)

    def go_on(self) -> None:
        begun, self.begun = self.begun, []
        for work in begun:
            work()


def at_once(work: Callable[[], None]) -> None:
    work()


def test_an_answer_is_asked_for_once_kept_for_a_while_and_forgotten() -> None:
    clock, remote = Clock(), Remote([FILES, ("/new",)])
    listings = Listings(remote.ask, clock, start=remote.start)
    assert not listings.has("a", "wei") and not listings.has("a", "wei")
    with pytest.raises(Unanswered):
        listings.names("a", "wei")
    remote.go_on()
    assert listings.has("a", "wei") and listings.names("a", "wei") == FILES
    assert not listings.has("a", "anna")  # what one may see, another may not
    clock.now += KEEP_SECONDS
    assert not listings.has("a", "wei")
    remote.go_on()
    assert listings.names("a", "wei") == ("/new",)
    listings.keep([])
    with pytest.raises(Unanswered):
        listings.names("a", "wei")


def test_what_passes_is_asked_again_after_a_growing_pause() -> None:
    clock, remote, rung = Clock(), Remote([TemporaryError("away")]), []
    listings = Listings(remote.ask, clock, lambda: rung.append(1), at_once)
    times = []
    for _ in range(1000):
        before = len(remote.asked)
        assert not listings.has("a", "wei")
        times += [clock.now] * (len(remote.asked) - before)
        clock.now += 0.5
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert pauses[:7] == [1, 2, 4, 8, 16, 32, 60] and set(pauses[7:]) == {60}
    assert len(rung) == len(remote.asked)


def test_a_mistake_in_a_thread_is_logged_and_leaves_nothing_hanging(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    listings = Listings(Remote([ZeroDivisionError("oh"), FILES]).ask, clock, start=at_once)
    with caplog.at_level(logging.WARNING):
        assert not listings.has("a", "wei")
    assert "by a mistake of park-spool" in caplog.text
    clock.now += 1
    assert listings.has("a", "wei")


def test_only_so_many_are_asked_at_once() -> None:
    def none(work: Callable[[], None]) -> None:
        raise RuntimeError("can't start new thread")

    clock, remote = Clock(), Remote([FILES])
    listings = Listings(remote.ask, clock, start=remote.start)
    assert [listings.has(f"{number}", "wei") for number in range(100)] == [False] * 100
    assert len(remote.begun) == MOST_AT_ONCE
    remote.go_on()
    assert sum([listings.has(f"{number}", "wei") for number in range(100)]) == MOST_AT_ONCE
    assert not Listings(remote.ask, clock, start=none).has("a", "wei")


def test_a_real_thread_rings_when_it_knows() -> None:
    reader, writer = os.pipe()
    listings = Listings(Remote([FILES]).ask, Clock(), lambda: os.write(writer, b".") and None)
    listings.has("a", "wei")
    assert os.read(reader, 1) == b"."
    assert listings.has("a", "wei")
    os.close(reader), os.close(writer)


# at the admission


XML = session(f"<input>{DATA}</input>")
PLAIN = session("<input/>")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return world_in(tmp_path)


def world_in(folder: Path, *users: str) -> World:
    return World(folder, sources=(SourceSettings("beamline", "http://127.0.0.1:9/", users),))


def admission_of(world: World, remote: Remote, start: Any = at_once, disk: Any = None) -> Admission:
    member = world.member(disk) if disk else world.member()
    return Admission(member, Listings(remote.ask, world.clock, start=start))


def drop(world: World, name: str, xml: str = XML) -> None:
    path = world.layout.inbox / name
    if name.endswith(".zip"):
        with zipfile.ZipFile(path, "w") as package:
            package.writestr("film/film.xml", xml)
            package.writestr("film/notes.txt", "mine")
    elif name.endswith(".xml"):
        path.write_text(xml)
    else:
        path.mkdir()
        (path / "film.xml").write_text(xml)
        (path / "notes.txt").write_text("mine")


def inputs(world: World, sid: str) -> list[str]:
    record = json.loads((world.layout.session(sid) / "session.json").read_bytes())
    elements = record["groups"][0]["joblists"][0]["inputs"]
    return [child["attributes"]["href"] for element in elements for child in element["children"]]


NATURAL = [f"beamline:/run7/frame{number}.ort" for number in (1, 2, 10)]
kinds = pytest.mark.parametrize("kind", ["film.xml", "film", "film.zip", f"{CHOSEN}.film.xml"])


@kinds
def test_a_name_waits_in_the_inbox_while_others_are_admitted(world: World, kind: str) -> None:
    remote = Remote([FILES])
    admission = admission_of(world, remote, remote.start)
    drop(world, kind)
    assert look(world, admission) == []
    drop(world, "zz.xml", PLAIN)
    assert len(look(world, admission)) == 1
    assert os.listdir(world.layout.inbox) == [kind] and len(remote.begun) == 1
    assert not any(world.layout.sessions.glob(".*"))
    remote.go_on()
    [sid] = look(world, admission, 0.0, 1)
    assert inputs(world, sid) == NATURAL
    assert (world.layout.session(sid) / "session.xml").read_text() == XML
    [(href, user)] = remote.asked
    assert href == HREF and user == (world.layout.session(sid) / "session.xml").owner()
    assert rejected(world) == {}
    finished(world)


def test_what_passes_by_itself_is_waited_for(world: World) -> None:
    remote = Remote([TemporaryError("away"), TemporaryError("away"), FILES])
    drop(world, "film.xml")
    admission = admission_of(world, remote)
    [sid] = look(world, admission)
    assert (inputs(world, sid), len(remote.asked)) == (NATURAL, 3)
    finished(world)


@kinds
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (DataError("beamline:/run7 is not there"), "href='beamline:/run7/*.ort': beamline:/run7 is not there"),
        (PermanentError("beamline: does not let us in"), "line 5, column 8: <data>: href='beamline:/run7/*.ort': beam"),
        ((), "matches no file"),
    ],
)
def test_what_does_not_pass_is_the_reason_of_the_rejection(
    world: World, kind: str, answer: Sequence[str] | Exception, words: str
) -> None:
    drop(world, kind)
    assert look(world, admission_of(world, Remote([answer]))) == []
    [(name, why)] = rejected(world).items()
    assert name == kind.removeprefix(f"{CHOSEN}.") and words in why
    finished(world)


def test_what_is_rejected_anyhow_is_not_asked_for(world: World) -> None:
    remote = Remote([FILES])
    drop(world, "film.xml", XML.replace("tester/noop", "tester/missing"))
    look(world, admission_of(world, remote))
    assert "missing" in rejected(world)["film.xml"] and remote.asked == []


def test_a_session_that_changes_while_it_waits_is_asked_for_as_it_is_then(world: World) -> None:
    remote = Remote([FILES])
    admission = admission_of(world, remote, remote.start)
    drop(world, "film.xml")
    assert look(world, admission) == []
    drop(world, "film.xml", XML.replace("run7", "run12"))
    assert look(world, admission) == []
    remote.go_on()
    assert len(look(world, admission)) == 1
    assert [href for href, _ in remote.asked] == [HREF, HREF.replace("run7", "run12")]
    drop(world, "film.xml", PLAIN)
    assert len(look(world, admission)) == 1
    finished(world)


def test_the_same_pattern_is_asked_for_anew_for_every_session(world: World) -> None:
    remote = Remote([FILES[:1], FILES])
    admission = admission_of(world, remote)
    counts = []
    for _ in range(2):
        drop(world, "film.xml")
        [sid] = look(world, admission)
        counts.append(len(inputs(world, sid)))
    assert counts == [1, 3]  # there are more files now


def test_a_session_of_somebody_whom_the_source_is_not_for(tmp_path: Path) -> None:
    world, remote = world_in(tmp_path, "nobody else"), Remote([FILES])
    drop(world, "film.xml")
    drop(world, "plain.xml", session("<input/>", "<data name='d' href='beamline:/film.ort'/>"))
    who = (world.layout.inbox / "film.xml").owner()
    assert look(world, admission_of(world, remote)) == []
    assert all(f"the source 'beamline' is not for {who}" in why for why in rejected(world).values())
    assert set(rejected(world)) == {"film.xml", "plain.xml"} and remote.asked == []
    finished(world)


def test_a_session_of_somebody_whom_the_source_is_for(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    world = world_in(tmp_path, (tmp_path / "mine").owner())
    drop(world, "film.xml")
    assert len(look(world, admission_of(world, Remote([FILES])))) == 1


@kinds
def test_a_spoold_that_died_in_the_middle_leaves_nothing_that_another_has_to_wait_for(
    tmp_path: Path, kind: str
) -> None:
    """Killed before every change; who comes after it has no answer, gives the name back, and asks."""
    for number in range(60):
        world = world_in(tmp_path / str(number))
        drop(world, kind)
        try:
            look(world, admission_of(world, Remote([FILES]), disk=dying_disk([number])), 1.0, 6)
        except Killed:
            pass
        else:
            assert number > 8
            return
        recover(world, admission_of(world, Remote([FILES])))
        complete(world, kind, number)
    raise AssertionError("more system calls than expected")


@kinds
def test_a_spoold_that_dies_while_it_gives_back(tmp_path: Path, kind: str) -> None:
    """The second one is killed before every change of its recovery, the third one goes on."""
    for number in range(60):
        world = world_in(tmp_path / str(number))
        begin(world, kind)
        try:
            recover(world, admission_of(world, Remote([FILES]), disk=dying_disk([number])))
        except Killed:
            pass
        else:
            assert number > 8
            return
        recover(world, admission_of(world, Remote([FILES])))
        complete(world, kind, number)
    raise AssertionError("more system calls than expected")


def begin(world: World, kind: str) -> None:
    """Leave the `.SID` of a spoold that died as soon as it had taken a name."""
    drop(world, kind)
    chosen, file = naming.split_submitted(kind)
    folder = world.layout.admitting(chosen or CHOSEN)
    folder.mkdir()
    (folder / "received.json").write_text(json.dumps({"file": file, "owner": "w", "at": 1.0, "sid": folder.name[1:]}))
    target = {"xml": "session.xml", "zip": "submission.zip"}.get(kind.rpartition(".")[2], "files")
    (world.layout.inbox / kind).rename(folder / target)


def recover(world: World, admission: Admission) -> None:
    janitor = Janitor(world.member(), admission)
    for _ in range(10):
        janitor.step()
        admission.step()
        world.clock.now += 1000.0


def complete(world: World, kind: str, number: int) -> None:
    assert len(admitted(world)) == 1, (number, state(world))
    [sid] = admitted(world)
    assert sid == CHOSEN or CHOSEN not in kind
    assert inputs(world, sid) == NATURAL
    assert (world.layout.session(sid) / "session.xml").read_text() == XML
    if not kind.endswith(".xml"):
        assert (world.layout.session(sid) / "files" / "notes.txt").read_text() == "mine"
    assert rejected(world) == {}
    finished(world)


def test_what_goes_back_does_not_lie_over_another_of_its_name(world: World) -> None:
    begin(world, f"{CHOSEN}.film.xml")
    drop(world, f"{CHOSEN}.film.xml", PLAIN)
    assert admission_of(world, Remote([FILES])).finish(CHOSEN) is None
    assert len(os.listdir(world.layout.inbox)) == 2
    assert len(look(world, admission_of(world, Remote([FILES])))) == 2
    finished(world)


def test_a_long_name_goes_back_shortened(world: World) -> None:
    name = f"{'ü' * 120}.xml"
    begin(world, name)
    recover(world, admission_of(world, Remote([FILES])))
    assert len(admitted(world)) == 1
    finished(world)


@pytest.mark.parametrize("kind", [f"{CHOSEN}.film.xml", f"{CHOSEN}.film"])
def test_a_slow_spoold_and_one_that_gives_back_what_it_began(tmp_path: Path, kind: str) -> None:
    """RACE: before every system call of the second the first goes on, and admits what it has parsed long ago."""
    for number in range(60):
        world, left = world_in(tmp_path / str(number)), [number]
        begin(world, kind)
        Begun(world.member(), CHOSEN).open()
        record = Admitted(CHOSEN, "film", "w", 1.0, 3, parse(XML)).encode()
        slow = Admission(world.member())

        class Overtaken(Disk):
            def step(
                self,
                call: str,
                path: Path,
                left: list[int] = left,
                slow: Admission = slow,
                world: World = world,
                record: bytes = record,
            ) -> None:
                left[0] -= 1
                if left[0] == -1:
                    with suppress(FileNotFoundError):
                        slow._admit(CHOSEN, world.layout.admitting(CHOSEN), record)

        admission_of(world, Remote([FILES]), disk=Overtaken).finish(CHOSEN)
        if left[0] >= 0:
            assert number > 5
            return
        recover(world, admission_of(world, Remote([FILES])))
        complete(world, kind, number)
    raise AssertionError("more system calls than expected")


# who is really asked, and with real daemons


@pytest.fixture
def remote(tmp_path: Path, needs: Callable[[str], str]) -> Iterator[Nginx]:
    needs("nginx")
    folder = tmp_path / "remote"
    (folder / "run7").mkdir(parents=True)
    for number in (1, 2, 3, 10, 20):
        (folder / "run7" / f"frame{number}.txt").write_text(f"{number}.5")
    (folder / "run7" / "notes.md").touch()
    with Nginx(folder) as nginx:
        yield nginx


SERVICE = """
[commands.read]
mode = "function"
function = "mine:read"
takes = "dict"
"""
READ = """
from pathlib import Path

def read(values):
    return {"chisq": float(Path(values["data"]["film"]).read_text())}
"""
FRAMES = session("<input><data name='film' href='beamline:/run7/frame*.txt'/></input>").replace(
    "tester/noop", "mine/read"
)


def site_of(tmp_path: Path, remote: Nginx | Raw, *daemons: str, more: str = "", users: str = "", wait: int = 5) -> Site:
    site = Site(tmp_path, *daemons)
    toml = site.spool / "park.toml"
    source = f'[sources.beamline]\nroot = "{remote.url}"\ntimeout = {wait}\n{users}'
    toml.write_text(f'{toml.read_text()}data_cache = "{tmp_path}/cache"\n{more}\n{source}')
    site.config = config.load(site.spool)
    service = tmp_path / "services" / "mine"
    service.mkdir(parents=True)
    (service / "service.toml").write_text(SERVICE)
    (service / "mine.py").write_text(READ)
    return site


def rows(site: Site) -> list[tuple[Any, ...]]:
    return site.query("SELECT dataset, chisq FROM batch ORDER BY job_number")


FIVE = [(f"frame{number}.txt", number + 0.5) for number in (1, 2, 3, 10, 20)]


def test_the_source_itself_is_asked_where_there_is_no_centre(tmp_path: Path, remote: Nginx) -> None:
    site = site_of(tmp_path, remote)
    found = matching.ask(site.config, "beamline:/run7/frame?.txt", "wei")
    assert list(found) == ["/run7/frame1.txt", "/run7/frame2.txt", "/run7/frame3.txt"]
    with pytest.raises(DataError, match="beamline:/run8/"):
        matching.ask(site.config, "beamline:/run8/*.txt", "wei")
    with pytest.raises(DataError, match="no source of this site"):
        matching.ask(site.config, "elsewhere:/run8/*.txt", "wei")
    remote.stop()
    with pytest.raises(TemporaryError):
        matching.ask(site.config, "beamline:/run7/frame?.txt", "wei")


def test_a_centre_that_never_started_or_is_away_is_waited_for(tmp_path: Path, remote: Nginx) -> None:
    more = f'datacenter = ["http://127.0.0.1:{choose_port("127.0.0.1", 0)}"]'
    site = site_of(tmp_path, remote, more=more)
    with pytest.raises(TemporaryError, match="the data centre makes it when it starts first"):
        matching.ask(site.config, "beamline:/run7/frame?.txt", "wei")
    site.config.secret.write_text("a token")
    with pytest.raises(TemporaryError, match="cannot be reached"):
        matching.ask(site.config, "beamline:/run7/frame?.txt", "wei")
    fallen = replace(site.config, direct_fallback=True)
    assert len(matching.ask(fallen, "beamline:/run7/frame?.txt", "wei")) == 3


def test_all_files_of_an_experiment_are_one_line(tmp_path: Path, remote: Nginx) -> None:
    """The remote is down at first: its session waits, another one does not, and a crash of spoold loses nothing."""
    remote.stop()
    with site_of(tmp_path, remote) as site:
        site.drop_text("frames.xml", FRAMES)
        until(lambda: "asked for again" in site.logs(), 30, "the first question")
        site.drop_text("plain.xml", session("<input/>"))
        until(lambda: site.closed() == 1, 60, "closing of the other")
        assert os.listdir(site.spool / "inbox") == ["frames.xml"]
        site.kill("spoold")
        site.start("spoold")
        remote.start()
        until(lambda: site.closed() == 2, 90, "closing")
        assert site.states() == {"frames.xml": "done", "plain.xml": "done"}
        assert rows(site) == FIVE
        site.assert_legal()


def test_all_files_of_an_experiment_through_a_data_centre(tmp_path: Path, remote: Nginx) -> None:
    port = choose_port("127.0.0.1", 0)
    more = f'datacenter = ["http://127.0.0.1:{choose_port("127.0.0.1", 0)}", "http://127.0.0.1:{port}"]\ndata_port = {port}'
    who = tmp_path.owner()
    with site_of(tmp_path, remote, more=more, users=f'users = ["{who}"]\n') as site:
        site.drop_text(f"{CHOSEN}.frames.xml", FRAMES)
        until(lambda: "makes it when it starts first" in site.logs(), 30, "the first question")
        why = park("why", CHOSEN, spool=site.spool).stdout
        assert "until it is known which files beamline:/run7/frame*.txt stands for" in why
        site.start("datad")
        until(lambda: site.closed() == 1, 90, "closing")
        assert site.states() == {"frames.xml": "done"}
        assert rows(site) == FIVE
        asked = [line.split()[1] for line in remote.requests if line.startswith("GET")]
        assert sorted(asked) == ["/run7/", *sorted(f"/run7/{name}" for name, _ in FIVE)]
        site.drop_text("none.xml", FRAMES.replace("frame*", "film*"))
        until(lambda: (site.spool / "rejected" / "none.xml.why").exists(), 30, "its rejection")
        assert "matches no file" in (site.spool / "rejected" / "none.xml.why").read_text()
        site.assert_legal()


def test_a_remote_that_never_answers_holds_up_neither_others_nor_the_end(tmp_path: Path) -> None:
    with raw(b"", stays_open=True) as silent:
        site = site_of(tmp_path, silent, "spoold", wait=600)
        with site:
            site.drop_text("frames.xml", FRAMES)
            until(lambda: silent.asked, 30, "the question")
            site.drop_text("plain.xml", session("<input/>"))
            until(lambda: list((site.spool / "sessions").glob("2*")), 30, "admission of the other")
            assert os.listdir(site.spool / "inbox") == ["frames.xml"]
            site.processes["spoold"].terminate()
            assert site.processes["spoold"].wait(10) == 0


def test_a_drafted_batch_may_name_a_pattern() -> None:
    xml = to_xml(Session.batch("tester/noop", HREF, starts=2))
    places = Places(sources=("beamline",), names=lambda href: FILES)
    jobs = parse_session(xml, REGISTRY, Limits(), places=places).groups[0].joblists[0]
    assert [datasets.of_input(element) for element in jobs.inputs] == ["frame1.ort", "frame2.ort", "frame10.ort"] * 2
    assert {element.children[0].attributes["name"] for element in jobs.inputs} == {"data"}
