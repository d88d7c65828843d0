"""Job lists, scans, inputs and data references: from their XML elements to values, checked one by one.

Owns: the meaning of <joblist>, <input>, <scan>, <axis> and <data>.  A service's manifest says what its inputs
are: every explicit input is checked against it, and of a scan the ends of each range (what lies
between is inside too) and every value of a list.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from park_spool.catalog.builtin import CALL
from park_spool.catalog.command_line import word_of
from park_spool.catalog.input_spec import InputSpec
from park_spool.catalog.registry import Command, Registry
from park_spool.catalog.suggestions import quoted
from park_spool.places import Places
from park_spool.sessions.bundles_parsing import Bundle, Bundles
from park_spool.sessions.calls_parsing import CALLS, read_calls
from park_spool.sessions.data import DATA, WAYS, check_href
from park_spool.sessions.datasets import DATASET
from park_spool.sessions.fields import (
    Warnings,
    check_attributes,
    check_children,
    name_of,
    number,
    placed,
    priority,
    reject,
    required,
    single,
    whole,
)
from park_spool.sessions.scan import Axis, Scan
from park_spool.sessions.session import DataRef, Element, JobList
from park_spool.sessions.xml_tree import Limits, Node

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_ATTRIBUTE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}")
_VALUES = re.compile(r"[\s,]+")
_MOST_AXES = 16
SEQUENTIAL = "sequential"


@dataclass(frozen=True, slots=True)
class Admission:
    """Hold what a session is checked against, the warnings that come up, and what its patterns stand for."""

    registry: Registry
    limits: Limits
    files: frozenset[str] | None
    places: Places
    warnings: Warnings
    bundles: Bundles
    sid: str | None = None
    functions_by_value: bool = False


def read_joblist(
    node: Node, joblist_number: int, command: Command, admission: Admission, is_started: bool = False
) -> JobList:
    """Read a <joblist> whose jobs run `command`; SessionError with the place if it cannot be run.

    `is_started`: its jobs get start values, which may give what the command needs.
    """
    check_children(node, ("input", "scan", CALLS))
    check_attributes(node, ("name", "priority", "cnt", "order"), admission.warnings)
    calls = read_calls(node, joblist_number, command is CALL, admission.functions_by_value, admission.warnings)
    if calls is not None:
        return calls
    inputs = [child for child in node.children if child.tag == "input"]
    scan = _scan(node, inputs, command, admission)
    _check_inputs(inputs, command, admission, is_alone=scan is None)
    bundles = [] if scan else [admission.bundles.read(child) for child in inputs]
    size = _size(node, scan, bundles, admission.limits)
    is_sequential = _is_sequential(node, size, admission.limits)
    if not is_started:
        first = inputs[:1] if is_sequential else inputs  # a later step may get the rest from the one before
        _check_required(first or [Node("input", {}, node.line, node.column)], scan, command)
    return JobList(
        name=name_of(node, f"joblist{joblist_number}"),
        priority=priority(node),
        size=size,
        inputs=tuple(element for bundle in bundles for element in bundle.elements()),
        scan=scan,
        is_sequential=is_sequential,
    )


def _is_sequential(node: Node, size: int, limits: Limits) -> bool:
    order = node.attributes.get("order")
    if order is None:
        return False
    if order != SEQUENTIAL:
        reject(node, f"order={quoted(order)} of <joblist> must be {SEQUENTIAL!r}; without it the jobs run in any order")
    if size > limits.max_steps:
        reject(node, f"a sequential <joblist> has {size:,} jobs, more than the {limits.max_steps:,} allowed")
    return True


def _size(node: Node, scan: Scan | None, bundles: list[Bundle], limits: Limits) -> int:
    points = scan.size if scan else sum(bundle.size for bundle in bundles)
    if points == 0:
        reject(node, "<joblist> holds neither <input> nor <scan>: there is nothing to run")
    if points > limits.max_jobs:
        what = f"the scan has {points:,} points" if scan else f"the inputs make {points:,} jobs"
        reject(node, f"{what}, more than the {limits.max_jobs:,} jobs allowed")
    return whole(node, "cnt", 1, limits.max_jobs, points)


def _scan(joblist: Node, inputs: list[Node], command: Command, admission: Admission) -> Scan | None:
    node = single(joblist, "scan")
    if node is None:
        return None
    if len(inputs) > 1:
        reject(inputs[1], "a second <input> beside a <scan>; expected at most one: what all its points share")
    check_children(node, ("axis",))
    check_attributes(node, (), admission.warnings)
    template = inputs[0].element() if inputs else Element("input")
    return Scan(_axes(node, template, command, admission), template)


def _axes(node: Node, template: Element, command: Command, admission: Admission) -> tuple[Axis, ...]:
    if not 1 <= len(node.children) <= _MOST_AXES:
        reject(node, f"<scan> holds {len(node.children)} <axis> elements; expected 1 to {_MOST_AXES}")
    axes = tuple(_axis(child, admission) for child in node.children)
    taken = set(template.attributes)
    for child, axis in zip(node.children, axes, strict=True):
        if axis.name in taken:
            reject(child, f"axis {axis.name!r}: the name is taken by an earlier axis or by the <input>")
        taken.add(axis.name)
        _check_axis(child, axis, command)
    return axes


def _axis(node: Node, admission: Admission) -> Axis:
    check_children(node, ())
    check_attributes(node, ("name", "start", "stop", "count", "spacing", "values"), admission.warnings)
    name = required(node, "name")
    if not _ATTRIBUTE_NAME.fullmatch(name):
        reject(node, f"axis {quoted(name)} cannot name an attribute of an input")
    if "values" not in node.attributes:
        return _range(node, name, admission.limits)
    if both := [key for key in ("start", "stop", "count", "spacing") if key in node.attributes]:
        reject(node, f"axis {name!r} has values and also {both[0]!r}; expected one or the other")
    return Axis(name, tuple(_VALUES.split(required(node, "values").strip(" \t\r\n,"))))


def _range(node: Node, name: str, limits: Limits) -> Axis:
    start, stop = number(node, "start"), number(node, "stop")
    count = whole(node, "count", 1, limits.max_jobs)
    spacing = node.attributes.get("spacing", "linear")
    if spacing not in ("linear", "log"):
        reject(node, f"spacing={quoted(spacing)} of axis {name!r} must be 'linear' or 'log'")
    if spacing == "log" and not start * stop > 0:
        reject(node, f"axis {name!r} with spacing='log' needs start and stop of one sign, neither of them 0")
    if count == 1 and start != stop:
        reject(node, f"axis {name!r} has count='1', but its start and stop differ")
    return Axis.ranging(name, start, stop, count, spacing)


def _check_axis(node: Node, axis: Axis, command: Command) -> None:
    spec = next((spec for spec in command.inputs if spec.name == axis.name), None)
    if spec is None:
        return
    if spec.type == "int" and axis.values is None and not axis.is_whole:
        reject(node, f"axis {axis.name!r}: input {axis.name!r} takes whole numbers, this range has others")
    values = axis.values or (axis.value(0), axis.value(axis.size - 1))
    _check_values(node, spec, values, command)


def _check_values(node: Node, spec: InputSpec, values: Iterable[str], command: Command) -> None:
    is_word = f"{{{spec.name}}}" in command.run and command.mode == "command"
    for value in values:
        try:
            word_of(spec, value) if is_word else spec.convert(value)
        except ValueError as error:
            reject(node, f"<{node.tag}>: {error}")


def _check_inputs(inputs: list[Node], command: Command, admission: Admission, is_alone: bool) -> None:
    known = {spec.name for spec in command.inputs}
    known |= {DATASET} if known else set()  # every input may name its data set
    for node in inputs:
        _check_input(node, command, admission, is_alone)
        if known and not known.issuperset(node.attributes):
            _warn_strangers(node, known, command, admission)
            known |= set(node.attributes)  # once for each name in a job list is enough


def _check_required(inputs: list[Node], scan: Scan | None, command: Command) -> None:
    scanned = {axis.name for axis in scan.axes} if scan else set()
    lacking = "neither <scan> nor <input> gives" if scan else "<input> lacks"
    needed = [spec.name for spec in command.inputs if spec.required and spec.default is None]
    for node in inputs:
        for name in needed:
            if name not in node.attributes and name not in scanned:
                reject(node, f"{lacking} {name!r}, which {command.service}/{command.name} needs")


def _check_input(node: Node, command: Command, admission: Admission, is_alone: bool) -> None:
    for spec in command.inputs:
        value = node.attributes.get(spec.name)
        if value is not None:
            _check_values(node, spec, (value,), command)
    if node.children:
        read_data(node, admission, is_pattern_allowed=is_alone)


def _warn_strangers(node: Node, known: set[str], command: Command, admission: Admission) -> None:
    what = f"{command.service}/{command.name}"
    for name in sorted(set(node.attributes) - known):
        admission.warnings.add(node, f"input {quoted(name)} is not described by {what}; passed on as text")


def read_data(node: Node, admission: Admission, is_pattern_allowed: bool = False) -> tuple[DataRef, ...]:
    """Read the <data> children of a <dataSet> or <input>; SessionError with the place if one is wrong."""
    refs: dict[str, DataRef] = {}
    for child in node.children:
        if child.tag == DATA:
            ref = _data(child, admission, is_pattern_allowed)
            if ref.name in refs:
                reject(child, f"data set {ref.name!r} again; the first is in line {refs[ref.name].line}")
            refs[ref.name] = ref
    return tuple(refs.values())


def _data(node: Node, admission: Admission, is_pattern_allowed: bool) -> DataRef:
    check_children(node, ())
    check_attributes(node, ("name", "href", "sha256", "via"), admission.warnings)
    required(node, "name")
    href, sha256, via = required(node, "href"), node.attributes.get("sha256"), node.attributes.get("via")
    if sha256 is not None and not _SHA256.fullmatch(sha256):
        reject(node, f"sha256={quoted(sha256)} must be 64 hexadecimal digits")
    if via not in (None, *WAYS):
        reject(node, f"via={quoted(via)} of <data> is not known here; expected {' or '.join(map(repr, WAYS))}")
    with placed(node):
        check_href(href, admission.files, admission.places, is_pattern_allowed)
    return DataRef(name_of(node, ""), href, sha256.lower() if sha256 else None, via, node.line)
