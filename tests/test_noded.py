"""Real park-noded processes: options, signals, notices, the standby, and what a killed one leaves behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from daemons import Site, until

from park_spool import controls, member, noded, processes, sealed
from park_spool.errors import TornError
from park_spool.running import scratch

SLEEPERS = """<?xml version='1.0' encoding='UTF-8'?>
<session version='2.0.1' user='anna'>
 <group name='g'><reduce classname='Chisq'/><task cmd='sleeper/sleep'/>
  <joblist name='l' cnt='{count}'><input seconds='{seconds}'/></joblist></group>
</session>
"""
SERVICE = """
from time import sleep as rest
def sleep(values):
    rest(float(values["seconds"]))
    return {"chisq": 1.0}
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path, "spoold", "reduced")
    folder = tmp_path / "services" / "sleeper"
    folder.mkdir(parents=True)
    (folder / "service.toml").write_text(
        '[commands.sleep]\nmode = "function"\nfunction = "sleeper:sleep"\ntakes = "dict"\n'
        '[commands.sleep.inputs.seconds]\ntype = "float"\n'
    )
    (folder / "sleeper.py").write_text(SERVICE)
    with made:
        yield made


def reports(site: Site) -> list[dict[str, Any]]:
    found = []
    for path in sorted((site.spool / "nodes").glob("*.json")):
        try:
            found.append(sealed.unseal_json(path.read_bytes()))
        except (FileNotFoundError, TornError):
            continue
    return found


def said(site: Site, key: str) -> Any:
    return next((report.get(key) for report in reports(site)), None)


def held(site: Site) -> list[str]:
    return sorted(path.name for path in (site.spool / "claimed").glob("*/*"))


def starts(site: Site, count: int, seconds: float, *options: str) -> subprocess.Popen[bytes]:
    site.drop_text("sleepers.xml", SLEEPERS.format(count=count, seconds=seconds))
    process = site.start("noded", "--cpus", "1", *options)
    until(lambda: held(site), 30, "a claim")
    return process


def test_a_running_job_is_killed_within_two_seconds_of_a_cancel(site: Site) -> None:
    process = starts(site, 1, 60)
    [sid] = {name[:20] for name in held(site)}
    until(lambda: len(processes.family(process.pid)) > 0, 20, "a worker")
    before = time.monotonic()
    controls.say(member.join(site.config), site.config.layout.session(sid), "cancel", "anna")
    until(lambda: not held(site), 10, "the end of the job")
    assert time.monotonic() - before < 5.0  # two, and what a busy machine adds
    site.assert_running()


def test_sigterm_lets_a_job_finish_and_claims_no_other(site: Site) -> None:
    (site.spool / "park.toml").write_text("drain_seconds = 15")
    process = starts(site, 20, 0.5)
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert held(site) == reports(site) == []
    until(lambda: site.query("SELECT 1 FROM jobs WHERE status = 'ok'"), 20, "the job that was finished")


def test_a_second_signal_does_not_wait(site: Site) -> None:
    (site.spool / "park.toml").write_text("drain_seconds = 600")
    process = starts(site, 1, 300)
    process.send_signal(signal.SIGINT)
    until(lambda: said(site, "state") == "draining", 10, "draining")
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    until(lambda: held(site) == [], 5, "giving back")
    [unit] = (site.spool / "ready").glob("*/*")
    assert unit.name.endswith(".00.00"), "giving back costs no attempt"


def test_a_drained_node_ends_by_itself_when_its_job_is_done(site: Site) -> None:
    process = starts(site, 3, 1.0)
    name = str(said(site, "node"))
    (site.spool / "notices" / f"{name}.drain").write_text('{"by": "anna"}')
    assert process.wait(20) == 0
    assert list((site.spool / "nodes").iterdir()) == []
    assert "claims nothing more: it is drained" in site.logs()


def test_a_killed_nodes_folder_is_removed_by_the_next_one(site: Site, tmp_path: Path) -> None:
    place = tmp_path / "tmp"
    place.mkdir()
    wrap = ("env", f"TMPDIR={place}")
    process = site.start("noded", "--cpus", "1", wrap=wrap)
    until(lambda: reports(site), 20, "a heartbeat")
    [folder] = place.glob(f"{scratch.PREFIX}*")
    site.kill("noded")
    assert folder.is_dir()
    process = site.start("noded", "--cpus", "1", wrap=wrap)
    until(lambda: not folder.exists(), 20, "clearing")
    until(lambda: any(report["identity"]["pid"] == process.pid for report in reports(site)), 20, "its heartbeat")
    process.terminate()
    assert process.wait(20) == 0
    assert list(place.glob(f"{scratch.PREFIX}*")) == []


def test_a_standby_that_keeps_crashing_is_started_ever_later(tmp_path: Path) -> None:
    site = Site(tmp_path, "none")
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "sitecustomize.py").write_text(
        "import sys, os\nif any('spoold' in word for word in sys.orig_argv): os._exit(7)\n"
    )
    environment = ("env", f"PYTHONPATH={broken}")
    process = site.start("noded", "--standby", "--cpus", "1", wrap=environment)
    try:
        until(lambda: site.logs().count("standby park-spoold exited with status 7") >= 3, 20, "three crashes")
        assert "it is started again in 0.5 s" in site.logs()
    finally:
        process.terminate()
        assert process.wait(20) == 0


def test_the_options_reach_the_heartbeat(tmp_path: Path) -> None:
    site = Site(tmp_path, "none")
    options = [
        "--name",
        "Fast",
        "--tag",
        "gpu",
        "--tag",
        "big",
        "--memory",
        "4 GB",
        "--hours",
        "00:00-00:01",
        "--cpus",
        "2",
    ]
    environment = dict(os.environ, SLURM_CPUS_ON_NODE="4096")
    command = [sys.executable, "-m", "park_spool.noded", "--no-standby", "--spool", str(site.spool), *options]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment) as process:
        until(lambda: reports(site), 20, "a heartbeat")
        [report] = reports(site)
        process.terminate()
        assert process.stderr is not None
        complaint = process.stderr.read().decode()
        assert process.wait(20) == 0
    assert report["tags"][1:] == ["fast", "gpu", "big", f"python{sys.version_info[0]}.{sys.version_info[1]}"]
    assert report["memory_limit"] == 2_000_000_000
    assert report["cpus"] == 2
    assert "was given 4096 (SLURM_CPUS_ON_NODE)" in complaint
    assert any("was given 4096 (SLURM_CPUS_ON_NODE)" in warning for warning in report["warnings"])
    assert report["load"]
    assert report["why"] in (None, "00:00 to 00:01 only")


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--hours", "night", "expected hours such as 20-07"),
        ("--memory", "much", "expected a size such as"),
        ("--tag", "a+b", "expected letters, digits"),
        ("--tag", "command", "expected letters, digits"),
        ("--name", "a,b", "expected letters, digits"),
        ("--nice", "20", "0<=x<=19"),
    ],
)
def test_options_that_say_nothing_are_refused_in_words(option: str, value: str, sentence: str) -> None:
    result = CliRunner().invoke(noded.main, [option, value])
    assert result.exit_code == 2
    assert sentence in result.output


def test_every_option_is_in_the_document() -> None:
    page = (Path(noded.__file__).parent.parent / "docs" / "nodes.md").read_text(encoding="utf-8")
    for parameter in noded.main.params:
        for option in (*parameter.opts, *parameter.secondary_opts):
            assert f"`{option}" in page, option
