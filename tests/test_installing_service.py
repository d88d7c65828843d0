"""Units that systemd itself finds right, whatever the paths; what is written, and what is refused."""

from __future__ import annotations

import configparser
import getpass
import os
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from park_spool.cli.main import main
from park_spool.config import make_spool
from park_spool.system import escaping, roles

ODD = '100% of $HOME\'s "best" \\ data; ünits'


@pytest.fixture(params=["spool", ODD])
def spool(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    make_spool(tmp_path / request.param)
    return tmp_path / request.param


def install(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["install-service", *map(str, words)])


def fields(path: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(path)
    return parser


@pytest.mark.parametrize("whose", [("--system", "--run-as", getpass.getuser()), ("--user",)], ids=["system", "user"])
def test_systemd_finds_every_unit_right(
    whose: tuple[str, ...], spool: Path, tmp_path: Path, needs: Callable[[str], str]
) -> None:
    wanted = [*(name for name in roles.ROLES if name != "park-noded"), "park-noded --memory '8 GB' --tag a --name b"]
    done = install(*wanted, "--spool", spool, *whose, "--into", tmp_path / "units")
    assert done.exit_code == 0, done.output
    units = sorted((tmp_path / "units").iterdir())
    assert [unit.name for unit in units] == sorted(f"{name}.service" for name in roles.ROLES)
    verify(needs, units, "--user" if whose == ("--user",) else "--system")


def test_systemd_finds_templates_right(tmp_path: Path, needs: Callable[[str], str]) -> None:
    for number, whose in enumerate((("--system", "--run-as", getpass.getuser()), ("--user",))):
        folder = tmp_path / str(number)
        assert install(*roles.ROLES, "--template", *whose, "--into", folder).exit_code == 0
        verify(needs, [folder / f"{name}@shared-spool.service" for name in roles.ROLES], whose[0])
    assert "--spool %f" in (tmp_path / "0" / "park-noded@.service").read_text()


def verify(needs: Callable[[str], str], units: list[Path], whose: str) -> None:
    command = [needs("systemd-analyze"), "verify", "--man=no", whose, *map(str, units)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, env=os.environ | {"XDG_RUNTIME_DIR": str(units[0].parent)}
    )
    assert (done.returncode, own_lines(done.stderr)) == (0, [])


def own_lines(text: str) -> list[str]:
    """Leave out what is said of the machine's own units."""
    return [line for line in text.splitlines() if "park-" in line or "Failed" in line]


def test_a_command_says_what_was_asked_for(spool: Path, tmp_path: Path) -> None:
    install("park-noded --cpus 2 --memory '8 GB'", "--spool", spool, "--user", "--into", tmp_path / "units")
    command = fields(tmp_path / "units" / "park-noded.service")["Service"]["ExecStart"]
    words = shlex.split(command.replace("%%", "%"))
    assert words[0].startswith(":/") and words[1:4] == ["-P", "-m", "park_spool.noded"]
    assert words[4:] == ["--spool", str(spool), "--cpus", "2", "--memory", "8 GB"]


def test_a_node_lets_jobs_do_what_a_login_may_and_others_are_shut_in(tmp_path: Path) -> None:
    make_spool(tmp_path / "spool")
    install(*roles.ROLES, "--spool", tmp_path / "spool", "--system", "--into", tmp_path / "units")
    for name, role in roles.ROLES.items():
        service = fields(tmp_path / "units" / f"{name}.service")["Service"]
        assert service["Type"] == "notify" and service["KillMode"] == "mixed" and service["Restart"] == "on-failure"
        assert service["TimeoutStopSec"] == "40" and service["WatchdogSec"] == "600"
        assert ("NoNewPrivileges" in service) == ("ReadWritePaths" in service) == (not role.runs_jobs)
        assert service.get("OOMPolicy") == ("continue" if role.runs_jobs else None)
        if not role.runs_jobs:
            assert service["ReadWritePaths"] == str(tmp_path / "spool")


def test_what_is_written_stays_until_it_is_to_be_replaced(tmp_path: Path) -> None:
    spool, folder = tmp_path / "spool", tmp_path / "units"
    make_spool(spool)
    words = ("--spool", spool, "--user", "--into", folder)
    assert install(*words).output.splitlines() == [str(folder / f"{name}.service") for name in roles.USUAL]
    assert "(as it was)" in install(*words).output
    (folder / "park-noded.service").write_text("mine")
    refused = install(*words)
    assert refused.exit_code == 1 and "nothing was written" in refused.output
    assert (folder / "park-noded.service").read_text() == "mine"
    assert install(*words, "--replace").exit_code == 0
    assert "ExecStart" in (folder / "park-noded.service").read_text()
    assert install(*words, "--instance", "two").exit_code == 0
    assert (folder / "park-noded-two.service").is_file()


def test_printing_writes_nothing(tmp_path: Path) -> None:
    make_spool(tmp_path / "spool")
    printed = install("--spool", tmp_path / "spool", "--user", "--into", tmp_path / "units", "--print").output
    assert printed.startswith("# park-serve.service\n") and "# park-noded.service\n" in printed
    assert not (tmp_path / "units").exists()


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        (("park-slurmd",), "is no service; expected one of park-up, park-serve", 1),
        (("park-noded --spool x",), "--spool cannot stand there", 1),
        (("park-noded 'x",), "No closing quotation", 1),
        (("park-noded", "park-noded --cpus 2"), "named twice", 1),
        (("--user", "--system"), "exclude each other", 2),
        (("--user", "--run-as", "root"), "--run-as is for the system's services", 2),
        (("--template", "--instance", "x"), "exclude each other", 2),
        (("--template", "--system"), "say with --run-as", 1),
        (("--system", "--run-as", "nobody-of-this-name"), "there is no user", 1),
        (("--instance", "a b"), "expected letters, digits", 1),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(words: tuple[str, ...], said: str, code: int, tmp_path: Path) -> None:
    make_spool(tmp_path / "spool")
    done = install(*words, "--spool", tmp_path / "spool", "--into", tmp_path / "units")
    assert done.exit_code == code and said in done.output, done.output
    assert not (tmp_path / "units").exists()


@pytest.mark.parametrize("text", ["a\nb", "tab\there", "nul\0"])
def test_no_line_is_smuggled_into_a_unit(text: str) -> None:
    for escape in (escaping.word, escaping.line):
        with pytest.raises(escaping.ConfigError, match="one line"):
            escape(text)
