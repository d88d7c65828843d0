"""One fit as it is drawn and listed: numbers, parameters with their place in the box, curve and profile.

What a service says may be of any type: what is not what it should be is None here, so that nobody after this need look.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from park_spool.attributes import finite
from park_spool.delivering.answer import Fit
from park_spool.delivering.tables import bound_of

Numbers = tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A fitted parameter; `value` and `error` in `unit`. `place` is where in its box it stands, 0 at min to 1 at max.

    `at_bound` is `min`, `max` or empty: nearer to it than a thousandth of the box, or of its error where the box is
    open at an end (delivering/tables.py).
    """

    name: str
    value: float | None
    error: float | None
    unit: str
    min: float | None
    max: float | None
    start: float | None
    place: float | None
    at_bound: str


@dataclass(frozen=True, slots=True)
class Curve:
    """What was fitted: data x, y with errors dy and resolution dx, and the model at x; missing points are None.

    `xscale` and `yscale` are `linear` or `log`; `kind` is what the service calls it (`reflectivity`, …), `dxkind` what
    dx means, `data` of what it is.
    """

    x: Numbers
    y: Numbers | None = None
    dy: Numbers | None = None
    dx: Numbers | None = None
    model: Numbers | None = None
    xlabel: str = ""
    xunit: str = ""
    ylabel: str = ""
    yunit: str = ""
    xscale: Literal["linear", "log"] = "linear"
    yscale: Literal["linear", "log"] = "linear"
    data: str = ""
    kind: str = ""
    dxkind: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """A scattering length density `sld` (1e-6/Å²) over depth `z` (Å), of one length."""

    z: Numbers
    sld: Numbers


@dataclass(frozen=True, slots=True)
class FitShown:
    """A fit. `label` says of what it is, `group_name` is its group's; `seconds` is how long it took.

    Where curve and profile are left out, `has_curve` and `has_profile` say whether there are any.
    """

    sid: str
    group: int
    group_name: str
    job: str
    label: str
    chisq: float
    reduced_chisq: float | None
    npoints: int | None
    dof: int | None
    nllf: float | None
    seed: int | None
    node: str
    seconds: float
    parameters: tuple[Parameter, ...]
    curve: Curve | None
    profile: Profile | None
    data: tuple[str, ...] = ()  # where the data sets are that it read
    has_curve: bool = False
    has_profile: bool = False

    def in_short(self) -> FitShown:
        """Return it without curve and profile."""
        return replace(self, curve=None, profile=None)


def of_fit(sid: str, group_name: str, fit: Fit) -> FitShown:
    """Show a fit as it was gathered."""
    curve, profile = curve_of(fit.curve), profile_of(fit.profile)
    kept = ("job", "label", "chisq", "reduced_chisq", "npoints", "dof", "nllf", "seed", "node", "seconds")
    return FitShown(
        sid=sid,
        group=int(fit.job.partition(".")[0]),
        group_name=group_name,
        **{name: getattr(fit, name) for name in kept},
        parameters=parameters_of(fit.parameters),
        curve=curve,
        profile=profile,
        data=tuple(fit.data),
        has_curve=curve is not None,
        has_profile=profile is not None,
    )


def parameters_of(entries: Iterable[Mapping[str, Any]]) -> tuple[Parameter, ...]:
    """Show the parameters that an output lists.

    >>> one = parameters_of([{"name": "film", "value": 6.4, "error": "?", "min": 6, "max": 6.4, "unit": "Å"}])[0]
    >>> one.error, one.place, one.at_bound
    (None, 1.0, 'max')
    """
    return tuple(map(_parameter, entries))


def _parameter(entry: Mapping[str, Any]) -> Parameter:
    value, error, low, high, start = (finite(entry.get(key)) for key in ("value", "error", "min", "max", "start"))
    unit = text_of(entry.get("unit"))
    place = place_in(value, low, high)
    return Parameter(text_of(entry.get("name")), value, error, unit, low, high, start, place, bound_of(entry))


def place_in(value: float | None, low: float | None, high: float | None) -> float | None:
    """Return where in its box a value stands.

    >>> place_in(1.0, 0.0, 4.0), place_in(9.0, 0.0, 4.0), place_in(1.0, None, 4.0), place_in(0.0, -1e308, 1e308)
    (0.25, 1.0, None, 0.5)
    """
    if value is None or low is None or high is None or not low < high:
        return None
    half = high / 2 - low / 2  # the whole may be beyond a double
    return min(max((value / 2 - low / 2) / half, 0.0), 1.0)


def curve_of(found: object) -> Curve | None:
    """Show the curve of an output; None if it has no x.

    >>> curve_of({"x": [1, 2], "y": [1.5, "?"], "dy": 7, "yscale": "log"})
    Curve(x=(1.0, 2.0), y=(1.5, None), dy=None, dx=None, model=None, xlabel='', xunit='', ylabel='', yunit='', \
xscale='linear', yscale='log', data='', kind='', dxkind='')
    """
    if not isinstance(found, Mapping) or (x := numbers_of(found.get("x"))) is None:
        return None
    words = ("xlabel", "xunit", "ylabel", "yunit", "data", "kind", "dxkind")
    named: dict[str, Any] = {key: numbers_of(found.get(key)) for key in ("y", "dy", "dx", "model")}
    named |= {key: "log" if found.get(key) == "log" else "linear" for key in ("xscale", "yscale")}
    named |= {key: text_of(found.get(key)) for key in words}
    return Curve(x, **named)


def profile_of(found: object) -> Profile | None:
    """Show a profile; None where it is none."""
    if not isinstance(found, Mapping):
        return None
    z, sld = numbers_of(found.get("z")), numbers_of(found.get("sld"))
    return None if z is None or sld is None else Profile(z, sld)


def numbers_of(found: object) -> Numbers | None:
    """Read a list of numbers; what is no finite number in it is None, and so is what is no list.

    >>> numbers_of([1, True, float("nan"), 2.5]), numbers_of("12"), numbers_of([])
    ((1.0, None, None, 2.5), None, None)
    """
    return tuple(map(finite, found)) if isinstance(found, list | tuple) and found else None


def text_of(found: object) -> str:
    """Read a text, or a number as one; anything else is none."""
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        return ""
    return str(found)
