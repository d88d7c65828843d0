"""Services and reducers are found in folders; a broken one is a problem in words and harms no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from park_spool.catalog.registry import InputSpec, Registry, typed_input
from park_spool.errors import ServiceError
from park_spool.limits import Limits
from park_spool.sessions.session import Element

SERVICES = Path(__file__).parent.parent / "services"
PROGRAM = "[commands.run]\nmode = 'executable'\nrun = ['go']\n"
SCRIPT = "[commands.run]\nmode = 'executable'\nrun = ['go.py']\n"
SHORT = "[commands.run]\nmode = 'command'\nrun = ['ls']\n"
GOOD = '[commands.run]\nmode = "function"\nfunction = "f:f"\n'


def make(folder: Path, manifest: str, name: str = "mine") -> Path:
    """Make a service with a program `go` in a folder of services; give that folder."""
    service = folder / name
    service.mkdir(parents=True)
    (service / "service.toml").write_text(manifest, encoding="utf-8")
    (service / "go").touch()
    (service / "go.py").touch()
    return folder


def test_the_services_that_come_along() -> None:
    registry = Registry.load([SERVICES])
    assert registry.problems == ()
    assert {"tester", "reflectivity"} <= set(registry.services)
    assert registry.reducer("Chisq") == SERVICES / "reduce" / "Chisq.py"
    command = registry.command("tester", "longwinstr.py")
    assert (command.mode, command.run, command.timeout) == ("executable", ("longwinstr.py",), 3600.0)
    assert command.inputs[0].name == "count"
    assert command.folder == SERVICES / "tester"


def test_a_whole_manifest(tmp_path: Path) -> None:
    manifest = """
    description = "mine"
    [commands.go]
    mode = "executable"
    run = ["go", "--fast"]
    timeout = 2.5
    [commands.fit]
    mode = "function"
    function = "package.module:fit"
    takes = "dict"
    description = "fit"
    [commands.fit.inputs.thickness]
    type = "float"
    minimum = 0
    maximum = 500
    unit = "Å"
    default = 50
    description = "of the film"
    """
    registry = Registry.load([make(tmp_path, manifest)])
    assert registry.problems == ()
    go, fit = registry.command("mine", "go"), registry.command("mine", "fit")
    assert (go.run, go.timeout, go.takes) == (("go", "--fast"), 2.5, "xml")
    assert (fit.function, fit.takes, fit.service, fit.name) == ("package.module:fit", "dict", "mine", "fit")
    assert fit.inputs == (InputSpec("thickness", "float", 0, 500, "Å", 50.0, False, "of the film"),)


def test_every_limit_can_be_set(tmp_path: Path) -> None:
    manifest = """
    [commands.go]
    mode = "executable"
    run = ["go.py"]
    preload = ["numpy", "scipy.optimize"]
    timeout = 60
    cpu = "30"
    memory = "2 GB"
    output = 1000
    open_files = 64
    nice = 5
    grace = 0.5
    kept = "10 MiB"
    """
    command = Registry.load([make(tmp_path, manifest)]).command("mine", "go")
    assert command.limits == Limits(60.0, 30.0, 2_000_000_000, 1000, 64, 5, 0.5, 10 << 20)
    assert command.timeout == 60.0
    assert command.preload == ("numpy", "scipy.optimize")


def test_a_short_command_has_short_limits(tmp_path: Path) -> None:
    registry = Registry.load([make(tmp_path, SHORT)])
    command = registry.command("mine", "run")
    assert (command.mode, command.run, command.limits) == ("command", ("ls",), Limits(timeout=10.0, output=65536))
    longer = Registry.load([make(tmp_path / "b", SHORT + "timeout = 60\noutput = '1 MiB'\n")]).command("mine", "run")
    assert (longer.limits.timeout, longer.limits.output) == (60.0, 1 << 20)


def test_an_input_may_be_one_of_a_few_words(tmp_path: Path) -> None:
    manifest = GOOD + "[commands.run.inputs.kind]\nchoices = ['film', 'bulk']\ndefault = 'film'\n"
    (spec,) = Registry.load([make(tmp_path, manifest)]).command("mine", "run").inputs
    assert (spec.choices, spec.default, spec.convert("bulk")) == (("film", "bulk"), "film", "bulk")
    with pytest.raises(ValueError, match="input 'kind' must be one of film, bulk, not 'gas'"):
        spec.convert("gas")


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        ("[commands.run", ("cannot be read",)),
        ("description = 'nothing'", ("no commands",)),
        ("colour = 'red'\n" + GOOD, ("unknown key 'colour'", "commands")),
        (GOOD + "timout = 3", ("unknown key 'timout'", "timeout")),
        (GOOD + "timeout = 0", ("timeout must be 0.001 to",)),
        (GOOD + "timeout = -1", ("timeout must be 0.001 to",)),
        (GOOD + "timeout = nan", ("timeout must be 0.001 to",)),
        (GOOD + "timeout = '3 s'", ("timeout", "number", "'3 s'")),
        (GOOD + "takes = 'yaml'", ("takes", "xml, dict", "'yaml'")),
        (GOOD + "run = ['go']", ("run", "'function'")),
        (GOOD + "cpu = [1]", ("cpu must be a number or a text", "'[1]'")),
        (GOOD + "memory = '2 elephants'", ("memory", "'512 MB'", "'2 elephants'")),
        (GOOD + "memory = true", ("memory must be a number or a text",)),
        (GOOD + "nice = -5", ("nice must be 0 to 19", "'-5'")),
        (GOOD + "open_files = 1.5", ("open_files must be a whole number",)),
        (GOOD + "preload = ['numpy']", ("preload goes with mode = 'executable'",)),
        (PROGRAM + "preload = ['numpy']", ("preload", "ends in .py")),
        (SCRIPT + "preload = 'numpy'", ("preload must be a list",)),
        (SCRIPT + "preload = ['import os']", ("preload names 'import os'",)),
        (SHORT + "timeout = 61", ("timeout is at most 60 s", "not 61 s")),
        (SHORT + "output = '2 MiB'", ("output is at most 1.05 MB",)),
        (SHORT + "preload = ['numpy']", ("preload goes with",)),
        (SHORT + "takes = 'dict'", ("takes", "xml")),
        (SHORT + "function = 'f:f'", ("function does not go with mode = 'command'",)),
        ("[commands.run]\nmode = 'command'\nrun = ['/bin/ls']", ("'/bin/ls'", "inside")),
        ("[commands.run]\nmode = 'command'\nrun = ['../ls']", ("'../ls'", "inside")),
        ("[commands.run]\nmode = 'command'\nrun = ['link']", ("'link'", "leaves")),
        ("[commands.run]\nmode = 'command'\nrun = ['{program}']", ("no such file",)),
        ("[commands.run]\nmode = 'command'\nrun = ['ls', '{path}']", ("{path}", "no [commands.run.inputs.path]")),
        (
            "[commands.run]\nmode = 'command'\nrun = ['ls', '{path}']\n[commands.run.inputs.path]\ntype = 'str'",
            ("{path}", "default, or required"),
        ),
        (GOOD + "[commands.run.inputs.x]\ntype = 'int'\nchoices = ['1']", ("choices goes with type = 'str'",)),
        (GOOD + "[commands.run.inputs.x]\nchoices = [1]", ("choices must be a list of words",)),
        (GOOD + "[commands.run.inputs.x]\nchoices = ['a']\ndefault = 'b'", ("default", "one of a, not 'b'")),
        ("[commands.run]\nmode = 'thread'", ("mode", "executable, function, command")),
        ("[commands.run]\nmode = 'function'", ("module:function",)),
        ("[commands.run]\nmode = 'function'\nfunction = 'os.system'", ("module:function", "'os.system'")),
        ("[commands.run]\nmode = 'executable'", ("run", "list of words")),
        ("[commands.run]\nmode = 'executable'\nrun = 'go'", ("run", "list")),
        ("[commands.run]\nmode = 'executable'\nrun = [1]", ("run", "list of words")),
        ("[commands.run]\nmode = 'executable'\nrun = ['/bin/sh']", ("'/bin/sh'", "inside the service's folder")),
        ("[commands.run]\nmode = 'executable'\nrun = ['../go']", ("'../go'", "inside")),
        ("[commands.run]\nmode = 'executable'\nrun = ['gone']", ("'gone'", "no such file")),
        ("[commands.run]\nmode = 'executable'\nrun = ['link']", ("'link'", "leaves")),
        ("[commands.run]\nmode = 'executable'\nrun = ['go']\ntakes = 'dict'", ("takes", "xml")),
        ("[commands.'a/b']\nmode = 'function'\nfunction = 'f:f'", ("'a/b'", "letters")),
        ("commands = 3", ("commands must be a dict",)),
        (GOOD + "[commands.run.inputs.x]\ntype = 'complex'", ("type", "int, float", "'complex'")),
        (GOOD + "[commands.run.inputs.x]\ntype = 'int'\ndefault = 1.5", ("default", "whole number", "'1.5'")),
        (GOOD + "[commands.run.inputs.x]\ntype = 'int'\nminimum = 2\ndefault = 1", ("default", "at least 2")),
        (GOOD + "[commands.run.inputs.x]\nminimum = true", ("minimum", "number")),
        (GOOD + "[commands.run.inputs.x]\nrequired = 1", ("required", "bool")),
        (GOOD + "[commands.run.inputs.data]\ntype = 'str'", ("'data'", "taken")),
        (GOOD + "[commands.run.inputs.'a b']\ntype = 'str'", ("'a b'",)),
    ],
)
def test_a_broken_manifest_is_a_problem_that_harms_no_other(
    tmp_path: Path, manifest: str, words: tuple[str, ...]
) -> None:
    make(tmp_path, GOOD, "fine")
    make(tmp_path, manifest)
    (tmp_path / "mine" / "link").symlink_to("/bin/sh")
    registry = Registry.load([tmp_path])
    assert list(registry.services) == ["fine"]
    (problem,) = registry.problems
    assert str(tmp_path / "mine" / "service.toml") in problem
    assert [word for word in words if word not in problem] == [], problem


def test_a_manifest_that_is_not_utf8_is_a_problem(tmp_path: Path) -> None:
    make(tmp_path, GOOD)
    (tmp_path / "mine" / "service.toml").write_bytes(b"description = '\xff'\n")
    assert "cannot be read" in Registry.load([tmp_path]).problems[0]


def test_the_first_of_one_name_counts(tmp_path: Path) -> None:
    first, second = make(tmp_path / "a", GOOD), make(tmp_path / "b", GOOD)
    registry = Registry.load([first, second])
    assert registry.service("mine").folder == first / "mine"
    assert registry.problems == (f"{second / 'mine'}: hidden by another of the same name in a folder that comes first",)


def test_what_is_no_service_is_passed_over(tmp_path: Path) -> None:
    for name in (".hidden", "_private", "reduce"):
        make(tmp_path, GOOD, name)
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.txt").touch()
    registry = Registry.load([tmp_path, tmp_path / "missing"])
    assert (registry.services, registry.reducers, registry.problems) == ({}, {}, ())


def test_a_reducer_is_a_file_with_the_class_of_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "reduce"
    folder.mkdir()
    (folder / "Best.py").write_text("class Best:\n    pass\n")
    (folder / "reduce.py").write_text("class Reduce:\n    pass\n")
    (folder / "two words.py").write_text("class Best:\n    pass\n")
    assert Registry.load([tmp_path]).reducers == {"Best": folder / "Best.py"}


def test_a_reducer_may_stand_beside_the_service_that_it_is_for(tmp_path: Path) -> None:
    film = make(tmp_path, GOOD, "film") / "film"
    (film / "Best.py").write_text("class Best:\n    OPTIONS = {'least': '1', **{}}\n    OTHERS = {'no': '1'}\n")
    (tmp_path / "nothing").mkdir()
    (tmp_path / "nothing" / "Worst.py").write_text("class Worst:\n    pass\n")
    registry = Registry.load([tmp_path])
    assert registry.reducers == {"Best": film / "Best.py"} and registry.problems == ()
    assert registry.reducer_options("Best") == ("least",)


@pytest.mark.parametrize(
    "text", ["class Best(:\n", "class Best:\n    OPTIONS = dict(a='1')\n", "class Best:\n  pass\n"]
)
def test_options_that_cannot_be_read_off_the_text_are_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "reduce").mkdir()
    (tmp_path / "reduce" / "Best.py").write_text(text)
    assert Registry.load([tmp_path]).reducer_options("Best") == ()


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda registry: registry.service("testr"), "no service 'testr'; services here: tester, "),
        (lambda registry: registry.command("tester", "nope"), "no command 'nope'; its commands: noop, "),
        (lambda registry: registry.command("testr", "noop"), "no service 'testr'"),
        (lambda registry: registry.reducer("chisq"), "no reducer 'chisq'; reducers here: Chisq"),
        (lambda registry: registry.service("../tester"), "no service '../tester'"),
        (lambda registry: registry.reducer("reduce"), "no reducer 'reduce'"),
    ],
)
def test_an_unknown_name_lists_what_there_is(ask, words: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ServiceError) as caught:
        ask(Registry.load([SERVICES]))
    assert words in str(caught.value)


def test_services_with_a_command(tmp_path: Path) -> None:
    make(tmp_path, GOOD, "b")
    make(tmp_path, GOOD, "a")
    registry = Registry.load([tmp_path])
    assert (registry.services_with("run"), registry.services_with("walk")) == (["a", "b"], [])


def test_typed_input_without_specs_is_the_attributes() -> None:
    noop = Registry.load([SERVICES]).command("tester", "noop")
    assert typed_input(noop, Element("input", {"a": "1"})) == {"a": "1"}


def test_typed_input_converts_and_fills_in() -> None:
    chisq = Registry.load([SERVICES]).command("tester", "chisq")
    layer = Element("layer", {"sld": "3.47"}, "oxide")
    film = Element("data", {"name": "film", "href": "film.txt", "path": "/data/film.txt"})
    element = Element("input", {"x": "1e1", "note": "7"}, "", (layer, film))
    assert typed_input(chisq, element) == {
        "x": 10.0,
        "y": 0.0,
        "weight": 1.0,
        "note": "7",
        "children": [{"tag": "layer", "attributes": {"sld": "3.47"}, "text": "oxide"}],
        "data": {"film": "/data/film.txt"},
    }


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("int", " 24 ", 24),
        ("float", "-.5e1", -5.0),
        ("bool", "TRUE", True),
        ("bool", "0", False),
        ("str", " a ", " a "),
    ],
)
def test_types(kind: str, text: str, value: object) -> None:
    converted = InputSpec("x", kind).convert(text)
    assert (converted, type(converted)) == (value, type(value))


@pytest.mark.parametrize(
    ("kind", "text"),
    [("int", "1.0"), ("int", "1_0"), ("float", "inf"), ("float", "1e999"), ("float", "0x10"), ("bool", "maybe")],
)
def test_a_value_of_another_type_is_refused(kind: str, text: str) -> None:
    with pytest.raises(ValueError, match=f"input 'x' must be .*, not '{text}'"):
        InputSpec("x", kind).convert(text)


def test_a_required_input_is_asked_for() -> None:
    longwin = Registry.load([SERVICES]).command("tester", "longwinstr.py")
    with pytest.raises(ValueError, match="'count' is missing"):
        typed_input(longwin, Element("input"))
