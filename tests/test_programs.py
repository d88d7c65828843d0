"""Programs of every kind through a slot: preloaded scripts, short commands, and what each is told."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from running_site import Site

from park_spool.sessions.session import DataRef

MANIFEST = """
[commands.run]
mode = "executable"
run = ["script.py", "one"]
preload = ["colorsys"]
timeout = 60
[commands.plain]
mode = "executable"
run = ["script.py"]
[commands.say]
mode = "command"
run = ["echo", "-n", "{do}"]
[commands.say.inputs.do]
required = true
[commands.absent]
mode = "command"
run = ["no-such-program-anywhere"]
"""
SCRIPT = """
import json, os, sys
text = sys.stdin.read()
if "progress" in text:
    print('{"chisq": 5}\\n{"chisq": 3}\\n{"chisq": 4}', flush=True)
    os.read(os.pipe()[0], 1)
if "fail" in text:
    sys.exit("no film")
if "leave" in text:
    open(os.path.join(os.environ["PARK_OUTPUT"], "fit"), "w").write("fit")
print(json.dumps({"argv": sys.argv[1:], "input": text, "job": os.environ["PARK_JOB"], "empty": not os.listdir(),
                  "data": [os.environ.get(name) for name in ("PARK_DATA_film_in_D2O", "PARK_DATA_dark")],
                  "preloaded": "colorsys" in sys.modules, "parent": os.getppid(), "pid": os.getpid()}))
open("left behind", "w").close()
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    made.add_service("zoo", MANIFEST, {"script.py": SCRIPT})
    yield made
    made.slot.close()
    assert not list((tmp_path / "scratch").glob("*")), "a scratch folder was left behind"


def test_a_preloaded_script_is_a_process_of_its_own(site: Site) -> None:
    first, failed, last = site.run("a", "fail", "b")
    told = [json.loads(first["output"]), json.loads(last["output"])]
    assert [one["job"] for one in told] == ["1.1.1", "1.1.3"]
    assert all(one["preloaded"] and one["empty"] and one["argv"] == ["one"] for one in told)
    assert {one["parent"] for one in told} == {site.slot.pid} and told[0]["pid"] != told[1]["pid"]
    assert told[1]["input"] == '<input do="b"/>'
    assert (failed["status"], failed["why"], failed["exit"]) == ("failed", "exited with status 1: no film", 1)


@pytest.mark.parametrize("command", ["run", "plain"])
def test_a_program_is_told_where_its_data_are(site: Site, command: str) -> None:
    film = DataRef("film in D2O", "package:defusedxml/expatreader.py")
    dark = DataRef("dark", "package:defusedxml/common.py")
    both = json.loads(site.run("a", command=command, data=(film, dark))[0]["output"])["data"]
    assert [Path(path).name for path in both] == ["expatreader.py", "common.py"]
    one = json.loads(site.run("a", command=command, data=(dark,))[0]["output"])["data"]
    assert one[0] is None and one[1] == both[1]


def test_an_interpreter_with_a_preload_runs_nothing_else(site: Site) -> None:
    assert json.loads(site.run("a")[0]["output"])["preloaded"]
    first = site.slot.pid
    assert not json.loads(site.run("a", command="plain")[0]["output"])["preloaded"]
    assert first != site.slot.pid


def test_a_preload_that_fails_is_said_in_words(site: Site) -> None:
    site.add_service("zoo", MANIFEST.replace("colorsys", "no_such_module"), {})
    results = site.run("a", "b")
    assert [result["why"] for result in results] == ["ModuleNotFoundError: No module named 'no_such_module'"] * 2
    assert site.run("a", command="plain")[0]["status"] == "ok"


def test_a_short_command_gets_its_inputs_as_words(site: Site) -> None:
    good, shell, option = site.run("film one", "$(id); x", "-e", command="say")
    assert (good["output"], shell["output"]) == ("film one", "$(id); x")
    assert option["status"] == "failed" and "must not begin with '-'" in option["why"]


def test_a_program_that_this_host_lacks_is_said_in_words(site: Site) -> None:
    assert "there is no program 'no-such-program-anywhere'" in site.run("a", command="absent")[0]["why"]


@pytest.mark.parametrize("command", ["run", "plain"])
def test_what_a_program_says_of_its_progress_reaches_the_node(site: Site, command: str) -> None:
    site.slot.start(site.assignment(["a", "progress"], command=command))
    site.wait_for(lambda: bool((running := site.slot.running()) and running.progress))
    running = site.slot.running()
    assert running is not None and (running.job, running.progress) == (2, '{"chisq": 3}')
    assert len(site.slot.results()) == 1
    site.slot.kill()


@pytest.mark.parametrize("command", ["run", "plain"])
def test_files_of_a_program_are_kept_with_its_result(site: Site, command: str) -> None:
    (site.folder / "tmp").mkdir()
    assignment = site.assignment(["a", "leave", "a"], command=command)
    site.slot.start(replace(assignment, kept=site.folder / "kept", tmp=site.folder / "tmp", owner="n4.slot0"))
    before, left, after = (json.loads(line) for line in site.wait())
    digest = hashlib.sha256(b"fit").hexdigest()
    assert left["files"] == {"fit": {"sha256": digest, "size": 3}}
    assert (site.folder / "kept" / digest).read_bytes() == b"fit"
    assert "files" not in before and "files" not in after
