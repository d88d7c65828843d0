"""The form of a command: what its manifest says of its inputs, laid out for people.

    scale, scale_min, scale_max        one row: the value where a fit starts, and its box from … to
    anything else                      a row of its own

Pure, but for the reducers' options, which are read out of their files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from park_spool.catalog.registry import Command, InputSpec, Registry
from park_spool.limits import NAMES, limit_words
from park_spool.sessions.drafting import SEED, text_of

LOW, HIGH = "_min", "_max"
Kind = Literal["int", "float", "bool", "str", "choice"]


@dataclass(frozen=True, slots=True)
class Field:
    """One input as it is asked for; `default` is what counts if it is left empty, "" if nothing does."""

    name: str
    kind: Kind
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    default: str = ""
    is_required: bool = False
    description: str = ""

    @property
    def hint(self) -> str:
        """Say in a few words what may stand in it.

        >>> Field("count", "int", "", 0, 9).hint, Field("film", "float", "Å", 0).hint
        ('a whole number, 0 to 9', 'a number in Å, at least 0')
        """
        words = {"int": "a whole number", "float": "a number", "bool": "yes or no"}.get(self.kind, "")
        unit = f" in {self.unit}" if self.unit and words else ""
        match self.minimum, self.maximum:
            case None, None:
                bounds = ""
            case low, None:
                bounds = f", at least {low:g}"
            case None, high:
                bounds = f", at most {high:g}"
            case low, high:
                bounds = f", {low:.15g} to {high:.15g}"
        return f"{words}{unit}{bounds}"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the form: an input alone, or a parameter with the ends of its box."""

    name: str
    field: Field
    low: Field | None = None
    high: Field | None = None

    @property
    def has_box(self) -> bool:
        return self.low is not None and self.high is not None

    @property
    def label(self) -> str:
        """Write the name for people.

        >>> Row("film_thickness", Field("film_thickness", "float")).label
        'film thickness'
        """
        return self.name.replace("_", " ")

    @property
    def meaning(self) -> str:
        """Say what a parameter is, without what its ends mean.

        >>> Row("n", Field("n", "float", description="exponent of the power law: where the fit starts")).meaning
        'exponent of the power law'
        """
        return self.field.description.partition(":")[0]


@dataclass(frozen=True, slots=True)
class ReducerChoice:
    """A reducer that may be chosen, and the names of its options."""

    name: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """All that is asked for one command; `has_seed`: it may be run from several random starts."""

    service: str
    command: str
    description: str
    parameters: tuple[Row, ...]
    others: tuple[Row, ...]
    has_seed: bool
    reducers: tuple[ReducerChoice, ...]
    limits: tuple[tuple[str, str], ...]

    @property
    def cmd(self) -> str:
        return f"{self.service}/{self.command}"

    @property
    def rows(self) -> tuple[Row, ...]:
        return (*self.parameters, *self.others)

    @property
    def scannable(self) -> tuple[str, ...]:
        """Name the inputs that a scan can vary: numbers, and not the ends of boxes."""
        return tuple(row.name for row in self.rows if row.field.kind in ("int", "float") and row.name != SEED)


@dataclass(frozen=True, slots=True)
class Offered:
    """A command that can be chosen."""

    service: str
    command: str
    description: str


def offered(registry: Registry) -> tuple[Offered, ...]:
    """List the commands of a site that make sessions: short commands of nodes are for `park node`."""
    return tuple(
        Offered(service.name, command.name, command.description or service.description)
        for service in registry.services.values()
        for command in service.commands.values()
        if command.mode != "command"
    )


def form_of(registry: Registry, service: str, command: str) -> Form:
    """Lay out the form of a command. Raises ServiceError if there is none."""
    found = registry.command(service, command)
    rows = rows_of(found.inputs)
    reducers = tuple(ReducerChoice(name, registry.reducer_options(name)) for name in sorted(registry.reducers))
    return Form(
        service,
        command,
        found.description,
        tuple(row for row in rows if row.has_box),
        tuple(row for row in rows if not row.has_box and row.name != SEED),
        any(spec.name == SEED for spec in found.inputs),
        reducers,
        tuple((name, _limit(found, name)) for name in NAMES),
    )


def _limit(command: Command, name: str) -> str:
    value = getattr(command.limits, name)
    return "no limit" if value is None else limit_words(name, value)


def rows_of(specs: tuple[InputSpec, ...]) -> tuple[Row, ...]:
    """Put the ends of a box beside their parameter, in the order of the manifest."""
    known: Mapping[str, InputSpec] = {spec.name: spec for spec in specs}
    boxed = {name for name in known if f"{name}{LOW}" in known and f"{name}{HIGH}" in known}
    ends = {f"{name}{end}" for name in boxed for end in (LOW, HIGH)}
    return tuple(_row(spec, known, spec.name in boxed) for spec in specs if spec.name not in ends)


def _row(spec: InputSpec, known: Mapping[str, InputSpec], is_boxed: bool) -> Row:
    if not is_boxed:
        return Row(spec.name, _field(spec))
    return Row(spec.name, _field(spec), _field(known[spec.name + LOW]), _field(known[spec.name + HIGH]))


def _field(spec: InputSpec) -> Field:
    kind: Kind = "choice" if spec.choices else spec.type  # type: ignore[assignment]
    default = "" if spec.default is None else text_of(spec.default)
    needed = spec.required and spec.default is None
    bounds = (spec.minimum, spec.maximum)
    return Field(spec.name, kind, spec.unit, *bounds, spec.choices, default, needed, spec.description)
