"""How the commands of a batch system are run: with a limit of time, and with what they said kept for people.

A command that hangs is killed with all that it started. Runs in clerk.py's process, never in a master's.
"""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field

from park_spool.errors import TemporaryError

_NOT_FOUND, _LONGEST = 127, 400
# What batch systems say of a job that they do not know any more: it is over.
_FORGOTTEN = (
    "invalid job id",  # Slurm
    "unknown job id",  # PBS
    "job has finished",
    "is not found",  # LSF
    "not found in namespace",  # Kubernetes
)


@dataclass(frozen=True, slots=True)
class Ran:
    """One command that was run: its status and what it said."""

    command: str
    status: int
    out: str
    err: str

    @property
    def is_of_a_forgotten_job(self) -> bool:
        said = f"{self.out}\n{self.err}".lower()
        return self.status != 0 and any(phrase in said for phrase in _FORGOTTEN)

    def words(self) -> str:
        """Say how it ended.

        >>> Ran("sbatch job", 1, "", "sbatch: error: invalid partition\\n").words()
        '`sbatch` ended with status 1: sbatch: error: invalid partition'
        """
        program = self.command.split()[0]
        if self.status == _NOT_FOUND:
            return (
                f"`{program}` is not on the PATH here: expected a submit host, or its folder as `path` of the profile"
            )
        said = " / ".join((self.err.strip() or self.out.strip() or "it said nothing").splitlines())[-_LONGEST:]
        return f"`{program}` ended with status {self.status}: {said}"


@dataclass(slots=True)
class Commands:
    """The commands that were run so far, the last one last; `timeout` in s for each."""

    timeout: float
    ran: list[Ran] = field(default_factory=list)

    def run(self, command: str) -> tuple[int, str, str]:
        """Run a line of shell. Raises TemporaryError if it does not end in time."""
        process = subprocess.Popen(
            command,
            shell=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            out, err = process.communicate(timeout=self.timeout)
        except subprocess.TimeoutExpired:
            program = command.split()[0]
            raise TemporaryError(f"`{program}` did not answer within {self.timeout:g} s; it was killed") from None
        finally:
            # RACE: it leads its group and is not reaped yet, so the number is nobody else's.
            if process.returncode is None:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
        self.ran.append(Ran(command, process.returncode, out.decode(errors="replace"), err.decode(errors="replace")))
        return process.returncode, self.ran[-1].out, self.ran[-1].err

    def since(self, mark: int) -> Ran | None:
        """Return the last command that was run since so many had been."""
        return self.ran[-1] if len(self.ran) > mark else None
