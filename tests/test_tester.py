"""The tutorial's service behaves as in the tutorial."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TESTER = Path(__file__).parent.parent / "services" / "tester"


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
