"""The reducers that come along: what they keep is right, the same in every order, and small for a million replies."""

from __future__ import annotations

import json
import math
import random
import statistics
import sys
import tracemalloc
from fractions import Fraction
from typing import Any
from xml.etree import ElementTree

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2
from shipped_reducers import REGISTRY, SID, jobs, made, reduced, result, scan

from park_spool.reducing.reduced_reply import ReducedReply
from park_spool.sessions.session import Axis, Element, JobList

CLASSES = ("Batch", "Chisq", "ChisqMap", "Collect", "Histogram", "Stats")
GRID = scan(Axis.ranging("x", 0, 4, 5), Axis.ranging("y", 0, 2, 3))


def test_these_come_along() -> None:
    assert sorted(REGISTRY.reducers) == sorted(CLASSES)


# every order, any reply

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
parameters = st.lists(
    st.fixed_dictionaries({}, optional={"name": st.text(max_size=4), "value": json_values, "error": json_values})
    | json_values,
    max_size=3,
)
fits = st.fixed_dictionaries(
    {"chisq": st.sampled_from([1.0, 2.0, 3.0, 1e300, -5.0]) | st.floats()},
    optional={
        "npoints": json_values,
        "dof": st.sampled_from([0, 3, None, "x"]),
        "parameters": parameters | json_values,
        "dataset": st.sampled_from(["a", "b", "", 17]) | json_values,
        "curve": json_values,
        "input": json_values,
        "gid": json_values,
    },
)
outputs = fits.map(json.dumps) | json_values.map(json.dumps) | st.text(max_size=20)
replies = st.tuples(outputs, st.sampled_from(["ok", "ok", "ok", "failed", "timeout"]), st.integers(0, 5).map(float))


@pytest.mark.parametrize("classname", CLASSES)
@given(found=st.lists(replies, max_size=12), seed=st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_whatever_replies_say_and_in_whatever_order_the_texts_are_the_same(
    classname: str, found: list[tuple[str, str, float]], seed: int
) -> None:
    results = [result(job, output, status=status, finished=at) for job, (output, status, at) in enumerate(found, 1)]
    first = reduced(classname, results, GRID)
    random.Random(seed).shuffle(results)
    again = reduced(classname, results, GRID, every=3)
    assert again.texts == first.texts
    if classname not in ("Chisq", "Collect"):  # these keep the service's own texts
        assert all(_is_strict_json(text) for text in first.texts.values())


def _is_strict_json(text: str) -> bool:
    json.loads(text, parse_constant=pytest.fail)
    return True


# Chisq


def test_chisq_keeps_the_best_reply_and_tells_of_each_improvement() -> None:
    chisqs = {4: 30.0, 2: 50.0, 7: 966.0, 1: 20.5, 3: 20.5}
    kept = reduced("Chisq", [result(job, f'{{"chisq": {chisq}}}') for job, chisq in chisqs.items()])
    assert kept.texts["{}"] == '{"chisq": 20.5}'
    assert [ElementTree.fromstring(text.encode()).attrib for text in kept.messages] == [
        {"gid": f"{SID}.1", "update": "1.1.4", "chisq": "30.0"},
        {"gid": f"{SID}.1", "update": "1.1.1", "chisq": "20.5"},
    ]


def test_chisq_ignores_replies_without_a_finite_chisq() -> None:
    odd = [result(1, "{}"), result(2, '{"chisq": NaN}'), result(3, '{"chisq": -Infinity}'), result(4, status="failed")]
    kept = reduced("Chisq", odd)
    assert (kept.texts, kept.messages) == ({}, [])


def test_chisq_keeps_the_history_in_the_order_of_finishing_whatever_came_first() -> None:
    results = [
        result(job, {"chisq": chisq}, finished=float(at))
        for job, (chisq, at) in enumerate([(9.0, 4), (20.0, 1), (7.0, 9), (15.0, 2), (30.0, 3)], 1)
    ]
    kept = reduced("Chisq", results)
    steps = kept.read(what="history")
    assert [(step["job"], step["chisq"], step["finished"]) for step in steps] == [
        ("1.1.2", 20.0, 1.0),
        ("1.1.4", 15.0, 2.0),
        ("1.1.1", 9.0, 4.0),
        ("1.1.3", 7.0, 9.0),
    ]
    assert json.loads(kept.texts["{}"])["chisq"] == 7.0
    assert len(kept.messages) == 2  # as they came: 9, then 7


def test_of_equal_chisq_the_job_of_the_smaller_number_stays() -> None:
    results = [result(job, {"chisq": 5.0, "job": job}) for job in (3, 2, 8)]
    kept = reduced("Chisq", results)
    assert json.loads(kept.texts["{}"])["job"] == 2 and len(kept.messages) == 1


# Collect


def test_collect_keeps_each_output_that_is_ok() -> None:
    kept = reduced("Collect", [result(1, "one"), result(2, "two"), result(3, "", status="failed")])
    assert kept.texts == {'{"jid": "1.1.1"}': "one", '{"jid": "1.1.2"}': "two"}


# Stats

numbers = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(numbers, min_size=1, max_size=30))
@settings(max_examples=100, deadline=None)
def test_moments_are_exact(values: list[float]) -> None:
    found = reduced("Stats", [result(job, {"v": value}) for job, value in enumerate(values, 1)]).read(what="stats")
    column = found["values"]["v"]
    exact = list(map(Fraction, values))
    mean = sum(exact) / len(values)
    assert column["count"] == len(values) and column["mean"] == _as_float(mean)
    if len(values) > 1:
        variance = sum((one - mean) ** 2 for one in exact) / (len(values) - 1)
        assert column["variance"] == _as_float(variance)
    assert (column["min"], column["max"]) == (min(values), max(values))


def _as_float(number: Any) -> float | None:
    try:
        return float(number)
    except OverflowError:
        return None


def test_stats_count_failures_and_take_parameters_by_name() -> None:
    fit = {"chisq": 9.0, "dof": 3, "parameters": [{"name": "thickness", "value": 258.9}, {"value": 3}, "odd"]}
    found = reduced("Stats", [result(1, fit), result(2, "", status="lost")]).read(what="stats")
    assert (found["ok"], found["failed"]) == (1, 1)
    assert {name: column["mean"] for name, column in found["values"].items()} == {
        "chisq": 9.0, "dof": 3.0, "thickness": 258.9, "seconds": 0.5,
    }  # fmt: skip


def test_quantiles_of_few_numbers_are_those_of_numpy() -> None:
    values = [random.Random(4).gauss(10, 3) for _ in range(500)]
    found = reduced("Stats", [result(job, {"v": value}) for job, value in enumerate(values, 1)]).read(what="stats")
    column = found["values"]["v"]
    assert column["quantile_accuracy"] == 0
    for share, value in column["quantiles"].items():
        assert value == pytest.approx(numpy.quantile(values, float(share)), rel=1e-12)


@pytest.mark.parametrize("draw", ["lognormvariate", "gauss"])
def test_quantiles_of_many_numbers_are_within_half_a_percent(draw: str) -> None:
    values = [getattr(random.Random(seed), draw)(0, 4) for seed in range(20_000)]
    results = [result(job, {"v": value}) for job, value in enumerate(values, 1)]
    column = reduced("Stats", results, options={"quantiles": "0 0.01 0.5 0.99 1"}).read(what="stats")["values"]["v"]
    assert column["quantile_accuracy"] == 0.005
    for share, value in column["quantiles"].items():
        nearest = numpy.quantile(values, float(share), method="lower")
        assert abs(value - nearest) <= 0.00501 * abs(nearest), share


def test_an_option_that_cannot_be_used_is_said() -> None:
    with pytest.raises(ValueError, match="takes quantiles"):
        reduced("Stats", [], options={"quantile": "0.5"})
    with pytest.raises(ValueError, match="from 0 to 1"):
        reduced("Stats", [result(1, {"v": 1})], options={"quantiles": "50"})


# Histogram


def histogram(values: list[float], **options: str) -> Any:
    results = [result(job, {"chisq": value}) for job, value in enumerate(values, 1)]
    return reduced("Histogram", results, options=options).read(what="histogram")


@given(st.lists(numbers, min_size=1, max_size=50), st.integers(2, 20))
@settings(max_examples=100, deadline=None)
def test_a_histogram_counts_each_number_once_in_its_bin(values: list[float], bins: int) -> None:
    found = histogram(values, bins=str(bins))
    edges, counts = found["edges"], found["counts"]
    assert len(edges) == len(counts) + 1 <= bins + 1 and sum(counts) == len(values)
    for low, high, count in zip(edges, edges[1:], counts, strict=False):
        is_last = high == sys.float_info.max  # beyond it there is no float
        assert sum(low <= value and (value < high or is_last) for value in values) == count


def test_a_histogram_of_a_logarithm_leaves_out_what_has_none() -> None:
    found = histogram([1.0, 10.0, 1000.0, 0.0, -3.0], scale="log", bins="4")
    assert found["left_out"] == 2 and sum(found["counts"]) == 3
    assert found["edges"][0] <= 1.0 < found["edges"][1] and len(found["counts"]) <= 4


@pytest.mark.parametrize("options", [{"bins": "1"}, {"bins": "many"}, {"scale": "cubic"}])
def test_a_histogram_says_what_it_cannot_be(options: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(options))}: expected"):
        histogram([1.0], **options)


def test_a_histogram_of_a_parameter() -> None:
    fit = {"parameters": [{"name": "Rg", "value": 76.1}]}
    found = reduced("Histogram", [result(1, fit), result(2, {})], options={"attribute": "Rg"}).read(what="histogram")
    assert (found["counts"], found["left_out"]) == ([1], 1) and found["edges"][0] <= 76.1 < found["edges"][1]


# ChisqMap


def mapped(function: Any, joblist: JobList, **options: str) -> Any:
    assert joblist.scan is not None
    results = []
    for job in range(1, joblist.size + 1):
        point = {name: float(value) for name, value in joblist.input(job).attributes.items()}
        results.append(result(job, {"chisq": function(**point)}))
    return reduced("ChisqMap", results, joblist, options=options).read(joblist=1, what="map")


def test_a_map_holds_the_grid_its_minima_profiles_and_regions() -> None:
    axes = (Axis.ranging("x", -3, 3, 61), Axis.ranging("y", -3, 3, 61))
    found = mapped(lambda x, y: 20 + (x - 0.5) ** 2 / 0.64 + (y + 1) ** 2 / 0.09, scan(*axes))
    assert (found["cells"], found["filled"]) == (61 * 61, 61 * 61)
    grid = numpy.array(found["chisq"]).reshape(61, 61)
    assert grid[35, 20] == pytest.approx(20) == grid.min()
    [best] = found["minima"]
    assert best["point"] == {"x": "0.5", "y": "-1"}
    assert found["profiles"][0] == pytest.approx(grid.min(axis=1)) and found["profiles"][1] == pytest.approx(
        grid.min(axis=0)
    )
    one, two, three = found["regions"]
    assert [region["delta"] for region in found["regions"]] == pytest.approx(chi2.ppf([0.683, 0.954, 0.997], 2))
    assert one["is_closed"] and one["ranges"][0] == pytest.approx([0.5 - 1.2, 0.5 + 1.2])
    assert two["is_closed"] and two["cells"] > one["cells"]
    assert not three["is_closed"]  # it reaches past x = 3: the scan must be wider


def test_a_map_takes_the_smallest_of_repeated_points_and_of_seeds() -> None:
    joblist = scan(Axis.ranging("x", 1, 2, 2), Axis.ranging("seed", 1, 3, 3))
    outputs = [7.0, 5.0, 6.0, 9.0, None, 8.0, 4.5]  # the last job repeats the first point
    results = [
        result(job, {"chisq": chisq} if chisq else "", status="ok" if chisq else "failed")
        for job, chisq in enumerate(outputs, 1)
    ]
    found = reduced("ChisqMap", results, JobList("map", 0, 7, (), joblist.scan)).read(joblist=1, what="map")
    assert [axis["name"] for axis in found["axes"]] == ["x"] and found["chisq"] == [4.5, 8.0]


def test_four_dimensions_words_and_holes() -> None:
    words = Axis("solvent", ("D2O", "H2O"))
    joblist = scan(words, *(Axis.ranging(name, 0, 2, 3) for name in "abc"))
    results = [result(job, {"chisq": float(job)}) for job in range(2, joblist.size + 1)]
    found = reduced("ChisqMap", results, joblist).read(joblist=1, what="map")
    assert found["chisq"][0] is None and found["filled"] == 53
    assert found["regions"][0]["ranges"][0] is None and found["minima"][0]["point"]["solvent"] == "D2O"


def test_a_group_without_a_scan_has_no_map() -> None:
    with pytest.raises(ValueError, match="no job list of the group has one"):
        reduced("ChisqMap", [], jobs(3))


def test_a_map_beyond_all_bounds_is_refused() -> None:
    with pytest.raises(ValueError, match="100,000,000 cells"):
        reduced("ChisqMap", [], scan(Axis.ranging("x", 0, 1, 10_000), Axis.ranging("y", 0, 1, 10_000)))


@pytest.mark.parametrize("degrees", [1, 2, 3, 7])
def test_the_quantiles_of_chi_square_are_those_of_scipy(degrees: int) -> None:
    axes = [Axis.ranging(f"x{number}", 0, 1, 2) for number in range(degrees)]
    found = reduced("ChisqMap", [result(1, {"chisq": 1.0})], scan(*axes), options={"confidence": "0.1 0.683 0.9999"})
    deltas = [region["delta"] for region in found.read(joblist=1, what="map")["regions"]]
    assert deltas == pytest.approx(chi2.ppf([0.1, 0.683, 0.9999], degrees), rel=1e-9)


# Batch


def test_a_batch_has_a_row_for_each_data_set_of_its_best_start() -> None:
    inputs = tuple(Element("input", {"dataset": name}) for name in ("a", "b"))
    fits = [("a", 9.0), ("b", 20.0), ("a", 4.0), ("b", None), ("a", 5.0)]
    results = [
        result(job, {"chisq": chisq, "npoints": 10, "dof": 4, "parameters": [{"name": "Rg", "value": chisq, "error": 1}], "curve": {"x": [job]}} if chisq else "", status="ok" if chisq else "failed")
        for job, (_, chisq) in enumerate(fits, 1)
    ]  # fmt: skip
    kept = reduced("Batch", results, JobList("frames", 0, 5, (*inputs, *inputs, *inputs)))
    row = kept.read(dataset="a")
    assert (row["job"], row["chisq"], row["reduced_chisq"], row["ok"], row["failed"]) == ("1.1.3", 4.0, 1.0, 3, 0)
    assert row["parameters"][0]["value"] == 4.0 and kept.read(dataset="a", what="curve") == {"x": [3]}
    assert kept.read(dataset="b")["failed"] == 1
    said = [dict(ElementTree.fromstring(text.encode()).attrib) for text in kept.messages]
    assert said == [
        {"gid": f"{SID}.1", "fitted": "1.1.1", "dataset": "a"},
        {"gid": f"{SID}.1", "fitted": "1.1.2", "dataset": "b"},
    ]


def test_a_job_without_a_data_set_is_one_of_its_own() -> None:
    kept = reduced("Batch", [result(1, {"chisq": 3.0}), result(2, {"chisq": 2.0})])
    assert kept.read(dataset="1.1.1")["chisq"] == 3.0 and kept.read(dataset="1.1.2")["chisq"] == 2.0


# a million


class Forgetful:
    """An archive that takes everything."""

    def put(self, keys: object, text: str) -> None:
        pass

    def putMsg(self, gid: str, text: str) -> None:  # noqa: N802 (PARK's name)
        pass


@pytest.mark.parametrize("classname", ["Chisq", "Collect", "Histogram", "Stats"])
def test_memory_stays_flat(classname: str) -> None:
    """Fifty thousand replies more take no more room than the first five thousand did."""
    draw = random.Random(1)

    def replies(start: int, stop: int) -> Any:
        return (result(job, f'{{"chisq": {draw.lognormvariate(3, 2)!r}}}') for job in range(start, stop))

    lists = (jobs(10**9),)
    reducer = made(classname, Forgetful(), lists)

    def feed(start: int, stop: int) -> int:
        for one in replies(start, stop):
            reducer(ReducedReply(one, lists[0]))
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        before = feed(1, 5001)
        after = feed(5001, 55_001)
    finally:
        tracemalloc.stop()
    assert after - before < 200_000


def test_statistics_agree_with_the_standard_library() -> None:
    values = [random.Random(seed).expovariate(1) for seed in range(300)]
    column = reduced("Stats", [result(job, {"v": v}) for job, v in enumerate(values, 1)]).read(what="stats")["values"][
        "v"
    ]
    assert column["mean"] == pytest.approx(statistics.fmean(values))
    assert math.sqrt(column["variance"]) == pytest.approx(statistics.stdev(values))
