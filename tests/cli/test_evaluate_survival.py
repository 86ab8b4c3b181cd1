"""The command that evaluates predictions."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from nnunetv2_adamss.cli import evaluate_survival
from nnunetv2_adamss.common.files import sha256_of
from nnunetv2_adamss.metrics.resampling import DEFAULT_RESAMPLES
from tests.evaluation.study import Study, make_study
from tests.nnunet_project import NnunetProject

NAME = "Dataset007_Study"
PREDICTIONS, OUTCOMES = "--predictions", "--survival_csv"
PICTURES = {"auc.png", "calibration.png", "decision_curve.png"}


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return make_study(tmp_path)


def run(study: Study, *options: str | Path) -> dict[str, Any]:
    """Run the command with few resamples, and read what it wrote."""
    out = study.folder / "out"
    assert evaluate_survival.main([*map(str, options), "-o", str(out), "--n_resamples", "20"]) == 0

    def refuse(constant: str) -> None:
        raise AssertionError(f"metrics.json holds a bare {constant}")

    return json.loads((out / "metrics.json").read_text(), parse_constant=refuse)


def test_the_command_has_the_packages_defaults() -> None:
    args = evaluate_survival.build_parser().parse_args(["-o", "out"])
    assert (args.n_resamples, args.seed) == (DEFAULT_RESAMPLES, 0)


def test_a_file_gives_numbers_tables_pictures_and_what_they_were_made_from(
    study: Study, capsys: pytest.CaptureFixture[str]
) -> None:
    file = study.write()
    metrics = run(study, PREDICTIONS, file, OUTCOMES, study.survival_csv, "--threshold", "-7", "--seed", "3")
    written = {path.name for path in (study.folder / "out").iterdir()}
    assert written == {"metrics.json", "metrics.md", "kaplan_meier.png", *PICTURES}
    assert all((study.folder / "out" / name).stat().st_size > 10_000 for name in PICTURES)
    assert metrics["harrell_c"]["value"] > 0.5
    assert metrics["provenance"]["sha256"] == {
        str(path): sha256_of(path)
        for path in (file, study.survival_csv, study.survival_csv.with_suffix(".json"))
    }
    assert metrics["provenance"]["settings"]["seed"] == 3
    assert metrics["provenance"]["settings"]["n_resamples"] == 20
    value = f"{metrics['harrell_c']['value']:.3f} ["
    shown = (study.folder / "out" / "metrics.md").read_text()
    assert f"| Harrell's C | {metrics['harrell_c']['n_pairs']:,} | {value}" in shown
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Harrell's C  ")]
    assert value in line


def test_the_pictures_of_an_earlier_evaluation_do_not_stay(study: Study) -> None:
    run(study, PREDICTIONS, study.write(), OUTCOMES, study.survival_csv, "--threshold", "-7")
    bare = study.write(**{name: None for name in study.predictions if name.startswith("survival_at")})
    run(study, PREDICTIONS, bare, OUTCOMES, study.survival_csv)
    assert {path.name for path in (study.folder / "out").glob("*.png")} == {"auc.png"}


def test_folds_are_compared_with_the_folds_of_others(study: Study) -> None:
    files, others = study.write_folds(), study.write_folds("age", risk_score=1.0)
    named = [f"clinical={others[0]}", *map(str, others[1:])]
    metrics = run(
        study,
        PREDICTIONS,
        *files,
        OUTCOMES,
        study.survival_csv,
        "--compare",
        *named,
        "--compare",
        str(study.write("again.csv")),
    )
    assert [part["name"] for part in metrics["folds"]] == ["fold_0", "fold_1", "fold_2"]
    assert [row["name"] for row in metrics["comparisons"]] == ["clinical", "again"]
    assert metrics["comparisons"][0]["result"]["second"]["value"] == 0.5
    assert metrics["comparisons"][1]["result"]["difference"]["value"] == 0
    assert len(metrics["provenance"]["sha256"]) == 9


def test_masks_and_images_give_volume_uptake_and_dice(study: Study) -> None:
    rng = np.random.default_rng(0)
    for case_id in study.predictions["case_id"]:
        for folder, name in (("masks", case_id), ("labels", case_id), ("images", f"{case_id}_0002")):
            voxels = rng.integers(0, 2, size=(2, 3, 4)).astype(np.uint8)
            (study.folder / folder).mkdir(exist_ok=True)
            sitk.WriteImage(sitk.GetImageFromArray(voxels), str(study.folder / folder / f"{name}.nii.gz"))
    (study.folder / "masks" / "dataset.json").write_text('{"labels": {"background": 0, "tumour": 1}}')
    folders = [
        "--masks",
        study.folder / "masks",
        "--reference_masks",
        study.folder / "labels",
        "-i",
        study.folder / "images",
    ]
    metrics = run(
        study,
        PREDICTIONS,
        study.write(),
        OUTCOMES,
        study.survival_csv,
        *folders,
        "--pet_channel",
        "2",
    )
    names = [row["name"] for row in metrics["comparisons"]]
    assert names == ["tumour volume alone", "SUVmax alone"]
    assert metrics["segmentation"][0]["n_cases"] == 119
    assert 0.3 < metrics["segmentation"][0]["aggregated"] < 0.7
    baselines = pd.read_csv(study.folder / "out" / "baselines.csv", index_col="case_id")
    mask = sitk.GetArrayFromImage(sitk.ReadImage(str(study.folder / "masks" / "case_000.nii.gz")))
    assert baselines.loc["case_000", "tumour_volume_ml"] == pytest.approx(mask.sum() / 1000)


def write_hecktor_masks(folder: Path) -> list[str]:
    """GTVp (1) and GTVn (2) of two patients in masks and references, in a row of voxels; returns the options."""
    voxels = {
        "masks": ([1, 1, 1, 0, 2, 0, 2, 2, 0, 2], [1, 0, 0, 0, 2, 2, 2, 2, 2, 2]),
        "labels": ([1, 1, 1, 0, 2, 0, 2, 2, 2, 0], [1, 1, 0, 0, 0, 2, 0, 0, 0, 0]),
    }
    for name, patients in voxels.items():
        (folder / name).mkdir()
        for case_id, values in zip(("a", "b"), patients, strict=True):
            image = sitk.GetImageFromArray(np.array(values, np.uint8).reshape(1, 1, -1))
            sitk.WriteImage(image, str(folder / name / f"{case_id}.nii.gz"))
    labels = {"labels": {"background": 0, "GTVp": 1, "GTVn": 2}}
    (folder / "labels" / "dataset.json").write_text(json.dumps(labels))
    return ["--masks", str(folder / "masks"), "--reference_masks", str(folder / "labels")]


def test_masks_alone_get_the_scores_of_hecktor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = write_hecktor_masks(tmp_path)
    assert evaluate_survival.main([*options, "-o", str(tmp_path / "out")]) == 0
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    primary, nodes = metrics["segmentation"]
    assert primary["mean"] == pytest.approx((1 + 2 / 3) / 2)
    # 3 voxels of 4 and 4, 1 of 6 and 1.
    assert nodes["aggregated"] == pytest.approx(2 * (3 + 1) / (4 + 4 + 6 + 1))
    # Patient a: 1 of 1 and 2 of 3 voxels are common, and one lesion is nowhere. b: 1 of 6, which is too little.
    assert nodes["lesions"] == {"n_found": 2, "n_false": 2, "n_missed": 1, "f1": pytest.approx(4 / 7)}
    out = capsys.readouterr().out
    assert re.search(r"^GTVn +2 +0\.\d{3} +0\.533 +2, 1, 2 +0\.571$", out, re.MULTILINE)
    assert "HECKTOR 2025 ranks GTVp by the mean Dice" in out
    assert "0.571" in (tmp_path / "out" / "metrics.md").read_text()


def test_masks_along_other_axes_are_measured_where_they_lie(cases: Path, tmp_path: Path) -> None:
    folder = cases / "orientation"
    options = [
        PREDICTIONS,
        "pred.csv",
        OUTCOMES,
        "survival.csv",
        "--masks",
        "msk",
        "-i",
        "img",
        "--reference_masks",
        "lab",
    ]
    given = [str(folder / word) if not word.startswith("-") else word for word in options]
    assert evaluate_survival.main([*given, "-o", str(tmp_path)]) == 0
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    (dice,) = metrics["segmentation"]
    assert dice["n_cases"] == 16 and set(dice["by_case"].values()) == {1.0}
    baselines = pd.read_csv(tmp_path / "baselines.csv", index_col="case_id")
    assert baselines.loc["c00", "suv_max"] == 5.0
    by_name = {row["name"]: row["result"]["second"]["value"] for row in metrics["comparisons"]}
    assert by_name["SUVmax alone"] == 1.0


def test_masks_on_another_grid_are_refused_in_one_sentence(
    study: Study, capsys: pytest.CaptureFixture[str]
) -> None:
    for case_id in study.predictions["case_id"]:
        for folder, origin in (("masks", 0.5), ("labels", 0.0)):
            image = sitk.GetImageFromArray(np.ones((2, 3, 4), np.uint8))
            image.SetOrigin((origin, 0.0, 0.0))
            (study.folder / folder).mkdir(exist_ok=True)
            sitk.WriteImage(image, str(study.folder / folder / f"{case_id}.nii.gz"))
    (study.folder / "masks" / "dataset.json").write_text('{"labels": {"background": 0, "tumour": 1}}')
    folders = ["--masks", str(study.folder / "masks"), "--reference_masks", str(study.folder / "labels")]
    files = [
        PREDICTIONS,
        str(study.write()),
        OUTCOMES,
        str(study.survival_csv),
        "-o",
        str(study.folder / "out"),
    ]
    assert evaluate_survival.main([*files, *folders]) == 2
    error = capsys.readouterr().err
    assert "lies on another grid than" in error and error.count("\n") == 1
    assert not (study.folder / "out").exists()


def finish_folds(study: Study, project: NnunetProject) -> list[Path]:
    """Three folds as Stage II leaves them; the second one's epoch was chosen on its own patients."""
    model = project.results / NAME / "AdaMSSSurvTrainer__nnUNetPlans__3d_fullres"
    project.raw.joinpath(NAME).mkdir(parents=True)
    folders = [model / f"fold_{number}" for number in range(3)]
    for number, (file, folder) in enumerate(zip(study.write_folds(), folders, strict=True)):
        (folder / "validation").mkdir(parents=True)
        for name in ("survival_predictions.csv", "covariates_only_cox_predictions.csv"):
            (folder / "validation" / name).write_text(file.read_text())
        epoch = "best" if number == 1 else "last"
        summary = {
            "settings": {"survival_csv": str(study.survival_csv)},
            "predictions_from": epoch,
            "c_index": {epoch: {"selected_on_this_fold": epoch == "best"}},
        }
        (folder / "survival_summary.json").write_text(json.dumps(summary))
    return folders


def test_a_finished_cross_validation_is_found_by_its_data_set(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = NnunetProject(study.folder / "nnunet")
    project.use(monkeypatch)
    finish_folds(study, project)
    metrics = run(study, "-d", "7", "-c", "3d_fullres", "-f", "0", "1", "2")
    assert [part["name"] for part in metrics["folds"]] == ["0", "1", "2"]
    assert metrics["comparisons"][0]["name"] == "covariates without the image"
    assert (
        "Optimistic: the epoch of fold 1 was chosen on the patients that are evaluated." in metrics["notes"]
    )


def test_folds_of_different_tables_ask_for_one(
    study: Study, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = NnunetProject(study.folder / "nnunet")
    project.use(monkeypatch)
    summary = finish_folds(study, project)[2] / "survival_summary.json"
    summary.write_text(summary.read_text().replace(str(study.survival_csv), "other.csv"))
    folds = ["-d", "7", "-c", "3d_fullres", "-f", "0", "1", "2"]
    assert evaluate_survival.main([*folds, "-o", str(study.folder / "out")]) == 2
    assert "trained on different survival tables (" in capsys.readouterr().err
    assert run(study, *folds, OUTCOMES, study.survival_csv)["cohort"]["n_patients"] == 118


def test_folds_that_are_not_finished_are_named(
    study: Study, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = NnunetProject(study.folder / "nnunet")
    project.use(monkeypatch)
    finish_folds(study, project)
    assert evaluate_survival.main(["-d", NAME, "-c", "3d_fullres", "-o", str(study.folder / "out")]) == 2
    error = capsys.readouterr().err
    assert "Fold 3, 4 of" in error and "-f 0 1 2." in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([PREDICTIONS, "no.csv", OUTCOMES, "survival.csv"], "no.csv: the file does not exist"),
        ([PREDICTIONS, "predictions.csv", OUTCOMES, "no.csv"], "no.csv: the file does not exist"),
        (
            [PREDICTIONS, "predictions.csv", "predictions.csv", OUTCOMES, "survival.csv"],
            "predict the same cases",
        ),
        (
            [
                PREDICTIONS,
                "predictions.csv",
                OUTCOMES,
                "survival.csv",
                "--compare",
                "a.csv",
                "--compare",
                "a.csv",
            ],
            "Two of --compare are called 'a'",
        ),
        (
            [PREDICTIONS, "predictions.csv", OUTCOMES, "survival.csv", "--masks", "no"],
            "There is no folder no",
        ),
    ],
)
def test_a_users_error_is_one_sentence_and_exit_code_two(
    study: Study, options: list[str], message: str, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    study.write()
    monkeypatch.chdir(study.folder)
    assert evaluate_survival.main([*options, "-o", "out"]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert not (study.folder / "out").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "give either --predictions or -d, or --masks and --reference_masks alone"),
        (["--masks", "x"], "give either --predictions or -d, or --masks and --reference_masks alone"),
        ([PREDICTIONS, "a.csv", "-d", "7"], "give either --predictions or -d"),
        ([PREDICTIONS, "a.csv"], "--predictions needs --survival_csv"),
        (["-d", "7"], "-d needs -c"),
        ([PREDICTIONS, "a.csv", OUTCOMES, "b.csv", "-f", "0"], "-f: only with -d"),
        ([PREDICTIONS, "a.csv", OUTCOMES, "b.csv", "--reference_masks", "x"], "need --masks"),
        (
            [PREDICTIONS, "a.csv", OUTCOMES, "b.csv", "--horizons", "-1"],
            "must be numbers above 0",
        ),
        ([PREDICTIONS, "a.csv", OUTCOMES, "b.csv", "--tau", "0"], "must be numbers above 0"),
        ([PREDICTIONS, "a.csv", OUTCOMES, "b.csv", "--n_resamples", "0"], "at least 1"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        evaluate_survival.main([*options, "-o", "out"])
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err
