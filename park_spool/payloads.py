"""What the calls of a unit need, as files in `calls/SID/` (PROTOCOL.md section 12), and whom to believe of them.

    FIRST-LAST    sealed: a head, then for each job the number of its function and its pickled arguments
    SHA256        a function, or the context of an executor, pickled

Guarantees: `Folder.read` gives only what a trusted account has written, in a folder that nobody else may write to, so
that no other user's bytes are ever unpickled.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Callable, Collection, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from park_spool import naming, sealed
from park_spool.errors import TornError

HEAD = "head"
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK


class Unusable(Exception):
    """What a call needs is not there, not whole, or not to be believed; its text says which."""


@dataclass(frozen=True, slots=True)
class Payload:
    """One payload: digests of the context and of the functions, and each job's function and arguments."""

    context: str
    functions: tuple[str, ...]
    calls: dict[int, tuple[int, bytes]]


def trusted(spool: Path) -> tuple[int, ...]:
    """Return the accounts, as user ids, whose bytes this process may unpickle: its own, the spool owner's, and root."""
    return os.geteuid(), spool.stat().st_uid, 0


def encode(payload: Payload) -> bytes:
    """Write a payload.

    >>> decode(encode(Payload("c", ("f", "g"), {7: (1, b"x")})))
    Payload(context='c', functions=('f', 'g'), calls={7: (1, b'x')})
    """
    head = json.dumps({"context": payload.context, "functions": payload.functions}).encode()
    calls = ((f"{job} {function}", data) for job, (function, data) in payload.calls.items())
    return sealed.bind([(HEAD, head), *calls])


def decode(data: bytes) -> Payload:
    """Read a payload. Raises TornError if it is not whole, or not one."""
    parts = sealed.unbind(data)
    try:
        _, text = next(parts)
        head = json.loads(text)
        calls = {}
        for name, arguments in parts:
            job, _, function = name.partition(" ")
            calls[int(job)] = int(function), arguments
        return Payload(head["context"], tuple(head["functions"]), calls)
    except (ValueError, KeyError, TypeError, StopIteration) as error:
        raise TornError(f"it is not a payload: {error!r}") from error


def covering(names: Iterable[str], job: int) -> str | None:
    """Find the payload that holds a job among the names in a folder of calls.

    >>> covering(["alive.000000001", "000000001-000000004", "000000005-000000005"], 5)
    '000000005-000000005'
    """
    ranges = ((name, naming.parse_payload(name)) for name in names)
    return next((name for name, found in ranges if found and found[0] <= job < found[1]), None)


@dataclass(frozen=True, slots=True)
class Folder:
    """One executor's folder, read by somebody who believes certain accounts (user ids)."""

    path: Path
    trusted: Collection[int]
    refresh: Callable[[Path], None] = lambda path: None  # NFS: a listing may be stale until the folder changes

    def payload(self, start: int, stop: int, job: int) -> Payload:
        """Read the payload of a unit, or of a larger one that it is a piece of. Unusable where there is none."""
        data = self.read(naming.payload_name(start, stop))
        if data is None:
            name = covering(self._names(), job) or covering(self._names(is_fresh=True), job)
            data = self.read(name) if name else None
        if data is None:
            raise Unusable(f"the arguments of call {job} are not in {self.path}: perhaps it has its answer already")
        try:
            return decode(data)
        except TornError as error:
            raise Unusable(f"the arguments of call {job} in {self.path} cannot be read: {error}") from error

    def function(self, digest: str) -> bytes:
        """Read a function's pickle. Unusable where there is none, or it is torn."""
        data = self.read(digest)
        if data is None or hashlib.sha256(data).hexdigest() != digest:
            what = "is not there" if data is None else "is not whole"
            raise Unusable(f"the function {self.path / digest} {what}")
        return data

    def _names(self, is_fresh: bool = False) -> list[str]:
        try:
            if is_fresh:
                self.refresh(self.path)
            return [path.name for path in self.path.iterdir()]
        except OSError:
            return []

    def read(self, name: str) -> bytes | None:
        """Read a file; None if it is not there. Unusable if it may be the work of somebody else."""
        try:
            with ExitStack() as opened:
                return self._read(name, opened)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Unusable(f"{self.path / name} cannot be read: {error.strerror}") from error

    def _read(self, name: str, opened: ExitStack) -> bytes:
        folder = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        opened.callback(os.close, folder)
        self._check(os.fstat(folder), self.path)
        # RACE: opened below the folder that was looked at, whatever stands under its name by now.
        file = opened.enter_context(os.fdopen(os.open(name, _OPEN, dir_fd=folder), "rb"))
        self._check(os.fstat(file.fileno()), self.path / name)
        return file.read()

    def _check(self, status: os.stat_result, path: Path) -> None:
        if status.st_uid not in self.trusted:
            raise Unusable(
                f"{path} belongs to user {status.st_uid}: functions by value run only if they are of the account "
                "that runs the node, or of the spool's owner; it was not run"
            )
        if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise Unusable(f"{path} may be written to by others than its owner; nothing in it was run")
