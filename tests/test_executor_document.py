"""docs/executor.md: its examples run, one after the other as a program, and print what it says."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from asking import until_ready
from daemons import Site, until

from park_spool.client.executor import ExecutorOptions, SpoolExecutor

DOCUMENT = (Path(__file__).resolve().parent.parent / "docs" / "executor.md").read_text(encoding="utf-8")
BLOCKS = [block for block in re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL) if "spool.executor(*" not in block]


def expected(block: str) -> list[str]:
    """What a block says that it prints, behind each print."""
    return re.findall(r"print\(.*\)\s+# (.*)$", block, re.MULTILINE)


@pytest.mark.parametrize("packages", [("scipy", "emcee", "lmfit", "joblib")])
def test_the_examples_run(tmp_path: Path, needs: Callable[[str], str], packages: tuple[str, ...]) -> None:
    for package in packages:
        needs(package)
    program = "\n".join(BLOCKS)
    assert program.count("print(") == sum(len(expected(block)) for block in BLOCKS) >= 7
    with Site(tmp_path, "spoold", "noded") as site:
        until_ready(site)
        command = [sys.executable, "-W", "error", "-c", program]
        done = subprocess.run(command, cwd=site.spool.parent, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines() == [line for block in BLOCKS for line in expected(block)]
        until(lambda: not any((site.spool / "sessions").glob("2*")), 60, "the end of all executors")
        site.assert_legal()


def test_every_argument_is_described() -> None:
    described = set(re.findall(r"`([a-z]+)`", "".join(re.findall(r"^\| (`[^|]*) \|", DOCUMENT, re.MULTILINE))))
    arguments = SpoolExecutor.__init__.__annotations__.keys() - {"settings", "return"}
    assert described == arguments == ExecutorOptions.__annotations__.keys()
