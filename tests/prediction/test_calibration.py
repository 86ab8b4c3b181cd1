"""Calibration against known truth: by hand, on simulated cohorts, and on a real one against Kaplan-Meier."""

import json
import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from lifelines import CoxPHFitter, KaplanMeierFitter
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from nnunetv2_adamss.common.files import sha256_of
from nnunetv2_adamss.metrics.risk import risk_score_from_time
from nnunetv2_adamss.prediction.calibration import Calibration
from nnunetv2_adamss.prediction.calibration_files import (
    read_calibration,
    read_model_calibrations,
    write_calibration,
    write_model_calibrations,
)
from nnunetv2_adamss.prediction.calibration_fit import MIN_SLOPE, limited_logits, logit_limits
from nnunetv2_adamss.prediction.cross_fit import cross_fitted
from nnunetv2_adamss.survival.discrete_time.curve import predicted_time_at, survival_curve
from nnunetv2_adamss.survival.discrete_time.intervals import interval_edges, interval_labels

TIMES = np.array([10.0, 20.0, 40.0, 80.0])
Outcomes = tuple[NDArray[np.bool_], NDArray[np.float64]]


def draw_outcomes(
    rng: np.random.Generator, survival_prob: NDArray[np.float64], times: NDArray[np.float64] = TIMES
) -> Outcomes:
    """Event and time of patients with these conditional probabilities, some of them censored at an edge."""
    n_cases, n_intervals = survival_prob.shape
    dies = rng.random(survival_prob.shape) > survival_prob
    died_in = np.where(dies.any(axis=1), dies.argmax(axis=1), n_intervals)
    censored_at = rng.choice(
        n_intervals + 1, n_cases, p=[0.1, *[0.1] * (n_intervals - 1), 1 - 0.1 * n_intervals]
    )
    event = died_in < np.maximum(censored_at, 1)
    edges = np.append(0, times)
    inside = edges[:-1] + 0.5 * np.diff(edges)
    time = np.where(event, inside[np.minimum(died_in, n_intervals - 1)], edges[np.maximum(censored_at, 1)])
    return event, time


def fit(curve: NDArray[np.float64], outcomes: Outcomes, times: NDArray[np.float64] = TIMES) -> Calibration:
    return Calibration.fit(curve, *outcomes, times, time_unit="months")


def kaplan_meier(outcomes: Outcomes, times: NDArray[np.float64]) -> NDArray[np.float64]:
    event, time = outcomes
    return KaplanMeierFitter().fit(time, event).survival_function_at_times(times).to_numpy()


# ------------------------------------------------------------------------------------- what is recovered


def test_one_interval_computed_by_hand() -> None:
    # 30 of 40 survive, where 0.9 was predicted for everyone: odds 3 instead of 9.
    event, time = np.repeat([True, False], [10, 30]), np.full(40, 10.0)
    found = fit(np.full((40, 1), 0.9), (event, time), np.array([10.0]))
    assert found.slope == pytest.approx(1, abs=1e-5)
    assert found.intercepts == (pytest.approx(np.log(3 / 9), abs=1e-5),)
    assert found.apply(np.array([[0.9], [0.5]])) == pytest.approx(np.array([[0.75], [0.25]]), abs=1e-5)
    assert found.risk_threshold == pytest.approx(-7.5, abs=1e-4)
    assert (found.n_cases, found.n_events) == (40, 10)


def test_a_known_slope_and_intercepts_are_recovered() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(1.5, 1.0, (8000, 1)) + rng.normal(0, 0.7, (8000, len(TIMES)))
    true_slope, true_intercepts = 0.6, np.array([1.0, 0.2, -0.3, 0.8])
    outcomes = draw_outcomes(rng, expit(true_slope * logits + true_intercepts))
    found = fit(survival_curve(expit(logits)), outcomes)
    assert found.slope == pytest.approx(true_slope, abs=0.06)
    assert found.intercepts == pytest.approx(true_intercepts, abs=0.15)


def test_it_is_the_logistic_regression_of_patients_and_intervals_where_data_outweigh_the_ridge() -> None:
    rng = np.random.default_rng(1)
    logits = rng.normal(1, 1, (20_000, len(TIMES)))
    event, time = draw_outcomes(rng, expit(0.7 * logits - 0.2))
    labels = interval_labels(np.append(0, TIMES), event, time)
    case, interval = np.nonzero(labels.survived + labels.failed)
    rows = np.column_stack([logits[case, interval], np.eye(len(TIMES))[interval]])
    oracle = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-8, max_iter=1000)
    oracle.fit(rows, labels.survived[case, interval])
    found = fit(survival_curve(expit(logits)), (event, time))
    assert [found.slope, *found.intercepts] == pytest.approx(oracle.coef_[0], abs=2e-3)


def test_it_undoes_the_bend_of_balanced_batches() -> None:
    """A model that learned from as many events as censored patients, calibrated and evaluated on two other cohorts."""
    rng = np.random.default_rng(2)

    def cohort(n_cases: int) -> tuple[NDArray[np.float64], NDArray[np.float64], Outcomes]:
        x = rng.normal(size=(n_cases, 1))
        prob = expit(np.array([3.5, 3.0, 3.2, 2.8]) - 0.8 * x)
        return x, survival_curve(prob), draw_outcomes(rng, prob)

    x, _, (event, time) = cohort(20_000)
    balanced = np.concatenate(
        [np.flatnonzero(event), rng.choice(np.flatnonzero(~event), event.sum(), replace=False)]
    )
    labels = interval_labels(np.append(0, TIMES), event[balanced], time[balanced])
    case, interval = np.nonzero(labels.survived + labels.failed)
    model = LogisticRegression(C=np.inf, fit_intercept=False)
    model.fit(
        np.column_stack([x[balanced][case], np.eye(len(TIMES))[interval]]), labels.survived[case, interval]
    )

    def predict(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return survival_curve(expit(model.coef_[0, 1:] + model.coef_[0, 0] * x))

    x, _, outcomes = cohort(5000)
    calibration = fit(predict(x), outcomes)
    x, truth, _ = cohort(5000)
    bent = predict(x)
    assert (truth - bent).mean(axis=0)[-1] > 0.2
    calibrated = calibration.apply(bent)
    assert np.abs((truth - calibrated).mean(axis=0)).max() < 0.02
    assert np.abs(truth - calibrated).mean() < 0.03


def test_bent_predictions_of_a_real_cohort_agree_with_kaplan_meier_afterwards(real_data: Path) -> None:
    table = pd.read_csv(real_data / "tables" / "hn_petct_vallieres2017_clinical.csv")
    rows = table[["Age", "time_Death", "event_Death"]].assign(
        late_t=table["T_stage"] >= 3, late_n=table["N_stage"] >= 2
    )
    rows = rows.dropna().astype(float)
    event, time = rows["event_Death"].to_numpy() > 0, rows["time_Death"].to_numpy()
    times = interval_edges(event, time)[1:-1]
    curve = np.empty((len(rows), len(times)))
    for training, left_out in StratifiedKFold(5, shuffle=True, random_state=0).split(rows, event):
        cox = CoxPHFitter(penalizer=0.1).fit(rows.iloc[training], "time_Death", "event_Death")
        curve[left_out] = cox.predict_survival_function(rows.iloc[left_out], times=times).to_numpy().T
    before = np.column_stack([np.ones(len(rows)), curve[:, :-1]])
    bent = survival_curve(expit(2 * logit(np.clip(curve / before, 1e-6, 1 - 1e-6)) - 6))
    observed = kaplan_meier((event, time), times)
    assert np.abs(bent.mean(axis=0) - observed).max() > 0.3
    calibrated = fit(bent, (event, time), times).apply(bent)
    assert np.abs(calibrated.mean(axis=0) - observed).max() < 0.05


# ------------------------------------------------------------------------------------------- properties


@given(
    arrays(np.float64, (6, 4), elements=st.floats(0, 1)),
    st.floats(MIN_SLOPE, 5),
    arrays(np.float64, 4, elements=st.floats(-5, 5)),
)
def test_calibrated_curves_fall_and_keep_the_order_of_patients_in_every_interval(
    prob: NDArray[np.float64], slope: float, intercepts: NDArray[np.float64]
) -> None:
    calibration = Calibration(tuple(TIMES), slope, tuple(intercepts), 0.0, 1, 1, "days")
    curves = survival_curve(np.sort(prob, axis=0))
    found = calibration.apply(curves)
    assert ((found >= 0) & (found <= 1)).all()
    assert (np.diff(found, axis=1) <= 0).all()
    # A patient without a chance of reaching an interval has no probability in it; below the smallest normal number,
    # rounding has taken it.
    alive = curves[:, -1] >= np.finfo(np.float64).tiny
    assert (np.diff(predicted_time_at(found[alive], TIMES)) >= -1e-9).all()


def test_the_threshold_is_the_median_risk_score_of_the_calibrated_curves() -> None:
    rng = np.random.default_rng(3)
    prob = expit(rng.normal(1, 1, (51, len(TIMES))))
    found = fit(survival_curve(prob), draw_outcomes(rng, prob))
    risk_score = risk_score_from_time(predicted_time_at(found.apply(survival_curve(prob)), TIMES))
    assert sorted(risk_score)[25] == pytest.approx(found.risk_threshold)


def test_predictions_in_the_wrong_order_are_flattened_and_not_reversed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rng = np.random.default_rng(4)
    logits = rng.normal(1, 1, (2000, len(TIMES)))
    outcomes = draw_outcomes(rng, expit(-logits))
    with caplog.at_level(logging.WARNING):
        found = fit(survival_curve(expit(logits)), outcomes)
    assert found.slope == MIN_SLOPE
    assert "do not separate early from late events" in caplog.text
    calibrated = found.apply(survival_curve(expit(logits)))
    assert calibrated.std(axis=0).max() < 0.01
    assert calibrated.mean(axis=0) == pytest.approx(kaplan_meier(outcomes, TIMES), abs=0.03)


def test_an_interval_without_an_event_takes_the_correction_of_the_others_as_far_as_survivors_allow() -> None:
    prob = np.full((200, 4), 0.5)
    # Half of all die in the first interval, none in the second, a third of the rest in the third.
    time = np.repeat([5.0, 30.0, 80.0], [100, 33, 67])
    found = fit(survival_curve(prob), (time < 80, time))
    none_died = found.intercepts[1]
    assert np.isfinite(found.intercepts).all()
    assert none_died > max(found.intercepts[0], found.intercepts[2])
    assert expit(none_died) > 0.95


def test_few_patients_are_fitted_under_a_prior_of_3_logits_around_slope_1_and_the_mean_intercept() -> None:
    rng = np.random.default_rng(7)
    logits = rng.normal(1, 1, (60, 4))
    event, time = draw_outcomes(rng, expit(logits))
    event &= (time <= 10) | (time > 20)  # none in the second interval
    labels = interval_labels(np.append(0, TIMES), event, time)

    def penalised(parameters: NDArray[np.float64]) -> float:
        slope, intercepts = parameters[0], parameters[1:]
        prob = expit(slope * logits + intercepts)
        likelihood = (labels.survived * np.log(prob) + labels.failed * np.log1p(-prob)).sum()
        prior = ((slope - 1) ** 2 + ((intercepts - intercepts.mean()) ** 2).sum()) / (2 * 3**2)
        return float(prior - likelihood)

    oracle = minimize(penalised, np.append(1.0, np.zeros(4)), options={"gtol": 1e-5})
    found = fit(survival_curve(expit(logits)), (event, time))
    assert [found.slope, *found.intercepts] == pytest.approx(oracle.x, abs=1e-4)


@pytest.mark.parametrize("certain", ["dead from the start", "alive throughout", "both"])
def test_curves_that_reach_0_or_1_do_not_decide_on_the_slope(certain: str) -> None:
    """One patient in twenty has such a curve, which does not depend on the outcome."""
    rng = np.random.default_rng(8)
    logits = rng.normal(1.5, 2, (3000, 1)) + np.zeros(len(TIMES))
    outcomes = draw_outcomes(rng, expit(0.25 * logits + 1))
    curve = survival_curve(expit(logits))
    assert fit(curve, outcomes).slope == pytest.approx(0.25, abs=0.03)
    values = {"dead from the start": [0.0], "alive throughout": [1.0], "both": [0.0, 1.0]}[certain]
    curve[:150] = np.resize(values, (150, 1))
    assert fit(curve, outcomes).slope == pytest.approx(0.25, abs=0.03)


def test_after_a_curve_has_reached_0_its_patients_outcomes_say_nothing() -> None:
    rng = np.random.default_rng(9)
    prob = expit(rng.normal(1, 1, (400, len(TIMES))))
    event, time = draw_outcomes(rng, prob)
    curve = survival_curve(prob)
    curve[:40, 1:] = 0  # dead in the second interval
    survived_longer = np.where(np.arange(400) < 40, 80.0, time)
    first = fit(curve, (event & (np.arange(400) >= 40), survived_longer))
    survived_to_third = np.where(np.arange(400) < 40, 40.0, time)
    second = fit(curve, (event & (np.arange(400) >= 40), survived_to_third))
    assert first.slope == pytest.approx(second.slope, abs=1e-5)
    assert first.intercepts == pytest.approx(second.intercepts, abs=1e-4)


def test_logits_that_are_not_certain_are_left_as_they_are() -> None:
    rng = np.random.default_rng(10)
    logits = rng.normal(0, 1, (500, len(TIMES)))
    assert limited_logits(survival_curve(expit(logits)), logit_limits(survival_curve(expit(logits)))) == (
        pytest.approx(logits, abs=1e-9)
    )


def test_the_folds_together_are_steeper_than_one_alone_and_have_kaplan_meiers_mean() -> None:
    """Five folds that share a signal and half of their errors, which the mean of five largely loses."""
    rng = np.random.default_rng(11)
    signal, shared = rng.normal(size=(2, 6000, 1, 1))
    logits = 1.5 + (signal + 0.7 * shared + rng.normal(size=(6000, 5, 1))).transpose(1, 0, 2) + np.zeros(4)
    outcomes = draw_outcomes(rng, expit(1.5 + signal[:, 0] + np.zeros(4)))
    fold = np.arange(6000) % 5
    curves = survival_curve(expit(logits))
    calibrated = fold < 3  # the others are new patients
    own = curves[fold, np.arange(6000)][calibrated]
    known = tuple(values[calibrated] for values in outcomes)
    found = Calibration.fit(own, *known, TIMES, time_unit="months", n_averaged=5)
    assert found.ensemble is not None and found.ensemble.slope > 1.2 * found.slope
    new = tuple(values[~calibrated] for values in outcomes)

    def slope_of(curve: NDArray[np.float64]) -> float:
        return fit(curve, new).slope

    before = slope_of(found.apply(curves[:, ~calibrated]).mean(axis=0))
    together = found.apply_to_folds(curves[:, ~calibrated])[0]
    assert before > 1.25 and abs(slope_of(together) - 1) < 0.5 * (before - 1)
    assert together.mean(axis=0) == pytest.approx(kaplan_meier(new, TIMES), abs=0.03)


def test_one_fold_alone_has_no_ensemble_and_risks_without_signal_are_not_made_steeper() -> None:
    rng = np.random.default_rng(12)
    logits = rng.normal(1, 1, (500, len(TIMES)))
    outcomes = draw_outcomes(rng, expit(-logits))
    assert fit(survival_curve(expit(logits)), outcomes).ensemble is None
    found = Calibration.fit(survival_curve(expit(logits)), *outcomes, TIMES, time_unit="months", n_averaged=5)
    assert found.ensemble is not None and found.ensemble.slope == pytest.approx(MIN_SLOPE)


# ------------------------------------------------------------------------------------------ cross-fitting


def test_a_folds_cross_fitted_curves_do_not_depend_on_its_own_outcomes() -> None:
    rng = np.random.default_rng(13)
    prob = expit(rng.normal(1, 1, (300, len(TIMES))))
    event, time = draw_outcomes(rng, prob)
    curve, fold = survival_curve(prob), np.arange(300) % 3
    found = cross_fitted(curve, event, time, fold, TIMES)
    shuffled = np.flatnonzero(fold == 1)
    order = rng.permutation(shuffled)
    other_event, other_time = event.copy(), time.copy()
    other_event[shuffled], other_time[shuffled] = event[order], time[order]
    others = cross_fitted(curve, other_event, other_time, fold, TIMES)
    assert (others[fold == 1] == found[fold == 1]).all()
    assert (others[fold != 1] != found[fold != 1]).any()
    own = Calibration.fit(curve[fold != 1], event[fold != 1], time[fold != 1], TIMES, time_unit="months")
    assert found[fold == 1] == pytest.approx(own.apply(curve[fold == 1]))


def test_a_cross_fitted_figure_is_more_modest_than_the_apparent_one() -> None:
    """Without any signal the apparent slope is 1 all the same; cross-fitted it is below on average."""
    slopes = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        prob = expit(rng.normal(1, 1, (100, 1)) + np.zeros(len(TIMES)))
        event, time = draw_outcomes(rng, np.full((100, len(TIMES)), 0.8))
        found = cross_fitted(survival_curve(prob), event, time, np.arange(100) % 5, TIMES)
        slopes.append(fit(found, (event, time)).slope)
    assert np.median(slopes) < 0.5


def test_a_single_fold_or_few_events_elsewhere_leave_nothing_to_fit_on() -> None:
    rng = np.random.default_rng(14)
    prob = expit(rng.normal(1, 1, (40, len(TIMES))))
    event, time = draw_outcomes(rng, prob)
    with pytest.raises(ValueError, match="A single fold leaves no others"):
        cross_fitted(survival_curve(prob), event, time, np.zeros(40, dtype=int), TIMES)
    with pytest.raises(ValueError, match="at least 10 events"):
        cross_fitted(survival_curve(prob), event & (np.arange(40) < 12), time, np.arange(40) // 20, TIMES)


def test_certain_predictions_stay_finite() -> None:
    rng = np.random.default_rng(5)
    curve = np.repeat([[1.0, 1, 1, 1], [1, 1, 0, 0], [0, 0, 0, 0]], 20, axis=0)
    found = fit(curve, draw_outcomes(rng, np.full((60, 4), 0.8)))
    assert np.isfinite([found.slope, *found.intercepts, found.risk_threshold]).all()
    assert np.isfinite(found.apply(curve)).all()


# -------------------------------------------------------------------------------------- files and refusals


def some_calibration() -> Calibration:
    rng = np.random.default_rng(6)
    prob = expit(rng.normal(1, 1, (100, len(TIMES))))
    return Calibration.fit(
        survival_curve(prob), *draw_outcomes(rng, prob), TIMES, time_unit="months", folds=(0, 2),
        sha256={"fold 0": "ab"},
    )  # fmt: skip


def test_a_calibration_comes_back_from_its_file_as_it_was(tmp_path: Path) -> None:
    calibration = some_calibration()
    write_calibration(tmp_path / "one.json", calibration)
    assert read_calibration(tmp_path / "one.json") == calibration
    write_model_calibrations(tmp_path, {"checkpoint_final.pth": calibration})
    assert read_model_calibrations(tmp_path) == {"checkpoint_final.pth": calibration}
    assert json.loads((tmp_path / "one.json").read_text())["version"]


def test_a_model_without_a_file_is_not_calibrated(tmp_path: Path) -> None:
    assert read_model_calibrations(tmp_path) == {}


def test_a_calibration_of_the_folds_together_comes_back_too(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    prob = expit(rng.normal(1, 1, (100, len(TIMES))))
    found = Calibration.fit(
        survival_curve(prob), *draw_outcomes(rng, prob), TIMES, time_unit="months", n_averaged=5
    )
    assert found.ensemble is not None and len(found.logit_limits) == len(TIMES)
    write_calibration(tmp_path / "one.json", found)
    assert read_calibration(tmp_path / "one.json") == found


def test_a_calibration_of_version_0_1_gives_the_same_numbers(tmp_path: Path) -> None:
    """It has neither limits nor anything of the folds together; certain probabilities count as 1e-5."""
    old = {
        name: value
        for name, value in some_calibration().to_dict().items()
        if name not in ("logit_limits", "ensemble")
    }
    (tmp_path / "old.json").write_text(json.dumps(old | {"slope": 0.5, "intercepts": [0.1, 0.2, 0.3, 0.4]}))
    found = read_calibration(tmp_path / "old.json")
    curve = np.array([[1.0, 0.6, 0.0, 0.0], [0.9, 0.5, 0.4, 0.1]])
    prob = np.clip(np.array([[1.0, 0.6, 0.0, 0.0], [0.9, 0.5 / 0.9, 0.8, 0.25]]), 1e-5, 1 - 1e-5)
    expected = survival_curve(expit(0.5 * logit(prob) + np.array([0.1, 0.2, 0.3, 0.4])))
    assert found.apply(curve) == pytest.approx(expected)
    assert found.apply_to_folds(np.stack([curve, curve**2]))[0] == pytest.approx(
        (found.apply(curve) + found.apply(curve**2)) / 2
    )
    assert found.threshold_of_average == found.risk_threshold


@pytest.mark.parametrize(
    "change",
    [
        {"logit_limits": [[1.0, -1.0]] * 4},
        {"logit_limits": [[-1.0, 1.0]]},
        {"logit_limits": [1.0] * 4},
        {"ensemble": {"slope": 1.0}},
        {"ensemble": {"slope": 0.0, "intercepts": [0.0] * 4, "risk_threshold": 0.0}},
        {"ensemble": {"slope": 1.0, "intercepts": [0.0], "risk_threshold": 0.0}},
        {"ensemble": 3},
    ],
)
def test_a_faulty_correction_of_the_folds_together_is_refused(
    tmp_path: Path, change: dict[str, object]
) -> None:
    (tmp_path / "one.json").write_text(json.dumps(some_calibration().to_dict() | change))
    with pytest.raises(ValueError, match="one.json does not hold what adamss_calibrate writes"):
        read_calibration(tmp_path / "one.json")


@pytest.mark.parametrize("text", ["no JSON", "[]", "{}", '{"checkpoint_best.pth": {}}', '{"slope": 1}'])
def test_another_file_is_not_a_calibration(tmp_path: Path, text: str) -> None:
    (tmp_path / "other.json").write_text(text)
    with pytest.raises(ValueError, match="other.json does not hold what adamss_calibrate writes"):
        read_calibration(tmp_path / "other.json")


def test_folds_that_were_trained_again_are_noticed(tmp_path: Path) -> None:
    files = {fold: tmp_path / f"{fold}.pth" for fold in range(3)}
    for fold, file in files.items():
        file.write_text(str(fold))
    known = {f"fold {fold}": sha256_of(files[fold]) for fold in (0, 1)}
    calibration = Calibration((1.0,), 1.0, (0.0,), 0.0, 1, 1, "days", (0, 1), known)
    assert calibration.changed_folds(files) == [2]
    files[0].write_text("new")
    assert calibration.changed_folds(files) == [0, 2]


def test_times_read_from_a_file_with_six_digits_are_the_same_times_and_others_are_not() -> None:
    calibration = Calibration((1234.5678, 2000.0), 1.0, (0.0, 0.0), 0.0, 1, 1, "days")
    calibration.check_times(np.array([1234.57, 2000]))
    for others in ([1234.57], [1235.0, 2000]):
        with pytest.raises(ValueError, match="fitted at the times 1234.57, 2000"):
            calibration.check_times(np.array(others))


@pytest.mark.parametrize(
    "change",
    [{"slope": 0.0}, {"slope": float("nan")}, {"times": ()}, {"times": (2.0, 1.0)}, {"intercepts": (1.0,)}],
)
def test_numbers_that_do_not_fit_together_are_refused(change: dict[str, object]) -> None:
    values = some_calibration().to_dict() | change
    with pytest.raises(ValueError, match="a slope above 0"):
        Calibration.from_dict(values)


def test_too_few_events_are_refused_and_those_beyond_the_last_time_do_not_count() -> None:
    event, time = np.ones(20, dtype=bool), np.repeat([50.0, 100.0], [9, 11])
    with pytest.raises(ValueError, match="at least 10 events; there are 9 up to 80 months among 20 cases"):
        fit(np.full((20, 4), 0.5), (event, time))


def test_predictions_that_are_no_numbers_are_refused() -> None:
    event, time = np.ones(20, dtype=bool), np.full(20, 50.0)
    with pytest.raises(ValueError, match="not finite"):
        fit(np.full((20, 4), np.nan), (event, time))
