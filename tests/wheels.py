"""An environment made of what is installed here, once for all processes of a test run; and a tiny stand-in for park-spool.

No index and no network has a part in it. The environment was made under one path and stands under another one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

import park_spool
from park_spool.installing import environment, wheelhouse
from park_spool.installing.wheel import Wheel

TINY = {
    "park_spool/__init__.py": "__version__ = '{version}'\n",
    "park_spool/noded.py": "def main():\n    print('a tiny one')\n",
    "{info}/METADATA": "Metadata-Version: 2.1\nName: park-spool\nVersion: {version}\n{needs}",
    "{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "{info}/entry_points.txt": "[console_scripts]\npark-noded = park_spool.noded:main\n",
    "{info}/RECORD": "",
}


def clean(**more: str) -> dict[str, str]:
    """Return the environment of processes without what this one's Python or park-spool are told by it."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PARK_"))} | more


def run(*words: str | Path, **more: object) -> str:
    options = {"env": clean(), **more}
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
    return str(done.stdout)


def tiny_wheel(folder: Path, digest: str = "tiny", needs: str = "") -> Wheel:
    """Write a wheel that installs in a moment, in place of park-spool's own."""
    names = {
        "version": park_spool.__version__,
        "info": f"park_spool-{park_spool.__version__}.dist-info",
        "needs": f"Requires-Dist: {needs}\n" if needs else "",
    }
    path = folder / f"park_spool-{park_spool.__version__}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in TINY.items():
            archive.writestr(name.format(**names), text.format(**names))
    return Wheel(path, digest)


@dataclass(frozen=True, slots=True)
class Made:
    """The environment, and where it was made and is no more."""

    place: Path
    first: Path


def made_once(factory: pytest.TempPathFactory) -> Made:
    """Make the environment, or take the one that another process of this test run has made."""
    top = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        top = top.parent
    top = top / "environment"
    made = Made(top / "second" / "shared" / "env", top / "first")
    with FileLock(f"{top}.lock"):
        if not made.place.exists():
            wheelhouse.pack(top / "wheels", ("fit",))
            environment.make(made.first / "shared" / "env", wheels=top / "wheels")
            shutil.rmtree(top / "wheels")
            made.first.rename(top / "second")
    return made
