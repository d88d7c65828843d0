"""What stands in one folder of the outbox, written file by file.

    summary.json  session.xml  report.html  results.csv  best.json  parameters.csv  batch-G.csv
    plots/   fit-G, chisq-G, profile-G, trend-G, batch-G, map-G-J, as .png and .pdf
    curves/  fit-G.csv and .ort; of a batch G-NUMBER-LABEL.csv and .ort

Assumes that the folder is the writer's own, under a temporary name.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

from park_spool.delivering import orso, pictures, tables
from park_spool.delivering.answer import Answer, Fit, GroupAnswer, JobLine
from park_spool.delivering.report import report

SUMMARY, BEST = "summary.json", "best.json"
MOST_RESULTS = 1_000_000  # rows of results.csv; the archive has them all
_ODD = re.compile(r"[^\w.+-]+")


def fill(folder: Path, answer: Answer, jobs: Iterable[JobLine], inputs: Sequence[str]) -> list[Path]:
    """Write all files of an answer into an empty folder; return them. `inputs`: columns of results.csv."""
    (folder / "plots").mkdir()
    (folder / "curves").mkdir()
    drawn = dict(pictures.pictures(answer))
    files = [_written(folder / "plots" / name, data) for name, data in drawn.items()]
    files += _write_curves(folder / "curves", answer)
    files += _write_tables(folder, answer, jobs, inputs)
    files += [_written(folder / "session.xml", answer.xml), _json(folder / BEST, best(answer))]
    names = sorted({path.relative_to(folder).parts[0] for path in files} | {SUMMARY})
    files.append(_written(folder / "report.html", report(answer, drawn, names).encode()))
    shown = sorted(path.relative_to(folder).as_posix() for path in files)
    return [*files, _json(folder / SUMMARY, summary(answer, shown))]


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def _json(path: Path, value: object) -> Path:
    return _written(path, json.dumps(finite(value), ensure_ascii=False, indent=1).encode() + b"\n")


def _table(path: Path, lines: Iterator[str]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(lines)
    return path


def _write_tables(folder: Path, answer: Answer, jobs: Iterable[JobLine], inputs: Sequence[str]) -> Iterator[Path]:
    yield _table(folder / "results.csv", tables.results(islice(jobs, MOST_RESULTS), inputs))
    yield _table(folder / "parameters.csv", tables.parameters(answer))
    for group in answer.groups:
        if group.batch:
            yield _table(folder / f"batch-{group.number}.csv", tables.batch(group.batch))


def _write_curves(folder: Path, answer: Answer) -> Iterator[Path]:
    for group in answer.groups:
        for stem, fit in _named(group):
            if fit.curve is None:
                continue
            yield _table(folder / f"{stem}.csv", tables.curve(fit.curve))
            text = orso.ort(answer, group, fit)
            if text is not None:
                yield _written(folder / f"{stem}.ort", text.encode())


def _named(group: GroupAnswer) -> Iterator[tuple[str, Fit]]:
    """Yield the fits whose curves are written, each with the name of its file."""
    if not group.batch and group.best is not None:
        yield f"fit-{group.number}", group.best
    for number, (label, fit) in enumerate(group.batch.items(), 1):
        if fit is not None:
            yield f"{group.number}-{number:04d}-{file_name(label)}", fit


def file_name(label: str) -> str:
    """Make a label fit for a file's name.

    >>> file_name("run 7/film: 300 K"), file_name("..")
    ('run-7-film-300-K', 'data')
    """
    return _ODD.sub("-", label).strip(".-")[:80] or "data"


def summary(answer: Answer, files: list[str]) -> dict[str, Any]:
    """Say in a few words and numbers what came out; `chisq` is the plain sum of squared residuals over errors."""
    kept = ("sid", "edition", "name", "user", "file", "state", "received", "closed", "started", "finished")
    counts = ("jobs", "ok", "failed", "duplicates")
    return {
        **{name: getattr(answer, name) for name in (*kept, *counts)},
        "groups": [_group_summary(group) for group in answer.groups],
        "provenance": list(answer.provenance),
        "rows_of_results": min(answer.ok + answer.failed, MOST_RESULTS),
        "files": files,
    }


def _group_summary(group: GroupAnswer) -> dict[str, Any]:
    names = ("number", "name", "task", "reducer", "stopped", "jobs", "ok", "failed", "data")
    best = group.best
    shown = ("job", "chisq", "reduced_chisq", "npoints", "dof", "nllf", "seed")
    return {
        **{name: getattr(group, name) for name in names},
        "best": best and {key: getattr(best, key) for key in shown},
        "data_sets": len(group.batch),
        "maps": {number: {key: found[key] for key in ("minima", "regions")} for number, found in group.maps.items()},
    }


def best(answer: Answer) -> list[dict[str, Any]]:
    """Say the best fit of each group, with its parameters; the curve stands in curves/."""
    return [_fit(group.number, group.name, group.best) for group in answer.groups if group.best is not None]


def _fit(number: int, name: str, fit: Fit) -> dict[str, Any]:
    shown = asdict(fit)
    for key in ("curve", "profile", "metadata"):
        shown.pop(key)
    return {"group": number, "name": name, **shown}


def finite(value: Any) -> Any:
    """Write what is no finite number as null: no other reader of JSON takes it.

    >>> finite({"a": [1.0, float("nan")]})
    {'a': [1.0, None]}
    """
    if isinstance(value, dict):
        return {key: finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
