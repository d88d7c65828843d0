"""The libraries that take an executor, or a map: the same answer on a spool as alone, seeded."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import executors
import numpy as np
import pytest
from asking import until_ready
from daemons import Site, until

from park_spool.client.executor import SpoolExecutor

Needs = Callable[[str], str]


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SpoolExecutor]:
    with Site(tmp_path_factory.mktemp("libraries"), "spoold", "noded") as site:
        until_ready(site)
        with SpoolExecutor(site.config) as made:
            yield made
        until(lambda: not any((site.spool / "sessions").glob("2*")), 30, "the end of the executor")
        site.assert_running()
        site.assert_legal()


def rosen(x: Any) -> float:
    return float(np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2))


def log_probability(theta: Any, width: float) -> float:
    return -0.5 * float(np.sum((theta / width) ** 2))


def decay(x: Any, amplitude: float, rate: float) -> Any:
    return amplitude * np.exp(-rate * x)


def test_differential_evolution(pool: SpoolExecutor, needs: Needs) -> None:
    needs("scipy")
    from scipy.optimize import differential_evolution

    def fit(**options: Any) -> Any:
        return differential_evolution(rosen, [(-2, 2)] * 3, seed=7, maxiter=8, popsize=5, polish=False, **options)

    alone, spread = fit(updating="deferred"), fit(updating="deferred", workers=pool)
    assert np.array_equal(alone.x, spread.x) and alone.fun == spread.fun and alone.nfev == spread.nfev


def test_brute(pool: SpoolExecutor, needs: Needs) -> None:
    needs("scipy")
    from scipy.optimize import brute

    def fit(**options: Any) -> Any:
        return brute(rosen, [slice(-2, 2, 0.25)] * 2, full_output=True, finish=None, **options)

    for one, other in zip(fit(), fit(workers=pool), strict=True):
        assert np.array_equal(one, other)


def test_least_squares_with_finite_differences(pool: SpoolExecutor, needs: Needs) -> None:
    needs("scipy")
    from scipy.optimize import least_squares

    x = np.linspace(0, 4, 50)
    y = decay(x, 3.0, 0.7) + 0.01 * np.cos(20 * x)

    def residuals(parameters: Any) -> Any:
        return decay(x, *parameters) - y

    alone, spread = least_squares(residuals, [1.0, 1.0]), least_squares(residuals, [1.0, 1.0], workers=pool)
    assert np.array_equal(alone.x, spread.x) and alone.cost == spread.cost


def test_emcee(pool: SpoolExecutor, needs: Needs) -> None:
    needs("emcee")
    import emcee

    def sample(**options: Any) -> Any:
        sampler = emcee.EnsembleSampler(8, 2, log_probability, args=(2.0,), **options)
        start = np.random.default_rng(3).normal(size=(8, 2))
        state = emcee.State(start, random_state=np.random.RandomState(5).get_state())
        sampler.run_mcmc(state, 10)
        return sampler.get_chain(), sampler.get_log_prob()

    for one, other in zip(sample(), sample(pool=pool), strict=True):
        assert np.array_equal(one, other)


def test_refnx_samples_in_the_pool(pool: SpoolExecutor, needs: Needs) -> None:
    needs("refnx")
    from refnx.analysis import CurveFitter, Model, Objective, Parameters, possibly_create_parameter
    from refnx.dataset import Data1D

    x = np.linspace(0, 4, 30)
    data = Data1D((x, decay(x, 3.0, 0.7), np.full_like(x, 0.1)))

    def sample(pool: Any) -> Any:
        amplitude = possibly_create_parameter(2.0, name="amplitude", vary=True, bounds=(0, 10))
        rate = possibly_create_parameter(1.0, name="rate", vary=True, bounds=(0, 10))
        model = Model(Parameters([amplitude, rate]), lambda x, p: decay(x, p[0].value, p[1].value))
        fitter = CurveFitter(Objective(model, data), nwalkers=8)
        fitter.initialise("jitter", random_state=1)
        fitter.sample(8, random_state=2, pool=pool, verbose=False)
        return fitter.chain

    assert np.array_equal(sample(1), sample(pool))


def test_lmfit_brute(pool: SpoolExecutor, needs: Needs) -> None:
    needs("lmfit")
    import lmfit

    parameters = lmfit.Parameters()
    parameters.add("x", value=0.0, min=-2.0, max=2.0, brute_step=0.5)
    parameters.add("y", value=0.0, min=-2.0, max=2.0, brute_step=0.5)

    def residual(given: Any) -> float:
        return float((given["x"].value - 0.5) ** 2 + (given["y"].value + 1.0) ** 2)

    def fit(**options: Any) -> Any:
        return lmfit.Minimizer(residual, parameters).brute(keep=5, **options)

    alone, spread = fit(), fit(workers=pool)
    assert np.array_equal(alone.brute_Jout, spread.brute_Jout) and np.array_equal(alone.brute_x0, spread.brute_x0)


# joblib


@pytest.fixture
def joblib(pool: SpoolExecutor, needs: Needs) -> Any:
    needs("joblib")
    import joblib

    from park_spool.client import joblib_backend

    joblib_backend.register()
    return joblib


def test_joblib(pool: SpoolExecutor, joblib: Any) -> None:
    with joblib.parallel_config(backend="spool", pool=pool):
        found = joblib.Parallel()(joblib.delayed(executors.add)(x) for x in range(200))
        assert found == list(range(1, 201))
        shift = 10
        assert joblib.Parallel(n_jobs=2)(joblib.delayed(lambda x: x + shift)(x) for x in range(9)) == list(
            range(10, 19)
        )
        assert set(joblib.Parallel(batch_size=1)(joblib.delayed(os.getpid)() for _ in range(20))) != {os.getpid()}
        assert joblib.effective_n_jobs(-1) == len(os.sched_getaffinity(0))
        assert joblib.effective_n_jobs(3) == 3


def test_joblib_yields_as_it_goes(pool: SpoolExecutor, joblib: Any) -> None:
    with joblib.parallel_config(backend="spool", pool=pool):
        results = joblib.Parallel(return_as="generator")(joblib.delayed(executors.add)(x) for x in range(30))
        assert [next(results) for _ in range(3)] == [1, 2, 3]
        assert list(results) == list(range(4, 31))


def test_joblib_raises_what_a_call_raises(pool: SpoolExecutor, joblib: Any) -> None:
    with joblib.parallel_config(backend="spool", pool=pool):
        with pytest.raises(ValueError, match="no film"):
            joblib.Parallel()(joblib.delayed(executors.fail)("no film") for _ in range(50))
        assert joblib.Parallel()(joblib.delayed(executors.add)(x) for x in range(3)) == [1, 2, 3]


def nested(joblib: Any, count: int) -> list[int]:
    found: list[int] = joblib.Parallel(n_jobs=2)(joblib.delayed(executors.add)(x) for x in range(count))
    return found


def test_joblib_inside_joblib(pool: SpoolExecutor, joblib: Any) -> None:
    with joblib.parallel_config(backend="spool", pool=pool):
        assert joblib.Parallel()(joblib.delayed(nested)(joblib, 3) for _ in range(4)) == [[1, 2, 3]] * 4


def test_joblib_must_be_told_which_executor(joblib: Any) -> None:
    with pytest.raises(ValueError, match=r"expected an executor: parallel_config"):
        joblib.parallel_config(backend="spool")


def test_joblib_counts_as_it_does_elsewhere(pool: SpoolExecutor, joblib: Any) -> None:
    from park_spool.client.joblib_backend import SpoolBackend

    backend = SpoolBackend(pool)
    cpus = len(os.sched_getaffinity(0))
    assert [backend.effective_n_jobs(n) for n in (None, 1, 7, -1, -2, -100)] == [1, 1, 7, cpus, max(1, cpus - 1), 1]
    with pytest.raises(ValueError, match="n_jobs == 0 in Parallel has no meaning"):
        backend.effective_n_jobs(0)
