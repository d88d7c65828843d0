"""A real Slurm of two nodes on this machine, and a crew of pilots on it that a test steps."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from daemons import Site

from park_spool import member
from park_spool.pilots.crew import Crew
from park_spool.pilots.profiles import Profile

SCRIPT = Path(__file__).parent / "lab" / "slurm.sh"
NODES = 2
SERVICE = """
from time import sleep as rest
def sleep(values):
    rest(float(values["seconds"]))
    return {"chisq": 1.0}
"""
SLEEPERS = """<?xml version='1.0' encoding='UTF-8'?>
<session version='2.0.1' user='anna'>
 <group name='g'><reduce classname='Chisq'/><task cmd='sleeper/sleep'/>
  <joblist name='l' cnt='{count}'><input seconds='{seconds}'/></joblist></group>
</session>
"""


@dataclass(frozen=True, slots=True)
class Slurm:
    """The lab: the environment of its commands, and the folder in which they are."""

    environment: dict[str, str]
    commands: str

    def run(self, *words: str) -> str:
        environment = {**os.environ, **self.environment}
        program = str(Path(self.commands) / words[0])
        return subprocess.run([program, *words[1:]], env=environment, check=True, capture_output=True, text=True).stdout

    def jobs(self) -> dict[str, str]:
        """Job id → state of what is queued or runs."""
        return dict(line.split() for line in self.run("squeue", "-h", "-o", "%i %t").splitlines())


def missing_tools() -> str:
    """The first program that the lab needs and that is not here; empty if all are."""
    return next((tool for tool in ("apt-get", "dpkg", "setsid", "tac") if shutil.which(tool) is None), "")


def free_ports(count: int) -> int:
    """The first of so many ports in a row that are free now."""
    for first in range(20_000 + os.getpid() % 1000 * 10, 32_000, count):
        with ExitStack() as opened, suppress(OSError):
            for port in range(first, first + count):
                opened.enter_context(socket.create_server(("127.0.0.1", port)))
            return first
    raise AssertionError("no free ports")


@contextmanager
def slurm() -> Iterator[Slurm]:
    """Start a Slurm of its own, on ports that nobody uses, and end it."""
    packages = Path(tempfile.gettempdir()) / f"park-slurm-{os.getuid()}"
    with tempfile.TemporaryDirectory(prefix="park-slurm-lab-") as folder:
        environment = {**os.environ, "PORT": str(free_ports(NODES + 1)), "NODES": str(NODES)}
        command = [str(SCRIPT), "up", folder, str(packages)]
        made = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
        try:
            assert made.returncode == 0, made.stderr
            told = dict(line.split("=", 1) for line in made.stdout.splitlines() if "=" in line)
            commands = told.pop("PATH")
            yield Slurm(told, commands)
        finally:
            subprocess.run([str(SCRIPT), "down", folder], check=True, timeout=60)


def add_sleeper(root: Path) -> None:
    """Put a service beside the spool whose jobs sleep."""
    folder = root / "services" / "sleeper"
    folder.mkdir(parents=True)
    (folder / "service.toml").write_text(
        '[commands.sleep]\nmode = "function"\nfunction = "sleeper:sleep"\ntakes = "dict"\n'
        '[commands.sleep.inputs.seconds]\ntype = "float"\n'
    )
    (folder / "sleeper.py").write_text(SERVICE)


class Driven:
    """A crew that is stepped as a master would, while a test waits for something."""

    def __init__(self, site: Site, profile: Profile) -> None:
        self.said: list[str] = []
        self.crew = Crew(member.join(site.config), profile, self.said.append)
        self._site = site

    def until(self, is_so: Callable[[], object], seconds: float, what: str) -> None:
        end = time.monotonic() + seconds
        while not self._holds(is_so):
            self.crew.step()
            if time.monotonic() > end:
                raise AssertionError(f"{what} did not come true in {seconds:g} s: {self.said}")
            time.sleep(0.05)

    @staticmethod
    def _holds(is_so: Callable[[], object]) -> bool:
        try:
            return bool(is_so())
        except FileNotFoundError:
            return False

    def records(self) -> list[str]:
        return sorted(path.name for path in self._site.config.layout.pilots.iterdir())


def nodes_of(site: Site) -> dict[str, str]:
    """Node → the batch job that it says it runs in."""
    from park_spool import sealed
    from park_spool.errors import TornError

    found = {}
    for path in sorted(site.config.layout.nodes.glob("*.json")):
        try:
            report = sealed.unseal_json(path.read_bytes())
        except (FileNotFoundError, TornError):
            continue
        found[str(report["node"])] = str(report.get("started_by", {}).get("job", ""))
    return found


def assert_all_ok(site: Site, count: int, attempt: int = 0) -> None:
    """Each job counted once, at its first attempt (or up to a later one), and the spool legal."""
    assert site.query("SELECT count(*), count(DISTINCT job_number) FROM jobs WHERE status = 'ok'") == [(count, count)]
    assert site.query("SELECT job_number, attempt FROM jobs WHERE attempt > ?", attempt) == []
    site.assert_legal()
