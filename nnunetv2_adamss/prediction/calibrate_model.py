"""Fit and write calibrations: of a model on its cross-validation, and of a file of predictions."""

import logging
from collections.abc import Sequence
from itertools import compress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnunetv2_adamss.common.files import sha256_of
from nnunetv2_adamss.common.messages import listed, shortened
from nnunetv2_adamss.common.tables.csv_cells import read_cells
from nnunetv2_adamss.prediction.calibration import CALIBRATION_COLUMN, NO_CALIBRATION, OF_MODEL, Calibration
from nnunetv2_adamss.prediction.calibration_check import CalibrationCheck, plot_calibration
from nnunetv2_adamss.prediction.calibration_files import (
    CALIBRATION_FILE,
    write_calibration,
    write_model_calibrations,
)
from nnunetv2_adamss.prediction.prediction_folder import PROVENANCE_FILE
from nnunetv2_adamss.prediction.provenance_file import read_provenance
from nnunetv2_adamss.survival.cohort.outcome_files import outcomes_source
from nnunetv2_adamss.survival.cohort.survival_table import SurvivalTable, read_survival_table
from nnunetv2_adamss.trained_folds.cross_validation import CrossValidation
from nnunetv2_adamss.trained_folds.fold_files import CHECKPOINTS
from nnunetv2_adamss.trained_folds.predicted_curves import CurvesByCase, read_predicted_curves

logger = logging.getLogger(__name__)


def calibrate_model(
    model_folder: Path, folds: Sequence[int], survival_csv: Path | None = None
) -> dict[str, CalibrationCheck]:
    """Calibrate a model on its out-of-fold predictions; write ``survival_calibration.json`` and a plot beside it.

    Args:
        model_folder: nnU-Net's ``TRAINER__PLANS__CONFIGURATION``.
        folds: their numbers.
        survival_csv: the table that they were trained with, if it was moved.

    Returns:
        The calibrations by checkpoint name, for checkpoints that every fold has.

    Raises:
        ValueError: if folds are missing or do not belong together, or have too few events.
    """
    validation = CrossValidation.find(model_folder, folds, CHECKPOINTS["last"], survival_csv=survival_csv)
    validation.check_outcomes()
    checks = {
        CHECKPOINTS[epoch]: _fit(
            validation.out_of_fold(epoch),
            validation.table,
            sorted(set(folds)),
            validation.sha256(epoch),
            fold_of_case=validation.fold_of_cases(epoch),
        )
        for epoch in validation.epochs
    }
    write_model_calibrations(model_folder, {name: check.calibration for name, check in checks.items()})
    plot_calibration(checks, (model_folder / CALIBRATION_FILE).with_suffix(".png"))
    return checks


def calibrate_predictions(predictions_csv: Path, survival_csv: Path, output: Path) -> CalibrationCheck:
    """Calibrate a file of predictions on the outcomes of its patients, such as those of another hospital.

    Args:
        predictions_csv: ``case_id`` and ``survival_at_T``.
        survival_csv: outcomes, with a row for every case; cases whose outcome is empty are left out.
        output: JSON to write; the plot gets the same name with the ending ``.png``.

    Raises:
        ValueError: if a file cannot be used, a case has no row, or there are too few events.
    """
    curves, table = read_predicted_curves(predictions_csv), read_survival_table(survival_csv)
    sources = {
        f"predictions ({predictions_csv.name})": sha256_of(predictions_csv),
        outcomes_source(table.path): sha256_of(table.path),
        **_checkpoints_of(predictions_csv),
    }
    check = _fit(_with_outcome(curves, table), table, (), sources, on=_done_to(predictions_csv))
    write_calibration(output, check.calibration)
    plot_calibration({predictions_csv.name: check}, output.with_suffix(".png"))
    return check


def _checkpoints_of(predictions_csv: Path) -> dict[str, str]:
    """Read the hashes of the model from the ``prediction.json`` beside; none for files of other origin."""
    file = predictions_csv.with_name(PROVENANCE_FILE)
    if not file.is_file():
        return {}
    checkpoints: dict[str, str] = read_provenance(file, "checkpoints_sha256")["checkpoints_sha256"]
    return checkpoints


def _done_to(predictions_csv: Path) -> str:
    """Return the calibration that a file's curves have already; those of Stage II have none."""
    cells = read_cells(predictions_csv)
    found = set(cells[CALIBRATION_COLUMN]) if CALIBRATION_COLUMN in cells else {NO_CALIBRATION}
    if not found <= {NO_CALIBRATION, OF_MODEL} or len(found) > 1:
        shown = [shortened(value) for value in sorted(found)]
        raise ValueError(
            f"{predictions_csv} holds curves that are calibrated for a hospital already (column "
            f"'{CALIBRATION_COLUMN}': {listed(shown)}). Calibrate on predictions that were made without "
            "--calibration."
        )
    return found.pop()


def _fit(
    curves: CurvesByCase,
    table: SurvivalTable,
    folds: Sequence[int],
    sha256: dict[str, str],
    *,
    on: str = NO_CALIBRATION,
    fold_of_case: NDArray[np.int64] | None = None,
) -> CalibrationCheck:
    time, event = table.time_and_event(curves.case_ids)
    calibration = Calibration.fit(
        curves.survival_curve,
        event,
        time,
        curves.times,
        time_unit=table.description.time_unit,
        folds=folds,
        sha256=sha256,
        on=on,
        n_averaged=max(len(folds), 1),
    )
    return CalibrationCheck.of(calibration, curves.survival_curve, event, time, fold_of_case)


def _with_outcome(curves: CurvesByCase, table: SurvivalTable) -> CurvesByCase:
    has_outcome = table.has_outcome(curves.case_ids)
    left_out = list(compress(curves.case_ids, ~has_outcome))
    if left_out:
        logger.warning("%d case(s) without an outcome are left out: %s.", len(left_out), listed(left_out))
    kept = list(compress(curves.case_ids, has_outcome))
    return CurvesByCase(kept, curves.times, curves.survival_curve[has_outcome])
