"""Real shared file systems on one machine: sshfs through a private sshd on loopback, and rclone over a plain folder.

with Sshfs(sshd, folder, place, "dcache_timeout=2") as point: …          with Rclone(folder, place) as point: …
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from remotes import HOST, Sshd

PATIENCE = 20.0


def needs_fuse(needs: Callable[[str], str], program: str) -> None:
    """Skip a test where nothing can be mounted; in CI it fails."""
    needs(program)
    needs("fusermount3")
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        if os.environ.get("CI") == "true":
            pytest.fail("/dev/fuse is missing, and CI must not skip what it needs")
        pytest.skip("there is no /dev/fuse here")


class Mounted:
    """A process in the foreground that serves a mount; it ends with the mount."""

    def __init__(self, place: Path, command: list[str], environment: dict[str, str] | None = None) -> None:
        self.point, self._command, self._environment = place, command, environment

    def __enter__(self) -> Path:
        self.point.mkdir()
        with (self.point.parent / f"{self.point.name}.log").open("wb") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._environment
            )
        end = time.monotonic() + PATIENCE
        while not os.path.ismount(self.point):
            if self._process.poll() is not None or time.monotonic() > end:
                self.__exit__()
                pytest.fail((self.point.parent / f"{self.point.name}.log").read_text())
            time.sleep(0.02)
        return self.point

    def __exit__(self, *_: object) -> None:
        subprocess.run(["fusermount3", "-u", "-z", str(self.point)], capture_output=True, check=False)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(1)
        self._process.kill()
        self._process.wait()


class Sshfs(Mounted):
    """A mount of a folder that an sshd serves; `options` are sshfs's own."""

    def __init__(self, sshd: Sshd, folder: Path, place: Path, *options: str) -> None:
        key = (f"IdentityFile={sshd.key}", f"UserKnownHostsFile={sshd.known_hosts}", "StrictHostKeyChecking=yes")
        said = ",".join(("IdentitiesOnly=yes", *key, *options))
        command = ["sshfs", "-f", "-p", str(sshd.port), "-o", said, f"{sshd.user}@{HOST}:{folder}", str(place)]
        super().__init__(place, command)


class Rclone(Mounted):
    """A mount of a folder of this machine by rclone, with its usual cache."""

    def __init__(self, folder: Path, place: Path) -> None:
        programs = place.parent / "programs"  # rclone calls `fusermount`, fuse3 brings `fusermount3`
        programs.mkdir(exist_ok=True)
        with suppress(FileExistsError):
            (programs / "fusermount").symlink_to(shutil.which("fusermount3") or "fusermount3")
        command = ["rclone", "--config", os.devnull, "mount", str(folder), str(place), "--vfs-cache-mode", "writes"]
        command += ["--cache-dir", str(place.parent / f"{place.name}.cache")]
        super().__init__(place, command, {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"})
