"""What a manifest's `run` becomes: a program that may be run, and words that no input can turn into anything else."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from park_spool.catalog.command_line import command_words, program
from park_spool.catalog.input_spec import InputSpec
from park_spool.catalog.manifest import Command
from park_spool.errors import ServiceError
from park_spool.sessions.element import Element

COUNT = InputSpec("count", "int", minimum=1, default=5)
NAME = InputSpec("name", "str", required=True)
ALL = InputSpec("all", "bool", default=True)


def command(*run: str, mode: str = "command", folder: Path = Path("/srv/mine")) -> Command:
    return Command("mine", "run", folder, mode, run, inputs=(COUNT, NAME, ALL))


def words(*run: str, **attributes: str) -> tuple[str, ...]:
    return command_words(command(*run), Element("input", attributes))


def test_inputs_stand_in_for_their_places() -> None:
    assert words("df", "-n", "{count}", "{all}", name="x") == ("df", "-n", "5", "true")
    assert words("df", "{count}", "{count}", count=" 7 ") == ("df", "7", "7")


@pytest.mark.parametrize("text", ["a b", "$(reboot)", "; rm x", "{count}", "*", "a\nb", ""])
def test_an_input_is_one_word_whatever_it_holds(text: str) -> None:
    assert words("df", "{name}", name=text) == ("df", text)


def test_only_a_whole_word_is_a_place() -> None:
    assert words("df", "--name={name}", "{}", "{na me}") == ("df", "--name={name}", "{}", "{na me}")


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({"name": "--help"}, "'name' must not begin with '-'"),
        ({"name": "-"}, "must not begin with '-'"),
        ({}, "'name' is missing"),
        ({"name": "x", "count": "0"}, "at least 1"),
        ({"name": "x", "count": "many"}, "whole number"),
    ],
)
def test_what_cannot_be_a_word_is_refused(attributes: dict[str, str], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        words("df", "{name}", "{count}", **attributes)


def test_the_words_of_other_modes_are_left_alone() -> None:
    plain = command("go", "{name}", mode="executable")
    assert command_words(plain, Element("input")) == ("go", "{name}")


def test_a_program_of_the_services_own_comes_first(tmp_path: Path) -> None:
    (tmp_path / "ls").touch()
    (tmp_path / "look.py").touch()
    assert program(command("ls", folder=tmp_path)) == (str(tmp_path / "ls"),)
    assert program(command("look.py", folder=tmp_path)) == (sys.executable, str(tmp_path / "look.py"))
    assert program(command("go", folder=tmp_path, mode="executable")) == (str(tmp_path / "go"),)


def test_the_systems_programs_are_found_whatever_path_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ls").touch(mode=0o755)
    (tmp_path / "mine").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert program(command("ls"))[0] in ("/usr/bin/ls", "/bin/ls")
    with pytest.raises(ServiceError, match="no program 'mine' in /usr/bin:/bin"):
        program(command("mine"))
