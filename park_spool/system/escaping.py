"""Texts in systemd's unit files, so that any path means itself (systemd.syntax(7), systemd.unit(5), "Specifiers")."""

from __future__ import annotations

from park_spool.errors import ConfigError


def word(text: str) -> str:
    """Return a text as one word of a setting that takes several. Raises ConfigError if it holds what no unit can.

    >>> word("/shared/spool"), word("/my data/100%")
    ('/shared/spool', '"/my data/100%%"')
    """
    _check(text)
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    is_plain = bool(text) and all(letter.isalnum() or letter in "/._-+,:=@%" for letter in text)
    return escaped if is_plain else f'"{escaped}"'


def line(text: str) -> str:
    """Return a text for a setting that is one text up to the end of the line, such as a description."""
    _check(text)
    return text.replace("%", "%%").rstrip("\\ ")


def command(argv: list[str]) -> str:
    """Return a command for ExecStart=. The colon: a `$` in it means itself.

    >>> command(["/usr/bin/python3", "-m", "x", "--name", "$1 'a'"])
    ':/usr/bin/python3 -m x --name "$1 \\'a\\'"'
    """
    first, *rest = (word(text) for text in argv)
    marked = f'":{first[1:]}' if first.startswith('"') else f":{first}"
    return " ".join([marked, *rest])


def _check(text: str) -> None:
    if not text.isprintable():
        raise ConfigError(
            f"{text!r}: expected letters, digits, signs and spaces, since a unit file has one line for it"
        )
