"""The survival loss, labels and Eq. (2) on a table: small networks against a Cox model, SUPPORT2, 9,105 patients.

All models see the same random 70/30 splits. A network is an ensemble; each member stops early on its own fifth of the
training patients, so no choice depends on the test patients. Settings were fixed on the training part of one other
split.

Two heads: "free" has one logit an interval, as the paper's; "shared" one score and an intercept for each interval,
as a Cox model. Two rankings: Eq. (2) weighs the survival curve by the intervals' durations in days; "equal weights"
counts each interval alike. The Brier score is weighted for censoring and averaged over four years.

TABLES is a folder of public tables.

    python measurements/support2.py TABLES/support_parsed.csv.gz -o measurements/results/support2.json
"""

import argparse
import json
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from lifelines import CoxPHFitter, KaplanMeierFitter
from numpy.typing import NDArray
from torch import Tensor, nn

from nnunetv2_adamss.metrics.concordance import harrell_c
from nnunetv2_adamss.metrics.risk import risk_score_from_time
from nnunetv2_adamss.survival.discrete_time.curve import predicted_time, survival_curve
from nnunetv2_adamss.survival.discrete_time.intervals import interval_edges, interval_labels
from nnunetv2_adamss.survival.discrete_time.loss import discrete_survival_loss

TAU_DAYS = 4 * 365
GRID_DAYS = np.linspace(0, TAU_DAYS, 147)[1:]  # every ten days

HIDDEN_UNITS = 128
DROPOUT = 0.5
LEARNING_RATE = 1e-3
BATCH_SIZE = 256
MAX_EPOCHS = 100
PATIENCE_EPOCHS = 10

Scores = dict[str, float]


@dataclass(frozen=True)
class Cohort:
    """Covariates ``(n_cases, n_covariates)``, event and time in days, ``(n_cases,)`` each."""

    covariates: NDArray[np.float64]
    event: NDArray[np.bool_]
    time: NDArray[np.float64]

    def __getitem__(self, cases: NDArray[np.intp]) -> "Cohort":
        return Cohort(self.covariates[cases], self.event[cases], self.time[cases])

    def __len__(self) -> int:
        return len(self.time)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("table", type=Path, help="support_parsed.csv.gz of github MGensheimer/nnet-survival")
    parser.add_argument("--splits", type=int, default=10, help="how many random splits (default: 10)")
    parser.add_argument("--members", type=int, default=5, help="networks in the ensemble (default: 5)")
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)  # layers are so small that a second thread slows them down
    cohort = read_support2(args.table)
    rows = [score_split(cohort, seed, args.members) for seed in range(args.splits)]
    write_and_print(args.output, rows, args.members)


def score_split(cohort: Cohort, seed: int, n_members: int) -> dict[str, Scores]:
    """Return C-index and integrated Brier score by model."""
    train, test = split(cohort, seed)
    scores = {"Cox": score_cox(train, test)}
    for head, network in (("free", FreeHead), ("shared", SharedHead)):
        scores |= {
            f"{head}, {rank}": row for rank, row in score_network(network, train, test, n_members).items()
        }
    print(f"split {seed}: " + ", ".join(f"{name} {row['c']:.4f}" for name, row in scores.items()), flush=True)
    return scores


def read_support2(table: Path) -> Cohort:
    frame = pd.read_csv(table)
    covariates = frame.drop(columns=["time", "dead"]).to_numpy(dtype=np.float64)
    return Cohort(covariates, frame["dead"].to_numpy() == 1, frame["time"].to_numpy(dtype=np.float64))


def split(cohort: Cohort, seed: int, test_share: float = 0.3) -> tuple[Cohort, Cohort]:
    """Split at random into training and test part, with covariates standardised by the training part."""
    order = np.random.default_rng(seed).permutation(len(cohort))
    n_test = round(test_share * len(cohort))
    test, train = cohort[order[:n_test]], cohort[order[n_test:]]
    mean, std = train.covariates.mean(axis=0), train.covariates.std(axis=0)
    standardised = [Cohort((c.covariates - mean) / std, c.event, c.time) for c in (train, test)]
    return standardised[0], standardised[1]


def score_network(network: type[nn.Module], train: Cohort, test: Cohort, n_members: int) -> dict[str, Scores]:
    """Return the C-index of both rankings of one ensemble, and its integrated Brier score."""
    edges = interval_edges(train.event, train.time)
    curve = predict_curve(network, train, test, edges, n_members)
    ibs = integrated_brier_score(interpolate(curve, edges, GRID_DAYS), train, test)
    scores = {}
    for rank, rank_edges in (("Eq. (2)", edges), ("equal weights", np.arange(len(edges)))):
        risk_score = risk_score_from_time(predicted_time(curve, rank_edges))
        scores[rank] = {"c": harrell_c(risk_score, test.event, test.time).c_index, "ibs": ibs}
    return scores


def score_cox(train: Cohort, test: Cohort) -> Scores:
    frame = pd.DataFrame(train.covariates).assign(event=train.event, time=train.time)
    cox = CoxPHFitter().fit(frame.rename(columns=str), duration_col="time", event_col="event")
    covariates = pd.DataFrame(test.covariates).rename(columns=str)
    risk_score = cox.predict_log_partial_hazard(covariates).to_numpy()
    curve = cox.predict_survival_function(covariates, times=GRID_DAYS).to_numpy().T
    return {
        "c": harrell_c(risk_score, test.event, test.time).c_index,
        "ibs": integrated_brier_score(curve, train, test),
    }


def predict_curve(
    network: type[nn.Module], train: Cohort, test: Cohort, edges: NDArray[np.float64], n_members: int
) -> NDArray[np.float64]:
    """Return the mean survival curve of the members at the right edges, ``(n_test, n_intervals)``."""
    curves = []
    for member in range(n_members):
        trained = train_network(network, train, edges, seed=member)
        with torch.no_grad():
            logits = trained(torch.from_numpy(test.covariates).float())
        curves.append(survival_curve(torch.sigmoid(logits.double()).numpy()))
    return np.mean(curves, axis=0)


def train_network(
    network: type[nn.Module], train: Cohort, edges: NDArray[np.float64], seed: int
) -> nn.Module:
    """Train one member; keep the epoch that best fits a fifth of the training patients, which is left out for it."""
    torch.manual_seed(seed)
    order = np.random.default_rng(seed).permutation(len(train))
    n_inner = len(train) // 5
    inner, rest = (tensors(train[cases], edges) for cases in (order[:n_inner], order[n_inner:]))
    model = network(train.covariates.shape[1], len(edges) - 1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE)
    best_loss, best_model, best_epoch = float("inf"), model, 0
    for epoch in range(MAX_EPOCHS):
        train_epoch(model, optimizer, rest)
        inner_loss = validate(model, inner)
        if inner_loss < best_loss:
            best_loss, best_model, best_epoch = inner_loss, deepcopy(model), epoch
        if epoch - best_epoch == PATIENCE_EPOCHS:
            break
    return best_model


def train_epoch(model: nn.Module, optimizer: torch.optim.Optimizer, data: Sequence[Tensor]) -> None:
    model.train()
    for cases in torch.randperm(len(data[0])).split(BATCH_SIZE):
        covariates, survived, failed = (tensor[cases] for tensor in data)
        optimizer.zero_grad()
        discrete_survival_loss(model(covariates), survived, failed).backward()
        optimizer.step()


@torch.no_grad()
def validate(model: nn.Module, data: Sequence[Tensor]) -> float:
    model.eval()
    covariates, survived, failed = data
    return discrete_survival_loss(model(covariates), survived, failed).item()


class FreeHead(nn.Sequential):
    """One logit an interval, as the survival head of the paper."""

    def __init__(self, n_covariates: int, n_outputs: int) -> None:
        super().__init__(
            nn.Linear(n_covariates, HIDDEN_UNITS),
            nn.ReLU(),
            nn.Dropout(DROPOUT),
            nn.Linear(HIDDEN_UNITS, HIDDEN_UNITS),
            nn.ReLU(),
            nn.Dropout(DROPOUT),
            nn.Linear(HIDDEN_UNITS, n_outputs),
        )


class SharedHead(nn.Module):
    """One score for all intervals and an intercept for each: risks are proportional, as in a Cox model."""

    def __init__(self, n_covariates: int, n_intervals: int) -> None:
        super().__init__()
        self.score = FreeHead(n_covariates, 1)
        # Nine of ten survive an interval: a start near the solution, so that the intercepts need few epochs.
        self.intercept = nn.Parameter(torch.full((n_intervals,), 2.0))

    def forward(self, covariates: Tensor) -> Tensor:
        return self.score(covariates) + self.intercept


def tensors(cohort: Cohort, edges: NDArray[np.float64]) -> tuple[Tensor, Tensor, Tensor]:
    """Return covariates and both label vectors."""
    survived, failed = interval_labels(edges, cohort.event, cohort.time)
    return (
        torch.from_numpy(cohort.covariates).float(),
        torch.from_numpy(survived),
        torch.from_numpy(failed),
    )


def interpolate(
    curve: NDArray[np.float64], edges: NDArray[np.float64], times: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Interpolate the curve at other times, ``(n_cases, n_times)``, with a constant hazard in each interval."""
    log_curve = np.log(np.clip(curve, 1e-12, 1))
    return np.exp([np.interp(times, edges, np.append(0, row)) for row in log_curve])


def integrated_brier_score(curve: NDArray[np.float64], train: Cohort, test: Cohort) -> float:
    """Return the mean Brier score of S(t) on ``GRID_DAYS``, ``(n_test, n_times)``, weighted for censoring.

    Graf et al. (1999): an event before t counts ``S(t)^2 / G(time-)``, survival beyond t ``(1 - S(t))^2 / G(t)``.
    """
    censoring = KaplanMeierFitter().fit(train.time, ~train.event).survival_function_["KM_estimate"]

    def not_censored(times: NDArray[np.float64], side: str) -> NDArray[np.float64]:
        return censoring.to_numpy()[np.searchsorted(censoring.index, times, side=side) - 1]

    time = test.time[:, None]
    died = test.event[:, None] & (time <= GRID_DAYS)
    # At its own time a patient is not yet censored: the limit from the left.
    weight = np.where(
        died, 1 / not_censored(time, "left"), (time > GRID_DAYS) / not_censored(GRID_DAYS, "right")
    )
    return float((weight * (curve - ~died) ** 2).mean())


def write_and_print(output: Path, rows: list[dict[str, Scores]], n_members: int) -> None:
    cox = {metric: np.array([row["Cox"][metric] for row in rows]) for metric in ("c", "ibs")}
    summary: dict[str, dict[str, dict[str, float]]] = {}
    print(
        f"\nMean over {len(rows)} test parts; less Cox: mean and standard deviation of the paired differences\n"
    )
    print(f"{'':22s} {'C-index':>8s} {'less Cox':>18s} {'Brier, 4 years':>16s} {'less Cox':>18s}")
    for model in rows[0]:
        summary[model] = {}
        for metric, of_cox in cox.items():
            values = np.array([row[model][metric] for row in rows])
            difference = values - of_cox
            summary[model][metric] = {
                "mean": values.mean(),
                "less_cox": difference.mean(),
                "less_cox_sd": difference.std(ddof=1) if len(rows) > 1 else 0.0,
            }
        c, ibs = summary[model]["c"], summary[model]["ibs"]
        print(
            f"{model:22s} {c['mean']:8.4f} {c['less_cox']:+9.4f} ({c['less_cox_sd']:.4f})"
            f" {ibs['mean']:16.4f} {ibs['less_cox']:+9.4f} ({ibs['less_cox_sd']:.4f})"
        )
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(
        json.dumps({"members": n_members, "tau_days": TAU_DAYS, "summary": summary, "splits": rows}, indent=1)
    )


if __name__ == "__main__":
    main()
