"""Statistical methods on a fold: the right cases and columns, files that the other commands read, clear refusals."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from nnunetv2_adamss.common.files import sha256_of
from nnunetv2_adamss.methods.statistical import fit
from nnunetv2_adamss.methods.statistical.fit import FitRequest, fit_fold, fit_statistical
from nnunetv2_adamss.methods.statistical.fitted_model import FittedModel
from nnunetv2_adamss.methods.statistical.predict_new_patients import PatientInputs, predict_statistical
from nnunetv2_adamss.methods.table import STATISTICAL
from tests.survival_project import DATASET, splits, survival_csv
from tests.trained_model import TrainedModel

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning:torch"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning"),
]
# As the model was trained; the few features of these tests are all used.
SETTINGS = {"feature_selection": "none", "clinical_selection": "none", "mirroring": False}


@pytest.fixture(scope="module")
def model(statistical_model: TrainedModel) -> TrainedModel:
    return statistical_model


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
    inputs = PatientInputs(
        clinical=in_fold(model.clinical, model, tmp_path), features=[in_fold(features, model, tmp_path)]
    )
    again = predict_statistical(folder.parent, [0], inputs)
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
    found = predict_statistical(folder, [0, 1], PatientInputs(masks=masks))
    models = [FittedModel.load(folder / f"fold_{fold}") for fold in (0, 1)]
    mask = sitk.ReadImage(masks / f"{found.case_ids[0]}.nii.gz")
    volume = (sitk.GetArrayFromImage(mask) > 0).sum() * np.prod(mask.GetSpacing()) / 1000
    expected = np.mean([(volume - one.mean_risk) / one.risk_deviation for one in models])
    assert found.risk_score[0] == pytest.approx(expected)


def write_deep_fold(model: TrainedModel, trainer: str, fold: int, seed: int) -> tuple[pd.Series, pd.Series]:
    """A finished fold of a deep method with made-up risks of its training and validation cases by the last epoch.

    The best epoch, which is selected, says something else.
    """
    folder = fold_folder(model, trainer, fold)
    (folder / "validation" / "masks").mkdir(parents=True, exist_ok=True)
    split, rng = splits(model.project)[fold], np.random.default_rng(seed)
    found = []
    for part, file in (("train", "training_predictions"), ("val", "validation/survival_predictions_last")):
        table = pd.DataFrame(
            {"case_id": split[part], "risk_score": rng.normal(seed, 1 + seed, len(split[part]))}
        )
        table.to_csv(folder / f"{file}.csv", index=False)
        found.append(table.set_index("case_id")["risk_score"])
    best = (-found[1]).reset_index()
    for name in ("survival_predictions", "survival_predictions_best"):
        best.to_csv(folder / "validation" / f"{name}.csv", index=False)
    (folder / "checkpoint_final.pth").write_text(f"weights of {trainer} by seed {seed}")
    write_summary(folder, model)
    for case_id in split["val"]:
        mask = folder / "validation" / "masks" / f"{case_id}.nii.gz"
        mask.write_bytes((model.project.raw / DATASET / "labelsTr" / mask.name).read_bytes())
    return found[0], found[1]


def write_summary(folder: Path, model: TrainedModel, epoch: str = "last", **changes: Any) -> None:
    outcomes = {"outcomes (survival.csv)": sha256_of(survival_csv(model.project))}
    summary = {
        "settings": {"seed": 2024, "epochs": None, "masks_dir": str(folder)},
        "sources_sha256": outcomes,
        "predictions_from": epoch,
    }
    (folder / "survival_summary.json").write_text(json.dumps(summary | changes))


def test_deepmtlr_cox_continues_with_the_risks_of_the_network_on_both_parts(model: TrainedModel) -> None:
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
    clinical = read_clinical(survival_csv(model.project), indicators)
    return one.fold.covariates.inputs(CovariateTables(clinical=clinical), case_ids)


def test_radio_deepmts_gets_scores_and_masks_of_folds_that_did_not_train_on_the_case(
    model: TrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "DeepMTSTrainer_ShortSchedule"
    with pytest.raises(ValueError, match="fold 0, 1, 2 is not trained to the end"):
        fitted("radio_deepmts", deep_trainer=name)
    # Whichever epoch is selected: the last one's masks and scores are taken.
    validation = [write_deep_fold(model, name, fold, 5 + fold)[1] for fold in range(3)]
    write_summary(fold_folder(model, name, 1), model, "best")
    scores = columns_that_are_fitted("radio_deepmts", monkeypatch, deep_trainer=name)["deep_risk"]
    mean, deviation = np.mean([[part.mean(), part.std(ddof=0)] for part in validation], axis=0)
    for part in validation:
        expected = mean + deviation * (part - part.mean()) / part.std(ddof=0)
        assert scores[part.index].to_dict() == pytest.approx(expected.to_dict())
    one = FittedModel.load(fold_folder(model, "RadioDeepMTS_ShortSchedule"))
    assert "deep_risk" in one.model.to_dict()["names"]
    assert one.fold.config.mask_source == "folder"
    assert len(one.fold.covariates.features.names) > 0
    masks = {file.name.partition(".")[0] for file in Path(str(one.fold.config.masks_dir)).glob("*.nii.gz")}
    assert masks == set(scores.index)


def columns_that_are_fitted(method: str, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> pd.DataFrame:
    """What a method gets of its own columns, of all cases."""
    found = []

    def fit_and_tell(*arguments: Any) -> FittedModel:
        found.append(arguments[-1])
        return fit_fold(*arguments)

    monkeypatch.setattr(fit, "fit_fold", fit_and_tell)
    fitted(method, **changes)
    return found[0]


@pytest.mark.parametrize("method", ["deepmtlr_cox", "radio_deepmts"])
def test_deep_folds_of_other_outcomes_or_of_another_split_are_refused(
    model: TrainedModel, method: str
) -> None:
    name = f"{STATISTICAL[method].trainer.name}_Foreign"
    for fold in range(3):
        write_deep_fold(model, name, fold, 5)
    folder = fold_folder(model, name)
    write_summary(folder, model, sources_sha256={"outcomes (survival.csv)": "of other patients"})
    with pytest.raises(
        ValueError, match=r"fold 0 is of other outcomes than .*survival\.csv\. Train it again"
    ):
        fitted(method, deep_trainer=name)
    write_summary(folder, model)
    predictions = folder / "validation" / "survival_predictions_last.csv"
    pd.read_csv(predictions)[1:].to_csv(predictions, index=False)
    with pytest.raises(ValueError, match="fold 0 is of another split"):
        fitted(method, deep_trainer=name)


def test_deep_folds_of_different_settings_are_refused_with_the_names_of_these(model: TrainedModel) -> None:
    name = "DeepMTSTrainer_Mixed"
    for fold in range(3):
        write_deep_fold(model, name, fold, 5)
    other = {"seed": 7, "epochs": 20, "masks_dir": "elsewhere"}
    write_summary(fold_folder(model, name, 2), model, settings=other)
    with pytest.raises(ValueError, match="folds 0 and 2 differ in seed, epochs. Train it again"):
        fitted("radio_deepmts", deep_trainer=name)


def test_a_split_whose_validation_parts_overlap_has_no_risk_out_of_fold(model: TrainedModel) -> None:
    for fold in range(3):
        write_deep_fold(model, "DeepMTSTrainer_Overlap", fold, 5)
    file = model.project.preprocessed / DATASET / "splits_final.json"
    before = file.read_text()
    repeated = splits(model.project)[:2] * 2
    file.write_text(json.dumps(repeated))
    try:
        with pytest.raises(ValueError, match="are in the validation part of no fold or of several"):
            fitted("radio_deepmts", deep_trainer="DeepMTSTrainer_Overlap")
    finally:
        file.write_text(before)


def test_masks_that_a_deep_fold_lacks_are_named(model: TrainedModel) -> None:
    for fold in range(3):
        write_deep_fold(model, "DeepMTSTrainer_NoMask", fold, 5)
    mask = fold_folder(model, "DeepMTSTrainer_NoMask", 1) / "validation" / "masks"
    (mask / f"{model.validation_cases(1)[0]}.nii.gz").unlink()
    with pytest.raises(ValueError, match=f"{model.validation_cases(1)[0]}.nii.gz. Predict the masks again"):
        fitted("radio_deepmts", deep_trainer="DeepMTSTrainer_NoMask")


def test_training_cases_that_the_selected_epoch_predicted_are_refused(model: TrainedModel) -> None:
    name = "DeepMTLRTrainer_Selected"
    write_deep_fold(model, name, 0, 3)
    write_summary(fold_folder(model, name), model, "best")
    with pytest.raises(
        ValueError, match="fold 0 predicts its training cases by its best epoch, not by the last"
    ):
        fitted("deepmtlr_cox", deep_trainer=name)


def test_risks_of_a_deep_training_on_other_cases_are_refused(model: TrainedModel) -> None:
    name = "DeepMTLRTrainer_OtherCases"
    training, _ = write_deep_fold(model, name, 0, 3)
    training[2:].rename_axis("case_id").to_csv(fold_folder(model, name) / "training_predictions.csv")
    lacking = ", ".join(sorted(training.index[:2]))
    with pytest.raises(ValueError, match=rf"no risk of 2 case\(s\) of the fold: {lacking}"):
        fitted("deepmtlr_cox", deep_trainer=name)
    with pytest.raises(
        ValueError, match="starts from DeepMTLRTrainer or a variant of it, not from TMSSTrainer"
    ):
        fitted("deepmtlr_cox", deep_trainer="TMSSTrainer")


@pytest.fixture
def deep_predictions(model: TrainedModel, tmp_path: Path) -> Path:
    """Two folds of DeepMTLR-CoxPH, and the patients of fold 0 as the network is said to predict them."""
    name = "DeepMTLRTrainer_Predicts"
    for fold in (0, 1):
        write_deep_fold(model, name, fold, 3 + fold)
        fitted("deepmtlr_cox", fold, deep_trainer=name)
    case_ids = model.validation_cases(0)
    table = pd.DataFrame({"case_id": case_ids, "risk_score": range(len(case_ids)), "calibration": "none"})
    table.to_csv(tmp_path / "survival_predictions.csv", index=False)
    write_provenance(tmp_path, model)
    in_fold(model.clinical, model, tmp_path)
    return tmp_path / "survival_predictions.csv"


def write_provenance(folder: Path, model: TrainedModel, **changes: Any) -> None:
    name = "DeepMTLRTrainer_Predicts"
    sha256 = {
        f"fold {fold}": sha256_of(fold_folder(model, name, fold) / "checkpoint_final.pth") for fold in (0, 1)
    }
    made = {
        "trainer": name,
        "checkpoint": "checkpoint_final.pth",
        "folds": [0, 1],
        "checkpoints_sha256": sha256,
    }
    (folder / "prediction.json").write_text(json.dumps(made | changes))


def predict_by_deepmtlr_cox(model: TrainedModel, file: Path, folds: tuple[int, ...] = (0, 1)) -> pd.Series:
    inputs = PatientInputs(clinical=file.with_name("survival.csv"), deep_predictions=file)
    folder = fold_folder(model, "DeepMTLRCoxPH_Predicts").parent
    found = predict_statistical(folder, folds, inputs)
    return pd.Series(found.risk_score, found.case_ids)


def test_deepmtlr_cox_predicts_new_patients_from_what_its_network_says_of_them(
    model: TrainedModel, deep_predictions: Path
) -> None:
    found = predict_by_deepmtlr_cox(model, deep_predictions)
    expected = []
    for fold in (0, 1):
        one = FittedModel.load(fold_folder(model, "DeepMTLRCoxPH_Predicts", fold))
        inputs = encoded(one, model, list(found.index)).assign(deep_risk=range(len(found)))
        expected.append((one.model.risk_score(inputs) - one.mean_risk) / one.risk_deviation)
    np.testing.assert_allclose(found, np.mean(expected, axis=0))


@pytest.mark.parametrize("calibration", ["model", "hospital"])
def test_risks_of_calibrated_curves_are_on_another_scale_and_refused(
    model: TrainedModel, deep_predictions: Path, calibration: str
) -> None:
    pd.read_csv(deep_predictions).assign(calibration=calibration).to_csv(deep_predictions, index=False)
    with pytest.raises(ValueError, match=f"'calibration' is {calibration}.*--no_calibration"):
        predict_by_deepmtlr_cox(model, deep_predictions)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"checkpoint": "checkpoint_best.pth"}, "is of checkpoint checkpoint_best.pth, not of what"),
        ({"trainer": "DeepMTLRTrainer"}, "is of trainer DeepMTLRTrainer, not of what"),
        ({"folds": [0, 1, 2]}, "is of folds 0 1 2, not of what"),
        ({"folds": ["all"], "trainer": "X"}, "is of trainer X, folds all, not of what"),
    ],
)
def test_risks_by_another_network_than_the_fitted_one_are_refused(
    model: TrainedModel, deep_predictions: Path, changes: dict[str, Any], message: str
) -> None:
    write_provenance(deep_predictions.parent, model, **changes)
    with pytest.raises(ValueError, match=message) as refused:
        predict_by_deepmtlr_cox(model, deep_predictions)
    command = "adamss_predict_survival -tr DeepMTLRTrainer_Predicts -f 0 1 -chk checkpoint_final.pth."
    assert str(refused.value).endswith(f"Predict the patients with {command}")


def test_risks_by_a_network_that_was_trained_again_since_the_fit_are_refused(
    model: TrainedModel, deep_predictions: Path
) -> None:
    (fold_folder(model, "DeepMTLRTrainer_Predicts", 1) / "checkpoint_final.pth").write_text("other weights")
    write_provenance(deep_predictions.parent, model)
    with pytest.raises(ValueError, match="of other weights of fold 1 of DeepMTLRTrainer_Predicts"):
        predict_by_deepmtlr_cox(model, deep_predictions)


def test_risks_of_unknown_origin_are_taken_with_a_warning(
    model: TrainedModel, deep_predictions: Path, caplog: pytest.LogCaptureFixture
) -> None:
    known = predict_by_deepmtlr_cox(model, deep_predictions)
    assert not caplog.messages
    deep_predictions.with_name("prediction.json").unlink()
    pd.testing.assert_series_equal(predict_by_deepmtlr_cox(model, deep_predictions), known)
    (message,) = caplog.messages
    assert "has no prediction.json beside it" in message and "-chk checkpoint_final.pth" in message


def test_radio_deepmts_says_why_it_cannot_predict_new_patients(
    model: TrainedModel,
) -> None:
    name = "DeepMTSTrainer_New"
    for fold in range(3):
        write_deep_fold(model, name, fold, 5 + fold)
    fitted("radio_deepmts", deep_trainer=name)
    with pytest.raises(ValueError, match="Radio-DeepMTS cannot predict new patients.*no command writes"):
        predict_statistical(fold_folder(model, "RadioDeepMTS_New").parent, [0], PatientInputs())


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
