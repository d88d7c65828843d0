"""Sources on a real sshd: who is let in, who is spoken to, what is read, and what is resumed when it is killed."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import paramiko
import pytest
from hypothesis import HealthCheck, given, settings
from partial_file import PartialFile
from remotes import HOST, Sshd, make_key, program, raw
from test_source_paths import NAMES

from park_spool.errors import ConfigError, DataError, TemporaryError
from park_spool.sources.fetching import fetch
from park_spool.sources.opening import open_source
from park_spool.sources.settings import SourceSettings
from park_spool.sources.source import CHUNK, Changed, NotThere, Refused, Source
from park_spool.store.facts import Facts

LONG = os.urandom(20 * CHUNK + 5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("sftp")
    (top / "outside").write_text("not for sessions")
    folder = top / "data"
    for name in ("run7/film1.ort", "run7/film10.ort", "run8/film 2ü%2e.ort", "run8/.hidden"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / "long").write_bytes(LONG)
    (folder / "newest").symlink_to("run7")
    (folder / "up").symlink_to("..")
    (folder / "out").symlink_to("../outside")
    (folder / "circle").symlink_to("circle")
    os.mkfifo(folder / "pipe")
    return folder


@pytest.fixture(scope="module")
def sshd(folder: Path, needs: Callable[[str], str]) -> Iterator[Sshd]:
    needs(program("sshd"))
    with Sshd(folder) as server:
        yield server


@pytest.fixture(autouse=True)
def _nobody_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the keys nor the agent of who runs the tests have a part in them."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)


def settings_for(sshd: Sshd) -> SourceSettings:
    known_hosts = str(sshd.known_hosts)
    return SourceSettings("ssh", sshd.url, key=str(sshd.key), known_hosts=known_hosts, timeout=10.0)


@pytest.fixture
def source(sshd: Sshd) -> Source:
    return open_source(settings_for(sshd), {})


def content(source: Source, path: str, offset: int = 0) -> bytes:
    with source.open(path, offset, source.facts(path)) as chunks:
        return b"".join(chunks)


def test_a_file_is_read_from_any_byte_on(source: Source, folder: Path) -> None:
    assert content(source, "/long") == LONG and content(source, "/long", CHUNK + 7) == LONG[CHUNK + 7 :]
    assert content(source, "/run8/film 2ü%2e.ort") == "run8/film 2ü%2e.ort".encode()
    assert source.facts("/long") == Facts(len(LONG), modified=int((folder / "long").stat().st_mtime))


def test_names(source: Source) -> None:
    assert source.names("/run7/*.ort") == ["/run7/film1.ort", "/run7/film10.ort"]
    assert source.names("/*/film?.ort") == ["/newest/film1.ort", "/run7/film1.ort"]
    assert source.names("/*") == ["/long"] and source.names("/run8/*") == ["/run8/film 2ü%2e.ort"]
    for pattern in ("/run9/*", "/long/*"):
        with pytest.raises(NotThere):
            source.names(pattern)


@pytest.mark.parametrize("path", ["/out", "/up/outside"])
def test_a_link_that_leaves_is_refused(source: Source, path: str) -> None:
    with pytest.raises(DataError, match=f"ssh:{path} is a link that leaves the source"):
        source.facts(path)
    with pytest.raises(DataError, match="leaves"):
        source.names("/up/*")
    assert content(source, "/newest/film1.ort") == b"run7/film1.ort"


@pytest.mark.parametrize("path", ["/x", "/run7", "/run7/film1.ort/x", "/pipe"])
def test_what_is_no_file_is_not_there(source: Source, path: str) -> None:
    for ask in (source.facts, lambda path: source.open(path, 0, Facts(1)).__enter__()):
        with pytest.raises(NotThere, match=f"^ssh:{path} is no"):
            ask(path)


def test_links_in_a_circle_end(source: Source) -> None:
    with pytest.raises((DataError, TemporaryError), match=r"^ssh:/circle"):
        source.facts("/circle")


def test_a_file_that_changes_is_told(source: Source, folder: Path) -> None:
    (folder / "changing").write_bytes(LONG)
    facts = source.facts("/changing")
    with pytest.raises(Changed, match="changed while"), source.open("/changing", 0, facts) as chunks:
        next(chunks)
        (folder / "changing").write_text("another film")
        list(chunks)
    with pytest.raises(Changed, match="another version"), source.open("/changing", 0, facts):
        pass


def test_a_server_that_is_not_known_is_not_spoken_to(sshd: Sshd, tmp_path: Path) -> None:
    for known_hosts in (tmp_path / "none", tmp_path / "empty"):
        (tmp_path / "empty").touch()
        source = open_source(replace(settings_for(sshd), known_hosts=str(known_hosts)), {})
        with pytest.raises(Refused) as caught:
            source.facts("/long")
        words = str(caught.value)
        assert words.startswith(f"ssh:/long: the host key of 127.0.0.1 is not in {known_hosts}; look whether SHA256:")
        assert words.endswith(f"then add it: ssh-keyscan -p {sshd.port} 127.0.0.1 >> {known_hosts}")


def test_a_server_with_another_key_is_not_spoken_to(folder: Path, needs: Callable[[str], str]) -> None:
    needs(program("sshd"))
    with Sshd(folder) as sshd:
        source = open_source(settings_for(sshd), {})
        assert source.facts("/long").size == len(LONG)
        sshd.stop()
        sshd.new_host_key()
        sshd.start()
        with pytest.raises(
            Refused, match=r"shows another host key than .*known_hosts has: somebody may stand in between"
        ):
            source.facts("/long")


def test_a_known_hosts_file_that_is_none_is_said(sshd: Sshd, tmp_path: Path) -> None:
    (tmp_path / "known").write_text("host ssh-ed25519 ===x\n")
    with pytest.raises((ConfigError, Refused), match="known"):
        open_source(replace(settings_for(sshd), known_hosts=str(tmp_path / "known")), {}).facts("/long")


def test_who_has_no_right_key_is_refused_and_no_secret_is_shown(sshd: Sshd, tmp_path: Path) -> None:
    make_key(tmp_path / "other")
    wrong = replace(settings_for(sshd), key=str(tmp_path / "other"))
    for one in (wrong, replace(wrong, key=""), replace(wrong, key="", secret="env:P"), replace(wrong, secret="env:P")):
        with pytest.raises(Refused, match=r"does not let '.*' in with the keys and the secret") as caught:
            open_source(one, {"P": "hunter2"}).facts("/long")
        assert "hunter2" not in f"{caught.value!r}{caught.value.__cause__!r}"
    with pytest.raises(ConfigError, match="which is no file"):
        open_source(replace(wrong, key=str(tmp_path / "nothing")), {}).facts("/long")


def test_a_key_at_home_is_found(sshd: Sshd, tmp_path: Path) -> None:
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "id_ed25519").write_bytes(sshd.key.read_bytes())
    (tmp_path / ".ssh" / "known_hosts").write_bytes(sshd.known_hosts.read_bytes())
    assert open_source(SourceSettings("ssh", sshd.url), {}).facts("/long").size == len(LONG)


def test_a_key_with_a_passphrase_is_opened_by_the_secret(sshd: Sshd, tmp_path: Path) -> None:
    make_key(tmp_path / "locked", "hunter2")
    with (sshd.own / "authorized_keys").open("a") as file:
        file.write((tmp_path / "locked.pub").read_text())
    locked = replace(settings_for(sshd), key=str(tmp_path / "locked"), secret="env:P")
    assert open_source(locked, {"P": "hunter2"}).facts("/long").size == len(LONG)
    with pytest.raises(Refused):
        open_source(locked, {"P": "hunter3"}).facts("/long")


def test_a_key_of_the_agent_is_found(sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(tmp_path / "agent")], stdout=subprocess.DEVNULL)
    try:
        while not (tmp_path / "agent").exists():
            assert agent.poll() is None
        subprocess.run(["ssh-add", "-q", str(sshd.key)], check=True)
        assert open_source(replace(settings_for(sshd), key=""), {}).facts("/long").size == len(LONG)
    finally:
        agent.kill()
        agent.wait()


class _Passwords(paramiko.ServerInterface):
    """Lets in who has the password, and offers nothing then."""

    def __init__(self) -> None:
        self.given: list[tuple[str, str]] = []

    def get_allowed_auths(self, username: str) -> str:
        return "password"

    def check_auth_password(self, username: str, password: str) -> int:
        self.given.append((username, password))
        return paramiko.AUTH_SUCCESSFUL if password == "hunter2" else paramiko.AUTH_FAILED


class _Silent(_Passwords):
    """Lets somebody in, and does not answer when sftp is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.is_over = threading.Event()

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED

    def check_channel_subsystem_request(self, channel: paramiko.Channel, name: str) -> bool:
        self.is_over.wait()
        return False


@contextmanager
def server_of(asked: _Passwords, sshd: Sshd, tmp_path: Path) -> Iterator[SourceSettings]:
    """Run an SSH server of this test's own, and give the settings of a source there."""
    key = paramiko.Ed25519Key(filename=str(sshd.key))
    with socket.create_server((HOST, 0)) as listening:
        port = listening.getsockname()[1]
        (tmp_path / "known").write_text(f"[{HOST}]:{port} ssh-ed25519 {key.get_base64()}\n")
        thread = threading.Thread(target=let_in, args=(listening, key, asked))
        thread.start()
        root, known = f"sftp://{HOST}:{port}/data/", str(tmp_path / "known")
        yield SourceSettings("ssh", root, user="reader", secret="env:P", known_hosts=known)
        thread.join()


@pytest.mark.parametrize(("password", "kind"), [("hunter2", TemporaryError), ("hunter3", Refused)])
def test_a_password_is_the_secret(sshd: Sshd, tmp_path: Path, password: str, kind: type[Exception]) -> None:
    asked = _Passwords()
    with server_of(asked, sshd, tmp_path) as settings, pytest.raises(kind) as caught:
        open_source(settings, {"P": password}).facts("/x")
    assert asked.given == [("reader", password)] and "hunter" not in str(caught.value)


def test_a_server_that_lets_in_and_says_no_more_is_left(sshd: Sshd, tmp_path: Path) -> None:
    asked = _Silent()
    with server_of(asked, sshd, tmp_path) as settings:
        try:
            with pytest.raises(TemporaryError, match="did not answer within 2 s"):
                open_source(replace(settings, timeout=2.0), {"P": "hunter2"}).facts("/x")
        finally:
            asked.is_over.set()
    assert asked.given


def let_in(listening: socket.socket, key: paramiko.PKey, asked: _Passwords) -> None:
    connection, _ = listening.accept()
    with connection, closing(paramiko.Transport(connection)) as transport:
        transport.add_server_key(key)
        with suppress(paramiko.SSHException, EOFError, OSError):  # the other side may be gone already
            transport.start_server(server=asked)
        transport.join()


def test_a_server_that_hangs_in_the_middle_is_left(folder: Path, needs: Callable[[str], str]) -> None:
    needs(program("sshd"))
    with Sshd(folder) as sshd:
        facts = open_source(settings_for(sshd), {}).facts("/long")
        source = open_source(replace(settings_for(sshd), timeout=1.0), {})
        hangs = pytest.raises(TemporaryError, match=r"^ssh:/long: 127\.0\.0\.1 did not answer within 1 s")
        with hangs, source.open("/long", 0, facts) as chunks:
            next(chunks)
            sshd.freeze()
            list(chunks)


def test_it_is_killed_in_the_middle_and_resumed(folder: Path, needs: Callable[[str], str], tmp_path: Path) -> None:
    needs(program("sshd"))
    with Sshd(folder) as sshd:
        partial, said = PartialFile(tmp_path / "partial"), []
        write = partial.write

        def kills_once(data: bytes) -> None:
            write(data)
            if partial.size >= 5 * CHUNK and not said:
                sshd.stop()

        partial.write = kills_once  # type: ignore[method-assign]
        source = open_source(settings_for(sshd), {})
        fetch(source, "/long", partial, tries=3, pause=lambda _: sshd.start(), said=said.append)
    assert partial.content == LONG and len(partial.restarts) == 1
    assert len(said) == 1 and said[0].startswith("ssh:/long: ") and said[0].endswith("tried again in 1 s")


def test_nobody_there_passes(sshd: Sshd) -> None:
    for url in ("sftp://127.0.0.1:9/data/",):
        with pytest.raises(TemporaryError, match="port 9 refuses connections"):
            open_source(replace(settings_for(sshd), root=url), {}).facts("/x")


@pytest.mark.parametrize("hello", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-x\r\n"])
def test_a_server_that_is_no_sshd_or_says_nothing_is_left(sshd: Sshd, hello: bytes) -> None:
    before = threading.active_count()
    with raw(hello) as server:
        root = f"sftp://127.0.0.1:{server.port}/data/"
        source = open_source(replace(settings_for(sshd), root=root, timeout=0.3), {})
        with pytest.raises(TemporaryError, match=r"^ssh:/x: (127\.0\.0\.1 did not answer within|the connection to)"):
            source.facts("/x")
    assert threading.active_count() == before


def test_nothing_stays_open(sshd: Sshd, source: Source) -> None:
    before = set(os.listdir("/proc/self/fd")), threading.active_count()
    for path in ("/long", "/run7/film1.ort"):
        with source.open(path, 0, source.facts(path)) as chunks:
            next(chunks)  # and no more of them
    source.names("/*")
    assert (set(os.listdir("/proc/self/fd")), threading.active_count()) == before


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(NAMES)
def test_no_hostile_path_reads_what_is_outside(source: Source, text: str) -> None:
    for path in (text, f"/run7/{text}/../outside"):
        with pytest.raises(DataError):
            source.facts(path)
