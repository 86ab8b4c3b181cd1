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
CASES = [
    ("report", ["-d", "8", "-c", "3d_fullres"], "'8' is neither the name nor the id of one data set"),
    ("report", [*MODEL, "-f", "5"], "Fold 5 of"),
    ("report", [*MODEL, "-tr", "AdaMSSSurvTrainer_Unknown"], "choose with -tr and -p"),
    ("report", [*MODEL, "--predictions", "nowhere"], "There is no folder nowhere."),
    ("calibrate", MODEL, "Fold 0, 1, 2, 3, 4 of"),
    ("evaluate_survival", [*MODEL, "-o", "E", "-f", "0", "1"], "Fold 1 of"),
    ("evaluate_survival", [*MODEL, "-o", "E", "--compare", "no.csv"], "no.csv: the file does not exist."),
    ("export_model", [*MODEL, "-o", "m.zip", "-f", "1"], "fold_1/checkpoint_best.pth. Trained folds: 0."),
    ("explain", ["7", "3d_fullres", "9"], "fold_9/checkpoint_best.pth"),
    ("predict_survival", [*MODEL, "-i", ".", "-o", "O", "--clinical", "no.csv"], "no.csv: the file does not exist"),
    ("predict_survival", ["-m", "nowhere", "-i", ".", "-o", "O"], "nowhere/fold_0/checkpoint_best.pth"),
    ("predict_statistical", [*MODEL, "-tr", "ICARE", "-o", "r.csv"], "Fit it with adamss_fit_statistical"),
    ("finetune_survival", ["7", "3d_fullres", "2"], "There is no fold 2:"),
    ("finetune_survival", [*FOLD, "-p", "Mine"], "missing: "),
    ("finetune_survival", [*FOLD, "-tr", "AdaMSSSurvTrainer_Ancored"], "Did you mean AdaMSSSurvTrainer_Anchored"),
    ("finetune_survival", [*FOLD, "--features", "no.csv"], "no.csv: the file does not exist."),
    ("fit_statistical", ["7", "3d_fullres", "2", "-tr", "ICARE"], "There is no fold 2:"),
    ("fit_tn_stages", [*MODEL, "--stages", "no.csv"], "no.csv: the file does not exist."),
    ("fit_tn_stages", MODEL, "Fold 0, 1, 2, 3, 4 of"),
    ("extract_radiomics", [*FOLD, "-p", "Mine"], "is not planned and preprocessed"),
    ("extract_radiomics", ["-i", ".", "--masks", "no", "-o", "f.csv"], "There is no folder no."),
    ("verify_dataset", ["-d", "7", "--survival_csv", "no.csv"], "no.csv: the file does not exist."),
    ("make_splits", ["-d", "7", "--survival_csv", "no.csv"], "no.csv: the file does not exist."),
    ("benchmark", [*MODEL, "-o", "B", "-p", "Mine"], "is not planned and preprocessed"),
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
    """A planned data set with two folds, of which the first one's Stage II is trained."""
    project = NnunetProject(tmp_path_factory.mktemp("project"))
    preprocessed = project.preprocessed / NAME
    fold = project.results / NAME / "AdaMSSSurvTrainer__nnUNetPlans__3d_fullres" / "fold_0"
    for folder in (project.raw / NAME, preprocessed, fold):
        folder.mkdir(parents=True)
    for name in ("nnUNetPlans.json", "dataset.json"):
        (preprocessed / name).write_text("{}")
    splits = [{"train": ["a"], "val": ["b"]}, {"train": ["b"], "val": ["a"]}]
    (preprocessed / "splits_final.json").write_text(json.dumps(splits))
    (fold / "survival_summary.json").write_text("{}")
    (fold / "validation").mkdir()
    (fold / "validation" / "survival_predictions.csv").touch()
    return project


@pytest.fixture(scope="module")
def ends(
    project: NnunetProject, tmp_path_factory: pytest.TempPathFactory
) -> list[tuple[int, str, list[str]]]:
    """Exit code, stderr and what is imported after each of the cases, of which all run in one process."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", _SCRIPT, json.dumps([case[:2] for case in CASES])],
        cwd=tmp_path_factory.mktemp("empty"),
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


def test_trainers_that_a_user_may_have_are_left_to_nnunets_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("nnUNet_extTrainer", str(PLUGIN_FOLDER))
    check_trainer("nnUNetTrainer")
    with pytest.raises(ValueError, match=r"^nnU-Net finds no trainer MyOwnTrainer \(-seg_tr\)\.$"):
        check_trainer("MyOwnTrainer", "-seg_tr")
    monkeypatch.setenv("nnUNet_extTrainer", os.pathsep.join([str(PLUGIN_FOLDER), str(tmp_path)]))
    check_trainer("MyOwnTrainer", "-seg_tr")
