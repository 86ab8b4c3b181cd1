"""``adamss_predict_statistical`` as a user types it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from nnunetv2_adamss.cli import fit_statistical, fuse_risks, predict_statistical
from nnunetv2_adamss.evaluation.prediction_files import read_predictions
from nnunetv2_adamss.methods.statistical.fitted_model import FittedModel
from nnunetv2_adamss.survival.covariates.covariate_tables import CovariateTables
from tests.survival_project import DATASET
from tests.trained_model import TrainedModel

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning:torch"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning"),
]


@pytest.fixture(scope="module")
def model(statistical_model: TrainedModel) -> TrainedModel:
    """With two folds of tumour volume and one of ICARE."""
    for method, fold in (("TumourVolume", "0"), ("TumourVolume", "1"), ("ICARE", "0")):
        options = ["-tr", method, "-device", "cpu", "--disable_tta", "--overwrite"]
        assert fit_statistical.main(["902", "3d_fullres", fold, *options]) == 0
    return statistical_model


def typed(output: Path, *options: str | Path, name: str = "ICARE", folds: tuple[str, ...] = ("0",)) -> int:
    given = ["-d", "902", "-c", "3d_fullres", "-tr", name, "-o", output, "-f", *folds, *options]
    return predict_statistical.main(list(map(str, given)))


def refusal(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, *options: str | Path, **changes: object
) -> str:
    capsys.readouterr()
    assert typed(tmp_path / "risk.csv", *options, **changes) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.startswith("adamss_predict_statistical: ")
    assert not (tmp_path / "risk.csv").exists()
    return captured.err


@pytest.fixture
def tables(model: TrainedModel, tmp_path: Path) -> dict[str, Path]:
    """Clinical data and radiomics of the validation cases of fold 0; the latter also in two parts."""
    stage_one = model.results / DATASET / "AdaMSSSegTrainer__nnUNetPlans__3d_fullres" / "fold_0"
    parts = {}
    for name, file in (("clinical", model.clinical), ("radiomics", stage_one / "radiomics_groundtruth.csv")):
        table = pd.read_csv(file, dtype=str).set_index("case_id")
        parts[name] = table.loc[model.validation_cases(0)]
    half = parts["radiomics"].shape[1] // 2
    parts["first"], parts["second"] = parts["radiomics"].iloc[:, :half], parts["radiomics"].iloc[:, half:]
    parts["lacking"] = parts["second"][1:]
    parts["other"] = parts["radiomics"].set_axis([f"other_{i}" for i in range(4)]).rename_axis("case_id")
    for name, table in parts.items():
        table.to_csv(tmp_path / f"{name}.csv")
    return {name: tmp_path / f"{name}.csv" for name in parts}


def test_tumour_volume_of_new_masks_ranks_patients_and_other_commands_read_it(
    model: TrainedModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    masks, output = model.project.raw / DATASET / "labelsTr", tmp_path / "new" / "risk.csv"
    assert typed(output, "--masks", masks, name="TumourVolume", folds=("0", "1")) == 0
    assert capsys.readouterr().out == f"Risk scores of 12 patients: {output}\n"
    risk = read_predictions([output]).table["risk_score"]
    volumes = pd.Series({case: np.sum(sitk.GetArrayFromImage(sitk.ReadImage(masks / f"{case}.nii.gz")) > 0)
                         for case in risk.index})  # fmt: skip
    np.testing.assert_array_equal(risk.rank(), volumes.rank())


def test_features_may_come_in_several_tables(tables: dict[str, Path], tmp_path: Path) -> None:
    clinical = ("--clinical", tables["clinical"])
    assert typed(tmp_path / "one.csv", *clinical, "--features", tables["radiomics"]) == 0
    parts = ("--features", tables["first"], "--features", tables["second"])
    assert typed(tmp_path / "two.csv", *clinical, *parts) == 0
    assert (tmp_path / "one.csv").read_text() == (tmp_path / "two.csv").read_text()


def test_out_of_fold_risks_are_what_their_fold_predicts_of_these_patients_when_they_are_new(
    model: TrainedModel, tables: dict[str, Path], tmp_path: Path
) -> None:
    options = ("--clinical", tables["clinical"], "--features", tables["radiomics"])
    assert typed(tmp_path / "new.csv", *options) == 0
    known = ["-d", "902", "-c", "3d_fullres", "-tr", "ICARE", "-f", "0", "-o", str(tmp_path / "known.csv")]
    assert fuse_risks.main(known) == 0
    new, of_fold = (read_predictions([tmp_path / f"{n}.csv"]).table["risk_score"] for n in ("new", "known"))
    assert of_fold.to_dict() == pytest.approx(new.to_dict())
    assert set(of_fold.index) == set(model.validation_cases(0))


def test_masks_end_as_the_data_set_of_the_images_says(model: TrainedModel, tmp_path: Path) -> None:
    masks, images = tmp_path / "masks", tmp_path / "raw" / "imagesTs"
    for folder in (masks, images):
        folder.mkdir(parents=True)
    (tmp_path / "raw" / "dataset.json").write_text('{"file_ending": ".nrrd"}')
    for file in sorted((model.project.raw / DATASET / "labelsTr").iterdir())[:3]:
        sitk.WriteImage(sitk.ReadImage(file), masks / f"{file.name.partition('.')[0]}.nrrd")
    output = tmp_path / "risk.csv"
    assert typed(output, "-i", images, "--masks", masks, name="TumourVolume") == 0
    assert len(read_predictions([output]).table) == 3


def test_a_table_that_the_model_needs_is_asked_for(
    model: TrainedModel, tables: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    features, clinical = ("--features", tables["radiomics"]), ("--clinical", tables["clinical"])
    assert "it needs --clinical FILE.csv" in refusal(capsys, tmp_path, *features)
    assert "needs features that are not there" in refusal(capsys, tmp_path, *clinical)
    assert "needs features that are not there" in refusal(
        capsys, tmp_path, *clinical, "--features", tables["first"]
    )
    assert "the file does not exist" in refusal(
        capsys, tmp_path, "--clinical", tmp_path / "no.csv", *features
    )
    assert "give the patients' masks with --masks" in refusal(capsys, tmp_path, name="TumourVolume")


def test_a_patient_missing_in_one_table_is_named_and_the_others_are_predicted(
    model: TrainedModel,
    tables: dict[str, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    first, clinical = ("--features", tables["first"]), ("--clinical", tables["clinical"])
    assert typed(tmp_path / "all.csv", *clinical, *first, "--features", tables["second"]) == 0
    assert typed(tmp_path / "some.csv", *clinical, *first, "--features", tables["lacking"]) == 0
    (message,) = caplog.messages
    absent, *others = model.validation_cases(0)
    assert message == f"1 patient(s) are missing in one of the given tables and not predicted: {absent}."
    both = (read_predictions([tmp_path / name]).table["risk_score"] for name in ("all.csv", "some.csv"))
    everybody, some = both
    assert some.to_dict() == everybody[others].to_dict()
    said = refusal(capsys, tmp_path, *clinical, "--features", tables["other"])
    assert "No patient is in all of the given tables" in said


def test_a_fold_that_is_not_fitted_is_said_with_its_file(
    model: TrainedModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refusal(capsys, tmp_path, name="TumourVolume", folds=("0", "1", "2"))
    assert str(Path("fold_2") / "model.json") in said and "adamss_fit_statistical" in said
    assert "SUVmax__nnUNetPlans__3d_fullres" in refusal(capsys, tmp_path, name="SUVmax", folds=("4",))


@pytest.mark.parametrize(
    ("folds", "message"),
    [
        (("all",), "fold all trains on every case"),
        (("0", "0"), "-f names a fold twice"),
        (("one",), "-f takes numbers of folds, not one"),
    ],
)
def test_folds_are_numbers(
    folds: tuple[str, ...], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        typed(tmp_path / "risk.csv", folds=folds)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


def test_a_patient_without_a_finite_risk_is_named_and_left_out(
    model: TrainedModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    masks, output = model.project.raw / DATASET / "labelsTr", tmp_path / "risk.csv"
    whole = FittedModel.risk_score

    def spoilt(
        self: FittedModel, tables: CovariateTables, case_ids: list[str], extra: pd.DataFrame
    ) -> np.ndarray:
        return np.where(np.arange(len(case_ids)) == 1, np.inf, whole(self, tables, case_ids, extra))

    monkeypatch.setattr(FittedModel, "risk_score", spoilt)
    assert typed(output, "--masks", masks, name="TumourVolume") == 0
    cases = sorted(file.name.removesuffix(".nii.gz") for file in masks.iterdir())
    assert (
        f"1 patient(s) cannot be predicted, since their risk is not a finite number: {cases[1]}."
        in caplog.text
    )
    assert list(pd.read_csv(output)["case_id"]) == [case for case in cases if case != cases[1]]
    monkeypatch.setattr(FittedModel, "risk_score", lambda *given: np.full(len(cases), np.nan))
    assert "12 patient(s) cannot be predicted" in refusal(
        capsys, tmp_path / "new", "--masks", masks, name="TumourVolume"
    )
