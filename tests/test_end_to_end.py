"""The whole line with real daemons: drop a session, see its results in SQLite, whatever is killed meanwhile."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from bad_sessions import CASES, truncations
from daemons import Site, until

from park_spool.cli.serving import choose_port
from park_spool.store.store import Store

EXAMPLES = Path(__file__).resolve().parent.parent / "docs" / "examples"
NOOP = """<session version='2.0.1' user='wwchen' email='' priority='0'><group name='g'><task cmd='tester/noop'/>
<joblist name='j' cnt='{count}'><input/></joblist></group></session>"""


@pytest.mark.long
def test_every_example_gives_results(tmp_path: Path, needs: Callable[[str], str]) -> None:
    """`cp docs/examples/*.xml spool/inbox/`: the tutorial's session as it stands is one of them, with its four jobs.

    Their data come through the data centre, as the demo's do.
    """
    for package in ("refnx", "h5py", "sasdata"):
        needs(package)
    examples = sorted(EXAMPLES.glob("*.xml"))
    assert "tutorial.xml" in [path.name for path in examples]
    port = choose_port("127.0.0.1", 0)
    with Site(
        tmp_path, "datad", "spoold", "reduced", "noded", datacenter=[f"http://127.0.0.1:{port}"], data_port=port
    ) as site:
        for path in examples:
            site.drop(path)
        until(lambda: site.closed() == len(examples), 240, "closing all examples")
        site.assert_running()
        assert site.states() == {path.name: "done" for path in examples}
        ok = dict(
            site.query("SELECT file, count(*) FROM jobs JOIN sessions USING (sid) WHERE status = 'ok' GROUP BY 1")
        )
        assert ok["tutorial.xml"] == 4
        assert ok["reflectivity.xml"] == 48
        [(best,)] = site.query("SELECT min(chisq) FROM jobs JOIN sessions USING (sid) WHERE file = 'reflectivity.xml'")
        assert best == pytest.approx(966.19, abs=0.05)
        assert (ok["annealing.xml"], ok["polymer_blend.xml"]) == (170, 652)
        [frames] = site.query(
            "SELECT count(*), sum(npoints), sum(chisq) FROM batch JOIN sessions USING (sid) WHERE file = 'annealing.xml'"
        )
        assert frames[:2] == (170, 41_745) and 74_439 < frames[2] < 75_096
        [(output,)] = site.query(
            "SELECT output FROM results JOIN sessions USING (sid) WHERE file = 'tutorial.xml' AND job_number = 1"
        )
        assert "call longwin" in output
        brought = [href for href in Store(site.config.store).hrefs() if href.startswith("package:/")]
        assert {Path(href).name for href in brought} >= {"c_PLP0011859_q.txt", "VTMA.h5", "ISIS_Polymer_Blend_TK49.xml"}
        site.assert_legal()


@pytest.mark.parametrize(
    "victim", ["noded", *(pytest.param(one, marks=pytest.mark.prove) for one in ("spoold", "reduced"))]
)
def test_a_daemon_killed_in_the_middle_of_the_fits(tmp_path: Path, victim: str) -> None:
    """The demo's session with one daemon killed by SIGKILL half-way: the same answer, each start counted once."""
    with Site(tmp_path) as site:
        site.drop(EXAMPLES / "reflectivity.xml")
        until(lambda: len(site.query("SELECT 1 FROM jobs")) >= 8, 120, "eight fits")
        site.kill(victim)
        site.start(victim)
        until(lambda: site.closed() == 1, 240, "closing")
        site.assert_running()
        rows = site.query("SELECT count(*), count(DISTINCT job_number), min(chisq) FROM jobs WHERE status = 'ok'")
        assert rows[0][:2] == (48, 48)
        assert rows[0][2] == pytest.approx(966.193, abs=0.01)
        site.assert_legal()


def test_node_and_cp_alone_make_work_flow(tmp_path: Path) -> None:
    """The first nodes keep a standby park-spoold: nothing else need be started; replies wait safely for a reducer."""
    site = Site(tmp_path, "noded")
    site._wanted = ()
    with site:
        site.processes["noded"] = site.start("noded", "--standby")
        site.drop_text("noop.xml", NOOP.format(count=300))
        until(lambda: sum(_jobs(path.name) for path in (site.spool / "replies").iterdir()) == 300, 60, "300 answers")
        site.start("reduced")
        until(lambda: site.closed() == 1, 60, "closing")
        assert site.query("SELECT count(*) FROM jobs WHERE status = 'ok'") == [(300,)]
        site.assert_legal()


def _jobs(reply: str) -> int:
    first, _, last = reply.split(".")[3].partition("-")
    return int(last) - int(first) + 1


def test_every_broken_session_is_rejected_and_nothing_stops(tmp_path: Path) -> None:
    """Each goes to rejected/ with its reason beside it, and the next good session runs as if nothing had been."""
    broken = [case for case in (*CASES, *truncations()) if len(case.xml) < 1_000_000]
    assert len(broken) >= 60
    with Site(tmp_path) as site:
        inbox, rejected = site.spool / "inbox", site.spool / "rejected"
        for number, case in enumerate(broken):
            (inbox / f"bad{number:03d}.xml").write_bytes(case.xml)
        (inbox / "x.xml").mkdir()
        (inbox / "link.xml").symlink_to("/etc/passwd")
        (inbox / "notes.txt").write_text("not a session")
        expected = len(broken) + 3
        until(lambda: len(list(rejected.glob("*.why"))) >= expected and not os.listdir(inbox), 120, "rejecting all")
        for number, case in enumerate(broken):
            why = (rejected / f"bad{number:03d}.xml.why").read_text()
            assert (rejected / f"bad{number:03d}.xml").read_bytes() == case.xml
            assert all(word.lower() in why.lower() for word in case.words), (case.name, why)
        for name in ("x.xml", "link.xml", "notes.txt"):
            assert (rejected / f"{name}.why").read_text().startswith(f"{name}: "), name
        site.drop_text("good.xml", NOOP.format(count=10))
        until(lambda: site.states().get("good.xml") == "done", 60, "the good session")
        site.assert_running()
        site.assert_legal()


def test_takeover_where_renameat2_fails(tmp_path: Path, needs: Callable[[str], str]) -> None:
    """The network file systems refuse renameat2's flags with EINVAL: both roles change hands all the same."""
    needs("strace")
    log = tmp_path / "strace.log"
    wrap = ("strace", "-f", "-qq", "-o", str(log), "-e", "trace=renameat2", "-e", "inject=renameat2:error=EINVAL")
    site = Site(tmp_path, "noded", lease_renew=0.2, lease_expiry=1.0)
    with site:
        for role in ("spoold", "reduced"):
            site.start(role, wrap=wrap, label=f"first {role}")
            until(lambda role=role: any((site.spool / "locks").glob(f"{role}.*")), 30, f"the first {role}")
            site.start(role, wrap=wrap, label=f"second {role}")
        site.drop_text("one.xml", NOOP.format(count=50))
        until(lambda: site.states().get("one.xml") == "done", 60, "the first session")
        for role in ("spoold", "reduced"):
            os.kill(_traced(site.processes[f"first {role}"].pid), signal.SIGKILL)
            site.processes.pop(f"first {role}").wait()
        site.drop_text("two.xml", NOOP.format(count=50))
        until(lambda: site.states().get("two.xml") == "done" and site.closed() == 2, 60, "the second session")
        assert site.query("SELECT count(*) FROM jobs WHERE status = 'ok'") == [(100,)]
        site.assert_legal()
        for role in ("spoold", "reduced"):
            os.kill(_traced(site.processes[f"second {role}"].pid), signal.SIGTERM)


def _traced(pid: int) -> int:
    """The process that a strace runs."""
    [child] = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(child)


@pytest.mark.parametrize("count", [20_000, pytest.param(200_000, marks=pytest.mark.prove)])
def test_many_tiny_jobs_never_fill_the_window(tmp_path: Path, count: int) -> None:
    """Never more than the window of files in ready/, whatever the number of jobs."""
    most = 0

    def is_closed() -> bool:
        nonlocal most
        most = max(most, sum(len(os.listdir(rank)) for rank in (site.spool / "ready").iterdir()))
        return site.closed() == 1

    with Site(tmp_path) as site:
        site.drop_text("many.xml", NOOP.format(count=count))
        until(is_closed, 300, "closing")
        assert site.query("SELECT count(*), count(DISTINCT job_number) FROM jobs WHERE status = 'ok'") == [
            (count, count)
        ]
        assert most <= max(8, 4 * len(os.sched_getaffinity(0)))
        site.assert_legal()


def test_a_folder_with_its_data_is_one_submission(tmp_path: Path) -> None:
    film = tmp_path / "film"
    film.mkdir()
    source = next(Path(shutil.__file__).parent.glob("site-packages/refnx/analysis/tests/e361r.txt"), None)
    (film / "film.txt").write_text(source.read_text() if source else CURVE)
    (film / "session.xml").write_text(
        "<session version='2.0.1' user='w' email=''><group name='g'><dataSet><data name='film' href='film.txt'/></dataSet>"
        "<task cmd='reflectivity/chisq'/><joblist name='j'><input/></joblist></group></session>"
    )
    with Site(tmp_path) as site:
        site.drop(film)
        until(lambda: site.closed() == 1, 120, "closing")
        assert site.states() == {"film": "done"}
        [(chisq,)] = site.query("SELECT chisq FROM jobs")
        assert chisq > 0
        site.assert_legal()


CURVE = "\n".join(
    f"{0.01 + 0.005 * step:.4f} {10 ** (-step / 8):.6g} {10 ** (-step / 8) / 20:.6g}" for step in range(40)
)
