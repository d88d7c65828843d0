"""Settings of batch systems, the options that override them, and the text that a pilot runs."""

from __future__ import annotations

import subprocess
from dataclasses import fields
from pathlib import Path

import pytest

from park_spool import config
from park_spool.cli import batch_options
from park_spool.config import make_spool
from park_spool.errors import ConfigError
from park_spool.pilots import launching
from park_spool.pilots.profiles import ENGINES, Profile, find, read, read_profiles

NONE = dict.fromkeys(batch_options.KEYS)


def test_a_table_of_park_toml_is_a_profile(tmp_path: Path) -> None:
    make_spool(tmp_path / "spool")
    (tmp_path / "spool" / "park.toml").write_text(
        '[cluster.big]\nengine = "slurm"\nnodes = 2\ncpus_per_node = 32\nwalltime = "08:00:00"\nmax = 10\n'
        'queue = "long"\ntags = ["gpu"]\nextra = ["--gres=gpu:1"]\n'
    )
    [profile] = config.load(tmp_path / "spool").cluster
    assert (profile.name, profile.engine, profile.cpus, profile.seconds) == ("big", "slurm", 64, 28_800)
    assert Profile.from_json(profile.to_json()) == profile


@pytest.mark.parametrize("engine", ENGINES)
def test_the_name_of_an_engine_is_a_profile_with_all_defaults(engine: str) -> None:
    assert find(engine, ()) == Profile(engine, engine)


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({}, "cluster.big.engine: expected one of slurm, pbs, .* got None"),
        ({"engine": "sge"}, "expected one of .* got 'sge'"),
        ({"engine": "slurm", "walltime": "soon"}, "cluster.big.walltime: expected HH:MM or HH:MM:SS .* got 'soon'"),
        ({"engine": "slurm", "walltime": "00:00:30"}, "walltime: expected .* a minute or more"),
        ({"engine": "slurm", "nodes": 0}, "nodes: expected a whole number from 1 to 10000, got 0"),
        ({"engine": "slurm", "max": True}, "max: expected a whole number"),
        ({"engine": "slurm", "min": 3, "max": 2}, r"max: expected at least min \(3\), got 2"),
        ({"engine": "slurm", "idle": -1}, "idle: expected a number of seconds above 0"),
        ({"engine": "slurm", "image": "x"}, "image: expected only for kubernetes, got it for slurm"),
        ({"engine": "condor", "nodes": 2}, "nodes: expected 1 for condor, got 2"),
        ({"engine": "slurm", "queue": "a b"}, "queue: expected a word without blanks"),
        ({"engine": "slurm", "queue": "--uid=0"}, "queue: expected a word"),
        ({"engine": "slurm", "extra": ["a\nrm"]}, "extra: expected single lines"),
        ({"engine": "slurm", "extra": "a"}, "extra: expected a list of texts"),
        ({"engine": "slurm", "memory": "much"}, "memory: expected a size"),
        ({"engine": "slurm", "tags": ["A b"]}, "tags: expected small letters"),
        ({"engine": "slurm", "colour": 1}, "cluster.big.colour: unknown setting; known are engine, nodes"),
        ({"engine": "slurm", "exclusive": "yes"}, "exclusive: expected true or false"),
        ({"engine": "kubernetes", "volumes": ["data"]}, "volumes: expected CLAIM:/PATH"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(table: dict[str, object], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        read("big", table)


def test_names_and_tables_are_checked() -> None:
    with pytest.raises(ConfigError, match="expected a name of small letters"):
        read("Big one", {"engine": "slurm"})
    with pytest.raises(ConfigError, match="expected slurm, since that is the table's name, got 'pbs'"):
        read("slurm", {"engine": "pbs"})
    with pytest.raises(ConfigError, match="expected tables"):
        read_profiles([1])
    with pytest.raises(ConfigError, match="--on sge: expected one of big, slurm"):
        find("sge", [read("big", {"engine": "slurm"})])


def test_options_count_before_the_profile(tmp_path: Path) -> None:
    make_spool(tmp_path)
    settings = config.load(tmp_path)
    given = {**NONE, "on": ("slurm",), "batch_nodes": 2, "cpus_per_node": 8, "walltime": "02:00", "extra": ("--x",)}
    [profile] = batch_options.chosen(settings, given)
    assert (profile.nodes, profile.cpus_per_node, profile.seconds, profile.extra) == (2, 8, 7200, ("--x",))


@pytest.mark.parametrize(
    ("given", "addresses", "sentence"),
    [
        ({"on": (), "most": 3}, (), "--max: expected together with --on"),
        ({"on": ("dask",)}, (), "--on dask: expected the scheduler's address"),
        ({"on": ("slurm",)}, ("tcp://n1:8786",), "tcp://n1:8786: expected a scheduler's address only with --on dask"),
    ],
)
def test_options_that_do_not_go_together(
    tmp_path: Path, given: dict[str, object], addresses: tuple[str, ...], sentence: str
) -> None:
    make_spool(tmp_path)
    with pytest.raises(ConfigError, match=sentence):
        batch_options.chosen(config.load(tmp_path), {**NONE, **given}, addresses)


def test_a_dask_scheduler_stands_behind_its_name(tmp_path: Path) -> None:
    make_spool(tmp_path)
    _, addresses = batch_options.split_hosts(["tcp://n1:8786"])
    [profile] = batch_options.chosen(config.load(tmp_path), {**NONE, "on": ("dask",)}, addresses)
    assert profile.address == "tcp://n1:8786"


def run(text: str, folder: Path, **environment: str) -> list[str]:
    """Run a pilot's text with a Python, and with launchers, that only say what they were given."""
    for name, body in {
        "python9": 'printf "%s\\n" "$@"',
        "srun": 'printf "srun\\n"; while [ "${1#--}" != "$1" ]; do shift; done; exec "$@"',
        "pbsdsh": 'printf "pbsdsh\\n"; shift; exec "$@"',
        "blaunch": 'printf "blaunch %s\\n" "$2"; shift 2; exec "$@"',
    }.items():
        (folder / name).write_text(f"#!/bin/bash\n{body}\n")
        (folder / name).chmod(0o755)
    path = f"{folder}:/usr/bin:/bin"
    done = subprocess.run(["/bin/bash", "-c", text], env={"PATH": path, **environment}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("engine", "values", "environment", "first"),
    [
        ("slurm", {}, {"SLURM_JOB_ID": "17"}, None),
        ("slurm", {"nodes": 3}, {"SLURM_JOB_ID": "17"}, "srun"),
        ("pbs", {"nodes": 2}, {"PBS_JOBID": "17"}, "pbsdsh"),
        ("lsf", {"nodes": 2}, {"LSB_JOBID": "17", "LSB_HOSTS": "b a b a"}, "blaunch a b "),
        ("condor", {}, {"PARK_PILOT": "17"}, None),
        ("kubernetes", {}, {"PARK_PILOT": "17"}, None),
    ],
)
def test_each_node_of_a_pilot_is_told_its_job_and_its_time(
    tmp_path: Path, engine: str, values: dict[str, object], environment: dict[str, str], first: str | None
) -> None:
    profile = read(
        engine, {**values, "walltime": "00:10", "tags": ["gpu"], "memory": "4 GB"} if engine != "lsf" else values
    )
    spool = Path("/shared/my spool")
    said = run(launching.command(profile, spool, "python9", "n4_4711_x0p2qa", False), tmp_path, **environment)
    words = said[1:] if first else said
    assert said[:1] == [first] or first is None
    assert words[:5] == ["-P", "-m", "park_spool.noded", "--spool", "/shared/my spool"]
    given = dict(zip(words[6::2], words[7::2], strict=False))
    assert given["--started-by"] == f"{engine}:n4_4711_x0p2qa:17"
    assert profile.seconds - 5 <= int(given["--lifetime"]) <= profile.seconds
    assert given["--idle"] == "60"


def test_a_steady_pilot_stays_without_work_while_a_master_lives() -> None:
    text = launching.command(read("slurm", {}), Path("/s"), "python3", "n4_4711_x0p2qa", True)
    assert "--linger 600" in text
    assert "--idle" not in text


def test_the_environment_beside_the_spool_comes_before_the_masters_own(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    assert launching.python_for(read("slurm", {}), spool, "/usr/bin/python3") == "/usr/bin/python3"
    (tmp_path / "env" / "bin").mkdir(parents=True)
    (tmp_path / "env" / "bin" / "python").touch()
    assert launching.python_for(read("slurm", {}), spool, "own") == str(tmp_path / "env" / "bin" / "python")
    assert launching.python_for(read("slurm", {"python": "/opt/python"}), spool, "own") == "/opt/python"


def test_every_setting_of_a_profile_is_in_the_document() -> None:
    page = (Path(launching.__file__).parents[2] / "docs" / "batch.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `cluster.NAME.")]
    listed = {word.strip("`., ").removeprefix("cluster.NAME.").lstrip(".") for row in rows for word in row.split(",")}
    assert listed == {field.name for field in fields(Profile)} - {"name"}
    for engine in ENGINES:
        assert f"| `{engine}` |" in page
