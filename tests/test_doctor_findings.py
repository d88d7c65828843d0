"""What measurements mean: which lines are BAD, which settings follow, which mount options are advised."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from park_spool import config
from park_spool.doctor import mounting, reporting
from park_spool.doctor.alone import Alone
from park_spool.doctor.findings import findings, fitting_staleness, fitting_units, settings
from park_spool.doctor.measured import Delay, Lock, Measured, Race, delays_of, locks_of, race_of
from park_spool.filesystem import Mount
from park_spool.filesystem_kinds import KINDS, LOCAL

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = (ROOT / "docs" / "filesystems.md").read_text(encoding="utf-8")
QUICK = Delay((0.001, 0.002, 0.003), 0, 40.0)
FAIR = Race(200, 200, 0, 0, (90, 110), 0, {})
ALONE = Alone(1000.0, 500.0, 1000.0, 2000.0, 1e-9, 0.0, "", "")
DELAYS = dict.fromkeys(("list", "open", "content", "size", "gone"), QUICK)
LOCKS = dict.fromkeys(("flock", "lockf"), Lock(True, 80, 0))
GOOD = Measured(True, 0.0, FAIR, FAIR, DELAYS, LOCKS, True, ALONE)
NFS = Mount(Path("/q"), "nfs4", "srv:/q", {"vers": "4.2", "hard": "", "lookupcache": "pos"})
SSHFS = Mount(Path("/q"), "fuse.sshfs", "u@srv:/q", {})


def bad(measured: Measured, staleness: float = 35.0) -> list[str]:
    return [one.what for one in findings(measured, staleness) if one.holds is False]


def test_a_good_file_system_has_nothing_bad() -> None:
    assert bad(GOOD) == []
    assert [one.what for one in findings(GOOD, 35.0) if one.holds] == [
        "a rename is won once",
        "a new name is listed",
        "a new name opens",
        "fsync",
    ]


@pytest.mark.parametrize(
    "race", [replace(FAIR, once=199, twice=1), replace(FAIR, once=199, never=1), replace(FAIR, unlisted=1)]
)
def test_a_rename_that_is_not_won_once_is_bad(race: Race) -> None:
    assert bad(replace(GOOD, rename=race)) == ["a rename is won once"]
    assert bad(replace(GOOD, create=race)) == [], "a create decides nothing"


def test_a_race_that_one_side_won_alone_says_nothing() -> None:
    one_sided = replace(GOOD, rename=replace(FAIR, sides=(0, 200)))
    assert bad(one_sided) == [] and "hardly a race" in findings(one_sided, 35.0)[0].said


def test_names_that_come_too_late_are_bad_and_others_are_not() -> None:
    late = Delay((20.0, 21.0), 0, 40.0)
    for what, is_bad in (("list", True), ("open", True), ("content", False), ("size", False), ("gone", False)):
        measured = replace(GOOD, delays={**DELAYS, what: late})
        assert bool(bad(measured, 5.0)) == is_bad and bad(measured, 35.0) == []
        assert bad(replace(measured, is_two_sided=False), 5.0) == [], "a busy machine is no cache"
    unseen = replace(GOOD, delays={**DELAYS, "list": Delay((1.0,), 2, 40.0)})
    assert bad(unseen, 100.0) == ["a new name is listed"]
    assert "2 of 3 not within 40 s" in findings(unseen, 35.0)[2].said


def test_a_failing_fsync_is_bad_and_missing_locks_are_not() -> None:
    assert bad(replace(GOOD, alone=replace(ALONE, fsync="EINVAL"))) == ["fsync"]
    locks = {"flock": Lock(False, 80, 12), "lockf": Lock(None, 0, 0, "ENOLCK")}
    said = {one.what: one.said for one in findings(replace(GOOD, locks=locks), 35.0)}
    assert said["flock"] == "does NOT keep the other side out; 12 of 80 counted turns lost"
    assert said["lockf"] == "fails with ENOLCK" and bad(replace(GOOD, locks=locks)) == []


def test_settings_follow_from_what_was_seen() -> None:
    late = replace(GOOD, delays={**DELAYS, "list": Delay((20.0, 21.0), 0, 40.0)})
    assert fitting_staleness(late, SSHFS) == 32.0 and fitting_staleness(GOOD, SSHFS) == 5.0
    assert fitting_staleness(GOOD, NFS) == 35.0, "what it was seen to hide once counts, also where it did not now"
    assert fitting_staleness(replace(GOOD, is_two_sided=False), SSHFS) is None
    assert fitting_units(GOOD) == 100.0 and fitting_units(replace(GOOD, alone=replace(ALONE, publish=1.0))) == 1.0
    assert list(settings(GOOD, NFS, 35.0, 100.0)) == []
    raised, slower = settings(late, SSHFS, 5.0, 2000.0)
    assert (raised.key, raised.value, raised.now) == ("staleness_seconds", 32.0, 5.0) and "lower" not in raised.why
    assert (slower.key, slower.value) == ("units_per_second", 100.0)


@pytest.mark.parametrize(
    ("type_", "options", "words"),
    [
        ("nfs4", {"vers": "4.2", "soft": "", "lookupcache": "pos"}, "`hard`"),
        ("nfs", {"vers": "3", "lookupcache": "pos"}, "`vers=4.2`"),
        ("nfs4", {"vers": "4.2"}, "`lookupcache=positive`"),
        ("nfs4", {"vers": "4.2", "lookupcache": "none", "local_lock": "all"}, "`local_lock`"),
        ("nfs4", {"vers": "4.2", "lookupcache": "none", "noac": ""}, "`noac` is not needed"),
        ("cifs", {"cache": "loose"}, "`cache=strict`"),
        ("cifs", {"nobrl": ""}, "`nobrl`"),
        ("lustre", {"localflock": ""}, "`flock`"),
        ("9p", {"cache": "loose"}, "`cache=none`"),
        ("fuse.sshfs", {}, "reconnect"),
    ],
)
def test_mount_options_are_advised(type_: str, options: dict[str, str], words: str) -> None:
    [sentence] = mounting.advice(Mount(Path("/q"), type_, "srv:/q", options), is_late=False)
    assert words in sentence


@pytest.mark.parametrize(
    "mount", [NFS, Mount(Path("/"), "ext4", "/dev/sda", {}), Mount(Path("/q"), "lustre", "m:/q", {"flock": ""})]
)
def test_a_good_mount_is_left_alone(mount: Mount) -> None:
    assert mounting.advice(mount, is_late=True) == []


def test_late_names_of_sshfs_can_be_had_sooner() -> None:
    assert len(mounting.advice(SSHFS, is_late=True)) == 2


def test_what_the_sides_say_is_put_together() -> None:
    racers = [
        [{"me": "0-0", "won": [0, 1], "errors": {"ENOENT": 1}}],
        [{"me": "1-0", "won": [1, 2], "errors": {"ENOENT": 1}}],
    ]
    race = race_of(4, racers, ["00000.0-0", "00001.0-0", "00002.1-0"])
    assert (race.once, race.twice, race.never, race.sides, race.unlisted) == (2, 1, 1, (2, 2), 1)
    assert race.errors == {"ENOENT": 2} and not race.is_fair
    changed = {"times": {what: [100.0, 101.0, None] for what in DELAYS}}
    looked = {"times": {what: [110.5, None, None] for what in DELAYS}}
    delay = delays_of(changed, looked, 10.0, 40.0)["list"]
    assert (delay.seen, delay.unseen, delay.worst) == ((0.5,), 1, 40.0), "the other clock is 10 s ahead"


def test_a_lock_counts_only_if_it_was_held_when_it_was_tried() -> None:
    def say(**mine: Any) -> Lock:
        holding = {"locks": {how: {"at": 1.0, "got": True, "by": 1.5, "till": 3.0, "turns": 40} for how in LOCKS}}
        trying = {"locks": {how: {"at": 2.0, "got": False, "by": 2.1, "turns": 40, **mine} for how in LOCKS}}
        return locks_of(holding, trying, {"flock": 75, "lockf": 75}, 0.0)["flock"]

    assert say() == Lock(True, 80, 5) and say(got=True) == Lock(False, 80, 5)
    assert say(at=5.0, by=5.1).excludes is None and say(error="ENOLCK").excludes is None
    assert say(at=1.2, got=True).excludes is None, "the lock was still in coming"
    assert say(by=3.5, got=True).excludes is None, "it was free again by then"


def test_an_archive_on_a_shared_file_system_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config.make_spool(tmp_path)
    loaded = config.load(tmp_path)
    monkeypatch.setattr(reporting.filesystem, "is_shared", lambda path: True)
    found = reporting.examined(loaded, NFS, "n1", "", GOOD)
    text = "\n".join(reporting.lines(loaded, found))
    assert "is on a shared file system: SQLite" in text and "Nothing needs" not in text and found.is_well
    assert not replace(found, refused="it is refused").is_well


def test_the_document_names_every_kind_and_line() -> None:
    for kind in (*KINDS, LOCAL):
        words = {"automounted": "Automounters"}.get(kind.name, kind.name)
        assert words in DOCUMENT, words
    assert [one.what for one in findings(GOOD, 35.0) if one.what not in DOCUMENT] == []
