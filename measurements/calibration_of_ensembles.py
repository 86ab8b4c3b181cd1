"""Slope of calibrated curves of an ensemble in new patients, by several ways of calibration; 1 is right.

Simulated cohorts of 250 patients, 8 features of which 3 carry the risk, six intervals. K discrete-time models are
trained as the folds of a cross-validation: on the features themselves ("linear"), or on a random hidden layer that
differs between folds ("network"), so that folds differ as networks with other initial weights do; both with much and
with little L2. Calibration uses only the out-of-fold predictions and outcomes of these patients. Then all K models
predict 3,000 new patients, and a slope is fitted to the calibrated curves: above 1 they are too flat, below 1
overconfident.

Ways: "fold": one fold, calibrated. "0.1": each fold calibrated, curves averaged, as in version 0.1. The others average
logits first and then correct them by the slope of a fold times 1 / (r + (1 - r) / K), where r, the correlation of
folds in new patients, is: "root", the root of that slope, which ``prediction/calibration_fit.py`` takes; "slope", the
slope itself; "in-sample", measured on cases that both folds were trained on; "half", on cases that one of them was
trained on; "new", on the new patients themselves.

    python measurements/calibration_of_ensembles.py -o measurements/results/calibration_of_ensembles.json
"""

import argparse
import json
import logging
from itertools import combinations
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from nnunetv2_adamss.common.files import write_atomically
from nnunetv2_adamss.prediction.calibration import Calibration
from nnunetv2_adamss.survival.discrete_time.intervals import IntervalLabels, interval_labels

N_PATIENTS, N_NEW, N_FEATURES, N_INFORMATIVE, N_INTERVALS = 250, 3000, 8, 3, 6
TIMES = np.arange(1.0, N_INTERVALS + 1)
LOGIT_OF_SURVIVAL = 2.2
KINDS = {"network": (0.03, 1.0), "linear": (1.0, 30.0)}  # with little and much L2
STRENGTHS = (0.6, 1.0, 1.8)  # log odds per standard deviation of the risk
N_FOLDS = (3, 5)
N_HIDDEN = 60

Array = NDArray[np.float64]


class Cohort(NamedTuple):
    """Features ``(n, 8)``, event and time ``(n,)``, and their labels."""

    features: Array
    event: NDArray[np.bool_]
    time: Array
    labels: IntervalLabels


def draw(n_cases: int, strength: float, rng: np.random.Generator) -> Cohort:
    """Draw patients, about a third of them censored."""
    features = rng.standard_normal((n_cases, N_FEATURES))
    risk = strength * features[:, :N_INFORMATIVE].sum(axis=1) / np.sqrt(N_INFORMATIVE)
    dies = rng.random((n_cases, N_INTERVALS)) < expit(risk - LOGIT_OF_SURVIVAL)[:, None]
    death = np.where(dies.any(axis=1), dies.argmax(axis=1), N_INTERVALS)
    censored = rng.integers(2, N_INTERVALS + 3, n_cases)
    event = (death < N_INTERVALS) & (death < censored)
    time = np.where(event, death + 0.5, np.minimum(censored, N_INTERVALS))
    return Cohort(features, event, time, interval_labels(np.append(0, TIMES), event, time))


class Model:
    """One score and an intercept for each interval, by penalised likelihood of discrete time (Newton's method)."""

    def __init__(self, train: Cohort, kind: str, l2: float, rng: np.random.Generator) -> None:
        n_hidden = 0 if kind == "linear" else N_HIDDEN
        self.first = 1.5 * rng.standard_normal((N_FEATURES, n_hidden)) / np.sqrt(N_FEATURES)
        self.bias = 0.5 * rng.standard_normal(n_hidden)
        inputs = self.inputs(train.features)
        self.weights, self.intercepts = newton(inputs, train.labels, l2)

    def inputs(self, features: Array) -> Array:
        return np.tanh(features @ self.first + self.bias) if self.first.size else features

    def logits(self, features: Array) -> Array:
        """Return logits of surviving each interval, ``(n, n_intervals)``."""
        return self.intercepts + (self.inputs(features) @ self.weights)[:, None]


def newton(inputs: Array, labels: IntervalLabels, l2: float) -> tuple[Array, Array]:
    n_inputs = inputs.shape[1]
    at_risk = labels.survived + labels.failed
    weights, intercepts = np.zeros(n_inputs), np.full(N_INTERVALS, LOGIT_OF_SURVIVAL)
    for _ in range(30):
        prob = expit(intercepts + (inputs @ weights)[:, None])
        residual, curvature = at_risk * prob - labels.survived, at_risk * prob * (1 - prob)
        gradient = np.concatenate([inputs.T @ residual.sum(axis=1) + l2 * weights, residual.sum(axis=0)])
        mixed = inputs.T @ curvature
        of_weights = inputs.T @ (inputs * curvature.sum(axis=1)[:, None]) + l2 * np.eye(n_inputs)
        hessian = np.block([[of_weights, mixed], [mixed.T, np.diag(curvature.sum(axis=0) + 1e-3)]])
        step = np.linalg.solve(hessian, gradient)
        step *= min(1.0, 2 / np.abs(step).max())
        weights, intercepts = weights - step[:n_inputs], intercepts - step[n_inputs:]
        if np.abs(step).max() < 1e-5:
            break
    return weights, intercepts


def curve_of(logits: Array) -> Array:
    return np.cumprod(expit(logits), axis=-1)


def slope_of(curve: Array, labels: IntervalLabels) -> float:
    """Fit the slope that curves still need, with an intercept for each interval; no prior, no limits."""
    before = np.concatenate([np.ones_like(curve[:, :1]), curve[:, :-1]], axis=1)
    logits = logit(np.clip(curve / before, 1e-6, 1 - 1e-6))
    slope, intercepts = 1.0, np.zeros(N_INTERVALS)
    for _ in range(30):
        prob, at_risk = expit(slope * logits + intercepts), labels.survived + labels.failed
        residual, curvature = at_risk * prob - labels.survived, at_risk * prob * (1 - prob) + 1e-12
        gradient = np.append((residual * logits).sum(), residual.sum(axis=0))
        mixed = (curvature * logits).sum(axis=0)[:, None]
        hessian = np.block(
            [[(curvature * logits**2).sum(keepdims=True), mixed.T], [mixed, np.diag(curvature.sum(axis=0))]]
        )
        step = np.linalg.solve(hessian, gradient)
        step *= min(1.0, 2 / np.abs(step).max())
        slope, intercepts = slope - step[0], intercepts - step[1:]
        if np.abs(step).max() < 1e-6:
            break
    return float(slope)


def covariance(first: Array, second: Array) -> float:
    return float(((first - first.mean(axis=0)) * (second - second.mean(axis=0))).mean())


def correlation(first: Array, second: Array) -> float:
    return covariance(first, second) / np.sqrt(covariance(first, first) * covariance(second, second))


def correlations(logits: Array, fold: NDArray[np.int64], of_new: Array) -> dict[str, float]:
    """Return the correlation of two folds in three kinds of patients; ``(n_folds, n, n_intervals)`` each."""
    pairs = list(combinations(range(len(logits)), 2))
    trained = [(fold != i) & (fold != j) for i, j in pairs]
    both_ways = [*pairs, *((j, i) for i, j in pairs)]
    in_sample = [
        correlation(logits[i][both], logits[j][both]) for (i, j), both in zip(pairs, trained, strict=True)
    ]
    half = [
        covariance(logits[i][own], logits[j][own]) / covariance(logits[i][own], logits[i][own])
        for i, j in both_ways
        for own in [fold == i]
    ]
    new = [correlation(of_new[i], of_new[j]) for i, j in pairs]
    return {"in-sample": float(np.mean(in_sample)), "half": float(np.mean(half)), "new": float(np.mean(new))}


def run(kind: str, l2: float, strength: float, n_folds: int, seed: int) -> dict[str, dict[str, float]]:
    """Return slopes and mean squared errors from the true curves, by way of calibration, and correlations."""
    rng = np.random.default_rng(seed)
    cohort, new = draw(N_PATIENTS, strength, rng), draw(N_NEW, strength, rng)
    risk = strength * new.features[:, :N_INFORMATIVE].sum(axis=1) / np.sqrt(N_INFORMATIVE)
    truth = curve_of(np.repeat((LOGIT_OF_SURVIVAL - risk)[:, None], N_INTERVALS, axis=1))
    fold = rng.permutation(N_PATIENTS) % n_folds
    models = [Model(of_fold(cohort, fold != k), kind, l2, rng) for k in range(n_folds)]
    logits = np.stack([model.logits(cohort.features) for model in models])
    of_new = np.stack([model.logits(new.features) for model in models])
    out_of_fold = logits[fold, np.arange(N_PATIENTS)]
    calibration = Calibration.fit(
        curve_of(out_of_fold), cohort.event, cohort.time, TIMES, time_unit="years", n_averaged=n_folds
    )
    curves = {
        "fold": calibration.apply(curve_of(of_new[0])),
        "0.1": calibration.apply(curve_of(of_new)).mean(axis=0),
        "root": calibration.apply_to_folds(curve_of(of_new))[0],
    }
    found = correlations(logits, fold, of_new)
    found["slope"] = min(1.0, calibration.slope)
    for name, r in found.items():
        curves[name] = by_correlation(calibration, out_of_fold, cohort.labels, of_new, np.clip(r, 0.01, 1))
    return {
        "slope": {name: slope_of(curve, new.labels) for name, curve in curves.items()},
        "error": {name: float(((curve - truth) ** 2).mean()) for name, curve in curves.items()},
        "correlation": found | {"root": min(1.0, float(np.sqrt(calibration.slope)))},
        "of a fold": {"slope": calibration.slope},
    }


def of_fold(cohort: Cohort, cases: NDArray[np.bool_]) -> Cohort:
    labels = IntervalLabels(cohort.labels.survived[cases], cohort.labels.failed[cases])
    return Cohort(cohort.features[cases], cohort.event[cases], cohort.time[cases], labels)


def by_correlation(
    calibration: Calibration, out_of_fold: Array, labels: IntervalLabels, of_new: Array, r: float
) -> Array:
    """Return the curves of the folds together, if their correlation is r."""
    share = r + (1 - r) / len(of_new)
    mean, slope = out_of_fold.mean(axis=0), calibration.slope / share
    spread, at_risk = mean + (out_of_fold - mean) * np.sqrt(share), labels.survived + labels.failed
    intercepts = np.zeros(N_INTERVALS)
    for _ in range(50):
        prob = expit(slope * spread + intercepts)
        step = (at_risk * prob - labels.survived).sum(axis=0) / (
            (at_risk * prob * (1 - prob)).sum(axis=0) + 1e-6
        )
        intercepts -= np.clip(step, -1, 1)
    return curve_of(slope * of_new.mean(axis=0) + intercepts)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--cohorts", type=int, default=12, help="of each kind (default: %(default)s)")
    args = parser.parse_args()
    logging.getLogger("nnunetv2_adamss").setLevel(logging.ERROR)
    start, rows = perf_counter(), []
    args.output.parent.mkdir(parents=True, exist_ok=True)
    for kind, penalties in KINDS.items():
        for l2 in penalties:
            for strength in STRENGTHS:
                for n_folds in N_FOLDS:
                    runs = [run(kind, l2, strength, n_folds, seed) for seed in range(args.cohorts)]
                    medians = {
                        what: {
                            name: float(np.median([one[what][name] for one in runs]))
                            for name in runs[0][what]
                        }
                        for what in runs[0]
                    }
                    rows.append({"kind": kind, "l2": l2, "strength": strength, "folds": n_folds, **medians})
                    print(kind, l2, strength, n_folds, rounded(medians), flush=True)
                    content = {
                        "cohorts": args.cohorts,
                        "seconds": round(perf_counter() - start, 1),
                        "rows": rows,
                    }
                    write_atomically(args.output, json.dumps(content, indent=1) + "\n")


def rounded(medians: dict[str, dict[str, float]]) -> str:
    return "; ".join(
        f"{what} " + ", ".join(f"{name} {value:.3g}" for name, value in of_what.items())
        for what, of_what in medians.items()
    )


if __name__ == "__main__":
    main()
