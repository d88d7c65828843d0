"""A session's XML into a `Session`: everything is understood and checked here, or rejected with its place.

    bytes ── xml_tree ── Node ── parsing ── Session
                 bounds, safety     meaning, names, values

Owns: the meaning of <session>, <group>, <task>, <reduce>, <dataSet>; job lists are read by joblist_parsing.
Guarantees: a Session that comes out can be run: its commands and reducers are registered, its inputs suit the
manifest, its data are references that may be followed, its jobs are within bounds.  No disk is touched.
"""

from __future__ import annotations

from park_spool.catalog.builtin import CALL, is_call
from park_spool.catalog.registry import Command, Registry
from park_spool.catalog.suggestions import quoted
from park_spool.errors import SessionError
from park_spool.places import NOWHERE, Places
from park_spool.sessions.after import parse_after
from park_spool.sessions.bundles_parsing import Bundles
from park_spool.sessions.calls_parsing import check_alone
from park_spool.sessions.fields import (
    Warnings,
    check_attributes,
    check_children,
    name_of,
    placed,
    priority,
    reject,
    required,
    single,
    whole,
)
from park_spool.sessions.joblist_parsing import Admission, read_data, read_joblist
from park_spool.sessions.session import DataRef, Group, JobList, Session, Task
from park_spool.sessions.task_resolution import check_agreement, find_command, service_of, split_command
from park_spool.sessions.task_wishes import ATTRIBUTES, read_limits, read_places
from park_spool.sessions.xml_tree import Limits, Node, parse_tree
from park_spool.wishes import EVENTS, event_words

__all__ = ["Limits", "parse_session"]

_LARGEST_BUFFER = 1 << 30
_SESSION = ("version", "type", "user", "email", "priority", "name", "after", "notify")


def parse_session(
    xml: bytes,
    registry: Registry,
    limits: Limits,
    files: frozenset[str] | None = None,
    places: Places = NOWHERE,
    sid: str | None = None,
    functions_by_value: bool = False,
) -> Session:
    """Understand a session; MalformedXml if it is not well-formed (yet), SessionError if it cannot be run.

    `files` are the names that came in the submission's folder (relative, with '/'), None for a session file
    alone; `places` says where else its data may lie, and what patterns stand for; `sid` is its own id, if it
    has one; `functions_by_value` lets `<calls/>` in. Raises what `places.names` does, its PermanentErrors with
    the place.
    """
    bundles = Bundles(places.names, limits)
    admission = Admission(registry, limits, files, places, Warnings(), bundles, sid, functions_by_value)
    return _session(parse_tree(xml, limits), admission)


def _session(node: Node, admission: Admission) -> Session:
    if node.tag != "session":
        reject(node, f"the file's outermost element is <{node.tag}>; expected <session>")
    check_children(node, ("group",))
    check_attributes(node, _SESSION, admission.warnings)
    _check_count(node, node.children, admission.limits.max_groups)
    check_alone(node)
    for word in event_words(node.attributes.get("notify", "")):
        if word not in EVENTS:
            admission.warnings.add(node, f"notify names {quoted(word)}; expected some of {', '.join(EVENTS)}")
    after = _after(node, 0, admission)
    groups = tuple(_group(child, number, after, admission) for number, child in enumerate(node.children, 1))
    _check_jobs(node, groups, admission.limits)
    return Session(
        user=node.attributes.get("user", ""),
        email=node.attributes.get("email", ""),
        priority=priority(node),
        attributes=node.attributes,
        groups=groups,
        warnings=admission.warnings.all(),
        after=after,
    )


def _after(node: Node, group_number: int, admission: Admission) -> str:
    """Read what a session (`group_number` 0) or a group waits for; empty if it waits for nothing."""
    if "after" not in node.attributes:
        return ""
    text = node.attributes["after"].strip(" \t\r\n")
    after, written = parse_after(text), f"after={quoted(text)} of <{node.tag}>"
    if after is None or (after.sid is None and not group_number):
        forms = "the whole id of a session (SID) or one of its groups (SID.2)"
        forms = f"the number of an earlier group, {forms}" if group_number else forms
        reject(node, f"{written} names nothing; expected {forms}")
    if after.sid is not None and after.sid == admission.sid:
        reject(node, f"{written} is this very session; a group may wait for an earlier one, named by its number alone")
    if after.sid is None and after.group is not None and after.group >= group_number:
        which = "is this very group" if after.group == group_number else f"comes later than group {group_number}"
        reject(node, f"{written} {which}; expected an earlier one")
    return text


def _check_count(node: Node, children: list[Node], most: int) -> None:
    what = "group" if node.tag == "session" else "joblist"
    if not children:
        reject(node, f"<{node.tag}> holds no <{what}>: there is nothing to run")
    if len(children) > most:
        reject(children[most], f"<{node.tag}> holds {len(children):,} <{what}> elements, at most {most} may be")


def _check_jobs(node: Node, groups: tuple[Group, ...], limits: Limits) -> None:
    jobs = sum(joblist.size for group in groups for joblist in group.joblists)
    if jobs > limits.max_jobs:
        reject(node, f"the session has {jobs:,} jobs in all, more than the {limits.max_jobs:,} allowed")


def _group(node: Node, group_number: int, session_after: str, admission: Admission) -> Group:
    check_children(node, ("dataSet", "reduce", "task", "joblist"))
    check_attributes(node, ("name", "after"), admission.warnings)
    after = _after(node, group_number, admission)
    task, command = _task(node, admission)
    joblists = [child for child in node.children if child.tag == "joblist"]
    _check_count(node, joblists, admission.limits.max_joblists)
    reduce, options = _reduce(node, admission)
    return Group(
        name=name_of(node, f"group{group_number}"),
        task=task,
        data=_data_set(node, admission),
        reduce=reduce,
        joblists=_joblists(joblists, command, admission, bool(after or session_after)),
        reduce_options=options,
        after=after,
    )


def _joblists(nodes: list[Node], command: Command, admission: Admission, is_started: bool) -> tuple[JobList, ...]:
    return tuple(read_joblist(node, number, command, admission, is_started) for number, node in enumerate(nodes, 1))


def _data_set(group: Node, admission: Admission) -> tuple[DataRef, ...]:
    node = single(group, "dataSet")
    if node is None:
        return ()
    check_children(node, ("data",))
    check_attributes(node, ("name",), admission.warnings)
    return read_data(node, admission)


def _reduce(group: Node, admission: Admission) -> tuple[str | None, dict[str, str]]:
    node = single(group, "reduce")
    if node is None:
        return None, {}
    check_children(node, ())
    classname = required(node, "classname")
    with placed(node):
        options = admission.registry.reducer_options(classname)
    check_attributes(node, ("classname", *options), admission.warnings)
    return classname, {name: value for name, value in node.attributes.items() if name in options}


def _task(group: Node, admission: Admission) -> tuple[Task, Command]:
    node = single(group, "task")
    if node is None:
        reject(group, "<group> holds no <task>: expected <task cmd='...'> to say what to run")
    check_children(node, ("bufsize", "home", "cwd"))
    check_attributes(node, ("cmd", *ATTRIBUTES), admission.warnings)
    cmd = required(node, "cmd")
    home, cwd = _value_element(node, "home", admission), _value_element(node, "cwd", admission)
    command = _command(node, home, cwd, admission.registry)
    nodes, tags = read_places(node, command)
    task = Task(
        cmd=cmd,
        service=command.service,
        command=command.name,
        cwd=_working_service(cwd, admission.registry),
        bufsize=_bufsize(node, admission),
        attributes=node.attributes,
        parameters=tuple(child.element() for child in node.children),
        mode=command.mode,
        nodes=nodes,
        tags=tags,
        limits=read_limits(node, command, admission.warnings),
    )
    return task, command


def _value_element(task: Node, tag: str, admission: Admission) -> Node | None:
    node = single(task, tag)
    if node is not None:
        check_children(node, ())
        check_attributes(node, ("value",), admission.warnings)
        required(node, "value")
    return node


def _bufsize(task: Node, admission: Admission) -> int | None:
    node = _value_element(task, "bufsize", admission)
    return None if node is None else whole(node, "value", 1, _LARGEST_BUFFER)


def _command(task: Node, home: Node | None, cwd: Node | None, registry: Registry) -> Command:
    with placed(task):
        service, command = split_command(required(task, "cmd"))
    if is_call(service, command):
        return CALL
    if service and home:
        with placed(home):
            check_agreement(service, required(home, "value"), registry)
    elif not service:
        service = _service(home or cwd, registry)
    with placed(task):
        return find_command(service, command, registry)


def _service(node: Node | None, registry: Registry) -> str | None:
    if node is None:
        return None
    with placed(node):
        return service_of(required(node, "value"), registry)


def _working_service(cwd: Node | None, registry: Registry) -> str | None:
    try:
        return _service(cwd, registry)
    except SessionError as error:
        reason = f"{error.reason}; without <cwd> each job runs in an empty folder of its own"
        raise SessionError(reason, error.line, error.column) from error
