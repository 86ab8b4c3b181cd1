"""The command that writes nnU-Net's split."""

import json
import shutil
from pathlib import Path

import pytest

from nnunetv2_adamss.cli import make_splits
from nnunetv2_adamss.survival.cohort.splits import DEFAULT_FOLDS, DEFAULT_SEED
from tests.nnunet_project import NnunetProject

NAME = "Dataset007_Twelve"
# Every third case is an event; the last two have no outcome; three cases to a patient, half of them a centre.
ROWS = [
    f"case_{i:02d},{'' if i > 9 else 10 + i},{'' if i > 9 else int(i % 3 == 0)},p{i // 3},{'A' if i < 6 else 'B'}"
    for i in range(12)
]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NnunetProject:
    """Twelve cases with a survival table, and what nnU-Net's preprocessing leaves of them, less the images."""
    project = NnunetProject(tmp_path)
    masks = project.preprocessed / NAME / "gt_segmentations"
    masks.mkdir(parents=True)
    for row in ROWS:
        (masks / f"{row.split(',')[0]}.nii.gz").touch()
    (masks.parent / "dataset.json").write_text('{"file_ending": ".nii.gz"}')
    (project.raw / NAME).mkdir(parents=True)
    table = "\n".join(["case_id,time,event,patient,centre", *ROWS])
    (project.raw / NAME / "survival.csv").write_text(table)
    project.use(monkeypatch)
    return project


def splits_file(project: NnunetProject) -> Path:
    return project.preprocessed / NAME / "splits_final.json"


def written(project: NnunetProject) -> list[dict[str, list[str]]]:
    return json.loads(splits_file(project).read_text())


def train_a_fold(project: NnunetProject) -> None:
    fold = project.results / NAME / "AdaMSSSegTrainer__nnUNetPlans__3d_fullres" / "fold_1"
    fold.mkdir(parents=True)
    (fold / "checkpoint_best.pth").touch()


def test_the_command_has_the_packages_defaults() -> None:
    assert (make_splits._DEFAULT_FOLDS, make_splits._DEFAULT_SEED) == (DEFAULT_FOLDS, DEFAULT_SEED)


def test_a_split_is_written_and_its_folds_are_counted(
    project: NnunetProject, capsys: pytest.CaptureFixture[str]
) -> None:
    assert make_splits.main(["-d", "7", "-k", "2"]) == 0
    splits = written(project)
    assert sorted(splits[0]["val"] + splits[1]["val"]) == [f"case_{i:02d}" for i in range(10)]
    assert all({"case_10", "case_11"} <= set(split["train"]) for split in splits)
    assert capsys.readouterr().out.splitlines() == [
        "fold  train cases  events  val cases  events",
        "0               7       2          5       2",
        "1               7       2          5       2",
        "2 cases without an outcome are in the training part of every fold: they serve Stage I only.",
        f"Written to {splits_file(project)}",
    ]


@pytest.mark.slow
def test_nnunet_trains_on_the_split(
    nnunet_environment: NnunetProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

    folder = shutil.copytree(
        nnunet_environment.preprocessed / "Dataset901_Tiny", tmp_path / "Dataset901_Tiny"
    )
    monkeypatch.setenv("nnUNet_preprocessed", str(tmp_path))
    file = tmp_path / "outcomes.csv"
    file.write_text("case_id,time,event\n" + "".join(f"case_{i},{i + 1},{i % 2}\n" for i in range(6)))
    assert make_splits.main(["-d", "901", "-k", "3", "--survival_csv", str(file)]) == 0

    trainer = nnUNetTrainer.__new__(nnUNetTrainer)
    trainer.fold, trainer.dataset_class, trainer.local_rank = 2, None, 0
    trainer.preprocessed_dataset_folder_base = str(folder)
    trainer.preprocessed_dataset_folder = str(folder / "nnUNetPlans_3d_fullres")
    trainer.folder_with_segs_from_previous_stage = None
    trainer.print_to_log_file = lambda *text: None
    expected = json.loads((folder / "splits_final.json").read_text())[2]
    assert trainer.do_split() == (expected["train"], expected["val"])


def test_scans_of_a_patient_stay_on_one_side(
    project: NnunetProject, capsys: pytest.CaptureFixture[str]
) -> None:
    assert make_splits.main(["-d", "7", "-k", "3", "--group", "patient"]) == 0
    for split in written(project):
        sides = [{int(case_id[-2:]) // 3 for case_id in split[part]} for part in ("train", "val")]
        assert not sides[0] & sides[1]
    assert "every fold that does not validate on their group" in capsys.readouterr().out


def test_leaving_a_centre_out_names_it_at_its_fold(
    project: NnunetProject, capsys: pytest.CaptureFixture[str]
) -> None:
    assert make_splits.main(["-d", NAME, "--leave_one_out", "centre"]) == 0
    assert written(project)[1]["train"] == [f"case_{i:02d}" for i in range(6)]
    assert capsys.readouterr().out.splitlines()[:3] == [
        "fold  train cases  events  val cases  events",
        "0               6       2          6       2  without centre A",
        "1               6       2          4       2  without centre B",
    ]


def test_the_same_split_is_left_alone_and_another_one_is_replaced_with_a_note(
    project: NnunetProject, capsys: pytest.CaptureFixture[str]
) -> None:
    assert make_splits.main(["-d", "7", "-k", "2"]) == make_splits.main(["-d", "7", "-k", "2"]) == 0
    assert capsys.readouterr().out.endswith("already; left as it is.\n")
    assert make_splits.main(["-d", "7", "-k", "2", "--seed", "1"]) == 0
    assert f"Replaced another split in {splits_file(project)}\n" in capsys.readouterr().out


def test_a_split_that_models_were_trained_on_is_replaced_only_on_demand(
    project: NnunetProject, capsys: pytest.CaptureFixture[str]
) -> None:
    assert make_splits.main(["-d", "7", "-k", "2"]) == 0
    before = splits_file(project).read_text()
    train_a_fold(project)
    capsys.readouterr()
    assert make_splits.main(["-d", "7", "-k", "3"]) == 2
    out, error = capsys.readouterr()
    assert "1 folds were trained" in error and "--overwrite" in error and out == ""
    assert splits_file(project).read_text() == before
    assert make_splits.main(["-d", "7", "-k", "3", "--overwrite"]) == 0
    assert "must be trained again" in capsys.readouterr().out
    assert len(written(project)) == 3


def test_a_data_set_that_is_not_preprocessed_is_refused(
    project: NnunetProject, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(project.preprocessed / NAME)
    assert make_splits.main(["-d", "7"]) == 2
    assert "run nnUNetv2_plan_and_preprocess first" in capsys.readouterr().err
    assert not (project.preprocessed / NAME).exists()


def test_a_preprocessed_case_without_a_row_is_refused(
    project: NnunetProject, capsys: pytest.CaptureFixture[str]
) -> None:
    (project.preprocessed / NAME / "gt_segmentations" / "case_12.nii.gz").touch()
    assert make_splits.main(["-d", "7"]) == 2
    assert "cases with an image have no row: case_12" in capsys.readouterr().err
    assert not splits_file(project).exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-d", "8"], "'8' is neither the name nor the id of one data set"),
        (["-d", "7", "-k", "1"], "There are 1 folds"),
        (["-d", "7", "--group", "hospital"], "there is no clinical column 'hospital'"),
        (["-d", "7", "--survival_csv", "nowhere.csv"], "nowhere.csv: the file does not exist"),
    ],
)
def test_a_users_error_is_one_sentence_and_exit_code_two(
    project: NnunetProject, options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert make_splits.main(options) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


@pytest.mark.parametrize("other", [["--group", "patient"], ["-k", "3"]])
def test_leaving_one_out_excludes_other_ways_to_split(
    project: NnunetProject, other: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        make_splits.main(["-d", "7", "--leave_one_out", "centre", *other])
    assert stopped.value.code == 2
    assert "not allowed with argument" in capsys.readouterr().err
