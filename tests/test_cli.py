"""`park`: every verb as a user meets it; with real daemons where that is what matters."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner
from console import park
from daemons import Site, until

from park_spool import leadership, naming, sealed, whereabouts
from park_spool.check import check
from park_spool.cli import waiting
from park_spool.cli.main import main
from park_spool.cli.options import FAILED, FINE, REJECTED, USAGE
from park_spool.config import load, make_spool
from park_spool.errors import NotFound
from park_spool.looking import alive, standing
from park_spool.processes import identity

GOOD = """<session version='2.0.1' user='wwchen' email='' priority='0'><group name='g'><task cmd='tester/noop'/>
<joblist name='j' cnt='{count}'><input/></joblist></group></session>"""
WITH_DATA = """<session user='wwchen'><group><dataSet><data name='film' href='./data/film.txt'/></dataSet>
<task cmd='tester/noop'/><joblist><input/></joblist></group></session>"""
BROKEN = "<session user='wwchen'>\n <group><task cmd='tester/nothing'/><joblist><input/></joblist></group></session>"
ODD = (
    "<session user='wwchen' colour='red'><group><task cmd='tester/noop'/><joblist><input/></joblist></group></session>"
)
SID = "20261123-025532-k3j9"


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    make_spool(tmp_path / "spool")
    return tmp_path / "spool"


@pytest.fixture
def session(tmp_path: Path) -> Path:
    path = tmp_path / "film.xml"
    path.write_text(GOOD.format(count=3), encoding="utf-8")
    return path


def script(*words: str | Path) -> list[str]:
    return [sys.executable, "-c", "from park_spool.cli.main import main; main()", *map(str, words)]


def inbox(spool: Path) -> list[str]:
    return sorted(os.listdir(spool / "inbox"))


# init, check


def test_init_makes_a_spool_and_leaves_one_alone(tmp_path: Path) -> None:
    first = park("init", tmp_path / "new")
    assert (first.exit_code, "is a spool now" in first.stdout) == (FINE, True)
    (tmp_path / "new" / "park.toml").write_text("port = 5500\n")
    again = park("init", tmp_path / "new")
    assert (again.exit_code, "nothing was changed" in again.stdout) == (FINE, True)
    assert load(tmp_path / "new").port == 5500


def test_a_folder_that_is_no_spool_is_refused_with_the_way_out(tmp_path: Path) -> None:
    result = park("status", spool=tmp_path)
    assert result.exit_code == FAILED
    assert "is not a spool" in result.stderr and "park init" in result.stderr


def test_check_is_silent_over_a_sound_spool_and_names_what_is_wrong(spool: Path) -> None:
    sound = park("check", spool=spool)
    assert (sound.exit_code, sound.stdout) == (FINE, "")
    (spool / "replies" / "stranger").touch()
    bad = park("check", spool=spool)
    assert bad.exit_code == FAILED and "replies/stranger" in bad.stdout
    assert json.loads(park("check", "--json", spool=spool).stdout) == bad.stdout.splitlines()


def test_the_spool_is_found_by_option_environment_or_folder(spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for environment, folder in (({"PARK_SPOOL": str(spool)}, "/"), ({"PARK_SPOOL": None}, str(spool.parent))):
        monkeypatch.chdir(folder)
        assert CliRunner().invoke(main, ["check"], env=environment).exit_code == FINE


def test_a_wrong_command_line_is_a_usage_error() -> None:
    assert park("submit").exit_code == USAGE
    assert park("nonsense").exit_code == USAGE


# validate


def test_validate_says_what_is_fine(session: Path, spool: Path) -> None:
    result = park("validate", session, spool=spool)
    assert (result.exit_code, result.stdout) == (FINE, f"{session}: fine: 3 jobs in 1 group\n")


def test_validate_names_line_and_column(tmp_path: Path, session: Path, spool: Path) -> None:
    broken = tmp_path / "broken.xml"
    broken.write_text(BROKEN)
    result = park("validate", broken, session, spool=spool)
    assert result.exit_code == REJECTED
    assert result.stderr.startswith(f"{broken}: line 2, column 9: ")
    assert f"{session}: fine" in result.stdout
    assert inbox(spool) == []


def test_warnings_go_to_standard_error(tmp_path: Path, spool: Path) -> None:
    odd = tmp_path / "odd.xml"
    odd.write_text(ODD)
    result = park("validate", odd, spool=spool)
    assert result.exit_code == FINE
    assert "warning" in result.stderr and "colour" in result.stderr and "colour" not in result.stdout


def test_validate_works_without_a_spool(session: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert park("validate", session).exit_code == FINE
    assert park("validate", session, spool=tmp_path / "none").exit_code == FAILED


def test_validate_holds_a_session_against_the_services_of_the_spool(tmp_path: Path, spool: Path) -> None:
    service = tmp_path / "services" / "mine"
    service.mkdir(parents=True)
    (service / "service.toml").write_text('[commands.go]\nmode = "function"\nfunction = "mine:go"\ntakes = "dict"\n')
    (service / "mine.py").write_text("def go(values):\n    return {}\n")
    (tmp_path / "mine.xml").write_text(GOOD.format(count=1).replace("tester/noop", "mine/go"))
    assert park("validate", tmp_path / "mine.xml", spool=spool).exit_code == FINE
    (service / "service.toml").write_text("nonsense = 1")
    result = park("validate", tmp_path / "mine.xml", spool=spool)
    assert result.exit_code == REJECTED and "nonsense" in result.stderr


# submit


def test_submit_prints_the_session_id_alone_and_sends_the_file_whole(session: Path, spool: Path) -> None:
    result = park("submit", session, spool=spool)
    assert result.exit_code == FINE and result.stderr == ""
    sid = result.stdout.removesuffix("\n")
    assert naming.is_sid(sid)
    assert inbox(spool) == [f"{sid}.film.xml"]
    assert (spool / "inbox" / f"{sid}.film.xml").read_bytes() == session.read_bytes()
    assert os.listdir(spool / "tmp") == [] and check(spool) == []


def test_a_broken_session_is_refused_and_nothing_is_sent(tmp_path: Path, session: Path, spool: Path) -> None:
    (tmp_path / "broken.xml").write_text(BROKEN)
    result = park("submit", session, tmp_path / "broken.xml", spool=spool)
    assert (result.exit_code, result.stdout) == (REJECTED, "")
    assert "line 2, column 9" in result.stderr and "nothing was sent" in result.stderr
    assert inbox(spool) == []
    assert park("submit", "--no-check", tmp_path / "broken.xml", spool=spool).exit_code == FINE
    assert len(inbox(spool)) == 1


@pytest.mark.parametrize(("name", "word"), [("none.xml", "no such file"), ("notes.txt", "NAME.xml")])
def test_what_is_no_submission_is_refused(tmp_path: Path, spool: Path, name: str, word: str) -> None:
    (tmp_path / "notes.txt").touch()
    result = park("submit", tmp_path / name, spool=spool)
    assert result.exit_code == REJECTED and word in result.stderr


@pytest.fixture
def measured(tmp_path: Path) -> Path:
    """Return a session that names a file beside it, which is there."""
    folder = tmp_path / "measured"
    (folder / "data").mkdir(parents=True)
    (folder / "film.xml").write_text(WITH_DATA)
    (folder / "data" / "film.txt").write_text("0.1 1.0\n")
    return folder


def test_files_beside_a_session_go_with_it_and_others_do_not(measured: Path, spool: Path) -> None:
    (measured / "other.txt").touch()
    sid = park("submit", measured / "film.xml", spool=spool).stdout.strip()
    sent = spool / "inbox" / f"{sid}.film.xml"
    names = sorted(path.relative_to(sent).as_posix() for path in sent.rglob("*") if path.is_file())
    assert names == ["data/film.txt", "session.xml"]
    assert (sent / "data" / "film.txt").read_text() == "0.1 1.0\n"
    assert os.listdir(spool / "tmp") == []


def test_a_session_without_its_file_is_refused(measured: Path, spool: Path) -> None:
    (measured / "data" / "film.txt").unlink()
    result = park("submit", measured / "film.xml", spool=spool)
    assert result.exit_code == REJECTED and "data/film.txt" in result.stderr
    assert inbox(spool) == [] and os.listdir(spool / "tmp") == []


def test_a_folder_and_a_zip_are_sent_with_all_they_hold(measured: Path, spool: Path, tmp_path: Path) -> None:
    package = tmp_path / "film.zip"
    with zipfile.ZipFile(package, "w") as archive:
        for path in measured.rglob("*"):
            archive.write(path, path.relative_to(measured))
    result = park("submit", measured, package, spool=spool)
    folder, zipped = result.stdout.split()
    assert (spool / "inbox" / f"{folder}.measured" / "data" / "film.txt").is_file()
    assert (spool / "inbox" / f"{zipped}.film.zip").read_bytes() == package.read_bytes()


def test_a_broken_zip_is_refused(spool: Path, tmp_path: Path) -> None:
    (tmp_path / "film.zip").write_bytes(b"PK nothing")
    assert park("submit", tmp_path / "film.zip", spool=spool).exit_code == REJECTED


def test_a_copy_that_fails_leaves_nothing(measured: Path, spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*paths: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfile", full)
    result = park("submit", measured, spool=spool)
    assert result.exit_code == FAILED and "No space" in result.stderr
    assert inbox(spool) == [] and os.listdir(spool / "tmp") == []


# status and wait, without daemons


def test_status_works_on_an_empty_spool_and_says_who_is_missing(spool: Path) -> None:
    result = park("status", spool=spool)
    assert result.exit_code == FINE and "no sessions yet" in result.stdout
    for word in ("no park-spoold", "no park-reduced", "no park-noded"):
        assert word in result.stderr


def test_status_shows_what_lies_in_the_inbox(session: Path, spool: Path) -> None:
    sid = park("submit", session, spool=spool).stdout.strip()
    shown = json.loads(park("status", "--json", spool=spool).stdout)
    assert shown["spoold"] is None and shown["nodes"] == []
    assert [(one["sid"], one["file"], one["state"]) for one in shown["sessions"]] == [(sid, "film.xml", "queued")]
    assert "not admitted yet" in park("status", sid[:-1], spool=spool).stdout


def test_status_imports_nothing_that_is_slow(spool: Path) -> None:
    slow = ("numpy", "matplotlib", "sqlite_utils", "scipy", "flask", "rich", "watchdog")
    code = f"""
import sys
from park_spool.cli.main import main
try:
    main(["status", "--spool", {str(spool)!r}])
finally:
    print([name for name in {slow} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_prefix_must_be_unique() -> None:
    sids = [SID, "20261123-025532-k3ja", "20261124-000000-0000"]
    assert whereabouts.complete("20261124", sids) == sids[2]
    assert whereabouts.complete(SID, [*sids, SID + "x"]) == SID
    for prefix, word in (("20261123", "several"), ("2027", "no session")):
        with pytest.raises(NotFound, match=word):
            whereabouts.complete(prefix, sids)


@pytest.mark.parametrize("verb", ["status", "wait"])
def test_a_session_that_is_not_there_is_no_crash(verb: str, spool: Path) -> None:
    result = park(verb, "2026", spool=spool)
    assert result.exit_code == FAILED and "2026" in result.stderr


def test_the_crew_is_who_may_be_alive(spool: Path) -> None:
    """The process that wrote a lock is gone: it does not count. One of another host may live: it does."""
    settings = load(spool)
    gone = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    dead = identity(gone.pid).to_json()
    gone.communicate()
    other = {**identity().to_json(), "host": "elsewhere"}
    locks = {"here_1_000000": dead, "there_2_000000": other}
    for epoch, (name, who) in enumerate(locks.items(), 1):
        lock = leadership.Lock("spoold", 3 - epoch, name, 1)
        (spool / "locks" / lock.name).write_bytes(sealed.seal_json(who))
    for number, who in enumerate((dead, identity().to_json())):
        report = sealed.seal_json({"identity": who, "cpus": 2, "node": f"n_{number}_000000"})
        (spool / "nodes" / naming.heartbeat_name(f"n_{number}_000000", 7)).write_bytes(report)
    crew = alive.look(standing.Look(settings).disk, settings.layout)
    assert (crew.spoold, crew.reduced, crew.cpus) == ("there_2_000000", None, 2)
    assert [sentence for sentence in crew.missing() if "noded is alive" in sentence] == []


def test_waiting_ends_when_a_session_is_rejected(spool: Path) -> None:
    """Its reason came to rejected/ after the waiting began; an older one of the same name is not its own."""
    old = spool / "rejected" / "film.xml.why"
    old.write_text("an old reason")
    (spool / "rejected" / "film-2.xml.why").write_text(f"line 2: the reason\nIt would have been session {SID}.\n")
    said: list[str] = []
    assert waiting.wait_for_all([SID], load(spool), said.append) == REJECTED
    assert "the reason" in said[0] and "old" not in said[0]


def test_waiting_for_what_is_gone_ends(spool: Path) -> None:
    (spool / "park.toml").write_text("staleness_seconds = 0.1\n")
    with pytest.raises(NotFound, match="neither"):
        waiting.wait_until_closed(SID, load(spool))


# with real daemons

FAILING = '[commands.fail]\nmode = "function"\nfunction = "zoo:fail"\ntakes = "dict"\n'


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    zoo = tmp_path / "services" / "zoo"
    zoo.mkdir(parents=True)
    (zoo / "service.toml").write_text(FAILING)
    (zoo / "zoo.py").write_text("def fail(values):\n    raise ValueError('the zoo is closed')\n")
    with Site(tmp_path, max_attempts=1) as running:
        yield running


def test_submit_and_wait_for_good_failing_and_rejected_sessions(site: Site, session: Path, tmp_path: Path) -> None:
    good = park("submit", "--wait", session, spool=site.spool)
    assert good.exit_code == FINE and naming.is_sid(good.stdout.strip())
    assert "is done: 3 of 3 jobs ok" in good.stderr

    session.write_text(GOOD.format(count=2).replace("tester/noop", "zoo/fail"))
    bad = park("submit", "--wait", session, spool=site.spool)
    assert bad.exit_code == FAILED and naming.is_sid(bad.stdout.strip())
    assert "failed: 0 of 2 jobs ok" in bad.stderr and "the zoo is closed" in bad.stderr

    session.write_text(BROKEN)
    broken = park("submit", "--wait", "--no-check", session, spool=site.spool)
    assert broken.exit_code == REJECTED and "line 2, column 9" in broken.stderr

    listed = json.loads(park("status", "--json", spool=site.spool).stdout)
    assert [one["state"] for one in listed["sessions"]] == ["failed", "done"]
    assert listed["spoold"] and listed["reduced"] and len(listed["nodes"]) == 1
    assert "the zoo is closed" in park("status", bad.stdout.strip(), spool=site.spool).stdout
    without_archive(site, good.stdout.strip(), bad.stdout.strip())


def without_archive(site: Site, good: str, bad: str) -> None:
    """On a machine that cannot read the archive the bundles tell how sessions ended."""
    (site.spool / "park.toml").write_text('archive = "none.sqlite"\n')
    first, second = (park("wait", sid, spool=site.spool) for sid in (good, bad))
    assert (first.exit_code, second.exit_code) == (FINE, FAILED)
    assert first.stdout == f"{good} is done: 3 of 3 jobs ok\n"
    listed = park("status", spool=site.spool)
    assert "closed" in listed.stdout and "no archive" in listed.stderr
    shown = json.loads(park("status", "--json", good, spool=site.spool).stdout)
    assert (shown["session"]["state"], shown["session"]["final"]) == ("closed", 3)


def test_submitted_files_arrive_and_status_shows_the_best_fit(site: Site, tmp_path: Path) -> None:
    scan = "<scan><axis name='x' start='-4' stop='4' count='9'/></scan>"
    text = WITH_DATA.replace("tester/noop", "tester/chisq").replace("<input/>", scan)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "film.txt").write_text("0.1 1.0\n")
    (tmp_path / "map.xml").write_text(text)
    result = park("submit", "--wait", tmp_path / "map.xml", spool=site.spool)
    assert result.exit_code == FINE, result.stderr
    sid = result.stdout.strip()
    shown = json.loads(park("status", sid, "--json", spool=site.spool).stdout)
    (group,) = shown["groups"]
    assert group["best"]["job"] == "1.1.8" and shown["session"]["file"] == "map.xml"
    assert "best: job 1.1.8, chisq" in park("status", sid[:15], spool=site.spool).stdout


@contextmanager
def served(spool: Path, *options: str) -> Iterator[tuple[psutil.Process, Callable[[], list[str]]]]:
    """Run `park serve`; give its process, and a function that returns what it said."""
    log = spool.parent / "serve.log"
    with log.open("w") as stderr:
        process = subprocess.Popen(script("serve", "--spool", spool, *options), stderr=stderr)
    children: list[psutil.Process] = []
    try:
        yield psutil.Process(process.pid), lambda: log.read_text().splitlines()
        children = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        assert process.wait(30) == FINE
        assert [child for child in children if child.is_running()] == []
    finally:
        process.kill()
        process.wait()


def children(process: psutil.Process) -> dict[str, int]:
    """Return the daemons of `park serve` that have become what they are to be, with their process numbers."""
    found = {}
    for child in process.children():
        try:
            words = child.cmdline()
        except psutil.NoSuchProcess:
            continue
        found.update({word: child.pid for word in words if word.startswith("park_spool.")})
    return found


def test_serve_runs_what_a_spool_needs_and_stops_all_of_it(spool: Path, session: Path) -> None:
    import urllib.request

    with served(spool, "--port", "0") as (process, said):
        until(lambda: len(children(process)) == 3, 30, "three daemons")
        until(lambda: any("the page is at" in line for line in said()), 30, "the page's address")
        assert "park-spoold, park-reduced, park-web" in said()[0]
        (page,) = set(re.findall(r"http://\S+/", "\n".join(said())))
        assert re.search(r"the page: http://\S+/login\?link=\S+ \(logs you in once, within a day\)", "\n".join(said()))
        with urllib.request.urlopen(page) as answer:
            assert answer.status == 200
        sid = park("submit", session, spool=spool).stdout.strip()
        until(lambda: (spool / "sessions" / sid).is_dir(), 30, "admission")


@pytest.mark.parametrize("victim", ["park_spool.spoold", "park_spool.reduced"])
def test_a_child_of_serve_that_is_killed_is_started_again(spool: Path, victim: str) -> None:
    with served(spool, "--no-web") as (process, _):
        until(lambda: len(children(process)) == 2, 30, "two daemons")
        first = children(process)[victim]
        os.kill(first, signal.SIGKILL)
        until(lambda: children(process).get(victim, first) != first, 30, "the second start")
        assert len(children(process)) == 2


def test_the_children_of_a_serve_that_is_killed_end_too(spool: Path) -> None:
    process = subprocess.Popen(script("serve", "--spool", spool, "--no-web"), stderr=subprocess.DEVNULL)
    until(lambda: len(children(psutil.Process(process.pid))) == 2, 30, "two daemons")
    orphans = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    until(lambda: not any(orphan.is_running() for orphan in orphans), 30, "the end of the orphans")
