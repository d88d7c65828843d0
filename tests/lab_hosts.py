"""A lab: several hosts on this one machine, with a real shared file system between them; by the scripts in tests/lab/.

`h1`, `h2`, … are namespaces, `u1`, `u2`, … real Linux kernels as processes. Each has an address on an isolated switch, a
host name, a sshd, and a mount of its own at /mnt/q. A test cuts their cables, kills their processes, or all of a host at once.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

SCRIPTS = Path(__file__).resolve().parent / "lab"
FOLDER = "/mnt/q"
SPOOL = f"{FOLDER}/spool"
INSIDE = {
    "HOME": "/run/home",  # a host's own: the archive, the cache
    "TMPDIR": "/run/tmp",
    "PARK_SPOOL": SPOOL,
    "PYTHONPATH": str(SCRIPTS.parent),
    "LC_ALL": "C.UTF-8",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
}
INSIDE |= {key: os.environ[key] for key in ("PYTHONDONTWRITEBYTECODE",) if key in os.environ}
PARK = str(Path(sys.executable).with_name("park"))


@dataclass(frozen=True)
class FileSystem:
    """How one is set up (script and its environment), what it needs, and how old its listings may be, in seconds."""

    script: str
    programs: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    staleness: float = 1.0
    hosts: tuple[str, ...] = ("h1", "h2", "h3")
    master: str = "ctl"

    @property
    def is_machines(self) -> bool:
        """Whether its clients are kernels of their own."""
        return self.script == "nfs.sh"


NEEDED = ("unshare", "nsenter", "ip", "ssh-keygen", "sshd", "pgrep")
NFS = ("linux.uml", "rpc.nfsd", "mount.nfs", "rpcbind", "modprobe", "mkfs.ext4", "gcc")
MACHINES: dict[str, Any] = {"hosts": ("u1", "u2"), "master": "u1"}
FILE_SYSTEMS = {
    "moosefs": FileSystem("moosefs.sh", ("mfsmaster", "mfschunkserver", "mfsmount")),
    "sshfs": FileSystem("sshfs.sh", ("sshfs", "fusermount3"), {"MODE": "default"}, staleness=22.0),
    "sshfs-strict": FileSystem("sshfs.sh", ("sshfs", "fusermount3"), {"MODE": "strict"}),
    "gluster": FileSystem("gluster.sh", ("glusterd", "glusterfs", "gluster"), {"MODE": "default"}, staleness=2.0),
    "gluster-strict": FileSystem("gluster.sh", ("glusterd", "glusterfs", "gluster"), {"MODE": "strict"}),
    "nfs4.2": FileSystem("nfs.sh", NFS, {"VERSION": "4.2"}, staleness=4.0, **MACHINES),
    "nfs3": FileSystem("nfs.sh", NFS, {"VERSION": "3"}, staleness=35.0, **MACHINES),
}


class Lab:
    """Hosts with one file system; everything of it is gone when the `with` block ends."""

    def __init__(self, kind: str) -> None:
        self.kind = FILE_SYSTEMS[kind]
        self.hosts, self.master = self.kind.hosts, self.kind.master
        self.clients = tuple(dict.fromkeys((self.master, *self.hosts)))
        self.base = Path(tempfile.mkdtemp(prefix="park-lab-"))
        self._environment = {**os.environ, **self.kind.environment, "BASE": str(self.base)}
        self._popen: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Lab:
        try:
            self._up()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            print(self.logs(), file=sys.stderr)
        self.close()

    def _up(self) -> None:
        self._script("hosts.sh", "up", "0" if self.kind.is_machines else str(len(self.hosts)))
        if self.kind.is_machines:
            self._script("nfs.sh", "server")
        else:
            self._script("hosts.sh", "exec", "srv", str(SCRIPTS / self.kind.script), "server")
        with ThreadPoolExecutor() as together:
            list(together.map(self.mount, self.clients))

    def close(self) -> None:
        """End all that was started, by the noted process ids, and remove the lab's folder."""
        for process in self._popen:
            process.kill()
            process.communicate()
        try:
            if self.kind.is_machines:
                self._script("nfs.sh", "down")
        finally:
            self._script("hosts.sh", "down")
        shutil.rmtree(self.base, ignore_errors=True)

    def _script(self, name: str, *words: str, seconds: float = 90.0) -> None:
        with (self.base / "scripts.log").open("a") as log:
            log.write(f"-- {name} {' '.join(words)}\n")
            log.flush()
            ran = subprocess.run(
                [str(SCRIPTS / name), *words],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                timeout=seconds,
            )
        assert ran.returncode == 0, (self.base / "scripts.log").read_text()[-2000:]

    # hosts

    def mount(self, host: str) -> None:
        if self.kind.is_machines:
            self._script("nfs.sh", "client", host)
        else:
            self._script("hosts.sh", "exec", host, str(SCRIPTS / self.kind.script), "client", FOLDER)

    def cut(self, host: str) -> None:
        """Pull the host's cable."""
        self._script(self._power, "cut", host)

    def heal(self, host: str) -> None:
        self._script(self._power, "heal", host)

    @property
    def _power(self) -> str:
        return "machines.sh" if self.kind.is_machines else "hosts.sh"

    def crash(self, host: str) -> None:
        """Let every process of a host die at once."""
        self._script(self._power, "stop" if self.kind.is_machines else "crash", host)

    def boot(self, host: str) -> None:
        """Start a crashed host again under its name and address, with its mount and nothing else."""
        if not self.kind.is_machines:
            self._script("hosts.sh", "boot", host)
        self.mount(host)

    def freeze(self, host: str) -> None:
        """Stop every process of a host where it is (namespaces only)."""
        self._script("hosts.sh", "freeze", host)

    def thaw(self, host: str) -> None:
        self._script("hosts.sh", "thaw", host)

    # processes

    def command(self, host: str, *words: str) -> list[str]:
        """Return the command that runs `words` on a host."""
        inside = ["env", *(f"{key}={value}" for key, value in INSIDE.items()), *words]
        if not host.startswith("u"):
            return self._enter(host, inside)
        folder = self.base / "hosts"
        options = {"UserKnownHostsFile": folder / "known_hosts", "ControlPath": f"/run/to-{host}", "LogLevel": "ERROR"}
        options |= {
            "ControlMaster": "auto",
            "ControlPersist": "600",
            "ServerAliveInterval": "3",
            "ConnectTimeout": "10",
        }
        flags = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
        return self._enter("ctl", ["ssh", "-i", str(folder / "key"), *flags, f"root@{host}", shlex.join(inside)])

    def _enter(self, host: str, words: list[str]) -> list[str]:
        pid = (self.base / "hosts" / host / "pid").read_text().strip()
        return ["nsenter", "-t", pid, "-n", "-m", "-p", "-u", "-i", "--wd=/", *words]

    def run(self, host: str, *words: str, given: str = "", seconds: float = 60.0, ok: tuple[int, ...] = (0,)) -> str:
        """Run a command on a host and return its output; fail unless it ends with 0, or another status that is `ok`."""
        ran = subprocess.run(self.command(host, *words), input=given, capture_output=True, text=True, timeout=seconds)
        assert ran.returncode in ok, (
            f"{host}: {shlex.join(words)}: {ran.returncode}: {ran.stdout[-2000:]}{ran.stderr[-2000:]}"
        )
        return ran.stdout

    def python(self, host: str, *words: str, seconds: float = 120.0) -> str:
        return self.run(host, sys.executable, *words, seconds=seconds)

    def open(self, host: str, *words: str) -> subprocess.Popen[str]:
        """Run a Python program on a host with pipes to it."""
        command = self.command(host, sys.executable, "-u", *words)
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._popen.append(process)
        return process

    def start(self, host: str, label: str, module: str, *words: str) -> None:
        """Start a daemon on a host that outlives the connection."""
        note = 'echo $$ > /run/lab/$0.pid; exec "$@" < /dev/null >> /run/lab/$0.err 2>&1'
        self.run(host, "setsid", "-f", "sh", "-c", note, label, sys.executable, "-m", f"park_spool.{module}", *words)

    def signal(self, host: str, label: str, number: str = "KILL") -> None:
        """Signal a daemon by the process id that was noted when it was started."""
        self.run(host, "sh", "-c", f"kill -{number} $(cat /run/lab/{label}.pid)")

    def processes(self, host: str) -> list[str]:
        """Return the command lines of what runs of park-spool on a host."""
        return self.run(host, "sh", "-c", "pgrep -fa [p]ark_spool || true").splitlines()

    # the spool

    @property
    def truth(self) -> tuple[str, str]:
        """Return the host, and the spool's path there, where what is listed is how it is now."""
        if self.kind.script == "sshfs.sh":
            return "srv", str(self.base / "export" / "spool")
        return self.master, SPOOL

    def names(self, folder: str) -> list[str]:
        """List what lies below a folder of the spool, but dot-names: NAME, or FOLDER/NAME for what is in one of its folders."""
        host, spool = self.truth
        listing = self.run(host, "find", f"{spool}/{folder}", "-mindepth", "1", "-printf", "%P\n", ok=(0, 1))
        return [name for name in listing.splitlines() if not name.rpartition("/")[2].startswith(".")]

    def write(self, host: str, name: str, text: str) -> None:
        """Write a file below /mnt/q as `cat >` does."""
        self.run(host, "sh", "-c", f"mkdir -p $(dirname {FOLDER}/{name}); cat > {FOLDER}/{name}", given=text)

    def counted(self) -> dict[str, dict[str, Any]]:
        """Return what the master's archive says of each session; see lab/counted.py."""
        archive = "~/.local/share/park-spool/spool.sqlite"
        return dict(json.loads(self.python(self.master, str(SCRIPTS / "counted.py"), archive)))

    def logs(self) -> str:
        """Return the ends of all logs: of the daemons, of what they said on standard error, and of the scripts."""
        texts = [f"== scripts\n{(self.base / 'scripts.log').read_text()[-3000:]}"]
        for host in self.clients:
            look = f"tail -n 30 /run/lab/*.err {SPOOL}/logs/*-{host}.log"
            try:
                ran = subprocess.run(self.command(host, "sh", "-c", look), capture_output=True, text=True, timeout=20)
                texts.append(f"== {host}\n{ran.stdout}")
            except (subprocess.TimeoutExpired, OSError) as error:
                texts.append(f"== {host}: {error}")
        return "\n".join(texts)


def require(need: Callable[[str], str], kind: str, fail: Callable[[str], Any], skip: Callable[[str], Any]) -> None:
    """Skip a test where its lab cannot be, with the reason; fail in CI."""
    refuse = fail if os.environ.get("CI") == "true" else skip
    if os.geteuid() != 0:
        refuse("a lab of hosts needs root: namespaces, mounts, a switch")
    if not Path("/dev/fuse").exists():
        refuse("a lab of hosts needs /dev/fuse")
    for program in (*NEEDED, *FILE_SYSTEMS[kind].programs):
        need(program)
