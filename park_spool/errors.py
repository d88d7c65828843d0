"""The one tree of errors, and the one place that says which errno will pass by itself.

TemporaryError: try later, nothing is lost.  PermanentError: reject, with the reason in words.
A message says what failed, where, what was expected, what was found, and what was done about it.
"""

from __future__ import annotations

import errno
import math


class ParkError(Exception):
    """Everything that park-spool raises on purpose; its text is fit for a user's eyes."""


class TemporaryError(ParkError):
    """Try again later: nothing is lost and nothing is wrong with the input."""


class PermanentError(ParkError):
    """Trying again cannot help: the input is put aside with this text as the reason."""


class ConfigError(PermanentError):
    """A setting in park.toml, the environment or on the command line cannot be used."""


class HostsError(ConfigError):
    """The hosts file is not there, or a line of it cannot be understood."""


class SpoolError(PermanentError):
    """The folder is not a spool, or is on a file system that cannot carry one."""


class SessionError(PermanentError):
    """A session cannot be understood; `line` and `column` count from 1, None without a place."""

    def __init__(self, reason: str, line: int | None = None, column: int | None = None) -> None:
        self.reason, self.line, self.column = reason, line, column
        super().__init__(reason if line is None else f"line {line}, column {column}: {reason}")


class MalformedXml(SessionError):
    """A session file is not well-formed XML: damaged, or, in a folder that others write to, not yet whole."""


class ServiceError(PermanentError):
    """A service.toml, or what a session asks of a service, cannot be used."""


class InstallError(PermanentError):
    """An environment with park-spool cannot be made, or a host has none."""


class DataError(PermanentError):
    """A data set cannot be found, may not be read, or is not what its digest says."""


class TornError(TemporaryError):
    """A sealed file is not whole: its last line does not match what stands before it."""


class HostError(TemporaryError):
    """A host cannot be worked with now; `kind` is a word of park_spool.hosts.advice, `host` its alias."""

    def __init__(self, reason: str, kind: str = "broke", host: str = "") -> None:
        self.kind, self.host = kind, host
        super().__init__(reason)


class AccountError(PermanentError):
    """A user, role, password, token or link of the page cannot be as asked for; `field` says which of them."""

    def __init__(self, reason: str, field: str = "") -> None:
        self.field = field
        super().__init__(reason)


class TooManyAttempts(TemporaryError):
    """Names and passwords were tried too often; after `seconds` it may be tried again."""

    def __init__(self, reason: str, seconds: float = 1.0) -> None:
        self.seconds = math.ceil(seconds)
        super().__init__(reason)


class NotFound(PermanentError):
    """What the user named (a session, a job, a node) is not there, or not unique."""


class CallError(PermanentError):
    """A function call of an executor came to no result of its own: its process died, took too long, or was lost."""


# A cut network, a full disk, a stale handle: each passes, and none is a reason to drop work or to die.
_PASSING = frozenset(
    {
        errno.EIO,
        errno.EAGAIN,
        errno.EINTR,
        errno.EBUSY,
        errno.ENOSPC,
        errno.EDQUOT,
        errno.ESTALE,
        errno.ETIMEDOUT,
        errno.ENOTCONN,
        errno.ECONNREFUSED,
        errno.ECONNRESET,
        errno.ECONNABORTED,
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.ENETDOWN,
        errno.ENETUNREACH,
        errno.EREMOTEIO,
        errno.ENOLCK,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOMEM,
        errno.EROFS,
    }
)


def is_temporary(number: int | None) -> bool:
    """Say whether an errno passes by itself (a cut cable, a full disk), so that the call is tried again.

    >>> is_temporary(errno.ENOSPC), is_temporary(errno.EACCES)
    (True, False)
    """
    return number in _PASSING
