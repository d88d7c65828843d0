"""One story, told to an archive by its own methods: what the archives of earlier versions were filled with.

`tests/archives/0001.sql` and `0002.sql` are what the versions with these schemas made of it, frozen: never made again.
The tests tell it to an archive of today, too, and compare. So it uses no more than each version had (`schema`).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SID, OTHER, GONE = "20261123-025532-k3j9", "20261124-101010-aaaa", "20261122-090000-zzzz"
RECEIVED = 1_795_402_500.0
NODE, SECOND = "n1_1_aaaaaa", "n2_2_bbbbbb"
FILM, FRAME1, FRAME2 = "f0" * 32, "a1" * 32, "a2" * 32
CURVE = {"x": [0.01, 0.02, 0.03], "y": [1.0, 0.5, 0.25], "dy": [0.1, 0.1, 0.1], "model": [1.1, 0.4, 0.2]}
LABELS = {"xlabel": "Q", "xunit": "1/Å", "ylabel": "R", "yscale": "log", "data": "film"}
THICKNESS = {"name": "film thickness", "value": 258.86, "error": 0.1, "unit": "Å", "min": 50, "max": 500, "start": 99.5}
SLD = {"name": "film sld", "value": 2.426, "error": None, "unit": "1e-6/Å^2", "min": 0, "max": "far"}


def fit(chisq: float, *more: object, **fields: object) -> str:
    """Return the output of a fit."""
    parameters = [{**THICKNESS, "value": THICKNESS["value"] + chisq / 1e6}, SLD, *more]
    return json.dumps({"chisq": chisq, "npoints": 3, "dof": 1, "nllf": chisq / 2, "parameters": parameters, **fields})


def element(children: list[dict[str, Any]] | None = None, **attributes: str) -> dict[str, Any]:
    return {"tag": "input", "attributes": attributes} | ({"children": children} if children else {})


def own(name: str, href: str) -> dict[str, Any]:
    return {"tag": "data", "attributes": {"name": name, "href": href}}


def joblist(size: int, *inputs: dict[str, Any], scan: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"name": "starts", "priority": 4, "size": size, "inputs": list(inputs), "scan": scan}


def group(name: str, reduce: str | None, data: list[dict[str, Any]], *joblists: dict[str, Any]) -> dict[str, Any]:
    task = {"cmd": "reflectivity/fit", "service": "reflectivity", "command": "fit", "cwd": None, "bufsize": None}
    task |= {"attributes": {}, "parameters": [], "mode": "function", "nodes": [], "tags": [], "limits": {}}
    return {"name": name, "task": task, "data": data, "reduce": reduce, "joblists": list(joblists)}


def session(*groups: dict[str, Any]) -> dict[str, Any]:
    head = {"format": 1, "user": "wwchen", "email": "wwchen@example.org", "priority": 0, "attributes": {}}
    return {**head, "groups": list(groups), "warnings": []}


FILM_REF = {"name": "film", "href": "film.txt", "sha256": None, "mode": None, "line": 4}
FRAMES = group(
    "frames",
    "Chisq",
    [],
    joblist(4, element([own("frame", "frames/f1.dat")]), element([own("frame", "frames/f2.dat")])),
    joblist(3, element(x="1")),
)
FILM_GROUP = group("film", "Chisq", [FILM_REF], joblist(40, element(x="1")))
SCAN = group(
    "map",
    None,
    [],
    joblist(2, scan={"axes": [{"name": "dataset", "values": ["left", "right"]}], "template": element()}),
)


def archive(path: Path) -> Path:
    """Make an archive of today that was told the whole story, and what only today's can be told; return its path."""
    from park_spool.archive.entries import Provenance
    from park_spool.archive.writing import Archive, Result

    with Archive.open(path) as opened:
        tell(opened, Result, 3)
        versions = '{"numpy": "2.4.6"}'
        opened.put_provenance([Provenance(SID, 1, NODE, "n1", "0.1.0", "3.11.7", "reflectivity", "d1" * 32, versions)])
        opened.add_event(SID, "retry.01.x0p2qa", RECEIVED + 30.0, "retry", "wei", "round 1, 1 job")
        opened.add_node_event(NODE, RECEIVED, "appeared", "n1, 2 CPUs, park-spool 0.1.0")
        opened.add_reduction(SID, "control.000000001.x0p2qa.reduce")
        opened.add_delivery(OTHER, 1, OTHER)
        opened.put_results(
            [
                result(Result, 3, job=3, status="failed", is_final=False, why="no", node=SECOND),
                result(Result, 3, job=3, attempt=1, output=fit(2.5, curve=CURVE), after=3.0),
            ]
        )
    return path


def tell(archive: Any, make: Any, schema: int, upto: int = 2) -> None:
    """Tell the story; `make` is the Result of the version whose archive it is, `schema` the number of its schema.

    `upto`: as far as the version with that schema could be told it.
    """
    for sid, groups, at in ((SID, (FRAMES, FILM_GROUP), 0.0), (OTHER, (SCAN,), 60.0)):
        record = {"owner": "wei", "file": "film.xml", **session(*groups)}
        archive.add_session(sid, record, b"<session/>", RECEIVED + at)
        if schema >= 3:
            archive.add_event(sid, "admitted", RECEIVED + at, "admitted", "wei", "film.xml")
    for batch in batches(upto):
        with archive.transaction():
            archive.put_results([result(make, schema, **one) for one in batch])
    _tell_more(archive)
    if upto >= 2:
        _tell_later(archive, make, schema)
    if schema >= 3:
        from park_spool.archive.entries import DataSet

        archive.put_data_sets([DataSet(*row) for row in DATA_SETS])


DATA_SETS = [
    (SID, 1, "frame", FRAME1, "frames/f1.dat"),
    (SID, 1, "frame", FRAME2, "frames/f2.dat"),
    (SID, 2, "film", FILM, "film.txt"),
]
DATASETS = {(SID, 1, 1): ("f1.dat", "f2.dat"), (OTHER, 1, 1): ("left", "right")}


def dataset(sid: str, group: int, joblist: int, job: int, output: str) -> str | None:
    """Return the data set that a job is about, by the story."""
    if '"dataset": "said"' in output:
        return "said"
    names = DATASETS.get((sid, group, joblist))
    return names[(job - 1) % 2] if names else None


def result(make: Any, schema: int, **fields: Any) -> Any:
    head = {"sid": SID, "group": 1, "joblist": 1, "round": 0, "attempt": 0, "node": NODE, "status": "ok"}
    values = {**head, "started": RECEIVED, "seconds": 1.0, "output": "", **fields}
    values["started"] += values.pop("after", 0.0)
    if schema >= 3:
        values["dataset"] = dataset(*(values[key] for key in ("sid", "group", "joblist", "job", "output")))
    return make(**values)


def batches(upto: int) -> list[list[dict[str, Any]]]:
    """Return the results, in the batches in which they came. Lines of progress were not read by the first version."""
    progress = '{"chisq": 8.5}\n' if upto >= 2 else ""
    frame = {1: {"frame": FRAME1}, 2: {"frame": FRAME2}}
    broken = {"status": "failed", "why": "exited with status 3: no such file", "exit": 3, "stderr": "…"}
    film = {"group": 2, "data": {"film": FILM}}
    return [
        [
            {"job": 1, "output": fit(9.0, curve=CURVE | LABELS), "data": frame[1]},
            {"job": 2, "output": progress + fit(7.5, curve=CURVE) + "\n", "data": frame[2], "after": 1.0},
            {"job": 3, "output": fit(9.5, 17, None, {"name": 3, "value": True, "unit": 5}), "data": frame[1]},
            {"job": 4, **broken, "data": frame[2], "is_final": False},
        ],
        [
            {"job": 4, **broken, "attempt": 1, "node": SECOND, "data": frame[2], "is_final": False},
            {"job": 4, **broken, "attempt": 2, "data": frame[2]},
            {"job": 1, "joblist": 2, "output": '{"dataset": "said", "chisq": 3}'},
            {"job": 2, "joblist": 2, "output": "plain words, no JSON: parameters"},
            {"job": 3, "joblist": 2, "status": "timeout", "why": "took longer than 60 s", "signal": 9, "attempt": 2},
        ],
        [
            {"job": number, "output": fit(1000.0 / number, seed=number), "after": number / 2, **film}
            for number in range(1, 31)
        ],
        [
            {"job": 1, "node": SECOND, "output": fit(999.0), **film},
            {"job": 30, "round": 1, "node": SECOND, "output": fit(50.0), "after": 20.0, **film},
            {"job": 31, "output": '{"chisq": NaN, "parameters": [{"name": "a", "value": 1}]}', **film},
            {"job": 32, "output": '<reply chisq="5" parameters="none" dof="1"/>', **film},
            {"job": 33, "output": '{"chisq": 4, "parameters": {"name": "a"}}', "stderr": "a word", **film},
        ],
        [{"sid": OTHER, "job": 1, "output": '{"chisq": 2}'}, {"sid": OTHER, "job": 2, "output": '{"chisq": 1}'}],
    ]


def _tell_more(archive: Any) -> None:
    bundle = f"{NODE}.000000001"
    with archive.transaction():
        for sid in (SID, OTHER):
            archive.record_replies([(f"{sid}.001.001.000000001-000000002.00.00@{NODE}", sid, bundle)])
            archive.record_bundle(sid, bundle)
        for number, (sid, group) in enumerate([(SID, 1), (SID, 2), (OTHER, 1), (SID, 1), (SID, 2), (SID, 2)]):
            archive.add_message(sid, group, f"message {number}", RECEIVED + number)
        archive.put_text(SID, 1, {"gid": f"{SID}.1"}, fit(7.5))
        archive.put_text(SID, 2, {"gid": f"{SID}.2", "best": 1}, "text")
        archive.stop_reducer(SID, 2, "TypeError: chisq is None (film.py, line 3)")
        for number, node in enumerate((NODE, SECOND), 1):
            archive.put_node({"node": node, "host": f"n{number}", "cpus": 2, "units": ["u"], "seen": RECEIVED})
        archive.set_state(OTHER, "done", RECEIVED + 70.0)


def _tell_later(archive: Any, make: Any, schema: int) -> None:
    from park_spool.replies import KeptFile

    kept = {"fit.dat": KeptFile(sha256="ab" * 32, size=9)}
    with archive.transaction():
        archive.apply_retry(SID, "retry.01.x0p2qa", 1, {(1, 1): [(4, 5)]})
        archive.put_results([result(make, schema, job=34, group=2, output=fit(61.5), files=kept)])
        archive.put_running([(SID, 1, 1, 4, NODE, RECEIVED, 3.0, 12.5, "<reply chisq='12.5'/>")])
        archive.delete_session(GONE, {"user": "wei", "file": "old.xml", "received": 1.0, "at": RECEIVED})
