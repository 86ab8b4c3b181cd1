"""From raw images of new patients to tables: the same numbers as in training, and nothing lost to faulty input."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk
import torch

from nnunetv2_adamss.prediction import predict_patients as run
from nnunetv2_adamss.prediction.export import export_model
from nnunetv2_adamss.prediction.patient_images import PatientImages
from nnunetv2_adamss.prediction.patient_tables import PatientTables
from nnunetv2_adamss.prediction.predict_patients import PredictionReport, PredictionRequest, predict_patients
from nnunetv2_adamss.prediction.prediction_folder import MaskFiles
from nnunetv2_adamss.prediction.predictor import SurvivalPredictor
from nnunetv2_adamss.prediction.result_tables import ResultTables
from nnunetv2_adamss.prediction.survival_model import SurvivalModel
from nnunetv2_adamss.trained_folds.predicted_curves import read_fold_curves
from tests.run_examples import PREDICTION, page_parts, run_examples
from tests.trained_model import TrainedModel

pytestmark = [
    # nnU-Net's search for the Stage-I trainer imports all of its trainers.
    pytest.mark.filterwarnings("ignore::FutureWarning:torch"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning"),
]


def predict(model: TrainedModel, images: Path, output: Path, **options: Any) -> PredictionReport:
    options = {
        "folds": [0],
        "checkpoint_name": "checkpoint_final.pth",
        "clinical_csv": model.clinical,
        **options,
    }
    return predict_patients(
        PredictionRequest(model_folder=model.folder, images=images, output=output, device="cpu", **options)
    )


def predictions(output: Path) -> pd.DataFrame:
    return pd.read_csv(output / "survival_predictions.csv").set_index("case_id")


def curves(table: pd.DataFrame) -> np.ndarray:
    return table.filter(like="survival_at_").to_numpy()


@pytest.mark.parametrize(
    ("epoch", "checkpoint"), [("last", "checkpoint_final.pth"), ("best", "checkpoint_best.pth")]
)
def test_raw_images_are_predicted_as_their_preprocessed_data_were_at_the_end_of_training(
    trained_model: TrainedModel, tmp_path: Path, epoch: str, checkpoint: str
) -> None:
    cases = trained_model.validation_cases(0)
    images = trained_model.images(cases, tmp_path / "images")
    report = predict(trained_model, images, tmp_path / "out", checkpoint_name=checkpoint)
    assert (report.n_predicted, report.failed) == (len(cases), {})
    new, validated = predictions(tmp_path / "out"), trained_model.validation_predictions(0, epoch)
    assert list(new.filter(like="survival_at_")) == list(validated.filter(like="survival_at_"))
    np.testing.assert_allclose(curves(new.loc[validated.index]), curves(validated), atol=1e-5)
    np.testing.assert_allclose(new.loc[validated.index, "risk_score"], validated["risk_score"], rtol=1e-5)
    np.testing.assert_allclose(new["predicted_time"], -new["risk_score"])


def test_the_model_predicts_from_python_what_the_command_predicts(
    trained_model: TrainedModel, tmp_path: Path
) -> None:
    case_id = trained_model.validation_cases(0)[0]
    images = trained_model.images([case_id], tmp_path / "images")
    predict(trained_model, images, tmp_path / "out")
    predictor = SurvivalPredictor.from_model_folder(
        trained_model.folder, [0], "checkpoint_final.pth", torch.device("cpu")
    )
    files = tuple(images / f"{case_id}_000{channel}.nii.gz" for channel in range(2))
    mask = tmp_path / "mask.nii.gz"
    prediction = predictor.predict(
        predictor.prepare(PatientImages(case_id, files)),
        PatientTables.read(predictor.model, trained_model.clinical),
        MaskFiles(mask, {0: mask}),
    )
    table = ResultTables(predictor.model).survival([prediction])
    assert table["risk_score"].item() == pytest.approx(predictions(tmp_path / "out")["risk_score"].item())
    assert mask.is_file()


def test_one_call_predicts_what_the_command_predicts_for_both_folds(
    trained_model: TrainedModel, tmp_path: Path
) -> None:
    case_id = trained_model.validation_cases(0)[0]
    images = trained_model.images([case_id], tmp_path / "images")
    predict(trained_model, images, tmp_path / "out", folds=[0, 1], checkpoint_name="checkpoint_best.pth")
    predictor = SurvivalPredictor.from_model(trained_model.folder, device="cpu")
    assert predictor.model.fold_numbers == [0, 1]
    clinical = pd.read_csv(trained_model.clinical, dtype=str).set_index("case_id")
    by_folder = predictor.predict_images(images, clinical=clinical, output=tmp_path / "python")
    expected = predictions(tmp_path / "out").reset_index()
    pd.testing.assert_frame_equal(
        by_folder.fillna({"warnings": ""}), expected.fillna({"warnings": "", "risk_group": ""})
    )
    for masks in ("masks", "masks_by_fold/fold_0"):
        one, other = (tmp_path / folder / masks / f"{case_id}.nii.gz" for folder in ("out", "python"))
        assert np.array_equal(
            sitk.GetArrayFromImage(sitk.ReadImage(one)), sitk.GetArrayFromImage(sitk.ReadImage(other))
        )


@pytest.mark.parametrize("source", ["docstring", "page"])
def test_the_examples_of_predicting_from_python_run(
    trained_model: TrainedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    case_id = trained_model.validation_cases(0)[0]
    images = trained_model.images([case_id], tmp_path / "images")
    export_model(SurvivalModel.load(trained_model.folder, [0], "checkpoint_best.pth"), tmp_path / "model.zip")
    for channel, name in enumerate(("ct", "pet")):
        shutil.copy(images / f"{case_id}_000{channel}.nii.gz", tmp_path / f"anna_{name}.nii.gz")
    table = pd.read_csv(trained_model.clinical, dtype=str).query("case_id == @case_id")
    table.assign(case_id="anna").to_csv(tmp_path / "patients.csv", index=False)
    monkeypatch.chdir(tmp_path)
    run_examples(source, SurvivalPredictor.__doc__ if source == "docstring" else page_parts()[PREDICTION])
    assert [path.name for path in Path("OUT/masks").iterdir()] == ["anna.nii.gz"]


def test_what_one_call_cannot_predict_is_named(trained_model: TrainedModel, tmp_path: Path) -> None:
    case_id = trained_model.validation_cases(0)[0]
    images = trained_model.images([case_id], tmp_path / "images")
    predictor = SurvivalPredictor.from_model(trained_model.folder, [0], device="cpu")
    files = sorted(images.iterdir())
    clinical = pd.read_csv(trained_model.clinical, dtype=str)
    with pytest.raises(ValueError, match="There are no patients to predict"):
        predictor.predict_images({}, clinical=clinical)
    with pytest.raises(ValueError, match="anna: .* is not one file for each channel of the model: CT, PET"):
        predictor.predict_images({"anna": files[:1]}, clinical=clinical)
    with pytest.raises(ValueError, match=r"anna: the model reads .nii.gz files, but pet.mha is not one"):
        predictor.predict_images({"anna": [files[0], "pet.mha"]}, clinical=clinical)
    with pytest.raises(ValueError, match="anna: this case has no row in the clinical data"):
        predictor.predict_images({"anna": files}, clinical=clinical)
    with pytest.raises(ValueError, match=f"{case_id}: .*pet.nii.gz does not exist"):
        predictor.predict_images({case_id: [files[0], "pet.nii.gz"]}, clinical=clinical)
    with pytest.raises(ValueError, match="^clinical: there is no column 'age'"):
        predictor.predict_images({case_id: files}, clinical=clinical.drop(columns="age"))


def test_each_fold_works_with_its_own_mask_and_the_folds_curves_are_averaged(
    trained_model: TrainedModel, tmp_path: Path
) -> None:
    images = trained_model.images(trained_model.validation_cases(0)[:1], tmp_path / "images")
    for folds in ([0], [1], [0, 1]):
        predict(trained_model, images, tmp_path / str(folds), folds=folds)
    case_id = trained_model.validation_cases(0)[0]
    for fold in (0, 1):
        alone = sitk.ReadImage(str(tmp_path / f"[{fold}]" / "masks" / f"{case_id}.nii.gz"))
        own = sitk.ReadImage(
            str(tmp_path / "[0, 1]" / "masks_by_fold" / f"fold_{fold}" / f"{case_id}.nii.gz")
        )
        assert np.array_equal(sitk.GetArrayFromImage(alone), sitk.GetArrayFromImage(own))
    first, second = (
        (tmp_path / "[0, 1]" / "masks_by_fold" / f"fold_{fold}" / f"{case_id}.nii.gz").read_bytes()
        for fold in (0, 1)
    )
    assert first != second
    together = predictions(tmp_path / "[0, 1]").loc[case_id]
    tables = [predictions(tmp_path / f"[{fold}]") for fold in (0, 1)]
    # At the time that both folds' curves end at or go beyond, the shorter one's last column, log S is interpolated.
    shorter = min(tables, key=lambda table: float(list(table.filter(like="survival_at_"))[-1][12:]))
    last = list(shorter.filter(like="survival_at_"))[-1]
    longer = tables[1] if shorter is tables[0] else tables[0]
    names = list(longer.filter(like="survival_at_"))
    edges = [0.0, *(float(name[12:]) for name in names)]
    log_curve = np.log([1.0, *longer.loc[case_id, names].astype(float)])
    at_last = np.exp(np.interp(float(last[12:]), edges, log_curve))
    assert together[last] == pytest.approx((shorter.loc[case_id, last] + at_last) / 2, rel=1e-4)
    assert together["predicted_time_sd"] > 0
    by_fold = read_fold_curves(tmp_path / "[0, 1]" / "survival_by_fold.csv")
    assert [fold.case_ids for fold in by_fold] == [[case_id], [case_id]]
    mean = np.mean([fold.survival_curve[0] for fold in by_fold], axis=0)
    np.testing.assert_allclose(mean, together.filter(like="survival_at_").astype(float))
    spread = np.std([fold.predicted_time[0] for fold in by_fold], ddof=1)
    assert spread == pytest.approx(together["predicted_time_sd"], rel=1e-4)
    assert not (tmp_path / "[0]" / "survival_by_fold.csv").exists()
    provenance = json.loads((tmp_path / "[0, 1]" / "prediction.json").read_text())
    assert provenance["folds"] == [0, 1]
    assert set(provenance["seconds_per_case"]) == {"preprocessing", "segmentation", "radiomics", "survival"}


def test_faulty_patients_are_listed_with_reasons_and_the_others_are_predicted(
    trained_model: TrainedModel, tmp_path: Path
) -> None:
    cases = [*trained_model.validation_cases(0), *trained_model.validation_cases(1)]
    good, without_channel, corrupt, shifted, not_finite, unknown = cases[:6]
    images = trained_model.images(cases[:6], tmp_path / "images")

    def pet(case_id: str) -> Path:
        return images / f"{case_id}_0001.nii.gz"

    pet(without_channel).unlink()
    pet(corrupt).unlink()
    pet(corrupt).write_bytes(b"no image at all")
    moved = sitk.ReadImage(str(pet(shifted)))
    moved.SetSpacing((4.0, 4.0, 4.0))
    pet(shifted).unlink()
    sitk.WriteImage(moved, str(pet(shifted)))
    holes = sitk.ReadImage(str(pet(not_finite)), sitk.sitkFloat32)
    holes.SetPixel(3, 3, 3, float("nan"))
    pet(not_finite).unlink()
    sitk.WriteImage(holes, str(pet(not_finite)))
    clinical = pd.read_csv(trained_model.clinical, dtype=str)
    clinical[clinical["case_id"] != unknown].to_csv(tmp_path / "clinical.csv", index=False)

    report = predict(trained_model, images, tmp_path / "out", clinical_csv=tmp_path / "clinical.csv")
    assert list(predictions(tmp_path / "out").index) == [good]
    assert set(report.failed) == set(cases[1:6])
    assert f"{pet(without_channel)} does not exist" in report.failed[without_channel]
    assert "cannot be read" in report.failed[corrupt]
    assert "PET lies on another grid than CT" in report.failed[shifted]
    assert "1 voxels that are not finite" in report.failed[not_finite]
    assert "this case has no row in the clinical data" in report.failed[unknown]
    assert json.loads((tmp_path / "out" / "prediction.json").read_text())["failed"] == report.failed


def test_a_stopped_run_continues_with_what_is_missing_unless_something_has_changed(
    trained_model: TrainedModel, tmp_path: Path
) -> None:
    cases = trained_model.validation_cases(0)[:2]
    images = trained_model.images(cases, tmp_path / "images")
    done: list[str] = []

    class Killed(BaseException):
        pass

    def kill_after_the_first(case_id: str) -> None:
        done.append(case_id)
        raise Killed

    request = PredictionRequest(
        trained_model.folder,
        images,
        tmp_path / "out",
        [0],
        "checkpoint_final.pth",
        "cpu",
        trained_model.clinical,
    )
    with pytest.raises(Killed):
        predict_patients(request, on_patient_done=kill_after_the_first)
    assert not (tmp_path / "out" / "survival_predictions.csv").exists()
    report = predict(trained_model, images, tmp_path / "out", continue_prediction=True)
    assert (report.n_kept, report.n_predicted) == (1, 1)
    assert sorted(predictions(tmp_path / "out").index) == sorted(cases)
    ct = images / f"{cases[0]}_0000.nii.gz"
    brighter = sitk.ReadImage(str(ct)) + 10
    ct.unlink()
    sitk.WriteImage(brighter, str(ct))
    report = predict(trained_model, images, tmp_path / "out", continue_prediction=True)
    assert (report.n_kept, report.n_predicted) == (1, 1)
    report = predict(trained_model, images, tmp_path / "out", continue_prediction=True, folds=[1])
    assert (report.n_kept, report.n_predicted) == (0, 2)
    (images / f"{cases[1]}_0001.nii.gz").unlink()
    predict(trained_model, images, tmp_path / "out")
    assert list(predictions(tmp_path / "out").index) == cases[:1]


def test_parts_write_one_table_together(trained_model: TrainedModel, tmp_path: Path) -> None:
    cases = trained_model.validation_cases(0)[:3]
    images = trained_model.images(cases, tmp_path / "images")
    for part_id in (0, 1):
        report = predict(trained_model, images, tmp_path / "out", num_parts=2, part_id=part_id)
        assert report.n_predicted == (2, 1)[part_id]
    assert list(predictions(tmp_path / "out").index) == sorted(cases)


def test_given_masks_are_used_and_an_empty_one_is_a_fault_of_that_patient(
    trained_model: TrainedModel, tmp_path: Path
) -> None:
    cases = trained_model.validation_cases(0)[:4]
    images = trained_model.images(cases, tmp_path / "images")
    masks = tmp_path / "given"
    masks.mkdir()
    for case_id in (cases[0], cases[1], cases[3]):
        label = trained_model.project.raw / "Dataset902_Phantoms" / "labelsTr" / f"{case_id}.nii.gz"
        shutil.copy(label, masks)
    empty = sitk.ReadImage(str(masks / f"{cases[1]}.nii.gz")) * 0
    sitk.WriteImage(empty, str(masks / f"{cases[1]}.nii.gz"))
    moved = sitk.ReadImage(str(masks / f"{cases[3]}.nii.gz"))
    moved.SetOrigin((50.0, 0.0, 0.0))
    sitk.WriteImage(moved, str(masks / f"{cases[3]}.nii.gz"))
    report = predict(trained_model, images, tmp_path / "out", masks_dir=masks, folds=[0, 1])
    assert "empty" in report.failed[cases[1]]
    assert f"{masks / cases[2]}.nii.gz does not exist" in report.failed[cases[2]]
    assert "lies on another grid than its image" in report.failed[cases[3]]
    assert list(predictions(tmp_path / "out").index) == cases[:1]
    given, kept = (folder / f"{cases[0]}.nii.gz" for folder in (masks, tmp_path / "out" / "masks"))
    assert given.read_bytes() == kept.read_bytes()
    radiomics = pd.read_csv(tmp_path / "out" / "radiomics.csv").set_index("fold")
    assert radiomics.loc[0, "shape_MeshVolume"] == radiomics.loc[1, "shape_MeshVolume"]


def test_the_same_place_along_other_axes_gives_the_same_prediction(
    trained_model: TrainedModel, tmp_path: Path
) -> None:
    case_id = trained_model.validation_cases(0)[0]
    images = trained_model.images([case_id], tmp_path / "images")
    label = trained_model.project.raw / "Dataset902_Phantoms" / "labelsTr" / f"{case_id}.nii.gz"
    (tmp_path / "masks").mkdir()
    shutil.copy(label, tmp_path / "masks")
    predict(trained_model, images, tmp_path / "plain", masks_dir=tmp_path / "masks")
    for file in (images / f"{case_id}_0001.nii.gz", tmp_path / "masks" / f"{case_id}.nii.gz"):
        turned = sitk.DICOMOrient(sitk.ReadImage(str(file)), "SRA")
        file.unlink()
        sitk.WriteImage(turned, str(file))
    report = predict(trained_model, images, tmp_path / "turned", masks_dir=tmp_path / "masks")
    assert report.failed == {}
    plain, turned = (predictions(tmp_path / name) for name in ("plain", "turned"))
    np.testing.assert_array_equal(curves(turned), curves(plain))
    radiomics, expected = (pd.read_csv(tmp_path / name / "radiomics.csv") for name in ("turned", "plain"))
    pd.testing.assert_frame_equal(radiomics, expected)


def test_an_image_of_one_value_is_not_predicted(trained_model: TrainedModel, tmp_path: Path) -> None:
    case_id = trained_model.validation_cases(0)[0]
    images = trained_model.images([case_id], tmp_path / "images")
    pet = images / f"{case_id}_0001.nii.gz"
    empty = sitk.ReadImage(str(pet)) * 0
    pet.unlink()
    sitk.WriteImage(empty, str(pet))
    report = predict(trained_model, images, tmp_path / "out")
    assert report.failed == {case_id: "PET is 0 in every voxel"}


def test_what_is_unusual_in_a_patient_is_said_in_the_table(
    trained_model: TrainedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = trained_model.validation_cases(0)[:3]
    images = trained_model.images(cases, tmp_path / "images")
    clinical = pd.read_csv(trained_model.clinical, dtype=str).set_index("case_id")
    clinical.loc[cases[0], "age"] = "150"
    clinical.loc[cases[1], "age"] = "unknown"
    clinical.to_csv(tmp_path / "clinical.csv")
    found = run.StageOneTumours.find

    def find_nothing_in_the_third(self, data, properties, images, files):  # type: ignore[no-untyped-def]
        tumours = found(self, data, properties, images, files)
        if images.case_id == cases[2]:
            for tumour in tumours.values():
                tumour.mask[:] = 0
        return tumours

    monkeypatch.setattr(run.StageOneTumours, "find", find_nothing_in_the_third)
    predict(trained_model, images, tmp_path / "out", clinical_csv=tmp_path / "clinical.csv")
    warnings = predictions(tmp_path / "out")["warnings"].fillna("")
    assert "age 150 lies outside the training cases' " in warnings[cases[0]]
    assert "age is not known and was imputed" in warnings[cases[1]]
    assert "no tumour found, so the region lies around the likeliest place" in warnings[cases[2]]
    assert np.isfinite(curves(predictions(tmp_path / "out"))).all()
    covariates = pd.read_csv(tmp_path / "out" / "covariates.csv", dtype=str).set_index("case_id")
    assert covariates.loc[cases[0], "age"] == "150"


def test_what_cannot_be_predicted_is_said_before_anything_is_written(
    trained_model: TrainedModel, tmp_path: Path
) -> None:
    images = trained_model.images(trained_model.validation_cases(0)[:1], tmp_path / "images")
    (tmp_path / "empty").mkdir()
    out = tmp_path / "out"
    with pytest.raises(ValueError, match="needs --clinical FILE.csv with case_id"):
        predict(trained_model, images, out, clinical_csv=None)
    (tmp_path / "no_age.csv").write_text("case_id,hpv\na,1\n")
    with pytest.raises(ValueError, match="there is no column 'age', which the model uses"):
        predict(trained_model, images, out, clinical_csv=tmp_path / "no_age.csv")
    (tmp_path / "empty" / "scan.nii.gz").touch()
    with pytest.raises(ValueError, match="There are no images in"):
        predict(trained_model, tmp_path / "empty", out)
    with pytest.raises(ValueError, match="There is no folder of images"):
        predict(trained_model, tmp_path / "nowhere", out)
    with pytest.raises(ValueError, match=r"no trained survival network .*Trained folds: 0, 1"):
        predict(trained_model, images, out, folds=[0, 4])
    assert not out.exists()


def test_damaged_foreign_and_changed_checkpoints_are_refused(
    trained_model: TrainedModel, tmp_path: Path
) -> None:
    results = tmp_path / "results"
    shutil.copytree(trained_model.results, results)
    folder = results / trained_model.folder.relative_to(trained_model.results)
    survival = folder / "fold_0" / "checkpoint_final.pth"
    stage_one = folder.parent / "AdaMSSSegTrainer__nnUNetPlans__3d_fullres" / "fold_0" / "checkpoint_best.pth"
    assert SurvivalModel.load(folder, [0], survival.name).fold_numbers == [0]

    whole = survival.read_bytes()
    survival.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="is not a checkpoint that a survival trainer"):
        SurvivalModel.load(folder, [0], survival.name)
    shutil.copy(stage_one, survival)
    with pytest.raises(ValueError, match="is not a checkpoint that a survival trainer"):
        SurvivalModel.load(folder, [0], survival.name)
    survival.write_bytes(whole)
    stage_one.write_bytes(stage_one.read_bytes() + b"trained on")
    with pytest.raises(ValueError, match="has changed since"):
        SurvivalModel.load(folder, [0], survival.name)
    stage_one.unlink()
    with pytest.raises(ValueError, match="There is no Stage-I network"):
        SurvivalModel.load(folder, [0], survival.name)


def test_features_of_the_users_own_must_be_given_again(trained_model: TrainedModel) -> None:
    model = SurvivalModel.load(trained_model.folder, [0], "checkpoint_final.pth")
    fold = model.first
    unknown = replace(fold.survival, radiomics={**fold.survival.radiomics, "features": ["shape_MeshVolume"]})
    model = replace(model, folds=(replace(fold, survival=unknown),))
    with pytest.raises(
        ValueError, match=r"no radiomics it can extract: CT_original_firstorder_.* --features"
    ):
        PatientTables.read(model, trained_model.clinical)


def test_a_patients_file_that_is_damaged_costs_that_patient_alone(
    trained_model: TrainedModel, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cases = trained_model.validation_cases(0)[:2]
    images, out = trained_model.images(cases, tmp_path / "images"), tmp_path / "out"
    predict(trained_model, images, out)
    before = predictions(out)
    file = out / "cases" / f"{cases[0]}.json"
    whole = json.loads(file.read_text())
    impossible = json.loads(file.read_text())
    impossible["prediction"]["folds"]["0"]["survival_prob"][0] = float("nan")
    for content in (file.read_text()[:100], "null", '{"prediction": {}}', json.dumps(impossible)):
        file.write_text(content)
        report = predict(trained_model, images, out, continue_prediction=True)
        assert (report.n_kept, report.n_predicted, report.failed) == (1, 1, {})
        pd.testing.assert_frame_equal(predictions(out), before)
        assert json.loads(file.read_text())["made"] == whole["made"]
    assert f"{file} is damaged, so {cases[0]} counts as not predicted yet" in caplog.text
