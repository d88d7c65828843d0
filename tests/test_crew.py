"""A crew with a scripted batch system: what it does when that fails, hangs, kills and forgets; nothing is left behind."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest
from world import World

from park_spool import naming, sealed
from park_spool.atomic import Disk
from park_spool.errors import ConfigError
from park_spool.member import Member
from park_spool.naming import Unit
from park_spool.pilots import records, scripts
from park_spool.pilots.cancelling import cancel_all, others
from park_spool.pilots.crew import Crew
from park_spool.pilots.profiles import Profile, read
from park_spool.pilots.records import Pilot

UNIT = Unit("20261123-025532-k3j9", 1, 1, 1, 2)


class Told:
    """An errand that has ended with these answers."""

    def __init__(self, kind: str, answers: list[Mapping[str, Any]]) -> None:
        self.kind, self._answers, self.is_over = kind, answers, False

    def poll(self) -> list[Mapping[str, Any]]:
        self.is_over, answers, self._answers = True, self._answers, []
        return answers

    wait = poll

    def kill(self) -> None:
        self.is_over = True


@dataclass
class Batch:
    """A batch system that does as it is told: `states` of its jobs and its `word` for them, `fails` with that sentence."""

    states: dict[str, str] = field(default_factory=dict)
    word: str = "said"
    fails: str = ""
    cancelled: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def _told(self, kind: str, answers: Callable[[], list[Mapping[str, Any]]]) -> Told:
        self.asked.append(kind)
        return Told(kind, [{"error": self.fails, "passes": True}] if self.fails else answers())

    def submit(self, profile: Profile, submits: Sequence[tuple[str, Path]]) -> Told:
        def answers() -> list[Mapping[str, Any]]:
            found: list[Mapping[str, Any]] = []
            for number, (text, folder) in enumerate(submits):
                job = f"{len(self.states) + 1}.server"
                self.states[job] = "queued"
                self.texts.append(text)
                found.append({"number": number, "job": job, "reach": {"folder": str(folder)}})
            return found

        return self._told("submit", answers)

    def ask(self, profile: Profile, pilots: Sequence[Pilot]) -> Told:
        told = {one.job: (self.states.get(one.job, "over"), self.word) for one in pilots}
        return self._told("states", lambda: [{"states": told}])

    def cancel(self, profile: Profile, pilots: Sequence[Pilot]) -> Told:
        def answers() -> list[Mapping[str, Any]]:
            self.cancelled += [one.job for one in pilots]
            return [{"cancelled": {one.job: "" for one in pilots}}]

        return self._told("cancel", answers)


class Site:
    """A crew on a spool of its own, with clocks that the test turns."""

    def __init__(self, world: World, batch: Batch, disk: type[Disk] = Disk, **values: object) -> None:
        self.world, self.batch = world, batch
        self.said: list[str] = []
        values = {"cpus_per_node": 4, "poll": 5.0, **values}
        self.member: Member = world.member(disk)
        self.crew = Crew(self.member, read("pbs", values), self.said.append, batch)

    def pass_(self, seconds: float) -> None:
        end = self.world.clock.now + seconds
        while self.world.clock.now < end:
            self.crew.step()
            self.world.clock.now += 0.5
        self.crew.step()

    def wait_for_work(self, count: int = 1) -> None:
        for job in range(count):
            self.world.plant_ready(Unit(UNIT.sid, 1, 1, 1 + job, 2 + job), "100-100")

    def no_work(self) -> None:
        for path in self.world.layout.ready.glob("*/*"):
            path.unlink()

    def node(self, job: str, seq: int = 1, cpus: int = 4, busy: int = 4) -> Path:
        """Let a node in a job be heard."""
        by = {"how": "pbs", "master": self.member.name, "job": job}
        name = f"h9_9_{job[0]}00000"
        report = {
            "node": name,
            "cpus": cpus,
            "busy": busy,
            "tags": ["python3.11"],
            "started_by": by,
            "state": "working",
        }
        path = self.world.layout.nodes / naming.heartbeat_name(name, seq)
        path.write_bytes(sealed.seal_json(report))
        return path

    @property
    def records(self) -> list[str]:
        return [one.job for one in records.read_own(self.member.disk, self.member.layout, os.getuid())]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(World(tmp_path), Batch())


def test_nothing_is_submitted_without_work(site: Site) -> None:
    site.pass_(30)
    assert site.batch.asked == []


def test_a_pilot_comes_for_the_first_unit_and_is_written_down(site: Site) -> None:
    site.wait_for_work()
    site.pass_(1)
    assert site.records == ["1.server"]
    [pilot] = records.read_own(site.member.disk, site.member.layout, os.getuid())
    assert (pilot.engine, pilot.profile, pilot.cpus, pilot.walltime, pilot.master) == (
        "pbs",
        "pbs",
        4,
        3600,
        site.member.name,
    )
    site.pass_(30)
    assert site.records == ["1.server"], "it is on its way, and is enough"
    site.no_work()
    assert site.world.sabotage_free() == []


def test_more_come_while_work_waits_and_all_are_busy_up_to_the_most(site: Site) -> None:
    site.wait_for_work(40)
    site.pass_(2)
    assert len(site.records) == 4
    site.batch.states = dict.fromkeys(site.batch.states, "running")
    for seq, job in enumerate(site.records):
        site.node(job, seq + 1)
    site.pass_(30)
    assert len(site.records) == 4


def test_queued_pilots_are_cancelled_when_their_work_is_gone(site: Site) -> None:
    site.wait_for_work(8)
    site.pass_(2)
    assert len(site.records) == 2
    site.no_work()
    site.pass_(100)
    assert site.records == []
    assert sorted(site.batch.cancelled) == ["1.server", "2.server"]
    assert not list(scripts.place(site.world.config).iterdir())


def test_a_batch_system_that_fails_is_tried_later_and_later_and_said_once(site: Site) -> None:
    site.batch.fails = "`qsub` ended with status 1: server is down"
    site.wait_for_work()
    site.pass_(100)
    assert 3 <= len(site.batch.asked) <= 6
    assert len(site.said) == 1
    assert "server is down" in site.crew.standing().why
    site.batch.fails = ""
    site.pass_(400)
    assert site.records == ["1.server"]
    assert site.world.layout.tmp.is_dir()


def test_a_pilot_that_ends_without_a_node_says_why_and_costs_a_pause(site: Site) -> None:
    site.wait_for_work()
    site.pass_(1)
    [pilot] = records.read_own(site.member.disk, site.member.layout, os.getuid())
    (Path(pilot.reach["folder"]) / "job.stderr").write_text("No module named park_spool\n")
    site.batch.states["1.server"] = "over"
    site.pass_(8)
    assert any("ended before a node came up in it: No module named park_spool" in line for line in site.said)
    assert Path(pilot.reach["folder"]).is_dir(), "its output stays, to be looked at"
    site.pass_(10)
    assert site.records == ["2.server"]


def test_a_pilot_whose_node_never_comes_is_cancelled(site: Site) -> None:
    site.wait_for_work()
    site.pass_(1)
    site.batch.states["1.server"] = "running"
    site.pass_(320)
    assert "1.server" in site.batch.cancelled
    assert any("no node came up in pilot 1.server" in line for line in site.said)


def test_a_killed_pilot_is_replaced_though_its_nodes_heartbeat_still_stands(site: Site) -> None:
    site.wait_for_work(4)
    site.pass_(1)
    site.batch.states["1.server"] = "running"
    site.node("1.server", busy=0)
    site.pass_(8)
    assert site.records == ["1.server"]
    site.batch.states["1.server"] = "over"
    site.pass_(15)
    assert site.records == ["2.server"]
    assert site.crew.standing().why == "", "it has worked, so nobody failed"


@pytest.mark.parametrize(("word", "notices"), [("cancelled", 1), ("timeout", 1), ("failed", 0), ("completed", 0)])
def test_of_a_node_that_was_ended_from_outside_it_is_said(site: Site, word: str, notices: int) -> None:
    site.wait_for_work(4)
    site.pass_(1)
    site.batch.states["1.server"] = "running"
    beat = site.node("1.server")
    site.pass_(8)
    site.batch.states["1.server"], site.batch.word = "over", word
    site.pass_(15)
    said = [path.name for path in site.world.layout.notices.iterdir()]
    assert (said, beat.exists()) == (["h9_9_100000.ended"] * notices, True)


def test_pilots_of_an_earlier_master_are_taken_over(site: Site) -> None:
    site.wait_for_work(4)
    site.pass_(1)
    later = Site(site.world, site.batch)
    later.pass_(30)
    assert later.records == ["1.server"], "it counts: no other one came"
    assert later.crew.stop() == []
    assert later.records == []


def test_the_least_are_there_without_work(tmp_path: Path) -> None:
    site = Site(World(tmp_path), Batch(), min=2)
    site.pass_(60)
    assert len(site.records) == 2
    assert all("--linger" in text for text in site.batch.texts)
    site.pass_(200)
    assert len(site.records) == 2, "nor are they cancelled"


def test_a_stop_says_what_it_could_not_cancel(site: Site) -> None:
    site.wait_for_work()
    site.pass_(1)
    site.batch.fails = "`qdel` did not answer within 60 s; it was killed"
    [sentence] = site.crew.stop()
    assert "pilot 1.server was not cancelled: `qdel` did not answer" in sentence
    assert site.records == ["1.server"]


def test_park_down_cancels_what_any_master_has_written_down(site: Site) -> None:
    site.wait_for_work()
    site.pass_(1)
    other = site.world.member()
    site.batch.fails = "`qdel` is not on the PATH here"
    [left] = cancel_all(other, site.batch)
    assert "was not cancelled: `qdel` is not on the PATH here; it was submitted on h1 by" in left.words()
    site.batch.fails = ""
    [done] = cancel_all(other, site.batch)
    assert done.words() == "pilot 1.server of pbs (pbs) is cancelled"
    assert site.records == []


def test_a_full_disk_costs_a_crew_only_time(tmp_path: Path) -> None:
    class Full(Disk):
        is_full: ClassVar[bool] = True

        def step(self, call: str, path: Path) -> None:
            if self.is_full and call == "create":
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    site = Site(World(tmp_path), Batch(), Full)
    site.wait_for_work()
    with pytest.raises(OSError, match="No space left"):
        site.pass_(1)  # the loop around a master tries a temporary error again
    Full.is_full = False
    site.pass_(5)
    assert site.records == ["1.server"]


def test_a_record_that_is_torn_or_strange_is_skipped(site: Site) -> None:
    (site.world.layout.pilots / "pbs.1.x0p2qa").write_bytes(b"half")
    (site.world.layout.pilots / "pbs.2.x0p2qa").write_bytes(sealed.seal_json({"job": 7}))
    (site.world.layout.pilots / "other").write_bytes(b"")
    assert site.records == []
    site.pass_(5)


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize("is_link", [False, True])
def test_a_record_of_another_account_is_never_acted_upon(site: Site, is_link: bool) -> None:
    """What it says is run: with `path` anybody who may write to the spool could have others run a program of his."""
    forged = site.world.layout.pilots / "pbs.1-server.x0p2qa"
    place = site.world.layout.tmp / "elsewhere" if is_link else forged
    place.write_bytes(sealed.seal_json({"engine": "pbs", "job": "1.server", "reach": {"path": "/tmp/evil"}}))
    os.chown(place, 65534, 65534)
    if is_link:
        forged.symlink_to(place)
        os.lchown(forged, 65534, 65534)
    other = site.world.member()
    assert (cancel_all(other, site.batch), site.batch.asked, site.records) == ([], [], [])
    said = (
        [] if is_link else ["pilots/pbs.1-server.x0p2qa was left alone: it belongs to nobody, and what it says is run"]
    )
    assert [sentence.partition(", so ")[0] for sentence in others(other)] == said
    site.pass_(60)
    assert (site.batch.asked, forged.exists()) == ([], True)


@pytest.mark.parametrize("job", ["1; touch evil", "$(touch evil)", "1\n2", "--me", "", "x" * 300])
def test_a_job_that_no_batch_system_would_name_so_is_none(site: Site, job: str) -> None:
    record = {"engine": "pbs", "job": job}
    (site.world.layout.pilots / "pbs.1-server.x0p2qa").write_bytes(sealed.seal_json(record))
    assert cancel_all(site.world.member(), site.batch) == []
    assert site.batch.asked == []


def test_scripts_of_a_groups_spool_lie_where_nobody_else_may_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    world = World(tmp_path)
    assert scripts.place(world.config) == world.layout.logs / "pilots"
    world.layout.logs.chmod(0o775)
    base = scripts.place(world.config)
    assert base == tmp_path / "home" / ".local/share/park-spool/pilots" / "spool"
    assert scripts.new_folder(world.member(), base).stat().st_mode & 0o077 == 0


def test_a_path_that_a_shell_would_split_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected a path of letters, digits"):
        scripts.place(World(tmp_path / "my spools").config)
