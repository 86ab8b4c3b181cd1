"""Tables I to IV: results of each method, on the same patients and in the same resamples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from nnunetv2_adamss.benchmark.compared_patients import ComparedPatients
from nnunetv2_adamss.benchmark.method_results import MethodResult
from nnunetv2_adamss.common.tables.csv_text import read_csv
from nnunetv2_adamss.explanation.gate_weights import STAGES
from nnunetv2_adamss.metrics.concordance import cross_validated_c
from nnunetv2_adamss.metrics.estimate import Estimate, PairEstimate, bootstrap_estimate
from nnunetv2_adamss.metrics.paired_comparison import Comparison, compare, holm
from nnunetv2_adamss.metrics.uno import UnoC, uno_c_in_cohort


@dataclass(frozen=True)
class Row:
    """One method in a table.

    Attributes:
        result: of the method.
        n_patients: that have a risk score.
        harrell: C-index over the pairs of all folds; None without risk scores.
        folds: the same of each fold, by its number.
        uno: over all folds, weighted for censoring.
        difference: the reference's C minus this one's; None without either, and for the reference itself.
        p_value: of the difference, two-sided; None without one.
        p_is_bound: whether it is the smallest that the resamples can show.
        p_value_holm: corrected for the comparisons of the table.
        dice: of the tumour, mean over the patients; None without masks. ``result`` has more of it.
        c_of_seeds: of all seeds that are finished, the first one's first; empty where C is not estimable.
    """

    result: MethodResult
    n_patients: int = 0
    harrell: PairEstimate | None = None
    folds: Mapping[int, PairEstimate] = field(default_factory=dict)
    uno: UnoC = field(default_factory=partial(UnoC, None))
    difference: Estimate | None = None
    p_value: float | None = None
    p_is_bound: bool = False
    p_value_holm: float | None = None
    dice: Estimate | None = None
    c_of_seeds: tuple[float, ...] = ()


def compare_methods(results: Sequence[MethodResult], patients: ComparedPatients, reference: str) -> list[Row]:
    """Evaluate the methods of one table.

    Args:
        results: one a method.
        patients: the ones that all methods are evaluated on.
        reference: name of the method that the others are compared with; it may be absent.
    """
    against = next((r.risk_score for r in results if r.method.name == reference), None)
    rows = [
        _row(result, patients, None if result.method.name == reference else against) for result in results
    ]
    # Planned comparisons without a result yet count as the least significant, so that no present one
    # loses its significance by them later.
    planned = [_planned_p(row, reference) for row in rows]
    return [
        replace(row, p_value_holm=None if row.p_value is None else p)
        for row, p in zip(rows, holm(planned), strict=True)
    ]


def is_planned(row: Row, reference: str) -> bool:
    """Return True if a row is compared with the reference once all steps are done."""
    return row.result.is_planned and row.result.method.name != reference


def _planned_p(row: Row, reference: str) -> float | None:
    return 1.0 if row.p_value is None and is_planned(row, reference) else row.p_value


def _row(result: MethodResult, patients: ComparedPatients, against: pd.Series | None) -> Row:
    row = Row(result, dice=None if result.dice is None else _mean_dice(result.dice.by_case, patients))
    if result.risk_score is None:
        return row
    row = _with_concordance(row, result.risk_score, patients)
    of_seeds = [row, *(_with_concordance(row, risk, patients) for risk in result.risk_of_seeds)]
    c_of_seeds = [one.harrell.value for one in of_seeds if one.harrell and one.harrell.value is not None]
    row = replace(row, c_of_seeds=tuple(c_of_seeds))
    if against is None:
        return row
    found = _comparison(against, result.risk_score, patients)
    return replace(row, difference=found.difference, p_value=found.p_value, p_is_bound=found.is_bound)


def _with_concordance(row: Row, risk_score: pd.Series, patients: ComparedPatients) -> Row:
    """Return the row with the concordance of these risk scores, within folds."""
    case_ids = [case_id for case_id in patients.case_ids if case_id in risk_score.index]
    if not case_ids:
        return replace(row, harrell=PairEstimate(None, reason="none of the patients is predicted"))
    scores, cohort = risk_score[case_ids].to_numpy(np.float64), patients.cohort(case_ids)
    harrell = cross_validated_c(scores, cohort)
    folds = np.unique(patients.fold[case_ids]).tolist()
    return replace(
        row,
        n_patients=len(case_ids),
        harrell=harrell.pooled,
        folds=dict(zip(folds, harrell.folds, strict=True)),
        uno=uno_c_in_cohort(scores, cohort),
    )


def _comparison(first: pd.Series, second: pd.Series, patients: ComparedPatients) -> Comparison:
    """Compare two methods on the patients that both predict."""
    both = first.index.intersection(second.index)
    case_ids = [case_id for case_id in patients.case_ids if case_id in both]
    if not case_ids:
        no_patient = PairEstimate(None, reason="no patient is predicted by both")
        return Comparison(no_patient, no_patient, no_patient, None)
    return compare(
        first[case_ids].to_numpy(np.float64),
        second[case_ids].to_numpy(np.float64),
        patients.cohort(case_ids),
    )


def _mean_dice(dice: pd.Series, patients: ComparedPatients) -> Estimate:
    """Average over the patients with a reference or predicted tumour, in the resamples of the C-index."""
    values = dice.reindex(patients.case_ids).to_numpy(np.float64)
    known = np.isfinite(values)
    counts = patients.cohort(patients.case_ids).counts[:, known].astype(np.float64)
    n_drawn = counts.sum(axis=1)
    if not known.any():
        return Estimate(None, reason="there is no tumour in any mask")
    means = np.divide(counts @ values[known], n_drawn, out=np.full(len(counts), np.nan), where=n_drawn > 0)
    return bootstrap_estimate(means, "have no tumour")


def fusion_weights(files: Mapping[int, Path]) -> pd.DataFrame:
    """Make Table IV: mean weight of the fusion branch after both stages of training, averaged over folds.

    Args:
        files: ``gate_weights.csv`` by fold.

    Returns:
        ``encoder_stage, stage_one, stage_one_sd, stage_two, stage_two_sd, n_folds``; standard deviations between folds.
    """
    groups = pd.concat(map(_gate_weights, files.values())).groupby("encoder_stage")[list(STAGES)]
    spread = groups.std().add_suffix("_sd")
    columns = [column for stage in STAGES for column in (stage, f"{stage}_sd")]
    return groups.mean().join(spread)[columns].assign(n_folds=groups.size()).reset_index()


def _gate_weights(file: Path) -> pd.DataFrame:
    try:
        return read_csv(file, usecols=["encoder_stage", *STAGES], dtype=np.float64).astype(
            {"encoder_stage": int}
        )
    except ValueError as error:  # includes pandas' own errors
        raise ValueError(f"{file} holds no fusion weights ({' '.join(str(error).split())}).") from error


def methods_of(table: int, results: Sequence[MethodResult]) -> list[MethodResult]:
    """Return the rows of a table; none if they would all be baselines."""
    rows = [result for result in results if table in result.method.tables]
    return rows if any(not result.method.is_baseline for result in rows) else []
