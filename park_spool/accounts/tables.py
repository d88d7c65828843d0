"""The tables. Secrets are kept as digests alone; whatever changes a right moves the number in `rights` by itself."""

from __future__ import annotations

VERSION = 1

_USERS = """
CREATE TABLE users (name TEXT PRIMARY KEY, role INTEGER NOT NULL, password TEXT, made REAL NOT NULL) STRICT"""
_TOKENS = """
CREATE TABLE tokens (
  id INTEGER PRIMARY KEY AUTOINCREMENT, digest TEXT NOT NULL UNIQUE,
  user TEXT NOT NULL REFERENCES users(name) ON DELETE CASCADE, label TEXT NOT NULL, role INTEGER NOT NULL,
  made REAL NOT NULL, expires REAL, used REAL) STRICT"""
_LOGINS = """
CREATE TABLE logins (
  id INTEGER PRIMARY KEY AUTOINCREMENT, digest TEXT NOT NULL UNIQUE,
  user TEXT NOT NULL REFERENCES users(name) ON DELETE CASCADE,
  made REAL NOT NULL, seen REAL NOT NULL, expires REAL NOT NULL, address TEXT NOT NULL) STRICT"""
# `role` is what a user is made with who is not there yet; NULL where the user is.
_LINKS = """
CREATE TABLE links (
  digest TEXT PRIMARY KEY, user TEXT NOT NULL, role INTEGER, made REAL NOT NULL, expires REAL NOT NULL) STRICT"""
_FAILURES = """
CREATE TABLE failures (id INTEGER PRIMARY KEY, who TEXT NOT NULL, at REAL NOT NULL) STRICT"""
_AUDIT = """
CREATE TABLE audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, user TEXT NOT NULL, via TEXT NOT NULL, address TEXT NOT NULL,
  what TEXT NOT NULL, sid TEXT NOT NULL, detail TEXT NOT NULL) STRICT"""
# `number` moves with every right; `key` is what the forms of those follow from whom a proxy logs in.
_RIGHTS = """
CREATE TABLE rights (number INTEGER NOT NULL, key TEXT NOT NULL) STRICT"""

_MOVING = (
    ("users", "INSERT"),
    ("users", "DELETE"),
    ("users", "UPDATE OF name, role, password"),
    ("tokens", "INSERT"),
    ("tokens", "DELETE"),
    ("tokens", "UPDATE OF user, role, expires"),
    ("logins", "INSERT"),
    ("logins", "DELETE"),
    ("logins", "UPDATE OF user, expires"),
)
TABLES = (
    _USERS,
    _TOKENS,
    _LOGINS,
    _LINKS,
    _FAILURES,
    "CREATE INDEX failures_of ON failures (who, at)",
    _AUDIT,
    "CREATE INDEX audit_of ON audit (user, id)",
    _RIGHTS,
    "INSERT INTO rights VALUES (1, lower(hex(randomblob(32))))",
    *(
        f"CREATE TRIGGER moves_{number} AFTER {event} ON {table} BEGIN UPDATE rights SET number = number + 1; END"
        for number, (table, event) in enumerate(_MOVING)
    ),
)
