"""Who may ask: those who can read the secret of the spool, which is a file that park-datad makes at its first start.

The token is the file's text; it comes as `Authorization: Bearer TOKEN`.  For whom something is asked, X-Park-User
says: who holds the token is trusted with that, as nodes run the sessions of all users.
"""

from __future__ import annotations

import hmac
import os
import secrets
import stat
from pathlib import Path

from park_spool.atomic import Disk
from park_spool.errors import ConfigError

FEWEST = 16  # characters


def make_secret(disk: Disk, path: Path) -> bool:
    """Make the secret if there is none; False if there is one, which is never overwritten."""
    return disk.create(path, f"{secrets.token_urlsafe(32)}\n".encode(), mode=0o600)


def read_secret(path: Path) -> str:
    """Return the token. Raises ConfigError if it is not there, too short, or others may read it."""
    try:
        with path.open(encoding="utf-8") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            text = file.read(4096).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the data centre's secret {path} cannot be read: {error}") from error
    if mode & 0o077:
        raise ConfigError(
            f"the data centre's secret {path} may be read or changed by others (mode {mode:04o}, expected 0600); "
            f"nothing was started: `chmod 600 {path}`, or remove it, and a new one is made"
        )
    if len(text) < FEWEST or any(not "!" <= character <= "~" for character in text):
        raise ConfigError(
            f"the data centre's secret {path} cannot be a token: expected at least {FEWEST} letters in one line"
        )
    return text


def is_allowed(authorization: str | None, secret: str) -> bool:
    """Say whether the header of a request has the token, in a time that does not tell how much of it was right.

    >>> is_allowed("Bearer abc", "abc"), is_allowed("Bearer ab", "abc"), is_allowed(None, "abc")
    (True, False, False)
    """
    scheme, _, token = (authorization or "").partition(" ")
    is_same = hmac.compare_digest(token.strip().encode(), secret.encode())
    return scheme.lower() == "bearer" and is_same
