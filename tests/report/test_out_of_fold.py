"""The validation patients, calibrated where the model is."""

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from lifelines.utils import concordance_index

from nnunetv2_adamss.metrics.volume_and_uptake import suv_max, tumour_volume_ml
from nnunetv2_adamss.prediction.calibration import Calibration
from nnunetv2_adamss.prediction.calibration_files import read_model_calibrations
from nnunetv2_adamss.report.out_of_fold import OutOfFold
from nnunetv2_adamss.report.sections.baselines import image_baselines
from nnunetv2_adamss.report.sections.results import subsections
from nnunetv2_adamss.trained_folds.cross_validation import CrossValidation
from tests.finished_project import DATASET, SEG_TRAINER, model_folder
from tests.nnunet_project import NnunetProject
from tests.report.content import flat, words_of


def test_without_calibration_the_curves_are_the_folds_own_and_no_patient_is_in_a_group(
    source: CrossValidation,
) -> None:
    found = OutOfFold(source)
    file = source.folds[1].folder / "validation" / "survival_predictions.csv"
    table = pd.read_csv(file).set_index("case_id")
    curves = found.curves[1]
    expected = table.loc[curves.case_ids].filter(like="survival_at_").to_numpy()
    np.testing.assert_allclose(curves.survival_curve, expected)
    np.testing.assert_allclose(curves.predicted_time, table.loc[curves.case_ids, "predicted_time"], rtol=1e-6)
    assert found.calibration is None
    assert "adamss_calibrate" in found.why_uncalibrated
    assert found.evaluation.risk_groups.groups == []
    assert "calibrat" in str(found.evaluation.risk_groups.reason)


def test_a_fold_is_calibrated_on_the_others_and_the_models_threshold_makes_the_groups(
    project: NnunetProject, calibrated_source: CrossValidation
) -> None:
    found = OutOfFold(calibrated_source)
    calibration = read_model_calibrations(model_folder(project))["checkpoint_final.pth"]
    times = np.asarray(calibration.times)
    plain = [
        curves.at(times) for curves in OutOfFold(replace_model(calibrated_source, project)).curves.values()
    ]
    others = np.concatenate([curves.survival_curve for curves in plain[1:]])
    time, event = calibrated_source.table.time_and_event([c for curves in plain[1:] for c in curves.case_ids])
    own = calibration
    if event.sum() >= 10:
        own = Calibration.fit(others, event, time, times, time_unit="days")
    assert bool(found.why_calibration_is_apparent) == (own is calibration)
    np.testing.assert_allclose(found.curves[0].survival_curve, own.apply(plain[0].survival_curve))
    assert found.patients.is_high_risk is not None
    # The threshold is the median of these very patients.
    assert found.patients.is_high_risk.sum() == 12
    low, high = found.evaluation.risk_groups.groups
    assert (low.n_patients, high.n_patients) == (12, 12)


def replace_model(source: CrossValidation, project: NnunetProject) -> CrossValidation:
    """The same folds in a folder without a calibration."""
    return CrossValidation(project.root / source.dataset / source.model_folder.name, source.folds)


def test_a_fold_that_was_trained_again_makes_the_calibration_invalid(
    project: NnunetProject, calibrated_source: CrossValidation
) -> None:
    (model_folder(project) / "fold_2" / "checkpoint_final.pth").write_bytes(b"another network")
    found = OutOfFold(calibrated_source)
    assert found.calibration is None
    assert "fold 2 was trained again" in found.why_uncalibrated


def test_a_damaged_calibration_leaves_the_curves_uncalibrated(
    project: NnunetProject, source: CrossValidation
) -> None:
    (model_folder(project) / "survival_calibration.json").write_text("{")
    found = OutOfFold(source)
    assert found.calibration is None
    assert "does not hold" in found.why_uncalibrated


def test_patients_are_ranked_within_folds_only(source: CrossValidation) -> None:
    """The pooled C is the mean of lifelines' C by fold, weighted by pairs."""
    found = OutOfFold(source)
    shares, pairs = [], []
    for fold in source.folds:
        curves = found.curves[fold.number]
        time, event = source.table.time_and_event(curves.case_ids)
        shares.append(concordance_index(time, curves.predicted_time, event))
        pairs.append(sum(event[i] and time[i] < time[j] for i in range(len(time)) for j in range(len(time))))
    result = found.evaluation.harrell_c
    assert result.n_pairs == sum(pairs)
    assert result.value == pytest.approx(np.average(shares, weights=pairs))


def test_volume_and_suvmax_of_the_networks_own_masks_stand_beside_the_model(
    project: NnunetProject, source: CrossValidation
) -> None:
    found = OutOfFold(source)
    others = {other.name: other.risk_score for other in image_baselines(found.tumours)}
    case_id = found.curves[0].case_ids[0]
    mask = model_folder(project, SEG_TRAINER) / "fold_0" / "stage1_masks" / f"{case_id}.nii.gz"
    pet = project.raw / DATASET / "imagesTr" / f"{case_id}_0001.nii.gz"
    assert others["Tumour volume"][case_id] == tumour_volume_ml(mask)
    assert others["SUVmax"][case_id] == suv_max(pet, mask)
    assert len(others["SUVmax"]) == 24


def test_a_broken_image_costs_that_patients_baseline_only(
    project: NnunetProject, source: CrossValidation
) -> None:
    found = OutOfFold(source)
    case_id = found.curves[0].case_ids[0]
    (project.raw / DATASET / "imagesTr" / f"{case_id}_0001.nii.gz").write_bytes(b"no image")
    others = {other.name: other.risk_score for other in image_baselines(found.tumours)}
    assert case_id not in others["SUVmax"]
    assert len(others["SUVmax"]) == 23


def test_fold_all_has_no_patients_to_evaluate_it_on(source: CrossValidation) -> None:
    for fold in source.folds:
        fold.summary["cases"]["validation"]["cases"] = 0
    with pytest.raises(ValueError, match="no patient is left"):
        _ = OutOfFold(source).patients


def test_predictions_of_different_kinds_of_epochs_are_not_calibrated(
    calibrated_source: CrossValidation,
) -> None:
    calibrated_source.folds[0].summary["predictions_from"] = "best"
    found = OutOfFold(calibrated_source)
    assert found.calibration is None
    assert "different kinds of epochs" in found.why_uncalibrated


def test_without_raw_images_the_results_say_what_does_not_stand_beside_them(
    project: NnunetProject, source: CrossValidation
) -> None:
    shutil.rmtree(project.raw / DATASET / "imagesTr")
    assert any("SUVmax do not stand" in note for note in OutOfFold(source).evaluation.notes)


def test_cases_of_other_folds_are_named_as_not_predicted(source: CrossValidation) -> None:
    found = OutOfFold(replace(source, folds=source.folds[:2]))
    words = [words_of(b) for b in flat(subsections(found.evaluation, found.patients, "r"))]
    assert any("not predicted" in text and "(8 in all)" in text for text in words)
