"""What to do about each way in which a host can fail: a sentence for each kind of HostError.

Pure. A sentence of the caller says what happened; what stands here follows it, behind a semicolon.
"""

from __future__ import annotations

import shlex
from getpass import getuser

from park_spool.errors import HostError
from park_spool.hosts.reading import SSH_PORT, Host

ADVICE = {
    "unreachable": "is the address right, and the machine on? where it is only reached through another one, say via=",
    "refused": "does sshd run there? if it listens on another port, say ssh_port=",
    "timeout": "is the machine on, and nothing in between that lets no connection through?",
    "key_unknown": "",  # the sentence itself says how it becomes known
    "key_changed": "",
    "login": "it must let you in without a password: {copy}, or name the private key with key=, the user with user=",
    "passphrase": "",
    "jump": "allow it there, or go through another host (via=)",
    "broke": "try again; if it stays so, look into the log of sshd there",
    "rsh": "park.toml sets rsh to this command: try it by hand",
    "python_missing": "name one with python=, make an environment in the shared folder (`park env`), "
    "or put one there (`park up --install`)",
    "python_old": "install a newer one there, or name it with python=",
    "install": "",  # the sentence itself says what to do
    "put": "is there room, and may you write there?",
    "start": "look at what it says, and at its log in the spool's logs/",
    "late": "is it busy, or does the shared folder hang there?",
    "answer": "does its shell print something of its own when nobody is at a terminal?",
}


def error(host: Host, kind: str, words: str, at: Host | None = None) -> HostError:
    """Make the error of a host: its alias, what happened, what to do; `at` is the host in between where it happened."""
    advice = ADVICE[kind].format(copy=copying(at or host))
    return HostError(f"{host.alias}: {words}" + (f"; {advice}" if advice else ""), kind, host.alias)


def silent(host: Host, said: bytes) -> HostError:
    """Make the error of a host whose command ended instead of answering."""
    lines = said.decode(errors="replace").strip().splitlines()
    words = f"what runs there ended with: {lines[-1].strip()}" if lines else "what runs there ended and said nothing"
    return error(host, "answer", words)


def copying(host: Host) -> str:
    """Return the command that lets one in without a password from then on.

    >>> copying(Host("10.0.0.4", "n4.example.org", "n4", user="anna", ssh_port=2222))
    'ssh-copy-id -p 2222 anna@10.0.0.4'
    """
    port = [] if host.ssh_port == SSH_PORT else ["-p", str(host.ssh_port)]
    jump = ["-o", f"ProxyJump={jump_words(host.jump)}"] if host.jump else []
    return shlex.join(["ssh-copy-id", *port, *jump, f"{host.user or getuser()}@{host.address}"])


def jump_words(host: Host) -> str:
    """Write a jump host as ssh -J would have it."""
    user = f"{host.user}@" if host.user else ""
    address = f"[{host.address}]" if ":" in host.address else host.address
    return f"{user}{address}" + ("" if host.ssh_port == SSH_PORT else f":{host.ssh_port}")
