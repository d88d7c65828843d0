"""The small-angle service where it runs: in a slot's warm process, and in a session through all daemons."""

# ruff: noqa: F811  (fixtures are imported, and named again where they are asked for)
from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from daemons import Site, until
from running_site import Site as Slots
from small_angle_service import BLEND_CHISQ, SERVICE, blend, measured  # noqa: F401

from park_spool.sessions.session import DataRef

DOCUMENT = (SERVICE.parents[1] / "docs" / "small_angle.md").read_text(encoding="utf-8")
COIL = "\n".join(f"{0.01 * step:.2f} {10 / (1 + (0.5 * step) ** 2):.6f} 0.05" for step in range(1, 31))
SESSION = """<session user='wwchen' name='frames'>
 <group name='annealing at 870 °C'>
  <dataSet><data name='annealing' href='package:sasdata/example_data/1d_data/VTMA.h5'/></dataSet>
  <reduce classname='Batch'/>
  <task cmd='small_angle/beaucage'/>
  <joblist>
   <scan><axis name='frame' values='1 6 300'/></scan>
   <input select='!*_mrg' qmin='4e-4' qmax='0.2' seed='1'/>
  </joblist>
 </group>
 <group name='coil'>
  <dataSet><data name='blend' href='package:sasdata/example_data/1d_data/ISIS_Polymer_Blend_TK49.xml'/></dataSet>
  <task cmd='small_angle/debye'/>
  <joblist><input seed='1'/></joblist>
 </group>
</session>"""


@pytest.fixture
def slots(tmp_path: Path) -> Iterator[Slots]:
    """Give a slot that knows the services that come along."""
    site = Slots(tmp_path)
    site.services = SERVICE.parent
    yield site
    site.slot.close()


def test_files_of_all_kinds_in_one_warm_process(slots: Slots, needs: Callable[[str], str], tmp_path: Path) -> None:
    """What is refused fails its job in words, and the next one runs as if nothing had been."""
    for package in ("h5py", "scipy"):
        needs(package)
    (tmp_path / "coil.txt").write_text(COIL)
    (tmp_path / "broken.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    results = []
    for name in ("coil.txt", "broken.h5", "coil.txt"):
        data = (DataRef("sample", name, None, None),)
        results += slots.run("fit", service="small_angle", command="debye", data=data)
    first, broken, last = results
    assert [result["status"] for result in results] == ["ok", "failed", "ok"]
    assert "broken.h5: expected NXcanSAS in a whole HDF5 file, found one that is not" in broken["why"]
    replies = [json.loads(result["output"]) for result in (first, last)]
    assert replies[0]["dataset"] == "coil.txt"
    assert replies[0]["chisq"] == pytest.approx(replies[1]["chisq"])


def test_a_session_through_all_daemons(tmp_path: Path, blend: dict[str, Any]) -> None:
    with Site(tmp_path) as site:
        site.drop_text("frames.xml", SESSION)
        until(lambda: site.closed() == 1, 120, "closing")
        site.assert_running()
        rows = site.query("SELECT group_number, job_number, status, dataset, chisq FROM jobs ORDER BY 1, 2")
        assert [row[:4] for row in rows] == [
            (1, 1, "ok", "VTMA13b_2_30C_0min_0003"),
            (1, 2, "ok", "VTMA13b_2_870C_17min_0008"),
            (1, 3, "failed", None),
            (2, 1, "ok", "ISIS_Polymer_Blend_TK49.xml"),
        ]
        assert [row[4] for row in rows] == pytest.approx([750.15, 364.66, None, BLEND_CHISQ], abs=0.01)
        frames = site.query(DOCUMENT.partition("```sql\n")[2].partition("```")[0])
        assert [name for name, *_ in frames] == [rows[0][3], rows[1][3]]
        assert frames[1][1:] == pytest.approx((1.5258, 282.39, 4.394), rel=1e-3)
        [(why,)] = site.query("SELECT why FROM results WHERE group_number = 1 AND job_number = 3")
        assert "frame: expected a number from 1 to 170 for VTMA.h5, got 300" in why
        [(value, error)] = site.query("SELECT value, error FROM parameters WHERE group_number = 2 AND name = 'Rg'")
        assert (value, error) == pytest.approx((76.1144, 0.247), abs=0.001)
        site.assert_legal()
