"""docs/cluster.md word for word: an administrator's path from an empty folder to a cluster, and back to nothing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from daemons import until

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")


@pytest.mark.long
def test_the_path_from_an_empty_folder_runs(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "docs" / "examples", tmp_path / "docs" / "examples")
    [script] = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
    place = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{place}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    environment.pop("PARK_SPOOL", None)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 of 1 are back" in done.stdout
    assert re.search(r"^n2 +127\.0\.0\.1 +idle", done.stdout, re.MULTILINE), done.stdout
    assert "2 nodes have left" in done.stdout
    until(lambda: not ours(tmp_path), 30, "the end of everything")
    assert list((tmp_path / "spool" / "locks").iterdir()) == []


def ours(root: Path) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if f"{root}/spool" in line:
            found.append(int(path.parent.name))
    return found
