"""The tutorial's service behaves as in the tutorial."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

TESTER = Path(__file__).parent.parent / "services" / "tester"


def script(name: str, text: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, TESTER / name],
        input=text,
        text=True,
        capture_output=True,
        timeout=60,
        env=os.environ | environment,
    )


def longwin(text: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, TESTER / "longwinstr.py"], input=text, text=True, capture_output=True, timeout=60, check=False
    )


@pytest.mark.parametrize(("count", "times"), [("4", 16), ("0", 1), ("26", 26), ("1000", 1000)])
def test_longwin_prints_as_in_the_tutorial(count: str, times: int) -> None:
    done = longwin(f'<input count="{count}"/>')
    assert done.stdout == (f"call longwin\n Start work with iteration number:  {count}\n finish work: cnt= {times}\n")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("text", ['<input count="many"/>', "<input/>", "<input", ""])
def test_a_bad_input_is_said_on_standard_error(text: str) -> None:
    done = longwin(text)
    assert done.returncode == 1
    assert done.stderr.startswith("Exception:")


def test_mean_is_the_same_for_one_seed_and_differs_without() -> None:
    seeded = [script("mean.py", '<input count="10" seed="1"/>').stdout for _ in range(2)]
    assert seeded[0] == seeded[1] and json.loads(seeded[0])["count"] == 10
    assert script("mean.py", "<input/>").stdout != script("mean.py", "<input/>").stdout


def test_slow_says_how_far_it_is_before_it_ends() -> None:
    replies = [json.loads(line) for line in script("slow.py", '<input seconds="0"/>').stdout.splitlines()]
    found = [reply["chisq"] for reply in replies]
    assert found == sorted(found, reverse=True) and len(found) == 21 and found[-1] == 2.0


def test_keep_leaves_its_table_where_it_is_kept(tmp_path: Path) -> None:
    done = script("keep.py", '<input rows="3"/>', PARK_OUTPUT=str(tmp_path))
    assert json.loads(done.stdout) == {"rows": 3}
    assert len((tmp_path / "table.txt").read_text().splitlines()) == 4


@pytest.mark.parametrize(
    ("text", "status"), [("<input/>", 1), ('<input status="7"/>', 7), ('<input signal="KILL"/>', -signal.SIGKILL)]
)
def test_fail_fails_as_asked(text: str, status: int) -> None:
    done = script("fail.py", text)
    assert (done.returncode, done.stderr) == (status, "this job fails because it was asked to\n")
