"""Hosts for tests: real sshds on loopback, a home with nothing but their keys, and a hosts file beside a spool.

at_home(tmp_path, monkeypatch, sshd); host("n1", sshd)
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from remotes import HOST, Sshd

from park_spool import config
from park_spool.config import Config
from park_spool.hosts.reading import Host, parse


def at_home(home: Path, monkeypatch: pytest.MonkeyPatch, *servers: Sshd) -> None:
    """Have nobody's keys and agent but this test's own: the servers are known, and nothing else is."""
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    (home / ".ssh").mkdir(parents=True, exist_ok=True)
    (home / ".ssh" / "known_hosts").write_text("".join(one.known_hosts.read_text() for one in servers))


def line(alias: str, sshd: Sshd, *more: str) -> str:
    """Write the line of a host whose sshd this is; its Python is the one that runs the tests."""
    words = (f"ssh_port={sshd.port}", f"key={sshd.key}", f"user={sshd.user}", f"python={sys.executable}", *more)
    return f"{HOST} {alias}.example.org {alias} {' '.join(words)}\n"


def host(alias: str, sshd: Sshd, *more: str) -> Host:
    """Return the host whose sshd this is."""
    (found,) = parse(line(alias, sshd, *more))
    return found


def let_in(one: Sshd, other: Sshd) -> None:
    """Let the key of one server in at another one, too."""
    with (other.own / "authorized_keys").open("a") as file:
        file.write((one.own / "key.pub").read_text())


def new_spool(folder: Path, **settings: object) -> Config:
    """Make a spool."""
    config.make_spool(folder)
    folder.joinpath("park.toml").write_text("".join(f"{name} = {value!r}\n" for name, value in settings.items()))
    return config.load(folder)


class ElsewhereSshd(Sshd):
    """An sshd on a host where another folder is mounted at a path: in a mount namespace of its own."""

    def __init__(self, folder: Path, point: Path, mounted: Path, options: str = "rw") -> None:
        super().__init__(folder, has_shell=True)
        self._point, self._mounted, self._options = point, mounted, options

    def command(self) -> list[str]:
        script = 'mount --bind "$1" "$2" && mount -o "remount,bind,$3" "$2" && shift 3 && exec "$@"'
        words = [str(self._mounted), str(self._point), self._options]
        return ["unshare", "--mount", "sh", "-c", script, "sh", *words, *super().command()]


class SshfsSshd(Sshd):
    """An sshd on a host that has `mounted` at `point` by sshfs, with its caches: new names are seen late there."""

    def __init__(self, folder: Path, point: Path, mounted: Path, server: Sshd) -> None:
        super().__init__(folder, has_shell=True)
        self._point, self._mounted, self._server = point, mounted, server

    def command(self) -> list[str]:
        script = (
            'sshfs -f -p "$3" -o "IdentityFile=$4,UserKnownHostsFile=$5" "$1" "$2" & shift 1; '
            'until mountpoint -q "$1"; do kill -0 $! || exit 1; sleep 0.1; done; shift 4; exec "$@"'
        )
        server = self._server
        place = f"{server.user}@{HOST}:{self._mounted}"
        words = [place, str(self._point), str(server.port), str(server.key), str(server.known_hosts)]
        return ["unshare", "--mount", "sh", "-c", script, "sh", *words, *super().command()]


def may_mount() -> bool:
    """Say whether a process may have mounts of its own here."""
    return os.geteuid() == 0 and not subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode
