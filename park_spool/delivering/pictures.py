"""The pictures of an answer, each as PNG and PDF: best fit, chi-square, batch, maps, profile."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from typing import Any

from park_spool import plots
from park_spool.delivering.answer import Answer, Fit, GroupAnswer
from park_spool.plots import Kind
from park_spool.plots.trend import Series, series_of

MOST_THUMBNAILS = 1000
KINDS: tuple[Kind, ...] = ("png", "pdf")
WHAT = ("fit", "chisq", "profile", "batch", "trend", "map")

Picture = tuple[str, bytes]  # the file's name, and what is in it


def pictures(answer: Answer, kinds: Sequence[Kind] = KINDS, what: Collection[str] = WHAT) -> Iterator[Picture]:
    """Yield the pictures of all groups that are wanted; a curve that cannot be drawn has none."""
    for group in answer.groups:
        title = f"{answer.name}: {group.name}" if answer.name else group.name
        if "chisq" in what:
            yield from _each(kinds, f"chisq-{group.number}", partial(_history, group, title))
        if group.best is not None:
            yield from of_fit(group.best, title, str(group.number), kinds, what)
        if group.batch and "batch" in what:
            yield from _thumbnails(group, title, kinds)
        if group.batch and "trend" in what:
            yield from _each(kinds, f"trend-{group.number}", partial(_trend, group, title))
        for joblist, found in group.maps.items() if "map" in what else ():
            yield from _each(kinds, f"map-{group.number}-{joblist}", partial(plots.plot_map, found, title))


def _each(kinds: Sequence[Kind], name: str, draw: Callable[[Kind], bytes | None]) -> Iterator[Picture]:
    """Yield a picture in each form; nothing where it cannot be drawn: a service may say anything."""
    for kind in kinds:
        try:
            data = draw(kind)
        except (KeyError, TypeError, ValueError, IndexError):
            return
        if data is not None:
            yield f"{name}.{kind}", data


def _history(group: GroupAnswer, title: str, kind: Kind) -> bytes | None:
    return plots.plot_history(group.steps, f"{title}: chi-square", group.dots, kind) if group.dots else None


def of_fit(fit: Fit, title: str, number: str, kinds: Sequence[Kind], what: Collection[str] = WHAT) -> Iterator[Picture]:
    """Yield the pictures of one fit; `number` is what their names end with."""
    drawn, profile = fit.drawn, fit.profile
    if drawn is not None and "fit" in what:
        yield from _each(kinds, f"fit-{number}", partial(plots.plot_fit, drawn, f"{title}: {fit.label}"))
    if profile is not None and "profile" in what:
        yield from _each(kinds, f"profile-{number}", partial(plots.plot_profile, profile, title))


def _thumbnails(group: GroupAnswer, title: str, kinds: Sequence[Kind]) -> Iterator[Picture]:
    shown = list(group.batch.items())[:MOST_THUMBNAILS]
    thumbnails = [(label, drawable(fit.drawn) if fit else None) for label, fit in shown]
    for kind in kinds:
        pages = plots.plot_thumbnails(thumbnails, title, kind)
        names = [f"-{number}" for number in range(1, len(pages) + 1)] if kind != "pdf" else [""]
        yield from ((f"batch-{group.number}{name}.{kind}", page) for name, page in zip(names, pages, strict=True))


def _trend(group: GroupAnswer, title: str, kind: Kind) -> bytes:
    series = series_of([_numbers(fit) for fit in group.batch.values()])
    return plots.plot_trend([_quality(group), *series], title, kind)


def _quality(group: GroupAnswer) -> Series:
    """Return how good each fit of a batch is."""
    reduced = [_number(fit and fit.reduced_chisq) for fit in group.batch.values()]
    return Series("χ²/dof", "", reduced, [float("nan")] * len(reduced))


def drawable(curve: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return a curve if it can be drawn, else None.

    >>> drawable({"x": [1.0], "y": [2.0]}) is None, drawable({"x": [1.0], "y": [1.0, 2.0]}), drawable({"x": "a"})
    (False, None, None)
    """
    from park_spool.plots.curves import columns

    try:
        if curve is not None:
            columns(curve)
    except (KeyError, TypeError, ValueError, IndexError):
        return None
    return curve


def _numbers(fit: Fit | None) -> dict[str, tuple[float, float, str]]:
    """Return value, error and unit of each parameter of a fit."""
    found = {}
    for entry in fit.parameters if fit else ():
        value, error = (_number(entry.get(key)) for key in ("value", "error"))
        found[str(entry.get("name", ""))] = (value, error, str(entry.get("unit") or ""))
    return found


def _number(value: object) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else float("nan")  # type: ignore[arg-type]
