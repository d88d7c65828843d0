"""Secrets: how they are made, and what is kept of them, from which nobody can make them again.

Cookies, tokens and links are 256 random bits, so SHA-256 is enough for them. Passwords are chosen by people, so they
are kept by scrypt, salted. Nothing here is ever logged.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from werkzeug.security import check_password_hash, generate_password_hash

from park_spool.errors import AccountError

TOKEN = "park_"  # so that programs that look for secrets in published files know one
METHOD = "scrypt:32768:8:1"
SHORTEST, LONGEST = 8, 1000
# Of no password. Made by the same method, so that looking at a user who is not there takes as long.
_NOBODYS = f"{METHOD}${'0' * 16}${'0' * 128}"


def new(kind: str = "") -> str:
    """Return a new secret, fit for a header, a cookie or an address."""
    return kind + secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """Return what is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def csrf(secret: str, words: str = "") -> str:
    """Return what forms must bring along: it follows from a secret, and says nothing of it."""
    return hmac.digest(secret.encode(), f"csrf {words}".encode(), "sha256").hex()


def is_same(given: str, wanted: str) -> bool:
    """Compare two texts in a time that says nothing of where they differ; an empty one is never right."""
    return bool(wanted) and hmac.compare_digest(given.encode(), wanted.encode())


def hashed(password: str) -> str:
    """Return what is kept of a password. Raises AccountError if it will not do."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise AccountError(
            f"expected a password of {SHORTEST} to {LONGEST} characters, got {len(password)}", "password"
        )
    return generate_password_hash(password, METHOD)


def is_password(kept: str | None, password: str) -> bool:
    """Say whether it is the password of which this was kept; takes as long if nothing was."""
    is_right = check_password_hash(kept or _NOBODYS, password[: LONGEST + 1])
    return is_right and kept is not None
