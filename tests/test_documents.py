"""The documents name what the code has, and their examples run."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
import pytest
from daemons import Site
from park_spool.datacenter import server as data_server
from park_spool.web import server

from park_spool import errors, noded, reduced, spoold
from park_spool.catalog.registry import Registry
from park_spool.cli import options
from park_spool.cli.main import VERBS, main
from park_spool.config import Config
from park_spool.layout import FOLDERS
from park_spool.sessions.parsing import Limits, parse_session
from park_spool.sources.settings import SourceSettings

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
SETTINGS = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
DAEMONS = {
    "park-spoold": spoold.main,
    "park-noded": noded.main,
    "park-reduced": reduced.main,
    "park-web": server.main,
    "park-datad": data_server.main,
}
DOCUMENTS = sorted(path for path in ROOT.glob("**/*.md") if not {".venv", "build"} & set(path.relative_to(ROOT).parts))
verbs = pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def section(verb: click.Command) -> str:
    (found,) = re.findall(rf"^## park {verb.name}\b(.*?)(?=^## )", COMMANDS, re.DOTALL | re.MULTILINE)
    return str(found)


def with_subverbs(verb: click.Command) -> list[click.Command]:
    return [verb, *(verb.commands.values() if isinstance(verb, click.Group) else ())]


@verbs
def test_every_verb_has_its_section_with_every_option(verb: click.Command) -> None:
    text = section(verb)
    assert [sub.name for sub in with_subverbs(verb)[1:] if f"`park {verb.name} {sub.name}" not in text] == []
    for parameter in (parameter for one in with_subverbs(verb) for parameter in one.params):
        if isinstance(parameter, click.Option) and parameter.name != "spool":
            assert all(f"`{word}" in text for word in parameter.opts), parameter.opts


def test_no_section_is_about_a_verb_that_is_not_there() -> None:
    assert set(re.findall(r"^## park ([\w-]+)", COMMANDS, re.MULTILINE)) == {verb.name for verb in VERBS}


@pytest.mark.parametrize("name", sorted(DAEMONS))
def test_every_daemon_has_its_row_with_its_options(name: str) -> None:
    (row,) = re.findall(rf"^\| `{name}` \|.*$", COMMANDS, re.MULTILINE)
    for parameter in DAEMONS[name].params:
        if parameter.name not in ("spool", "verbose", "with_parent"):
            assert any(option in row for option in (*parameter.opts, *parameter.secondary_opts)), parameter.opts


def test_the_exit_codes_are_the_codes() -> None:
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", COMMANDS, re.MULTILINE)}
    codes = ("FINE", "FAILED", "USAGE", "REJECTED", "TRY_LATER", "INTERRUPTED")
    assert listed == {getattr(options, code) for code in codes}
    for code in listed:
        assert re.search(rf"\b{code} \w", str(main.help)), f"exit code {code} in `park --help`"


def test_every_error_has_its_row_with_its_exit_code() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \|(.*)$", COMMANDS, re.MULTILINE))
    classes = [
        value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, errors.ParkError)
    ]
    assert {kind.__name__ for kind in classes} == set(rows)
    for kind in classes:
        assert f"| {options.exit_code(kind('reason'))}" in rows[kind.__name__]


def test_every_setting_has_its_row_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \|(.*)$", SETTINGS, re.MULTILINE))
    assert {field.name for field in fields(Config)} == set(rows)
    for field in fields(Config):
        if isinstance(field.default, (int, float, str)) and not isinstance(field.default, bool):
            shown = re.search(r"`([^`]+)`", rows[field.name])
            assert shown and shown[1].replace("_", "").strip('"') == str(field.default), field.name


def test_every_setting_of_a_source_has_its_row_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `sources\.NAME\.(\w+)` \| ([^|]+) \|", SETTINGS, re.MULTILINE))
    wanted = {field.name: field.default for field in fields(SourceSettings) if field.name not in ("name", "root")}
    shown = {name: {"[]": (), "{}": (), '""': ""}.get(row.strip("`"), row.strip("`")) for name, row in rows.items()}
    assert shown.pop("root") == "must be given"
    assert {name: str(default) for name, default in wanted.items()} == {name: str(row) for name, row in shown.items()}


@pytest.mark.parametrize("path", ["spool/README.md", "park_spool/PROTOCOL.md"])
def test_every_folder_of_the_spool_has_its_row(path: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    listed = re.findall(r"^\| `?([a-z/]+?)/?`? \|", text, re.MULTILINE)
    assert [name for name in FOLDERS if name not in listed] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target


# examples


def examples(text: str) -> Iterator[str]:
    """Yield the lines that begin with `park` or a daemon's name in shell blocks and in indented ones."""
    lines = [line for block in blocks(text, "sh") for line in block.splitlines()]
    lines += [line.strip() for line in text.splitlines() if line.startswith("    ")]
    yield from (line for line in lines if re.match(r"(PARK_SPOOL=\S+ )?park(-\w+)? ", line))


def parse(line: str) -> None:
    """Parse a command as the console would; a usage error raises."""
    plain = re.sub(r"\$\(.*\)", "SID", line.removeprefix("PARK_SPOOL=/shared/spool ")).partition(" > ")[0]
    words = shlex.split(plain, comments=True)
    name, *rest = words
    if name == "park":
        verb, *rest = rest
        command = main.commands[verb]
        if isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
            verb, *rest = rest
            command = command.commands[verb]
        command.make_context(verb, rest)
    else:
        DAEMONS[name].make_context(name, rest)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_commands_in_the_documents_parse(path: Path) -> None:
    for line in examples(path.read_text(encoding="utf-8")):
        parse(line)


ALL = [main, *(one for verb in VERBS for one in with_subverbs(verb)), *DAEMONS.values()]


@pytest.mark.parametrize("command", ALL, ids=lambda command: command.name)
def test_help_ends_with_examples_that_parse(command: click.Command) -> None:
    _, _, text = str(command.help).partition("Examples:\n")
    found = list(examples("\n".join(f"    {line.strip()}" for line in text.splitlines())))
    assert found
    for line in found:
        parse(line)


def test_the_session_of_the_readme_is_admitted() -> None:
    (session,) = blocks(README, "xml")
    parsed = parse_session(session.encode(), Registry.load([ROOT / "services"]), Limits())
    assert parsed.warnings == () and sum(parsed.sizes().values()) == 24


LINE = """<session user='wwchen'><group><reduce classname='Chisq'/><task cmd='line/chisq'/><joblist>
<scan>{axis}</scan></joblist></group></session>"""


def test_the_readme_runs(tmp_path: Path) -> None:
    """Its service, with a session that has its scan, sent by its commands; its query finds the best slope."""
    service = tmp_path / "services" / "line"
    service.mkdir(parents=True)
    (service / "service.toml").write_text(blocks(README, "toml")[0], encoding="utf-8")
    (service / "line.py").write_text(blocks(README, "python")[0], encoding="utf-8")
    axis = re.search(r"`(<axis [^`]*/>)`", README)
    assert axis
    (tmp_path / "film.xml").write_text(LINE.format(axis=axis[1]), encoding="utf-8")
    with Site(tmp_path) as site:
        for verb in ("validate", "submit", "status"):
            lines = [line for line in examples(README) if line.startswith(f"park {verb} ")]
            assert lines, f"README shows no `park {verb}`"
            done = run(lines[0], tmp_path)
            assert done.returncode == 0, done.stderr
        (query,) = re.findall(r"sqlite3 .* '(select .*)'", README)
        [(_, job, chisq, reduced_chisq, _)] = site.query(query)
        assert job == "1.1.105" and reduced_chisq == chisq / 2  # slope 2.04
        command = [sys.executable, "-c", blocks(README, "python")[1]]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[-2:] == ["1.1.2 6.0 [1.9 2.  2.1]", "[3, 4]"]


def run(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from park_spool.cli.main import main; main()", *shlex.split(line)[1:]]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
