"""Patients of the cross-validation, each predicted by the fold that was not trained on that patient."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from nnunetv2_adamss.display.words import NONE, significant
from nnunetv2_adamss.metrics.volume_and_uptake import TumourMeasures
from nnunetv2_adamss.report.out_of_fold import OutOfFold
from nnunetv2_adamss.report.sections.patient_survival import UNCALIBRATED
from nnunetv2_adamss.report.shown_patient import Background, Cohort, Patient
from nnunetv2_adamss.survival.nnunet_data.dataset_json import ignore_label_of
from nnunetv2_adamss.trained_folds.fold_masks import masks_of
from nnunetv2_adamss.trained_folds.trained_fold import TrainedFold


def validation_background(out_of_fold: OutOfFold) -> Background:
    """Return the cohort of all patients with an outcome."""
    source = out_of_fold.source
    table = source.table
    time, event = table.time_and_event(list(table.outcomes.index))
    tumours, why_no_tumours = cohort_tumours(out_of_fold)
    apparent = out_of_fold.why_calibration_is_apparent
    remarks = [UNCALIBRATED] if out_of_fold.calibration is None else []
    if apparent:
        remarks.append(f"The curve is calibrated on outcomes of these same patients: {apparent}")
    return Background(
        table.description.time_unit,
        table.description.endpoint,
        Cohort(event, time, f"all {len(time)} patients"),
        tumours=tumours,
        why_no_tumours=why_no_tumours,
        ignore_label=ignore_label_of(source.dataset_json),
        remarks=remarks,
    )


def cohort_tumours(out_of_fold: OutOfFold) -> tuple[list[TumourMeasures], str]:
    """Return size and uptake of the validation patients' tumours, and a sentence if there are none."""
    try:
        return list(out_of_fold.tumours.values()), ""
    except (ValueError, OSError) as error:
        return [], f"There is no cohort to compare with. {error}"


def validation_patients(out_of_fold: OutOfFold, n_most: int) -> list[Patient]:
    """Choose patients evenly from the highest to the lowest rank of risk in their folds.

    Args:
        out_of_fold: the validation patients.
        n_most: patients at most.
    """
    ranked = sorted(
        (place / len(by_risk), fold_number, place, row)
        for fold_number, by_risk in (
            (fold.number, np.argsort(out_of_fold.curves[fold.number].predicted_time))
            for fold in out_of_fold.folds
        )
        for place, row in enumerate(by_risk.tolist())
    )
    chosen = np.unique(np.linspace(0, len(ranked) - 1, min(n_most, len(ranked))).round().astype(int))
    folds = {fold.number: fold for fold in out_of_fold.folds}
    return [
        _patient(out_of_fold, folds[number], place, row)
        for _, number, place, row in (ranked[i] for i in chosen)
    ]


def _patient(out_of_fold: OutOfFold, fold: TrainedFold, place: int, row: int) -> Patient:
    """Return the patient in a row of a fold's curves, at a place in the order of risk, from 0."""
    source, curves, patients = out_of_fold.source, out_of_fold.curves[fold.number], out_of_fold.patients
    case_id = curves.case_ids[row]
    of_case = patients.case_ids.index(case_id)
    facts = [
        ("Predicted by", f"fold {fold.number}, not trained on this patient"),
        ("Rank of risk in that fold", f"{place + 1} of {len(curves.case_ids)} (1 = highest)"),
    ]
    if patients.is_high_risk is not None:
        facts.insert(0, ("Risk group", "high" if patients.is_high_risk[of_case] else "low"))
    features = out_of_fold.features[fold.number]
    measured = features.loc[case_id].to_dict() if case_id in features.index else {}
    indicators = (fold.summary.get("covariates") or {}).get("clinical_indicators", [])
    return Patient(
        case_id,
        partial(out_of_fold.channels, case_id),
        masks_of(source, fold).mask_file(case_id),
        curves.times,
        curves.survival_curve[row],
        float(curves.predicted_time[row]),
        facts=facts,
        covariates=covariate_words(
            {**source.table.clinical.loc[case_id].to_dict(), **measured}, [*indicators, *map(str, measured)]
        ),
        outcome=(float(patients.time[of_case]), bool(patients.event[of_case])),
    )


def covariate_words(row: Mapping[Any, Any], used: Sequence[str]) -> dict[str, str]:
    """Return the values of one patient by column; columns that the network gets are marked."""
    return {
        f"{name}{' (used by the network)' if name in used else ''}": _shown(value)
        for name, value in row.items()
    }


def _shown(value: object) -> str:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return f"{NONE} (missing)"
    return significant(value, 4) if isinstance(value, float) else str(value)
