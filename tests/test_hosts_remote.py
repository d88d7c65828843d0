"""A connection to a host, of each kind, on real sshds: what is run there, what is started, what is put, what goes wrong."""

from __future__ import annotations

import json
import os
import shlex
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from host_site import at_home, host, let_in, line, new_spool
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from remotes import HOST, Sshd, make_key, program, raw

from park_spool.config import Config
from park_spool.errors import ConfigError, HostError, HostsError
from park_spool.hosts import shell_command
from park_spool.hosts.reading import Host, parse
from park_spool.hosts.remote import Ran, Remote, connect
from park_spool.hosts.starting import last_words, start_detached

KINDS = ("here", "ssh", "jump", "rsh")
ARGUMENTS = ["a b", "c'd", 'e"f', "$HOME", "`id`", "x\ny", "", "*", "\\", "ü", "-n", "!x"]


@pytest.fixture(scope="module")
def sshds(tmp_path_factory: pytest.TempPathFactory, needs: Callable[[str], str]) -> Iterator[tuple[Sshd, Sshd]]:
    needs(program("sshd"))
    folder = tmp_path_factory.mktemp("sshds")
    with Sshd(folder, has_shell=True) as one, Sshd(folder, has_shell=True) as gate:
        let_in(one, gate)
        yield one, gate


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sshds: tuple[Sshd, Sshd]) -> None:
    at_home(tmp_path / "home", monkeypatch, *sshds)


@pytest.fixture
def site(tmp_path: Path) -> Config:
    return new_spool(tmp_path / "shared" / "spool")


def rsh_to(sshd: Sshd, home: Path) -> str:
    known = home / ".ssh" / "known_hosts"
    return f"ssh -F /dev/null -i {sshd.key} -p {sshd.port} -o BatchMode=yes -o UserKnownHostsFile={known}"


@pytest.fixture(params=KINDS)
def remote(
    request: pytest.FixtureRequest, sshds: tuple[Sshd, Sshd], site: Config, tmp_path: Path, needs: Callable[[str], str]
) -> Iterator[Remote]:
    sshd, gate = sshds
    if request.param == "rsh":
        needs("ssh")
        site = replace(site, rsh=rsh_to(sshd, tmp_path / "home"))
    via = f"via={gate.user}@{HOST}:{gate.port}"
    (here,) = parse(f"{HOST} localhost localhost")
    found = {"here": here, "ssh": host("n1", sshd), "jump": host("n2", sshd, via), "rsh": host("n3", sshd)}
    with closing(connect(found[request.param], site)) as connection:
        yield connection


def test_a_command_gets_its_words_as_they_are(remote: Remote) -> None:
    code = "import sys, json; print(json.dumps(sys.argv[1:]))"
    ran = remote.run([sys.executable, "-c", code, *ARGUMENTS])
    assert ran.status == 0 and json.loads(ran.out) == ARGUMENTS


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=8), max_size=4))
def test_no_word_becomes_part_of_a_command(remote: Remote, words: list[str]) -> None:
    assert remote.run(["printf", "%s|", *words]).out == "".join(f"{word}|" for word in words or [""])


def test_how_it_ends_and_what_it_says(remote: Remote) -> None:
    ran = remote.run(["sh", "-c", "wc -c; echo oops >&2; exit 3"], os.urandom(1_000_000))
    assert ran == Ran(3, "1000000\n", "oops\n") and ran.said == "oops"
    assert remote.run(["true"], b"x" * 1_000_000) == Ran(0, "", "")
    assert len(remote.run(["head", "-c", "3000000", "/dev/zero"]).out) == 3_000_000
    assert remote.run(["nothing-there"]).status == 127


def test_what_takes_too_long_is_left(remote: Remote) -> None:
    with pytest.raises(HostError, match=rf"^{remote.host.alias}: `.+` did not .* within 0\.5 s") as caught:
        remote.run(["sleep", "30"], seconds=0.5)
    assert caught.value.kind in ("late", "timeout") and caught.value.host == remote.host.alias
    assert remote.run(["echo", "still there"]).out == "still there\n"


def test_a_child_that_keeps_the_output_open_holds_nobody_up(remote: Remote) -> None:
    if type(remote).__name__ != "BySsh":
        pytest.skip("ssh and a shell here wait for that themselves")
    assert remote.run(["sh", "-c", "sleep 30 & echo done"], seconds=20).out == "done\n"


def test_lines_go_to_and_fro(remote: Remote) -> None:
    with closing(remote.talk(["sh", "-c", "while read line; do echo got $line; done; echo bad >&2"])) as talk:
        for word in (b"one", b"two"):
            talk.say(word + b"\n")
            assert talk.hear(10) == b"got " + word
        with pytest.raises(HostError, match=f"^{remote.host.alias}: ") as caught:
            talk.hear(0.2)
        assert caught.value.kind == "timeout"


def test_one_that_ends_instead_of_answering_is_told_of(remote: Remote) -> None:
    with closing(remote.talk(["sh", "-c", "echo no such thing >&2; exit 3"])) as talk:
        with pytest.raises(HostError, match="ended with: no such thing; does its shell print") as caught:
            talk.hear(10)
        assert caught.value.kind == "answer"


def test_a_file_is_put_whole_into_a_new_folder(remote: Remote, tmp_path: Path) -> None:
    (tmp_path / "wheel").write_bytes(os.urandom(300_000))
    target = tmp_path / "there" / "a b" / "wheel"
    remote.put(tmp_path / "wheel", str(target))
    assert target.read_bytes() == (tmp_path / "wheel").read_bytes() and os.listdir(target.parent) == ["wheel"]
    (tmp_path / "wheel").write_text("another")
    remote.put(tmp_path / "wheel", str(target))
    assert target.read_text() == "another"
    (tmp_path / "there" / "file").touch()
    with pytest.raises(HostError, match=r"^\w+: wheel could not be put to .*/file/wheel: .*; is there room"):
        remote.put(tmp_path / "wheel", str(tmp_path / "there" / "file" / "wheel"))


def test_what_is_started_outlives_the_connection(remote: Remote, site: Config, tmp_path: Path) -> None:
    log, started = site.spool / "logs" / f"noded-start-{remote.host.alias}.log", tmp_path / "it's started"
    code = "import os, sys; print('begun', sys.argv[2], flush=True); open(sys.argv[1], 'w').write(str(os.getpid())); sys.stdin.read(); import time; time.sleep(60)"
    start_detached(remote, [sys.executable, "-c", code, str(started), "a 'word'"], str(log))
    remote.close()
    pid = int(until(lambda: started.exists() and started.read_text()))
    process = psutil.Process(pid)
    try:
        assert process.is_running() and os.getsid(pid) == pid != os.getsid(0)
        assert os.readlink(f"/proc/{pid}/fd/0") == "/dev/null" and os.readlink(f"/proc/{pid}/fd/2") == str(log)
        assert log.read_text() == "begun a 'word'\n"
    finally:
        process.kill()


def test_the_last_words_of_a_log(remote: Remote, tmp_path: Path) -> None:
    (tmp_path / "log").write_text("one\ntwo\nthree\n")
    assert last_words(remote, str(tmp_path / "log"), 2) == ["two", "three"]
    assert last_words(remote, str(tmp_path / "none")) == []


def until(found: Callable[[], object], seconds: float = 20.0) -> str:
    end = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < end, "it was not started"
        time.sleep(0.02)
    return str(value)


def test_what_cannot_be_started_is_said(remote: Remote, tmp_path: Path) -> None:
    log = str(tmp_path / "log")
    for path, kind in ((tmp_path / "program", "start"), (tmp_path / "python3", "python_missing")):
        with pytest.raises(HostError, match=r"could not be started: .* is not there, or may not be run; ") as caught:
            start_detached(remote, [str(path), "-m", "park_spool.noded"], log)
        assert caught.value.kind == kind
        path.write_text("no program")
        with pytest.raises(HostError, match="is not there, or may not be run; "):
            start_detached(remote, [str(path)], log)
    with pytest.raises(HostError, match=r"`true` could not be started: .*no-folder/log: .*; look at what it says"):
        start_detached(remote, ["true"], str(tmp_path / "no-folder" / "log"))


# what keeps a connection from being


def kind_of(host: Host, site: Config, seconds: float = 10.0) -> tuple[str, str]:
    with pytest.raises(HostError) as caught:
        connect(host, site, seconds)
    return caught.value.kind, str(caught.value)


def test_nobody_listens(sshds: tuple[Sshd, Sshd], site: Config) -> None:
    (nobody,) = parse(f"{HOST} n1.example.org n1 ssh_port=9")
    said = "n1: 127.0.0.1 port 9 refuses connections; does sshd run there? if it listens on another port, say ssh_port="
    assert kind_of(nobody, site) == ("refused", said)
    gate = f"via={sshds[1].user}@{HOST}:{sshds[1].port}"
    (behind,) = parse(f"{HOST} n1.example.org n1 ssh_port=9 key={sshds[1].key} {gate}")
    assert kind_of(behind, site)[0] == "refused"
    (no_gate,) = parse(f"{HOST} n1.example.org n1 ssh_port={sshds[0].port} via={HOST}:9")
    assert kind_of(no_gate, site) == (
        "refused",
        said.replace("n1: ", "n1: via 127.0.0.1:9: "),
    )


def test_a_name_that_is_none(site: Config) -> None:
    (nowhere,) = parse("n1.invalid n1.example.org n1")
    kind, said = kind_of(nowhere, site)
    assert kind == "unreachable" and said.startswith("n1: n1.invalid is no name that is known here: ")


def test_a_key_that_is_not_known_is_refused_and_not_added(sshds: tuple[Sshd, Sshd], site: Config) -> None:
    known = Path("~/.ssh/known_hosts").expanduser()
    known.write_text("")
    kind, said = kind_of(host("n1", sshds[0]), site)
    assert kind == "key_unknown" and known.read_text() == ""
    assert said.startswith(f"n1: the host key of 127.0.0.1 is not in {known}; look whether SHA256:")
    command = said.partition("then add it: ")[2]
    assert command == f"ssh-keyscan -p {sshds[0].port} {HOST} >> {known}"
    subprocess.run(command, shell=True, check=True, capture_output=True)
    connect(host("n1", sshds[0]), site).close()


def test_a_key_may_be_known_by_the_hosts_name(sshds: tuple[Sshd, Sshd], site: Config) -> None:
    known = Path("~/.ssh/known_hosts").expanduser()
    known.write_text(known.read_text().replace(f"[{HOST}]", "[n1.example.org]"))
    connect(host("n1", sshds[0]), site).close()
    assert kind_of(host("n2", sshds[0]), site)[0] == "key_unknown"


def test_a_key_that_has_changed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, site: Config) -> None:
    with Sshd(tmp_path, has_shell=True) as sshd:
        at_home(tmp_path / "home", monkeypatch, sshd)
        connect(host("n1", sshd), site).close()
        sshd.stop()
        sshd.new_host_key()
        sshd.start()
        kind, said = kind_of(host("n1", sshd), site)
        known = tmp_path / "home" / ".ssh" / "known_hosts"
        assert kind == "key_changed" and "somebody may stand in between" in said
        assert said.endswith(f"remove the old one: ssh-keygen -f {known} -R '[127.0.0.1]:{sshd.port}'")


def test_who_is_not_let_in_without_a_password(sshds: tuple[Sshd, Sshd], site: Config, tmp_path: Path) -> None:
    make_key(tmp_path / "other")
    one = replace(host("n1", sshds[0]), key=str(tmp_path / "other"))
    kind, said = kind_of(one, site)
    assert kind == "login" and said == (
        f"n1: 127.0.0.1 does not let {sshds[0].user!r} in; it must let you in without a password: "
        f"ssh-copy-id -p {sshds[0].port} {sshds[0].user}@127.0.0.1, or name the private key with key=, the user with user="
    )
    make_key(tmp_path / "locked", "secret")
    kind, said = kind_of(replace(one, key=str(tmp_path / "locked")), site)
    assert kind == "passphrase" and said.endswith("wants a passphrase: give it to the agent with ssh-add")
    with pytest.raises(
        HostsError, match=r"^hosts, line 1: key=: expected a private key, got '.*/none', which is no file$"
    ):
        connect(replace(one, key=str(tmp_path / "none")), site)


def test_a_gate_that_does_not_let_in_says_that_it_is_the_gate(sshds: tuple[Sshd, Sshd], site: Config) -> None:
    gate, behind = sshds  # the key of the gate is no key here
    kind, said = kind_of(host("n1", behind, f"via={gate.user}@{HOST}:{gate.port}"), site)
    assert kind == "login" and said.startswith(f"n1: via {gate.user}@{HOST}:{gate.port}: 127.0.0.1 does not let")
    assert f"ssh-copy-id -p {gate.port} {gate.user}@127.0.0.1" in said


def test_a_gate_that_forwards_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sshds: tuple[Sshd, Sshd], site: Config) -> None:  # fmt: skip
    with Sshd(tmp_path, has_shell=True, extra_conf="AllowTcpForwarding no\n") as gate:
        at_home(tmp_path / "home", monkeypatch, gate, sshds[0])
        let_in(sshds[0], gate)
        kind, said = kind_of(host("n1", sshds[0], f"via={gate.user}@{HOST}:{gate.port}"), site)
    assert kind == "jump" and "it forwards no connections (AllowTcpForwarding in its sshd_config); allow it" in said


@pytest.mark.parametrize("hello", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-x\r\n"])
def test_who_says_nothing_or_nonsense_is_left(site: Config, hello: bytes) -> None:
    before = threading.active_count()
    with raw(hello) as server:
        (silent,) = parse(f"{HOST} n1.example.org n1 ssh_port={server.port}")
        kind, said = kind_of(silent, site, 0.4)
    assert kind in ("timeout", "broke") and said.startswith("n1: ")
    assert threading.active_count() == before


def test_a_host_that_hangs_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, site: Config) -> None:
    with Sshd(tmp_path, has_shell=True) as sshd:
        at_home(tmp_path / "home", monkeypatch, sshd)
        with closing(connect(host("n1", sshd), site, 1.0)) as connection:
            assert connection.run(["echo", "here"]).out == "here\n"
            sshd.freeze()
            with pytest.raises(HostError, match=r"^n1: ") as caught:
                connection.run(["echo", "here"], seconds=1.0)
            assert caught.value.kind == "timeout"


def test_a_host_whose_sshd_is_stopped_is_left(site: Config) -> None:
    with socket.create_server((HOST, 0)) as asleep:  # the kernel takes the connection, and nobody says anything
        (silent,) = parse(f"{HOST} n1.example.org n1 ssh_port={asleep.getsockname()[1]}")
        said = "n1: 127.0.0.1 did not answer within 0.4 s; is the machine on, and nothing in between that"
        kind, words = kind_of(silent, site, 0.4)
        assert kind == "timeout" and words.startswith(said)


def test_a_host_that_is_killed_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, site: Config) -> None:
    with Sshd(tmp_path, has_shell=True) as sshd:
        at_home(tmp_path / "home", monkeypatch, sshd)
        with closing(connect(host("n1", sshd), site)) as connection:
            killer = threading.Timer(0.3, sshd.stop)
            killer.start()
            with pytest.raises(HostError, match=r"^n1: the connection to 127\.0\.0\.1 broke") as caught:
                connection.run(["sleep", "20"])
            killer.join()
            assert caught.value.kind == "broke"


def test_nothing_stays_open(sshds: tuple[Sshd, Sshd], site: Config) -> None:
    before = set(os.listdir("/proc/self/fd")), threading.active_count()
    via = f"via={sshds[1].user}@{HOST}:{sshds[1].port}"
    with closing(connect(host("n1", sshds[0], via), site)) as connection:
        connection.run(["true"])
        connection.talk(["cat"])
    assert (set(os.listdir("/proc/self/fd")), threading.active_count()) == before


# the site's own command


def test_the_words_of_ssh_itself_are_understood(
    sshds: tuple[Sshd, Sshd], site: Config, tmp_path: Path, needs: Callable[[str], str]
) -> None:
    needs("ssh")
    make_key(tmp_path / "other")
    rsh, one = rsh_to(sshds[0], tmp_path / "home"), host("n1", sshds[0])
    connect(one, replace(site, rsh=rsh)).close()
    for words, kind in (
        (rsh.replace(f"-p {sshds[0].port}", "-p 9"), "refused"),
        (rsh.replace(str(sshds[0].key), str(tmp_path / "other")), "login"),
        (rsh.replace("UserKnownHostsFile=", "UserKnownHostsFile=/nowhere"), "key_unknown"),
        ("false", "rsh"),
    ):
        found, said = kind_of(one, replace(site, rsh=words))
        assert found == kind and said.startswith(f"n1: `{words.split()[0]}` says: "), said


def test_a_command_that_says_nothing_of_how_it_ended(site: Config, tmp_path: Path) -> None:
    """PARK's rsh hands on no status: what runs there says it itself."""
    script = tmp_path / "rsh"
    script.write_text('#!/bin/sh\ntest "$1" = anna@10.0.0.4 || exit 9\nsh -c "$2"\nexit 0\n')
    script.chmod(0o755)
    (one,) = parse("10.0.0.4 n4.example.org n4 user=anna")
    with closing(connect(one, replace(site, rsh=str(script)))) as connection:
        assert connection.run(["sh", "-c", "echo out; echo err >&2; exit 7"]) == Ran(7, "out\n", "err\n")


def test_a_command_with_places(site: Config) -> None:
    (one,) = parse("10.0.0.4 n4.example.org n4 user=anna ssh_port=2222")
    words = "env HOST_IS={alias},{name},{address},{user},{port} sh -c {command}"
    with closing(connect(one, replace(site, rsh=words))) as connection:
        assert connection.run(["sh", "-c", "echo $HOST_IS"]).out == "n4,n4.example.org,10.0.0.4,anna,2222\n"


@pytest.mark.parametrize(
    ("rsh", "words"),
    [
        ("ssh 'x", "rsh: expected a command such as"),
        (
            "ssh {hostname} {command}",
            "rsh: expected only {address}, {name}, {alias}, {user}, {port}, {command} in braces",
        ),
        ("ssh {alias}", "rsh: expected {command} where the command is to go"),
        ("ssh {alias {command}", "rsh: expected a command such as"),
    ],
)
def test_a_setting_that_cannot_be_meant(site: Config, rsh: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        shell_command.check(rsh)
    assert str(caught.value).startswith(words)
    with pytest.raises(ConfigError, match=r"^.*park\.toml: rsh: expected"):
        new_spool(site.spool, rsh=rsh)


def test_a_command_that_is_not_there(site: Config) -> None:
    (one,) = parse("10.0.0.4 n4.example.org n4")
    with pytest.raises(ConfigError, match=r"^rsh: expected a command, got '/nowhere/rsh': No such file"):
        connect(one, replace(site, rsh="/nowhere/rsh"))


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8), min_size=1, max_size=4))
def test_a_shell_takes_the_command_apart_again(words: list[str]) -> None:
    (one,) = parse("10.0.0.4 n4.example.org n4")
    assert shlex.split(shell_command.words("rsh", one, words)[-1]) == words
    assert shlex.split(shell_command.words("x {alias} {command}", one, words)[-1]) == words


def test_a_line_that_is_written_is_the_host(sshds: tuple[Sshd, Sshd]) -> None:
    assert parse(line("n1", sshds[0]))[0] == host("n1", sshds[0])
