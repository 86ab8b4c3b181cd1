"""The Cox model that a network starts from."""

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter
from numpy.typing import NDArray

from nnunetv2_adamss.metrics.concordance import harrell_c
from nnunetv2_adamss.survival.covariates.cox_anchor import Anchor
from nnunetv2_adamss.survival.discrete_time.intervals import interval_labels

N = 150


def outcomes(log_hazard: NDArray[np.float64], seed: int) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    event_time = rng.exponential(np.exp(-log_hazard))
    censored_at = rng.uniform(0.5, 3, len(log_hazard))
    return event_time <= censored_at, np.minimum(event_time, censored_at) + 0.01


def test_on_covariates_alone_it_is_the_ridge_cox_model_of_lifelines() -> None:
    covariates = np.random.default_rng(0).normal(size=(N, 3))
    event, time = outcomes(covariates @ [1.0, -0.5, 0.0], 1)
    anchor = Anchor.fit(np.zeros((N, 0)), covariates, event, time, seed=0)
    table = pd.DataFrame(covariates).rename(columns=str).assign(event=event, time=time)
    expected = CoxPHFitter(penalizer=0.1).fit(table, "time", "event").params_
    np.testing.assert_allclose(anchor.weights, expected, rtol=1e-6)
    assert anchor.n_components == 0
    assert anchor.mean == pytest.approx(float((covariates @ expected).mean()))


def test_a_signal_in_image_features_is_found_beside_a_larger_one_without_a_say() -> None:
    # As pooled features are: nearly all variance is the tumour's size, and the signal is a small part of the rest.
    rng = np.random.default_rng(2)
    size, signal, covariates = (rng.normal(size=(2 * N, k)) for k in (1, 1, 2))
    features = (
        10 * size @ rng.normal(size=(1, 30))
        + signal @ rng.normal(size=(1, 30))
        + 0.3 * rng.normal(size=(2 * N, 30))
    )
    event, time = outcomes(covariates[:, 0] + signal[:, 0], 3)
    training, unseen = slice(N), slice(N, None)
    anchor = Anchor.fit(features[training], covariates[training], event[training], time[training], seed=0)
    risk = np.hstack([features, covariates]) @ anchor.weights
    alone = covariates @ anchor.weights[-2:]
    c_index = [harrell_c(r[unseen], event[unseen], time[unseen]).c_index or 0 for r in (risk, alone)]
    assert anchor.n_components > 0
    assert c_index[0] > c_index[1] + 0.05
    assert abs(np.corrcoef(features @ anchor.weights[:-2], signal[:, 0])[0, 1]) > 0.9


def test_image_features_without_a_signal_cost_next_to_nothing() -> None:
    losses = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        features, covariates = rng.normal(size=(2 * N, 40)), rng.normal(size=(2 * N, 2))
        event, time = outcomes(covariates[:, 0], seed)
        anchor = Anchor.fit(features[:N], covariates[:N], event[:N], time[:N], seed=0)
        both, alone = np.hstack([features, covariates]) @ anchor.weights, covariates @ anchor.weights[-2:]
        with_image, without = (harrell_c(r[N:], event[N:], time[N:]).c_index or 0 for r in (both, alone))
        losses.append(without - with_image)
    assert np.mean(losses) < 0.02


def test_image_features_that_repeat_each_other_are_no_more_than_one() -> None:
    one = np.random.default_rng(5).normal(size=(N, 1))
    event, time = outcomes(one[:, 0], 6)
    features = np.hstack([one * scale for scale in (1.0, -2.0, 0.5, 3.0, 1e-3, 0.0)] + [np.ones((N, 2))])
    anchor = Anchor.fit(features, np.zeros((N, 0)), event, time, seed=0)
    assert anchor.n_components == 1
    assert np.corrcoef(features @ anchor.weights, one[:, 0])[0, 1] == pytest.approx(1)


def test_features_that_hardly_vary_do_not_decide_the_risk() -> None:
    """Channels that fire in few training cases, and rounding errors: they would be large numbers as z-scores."""
    rng = np.random.default_rng(7)
    features = rng.normal(size=(N, 60))
    hardly = np.hstack(
        [rng.uniform(0, 1e-5, (N, 6)) * (rng.random((N, 6)) < 0.03), 0.3 + 1e-8 * rng.normal(size=(N, 5))]
    )
    event, time = outcomes(features[:, :3].sum(axis=1), 8)
    anchor = Anchor.fit(np.hstack([features, hardly]), np.zeros((N, 0)), event, time, seed=0)
    assert anchor.n_components > 0
    risk = features @ anchor.weights[:60]
    assert abs(anchor.weights[60:66]).sum() * 1e-3 < 0.1 * risk.std()
    assert abs(anchor.weights[66:]).sum() * 1e-6 < 1e-3 * risk.std()


def test_it_starts_at_the_survival_of_the_cases_in_a_batch() -> None:
    edges = np.array([0.0, 1.0, 2.0])
    event, time = np.array([True, True, False, False]), np.array([0.5, 1.5, 3.0, 3.0])
    anchor = Anchor(np.array([2.0]), mean=0.25, n_components=0, ridge=None)
    labels = interval_labels(edges, event, time)
    # The first interval has 3 survivors and 1 event, the second 2 and 1; half a case is added to each.
    expected = np.log([3.5 / 1.5, 2.5 / 1.5]) + 0.25
    np.testing.assert_allclose(anchor.start_logits(labels, np.ones(4)), expected)
    # Events twice as often as censored cases, in weights of mean 1: 4/3 and 2/3.
    survived, failed = [2 * 2 / 3 + 4 / 3 + 0.5, 2 * 2 / 3 + 0.5], [4 / 3 + 0.5, 4 / 3 + 0.5]
    twice = anchor.start_logits(labels, np.where(event, 2.0, 1.0))
    np.testing.assert_allclose(twice, np.log(np.divide(survived, failed)) + 0.25)


def test_without_any_input_it_is_empty() -> None:
    event, time = outcomes(np.zeros(N), 4)
    anchor = Anchor.fit(np.zeros((N, 0)), np.zeros((N, 0)), event, time, seed=0)
    assert anchor.weights.shape == (0,)
    assert anchor.mean == 0
