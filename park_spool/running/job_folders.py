"""Folders that jobs work in, on the node's local disk: made new, emptied, and removed whatever a job left in them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def fresh(folder: Path) -> Path:
    """Make a folder, under this name or, where a job left something that cannot be removed, the next one."""
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        return fresh(folder.with_name(folder.name + "x"))
    return folder


def emptied(folder: Path) -> Path:
    """Make a folder as good as new; mostly it is, and a look is cheaper than a new one."""
    try:
        with os.scandir(folder) as entries:
            is_empty = next(entries, None) is None
    except OSError:
        is_empty = False
    return folder if is_empty else renewed(folder)


def renewed(folder: Path) -> Path:
    """Remove a folder with all that it holds and make a new one."""
    remove(folder)
    return fresh(folder)


def remove(folder: Path) -> None:
    """Remove a folder with all that it holds, folders that were made read-only included, as far as it goes."""
    with suppress(OSError):  # mostly it holds empty folders alone, and this is quick
        for entry in folder.iterdir():
            entry.rmdir()
        folder.rmdir()
        return
    if folder.is_dir() and not folder.is_symlink():
        shutil.rmtree(folder, onerror=_retry)
    else:
        with suppress(OSError):
            folder.unlink()


def _retry(function: Callable[[str], object], name: str, error: object) -> None:
    """Try once more with the rights that are needed; what then is left, is left."""
    path = Path(name)
    with suppress(OSError):
        path.parent.chmod(0o700)
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o700)
            shutil.rmtree(path, ignore_errors=True)
        else:
            function(name)
