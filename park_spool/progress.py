"""How far a session is, how fast it goes and how long it still takes; and the words for times, rates and errors.

Pure.  The command line, the demo and the page all say it with these words.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .archive.rows import SessionRow

_NO_ERROR = 1e-12  # a relative error below this is rounding, and has no digits to show
_LEAST = 1e-300  # so that neither a number nor its power of ten is beyond a double
_BARS = "▁▂▃▄▅▆▇█"
UNDECIDED = frozenset({"queued", "running", "paused"})  # states that change by themselves or by control


@dataclass(frozen=True, slots=True)
class Progress:
    """`rate` is in jobs a second, `left` in seconds; both are None while nobody can tell."""

    jobs: int
    done: int
    is_open: bool
    rate: float | None
    left: float | None

    @property
    def words(self) -> str:
        """Say it in one line.

        >>> Progress(48, 12, True, 2.5, 14.4).words
        '12 of 48 jobs, 2.5 jobs/s, about 14 s left'
        """
        words = [f"{self.done:,} of {self.jobs:,} jobs"]
        words += [rate_words(self.rate)] if self.rate else []
        words += [f"about {roughly(self.left)} left"] if self.left else []
        return ", ".join(words)


def progress(row: SessionRow) -> Progress:
    """Work out the progress of a session from its counts and from its first start and last finish.

    The rate is over the whole time from the first start to the last finish, by the nodes' clocks.
    """
    done = row.ok + row.failed
    is_open = row.state in UNDECIDED
    rate = _rate(done, row.first_started, row.last_finished)
    left = (row.jobs - done) / rate if rate and is_open and done < row.jobs else None
    return Progress(row.jobs, done, is_open, rate, left)


def _rate(done: int, first: float | None, last: float | None) -> float | None:
    """Return jobs a second, or None where the time is not known or nil.

    >>> _rate(10, 0.0, 4.0), _rate(1, 5.0, 5.0), _rate(0, None, None)
    (2.5, None, None)
    """
    if first is None or last is None or last <= first:
        return None
    return done / (last - first)


def sparkline(values: Sequence[float], width: int = 24) -> str:
    """Draw positive numbers as a line of little bars, high to low on a logarithmic scale, at most `width` of them.

    >>> sparkline([5000.0, 1200.0, 980.0, 966.2]), sparkline([3.0]), sparkline([])
    ('█▂▁▁', '▁', '')
    """
    drawn = [value for value in values if value > 0]
    if len(drawn) > width:
        drawn = [drawn[round(place * (len(drawn) - 1) / (width - 1))] for place in range(width)]
    heights = [math.log(value) for value in drawn]
    low, span = min(heights, default=0.0), max(heights, default=0.0) - min(heights, default=0.0)
    return "".join(_BARS[round((height - low) / span * (len(_BARS) - 1)) if span else 0] for height in heights)


def duration(seconds: float) -> str:
    """Say a time span in the two units that matter.

    >>> [duration(span) for span in (0.0004, 0.41, 14.4, 200, 7500, 90000, 259200)]
    ['0.4 ms', '0.41 s', '14 s', '3 min 20 s', '2 h 5 min', '1 d 1 h', '3 d']
    """
    if seconds < 0.1:
        return f"{max(seconds, 0.0) * 1000:.1f} ms"
    if seconds < 10:
        return f"{seconds:.2f} s"
    left = round(seconds)
    parts: list[str] = []
    for name, length in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, length)
        if count or parts:
            parts.append(f"{count} {name}" if count else "")
    return " ".join(part for part in parts[:2] if part)


def roughly(seconds: float) -> str:
    """Say a time that is only an estimate, in whole seconds at least.

    >>> roughly(0.2), roughly(7.6), roughly(200)
    ('1 s', '8 s', '3 min 20 s')
    """
    return f"{max(1, round(seconds))} s" if seconds < 10 else duration(seconds)


def rate_words(rate: float) -> str:
    """Say a rate in jobs per second, minute or hour, so that it is a number that one can picture.

    >>> [rate_words(rate) for rate in (61234.5, 12.34, 0.5, 0.05, 0.0005)]
    ['61,234 jobs/s', '12.3 jobs/s', '30.0 jobs/min', '3.0 jobs/min', '1.8 jobs/h']
    """
    if rate >= 1000:
        return f"{rate:,.0f} jobs/s"
    for unit, length in (("s", 1), ("min", 60)):
        if rate * length >= 1:
            return f"{rate * length:.1f} jobs/{unit}"
    return f"{rate * 3600:.1f} jobs/h"


def utc(time: float) -> str:
    """Write a Unix time as UTC, ISO 8601, in whole seconds.

    >>> utc(1795402531.12)
    '2026-11-23T02:55:31Z'
    """
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class ParameterRow:
    """A fitted parameter as shown: texts, and numbers for a gauge (value, minimum, maximum) if it has a box."""

    name: str
    value: str
    unit: str
    minimum: str
    maximum: str
    start: str
    gauge: tuple[float, float, float] | None


def parameter_rows(parameters: Iterable[Mapping[str, Any]]) -> list[ParameterRow]:
    """Make what a fit says of its parameters fit to be shown; what is odd is left open, never an error.

    >>> row = parameter_rows([{"name": "film", "value": 258.863, "error": 0.1042, "min": 50, "max": None}])[0]
    >>> row.value, row.minimum, row.maximum, row.gauge
    ('258.86 ± 0.10', '50', '', None)
    """
    rows = []
    for entry in parameters:
        value, error, low, high, start = (_finite(entry.get(key)) for key in ("value", "error", "min", "max", "start"))
        shown = "–" if value is None else measured(value, error)
        name, unit = str(entry.get("name", "")), str(entry.get("unit") or "")
        gauge = None
        if value is not None and low is not None and high is not None and low < high:
            gauge = (value, low, high)
        rows.append(ParameterRow(name, shown, unit, _plain(low), _plain(high), _plain(start), gauge))
    return rows


def _plain(number: float | None) -> str:
    return "" if number is None else f"{number:.6g}"


def _finite(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e300:
        return None
    return float(value)


def measured(value: float, error: float | None) -> str:
    """Write a value with its error, both to the second digit of the error.

    >>> measured(258.863, 0.1042), measured(4.0457e-07, 2.1e-8), measured(39.1, None), measured(1234.5, 250.0)
    ('258.86 ± 0.10', '(4.05 ± 0.21)e-07', '39.1', '1230 ± 250')
    """
    if error is None or not error > max(abs(value) * _NO_ERROR, _LEAST):
        return f"{value:.6g}"
    exponent = math.floor(math.log10(max(abs(value), error)))
    if not -4 < exponent < 6:
        scale = 10.0**exponent
        return f"({measured(value / scale, error / scale)})e{exponent:+03d}"
    digits = 1 - math.floor(math.log10(error))
    return f"{round(value, digits):.{max(digits, 0)}f} ± {round(error, digits):.{max(digits, 0)}f}"
