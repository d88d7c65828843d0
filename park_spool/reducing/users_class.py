"""A user's reducer class: found by its name, imported afresh, made, and told where it is.

PARK's names are kept, and what is park-spool's own (`setGroup`, `setOptions`, `flush`) is asked of no class.
"""

from __future__ import annotations

import importlib.util
import sys
import traceback
from pathlib import Path
from typing import Any

from park_spool.catalog.registry import REDUCERS, Registry
from park_spool.config import shipped_services
from park_spool.errors import ServiceError
from park_spool.sessions.session import Group

_CORE = Path(__file__).resolve().parents[1]


def instance(registry: Registry, group: Group, texts: Any) -> Any:
    """Make the reducer of a group; `texts` is its archive and message queue. Raises whatever the user's code does."""
    classname = group.reduce or ""
    reducer = getattr(_load(registry.reducer(classname)), classname)()
    reducer.setArchive(texts)
    reducer.setMsgQueue(texts)
    for name, value in (("setOptions", group.reduce_options), ("setGroup", group)):
        if hasattr(reducer, name):
            getattr(reducer, name)(value)
    return reducer


def _load(path: Path) -> Any:
    """Import a reducer's file afresh, its folder on the path as PARK had it (`from reduce import Reduce`).

    What it imports from there is forgotten again: two folders may have files of one name, and all of them may be
    corrected by the next time.
    """
    spec = importlib.util.spec_from_file_location(f"park_reducer_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ServiceError(f"{path} cannot be imported: expected a Python file")
    module = importlib.util.module_from_spec(spec)
    folders = [str(path.parent), str(shipped_services() / REDUCERS)]
    sys.modules[spec.name] = module  # a dataclass looks its own module up there
    before = set(sys.modules)
    sys.path[:0] = folders
    importlib.invalidate_caches()
    try:
        spec.loader.exec_module(module)
    finally:
        for folder in folders:
            sys.path.remove(folder)
        for name in set(sys.modules) - before:
            if str(Path(getattr(sys.modules[name], "__file__", None) or "").parent) in folders:
                del sys.modules[name]
    return module


def describe(error: Exception) -> str:
    """Say an exception of a user's code with its last file and line of the user's own."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not _is_ours(Path(frame.filename))] or list(frames)
    place = f" ({own[-1].filename}, line {own[-1].lineno})" if own else ""
    return f"{type(error).__name__}: {error}{place}"


def _is_ours(file: Path) -> bool:
    """Say whether a file is of the core; a reducer that comes along is as a user's own."""
    return file.is_relative_to(_CORE) and not file.is_relative_to(shipped_services())
