"""Simulated coverage of 95% intervals of the C-index, from 2 events to 40.

102 patients; the hazard follows a risk score, so that Harrell's C is about 0.7 (also 0.85), and follow-up is so long
that exactly so many patients have the event. The true value is the C of thousands of such cohorts together. A second
score, the first with noise, is for the paired difference. Every cohort gets the plain percentile interval,
as in version 0.1, and that of ``metrics/``, from the same resamples.

    python measurements/interval_coverage.py -o measurements/results/interval_coverage.json
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nnunetv2_adamss.common.files import write_atomically
from nnunetv2_adamss.metrics.concordance import harrell_pairs, lives_longer
from nnunetv2_adamss.metrics.estimate import percentile_interval, two_sided_p
from nnunetv2_adamss.metrics.pairs import PairSums, pooled, sum_pairs
from nnunetv2_adamss.metrics.resampling import ResampledCohort

N_PATIENTS = 102
N_EVENTS = (2, 3, 5, 10, 15, 40)
# Log hazard per standard deviation of the score, for a C of about 0.7 and 0.85.
EFFECTS = {"0.7": 0.75, "0.85": 1.8}
NOISE = 1.0  # of the second score
N_FOR_TRUTH = 4000
BATCH = 2000


class Cohort(NamedTuple):
    """Patients: scores ``(2, n_cases)``, event and time ``(n_cases,)``."""

    scores: NDArray[np.float64]
    event: NDArray[np.bool_]
    time: NDArray[np.float64]


def cohorts(n_events: int, effect: float, rng: np.random.Generator) -> Iterator[Cohort]:
    """Draw cohorts with exactly this number of events; censoring is uniform between 30% and all of the follow-up."""
    follow_up = follow_up_for(n_events, effect, rng)
    while True:
        score = rng.standard_normal((BATCH, N_PATIENTS))
        death = rng.exponential(size=score.shape) * np.exp(-effect * score)
        censoring = rng.uniform(0.3, 1, score.shape) * follow_up
        second = score + NOISE * rng.standard_normal(score.shape)
        event = death <= censoring
        for i in np.flatnonzero(event.sum(axis=1) == n_events):
            yield Cohort(np.stack([score[i], second[i]]), event[i], np.minimum(death, censoring)[i])


def follow_up_for(n_events: int, effect: float, rng: np.random.Generator) -> float:
    """Find the follow-up after which this number of events is expected, by bisection."""
    score = rng.standard_normal(200_000)
    death = rng.exponential(size=score.shape) * np.exp(-effect * score)
    censoring = rng.uniform(0.3, 1, score.shape)
    low, high = 1e-6, 1e4
    for _ in range(60):
        middle = np.sqrt(low * high)
        is_less = (death <= middle * censoring).mean() * N_PATIENTS < n_events
        low, high = (middle, high) if is_less else (low, middle)
    return float(low)


def pairs(cohort: Cohort, resampled: ResampledCohort) -> dict[str, tuple[NDArray[np.float64], PairSums]]:
    """Return shares of pairs in the cohort and its resamples, by measure, with the numbers of pairs."""
    first, second = (pooled(harrell_pairs(score, resampled)) for score in cohort.scores)
    uno = pooled(
        sum_pairs(
            cohort.scores[0], resampled, cohort.event & (cohort.time < resampled.follow_up_limit),
            lives_longer(cohort.event, cohort.time), resampled.event_weights**2,
        )
    )  # fmt: skip
    return {
        "Harrell's C": (first.share, first),
        "Uno's C": (uno.share, uno),
        "difference": (first.share - second.share, first),
    }


def truth(n_events: int, effect: float, rng: np.random.Generator) -> dict[str, float]:
    """Return the true values, of thousands of cohorts together. Uno's C is compared with its own mean."""
    sums: dict[str, list[float]] = defaultdict(list)
    for cohort, _ in zip(cohorts(n_events, effect, rng), range(N_FOR_TRUTH), strict=False):
        resampled = ResampledCohort(cohort.event, cohort.time, n_resamples=0)
        for name, (share, of_pairs) in pairs(cohort, resampled).items():
            if of_pairs.comparable[0] > 0:
                sums[name].append(share[0])
                sums[f"{name} weight"].append(of_pairs.comparable[0])
    return {
        name: float(np.average(values, weights=sums[f"{name} weight"]))
        for name, values in sums.items()
        if not name.endswith(" weight")
    }


def coverage(n_events: int, effect: float, n_cohorts: int, seed: int) -> dict[str, Any]:
    """Return the shares of intervals that cover the true value, or lie below or above it, and their mean width."""
    rng = np.random.default_rng(seed)
    true = truth(n_events, effect, rng)
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    p_values = []
    for number, cohort in zip(range(n_cohorts), cohorts(n_events, effect, rng), strict=False):
        resampled = ResampledCohort(cohort.event, cohort.time, seed=number)
        for name, (share, of_pairs) in pairs(cohort, resampled).items():
            for kind, n in (("before", None), ("after", of_pairs.n_events)):
                interval, _ = percentile_interval(share[1:], "", n_events=n)
                found[f"{name}, {kind}"].append(interval or (np.nan, np.nan))
        p_values.append(two_sided_p(pairs(null(cohort, rng), resampled)["difference"][0][1:], n_events))
    return {
        "truth": true,
        "intervals": {name: summary(np.array(of_name), true[name.rpartition(", ")[0]])
                      for name, of_name in found.items()},
        "p_under_5_percent_without_a_difference": float(np.mean(np.array(p_values) < 0.05)),
    }  # fmt: skip


def null(cohort: Cohort, rng: np.random.Generator) -> Cohort:
    """Return the cohort with two scores that are equally good."""
    noise = NOISE * rng.standard_normal((2, N_PATIENTS))
    return cohort._replace(scores=cohort.scores[0] + noise)


def summary(intervals: NDArray[np.float64], true: float) -> dict[str, float]:
    low, high = intervals.T
    return {
        "covered": float(((low <= true) & (true <= high)).mean()),
        "above_the_truth": float((low > true).mean()),
        "below_the_truth": float((high < true).mean()),
        "width": float(np.nanmean(high - low)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--cohorts", type=int, default=400, help="of each kind (default: %(default)s)")
    args = parser.parse_args()
    start, results = perf_counter(), {}
    for name, effect in EFFECTS.items():
        for n_events in N_EVENTS:
            key = f"C {name}, {n_events} events"
            results[key] = coverage(n_events, effect, args.cohorts, seed=n_events)
            print_row(key, results[key])
    content = {"cohorts": args.cohorts, "seconds": round(perf_counter() - start, 1), "results": results}
    args.output.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(args.output, json.dumps(content, indent=1) + "\n")


def print_row(key: str, found: Mapping[str, Any]) -> None:
    shown = ", ".join(
        f"{name} {one['covered']:.3f} ({one['width']:.2f})" for name, one in found["intervals"].items()
    )
    print(f"{key}: {shown}; P < 5%: {found['p_under_5_percent_without_a_difference']:.3f}", flush=True)


if __name__ == "__main__":
    main()
