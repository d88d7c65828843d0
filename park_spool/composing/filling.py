"""A filled form into a session: every fault beside its field, in words.

    texts of the fields ── Filling ── draft ── Session ── XML

Names of fields: `in.NAME` an input, `opt.REDUCER.NAME` an option, `limit.NAME`, `scan.N.KEY` of the first and second
axis (name, from, to, count, spacing, values); the rest stand in FIELDS. Pure; a field left empty is not in the session.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from park_spool.catalog.registry import Command
from park_spool.composing import field_texts
from park_spool.composing.form import HIGH, LOW, Form
from park_spool.limits import NAMES, read_limit
from park_spool.sessions.drafting import draft, draft_batch
from park_spool.sessions.scan import Axis
from park_spool.sessions.session import Session
from park_spool.sessions.writing import to_xml
from park_spool.wishes import MOST_PRIORITY

FIELDS = ("name", "email", "priority", "starts", "data", "each", "sequential", "reduce", "nodes", "tags", "more")
AXES = (1, 2)
MOST_STARTS = 1_000_000
MOST_DATA = 10_000
NONE = "none"  # no reducer
AUTOMATIC = ""

T = TypeVar("T")


@dataclass(slots=True)
class Filled:
    """What came of a filled form: a session and its XML, or the faults of its fields (and of the whole, as "")."""

    xml: str = ""
    session: Session | None = None
    faults: dict[str, str] = field(default_factory=dict)


def filled(form: Form, command: Command, texts: Mapping[str, str], uploads: tuple[str, ...], user: str) -> Filled:
    """Make the session of a filled form; `uploads` are the names of files that go along, `user` is who sends it."""
    filling = Filling(form, command, texts, uploads)
    session = filling.session()
    if session is None or filling.faults:
        return Filled(faults=filling.faults)
    try:
        xml = to_xml(replace(session, user=user)).decode()
    except ValueError as error:
        return Filled(faults={"": str(error)})
    return Filled(xml, session)


class Filling:
    """One reading of the fields; what is wrong is collected in `faults`, so that all of it is said at once."""

    def __init__(self, form: Form, command: Command, texts: Mapping[str, str], uploads: tuple[str, ...]) -> None:
        self._form, self._uploads = form, uploads
        self._texts = {name: text.strip() for name, text in texts.items()}
        self._specs = {spec.name: spec for spec in command.inputs}
        self.faults: dict[str, str] = {}

    def session(self) -> Session | None:
        """Draft the session; None if that cannot be done, then `faults` says why."""
        inputs, axes, data = self._inputs(), self._axes(), self._data()
        starts = self._read("starts", self._starts)
        is_batch = len(data) > 1 and self._text("each") != "together"
        self._check_required(inputs, axes)
        self._check_together(inputs, axes, is_batch, starts)
        more = self._shared(self._reducer(is_batch, bool(axes)))
        if self.faults:
            return None
        try:
            if is_batch:
                sequential = bool(self._text("sequential"))
                made = draft_batch(
                    self._form.cmd, data, starts=starts or 1, inputs=inputs, sequential=sequential, **more
                )
            else:
                made = draft(self._form.cmd, data=data, starts=starts, inputs=inputs, scan=axes or None, **more)
        except ValueError as error:
            self.faults[""] = str(error)
            return None
        return made

    # reading

    def _text(self, name: str) -> str:
        return self._texts.get(name, "")

    def _read(self, name: str, read: Callable[[str], T]) -> T | None:
        """Read a field that is not empty; what is wrong with it becomes its fault."""
        text = self._text(name)
        if not text:
            return None
        try:
            return read(text)
        except ValueError as error:
            self.faults[name] = field_texts.sentence(str(error))
            return None

    def _inputs(self) -> dict[str, object]:
        """Read the inputs as texts, each held against its type and range."""
        found: dict[str, object] = {}
        for name, spec in self._specs.items():
            if self._read(f"in.{name}", spec.convert) is not None:
                found[name] = self._text(f"in.{name}")
        for row in self._form.parameters:
            self._check_box(row.name)
        return {**found, **self._more(found)}

    def _check_box(self, name: str) -> None:
        low, high = self._end(name + LOW), self._end(name + HIGH)
        given = any(self._text(f"in.{name}{end}") for end in (LOW, HIGH))
        if given and low is not None and high is not None and not low < high:
            where = f"in.{name}{LOW if self._text(f'in.{name}{LOW}') else HIGH}"
            self.faults.setdefault(where, f"The box of {name} must go from less to more, not from {low:g} to {high:g}.")

    def _end(self, name: str) -> float | None:
        text = self._text(f"in.{name}") or self._specs[name].default
        try:
            return None if text is None else float(str(text))
        except ValueError:
            return None

    def _more(self, known: Mapping[str, object]) -> dict[str, str]:
        """Read the inputs that no field is there for, as lines of NAME = VALUE."""
        found = self._read("more", field_texts.assignments) or {}
        twice = [name for name in found if name in known]
        if twice:
            self.faults["more"] = f"{twice[0]} stands in another field already."
        return found

    def _axes(self) -> dict[str, Axis]:
        found: dict[str, Axis] = {}
        for number in AXES:
            name = self._text(f"scan.{number}.name")
            if not name:
                continue
            if name in found:
                self.faults[f"scan.{number}.name"] = f"{name} is varied already; choose another one."
            else:
                axis = self._axis(f"scan.{number}.", name)
                found |= {} if axis is None else {name: axis}
        return found

    def _axis(self, prefix: str, name: str) -> Axis | None:
        spec = self._specs.get(name)
        if spec is None:
            self.faults[f"{prefix}name"] = f"{self._form.cmd} has no input {name[:80]!r}."
            return None
        if self._text(f"{prefix}values"):
            return self._read(f"{prefix}values", lambda text: field_texts.values(spec, text))
        given = {key: self._text(prefix + key) for key in ("from", "to", "count")}
        lacking = [key for key, text in given.items() if not text]
        if lacking:
            self.faults[prefix + lacking[0]] = "A scan needs from, to and how many values, or the values themselves."
            return None
        ends = [self._read(prefix + key, lambda text: field_texts.end_of(spec, text)) for key in ("from", "to")]
        count = self._read(f"{prefix}count", lambda text: field_texts.whole(text, 2, MOST_STARTS))
        start, stop = ends
        if start is None or stop is None or count is None:
            return None
        axis = Axis.ranging(name, start, stop, count, self._text(f"{prefix}spacing") or "linear")
        fault = field_texts.axis_fault(axis, spec)
        if fault:
            self.faults[f"{prefix}{fault[0]}"] = fault[1]
        return axis

    def _data(self) -> list[str]:
        """List the data sets: lines that were written or picked, then the files that go along."""
        lines = [line.strip() for line in self._text("data").splitlines()]
        found = list(dict.fromkeys([*filter(None, lines), *self._uploads]))
        if len(found) > MOST_DATA:
            self.faults["data"] = (
                f"At most {MOST_DATA:,} data sets can be named here; a pattern names as many in one line."
            )
        return found

    def _starts(self, text: str) -> int:
        if not self._form.has_seed:
            raise ValueError(f"{self._form.cmd} takes no seed, so that each start would be the same")
        return field_texts.whole(text, 1, MOST_STARTS)

    # what belongs together

    def _check_required(self, inputs: Mapping[str, object], axes: Mapping[str, Axis]) -> None:
        for row in self._form.rows:
            for one in (row.field, row.low, row.high):
                if one is not None and one.is_required and one.name not in inputs and one.name not in axes:
                    self.faults.setdefault(f"in.{one.name}", f"{self._form.cmd} needs this.")

    def _check_together(
        self, inputs: Mapping[str, object], axes: Mapping[str, Axis], is_batch: bool, starts: int | None
    ) -> None:
        for number in AXES:
            name = self._text(f"scan.{number}.name")
            if name in axes and name in inputs:
                self.faults.setdefault(f"in.{name}", f"{name} is varied by the scan: leave this empty.")
        if is_batch and axes:
            self.faults.setdefault("scan.1.name", "A scan goes with data that all its jobs have, not with a batch.")
        if is_batch and self._text("sequential") and (starts or 1) > 1:
            self.faults.setdefault("starts", "In sequence each fit starts from the one before: leave this empty.")
        if starts and "seed" in inputs:
            self.faults.setdefault("in.seed", "The number of starts gives the seeds: leave this empty.")

    def _reducer(self, is_batch: bool, is_scan: bool) -> str | None:
        names = {one.name for one in self._form.reducers}
        chosen = self._text("reduce")
        if chosen == AUTOMATIC:
            wanted = "Batch" if is_batch else "ChisqMap" if is_scan else "Chisq"
            return wanted if wanted in names else None
        if chosen != NONE and chosen not in names:
            self.faults["reduce"] = f"There is no reducer {chosen[:80]!r} here."
        return None if chosen == NONE else chosen

    def _shared(self, reducer: str | None) -> dict[str, Any]:
        """Read what does not depend on the jobs: names, priority, places and limits."""
        found: dict[str, Any] = {"reduce": reducer, "options": self._options(reducer)}
        found["name"] = self._read("name", lambda text: field_texts.printable(text, 200)) or ""
        found["email"] = self._read("email", field_texts.email) or ""
        found["priority"] = (
            self._read("priority", lambda text: field_texts.whole(text, -MOST_PRIORITY, MOST_PRIORITY)) or 0
        )
        for name in ("nodes", "tags"):
            words = self._read(name, field_texts.labels)
            found |= {name: words} if words else {}
        for name in NAMES:
            if self._read(f"limit.{name}", lambda text, name=name: read_limit(name, text)) is not None:  # type: ignore[misc]
                found[name] = self._text(f"limit.{name}")
        return found

    def _options(self, reducer: str | None) -> dict[str, str]:
        known = next((one.options for one in self._form.reducers if one.name == reducer), ())
        texts = {name: self._text(f"opt.{reducer}.{name}") for name in known}
        return {name: text for name, text in texts.items() if text}
