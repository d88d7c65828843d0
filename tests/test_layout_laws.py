"""The laws of the house, held against the source: who imports whom, who touches the spool, how large things are."""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APPLICATIONS = ("web", "datacenter", "services")
CORE = sorted((ROOT / "park_spool").rglob("*.py"))
APPLIED = sorted(path for name in APPLICATIONS for path in (ROOT / name).rglob("*.py"))
ALL = CORE + APPLIED
DAEMONS = (
    "park_spool/spoold.py",
    "park_spool/noded.py",
    "park_spool/reduced.py",
    "web/server.py",
    "datacenter/server.py",
)

RENAMING = {"rename", "renames", "replace", "link", "symlink", "move"}
REMOVING = {"unlink", "remove", "rmdir", "removedirs", "rmtree"}
DANGEROUS = RENAMING | REMOVING | {"fsync", "fdatasync", "mkdir", "makedirs"}
METHODS = {"rename", "unlink", "rmdir", "mkdir", "hardlink_to", "symlink_to", "touch", "write_text", "write_bytes"}
# Who else may call what changes names on a disk, and why: none of these touches what another process may look at.
ELSEWHERE = {
    "park_spool/hosts/asked.py": "runs on another host, below a folder that was made there for it",
    "park_spool/config.py": "makes a spool's folders, before it is one",
    "park_spool/running/job_folders.py": "a job's scratch folder, on the node's local disk",
    "park_spool/running/scratch.py": "what killed nodes left in the system's temporary folder",
    "park_spool/running/worker.py": "a worker's scratch folder, on the node's local disk",
    "park_spool/running/single.py": "the folder of locks, in the system's temporary folder",
    "park_spool/running/here.py": "the temporary folder of a job that is run again on a terminal",
    "park_spool/running/one_call.py": "its reply, in that folder",
    "park_spool/sessions/submission.py": "unpacks below a temporary name",
    "park_spool/transfer.py": "a user's own folder, and a temporary name",
    "park_spool/submit.py": "fills a temporary name",
    "park_spool/delivering/folder.py": "fills a temporary name",
    "park_spool/reduced.py": "the folder of the archive",
    "park_spool/accounts/database.py": "the folder of the page's users, beside it",
    "park_spool/installing/making.py": "an environment, which nobody runs from before it is whole",
    "park_spool/installing/environment.py": "environments that nobody is told of any more",
    "park_spool/installing/wheelhouse.py": "a folder of the user's with wheels",
    "park_spool/cli/demo.py": "the demo's own temporary folder",
    "park_spool/cli/installing_service.py": "the service manager's folder of units",
    "park_spool/cli/fetching.py": "a user's own folder",
    "park_spool/downloading.py": "a user's own folder",
    "park_spool/cli/plotting.py": "a user's own folder",
    "park_spool/cli/results.py": "a user's own folder",
}

# The only places that may catch everything and go on, and why.
CATCH_ALLS = {
    "park_spool/daemon.py": 1,  # the loop under every daemon
    "park_spool/running/worker.py": 2,  # what a service's module and its function raise
    "park_spool/running/forked.py": 1,  # what a script raises
    "park_spool/running/calls.py": 1,  # what an executor's initializer raises
    "park_spool/reducing/reducers.py": 1,  # what a reducer raises
    "park_spool/pickling.py": 3,  # what is pickled, or made again from it
    "park_spool/sources/remote_fs.py": 1,  # what a library below fsspec raises
    "park_spool/tending/listings.py": 1,  # a thread that nobody sees die
    "park_spool/client/background.py": 2,  # a thread that nobody sees die
    "datacenter/once.py": 1,  # what a download raises, for all who wait for it
}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (level, module) of all imports, the names that are imported from a module included."""
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.level, f"{node.module or ''}.{alias.name}".lstrip(".")) for alias in node.names)


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def each(paths: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", paths, ids=name)


@each(CORE)
def test_the_core_imports_no_application(path: Path) -> None:
    for level, module in imports(path):
        package = path.relative_to(ROOT).parts[: -level or None] if level else ()
        reached = ".".join((*package, module)).removeprefix("park_spool.")
        assert reached.partition(".")[0] not in APPLICATIONS, module


@each(APPLIED)
def test_applications_import_the_core_absolutely_themselves_relatively_and_no_other(path: Path) -> None:
    own = path.relative_to(ROOT).parts[0]
    for level, module in imports(path):
        if level:
            assert level <= len(path.relative_to(ROOT).parts) - 1, f"{module} leaves {own}/"
            continue
        first, _, rest = module.partition(".")
        application = rest.partition(".")[0] if first == "park_spool" else first
        if own == "services" and first == "park_spool":
            assert application == "reduce", f"services run in children and import only park_spool.reduce: {module}"
        assert application not in APPLICATIONS, module


@each(CORE)
def test_only_atomic_changes_names_on_the_spool(path: Path) -> None:
    if name(path) == "park_spool/atomic.py" or name(path) in ELSEWHERE:
        return
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            assert not is_dangerous(node, node.func), (
                f"{name(path)}:{node.lineno}: .{node.func.attr}() belongs in atomic.py"
            )


def is_dangerous(call: ast.Call, function: ast.Attribute) -> bool:
    owner = ast.unparse(function.value)
    if owner in ("os", "shutil"):
        return function.attr in DANGEROUS
    if owner.endswith("disk"):
        return False  # atomic.py's own Disk
    is_path_replace = function.attr == "replace" and len(call.args) == 1 and not call.keywords
    return function.attr in METHODS or is_path_replace


@each(ALL)
def test_only_the_archive_and_the_accounts_speak_sql(path: Path) -> None:
    if {"archive", "accounts"} & set(path.relative_to(ROOT).parts):
        return
    for _, module in imports(path):
        assert module.partition(".")[0] not in ("sqlite3", "sqlite_utils"), f"{name(path)} imports {module}"
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            words = node.value.split()[:2]
            assert words[:1] not in (["SELECT"], ["INSERT"], ["UPDATE"], ["DELETE"], ["PRAGMA"]), node.lineno
            assert words != ["CREATE", "TABLE"], node.lineno


@each(ALL)
def test_everything_is_caught_only_where_it_must_be(path: Path) -> None:
    handlers = [node for node in ast.walk(parse(path)) if isinstance(node, ast.ExceptHandler)]
    assert not [handler.lineno for handler in handlers if handler.type is None], "a bare except"
    broad = [handler.lineno for handler in handlers if swallows_everything(handler)]
    assert len(broad) <= CATCH_ALLS.get(name(path), 0), f"{name(path)} catches everything in lines {broad}"


def swallows_everything(handler: ast.ExceptHandler) -> bool:
    is_broad = isinstance(handler.type, ast.Name) and handler.type.id in ("Exception", "BaseException")
    last = handler.body[-1]
    return is_broad and not (isinstance(last, ast.Raise) and last.exc is None)


@each(ALL)
def test_files_open_with_a_docstring_and_stay_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    limit = 150 if name(path) in DAEMONS else 300
    assert len(text.splitlines()) <= limit, f"{name(path)} has more than {limit} lines"
    docstring = ast.get_docstring(ast.parse(text))
    assert docstring and len(docstring.splitlines()) <= 15
    assert path.stem not in ("utils", "helpers", "common", "base", "misc", "manager")


@each(ALL)
def test_no_function_is_longer_than_a_page(path: Path) -> None:
    assert {node.name: length(node) for node in functions(path) if length(node) > 60} == {}


def test_most_functions_are_short() -> None:
    lengths = sorted(length(node) for path in ALL for node in functions(path))
    assert statistics.median(lengths) <= 8
    assert lengths[int(0.9 * len(lengths))] < 25


def test_the_exceptions_are_still_needed() -> None:
    """A law with an exception that nobody uses is a law with a hole."""
    for path in (*ELSEWHERE, *CATCH_ALLS):
        assert (ROOT / path).is_file(), path
