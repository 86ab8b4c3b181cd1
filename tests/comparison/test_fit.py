"""Statistical methods on a fold: the right cases and columns, files that the other commands read, clear refusals."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from nnunetv2_adamss.comparison.extra_columns import gather_out_of_fold_masks, out_of_fold_risks
from nnunetv2_adamss.comparison.fit import FitRequest, fit_statistical
from nnunetv2_adamss.comparison.fitted_model import FittedModel
from nnunetv2_adamss.comparison.new_patients import PatientFiles, predict_statistical
from tests.survival_project import DATASET, splits, survival_csv
from tests.trained_model import TrainedModel

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning:torch"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning"),
]
# As the model was trained; the few features of these tests are all used.
SETTINGS = {"feature_selection": "none", "clinical_selection": "none", "mirroring": False}


@pytest.fixture(scope="module")
def model(trained_model: TrainedModel) -> Iterator[TrainedModel]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        trained_model.use_for_statistical_methods(monkeypatch)
        yield trained_model


def fitted(method: str, fold: int = 0, **changes: Any) -> FitRequest:
    request = FitRequest(
        DATASET, "3d_fullres", fold, method, SETTINGS, device="cpu", overwrite=True, **changes
    )
    fit_statistical(request)
    return request


def fold_folder(model: TrainedModel, name: str, fold: int = 0) -> Path:
    return model.results / DATASET / f"{name}__nnUNetPlans__3d_fullres" / f"fold_{fold}"


def risks(folder: Path, file: str = "validation/survival_predictions.csv") -> pd.Series:
    return pd.read_csv(folder / file).set_index("case_id")["risk_score"]


def test_covariates_only_is_the_cox_model_that_stands_beside_the_network(model: TrainedModel) -> None:
    fitted("covariates_cox")
    beside = risks(model.folder / "fold_0", "validation/covariates_only_cox_predictions.csv")
    pd.testing.assert_series_equal(risks(fold_folder(model, "CovariatesCox")), beside, rtol=1e-10)


def test_volume_and_suv_max_are_measured_in_the_masks_of_stage_one(model: TrainedModel) -> None:
    fitted("tumour_volume")
    fitted("suv_max")
    masks = fold_folder(model, "AdaMSSSegTrainer") / "stage1_masks_without_mirroring"
    for case_id in model.validation_cases(0):
        mask = sitk.ReadImage(masks / f"{case_id}.nii.gz")
        inside = sitk.GetArrayFromImage(mask) > 0
        pet = sitk.GetArrayFromImage(
            sitk.ReadImage(model.project.raw / DATASET / "imagesTr" / f"{case_id}_0001.nii.gz")
        )
        volume = inside.sum() * np.prod(mask.GetSpacing()) / 1000
        assert risks(fold_folder(model, "TumourVolume"))[case_id] == pytest.approx(volume)
        assert risks(fold_folder(model, "SUVmax"))[case_id] == pytest.approx(pet[inside].max(initial=0))


@pytest.mark.parametrize(("method", "name"), [("lasso_cox", "LassoCoxPH"), ("icare", "ICARE")])
def test_traditional_methods_look_at_the_reference_masks(model: TrainedModel, method: str, name: str) -> None:
    fitted(method)
    folder = fold_folder(model, name)
    summary = json.loads((folder / "survival_summary.json").read_text())
    assert summary["settings"]["mask_source"] == "groundtruth"
    assert summary["training"]["parameters"] > 0
    assert summary["c_index"]["last"]["selected_on_this_fold"] is False
    assert sorted(risks(folder).index) == model.validation_cases(0)


def test_a_fitted_model_is_plain_data_and_predicts_again_what_it_predicted(
    model: TrainedModel, tmp_path: Path
) -> None:
    fitted("icare")
    folder = fold_folder(model, "ICARE")
    loaded = FittedModel.load(folder)
    assert FittedModel.from_dict(json.loads(json.dumps(loaded.to_dict()))).to_dict() == loaded.to_dict()
    features = fold_folder(model, "AdaMSSSegTrainer") / "radiomics_groundtruth.csv"
    files = PatientFiles(clinical=model.clinical, features=[in_fold(features, model, tmp_path)])
    again = predict_statistical(folder.parent, [0], PatientFiles(
        clinical=in_fold(model.clinical, model, tmp_path), features=files.features
    ))  # fmt: skip
    expected = (risks(folder) - loaded.mean_risk) / loaded.risk_deviation
    assert dict(zip(again.case_ids, again.risk_score, strict=True)) == pytest.approx(expected.to_dict())


def in_fold(file: Path, model: TrainedModel, folder: Path) -> Path:
    """The rows of the validation cases of fold 0, in a file of their own."""
    table = pd.read_csv(file, dtype=str)
    table[table["case_id"].isin(model.validation_cases(0))].to_csv(folder / file.name, index=False)
    return folder / file.name


def test_folds_are_averaged_in_standard_deviations_of_their_training_cases(
    model: TrainedModel, tmp_path: Path
) -> None:
    for fold in (0, 1):
        fitted("tumour_volume", fold)
    masks = model.project.raw / DATASET / "labelsTr"
    folder = fold_folder(model, "TumourVolume").parent
    found = predict_statistical(folder, [0, 1], PatientFiles(masks=masks))
    models = [FittedModel.load(folder / f"fold_{fold}") for fold in (0, 1)]
    mask = sitk.ReadImage(masks / f"{found.case_ids[0]}.nii.gz")
    volume = (sitk.GetArrayFromImage(mask) > 0).sum() * np.prod(mask.GetSpacing()) / 1000
    expected = np.mean([(volume - one.mean_risk) / one.risk_deviation for one in models])
    assert found.risk_score[0] == pytest.approx(expected)


def write_deep_fold(model: TrainedModel, trainer: str, fold: int, seed: int) -> tuple[pd.Series, pd.Series]:
    """A finished fold of a deep method with made-up risks of its training and validation cases."""
    folder = fold_folder(model, trainer, fold)
    (folder / "validation" / "masks").mkdir(parents=True, exist_ok=True)
    split, rng = splits(model.project)[fold], np.random.default_rng(seed)
    found = []
    for part, file in (("train", "training_predictions.csv"), ("val", "validation/survival_predictions.csv")):
        table = pd.DataFrame(
            {"case_id": split[part], "risk_score": rng.normal(seed, 1 + seed, len(split[part]))}
        )
        table.to_csv(folder / file, index=False)
        found.append(table.set_index("case_id")["risk_score"])
    (folder / "survival_summary.json").write_text("{}")
    for case_id in split["val"]:
        mask = folder / "validation" / "masks" / f"{case_id}.nii.gz"
        mask.write_bytes((model.project.raw / DATASET / "labelsTr" / mask.name).read_bytes())
    return found[0], found[1]


def test_deepmtlr_cox_goes_on_with_the_risks_of_the_network_on_both_parts(model: TrainedModel) -> None:
    training, validation = write_deep_fold(model, "DeepMTLRTrainer_ShortSchedule", 0, 3)
    fitted("deepmtlr_cox", deep_trainer="DeepMTLRTrainer_ShortSchedule")
    folder = fold_folder(model, "DeepMTLRCoxPH_ShortSchedule")
    one = FittedModel.load(folder)
    cox_of = dict(zip(one.model.to_dict()["names"], one.model.to_dict()["weights"], strict=True))
    assert cox_of.pop("deep_risk") == pytest.approx(1 / (2 * training.std(ddof=0)))
    # What is left is the Cox model; over the training cases it spreads by half a standard deviation.
    inputs = encoded(one, model, list(training.index))
    cox = inputs[list(cox_of)].to_numpy() @ np.array(list(cox_of.values()))
    assert np.std(cox) == pytest.approx(0.5)
    inputs = encoded(one, model, list(validation.index))
    expected = inputs[list(cox_of)].to_numpy() @ np.array(list(cox_of.values())) + validation / (
        2 * training.std(ddof=0)
    )
    pd.testing.assert_series_equal(risks(folder).loc[expected.index], expected, check_names=False)


def encoded(one: FittedModel, model: TrainedModel, case_ids: list[str]) -> pd.DataFrame:
    from nnunetv2_adamss.prediction.patient_tables import read_clinical
    from nnunetv2_adamss.survival.covariates.covariate_tables import CovariateTables

    indicators = one.fold.covariates.indicators
    clinical = read_clinical(survival_csv(model.project), [indicator.name for indicator in indicators])
    return one.fold.covariates.inputs(CovariateTables(clinical=clinical), case_ids)


def test_radio_deepmts_gets_scores_and_masks_of_folds_that_did_not_train_on_the_case(
    model: TrainedModel,
) -> None:
    name = "DeepMTSTrainer_ShortSchedule"
    with pytest.raises(ValueError, match="in no finished fold's validation part"):
        fitted("radio_deepmts", deep_trainer=name)
    validation = [write_deep_fold(model, name, fold, 5 + fold)[1] for fold in range(3)]
    scores = out_of_fold_risks(fold_folder(model, name).parent, sorted(pd.concat(validation).index))
    mean, deviation = np.mean([[part.mean(), part.std(ddof=0)] for part in validation], axis=0)
    for part in validation:
        expected = mean + deviation * (part - part.mean()) / part.std(ddof=0)
        assert scores.loc[part.index, "deep_risk"].to_dict() == pytest.approx(expected.to_dict())
    fitted("radio_deepmts", deep_trainer=name)
    one = FittedModel.load(fold_folder(model, "RadioDeepMTS_ShortSchedule"))
    assert "deep_risk" in one.model.to_dict()["names"]
    assert one.fold.config.mask_source == "folder"
    assert len(one.fold.covariates.features.names) > 0


def test_folds_of_a_former_split_are_refused(model: TrainedModel) -> None:
    name = "DeepMTSTrainer_FormerSplit"
    cases = [case_id for fold in range(3) for case_id in splits(model.project)[fold]["val"]]
    for fold in range(3):
        write_deep_fold(model, name, fold, 5)
    folder = fold_folder(model, name).parent
    assert len(out_of_fold_risks(folder, cases)) == len(cases)
    shutil.copytree(folder / "fold_1", folder / "fold_4")
    repeated = ", ".join(sorted(splits(model.project)[1]["val"]))
    with pytest.raises(ValueError, match=f"{repeated} are in the validation part of several finished folds"):
        out_of_fold_risks(folder, cases)
    with pytest.raises(ValueError, match="some of these folds are of a former split"):
        gather_out_of_fold_masks(folder, folder / "masks", cases, ".nii.gz")
    shutil.rmtree(folder)


def test_risks_of_a_deep_training_on_other_cases_are_refused(model: TrainedModel) -> None:
    name = "DeepMTLRTrainer_OtherCases"
    training, _ = write_deep_fold(model, name, 0, 3)
    training[2:].rename_axis("case_id").to_csv(fold_folder(model, name) / "training_predictions.csv")
    lacking = ", ".join(sorted(training.index[:2]))
    with pytest.raises(ValueError, match=rf"nothing of 2 case\(s\) of the fold: {lacking}"):
        fitted("deepmtlr_cox", deep_trainer=name)
    with pytest.raises(
        ValueError, match="goes on with DeepMTLRTrainer or a variant of it, not with TMSSTrainer"
    ):
        fitted("deepmtlr_cox", deep_trainer="TMSSTrainer")


def test_a_new_fit_that_cannot_be_leaves_the_old_one_as_it_was(model: TrainedModel) -> None:
    fitted("tumour_volume")
    folder = fold_folder(model, "TumourVolume")
    before = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    with pytest.raises(ValueError, match="survival.csv"):
        fit_statistical(
            FitRequest(
                DATASET, "3d_fullres", 0, "tumour_volume", {"survival_csv": "nowhere/survival.csv"},
                device="cpu", overwrite=True,
            )
        )  # fmt: skip
    assert {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()} == before


def test_a_finished_fit_is_not_replaced_unless_asked_for(model: TrainedModel) -> None:
    request = fitted("tumour_volume")
    with pytest.raises(ValueError, match="--overwrite"):
        fit_statistical(
            FitRequest(request.dataset, request.configuration, 0, "tumour_volume", SETTINGS, device="cpu")
        )
