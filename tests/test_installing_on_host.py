"""park-spool put on a host through a real sshd on loopback, found there, and at work for a real spool."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from daemons import Site, until
from remotes import HOST, Sshd, program
from wheels import tiny_wheel

import park_spool
from park_spool import config
from park_spool.errors import HostError
from park_spool.hosts.reading import Host
from park_spool.hosts.remote import Ran, Remote, connect
from park_spool.hosts.starting import start_detached
from park_spool.installing import environment, finding, on_host, orders, wheelhouse

PYTHON = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
DEAD = "PIP_INDEX_URL=http://127.0.0.1:9/simple PIP_CONFIG_FILE=/dev/null"
SESSION = """<?xml version='1.0' encoding='UTF-8'?>
<session version='2.0.1' user='anna'>
 <group name='g'><reduce classname='Chisq'/><task cmd='adder/add'/>
  <joblist name='l' cnt='4'><input a='1'/></joblist></group>
</session>
"""
SERVICE = """
def add(values):
    return {"chisq": float(values["a"]) + 1.0}
"""


class There:
    """A host that is reached by SSH, whose home folder is the test's and which reaches no package index."""

    def __init__(self, folder: Path, sshd: Sshd) -> None:
        self.home, self.sshd = folder / "the home there", sshd

    def host(self, python: str = PYTHON) -> Host:
        names = (HOST, "n4.example.org", "n4")
        return Host(*names, user=self.sshd.user, key=str(self.sshd.key), ssh_port=self.sshd.port, python=python)

    def environments(self) -> list[Path]:
        return sorted((self.home / ".local" / "share" / "park-spool").glob("env-*"))


@pytest.fixture
def there(tmp_path: Path, needs: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> Iterator[There]:
    needs(program("sshd"))
    here = tmp_path / "home"
    (here / ".ssh").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(here))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    (tmp_path / "the home there").mkdir()
    surroundings = f'SetEnv "HOME={tmp_path}/the home there" {DEAD}\n'
    with Sshd(tmp_path, has_shell=True, extra_conf=surroundings) as sshd:
        (here / ".ssh" / "known_hosts").write_text(sshd.known_hosts.read_text())
        yield There(tmp_path, sshd)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path, "spoold", "reduced")
    folder = tmp_path / "services" / "adder"
    folder.mkdir(parents=True)
    (folder / "service.toml").write_text(
        '[commands.add]\nmode = "function"\nfunction = "adder:add"\ntakes = "dict"\n'
        '[commands.add.inputs.a]\ntype = "float"\n'
    )
    (folder / "adder.py").write_text(SERVICE)
    with made:
        yield made


@pytest.fixture
def settings(tmp_path: Path) -> config.Config:
    config.make_spool(tmp_path / "shared" / "spool")
    return config.load(tmp_path / "shared" / "spool")


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have a park-spool installed that takes a moment; call it to say which one."""

    def choose(digest: str = "tiny", needs: str = "") -> None:
        for module in (on_host, environment):
            monkeypatch.setattr(module, "own_wheel", lambda folder: tiny_wheel(folder, digest, needs))

    choose()
    return choose


@pytest.mark.prove  # 110 MB are sent
def test_a_host_gets_park_spool_and_its_node_works(there: There, site: Site, tmp_path: Path) -> None:
    wheelhouse.pack(tmp_path / "wheels", ())
    host = there.host()
    with closing(connect(host, site.config)) as remote:
        with pytest.raises(HostError) as caught:
            finding.find_python(remote, host, str(site.spool))
        assert caught.value.kind == "python_missing" and "has no park-spool: ModuleNotFoundError" in str(caught.value)
        python = on_host.install(remote, host, site.config, tmp_path / "wheels", extras=())
        assert python.startswith(str(there.home)) and finding.find_python(remote, host, str(site.spool)) == python
        words = ["-P", "-m", "park_spool.noded", "--spool", str(site.spool), "--name", "n4", "--no-standby"]
        start_detached(remote, [python, *words, "--cpus", "1"], str(site.spool / "logs" / "noded-start-n4.log"))
    try:
        site.drop_text("sums.xml", SESSION)
        until(site.closed, 90, "the sums")
    finally:
        for node in nodes_of([python, *words[:3]]):
            node.terminate()
            node.wait(20)
    assert site.query("SELECT DISTINCT chisq FROM jobs") == [(2.0,)]
    (folder,) = there.environments()
    assert not list(folder.parent.glob(".env-*")), "the wheels that were sent are gone"


def nodes_of(beginning: list[str]) -> list[psutil.Process]:
    """Find the node that was started there: it is no child of this process."""
    found = psutil.process_iter(["cmdline"])
    return [one for one in found if (one.info["cmdline"] or [])[: len(beginning)] == beginning]


def test_what_is_there_is_not_sent_again(
    there: There, settings: config.Config, tiny: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    host = there.host()
    with closing(connect(host, settings)) as remote:
        python = on_host.install(remote, host, settings)
        sent: list[str] = []
        monkeypatch.setattr(remote, "put", lambda local, path: sent.append(path))
        assert on_host.install(remote, host, settings) == python and sent == []
        monkeypatch.undo()
        tiny("changed")
        second = on_host.install(remote, host, settings)
        assert second != python and len(there.environments()) == 2
        assert finding.find_python(remote, host, str(settings.spool)) == second


def test_a_host_without_internet_says_what_to_do(
    there: There, settings: config.Config, tiny: Callable[..., None]
) -> None:
    tiny(needs="click")
    with closing(connect(there.host(), settings)) as remote, pytest.raises(HostError) as caught:
        on_host.install(remote, there.host(), settings)
    assert caught.value.kind == "install" and caught.value.host == "n4"
    assert re.match(r"n4: pip reaches no package index: .*park env --download DIR.*--wheels DIR", str(caught.value))
    assert there.environments() == []


def fake_python(folder: Path, script: str) -> str:
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_an_old_python_is_named(there: There, settings: config.Config, tmp_path: Path) -> None:
    said = {"version": [3, 9], "python": "x", "started": "/opt/python", "home": "/", "pip": True}
    python = fake_python(tmp_path, f"echo '{json.dumps(said)}'")
    with closing(connect(there.host(python), settings)) as remote:
        with pytest.raises(HostError, match=r"expected Python 3\.11 or newer .*, got Python 3\.9 \(/opt/python\)"):
            on_host.install(remote, there.host(python), settings)
        with pytest.raises(HostError, match=r"looked for /nowhere/python\), got none; install a newer one"):
            on_host.install(remote, there.host("/nowhere/python"), settings)


def test_a_host_that_its_line_gives_no_python_is_asked_for_one(there: There, settings: config.Config) -> None:
    with closing(connect(there.host(""), settings)) as remote:
        try:
            said = on_host.ask(remote, there.host(""))
        except HostError as error:  # the machine's own python3 is older, or there is none: that is said
            assert error.kind == "python_old"
        else:
            assert said.version >= orders.OLDEST and said.home == str(there.home)


# which Python is it?


def test_the_environment_beside_the_spool_is_found_as_the_host_sees_it(
    there: There, settings: config.Config, tiny: Callable[..., None], tmp_path: Path
) -> None:
    made = environment.make(tmp_path / "shared" / "env", extras=())
    (tmp_path / "mnt").symlink_to("shared")  # another mount point of the same folder
    with closing(connect(there.host(""), settings)) as remote:
        found = finding.find_python(remote, there.host(""), str(settings.spool))
        assert found == str(made.python)  # by its full place: it stays when another one is made
        found = finding.find_python(remote, there.host(""), f"{tmp_path}/mnt/spool")
        assert Path(found).resolve() == made.python.resolve()
        link = made.python.parent / f"python3.{sys.version_info.minor}"
        link.unlink()
        link.symlink_to("/usr/bin/python3.99")
        with pytest.raises(HostError) as caught:
            bare = finding.candidates("", str(settings.spool), running="/nowhere/python")
            ran = remote.run(
                ["sh", "-s", "--", finding.TRIAL, "9.9", *(one.path for one in bare)], finding.TRY.encode()
            )
            _, whys = finding.chosen(bare, ran.out.splitlines(), "9.9")
            raise HostError("; ".join(whys), "python_missing")
    assert (
        f"{tmp_path}/shared/env/bin/python (in the environment beside the spool) leads to /usr/bin/python3.99, which"
        in str(caught.value)
    )
    assert "/nowhere/python (where the one that runs here is) is not there" in str(caught.value)


class Answering:
    """A host that answers as it is told."""

    def __init__(self, out: str, err: str = "") -> None:
        self._ran = Ran(0, out, err)

    def run(self, argv: object, stdin: bytes = b"", seconds: float = 30.0) -> Ran:
        return self._ran


def answered(out: str, host: Host | None = None) -> str:
    host = host or Host("10.0.0.4", "n4.example.org", "n4")
    remote: Remote = Answering(out)  # type: ignore[assignment]
    return finding.find_python(remote, host, "/shared/spool")


def trial(version: str, python: tuple[int, int] = (3, 12), why: str = "") -> str:
    return json.dumps({"python": list(python), "path": "/its/python", "version": version, "why": why})


def test_the_first_with_this_version_is_it() -> None:
    assert answered(f"missing\nlink /x\n{trial(park_spool.__version__)}\n") == "/its/python"


def test_of_each_it_is_said_why_it_is_not() -> None:
    lines = [trial("0.0.9"), "Killed", trial("", (3, 6)), trial("", why="ModuleNotFoundError: No module named 'click'")]
    with pytest.raises(HostError) as caught:
        answered("\n".join(lines))
    for words in (
        "/shared/env/bin/python (in the environment beside the spool) has park-spool 0.0.9; ",
        "(installed there by `park up --install`) does not run: Killed; ",
        "is Python 3.6, and 3.11 or newer is needed; ",
        "python3 (that the host itself has) has no park-spool: ModuleNotFoundError: No module named 'click'; ",
        "park env",
    ):
        assert words in str(caught.value)
    with pytest.raises(HostError, match=r"does not run: \{broken"):
        answered("{broken\nmissing\nmissing\nmissing")


def test_this_machine_runs_what_runs_here() -> None:
    here = Host("127.0.0.1", "localhost.localdomain", "localhost", is_here=True)
    assert answered("", here) == sys.executable


def test_a_host_without_pip_is_sent_one(tmp_path: Path) -> None:
    sent: dict[str, str] = {}

    class Putting(Answering):
        def put(self, local: Path, path: str) -> None:
            sent[path] = local.name

    wheel = tiny_wheel(tmp_path)
    said = orders.Said((3, 12), "/usr/bin/python3.12", "python3", "/home/anna", False)
    remote: Remote = Putting("")  # type: ignore[assignment]
    order = on_host._sent(remote, said, wheel.path, None, "/there")
    assert order["pip"] in sent and order["pip"].startswith("/there/pip-") and order["wheel"] in sent
    assert order["wheels"] == "" and order["upload"] == "/there"
