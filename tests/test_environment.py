"""Environments: made, renewed, broken, interrupted, and moved to where nothing knows how they were made."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner, Result
from daemons import Site, until
from reflectivity_service import QUICK_SEED
from test_packaging import PROJECT, ROOMS, ROOT, files_of_the_checkout
from wheels import Made, clean, made_once, run, tiny_wheel

import park_spool
from park_spool import config, demo
from park_spool.cli.main import main
from park_spool.errors import ConfigError, InstallError
from park_spool.installing import environment, making, orders
from park_spool.installing.wheel import repack


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, needs: Callable[[str], str]) -> Made:
    for package in ("refnx", "scipy", "h5py"):
        needs(package)
    return made_once(tmp_path_factory)


# the real one, moved


def test_it_stands_where_it_was_not_made_and_nothing_in_it_names_that_place(made: Made) -> None:
    assert made.place.is_dir() and not made.first.exists()
    old = os.fsencode(made.first)
    found = [
        path
        for path in made.place.resolve().rglob("*")
        if path.suffix != ".pyc" and path.is_file() and not path.is_symlink() and old in path.read_bytes()
    ]
    assert found == []  # a .pyc names where it was compiled; Python puts the new place there when it reads it


def test_every_file_of_the_package_came_along(made: Made) -> None:
    (library,) = made.place.glob("lib/*/site-packages")
    rooms = sorted(ROOMS.items(), key=lambda room: -len(room[1]))
    for name in files_of_the_checkout():
        room, inside = next((room, inside) for room, inside in rooms if name.startswith(f"{inside}/"))
        assert (library / name).read_bytes() == (ROOT / room / name.removeprefix(f"{inside}/")).read_bytes(), name


@pytest.mark.parametrize("script", PROJECT["scripts"])
def test_console_scripts_start_by_any_way_that_leads_to_them(made: Made, tmp_path: Path, script: str) -> None:
    (tmp_path / "a link to it").symlink_to(made.place / "bin" / script)
    (tmp_path / "click.py").write_text("raise SystemExit('a trap')")
    for way in (tmp_path / "a link to it", made.place / "bin" / script):
        assert "Usage:" in run(way, "--help", cwd=tmp_path)


def test_the_whole_line_runs_from_it(made: Made, tmp_path: Path) -> None:
    """spoold, reducer, page, data centre, node and service: all of `park demo`, with nothing else on the PATH."""
    surroundings = clean(PATH="/usr/bin:/bin", TMPDIR=str(tmp_path), HOME=str(tmp_path))
    said = run(made.place / "bin" / "park", "demo", "--starts", "9", env=surroundings, cwd=tmp_path, timeout=200)
    assert re.search(r"chisq +966\.193", said), said


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Site(tmp_path, "spoold", "reduced") as made:
        yield made


def test_a_node_from_it_fits_for_a_spool_whose_other_daemons_are_elsewhere(made: Made, site: Site) -> None:
    xml = (config.shipped_services() / "reflectivity" / "demo.xml").read_text(encoding="utf-8")
    xml = demo.with_starts(xml, 1).replace(
        f"start='{demo.FIRST_SEED}' stop='{demo.FIRST_SEED}'", f"start='{QUICK_SEED}' stop='{QUICK_SEED}'"
    )
    command = [made.place / "bin" / "park-noded", "--spool", site.spool, "--cpus", "1", "--no-standby"]
    site.processes["noded"] = subprocess.Popen(command, stdin=subprocess.DEVNULL, env=clean())
    site.drop_text("film.xml", xml)
    until(site.closed, 90, "the fit")
    assert [state for _, state in site.query("SELECT file, state FROM sessions")] == ["done"], site.logs()
    [(chisq,)] = site.query("SELECT chisq FROM jobs")
    assert chisq < demo.WORST
    node = psutil.Process(site.processes["noded"].pid)
    pythons = {process.cmdline()[0] for process in (node, *node.children(recursive=True))}
    assert pythons == {str(made.place.resolve() / "bin" / "python")}  # what it started, it stays with


# how one is made, with a park-spool that installs in a moment


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have environments made of the tiny wheel; call it to say which one."""

    def choose(digest: str = "tiny", needs: str = "") -> None:
        monkeypatch.setattr(environment, "own_wheel", lambda folder: tiny_wheel(folder, digest, needs))

    choose()
    return choose


def test_what_is_there_is_not_made_again_and_what_changed_stands_beside_the_earlier(
    tiny: Callable[..., None], tmp_path: Path
) -> None:
    place = tmp_path / "shared folder" / "env"
    first = environment.make(place, extras=())
    assert first.is_new and first.earlier == () and os.readlink(place) == first.python.parent.parent.name
    assert not environment.make(place, extras=()).is_new
    tiny("changed")
    second = environment.make(place, extras=())
    assert second.is_new and place.resolve() == second.python.parent.parent != first.python.parent.parent
    assert second.earlier == (first.python.parent.parent,)
    assert "a tiny one" in run(first.python.parent / "park-noded")  # a node that runs from it goes on
    third = environment.make(place, extras=(), again=True)
    assert third.is_new and len(third.earlier) == 2
    assert environment.prune(third) == (first.python.parent.parent,) and second.python.exists()
    tiny()
    assert environment.make(place, extras=()).is_new  # the pruned one


def test_a_broken_one_is_made_again(tiny: Callable[..., None], tmp_path: Path) -> None:
    first = environment.make(tmp_path / "env", extras=())
    (module,) = first.python.parent.parent.glob("lib/*/site-packages/park_spool/noded.py")
    shutil.rmtree(module.parent)
    second = environment.make(tmp_path / "env", extras=())
    assert second.is_new and second.python == first.python and "a tiny one" in run(first.python.parent / "park-noded")


def test_what_a_killed_one_left_goes_after_a_day(tiny: Callable[..., None], tmp_path: Path) -> None:
    for name, age in ((".env-0.1.0-old.1234", 2 * making.DAY), (".env-0.1.0-new.1234", 0.0)):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    environment.make(tmp_path / "env", extras=())
    assert {path.name for path in tmp_path.glob(".env-*")} == {".env-0.1.0-new.1234"}


def test_of_several_at_once_one_makes_it(tmp_path: Path) -> None:
    said = environment.ask(sys.executable)
    order = orders.order(str(tmp_path / "env"), "0.1.0-x", said, ()) | {"wheel": str(tiny_wheel(tmp_path).path)}
    command = [sys.executable, str(orders.SCRIPT), json.dumps(order)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=clean()) for _ in range(3)]
    answers = [orders.read_answer(process.communicate()[0]) for process in processes]
    assert sorted(answer["made"] for answer in answers) == [False, False, True]
    assert len({answer["python"] for answer in answers}) == 1


def test_a_folder_that_is_something_else_stays_as_it_is(tiny: Callable[..., None], tmp_path: Path) -> None:
    (tmp_path / "env").mkdir()
    with pytest.raises(InstallError, match=r"env is there already and no environment of park-spool's; nothing was"):
        environment.make(tmp_path / "env", extras=())
    assert list(tmp_path.iterdir()) == [tmp_path / "env"]


def test_a_folder_where_nobody_may_write_is_named(tiny: Callable[..., None]) -> None:
    with pytest.raises(InstallError, match=r"^/proc/[a-z/.-]*: "):
        environment.make(Path("/proc/nowhere/env"), extras=())


def test_without_an_index_it_is_said_how_wheels_come(
    tiny: Callable[..., None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for key, value in {"INDEX_URL": "http://127.0.0.1:9/simple", "CONFIG_FILE": "/dev/null"}.items():
        monkeypatch.setenv(f"PIP_{key}", value)
    tiny(needs="click")
    with pytest.raises(InstallError, match=r"^pip reaches no package index: .*`park env --download DIR`.*--wheels DIR"):
        environment.make(tmp_path / "env", extras=())
    assert not list(tmp_path.glob("env*")) and not list(tmp_path.glob(".env-*"))


def test_a_folder_that_lacks_a_wheel_is_told_which(tiny: Callable[..., None], tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    with pytest.raises(ConfigError, match=r"^--wheels: expected a folder with wheels"):
        environment.make(tmp_path / "env", wheels=wheels, extras=())
    tiny_wheel(wheels)
    tiny(needs="click")
    with pytest.raises(
        InstallError, match=r"^pip could not install park-spool: No matching distribution found for click"
    ):
        environment.make(tmp_path / "env", wheels=wheels, extras=())


def test_a_wheel_that_does_not_run_makes_no_environment(
    tiny: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wheels.TINY", {**_tiny(), "park_spool/noded.py": "import no_such_module\n"})
    with pytest.raises(InstallError, match=r"does not run from .* No module named 'no_such_module'"):
        environment.make(tmp_path / "env", extras=())
    assert not (tmp_path / "env").is_symlink()


def _tiny() -> dict[str, str]:
    import wheels

    return wheels.TINY


PYTHONS = {
    "old": (
        'echo \'{"version": [3, 9], "python": "x", "started": "x", "home": "/", "pip": true}\'',
        "or newer, got Python 3.9",
    ),
    "no Python": ("echo usage: cat >&2; exit 2", "expected a Python, got .*no Python: usage: cat"),
    "silent": ("true", "it says nothing"),
}


@pytest.mark.parametrize("name", PYTHONS)
def test_a_python_that_will_not_do_is_named(tmp_path: Path, name: str) -> None:
    script, words = PYTHONS[name]
    (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / name).chmod(0o755)
    with pytest.raises(InstallError, match=f"^--python: .*{words}"):
        environment.make(tmp_path / "env", python=str(tmp_path / name))
    with pytest.raises(InstallError, match=r"^--python: /nowhere cannot be run: No such file"):
        environment.make(tmp_path / "env", python="/nowhere")


# a system's Python may lack parts that its packager ships apart


def order_for(tmp_path: Path, **more: str) -> dict[str, object]:
    order = orders.order(str(tmp_path / "env"), "0.1.0-x", environment.ask(sys.executable), ())
    return order | {"wheel": str(tiny_wheel(tmp_path).path), **more}


def lacks(monkeypatch: pytest.MonkeyPatch, *modules: str) -> None:
    monkeypatch.setattr(making, "find_spec", lambda name: None if name in modules else name)


def test_without_pip_it_comes_from_ensurepip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lacks(monkeypatch, "pip")
    assert making.make(order_for(tmp_path))["made"]


def test_without_either_it_comes_as_a_wheel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from importlib import metadata

    lacks(monkeypatch, "pip", "ensurepip")
    with pytest.raises(making.Trouble, match="has neither pip nor ensurepip: apt install python3-venv"):
        making.make(order_for(tmp_path))
    assert making.make(order_for(tmp_path, pip=str(repack(metadata.distribution("pip"), tmp_path))))["made"]


def test_without_venv_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lacks(monkeypatch, "venv")
    with pytest.raises(making.Trouble, match="has no module venv: apt install python3-venv"):
        making.make(order_for(tmp_path))


def test_scripts_with_a_path_too_long_for_the_kernel_are_relocated_too() -> None:
    script = b"#!/bin/sh\n'''exec' \"/made here/bin/python3.11\" \"$0\" \"$@\"\n' '''\nimport sys\n"
    assert making.relocated(script, b"/made here") == making.HEAD + b"import sys\n"


def test_what_a_script_said_that_ended_early_is_shown() -> None:
    for text in ("Killed", "", "[1]"):
        with pytest.raises(InstallError, match=f"ended early, with: {re.escape(text) or 'nothing'}$"):
            orders.read_answer(text)


# the command


@pytest.fixture
def park(tiny: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PARK_SPOOL", raising=False)
    return lambda *words: CliRunner().invoke(main, ["env", *words])


def test_park_env_makes_it_beside_the_spool(park: Callable[..., Result], tmp_path: Path) -> None:
    said = park("--extras", "none")
    assert said.exit_code == 1 and "spool is not a spool" in said.stderr
    config.make_spool(tmp_path / "spool")
    said = park("--extras", "none")
    assert said.exit_code == 0 and said.stdout == f"{tmp_path}/env\n", said.stderr
    first = (tmp_path / "env").resolve().name
    assert said.stderr.startswith(
        f"{first} was made; each host needs {orders.Path(sys.executable).resolve()} (Python 3."
    )
    assert f"{first} was there already" in park("--extras", "none").stderr
    for words in ("1 earlier beside it", "2 earlier beside it"):
        assert words in park("--extras", "none", "--again").stderr
    latest = (tmp_path / "env").resolve().name
    said = park("--extras", "none", "--prune")
    assert said.stderr.startswith(f"{latest} was there already")
    assert f"{first} was removed\n1 earlier beside it" in said.stderr
    assert not (tmp_path / first).exists()


def test_park_env_refuses_what_does_not_go_together(park: Callable[..., Result], tmp_path: Path) -> None:
    said = park("here", "--extras", "fit,cake")
    assert (
        said.exit_code == 1 and "--extras: expected some of fit, remote" in said.stderr and "got 'cake'" in said.stderr
    )
    said = park("here", "--offline", "--wheels", ".")
    assert said.exit_code == 2 and "goes with neither --wheels nor --python" in said.stderr
    assert list(tmp_path.iterdir()) == []


def test_park_env_fills_a_folder_from_what_is_installed(park: Callable[..., Result], tmp_path: Path) -> None:
    said = park("--download", "wheels", "--offline", "--extras", "none")
    names = [path.name for path in (tmp_path / "wheels").iterdir()]
    assert said.exit_code == 0 and said.stderr == f"{len(names)} wheels are in wheels\n"
    assert {f"park_spool-{park_spool.__version__}-py3-none-any.whl"} < set(names)
    assert any(name.startswith("pip-") for name in names) and not any(name.startswith("scipy-") for name in names)
    said = park("here", "--wheels", "wheels", "--extras", "none")
    assert said.exit_code == 0 and (tmp_path / "here" / "bin" / "park-noded").exists(), said.stderr


def test_a_python_of_ones_own_is_warned_of() -> None:
    assert environment.is_private("/root/.pyenv/bin/python3") and not environment.is_private("/opt/python/bin/python3")


@pytest.mark.prove
def test_a_folder_filled_from_the_index_makes_one_without_it(tmp_path: Path) -> None:
    """The whole way of a site without internet; what is downloaded is what pip would install."""
    park = [sys.executable, "-P", "-m", "park_spool.cli.main"]
    assert subprocess.run([*park[:2], "-c", "import park_spool.cli.main"], check=False).returncode == 0
    command = [str(Path(sys.executable).parent / "park"), "env"]
    run(*command, "--download", tmp_path / "wheels", timeout=300)
    dead = clean(PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_CONFIG_FILE="/dev/null")
    run(*command, tmp_path / "env", "--wheels", tmp_path / "wheels", env=dead, timeout=300)
    assert "park-spool" in run(
        tmp_path / "env" / "bin" / "python", "-P", "-c", "import scipy, refnx; print('park-spool')"
    )
