"""A fold's folder and the folds of one model: what is answered from their records."""

from pathlib import Path
from typing import Any

import pytest

from nnunetv2_adamss.common.files import write_json
from nnunetv2_adamss.trained_folds.cross_validation import CrossValidation
from nnunetv2_adamss.trained_folds.trained_fold import TrainedFold

MODEL = "AdaMSSSurvTrainer__nnUNetPlans__3d_fullres"


def write_summary(model_folder: Path, number: int | str, **entries: Any) -> TrainedFold:
    fold = TrainedFold.of_model(model_folder, number)
    content = {
        "plans": "nnUNetPlans",
        "configuration": "3d_fullres",
        "settings": {"survival_csv": "/data/survival.csv", "seg_trainer": "AdaMSSSegTrainer"},
        "predictions_from": "last",
        "c_index": {"best": {"selected_on_this_fold": True}, "last": {"selected_on_this_fold": False}},
    }
    write_json(fold.folder / "survival_summary.json", content | entries)
    return fold


@pytest.fixture
def model_folder(tmp_path: Path) -> Path:
    return tmp_path / "Dataset001_X" / MODEL


def test_a_folder_says_which_fold_it_is(model_folder: Path) -> None:
    fold = write_summary(model_folder, 10)
    assert (fold.number, fold.name) == (10, "Fold 10")
    assert TrainedFold.of_model(model_folder, "all").number == "all"
    stage_one = fold.stage_one.folder
    assert stage_one == model_folder.parent / "AdaMSSSegTrainer__nnUNetPlans__3d_fullres" / "fold_10"


@pytest.mark.parametrize(("epoch", "is_chosen"), [("best", True), ("last", False)])
def test_the_epoch_that_predicts_says_whether_it_was_chosen_on_these_patients(
    model_folder: Path, epoch: str, is_chosen: bool
) -> None:
    fold = write_summary(model_folder, 0, predictions_from=epoch)
    assert fold.epoch_was_chosen_here is is_chosen
    assert CrossValidation(model_folder, [fold]).optimistic_folds == ([fold] if is_chosen else [])


def test_a_record_that_does_not_say_it_is_named(model_folder: Path) -> None:
    fold = write_summary(model_folder, 0, c_index={})
    with pytest.raises(ValueError, match=r"survival_summary\.json .* c_index\.last\.selected_on_this_fold"):
        _ = fold.epoch_was_chosen_here


def test_a_finished_fold_knows_its_duration_and_an_empty_folder_nothing(model_folder: Path) -> None:
    assert write_summary(model_folder, 0, training={"seconds": 7}).seconds == 7
    assert write_summary(model_folder, 1, training=None).seconds is None
    nothing = TrainedFold.of_model(model_folder, 2)
    assert nothing.seconds is None
    assert nothing.begun_with() is None
    with pytest.raises(ValueError, match="no checkpoint in .*fold_2"):
        nothing.log()


@pytest.mark.parametrize(
    ("model", "command"),
    [
        ("AdaMSSSurvTrainer__nnUNetPlans__3d_fullres", "adamss_finetune_survival Dataset001_X 3d_fullres 0,"),
        ("TMSSTrainer__OwnPlans__3d_lowres",
         "adamss_finetune_survival Dataset001_X 3d_lowres 0 -tr TMSSTrainer -p OwnPlans,"),
    ],
)  # fmt: skip
def test_the_command_that_trains_a_missing_fold_is_that_of_its_model(
    tmp_path: Path, model: str, command: str
) -> None:
    folder = tmp_path / "Dataset001_X" / model
    write_summary(folder, 1)
    with pytest.raises(ValueError, match=f"train it with {command}"):
        CrossValidation.find(folder, [0])
    (folder / "fold_1" / "model.json").touch()
    with pytest.raises(ValueError, match="fit it with adamss_fit_statistical"):
        CrossValidation.find(folder, [0])


def test_a_model_is_found_with_all_its_numbered_folds_in_order(model_folder: Path) -> None:
    for number in (10, 2, "all"):
        write_summary(model_folder, number)
    found = CrossValidation.find(model_folder, None)
    assert [fold.number for fold in found.folds] == [2, 10]
    assert [fold.number for fold in CrossValidation.find(model_folder, ["all"]).folds] == ["all"]
    model = (found.dataset, found.trainer, found.plans_name, found.configuration)
    assert model == ("Dataset001_X", *MODEL.split("__"))
    with pytest.raises(ValueError, match=r"Fold 0, 3 of .* 3d_fullres 0, or choose those .* -f 2 10 all\."):
        CrossValidation.find(model_folder, [3, 2, 0])


def test_a_model_that_is_not_there_is_refused_with_those_that_are(model_folder: Path) -> None:
    write_summary(model_folder, 0)
    other = model_folder.with_name("Other__nnUNetPlans__3d_fullres")
    with pytest.raises(ValueError, match=f"There is no trained fold in .*Dataset001_X .* There are {MODEL}"):
        CrossValidation.find(other, None)


def test_files_are_those_of_every_fold_or_none(model_folder: Path) -> None:
    folds = [write_summary(model_folder, number) for number in (0, 1)]
    found = CrossValidation(model_folder, folds)
    assert found.files("survival_summary.json") == [f.folder / "survival_summary.json" for f in folds]
    (folds[1].folder / "survival_summary.json").unlink()
    assert found.files("survival_summary.json") == []


def test_folds_have_one_table_of_outcomes_unless_the_user_gives_one(model_folder: Path) -> None:
    folds = [write_summary(model_folder, 0), write_summary(model_folder, 1)]
    assert CrossValidation(model_folder, folds).survival_csv == Path("/data/survival.csv")
    folds[1].summary["settings"]["survival_csv"] = "/moved/survival.csv"
    with pytest.raises(ValueError, match="different survival tables"):
        _ = CrossValidation(model_folder, folds).survival_csv
    assert CrossValidation(model_folder, folds, Path("own.csv")).survival_csv == Path("own.csv")
