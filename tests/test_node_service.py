"""The short commands that come along: each says what it is for, and no input makes it do anything else."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from park_spool.catalog.command_line import command_words, program
from park_spool.catalog.registry import Registry
from park_spool.sessions.element import Element

SERVICES = Path(__file__).parent.parent / "services"
COMMANDS = Registry.load([SERVICES]).service("node").commands


def run(name: str, **attributes: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a node does."""
    command = COMMANDS[name]
    words = (*program(command), *command_words(command, Element("input", attributes))[1:])
    return subprocess.run(words, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_each_runs_without_an_input(name: str) -> None:
    assert COMMANDS[name].mode == "command"
    done = run(name)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip()


def test_top_shows_as_many_processes_as_asked_for() -> None:
    lines = run("top", count="2").stdout.splitlines()
    assert lines[0].startswith("up ") and lines[1].startswith(f"CPUs: {os.cpu_count()}")
    assert lines[4].split() == ["PID", "USER", "CPU%", "MEMORY", "NAME"]
    assert len(lines) == 7


def test_ls_lists_services_and_their_files() -> None:
    assert "  tester/" in run("ls").stdout
    assert "  longwinstr.py" in run("ls", service="tester").stdout


@pytest.mark.parametrize("name", ["..", "../tests", "/etc", "tester/..", "nothing", ""])
def test_ls_lists_nothing_else(name: str) -> None:
    done = run("ls", service=name)
    assert (done.returncode, done.stdout) == (1, "")
    assert "there is no service" in done.stderr


def test_python_tells_versions() -> None:
    assert "\nnumpy " in run("python").stdout
