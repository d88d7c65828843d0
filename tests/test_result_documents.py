"""docs/python.md and docs/results.md: their examples run on a real spool, word for word, and print what they say."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from daemons import Site, until

from park_spool import Session, Spool
from park_spool.control_requests import user_name
from park_spool.handles.found import Fit
from park_spool.handles.handle import SessionHandle

DOCS = Path(__file__).resolve().parent.parent / "docs"
PYTHON = (DOCS / "python.md").read_text(encoding="utf-8")
RESULTS = (DOCS / "results.md").read_text(encoding="utf-8")
ID = "20261123-025532-k3j9"
FILM = "analysis/tests/c_PLP0011859_q.txt"


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def expected(block: str) -> list[str]:
    """What a block says that it prints, behind a print."""
    return re.findall(r"print\(.*\)  # (\S.*)$", block, re.MULTILINE)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A spool with its daemons, and beside it the data that the examples name."""
    refnx = find_spec("refnx")
    if refnx is None or refnx.origin is None:
        pytest.skip("refnx is not installed here: the examples fit a reflectivity")
    root = tmp_path_factory.mktemp("documents")
    for name in ("film.ort", "again.ort"):
        shutil.copyfile(Path(refnx.origin).parent / FILM, root / name)
    with Site(root, snapshot_seconds=5.0) as site:
        yield site
        site.assert_running()
        site.assert_legal()


def run(site: Site, *command: str) -> str:
    environment = {**os.environ, "PARK_SPOOL": str(site.spool)}
    done = subprocess.run(
        command, cwd=site.spool.parent, capture_output=True, text=True, timeout=240, env=environment, check=False
    )
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


def test_the_program_of_the_python_document_runs(site: Site, needs: Callable[[str], str]) -> None:
    needs("refnx")
    program = "\n".join(blocks(PYTHON, "python"))
    said = [line for block in blocks(PYTHON, "python") for line in expected(block)]
    printed = run(site, sys.executable, "-W", "error", "-c", program)
    assert len(said) >= 6
    for line in said:
        wanted = re.escape(line.partition(":")[0]) if line.startswith(("running", "None")) else re.escape(line)
        assert re.search(rf"^{wanted}", printed, re.MULTILINE), (line, printed)
    assert "done: 8 of 8 jobs, best chisq 966.19" in printed


def test_the_examples_of_the_results_document_run(site: Site, needs: Callable[[str], str], tmp_path: Path) -> None:
    needs("refnx")
    inputs = [{"seed": 45}, {"seed": 9}]
    handle = Spool(site.spool).submit(
        Session.of("reflectivity/fit", inputs=inputs, data=[site.spool.parent / "film.ort"])
    )
    assert handle.wait(timeout=120) == "done"
    until(lambda: handle.outbox is not None, 240, "the delivery")
    printed = run(site, sys.executable, "-c", "\n".join(blocks(RESULTS, "python")).replace(ID, handle.sid))
    assert "966.19" in printed and "film thickness 258.8" in printed and "points from Q" in printed
    environment = f"PATH={Path(sys.executable).parent}:$PATH; export PATH; set -e\n"
    script = environment + "\n".join(blocks(RESULTS, "sh")).replace(ID, handle.sid)
    lines = run(site, "sh", "-c", script).splitlines()
    assert any(line.endswith("-fit-1.png") for line in lines) and (site.spool.parent / "film.park").is_file()
    assert user_name() in "\n".join(lines)
    resubmitted = [line for line in lines if re.fullmatch(r"\d{8}-\d{6}-\w{4}", line)]
    assert len(resubmitted) == 2
    for sid in resubmitted:
        assert Spool(site.spool).session(sid).wait(timeout=120) == "done"


def test_every_file_of_an_answer_has_its_row(site: Site) -> None:
    described = re.findall(r"^\| `([^`]+)` \|", RESULTS, re.MULTILINE)
    patterns = [re.sub(r"-G|-J|NAME|0001", "*", name) for name in described]
    found = [path for path in (site.spool / "outbox").rglob("*") if path.is_file()]
    assert found
    for path in found:
        name = (
            "/".join(path.relative_to(site.spool / "outbox").parts[1:]).replace(".pdf", ".png").replace(".ort", ".csv")
        )
        assert any(re.fullmatch(pattern.replace("*", ".*"), name) for pattern in patterns), name


def test_every_attribute_of_a_handle_and_a_fit_is_described() -> None:
    names = {name for name in vars(SessionHandle) if not name.startswith("_")} - {"delete", "pause", "cancel"}
    assert [name for name in names if f".{name}" not in PYTHON and f"`{name}(" not in PYTHON] == []
    assert [name for name in Fit.__slots__ if f"`{name}`" not in PYTHON] == []
