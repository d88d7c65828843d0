"""The wheel, installed elsewhere: what must be in it is in it, and what must run runs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# Where each folder of the checkout stands in the one package; see setup.py.
ROOMS = {
    "park_spool": "park_spool",
    "datacenter": "park_spool/datacenter",
    "web": "park_spool/web",
    "services": "park_spool/services",
}
JUNK = shutil.ignore_patterns("__pycache__", "*.pyc", "*.egg-info", "build")


def run(*words: str | Path, **more: object) -> str:
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, **more)  # type: ignore[call-overload]
    assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
    return str(done.stdout)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from a copy, so that no build folder of an earlier time has a part in it, without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    for room in ROOMS:
        shutil.copytree(ROOT / room, source / room, ignore=JUNK)
    for name in ("pyproject.toml", "setup.py", PROJECT["readme"], *PROJECT["license-files"]):
        shutil.copy(ROOT / name, source / name)
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, source)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def elsewhere(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into a new virtual environment that finds the dependencies here, nothing of the checkout."""
    folder = tmp_path_factory.mktemp("elsewhere") / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    run(sys.executable, "-m", "pip", "--python", folder, "install", "--quiet", "--no-deps", "--no-index", wheel)
    # A path file adds the folder alone: the path files in it, an editable install's among them, do not count.
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    (folder / "lib" / version / "site-packages" / "here.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


def in_it(folder: Path, script: str) -> str:
    """Run a script in the environment elsewhere, in a folder that is not the checkout."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PARK_"))}
    return run(folder / "bin" / "python", "-W", "error", "-c", script, cwd=folder, env=environment)


def files_of_the_checkout() -> list[str]:
    return [
        f"{inside}/{path.relative_to(ROOT / room).as_posix()}"
        for room, inside in ROOMS.items()
        for path in sorted((ROOT / room).rglob("*"))
        if path.is_file() and not {"__pycache__", ".mypy_cache", ".ruff_cache"} & set(path.parts)
    ]


def test_every_file_of_the_package_is_in_the_wheel_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == set(files_of_the_checkout())


def test_what_is_easily_forgotten_is_among_them() -> None:
    files = files_of_the_checkout()
    for name in (
        "py.typed",
        "PROTOCOL.md",
        "session.xsd",
        "services/tester/service.toml",
        "services/reduce/Chisq.py",
        "archive/datasette.json",
    ):
        assert f"park_spool/{name}" in files
    assert any(name.startswith("park_spool/web/templates/") for name in files)


def test_the_package_is_found_elsewhere_with_all_its_parts(elsewhere: Path) -> None:
    script = "import importlib; print([importlib.import_module(name).__file__ for name in {!r}])"
    found = in_it(elsewhere, script.format([inside.replace("/", ".") for inside in ROOMS.values()]))
    assert found.count(str(elsewhere)) == len(ROOMS) and str(ROOT) not in found


def test_the_services_that_come_along_can_be_read_elsewhere(elsewhere: Path) -> None:
    script = """
from park_spool.config import shipped_services
from park_spool.catalog.registry import Registry
registry = Registry.load([shipped_services()])
assert registry.problems == (), registry.problems
print(sorted(registry.services), sorted(registry.reducers))
"""
    assert "'reflectivity', 'small_angle', 'tester'" in in_it(elsewhere, script)


JOBS = """
import json, select, sys, time
from pathlib import Path
from park_spool.running.assignment import Assignment
from park_spool.config import shipped_services
from park_spool.sessions.session import Element, Group, JobList, Session, Task
from park_spool.running.slot import Slot

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".").absolute()
inputs = (Element("input", {"count": "4"}),)
groups = [
    Group("group", Task(command, "tester", command), (), None, (JobList("list", 0, 2, inputs),))
    for command in ("longwinstr.py", "noop")
]
session = folder / "session.json"
session.write_text(json.dumps(Session("user", "", 0, {}, tuple(groups)).to_json()))
slot = Slot(0, folder)
for group in (1, 2):
    slot.start(Assignment("unit", session, folder, (shipped_services(),), (), group, 1, ((1, 3),), folder / "scratch"))
    while (lines := slot.poll(time.monotonic())) is None:
        select.select([slot], [], [], max(0.0, (slot.wake_at() or 0.0) - time.monotonic()))
    for line in lines:
        print(line.decode(), end="")
slot.close()
"""


def test_executables_and_functions_run_elsewhere(elsewhere: Path) -> None:
    results = [json.loads(line) for line in in_it(elsewhere, JOBS).splitlines()]
    assert [result["status"] for result in results] == ["ok"] * 4, results
    assert "finish work" in results[0]["output"] and results[2]["output"] == "{}"


@pytest.mark.parametrize("script", PROJECT["scripts"])
def test_console_scripts_start(elsewhere: Path, script: str) -> None:
    assert "Usage:" in run(elsewhere / "bin" / script, "--help", cwd=elsewhere)
