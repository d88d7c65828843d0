"""Wheels of what is installed here, and an environment made of them: no index and no network has a part in either.

Both are made once for all tests of a process; what is made of them is copied by hard links.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path


def clean(**more: str) -> dict[str, str]:
    """Return the environment of processes without what this one's Python or park-spool are told by it."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PARK_"))} | more


def run(*words: str | Path, **more: object) -> str:
    environment = {"env": clean(), **more}
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, **environment)  # type: ignore[call-overload]
    assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
    return str(done.stdout)


def copied(environment: Path, place: Path) -> Path:
    """Copy the environment that `environment` names to `place`, as a file server would show it elsewhere."""
    real = environment.resolve()
    shutil.copytree(real, place.parent / real.name, symlinks=True, copy_function=os.link)
    place.symlink_to(real.name)
    return place


def mark(environment: Path) -> dict[str, object]:
    return dict(json.loads((environment / "park-env.json").read_text()))


PYTHON = Path(sys.executable)
