"""What a user typed wrongly is said before PyTorch is imported."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nnunetv2_adamss.cli.early_checks import check_trainer
from nnunetv2_adamss.plugin_folder import PLUGIN_FOLDER
from tests.nnunet_project import NnunetProject

NAME = "Dataset007_Tiny"
MODEL = ["-d", "7", "-c", "3d_fullres"]
FOLD = ["7", "3d_fullres", "0"]
CONTAINER = ["--rfs_output", "days", "--conversion_log", "log.json", "-i", ".", "-o", "O"]
NEW = [*MODEL, "-f", "0", "-i", ".", "-o", "O"]
DEEP = ["-tr", "DeepMTLRCoxPH", "--deep_trainer"]
CASES = [
    ("report", ["-d", "8", "-c", "3d_fullres"], "'8' is neither the name nor the id of one data set"),
    ("report", [*MODEL, "-f", "5"], "Fold 5 of"),
    ("report", [*MODEL, "-tr", "AdaMSSSurvTrainer_Unknown"], "choose with -tr and -p"),
    ("report", [*MODEL, "--predictions", "nowhere"], "There is no folder nowhere."),
    ("report", [*MODEL, "--predictions", "OUT"], "OUT/survival_predictions.csv: the file does not exist."),
    ("calibrate", MODEL, "Fold 0, 1, 2, 3, 4 of"),
    ("evaluate_survival", [*MODEL, "-o", "E", "-f", "0", "1"], "Fold 1 of"),
    ("evaluate_survival", [*MODEL, "-o", "E", "--compare", "no.csv"], "no.csv: the file does not exist."),
    ("export_model", [*MODEL, "-o", "m.zip", "-f", "1"], "fold_1/checkpoint_best.pth. Trained folds: 0."),
    ("export_model", [*MODEL, "-o", "m.txt", "-f", "0"], "A model is exported as .zip, not m.txt."),
    ("explain", ["7", "3d_fullres", "9"], "fold_9/checkpoint_best.pth"),
    ("explain", [*FOLD, "--occlusion_mm", "-1"], "--occlusion_mm is -1, but must be above 0"),
    ("explain", [*FOLD, "--max_cases", "-1"], "--max_cases is -1, but must be at least 0"),
    ("predict_survival", [*MODEL, "-i", ".", "-o", "O", "--clinical", "no.csv"], "no.csv: the file does not exist"),
    ("predict_survival", ["-m", "nowhere", "-i", ".", "-o", "O"], "There is no model nowhere: expected"),
    ("predict_survival", ["-m", "log.json", "-i", ".", "-o", "O"], "There is no model log.json: expected"),
    ("predict_survival", ["-m", "OUT", "-i", ".", "-o", "O"], "OUT/fold_0/checkpoint_best.pth"),
    ("predict_survival", NEW, "There are no images in ."),
    ("predict_survival", [*NEW, "--hecktor_submission", "no.json"], "no.json: the file does not exist."),
    ("predict_survival", [*NEW, "--dicom_out", "D"], "--dicom_out needs the patients' CT series"),
    ("hecktor_inference", [*CONTAINER, "-m", "nowhere"], "There is no model nowhere: expected"),
    ("hecktor_inference", [*CONTAINER, "-m", "OUT"], "OUT/fold_0/checkpoint_best.pth"),
    ("hecktor_inference", [*CONTAINER, "-m", "OUT", "-i", "nowhere"], "There is no folder nowhere."),
    ("hecktor_inference", [*CONTAINER, "-m", "OUT", "--conversion_log", "no.json"], "no.json: the file does not"),
    ("predict_statistical", [*MODEL, "-tr", "ICARE", "-o", "r.csv"], "Fit it with adamss_fit_statistical"),
    ("predict_statistical", [*MODEL, "-tr", "lasso_cox", "-o", "r.csv"], "lasso_cox (-tr), only LassoCoxPH, ICARE, "),
    ("fuse_risks", [*MODEL, "-f", "0", "-chk", "mine.pth", "-o", "f.csv"], "only, not of mine.pth (-chk)."),
    ("finetune_survival", ["7", "3d_fullres", "2"], "There is no fold 2:"),
    ("finetune_survival", ["7", "2d", "0"], "There is no configuration '2d' in the plan nnUNetPlans of"),
    ("finetune_survival", [*FOLD, "--epochs", "0"], "epochs is 0, but must be at least 1"),
    ("finetune_survival", [*FOLD, "--interval_edges", "0", "5", "3"], "The settings of the survival training are"),
    ("finetune_survival", FOLD, "holds an unfinished training. Continue it with --c"),
    ("finetune_survival", [*FOLD, "--val"], "--val needs a finished training"),
    ("finetune_survival", ["7", "3d_fullres", "1"], "survival.csv: the file does not exist."),
    ("finetune_survival", ["7", "3d_fullres", "1", "--survival_csv", "log.json"], "There is no Stage-I checkpoint"),
    ("finetune_survival", [*FOLD, "-p", "Mine"], "missing: "),
    ("finetune_survival", [*FOLD, "-tr", "AdaMSSSurvTrainer_Ancored"], "Did you mean AdaMSSSurvTrainer_Anchored"),
    ("finetune_survival", [*FOLD, "--features", "no.csv"], "no.csv: the file does not exist."),
    ("fit_statistical", ["7", "3d_fullres", "2", "-tr", "ICARE"], "There is no fold 2:"),
    ("fit_statistical", ["7", "2d", "0", "-tr", "ICARE"], "There is no configuration '2d' in the plan"),
    ("fit_statistical", [*FOLD, *DEEP, "DeepMTLRTrainer_Shrt"], "DeepMTLRTrainer_Shrt (--deep_trainer)."),
    ("fit_statistical", [*FOLD, *DEEP, "TMSSTrainer"], "starts from DeepMTLRTrainer or a variant of it"),
    ("fit_tn_stages", [*MODEL, "--stages", "no.csv"], "no.csv: the file does not exist."),
    ("fit_tn_stages", MODEL, "Fold 0, 1, 2, 3, 4 of"),
    ("extract_radiomics", [*FOLD, "-p", "Mine"], "is not planned and preprocessed"),
    ("extract_radiomics", ["7", "2d", "0"], "There is no configuration '2d' in the plan"),
    ("extract_radiomics", ["-i", ".", "--masks", "no", "-o", "f.csv"], "There is no folder no."),
    ("verify_dataset", ["-d", "7", "--survival_csv", "no.csv"], "no.csv: the file does not exist."),
    ("make_splits", ["-d", "7", "--survival_csv", "no.csv"], "no.csv: the file does not exist."),
    ("set_normalization", ["-d", "8"], "'8' is neither the name nor the id of one data set"),
    ("set_normalization", ["-d", "7", "-p", "Mine"], "is not planned and preprocessed"),
    ("benchmark", [*MODEL, "-o", "B", "-p", "Mine"], "is not planned and preprocessed"),
    ("benchmark", ["-d", "7", "-c", "2d", "-o", "B"], "There is no configuration '2d' in the plan"),
    ("benchmark", [*MODEL, "-o", "B", "--epochs", "0"], "epochs is 0, but must be at least 1"),
    ("benchmark", [*MODEL, "-o", "B", "-f", "0", "7"], "There is no fold 7:"),
    ("benchmark", [*MODEL, "-o", "B", "--test", "99"], "'99' is neither the name nor the id of one data set"),
    ("convert_dataset", ["manifest", "no.csv", "-d", "8"], "no.csv does not exist."),
]  # fmt: skip
# Without start-up files, one of which would add the folder of an installed copy's trainers.
_SCRIPT = (
    f"import sys; sys.path += {sys.path!r}"
    + """
import contextlib, importlib, io, json
for command, words in json.loads(sys.argv[1]):
    with contextlib.redirect_stderr(io.StringIO()) as said:
        code = importlib.import_module(f"nnunetv2_adamss.cli.{command}").main(words)
    print(json.dumps([code, said.getvalue(), [name for name in ("torch", "pandas") if name in sys.modules]]))
"""
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> NnunetProject:
    """A planned data set with two folds, of which the first one's Stage II has been validated."""
    project = NnunetProject(tmp_path_factory.mktemp("project"))
    preprocessed = project.preprocessed / NAME
    fold = project.results / NAME / "AdaMSSSurvTrainer__nnUNetPlans__3d_fullres" / "fold_0"
    for folder in (project.raw / NAME, preprocessed, fold):
        folder.mkdir(parents=True)
    plan = {"dataset_name": NAME, "plans_name": "nnUNetPlans", "configurations": {"3d_fullres": {}}}
    (preprocessed / "nnUNetPlans.json").write_text(json.dumps(plan))
    (preprocessed / "dataset.json").write_text("{}")
    description = {"channel_names": {"0": "CT", "1": "PET"}, "file_ending": ".nii.gz"}
    (fold.parent / "dataset.json").write_text(json.dumps(description))
    splits = [{"train": ["a"], "val": ["b"]}, {"train": ["b"], "val": ["a"]}]
    (preprocessed / "splits_final.json").write_text(json.dumps(splits))
    (fold / "survival_summary.json").write_text("{}")
    (fold / "checkpoint_best.pth").touch()
    (fold / "validation").mkdir()
    (fold / "validation" / "survival_predictions.csv").touch()
    return project


@pytest.fixture(scope="module")
def ends(
    project: NnunetProject, tmp_path_factory: pytest.TempPathFactory
) -> list[tuple[int, str, list[str]]]:
    """Exit code, stderr and what is imported after each of the cases, of which all run in one process."""
    here = tmp_path_factory.mktemp("here")
    (here / "OUT").mkdir()
    (here / "log.json").touch()
    done = subprocess.run(
        [sys.executable, "-S", "-c", _SCRIPT, json.dumps([case[:2] for case in CASES])],
        cwd=here,
        env=os.environ | project.environment | {"nnUNet_extTrainer": str(PLUGIN_FOLDER)},
        stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return [tuple(json.loads(line)) for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    "number", range(len(CASES)), ids=[f"{case[0]} {' '.join(case[1])}" for case in CASES]
)
def test_a_users_error_is_found_before_pytorch_is_imported(
    ends: list[tuple[int, str, list[str]]], number: int
) -> None:
    (command, _, message), (code, said, imported) = CASES[number], ends[number]
    assert (code, imported) == (2, [])
    assert said.startswith(f"adamss_{command}: ") and message in said
    assert said.count("\n") == 1


def test_a_missing_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from nnunetv2_adamss.cli import verify_dataset

    monkeypatch.delenv("nnUNet_raw", raising=False)
    args = verify_dataset.build_parser().parse_args(["-d", "7"])
    with pytest.raises(ValueError, match=r"nnUNet_raw \(not set\)"):
        verify_dataset._verify(args)


def test_results_of_an_earlier_patient_do_not_survive_an_error_that_is_found_early(tmp_path: Path) -> None:
    from nnunetv2_adamss.cli import hecktor_inference

    for name in ("rfs.json", "t-stage.json", "n-stage.json"):
        (tmp_path / name).write_text("1234.5")
    assert hecktor_inference.main([*CONTAINER, "-m", "nowhere", "-o", str(tmp_path)]) == 2
    assert not list(tmp_path.iterdir())


def test_trainers_that_a_user_may_have_are_left_to_nnunets_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("nnUNet_extTrainer", str(PLUGIN_FOLDER))
    check_trainer("nnUNetTrainer")
    with pytest.raises(ValueError, match=r"^nnU-Net finds no trainer MyOwnTrainer \(-seg_tr\)\.$"):
        check_trainer("MyOwnTrainer", "-seg_tr")
    monkeypatch.setenv("nnUNet_extTrainer", os.pathsep.join([str(PLUGIN_FOLDER), str(tmp_path)]))
    check_trainer("MyOwnTrainer", "-seg_tr")
