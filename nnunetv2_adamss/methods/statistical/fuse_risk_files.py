"""Fuse the risks of new patients by several models: the mean of the ranks that each patient has."""

import logging
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.common.tables.csv_cells import read_cells
from nnunetv2_adamss.evaluation.prediction_files import PREDICTED_TIME, RISK_SCORE, read_predictions
from nnunetv2_adamss.metrics.rank_fusion import mean_of_ranks
from nnunetv2_adamss.prediction.calibration import CALIBRATION_COLUMN, NO_CALIBRATION
from nnunetv2_adamss.trained_folds.prediction import RiskPrediction

logger = logging.getLogger(__name__)

# Among fewer patients two models may well rank in opposite order by chance.
_LEAST_TO_COMPARE = 10


def fuse_risk_files(
    files: Sequence[Path], reference: Sequence[Path] = ()
) -> tuple[RiskPrediction, list[str]]:
    """Fuse files of risks.

    Args:
        files: one a model, with ``case_id`` and ``risk_score``.
        reference: out-of-fold risks of the training cohort by the same models, in the same order, in the same unit, to
            rank each new patient among; all of the same patients. Without them the patients are ranked among
            themselves.

    Returns:
        The fused risks, and the patients that are left out, since a file lacks them or their risk is not finite.

    Raises:
        ValueError: if a file cannot be used, no patient is in all files, or there are no patients to rank them among.
    """
    risks, left_out = _shared(files)
    among = risks
    if reference:
        _check_uncalibrated(files)
        among, in_some_only = _shared(reference)
        _check_complete(in_some_only, reference)
        _check_apart(risks, among)
        _warn_of_other_units(risks, among, files, reference)
    elif len(risks) < 2:
        raise ValueError(
            f"{risks.index[0]} is the only patient, and has no rank without others; give the training cohort's "
            "out-of-fold risks with --reference."
        )
    _warn_of_opposites(among, reference or files)
    fused = mean_of_ranks(risks.to_numpy().T, among.to_numpy().T)
    return RiskPrediction(list(risks.index), fused), left_out


def _shared(files: Sequence[Path]) -> tuple[pd.DataFrame, list[str]]:
    """Return the risks of the patients that all files have, a column a file, and the other patients."""
    risks = pd.concat([_read(file) for file in files], axis=1, keys=range(len(files))).sort_index()
    is_shared = risks.notna().all(axis=1)
    if not is_shared.any():
        raise ValueError(
            f"No patient has a risk in all of {listed(list(map(str, files)))}: are they of one cohort?"
        )
    return risks[is_shared], list(risks.index[~is_shared])


def _read(file: Path) -> pd.Series:
    table = read_predictions([file]).table
    if PREDICTED_TIME in table and _correlation(table[RISK_SCORE], table[PREDICTED_TIME])[0] > 0:
        raise ValueError(
            f"{file}: risk_score rises with predicted_time, so one of the two has the wrong sign; risk_score must be "
            "higher for an earlier event."
        )
    return table[RISK_SCORE]


def _check_uncalibrated(files: Sequence[Path]) -> None:
    """Raise ValueError if risks are of calibrated curves, since out-of-fold risks are not."""
    for file in files:
        cells = read_cells(file)
        if CALIBRATION_COLUMN in cells and set(cells[CALIBRATION_COLUMN]) != {NO_CALIBRATION}:
            raise ValueError(
                f"{file} holds risks of calibrated curves, which have no rank among uncalibrated out-of-fold risks. "
                "Predict the patients with --no_calibration."
            )


def _check_complete(in_some_only: Sequence[str], reference: Sequence[Path]) -> None:
    if in_some_only:
        raise ValueError(
            f"{len(in_some_only)} patient(s) have no finite risk in each of {listed(list(map(str, reference)))}: "
            f"{listed(in_some_only)}. Ranks need the same patients in every reference: write them of the same folds, "
            "or remove these patients."
        )


def _check_apart(risks: pd.DataFrame, reference: pd.DataFrame) -> None:
    shared = list(risks.index.intersection(reference.index))
    if shared:
        raise ValueError(
            f"{len(shared)} patient(s) to fuse are in the reference too, on which the models were trained: "
            f"{listed(shared)}. Give new patients, or leave --reference out."
        )


def _warn_of_other_units(
    risks: pd.DataFrame, reference: pd.DataFrame, files: Sequence[Path], others: Sequence[Path]
) -> None:
    for place, (file, other) in enumerate(zip(files, others, strict=True)):
        is_outside = ~risks[place].between(reference[place].min(), reference[place].max())
        if is_outside.mean() > 0.5:
            logger.warning(
                "%d of %d risks in %s lie outside the range of %s: are they of one model, in one unit?",
                is_outside.sum(),
                len(risks),
                file,
                other,
            )


def _warn_of_opposites(risks: pd.DataFrame, files: Sequence[Path]) -> None:
    if len(risks) < _LEAST_TO_COMPARE:
        return
    for first, second in combinations(range(len(files)), 2):
        correlation, p_value = _correlation(risks[first], risks[second])
        if correlation < 0 and p_value < 0.05:
            logger.warning(
                "%s and %s rank the patients in opposite order (Spearman's rho %.2f): does one of them hold times? "
                "risk_score must be higher for an earlier event.",
                files[first],
                files[second],
                correlation,
            )


def _correlation(first: pd.Series, second: pd.Series) -> tuple[float, float]:
    """Return Spearman's rho and its P; 0 and 1 where a column has one value only."""
    pair = pd.concat([first, second], axis=1).dropna()
    if (pair.nunique() < 2).any():
        return 0.0, 1.0
    found = spearmanr(*pair.to_numpy(np.float64).T)
    return float(found.statistic), float(found.pvalue)
