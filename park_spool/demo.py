"""The demo's pure parts: its session, its known answer, its verdict and its words. cli/demo.py runs it.

The curve is of a polymer film on oxidised silicon in D2O, measured on PLATYPUS (ANSTO), as it comes with refnx. The
known answer was found by refnx from many starts and agrees with refl1d, an independent program (chisq 968.56).
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from park_spool.archive.rows import BestRow, SessionRow
from park_spool.progress import ParameterRow, parameter_rows, progress

CHISQ = 966.19
WORST = 967.0
KNOWN = MappingProxyType(
    {
        "scale": "0.870",
        "background": "4.0e-07",
        "oxide thickness": "39.1",
        "oxide roughness": "5.57",
        "film thickness": "258.86",
        "film SLD": "2.426",
        "film roughness": "8.17",
        "solvent SLD": "6.372",
        "solvent roughness": "3.69",
    }
)
FIRST_SEED = 26
_STARTS = "start='26' stop='73' count='48'"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the archive says of the demo's session, once all its jobs have their result."""

    session: SessionRow
    best: BestRow | None
    chisqs: tuple[float, ...]


def with_starts(xml: str, starts: int) -> str:
    """Return the demo's session with another number of random starts; its seeds are 26, 27, 28 …

    >>> with_starts("<axis name='seed' start='26' stop='73' count='48'/>", 5)
    "<axis name='seed' start='26' stop='30' count='5'/>"
    """
    if _STARTS not in xml:
        raise ValueError(f"the demo's session holds no axis with {_STARTS}")
    last = FIRST_SEED + starts - 1
    return xml.replace(_STARTS, f"start='{FIRST_SEED}' stop='{last}' count='{starts}'")


def progress_line(row: SessionRow) -> str:
    """Say how far the session is: jobs done, rate, time left, best chisq."""
    best = "" if row.best_chisq is None else f"; best chisq {row.best_chisq:.2f} (job {row.best_job})"
    return progress(row).words + best


def complaints(outcome: Outcome) -> list[str]:
    """Say in sentences what is wrong with the outcome; an empty list means that the demo did what it should."""
    row, best = outcome.session, outcome.best
    found = []
    if row.ok != row.jobs:
        found.append(f"expected {row.jobs} jobs ok, got {row.ok}; {row.failed} failed for good")
    if best is None:
        found.append(f"expected a best chisq of {CHISQ}, got none")
    elif not best.chisq <= WORST:
        found.append(f"expected a best chisq of {CHISQ}, at most {WORST:g}, got {best.chisq:.6g} (job {best.job})")
    return found


def count_best(chisqs: Iterable[float]) -> int:
    """Count the starts that reached the best fit.

    >>> count_best([966.193, 972.1, 966.1934])
    2
    """
    return sum(chisq <= WORST for chisq in chisqs)


def result_rows(best: BestRow) -> list[tuple[str, str, str]]:
    """Set the best fit beside the known answer: rows of name, value with error and unit, known value.

    `chisq` is the plain sum of squared residuals over errors; chisq/dof stands in a row of its own.
    """
    head = [("", "fitted here", "known"), ("chisq", f"{best.chisq:.3f}", f"{CHISQ:g}")]
    if best.reduced_chisq is not None:
        head.append((f"chisq/dof (dof {best.dof})", f"{best.reduced_chisq:.3f}", "2.422"))
    return [*head, *(_row(one) for one in parameter_rows(best.parameters))]


def _row(one: ParameterRow) -> tuple[str, str, str]:
    return one.name, f"{one.value} {one.unit}".rstrip(), KNOWN.get(one.name, "–")


def query(archive: Path) -> str:
    """Return a command to paste: the five best starts, straight from the archive.

    >>> query(Path("/tmp/my demo/park.sqlite")).partition(" 'select")[0]
    "sqlite3 -header -column '/tmp/my demo/park.sqlite'"
    """
    columns = "job_number as job, chisq, chisq / dof as reduced_chisq, seed, round(seconds, 2) as seconds"
    text = f"select {columns} from jobs order by chisq limit 5"
    return f"sqlite3 -header -column {shlex.quote(str(archive))} '{text}'"


def where_it_is(archive: Path, pictures: Sequence[Path], page: str, is_kept: bool) -> list[tuple[str, str]]:
    """Say where everything is that the demo leaves behind: pairs of a word and a place."""
    until = "until Ctrl-C" if is_kept else "stops now; `park demo --keep` leaves it up"
    return [
        *(("picture", str(path)) for path in pictures),
        ("page", f"{page} ({until})"),
        ("archive", str(archive)),
        ("ask it", query(archive)),
    ]
