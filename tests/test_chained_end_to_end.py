"""Chained work with real daemons: the examples, fits that go on from the best of others, and a batch on real files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from daemons import Site, until
from reflectivity_service import BEST_CHISQ, FILM, QUICK_SEED

from park_spool import naming
from park_spool.sessions.session import Session
from park_spool.sessions.writing import to_xml

EXAMPLES = Path(__file__).resolve().parent.parent / "docs" / "examples"
FIRST = "20261123-025532-aaaa"


def outputs(site: Site, file: str) -> dict[str, dict[str, Any]]:
    """Job → what it said."""
    rows = site.query(
        "SELECT group_number, joblist_number, job_number, output FROM results JOIN sessions USING (sid) WHERE file = ?",
        file,
    )
    return {".".join(map(str, job)): json.loads(output) for *job, output in rows}


def parameters(output: dict[str, Any], key: str) -> dict[str, float]:
    return {row["name"]: row[key] for row in output["parameters"]}


def test_the_examples_do_what_they_say(tmp_path: Path) -> None:
    with Site(tmp_path) as site:
        for name in ("chained.xml", "sequential.xml"):
            site.drop(EXAMPLES / name)
        until(lambda: site.closed() == 2, 60, "closing")
        chained, sequential = outputs(site, "chained.xml"), outputs(site, "sequential.xml")
        chisqs = [min(out["chisq"] for job, out in chained.items() if job[0] == number) for number in "123"]
        assert chisqs == [4.0, 2.5, 2.125]
        assert [sequential[f"1.1.{job}"]["chisq"] for job in range(1, 5)] == [47.0, 13.25, 38.5625, 11.140625]
        assert set(site.states().values()) == {"done"}
        site.assert_running()
        site.assert_legal()


STEPS = """<session user='w'><group><task cmd='tester/descend'/><joblist order='sequential' cnt='{count}'><input/></joblist></group>
<group after='1'><task cmd='tester/descend'/><joblist cnt='3'><input/></joblist></group></session>"""


@pytest.mark.parametrize("victim", ["noded", "spoold", "reduced"])
def test_a_daemon_killed_in_the_middle_of_a_chain(tmp_path: Path, victim: str) -> None:
    count = 16  # after more the steps are too small to tell the best fit
    with Site(tmp_path) as site:
        site.drop_text("steps.xml", STEPS.format(count=count))
        until(lambda: len(site.query("SELECT 1 FROM jobs")) >= 4, 60, "some steps")
        site.kill(victim)
        site.start(victim)
        until(lambda: site.closed() == 1, 120, "closing")
        site.assert_running()
        found = outputs(site, "steps.xml")
        assert [found[f"1.1.{step}"]["parameters"][0]["value"] for step in range(1, count + 1)] == [
            pytest.approx(3 - 3 / 2**step, abs=1e-12) for step in range(1, count + 1)
        ]
        last = parameters(found[f"1.1.{count}"], "value")
        assert all(parameters(found[f"2.1.{job}"], "start") == last for job in (1, 2, 3))
        site.assert_legal()


def fit(data: list[str], **more: Any) -> bytes:
    return to_xml(Session.of("reflectivity/fit", data=data, reduce="Chisq", **more))


def test_a_fit_goes_on_from_the_best_of_random_starts(tmp_path: Path, needs: Callable[[str], str]) -> None:
    """PARK's own use: the second waits for the first, starts from its best fit, and has little left to do."""
    needs("refnx")
    film = "package:refnx/analysis/tests/c_PLP0011859_q.txt"
    seeds = [{"seed": seed} for seed in range(QUICK_SEED - 5, QUICK_SEED + 3)]
    with Site(tmp_path) as site:
        site.drop_text("second.xml", fit([film], after=FIRST).decode())
        until(lambda: site.states() == {"second.xml": "queued"}, 30, "admitting what waits")
        site.drop_text(naming.submitted_name(FIRST, "first.xml"), fit([film], inputs=seeds).decode())
        until(lambda: site.closed() == 2, 240, "closing both")
        assert site.states() == {"first.xml": "done", "second.xml": "done"}
        first, [second] = outputs(site, "first.xml"), outputs(site, "second.xml").values()
        best = min(first.values(), key=lambda output: float(output["chisq"]))
        assert best["chisq"] == pytest.approx(BEST_CHISQ, abs=0.05)
        assert second["chisq"] <= best["chisq"] + 1e-6
        assert parameters(second, "start") == parameters(best, "value")
        assert second["nfev"] < best["nfev"] / 2
        assert "seed" not in second
        site.assert_legal()


def test_a_batch_of_files_goes_from_one_to_the_next(tmp_path: Path, needs: Callable[[str], str]) -> None:
    """Files as they come from one another's measurement: every fit after the first starts where the last one ended."""
    needs("refnx")
    lines = Path(FILM["data"]["film"]).read_text().splitlines(keepends=True)
    folder = tmp_path / "batch"
    folder.mkdir()
    names = [f"frame{number}.txt" for number in range(1, 5)]
    for number, name in enumerate(names, 1):
        (folder / name).write_text("".join(lines[number % 2 :: number]))
    batch = Session.batch("reflectivity/fit", names, sequential=True)
    (folder / "session.xml").write_bytes(to_xml(batch).replace(b"<input>", b"<input seed='%d'>" % QUICK_SEED, 1))
    with Site(tmp_path) as site:
        site.drop(folder)
        until(lambda: site.closed() == 1, 240, "closing")
        assert site.states() == {"batch": "done"}
        found = outputs(site, "batch")
        for number in range(2, len(names) + 1):
            before, here = found[f"1.1.{number - 1}"], found[f"1.1.{number}"]
            assert parameters(here, "start") == parameters(before, "value")
        # From a random start one fit in three or four comes so far; from the last one's end each does.
        assert all(output["chisq"] / output["dof"] < 1.2 * BEST_CHISQ / 399 for output in found.values())
        assert ["seed" in output for output in found.values()] == [True, False, False, False]
        datasets = site.query("SELECT data FROM results ORDER BY job_number")
        assert len(set(datasets)) == len(names)
        site.assert_legal()
