"""The command that fits stages, on a cross-validation of phantoms whose N stage is their number of nodes."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from nnunetv2_adamss.cli import fit_tn_stages
from nnunetv2_adamss.metrics.lesions_of_mask import find_lesions
from nnunetv2_adamss.tn_stages.stage_evaluation import CLINICAL, FREQUENT, LESIONS, StageCases, StageResult
from nnunetv2_adamss.tn_stages.stage_model import StageModel
from tests.finished_project import DATASET, SEG_TRAINER, make_finished_project, model_folder
from tests.misshapen import MISSHAPEN
from tests.nnunet_project import NnunetProject

N_CASES, N_FOLDS = 60, 3
MODEL = ["-d", "903", "-c", "3d_fullres", "-f", "0", "1", "2", "-np", "1"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> NnunetProject:
    """Both stages, with Stage-I checkpoints, which are only hashed here."""
    project = make_finished_project(tmp_path_factory.mktemp("stages"), N_CASES, N_FOLDS)
    for fold in range(N_FOLDS):
        folder = model_folder(project, SEG_TRAINER) / f"fold_{fold}"
        (folder / "checkpoint_best.pth").write_text(f"Stage I of fold {fold}")
    return project


@pytest.fixture
def project(finished: NnunetProject, monkeypatch: pytest.MonkeyPatch) -> NnunetProject:
    finished.use(monkeypatch)
    (model_folder(finished) / "tn_stages.json").unlink(missing_ok=True)
    return finished


@pytest.fixture
def stages_csv(project: NnunetProject, tmp_path: Path) -> Path:
    """T by the volume of the reference, N by its number of nodes; the first case's stages are unknown."""
    labels = sorted((project.raw / DATASET / "labelsTr").glob("*.nii.gz"))
    masks = {file.name[:-7]: sitk.GetArrayFromImage(sitk.ReadImage(str(file))) for file in labels}
    volume = pd.Series({case_id: (mask == 1).sum() for case_id, mask in masks.items()})
    nodes = pd.Series({case_id: len(find_lesions(mask == 2)) for case_id, mask in masks.items()})
    table = pd.DataFrame(
        {
            "t_stage": pd.qcut(volume, 3, ["T1", "T2", "T4a"]).astype(str),
            "n_stage": nodes.map(lambda n: ("N0", "N1", "N2b")[min(n, 2)]),
        }
    ).rename_axis("case_id")
    table.iloc[0] = ["TX", ""]
    file = tmp_path / "stages.csv"
    table.to_csv(file)
    return file


def said(capsys: pytest.CaptureFixture[str], *options: str, code: int = 2) -> str:
    assert fit_tn_stages.main([*MODEL, *options]) == code
    captured = capsys.readouterr()
    if code:
        assert captured.out == "" and captured.err.count("\n") == 1
    return captured.err if code else captured.out


def test_stages_that_the_masks_show_are_found_out_of_fold(
    project: NnunetProject, stages_csv: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = said(capsys, "--stages", str(stages_csv), code=0)
    file = model_folder(project) / "tn_stages.json"
    assert f"Written to {file}" in shown
    content = json.loads(file.read_text())
    for letter in ("T", "N"):
        scores = content["out_of_fold"][letter]["balanced_accuracy"]
        assert f"{letter} stage, out of fold: 59 cases: {letter}" in shown
        assert scores[LESIONS]["value"] > 0.7
        assert scores[CLINICAL]["value"] < 0.5
        assert f"{scores[LESIONS]['value']:.3f} [" in shown
    # In every fold most have two nodes or more.
    assert content["out_of_fold"]["N"]["balanced_accuracy"][FREQUENT]["value"] == pytest.approx(1 / 3)
    confusion = pd.DataFrame(content["out_of_fold"]["N"]["cases_by_true_and_predicted_stage"])
    assert confusion.to_numpy().sum() == 59
    assert set(content["masks_sha256"]) == {f"Stage-I masks (fold {fold})" for fold in range(N_FOLDS)}


def test_cases_with_a_stage_that_no_fold_validates_are_named(
    project: NnunetProject, stages_csv: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    more = tmp_path / "more.csv"
    more.write_text(stages_csv.read_text() + "elsewhere,T1,N0\n")
    assert fit_tn_stages.main([*MODEL, "--stages", str(more)]) == 0
    (said,) = [one.getMessage() for one in caplog.records if "with a stage are left out" in one.getMessage()]
    assert said.startswith("1 case(s)") and said.endswith(": elsewhere")


def test_a_new_patient_gets_the_stage_of_the_mask(project: NnunetProject, stages_csv: Path) -> None:
    assert fit_tn_stages.main([*MODEL, "--stages", str(stages_csv)]) == 0
    model = StageModel.read(model_folder(project))
    assert model is not None
    truth = pd.read_csv(stages_csv, index_col="case_id").iloc[1:]
    raw = project.raw / DATASET
    right = [
        model.predict(raw / f"labelsTr/{one}.nii.gz", raw / f"imagesTr/{one}_0000.nii.gz", {})["N"]
        == stage[:2]
        for one, stage in truth["n_stage"].items()
    ]
    assert np.mean(right) > 0.8


def test_the_survival_table_may_hold_the_stages_and_they_are_no_inputs(
    project: NnunetProject, stages_csv: Path, tmp_path: Path
) -> None:
    table = pd.read_csv(project.raw / DATASET / "survival.csv", dtype=str).set_index("case_id")
    stages = pd.read_csv(stages_csv, index_col="case_id", dtype=str)
    own = tmp_path / "own.csv"
    table.join(stages).assign(tnm_group=stages["n_stage"]).to_csv(own)
    assert fit_tn_stages.main([*MODEL, "--survival_csv", str(own)]) == 0
    model = StageModel.read(model_folder(project))
    assert model is not None
    columns = {one.name for one in model.indicators}
    assert columns and columns <= {*table}


def test_a_table_without_stages_asks_for_them(
    project: NnunetProject, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "survival.csv has no column t_stage and no column n_stage. Give the stages" in said(capsys)


def test_a_stage_of_few_cases_is_a_sentence_that_names_it(
    project: NnunetProject, stages_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = pd.read_csv(stages_csv, index_col="case_id")
    few = tmp_path / "few.csv"
    table.assign(n_stage=table["n_stage"].where(table.index.isin(table.index[:6]))).to_csv(few)
    error = said(capsys, "--stages", str(few))
    assert "The N stage cannot be fitted: at least two stages need 5 training cases each" in error
    assert not (model_folder(project) / "tn_stages.json").exists()


def test_a_missing_mask_is_named_and_masks_can_be_given(
    project: NnunetProject, stages_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    masks = tmp_path / "masks"
    masks.mkdir()
    for fold in range(N_FOLDS):
        for file in (model_folder(project, SEG_TRAINER) / f"fold_{fold}" / "stage1_masks").glob("*.nii.gz"):
            (masks / file.name).symlink_to(file)
    lost = sorted(masks.iterdir())[-1]
    lost.unlink()
    options = ["--stages", str(stages_csv), "--masks", str(masks)]
    assert f"1 of 59 cases have no mask in {masks}: {lost.name[:-7]}." in said(capsys, *options)
    lost.write_bytes(b"no image")
    assert f"of 1 case(s) cannot be measured: {lost.name[:-7]}: " in said(capsys, *options)
    lost.unlink()
    lost.symlink_to(project.raw / DATASET / "labelsTr" / lost.name)
    said(capsys, *options, code=0)
    assert json.loads((model_folder(project) / "tn_stages.json").read_text())["masks_sha256"] == {}


def test_one_fold_has_no_others_to_be_fitted_on(
    project: NnunetProject, stages_csv: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fit_tn_stages.main([*MODEL[:4], "-f", "0", "--stages", str(stages_csv)]) == 2
    assert "Stages need two folds or more" in capsys.readouterr().err


def test_cases_without_clinical_columns_have_no_score_of_them() -> None:
    rng = np.random.default_rng(0)
    index = [f"case_{i}" for i in range(60)]
    stage = pd.Series(np.repeat(["N0", "N1"], 30), index)
    lesions = pd.DataFrame({"GTVn_log_lesions": (stage == "N1") + rng.normal(0, 0.1, 60)})
    cases = StageCases(stage, lesions, pd.DataFrame(index=index), {}, pd.Series([0, 1, 2] * 20, index))
    found = StageResult.of(cases).balanced_accuracy
    assert found[LESIONS].value == 1
    assert (found[CLINICAL].value, found[CLINICAL].reason) == (None, "the training cases differ in no column")
    assert found[FREQUENT].value == 0.5


@pytest.mark.parametrize("kind", MISSHAPEN)
def test_a_damaged_file_is_named(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "tn_stages.json"
    file.write_bytes(MISSHAPEN[kind](b'{"labels": {}}'))
    with pytest.raises(ValueError, match=r"tn_stages\.json"):
        StageModel.read(tmp_path)
